"""Tables of series and of numbers as people have them: what each is read as, or what is asked."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Sequence

import pytest

SMALL = ["--hidden", "4", "--epochs", "1", "--workers", "1"]


def wave(kind: int, count: int, start: int = 0) -> list[float]:
    """Numbers of one of three kinds, each series its own."""
    return [round(math.sin((0.3, 0.8, 1.4)[kind] * step + start) + 0.01 * (step * 7 % 5), 3) for step in range(count)]


def table(names: str, rows: Iterable[Sequence[object]], mark: str = ",") -> str:
    lines = [names.replace(",", mark)] if names else []
    return "\n".join([*lines, *(mark.join(map(str, row)) for row in rows)]) + "\n"


def long_rows(series: int = 12, steps: int = 8) -> list[list[object]]:
    """id, time, a number, a label."""
    return [
        [f"r{one:02}", step, value, ("ok", "worn")[one % 2]]
        for one in range(series)
        for step, value in enumerate(wave(one % 2, steps, one))
    ]


def read_as(cli, *arguments):
    """What a dry run says: the task, and the roles of the columns."""
    found = cli.works("train", *arguments, "--dry-run", "--json").json
    roles: dict[str, list[str]] = {}
    for column in found["columns"]:
        roles.setdefault(column["role"], []).append(column["name"])
    return found["task"], {role: ",".join(names) for role, names in roles.items() if role != "ignored"}


def commands_of(refusal) -> list[list[str]]:
    """The commands of rnncli that a refusal shows."""
    found = re.findall(r"(rnncli train .*?)(?=;|\. [A-Z]|, or | or rnncli|$)", refusal.err, re.MULTILINE)
    return [shlex.split(one)[1:] for one in found]


def test_a_series_is_for_one_part_alone(cli):
    divided = [[*row, "test" if at % 5 == 0 else "train"] for at, row in enumerate(long_rows())]
    cli.write("a.csv", table("id,time,x,label,split", divided))
    refused = cli.refuses(
        3, "a.csv:3: the sequence 'r00' has 'train' in 'split' here, and 'test' on line 2", "train", "a.csv"
    )
    for words in commands_of(refused):
        cli.works(*words, *SMALL)
    months = [
        (f"{1990 + at // 12}-{at % 12 + 1:02}", value, "test" if at > 80 else "train")
        for at, value in enumerate(wave(0, 100))
    ]
    cli.write("b.csv", table("month,sales,split", months))
    cli.refuses(
        3,
        "b.csv:83: the series has 'test' in 'split' here, and 'train' on line 2",
        "train",
        "b.csv",
        "--split",
        "split",
    )


def test_parts_in_the_order_of_the_file_are_obeyed(cli):
    """The first rows, by which columns are guessed, are all for training."""
    rows = [[*row, "train" if at < 320 else "test"] for at, row in enumerate(long_rows(50))]
    cli.write("a.csv", table("id,time,x,label,split", rows))
    assert read_as(cli, "a.csv")[1]["split"] == "split"
    trained = cli.works("train", "a.csv", *SMALL, "--json").json
    assert trained["test"]["rows"] == 10


def test_a_number_with_a_comma_between_thousands_is_no_series(cli):
    rows = [(f"2020-{1 + at // 28:02}-{1 + at % 28:02}", f'"{1000 + at * 7:,}.25"') for at in range(60)]
    cli.write("a.csv", table("Date,Price", rows))
    refused = cli.refuses(3, "'Price' may hold numbers with decimals or with thousands (1,000.25)", "train", "a.csv")
    assert [read_as(cli, *words[1:])[0] for words in commands_of(refused)] == ["forecast"]


DAYS = [f"2020-{1 + at // 28:02}-{1 + at % 28:02}" for at in range(60)]
PRICES = [[DAYS[at], *(round(100 + value + more, 2) for more in range(3))] for at, value in enumerate(wave(0, 60))]
YEARS = [[land, 1990 + at, value, at / 3] for land in ("Chile", "Kenya") for at, value in enumerate(wave(1, 20))]
ROOMS = [[1 + at % 5, 1 + at % 3, 500 + at * 37 % 1000, 10**5 + at * 7919 % 10**5] for at in range(60)]

# What a table of numbers is → its content, what is said, and as which tasks its commands read it.
ASKED = {
    "prices": (
        *("a.csv", table("Date,Open,High,Close", PRICES)),
        *("3 columns of numbers ('Open', 'High' and 'Close'), in order of 'Date'", ["forecast"] * 3 + ["regress"]),
    ),
    "a table of each land": (
        *("a.csv", table("Country,Year,GDP,Inflation", YEARS)),
        *("in order of 'Year' for each 'Country'", ["forecast", "forecast", "regress"]),
    ),
    "houses": (
        *("a.csv", table("bedrooms,bathrooms,sqft,price", ROOMS)),
        *("no column holds texts", ["regress", "forecast"]),
    ),
    "states of one machine": (
        *("a.csv", table("time,x,y,label", [[at, x, x * 2, "ab"[at // 30]] for at, x in enumerate(wave(0, 60))])),
        *("a.csv:32: the series has 'b' in 'label' here, and 'a' at a.csv:2, but a series has one label", []),
    ),
    "one column": (
        *("a.csv", table("passengers", [[value] for value in wave(0, 60)])),
        *("the only column is 'passengers'", ["forecast"]),
    ),
    "a number a line": (
        *("a.txt", table("", [[value] for value in wave(0, 60)])),
        *("each line is a number (0.0)", ["forecast", "lm"]),
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_a_refusal_says_to_type_is_read(cli, case):
    name, content, says, tasks = ASKED[case]
    cli.write(name, content)
    commands = commands_of(cli.refuses(3, says, "train", name))
    assert [read_as(cli, *words[1:])[0] for words in commands if "COLUMN" not in words] == tasks


NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MONTHS = {
    "Jan-49": [f"{NAMES[at % 12]}-{49 + at // 12}" for at in range(48)],
    "01/1949": [f"{at % 12 + 1:02}/{1949 + at // 12}" for at in range(48)],
    "Jan 1949": [f"{NAMES[at % 12]} {1949 + at // 12}" for at in range(48)],
}


@pytest.mark.parametrize("months", MONTHS)
def test_months_order_a_series(cli, months):
    cli.write("a.csv", table("Month,Sales", zip(MONTHS[months], wave(0, 48), strict=True)))
    assert read_as(cli, "a.csv") == ("forecast", {"time": "Month", "label": "Sales"})


BAD = {
    "a gap": (3, 2, "", "a.csv:5: the value of 'x' is missing", "--missing interpolate"),
    "a word": (3, 2, "off", "a.csv:5: the value of 'x' is not a finite number: 'off'", "--skip-bad"),
    "the same time twice": (3, 1, 2, "a.csv:5: the sequence 'r00' has the time 2 here and on line 4", "--skip-bad"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_dry_run_refuses_what_a_training_refuses(cli, case):
    row, column, value, says, hint = BAD[case]
    rows = long_rows()
    rows[row][column] = value
    cli.write("a.csv", table("id,time,x,label", rows))
    refused = [cli.refuses(3, [says, hint], "train", "a.csv", *more) for more in (["--dry-run"], SMALL)]
    assert refused[0].err.splitlines()[-1] == refused[1].err.splitlines()[-1]
    cli.works("train", "a.csv", "--skip-bad", "--dry-run")


def test_notes_beside_a_series_are_asked_about(cli):
    rows = [[*row[:3], f"looked at it again {at}", row[3]] for at, row in enumerate(long_rows())]
    cli.write("a.csv", table("id,time,x,notes,label", rows))
    refused = cli.refuses(3, "(x of each id, in order of time), but 'notes' holds texts", "train", "a.csv")
    assert [read_as(cli, *words[1:])[1]["input"] for words in commands_of(refused)] == ["x", "notes"]


def test_a_machine_of_several_rows_is_not_the_label_of_all(cli):
    rows = [[f"K{at % 5}", *wave(at % 2, 12, at), ("work", "rest")[at % 2]] for at in range(40)]
    cli.write("a.csv", table(",".join(["meter", *(f"H{hour:02}" for hour in range(12)), "day"]), rows))
    refused = cli.refuses(3, "its label may be in 'meter' (K0) and 'day' (work)", "train", "a.csv")
    assert [read_as(cli, *words[1:])[1]["label"] for words in commands_of(refused)] == ["meter", "day"]


def test_series_with_empty_lines_between_them_are_series(cli):
    rows = [",".join(map(str, [*row[:3], "AB"[int(row[0][1:]) % 2]])) for row in long_rows()]
    lines = [line for at, row in enumerate(rows) for line in ([""] if at and at % 8 == 0 else []) + [row]]
    cli.write("a.csv", "\n".join(["id,time,x,label", *lines]) + "\n")
    assert read_as(cli, "a.csv")[1] == {"id": "id", "time": "time", "input": "x", "label": "label"}


@pytest.mark.parametrize("written", ["nan", "null", "NA"])
def test_a_gap_in_a_cell_is_filled_as_the_refusal_says(cli, written):
    cells = [" ".join(map(str, wave(at % 2, 9, at))) for at in range(24)]
    cells[3] = cells[3].replace(cells[3].split()[4], written, 1)
    cli.write("a.csv", table("x,label", [[cell, "ab"[at % 2]] for at, cell in enumerate(cells)]))
    says = ["a.csv:5: the sequence has a missing value at timestep 5", "--missing interpolate"]
    cli.refuses(3, says, "train", "a.csv")
    cli.works("train", "a.csv", "--missing", "interpolate", *SMALL)


@pytest.mark.parametrize("written", ["#N/A", "<NA>", "--", "n.a."])
def test_spellings_of_nothing(cli, written):
    rows = long_rows()
    rows[3][2] = written
    cli.write("a.csv", table("id,time,x,label", rows))
    cli.refuses(3, "the value of 'x' is missing", "train", "a.csv")
    cli.works("train", "a.csv", "--missing", "interpolate", *SMALL)
