"""Numbers that stand in .npy files, which a column names: what is read, and what is refused of a hostile file."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import time_limit

from rnncli.data.dataset import Dataset, Source
from rnncli.data.formats import npy
from rnncli.data.formats.npy import MAX_NUMBERS, read_vector
from rnncli.data.formats.values import as_text
from rnncli.data.inputs import Input, stream_inputs
from rnncli.data.layouts import arrays
from rnncli.data.opening import read_dataset
from rnncli.data.tables.column import columns_of
from rnncli.data.tables.described import ArrayColumn, NumericColumns, described_arrays
from rnncli.errors import DataError, RnncliError, StorageError
from rnncli.tasks import task_for

PICTURES = {
    "images/a.npy": np.array([[1, 2], [3, 250]], np.uint8),
    "images/b.npy": np.array([0.5, -1, 2, 1e-3]),
    "c.npy": np.asfortranarray([[1.0, 2.0], [3.0, 4.0]], np.float32),
}
TABLE = "image,text\nimages/a.npy,a red boat\nimages/b.npy,two boats\nc.npy,the sea\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name, array in PICTURES.items():
        np.save(tmp_path / name, array)
    (tmp_path / "boats.csv").write_text(TABLE)
    return tmp_path


def read(folder: Path, content: str | None = None, **chosen: Any) -> Dataset:
    if content is not None:
        (folder / "boats.csv").write_text(content)
    return read_dataset(Source(str(folder / "boats.csv"), **chosen))


def test_everything_of_a_good_file(folder: Path) -> None:
    dataset = read(folder)
    assert [json.loads(text) for text in dataset.texts] == [[1, 2, 3, 250], [0.5, -1, 2, 0.001], [1, 2, 3, 4]]
    assert dataset.texts[0] == "[1,2,3,250]"
    assert dataset.labels == ["a red boat", "two boats", "the sea"]
    assert list(dataset.lines) == [2, 3, 4]
    assert list(dataset.shown) == ["images/a.npy", "images/b.npy", "c.npy"]
    assert dataset.why == "numbers: image, 4 in each .npy file; text: text; change with --label"
    assert dataset.source == Source(str(folder / "boats.csv"), "image", "text", "csv", layout="arrays")
    assert (dataset.reads, dataset.features) == (ArrayColumn("image"), ("image",))
    assert task_for(dataset, "auto").name == "caption"
    assert read_dataset(dataset.source) == dataset  # as a resumed training reads it


def test_json_lines_and_another_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"picture": f"images/{name}.npy", "said": name} for name in "ab"]
    (folder / "boats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(folder)
    assert read_dataset(Source("boats.jsonl")).labels == ["a", "b"]
    monkeypatch.chdir(folder / "images")
    assert read_dataset(Source("../boats.jsonl")).labels == ["a", "b"]


def test_the_digest_is_of_the_arrays_too(folder: Path) -> None:
    before = read(folder).digest
    assert len(before) == 64
    assert read(folder).digest == before
    np.save(folder / "c.npy", PICTURES["c.npy"] + 1)
    after = read(folder).digest
    assert after != before
    np.save(folder / "c.npy", PICTURES["c.npy"])
    assert read(folder).digest == before
    assert read(folder, TABLE.replace("sea", "bay")).digest != before


@pytest.mark.parametrize(
    ("content", "label", "expected"),
    [
        ("image,text\na.npy,red", None, ("image", "text")),
        ("id,caption,file\n1,red,A.NPY", None, ("file", "caption")),
        ("image,source,text\na.npy,me,red", None, ("image", "text")),
        ("image,author,said\na.npy,me,red", "said", ("image", "said")),
        ("image,author,said\na.npy,me,red", None, None),
        ("image,mask,text\na.npy,b.npy,red", None, None),
        ("image,text\na.png,red", None, None),
        ("image,text\na.npy,red\nb.npy,red\nb.png,red", None, ("image", "text")),  # for reading to refuse
        ("image\na.npy", None, None),
        ("image,text\na.npy,red", "image", None),
        ("image,text\na.npy,red", "txt", None),
    ],
)
def test_which_tables_are_taken_for_it(content: str, label: str | None, expected: Any) -> None:
    names, *rows = [line.split(",") for line in content.split("\n")]
    found = described_arrays(columns_of(names, rows), label)
    assert found == (None if expected is None else (ArrayColumn(expected[0]), expected[1]))


def test_a_named_text_is_a_text(folder: Path) -> None:
    dataset = read(folder, text="image", label="text")
    assert (dataset.texts[2], dataset.reads) == ("c.npy", None)


def saved(array: Any, **how: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()


def header(shape: str, kind: str = "<f8", rest: bytes = b"") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + rest


class Canary:
    def __reduce__(self) -> Any:
        return os.mkdir, ("canary",)


FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is not an .npy file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "is not an .npy file"),
    "a pickle": (pickle.dumps(Canary()), "is not an .npy file"),
    "a zip": (b"PK\x03\x04" + b"\0" * 100, "is not an .npy file"),
    "objects": (saved(np.array([Canary()], object), allow_pickle=True), "holds Python objects, not real numbers"),
    "fields with objects": (
        saved(np.zeros(2, [("a", "O")]), allow_pickle=True),
        "holds Python objects, not real numbers",
    ),
    "texts": (saved(np.array(["a"])), "holds <U1, not real numbers"),
    "dates": (saved(np.array(["2020-01-01"], "M8[D]")), "holds datetime64[D], not real numbers"),
    "complex": (saved(np.ones(2, complex)), "holds complex128, not real numbers"),
    "none": (saved(np.ones((3, 0))), "holds no numbers"),
    "a NaN": (saved(np.array([[1, 2], [np.nan, 3]])), "number 3 of 4 is not finite"),
    "infinity": (saved(np.array([1, 2, 3, np.inf], np.float16)), "number 4 of 4 is not finite"),
    "wider than float64": (saved(np.array([np.longdouble("1e400")])), "number 1 of 1 is not finite"),
    "another size": (saved(np.ones(5)), "holds 5 numbers, and the first record has 4"),
    "one number": (saved(np.float64(3)), "holds 1 number, and the first record has 4"),
    "too many": (saved(np.zeros(MAX_NUMBERS + 1, bool)), "holds 250,001 numbers; the most is 250,000"),
    "a bomb": (header(f"({10**15},)"), f"holds {10**15:,} numbers; the most is 250,000"),
    "cut off": (saved(np.ones(4))[:-1], "is cut off before its end"),
    "a negative shape": (header("(-4,)"), "holds no numbers"),
    "two negative ones": (header("(-2, -2)", rest=b"\0" * 32), "holds no numbers"),
    "dimensions without end": (header(f"({'1, ' * 70})", rest=b"\0" * 8), "has 70 dimensions; the most is 32"),
    "brackets without end": (header("(" * 3000 + ")" * 3000), "is not an .npy file"),
    "code": (header("(__import__('os').mkdir('canary'),)"), "is not an .npy file"),
    "a longer header than there is": (header("(4,)")[:40], "is not an .npy file"),
    "written by Python 2": (header("(4L,)", rest=b"\0" * 32), "is not an .npy file"),
    "an unknown version": (saved(np.ones(4)).replace(b"NUMPY\x01", b"NUMPY\x09"), "is not an .npy file"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_used_is_refused_or_left_out(
    case: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, problem = FILES[case]
    monkeypatch.chdir(folder)
    (folder / "images" / "bad.npy").write_bytes(data)
    content = TABLE.replace("c.npy", "images/bad.npy") + "c.npy,the sea\n"
    with time_limit(60), pytest.raises(DataError) as caught:
        read(folder, content)
    assert caught.value.message == f"{folder}/boats.csv:4: {folder}/images/bad.npy: {problem}"
    assert caught.value.hint == "leave such records out with --skip-bad"
    left = read(folder, content, skip_bad=True)
    assert (list(left.lines), left.skipped, left.skipped_because) == ([2, 3, 5], 1, (caught.value.message,))
    assert list(left.shown) == ["images/a.npy", "images/b.npy", "c.npy"]
    assert not (folder / "canary").exists()


NAMES = {
    "": "the value of 'image' is missing",
    "images/a.png": "the value of 'image' does not end in .npy: 'images/a.png'",
    "/etc/a.npy": "/etc/a.npy: the path leads out of the folder of the data file",
    "../a.npy": "../a.npy: the path leads out of the folder of the data file",
    "images/../../a.npy": "images/../../a.npy: the path leads out of the folder of the data file",
    "images/d.npy": "{folder}/images/d.npy: there is no such file; did you mean 'b.npy'?",
    "folder.npy": "{folder}/folder.npy: this is a directory, not a file",
    "pipe.npy": "{folder}/pipe.npy: this is a named pipe, not a regular file",
    "zero.npy": "{folder}/zero.npy: not a regular file",
    "w" * 300 + ".npy": "{folder}/" + "w" * 300 + ".npy: cannot be read (File name too long)",
}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:20])
def test_a_name_that_is_not_one_is_refused(name: str, folder: Path) -> None:
    (folder / "folder.npy").mkdir()
    os.mkfifo(folder / "pipe.npy")
    (folder / "zero.npy").symlink_to("/dev/zero")
    with time_limit(60), pytest.raises(DataError) as caught:
        read(folder, f"{TABLE}{name},the sea\n")
    assert caught.value.message == f"{folder}/boats.csv:5: {NAMES[name].format(folder=folder)}"
    said = "the text is empty"
    with pytest.raises(DataError, match=said):
        read(folder, TABLE + "c.npy, \n")


def test_all_records_together_have_a_bound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MAX_ALL_NUMBERS", 40)
    assert len(read(folder, "image,text\n" + "c.npy,the sea\n" * 10).texts) == 10
    with pytest.raises(DataError) as caught:
        read(folder, "image,text\n" + "c.npy,the sea\n" * 11)
    assert caught.value.message == f"{folder}/boats.csv:12: the .npy files up to here hold more than 40 numbers"


def test_a_file_named_by_many_records_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(npy, "check_path", opened.append)
    read(folder, "image,text\n" + "c.npy,the sea\nimages/a.npy,a boat\n" * 10)
    assert opened == [f"{folder}/c.npy", f"{folder}/images/a.npy"]


def test_damage_of_every_kind_is_an_array_or_a_refusal(tmp_path: Path) -> None:
    whole, path, rng = saved(np.arange(6, dtype=np.float32).reshape(2, 3)), tmp_path / "a.npy", random.Random(0)
    damaged = [whole[:end] for end in range(len(whole))]
    for _ in range(3_000):
        changed = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 5))):
            changed[rng.randrange(len(whole))] = rng.choice((rng.randrange(256), *b"(){}[],'LO0-#\\\n"))
        damaged.append(bytes(changed))
    read, refused = 0, 0
    for data in damaged:
        path.write_bytes(data)
        try:
            assert read_vector(str(path)).numbers.size <= MAX_NUMBERS
            read += 1
        except DataError as error:
            refused += error.message.startswith(f"{path}: ")
    assert read + refused == len(damaged)
    assert min(read, refused) > 100


@pytest.mark.parametrize(
    "kind", ["bool", "int8", "uint16", "int64", "uint64", "float16", ">f4", "float64", "longdouble"]
)
def test_every_kind_of_real_number(kind: str, tmp_path: Path) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]], kind)
    np.save(tmp_path / "a.npy", array)
    vector = read_vector(str(tmp_path / "a.npy"))
    assert (json.loads(as_text(vector.numbers)), vector.numbers.size) == ([0, 1, 1, 1, 0, 1], 6)


def test_numbers_that_no_64_bits_hold_as_integers(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([2**64 - 1, 5], np.uint64))
    assert json.loads(as_text(read_vector(str(tmp_path / "a.npy")).numbers)) == [2.0**64, 5.0]


def shown(inputs: Iterator[Input]) -> list[Input]:
    return [one._replace(value=as_text(one.value)) for one in inputs]


def test_the_inputs_of_a_table_and_a_single_one(folder: Path) -> None:
    path = str(folder / "boats.csv")
    (folder / "boats.csv").write_text("note,image\n-,c.npy\n-,images/a.npy\n")
    assert shown(stream_inputs(Source(path), ArrayColumn("image"))) == [
        Input(f"{path}:2", "[1.0,2.0,3.0,4.0]", "c.npy"),
        Input(f"{path}:3", "[1,2,3,250]", "images/a.npy"),
    ]
    alone = str(folder / "c.npy")
    for reads in (ArrayColumn("image"), NumericColumns(("p", "q", "r", "s"))):
        assert shown(stream_inputs(Source(alone), reads)) == [Input(alone, "[1.0,2.0,3.0,4.0]", alone)]
    with pytest.raises(DataError) as caught:
        list(stream_inputs(Source(alone)))
    assert caught.value.message == f"{alone}: this model does not read .npy files"
    with pytest.raises(DataError, match="there is no column 'picture', which the model reads"):
        list(stream_inputs(Source(path), ArrayColumn("picture")))
    (folder / "boats.csv").write_text("image\nc.npy\n../c.npy\n")
    with pytest.raises(DataError) as caught:
        list(stream_inputs(Source(path), ArrayColumn("image")))
    assert caught.value.message == f"{path}:3: ../c.npy: the path leads out of the folder of the data file"
    with pytest.raises(StorageError, match="there is no such file"):
        list(stream_inputs(Source(str(folder / "d.npy")), ArrayColumn("image")))


def test_a_file_to_evaluate_is_read_by_the_columns_name(folder: Path) -> None:
    content = "other,image,text\nc.npy,images/a.npy,a red boat\nc.npy,c.npy,the sea\n"
    (folder / "boats.csv").write_text(content)
    source = Source(str(folder / "boats.csv"))
    assert read_dataset(source, True, ArrayColumn("image")).texts[0] == "[1,2,3,250]"
    assert read_dataset(source, True, ArrayColumn("other")).texts[0] == "[1.0,2.0,3.0,4.0]"
    (folder / "boats.csv").write_text("image,p,q\nc.npy,red,green\n")
    with pytest.raises(RnncliError, match="cannot tell which column is the text") as caught:
        read_dataset(source, True, ArrayColumn("image"))
    assert caught.value.hint == "Name it with --label."
