"""JSON files: which are lines, which one value, where its records are, and the line of each."""

from __future__ import annotations

import io
import json
import shlex
import subprocess

import pytest

from rnncli import memory
from rnncli.data.formats.table import Row, Table
from rnncli.data.readers import open_table
from rnncli.errors import DataError, StorageError

RECORDS = [{"text": f'så [it] {{is}} {k} \\ "x"', "label": "ab"[k % 2], "list": [k, {"x": None}]} for k in range(50)]


def piped(text: str, format: str = "json", **options) -> Table:
    return open_table("-", stdin=io.BytesIO(text.encode()), format=format, **options)


def values(table: Table) -> list[tuple]:
    return [row.values for row in table.rows]


WRITTEN = {
    "an array on one line": json.dumps(RECORDS),
    "an array without spaces": json.dumps(RECORDS, separators=(",", ":"), ensure_ascii=False),
    "an array, indented": json.dumps(RECORDS, indent=2),
    "an array, a record a line": "[\n" + ",\n".join(map(json.dumps, RECORDS)) + "\n]\n",
    "an array, bracket and brace on a line": "[{\n" + json.dumps(RECORDS)[2:],
    "an array after blank lines": "\ufeff\n\n " + json.dumps(RECORDS),
    "lines": "".join(json.dumps(record) + "\n" for record in RECORDS),
    "lines with blank ones": "\n\r\n".join(map(json.dumps, RECORDS)),
    "below a key": json.dumps({"version": "1.0", "data": RECORDS}, indent=1),
    "below a key, on one line": json.dumps({"data": RECORDS, "labels": ["a", "b"], "of": {"x": [1]}}),
    "below a key, begun on one line": '{"v": 1, "data": [' + ",\n".join(map(json.dumps, RECORDS)) + "]}",
    "below two keys": json.dumps({"a": {"b": RECORDS}, "n": 3}),
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_json_file_has_the_same_records_however_it_is_written(how, line_end):
    table = piped(WRITTEN[how].replace("\n", line_end))
    assert table.columns == ("text", "label", "list")
    assert values(table) == [tuple(record.values()) for record in RECORDS]
    assert table.format == ("jsonl" if how.startswith("lines") else "json")
    below = "a.b" if "two keys" in how else "data" if "below" in how else None
    said = [] if below is None else [f"records: the objects below '{below}'"]
    assert table.ledger.said[: len(said)] == said
    assert len({row.line for row in piped(WRITTEN[how]).rows}) == len(RECORDS)


@pytest.mark.parametrize("how", [name for name in WRITTEN if "on one line" not in name and "two keys" not in name])
def test_what_is_an_array_is_read_under_the_name_of_lines_too(how):
    assert values(piped(WRITTEN[how], "jsonl")) == [tuple(record.values()) for record in RECORDS]


def test_the_line_of_a_record_in_an_array_is_that_on_which_it_starts():
    text = '\n[\n {"a":\n "1"},\n {"a": [-Infinity]},\r\n'
    text += '\r{"a": "\\u2028\\n3"},\n{"a": 4},\n5,\n {"b": 1},\n {"a": 1e999}]'
    table = piped(text, skip_bad=True)
    assert list(table.rows) == [Row(3, ("1",)), Row(7, ("\u2028\n3",)), Row(8, (4,))]
    assert table.ledger.skipped == [
        "<stdin>:5: -Infinity is not a JSON number",
        "<stdin>:9: a number, but each record must be a JSON object",
        "<stdin>:10: the key 'a' is missing",
        "<stdin>:11: a number in 'a' is too large",
    ]


def test_records_on_one_line_have_their_numbers():
    table = piped('[{"a": 1}, {"b": 2}, {"a": 3}]', skip_bad=True)
    assert list(table.rows) == [Row(1, (1,)), Row(3, (3,))]
    assert table.ledger.skipped == ["<stdin>:2: the key 'a' is missing"]
    assert table.ledger.said == ["several records stand on a line: their numbers are given, not lines"]
    table = piped('[{"a": 1},\n{"a": 2}, {"a": 3},\n\n{"a": 4}]')
    assert [row.line for row in table.rows] == [1, 2, 3, 4]


def test_an_object_on_a_line_is_one_record_of_json_lines_and_a_value_of_json():
    text = json.dumps({"text": "so", "spans": [{"from": 1}]})
    assert values(piped(text, "jsonl")) == [("so", [{"from": 1}])]
    assert piped(text, "json").columns == ("from",)
    assert values(piped('{\n"text": "so",\n"label": "a"}')) == [("so", "a")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1},\n{"a": 2', "<stdin>:2: broken JSON: the file is cut off before the end of its value"),
        ('[{"a": 1},\n', "<stdin>:1: broken JSON: the file is cut off before the end of its value"),
        ('[{"a": 1}\n{"a": 2}]', "<stdin>:2: broken JSON (, is missing)"),
        ('[{"a": 1},\n{"a" 2}]', "<stdin>:2: broken JSON (Expecting ':' delimiter)"),
        ('[{"a": 1}]\n\n[{"a": 2}]', "<stdin>:3: more behind the end of the array"),
        ('{"d":[\n{"a": 1}], "e" [{"a": 2}]}', "<stdin>:2: broken JSON (: is missing)"),
        ('{"d":[\n{"a": 1}], e: 1}', "<stdin>:2: broken JSON (a key in double quotes is missing)"),
        ("[]", "<stdin>: no records"),
        ('{"data": [\n{}]}', "<stdin>:2: an object without keys"),
        ('[{"a":' + "[" * 70 + "]" * 70 + "}]", "<stdin>:1: brackets are nested more than 64 deep"),
        ('[{"a":' + "[" * 100_000 + "]" * 100_000 + "}]", "<stdin>:1: brackets are nested more than 64 deep"),
        ('{"a":' * 100_000, "<stdin>:1: brackets are nested more than 64 deep"),
        ('{"a":\n' * 100, "<stdin>:66: brackets are nested more than 64 deep"),
        ('{"a":\n' + '{"a":' * 100_000, "<stdin>:2: brackets are nested more than 64 deep"),
        ('[{"a": 1}, {"a": ' + "1" * 5000 + "}]", "<stdin>:2: an integer of thousands of digits"),
        ('[{"a": 1}, {"a": 1e999}]', "<stdin>:2: a number in 'a' is too large"),
        ('[{"a": 1}, {"a": 1, "a": 2}]', "<stdin>:2: the key 'a' is given twice"),
        ('[{"a": 1}, {"a": "\\ud800"}]', "<stdin>:2: \\ud800 in 'a' is half a surrogate pair, no character"),
    ],
)
def test_a_broken_value_is_refused_at_its_line(text, message):
    with pytest.raises(DataError) as caught:
        list(piped(text).rows)
    assert caught.value.message == message


SHAPES = {
    "several arrays": ({"train": RECORDS, "test": RECORDS[:1]}, "several arrays of objects, 'train' and 'test'"),
    "lists": ({"text": ["so", "no"], "label": ["a", "b"]}, "an object of lists ('text' and 'label')"),
    "columns": ({"text": {"0": "so", "1": "no"}, "label": {"0": "a", "1": "b"}}, "an object of columns"),
    "objects": ({"x1": {"text": "so", "label": "a"}, "x2": {"text": "no", "label": "b"}}, "an object of objects"),
    "arrays": ([["so", "a"], ["no", "b"]], "the array holds no objects"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_another_shape_is_refused_with_a_command_that_makes_lines_of_it(tmp_path, monkeypatch, shape):
    monkeypatch.chdir(tmp_path)
    held, message = SHAPES[shape]
    (tmp_path / "a.json").write_text(json.dumps(held))
    with pytest.raises(DataError) as caught:
        open_table("a.json")
    assert caught.value.message.startswith("a.json:1: ")
    assert message in caught.value.message
    command = caught.value.hint[caught.value.hint.index("python3") :].split("; or ")[0]
    assert shlex.split(command)[-1] == "a-2.jsonl"
    subprocess.run(["bash", "-c", command], check=True, timeout=60)
    table = open_table("a-2.jsonl")
    expected = RECORDS if shape == "several arrays" else [{"text": "so", "label": "a"}, {"text": "no", "label": "b"}]
    assert values(table) == [tuple(record.values()) for record in expected]


def test_several_values_over_lines_are_refused_with_a_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text("\n".join(json.dumps(record, indent=1) for record in RECORDS))
    with pytest.raises(DataError, match=r"a.json:11: a second JSON value") as caught:
        open_table("a.json")
    subprocess.run(["bash", "-c", caught.value.hint.partition(": ")[2]], check=True, timeout=60)
    assert values(open_table("a-2.jsonl")) == [tuple(record.values()) for record in RECORDS]


def test_a_value_that_has_no_room_in_memory_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "memory_left", lambda: 1 << 26)
    long = json.dumps([{"a": "x" * 100_000}] * 1000)
    with pytest.raises(StorageError, match="a JSON value is read whole"):
        piped(long)
    monkeypatch.setattr(memory, "memory_left", lambda: 1 << 40)
    assert len(values(piped(long))) == 1000  # of one line that is longer than any line of JSON lines
