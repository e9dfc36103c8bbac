"""What the columns are for: named on the command line, kept in the model, and used by every command."""

from __future__ import annotations

import json

import openpyxl
import pytest

import rnncli

REVIEWS = "who,title,review,stars\n" + "".join(
    f"w{k},{('poor', 'nice')[k % 2]} {k},{('so bad', 'so good')[k % 2]} a film {k},{('neg', 'pos')[k % 2]}\n"
    for k in range(24)
)


def columns(content: str, names: str) -> str:
    """The table with these columns, in their order; one that it lacks holds ``x``."""
    head, *rows = (line.split(",") for line in content.splitlines())
    chosen = names.split(",")
    made = [[row[head.index(name)] if name in head else "x" for name in chosen] for row in rows]
    return "\n".join(map(",".join, [chosen, *made])) + "\n"


@pytest.fixture
def told(cli, tiny):
    cli.write("a.csv", REVIEWS)
    cli.works("train", "a.csv", "--text", "review", "--label", "stars", "--name", "r", *tiny)
    return cli


def test_a_model_keeps_the_roles_of_its_columns(told):
    assert rnncli.load(told.folder / "runs/r").roles.stored() == {
        "layout": "texts",
        "text": ["review"],
        "label": ["stars"],
    }
    scored = told.works("evaluate", "a.csv", "--json").json
    predicted = [row[0] for row in told.works("predict", "a.csv").rows]
    told.write("b.csv", columns(REVIEWS, "new,stars,title,review"))
    assert told.works("evaluate", "b.csv", "--json").json == scored
    assert [row[0] for row in told.works("predict", "b.csv").rows] == predicted
    told.works("inspect", "--doctor", "b.csv")
    told.works("tokenize", "b.csv", "-m", "r")
    told.works("inspect", "--fires", "0", "--data", "b.csv")


def test_a_file_that_lacks_a_column_says_so(told):
    told.write("b.csv", columns(REVIEWS, "who,opinion,stars"))
    says = (
        "b.csv: there is no column 'review', which the model reads\n  Name the column that holds it here: --text COLUMN"
    )
    for command in (["predict", "b.csv"], ["evaluate", "b.csv"], ["inspect", "--doctor", "b.csv"]):
        told.refuses(3, says, *command)
    told.works("predict", "b.csv", "--text", "opinion")
    told.write("c.csv", columns(REVIEWS, "review,mood"))
    says = (
        "there is no column 'stars', which held the labels in training\n  Name the column that holds it here: --label"
    )
    told.refuses(3, says, "evaluate", "c.csv")
    told.works("predict", "c.csv")
    # One column can only be the texts, and one that is called like texts is likely to hold them: that is said.
    told.write("d.csv", columns(REVIEWS, "opinion"))
    assert told.works("predict", "d.csv", "--quiet").err == ""
    told.write("e.csv", columns(REVIEWS, "who,text"))
    assert (
        "there is no column 'review', which the model reads; the column is guessed"
        in told.works("predict", "e.csv").err
    )


def test_pairs_have_no_names_of_columns(told):
    pairs = [("so good a film", "pos"), ("so bad a film", "neg")]
    assert rnncli.evaluate(pairs, "r", runs=told.folder / "runs").scores.rows == 2
    model = rnncli.train(pairs * 6, epochs=1, hidden=2, embedding=2, runs=told.folder / "runs")
    assert model.roles is None
    rnncli.evaluate(told.folder / "a.csv", model, text="review", label="stars")


def test_texts_of_several_columns_are_joined(cli, tiny):
    cli.write("a.csv", REVIEWS)
    document = cli.works("train", "a.csv", "--text", "title,review", "--label", "stars", "--dry-run", "--json").json
    assert document["records"][1]["input"] == "nice 1 so good a film 1"
    assert [(one["name"], one["role"]) for one in document["columns"]] == [
        ("who", "ignored"),
        ("title", "input"),
        ("review", "input"),
        ("stars", "label"),
    ]
    assert cli.works("train", "a.csv", "--text", "2, 3", "--label", "4", "--dry-run", "--json").json == document
    cli.works("train", "a.csv", "--text", "title,review", "--label", "stars", "--name", "r", *tiny)
    cli.write("b.csv", columns(REVIEWS, "stars,review,title"))
    assert cli.works("predict", "b.csv").rows[1][3] == "nice 1 so good a film 1"
    cli.works("train", "--resume", "r", "--epochs", "2")
    cli.refuses(2, "--text title is not what the training to resume", "train", "--resume", "r", "--text", "title")


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--text", "review", "--text", "title"], 2, "--text"),
        (["--text", "review,review"], 2, "--text names the column 'review' twice"),
        (["--text", "review,rveiew"], 3, "--text: there is no column 'rveiew'; did you mean 'review'?"),
        (["--text", "review", "--label", "review"], 2, "--text and --label both name the column 'review'"),
        (["--text", "review", "--label", "9"], 3, "--label: there is no column '9'"),
        (["--text", "review", "--label", "stars", "--time", "who"], 2, "--time has no effect on a.csv"),
        (["--split", "who,stars"], 2, "--split names one column, and not 2"),
    ],
)
def test_columns_that_cannot_be_meant(cli, options, code, says):
    cli.write("a.csv", REVIEWS)
    cli.refuses(code, says, "train", "a.csv", *options)


def test_a_name_with_a_comma_comes_first(cli):
    cli.write(
        "a.jsonl", "".join(json.dumps({"a,b": f"so good {k}", "a": "x", "b": str(k % 2)}) + "\n" for k in range(12))
    )
    document = cli.works("train", "a.jsonl", "--text", "a,b", "--label", "b", "--dry-run", "--json").json
    assert document["records"][0] == {"input": "so good 0", "label": "0"}


LONG = "id,time,a,b,label\n" + "".join(f"s{k // 4},{k % 4},{k % 7}.5,{k % 5},{'pn'[k // 4 % 2]}\n" for k in range(48))
WIDE = "label,t0,t1,t2,t3\n" + "".join(f"{'pn'[k % 2]},{k % 7}.5,{k % 3},{k % 5}.25,{k % 2}\n" for k in range(24))
CELLS = "x,label\n" + "".join(f"{k % 7}.5 {k % 3}.0 {k % 5}.25 {k % 2}.5,{'pn'[k % 2]}\n" for k in range(24))
HOT = "plot,calm,loud\n" + "".join(f"a film {'quiet shot'[k % 10]} {k},{k % 2},{k % 3 % 2}\n" for k in range(24))
POINTS = "x,y,text\n" + "".join(f"{k % 7},{k % 5},a text of {k % 7}\n" for k in range(24))


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (REVIEWS, ["--text", "review", "--label", "stars"]),
        (REVIEWS, ["--text", "title,review", "--label", "stars"]),
        (LONG, []),
        (WIDE, []),
        (CELLS, []),
        (HOT, ["--label", "calm,loud"]),
        (POINTS, ["--task", "caption"]),
        (LONG, ["--task", "forecast", "--label", "a", "--id", "id", "--features", "a,b"]),
    ],
    ids=["texts", "joined texts", "long", "wide", "cells", "indicators", "numbers", "series"],
)
def test_every_layout_is_read_in_another_order_and_beside_more(cli, tiny, content, options):
    cli.write("a.csv", content)
    cli.works("train", "a.csv", *options, "--name", "r", *tiny)
    head = content.partition("\n")[0].split(",")
    cli.write("b.csv", columns(content, ",".join([*head[::-1], "more"])))
    scored = [cli.works("evaluate", name, "-m", "r", "--json").json for name in ("a.csv", "b.csv")]
    assert scored[0] == scored[1]
    predicted = [cli.works("predict", name, "-m", "r", "--json").json_lines for name in ("a.csv", "b.csv")]
    assert predicted[0] == predicted[1]


def test_a_model_is_scored_on_the_rows_that_its_training_has_not_seen(cli, tiny):
    parts = ["test", "train", "train"]
    rows = "".join(f"so {('bad', 'good')[k % 2]} {k},{'np'[k % 2]},{parts[k % 3]}\n" for k in range(36))
    cli.write("a.csv", f"text,label,split\n{rows}")
    cli.works("train", "a.csv", "--name", "r", *tiny)
    assert rnncli.load(cli.folder / "runs/r").roles.split == "split"
    result = cli.works("evaluate", "a.csv", "-m", "r")
    assert result.rows[0] == ["rows", "12"]
    assert "here the 12 rows for testing" in result.err
    assert cli.works("evaluate", "a.csv", "-m", "r", "--ignore", "split").rows[0] == ["rows", "36"]
    assert len(cli.works("predict", "a.csv", "-m", "r").rows) == 36
    cli.write("b.csv", "text,label,split\n" + rows.replace("test", "train"))
    says = "b.csv: by column 'split' no row is for testing or for validation"
    cli.refuses(3, says, "evaluate", "b.csv", "-m", "r")
    cli.refuses(2, "--group keeps rows on one side", "evaluate", "a.csv", "-m", "r", "--group", "label")


def excel(path, **sheets):
    """A workbook of these sheets, each its rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)


def test_a_sheet_is_read_by_every_command_and_kept_in_the_model(cli, tiny):
    texts = [["good" if k % 2 else "bad", "np"[k % 2]] for k in range(20)]
    excel(cli.folder / "a.xlsx", notes=[["notes"], ["of May"]], **{"data 1": [["text", "label"], *texts]})
    excel(cli.folder / "one.xlsx", any=[["text", "label"], *texts[:6]])
    cli.write("new.csv", "text,label\nso good,p\nso bad,n\n")
    hint = "--sheet 'data 1'"
    cli.refuses(3, ["2 sheets hold something", hint], "train", "a.xlsx", *tiny)
    files = ["--validation", "one.xlsx", "--test", "new.csv"]
    found = cli.works("train", "a.xlsx", "--sheet", "data 1", "--dry-run", "--json", *files).json
    assert (found["task"], found["why"][:16]) == ("classify", "sheet 'data 1'; ")
    model = rnncli.train(cli.folder / "a.xlsx", sheet=2, hidden=2, epochs=1, runs=cli.folder / "runs", validation=0.2)
    assert model.roles.sheet == "data 1"
    cli.works("train", "a.xlsx", "--sheet", "data 1", "--name", "one", *tiny)
    for command in (
        ["evaluate", "a.xlsx", "-m", "a-1"],
        ["predict", "a.xlsx", "-m", "a-1"],
        ["tokenize", "a.xlsx", "-m", "a-1"],
        ["inspect", "--doctor", "a.xlsx", "-m", "a-1"],
        ["inspect", "--activations", "0", "--data", "a.xlsx", "-m", "a-1"],
    ):
        again = [cli.works(*command, *named, "--json").out for named in ([], ["--sheet", "data 1"], ["--sheet", "2"])]
        again = [out.replace(" --sheet 'data 1'", "").replace(" --sheet 2", "") for out in again]  # of commands to try
        assert again[0] == again[1] == again[2] != ""
        cli.refuses(3, "there is no sheet 'x'", *command, "--sheet", "x")
    cli.works("compare", "a-1", "one", "a.xlsx")
    cli.refuses(3, "there is no sheet 'x'", "compare", "a-1", "one", "a.xlsx", "--sheet", "x")
    assert len(cli.works("predict", "one.xlsx").rows) == 6
    cli.works("evaluate", "one.xlsx")
    cli.refuses(2, "--sheet is for Excel workbooks", "predict", "new.csv", "--sheet", "1")
