"""Sequences of numbers whose timesteps are rows of a table: which tables are taken for it, and what is read."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import time_limit

from rnncli.data.dataset import Source
from rnncli.data.inputs import Input, stream_inputs
from rnncli.data.opening import read_dataset
from rnncli.data.tables.column import columns_of
from rnncli.data.tables.long_columns import Said, recognize_long_form
from rnncli.data.tables.long_form import Category, LongForm
from rnncli.errors import DataError, UsageError

WALK = """id,time,ax,ay,label
a,0,0.5,1,walking
a,1,0.25,-2,walking
b,0,0,1e1,standing
b,1,0.125,3.0,standing
b,2,.5,4,standing
"""
FORM = LongForm("id", "time", ("ax", "ay"), "label")


def write(folder: Path, content: str, name: str = "walk.csv") -> str:
    path = folder / name
    path.write_text(content)
    return str(path)


def table(content: str) -> tuple[list[str], list[list[str]]]:
    columns, *rows = [line.split(",") for line in content.split()]
    return columns, rows


def test_everything_of_a_good_file(tmp_path: Path) -> None:
    path = write(tmp_path, WALK)
    dataset = read_dataset(Source(path))
    assert dataset.texts == ["[[0.5,1],[0.25,-2]]", "[[0,10],[0.125,3],[0.5,4]]"]
    assert dataset.labels == ["walking", "standing"]
    assert list(dataset.lines) == [2, 4]
    assert list(dataset.shown) == ["a", "b"]
    assert dataset.why == (
        "sequences: id, 2 of them in order of time; numbers: ax, ay; label: label; change with --label"
    )
    assert dataset.source == Source(path, None, "label", "csv", time="time", id="id", layout="long")
    assert dataset.reads == FORM
    assert dataset.features == ()
    assert read_dataset(dataset.source) == dataset  # as a resumed training reads it


def test_the_same_texts_as_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"sequence": [[0.5, 1], [0.25, -2]], "label": "walking"}',
        '{"sequence": [[0, 10], [0.125, 3], [0.5, 4]], "label": "standing"}',
    ]
    other = read_dataset(Source(write(tmp_path, "\n".join(lines), "walk.jsonl")))
    assert read_dataset(Source(write(tmp_path, WALK))).texts == other.texts


def test_rows_in_any_order_come_to_the_same_sequences(tmp_path: Path) -> None:
    whole = read_dataset(Source(write(tmp_path, WALK)))
    header, *rows = WALK.splitlines(keepends=True)
    for seed in range(5):
        shuffled = random.Random(seed).sample(rows, len(rows))
        dataset = read_dataset(Source(write(tmp_path, header + "".join(shuffled))))
        read = zip(dataset.shown, dataset.texts, dataset.labels, strict=True)
        assert sorted(read) == sorted(zip(whole.shown, whole.texts, whole.labels, strict=True))
        first = [next(n for n, row in enumerate(shuffled, 2) if row.startswith(id)) for id in dataset.shown]
        assert list(dataset.lines) == first == sorted(first)


def test_without_a_time_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    content = "series,x,class\n7,3,p\n8,1,q\n7,1,p\n8,2,q\n7,2,p\n"
    dataset = read_dataset(Source(write(tmp_path, content)))
    assert dataset.texts == ["[[3],[1],[2]]", "[[1],[2]]"]
    assert dataset.why == (
        "sequences: series, 2 of them in order of the file; numbers: x; label: class; change with --label"
    )


def test_tabs_and_a_time_with_more_digits_than_a_float_has(tmp_path: Path) -> None:
    rows = [("1", "1700000000000000002", "2"), ("1", "1700000000000000001", "1"), ("2", "5", "0"), ("2", "4.5", "9")]
    content = "id\ttimestamp\tx\tlabel\n" + "".join(f"{i}\t{t}\t{x}\t{'pq'[i == '2']}\n" for i, t, x in rows)
    assert read_dataset(Source(write(tmp_path, content, "walk.tsv"))).texts == ["[[1],[2]]", "[[9],[0]]"]


@pytest.mark.parametrize(
    ("content", "label", "expected"),
    [
        (WALK, None, FORM),
        (WALK, "label", FORM),
        ("Sequence_ID,frame,x,gesture\n1,0,1,up\n1,1,2,up\n2,0,1,down", None, ("Sequence_ID", "frame", "x", "gesture")),
        ("seriesId,x,y,z,activity\n1,0,1,2,up\n1,1,2,3,up", None, ("seriesId", None, "x y z", "activity")),  # y moves
        ("id,t,step,x,label\n1,0,5,1,p\n1,1,6,1,p", None, ("id", "t", "step x", "label")),
        ("id,x,label\n1,0,5\n1,1,5\n2,3,6", None, ("id", None, "x", "label")),  # a label in digits, by its name
        ("id,x,score,mood\n1,0,5,a\n1,1,5,a\n2,3,6,b", None, ("id", None, "x score", "mood")),
        ("id,x,q,r\n1,0,5,7\n1,1,5,7\n2,3,6,8", "r", ("id", None, "x q", "r")),  # by --label alone
        ("id,x,text\n1,0,up\n1,1,up", "text", ("id", None, "x", "text")),
        ("id,x,label\n1,,p\n1,nan,p\n1,3,p\n2,4,q\n2,5,q", None, ("id", None, "x", "label")),  # for reading to refuse
        # and these are something else
        ("id,x,label\n1,0,p\n2,1,p\n3,2,q", None, None),  # no value of id is there twice
        ("id,x,label\n1,0,p\n1,1,q\n2,2,q", None, None),  # the label changes
        ("id,text,label\n1,good,p\n1,bad,p\n2,fine,q", None, None),
        ("id,x,text\n1,0,up\n1,1,up", None, None),  # what is told of x
        ("id,x,q,r\n1,0,5,7\n1,1,5,7\n2,3,6,8", None, None),
        ("id,label\n1,p\n1,p\n2,q", None, None),  # no numbers
        ("id,time,label\n1,0,p\n1,1,p\n2,0,q", None, None),  # but the time
        ("user,x,label\n1,0,p\n1,1,p\n2,2,q", None, None),
        ("id,trial,x,label\n1,1,0,p\n1,1,1,p\n2,2,2,q", None, None),  # which of the two?
        ("id,x,label\n1,0,p\n1,1,p\n2,2,q", "lable", None),  # choose_columns says that there is no such column
    ],
)
def test_which_tables_are_taken_for_it(content: str, label: str | None, expected: Any) -> None:
    if isinstance(expected, tuple):
        expected = LongForm(expected[0], expected[1], tuple(expected[2].split()), expected[3])
    found = recognize_long_form(columns_of(*table(content)), Said(label))
    assert (None if found is None else found[0]) == expected


def test_a_named_text_and_many_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, WALK)
    assert read_dataset(Source(path, text="ax")).texts == ["0.5", "0.25", "0", "0.125", ".5"]
    assert read_dataset(Source(path, layout="texts")).reads is None  # a training that began before this was read
    names = [f"c{n}" for n in range(1_200)]
    rows = "".join(f"{n // 2},{','.join(['1'] * 1_200)},{'pq'[n // 2]}\n" for n in range(4))
    dataset = read_dataset(Source(write(tmp_path, f"id,{','.join(names)},label\n{rows}")))
    assert "numbers: c0 to c1199 (1,200); label" in dataset.why


BAD = {
    "a missing number": ("a,2,,5,walking", "the value of 'ax' is missing"),
    "an infinite number": ("a,2,1,inf,walking", "the value of 'ay' is not a finite number: 'inf'"),
    "a number too large": ("a,2,1e999,0,walking", "the value of 'ax' is not a finite number: '1e999'"),
    "a number as in Python": ("a,2,1_0,0,walking", "the value of 'ax' is not a finite number: '1_0'"),
    "no time": ("a, ,1,5,walking", "the value of 'time' is missing"),
    "no label": ("a,2,1,5, ", "the label is empty"),
    "no id": (" ,2,1,5,walking", "the value of 'id' is missing"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_row_that_cannot_be_used_is_refused_or_leaves_its_sequence_out(case: str, tmp_path: Path) -> None:
    row, problem = BAD[case]
    path = write(tmp_path, WALK + row + "\nc,0,1,1,walking\nd,0,2,2,standing\na,9,,,\n")
    with pytest.raises(DataError) as caught:
        read_dataset(Source(path))
    assert caught.value.message == f"{path}:7: {problem}"
    fills = "fill gaps from their neighbours with --missing interpolate or " if case == "a missing number" else ""
    assert caught.value.hint == f"{fills}leave such records out with --skip-bad"
    left = read_dataset(Source(path, skip_bad=True))
    lost = case == "no id"  # belongs to no sequence; the last row spoils 'a' all the same
    assert list(left.shown) == ["b", "c", "d"]
    assert list(left.lines) == [4, 8, 9]
    assert left.skipped == len(left.skipped_because) == (2 if lost else 1)
    assert left.skipped_because[0] == f"{path}:7: {problem}"
    assert left.why.startswith("sequences: id, 3 of them")


def test_a_label_that_changes_is_named_with_both_lines(tmp_path: Path) -> None:
    """After the rows that the guess looks at: a label that changes there is none of the sequence."""
    many = "".join(f"c,{n},1,1,standing\n" for n in range(300))
    path = write(tmp_path, f"{WALK}{many}a,2,1,5,standing\na,3,1,5,walking\n")
    with pytest.raises(DataError) as caught:
        read_dataset(Source(path))
    problem = f"{path}:307: the sequence 'a' has the label 'standing' here, but 'walking' on line 2"
    assert caught.value.message == problem
    left = read_dataset(Source(path, skip_bad=True))
    assert (list(left.shown), left.skipped, left.skipped_because) == (["b", "c"], 1, (problem,))


def test_a_time_twice_leaves_one_sequence_out(tmp_path: Path) -> None:
    path = write(tmp_path, WALK + "b,1.0,7,7,standing\nc,0,1,1,walking\n")
    with pytest.raises(DataError) as caught:
        read_dataset(Source(path))
    assert caught.value.message == f"{path}:7: the sequence 'b' has the time 1 here and on line 5"
    left = read_dataset(Source(path, skip_bad=True))
    assert list(left.shown) == ["a", "c"]
    assert (left.skipped, left.skipped_because) == (
        1,
        (f"{path}:7: the sequence 'b' has the time 1 here and on line 5",),
    )


def test_nothing_left_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "id,x,label\na,1,p\na,,p\na,2,p\n")
    with pytest.raises(DataError, match="no records"):
        read_dataset(Source(path, skip_bad=True))


def test_ids_with_spaces_around_them_are_one(tmp_path: Path) -> None:
    dataset = read_dataset(Source(write(tmp_path, "id,x,label\na,1,p\n a ,2,p\nb,3,q\n")))
    assert dataset.texts == ["[[1],[2]]", "[[3]]"]


def test_what_a_model_reads_is_found_by_name(tmp_path: Path) -> None:
    content = "note,ay,id,ax,time,mood\n-,1,a,2,1,p\n-,3,b,4,0,q\n-,5,a,6,0,p\n"
    path = write(tmp_path, content)
    found = stream_inputs(Source(path), FORM)
    assert [one._replace(value=one.value.tolist()) for one in found] == [
        Input(f"{path}:2", [[6, 5], [2, 1]], "a"),
        Input(f"{path}:3", [[4, 3]], "b"),
    ]
    assert read_dataset(Source(path, label="mood"), reads=FORM).labels == ["p", "q"]
    for missing in FORM.names[:-1]:
        other = write(tmp_path, content.replace(missing, "q", 1), "other.csv")
        for read in (
            lambda path: list(stream_inputs(Source(path), FORM)),
            lambda p: read_dataset(Source(p), True, FORM),
        ):
            with pytest.raises(DataError) as caught:
                read(other)
            assert caught.value.message == f"{other}: there is no column '{missing}', which the model reads"


def test_the_labels_of_a_file_to_evaluate(tmp_path: Path) -> None:
    path = write(tmp_path, WALK.replace("label", "mood"))
    with pytest.raises(DataError) as caught:
        read_dataset(Source(path), True, FORM)
    assert caught.value.message == f"{path}: there is no column 'label', which held the labels in training"
    with pytest.raises(DataError, match="--label: there is no column 'moon'; did you mean 'mood'"):
        read_dataset(Source(path, label="moon"), True, FORM)
    with pytest.raises(UsageError, match="--label: 'ax' tells the model how to read the numbers"):
        read_dataset(Source(path, label="ax"), True, FORM)
    dataset = read_dataset(Source(path, label="mood"), True, FORM)
    assert dataset.labels == ["walking", "standing"]
    assert (
        read_dataset(Source(path, label="mood"), True, LongForm("id", None, ("ax",), None)).texts[0] == "[[0.5],[0.25]]"
    )


def test_inputs_that_cannot_be_used_are_refused_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path, "id,time,ax,ay\na,0,1,2\na,0,1,2\n")
    with pytest.raises(DataError) as caught:
        list(stream_inputs(Source(path), FORM))
    assert caught.value.message == f"{path}:3: the sequence 'a' has the time 0 here and on line 2"


def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    """In a second; ten are given, for a machine with other things to do."""
    rows = (f"{n % 150},{n},{n / 8},{-n},{'pq'[n % 2]}\n" for n in range(100_000))
    path = write(tmp_path, "id,time,ax,ay,label\n" + "".join(rows))
    with time_limit(60):
        dataset = read_dataset(Source(path))
    assert len(dataset.texts) == 150
    assert sum(len(json.loads(text)) for text in dataset.texts) == 100_000


def dated(rows: list[tuple[str, str, str, str, str]], header: str = "machine,measured,temp,mode,state") -> str:
    return header + "\n" + "".join(",".join(row) + "\n" for row in rows)


ROWS = [
    (
        f"M{one}",
        f"2024-02-{27 + step // 12:02} {2 * step % 24:02}:00:00",
        f"{one + step}",
        "abc"[step % 3],
        "up" if one % 2 else "low",
    )
    for one in range(3)
    for step in range(4)
]


def test_any_id_dates_and_words(tmp_path: Path) -> None:
    dataset = read_dataset(Source(write(tmp_path, dated(ROWS))))
    assert dataset.reads == LongForm(
        *("machine", "measured", ("temp", "mode"), "state"), categories=(Category("mode", ("a", "b", "c")),)
    )
    assert dataset.why == (
        "sequences: machine, 3 of them in order of measured; numbers: temp; words: mode (a, b, c); label: state; "
        "change with --label"
    )
    assert dataset.inputs[1].tolist() == [[1, 1, 0, 0], [2, 0, 1, 0], [3, 0, 0, 1], [4, 1, 0, 0]]
    turned = read_dataset(Source(write(tmp_path, dated(ROWS[::-1]), "turned.csv")))
    assert list(turned.shown) == ["M2", "M1", "M0"]
    assert turned.inputs[1].tolist() == dataset.inputs[1].tolist()


def test_a_date_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    again = [*ROWS, ("M0", "2024-02-27T02:00", "9", "a", "low")]
    with pytest.raises(DataError) as caught:
        read_dataset(Source(write(tmp_path, dated(again))))
    assert caught.value.message.endswith(
        "walk.csv:14: the sequence 'M0' has the time 2024-02-27 02:00:00 here and on line 3"
    )


def test_steps_of_different_length_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_dataset(Source(write(tmp_path, dated(ROWS))))
    assert not caplog.messages
    path = write(tmp_path, dated([row for row in ROWS if row[:2] != ("M1", "2024-02-27 04:00:00")]))
    read_dataset(Source(path))
    assert caplog.messages == [
        f"{path}: 1 sequence has steps of different length in 'measured', which are read as if they were equal "
        "('M1': 4 hours before line 8, and mostly 2 hours)"
    ]


def test_dates_that_begin_with_day_or_month(tmp_path: Path) -> None:
    days = ["03/04/2024", "04/04/2024", "05/04/2024"]
    rows = [(f"M{one}", day, str(step), "a", "ab"[one % 2]) for one in range(3) for step, day in enumerate(days)]
    with pytest.raises(DataError) as caught:
        read_dataset(Source(write(tmp_path, dated(rows))))
    assert (
        "cannot tell the times in 'measured': '03/04/2024' may be day/month/year or month/day/year"
        in caught.value.message
    )
    assert "--ignore measured" in str(caught.value.hint)
    rows.append(("M0", "13/04/2024", "3", "a", "a"))
    dataset = read_dataset(Source(write(tmp_path, dated(rows))))
    assert isinstance(dataset.reads, LongForm)
    assert (dataset.reads.dates, dataset.inputs[0].tolist()) == ("dmy", [[0], [1], [2], [3]])
    assert "mode (constant)" in dataset.why


def test_words_that_the_training_did_not_see_are_none_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    form = LongForm("machine", "measured", ("temp", "mode"), "state", (Category("mode", ("a", "b")),))
    path = write(tmp_path, dated(ROWS[:4]))
    (found,) = stream_inputs(Source(path), form)
    assert found.value.tolist() == [[0, 1, 0], [1, 0, 1], [2, 0, 0], [3, 1, 0]]
    assert caplog.messages == [f"{path}:4: 'c' in 'mode' was not seen in training, and is none of a and b"]


def test_words_that_are_no_categories_are_asked(tmp_path: Path) -> None:
    rows = [(*row[:3], f"note{at}", row[4]) for at, row in enumerate(ROWS)]
    with pytest.raises(DataError) as caught:
        read_dataset(Source(write(tmp_path, dated(rows))))
    assert "table of series with one row per timestep" in caught.value.message
    assert "'mode' holds words (note0)" in caught.value.message
    assert "--ignore mode --label state" in str(caught.value.hint)
    assert len(read_dataset(Source(write(tmp_path, dated(rows)), ignore="mode")).texts) == 3
    many = [(f"M{at // 8}", str(at % 8), str(at), f"k{at % 60 if at > 400 else at % 9}", "up") for at in range(640)]
    with pytest.raises(DataError, match="'mode' holds more than 50 different words"):
        read_dataset(Source(write(tmp_path, dated(many))))


def test_gaps_are_filled_along_the_times_of_their_sequence(tmp_path: Path) -> None:
    content = "id,time,x,y,label\na,0,,1,p\na,1,2,,p\na,3,6,7,p\na,4,,,p\nb,0,1,1,q\nb,2,NA,null,q\nb,1,?,2,q\n"
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=r":2: the value of 'x' is missing"):
        read_dataset(Source(path))
    dataset = read_dataset(Source(path, missing="interpolate"))
    assert dataset.inputs[0].tolist() == [[2, 1], [2, 3], [6, 7]]
    assert dataset.inputs[1].tolist() == [[1, 1], [1, 2]]
    path = write(tmp_path, "id,time,x,label\na,0,1,p\na,1,,p\na,2,,p\nb,0,2,q\nb,1,,q\nb,2,3,q\n")
    with pytest.raises(DataError, match=r":6: the value of 'x' is missing"):
        read_dataset(Source(path))
    assert read_dataset(Source(path, skip_bad=True)).inputs == [np.array([[1.0]])]
    path = write(tmp_path, "id,time,x,y,label\na,0,1,,p\na,1,2,,p\nb,0,2,1,q\nb,1,3,1,q\n")
    with pytest.raises(DataError, match=r":2: the sequence 'a' has no values at place 2"):
        read_dataset(Source(path, missing="interpolate"))


def test_columns_that_the_user_names(tmp_path: Path) -> None:
    rows = "".join(f"{n % 3},{n // 3},{n},{n * 2},{'pq'[n % 3 % 2]}\n" for n in range(12))
    path = write(tmp_path, f"a,b,c,d,e\n{rows}")
    dataset = read_dataset(Source(path, id="a", time="b", features="d", label="e"))
    assert dataset.reads == LongForm("a", "b", ("d",), "e")
    assert dataset.inputs[1].tolist() == [[2], [8], [14], [20]]


def test_a_file_of_one_sequence_needs_no_id(tmp_path: Path) -> None:
    path = write(tmp_path, "time,ax,ay\n1,2,3\n0,4,5\n")
    (found,) = stream_inputs(Source(path), FORM)
    assert (found.value.tolist(), found.shown) == ([[4, 5], [2, 3]], path)
    path = write(tmp_path, "time,ax,ay,who\n1,2,3,a\n1,4,5,b\n")
    with pytest.raises(DataError, match="there is no column 'id', which the model reads"):
        list(stream_inputs(Source(path), FORM))
    found = list(stream_inputs(Source(path, id="who"), FORM))
    assert [one.shown for one in found] == ["a", "b"]


def test_numbers_that_may_be_labels_are_asked(tmp_path: Path) -> None:
    rows = "".join(f"M{n % 4},{n // 4},{n / 8},{n % 4 % 2}\n" for n in range(24))
    path = write(tmp_path, f"machine,t,x,fault\n{rows}")
    with pytest.raises(DataError) as caught:
        read_dataset(Source(path))
    assert "nothing says that 'fault' (0) is their label" in caught.value.message
    assert "--label fault" in str(caught.value.hint)
    assert len(read_dataset(Source(path, label="fault")).texts) == 4
