"""Writes spans.json beside this file: what seqeval counts for tags of each scheme, in its default and its strict mode.

    python tests/golden/make_spans.py          (needs seqeval; the tests need only its output)

Beside the true tags of a sentence stand some of other spans, as their scheme asks for, and some that were changed at
random, so that many break its rules. BILOU is counted in strict mode alone: seqeval's default mode does not know it.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from seqeval.metrics import classification_report
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, IOE2

SCHEMES = {"IOB1": IOB1, "IOB2": IOB2, "IOE": IOE2, "BIOES": IOBES, "BILOU": BILOU}
TYPES = ["PER", "LOC", "B-side"]
SENTENCES = 40


def written(scheme: str, length: int, type: str, follows: bool) -> list[str]:
    """The tags of a span; ``follows``: whether the words before it are a span of the same type."""
    first, middle, last, single = {
        "IOB1": ("B" if follows else "I", "I", "I", "B" if follows else "I"),
        "IOB2": ("B", "I", "I", "B"),
        "IOE": ("I", "I", "E", "E"),
        "BIOES": ("B", "I", "E", "S"),
        "BILOU": ("B", "I", "L", "U"),
    }[scheme]
    places = [single] if length == 1 else [first, *[middle] * (length - 2), last]
    return [f"{place}-{type}" for place in places]


def sentence(rng: random.Random) -> list[tuple[int, str]]:
    """Spans with their lengths and types; "" is a gap between two of them."""
    made = []
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.6:
            made.append((rng.randint(1, 2), ""))
        made.append((rng.randint(1, 3), rng.choice(TYPES)))
    return made


def tags_of(parts: list[tuple[int, str]], scheme: str) -> list[str]:
    tags: list[str] = []
    before = ""
    for length, type in parts:
        tags += written(scheme, length, type, type == before) if type else ["O"] * length
        before = type
    return tags


def retyped(parts: list[tuple[int, str]], rng: random.Random) -> list[tuple[int, str]]:
    """The same with other types, or none, for some of them."""
    return [(length, rng.choice([*TYPES, ""]) if rng.random() < 0.3 else type) for length, type in parts]


def changed(tags: list[str], every: list[str], rng: random.Random) -> list[str]:
    return [rng.choice(every) if rng.random() < 0.2 else tag for tag in tags]


def report(truth: list[list[str]], predicted: list[list[str]], **mode: Any) -> dict[str, Any]:
    found = classification_report(truth, predicted, output_dict=True, zero_division=0, **mode)
    wanted = {name: scores for name, scores in found.items() if name not in ("macro avg", "weighted avg")}
    return {
        name: [float(scores[of]) for of in ("precision", "recall", "f1-score")] + [int(scores["support"])]
        for name, scores in wanted.items()
    }


def main() -> None:
    made = {}
    for name, scheme in SCHEMES.items():
        rng = random.Random(name)
        parts = [sentence(rng) for _ in range(SENTENCES)]
        truth = [tags_of(of, name) for of in parts]
        every = sorted({tag for tags in truth for tag in tags} | {"O"})
        lawful = [tags_of(retyped(of, rng), name) for of in parts]
        lawless = [changed(tags, every, rng) for tags in truth]
        case: dict[str, Any] = {}
        for what, tags in (("truth", truth), ("lawful", lawful), ("lawless", lawless)):
            case[what] = [" ".join(of) for of in tags]
        case["strict"] = report(truth, lawful, mode="strict", scheme=scheme)
        if name != "BILOU":
            case["default"] = report(truth, lawless)
        made[name] = case
    path = Path(__file__).with_name("spans.json")
    path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
