"""Bugs planted in the compiled engine's C, one at a time, each of which must be refused.

    python tests/engine_planted.py                all of them, about three minutes
    python tests/engine_planted.py --only lstm.h

Each is compiled, and then held against the self-test of each kind of cell that it is in, which a library passes before
it is first used; the comparison of the engines (engine_agreement.py); and the checks that the tests of the core make of
a cell. What is no part of a cell, or too small for these, is held against the tests of
rows and of functions. Prints what refuses each. The exit code is 0 if all
refuse it that must. Needs a C compiler. Not collected by pytest.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from rnncli import blas

blas.set_up()

import numpy as np
import pytest
from core import agreement, checks, test_compiled, test_engine_rows
from core.checks import CORE, KINDS
from core.test_engine_functions import test_beyond_are_the_limits as of_limits
from core.test_engine_functions import test_the_errors_are_within_the_bounds_that_are_stated as of_bounds
from core.test_planted_bugs import OF_A_CELL, cell_of, refused

from rnncli.core.cells import compiled
from rnncli.core.engine import library
from rnncli.core.engine import rows as compiled_rows

ROOT = Path(__file__).parents[1]
PROBLEMS = 40  # of each kind of cell


class Plant(NamedTuple):
    """What stands in a file of the sources, and what in its place, some kinds of cells; and what may not see it."""

    name: str
    changes: tuple[tuple[str, str], ...]
    kinds: tuple[str, ...]
    unseen_by: tuple[str, ...] = ()


def plant(name: str, there: str, planted: str, *kinds: str, unseen_by: tuple[str, ...] = ()) -> Plant:
    return Plant(name, ((there, planted),), kinds, unseen_by)


RNN, GATED = ("rnn_tanh", "rnn_relu"), ("lstm", "gru")
WITH_W_H = (*RNN, *GATED)
# A statement before another one, for each number k of the states of sequences that have ended.
ENDED = "for (int64_t k = n * H; k < run->batch_sizes[0] * H; k++) {}; {}".format


def exchanged(a: str, b: str) -> tuple[tuple[str, str], ...]:
    return (a, "@"), (b, a), ("@", b)


PLANTS: dict[str, list[Plant]] = {
    "vector.h": [
        plant("σ of −x", "at_least(-bound, -x)", "at_least(-bound, x)", "lstm", "gru", "mingru"),
        plant("tanh of x / 2", "at_least(-bound, x + x)", "at_least(-bound, x)", "rnn_tanh", *GATED),
        plant("the last unit not written", "size; size /= 2", "size > 1; size /= 2", *KINDS),
    ],
    "float.h": [
        plant("a wrong term of e^r", "1 / 6.0f", "1 / 6.1f", "rnn_tanh", *GATED, "mingru", unseen_by=("checks",)),
        plant("no last term of e^r", "(1 / 5040.0f)", "0", unseen_by=("self-test",)),
        plant("ln 2 in one part", "-2.12194440e-4f", "-2.1219e-4f", unseen_by=("self-test",)),
        plant("σ of 0 too soon", "LARGEST 87.33f", "LARGEST 87.0f", unseen_by=("self-test",)),
        plant("tanh of 1 too soon", "SATURATED 10.0f", "SATURATED 8.0f", unseen_by=("self-test",)),
        plant("large gradients vanish", "VANISHED 1e-30f", "VANISHED 1e0f", *KINDS, unseen_by=("checks",)),
    ],
    "double.h": [
        plant("a wrong term of e^r", "1 / 40320.0", "1 / 41000.0", "rnn_tanh", *GATED, "mingru", unseen_by=("checks",)),
        plant("no last term of e^r", "(1 / 6227020800.0)", "0", unseen_by=("self-test",)),
        plant("ln 2 in one part", "1.90821492927058770002e-10", "1.9082149e-10", unseen_by=("self-test",)),
        plant("infinite beyond", "LARGEST 708.39", "LARGEST 711.0", unseen_by=("self-test",)),
    ],
    "product.h": [
        plant("the last term left out", "k < depth; k++, b += PANEL", "k < depth - 1; k++, b += PANEL", *WITH_W_H),
        plant("what is added to forgotten", "if (more) { /*", "if (0) { /*", "gru"),
        plant("rows for columns", "b[(k + i) * row + j * column]", "b[(k + i) * column + j * row]", *WITH_W_H),
        plant("the last panel left out", "p < columns; p += PANEL, b += d", "p + PANEL < columns; p += PANEL, b += d",
              *GATED),
        plant("half of a panel for the whole", "columns > LANES)", "columns > 2 * LANES)", *WITH_W_H),
        *(
            plant(f"of {n} rows one left out", f"case {n}: tile({n},", f"case {n}: tile({n - 1},", *WITH_W_H,
                  unseen_by=("checks",) if n > 4 else ())
            for n in (2, 3, 4, 5, 6)
        ),
    ],
    "gradients.h": [
        plant("the first state forgotten", "from = t ? past : first;", "from = t || past ? past : first;", *WITH_W_H),
        plant("no shrinking batch", "past += batch_sizes[t - 1] * K", "past += batch_sizes[t] * K", *WITH_W_H),
        plant("the last column left out", "(int)there : LANES), d1", "(int)there - 1 : LANES), d1", "rnn_tanh",
              unseen_by=("checks",)),
        plant("half of a panel left out", "if (there > LANES) d1", "if (0) d1", *WITH_W_H),
        plant("a bias of the last rows", "= more ? load(total) : (VEC){0}", "= (VEC){0}", *RNN,
              unseen_by=("self-test", "checks")),
        plant("only the last rows counted", "rows = 0, more = 1", "rows = 0, more = 0", *RNN, "lstm",
              unseen_by=("self-test", "checks")),
    ],
    "steps.h": [
        plant("the last units left out", "if (u < (H)) {", "if (0) {", *KINDS),
        plant("the ids ignored", "run->index ? run->index[row] : row", "row", *KINDS),
        plant("dy of a half of it", "row * run->dy_row", "row * run->hidden", *KINDS),
        plant("dy ignored", "return run->dy ?", "return 0 ?", *KINDS),
        plant("a gradient of one row too few", "r < n; r++, from += width", "r < n - 1; r++, from += width", *WITH_W_H),
    ],
    "lstm.h": [
        Plant("i and f exchanged", exchanged("VEC i = sigmoid", "VEC f = sigmoid"), ("lstm",)),
        plant("o reads h of i", "VEC o = sigmoid(load_some(x, count) + load_some(past, count))",
              "VEC o = sigmoid(load_some(x, count) + load_some(past + H, count))", "lstm"),
        plant("the memory forgotten", "f * load_some(c, count) + i * g", "i * g", "lstm"),
        plant("nothing is forgotten", "f * load_some(c, count) + i * g", "load_some(c, count) + i * g", "lstm"),
        plant("no tanh of c", "tanh_c = hyperbolic_tangent(c_t)", "tanh_c = c_t", "lstm"),
        plant("c not carried on", "store_some(c, c_t, count)", "(void)c", "lstm"),
        plant("h not carried on", "store_some(h, h_t, count)", "(void)h", "lstm"),
        plant("one sequence too few", "multiply(n, H, 4 * H, h", "multiply(n - 1, H, 4 * H, h", "lstm"),
        plant("an ended sequence goes on", "multiply(n, H, 4 * H", ENDED("c[k] /= 2", "multiply(n, H, 4 * H"),
              "lstm"),
        plant("i kept as f", "kept[1] + at, i", "kept[1] + at, f", "lstm"),
        plant("slope of o", "tanh_c * o * (1 - o)", "tanh_c * o", "lstm"),
        plant("slope of i", "dc_t * g * i * (1 - i)", "dc_t * g * i", "lstm"),
        plant("slope of f", "* f * (1 - f)", "* f", "lstm"),
        plant("slope of g", "i * (1 - g * g)", "i * (1 - g)", "lstm"),
        plant("slope of tanh(c)", " * (1 - tanh_c * tanh_c)", "", "lstm"),
        plant("the gradient of c not carried", "load_some(dc, count) + dh_t", "dh_t", "lstm"),
        plant("… as if nothing was forgotten", "store_some(dc, dc_t * f", "store_some(dc, dc_t", "lstm"),
        plant("c_t for c_(t−1)", "kept[4] + (row - run->batch_sizes[t - 1]) * H", "kept[4] + row * H", "lstm"),
        plant("no shrinking batch", "row - run->batch_sizes[t - 1]", "row - n", "lstm"),
        plant("the first c forgotten", ": run->first[1]", ": kept[4]", "lstm"),
        plant("an ended sequence's decays", "copy_gradient(n,", ENDED("dc[k] *= (REAL)0.9", "copy_gradient(n,"),
              "lstm"),
    ],
    "gru.h": [
        Plant("r and z exchanged", exchanged("VEC r = sigmoid", "VEC z = sigmoid"), ("gru",)),
        plant("z the other way round", "n + z * (load_some(h, count) - n)",
              "load_some(h, count) + z * (n - load_some(h, count))", "gru"),
        plant("no reset", "+ r * m);", "+ m);", "gru"),
        plant("the inner bias left out", "if (bias) m +=", "if (0) m +=", "gru"),
        plant("h not carried on", "store_some(h, h_t, count)", "(void)h", "gru"),
        plant("an ended sequence goes on", "multiply(n, H, 3 * H", ENDED("h[k] /= 2", "multiply(n, H, 3 * H"),
              "gru"),
        plant("slope of r", "dm * m * (1 - r)", "dm * m", "gru"),
        plant("slope of z", "VEC dh_closed = dh_t * (1 - z)", "VEC dh_closed = dh_t", "gru"),
        plant("slope of n", "dh_closed * (1 - n * n)", "dh_closed", "gru"),
        plant("h_t for what went in", "dh_closed * (h - n)", "dh_closed * h", "gru"),
        plant("nothing past the gates", "carried, dh_t * z", "carried, dh_t - dh_t", "gru"),
        plant("… instead of added to", "carried, width, 1)", "carried, width, 0)", "gru"),
        plant("an ended sequence's decays", "copy_gradient(n,", ENDED("dh[k] *= (REAL)0.9", "copy_gradient(n,"), "gru"),
    ],
    "rnn.h": [
        plant("the past forgotten", " + load(own + u)", "", *RNN),
        plant("a ReLU that leaks", "choose(a < 0, (VEC){0}, a)", "choose(a < 0, a * (REAL)0.01, a)", "rnn_relu"),
        plant("a slope of the ReLU", "choose(h_t > 0,", "choose(h_t < 0,", "rnn_relu"),
        plant("a slope of tanh", ": 1 - h_t * h_t", ": 1 - h_t", "rnn_tanh"),
        plant("the gradient not carried", "copy_gradient(n,", "if (0) copy_gradient(n,", *RNN),
        plant("an ended sequence goes on", "multiply(n, H, H, h", ENDED("h[k] /= 2", "multiply(n, H, H, h"), *RNN),
    ],
    "mingru.h": [
        plant("z the other way round", "h_past + z * (n - h_past)", "n + z * (h_past - n)", "mingru"),
        plant("n of z's sums", "n = load_some(x + H, count)", "n = load_some(x, count)", "mingru"),
        plant("slope of z", " * dn * closed", " * dn", "mingru"),
        plant("h_t for h_(t−1)", "kept[2] + (row - run->batch_sizes[t - 1]) * H", "kept[2] + row * H", "mingru"),
        plant("no shrinking batch", "row - run->batch_sizes[t - 1]", "row - run->batch_sizes[t]", "mingru"),
        plant("the gradient not carried", "without_vanished(dh_t * closed)", "dh_t - dh_t", "mingru"),
    ],
    "rows.h": [
        plant("the first of the rows twice", "int64_t n = 1; n < count", "int64_t n = 0; n < count"),
        plant("the last of the rows left out", "n = 1; n < count; n++", "n = 1; n < count - 1; n++"),
        plant("the last columns left out", "if (k < K) add_columns", "if (0) add_columns"),
        plant("ids by their place", "rows[u] = id", "rows[u] = u"),
        plant("of a product the first rows", "a + first * depth", "a", unseen_by=("self-test",)),
        plant("a rank's row for its place", "sums + place[row] * K", "sums + (total - 1 - place[row]) * K"),
        plant("the rows of all parts", "if (row % parts != index) continue;", ""),
        plant("the last rank alone", "to[k] += from[k]", "to[k] = from[k]"),
        plant("the rarest first", "count = S; count > 0; count--", "count = 1; count <= S; count++"),
    ],
    "optimizers.h": [
        plant("no correction of the second moment", "SQRT(v[k]) / root", "SQRT(v[k])"),
        plant("no weight decay", "w[k] * keep - m[k] / (SQRT(v[k]) / root", "w[k] - m[k] / (SQRT(v[k]) / root"),
        plant("the gradient not squared", "g[k] * g[k] * rest2", "g[k] * rest2"),
        plant("another row's gradient", "gradient + r * K", "gradient + at"),
        plant("caught up by another step's", "keep_m = (REAL)left1[now - then]", "keep_m = (REAL)left1[then]"),
        plant("not pushed", "epsilon) * push", "epsilon) * 0"),
        plant("caught up, and not said so", "since[rows[r]] = now", "(void)now"),
    ],
}  # fmt: skip


def hook() -> Any:
    """``hatch_build.py``, which compiles for the level that every processor has alone."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.X86_LEVELS = {"plain": []}
    return module


@contextmanager
def loaded(path: Path, untested: bool) -> Iterator[library.Library]:
    """The planted library in the place of the right one, used as if it had passed its self-test or tested first."""
    found = library.Library(path, "plain")
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(library, "_loaded", lambda: found)
        if untested:
            patch.setattr(found, "agrees", lambda case, test: True)
        with library.using("compiled"):
            yield found


def self_test(path: Path, kind: str) -> str | None:
    with loaded(path, untested=False) as found:
        compiled.tested([cell_of(kind)])
        return None if found.refused is None else "refused"


def disagreement(path: Path, kind: str) -> str | None:
    """The first problem on which the engines differ."""
    with loaded(path, untested=True):
        for number in itertools.islice(itertools.count(KINDS.index(kind), len(KINDS)), PROBLEMS):
            drawn, found = agreement.distances(number)
            if max(found.values()) > 4 * agreement.TOLERANCE[drawn.dtype]:
                return f"problem {number}"
    return None


def of_a_cell(path: Path, kind: str) -> str | None:
    """The checks that refuse it, of numbers and of ids."""
    of_ids = {"ids": lambda kind: checks.check_gradients(checks.problem(CORE, kind, both=True, ids=True))}
    with loaded(path, untested=True):
        found = [name for name, check in (OF_A_CELL | of_ids).items() if refused(check, kind)]
    return ", ".join(found) or None


def self_test_of_rows(path: Path) -> str | None:
    with loaded(path, untested=False) as found:
        compiled_rows.tested()
        return None if found.refused is None else "refused"


def of_parts(path: Path) -> str | None:
    """The tests of rows and of σ and tanh that refuse it."""
    both = (np.float32, np.float64)
    tests: dict[str, Callable[[], Any]] = {
        "distinct": lambda: test_engine_rows.test_distinct_tokens(np.int64, 300, 40),
        "sums": lambda: [test_engine_rows.test_sums(dtype, 77, ()) for dtype in both],
        "Adam": lambda: [test_engine_rows.test_adam(dtype, 0.5, [7, 0, 3]) for dtype in both],
        "catching up": lambda: [test_engine_rows.test_rows_are_caught_up(dtype, 0.5, 21) for dtype in both],
        "ranks": lambda: [test_engine_rows.test_sums_of_ranks_have_the_same_bits(dtype, 3, 2) for dtype in both],
        "product": lambda: test_compiled.test_a_product_row_by_row(np.float32, 16, 64),
        "bounds": lambda: [of_bounds(dtype) for dtype in ("float32", "float64")],
        "limits": lambda: [of_limits(dtype) for dtype in ("float32", "float64")],
    }
    with loaded(path, untested=True):
        return ", ".join(name for name, test in tests.items() if refused(test)) or None


BY: dict[str, Callable[[Path, str], str | None]] = {
    "self-test": self_test,
    "agreement": disagreement,
    "checks": of_a_cell,
}
OF_PARTS: dict[str, Callable[[Path], str | None]] = {"self-test": self_test_of_rows, "tests": of_parts}


def held_against_all(path: Path, one: Plant) -> bool:
    """Prints what refuses a plant; whether all does that must."""
    said = {kind: {name: by(path, kind) for name, by in BY.items()} for kind in one.kinds}
    if not one.kinds:
        said["no cell"] = {name: by(path) for name, by in OF_PARTS.items()}
    refused_by_all = True
    for kind, by_name in said.items():
        missed = [name for name, found in by_name.items() if found is None and name not in one.unseen_by]
        told = "; ".join(f"{name}: {found or 'nothing'}" for name, found in by_name.items())
        print(f"  {one.name}, {kind}: {told}{'  NOT REFUSED' if missed else ''}")
        refused_by_all &= not missed
    return refused_by_all


def main() -> int:
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PLANTS)
    only = parser.parse_args().only
    build, count, missed = hook(), 0, 0
    library.digest = lambda: None  # that of other sources would be refused unread
    with tempfile.TemporaryDirectory() as folder:
        engine = Path(folder) / "engine"
        shutil.copytree(build.ENGINE, engine, ignore=shutil.ignore_patterns("__pycache__", "librnncli*"))
        build.ENGINE = engine
        right = Path(folder) / "right.so"
        build.compile_library(right, ["-O1"])
        assert all(by(right, kind) is None for by in BY.values() for kind in KINDS)
        assert all(by(right) is None for by in OF_PARTS.values())
        print("without a bug nothing is refused")
        for file in [only] if only else PLANTS:
            print(file)
            source = engine / "source" / file
            text = source.read_text(encoding="utf-8")
            for one in PLANTS[file]:
                planted = text
                for there, instead in one.changes:
                    assert planted.count(there) == 1, f"{one.name}: not in {file} once: {there}"
                    planted = planted.replace(there, instead)
                source.write_text(planted, encoding="utf-8")
                path = Path(folder) / f"{count}.so"
                build.compile_library(path, ["-O1", "-w"])
                count += 1
                missed += not held_against_all(path, one)
            source.write_text(text, encoding="utf-8")
    print(f"{count} bugs planted, each refused" if not missed else f"{missed} of {count} bugs are not refused")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
