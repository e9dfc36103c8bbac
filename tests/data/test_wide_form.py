"""Tables with a sequence a row or in a cell: which are taken for it, what is read, and what is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnncli.data.dataset import Dataset, Source
from rnncli.data.doubts.preview import Purpose
from rnncli.data.inputs import stream_inputs
from rnncli.data.opening import read_dataset
from rnncli.data.records import NumberArrays
from rnncli.data.tables.column import columns_of
from rnncli.data.tables.wide_form import (
    WideForm,
    counted_steps,
    looks_like_features,
    measure_different_things,
    nameless_label,
    plain_label,
)
from rnncli.errors import DataError


def write(folder: Path, content: str, name: str = "walk.csv") -> str:
    path = folder / name
    path.write_text(content)
    return str(path)


def read(folder: Path, content: str, name: str = "walk.csv", **how: object) -> Dataset:
    return read_dataset(Source(write(folder, content, name), **how))  # type: ignore[arg-type]


def said(folder: Path, content: str, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, content, **how)
    return f"{caught.value.message}\n{caught.value.hint}".replace(f"{folder}/", "")


WIDE = "label,t0,t1,t2\n" + "up,0.5,1,1.5\ndown,2,1.25,\nup,-1,0,1\ndown,3,2,1\n" * 2


def test_everything_of_a_good_file(tmp_path: Path) -> None:
    dataset = read(tmp_path, WIDE)
    assert isinstance(dataset.inputs, NumberArrays)
    assert dataset.texts[:3] == ["[[0.5],[1],[1.5]]", "[[2],[1.25]]", "[[-1],[0],[1]]"]
    assert dataset.labels[:2] == ["up", "down"]
    assert dataset.why == "sequences: each of 8 rows, timesteps: t0 to t2 (3); label: label; change with --label"
    assert dataset.reads == WideForm("label", width=4)
    assert dataset.source.layout == "wide"
    again = read_dataset(dataset.source, settled=True)  # as a resumed training reads it
    assert (again.inputs, again.labels) == (dataset.inputs, dataset.labels)


STEPS = {
    "letters and numbers": ("t0,t1,t2", "t0,t1,t2"),
    "from one on": ("V1,V2,V3", "V1,V2,V3"),
    "out of order": ("t10,t9,t8", "t8,t9,t10"),
    "numbers alone": ("0,1,2", "0,1,2"),
    "years": ("2019,2020,2021", "2019,2020,2021"),
    "in brackets": ("x[0],x[1],x[2]", "x[0],x[1],x[2]"),
    "with words": ("step 5,step 10,step 15", "step 5,step 10,step 15"),
    "months": ("2024-03,2024-01,2024-02", "2024-01,2024-02,2024-03"),
    "times of day": ("10:00,10:05,10:10", "10:00,10:05,10:10"),
    "two": ("t0,t1", None),
    "with a gap": ("t0,t1,t5", None),
    "names": ("width,height,depth", None),
    "two kinds that do not go together": ("a0,a1,a2,b0,b1,b2,b3", None),
    "two kinds of few": ("a0,a1,a2,b0,b1,b2", None),
}


@pytest.mark.parametrize("case", STEPS)
def test_names_that_count_are_timesteps(case: str) -> None:
    names, expected = STEPS[case]
    columns = columns_of(names.split(","), [["1.5"] * (names.count(",") + 1)])
    steps = counted_steps(columns)
    assert (None if steps is None else ",".join(steps.names)) == expected


def test_several_numbers_a_timestep(tmp_path: Path) -> None:
    names = [f"{axis}_{step}" for axis in "xy" for step in range(8)]
    rows = [[str(step + 10 * axis) for axis in range(2) for step in range(8)] for _ in range(4)]
    content = "".join(
        ",".join(row) + "\n" for row in [[*names, "class"], *([*row, "ab"[at % 2]] for at, row in enumerate(rows))]
    )
    dataset = read(tmp_path, content)
    assert dataset.inputs[0].tolist() == [[step, step + 10] for step in range(8)]
    assert "timesteps: x_0 to x_7, y_0 to y_7 (8) of 2 numbers" in dataset.why


def test_ids_and_constants_are_no_timesteps(tmp_path: Path) -> None:
    content = "machine,unit,t0,t1,t2,state\n" + "".join(f"M{at},C,{at},2,3,{'ab'[at % 2]}\n" for at in range(6))
    dataset = read(tmp_path, content)
    assert "not read: machine, unit; label: state" in dataset.why
    assert list(dataset.shown) == [f"M{at}" for at in range(6)]
    assert dataset.inputs[5].tolist() == [[5], [2], [3]]


def test_what_is_asked(tmp_path: Path) -> None:
    rows = "".join(f"{at % 2},{at % 3},{at / 7:.2f},2.5,3.5,4.5\n" for at in range(12))
    found = said(tmp_path, f"state,shift,t0,t1,t2,t3\n{rows}")
    assert "its label may be in 'state' (0) and 'shift' (0)" in found
    assert "rnncli train walk.csv --ignore shift --label state or rnncli train walk.csv --ignore state" in found
    assert "'shift' (0) is no timestep" in said(tmp_path, f"label,shift,t0,t1,t2,t3\n{rows}")
    found = said(tmp_path, f"label,shift,t0,t1,t2,t3\n{rows}")
    assert "--ignore shift --label label" in found
    assert len(read(tmp_path, f"label,shift,t0,t1,t2,t3\n{rows}", ignore="shift").texts) == 12
    found = said(tmp_path, "label,f1,f2,f3,f4\n" + "".join(f"{'ab'[at % 2]},{at},1,2,3\n" for at in range(8)))
    assert "may be the timesteps of a series, or measure different things" in found
    assert "--features f1:f4 --label label" in found
    assert "no column" in said(tmp_path, WIDE, features="t0:t9")


def test_timesteps_that_are_named_are_read(tmp_path: Path) -> None:
    content = "sepal,petal,stem,kind\n" + "".join(f"{at},2,3,{'ab'[at % 2]}\n" for at in range(8))
    dataset = read(tmp_path, content, features="sepal:stem")
    assert dataset.inputs[3].tolist() == [[3], [2], [3]]
    assert dataset.reads == WideForm("kind", (), ("sepal", "petal", "stem"), width=4)
    assert read(tmp_path, content, features="stem,sepal").inputs[3].tolist() == [[3], [3]]


def test_a_gap_is_an_error_or_filled(tmp_path: Path) -> None:
    content = WIDE + "up,1,?,3\n"
    assert "walk.csv:10: the value of 't1' is missing, at timestep 2" in said(tmp_path, content)
    assert "--missing interpolate" in said(tmp_path, content)
    assert read(tmp_path, content, missing="interpolate").inputs[8].tolist() == [[1], [2], [3]]
    assert len(read(tmp_path, content, skip_bad=True).texts) == 8
    assert "the sequence has no values" in said(tmp_path, WIDE + "up,,NA,\n", missing="interpolate")
    assert "walk.csv:10: the value of 't2' is not a finite number: 'high'" in said(tmp_path, WIDE + "up,1,2,high\n")
    assert "walk.csv:10: the label is empty" in said(tmp_path, WIDE + ",1,2,3\n")


def test_what_a_model_reads_is_found_again(tmp_path: Path) -> None:
    form = WideForm("label", ("machine",), width=5)
    content = "t1,t0,t2,t3,machine\n2,1,3,4,M1\n6,5,7,,M2\n"
    path = write(tmp_path, content)
    found = list(stream_inputs(Source(path), form))
    assert [np.asarray(one.value).tolist() for one in found] == [[[1], [2], [3], [4]], [[5], [6], [7]]]
    assert [one.shown for one in found] == ["M1", "M2"]
    with pytest.raises(DataError, match="there is no column 'label', which held the labels in training"):
        read_dataset(Source(path), True, form)
    path = write(tmp_path, content.replace("t3", "speed"))
    with pytest.raises(DataError, match="'speed' is no timestep like 't0'"):
        list(stream_inputs(Source(path), form))
    path = write(tmp_path, content.replace("M1", "4").replace("machine", "t4").replace("M2", "high"))
    with pytest.raises(DataError, match="'t4' holds no numbers, and the model reads each column as a timestep"):
        list(stream_inputs(Source(path), form))


NAMELESS = {
    "first": ([["1", "0.5"], ["2", "0.7"], ["1", "0.2"], ["2", "0.1"]], ["first"]),
    "last": ([["0.5", "up"], ["0.7", "up"], ["0.2", "down"], ["0.1", "down"]], ["last"]),
    "either": ([["1", "5"], ["2", "5"], ["1", "6"], ["2", "6"]], ["first", "last"]),
    "neither": ([["0.5", "0.1"], ["0.7", "0.2"]], []),
    "an id first": ([["M1", "a"], ["M2", "a"], ["M3", "b"], ["M4", "b"]], ["last"]),
}


@pytest.mark.parametrize("case", NAMELESS)
def test_where_a_label_without_a_name_is(case: str) -> None:
    rows, expected = NAMELESS[case]
    assert nameless_label(columns_of(["1", "2"], rows)) == expected


def test_columns_of_different_spread_and_names_of_features() -> None:
    rng = np.random.default_rng(0)
    alike = rng.normal(0, 1, (20, 9)).round(3).astype(str).tolist()
    unlike = (rng.normal(0, 1, (20, 9)) * 10.0 ** np.arange(9)).round(3).astype(str).tolist()
    names = [str(at) for at in range(9)]
    assert not measure_different_things(columns_of(names, alike))
    assert measure_different_things(columns_of(names, unlike))
    assert not measure_different_things(columns_of(names, unlike[:3]))
    for stem, features in (("t", False), ("feature_", True), ("PC", True), ("Q", True), ("x", False)):
        steps = counted_steps(columns_of([f"{stem}{at}" for at in range(9)], alike))
        assert steps is not None
        assert looks_like_features(steps) is features


@pytest.mark.parametrize(
    ("value", "label"), [("1.0000000e+00", "1"), ("2", "2"), ("-1.0", "-1"), ("up ", "up"), ("0.5", "0.5")]
)
def test_labels_of_older_files_are_plain(value: str, label: str) -> None:
    assert plain_label(value) == label


CELLS = "x,label\n" + "0.5 1 1.5,up\n2 1.25,down\n" * 4


def test_a_sequence_in_a_cell(tmp_path: Path) -> None:
    dataset = read(tmp_path, CELLS)
    assert isinstance(dataset.inputs, NumberArrays)
    assert [one.tolist() for one in dataset.inputs[:2]] == [[0.5, 1, 1.5], [2, 1.25]]
    assert dataset.texts[0] == "0.5 1 1.5"
    assert dataset.why == "sequences: each cell of x; label: label; change with --label"
    assert read_dataset(dataset.source, settled=True).inputs == dataset.inputs
    found = list(stream_inputs(Source(dataset.source.path), None, purpose=Purpose(numbers=True), inputs=NumberArrays))
    assert found[0].value == "0.5 1 1.5"
    assert ":10: the sequence has a missing value at timestep 2" in said(tmp_path, CELLS + "1 NaN 3,up\n")
    filled = read(tmp_path, CELLS + "1 NaN 3 NaN,up\n", missing="interpolate")
    assert filled.inputs[8].tolist() == [1, 2, 3]


def test_cells_of_whole_numbers_or_of_several_columns_are_asked(tmp_path: Path) -> None:
    whole = "x,label\n" + "5 1 15,up\n2 125 3,down\n" * 4
    found = said(tmp_path, whole)
    assert "'x' holds rows of numbers (5 1 15), which would be read as words" in found
    assert "--features x --label label" in found
    assert read(tmp_path, whole, features="x").inputs[0].tolist() == [5, 1, 15]
    several = "x,y,label\n" + "0.5 1 1.5,3 2 0.5,up\n2 1.25,1 0.5,down\n" * 4
    assert "2 columns hold rows of numbers, 'x' (0.5 1 1.5) and 'y' (3 2 0.5)" in said(tmp_path, several)
