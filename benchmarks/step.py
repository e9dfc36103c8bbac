"""One training step (forward, backward, clip, Adam) beside PyTorch's, size by size, and beside the machine's limit.

PyTorch and each of our engines run by turns, block by block, each in a process of its own with the same number of
threads (ours: processes). A row holds the median step of each, and for each engine the median of the ratios block by
block (PyTorch's time over ours: above 1 we are faster). The floor is the step's matrix products alone at the rate that
this machine multiplies large matrices at: one process a core, all at once, with each kernel of OpenBLAS that the
processor runs, measured between the blocks; the best rate of the row counts.

    python benchmarks/step.py --peer PEER.py --peer-python VENV/bin/python [--threads 2] [--blocks 15] [--ragged]

The peer is a script with a ``Classifier(cell, V, E, H)`` of the layers ``embedding``, ``recurrent`` and ``output``, and
``zipf_tokens``. With ``--ragged`` the sequences are as long as imdb's reviews, and there are two peers: PyTorch's
packed sequences, and batches that are padded, of which the last real state is read. There is a ratio to either.
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SMALLEST_SHARED = 32  # units; below, one process is quicker than two, and `--workers auto` takes one
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
REST_SECONDS = 0.05  # between blocks: threads of the other program may go on spinning for a while
# A block ends after 4 steps or 0.15 seconds, but has two steps (one if it takes a second), and as many as 0.02 seconds
# hold: the first one finds nothing of its own in the caches.
BLOCK_SECONDS, BLOCK_STEPS, LEAST_SECONDS, LONG_STEP = 0.15, 4, 0.02, 1.0

ENGINES = ("numpy", "compiled")
COLUMNS = ("cell", "V", "E", "H", "T", "N")
SHAPES = [(100, 16, 16, 20, 32), (10_000, 64, 64, 200, 32), (10_000, 100, 128, 200, 32)]
SHAPES += [(10_000, 128, 128, 100, 64), (10_000, 128, 256, 100, 64), (10_000, 256, 512, 50, 64)]
LONGEST = 400
RAGGED = [(10_000, 64, 64, LONGEST, 32), (10_000, 100, 128, LONGEST, 32), (10_000, 128, 256, LONGEST, 64)]

# Words and punctuation marks of the 25,000 training reviews of imdb (Maas et al. 2011): the shortest, and the quantiles
# 0.05, 0.1, 0.15, ... up to the longest. A fifth has 400 or more, where a training cuts them.
IMDB_LENGTHS = (11, 80, 115, 139, 149, 158, 168, 178, 190, 204, 220, 238, 260, 288, 320, 360, 412, 480, 580, 756, 2883)

# OpenBLAS's own choice on any processor, then its kernels for AVX2 and AVX-512: it does not always choose the best. A
# process that asks for one that the processor cannot run ends, and is not counted.
KERNELS = ("", "Haswell", "SkylakeX")
PRODUCTS = ((512, 6), (1536, 1))  # n of (n, n)·(n, n), and how often at a time


def lengths_of(sequences: int) -> list[int]:
    """Lengths of imdb's reviews, cut at 400, the longest first: the quantiles in the middle of equal parts."""
    parts = len(IMDB_LENGTHS) - 1
    lengths = []
    for n in range(sequences):
        part, within = divmod((n + 0.5) / sequences * parts, 1)
        low, high = IMDB_LENGTHS[int(part) : int(part) + 2]
        lengths.append(min(LONGEST, round(low + within * (high - low))))
    return lengths[::-1]


def load_peer(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("peer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def timed(step: Callable[[], object]) -> float:
    """Seconds of one step: the mean over a block."""
    begin, count, took = time.perf_counter(), 0, 0.0
    while took < LEAST_SECONDS or (count < 2 and took < LONG_STEP) or (count < BLOCK_STEPS and took < BLOCK_SECONDS):
        step()
        count += 1
        took = time.perf_counter() - begin
    return took / count


def peer_step(peer: Any, form: str, size: Sequence[Any], lengths: list[int] | None) -> Callable[[], object]:
    """A step in PyTorch; the form is ``dense``, ``packed`` or ``padded``."""
    import numpy as np
    import torch
    from torch import nn

    cell, V, E, H, T, N = size
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = peer.Classifier(cell, V, E, H)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    loss_of = nn.BCEWithLogitsLoss()
    tokens = torch.from_numpy(peer.zipf_tokens(rng, V, T, N))
    target = torch.from_numpy(rng.integers(0, 2, N).astype("float32"))
    ends, each = torch.tensor(lengths or [T] * N), torch.arange(N)
    tokens[torch.arange(T)[:, None] >= ends] = 0

    def packed() -> Any:
        # The ids are packed, and not their embeddings: the quicker of the two.
        ids = nn.utils.rnn.pack_padded_sequence(tokens, ends)
        embedded = nn.utils.rnn.PackedSequence(model.embedding(ids.data), ids.batch_sizes)
        _, state = model.recurrent(embedded)
        return model.output((state[0] if isinstance(state, tuple) else state)[0])[:, 0]

    def padded() -> Any:
        h, _ = model.recurrent(model.embedding(tokens))
        return model.output(h[ends - 1, each])[:, 0]

    logits = {"dense": lambda: model(tokens), "packed": packed, "padded": padded}[form]

    def step() -> None:
        optimizer.zero_grad()
        loss_of(logits(), target).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def sequences(V: int, lengths: list[int]) -> list[Any]:
    """Made-up token ids by a Zipf law, of so many timesteps each."""
    import numpy as np

    weights = 1.0 / np.arange(1, V + 1)
    rng = np.random.default_rng(0)
    return [rng.choice(V, size=length, p=weights / weights.sum()).astype(np.int32) for length in lengths]


def our_step(
    cell: str, V: int, E: int, H: int, T: int, N: int, workers: int, lengths: list[int] | None = None
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
    batch = Examples(sequences(V, lengths or [T] * N), np.random.default_rng(1).integers(0, 2, N))
    network = Classifier(settings, V, 2)
    group = group_of(workers)
    nothing = batch.take(np.arange(0))
    trainer = Trainer(network, loop.new_state(network, settings, group), batch, nothing, settings, group)
    group.start(trainer.follow)
    return lambda: trainer.step(0, 0), group.__exit__


def product() -> float:
    """Floating-point operations a second of large float32 products in this process."""
    import numpy as np

    best = 0.0
    for n, times in PRODUCTS:
        a, out = np.ones((n, n), np.float32), np.empty((n, n), np.float32)
        for _ in range(times):
            begin = time.perf_counter()
            np.matmul(a, a, out=out)
            best = max(best, 2 * n**3 / (time.perf_counter() - begin))
    return best


def serve(args: argparse.Namespace) -> None:
    """One side, in a process of its own: for each line ``go FORM`` prints what it has measured.

    Any other line is a row, as JSON; the answer is an empty line once the steps of its forms are ready. The sides are
    ``torch``, our engines, and ``product``, which has no rows.
    """
    steps: dict[str, Callable[[], object]] = {}
    close: Callable[[], object] = lambda: None  # noqa: E731
    if args.serve == "torch":
        import torch

        peer = load_peer(args.peer)
        torch.set_num_threads(args.threads)
    elif args.serve in ENGINES:
        from rnncli import blas

        blas.set_up()  # as the command line does
        from rnncli.core.engine import library

        library.use(args.serve)  # its workers are forked later, and inherit it
    for line in sys.stdin:
        if line.startswith("go"):
            print(product() if args.serve == "product" else timed(steps[line.split()[1]]), flush=True)
            continue
        row = json.loads(line)
        size, lengths, forms = row["size"], row["lengths"], row["forms"]
        close()
        steps = {}
        if args.serve == "torch":
            steps = {form: peer_step(peer, form, size, lengths) for form in forms}
        else:
            step, close = our_step(*size, args.threads if size[3] >= SMALLEST_SHARED else 1, lengths)
            steps = dict.fromkeys(forms, step)
        for step in steps.values():
            timed(step)
        print(flush=True)
    close()


class Side:
    """A process that serves."""

    def __init__(self, python: str, name: str, args: argparse.Namespace, **variables: str) -> None:
        command = [python, __file__, "--peer", args.peer, "--threads", str(args.threads), "--serve", name]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=os.environ | variables)

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def receive(self) -> str:
        """Raises EOFError: the process has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError
        return line

    def prepare(self, row: dict[str, Any]) -> None:
        self.send(json.dumps(row))
        self.receive()

    def measure(self, form: str = "") -> float:
        self.send(f"go {form}")
        return float(self.receive())

    def close(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


@contextmanager
def closing(sides: Iterable[Side | Products]) -> Iterator[None]:
    try:
        yield
    finally:
        for side in sides:
            side.close()


class Products:
    """Processes that multiply, one a core, for each kernel of OpenBLAS; each time another kernel's turn.

    Attributes:
        best: operations a second of all processes together since the last :meth:`start_row`.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._crews: list[list[Side]] = []
        self._turn, self.best = 0, 0.0
        for kernel in KERNELS:
            chosen = {"OPENBLAS_CORETYPE": kernel} if kernel else {}
            one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            crew = [Side(sys.executable, "product", args, **chosen, **one) for _ in range(args.threads)]
            self._crews.append(crew)
            self.measure(len(self._crews) - 1)

    def start_row(self) -> None:
        self.best = 0.0

    def measure(self, which: int | None = None) -> None:
        if which is None:
            self._turn += 1
            which = self._turn % len(self._crews)
        crew = self._crews[which]
        try:
            for side in crew:
                side.send("go")
            self.best = max(self.best, sum(float(side.receive()) for side in crew))
        except (EOFError, BrokenPipeError):  # ended by a kernel that this processor cannot run
            self._crews.remove(crew)
            for side in crew:
                side.close()

    def close(self) -> None:
        for crew in self._crews:
            for side in crew:
                side.close()


def floor_seconds(cell: str, E: int, H: int, timesteps: int, distinct: int, rate: float) -> float:
    """The products of a step: h·W_h forward, its two gradients, and for each distinct token the same of W_i."""
    width = GATES[cell] * H
    return 3 * 2 * width * (timesteps * H + distinct * E) / rate


def compare(size: tuple[Any, ...], torch: Side, products: Products, args: argparse.Namespace) -> dict[str, Any]:
    """One row: the sides by turns, and a measurement of the products after each round."""
    import numpy as np

    cell, V, E, H, T, N = size
    lengths = lengths_of(N) if args.ragged else None
    forms = ["packed", "padded"] if args.ragged else ["dense"]
    ours = {engine: Side(sys.executable, engine, args) for engine in args.engines}
    seconds: dict[str, list[float]] = {name: [] for name in (*forms, *ours)}
    row = {"size": size, "lengths": lengths, "forms": forms}
    torch.prepare(row)
    products.start_row()
    with closing(ours.values()):
        for side in ours.values():
            side.prepare(row)
        for _ in range(args.blocks):
            for form in forms:
                time.sleep(REST_SECONDS)
                seconds[form].append(torch.measure(form))
            for engine, side in ours.items():
                time.sleep(REST_SECONDS)
                seconds[engine].append(side.measure(forms[0]))
            products.measure()
    tokens = np.concatenate(sequences(V, lengths or [T] * N))
    floor = floor_seconds(cell, E, H, len(tokens), len(np.unique(tokens)), products.best)
    ratios = {engine: {form: ratio_of(seconds[form], seconds[engine]) for form in forms} for engine in ours}
    return {
        **dict(zip(COLUMNS, size, strict=True)),
        "timesteps": len(tokens),
        "ms": {name: 1e3 * statistics.median(taken) for name, taken in seconds.items()},
        "ratio": ratios,
        "gflops": products.best / 1e9,
        "floor_ms": 1e3 * floor,
        "of_floor": {engine: floor / statistics.median(seconds[engine]) for engine in ours},
    }


def ratio_of(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """How many times as fast we are: the median over the blocks."""
    return statistics.median(a / b for a, b in zip(theirs, ours, strict=True))


def heading(forms: Sequence[str], engines: Sequence[str]) -> str:
    cells = ["cell      V    E    H    T   N"]
    cells += [f"{'PyTorch' if form == 'dense' else form + ' PyTorch':>14} ms" for form in forms]
    for engine in engines:
        cells += [f"{engine:>8} ms", *("ratio" if form == "dense" else f"to {form}" for form in forms), "of floor"]
    return "  ".join([*cells, "floor ms", "GFLOP/s"])


def line(row: dict[str, Any], forms: Sequence[str], engines: Sequence[str]) -> str:
    cells = [f"{row['cell']:<4} {row['V']:>6} {row['E']:>4} {row['H']:>4} {row['T']:>4} {row['N']:>3}"]
    cells += [f"{row['ms'][form]:>17.2f}" for form in forms]
    for engine in engines:
        ratios = [f"{row['ratio'][engine][form]:>{5 if form == 'dense' else 9}.2f}" for form in forms]
        cells += [f"{row['ms'][engine]:>11.2f}", *ratios, f"{row['of_floor'][engine]:>8.2f}"]
    return "  ".join([*cells, f"{row['floor_ms']:>8.2f}", f"{row['gflops']:>7.0f}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="the PyTorch script")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument(
        "--engines", nargs="+", choices=ENGINES, default=list(ENGINES), help="ours, each with its columns"
    )
    parser.add_argument("--ragged", action="store_true", help="sequences as long as imdb's reviews")
    parser.add_argument("--only", help="a cell, or a cell and its units: LSTM, LSTM-64")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--serve", choices=("torch", *ENGINES, "product"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args)
        return
    forms = ["packed", "padded"] if args.ragged else ["dense"]
    torch = Side(args.peer_python, "torch", args, OMP_NUM_THREADS=str(args.threads))
    products = Products(args)
    rows = []
    print(f"{args.threads} thread(s); large products at {products.best / 1e9:.0f} GFLOP/s before the first row")
    print(heading(forms, args.engines))
    with closing([torch, products]):
        for cell in ("LSTM", "GRU", "RNN"):
            for shape in RAGGED if args.ragged else SHAPES:
                if args.only in (None, cell, f"{cell}-{shape[2]}"):
                    rows.append(compare((cell, *shape), torch, products, args))
                    print(line(rows[-1], forms, args.engines), flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps({"threads": args.threads, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
