"""The loops of an LSTM in numba, beside NumPy's and the compiled ones: what the choice of C was measured against.

    python -m venv beside && beside/bin/pip install . numba scipy
    taskset -c 1 beside/bin/python benchmarks/numba_lstm.py [--rounds 15] [--only 64]

Run by hand, and by nothing else: numba is no dependency of rnncli, nor of its tests. The sizes are those of
``step.py``. Only the walk through time is in C or in numba: both add up the gradients of the weights by the same
lines, whose time is the column "shared". Each has its turn in every round, in one process with one thread; a row
holds the medians. numba has three products of a timestep: ``dot`` calls SciPy's OpenBLAS, ``loops`` is written in
Python, ``tiles`` is LLVM's instructions put together in Python, the tiles of ``product.h``. Outputs, states and
gradients are first held against NumPy's, those of ragged sequences too.

Then what a process waits for: the first call, where numba compiles and where it has a cache; the imports; a cold
``predict``; and how much each package takes on the disk.
"""

from __future__ import annotations

from rnncli import blas

blas.set_up()  # as the command line does, before NumPy is imported

import argparse  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from functools import partial  # noqa: E402
from importlib import metadata  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import llvmlite.binding  # noqa: E402
import numpy as np  # noqa: E402
from llvmlite import ir  # noqa: E402
from numba import njit, types  # noqa: E402
from numba.core import cgutils  # noqa: E402
from numba.extending import intrinsic, overload, register_jitable  # noqa: E402

from rnncli.core.cells import compiled  # noqa: E402
from rnncli.core.cells.lstm import LSTM, LSTMCache  # noqa: E402
from rnncli.core.engine import library  # noqa: E402
from rnncli.core.packed import Lookup, PackedSequence  # noqa: E402
from rnncli.machine import keep_freed_memory  # noqa: E402

SHAPES = [(100, 16, 16, 20, 32), (10_000, 64, 64, 200, 32), (10_000, 100, 128, 200, 32)]  # V, E, H, T, N
SHAPES += [(10_000, 128, 256, 100, 64), (10_000, 256, 512, 50, 64)]
RAGGED = (50, 5, 20, 13, 13)  # every number of rows, and a part of a panel
PRODUCTS = ("dot", "loops", "tiles")
TOLERANCE = 1e-5  # relative by norm
SECONDS = 0.05  # of one engine in one round, at least

# What C may do, too: a product and a sum may become one instruction. Nothing is reordered, and a NaN stays one.
JIT: dict[str, Any] = {"cache": True, "error_model": "numpy", "fastmath": {"contract"}}

LANES = 16 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 8
TILE_ROWS = 8 if LANES == 16 else 6
PANEL = 2 * LANES

f32 = np.float32
LOG2_E, ROUNDS, ONE_BITS = f32(1.4426950408889634), f32(12582912.0), np.int32(0x3F800000)
LN2_HIGH, LN2_LOW = f32(0.693359375), f32(-2.12194440e-4)
ONE, TWO, LARGEST, SATURATED, VANISHED = f32(1), f32(2), f32(87), f32(20), f32(1e-30)
R2, R3, R4, R5, R6, R7 = (f32(1 / n) for n in (2, 6, 24, 120, 720, 5040))


@register_jitable(**JIT)
def exp_minus_one(x):  # as in vector.h
    shifted = x * LOG2_E + ROUNDS
    n = shifted - ROUNDS
    r = x - n * LN2_HIGH
    r = r - n * LN2_LOW
    two_n = np.int32((np.float32(shifted).view(np.int32) << 23) + ONE_BITS).view(np.float32)
    power = r * (ONE + r * (R2 + r * (R3 + r * (R4 + r * (R5 + r * (R6 + r * R7))))))
    return two_n * power + (two_n - ONE)


@register_jitable(**JIT)
def sigmoid(x):
    minus = LARGEST if -x > LARGEST else -x
    minus = -LARGEST if minus < -LARGEST else minus
    y = ONE / (TWO + exp_minus_one(minus))
    return f32(0) if x < -LARGEST else y


@register_jitable(**JIT)
def hyperbolic_tangent(x):
    twice = SATURATED if x + x > SATURATED else x + x
    e = exp_minus_one(-SATURATED if twice < -SATURATED else twice)
    return e / (e + TWO)


@register_jitable(**JIT)
def without_vanished(x):
    return f32(0) if abs(x) < VANISHED else x


@intrinsic(prefer_literal=True)
def tile(typing, rows, depth, a, a_row, b, c, c_row):
    """c (rows, PANEL) = a (rows, depth) · one panel b. Addresses, and numbers from one row to the next."""
    if not isinstance(rows, types.IntegerLiteral):
        return None
    count = rows.literal_value

    def generate(context, builder, signature, arguments):
        _, depth, a, a_row, b, c, c_row = arguments
        number, whole = ir.FloatType(), ir.IntType(64)
        vector, picks = ir.VectorType(number, LANES), ir.VectorType(ir.IntType(32), LANES)
        undefined, zero = ir.Constant(vector, ir.Undefined), ir.Constant(vector, [0.0] * LANES)
        kind = ir.FunctionType(vector, [vector] * 3)
        fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")

        def at(base, index, kind):
            return builder.inttoptr(builder.add(base, builder.mul(index, whole(4))), kind.as_pointer())

        before = builder.block
        loop, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, sums = builder.phi(whole), [builder.phi(vector) for _ in range(2 * count)]
        parts = [
            builder.load(at(b, builder.add(builder.mul(k, whole(PANEL)), whole(j)), vector), align=4)
            for j in (0, LANES)
        ]
        new = []
        for i in range(count):
            x = builder.load(at(a, builder.add(builder.mul(a_row, whole(i)), k), number), align=4)
            x = builder.insert_element(undefined, x, ir.IntType(32)(0))
            x = builder.shuffle_vector(x, undefined, ir.Constant(picks, [0] * LANES))
            new += [
                builder.call(fma, [x, part, total]) for part, total in zip(parts, sums[2 * i : 2 * i + 2], strict=True)
            ]
        following = builder.add(k, whole(1))
        for phi, first, later in zip([k, *sums], [whole(0), *[zero] * len(sums)], [following, *new], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        builder.position_at_end(after)
        for i in range(count):
            for j in (0, 1):
                builder.store(
                    new[2 * i + j], at(c, builder.add(builder.mul(c_row, whole(i)), whole(j * LANES)), vector), align=4
                )
        return context.get_dummy_value()

    i64, u64 = types.int64, types.uint64
    return types.void(rows, i64, u64, i64, u64, u64, i64), generate


def multiply(a, n, b, c):
    """c (n, …) = a[:n] · b; b as :func:`packed` leaves it for a product."""


@overload(multiply, jit_options=JIT)
def choose(a, n, b, c):
    def dot(a, n, b, c):
        np.dot(a[:n], b, c[:n])

    def loops(a, n, b, c):
        depth = b.shape[1]
        sums = np.empty(4 * PANEL, np.float32)  # of four rows
        for p in range(b.shape[0]):
            panel = b[p]
            for first in range(0, n, 4):
                i0 = first
                i1, i2, i3 = min(first + 1, n - 1), min(first + 2, n - 1), min(first + 3, n - 1)
                sums[:] = 0
                for k in range(0, depth, 4):  # no depth is other than a multiple of 4
                    x00, x01, x02, x03 = a[i0, k], a[i0, k + 1], a[i0, k + 2], a[i0, k + 3]
                    x10, x11, x12, x13 = a[i1, k], a[i1, k + 1], a[i1, k + 2], a[i1, k + 3]
                    x20, x21, x22, x23 = a[i2, k], a[i2, k + 1], a[i2, k + 2], a[i2, k + 3]
                    x30, x31, x32, x33 = a[i3, k], a[i3, k + 1], a[i3, k + 2], a[i3, k + 3]
                    b0, b1, b2, b3 = panel[k], panel[k + 1], panel[k + 2], panel[k + 3]
                    for j in range(PANEL):
                        y0, y1, y2, y3 = b0[j], b1[j], b2[j], b3[j]
                        sums[j] += x00 * y0 + x01 * y1 + x02 * y2 + x03 * y3
                        sums[PANEL + j] += x10 * y0 + x11 * y1 + x12 * y2 + x13 * y3
                        sums[2 * PANEL + j] += x20 * y0 + x21 * y1 + x22 * y2 + x23 * y3
                        sums[3 * PANEL + j] += x30 * y0 + x31 * y1 + x32 * y2 + x33 * y3
                for i in range(min(4, n - first)):
                    for j in range(PANEL):
                        c[first + i, p * PANEL + j] = sums[i * PANEL + j]

    def tiles(a, n, b, c):
        depth, a_row, c_row = a.shape[1], a.shape[1], c.shape[1]
        blocks = (n + TILE_ROWS - 1) // TILE_ROWS
        for p in range(b.shape[0]):
            panel = np.uint64(b.ctypes.data + 4 * p * depth * PANEL)
            for block in range(blocks):
                first = n * block // blocks
                rows = n * (block + 1) // blocks - first
                of_a = np.uint64(a.ctypes.data + 4 * first * a_row)
                of_c = np.uint64(c.ctypes.data + 4 * (first * c_row + p * PANEL))
                if rows == 8:
                    tile(8, depth, of_a, a_row, panel, of_c, c_row)
                elif rows == 7:
                    tile(7, depth, of_a, a_row, panel, of_c, c_row)
                elif rows == 6:
                    tile(6, depth, of_a, a_row, panel, of_c, c_row)
                elif rows == 5:
                    tile(5, depth, of_a, a_row, panel, of_c, c_row)
                elif rows == 4:
                    tile(4, depth, of_a, a_row, panel, of_c, c_row)
                elif rows == 3:
                    tile(3, depth, of_a, a_row, panel, of_c, c_row)
                elif rows == 2:
                    tile(2, depth, of_a, a_row, panel, of_c, c_row)
                else:
                    tile(1, depth, of_a, a_row, panel, of_c, c_row)

    return {2: dot, 3: loops, 4: tiles}[b.ndim]


def packed(product: str, weight: Any) -> Any:
    """A right factor (K, M) as it is, in panels (M/PANEL, K, PANEL), or the same with a half each (…, 2, LANES)."""
    if product == "dot":
        return np.ascontiguousarray(weight)
    K, M = weight.shape
    panels = -(-M // PANEL)
    out = np.zeros((panels, K, PANEL), np.float32)
    for p in range(panels):
        part = weight[:, p * PANEL : (p + 1) * PANEL]
        out[p, :, : part.shape[1]] = part
    return out if product == "loops" else out.reshape(panels, K, 2, LANES)


@njit(**JIT)
def forward(batch_sizes, sums, index, weight, h, c, kept, past):
    H, row = h.shape[1], 0
    for t in range(len(batch_sizes)):
        n = batch_sizes[t]
        multiply(h, n, weight, past)
        for r in range(n):
            x, a, h_r, c_r = sums[index[row]], past[r], h[r], c[r]
            ko, ki, kf, kg, kc, kt, kh = (
                kept[0, row],
                kept[1, row],
                kept[2, row],
                kept[3, row],
                kept[4, row],
                kept[5, row],
                kept[6, row],
            )
            for u in range(H):
                o, i = sigmoid(x[u] + a[u]), sigmoid(x[H + u] + a[H + u])
                f, g = sigmoid(x[2 * H + u] + a[2 * H + u]), hyperbolic_tangent(x[3 * H + u] + a[3 * H + u])
                c_t = f * c_r[u] + i * g
                tanh_c = hyperbolic_tangent(c_t)
                h_t = o * tanh_c
                c_r[u], h_r[u], kh[u] = c_t, h_t, h_t
                ko[u], ki[u], kf[u], kg[u], kc[u], kt[u] = o, i, f, g, c_t, tanh_c
            row += 1


@njit(**JIT)
def backward(batch_sizes, dy, weight, c0, kept, dh, dc, dsums, past):
    H, row = dh.shape[1], len(dsums)
    for t in range(len(batch_sizes) - 1, -1, -1):
        n = batch_sizes[t]
        row -= n
        for r in range(n):
            c_past = kept[4, row - batch_sizes[t - 1] + r] if t else c0[r]
            at = row + r
            ko, ki, kf, kg, kt = kept[0, at], kept[1, at], kept[2, at], kept[3, at], kept[5, at]
            dy_r, dh_r, dc_r, da = dy[at], dh[r], dc[r], dsums[at]
            # Each its own slice: LLVM makes no vectors of da[H + u], whose index numba would turn round below 0.
            da_o, da_i, da_f, da_g = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
            for u in range(H):
                o, i, f, g, tanh_c = ko[u], ki[u], kf[u], kg[u], kt[u]
                dh_t = dh_r[u] + dy_r[u]
                dc_t = without_vanished(dc_r[u] + dh_t * o * (ONE - tanh_c * tanh_c))
                da_o[u] = dh_t * tanh_c * o * (ONE - o)
                da_i[u] = dc_t * g * i * (ONE - i)
                da_f[u] = dc_t * c_past[u] * f * (ONE - f)
                da_g[u] = dc_t * i * (ONE - g * g)
                dc_r[u] = dc_t * f
        multiply(dsums[row:], n, weight, past)
        for r in range(n):
            for u in range(H):
                dh[r, u] = without_vanished(past[r, u])


def step_in_numba(product: str, cell: LSTM, params: dict[str, Any], x: PackedSequence, dy: Any) -> list[Any]:
    """Outputs, last states, gradients of x, first states and weights: what :mod:`rnncli.core.cells.compiled` does."""
    (h0, c0), S, H = cell.first_state(None, x, f32), len(x.data), cell.hidden_size
    h, c, kept = h0.copy(), c0.copy(), np.empty((7, S, H), f32)
    weight = packed(product, params["weight_hh"])
    sums = x.data.table @ params["weight_ih"]
    sums += params["bias"]
    sizes, index = np.ascontiguousarray(x.batch_sizes, np.int64), x.data.distinct.inverse
    forward(sizes, sums, index, weight, h, c, kept, np.empty((len(h), width(weight)), f32))
    cache = LSTMCache(x, h0, c0, *kept)
    dh, dc, dsums = np.zeros_like(h), np.zeros_like(c), np.empty((S, 4 * H), f32)
    weight = packed(product, params["weight_hh"].T)
    backward(sizes, dy, weight, c0, kept, dh, dc, dsums, np.empty((len(h), width(weight)), f32))
    dx, grads = gradients(cell, params, cache, dsums)
    return [kept[-1], h, c, dx, dh, dc, *(grads[name] for name in params)]


def gradients(*given: Any) -> Any:
    """Of x and the weights, from those of the sums: as the compiled engine adds them up."""
    engine = library.library()
    assert engine is not None
    return compiled._gradients(engine, *given)


def width(weight: Any) -> int:
    return weight.shape[1] if weight.ndim == 2 else len(weight) * PANEL


def step_of(cell: LSTM, params: dict[str, Any], x: PackedSequence, dy: Any, engine: Any) -> list[Any]:
    """The same of the NumPy cell, or of the compiled one."""
    y, last, cache = engine.forward(params, x, None, True)
    dx, dfirst, grads = engine.backward(params, cache, dy, None)
    return [y, *last, dx, *dfirst, *(grads[name] for name in params)]


class Compiled:
    def __init__(self, cell: LSTM) -> None:
        self.forward, self.backward = partial(compiled.forward, cell), partial(compiled.backward, cell)


def steps(shape: tuple[int, ...], ragged: bool = False) -> dict[str, Callable[[], list[Any]]]:
    """A step of each engine on the same numbers: tokens by a Zipf law, as in ``step.py``."""
    V, E, H, T, N = shape
    lengths = [1 + n % T for n in range(N)] if ragged else [T] * N
    rng, often = np.random.default_rng(0), 1.0 / np.arange(1, V + 1)
    tokens = PackedSequence.pack([rng.choice(V, size=length, p=often / often.sum()) for length in lengths])
    distinct = tokens.distinct_tokens
    x = tokens.with_data(Lookup(rng.standard_normal((len(distinct.rows), E)).astype(f32), distinct))
    cell = LSTM(E, H)
    params = cell.init(rng, np.dtype(f32))
    dy = rng.standard_normal((sum(lengths), H)).astype(f32)
    given = cell, params, x, dy
    found = {"numpy": partial(step_of, *given, cell), "compiled": partial(step_of, *given, Compiled(cell))}
    _, _, cache = cell.forward(params, x)
    found["shared"] = lambda: list(gradients(cell, params, cache, np.ones((sum(lengths), 4 * H), f32)))
    return found | {product: partial(step_in_numba, product, *given) for product in PRODUCTS}


def seconds(step: Callable[[], object], least: float = 0.0) -> float:
    begin, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - begin < least:
        step()
        count += 1
    return (time.perf_counter() - begin) / count


def apart(ours: Any, theirs: Any) -> float:
    """How far two arrays are apart, relative by norm."""
    return float(np.linalg.norm(np.asarray(ours) - np.asarray(theirs)) / np.linalg.norm(np.asarray(theirs)))


def check(engines: dict[str, Callable[[], list[Any]]]) -> float:
    """How far numba's arrays are from NumPy's; less than the tolerance."""
    right = engines["numpy"]()
    found = [apart(ours, theirs) for name in PRODUCTS for ours, theirs in zip(engines[name](), right, strict=True)]
    assert all(distance < TOLERANCE for distance in found), found  # a NaN is not
    return max(found)


def compare(rounds: int, only: int | None) -> None:
    print(
        f"ms forward + backward, one thread\n{'H':>4} {'T':>4} {'N':>3} {'numpy':>9} {'compiled':>9} {'shared':>9}",
        end="",
    )
    print("".join(f"{'numba ' + product:>13}" for product in PRODUCTS) + "   farthest from numpy")
    library.use("compiled")
    check(steps(RAGGED, ragged=True))
    for shape in SHAPES:
        if only not in (None, shape[2]):
            continue
        engines = steps(shape)
        farthest = check(engines)
        taken: dict[str, list[float]] = {name: [] for name in engines}
        for turn in range(rounds):
            for name in list(engines)[:: 1 if turn % 2 else -1]:
                taken[name].append(seconds(engines[name], SECONDS))
        ms = [1e3 * statistics.median(taken[name]) for name in engines]
        sizes = f"{shape[2]:>4} {shape[3]:>4} {shape[4]:>3} {ms[0]:>9.2f} {ms[1]:>9.2f} {ms[2]:>9.2f}"
        print(sizes + "".join(f"{one:>13.2f}" for one in ms[3:]) + f"   {farthest:.1e}", flush=True)


FIRST = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
import numba_lstm
numba_lstm.library.use("compiled")
print(numba_lstm.seconds(numba_lstm.steps(numba_lstm.SHAPES[0])[sys.argv.pop(1)]))
"""
IMPORT = """
import sys, time
import numpy
begin = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - begin)
"""
COMMAND = """
from rnncli.__main__ import main
main()
"""
PREDICT = {"numpy": "numpy", "compiled": "compiled", "numba": "numpy"}  # the engine that predicts


def waits(rounds: int) -> None:
    """What a process waits for before it computes, and what is installed."""
    here, python = str(Path(__file__).parent), [sys.executable, "-c"]
    with tempfile.TemporaryDirectory() as folder:

        def run(*command: str, cache: Path = Path(folder, "cache")) -> str:
            environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
            return subprocess.run(
                command, cwd=folder, check=True, capture_output=True, text=True, env=environment
            ).stdout

        def median(measure: Callable[[int], float], times: int = rounds) -> float:
            return statistics.median(measure(turn) for turn in range(times))

        print("\nseconds of the first step in a process (LSTM of 16 units)")
        print(f"{'compiled':<12} {median(lambda _: float(run(*python, FIRST, here, 'compiled'))):.3f}")
        for product in PRODUCTS:
            cold = median(lambda k, p=product: float(run(*python, FIRST, here, p, cache=Path(folder, f"{p}{k}"))), 3)
            warm = median(lambda _, p=product: float(run(*python, FIRST, here, p, cache=Path(folder, f"{p}0"))))
            print(f"numba {product:<6} {cold:.3f} compiling, {warm:.3f} from its cache")
        print("seconds to import, after NumPy")
        for name in ("numba", "scipy.linalg"):
            print(f"{name:<12} {median(lambda _, name=name: float(run(*python, IMPORT, name))):.3f}")
        sample = Path(here).parent / "sample_data" / "reviews.csv"
        run(sys.executable, "-m", "rnncli", "train", str(sample), "--epochs", "1")
        print(
            'seconds of rnncli predict "movie was good", the whole process; numba loads its loops from the cache first'
        )
        taken: dict[str, list[float]] = {name: [] for name in PREDICT}
        for turn in range(rounds + 1):
            for name, engine in PREDICT.items():
                command = [*python, FIRST + COMMAND, here, "tiles"] if name == "numba" else [*python, COMMAND]
                took = seconds(partial(run, *command, "predict", "movie was good", "--engine", engine))
                if turn:  # the first round fills the disk's cache, and numba's
                    taken[name].append(took)
        for name, of_turns in taken.items():
            print(f"{name:<12} {statistics.median(of_turns):.3f}")
    print("MB on the disk")
    for name in ("numba", "llvmlite", "scipy", "numpy"):
        size = sum(file.stat().st_size for part in metadata.files(name) or () if (file := Path(part.locate())).exists())
        print(f"{name:<12} {size / 1e6:>6.1f}   {metadata.version(name)}")
    print(f"{library.NAME:<12} {Path(library.__file__).with_name(library.NAME).stat().st_size / 1e6:>6.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", type=int, help="units; without what a process waits for")
    args = parser.parse_args()
    print(f"{llvmlite.binding.get_host_cpu_name()}, vectors of {4 * LANES} bytes; the compiled engine at", end=" ")
    library.use("compiled")
    print(f"{library.status().level}; OpenBLAS's kernel {blas.kernel()}")
    keep_freed_memory()
    compare(args.rounds, args.only)
    if args.only is None:
        waits(min(args.rounds, 9))


if __name__ == "__main__":
    main()
