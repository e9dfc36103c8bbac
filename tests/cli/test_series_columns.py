"""Series whose time, id or label is not in one column: a date and its time of day, ids of two columns, files."""

from __future__ import annotations

import math
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rnncli.data.dataset import Source
from rnncli.data.opening import read_dataset
from rnncli.tasks.model import Model

SMALL = ["--hidden", "4", "--epochs", "1", "--workers", "1", "--validation", "0.25"]


def wave(kind: int, count: int = 12, start: int = 0) -> list[float]:
    return [round(math.sin((0.3, 0.8)[kind] * step + start) + 0.01 * (step * 7 % 5), 3) for step in range(count)]


def table(names: str, rows: Iterable[Sequence[object]], mark: str = ",") -> str:
    return "\n".join([names, *(mark.join(map(str, row)) for row in rows)]) + "\n"


def read_as(cli: Any, *arguments: object) -> dict[str, str]:
    """The columns of each role, as a dry run says."""
    roles: dict[str, list[str]] = {}
    for column in cli.works("train", *arguments, "--dry-run", "--json").json["columns"]:
        roles.setdefault(column["role"], []).append(column["name"])
    return {role: ",".join(names) for role, names in roles.items()}


def command_in(text: str, begin: str = "rnncli train") -> list[str]:
    """The words of the first command in a refusal."""
    found = text[text.index(begin) :].split("\n")[0]
    return shlex.split(re.split(r"; |\. (?=[A-Z])", found)[0])[1:]


HOURS = [(day, hour) for day in range(1, 21) for hour in range(24)]
LOAD = [round(50 + 9 * math.sin(at / 4) + at % 7, 1) for at in range(len(HOURS))]
IN_TIME = {
    "a date and a time of day": ("Date,Time,load", ["{y}-{m:02}-{d:02}", "{h:02}:00"], "2024-03-21 00:00"),
    "points in times of day": ("Date,Time,load", ["{d:02}/{m:02}/{y}", "{h:02}.00.00"], "21/03/2024 00:00:00"),
    "hours as numbers": ("dteday,hr,load", ["{y}-{m:02}-{d:02}", "{h}"], "2024-03-21 00:00"),
    "midnights": ("Date,hour,load", ["{y}-{m:02}-{d:02} 00:00:00", "{h}"], "2024-03-21 00:00"),
    "units": ("load,year,month,day,hour", ["{y}", "{m}", "{d}", "{h}"], "2024-03-21 00:00"),
    "months by name": ("Year,Month,Day,Time,load", ["{y}", "March", "{d}", "{h}:00"], "2024-03-21 00:00"),
    "hours of four digits": ("Date,HHMM,load", ["{y}/{m:02}/{d:02}", "{h:02}00"], "2024/03/21 00:00"),
    "the time first": ("time,date,load", ["{h}:00 PM", "{y}-{m:02}-{d:02}"], None),
}


@pytest.mark.parametrize("case", IN_TIME)
def test_columns_that_are_a_time_together(cli: Any, case: str) -> None:
    names, spellings, following = IN_TIME[case]
    hours = HOURS if following else [(day, hour) for day, hour in HOURS if 1 <= hour <= 11]
    rows = []
    for (day, hour), load in zip(hours, LOAD, strict=False):
        parts = [spelling.format(y=2024, m=3, d=day, h=hour) for spelling in spellings]
        rows.append([load, *parts] if names.startswith("load") else [*parts, load])
    cli.write("a.csv", table(names, rows))
    together = ",".join(name for name in names.split(",") if name != "load")
    assert read_as(cli, "a.csv") == {"time": together, "label": "load"}
    assert read_as(cli, "a.csv", "--time", together, "--task", "forecast") == {"time": together, "label": "load"}
    if following is None:
        return
    found = cli.works(
        "train", "a.csv", "--hidden", "4", "--epochs", "1", "--workers", "1", "--window", "6", "--name", "m"
    )
    assert "are one time; one series: load" in found.err
    assert cli.works("predict", "a.csv", "-m", "m").rows[0][0] == following
    cli.write("b.csv", table(names, rows[24:]))
    evaluated = cli.works("evaluate", "b.csv", "-m", "m", "--json").json
    assert evaluated["rows"] == len(rows) - 24 - 6
    shuffled = rows[1::2] + rows[::2]
    cli.write("c.csv", table(names, shuffled))
    assert (
        cli.works("predict", "c.csv", "-m", "m").out.replace("c.csv", "a.csv")
        == cli.works("predict", "a.csv", "-m", "m").out
    )


NOT_TOGETHER = {
    "a date alone tells": ("date,sunrise time,load", [f"2024-03-{d:02},6:{d:02},{d * d % 7}.5" for d in range(1, 29)]),
    "a time named by the user": (
        "n,Date,Time,load",
        [f"{n},2024-03-0{1 + n // 9},1{n % 9}:00,{n % 5}.5" for n in range(40)],
    ),
}


def test_columns_that_are_not_joined(cli: Any) -> None:
    names, rows = NOT_TOGETHER["a date alone tells"]
    cli.write("a.csv", "\n".join([names, *rows]) + "\n")
    assert read_as(cli, "a.csv", "--task", "forecast", "--label", "load")["time"] == "date"
    names, rows = NOT_TOGETHER["a time named by the user"]
    cli.write("a.csv", "\n".join([names, *rows]) + "\n")
    assert read_as(cli, "a.csv", "--task", "forecast", "--label", "load", "--time", "n")["time"] == "n"
    missing = cli.refuses(3, "there is no column 'Hour'", "train", "a.csv", "--time", "Date,Hour")
    assert "Time" in missing.err
    cli.write("b.csv", table("Date,Time,load", [("2024-03-01", "10:00", 1.5), ("2024-03-01", "", 2.5)] + [
        ("2024-03-02", f"1{n}:00", n) for n in range(9)
    ]))  # fmt: skip
    cli.refuses(3, "b.csv:3: the value of 'Date,Time' is missing", "train", "b.csv", "--task", "forecast")


def test_rows_without_any_value_are_none(cli: Any) -> None:
    rows = [(f"2024-03-{1 + n // 24:02}", f"{n % 24}:00", n % 7) for n in range(60)]
    cli.write("a.csv", table("Date,Time,x", [*rows, ("", "", ""), ("", "", "")]))
    found = cli.works("train", "a.csv", "--task", "forecast", "--hidden", "4", "--epochs", "1", "--window", "6")
    assert "left out: 2 rows without any value" in found.err
    assert "60 timesteps" in found.err


def test_the_order_of_day_and_month_by_the_steps_between_dates(cli: Any) -> None:
    hours = [f"{day:02}/03/2024 {hour:02}:00,{load}" for (day, hour), load in zip(HOURS, LOAD, strict=True)]
    for count, says in ((9 * 24, "the dates in 'when' are day/month/year"), (480, "")):  # 13/03/2024 says it itself
        cli.write("a.csv", "\n".join(["when,load", *hours[:count]]) + "\n")
        assert (
            says
            in cli.works("train", "a.csv", "--hidden", "4", "--epochs", "1", "--window", "6", "--name", f"m{count}").err
        )
    assert cli.works("predict", "a.csv", "-m", "m216").rows[0][0] == "21/03/2024 00:00"
    cli.write("b.csv", "\n".join(["when,load", *(f"0{n}/03/2024,{n * n % 7}" for n in range(1, 9))]) + "\n")
    cli.refuses(3, "may be day/month/year or month/day/year", "train", "b.csv", "--task", "forecast")


TRIALS = [
    (subject, trial, step, value, "ab"[(subject + trial) % 2])
    for subject in range(1, 6)
    for trial in range(1, 5)
    for step, value in enumerate(wave((subject + trial) % 2, 12, subject))
]
TOGETHER = {
    "a trial of a subject": ("subject,trial,time,x,label", TRIALS),
    "without times": ("subject,trial,x,label", [(s, t, x, y) for s, t, _, x, y in TRIALS]),
    "words": ("person,take,time,x,label", [(f"p{s}", f"take {t}", k, x, y) for s, t, k, x, y in TRIALS]),
    "three": ("site,subject,trial,time,x,label", [(s // 3, s % 3, t, k, x, y) for s, t, k, x, y in TRIALS]),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_an_id_of_several_columns(cli: Any, case: str) -> None:
    names, rows = TOGETHER[case]
    cli.write("a.csv", table(names, rows))
    refused = cli.refuses(3, "together say which series a row belongs to", "train", "a.csv")
    words = command_in(refused.err)
    ids = words[words.index("--id") + 1]
    assert read_as(cli, *words[1:])["id"] == ids
    dataset = read_dataset(Source("a.csv", id=ids))
    assert len(dataset.inputs) == 20
    assert dataset.shown[0] == ",".join(map(str, rows[0][: ids.count(",") + 1]))
    assert dataset.inputs[0][:, -1].tolist() == wave(0, 12, 1)
    cli.works(*words, *SMALL, "--name", "m")
    predicted = cli.works("predict", "a.csv", "-m", "m", "-o", "p.csv")
    assert predicted.code == 0
    lines = Path("p.csv").read_text().splitlines()
    assert lines[0].startswith(ids)
    assert len(lines) == 21


def test_series_of_stores_and_items(cli: Any) -> None:
    days = [f"2023-{1 + n // 28:02}-{1 + n % 28:02}" for n in range(240)]
    rows = [(day, s, i, 10 * s + i + n % 7) for s in (1, 2) for i in (1, 2) for n, day in enumerate(days)]
    cli.write("long.csv", table("date,store,item,sales", rows))
    refused = cli.refuses(3, "nothing says which is to be predicted", "train", "long.csv")
    assert read_as(cli, *command_in(refused.err)[1:]) == {"id": "store,item", "time": "date", "label": "sales"}
    late = cli.refuses(3, "long.csv:242: the sequence 'long.csv' has the time 2023-01-01 here and on line 2", "train",
                       "long.csv", "--task", "forecast", "--label", "sales")  # fmt: skip
    assert read_as(cli, *command_in(late.err)[1:])["id"] == "store,item"
    rows.sort(key=lambda row: row[0])
    cli.write("days.csv", table("date,store,item,sales", rows))
    for arguments in ([], ["--label", "sales"], ["--task", "forecast", "--label", "sales"]):
        early = cli.refuses(3, "days.csv", "train", "days.csv", *arguments)
        assert read_as(cli, *command_in(early.err)[1:]) == {"id": "store,item", "time": "date", "label": "sales"}


def test_a_label_that_changes_within_a_series(cli: Any) -> None:
    steps = [
        (t, *pair, ["sit", "walk"][t // 10 % 2]) for t, pair in enumerate(zip(wave(0, 120), wave(1, 120), strict=True))
    ]
    cli.write("one.csv", table("time,x,y,activity", steps))
    says = "one.csv:12: the series has 'walk' in 'activity' here, and 'sit' at one.csv:2, but a series has one label"
    _runs_are_series(cli, cli.refuses(3, says, "train", "one.csv").err, "one-2.jsonl", 12)
    cli.write("two.csv", table("who,time,x,y,activity", [(who, *step) for who in ("a", "b") for step in steps]))
    says = "two.csv:12: the series 'a' has 'walk' in 'activity' here, and 'sit' at two.csv:2"
    _runs_are_series(cli, cli.refuses(3, says, "train", "two.csv").err, "two-2.jsonl", 24)


def _runs_are_series(cli: Any, refused: str, made: str, count: int) -> None:
    shell = refused[refused.index("python3 -c") :].strip().replace("python3", shlex.quote(sys.executable), 1)
    subprocess.run(shell, shell=True, check=True, cwd=cli.folder)
    assert f"{count} of them in order of time" in cli.works("train", made, *SMALL).err


def test_a_time_that_stands_twice(cli: Any) -> None:
    months = [f"{1990 + n // 12}-{1 + n % 12:02}" for n in range(60)]
    cli.write("a.csv", table("month,sold", [*zip(months, wave(0, 60), strict=True), ("1994-12", 3)]))
    for arguments in ([], ["--task", "forecast"]):
        refused = cli.refuses(3, "a.csv:62: 'month' has 1994-12 here and at a.csv:61", "train", "a.csv", *arguments)
        assert read_as(cli, *command_in(refused.err)[1:]) == {"label": "sold", "ignored": "month"}


def recordings(cli: Any, names: str, name: str, *, label: bool = True, time: bool = True) -> None:
    Path("data").mkdir()
    for number in range(12):
        kind = number % 2
        rows = [
            [*([step] if time else []), value, *([["walk", "sit"][kind]] if label else [])]
            for step, value in enumerate(wave(kind, 12, number))
        ]
        cli.write(f"data/{name.format(number=number, label=['walk', 'sit'][kind])}", table(names, rows))


@pytest.mark.parametrize("arguments", [["data"], [f"data/r{number:02}.csv" for number in range(12)]])
def test_a_series_in_each_file_with_its_label(cli: Any, arguments: list[str]) -> None:
    recordings(cli, "time,x,activity", "r{number:02}.csv")
    found = cli.works("train", *arguments, *SMALL, "--name", "m")
    assert "12 files, each of them a sequence; sequences: series_id, 12 of them in order of time" in found.err
    dataset = read_dataset(Source(arguments[0], more=tuple(arguments[1:])))
    assert list(dataset.labels) == ["walk", "sit"] * 6
    assert dataset.inputs[3].tolist() == [[value] for value in wave(1, 12, 3)]
    assert dataset.shown[3] == "data/r03.csv"
    several = cli.works("predict", "data", "-m", "m").rows
    assert [row[-1] for row in several] == [f"data/r{number:02}.csv" for number in range(12)]
    assert cli.works("predict", "data/r03.csv", "-m", "m").rows[0][:2] == several[3][:2]
    cli.works("train", "--resume", "m", "--epochs", "2")


def test_a_series_in_each_file_without_a_time(cli: Any) -> None:
    recordings(cli, "x,activity", "r{number:02}.csv", time=False)
    refused = cli.refuses(3, "data: ", "train", "data")
    words = command_in(refused.err)
    assert words[:4] == ["train", "data", "--id", "series_id"]
    assert "12 of them in order of the file" in cli.works(*words, *SMALL).err


@pytest.mark.parametrize("name", ["{label}_{number:02}.csv", "{number:02}-{label}.csv", "{label}2.{number}.csv"])
def test_a_series_in_each_file_with_its_label_in_the_name(cli: Any, name: str) -> None:
    recordings(cli, "time,x", name, label=False)
    refused = cli.refuses(3, "If the names of the files say their labels", "train", "data").err
    shell, _, then = refused[refused.index("python3 -c") :].partition(" && ")
    subprocess.run(shell.replace("python3", shlex.quote(sys.executable), 1), shell=True, check=True, cwd=cli.folder)
    words = then.partition(". ")[0].split()[1:]
    assert words == ["train", "data-2"]
    labels = read_dataset(Source("data-2")).labels
    assert sorted(set(labels)) == [f"sit{'2' * ('}2' in name)}", f"walk{'2' * ('}2' in name)}"]
    assert len(labels) == 12
    forecast = cli.refuses(3, "data", "train", "data", "--task", "forecast", "--label", "x").err
    assert read_as(cli, *command_in(forecast)[1:])["id"] == "series_id"


def archived(kinds: str, mark: str, start: int, number: str = "{:.5f}") -> str:
    """A series a line behind its label, as older files of the UCR archive have them."""
    rows = [[int(kind), *wave(int(kind) - 1, 16, start + at)] for at, kind in enumerate(kinds)]
    return "\n".join(mark.join(number.format(value) for value in row) for row in rows) + "\n"


OLDER = {"commas": (",", "{:.5f}"), "double spaces": ("  ", "{:.7e}"), "tabs": ("\t", "{:g}")}


@pytest.mark.parametrize("case", OLDER)
def test_series_in_a_file_whose_name_says_no_format(cli: Any, case: str) -> None:
    for name, kinds, start in (("Coffee_TRAIN", "12" * 8, 0), ("Coffee_TEST", "1221", 40)):
        cli.write(name, archived(kinds, OLDER[case][0], start, OLDER[case][1]))
    found = cli.works("train", "Coffee_TRAIN", "--test", "Coffee_TEST", *SMALL, "--name", "m", "--json")
    assert found.json["test"]["rows"] == 4
    assert Model.load("runs/m/model.safetensors").labels == ("1", "2")
    assert "sequences: each of 16 rows, timesteps: 2 to 17 (16); label: 1" in found.err
    assert len(cli.works("predict", "Coffee_TEST", "-m", "m").rows) == 4
    assert cli.works("evaluate", "Coffee_TEST", "-m", "m").rows[0] == ["rows", "4"]


PRICES = [
    (f"{1 + n // 28:02}/{1 + n % 28:02}/2024", round(90 + 9 * value, 2), value) for n, value in enumerate(wave(0, 80))
]
WRITTEN = {
    "millions and percents": (
        "Date,Price,Open,Vol.,Change %",
        [(d, p, p + 1, f"{p:.1f}M", f"{c:.2f}%") for d, p, c in PRICES],
    ),
    "thousands": ("Date,Price", [(d, f'"{37 * p:,.2f}"') for d, p, _ in PRICES]),
    "whole thousands": ("Date,Price,Vol", [(d, p, f'"{37000 * p:,.0f}"') for d, p, _ in PRICES]),
    "a currency": ("Date,Price,Fee", [(d, p, f"${p:.2f}") for d, p, _ in PRICES]),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_numbers_as_people_write_them_beside_prices(cli: Any, case: str) -> None:
    cli.write("a.csv", table(*WRITTEN[case]))
    words = ["train", "a.csv"]
    for _ in range(2):  # how numbers are written, and which of them is to be predicted
        found = cli(*words, "--dry-run", "--json")
        if found.code == 0:
            break
        assert found.code == 3
        words = command_in(found.err)
    found = cli.works(*words, "--dry-run", "--json")
    assert found.json["task"] == "forecast"
    assert next(one["role"] for one in found.json["columns"] if one["name"] == "Price") == "label"


@pytest.mark.parametrize("task", ["forecast", "regress"])
def test_several_numbers_are_predicted_by_a_model_each(cli: Any, task: str) -> None:
    months = [f"{1990 + n // 12}-{1 + n % 12:02}" for n in range(60)]
    rows = zip(months, [n * n % 5 for n in range(60)], wave(0, 60), wave(1, 60), strict=True)
    cli.write("a.csv", table("month,rain,sold,price", rows))
    says = f"--label names 2 columns, and a model of --task {task} predicts one number"
    refused = cli.refuses(2, says, "train", "a.csv", "--task", task, "--label", "sold,price")
    assert read_as(cli, *command_in(refused.err)[1:])["label"] == "sold"


def test_labels_of_files_in_folders(cli: Any) -> None:
    """A column of labels counts before the names of folders, which may be those of persons."""
    for number in range(12):
        rows = [(step, value, "ab"[number % 2]) for step, value in enumerate(wave(number % 2, 12, number))]
        (cli.folder / "data" / f"p{number % 3}").mkdir(parents=True, exist_ok=True)
        cli.write(f"data/p{number % 3}/r{number}.csv", table("time,x,label", rows))
    dataset = read_dataset(Source("data"))
    assert "labels are what the files have in 'label', not the names of their folders" in dataset.why
    assert [int(name.partition("/r")[2][:-4]) % 2 for name in dataset.shown] == [
        "ab".index(one) for one in dataset.labels
    ]
