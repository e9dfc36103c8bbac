"""What a file was taken for is said before anything is trained on it, and alone by --dry-run."""

from __future__ import annotations

import pytest

import rnncli
from rnncli.errors import DataError

REVIEWS = "id,when,text,label,same,hardly\n" + "".join(
    f"{k},2026-01-{k:02},a film that is {'good' if k % 2 else 'bad'} {k},{'pn'[k % 2]},x,{'y' if k == 7 else ''}\n"
    for k in range(1, 25)
)
WALK = "id,time,ax,ay,label\n" + "".join(f"{k // 4},{k % 4},0.5,{k},{'ab'[k // 4 % 2]}\n" for k in range(48))
FIRST = "[[0.5,0],[0.5,1],[0.5,2],[0.5,3]]"


def test_every_column_has_a_type_and_a_role(cli):
    cli.write("a.csv", REVIEWS)
    document = cli.works("train", "a.csv", "--dry-run", "--ignore", "when", "--json").json
    columns = [tuple(one.values()) for one in document.pop("columns")]
    assert columns == [
        ("id", "number", "ignored", "1", "an id"),
        ("when", "date", "ignored", "2026-01-01", "--ignore"),
        ("text", "text", "input", "a film that is good 1", ""),
        ("label", "category", "label", "n", ""),
        ("same", "constant", "ignored", "x", "always the same"),
        ("hardly", "nearly empty", "ignored", "y", "nearly empty"),
    ]
    records = document.pop("records")
    assert records[0] == {"input": "a film that is good 1", "label": "n"}
    assert len(records) == 3
    assert document == {
        "file": "a.csv",
        "task": "classify",
        "task_why": "a label for each input",
        "why": "text: text, label: label; change with --text/--label",
        "format": "csv",
        "encoding": "utf-8",
        "delimiter": ",",
        "header": True,
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("name", "content", "options", "task", "record"),
    [
        ("a.csv", WALK, [], "classify", {"input": f"4 timesteps of 2 numbers: {FIRST}", "label": "a"}),
        ("a.txt", "so it goes\nand on\n" * 9, [], "lm", {"input": "so it goes", "label": None}),
        ("a.conll", "Ada B-PER\ncame O\n\n" * 9, [], "tag", {"input": '["Ada", "came"]', "label": '["B-PER", "O"]'}),
        ("a.tsv", "source\ttarget\nab\tba\ncd\tdc\n", [], "seq2seq", {"input": "ab", "label": "ba"}),
        ("a.csv", REVIEWS, ["--text", "text", "--label", "when", "--task", "seq2seq"], "seq2seq", None),
    ],
)  # fmt: skip
def test_records_are_shown_as_they_will_be_seen(cli, name, content, options, task, record):
    cli.write(name, content)
    document = cli.works("train", name, "--dry-run", "--json", *options).json
    assert document["task"] == task
    assert record is None or document["records"][0] == record
    assert document["task_why"] == ("--task seq2seq" if options else document["task_why"])


def test_it_trains_and_writes_nothing_and_reads_only_the_first_rows(cli):
    cli.write("a.csv", REVIEWS + "".join(f"1,,a film {k},p,x,\n" for k in range(300)) + "broken\n")
    before = sorted(path.name for path in cli.folder.iterdir())
    assert cli.works("train", "a.csv", "--dry-run").err == ""
    assert sorted(path.name for path in cli.folder.iterdir()) == before
    cli.refuses(3, "a.csv:326: 1 value, but the header has 6 columns", "train", "a.csv")
    found = rnncli.describe(cli.folder / "a.csv", label="label")
    assert (found.task, found.columns[2].role) == ("classify", "input")
    assert repr(found).endswith("a.csv: classify; text: text, label: label; change with --text/--label>")


def test_what_is_refused_is_refused_in_the_same_way(cli):
    cli.write("a.csv", "text,p,q\na b,x,u\nc d,y,v\ne f,x,u\ng h,y,v\n")
    cli.refuses(3, "cannot tell which column is the label", "train", "a.csv", "--dry-run")
    with pytest.raises(DataError, match="cannot tell which column is the label"):
        rnncli.describe(cli.folder / "a.csv")
    cli.refuses(
        2, "--name is for a training, and --dry-run trains nothing", "train", "a.csv", "--dry-run", "--name", "x"
    )
    cli.refuses(2, "name the data", "train", "--dry-run")


def test_a_table_of_many_columns_stays_small(cli, tiny):
    wide = "text,label," + ",".join(f"c{k}" for k in range(300)) + "\n"
    cli.write("a.csv", wide + "".join(f"so good {k},{'pn'[k % 2]}," + ",".join(["w"] * 300) + "\n" for k in range(20)))
    assert len(cli.works("train", "a.csv", "--dry-run", "--json").json["columns"]) == 302
    piped = cli.works("train", "a.csv", "--dry-run").rows
    assert sum(row[2:3] == ["ignored: always the same"] for row in piped) == 300
    said = cli.works("train", "a.csv", *tiny).err
    assert "    columns  text (text, input), label (category, label), c0 to c299 (300) (constant, ignored" in said


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_has_a_panel(cli, tiny, width):
    cli.write("a.csv", REVIEWS)
    cli.at_terminal(width)
    said = cli.works("train", "a.csv", *tiny).err
    lines = [line for line in said.splitlines() if line[:1] in "╭│╰"]
    assert {len(line) for line in lines} == {min(width, 100)}
    assert "task: classify (a label for each" in said


def test_warnings_are_said_before_and_once_more_at_the_end(cli, tiny):
    cli.write("a.csv", "text,label,split\n" + "".join(f"so good {k},{'pP'[k % 2]},train\n" for k in range(16)))
    said = cli.works("train", "a.csv", *tiny).err
    warning = "    warning  labels 'P' and 'p' are counted as two\n"
    assert said.count(warning) == 2
    assert said.endswith(warning)
    document = cli.works("train", "a.csv", *tiny, "--json").json
    assert document["warnings"] == ["labels 'P' and 'p' are counted as two"]
    assert document["data"]["columns"][2] == {
        "name": "split",
        "type": "constant",
        "role": "ignored",
        "example": "train",
        "ignored_because": "always the same",
    }


def test_a_split_is_a_role(cli):
    parts = "".join(f"so good {k},{'pn'[k % 2]},{'train' if k % 3 else 'test'}\n" for k in range(24))
    cli.write("a.csv", f"text,label,split\n{parts}")
    document = cli.works("train", "a.csv", "--dry-run", "--json").json
    assert document["columns"][2]["role"] == "split"
    assert "'split' says which rows are for training" in document["why"]
    cli.write("b.csv", f"text,label,fold\n{parts.replace('train', '1').replace('test', '2')}")
    cli.refuses(3, "'fold' divides the rows into parts (1, 2)", "train", "b.csv", "--dry-run")


def test_texts_without_labels_are_for_a_language_model(cli):
    cli.write("a.csv", "recipe\n" + '"Toast\n2 slices of bread"\n"Salad\noil and salt"\n' * 6)
    says = ["the only column is 'recipe'", "To learn to write such texts: rnncli train a.csv --task lm;"]
    cli.refuses(3, says, "train", "a.csv")
    assert cli.works("train", "a.csv", "--task", "lm", "--dry-run", "--json").json["task"] == "lm"


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        # which column is the label, with the commands that say so
        (
            "text,mood,kind\n" + "".join(f"a text of words {k},{'ab'[k % 2]},{'xy'[k % 3 % 2]}\n" for k in range(20)),
            [],
            "Name it: rnncli train a.csv --text text --label mood; or rnncli train a.csv --text text --label kind",
        ),
        # what only all labels together show, as far as the first rows do
        (
            "text,label\n" + "".join(f"a text of some words {k},{k % 7}.{k}\n" for k in range(40)),
            [],
            "'label' holds decimal numbers",
        ),
        (
            "title,body,label\n" + "".join(f"so good {k},a film {k} that is good,{'pn'[k % 2]}\n" for k in range(20)),
            [],
            "or both, joined: rnncli train a.csv --text title,body --label label",
        ),
        (
            "text,price\n" + "".join(f"a text of words {k},{k * 3 + 7}\n" for k in range(20)),
            [],
            "To predict 'price': rnncli train a.csv --task regress --text text --label price",
        ),
        (REVIEWS, ["--split", "same"], "column 'same' is to say what each row is for, and holds 'x'"),
        (WALK, ["--id", "time"], "--id"),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_refused_with_what_settles_it(cli, content, options, says):
    cli.write("a.csv", content)
    result = cli("train", "a.csv", "--dry-run", *options)
    assert result.code in (2, 3), result
    assert says in result.err


def test_numbers_of_a_caption_are_no_timesteps_and_a_series_that_goes_on_has_no_label(cli):
    cli.write("a.csv", "x,y,text\n1,0,to the right\n0,1,up\n")
    assert cli.works("train", "a.csv", "--dry-run", "--json").json["records"][1]["input"] == "2 numbers: [0, 1]"
    cli.write("b.csv", "day,sales\n" + "".join(f"2026-01-{day:02},{day * day % 7}.5\n" for day in range(1, 29)))
    cli.at_terminal(80)
    said = cli.works("train", "b.csv", "--dry-run").out.splitlines()
    assert said[said.index("First records") + 1].split() == ["input"]
