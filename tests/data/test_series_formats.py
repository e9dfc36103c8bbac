"""Series in .ts and .arff files: as aeon reads them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.data.formats.table import Table
from rnncli.data.readers import open_table
from rnncli.errors import DataError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "series.json").read_text())


def opened(folder: Path, name: str, content: str, skip_bad: bool = False) -> Table:
    path = folder / name
    path.write_text(content)
    return open_table(path, skip_bad=skip_bad)


def nested(value: Any) -> list[Any]:
    """(T, D) as lists, None where a value is missing."""
    return [[None if np.isnan(x) else x for x in step] for step in value.tolist()]


@pytest.mark.parametrize("case", [case for case in GOLDEN if case["name"] != "gun.tsv"], ids=lambda case: case["name"])
def test_series_are_those_that_aeon_reads(case: dict[str, Any], tmp_path: Path) -> None:
    table = opened(tmp_path, case["name"], case["content"])
    rows = list(table.rows)
    if case["name"] == "gun.arff":
        assert table.columns == ("att0", "att1", "att2", "target")
        steps = [[[None if x == "NaN" else float(x)] for x in row.values[:-1]] for row in rows]
    else:
        steps = [nested(row.values[0]) for row in rows]
    assert steps == case["sequences"]
    assert [row.values[-1] for row in rows] == case["labels"]
    lines = case["content"].split("\n")
    assert all(lines[row.line - 1].endswith(str(row.values[-1])) for row in rows)


TS = "@problemName Walks\n@timeStamps false\n@univariate false\n@dimensions 2\n@classLabel true up down\n@data\n"

BAD_RECORDS = {
    "another label": ("a.ts", TS, "1,2:3,4:left", "the label 'left' is not among those of the header (down, up)"),
    "one dimension": ("a.ts", TS, "1,2:up", "1 dimension, and the header has 2"),
    "a word": ("a.ts", TS, "1,2:3,high:up", "value 2 of dimension 2 is not a finite number: 'high'"),
    "too large": ("a.ts", TS, "1,2:3,1e999:up", "value 2 of dimension 2 is not a finite number: '1e999'"),
    "uneven": ("a.ts", TS, "1,2:3:up", "dimension 2 has 1 value, and the first has 2; a series has as many in each"),
    "no label": (
        *("a.ts", "@univariate true\n@classLabel true up down\n@data\n", "1,2"),
        "there is no colon, and so no label behind the series",
    ),
    "another length": (
        *("a.ts", "@equalLength true\n@seriesLength 3\n@classLabel false\n@data\n", "1,2"),
        "2 timesteps, and the header says that each series has 3",
    ),
    "too few values": (
        *("a.arff", "@attribute a numeric\n@attribute b {x,y}\n@data\n", "x"),
        "1 value, but there are 2 attributes",
    ),
    "another value": (
        *("a.arff", "@attribute a numeric\n@attribute b {x,y}\n@data\n", "1,z"),
        "'z' is not among the values of 'b' (x, y)",
    ),
    "an open quote": ("a.arff", "@attribute a string\n@data\n", "'x'y", "text behind a closing quote, at character 1"),
    "a short relation": (
        *("a.arff", "@attribute w relational\n@attribute t0 real\n@attribute t1 real\n@end w\n@data\n", "'1'"),
        "'w' has 1 timestep, and the header has 2",
    ),
}


@pytest.mark.parametrize("case", BAD_RECORDS)
def test_a_bad_record_is_named_with_its_line(case: str, tmp_path: Path) -> None:
    name, header, record, problem = BAD_RECORDS[case]
    good = {"a.ts": "1,2:3,4:up\n" if header == TS else "", "a.arff": ""}[name]
    content = header + good + record + "\n"
    with pytest.raises(DataError) as caught:
        list(opened(tmp_path, name, content).rows)
    assert caught.value.message == f"{tmp_path / name}:{content.count(chr(10))}: {problem}"
    if good:
        table = opened(tmp_path, name, content, skip_bad=True)
        assert len(list(table.rows)) == table.ledger.count == 1


BAD_HEADERS = {
    "times": ("a.ts", "@timeStamps true\n@data\n", 1, "values have time stamps", "sed "),
    "code": ("a.ts", "export const a = 1;\n", 1, "'export' stands before the line @data", None),
    "unknown": ("a.ts", "@classLables true a\n", 1, "@classlables is not known in a .ts file; did you mean", None),
    "no truth": ("a.ts", "@univariate yes\n", 1, "@univariate needs true or false", None),
    "no number": ("a.ts", "@dimensions two\n", 1, "@dimensions needs a whole number above 0", None),
    "no data": ("a.ts", "@univariate true\n", 1, "there is no line @data", None),
    "sparse": ("a.arff", "@attribute a real\n@data\n{0 1}\n", 3, "a sparse record", "SparseToNonSparse"),
    "a type": ("a.arff", "@attribute a complex\n@data\n", 1, "the type of 'a' is not known: 'complex'", None),
    "no end": ("a.arff", "@attribute a relational\n@attribute t real\n@data\n", 3, "'a' is not ended: @end a", None),
    "words inside": ("a.arff", "@attribute a relational\n@attribute t string\n", 2, "'t' in 'a' is not numeric", None),
    "no attributes": ("a.arff", "@relation x\n@data\n", 2, "there is no @attribute before @data", None),
    "a table": ("a.arff", "a,b\n1,2\n", 1, "'a,b' is no line of the header of an .arff file", None),
    "open braces": ("a.arff", "@attribute a {x,y\n@data\n", 1, "the values of 'a' end without a }", None),
}


@pytest.mark.parametrize("case", BAD_HEADERS)
def test_a_broken_header_is_refused(case: str, tmp_path: Path) -> None:
    name, content, line, problem, hint = BAD_HEADERS[case]
    with pytest.raises(DataError) as caught:
        list(opened(tmp_path, name, content).rows)
    assert caught.value.message.startswith(f"{tmp_path / name}:{line}: ")
    assert problem in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_time_stamps_are_taken_out_by_the_command_of_the_refusal(tmp_path: Path) -> None:
    import subprocess

    content = "@timeStamps true\n@classLabel true a b\n@data\n(2024-01-01 00:00:00,0.5),(2024-01-02 00:00:00,2):a\n"
    with pytest.raises(DataError) as caught:
        opened(tmp_path, "walks.ts", content)
    command = str(caught.value.hint).partition("out: ")[2]
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    (row,) = open_table(tmp_path / "walks-2.ts").rows
    assert (nested(row.values[0]), row.values[1]) == ([[0.5], [2.0]], "a")


def test_quotes_tabs_and_comments_of_arff(tmp_path: Path) -> None:
    content = (
        "% note\n@relation 'a b'\n@attribute 'the text' string\n@attribute \"size\" integer\n"
        "@attribute when date 'yyyy-MM-dd'\n@attribute kind {'very good', bad}\n@data\n"
        "% note\n'it\\'s, so', 3 ,2024-01-01,'very good'\n\"so\\n\"\t?\t?\tbad\n"
    )
    table = opened(tmp_path, "a.arff", content)
    assert table.columns == ("the text", "size", "when", "kind")
    assert [(row.line, *row.values) for row in table.rows] == [
        (9, "it's, so", "3", "2024-01-01", "very good"),
        (10, "so\n", "?", "?", "bad"),
    ]


def test_without_labels_there_is_no_column_of_them(tmp_path: Path) -> None:
    assert opened(tmp_path, "a.ts", "@classLabel false\n@data\n1,2\n").columns == ("sequence",)
    assert opened(tmp_path, "b.ts", "@targetlabel true\n@data\n1,2:0.5\n").columns == ("sequence", "target")
