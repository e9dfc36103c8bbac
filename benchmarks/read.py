"""Reading a data file: values a second on one core, beside an earlier checkout if there is one; CPU time, by turns.

Files of the shapes of real sets are made up: reviews and sentences as CSV, tagged words as CoNLL, a long table; others
may be named. A checkout is a folder with ``src/rnncli``, and reads each file in one process with this Python.

    python benchmarks/read.py [DATA ...] [--beside CHECKOUT] [--rounds 15]
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent.parent
# Reads the file once for each line on its standard input; the last line of all is how many values there are.
READER = """
import gc, sys, time
from rnncli.data.dataset import Source
try:
    from rnncli.data.opening import read_dataset
except ImportError:  # of an earlier checkout
    from rnncli.data.dataset import read_dataset
read = read_dataset(Source(sys.argv[1]))
one = read.inputs[0]
values = sum(len(one.split()) if isinstance(one, str) else getattr(one, "size", len(one)) for one in read.inputs)
print(values, flush=True)
del read
for _ in sys.stdin:
    gc.collect()
    begin = time.process_time()
    read = read_dataset(Source(sys.argv[1]))
    print(time.process_time() - begin, flush=True)
    del read
"""
MARKS = ",.!?"


def vocabulary(chance: random.Random, count: int = 20_000) -> Callable[[int], list[str]]:
    """Draws words, of which a few are common and most are rare."""
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(1, 9))) for _ in range(count)]
    weights = [1 / rank for rank in range(1, count + 1)]
    return lambda length: chance.choices(words, weights, k=length)


def make_texts(path: Path, rows: int, length: tuple[int, int], chance: random.Random) -> None:
    draw = vocabulary(chance)
    with path.open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        write(("text", "label"))
        for row in range(rows):
            words = draw(chance.randint(*length))
            text = " ".join(word + chance.choice(MARKS) if chance.random() < 0.1 else word for word in words)
            write((text, "pos" if row % 2 else "neg"))


def make_tagged(path: Path, sentences: int, chance: random.Random) -> None:
    draw = vocabulary(chance)
    tags = ["O", "O", "O", "O", "B-PER", "I-PER", "B-LOC", "B-ORG", "I-ORG", "B-MISC"]
    with path.open("w", encoding="utf-8") as file:
        for _ in range(sentences):
            words = draw(chance.randint(3, 30))
            file.writelines(
                f"{word}\t{tag}\n" for word, tag in zip(words, chance.choices(tags, k=len(words)), strict=True)
            )
            file.write("\n")


def make_long_table(path: Path, sequences: int, chance: random.Random) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        write(("id", "time", "ax", "ay", "az", "label"))
        for sequence in range(sequences):
            label = chance.choice(("walking", "standing", "running"))
            for step in range(50):
                write((sequence, step, *(f"{chance.gauss(0, 1):.4f}" for _ in range(3)), label))


def made_up(folder: Path) -> Iterator[Path]:
    chance = random.Random(0)
    paths = [folder / name for name in ("reviews.csv", "sentences.csv", "tagged.conll", "long.csv")]
    make_texts(paths[0], 25_000, (50, 400), chance)
    make_texts(paths[1], 67_000, (2, 18), chance)
    make_tagged(paths[2], 12_500, chance)
    make_long_table(paths[3], 4_000, chance)
    yield from paths


class Reader:
    """A process that reads a file again and again, with the rnncli of a checkout."""

    def __init__(self, checkout: Path, data: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
        command = [sys.executable, "-c", READER, str(data)]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.values = int(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"reading ended early (exit code {self.process.wait()})")
        return line

    def seconds(self) -> float:
        print(file=self._stdin, flush=True)
        return float(self._answer())

    @property
    def _stdin(self) -> IO[str]:
        assert self.process.stdin is not None
        return self.process.stdin

    def close(self) -> None:
        self._stdin.close()
        self.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="an earlier state of this repository")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    checkouts = [HERE] if args.beside is None else [args.beside, HERE]
    columns = f"{'file':<16} {'values':>10}  {'now s':>7}  {'values/s':>10}"
    print(columns if args.beside is None else f"{columns}  before s  ratio")
    with tempfile.TemporaryDirectory() as folder:
        for data in args.data or made_up(Path(folder)):
            readers = [Reader(checkout, data.resolve()) for checkout in checkouts]
            taken = [[reader.seconds() for reader in readers] for _ in range(args.rounds)]
            for reader in readers:
                reader.close()
            *before, now = (statistics.median(times) for times in zip(*taken, strict=True))
            values = readers[-1].values
            line = f"{data.name:<16} {values:>10,}  {now:>7.3f}  {values / now:>10,.0f}"
            if before:
                line = f"{line}  {before[0]:>8.3f}  {statistics.median(last / first for first, last in taken):>5.2f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
