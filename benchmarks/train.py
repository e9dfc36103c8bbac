"""Whole trainings beside PyTorch at equal settings: accuracy, words a second, memory.

The two run by turns, a pair for each seed, each as a process of its own with the same number of threads. The peer is
a script that takes ``TRAIN TEST --batch N --epochs N --seed N --threads N`` and prints, for each epoch,
``epoch 1: 9.8 s, 71,000 tokens/s, test accuracy 0.8123``. Settings that the two share are in ``peer.yaml``.

    python benchmarks/train.py TRAIN.csv TEST.csv --peer PEER.py --peer-python VENV/bin/python --batch 64 --epochs 3
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

SETTINGS = Path(__file__).with_name("peer.yaml")
EPOCH = re.compile(r"epoch \d+: ([\d.]+) s, ([\d,]+) tokens/s, test accuracy ([\d.]+)")


@dataclass(frozen=True)
class Training:
    """One training of one program."""

    program: str
    seed: int
    accuracy: float  # on the test file, after the last epoch
    epoch_seconds: float  # median
    words_per_second: float  # median
    whole_seconds: float  # reading, training and scoring
    peak_mb: float


def memory_of(pid: int) -> float:
    """Megabytes of a process and its children now; what they share counts once (Linux's proportional set size)."""
    kilobytes = 0
    for process in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        kilobytes += int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[1])  # type: ignore[index]
    return kilobytes / 1024


def run(command: list[str], environment: dict[str, str]) -> tuple[str, float, float]:
    """Output, seconds and peak megabytes (looked at five times a second) of a command and its children.

    Raises:
        SystemExit: it failed.
    """
    begin, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as messages:
        process = subprocess.Popen(command, stdout=output, stderr=messages, env=environment)
        while process.poll() is None:
            with contextlib.suppress(OSError, TypeError):  # a process may end while it is looked at
                peak = max(peak, memory_of(process.pid))
            time.sleep(0.2)
        seconds = time.perf_counter() - begin
        output.seek(0)
        messages.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}\n{messages.read()}")
        return output.read(), seconds, peak


def train_peer(args: argparse.Namespace, seed: int) -> Training:
    options = {"batch": args.batch, "epochs": args.epochs, "seed": seed, "threads": args.threads}
    command = [args.peer_python, args.peer, args.train, args.test]
    command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    printed, seconds, peak = run(command, os.environ | {"OMP_NUM_THREADS": str(args.threads)})
    epochs = [tuple(float(n.replace(",", "")) for n in found) for found in EPOCH.findall(printed)]
    each_seconds, speeds, accuracies = zip(*epochs, strict=True)
    middle, speed = statistics.median(each_seconds), statistics.median(speeds)
    return Training("PyTorch", seed, accuracies[-1], middle, speed, seconds, peak)


def train_ours(args: argparse.Namespace, seed: int) -> Training:
    with tempfile.TemporaryDirectory() as runs:
        ours = [sys.executable, "-m", "rnncli"]
        options = ["--config", str(SETTINGS), "--batch", str(args.batch), "--epochs", str(args.epochs)]
        options += ["--seed", str(seed), "--runs", runs, "--json", *args.option]
        _, seconds, peak = run([*ours, "train", args.train, *options], dict(os.environ))
        command = [*ours, "evaluate", "latest", args.test, "--runs", runs, "--json"]
        scored, scoring_seconds, scoring_peak = run(command, dict(os.environ))
        lines = (Path(runs) / "latest" / "metrics.jsonl").read_text().splitlines()
        epochs = [json.loads(line) for line in lines]
    middle = statistics.median(epoch["seconds"] for epoch in epochs)
    speed = statistics.median(epoch["words_per_second"] for epoch in epochs)
    accuracy = json.loads(scored)["scores"]["accuracy"]
    return Training("rnncli", seed, accuracy, middle, speed, seconds + scoring_seconds, max(peak, scoring_peak))


def summary(trainings: list[Training]) -> list[str]:
    """A line a training, then the ratios pair by pair."""
    lines = ["program  seed  accuracy  s/epoch   words/s  whole s  peak MB"]
    for t in trainings:
        lines.append(
            f"{t.program:<7}  {t.seed:>4}  {t.accuracy:>8.4f}  {t.epoch_seconds:>7.1f}  {t.words_per_second:>8,.0f}"
            f"  {t.whole_seconds:>7.1f}  {t.peak_mb:>7,.0f}"
        )
    theirs = [t for t in trainings if t.program == "PyTorch"]
    ours = [t for t in trainings if t.program == "rnncli"]
    for program, of in (("PyTorch", theirs), ("rnncli", ours)):
        lines.append(f"{program}: mean accuracy {statistics.mean(t.accuracy for t in of):.4f}")
    pairs = list(zip(theirs, ours, strict=True))
    speed = statistics.median(us.words_per_second / them.words_per_second for them, us in pairs)
    whole = statistics.median(them.whole_seconds / us.whole_seconds for them, us in pairs)
    memory = statistics.median(us.peak_mb / them.peak_mb for them, us in pairs)
    lines.append(f"rnncli trains {speed:.2f} × as fast, the whole {whole:.2f} ×, in {memory:.2f} of the memory")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--peer", required=True, help="the PyTorch script")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--option", action="append", default=[], help="a further option of rnncli train")
    parser.add_argument("--json", help="write the figures to this file")
    args = parser.parse_args()
    trainings: list[Training] = []
    for seed in range(args.seeds):
        trainings += [train_peer(args, seed), train_ours(args, seed)]
        print(*summary(trainings)[-4:], sep="\n", flush=True)
    print(*summary(trainings), sep="\n")
    if args.json:
        Path(args.json).write_text(json.dumps([asdict(t) for t in trainings], indent=1) + "\n")


if __name__ == "__main__":
    main()
