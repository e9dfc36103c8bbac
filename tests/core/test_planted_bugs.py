"""The test of the tests: planted bugs, each of which the suite's own checks must refuse.

Well-loved projects have shipped gradients that were zeros and a ``reverse`` that did not reverse, under tests that
looked at shapes. A bug is planted by what it does, in place of a function or around it; those of a cell are planted
in every cell there is, by its specification. A plant that does nothing is not refused, and so fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from core import checks, faulty, reference
from core.checks import CORE

from rnncli.core.cells import compiled
from rnncli.core.cells.cell import Cell
from rnncli.core.optim import lazy_rows

Array = np.ndarray[Any, Any]


# What a check looks at of one kind of cell.
OF_A_CELL: dict[str, Callable[[str], None]] = {
    "gradients": lambda kind: checks.check_gradients(checks.problem(CORE, kind)),
    "naive": lambda kind: checks.check_against_naive(checks.problem(CORE, kind)),
    "golden": lambda kind: [
        checks.check_golden(CORE, stored)
        for stored in checks.golden_cases()
        if (stored["kind"], stored["layers"], stored["both"]) == (kind, 1, False)
    ],
    "recorded": lambda kind: (
        checks.check_against_reference(checks.problem(CORE, kind)),
        checks.check_recorded(checks.problem(CORE, kind)),
    ),
}


def refused(check: Callable[..., Any], *arguments: Any) -> bool:
    try:
        check(*arguments)
    except AssertionError:
        return True
    return False


def cell_of(kind: str) -> Cell:
    return checks.build(CORE, kind).layers[0].cell


def loops_of(kind: str, engine: str) -> Any:
    """What has the cell's ``forward`` and ``backward``: a cell with another function there runs none of its C."""
    return type(cell_of(kind)) if engine == "numpy" else compiled


def test_nothing_is_refused_without_a_bug() -> None:
    assert [name for name, check in checks.SUITE.items() if refused(check, CORE)] == []
    assert [(kind, name) for kind in checks.KINDS for name in OF_A_CELL if refused(OF_A_CELL[name], kind)] == []


# --- in every derivative of every cell -------------------------------------------------------------------------------


def plant_in_derivatives(patch: pytest.MonkeyPatch, cell: type[Cell], fault: faulty.Fault) -> None:
    """The cell's forward pass as it is; for a backward pass the reference step's, with a fault in it."""
    real = cell.forward

    def forward(self: Any, params: Any, x: Any, state: Any = None, keep: bool = True) -> Any:
        y, last, _ = real(self, params, x, state, keep)
        return y, last, (x, self.first_state(state, x, y.dtype))

    def backward(self: Any, params: Any, cache: Any, dy: Any, dstate: Any = None) -> Any:
        return faulty.backward(self, params, *cache, dy, dstate, fault)[:3]

    patch.setattr(cell, "forward", forward)
    patch.setattr(cell, "backward", backward)


def derivative_faults(kind: str) -> dict[str, faulty.Fault]:
    case = checks.problem(CORE, kind)
    cell, params = case.stack.layers[0].cell, case.params["0"]["forward"]
    links = faulty.backward(cell, params, case.x, case.states[0], case.of_y, case.of_last[0], faulty.Fault())[3]
    spec = cell.specification
    faults = {f"{link.name} left out": faulty.Fault(dropped=k) for k, link in enumerate(links)}
    slopes = [(link.name, k) for k, link in enumerate(links) if link.kind == "slope"]
    faults |= {f"{name}, slope 1": faulty.Fault(flat=k) for name, k in slopes}
    faults |= {f"{name}, another slope": faulty.Fault(other=k) for name, k in slopes}
    faults |= {
        f"{link.name}, not transposed": faulty.Fault(untransposed=k)
        for k, link in enumerate(links)
        if link.kind == "transposed weight"
    }
    faults |= {f"{one.letter}_t for {one.letter}_(t-1)": faulty.Fault(late=one.letter) for one in spec.states}
    assert {link.kind for link in links} >= {"slope", "weight", "bias"}
    assert len(faults) > len(links) + len(spec.states)
    return faults


# Those in C: tests/engine_planted.py.
@pytest.mark.engines("numpy")
@pytest.mark.parametrize("kind", checks.KINDS)
def test_a_fault_in_any_derivative_is_refused(kind: str) -> None:
    """Left out, taken for 1 or for another's, not transposed, of another step: one at a time."""
    cell = type(cell_of(kind))
    with pytest.MonkeyPatch.context() as patch:
        plant_in_derivatives(patch, cell, faulty.Fault())
        assert not refused(OF_A_CELL["gradients"], kind)
        assert not refused(OF_A_CELL["golden"], kind)
    for name, fault in derivative_faults(kind).items():
        with pytest.MonkeyPatch.context() as patch:
            plant_in_derivatives(patch, cell, fault)
            for check in ("gradients", "golden"):
                assert refused(OF_A_CELL[check], kind), f"{name}: {check} sees nothing"


# --- in every cell ---------------------------------------------------------------------------------------------------


def one_step_more(self: Any, params: Any, x: Any, y: Array, last: Any, real: Any) -> Any:
    """A sequence that has ended goes on by a step in which it reads its last input again."""
    again = CORE.packed.PackedSequence(x.data[x.last_rows], np.array([len(x.order)]), x.order)
    more = real(self, params, again, last)[1]
    ended = (x.lengths < len(x.batch_sizes))[:, None]
    return y, tuple(np.where(ended, b, a) for a, b in zip(last, more, strict=True))


def of_another_sequence(self: Any, params: Any, x: Any, y: Array, last: Any, real: Any) -> Any:
    """When a sequence has ended, the others go on from each other's states."""
    start, n, _ = x.stretches[1]
    sizes = x.batch_sizes
    begun = sizes.tolist().index(n)
    first = CORE.packed.PackedSequence(x.data[:start], sizes[:begun], x.order)
    rest = CORE.packed.PackedSequence(x.data[start:], sizes[begun:], x.order[:n])
    _, middle, _ = real(self, params, first)
    mixed, _, _ = real(self, params, rest, tuple(part[:n][::-1].copy() for part in middle))
    return np.concatenate((y[:start], mixed)), last


FORWARD: dict[str, Callable[..., Any]] = {
    "the initial state ignored": lambda self, params, x, y, last, real: real(self, params, x)[:2],
    "a finished sequence updated once too often": one_step_more,
    "the last state of the longest sequence for all": lambda self, params, x, y, last, real: (
        y,
        tuple(np.repeat(part[:1], len(part), axis=0) for part in last),
    ),
    "a stretch of time begins with the states of other sequences": of_another_sequence,
}
BACKWARD: dict[str, Callable[..., Any]] = {
    "dstate ignored": lambda x, dy, dstate: (dy, None),
    "dy ignored": lambda x, dy, dstate: (None, dstate),
    "a gradient decays before its sequence ends": lambda x, dy, dstate: (
        dy,
        tuple(part * 0.9 ** (len(x.batch_sizes) - x.lengths)[:, None] for part in dstate),
    ),
}


@pytest.mark.parametrize("kind", checks.KINDS)
@pytest.mark.parametrize("name", FORWARD)
def test_a_bug_around_any_forward_pass_is_refused(
    name: str, kind: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = loops_of(kind, engine)
    real = loops.forward

    def forward(self: Any, params: Any, x: Any, state: Any = None, keep: bool = True) -> Any:
        y, last, cache = real(self, params, x, state, keep)
        return *FORWARD[name](self, params, x, y, last, real), cache

    monkeypatch.setattr(loops, "forward", forward)
    assert all(refused(OF_A_CELL[check], kind) for check in ("naive", "golden", "gradients"))


@pytest.mark.parametrize("kind", checks.KINDS)
@pytest.mark.parametrize("name", BACKWARD)
def test_a_bug_around_any_backward_pass_is_refused(
    name: str, kind: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = loops_of(kind, engine)
    real = loops.backward

    def backward(self: Any, params: Any, cache: Any, dy: Any, dstate: Any = None) -> Any:
        return real(self, params, cache, *BACKWARD[name](cache.x, dy, dstate))

    monkeypatch.setattr(loops, "backward", backward)
    assert all(refused(OF_A_CELL[check], kind) for check in ("gradients", "golden"))


class WrongStep(reference.NumPyStep):
    """A reference step that is another cell's, in one place."""

    turned = None  # the gate that is 1 − itself
    exchanged: tuple[str, str] | None = None  # gates that stand in each other's columns
    taken_for: tuple[str, str] | None = None  # a state that is read in place of another
    reset_first = False

    def gate(self, letter: str, beside: Array | None = None) -> Array:
        if self.exchanged and letter in self.exchanged:
            of = self.exchanged[letter == self.exchanged[0]]
            spec = self.cell.specification.gate
            sums = super().sums(spec(of).sums, "", beside)
            return self.line(letter, reference.FUNCTIONS[spec(letter).function](sums), "")
        value = super().gate(letter, beside)
        return 1 - value if letter == self.turned else value

    def past(self, state: str) -> Array:
        return self.before[self.taken_for[1] if self.taken_for and state == self.taken_for[0] else state]

    def sums(self, letter: str, label: str, beside: Array | None = None) -> Array:
        if not (self.reset_first and letter == "m"):
            return super().sums(letter, label, beside)
        # h·r·W_hn for r·(h·W_hn): Cho et al.'s first form, which no weights of PyTorch or cuDNN fit.
        r, whole = self.values["r"], self.before
        self.before = {"h": r * whole["h"]}
        m = super().sums(letter, label, beside)
        self.before = whole
        return m / r


def wrong_steps() -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {("gru", "the reset gate before the product"): {"reset_first": True}}
    for kind in checks.KINDS:
        spec = cell_of(kind).specification
        sigmoids = [gate.letter for gate in spec.gates if gate.opens]
        found |= {(kind, f"{letter} the other way round"): {"turned": letter} for letter in sigmoids}
        found |= {(kind, f"{a} and {b} in each other's place"): {"exchanged": (a, b)} for a, b in pairwise(sigmoids)}
        states = [one.letter for one in spec.states]
        found |= {(kind, f"{b} for {a}"): {"taken_for": (a, b)} for a in states for b in states if a != b and a != "h"}
    return found


@pytest.mark.parametrize(("kind", "name"), wrong_steps())
def test_the_equations_of_another_cell_are_refused(
    kind: str, name: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forwards against the naive cells and PyTorch's values; and what a cell says of itself against what it does."""
    loops = loops_of(kind, engine)
    wrong = type("Wrong", (WrongStep,), wrong_steps()[kind, name])
    real_forward = loops.forward
    with monkeypatch.context() as patch:
        patch.setattr(reference, "NumPyStep", wrong)
        assert refused(OF_A_CELL["recorded"], kind)

    def forward(self: Any, params: Any, x: Any, state: Any = None, keep: bool = True) -> Any:
        y, last, cache = real_forward(self, params, x, state, keep)
        state = self.first_state(state, x, y.dtype)
        last = tuple(part.copy() for part in last)
        for n, length in enumerate(x.lengths):
            rows = x.offsets[:length] + n
            steps = reference.run(self, params, x.data[rows], [part[n] for part in state])
            y[rows] = [step["h"] for step in steps]
            for part, one in zip(last, self.specification.states, strict=True):
                part[n] = steps[-1][one.letter]
        return y, last, cache

    monkeypatch.setattr(loops, "forward", forward)
    assert not refused(OF_A_CELL["naive"], kind)
    monkeypatch.setattr(reference, "NumPyStep", wrong)
    assert all(refused(OF_A_CELL[check], kind) for check in ("naive", "golden"))


@pytest.mark.engines("numpy")  # a cell of another specification has no C
@pytest.mark.parametrize("kind", checks.KINDS)
def test_a_wrong_specification_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a parameter in another order, and a block that goes into another sum."""
    cell = cell_of(kind)
    spec = cell.specification
    wrong = [(one, one._replace(blocks=one.blocks[::-1])) for one in spec.parameters if len(one.blocks) > 1] + [
        (one, one._replace(blocks=(one.blocks[0]._replace(sums=letter), *one.blocks[1:])))
        for one in spec.parameters
        for letter in spec.sums
        if letter not in {block.sums for block in one.blocks}
    ]
    assert wrong or len(spec.sums) == 1
    for right, other in wrong:
        parameters = tuple(other if one is right else one for one in spec.parameters)
        with monkeypatch.context() as patch:
            patch.setattr(type(cell), "specification", replace(spec, parameters=parameters))
            assert refused(OF_A_CELL["recorded"], kind), other


RECORDED: dict[str, Callable[..., Any]] = {
    "gradients of sums of another step": lambda dy, sums, states: (np.roll(sums, 1, axis=1), states),
    "gradients of sums under each other's names": lambda dy, sums, states: (np.roll(sums, 1, axis=0), states),
    "gradients of states a step too early": lambda dy, sums, states: (sums, np.roll(states, 1, axis=1)),
    "gradients of states before that of the output came in": lambda dy, sums, states: (
        sums,
        np.concatenate((states[:1] - dy, states[1:])),
    ),
}


@pytest.mark.engines("numpy")  # which records
@pytest.mark.parametrize("kind", checks.KINDS)
@pytest.mark.parametrize("name", RECORDED)
def test_a_wrong_record_is_refused(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "each other" in name and len(cell_of(kind).specification.sums) == 1:
        return  # it has no other's
    real = CORE.backward_trace.record

    def record(layer: Any, params: Any, cache: Any, dy: Any, **found: Any) -> None:
        sums, states = RECORDED[name](dy, found["sums"], found["states"])
        real(layer, params, cache, dy, **found | {"sums": sums, "states": states})

    monkeypatch.setattr(CORE.backward_trace, "record", record)
    assert refused(OF_A_CELL["recorded"], kind)


# --- beside the cells ------------------------------------------------------------------------------------------------


class Plant(NamedTuple):
    """What stands in place of something, made of the real thing, and the checks that must see it."""

    owner: Any
    name: str
    wrong: Callable[..., Any]
    caught_by: str  # names out of checks.SUITE, with commas between


def reversal(mirrored: Callable[[Array, Array], Array]) -> Callable[..., Any]:
    """A reversal in which step t of a sequence of a length comes from elsewhere."""

    def rows(self: Any) -> Array:
        steps = np.repeat(np.arange(len(self.batch_sizes)), self.batch_sizes)
        return self.offsets[mirrored(self.lengths[self.sequence_of_row], steps)] + self.sequence_of_row

    return lambda real: property(rows)


def after(change: Callable[..., Any]) -> Callable[..., Any]:
    """Around a function: ``change(result, *arguments)``."""
    return lambda real: lambda *given, **named: change(real(*given, **named), *given, **named)


def before(change: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
    """Around a function, which is given ``change(*arguments)``."""
    return lambda real: lambda *given: real(*change(*given))


def half_turned(result: Any, self: Any, params: Any, x: Any, *_: Any) -> Any:
    y, last, cache = result
    H = self.cell.hidden_size
    y[:, H:] = y[:, H:][x.reversal]
    return y, last, cache


def dx_of_backward_half_turned(real: Any) -> Any:
    def backward(self: Any, params: Any, cache: Any, dy: Array, dstate: Any = None) -> Any:
        k, H = self.cell.state_count, self.cell.hidden_size
        dx, d_first, grads = real(self, params, cache, dy, dstate)
        forward_half = tuple(part * (place < k) for place, part in enumerate(dstate))
        of_forwards = real(self, params, cache, dy * (np.arange(2 * H) < H), forward_half)[0]
        return of_forwards + (dx - of_forwards)[cache.reversal], d_first, grads

    return backward


def dy_half_turned(self: Any, params: Any, cache: Any, dy: Array, *more: Any) -> tuple[Any, ...]:
    H = self.cell.hidden_size
    return self, params, cache, np.concatenate((dy[:, :H], dy[:, H:][cache.reversal]), axis=1), *more


def sums_without(left_out: Callable[[Array, Array], Array]) -> Callable[..., Any]:
    """Sums over the rows of each id without some: ``left_out(nth occurrence, count of its id)``."""

    def around(real: Any) -> Any:
        def sums(self: Any, values: Array) -> Array:
            nth = np.empty(len(self.inverse), np.int64)
            nth[self.order] = np.arange(len(nth)) - np.repeat(np.cumsum(self.counts) - self.counts, self.counts)
            return real(self, values * ~left_out(nth, self.counts[self.inverse])[:, None])

        return sums

    return around


def unweighted_gradient(real: Any) -> Any:
    def loss(logits: Array, targets: Array, weights: Array | None = None) -> Any:
        return real(logits, targets, weights)[0], real(logits, targets)[1]

    return loss


def steps_counted(change: Callable[[Any], None] = lambda rows: None, keep: float | None = None) -> Any:
    """Around LazyRows.count_step: what a step without gradient keeps, and a change afterwards."""

    def around(real: Any) -> Any:
        def count_step(self: Any, optimizer: Any, rate: float, step: int) -> None:
            kept, push = optimizer.step_without_gradient(rate, step)
            changed = SimpleNamespace(
                ratio=optimizer.ratio, step_without_gradient=lambda *_: (kept if keep is None else keep, push)
            )
            real(self, changed, rate, step)
            change(self)

        return count_step

    return around


def summed_outputs(real: Any) -> Any:
    def loss(outputs: Array, targets: Array) -> Any:
        value, gradient = real(outputs, targets)
        return value * outputs.shape[1], gradient * outputs.shape[1]

    return loss


def without_decay(self: Any, optimizer: Any, *more: Any) -> tuple[Any, ...]:
    found = SimpleNamespace(decays=tuple(1.0 for _ in optimizer.decays), direction=optimizer.direction)
    found.compiled_catch_up = optimizer.compiled_catch_up
    return self, found, *more


def used_rows_left_lagging(real: Any) -> Any:
    def apply(optimizer: Any, store: Any, gradients: Any, state: Any, rate: float) -> None:
        since = {name: rows.copy() for name, rows in state.lazy.since.items()}
        real(optimizer, store, gradients, state, rate)
        for name, rows in since.items():
            state.lazy.since[name][...] = rows

    return apply


def not_finite_let_through(real: Any) -> Any:
    def clip(gradients: Any, *more: Any) -> float:
        try:
            return real(gradients, *more)
        except CORE.parameters.NotFiniteError:
            return 0.0

    return clip


def tables_not_clipped(real: Any) -> Any:
    def clip(gradients: Any, *more: Any) -> float:
        tables = {name: rows.values.copy() for name, rows in gradients.tables.items()}
        norm = real(gradients, *more)
        for name, values in tables.items():
            gradients.tables[name].values[...] = values
        return norm

    return clip


PACKED, TWO_WAYS, DISTINCT = CORE.packed.PackedSequence, CORE.directions.Bidirectional, CORE.packed.DistinctTokens
MEAN, LAZY = type(CORE.readout.READOUTS["mean"]), lazy_rows.LazyRows
GRADIENTS = "gradients, golden"
READ = "reversal, direction, naive, golden"

PLANTS = {
    # Its gradients are right: only tests of the direction see it.
    "a reversal that does not reverse": Plant(
        PACKED, "reversal", reversal(lambda length, step: step), f"{READ}, readouts"
    ),
    # A short sequence would begin with its padding, here with its last step again.
    "a reversal over the padded length": Plant(
        PACKED,
        "reversal",
        reversal(lambda length, step: np.minimum(length.max() - 1 - step, length - 1)),
        f"{READ}, gradients",
    ),
    # Right in every test whose sequences are of one length.
    "a reversal of the longest alone": Plant(
        PACKED,
        "reversal",
        reversal(lambda length, step: np.where(length == length.max(), length - 1 - step, step)),
        READ,
    ),
    "outputs of the backward half not turned back": Plant(
        TWO_WAYS, "forward", after(half_turned), "direction, naive, golden, gradients"
    ),
    "dx of the backward half not turned back": Plant(TWO_WAYS, "backward", dx_of_backward_half_turned, GRADIENTS),
    "dy of the backward half not turned": Plant(TWO_WAYS, "backward", before(dy_half_turned), GRADIENTS),
    "the gradient of a cell's input never filled": Plant(
        Cell, "gradients", after(lambda found, *_: (None if found[0] is None else 0 * found[0], found[1])), GRADIENTS
    ),
    "rows of an id never added up": Plant(
        DISTINCT, "sums", sums_without(lambda nth, count: nth > 0), "row gradients, lookups"
    ),
    "rows of a common id not added up": Plant(
        DISTINCT, "sums", sums_without(lambda nth, count: (nth > 0) & (count > CORE.packed.OFTEN)), "row gradients"
    ),
    "rows of another id added up": Plant(
        DISTINCT,
        "sums",
        before(lambda self, values: (self, values[..., self.order, :] if values.shape[-1] < 32 else values)),
        "row gradients",
    ),
    "places not turned round with the sequences": Plant(
        DISTINCT, "permuted", after(lambda found, self, _: replace(found, order=self.order)), "lookups"
    ),
    "ids turned round, places not": Plant(
        DISTINCT, "permuted", after(lambda found, self, _: replace(found, inverse=self.inverse)), "lookups"
    ),
    "dropout's mask forgotten on the way back": Plant(
        CORE.stack, "dropout", after(lambda found, *_: (found[0], None)), "dropout gradients"
    ),
    "dropout that does not scale": Plant(
        CORE.stack,
        "dropout",
        after(lambda found, x, *_: found if found[1] is None else (x * (found[1] > 0), found[1])),
        "dropout gradients",
    ),
    "sum instead of mean, loss": Plant(CORE.losses, "_shares", after(lambda share, count, *_: share * count), "losses"),
    "weights that are not shares": Plant(
        CORE.losses, "_shares", after(lambda share, count, weights, _: share if weights is None else weights), "losses"
    ),
    "squared error of which each row counts once": Plant(CORE.losses, "squared_error", summed_outputs, "losses"),
    "squared error with half its gradient": Plant(
        CORE.losses, "squared_error", after(lambda found, *_: (found[0], found[1] / 2)), "losses"
    ),
    "gradient of the loss not weighted": Plant(CORE.losses, "softmax_cross_entropy", unweighted_gradient, "losses"),
    "sum instead of mean, read-out": Plant(
        MEAN, "forward", after(lambda found, self, y, x, _: (found[0] * x.lengths[:, None], found[1])), "readouts"
    ),
    "mean over the longest length": Plant(
        MEAN,
        "forward",
        after(lambda found, self, y, x, _: (found[0] * x.lengths[:, None] / len(x.batch_sizes), found[1])),
        "readouts",
    ),
    "lazy rows do not move": Plant(
        LAZY, "count_step", steps_counted(lambda rows: rows.pushed.__setitem__(..., 0)), "lazy rows"
    ),
    "lazy rows do not shrink": Plant(LAZY, "count_step", steps_counted(keep=1.0), "lazy rows"),
    "lazy moments do not decay": Plant(LAZY, "catch_up", before(without_decay), "lazy rows"),
    "lazy rows move one step too far": Plant(
        lazy_rows, "_falling_powers", after(lambda powers, ratio, _: powers / ratio if ratio else powers), "lazy rows"
    ),
    "a row that is used counts as lagging": Plant(CORE.optimizers, "apply", used_rows_left_lagging, "lazy rows"),
    "momentum forgets its rate where there is no gradient": Plant(
        CORE.optimizers.Momentum, "step_without_gradient", after(lambda found, *_: (1.0, 1.0)), "lazy rows"
    ),
    "a NaN that clipping hides": Plant(CORE.parameters, "clip_by_norm", not_finite_let_through, "clipping"),
    "clipping that leaves tables out": Plant(CORE.parameters, "clip_by_norm", tables_not_clipped, "clipping"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = PLANTS[name]
    monkeypatch.setattr(plant.owner, plant.name, plant.wrong(getattr(plant.owner, plant.name)))
    for check in plant.caught_by.split(", "):
        assert refused(partial(checks.SUITE[check], CORE)), check


def test_every_check_catches_something() -> None:
    """A check that no plant needs may be one that refuses nothing."""
    assert {check for plant in PLANTS.values() for check in plant.caught_by.split(", ")} | OF_A_CELL.keys() == (
        checks.SUITE.keys()
    )
