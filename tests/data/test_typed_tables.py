"""Parquet, Arrow, Feather and Excel: written by the libraries of others, read as the same table in CSV is."""

from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import io
import random
import shlex
import subprocess
import sys
import zipfile

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

import rnncli
from rnncli import memory
from rnncli.data.dataset import Source
from rnncli.data.formats.advice import DataFile
from rnncli.data.formats.registry import FORMATS
from rnncli.data.formats.table import Row
from rnncli.data.opening import read_dataset
from rnncli.data.readers import open_table
from rnncli.errors import DataError, RnncliError, StorageError, UsageError

DAY, MOMENT = datetime.date(2024, 1, 5), datetime.datetime(2024, 1, 5, 13, 30, 1)


def write_stream(table: pa.Table, path: str) -> None:
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def write_excel(table: pa.Table, path: str) -> None:
    book = openpyxl.Workbook()
    book.active.append(table.column_names)
    for record in table.to_pylist():
        book.active.append(list(record.values()))
    book.save(path)


ARROW = {
    "a.parquet": lambda table, path: parquet.write_table(table, path, row_group_size=7),
    "a.feather": lambda table, path: feather.write_feather(table, path, compression="zstd"),
    "a.arrow": write_stream,
}
WRITERS = ARROW | {"a.xlsx": write_excel}

TYPES = {
    "text": (["so it is", None, "ä\n"], ["so it is", "", "ä\n"]),
    "whole": (pa.array([1, None, 2**62]), [1, "", 2**62]),
    "wholes": (pa.array([1, 2, 3], pa.uint8()), [1, 2, 3]),
    "number": ([0.1, None, 3.0], [0.1, "", 3.0]),
    "single": (pa.array([0.1, None, 3.0], pa.float32()), [float(np.float32(0.1)), "", 3.0]),
    "not finite": ([float("nan"), float("inf"), float("-inf")], ["", "inf", "-inf"]),
    "decimal": ([decimal.Decimal("1.50")] * 3, ["1.50"] * 3),
    "truth": ([True, None, False], ["true", "", "false"]),
    "category": (pa.array(["a", None, "a"]).dictionary_encode(), ["a", "", "a"]),
    "date": ([DAY, None, DAY], ["2024-01-05", "", "2024-01-05"]),
    "moment": ([MOMENT, None, MOMENT], ["2024-01-05T13:30:01", "", "2024-01-05T13:30:01"]),
    "nanoseconds": (pa.array([1, None, 2], pa.timestamp("ns")), ["1970-01-01T00:00:00", "", "1970-01-01T00:00:00"]),
    "zone": (
        pa.array([0, None, 1], pa.timestamp("s", "Europe/Berlin")),
        ["1970-01-01T00:00:00+00:00", "", "1970-01-01T00:00:01+00:00"],
    ),
    "time": ([MOMENT.time(), None, MOMENT.time()], ["13:30:01", "", "13:30:01"]),
    "duration": (pa.array([90, None, 1], pa.duration("s")), [90.0, "", 1.0]),
    "nothing": (pa.nulls(3), ["", "", ""]),
    "bytes": ([b"so", None, "ä".encode()], ["so", "", "ä"]),
    "series": ([[0.5, 1.0], None, []], [[0.5, 1.0], "", []]),
    "steps": ([[[1, 2], [3, 4]], [], [[5, 6]]], [[[1, 2], [3, 4]], [], [[5, 6]]]),
    "gaps": ([[0.5, float("nan")], [None], []], [[0.5, None], [None], []]),
    "tokens": ([["so", "it"], ["is"], None], [["so", "it"], ["is"], ""]),
    "struct": ([{"x": 1, "y": DAY}, None, {"x": 2, "y": None}], [{"x": 1, "y": "2024-01-05"}, "", {"x": 2, "y": None}]),
    "map": (pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())), [[["k", 1]], "", []]),
}


@pytest.mark.parametrize("name", ARROW)
@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_arrow_has_its_value(tmp_path, name, kind):
    column, expected = TYPES[kind]
    path = str(tmp_path / name)
    ARROW[name](pa.table({"n": [1, 2, 3], kind: column, "__index_level_0__": [7, 8, 9]}), path)
    table = open_table(path)
    assert table.columns == ("n", kind)
    rows = list(table.rows)
    assert rows == [Row(k, (k, value)) for k, value in enumerate(expected, 1)]
    for row, value in zip(rows, expected, strict=True):  # a truth value is a text that knows what it was
        assert isinstance(row.values[1], type(value))


@pytest.mark.parametrize("name", ARROW)
def test_a_column_of_pictures_is_left_out_and_said(tmp_path, name):
    path = str(tmp_path / name)
    picture = {"bytes": b"\x89PNG\xff", "path": "a.png"}
    ARROW[name](pa.table({"image": [picture] * 20, "raw": [b"\xff\xfe"] * 20, "caption": ["so"] * 20}), path)
    table = open_table(path)
    assert [row.values for row in table.rows] == [("so",)] * 20
    assert table.ledger.said == ["left out, for they hold bytes that are no text: 'image' and 'raw'"]
    ARROW[name](pa.table({"raw": [b"so"] * 10 + [b"\xff\xfe"] + [b"so"] * 9}), path)
    with pytest.raises(DataError, match=f"{name}:11: 'raw' holds bytes that are no text"):
        list(open_table(path).rows)
    table = open_table(path, skip_bad=True)
    assert (len(list(table.rows)), table.ledger.count) == (19, 1)


@pytest.mark.parametrize("name", WRITERS)
def test_what_json_lines_refuse_is_refused_here_too(tmp_path, name):
    path = str(tmp_path / name)
    if name != "a.xlsx":
        ARROW[name](pa.table({"text": ["so", "a\0b"]}), path)
        with pytest.raises(DataError, match=f"{name}:2: a NUL character in 'text'"):
            list(open_table(path).rows)
        ARROW[name](pa.table({"series": [[1.0], [float("inf")]]}), path)
        with pytest.raises(DataError, match=f"{name}:2: a number in 'series' is not finite"):
            list(open_table(path).rows)
    WRITERS[name](pa.table({"text": pa.array([], pa.string())}), path)
    with pytest.raises(DataError, match="no records"):
        list(open_table(path).rows)


def excel(path: object, *rows: list, sheets: dict[str, list] | None = None) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title, others in (sheets or {}).items():
        sheet = book.create_sheet(title)
        for row in others:
            sheet.append(row)
    book.save(path)


def test_a_sheet_has_its_own_rows_types_and_empty_places(tmp_path):
    path = tmp_path / "a.xlsx"
    excel(
        path,
        [],
        [None, "text", 3.0, "when", "x", None],
        [1, "good film", 3.0, DAY, 1.5],
        [],
        [2, "bad film", True, MOMENT, "=1+1", None],
        [None, "#N/A", "#DIV/0!", datetime.time(3, 4), None, None, None],
        [None] * 9,
    )
    table = open_table(path)
    assert table.columns == ("column 1", "text", "3", "when", "x")
    assert list(table.rows) == [
        Row(3, (1, "good film", 3, "2024-01-05", 1.5)),
        Row(5, (2, "bad film", "true", "2024-01-05T13:30:01", "")),
        Row(6, ("", "", "", "03:04:00", "")),
    ]


def test_a_value_beside_the_named_columns_is_a_bad_record(tmp_path):
    path = tmp_path / "a.xlsx"
    excel(path, ["text", "label"], *[["so", "a"]] * 1000, ["no", "b", None, "stray"])
    with pytest.raises(DataError, match=r"a\.xlsx:1002: a value in column 4, which has no name"):
        list(open_table(path).rows)


def test_a_workbook_of_several_sheets_is_refused_with_a_command_for_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    excel("a.xlsx", ["text", "label"], ["so", 1], sheets={"empty": [], "it's": [["so"]]})
    with pytest.raises(DataError, match=r"a\.xlsx: 2 sheets hold something \('Sheet' and 'it's'\)") as caught:
        open_table("a.xlsx", given=["--task classify"])
    assert caught.value.hint == (
        "Name it: rnncli train a.xlsx --task classify --sheet Sheet; "
        "or rnncli train a.xlsx --task classify --sheet 'it'\"'\"'s'"
    )
    excel("a.xlsx", sheets={"empty": [], "it's": [["text"], ["so"]]})
    assert list(open_table("a.xlsx").rows) == [Row(2, ("so",))]


def test_a_sheet_is_named_or_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    excel("a.xlsx", ["text"], ["one"], sheets={"1": [["text"], ["two"]], "empty": [], "Jan 2": [["text"], ["four"]]})
    for sheet, text in {"Sheet": "one", "1": "two", "2": "two", "4": "four", "Jan 2": "four"}.items():
        table = open_table("a.xlsx", sheet=sheet)
        assert [row.values for row in table.rows] == [(text,)]
    assert open_table("a.xlsx", usual_sheet="Jan 2").ledger.said == ["sheet 'Jan 2'"]
    for sheet, says in [
        ("jan 2", r"there is no sheet 'jan 2'; did you mean 'Jan 2'\?"),
        ("5", "there is no sheet '5'"),
        ("0", "there is no sheet '0'"),
        ("empty", "a.xlsx: no records"),
    ]:
        with pytest.raises(DataError, match=says):
            open_table("a.xlsx", sheet=sheet)
    (tmp_path / "a.csv").write_text("text,label\nso,1\n")
    with pytest.raises(UsageError, match=r"--sheet is for Excel workbooks, and a\.csv is read as csv"):
        open_table("a.csv", sheet="1")


def test_commands_that_change_a_workbook_take_the_sheet_that_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    excel("a.xlsx", ["no", "names"], ["a", 1], sheets={"it's": [["text", "label"], ["so", "p"], ["no", "n"]]})
    file = open_table("a.xlsx", sheet="it's").ledger.file
    subprocess.run(["bash", "-c", as_here(file.filtered("True"))], check=True, timeout=60)
    assert [row.values for row in open_table("a-2.jsonl").rows] == [("so", "p"), ("no", "n")]


def as_here(command: str) -> str:
    """A command that calls Python, with this one, which has the libraries."""
    return command.replace("python3", sys.executable)


SERIES = [[round(random.Random(k).uniform(-3, 3), 2) for _ in range(3)] for k in range(40)]


def tables() -> dict[str, pa.Table]:
    draw = random.Random(5)
    words = {"pos": ["good", "warm", "fine", "film"], "neg": ["bad", "cold", "dull", "film"]}
    labels = [draw.choice(["pos", "neg"]) for _ in range(40)]
    texts = [" ".join(draw.choices(words[label], k=4)) for label in labels]
    columns = {name: [row[at] for row in SERIES] for at, name in enumerate(("x", "y", "z"))}
    return {
        "texts": pa.table({"text": texts, "label": labels}),
        "whole labels": pa.table({"text": texts, "label": [len(label) % 3 + (label == "neg") for label in labels]}),
        "long form": pa.table(
            {
                "id": [k // 4 for k in range(40)],
                "time": [k % 4 for k in range(40)],
                **columns,
                "label": ["ab"[k // 4 % 2] for k in range(40)],
            }
        ),
        "numbers and a text": pa.table({**columns, "text": texts}),
    }


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kind", tables())
def test_the_same_table_trains_to_the_same_bits_as_its_csv(tmp_path, monkeypatch, name, kind):
    monkeypatch.chdir(tmp_path)
    table = tables()[kind]
    with open("a.csv", "w", newline="") as file:
        csv.writer(file).writerows([table.column_names, *(record.values() for record in table.to_pylist())])
    WRITERS[name](table, name)
    options = {"hidden": 4, "embedding": 3, "epochs": 1, "validation": 0.25, "seed": 1}
    expected, found = (rnncli.train(path, **options) for path in ("a.csv", name))
    assert expected.labels == found.labels if hasattr(expected, "labels") else True
    pairs = list(zip(flat(expected.params), flat(found.params), strict=True))
    assert len(pairs) > 3
    for (key, mine), (other, its) in pairs:
        assert key == other
        np.testing.assert_array_equal(mine, its)


def flat(params: object, path: str = "") -> list[tuple[str, np.ndarray]]:
    if isinstance(params, np.ndarray):
        return [(path, params)]
    return [one for key, value in params.items() for one in flat(value, f"{path}/{key}")]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_the_commands_of_refusals_read_such_a_file(tmp_path, monkeypatch, name, packed):
    monkeypatch.chdir(tmp_path)
    WRITERS[name](pa.table({"text": ["so", "no", None], "label": [1, 2, 3]}), name)
    if packed:
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    file = open_table(name + packed).ledger.file
    for command in (file.as_json("r", where='r["label"]>1'), file.filtered('r["label"]>1')):
        subprocess.run(["bash", "-c", as_here(command)], check=True, timeout=60)
        assert [row.values for row in open_table("a-2.jsonl").rows] == [("no", 2), ("", 3)]
    assert file.refusal("what", "hint").hint == "hint"


# --- hostile files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_every_damage_is_one_sentence(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](
        pa.table({"text": ["so it is", "no"] * 10, "n": [[0.5]] * 20 if name != "a.xlsx" else [1] * 20}), str(path)
    )
    whole = path.read_bytes()
    draw = random.Random(3)
    damaged = [whole[:at] for at in draw.sample(range(len(whole)), 40)]
    for _ in range(120):
        made = bytearray(whole)
        for _ in range(draw.choice((1, 4))):
            made[draw.randrange(len(made))] = draw.randrange(256)
        damaged.append(bytes(made))
    refused = []
    for data in damaged:
        path.write_bytes(data)
        try:
            list(open_table(path).rows)
        except RnncliError as error:
            refused.append(error)
    assert len(refused) > 40
    assert {error.exit_code for error in refused} <= {3, 5}
    assert not any("\n" in error.message for error in refused)


@pytest.mark.parametrize("name", WRITERS)
def test_a_wrong_suffix_is_said_with_the_format(tmp_path, name):
    own = FORMATS[open_format(name)]
    for other, write in WRITERS.items():
        if open_format(other) == own.name:
            continue
        path = tmp_path / f"x{own.suffixes[0]}"
        write(pa.table({"text": ["so"]}), str(path))
        with pytest.raises(DataError) as caught:
            open_table(path)
        assert caught.value.hint == f"Say --format {open_format(other)}."
        assert len(list(open_table(path, format=open_format(other)).rows)) == 1
    path.write_text("text,label\nso,a\n")
    with pytest.raises(DataError, match=r"is text, not an? ") as caught:
        open_table(path)
    assert "--format csv" in caught.value.hint
    path.write_bytes(b"")
    with pytest.raises(DataError, match="no records"):
        open_table(path)


def open_format(name: str) -> str:
    return {"a.parquet": "parquet", "a.feather": "arrow", "a.arrow": "arrow", "a.xlsx": "xlsx"}[name]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "a.xlsx"
    excel(path, ["text"], ["so"])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            if name != "xl/worksheets/sheet1.xml":
                archive.writestr(name, data)
        with archive.open("xl/worksheets/sheet1.xml", "w") as file:
            for _ in range(100):
                file.write(b" " * (1 << 20))
    with pytest.raises(DataError, match=r"a\.xlsx: unpacks to 100 MiB or more, [\d,]+ times its size"):
        open_table(path)
    with pytest.raises(StorageError, match="unpacks to more than 1,000,000 bytes"):
        open_table(path, max_bytes=1_000_000)


def test_entities_that_multiply_are_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    excel(path, ["text"], ["so"])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    entities = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10}">' for k in range(1, 10))
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b">so<", b">&e9;<").removeprefix(b"<?xml version='1.0'?>")
    assert b"&e9;" in sheet
    parts["xl/worksheets/sheet1.xml"] = f'<!DOCTYPE w [<!ENTITY e0 "ha">{entities}]>'.encode() + sheet
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(DataError, match="is not an Excel workbook, or not a whole one"):
        list(open_table(path).rows)


def test_an_allocation_beyond_the_memory_is_an_error_and_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"text": ["so"]}), path)
    monkeypatch.setattr(memory, "memory_left", lambda: 1 << 28)
    assert len(list(open_table(path).rows)) == 1
    with memory.allocations_limited(), pytest.raises(MemoryError):
        bytearray(1 << 30)
    bytearray(1 << 30)
    monkeypatch.setattr(parquet, "ParquetFile", lambda *_, **__: bytearray(1 << 30))
    with pytest.raises(StorageError, match=r"a\.parquet: the memory does not suffice to unpack it"):
        open_table(path)


def test_a_missing_library_is_named_with_the_extra(tmp_path, monkeypatch):
    for name, write in WRITERS.items():
        write(pa.table({"text": ["so"]}), str(tmp_path / name))
        module = "openpyxl" if name == "a.xlsx" else "pyarrow"
        for one in [one for one in sys.modules if one == module or one.startswith(f"{module}.")]:
            monkeypatch.setitem(sys.modules, one, None)
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UsageError, match=f"is read by {module}, which is not installed") as caught:
            open_table(tmp_path / name)
        assert (caught.value.exit_code, caught.value.hint) == (2, "pip install 'rnncli[tables]'")
        monkeypatch.undo()


def test_the_libraries_are_imported_only_for_such_a_file(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nso,a\n")
    code = (
        "import sys, rnncli.cli.main; from rnncli.data.readers import open_table; list(open_table(sys.argv[1]).rows);"
        "assert not {'pyarrow', 'openpyxl'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.csv")], check=True, timeout=60)


def test_a_pipe_is_read_too():
    made = io.BytesIO()
    parquet.write_table(pa.table({"text": ["so"]}), made)
    table = open_table("-", format="parquet", stdin=io.BytesIO(made.getvalue()))
    assert list(table.rows) == [Row(1, ("so",))]
    assert table.ledger.file == DataFile("-", FORMATS["parquet"], options=("--format parquet",))
    with pytest.raises(UsageError, match="parquet is not text and has no encoding"):
        open_table("-", format="parquet", encoding="latin-1")


def test_a_first_row_that_is_a_record_names_no_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    book = openpyxl.Workbook()
    for k in range(40):
        book.active.append([f"the chair is {'good' if k % 2 else 'bad'} on day {k}", k % 2])
    book.save("a.xlsx")
    with pytest.raises(DataError, match=r"a\.xlsx:1: the first row is a record") as caught:
        read_dataset(Source("a.xlsx"))
    assert caught.value.hint is not None
    command = caught.value.hint.partition("without names: ")[2].replace("python3", shlex.quote(sys.executable))
    subprocess.run(command, shell=True, check=True)
    read = read_dataset(Source("a-2.csv"))
    assert (read.source.text, read.source.label, len(read.lines)) == ("1", "2", 40)
