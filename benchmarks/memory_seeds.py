"""How much of the gradient arrives at the words of sample_data/keys.csv that decide: over several seeds, by epochs.

    python benchmarks/memory_seeds.py [--seeds 10] [--rows 12]

Trains a plain RNN and an LSTM with each seed as the README does, keeps every epoch, and measures each on the same rows;
the gradient is that of each row's own label. Half-life by the mean slope, share by its geometric mean.
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import rnncli
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.flow import flow
from rnncli.inspection.memory import memory
from rnncli.tasks.model import Model

DATA = Path(__file__).parent.parent / "sample_data" / "keys.csv"
HOW = {"readout": "last", "bidirectional": False, "lr": 0.001, "epochs": 5, "keep_epochs": True}
CELLS = ("rnn", "lstm")
KEY = 3  # the word that decides is the fourth one: "key in the TIN , …", or the third: "key with MARTA"


class Measured(NamedTuple):
    """A model of an epoch, on some rows."""

    accuracy: float  # on the validation rows
    loss: float  # mean
    slope: float  # of ln ‖∂L/∂state‖ by steps back, mean
    share: float  # of the gradient that arrives at the word that decides, geometric mean

    @property
    def half_life(self) -> str:
        return f"{math.log(2) / -self.slope:.1f}" if self.slope < -math.log(2) / 1000 else "none"


def measure(model: Model, rows: Sequence[tuple[str, str]]) -> Measured:
    losses, slopes, shares = [], [], []
    for text, label in rows:
        found = flow(adapter_of(model).open(text, label))
        kept = memory(found.cell()).kept.shares
        there = np.flatnonzero(kept > 0)
        losses.append(found.loss)
        slopes.append(float(np.polyfit(there, np.log(kept[there]), 1)[0]))
        shares.append(math.log(kept[len(kept) - 1 - (KEY if text.split()[1] == "in" else KEY - 1)]))
    best = model.record.best
    accuracy = math.nan if best is None or best.validation_accuracy is None else best.validation_accuracy
    return Measured(accuracy, float(np.mean(losses)), float(np.mean(slopes)), math.exp(float(np.mean(shares))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=12, help="that are measured")
    given = parser.parse_args()
    with DATA.open(newline="", encoding="utf-8") as file:
        table = [(text, label) for text, label in list(csv.reader(file))[1:]]
    rows = [table[k] for k in np.random.default_rng(0).choice(len(table), given.rows, replace=False)]
    found: dict[tuple[str, int, int], Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seeds):
            for cell in CELLS:
                name = f"{cell}-{seed}"
                rnncli.train(DATA, runs=folder, name=name, cell=cell, seed=seed, **HOW)
                for epoch in range(HOW["epochs"] + 1):
                    path = Path(folder) / name / "epochs" / f"{epoch}.safetensors"
                    found[cell, seed, epoch] = measure(rnncli.load(path), rows)
    for epoch in range(HOW["epochs"] + 1):
        print(f"\nafter epoch {epoch}" if epoch else "untrained")
        print("seed  " + "  ".join(f"{cell:>5}: accuracy    loss  half-life  share" for cell in CELLS))
        longer = 0
        for seed in range(given.seeds):
            sides = [found[cell, seed, epoch] for cell in CELLS]
            longer += sides[1].slope > sides[0].slope and sides[1].share > sides[0].share
            cells = (f"{s.accuracy:>15.4f} {s.loss:>7.4f} {s.half_life:>10} {s.share:>6.3f}" for s in sides)
            print(f"{seed:>4}  " + "  ".join(cells))
        print(f"the LSTM's half-life is longer, and its share larger, with {longer} of {given.seeds} seeds")


if __name__ == "__main__":
    main()
