"""What the tests of the core hold it against, as functions over *any copy* of the core.

``CORE`` is the real one. test_planted_bugs.py runs the same functions over copies with a bug in them, and expects
each to be refused: these checks are tested too.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from core import naive, reference

from rnncli.core.gradient_check import numeric_gradient, relative_error

Array = np.ndarray[Any, Any]

KINDS = ("rnn_tanh", "rnn_relu", "lstm", "gru", "mingru")
CONFIGURATIONS = [(kind, layers, both) for kind in KINDS for layers in (1, 2) for both in (False, True)]
LENGTHS = [3, 1, 5, 3]  # the caller's order; packed it is 5, 3, 3, 1
D, H = 2, 3
# With this seed no pre-activation of a ReLU network below comes near the kink (asserted), where slopes are undefined.
SEED = 6

# By what a check calls it: where it is in the package.
MODULES = {
    name.rpartition(".")[2]: name
    for name in (
        *("gradients", "losses", "packed", "backward_trace", "cells.recurrence"),
        *("layers.embedding", "layers.linear", "layers.dropout", "layers.directions", "layers.stack", "layers.readout"),
        *("optim.optimizers", "optim.parameters"),
    )
}


def core_of(package: str) -> SimpleNamespace:
    return SimpleNamespace(**{name: importlib.import_module(f"{package}.{path}") for name, path in MODULES.items()})


CORE = core_of("rnncli.core")


# Building things


def build(core: SimpleNamespace, kind: str, layers: int = 1, both: bool = False, **more: Any) -> Any:
    """A stack of H = 3 on D = 2 numbers."""
    cell, _, nonlinearity = kind.partition("_")
    sizes = {"input_size": D, "hidden_size": H} | more
    return core.stack.recurrent_stack(
        cell, layers=layers, bidirectional=both, **({"nonlinearity": nonlinearity} if nonlinearity else {}), **sizes
    )


def leaves(nested: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """``("0/forward/bias", leaf)`` …: written again, so that no check leans on the core's own flatten."""
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from ((f"{name}/{below}", leaf) for below, leaf in leaves(value))
        else:
            yield name, value


def random_params(layer: Any, rng: np.random.Generator, scale: float = 0.5, dtype: Any = np.float64) -> dict[str, Any]:
    """Parameters of the layer's names and shapes with nothing zero in them: a zero bias would hide a wrong one."""
    params = layer.init(rng, np.dtype(dtype))
    for _, value in leaves(params):
        value[...] = scale * rng.standard_normal(value.shape)
    return params


def random_states(stack: Any, count: int, rng: np.random.Generator) -> list[tuple[Array, ...]]:
    """For each layer its (N, H) states."""
    directions = stack.layers[0].output_size // stack.layers[0].cell.hidden_size
    return [
        tuple(rng.standard_normal((count, layer.cell.hidden_size)) for _ in range(directions * layer.cell.state_count))
        for layer in stack.layers
    ]


def random_sequences(lengths: list[int], rng: np.random.Generator, width: int = D) -> list[Array]:
    return [rng.standard_normal((length, width)) for length in lengths]


@dataclass
class Problem:
    """A network, its input and a scalar loss: Σ y·of_y + Σ last·of_last, a random projection of all that comes out.

    Any of the arrays may be changed in place, and :meth:`loss` sees it.
    """

    core: SimpleNamespace
    kind: str
    stack: Any
    params: dict[str, Any]
    x: Any
    states: list[tuple[Array, ...]]
    of_y: Array
    of_last: list[tuple[Array, ...]]
    dropout_seed: int | None = None

    def forward(self) -> tuple[Array, list[tuple[Array, ...]], Any]:
        rng = None if self.dropout_seed is None else np.random.default_rng(self.dropout_seed)
        return self.stack.forward(self.params, self.x, self.states, rng)

    def loss(self) -> float:
        y, last, _ = self.forward()
        return projection(y, last, self.of_y, self.of_last)

    def gradients(self) -> dict[str, Array]:
        """The hand-written ones, dense, by the names of :meth:`values`."""
        _, _, kept = self.forward()
        dx, dstates, grads = self.stack.backward(self.params, kept, self.of_y, self.of_last)
        named = {} if dx is None else {"x": dx}
        named |= by_place(dstates)
        return named | {name: self.core.gradients.as_dense(leaf) for name, leaf in leaves(grads)}

    def values(self) -> dict[str, Array]:
        """Everything the loss depends on."""
        named = {"x": self.x.data} if self.x.data.ndim == 2 else {}
        return named | by_place(self.states) | dict(leaves(self.params))


def projection(y: Array, last: Any, of_y: Array, of_last: Any) -> float:
    total = float(np.sum(y * of_y))
    for parts, weights in zip(last, of_last, strict=True):
        total += sum(float(np.sum(part * weight)) for part, weight in zip(parts, weights, strict=True))
    return total


def by_place(states: Any) -> dict[str, Array]:
    return {f"state/{k}/{j}": part for k, parts in enumerate(states) for j, part in enumerate(parts)}


def problem(
    core: SimpleNamespace, kind: str, layers: int = 1, both: bool = False, ids: bool = False, **more: Any
) -> Problem:
    """A problem over a ragged batch, of numbers or of token ids."""
    rng = np.random.default_rng(SEED)
    V = 4
    stack = build(core, kind, layers, both, **({"input_size": V} if ids else {}), **more)
    params = random_params(stack, rng)
    sequences = [rng.integers(0, V, length) for length in LENGTHS] if ids else random_sequences(LENGTHS, rng)
    x = core.packed.PackedSequence.pack(sequences)
    of_y = rng.standard_normal((sum(LENGTHS), stack.output_size))
    count = len(LENGTHS)
    return Problem(
        core, kind, stack, params, x, random_states(stack, count, rng), of_y, random_states(stack, count, rng)
    )


# Gradients


def assert_gradient(name: str, analytic: Array, loss: Callable[[], float], value: Array) -> None:
    """Against central differences, by norm; and these must not be zero, or the comparison would say nothing."""
    numeric = numeric_gradient(loss, value)
    assert analytic.shape == value.shape, name
    assert np.linalg.norm(numeric) > 1e-3, f"{name}: the loss does not depend on it"
    error = relative_error(analytic, numeric)
    assert error < 1e-6, f"{name}: relative error {error:.1e}"


def check_gradients(case: Problem) -> None:
    """Every input, every initial state, every weight."""
    analytic, values = case.gradients(), case.values()
    assert analytic.keys() == values.keys()
    for name, value in values.items():
        assert_gradient(name, analytic[name], case.loss, value)


def check_all_gradients(core: SimpleNamespace) -> None:
    for kind in KINDS:
        check_gradients(problem(core, kind, both=True))


def check_dropout_gradients(core: SimpleNamespace) -> None:
    case = problem(core, "rnn_tanh", layers=2, dropout=0.5)
    case.dropout_seed = 5
    check_gradients(case)


def check_row_gradients(core: SimpleNamespace) -> None:
    """Token ids, some of them more than once in the batch; and sums over ids from rare to very common."""
    for kind in KINDS:
        check_gradients(problem(core, kind, both=True, ids=True))
    rng = np.random.default_rng(3)
    for ids in ([7], [2, 2], list(range(9)), [70_000, 5, 70_000], np.repeat(np.arange(45), np.arange(45))):
        ids = rng.permutation(np.array(ids))
        places = core.packed.DistinctTokens.of(ids)
        np.testing.assert_array_equal(np.sort(places.rows), np.unique(ids))
        np.testing.assert_array_equal(places.rows[places.inverse], ids)
        for width in (3, 40):  # narrow and wide rows are added up in two ways
            values = rng.standard_normal((2, len(ids), width))
            expected = np.zeros((70_001, 2, width))
            np.add.at(expected, ids, values.transpose(1, 0, 2))
            expected = expected[places.rows].transpose(1, 0, 2)
            np.testing.assert_allclose(places.sums(values), expected, rtol=1e-12, atol=1e-13)


def check_lookup(core: SimpleNamespace, kind: str, both: bool) -> None:
    """Rows of a table by number against the same rows gathered: outputs, weights' gradients, and the table's."""
    rng = np.random.default_rng(SEED)
    stack = build(core, kind, 1, both)
    params = random_params(stack, rng)
    table = rng.standard_normal((4, D))
    packed = core.packed.PackedSequence.pack([rng.integers(0, 4, length) for length in (20, 3, 9, 1, 9)])
    rows = core.packed.Lookup(table[packed.distinct_tokens.rows], packed.distinct_tokens)
    np.testing.assert_array_equal(rows.gathered(), table[packed.data])
    dy = rng.standard_normal((len(packed.data), stack.output_size))
    runs = []
    for data in (rows, table[packed.data]):
        y, _, kept = stack.forward(params, packed.with_data(data))
        dx, _, grads = stack.backward(params, kept, dy)
        runs.append((y, dx, dict(leaves(grads))))
    (y, d_table, grads), (y_gathered, dx, grads_gathered) = runs
    np.testing.assert_allclose(y, y_gathered, rtol=1e-12)
    for name, gradient in grads.items():
        np.testing.assert_allclose(gradient, grads_gathered[name], rtol=1e-11, atol=1e-13, err_msg=name)
    expected = np.zeros_like(table)
    np.add.at(expected, packed.data, dx)
    np.testing.assert_allclose(d_table, expected[packed.distinct_tokens.rows], rtol=1e-11, atol=1e-13)


def check_all_lookups(core: SimpleNamespace) -> None:
    for kind in KINDS:
        for both in (False, True):
            check_lookup(core, kind, both)


# Against the naive cells


def naive_runs(case: Problem) -> list[tuple[Array, list[list[Array]], list[naive.Step]]]:
    """The same problem, sequence by sequence, in packed order."""
    sequences = case.x.unpack()
    return [
        naive.run(case.kind, case.params, sequences[at], [[part[n] for part in parts] for parts in case.states])
        for n, at in enumerate(case.x.order)
    ]


def check_against_naive(case: Problem) -> None:
    """The outputs of every step and the last states of every sequence."""
    y, last, _ = case.forward()
    outputs = case.x.with_data(y).unpack()
    for n, (expected, expected_last, _) in enumerate(naive_runs(case)):
        np.testing.assert_allclose(outputs[case.x.order[n]], expected, rtol=1e-12, atol=1e-14)
        for parts, expected_parts in zip(last, expected_last, strict=True):
            for part, expected_part in zip(parts, expected_parts, strict=True):
                np.testing.assert_allclose(part[n], expected_part, rtol=1e-12, atol=1e-14)


def check_all_against_naive(core: SimpleNamespace) -> None:
    for kind in KINDS:
        check_against_naive(problem(core, kind, both=True))


# Against the specification


def check_against_reference(case: Problem) -> None:
    """Every value that a layer records is that of its cell's own reference step."""
    cell, params = case.stack.layers[0].cell, case.params["0"]["forward"]
    cache, spec = case.forward()[2].layers[0], cell.specification
    for n, at in enumerate(case.x.order):
        steps = reference.run(cell, params, case.x.unpack()[at], [part[n] for part in case.states[0]])
        letters = {*cache._fields} & steps[0].keys()
        assert letters >= {*spec.shown, *(one.letter for one in (*spec.states, *spec.gates))}
        for letter in letters:
            found = case.x.with_data(getattr(cache, letter)).unpack()[at]
            expected = [step[letter] for step in steps]
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14, err_msg=letter)


def check_recorded(case: Problem) -> None:
    """Each parameter's gradient is the sum that its specification says; ∂L/∂ each state is that by differences."""
    cell, params = case.stack.layers[0].cell, case.params["0"]["forward"]
    spec = cell.specification
    with case.core.backward_trace.recording() as recorded:
        gradients = case.gradients()
    found, cache = recorded[0].found, recorded[0].cache
    sums = dict(zip(spec.sums, found["sums"], strict=True))
    assert {f"0/forward/{one.name}" for one in cell.parameters} == {*gradients} - {"x", *by_place(case.states)}
    for one in cell.parameters:
        d = np.concatenate([sums[block.sums] for block in one.blocks], axis=1)
        expected = d.sum(axis=0)
        if one.factor is not None:
            letter = one.factor.letter
            left = case.x.data if letter == "x" else getattr(cache, letter)
            if one.factor.past:
                left = case.core.recurrence.previous(case.x, getattr(cache, f"{letter}0"), left)
            expected = (np.tile(left, len(one.blocks)) * d).sum(axis=0) if one.elementwise else left.T @ d
        np.testing.assert_allclose(gradients[f"0/forward/{one.name}"], expected, rtol=1e-11, atol=1e-13)

    letters = [one.letter for one in spec.states]
    of_y = case.x.with_data(case.of_y).unpack()
    for n, at in enumerate(case.x.order):
        xs, state = case.x.unpack()[at], [part[n] for part in case.states[0]]

        def loss(t: int, letter: str, moved: Array, n: int = n, at: Any = at, xs: Array = xs, state: Any = state):
            steps = reference.run(cell, params, xs, state, {t: {letter: moved}})
            ends = sum(steps[-1][one] @ part[n] for one, part in zip(letters, case.of_last[0], strict=True))
            return sum(step["h"] @ weights for step, weights in zip(steps, of_y[at], strict=True)) + ends

        for k, letter in enumerate(letters):
            d_state = case.x.with_data(found["states"][k]).unpack()[at]
            for t in range(len(xs)):
                moved = np.zeros(H)
                numeric = numeric_gradient(lambda t=t, letter=letter, moved=moved: loss(t, letter, moved), moved)
                np.testing.assert_allclose(d_state[t], numeric, rtol=1e-6, atol=1e-8, err_msg=f"∂L/∂{letter}_{t}")


def check_all_recorded(core: SimpleNamespace) -> None:
    for kind in KINDS:
        case = problem(core, kind)
        check_against_reference(case)
        check_recorded(case)


# Against PyTorch's stored values


@cache
def golden_cases() -> list[dict[str, Any]]:
    stored = Path(__file__).parents[1] / "golden" / "torch.json"
    return json.loads(stored.read_text(encoding="utf-8"))["cases"]


# PyTorch's places of our gates: ours are o, i, f, g against its i, f, g, o; r, z, n are the same.
OUR_GATES = {"rnn_tanh": [0], "rnn_relu": [0], "lstm": [3, 0, 1, 2], "gru": [0, 1, 2], "mingru": [0, 1]}


def from_torch(case: dict[str, Any], tensors: dict[str, Any], gradient: bool = False) -> dict[str, Any]:
    """PyTorch's weights as our parameters, or its gradients as ours.

    It has (G·H, D) matrices and two biases, b_ih and b_hh. Ours is their sum, so the gradient of either is the
    gradient of ours; but for the GRU's b_hn, which stands inside the reset gate and is a parameter of its own.
    """
    kind, gates = case["kind"], OUR_GATES[case["kind"]]

    def reorder(values: Any) -> Array:
        blocks = np.split(np.array(values), len(gates))
        return np.concatenate([blocks[k] for k in gates])

    params: dict[str, Any] = {}
    for k in range(case["layers"]):
        params[str(k)] = {}
        for direction, suffix in (("forward", ""), ("backward", "_reverse"))[: 1 + case["both"]]:
            of = {name: reorder(tensors[f"{name}_l{k}{suffix}"]) for name in WEIGHT_NAMES[kind]}
            if kind == "mingru":
                params[str(k)][direction] = {"weight_ih": of["weight_ih"].T.copy(), "bias": of["bias_ih"]}
                continue
            layer = {"weight_ih": of["weight_ih"].T.copy(), "weight_hh": of["weight_hh"].T.copy()}
            recurrent_bias = of["bias_hh"].copy()
            if kind == "gru":
                layer["bias_hn"] = recurrent_bias[2 * H :].copy()
                recurrent_bias[2 * H :] = 0
            layer["bias"] = of["bias_ih"] if gradient else of["bias_ih"] + recurrent_bias
            params[str(k)][direction] = layer
    return params


WEIGHT_NAMES = dict.fromkeys(OUR_GATES, ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
WEIGHT_NAMES["mingru"] = ("weight_ih", "bias_ih")


def states_from_torch(case: dict[str, Any], parts: Any, order: Array) -> list[tuple[Array, ...]]:
    """(layers · directions, N, H) for h (and c) as our list over layers: (h, c) of each direction, in packed order."""
    directions = 1 + case["both"]
    return [
        tuple(np.array(part)[k * directions + d][order] for d in range(directions) for part in parts)
        for k in range(case["layers"])
    ]


def assert_close(name: str, ours: Array, theirs: Any, tolerance: float = 1e-10) -> None:
    """By norm. The promise is 1e-6; 1e-10 is what two float64 programs keep easily."""
    error = relative_error(ours, np.asarray(theirs))
    assert np.linalg.norm(theirs) > 1e-6, name
    assert error < tolerance, f"{name}: relative error {error:.1e}"


def check_golden(core: SimpleNamespace, stored: dict[str, Any]) -> None:
    """Outputs, last states, loss and the gradients of inputs, first states and weights."""
    pack = core.packed.PackedSequence.pack
    x = pack([np.array(sequence) for sequence in stored["x"]])
    of_y = pack([np.array(sequence) for sequence in stored["of_y"]]).data
    stack = build(core, stored["kind"], stored["layers"], stored["both"])
    case = Problem(
        core,
        stored["kind"],
        stack,
        from_torch(stored, stored["weights"]),
        x,
        states_from_torch(stored, stored["state"], x.order),
        of_y,
        states_from_torch(stored, stored["of_last"], x.order),
    )
    y, last, _ = case.forward()
    assert_close("y", y, pack([np.array(sequence) for sequence in stored["y"]]).data)
    for ours, theirs in zip(x.with_data(y).unpack(), stored["y"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    expected = by_place(states_from_torch(stored, stored["last"], x.order))
    for name, part in by_place(last).items():
        assert_close(f"last {name}", part, expected[name])
    assert math.isclose(case.loss(), stored["loss"], rel_tol=1e-10)

    gradients = case.gradients()
    theirs = by_place(states_from_torch(stored, stored["dstate"], x.order))
    theirs |= dict(leaves(from_torch(stored, stored["dweights"], gradient=True)))
    theirs["x"] = pack([np.array(sequence) for sequence in stored["dx"]]).data
    assert gradients.keys() == theirs.keys()
    for name, gradient in gradients.items():
        assert_close(f"gradient of {name}", gradient, theirs[name])


def check_all_golden(core: SimpleNamespace) -> None:
    for stored in golden_cases():
        if stored["layers"] == 1 and stored["both"]:
            check_golden(core, stored)


# Directions


def check_direction(core: SimpleNamespace, kind: str) -> None:
    """An input is news to the forward half from its own step on, to the backward half up to its own step.

    So the last input moves the backward half at t = 0 and not the forward half, the first one the forward half at
    the end and not the backward half. In a ragged batch, so that a reversal that forgets the lengths is seen; and no
    other sequence may move.
    """
    case = problem(core, kind, both=True)
    sequences = case.x.unpack()

    def outputs() -> list[Array]:
        x = core.packed.PackedSequence.pack(sequences)
        return x.with_data(case.stack.forward(case.params, x)[0]).unpack()

    before = outputs()
    for n, length in enumerate(LENGTHS):
        for changed in range(length):
            what = f"{kind}, sequence {n} of {length} steps, step {changed} changed"
            kept = sequences[n][changed].copy()
            sequences[n][changed] += 1.0
            after = outputs()
            sequences[n][changed] = kept
            moved = np.abs(after[n] - before[n])
            forward, backward = moved[:, :H], moved[:, H:]
            assert not forward[:changed].any(), f"{what}: the forward half knew it before"
            assert not backward[changed + 1 :].any(), f"{what}: the backward half knew it before"
            # A ReLU may be off and pass nothing on; here (SEED) it does from end to end.
            if kind != "rnn_relu" or changed == 0:
                assert forward[changed:].max(axis=1).min() > 1e-6, f"{what}: the forward half does not notice"
            if kind != "rnn_relu" or changed == length - 1:
                assert backward[: changed + 1].max(axis=1).min() > 1e-6, f"{what}: the backward half does not notice"
            for other in range(len(LENGTHS)):
                assert other == n or np.array_equal(after[other], before[other]), f"{what}: sequence {other} moved"


def check_all_directions(core: SimpleNamespace) -> None:
    for kind in KINDS:
        check_direction(core, kind)


# Packing, losses, read-outs, clipping


def check_reversal(core: SimpleNamespace, lengths: list[int]) -> None:
    """Every sequence really back to front, and twice is nothing."""
    sequences = [np.arange(length) + 1000 * n for n, length in enumerate(lengths)]
    x = core.packed.PackedSequence.pack(sequences)
    turned = x.with_data(x.data[x.reversal])
    for sequence, back_to_front in zip(sequences, turned.unpack(), strict=True):
        np.testing.assert_array_equal(back_to_front, sequence[::-1])
    np.testing.assert_array_equal(turned.data[x.reversal], x.data)


LOGITS = [[0.3, -1.2, 2.0], [1.5, 0.2, -0.7], [-0.4, 0.9, 0.1], [2.2, -2.0, 0.6]]
LOSS_WEIGHTS = [1.0, 0.5, 3.0, 1.5]


def check_losses(core: SimpleNamespace) -> None:
    """Values by the formulas as they are written in a book, gradients by differences; with weights and without."""
    for given in (None, LOSS_WEIGHTS):
        w = given or [1.0] * 4
        weights = None if given is None else np.array(given)

        logits, targets = np.array(LOGITS)[:, :1].copy(), [1, 0, 1, 0]
        p = [1 / (1 + math.exp(-z)) for z in logits[:, 0].tolist()]
        by_row = [-math.log(p[n]) if y else -math.log(1 - p[n]) for n, y in enumerate(targets)]
        check_loss(core.losses.sigmoid_cross_entropy, logits, targets, weights, by_row, w)

        logits, targets = np.array(LOGITS), [2, 0, 0, 1]
        totals = [sum(math.exp(z) for z in row) for row in LOGITS]
        by_row = [-math.log(math.exp(LOGITS[n][y]) / totals[n]) for n, y in enumerate(targets)]
        check_loss(core.losses.softmax_cross_entropy, logits, targets, weights, by_row, w)

    outputs, wanted = np.array(LOGITS), np.array(LOGITS)[::-1] * 0.5 + 0.25
    squares = [(a - b) ** 2 for a, b in zip(outputs.reshape(-1).tolist(), wanted.reshape(-1).tolist(), strict=True)]
    value, gradient = core.losses.squared_error(outputs, wanted)
    assert math.isclose(value, sum(squares) / len(squares), rel_tol=1e-14)
    assert_gradient("outputs", gradient, lambda: core.losses.squared_error(outputs, wanted)[0], outputs)


def check_loss(loss: Any, logits: Array, targets: list[int], weights: Any, by_row: list[float], w: list[float]) -> None:
    mean = sum(a * b for a, b in zip(by_row, w, strict=True)) / sum(w)
    value, gradient = loss(logits, np.array(targets), weights)
    assert math.isclose(value, mean, rel_tol=1e-12)
    assert_gradient("logits", gradient, lambda: loss(logits, np.array(targets), weights)[0], logits)


def check_readout(core: SimpleNamespace, name: str, kind: str, both: bool) -> None:
    """The vector that each sequence gives, by plain loops; the gradient of every output or state it comes from."""
    case = problem(core, kind, both=both)
    readout = core.readout.READOUTS[name]
    y, last, _ = case.forward()
    state = last[-1]
    pooled, kept = readout.forward(y, case.x, state)
    outputs = case.x.with_data(y).unpack()
    for n, at in enumerate(case.x.order):
        own = outputs[at]
        if name == "last":
            # The forward direction ends at the last step, the backward one at the first.
            expected = np.concatenate((own[-1, :H], own[0, H:]))
        else:
            expected = np.array([(sum(unit) / len(unit) if name == "mean" else max(unit)) for unit in own.T.tolist()])
        np.testing.assert_allclose(pooled[n], expected, rtol=1e-14, atol=1e-15)

    weights = np.random.default_rng(4).standard_normal(pooled.shape)
    dy, dstate = readout.backward(kept, weights)

    def loss() -> float:
        return float(np.sum(readout.forward(y, case.x, state)[0] * weights))

    if name == "last":
        assert dy is None
        per_direction = len(state) // (1 + both)
        for j, part in enumerate(state):
            if j % per_direction == 0:
                assert_gradient(f"state {j}", dstate[j], loss, part)
            else:  # the cell state of an LSTM is not read
                assert not dstate[j].any()
    else:
        assert dstate is None
        assert_gradient("y", dy, loss, y)


def check_all_readouts(core: SimpleNamespace) -> None:
    for name in core.readout.READOUTS:
        check_readout(core, name, "lstm", both=True)


def store_of(core: SimpleNamespace) -> Any:
    """A small model's parameters with one table: 3·2 numbers in a table, 4 + 2 dense."""
    params = {
        "embedding": {"weight": np.arange(6.0).reshape(3, 2)},
        "cell": {"weight_hh": np.ones((2, 2)), "bias": np.array([0.5, -0.5])},
    }
    return core.parameters.ParameterStore(params, frozenset({"embedding/weight"}))


def grads_for(core: SimpleNamespace) -> dict[str, Any]:
    """Gradients for :func:`store_of`: norm √(9 + 16 + 4·36 + 0 + 0) = 13."""
    rows = core.gradients.RowGradient(np.array([0, 2]), np.array([[3.0, 0.0], [0.0, 4.0]]), (3, 2))
    return {"embedding": {"weight": rows}, "cell": {"weight_hh": np.full((2, 2), 6.0), "bias": np.zeros(2)}}


def check_clipping(core: SimpleNamespace) -> None:
    """The norm, the scaling, and a NaN in any place found by name with nothing changed."""
    store = store_of(core)
    gradients = store.gather(grads_for(core))
    assert core.parameters.clip_by_norm(gradients, 1.3) == 13.0
    np.testing.assert_allclose(gradients.dense, [0.6, 0.6, 0.6, 0.6, 0, 0], rtol=1e-14)
    np.testing.assert_allclose(gradients.tables["embedding/weight"].values, [[0.3, 0], [0, 0.4]], rtol=1e-14)

    for name in ("embedding/weight", "cell/weight_hh", "cell/bias"):
        for limit in (1.0, None):
            for bad in (math.nan, math.inf):
                grads = grads_for(core)
                leaf = dict(leaves(grads))[name]
                core.gradients.values_of(leaf)[..., -1] = bad
                gradients = store.gather(grads)
                dense = gradients.dense.copy()
                where = None
                try:
                    core.parameters.clip_by_norm(gradients, limit)
                except core.parameters.NotFiniteError as error:
                    where = error.where
                assert where == f"the gradient of {name}", f"{bad} in {name} went through (found: {where})"
                np.testing.assert_array_equal(gradients.dense, dense)


def check_lazy_rows(core: SimpleNamespace, name: str, steps: int = 60, capacity: int = 16) -> None:
    """A table of which each step touches some rows has, when it is read, the numbers of one that is updated whole.

    The rates fall, one row is touched at every step, one once only, and counting begins anew several times.
    """
    made = {
        "sgd": core.optimizers.SGD(),
        "momentum": core.optimizers.Momentum(),
        "rmsprop": core.optimizers.RMSprop(),
        "adam": core.optimizers.Adam(epsilon=1e-300),  # ε is the one thing that is treated differently
        "adamw": core.optimizers.Adam(epsilon=1e-300, weight_decay=0.3),
    }
    optimizer = made[name]
    rng = np.random.default_rng(7)
    first = rng.standard_normal((9, 2))
    lazy = core.parameters.ParameterStore({"t": first}, frozenset({"t"}))
    whole = core.parameters.ParameterStore({"t": first}, frozenset())
    states = core.optimizers.start(optimizer, lazy), core.optimizers.start(optimizer, whole)
    states[0].lazy.kept, states[0].lazy.pushed = np.ones(capacity + 1), np.zeros(capacity + 1)
    behind = 0
    for step in range(steps):
        rows = np.unique([0, *rng.integers(1, 8, 2), *([8] if step == 3 else [])])
        behind += not np.array_equal(lazy.params["t"], whole.params["t"])
        core.optimizers.catch_up(optimizer, lazy, states[0], {"t": rows})
        np.testing.assert_allclose(lazy.params["t"][rows], whole.params["t"][rows], rtol=1e-12, err_msg=f"step {step}")
        gradient = core.gradients.RowGradient(rows, rng.standard_normal((len(rows), 2)), (9, 2))
        rate = 0.05 * (1 - step / steps)
        core.optimizers.apply(optimizer, lazy, lazy.gather({"t": gradient}), states[0], rate)
        if states[0].lazy.full:
            core.optimizers.settle(optimizer, lazy, states[0])
        core.optimizers.apply(optimizer, whole, whole.gather({"t": gradient.dense()}), states[1], rate)
    assert behind > steps / 2 or name in ("sgd", "rmsprop"), "nothing was put off: the check has nothing to see"
    core.optimizers.settle(optimizer, lazy, states[0])
    np.testing.assert_allclose(lazy.params["t"], whole.params["t"], rtol=1e-12)
    for moment, groups in states[0].moments.items():
        np.testing.assert_allclose(groups["t"].ravel(), states[1].moments[moment]["dense"], rtol=1e-12, atol=1e-300)


def check_all_lazy_rows(core: SimpleNamespace) -> None:
    for name in ("sgd", "momentum", "rmsprop", "adam", "adamw"):
        check_lazy_rows(core, name)


SUITE: dict[str, Callable[[SimpleNamespace], None]] = {
    "gradients": check_all_gradients,
    "row gradients": check_row_gradients,
    "lookups": check_all_lookups,
    "dropout gradients": check_dropout_gradients,
    "naive": check_all_against_naive,
    "golden": check_all_golden,
    "recorded": check_all_recorded,
    "direction": check_all_directions,
    "reversal": lambda core: check_reversal(core, LENGTHS),
    "losses": check_losses,
    "readouts": check_all_readouts,
    "clipping": check_clipping,
    "lazy rows": check_all_lazy_rows,
}
