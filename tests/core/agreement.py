"""The two engines on the same random problem: a shape, a packing, a cell and what goes in, all drawn from a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from core import checks
from core.checks import CORE, KINDS

from rnncli.core.engine import library
from rnncli.core.gradients import as_dense

Array = np.ndarray[Any, Any]

# Relative, by norm.
TOLERANCE = {"float32": 1e-6, "float64": 1e-13}
INPUTS = ("ids", "lookup", "numbers")


@dataclass
class Case:
    """A problem, and what it says of itself."""

    text: str
    kind: str
    dtype: str
    stack: Any
    params: dict[str, Any]
    x: Any
    states: list[tuple[Array, ...]] | None
    dy: Array | None
    dlast: list[tuple[Array, ...]] | None
    keep: bool


def case(number: int, dtype: str | None = None) -> Case:
    """Problem ``number``; the same numbers in another type, if one is given."""
    rng = np.random.default_rng(number)
    kind = KINDS[number % len(KINDS)]
    own = ("float32", "float64")[number // len(KINDS) % 2]
    hidden = int(rng.choice([rng.integers(1, 20), rng.integers(1, 70), rng.choice([8, 16, 32, 64])]))
    width, vocabulary = int(rng.integers(1, 12)), int(rng.integers(1, 20))
    lengths = rng.integers(1, rng.choice([2, 6, 25]), rng.integers(1, rng.choice([2, 8, 30]) + 1), endpoint=True)
    layers, both, bias = int(rng.integers(1, 3)), bool(rng.integers(2)), bool(rng.integers(4))
    given, keep = str(rng.choice(INPUTS)), bool(rng.integers(6))
    with_state, with_dy, with_dlast = rng.integers(0, 3, 3) > 0
    with_dlast |= not with_dy

    more = {"input_size": vocabulary if given == "ids" else width, "hidden_size": hidden, "bias": bias}
    stack = checks.build(CORE, kind, layers, both, **more)
    params = checks.random_params(stack, rng, scale=0.5 / np.sqrt(hidden))
    ids = CORE.packed.PackedSequence.pack([rng.integers(0, vocabulary, length) for length in lengths])
    S, N = len(ids.data), len(lengths)
    table, numbers = rng.standard_normal((vocabulary, width)), rng.standard_normal((S, width))
    states, dlast = (checks.random_states(stack, N, rng) for _ in range(2))
    dy = rng.standard_normal((S, stack.output_size))

    # Rounded to the type it is drawn in, so that it is the same problem in a wider one.
    def cast(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cast(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(cast(part) for part in value)
        return value.astype(own).astype(dtype or own)

    data = {
        "ids": lambda: ids.data,
        "lookup": lambda: CORE.packed.Lookup(cast(table)[ids.distinct_tokens.rows], ids.distinct_tokens),
        "numbers": lambda: cast(numbers),
    }[given]()
    text = f"case {number}: {kind}, {layers} layers, both={both}, H={hidden}, {given}, S={S}, N={N}, {dtype or own}"
    return Case(
        text,
        kind,
        dtype or own,
        stack,
        cast(params),
        ids.with_data(data),
        cast(states) if with_state else None,
        cast(dy) if with_dy else None,
        cast(dlast) if with_dlast else None,
        keep,
    )


def everything(case: Case) -> dict[str, Array]:
    """Every array that comes out: outputs, last states, planes of the caches, gradients."""
    y, last, cache = case.stack.forward(case.params, case.x, case.states, keep=case.keep)
    found = {"y": y} | {f"last {name}": part for name, part in checks.by_place(last).items()}
    if not case.keep:
        return found
    for k, layer in enumerate(cache.layers):
        for way, own in (
            (("→", layer.forward), ("←", layer.backward)) if hasattr(layer, "reversal") else (("→", layer),)
        ):
            planes = own._asdict().items()
            found |= {f"{name} {way} of layer {k}": plane for name, plane in planes if name != "x"}
    dx, dstates, grads = case.stack.backward(case.params, cache, case.dy, case.dlast)
    found |= {} if dx is None else {"dx": dx}
    found |= {f"gradient of {name}": part for name, part in checks.by_place(dstates).items()}
    return found | {f"gradient of {name}": as_dense(leaf) for name, leaf in checks.leaves(grads)}


def by(engine: Literal["numpy", "compiled"], case: Case) -> dict[str, Array]:
    """What an engine makes of it; refused where another one computed, as after a self-test that failed."""
    with library.using(engine), np.errstate(under="ignore"):
        found = everything(case)
        assert library.status().engine == engine, library.status().why_not
    return found


def distance(ours: Array, theirs: Array) -> float:
    """‖ours − theirs‖ / ‖theirs‖; infinite where only one has a number, or the shapes or the types are others."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return np.inf
    wide, exact = ours.astype(np.float64), theirs.astype(np.float64)
    norm, error = float(np.linalg.norm(exact)), float(np.linalg.norm(wide - exact))
    if error == 0:
        return 0.0
    return error / norm if norm and np.isfinite(error) else np.inf


def distances(number: int) -> tuple[Case, dict[str, float]]:
    """How far the compiled engine is from NumPy's, array by array."""
    drawn = case(number)
    numpy, compiled = by("numpy", drawn), by("compiled", drawn)
    assert numpy.keys() == compiled.keys(), drawn.text
    return drawn, {name: distance(compiled[name], numpy[name]) for name in numpy}


def moved_by_rounding(number: int) -> dict[str, float]:
    """How far each array moves, in float64, when each weight and each number that goes in moves by half a rounding of
    float32 either way: a computation in float32 cannot be expected to come nearer than a few times that."""
    exact, rng = case(number, "float64"), np.random.default_rng(number)
    right, far = by("numpy", exact), dict[str, float]()
    for _ in range(4):
        moved = case(number, "float64")
        data = moved.x.data.table if isinstance(moved.x.data, CORE.packed.Lookup) else moved.x.data
        inputs = [leaf for _, leaf in checks.leaves(moved.params)] + ([data] if data.dtype.kind == "f" else [])
        inputs += [part for parts in (*(moved.states or ()), *(moved.dlast or ())) for part in parts]
        inputs += [] if moved.dy is None else [moved.dy]
        for one in inputs:
            one *= 1 + rng.choice([-1, 1], one.shape) * 2.0**-24
        for name, value in by("numpy", moved).items():
            far[name] = max(far.get(name, 0.0), distance(value, right[name]))
    return far


def from_exact(number: int) -> dict[str, tuple[float, float]]:
    """How far NumPy and the compiled engine, each in its own type, are from float64."""
    exact, drawn = by("numpy", case(number, "float64")), case(number)
    numpy, compiled = by("numpy", drawn), by("compiled", drawn)
    return {
        name: (distance(numpy[name].astype(np.float64), value), distance(compiled[name].astype(np.float64), value))
        for name, value in exact.items()
    }
