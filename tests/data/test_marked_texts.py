"""Texts with marks of their own: fastText's labels in a line, and sequences below a line of FASTA."""

from __future__ import annotations

import io
import random
import shlex
import subprocess

import pytest

import rnncli
from rnncli.data.formats.table import Row, Table
from rnncli.data.readers import open_table
from rnncli.errors import DataError


def piped(text: str, format: str, **options) -> Table:
    return open_table("-", stdin=io.BytesIO(text.encode()), format=format, **options)


# --- fastText --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("__label__a so it is\n\n__label__b\tno\r\n", [Row(1, ("so it is", "a")), Row(3, ("no", "b"))]),
        ("so it is __label__a\nno\n", [Row(1, ("so it is", "a")), Row(2, ("no", ""))]),
        ("__label__a , __label__b so\nno __label__a\n", [Row(1, (", so", ["a", "b"])), Row(2, ("no", ["a"]))]),
        ("__label__a __label__b so\nno\n", [Row(1, ("so", ["a", "b"])), Row(2, ("no", []))]),
    ],
)
def test_labels_stand_at_the_beginning_or_the_end_of_a_line(text, rows):
    table = piped(text, "fasttext")
    assert (table.columns, list(table.rows)) == (("text", "label"), rows)


def test_a_second_label_behind_a_thousand_lines_of_one_is_a_bad_record():
    with pytest.raises(DataError, match="<stdin>:1001: 2 labels, and each line before has one"):
        list(piped("__label__a so\n" * 1000 + "__label__a __label__b so\n", "fasttext").rows)


@pytest.mark.parametrize("packed", [False, True])
def test_a_text_file_of_such_lines_is_read_as_the_same_table(tmp_path, monkeypatch, packed):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(1)
    words = {"pos": ["good", "warm"], "neg": ["bad", "cold"]}
    records = [(" ".join(draw.choices(words[label], k=3)), label) for label in draw.choices(["pos", "neg"], k=40)]
    (tmp_path / "a.txt").write_text("".join(f"__label__{label} {text}\n" for text, label in records))
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in records))
    if packed:
        subprocess.run(["gzip", "a.txt"], check=True)
    said: list[str] = []
    options = {"hidden": 4, "epochs": 1, "seed": 1}
    found = rnncli.train("a.txt.gz" if packed else "a.txt", note=lambda text, *_: said.append(text), **options)
    expected = rnncli.train("a.csv", **options)
    assert found.task == "classify"
    assert [one.probability for one in rnncli.predict(["good", "bad cold"], found)] == [
        one.probability for one in rnncli.predict(["good", "bad cold"], expected)
    ]
    assert rnncli.train("a.txt.gz" if packed else "a.txt", format="text", task="lm", **options).task == "lm"


# --- FASTA -----------------------------------------------------------------------------------------------------------


def naive(text: str) -> list[tuple[str, str]]:
    """Line and sequence of each record, as anybody would write a reader."""
    return [
        (first, "".join(rest.split())) for first, _, rest in (part.partition("\n") for part in text.split(">") if part)
    ]


@pytest.mark.parametrize("width", [7, 60, 1000])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_sequences_are_those_of_an_independent_reader(width, line_end):
    draw = random.Random(width)
    records = [(f"s{k} {draw.choice('ab')}", "".join(draw.choices("ACGT", k=draw.randint(1, 90)))) for k in range(50)]
    text = "".join(
        f">{name}\n" + "".join(f"{letters[at : at + width]}\n" for at in range(0, len(letters), width)) + "\n" * (k % 2)
        for k, (name, letters) in enumerate(records)
    )
    assert naive(text) == records
    table = piped(text.replace("\n", line_end), "fasta")
    assert table.columns == ("id", "sequence", "word 2")
    rows = list(table.rows)
    assert [row.values for row in rows] == [(*name.split()[:1], letters, name.split()[1]) for name, letters in records]
    assert [text.split("\n")[row.line - 1] for row in rows] == [f">{name}" for name, _ in records]


@pytest.mark.parametrize(
    ("names", "columns", "values"),
    [
        (["s1 label=a", "s2 label=b"], ["label"], ["a"]),
        (["s1 len=3 so it is label=a", "s2 x=1 label=b len=4 no"], ["len", "label", "last word"], ["3", "a", "is"]),
        (["s1|a|train", "s2|b|test"], ["part 2", "part 3"], ["a", "train"]),
        (["s1|x a", "s2|x b"], ["part 2", "word 2"], ["x", "a"]),
        (["s1|x", "s2"], [], []),
        (["s1 of a cat b", "s2 of c"], ["last word"], ["b"]),
        (["s1 a", "s2"], [], []),
    ],
)
def test_what_every_first_line_says_is_a_column(names, columns, values):
    table = piped("".join(f">{name}\nACGT*\n" for name in names), "fasta")
    assert list(table.columns) == ["id", "sequence", *columns]
    first = next(table.rows).values
    assert first[1:] == ("ACGT", *values)
    assert first[0] == names[0].split()[0] if "part 2" not in columns else "s1"


def test_a_label_that_cannot_be_told_is_asked_for_and_the_option_settles_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(2)
    lines = [
        f">s{k}|{draw.choice('ab')}|{draw.choice(['x', 'y'])}\n{''.join(draw.choices('ACGT', k=9))}\n"
        for k in range(40)
    ]
    (tmp_path / "a.fasta").write_text("".join(lines))
    with pytest.raises(DataError, match="cannot tell which column is the label") as caught:
        rnncli.train("a.fasta")
    assert "rnncli train a.fasta --text sequence --label 'part 2'" in caught.value.hint
    model = rnncli.train("a.fasta", label="part 2", hidden=4, epochs=1)
    assert (model.labels, model.settings.tokens) == (("a", "b"), "char")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ACGT\n", "<stdin>:1: a FASTA file begins with > and the name of a sequence"),
        ("", "<stdin>: no records"),
        (">s1 a\nAC\n>s2 b\n>s3 a\nAC\n", "<stdin>:3: the sequence is empty"),
        (">s1 a\nA\n" * 1000 + ">s2\nA\n", "<stdin>:2001: 0 words behind its id, unlike those before"),
        (">s1|a\nA\n" * 1000 + ">s2\nA\n", "<stdin>:2001: 1 part in its id, and 2 in those before"),
        (">s1 x=a\nA\n" * 1000 + ">s2\nA\n", "<stdin>:2001: there is no x= in its first line"),
    ],
)
def test_a_faulty_file_of_sequences_is_refused_at_its_line(text, message):
    with pytest.raises(DataError) as caught:
        list(piped(text, "fasta").rows)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ft", "__label__a so it is\nno __label__b\n"),
        ("a.ft", "__label__a __label__b so it is\nno __label__b\n"),
        ("a.fa", ">s1|x label=a so\nAC\nGT*\n>s2|y label=b no\nA\n"),
    ],
)
def test_commands_read_such_a_file_as_it_is_read_here(tmp_path, monkeypatch, name, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    table = open_table(name)
    command = table.ledger.file.as_json("r")
    assert shlex.split(command)[-1] == "a-2.jsonl"
    subprocess.run(["bash", "-c", command], check=True, timeout=60)
    made = open_table("a-2.jsonl")
    places = [made.columns.index(column) for column in table.columns]
    assert [row.values for row in table.rows] == [tuple(row.values[at] for at in places) for row in made.rows]
