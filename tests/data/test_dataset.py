"""A labelled file read whole, and what is wrong with it named by file and line."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path

import pytest

from rnncli.data.dataset import Source, label_warnings
from rnncli.data.formats.sources import is_path
from rnncli.data.layouts.layout import Request
from rnncli.data.opening import open_records, read_dataset
from rnncli.data.records import Texts
from rnncli.data.tables.source import Roles
from rnncli.errors import DataError

GOOD = 'id,text,label\n1,good film,pos\n2,"bad,\nvery bad",neg\n3,fine,1\n'
BAD = "text,label\ngood,pos\n ,neg\nbad,\nshort\nbad,neg\n"


def write(folder: Path, content: str) -> str:
    path = folder / "reviews.csv"
    path.write_bytes(content.encode())
    return str(path)


def test_everything_of_a_good_file(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    dataset = read_dataset(Source(path))
    assert dataset.texts == ["good film", "bad,\nvery bad", "fine"]
    assert dataset.labels == ["pos", "neg", "1"]
    assert list(dataset.lines) == [2, 3, 5]
    assert dataset.digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert (dataset.skipped, dataset.skipped_because) == (0, ())
    assert dataset.source == Source(path, "text", "label", "csv", layout="texts")
    assert dataset.name == path


def test_columns_as_named(tmp_path: Path) -> None:
    dataset = read_dataset(Source(write(tmp_path, GOOD), text="label", label="id"))
    assert dataset.texts == ["pos", "neg", "1"]
    assert dataset.labels == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("text,label\ngood,pos\n \t,neg\n", 3, "the text is empty"),
        ("text,label\ngood,pos\nbad,neg\nso,\n", 4, "the label is empty"),
        ('text,label\ngood,pos\n"a\nb"," "\n', 3, "the label is empty"),
    ],
)
def test_an_empty_field_is_refused_at_its_line(tmp_path: Path, content: str, line: int, problem: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_dataset(Source(path))
    assert caught.value.message == f"{path}:{line}: {problem}"
    assert "--skip-bad" in str(caught.value.hint)


def test_bad_records_are_counted_when_they_may_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, BAD)
    dataset = read_dataset(Source(path, skip_bad=True))
    assert dataset.texts == ["good", "bad"]
    assert list(dataset.lines) == [2, 6]
    assert dataset.skipped == len(dataset.skipped_because) == 3
    assert sorted(dataset.skipped_because)[:2] == [f"{path}:3: the text is empty", f"{path}:4: the label is empty"]


@pytest.mark.parametrize("content", ["text,label\n", "text,label\n ,pos\n,neg\n"])
def test_nothing_left_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match="no records"):
        read_dataset(Source(write(tmp_path, content), skip_bad=True))


def test_more_records_than_the_guess_looks_at(tmp_path: Path) -> None:
    content = "text,label\n" + "".join(f"text number {n},{n % 2}\n" for n in range(500))
    dataset = read_dataset(Source(write(tmp_path, content)))
    assert len(dataset.texts) == 500
    assert dataset.texts[450] == "text number 450"
    assert dataset.lines[-1] == 501


def test_standard_input_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    dataset = read_dataset(Source("-"))
    assert dataset.name == "<stdin>"
    assert dataset.source.path == "-"
    assert len(dataset.texts) == 3


def test_a_file_to_predict_needs_no_label(tmp_path: Path) -> None:
    source = Source(write(tmp_path, "id,text\n1,good\n2,\n"))
    opened = open_records(Request(source, labelled=False))
    assert [(one.line, one.input) for one in opened.records()] == [(2, "good"), (3, "")]
    assert opened.plan.roles == Roles(layout="texts", text=("text",))
    assert opened.table.format == "csv"


@pytest.mark.parametrize(
    ("labels", "warnings"),
    [
        (["pos", "neg"], []),
        (["pos", "pos "], ["labels 'pos' and 'pos ' are counted as two"]),
        (["Pos", "pos", "pos", "POS"], ["labels 'POS' and 'Pos' are counted as two", "'POS' and 'pos'"]),
        (["Stra\u00dfe", "STRASSE"], ["labels 'STRASSE' and 'Stra\u00dfe' are counted as two"]),
    ],
)
def test_labels_that_look_like_a_slip(labels: list[str], warnings: list[str]) -> None:
    found = label_warnings(labels)
    assert len(found) == len(warnings)
    assert all(expected in warning for expected, warning in zip(warnings, found, strict=True))


def test_a_path_or_a_text(tmp_path: Path) -> None:
    assert is_path("-")
    assert is_path(write(tmp_path, GOOD))
    assert not is_path("the film was good")
    assert not is_path("a\0b")
    assert not is_path("very " * 10_000)


TAGS = "text,label\ngood,pos\n<br>,neg\nbad,neg\n<br />,pos\n"


def test_texts_without_tokens_are_named_or_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, TAGS)
    counts = [1, 0, 1, 0]
    with pytest.raises(DataError) as caught:
        read_dataset(Source(path)).with_tokens(counts, "word")
    assert (caught.value.message, caught.value.hint) == (
        f"{path}:3: the text has no words",
        "leave such records out with --skip-bad",
    )
    left = read_dataset(Source(path, skip_bad=True)).with_tokens(counts, "word")
    assert (left.texts, left.labels, list(left.lines)) == (["good", "bad"], ["pos", "neg"], [2, 4])
    assert left.skipped == 2
    assert left.skipped_because == (f"{path}:3: the text has no words", f"{path}:5: the text has no words")
    with pytest.raises(DataError, match="no records \\(4 texts without words were left out\\)"):
        read_dataset(Source(path, skip_bad=True)).with_tokens([0, 0, 0, 0], "word")
    whole = read_dataset(Source(path))
    assert whole.with_tokens([1, 2, 3, 4], "word") is whole


def test_texts_are_kept_as_one_by_one_and_none_are_none() -> None:
    for some in ([], [""], ["a", "", "é"], ["x" * 2000, "b"]):
        texts, one_by_one = Texts(["before"]), Texts(["before"])
        texts.append_all(some)
        for one in some:
            one_by_one.append(one)
        assert (list(texts), len(texts), texts.sizes) == (list(one_by_one), len(some) + 1, one_by_one.sizes)
