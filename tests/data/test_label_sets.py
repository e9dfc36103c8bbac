"""Several labels of a record: in a list, joined in a cell, or a column of 0 and 1 for each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rnncli.data.dataset import Dataset, Source
from rnncli.data.doubts.preview import Purpose
from rnncli.data.opening import read_dataset
from rnncli.data.records import LabelSets, Texts
from rnncli.data.records.label_sets import named_labels, shown_labels
from rnncli.data.tables.several import joined_by, likely_mark
from rnncli.errors import DataError, UsageError

SETS = [("action", "comedy"), ("action",), (), ("comedy", "drama"), ("drama",), ("action", "drama"), ("comedy",)]
RECORDS = [(f"a film number {at} so it is", SETS[at % len(SETS)]) for at in range(42)]


def lines_of(header: str, cells: Any) -> str:
    return "".join(f"{line}\n" for line in [header, *cells])


def joined(mark: str, header: str = "text,genres", none: str = "") -> str:
    return lines_of(header, (f'{text},"{mark.join(labels) or none}"' for text, labels in RECORDS))


def hot(yes: str, no: str) -> str:
    names = ("action", "drama", "comedy")
    rows = (",".join([text, *(yes if name in labels else no for name in names)]) for text, labels in RECORDS)
    return lines_of("text,action,drama,comedy", rows)


def json_of(records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


LISTED = json_of({"text": text, "labels": labels} for text, labels in RECORDS)
HOT = {"label": "action,drama,comedy"}
# name, content, how to read it
READ: dict[str, tuple[str, str, dict[str, Any]]] = {
    "lists": ("a.jsonl", LISTED, {}),
    "lists in another column": ("a.jsonl", LISTED.replace('"labels"', '"genres"'), {}),
    "lists, shuffled and twice": (
        *("a.jsonl", json_of({"text": t, "labels": [*reversed(labels), *labels]} for t, labels in RECORDS)),
        {},
    ),
    "JSON in a cell": ("a.tsv", lines_of("text\tlabels", (f"{t}\t{json.dumps(labels)}" for t, labels in RECORDS)), {}),
    "Python in a cell": ("a.csv", lines_of("text,labels", (f'{t},"{list(labels)}"' for t, labels in RECORDS)), {}),
    "commas": ("a.csv", joined(","), {}),
    "commas and spaces": ("a.csv", joined(", "), {}),
    "bars": ("a.csv", joined("|"), {}),
    "spaced bars": ("a.csv", joined(" | "), {}),
    "semicolons": ("a.csv", joined(";"), {}),
    "semicolons in a tsv": ("a.tsv", joined(";").replace(",", "\t").replace('"', ""), {}),
    "bars, the label's column named": ("a.csv", joined("|"), {"label": "genres"}),
    "none in words": ("a.csv", joined("|", none="(none)"), {}),
    "angles": (
        *("a.csv", lines_of("text,tags", (f"{t}," + "".join(f"<{one}>" for one in labels) for t, labels in RECORDS))),
        {},
    ),
    "slashes, named": ("a.csv", joined("/"), {"label_separator": "/"}),
    "spaces, named": ("a.csv", joined(" "), {"label_separator": " "}),
    "0 and 1": ("a.csv", hot("1", "0"), HOT),
    "1.0 and 0.0": ("a.csv", hot("1.0", "0.0"), HOT),
    "true and false": ("a.csv", hot("True", "False"), HOT),
    "yes and no": ("a.csv", hot("yes", "no"), HOT),
    "0 and 1 by the task": ("a.csv", hot("1", "0"), {"task": "multilabel"}),
    "numbers in JSON": (
        *(
            "a.jsonl",
            json_of(
                {"text": t, **{n: int(n in labels) for n in ("action", "drama", "comedy")}} for t, labels in RECORDS
            ),
        ),
        HOT,
    ),
    "booleans in JSON": (
        *(
            "a.jsonl",
            json_of({**{n: n in labels for n in ("comedy", "action", "drama")}, "plot": t} for t, labels in RECORDS),
        ),
        HOT,
    ),
}


def read(folder: Path, name: str, content: str, task: str = "auto", **how: Any) -> Dataset:
    (folder / name).write_text(content)
    purpose = Purpose(task_named=task != "auto")
    return read_dataset(Source(str(folder / name), **how), task=task, purpose=purpose)


@pytest.mark.parametrize("case", READ)
def test_each_way_to_write_them_reads_as_the_same_records(case: str, tmp_path: Path) -> None:
    name, content, how = READ[case]
    found = read(tmp_path, name, content, **how)
    assert isinstance(found.inputs, Texts)
    assert isinstance(found.labels, LabelSets)
    assert list(zip(found.inputs, found.labels, strict=True)) == RECORDS
    assert "task multilabel: " in found.why


def test_what_is_said_of_them(tmp_path: Path) -> None:
    single = lines_of("text,kind", (f"{text},{'-'.join(labels)}" for text, labels in RECORDS))
    found = read(tmp_path, "a.csv", single, "multilabel")
    assert found.why.endswith("; task multilabel: kind holds one label in each value, or none")
    assert list(found.labels[:3]) == [("action-comedy",), ("action",), ()]
    lists = read(tmp_path, "a.jsonl", LISTED).why
    assert lists == "text: text, label: labels; change with --text/--label; task multilabel: labels holds lists"
    bars = read(tmp_path, "a.csv", joined("|")).why
    assert bars.endswith(
        "; task multilabel: genres holds several labels with | between them; "
        "if each combination is a class: --task classify --label genres"
    )
    columns = read(tmp_path, "a.csv", hot("1", "0"), **HOT).why
    assert columns == "text: text; task multilabel: a label in each column, action, drama, comedy; change with --label"


@pytest.mark.parametrize("case", ["lists", "bars", "0 and 1"])
def test_the_same_source_reads_the_same_again(case: str, tmp_path: Path) -> None:
    """As a resumed training reads it: with the columns that were chosen, and without a doubt."""
    name, content, how = READ[case]
    found = read(tmp_path, name, content, **how)
    again = read_dataset(found.source, task="multilabel", settled=True)
    assert (again.inputs, again.labels, again.digest) == (found.inputs, found.labels, found.digest)


def test_series_have_several_labels_too(tmp_path: Path) -> None:
    records = [{"sequence": [[at, 1], [0, 0.5]], "labels": list(SETS[at % 7])} for at in range(40)]
    found = read(tmp_path, "a.jsonl", json_of(records))
    assert found.inputs[3].tolist() == [[3, 1], [0, 0.5]]
    assert found.labels[3] == ("comedy", "drama")


def test_a_model_s_labels_say_where_they_are(tmp_path: Path) -> None:
    """Of a file to be scored: which mark stands between labels, and which columns are labels."""
    purpose = Purpose("rnncli evaluate m", labels=frozenset(("rock, hard", "rock", "pop", "a")))
    (tmp_path / "a.csv").write_text('text,label\nso it is,"rock, hard"\nand is,"pop;rock, hard"\nso,pop\n')
    found = read_dataset(Source(str(tmp_path / "a.csv")), task="multilabel", purpose=purpose)
    assert list(found.labels) == [("rock, hard",), ("pop", "rock, hard"), ("pop",)]
    (tmp_path / "a.csv").write_text("pop,text,rock,views\n1,so it is,0,3\n1,and it was,1,0\n")
    purpose = Purpose("rnncli evaluate m", labels=frozenset(("pop", "rock", "jazz")))
    found = read_dataset(Source(str(tmp_path / "a.csv")), task="multilabel", purpose=purpose)
    assert list(found.labels) == [("pop",), ("pop", "rock")]


@pytest.mark.parametrize(
    ("name", "content", "how", "says"),
    [
        ("a.csv", hot("2", "0"), HOT, "a.csv:2: the label 'action' is '2', neither 0 nor 1"),
        ("a.csv", hot("1", ""), HOT, "a.csv:2: the label 'drama' is empty, neither 0 nor 1"),
        ("a.jsonl", LISTED.replace("[]", '["a", ""]', 1), {}, "a.jsonl:3: the label is empty beside others"),
        ("a.jsonl", LISTED.replace("[]", '["a", ["b"]]', 1), {}, "a.jsonl:3: the label holds a list"),
        ("a.jsonl", LISTED.replace("[]", '["a", "(none)"]', 1), {}, "a.jsonl:3: the label is (none), which stands"),
        ("a.csv", joined("|").replace("a film number 3 so it is", ""), {}, "a.csv:5: the text is empty"),
    ],
)
def test_a_bad_record_is_named_and_one_of_them_left_out(
    name: str, content: str, how: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, name, content, **how)
    assert says in caught.value.message
    if name == "a.jsonl":
        assert read(tmp_path, name, content, skip_bad=True, **how).skipped == 1


def test_a_separator_that_separates_nothing(tmp_path: Path) -> None:
    for task, how in (("classify", {}), ("auto", HOT)):
        with pytest.raises(UsageError, match=r"--label-separator has no effect on .*, read as text: text"):
            read(tmp_path, "a.csv", hot("1", "0"), task, **({"label": "drama"} | how), label_separator="/")


def test_columns_of_labels_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--label: there is no column 'dramas'; did you mean 'drama'"):
        read(tmp_path, "a.csv", hot("1", "0"), label="action,dramas")
    with pytest.raises(UsageError, match="--label names several columns, and the task classify"):
        read(tmp_path, "a.csv", hot("1", "0"), task="classify", **HOT)


@pytest.mark.parametrize(
    "values",
    [
        ("Rome, Italy", "Pisa, Italy", "Nice, France", "Paris, France"),
        ("Smith, John", "Miller, Ann", "Jones, Mary"),
        ("red", "green", "n/a"),
        ("rock'n'roll", "hip hop; rap", "jazz", "pop"),
    ],
)
def test_names_of_classes_may_hold_a_mark(values: tuple[str, ...], tmp_path: Path) -> None:
    assert joined_by(set(values)) is None
    rows = (f'so it is {at},"{values[at % len(values)]}"' for at in range(40))
    assert set(read(tmp_path, "a.csv", lines_of("text,label", rows)).labels) == set(values)


def test_the_mark_by_the_labels_that_are_known() -> None:
    assert likely_mark(["a,b;c", "c"], {"a,b", "c"}) == ";"
    assert likely_mark(["a,b;c", "c"], {"a", "b;c", "c"}) == ","
    assert likely_mark(["a", "b"], {"a", "b"}) is None


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ((), "(none)"),
        (("a",), "a"),
        (("a", "b c"), "a, b c"),
        (("a, b",), "a, b"),
        (("a", "b, c"), '["a","b, c"]'),
        (("[a", "b"), '["[a","b"]'),
    ],
)
def test_shown_labels_are_named_again(labels: tuple[str, ...], shown: str) -> None:
    assert shown_labels(labels) == shown
    assert named_labels(shown, labels) == labels


def test_labels_are_named_with_any_mark() -> None:
    known = ("a", "b", "a, b")
    assert named_labels("a|b", known) == ("a", "b")
    assert named_labels("b;a", known) == ("a", "b")
    assert named_labels("a, b", known) == ("a, b",)
    assert named_labels("a,b", known) == ("a", "b")
    assert named_labels("a|x", known) == ("a|x",)


def test_label_sets_are_kept_and_taken() -> None:
    kept = LabelSets([["b", "a"], "", '["c"]', ["a", "b"], "a, b"])
    assert list(kept) == [("a", "b"), (), ("c",), ("a", "b"), ("a, b",)]
    assert [kept.text(row) for row in range(5)] == ["a, b", "(none)", "c", "a, b", "a, b"]
    assert list(kept.take([4, 0])) == [("a, b",), ("a", "b")]
    with pytest.raises(ValueError, match="is empty beside others"):
        LabelSets([["a", " "]])
