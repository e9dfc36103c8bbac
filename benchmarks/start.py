"""Cold starts beside PyTorch's: each a process of its own, by turns; medians of the wall time.

The peer of ``predict`` is the shortest PyTorch program that loads a state dict and predicts one sentence.

    python benchmarks/start.py --peer-python VENV/bin/python [--rounds 11]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data" / "reviews.csv"
MAKE_STATE = """
import torch
from torch import nn
e, r, o = nn.Embedding(240, 100), nn.LSTM(100, 64, bidirectional=True), nn.Linear(128, 1)
torch.save({"e": e.state_dict(), "r": r.state_dict(), "o": o.state_dict()}, "state.pt")
"""
PREDICT_PEER = """
import torch
from torch import nn
words = {"movie": 0, "was": 1, "good": 2}
s = torch.load("state.pt")
e, r, o = nn.Embedding(240, 100), nn.LSTM(100, 64, bidirectional=True), nn.Linear(128, 1)
e.load_state_dict(s["e"]); r.load_state_dict(s["r"]); o.load_state_dict(s["o"])
with torch.inference_mode():
    h, _ = r(e(torch.tensor([words[w] for w in "movie was good".split()])))
    print(torch.sigmoid(o(h.amax(0))))
"""


def seconds(command: list[str], folder: str) -> float:
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--rounds", type=int, default=11)
    args = parser.parse_args()
    rnncli = [sys.executable, "-m", "rnncli"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([args.peer_python, "-c", MAKE_STATE], cwd=folder, check=True)
        subprocess.run([*rnncli, "train", str(SAMPLE), "--epochs", "1"], cwd=folder, check=True, capture_output=True)
        commands = {
            "rnncli --help": [*rnncli, "--help"],
            'rnncli predict "movie was good"': [*rnncli, "predict", "movie was good"],
            "import rnncli": [sys.executable, "-c", "import rnncli"],
            "import rnncli; rnncli.load": [sys.executable, "-c", "import rnncli; rnncli.load"],
            "import numpy": [sys.executable, "-c", "import numpy"],
            "PyTorch: import torch": [args.peer_python, "-c", "import torch"],
            "PyTorch: load and predict": [args.peer_python, "-c", PREDICT_PEER],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(args.rounds + 1):
            for name, command in commands.items():
                took = seconds(command, folder)
                if turn:  # the first round fills the disk's cache
                    times[name].append(took)
    for name, taken in times.items():
        print(f"{name:<34} {statistics.median(taken):.3f} s  (from {min(taken):.3f} to {max(taken):.3f})")
    theirs, ours = times["PyTorch: load and predict"], times['rnncli predict "movie was good"']
    ratio = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
    print(f"predict is {ratio:.1f} × as fast as the shortest PyTorch program")


if __name__ == "__main__":
    main()
