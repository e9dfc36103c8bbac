"""How a table holds its records, and what its columns are for: recognized on the first rows, or as it was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli import schema
from rnncli.data.dataset import Dataset, Source
from rnncli.data.opening import read_dataset
from rnncli.data.tables.source import Roles, joined_names, names_in
from rnncli.errors import DataError, UsageError

REVIEWS = "who,text,label,part\n" + "".join(
    f"{who},{text} {k},{label},{'train' if k < 3 else 'test'}\n"
    for k, (who, text, label) in enumerate([("ann", "good", "pos"), ("bob", "bad", "neg"), ("ann", "fine", "pos")] * 2)
)
WALK = "id,time,ax,ay,label\n" + "".join(f"{k // 2},{k},0.5,{k},{'ab'[k // 2 % 2]}\n" for k in range(12))
POINTS = "x,y,text\n" + "".join(f"{k},{k + 1},a text of {k}\n" for k in range(8))


def read(folder: Path, content: str, name: str = "a.csv", **how: object) -> Dataset:
    path = folder / name
    path.write_text(content, "utf-8")
    return read_dataset(Source(str(path), **how))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "how", "roles"),
    [
        (
            REVIEWS,
            {"split": "part", "group": "who"},
            Roles(layout="texts", text=("text",), label=("label",), split="part", group="who"),
        ),
        (WALK, {}, Roles(layout="long", by_form=True, features=("ax", "ay"), label=("label",), time="time", id="id")),
        (POINTS, {}, Roles(layout="numbers", features=("x", "y"), label=("text",))),
    ],
    ids=["texts", "long", "numbers"],
)
def test_every_column_has_a_role(tmp_path, content, how, roles):
    dataset = read(tmp_path, content, **how)
    assert dataset.roles == roles
    again = read_dataset(dataset.source)
    assert (again.roles, again.texts, again.labels) == (roles, dataset.texts, dataset.labels)


def test_the_columns_of_parts_and_groups_stand_beside_the_records(tmp_path):
    broken = REVIEWS + "cid,,pos,valid\ndan,so good,pos,valid\n"
    dataset = read(tmp_path, broken, split="part", group="who", skip_bad=True)
    assert list(dataset.splits) == ["train"] * 3 + ["test"] * 3 + ["valid"]
    assert list(dataset.groups) == ["ann", "bob", "ann", "ann", "bob", "ann", "dan"]
    taken = dataset.take([6, 1])
    assert (list(taken.texts), list(taken.splits), list(taken.groups)) == (
        ["so good", "bad 1"],
        ["valid", "train"],
        ["dan", "bob"],
    )
    # Of a sequence it is the value in its first row.
    walks = read(tmp_path, WALK.replace("id,", "who,id,").replace("\n", "\nann,", 12), group="who")
    assert list(walks.groups) == ["ann"] * 6


@pytest.mark.parametrize(
    ("content", "how", "error", "says"),
    [
        (REVIEWS, {"split": "part", "time": "who"}, UsageError, "--time has no effect on"),
        (REVIEWS, {"split": "part", "features": "who"}, UsageError, "--features has no effect on"),
        (REVIEWS, {"split": "prat"}, DataError, "--split: there is no column 'prat'; did you mean 'part'?"),
        (REVIEWS, {"group": "x"}, DataError, "--group: there is no column 'x'"),
        (POINTS, {"layout": "long"}, DataError, "the table no longer holds its records as before (long)"),
    ],
)
def test_what_has_no_effect_is_refused(tmp_path, content, how, error, says):
    with pytest.raises(error) as caught:
        read(tmp_path, content, **how)
    assert says in caught.value.message


def test_names_with_commas_between_them():
    for names in (["a"], ["a", "b"], ["a, b", "c"], ['say "so"', "b"], ["a", ""]):
        assert list(names_in(joined_names(names))) == names or len(names) == 1
    assert names_in("a, b ,c") == ("a", "b", "c")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"sequence": "id", "features": True, "text": None}, {"id": "id", "layout": "long"}),
        ({"sequence": None, "features": False, "text": "t"}, {"text": "t", "layout": "texts"}),
        ({"sequence": None, "features": True, "text": "image"}, {"text": "image", "layout": "arrays"}),
        ({"sequence": None, "features": True, "text": None}, {"layout": "numbers"}),
        ({"sequence": None, "features": None, "text": None}, {}),
        ({"features": "x,y", "id": "id"}, {"features": "x,y", "id": "id"}),
    ],
)
def test_the_source_of_an_older_training_is_still_read(older, newer):
    assert schema.read(Source, {"path": "a.csv", **older}) == Source("a.csv", **newer)


TEXTS = ["so good a film", "so bad a film", "very fine indeed", "hardly worth it"]


def parts(name: str, values: list[object]) -> str:
    rows = (f"{TEXTS[k % 4]} {k},{'pn'[k % 2]},{value}" for k, value in enumerate(values))
    return f"text,label,{name}\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("split", ["train", "test"] * 20),
        ("Split", ["train", "train", "valid", "test"] * 10),
        ("data_split", [0, 0, 1, 2] * 10),
        ("set", ["train"] * 30 + ["dev"] * 10),
        ("subset", ["Training", "Validation"] * 20),
        ("partition", ["train", "val"] * 20),
    ],
)
def test_a_column_that_says_what_rows_are_for_is_obeyed(tmp_path, name, values):
    dataset = read(tmp_path, parts(name, values))
    assert dataset.roles.split == dataset.source.split == name
    assert list(dataset.splits) == list(map(str, values))
    assert f"'{name}' says which rows are for training; all are with --ignore" in dataset.why
    ignored = read(tmp_path, parts(name, values), ignore=name)
    assert (ignored.roles.split, len(ignored.splits), len(ignored.lines)) == (None, 0, len(values))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("fold", [0, 1, 2, 0] * 10),  # each is left out once
        ("is_test", [0, 1] * 20),  # 1 is test, and not validation
        ("split", ["a", "b"] * 20),
        ("split", ["valid", "test"] * 20),
        ("split", ["train", ""] * 20),
        ("purpose", ["train", "test"] * 20),
    ],
)
def test_one_that_may_say_something_else_is_refused(tmp_path, name, values):
    with pytest.raises(DataError, match=f"'{name}' divides the rows into parts") as caught:
        read(tmp_path, parts(name, values))
    assert f"--ignore {name}" in caught.value.hint
    assert ("--split" in caught.value.hint) == (name == "purpose")
