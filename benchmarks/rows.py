"""Does a step cost the same however large the file is? Words a second for the first rows of a file, and for all of it.

Each size is trained for about as many steps, by turns, in processes of their own, with the settings of ``peer.yaml``;
a row of the table is the median over the rounds of a training's median epoch.

    python benchmarks/rows.py TRAIN.csv [--rows 1000 10000] [--batch 64] [--rounds 3]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SETTINGS = Path(__file__).with_name("peer.yaml")


def read_rows(path: str) -> list[list[str]]:
    data = Path(path).read_bytes()
    text = (gzip.decompress(data) if path.endswith(".gz") else data).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def words_per_second(data: Path, batch: int, epochs: int, folder: str) -> float:
    command = [sys.executable, "-m", "rnncli", "train", str(data), "--config", str(SETTINGS), "--runs", folder]
    command += ["--batch", str(batch), "--epochs", str(epochs)]
    subprocess.run(command, check=True, capture_output=True)
    lines = (Path(folder) / "latest" / "metrics.jsonl").read_text().splitlines()
    return statistics.median(json.loads(line)["words_per_second"] for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    header, *rows = read_rows(args.train)
    sizes = [*args.rows, len(rows)]
    speeds: dict[int, list[float]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            with (Path(folder) / f"{size}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([header, *rows[:size]])
        for _ in range(args.rounds):
            for size in sizes:
                epochs = max(1, len(rows) // size)
                speeds[size].append(
                    words_per_second(Path(folder) / f"{size}.csv", args.batch, epochs, folder + "/runs")
                )
    print("   rows   words/s")
    for size in sizes:
        print(f"{size:>7,}  {statistics.median(speeds[size]):>8,.0f}")
    middle = [statistics.median(of) for of in speeds.values()]
    print(f"the slowest is {1 - min(middle) / max(middle):.0%} behind the quickest")


if __name__ == "__main__":
    main()
