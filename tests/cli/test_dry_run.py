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
        "rows": [
            {"use": "training", "file": "a.csv", "rows": 22, "row": "row", "how": ""},
            {"use": "validation", "file": "a.csv", "rows": 2, "row": "row", "how": "10% of them, set aside"},
        ],
        "begins_with": None,
        "run": None,
        "refusal": None,
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
    cli.refuses(2, "--resume goes on with data that were read before", "train", "--dry-run", "--resume", "x")
    cli.refuses(2, "name the data", "train", "--dry-run")


def test_a_table_of_many_columns_stays_small(cli, tiny):
    wide = "text,label," + ",".join(f"c{k}" for k in range(300)) + "\n"
    cli.write("a.csv", wide + "".join(f"so good {k},{'pn'[k % 2]}," + ",".join(["w"] * 300) + "\n" for k in range(20)))
    assert len(cli.works("train", "a.csv", "--dry-run", "--json").json["columns"]) == 302
    piped = cli.works("train", "a.csv", "--dry-run").rows
    assert sum(row[2:3] == ["ignored: always the same"] for row in piped) == 300
    said = cli.works("train", "a.csv", *tiny).err
    assert "    columns  text (text, input), label (category, label), c0 to c299 (300) (constant, ignored" in said


def test_a_label_that_is_the_same_in_the_first_rows_alone_is_no_constant(cli):
    rows = [f"so good {k},{'pn'[k // 300]},en\n" for k in range(600)]
    columns = {}
    for name, some in {"sorted": rows, "short": rows[:40]}.items():
        cli.write("a.csv", "text,label,language\n" + "".join(some))
        document = cli.works("train", "a.csv", "--dry-run", "--json").json
        columns[name] = [(one["type"], one["role"], one["ignored_because"]) for one in document["columns"][1:]]
    assert columns["sorted"] == [("category", "label", ""), ("constant", "ignored", "the same in the first rows")]
    assert columns["short"] == [("constant", "label", ""), ("constant", "ignored", "always the same")]


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


TEXTS = [(f"{'good' if k % 2 else 'bad'} film {k % 7}", "np"[k % 2]) for k in range(20)]


def table(rows, **columns):
    """A CSV of texts and labels, and of more columns, each made of the number of a row."""
    names = "".join(f",{name}" for name in columns)
    lines = (",".join([*row, *(str(made(k)) for made in columns.values())]) for k, row in enumerate(rows))
    return f"text,label{names}\n" + "".join(f"{line}\n" for line in lines)


@pytest.fixture
def files(cli, tiny):
    """Data of all that a training may read, and a run to go on with."""
    cli.write("a.csv", table(TEXTS))
    cli.write("more.csv", table([(f"{text} more", label) for text, label in TEXTS]))
    cli.write("valid.csv", table([(f"so {text}", label) for text, label in TEXTS[:6]]))
    cli.write("test.csv", table([(f"very {text}", label) for text, label in TEXTS[:4]]))
    cli.write("other.csv", "words,class\nso good,p\n")
    cli.write("odd.csv", table([*TEXTS[:4], ("so so", "q")]))
    cli.write("split.csv", table(TEXTS, split=lambda k: ("train", "train", "val", "test")[k // 2 % 4]))
    cli.write("groups.csv", table(TEXTS, patient=lambda k: k // 4))
    cli.write("a.en", "".join(f"so good a film {k}\n" for k in range(18)))
    cli.write("a.de", "".join(f"so ein guter Film {k}\n" for k in range(18)))
    cli.works("train", "a.csv", *tiny, "--name", "before")
    return cli


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ("a.csv", [("training", "a.csv"), ("validation", "a.csv")]),
        ("a.csv --validation 0", [("training", "a.csv")]),
        ("a.csv more.csv", [("training", "a.csv and 1 more file"), ("validation", "a.csv and 1 more file")]),
        ("a.csv --validation valid.csv", [("training", "a.csv"), ("validation", "valid.csv")]),
        (
            "a.csv --validation 0.5 --test test.csv",
            [("training", "a.csv"), ("validation", "a.csv"), ("test", "test.csv")],
        ),
        ("split.csv --split split", [("training", "split.csv"), ("validation", "split.csv"), ("test", "split.csv")]),
        (
            "groups.csv --group patient",
            [("training", "groups.csv"), ("validation", "groups.csv"), ("groups", "groups.csv")],
        ),
        (
            "a.csv --folds 3 --name x --keep-folds",
            [("training", "a.csv"), ("validation", "a.csv"), ("folds", "a.csv")],
        ),
        (
            "more.csv --from before --keep a.csv",
            [("training", "more.csv"), ("validation", "more.csv"), ("older rows", "a.csv")],
        ),
        ("--source a.en --target a.de", [("training", "a.en and a.de"), ("validation", "a.en and a.de")]),
    ],
)  # fmt: skip
def test_a_dry_run_says_what_a_training_does_with_the_rows(files, tiny, options, rows):
    found = files.works("train", *options.split(), "--dry-run", "--json").json
    assert [(one["use"], one["file"]) for one in found["rows"]] == rows
    small = [] if "--from" in options else tiny
    shown = files.works("train", *options.split(), *small[:6], *small[8:], "--json").json
    assert [(one["use"], one["file"]) for one in shown["data"]["rows"]] == rows
    counts = {one["use"]: one["rows"] for one in found["rows"]}
    report = shown["report"]
    for use in ("training", "validation", "test"):
        assert counts.get(use) == report.get(f"{use}_rows") or (use not in counts and not report.get(f"{use}_rows"))
    if "--name" in options:
        assert (found["run"], shown["run"].endswith(found["run"])) == ("runs/x", True)
    if "--from" in options:
        assert shown["from"]["added"] == {"word": 2, "label": 0}
        assert found["begins_with"] == "before, with 9 words and 2 labels; added: 2 words"
        assert counts["older rows"] == 20
        assert found["task_why"] == "the task of before"


def test_how_many_rows_are_for_what_is_left_open_where_only_all_rows_tell(files):
    files.write("long.csv", table(TEXTS * 20))
    rows = files.works("train", "long.csv", "--test", "test.csv", "--dry-run", "--json").json["rows"]
    assert [(one["use"], one["rows"]) for one in rows] == [("training", None), ("validation", None), ("test", 4)]
    assert rows[1]["how"] == "10% of them, set aside"
    files.write("long.csv", table(TEXTS * 20, split=lambda k: "train" if k < 300 else "test"))
    rows = files.works("train", "long.csv", "--split", "split", "--dry-run", "--json").json["rows"]
    assert rows[1]["how"] == "10% of them, set aside, unless column 'split' names some"
    shown = files.works("train", "long.csv", "--split", "split", "--dry-run").rows
    assert ["for", "of", "how"] in shown


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("a.csv --validation other.csv", "--validation other.csv has no column"),
        ("a.csv --test other.csv", "--test other.csv has no column"),
        ("a.csv --test missing.csv", "missing.csv"),
        ("a.csv --test -", "--test takes a file, not stdin"),
        ("a.csv --validation a.csv", "--validation a.csv holds the same as a.csv"),
        ("a.csv --validation valid.csv --test valid.csv", "--test valid.csv holds the same as valid.csv"),
        ("long.csv --test long.csv", "--test long.csv holds the same as long.csv"),
        ("split.csv --split split --test test.csv", "names the rows for test"),
        ("split.csv --split label", "column 'label' is to say what each row is for"),
        ("a.csv --validation odd.csv", "no training row has the label 'q'"),
        ("a.csv --folds 30", "20 records cannot be divided into 30 folds"),
        ("a.csv --keep-folds", "--keep-folds keeps the runs of folds"),
        ("a.csv --keep test.csv", "--keep names older rows"),
        ("a.csv --from nothing", "nothing"),
        ("a.csv --from before --cell gru", "--cell gru: the model before has cell lstm"),
        ("a.csv --from before --keep other.csv", "--keep other.csv has no column"),
        ("a.csv --name before", "runs/before exists already"),
        ("a.csv --name a/b", "'a/b' cannot name a run"),
        ("a.csv --nonlinearity relu", "--nonlinearity is for --cell rnn"),
        ("a.csv --plot x.gif", "--plot writes a file whose name ends in"),
        ("a.csv --source a.en --target a.de", "--source and --target stand in place of DATA"),
        ("a.csv other.csv", "other.csv has no"),
    ],
)  # fmt: skip
def test_a_dry_run_refuses_rows_and_options_as_a_training_does(files, options, says):
    files.write("long.csv", table(TEXTS * 20))
    refused = [files("train", *options.split(), *dry) for dry in (["--dry-run"], [])]
    assert [says in one.err for one in refused] == [True, True], refused
    assert refused[0].code == refused[1].code
    assert refused[0].code in (2, 3, 5)


def test_a_file_that_is_too_small_is_described_and_the_refusal_said(cli):
    cli.write("a.csv", table(TEXTS[:2]))
    found = cli.works("train", "a.csv", "--dry-run", "--json").json
    assert (found["task"], found["refusal"][:45]) == ("classify", "a.csv: 2 records are too few to set 10% aside")


def test_a_description_in_python_takes_what_a_training_takes(files, monkeypatch):
    monkeypatch.chdir(files.folder)
    found = rnncli.describe(TEXTS, validation=[("so good", "p"), ("so bad", "n")], folds=2, name="x")
    assert [(one.use, one.rows) for one in found.rows] == [("training", 20), ("validation", 2), ("folds", None)]
    assert (found.run, found.file) == ("runs/x", "the pairs")
    said: list[str] = []
    model = rnncli.train(TEXTS, hidden=2, epochs=1, note=lambda *words: said.append(words[0]), on_data=said.append)
    assert model.record.data == "pairs.jsonl"
    rnncli.evaluate(TEXTS, model, note=lambda *words: said.append(words[0]))
    assert [one for one in map(repr, said) if "pairs.jsonl" in one or "tmp" in one] == []
