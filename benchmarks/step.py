"""One training step (forward, backward, clip, Adam) beside PyTorch's, size by size, and beside the machine's limit.

The two run by turns, block by block, in two processes with the same number of threads; a row holds the median step of
each and the median of the ratios block by block (PyTorch's time over ours: above 1 we are faster). The floor is the
step's matrix products alone at the rate that this machine multiplies large matrices at, measured in the same run.

    python benchmarks/step.py --peer PEER.py --peer-python VENV/bin/python [--threads 2] [--blocks 15] [--json FILE]

The peer is a script with ``SIZES`` of (cell, V, E, H, T, N), a ``Classifier(cell, V, E, H)`` and ``zipf_tokens``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SMALLEST_SHARED = 32  # units; below, one process is quicker than two, and `--workers auto` takes one
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
REST_SECONDS = 0.05  # between blocks: threads of the other program may go on spinning for a while
BLOCK_SECONDS, BLOCK_STEPS = 0.15, 4  # a block ends with the first of the two, after two steps at least


def load_peer(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("peer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def timed(step: Callable[[], object]) -> float:
    """Seconds of one step: the mean over a block."""
    begin, count = time.perf_counter(), 0
    while count < 2 or (count < BLOCK_STEPS and time.perf_counter() - begin < BLOCK_SECONDS):
        step()
        count += 1
    return (time.perf_counter() - begin) / count


def serve_peer(path: str, threads: int) -> None:
    """Runs in the peer's Python: for each line ``cell V E H T N`` makes a step, for each ``go`` times a block of it."""
    import numpy as np
    import torch
    from torch import nn

    peer = load_peer(path)
    torch.set_num_threads(threads)
    step: Callable[[], object] = lambda: None  # noqa: E731
    for line in sys.stdin:
        if line.strip() != "go":
            cell, *numbers = line.split()
            V, E, H, T, N = map(int, numbers)
            torch.manual_seed(0)
            rng = np.random.default_rng(0)
            model = peer.Classifier(cell, V, E, H)
            optimizer = torch.optim.Adam(model.parameters(), 1e-3)
            loss_of = nn.BCEWithLogitsLoss()
            tokens = torch.from_numpy(peer.zipf_tokens(rng, V, T, N))
            target = torch.from_numpy(rng.integers(0, 2, N).astype("float32"))

            def step(model=model, optimizer=optimizer, loss_of=loss_of, tokens=tokens, target=target) -> None:
                optimizer.zero_grad()
                loss_of(model(tokens), target).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()

            timed(step)
        print(timed(step), flush=True)


def our_step(
    cell: str, V: int, E: int, H: int, T: int, N: int, workers: int
) -> tuple[Callable[[], object], Callable[[], object]]:
    """The same model, tokens and optimizer here; and what ends its workers."""
    import numpy as np

    from rnncli.config import Settings
    from rnncli.machine import keep_freed_memory
    from rnncli.parallel import group_of
    from rnncli.tasks.classify.network import Classifier
    from rnncli.tasks.many_to_one.network import Examples
    from rnncli.training import loop
    from rnncli.training.step import Trainer

    keep_freed_memory()
    settings = Settings(
        **{"cell": cell.lower(), "embedding": E, "hidden": H, "embedding_scale": 1.0, "initializer": "uniform"},
        **{"readout": "last", "bidirectional": False, "dropout": 0.0, "optimizer": "adam", "lr": 1e-3},
        **{"schedule": "constant", "tokens": "word", "batch": N, "epochs": 1, "patience": 1, "workers": workers},
    )
    rng = np.random.default_rng(0)
    weights = 1.0 / np.arange(1, V + 1)
    tokens = rng.choice(V, size=(T, N), p=weights / weights.sum()).astype(np.int32)
    batch = Examples(list(np.ascontiguousarray(tokens.T)), rng.integers(0, 2, N))
    network = Classifier(settings, V, 2)
    group = group_of(workers)
    nothing = batch.take(np.arange(0))
    trainer = Trainer(network, loop.new_state(network, settings, group), batch, nothing, settings, group)
    group.start(trainer.follow)
    return lambda: trainer.step(0, 0), group.__exit__


def floor_seconds(cell: str, E: int, H: int, T: int, N: int, distinct: int, rate: float) -> float:
    """The products of a step: h·W_h forward, its two gradients, and for each distinct token the same of W_i."""
    width = GATES[cell] * H
    return 3 * 2 * width * (T * N * H + distinct * E) / rate


def product_rate(threads: int) -> float:
    """Floating-point operations a second of large float32 products, in a process of its own."""
    code = (
        "import numpy as np, time\n"
        "a = np.ones((2048, 2048), np.float32); b = a.copy(); c = a.copy(); best = 1e9\n"
        "for _ in range(6):\n"
        "    t = time.perf_counter(); np.matmul(a, b, out=c); best = min(best, time.perf_counter() - t)\n"
        "print(2 * 2048**3 / best)"
    )
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(threads)}
    return float(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout)


def compare(size: tuple, peer: subprocess.Popen[str], args: argparse.Namespace, rate: float) -> dict[str, Any]:
    import numpy as np

    cell, V, E, H, T, N = size
    assert peer.stdin is not None
    assert peer.stdout is not None
    workers = args.threads if size[3] >= SMALLEST_SHARED else 1
    step, close = our_step(*size, workers)
    timed(step)
    print(*size, file=peer.stdin, flush=True)
    peer.stdout.readline()
    theirs, ours = [], []
    for _ in range(args.blocks):
        time.sleep(REST_SECONDS)
        print("go", file=peer.stdin, flush=True)
        theirs.append(float(peer.stdout.readline()))
        time.sleep(REST_SECONDS)
        ours.append(timed(step))
    close()
    ratio = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
    weights = 1.0 / np.arange(1, V + 1)
    distinct = len(np.unique(np.random.default_rng(0).choice(V, size=(T, N), p=weights / weights.sum())))
    floor = floor_seconds(cell, E, H, T, N, distinct, rate)
    mine = statistics.median(ours)
    return {
        **dict(zip(("cell", "V", "E", "H", "T", "N"), size, strict=True)),
        **{"peer_ms": 1e3 * statistics.median(theirs), "ours_ms": 1e3 * mine, "ratio": ratio},
        **{"floor_ms": 1e3 * floor, "of_floor": floor / mine},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="the PyTorch script")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument("--only", help="a cell, or a cell and its units: LSTM, LSTM-64")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve_peer(args.peer, args.threads)
        return
    from rnncli import blas

    blas.set_up()  # as the command line does
    rate = product_rate(args.threads)
    command = [args.peer_python, __file__, "--peer", args.peer, "--threads", str(args.threads), "--serve"]
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads)}
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    print(f"{args.threads} thread(s); large products at {rate / 1e9:.0f} GFLOP/s")
    print("cell      V    E    H    T   N  PyTorch ms   rnncli ms  ratio  floor ms  of floor")
    cells = ("LSTM", "GRU", "RNN")
    shapes = [(100, 16, 16, 20, 32), (10_000, 64, 64, 200, 32), (10_000, 100, 128, 200, 32)]
    shapes += [(10_000, 128, 128, 100, 64), (10_000, 128, 256, 100, 64), (10_000, 256, 512, 50, 64)]
    rows = []
    for size in [(cell, *shape) for cell in cells for shape in shapes]:
        if args.only and args.only not in (size[0], f"{size[0]}-{size[3]}"):
            continue
        row = compare(size, peer, args, rate)
        rows.append(row)
        print(
            f"{row['cell']:<4} {row['V']:>6} {row['E']:>4} {row['H']:>4} {row['T']:>4} {row['N']:>3}"
            f"  {row['peer_ms']:>10.2f}  {row['ours_ms']:>10.2f}  {row['ratio']:>5.2f}  {row['floor_ms']:>8.2f}"
            f"  {row['of_floor']:>8.2f}",
            flush=True,
        )
    assert peer.stdin is not None
    peer.stdin.close()
    peer.wait()
    if args.json:
        Path(args.json).write_text(json.dumps({"threads": args.threads, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
