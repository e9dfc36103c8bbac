"""Tables of series and of numbers as people have them: what each is read as, or what is asked."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Sequence

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
    return [shlex.split(one.rstrip("."))[1:] for one in found]


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
