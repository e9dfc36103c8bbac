"""OpenBLAS's kernels side by side: how fast each multiplies what a training step leaves to it, in GFLOP/s.

    python benchmarks/kernels.py [--kernels SkylakeX Haswell] [--cell LSTM] [--dtype float32] [--rounds 9]

A kernel is chosen once a process, so that each has a process of its own; they run by turns, one thread each. The sizes
are those of ``step.py``. "h W_h" and "da W_hT" are the products of one timestep, which the compiled engine does by
itself; the others are of all steps, or of all distinct tokens, at once. Pin it to a core (``taskset -c 1``).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
SHAPES = [(100, 16, 16, 20, 32), (10_000, 64, 64, 200, 32), (10_000, 100, 128, 200, 32)]
SHAPES += [(10_000, 128, 128, 100, 64), (10_000, 128, 256, 100, 64), (10_000, 256, 512, 50, 64)]
COLUMNS = ("h W_h", "da W_hT", "x W_i", "hT da", "xT da", "da W_iT")
SECONDS = 0.01  # of one product in one round


def products(gates: int, shape: tuple[int, ...], dtype: str) -> Iterator[tuple[Callable[[], object], int]]:
    """The products in the order of the columns, and the operations of each: those of a timestep gate by gate, as the
    NumPy engine has them, the others with the gates side by side, as the compiled one has them."""
    import numpy as np

    V, E, H, T, N = shape
    rng, weights = np.random.default_rng(0), 1.0 / np.arange(1, V + 1)
    U = len(np.unique(rng.choice(V, size=(T, N), p=weights / weights.sum())))

    def normal(*size: int) -> Any:
        return rng.standard_normal(size).astype(dtype)

    h, da_t, W_h, out = normal(N, H), normal(gates, N, H), normal(gates, H, H), normal(gates, N, H)
    past, da, x, dx = normal(T * N, H), normal(T * N, gates * H), normal(U, E), normal(U, gates * H)
    W_i = normal(E, gates * H)
    step, tokens = 2 * gates * N * H * H, 2 * gates * U * E * H
    yield lambda: np.matmul(h, W_h, out), step
    yield lambda: np.matmul(da_t, W_h, out), step
    yield lambda: x @ W_i, tokens
    yield lambda: past.T @ da, T * step
    yield lambda: x.T @ dx, tokens
    yield lambda: dx @ W_i.T, tokens


def rate(product: Callable[[], object], operations: int) -> float:
    product()
    begin, count = time.perf_counter(), 0
    while count < 2 or time.perf_counter() - begin < SECONDS:
        product()
        count += 1
    return operations * count / (time.perf_counter() - begin) / 1e9


def serve() -> None:
    """Names its kernel; for each line measures the products of a shape once."""
    import numpy  # noqa: F401 - loads OpenBLAS

    from rnncli import blas

    print(json.dumps(blas.kernel()), flush=True)
    for line in sys.stdin:
        gates, shape, dtype = json.loads(line)
        print(json.dumps([rate(*product) for product in products(gates, tuple(shape), dtype)]), flush=True)


def ask(server: subprocess.Popen[str], question: str = "") -> list[float] | str | None:
    assert server.stdin is not None
    assert server.stdout is not None
    if question:
        print(question, file=server.stdin, flush=True)
    found: list[float] | str | None = json.loads(server.stdout.readline())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", nargs="+", default=["SkylakeX", "Haswell"])
    parser.add_argument("--cell", choices=GATES, default="LSTM")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve()
        return
    servers = {}
    for kernel in args.kernels:
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": kernel}
        servers[kernel] = subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=-1, stdout=subprocess.PIPE, text=True, env=environment
        )
        if (taken := ask(servers[kernel])) != kernel:
            parser.error(f"OpenBLAS takes {taken} for {kernel}")
    print(f"{args.cell}, {args.dtype}: GFLOP/s\n{'kernel':<10}   E    H    T   N" + "".join(f"{c:>9}" for c in COLUMNS))
    for shape in SHAPES:
        question = json.dumps([GATES[args.cell], shape, args.dtype])
        found: dict[str, list[list[float]]] = {kernel: [] for kernel in servers}
        for turn in range(args.rounds):
            for kernel in list(servers)[:: 1 if turn % 2 else -1]:
                rates = ask(servers[kernel], question)
                assert isinstance(rates, list)
                found[kernel].append(rates)
        for kernel, rounds in found.items():
            medians = [statistics.median(rates) for rates in zip(*rounds, strict=True)]
            _, E, H, T, N = shape
            print(f"{kernel:<10}{E:>4} {H:>4} {T:>4} {N:>3}" + "".join(f"{one:>9.1f}" for one in medians), flush=True)
    for server in servers.values():
        assert server.stdin is not None
        server.stdin.close()
        server.wait()


if __name__ == "__main__":
    main()
