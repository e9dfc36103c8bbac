"""Predicting a whole file beside PyTorch: reading, tokenizing and the network, words a second.

Both have untrained networks of the sizes in ``peer.yaml`` over the same vocabulary; what they answer does not matter
here. The peer is a script with ``read(path)``, ``Classifier(args, vocabulary, labels)`` and
``batches(rows, size, shuffle)``.

    python benchmarks/predict.py TRAIN.csv TEST.csv --peer PEER.py --peer-python VENV/bin/python [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SETTINGS = Path(__file__).with_name("peer.yaml")
PEER = """
import collections, importlib.util, sys, time, types
import torch
spec = importlib.util.spec_from_file_location("peer", sys.argv[1])
peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peer)
torch.set_num_threads(int(sys.argv[4]))
counts = collections.Counter(word for words, _ in peer.read(sys.argv[2]) for word in words)
ids = {word: i + 2 for i, (word, _) in enumerate(counts.most_common(29_998))}
args = types.SimpleNamespace(pool="last", embedding=100, hidden=128, cell="LSTM", bidirectional=False, dropout=0.5)
model = peer.Classifier(args, len(ids) + 2, 2).eval()
begin = time.perf_counter()
rows = [(torch.tensor([ids.get(w, 1) for w in words[:400] or ["?"]]), 0) for words, _ in peer.read(sys.argv[3])]
with torch.inference_mode():
    for tokens, lengths, _ in peer.batches(rows, 128, shuffle=False):
        model(tokens, lengths).argmax(1)
print(time.perf_counter() - begin, sum(len(ids) for ids, _ in rows))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--peer", required=True, help="the PyTorch script")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    rnncli = [sys.executable, "-m", "rnncli"]
    with tempfile.TemporaryDirectory() as runs:
        made = [*rnncli, "train", args.train, "--config", str(SETTINGS), "--epochs", "0", "--runs", runs]
        subprocess.run(made, check=True, capture_output=True)
        begin = time.perf_counter()
        subprocess.run([*rnncli, "predict", "movie", "--runs", runs], check=True, capture_output=True)
        start = time.perf_counter() - begin  # the peer's import and set-up are not counted either
        theirs, ours, words = [], [], 0
        for _ in range(args.rounds):
            command = [args.peer_python, "-c", PEER, args.peer, args.train, args.test, str(args.threads)]
            environment = os.environ | {"OMP_NUM_THREADS": str(args.threads)}
            printed = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment
            ).stdout.split()
            theirs.append(float(printed[0]))
            words = int(printed[1])
            begin = time.perf_counter()
            subprocess.run([*rnncli, "predict", args.test, "--runs", runs], check=True, stdout=subprocess.DEVNULL)
            ours.append(time.perf_counter() - begin - start)
    for name, taken in (("PyTorch", theirs), ("rnncli", ours)):
        middle = statistics.median(taken)
        print(f"{name:<8} {middle:6.1f} s  {words / middle:>9,.0f} words/s")
    ratio = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
    print(f"rnncli predicts {ratio:.2f} × as fast ({words:,} words read; ratios pair by pair)")


if __name__ == "__main__":
    main()
