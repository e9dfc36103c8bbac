"""A small data file for every task, and for every kind of input: trainings of them take a fraction of a second."""

from __future__ import annotations

import json
import random
from typing import NamedTuple


class Kind(NamedTuple):
    """What a kind of model is trained on.

    Attributes:
        file: the name of its data.
        content: what the file holds.
        options: those of ``train`` that it needs.
        input: a text that such a model answers.
    """

    file: str
    content: str
    options: list[str]
    input: str


def _json_lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _amounts() -> str:
    chance = random.Random(0)
    return "".join(f"{chance.choice(['an old', 'a new'])} car {k % 5},{k + chance.random():.3f}\n" for k in range(24))


EMBEDDED = ["--embedding", "3"]
KINDS: dict[str, Kind] = {
    "classify": Kind(
        "rows.csv",
        "text,label\n" + "".join(f"a good film {k},pos\na bad film {k},neg\n" for k in range(12)),
        ["--min-count", "1", *EMBEDDED],
        "a good film",
    ),
    "chars": Kind(
        "names.csv",
        "text,label\n" + "".join(f"ab{k},x\nba{k},y\n" for k in range(12)),
        ["--tokens", "char"],
        "ab",
    ),
    "numbers": Kind(
        "rows.jsonl",
        _json_lines(*({"sequence": [[k % 3, 0.5], [1, k]], "label": ("up", "down")[k % 2]} for k in range(24))),
        [],
        "[[1, 0.5], [2, 1]]",
    ),
    "long": Kind(
        "long.csv",
        "id,time,ax,ay,label\n" + "".join(f"{k},{t},{k % 3},{t},{'uv'[k % 2]}\n" for k in range(12) for t in range(3)),
        [],
        "[[1, 0.5], [2, 1]]",
    ),
    "tag": Kind(
        "tags.jsonl",
        _json_lines(*({"tokens": ["The", "cat", f"runs{k % 5}"], "tags": ["D", "N", "V"]} for k in range(20))),
        [*EMBEDDED, "--min-count", "1"],
        "The cat runs",
    ),
    "multilabel": Kind(
        "films.jsonl",
        _json_lines(*({"text": f"film {k % 5}", "labels": ["a", "b", "c"][: k % 4]} for k in range(24))),
        EMBEDDED,
        "film 3",
    ),
    "regress": Kind(
        "prices.csv",
        "text,price\n" + _amounts(),
        ["--task", "regress", "--label", "price", "--min-count", "1", *EMBEDDED],
        "an old car",
    ),
    "regress in time": Kind(
        "heat.csv",
        "hour,load,heat\n" + "".join(f"{k},{k % 7},{(k % 7) / 2 + k % 3}\n" for k in range(40)),
        ["--task", "regress", "--label", "heat", "--time", "hour", "--window", "4"],
        "[3, 4, 5, 6]",
    ),
    "forecast": Kind(
        "sold.csv",
        "month,sold\n" + "".join(f"{2000 + k // 12}-{1 + k % 12:02},{k + 30 * (k % 12)}\n" for k in range(60)),
        ["--window", "6", "--horizon", "2"],
        "[1, 2, 4, 8]",
    ),
    "seq2seq": Kind(
        "pairs.csv",
        "source,target\n" + "".join(f"{k:02},{'ab'[k % 2]}{'xy'[k % 2]}\n" for k in range(24)),
        EMBEDDED,
        "01",
    ),
    "caption": Kind(
        "shapes.csv",
        "p0,p1,text\n" + "".join(f"{k % 3},{k % 5},{('a dot', 'a bar')[k % 2]}\n" for k in range(24)),
        EMBEDDED,
        "1, 2",
    ),
    "lm": Kind("text.txt", "the sea and the bell and the sea\n" * 12, [*EMBEDDED, "--max-length", "16"], "the sea"),
}
