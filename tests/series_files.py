"""Labelled series of numbers, written in every format that holds such: for the tests, and at the sizes of two archives.

    python tests/series_files.py

makes series like those of JapaneseVowels (12 numbers a timestep, 7 to 29 timesteps, 9 labels) and of GunPoint (150
timesteps, 2 labels), trains on them as JSON lines and in the archives' own formats, and fails where an accuracy
differs.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Labelled(NamedTuple):
    """A series of (T, D) numbers, and its label."""

    numbers: npt.NDArray[np.float64]
    label: str


Series = Sequence[Labelled]


def waves(
    count: int, lengths: tuple[int, int], width: int, labels: int, seed: int, noise: float = 0.3
) -> list[Labelled]:
    """Sums of two sines with a phase and a frequency of the label's own, and noise: rounded, as files have numbers."""
    shape = np.random.default_rng(99)
    frequencies, phases = shape.uniform(0.5, 3, (labels, width)), shape.uniform(0, 6, (labels, width))
    rng = np.random.default_rng(seed)
    made = []
    for row in range(count):
        label, length = row % labels, int(rng.integers(lengths[0], lengths[1] + 1))
        t = np.linspace(0, 2 * np.pi, length)[:, None]
        clean = np.sin(t * frequencies[label] + phases[label]) + 0.5 * np.sin(2 * t + phases[label])
        numbers = np.round(clean + rng.normal(0, noise, clean.shape), 4) + 0.0
        made.append(Labelled(numbers, str(label + 1)))
    return made


def nested_json(series: Series) -> str:
    lines = ({"sequence": one.numbers.tolist(), "label": one.label} for one in series)
    return "".join(json.dumps(line) + "\n" for line in lines)


def flat_json(series: Series) -> str:
    lines = ({"sequence": one.numbers[:, 0].tolist(), "label": one.label} for one in series)
    return "".join(json.dumps(line) + "\n" for line in lines)


def padded(one: Labelled, length: int, place: int = 0, missing: str = "NaN") -> list[str]:
    """One number of each timestep, and ``missing`` up to a length."""
    values = [repr(float(x)) for x in one.numbers[:, place]]
    return values + [missing] * (length - len(values))


def longest(series: Series) -> int:
    return max(len(one.numbers) for one in series)


def null_json(series: Series) -> str:
    rows = [(", ".join(padded(one, longest(series), missing="null")), one.label) for one in series]
    return "".join(f'{{"sequence": [{values}], "label": "{label}"}}\n' for values, label in rows)


def nan_json(series: Series) -> str:
    return null_json(series).replace("null", "NaN")


def wide(series: Series, mark: str = ",", missing: str = "NaN") -> str:
    length = longest(series)
    lines = [["label", *(f"t{step}" for step in range(length))]]
    lines += [[one.label, *padded(one, length, missing=missing)] for one in series]
    return "".join(mark.join(line) + "\n" for line in lines)


def wide_with_ids(series: Series) -> str:
    """An id of each row, timesteps called by their numbers, empty cells, and the label last."""
    length = longest(series)
    lines = [["machine", *map(str, range(length)), "class"]]
    lines += [[f"M{at:03}", *padded(one, length, missing=""), one.label] for at, one in enumerate(series)]
    return "".join(",".join(line) + "\n" for line in lines)


def wide_of_several(series: Series) -> str:
    """Columns x0, y0, x1, y1, … for D = 2."""
    length, width = longest(series), series[0].numbers.shape[1]
    names = [f"{'xyzuvw'[place]}{step}" for step in range(length) for place in range(width)]
    lines = [[*names, "label"]]
    for one in series:
        places = [padded(one, length, place, "") for place in range(width)]
        lines.append([*(value for step in zip(*places, strict=True) for value in step), one.label])
    return "".join(",".join(line) + "\n" for line in lines)


def ucr(series: Series, mark: str = "\t") -> str:
    return "".join(mark.join([one.label, *padded(one, longest(series))]) + "\n" for one in series)


def ucr_text(series: Series) -> str:
    """As older files of the archive are: numbers in columns of spaces, the label one of them."""
    return "".join(
        f"  {float(one.label):.7e}" + "".join(f"  {value:>12}" for value in padded(one, longest(series))) + "\n"
        for one in series
    )


def cells(series: Series) -> str:
    return "x,label\n" + "".join(f"{' '.join(padded(one, 0))},{one.label}\n" for one in series)


def long(series: Series, dated: bool = False, shuffled: bool = False) -> str:
    width, begin = series[0].numbers.shape[1], datetime(2024, 2, 28, 22)
    lines = []
    for at, one in enumerate(series):
        for step, numbers in enumerate(one.numbers.tolist()):
            time = str(begin + timedelta(minutes=30 * step)) if dated else str(step)
            lines.append(",".join([f"m{at:03}", time, *map(repr, numbers), one.label]) + "\n")
    if shuffled:  # but for the first rows of the series, whose order is that of the records
        first = {line.split(",")[0]: line for line in reversed(lines)}
        others = [line for line in lines if line not in first.values()]
        order = np.random.default_rng(5).permutation(len(others))
        lines = [*first.values(), *(others[k] for k in order)]
        lines = [*sorted(lines[: len(first)]), *lines[len(first) :]]
    header = [
        "machine_id",
        "measured_at" if dated else "time",
        *(f"v{'abcdefghijkl'[k]}" for k in range(width)),
        "class",
    ]
    return ",".join(header) + "\n" + "".join(lines)


def ts(series: Series) -> str:
    width, labels = series[0].numbers.shape[1], sorted({one.label for one in series})
    head = f"@problemName Waves\n@timeStamps false\n@univariate {'true' if width == 1 else 'false'}\n"
    head += "" if width == 1 else f"@dimensions {width}\n"
    rows = (":".join([*(",".join(padded(one, 0, place)) for place in range(width)), one.label]) for one in series)
    return f"{head}@classLabel true {' '.join(labels)}\n@data\n" + "".join(f"{row}\n" for row in rows)


def arff(series: Series) -> str:
    length, labels = longest(series), ",".join(sorted({one.label for one in series}))
    width = series[0].numbers.shape[1]
    steps = "".join(f"@attribute att{step} numeric\n" for step in range(length))
    if width > 1:
        steps = f"@attribute relationalAtt relational\n{steps}@end relationalAtt\n"
    head = f"@relation Waves\n{steps}@attribute target {{{labels}}}\n@data\n"
    rows = []
    for one in series:
        lines = [",".join(padded(one, length, place, "?")) for place in range(width)]
        rows.append(f"{lines[0] if width == 1 else chr(34) + (chr(92) + 'n').join(lines) + chr(34)},{one.label}\n")
    return head + "".join(rows)


# Name of the file → what writes it.
OF_ONE_NUMBER: dict[str, Callable[[Series], str]] = {
    "flat.jsonl": flat_json,
    "null.jsonl": null_json,
    "nan.jsonl": nan_json,
    "wide.csv": wide,
    "wide.tsv": lambda series: wide(series, "\t", "NA"),
    "ids.csv": wide_with_ids,
    "ucr.tsv": ucr,
    "ucr.csv": lambda series: ucr(series, ","),
    "ucr.txt": ucr_text,
    "commas.txt": lambda series: ucr(series, ","),
    "cells.csv": cells,
    "long.csv": long,
    "one.ts": ts,
    "one.arff": arff,
}
OF_SEVERAL: dict[str, Callable[[Series], str]] = {
    "long.csv": long,
    "dated.csv": lambda series: long(series, dated=True),
    "shuffled.csv": lambda series: long(series, dated=True, shuffled=True),
    "wide.csv": wide_of_several,
    "several.ts": ts,
    "several.arff": arff,
}

# Kind → training series, test series, and the formats in which the archives have them.
ARCHIVES = {
    "JapaneseVowels": (
        waves(270, (7, 29), 12, 9, seed=1, noise=0.9),
        waves(370, (7, 29), 12, 9, seed=2, noise=0.9),
        {"vowels.ts": ts, "vowels.arff": arff},
    ),
    "GunPoint": (
        waves(50, (150, 150), 1, 2, seed=3, noise=0.9),
        waves(150, (150, 150), 1, 2, seed=4, noise=0.9),
        {"gun.tsv": ucr, "gun.txt": ucr_text, "gun.ts": ts, "gun.arff": arff},
    ),
}


def main() -> int:
    import rnncli

    different = 0
    for kind, (train, test, writers) in ARCHIVES.items():
        with tempfile.TemporaryDirectory() as folder:
            expected = None
            for name, write in {"waves.jsonl": nested_json, **writers}.items():
                files = [Path(folder, f"{part}-{name}") for part in ("train", "test")]
                for path, series in zip(files, (train, test), strict=True):
                    path.write_text(write(series))
                model = rnncli.train(files[0], runs=f"{folder}/runs", name=name, epochs=20, hidden=32)
                score = rnncli.evaluate(files[1], model).scores.accuracy
                expected = expected if expected is not None else score
                different += score != expected
                print(f"{kind:>15}  {name:<14} accuracy {score:.4f}{'' if score == expected else '  DIFFERENT'}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
