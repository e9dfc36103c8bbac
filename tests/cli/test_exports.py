"""Measurements as loggers, archives and shops export them: what orders the rows, what tells series apart, amounts."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cli.test_series_columns import SMALL, command_in, read_as, table

RNG = random.Random(3)
KINDS = ("walk", "run")


def number() -> float:
    return round(RNG.gauss(0, 1), 3)


def recordings(times: Sequence[object], ids: Sequence[object]) -> list[list[object]]:
    """A row a timestep: id, time, two numbers, and a label that is the same in all rows of an id."""
    return [[id, time, number(), number(), KINDS[at % 2]] for at, id in enumerate(ids) for time in times]


IDS = [f"S{at:02}" for at in range(12)]
IN_ORDER = {  # names of the columns, times of a series
    "nanoseconds": ("device_id,ts,x,y,label", [1672531200000000000 + 250000000 * at for at in range(8)]),
    "milliseconds, of uneven steps": ("device_id,ts,x,y,label", [1672531200000 + at * at for at in range(8)]),
    "frames": ("gesture_instance,frame_nr,x,y,label", range(3, 11)),
    "rows by number": ("file_name,row,x,y,label", range(8)),
    "measurements by number": ("series_id,measurement_number,x,y,label", range(1, 9)),
    "seconds, in German": ("Versuch,Zeit [s],x,y,label", [0.25 * at for at in range(8)]),
}


@pytest.mark.parametrize("case", IN_ORDER)
def test_what_counts_the_rows_of_each_series_orders_them(cli: Any, case: str) -> None:
    names, times = IN_ORDER[case]
    rows = recordings(times, IDS)
    read = []
    for name in ("sorted.csv", "mixed.csv"):
        cli.write(name, table(names, rows))
        id, time = names.split(",")[:2]
        assert read_as(cli, name) == {"id": id, "time": time, "input": "x,y", "label": "label"}
        read.append(cli.works("train", name, "--dry-run", "--json").json["records"])
        rows = [row for at in range(0, len(rows), 8) for row in reversed(rows[at : at + 8])]
    assert read[0] == read[1]


DAYS = [f"2024-{1 + at // 28:02}-{1 + at % 28:02}" for at in range(40)]
SEVERAL = {  # header, rows, the id that tells the series apart, what may be predicted
    "an id and whole numbers": (
        *("unique_id,ds,y", [(f"H{one}", at + 1, number()) for one in range(3) for at in range(40)]),
        *("unique_id", "y"),
    ),
    "shops and whether it is a holiday": (
        "Store,Dept,Date,Weekly_Sales,IsHoliday",
        [
            (a, b, day, number(), str(at % 13 == 0).upper())
            for a, b, (at, day) in product((1, 2), (1, 2), enumerate(DAYS))
        ],
        *("Store,Dept", "Weekly_Sales"),
    ),
    "shops by number, all open": (
        "Store,Date,Sales,Open",
        [(a, day, number(), 1) for day in DAYS for a in (1, 2)],
        *("Store", "Sales"),
    ),
    "rows that are numbered": (
        "id,date,store_nbr,family,sales",
        [(at, *row, number()) for at, row in enumerate(product(DAYS, (1, 2), ("BEAUTY", "FOOD")))],
        *("store_nbr,family", "sales"),
    ),
    "stations with their names": (
        "STATION,NAME,DATE,PRCP",
        [(f"US{a}", f"CITY {a} NY US", day, number()) for a in (4, 5) for day in DAYS],
        *("STATION", "PRCP"),
    ),
    "engines of many sensors": (
        "unit,cycle,s2,s3,s4,RUL",
        [(a, at, number(), number(), number(), 20 - at) for a in range(1, 8) for at in range(1, 20)],
        *("unit", "s2"),
    ),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_the_columns_that_tell_series_apart(cli: Any, case: str) -> None:
    names, rows, id, label = SEVERAL[case]
    cli.write("a.csv", table(names, rows))
    refused = cli.refuses(3, "nothing says which is to be predicted", "train", "a.csv").err
    roles = read_as(cli, *command_in(refused)[1:])
    assert (roles["id"], roles["label"]) == (id, label)
    if "regress" in refused:
        regress = command_in(refused[refused.index("to predict a number of each row") :])
        assert read_as(cli, *regress[1:])["id"] == id


def test_engines_whose_remaining_life_is_predicted(cli: Any) -> None:
    cli.write("a.csv", table(*SEVERAL["engines of many sensors"][:2]))
    roles = read_as(cli, "a.csv", "--task", "regress", "--label", "RUL")
    assert roles == {"id": "unit", "time": "cycle", "input": "s2,s3,s4", "label": "RUL"}


def test_rows_of_several_series_are_not_one_series(cli: Any) -> None:
    cli.write("a.csv", table("plant,mw", [(f"P{one}", number()) for one in range(3) for _ in range(30)]))
    says = "'plant' (P0) may say which series a row belongs to"
    refused = cli.refuses(3, says, "train", "a.csv", "--task", "forecast", "--label", "mw").err
    assert read_as(cli, *command_in(refused)[1:]) == {"id": "plant", "label": "mw"}
    one = command_in(refused[refused.index("if all rows are one series") :])
    assert read_as(cli, *one[1:])["label"] == "mw"


SECONDS = {  # header, first values of a row
    "a phone": ('"Time (s)","Acceleration x (m/s^2)"', [(f"{at / 100:.9E}",) for at in range(60)]),
    "an exchange": ("1,2", [(1609459200000 + 60000 * at,) for at in range(60)]),
}


@pytest.mark.parametrize("case", SECONDS)
def test_times_that_are_numbers(cli: Any, case: str) -> None:
    names, times = SECONDS[case]
    cli.write("a.csv", table(names, [(*time, number()) for time in times]))
    given = ("--no-header",) if case == "an exchange" else ()
    rows = [(*time, number()) for time in times]
    cli.write("a.csv", table(names, rows).partition("\n")[2] if given else table(names, rows))
    time, label = ("1", "2") if given else ("Time (s)", "Acceleration x (m/s^2)")
    assert read_as(cli, "a.csv", "--task", "forecast", "--label", label) == {"time": time, "label": label}


AMOUNTS = {
    "prices": (
        "Date,Close,Volume,Open",
        [(day, f"${150 + number():.2f}", at * at, f"${number():.2f}") for at, day in enumerate(DAYS)],
    ),
    "units": (
        "device,time,temp,volt,state",
        [(a, at, f"{number()}°C", f"{number():.3f}V", KINDS[int(a[1:]) % 2]) for a in IDS for at in range(8)],
    ),
    "percents": (
        "cell_id,cycle,soc,state",
        [(a, at, f"{at * 7}%", KINDS[int(a[1:]) % 2]) for a in IDS for at in range(8)],
    ),
}


@pytest.mark.parametrize("case", AMOUNTS)
def test_amounts_are_not_left_out_in_silence(cli: Any, case: str) -> None:
    cli.write("a.csv", table(*AMOUNTS[case]))
    refused = cli.refuses(3, "amounts, which are not read as numbers", "train", "a.csv").err
    assert ("--task forecast --label Volume" in refused) is (case == "prices")
    shell(cli.folder, refused[refused.index("python3 -c") :].split(" > ")[0] + " > a-2.jsonl")
    asked = ("--task", "forecast", "--label", "Close") if case == "prices" else ()
    roles = read_as(cli, "a-2.jsonl", *asked)
    assert roles["input"] == {"prices": "Volume,Open", "units": "temp,volt", "percents": "soc"}[case]


def shell(folder: Path, command: str) -> None:
    found = command.replace("python3", sys.executable, 1)
    subprocess.run(["bash", "-c", found], cwd=folder, check=True, timeout=60)


def test_several_lists_of_numbers_are_not_one(cli: Any) -> None:
    records = [
        {"x": [number() for _ in range(6)], "y": [number() for _ in range(6)], "label": "ab"[at % 2]}
        for at in range(20)
    ]
    cli.write("a.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    refused = cli.refuses(3, "2 columns hold rows of numbers, 'x'", "train", "a.jsonl").err
    assert read_as(cli, *command_in(refused.replace(" or ", "; or "))[1:])["label"] == "label"
    shell(cli.folder, refused[refused.index("python3 -c") :].strip())
    found = cli.works("train", "a-2.jsonl", "--dry-run", "--json").json
    first = [list(pair) for pair in zip(records[0]["x"], records[0]["y"], strict=True)]
    assert found["records"][0]["input"].startswith(
        f"6 timesteps of 2 numbers: [{json.dumps(first[0]).replace(' ', '')},"
    )


@pytest.mark.parametrize("written", ["array([{}])", "np.array([{}])", "tensor([{}], dtype=torch.float64)"])
def test_arrays_as_libraries_show_them(cli: Any, written: str) -> None:
    rows = [('"' + written.format(", ".join(str(number()) for _ in range(5))) + '"', "ab"[at % 2]) for at in range(20)]
    cli.write("a.csv", table("signal,label", rows))
    found = cli.works("train", "a.csv", "--dry-run", "--json").json
    assert "sequences: each cell of signal; label: label" in found["why"]


def test_comments_above_a_header(cli: Any) -> None:
    cli.write("a.csv", "# logger 2\n# in g\n" + table("id,time,x,y,label", recordings(range(8), IDS)))
    refused = cli.refuses(3, "a.csv:3: these seem to be the names of the columns", "train", "a.csv").err
    shell(cli.folder, refused[refused.index("tail ") :].strip())
    assert read_as(cli, "a-2.csv") == {"id": "id", "time": "time", "input": "x,y", "label": "label"}


BLOCKS = {  # name, between numbers, whether each block has its label above it
    "as first published": ("ae.train", " ", False),
    "tabs": ("ae.dat", "\t", False),
    "commas": ("ae.csv", ",", False),
    "a text": ("ae.txt", " ", False),
    "labels": ("lp1.data", "\t", True),
    "labels in a text": ("moves.txt", " ", True),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_blocks_of_rows_between_blank_lines_are_series(cli: Any, case: str) -> None:
    name, mark, labelled = BLOCKS[case]
    blocks = [[[number() for _ in range(4)] for _ in range(5 + at % 3)] for at in range(20)]
    lines = [
        [*([KINDS[at % 2]] * labelled), *(mark.join(map(str, row)) for row in one)] for at, one in enumerate(blocks)
    ]
    cli.write(name, "".join("\n".join(one) + "\n\n" for one in lines))
    says = "blank lines separate blocks of rows of numbers"
    refused = cli.refuses(3, says, "train", name).err
    shell(cli.folder, refused[refused.index("python3 -c") :].strip())
    made = refused.rpartition(" > ")[2].strip()
    records = [json.loads(line) for line in (cli.folder / made).read_text().splitlines()]
    assert [record["sequence"] for record in records] == blocks
    if labelled:
        assert read_as(cli, made) == {"input": "sequence", "label": "label"}
    else:
        assert "add a column with the label of each series" in cli.refuses(3, "the label", "train", made).err


def test_paragraphs_with_numbers_are_a_text(cli: Any) -> None:
    cli.write("a.txt", "1 2 3\nso it was\n\nand so 4\n5 6 7\n\n" * 9)
    assert cli.works("train", "a.txt", "--dry-run", "--json").json["task"] == "lm"


def test_lists_of_numbers_are_no_labels_but_go_on(cli: Any) -> None:
    records = [
        {"start": "2020-01-01", "target": [number() for _ in range(60)], "item_id": f"T{at}", "cat": [at]}
        for at in range(4)
    ]
    cli.write("a.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    refused = cli.refuses(3, "'target' holds lists", "train", "a.jsonl").err
    found = cli.works(*command_in(refused), "--dry-run", "--json").json
    assert found["why"] == cli.works("train", "a.jsonl", "--task", "forecast", "--dry-run", "--json").json["why"]
    assert "each in one value of target" in found["why"]


def test_a_total_below_a_series_is_left_out_by_the_command(cli: Any) -> None:
    rows = [(day, number()) for day in DAYS]
    cli.write("a.csv", table("date,x", [*rows, ("Total", 3)]))
    refused = cli.refuses(3, "'Total' is neither a number nor a date", "train", "a.csv").err
    shell(cli.folder, refused[refused.index("sed ") :].split("; or ")[0])
    assert (cli.folder / "a-2.csv").read_text() == table("date,x", rows)


def test_quoted_values_with_commas_between_them(cli: Any) -> None:
    rows = [(f'"{at}"', f'"{day} 10:00"', number(), at // 20) for at, day in enumerate(DAYS)]
    cli.write("room.txt", table('"date","x","occupied"', rows))
    refused = cli.refuses(3, "each line has 4 values in quotes", "train", "room.txt").err
    assert "--format csv --delimiter comma" in refused
    read_as(cli, *command_in(refused)[1:], "--task", "forecast", "--label", "x")


def test_each_command_for_a_label_reads_rows_that_are_series(cli: Any) -> None:
    names = ["patient", "age", "sex", *(f"s{at}" for at in range(9)), "diagnosis"]
    rows = [
        (f"P{at}", 30 + at * 7 % 20, "mf"[at % 2], *(number() for _ in range(9)), KINDS[at // 2 % 2])
        for at in range(24)
    ]
    cli.write("a.csv", table(",".join(names), rows))
    refused = cli.refuses(3, "its label may be in 'sex' (m) and 'diagnosis' (walk)", "train", "a.csv").err
    for label, after in (("sex", 0), ("diagnosis", refused.index(" or rnncli"))):
        assert read_as(cli, *command_in(refused[after:].replace(" or rnncli", "; rnncli"))[1:])["label"] == label


MISSING = ["\\N", "#DIV/0!", "-nan(ind)", "1.#QNAN"]


@pytest.mark.parametrize("written", MISSING)
def test_a_value_that_a_program_could_not_compute_is_missing(cli: Any, written: str) -> None:
    rows = recordings(range(8), IDS)
    rows[3][2] = written
    cli.write("a.csv", table("id,time,x,y,label", rows))
    says = "a.csv:5: the value of 'x' is missing"
    assert "--missing interpolate" in cli.refuses(3, says, "train", "a.csv").err
    assert read_as(cli, "a.csv", "--missing", "interpolate")["input"] == "x,y"


def test_a_model_that_fills_gaps_fills_them_when_it_is_opened(cli: Any) -> None:
    rows = recordings(range(8), IDS)
    rows[3][2] = "NaN"
    cli.write("a.csv", table("id,time,x,y,label", rows))
    cli.works("train", "a.csv", "--missing", "interpolate", *SMALL, "--name", "m")
    assert cli.works("inspect", "a.csv", "--timesteps", "-m", "m").rows[0][0] == "t"


def test_rows_of_numbers_beside_a_file_of_labels(cli: Any) -> None:
    cli.write("x.txt", "".join("  ".join(f"{number():.6e}" for _ in range(9)) + "\n" for _ in range(30)))
    cli.write("y.txt", "".join(f"{1 + at % 3}\n" for at in range(30)))
    refused = cli.refuses(3, "so a line of one seems to go with that of another", "train", "x.txt", "y.txt").err
    cli.works(*command_in(refused), *SMALL, "--name", "m")
    assert len(cli.works("predict", "x.txt", "-m", "m").rows) == 30


def test_objects_of_numbers_in_a_list_are_a_series(cli: Any) -> None:
    records = [
        {"kind": KINDS[at % 2], "samples": [{"t": step, "x": number(), "y": number()} for step in range(6)]}
        for at in range(20)
    ]
    cli.write("a.json", json.dumps(records))
    refused = cli.refuses(3, "'samples' holds lists", "train", "a.json").err
    shell(cli.folder, refused[refused.index("python3 ") :].strip())
    assert read_as(cli, "a-2.jsonl") == {"label": "kind", "input": "sequence"}
    line = (cli.folder / "a-2.jsonl").read_text().splitlines()[0]
    assert json.loads(line)["sequence"] == [[one["x"], one["y"]] for one in records[0]["samples"]]


def test_a_folder_for_each_recording_below_that_of_its_label(cli: Any) -> None:
    for at in range(24):
        folder = cli.folder / "data" / KINDS[at % 2] / f"r{at}"
        folder.mkdir(parents=True)
        rows = "".join(f"{step},{number()}\n" for step in range(6))
        (folder / "Raw Data.csv").write_text(f"Time (s),x\n{rows}")
    refused = cli.refuses(3, "a folder of folders holds one a label", "train", "data").err
    copied, train = refused[refused.index("python3 ") :].strip().split(" && ")
    shell(cli.folder, copied)
    assert read_as(cli, *train.split()[2:]) == {"id": "series_id", "time": "Time (s)", "input": "x", "label": "label"}
