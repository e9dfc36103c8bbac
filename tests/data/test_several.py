"""Several files as one table: the same columns in any order, folders, a folder a label, two files side by side."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli.data.dataset import Source
from rnncli.data.formats.folders import LabelledFile, walk
from rnncli.data.formats.places import file_and_line, place_in
from rnncli.data.opening import read_dataset
from rnncli.data.recognized import with_format
from rnncli.errors import DataError, RnncliError, StorageError, UsageError

WORDS = {"pos": ["good", "warm", "fine"], "neg": ["bad", "cold", "dull"]}
SMALL = {"hidden": 4, "embedding": 3, "epochs": 1, "seed": 1, "validation": 0.25}


def records(seed: int, count: int = 12) -> list[tuple[str, str]]:
    draw = random.Random(seed)
    return [(" ".join(draw.choices(WORDS[label], k=4)), label) for label in draw.choices(["pos", "neg"], k=count)]


A, B = records(1), records(2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data in the current folder."""
    monkeypatch.chdir(tmp_path)
    written = {
        "a.csv": "text,label\n" + "".join(f"{text},{label}\n" for text, label in A),
        "b.csv": "label,text\n" + "".join(f"{label},{text}\n" for text, label in B),
        "b.jsonl": "".join(f'{{"label": "{label}", "text": "{text}"}}\n' for text, label in B),
        "ab.csv": "text,label\n" + "".join(f"{text},{label}\n" for text, label in A + B),
        "other.csv": "text,class\nso,a\n",
        "bad.csv": "text,label\nso,pos\nno\n",
        "d/1.csv": "text,label\n" + "".join(f"{text},{label}\n" for text, label in A),
        "d/2.csv": "label,text\n" + "".join(f"{label},{text}\n" for text, label in B),
        "d/.hidden": "x",
        "loose.txt": "x",
    }
    for number, (text, label) in enumerate(A + B):
        written[f"t/{label}/{number:02}.txt"] = text.replace(" ", "\n") + "\n"
    for name, text in written.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    return tmp_path


def assert_equal(params: Any, others: Any) -> None:
    """The same arrays under the same names."""
    if isinstance(params, np.ndarray):
        np.testing.assert_array_equal(params, others)
        return
    assert params.keys() == others.keys()
    for name in params:
        assert_equal(params[name], others[name])


def pairs(source: Source) -> list[tuple[str, str]]:
    dataset = read_dataset(with_format(source))
    return list(zip(dataset.texts, dataset.labels, strict=True))


@pytest.mark.parametrize(
    "source", [Source("a.csv", more=("b.csv",)), Source("a.csv", more=("b.jsonl",)), Source("d"), Source("d/")]
)
def test_files_with_the_same_columns_in_any_order_are_one_data_set(folder, source):
    dataset = read_dataset(with_format(source))
    assert list(zip(dataset.texts, dataset.labels, strict=True)) == A + B
    assert list(dataset.lines)[:2] == list(dataset.lines)[len(A) : len(A) + 2] or source.more == ("b.jsonl",)
    names = {"d": ("d/1.csv", "d/2.csv"), "d/": ("d/1.csv", "d/2.csv")}.get(source.path, source.paths)
    assert dataset.place(0) == f"{names[0]}:2"
    assert dataset.place(len(A) + 1) == f"{names[1]}:{2 if names[1].endswith('l') else 3}"
    digests = [hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in names]
    assert dataset.digest == hashlib.sha256("".join(f"{one}\n" for one in digests).encode()).hexdigest()


def test_they_train_to_the_bits_of_one_file_and_resume(folder):
    one = rnncli.train("ab.csv", **SMALL)
    for data in (["a.csv", Path("b.csv")], "d"):
        several = rnncli.train(data, **SMALL)
        assert_equal(one.params, several.params)
        again = rnncli.train(resume="latest", epochs=2)
        assert again.record.epochs[-1].epoch == 2
    assert rnncli.evaluate(["a.csv", "b.csv"], one).scores.rows == len(A + B)
    Path("b.csv").write_text("label,text\npos,so\n")
    rnncli.train("d", **SMALL)
    Path("d/2.csv").write_text("label,text\npos,so\n")
    with pytest.raises(UsageError, match="is not the data that"):
        rnncli.train(resume="latest", epochs=2)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("other.csv",), "other.csv has no 'label' and has 'class' besides, unlike a.csv"),
        (("bad.csv",), "bad.csv:3: 1 value, but the header has 2 columns"),
        (("b.csv", "bad.csv"), "bad.csv:3: 1 value, but the header has 2 columns"),
        (("gone.csv",), "gone.csv: there is no such file"),
        (("-",), "standard input (-) is one file, and cannot stand beside others"),
        (("d",), "d: this is a directory, not a file"),
    ],
)
def test_a_fault_names_its_file(folder, more, message):
    with pytest.raises(RnncliError) as caught:
        read_dataset(Source("a.csv", more=more))
    assert caught.value.message.startswith(message)


def test_bad_records_of_all_files_are_counted(folder):
    dataset = read_dataset(Source("bad.csv", more=("a.csv", "bad.csv"), skip_bad=True))
    assert (len(dataset.lines), dataset.skipped) == (len(A) + 2, 2)
    assert dataset.skipped_because == ("bad.csv:3: 1 value, but the header has 2 columns",) * 2
    Path("e.csv").write_text("text,label\nso,pos\n ,pos\n")
    with pytest.raises(DataError, match=r"e\.csv:3: the text is empty"):
        read_dataset(Source("a.csv", more=("e.csv",)))


def test_a_folder_of_texts_for_each_label(folder):
    found = pairs(Source("t"))
    expected = sorted((label, number, text) for number, (text, label) in enumerate(A + B))
    assert found == [(text.replace(" ", "\n"), label) for label, _, text in expected]
    dataset = read_dataset(with_format(Source("t")))
    assert (dataset.place(0), dataset.source.format) == (f"t/neg/{expected[0][1]:02}.txt:1", "documents")
    Path("t/note.md").write_text("x")
    dataset = read_dataset(with_format(Source("t")))
    assert "left out: 1 file beside the folders (note.md)" in dataset.why
    model = rnncli.train("t", **SMALL)
    assert model.labels == ("neg", "pos")
    assert rnncli.evaluate("t", model).scores.rows == len(A + B)
    assert len(list(rnncli.predict("t", model))) == len(A + B)


def test_a_folder_of_series_for_each_label(folder):
    draw = random.Random(4)
    long = ["id,time,x,y,label"]
    for number in range(24):
        label, name = "AB"[number % 2], f"s/{'AB'[number % 2]}/{number:02}.csv"
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{t},{draw.random():.3f},{draw.random() + number % 2:.3f}" for t in range(draw.randint(3, 7))]
        Path(name).write_text("\n".join(["time,x,y", *rows]) + "\n")
        long += [f"{name},{row},{label}" for row in rows]
    Path("long.csv").write_text("\n".join(sorted(long[1:], key=lambda row: row.split(",")[0])) + "\n")
    Path("long.csv").write_text(long[0] + "\n" + Path("long.csv").read_text())
    expected, found = read_dataset(Source("long.csv")), read_dataset(with_format(Source("s")))
    assert found.labels == expected.labels
    assert found.inputs == expected.inputs
    assert found.source.id == "series_id"


@pytest.mark.parametrize("ignored", ["x,label", "x,y", "y,label", "x,y,label"])
def test_the_names_of_files_are_no_texts(folder, ignored):
    for number in range(6):
        label, path = "ab"[number % 2], Path(f"s/{'ab'[number % 2]}/{number}.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x,y,label\n" + "".join(f"{number * t},{t},{label}\n" for t in range(4)))
    with pytest.raises(DataError):
        rnncli.describe("s", ignore=ignored)


def test_a_folder_is_walked_in_order_and_says_what_it_cannot_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("f/b/2.txt", "f/b/10.txt", "f/a/x.txt", "f/a/.hidden", "f/.git/x"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")
    files = [LabelledFile(f"f/{name}", name[0]) for name in ("a/x.txt", "b/10.txt", "b/2.txt")]
    assert walk("f") == (files, "documents", [])
    Path("f/a/y.csv").write_text("x")
    with pytest.raises(DataError, match=r"f: files of several formats, 'f/a/x\.txt' and 'f/a/y\.csv'"):
        walk("f")
    Path("f/a/y.csv").rename("f/a/y.md")
    with pytest.raises(DataError, match=r"f/a/y\.md: the name does not say the format"):
        walk("f")
    assert len(walk("f", "text").files) == 4
    Path("f/a/deep").mkdir()
    with pytest.raises(DataError, match="f/a: there are folders in this folder, deep"):
        walk("f")
    Path("empty").mkdir()
    with pytest.raises(DataError, match="empty: there are no files in this folder"):
        walk("empty")
    with pytest.raises(StorageError, match="gone: cannot be read"):
        walk("gone")


@pytest.mark.parametrize(("file", "line"), [(0, 1), (3, 2**33), (2**20, 5)])
def test_a_place_is_a_file_and_a_line(file, line):
    assert file_and_line(place_in(file, line)) == (file, line)
    assert file_and_line(line) == (None, line)


# --- two files side by side ------------------------------------------------------------------------------------------


def test_two_files_side_by_side_are_pairs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [(text, text.upper()) for text, _ in A + B]
    Path("x.en").write_text("".join(f"{source}\n" for source, _ in lines))
    Path("x.fr").write_text("".join(f"{target}\r\n" for _, target in lines))
    Path("x.tsv").write_text("source\ttarget\n" + "".join(f"{source}\t{target}\n" for source, target in lines))
    assert pairs(Source("x.en", target="x.fr")) == lines
    expected = rnncli.train("x.tsv", **SMALL)
    found = rnncli.train(source="x.en", target=Path("x.fr"), **SMALL)
    assert (found.task, found.settings) == ("seq2seq", expected.settings)
    assert_equal(found.params, expected.params)
    assert rnncli.train(resume="latest", epochs=2).record.epochs[-1].epoch == 2
    assert rnncli.evaluate(source="x.en", target="x.fr", model=found).rows == len(lines)


def test_two_files_that_do_not_go_together_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.en").write_text("a\n\nc\n")
    Path("x.fr").write_text("A\nB\nC\nD\nE\n")
    for source, target, says in (
        ("x.en", "x.fr", "x.en has 3 lines and x.fr has 5 lines, but"),
        ("x.fr", "x.en", "x.fr has 5 lines and x.en has 3 lines, but"),
    ):
        with pytest.raises(DataError, match=says):
            read_dataset(Source(source, target=target, text="source", skip_bad=True))
    Path("x.fr").write_text("A\nB\nC\n")
    with pytest.raises(DataError, match=r"x\.en and x\.fr:2: the text is empty"):
        read_dataset(Source("x.en", target="x.fr"))
    dataset = read_dataset(Source("x.en", target="x.fr", skip_bad=True))
    assert (list(dataset.texts), list(dataset.labels), dataset.skipped) == (["a", "c"], ["A", "C"], 1)


@pytest.mark.parametrize(
    "given",
    [{"source": "x"}, {"target": "x"}, {"source": "x", "target": "y", "data": "z.csv"}, {"source": "-", "target": "-"}],
)
def test_two_files_stand_together_and_alone(given):
    with pytest.raises(UsageError, match="--source and --target"):
        rnncli.train(**given)


def test_two_text_files_of_as_many_lines_are_refused_with_the_commands_for_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("so it is\nno it is not\n" * 20)
    Path("y.txt").write_text("it is so\nit is not no\n" * 20)
    for given in ({}, {"task": "seq2seq"}):
        with pytest.raises(DataError, match=r"x\.txt and 1 more file: these are two text files") as caught:
            rnncli.train(["x.txt", "y.txt"], **given)
        with pytest.raises(DataError, match=re.escape(str(caught.value))):
            rnncli.describe(["x.txt", "y.txt"], **given)
        assert "rnncli train --source x.txt --target y.txt; to learn" in caught.value.hint
        assert caught.value.hint.endswith("rnncli train x.txt y.txt --task lm")
    assert rnncli.train(["x.txt", "y.txt"], task="lm", hidden=4, epochs=1).task == "lm"
    with open("y.txt", "a") as file:
        file.write("and more\n")
    assert rnncli.describe(["x.txt", "y.txt"]).task == "lm"
    assert rnncli.train(["x.txt", "y.txt"], hidden=4, epochs=1).task == "lm"
