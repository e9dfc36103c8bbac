"""Gradients as sums over timesteps, states and gates, the chain of factors: from training's own numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from helpers import CELLS
from inspection.models import TEXTS, model

from rnncli.core.backward_trace import recording
from rnncli.core.gradient_check import numeric_gradient
from rnncli.core.layers.attention import Attention
from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import PackedSequence
from rnncli.errors import UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.chain import chain, step_jacobian
from rnncli.inspection.flow import CellFlow, Flow, flow
from rnncli.inspection.gates import gates_document
from rnncli.inspection.terms import loss_by_source, terms
from rnncli.render.json_out import dumps

KINDS = tuple(TEXTS)
SHAPES = [
    {"cell": cell, "layers": layers, "bidirectional": both}
    for cell in CELLS
    for layers in (1, 2)
    for both in (False, True)
]


def named(chosen: dict[str, Any]) -> str:
    return "-".join(map(str, chosen.values()))


def opened(kind: str, chosen: dict[str, Any]) -> Flow:
    if kind == "lm":
        chosen = chosen | {"bidirectional": False}
    return flow(adapter_of(model(kind, **chosen)).open())


@pytest.mark.parametrize("chosen", SHAPES, ids=named)
@pytest.mark.parametrize("kind", KINDS)
def test_terms_add_up_to_trainings_gradient(kind: str, chosen: dict[str, Any]) -> None:
    example = opened(kind, chosen)
    for name, gradient in example.gradients.items():
        found = terms(example, name)
        total = sum(found.term(t) for t in range(len(found.steps)))
        assert total.shape == gradient.shape
        assert np.abs(total - gradient).max() <= 1e-12
        assert found.residual <= 1e-12
        assert found.shares.sum() == pytest.approx(1 if gradient.any() else 0, abs=1e-9)
        assert found.norms == pytest.approx([np.linalg.norm(found.term(t)) for t in range(len(found.steps))], rel=1e-9)
        assert found.running_norms[-1] == pytest.approx(np.linalg.norm(gradient), rel=1e-9)


def test_a_term_is_the_gradient_through_that_step_alone() -> None:
    """With a recurrent matrix of its own at every step, the loss's gradient by each of them is the step's term."""
    made = adapter_of(model("words", cell="rnn", bidirectional=False, readout="last")).open()
    example = flow(made)
    found = terms(example, "encoder/0/forward/weight_hh")
    cell = example.cell()
    own = [cell.params["weight_hh"].copy() for _ in cell.steps]

    def loss() -> float:
        h = np.zeros(4)
        for x, weight in zip(cell.x, own, strict=True):
            h = np.tanh(x @ cell.params["weight_ih"] + h @ weight + cell.params["bias"])
        z = h @ made.params["output"]["weight"] + made.params["output"]["bias"]
        y = made.batch.targets[0]
        return float(np.logaddexp(0, z[0]) - y * z[0])

    assert loss() == pytest.approx(example.loss, rel=1e-12)
    for t in range(1, len(own)):
        assert found.term(t) == pytest.approx(numeric_gradient(loss, own[t]), abs=1e-9)


def test_cosine_and_share_of_a_term() -> None:
    found = terms(opened("words", {"cell": "gru"}), "encoder/0/backward/weight_hh")
    whole = found.gradient.ravel()
    for t in range(len(found.steps)):
        term = found.term(t).ravel()
        assert found.shares[t] == pytest.approx(term @ whole / (whole @ whole), rel=1e-9, abs=1e-15)
        if np.linalg.norm(term):
            cosine = term @ whole / np.linalg.norm(term) / np.linalg.norm(whole)
            assert found.cosines[t] == pytest.approx(cosine, rel=1e-9)


def test_a_parameter_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"there is no parameter 'weight_hh'"):
        terms(opened("words", {}), "weight_hh")


# States and gates


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_memory_recomputed_from_json_agrees_to_the_last_digit(kind: str, both: bool) -> None:
    for cell in opened(kind, {"cell": "lstm", "bidirectional": both}).cells:
        shown = json.loads(dumps(gates_document(cell)))
        values = {name: np.array(value) for name, value in shown["values"].items()}
        order = range(len(shown["steps"])) if shown["direction"] == "→" else reversed(range(len(shown["steps"])))
        c = np.array(shown["initial"]["c"])
        for t in order:
            c = values["i"][t] * values["g"][t] + values["f"][t] * c
            assert (c == values["c"][t]).all()
            assert (values["o"][t] * np.tanh(c) == values["h"][t]).all()


def test_states_are_those_of_a_trace() -> None:
    for kind in ("words", "tag", "lm"):
        made = model(kind, bidirectional=False, dtype="float64")
        cell = flow(adapter_of(made).open()).cell()
        trace = adapter_of(made).trace()
        assert cell.values["h"] == pytest.approx(trace.hidden[: len(cell.steps)], abs=1e-14)


# The chain rule


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", ["words", "onehot", "numbers"])
def test_a_steps_jacobian_against_differences(cell: str, kind: str) -> None:
    of_cell = opened(kind, {"cell": cell, "bidirectional": True}).cells[1]
    t = 2
    data = of_cell.recorded.cache.x.data
    data = data.gathered() if hasattr(data, "gathered") else data
    kept = of_cell.recorded.cache
    states = [kept.h[t - 1 : t].copy(), *([kept.c[t - 1 : t].copy()] if cell == "lstm" else [])]

    def after(k: int) -> float:
        x = PackedSequence(data[t : t + 1], np.array([1]), np.array([0]))
        _, last, _ = of_cell.cell.forward(of_cell.params, x, tuple(states))
        return float(np.concatenate(last, axis=1)[0, k])

    jacobian = step_jacobian(of_cell, t)
    for k in range(len(jacobian)):
        row = np.concatenate([numeric_gradient(lambda k=k: after(k), state)[0] for state in states])
        assert jacobian[k] == pytest.approx(row, abs=1e-9)


def test_the_factors_multiply_to_what_arrives() -> None:
    example = opened("words", {"cell": "rnn", "bidirectional": False, "readout": "last"})
    cell = example.cell()
    found = chain(example, cell)
    assert [factor.written for factor in found.factors] == [
        *("∂L/∂z", "∂z/∂h_6", "∂L/∂h_6", "∂h_6/∂h_5", "∂h_5/∂h_4", "∂h_4/∂h_3", "∂h_3/∂h_2", "∂h_2/∂h_1")
    ]
    # ∂L/∂h_1 by multiplying the matrices out is what backpropagation gives.
    d_hidden = cell.d_states["h"]
    row = d_hidden[-1]
    for t in range(5, 0, -1):
        row = row @ step_jacobian(cell, t)
    assert row == pytest.approx(d_hidden[0], rel=1e-10)
    h, weight = cell.values["h"], cell.params["weight_hh"]
    by_formula = np.diag(1 - h[5] ** 2) @ weight.T
    assert step_jacobian(cell, 5) == pytest.approx(by_formula, rel=1e-12)
    assert found.factors[3].norm == pytest.approx(np.linalg.norm(by_formula, 2), rel=1e-12)
    assert found.factors[4].product == pytest.approx(
        np.linalg.norm(by_formula @ np.diag(1 - h[4] ** 2) @ weight.T, 2), rel=1e-12
    )


# Which loss reaches which step


def d_hidden_of_one_loss(example: Flow, cell: CellFlow, s: int) -> np.ndarray:
    """(T, H) by differences: what loss s gains when h_t is moved, everything after it following."""
    made = example.opened
    T, H = cell.values["h"].shape
    found = np.zeros((T, H))
    weight, bias = made.params["output"]["weight"], made.params["output"]["bias"]
    target = int(made.batch.targets[0][s])
    for t in range(s + 1):
        for unit in range(H):
            losses = []
            for moved in (1e-5, -1e-5):
                h = cell.values["h"][t].copy()
                h[unit] += moved
                for k in range(t + 1, s + 1):
                    h = np.tanh(
                        cell.x[k] @ cell.params["weight_ih"] + h @ cell.params["weight_hh"] + cell.params["bias"]
                    )
                z = h @ weight + bias
                losses.append(np.log(np.exp(z).sum()) - z[target])
            found[t, unit] = (losses[0] - losses[1]) / 2e-5 / T  # the loss is the mean over the steps
    return found


def test_from_loss_step_to_source_step_against_differences() -> None:
    example = opened("tag", {"cell": "rnn", "bidirectional": False})
    cell = example.cell()
    found = loss_by_source(example, cell)
    for s in range(len(cell.steps)):
        expected = np.linalg.norm(d_hidden_of_one_loss(example, cell, s), axis=1)
        assert found.norms[s] == pytest.approx(expected, abs=1e-9)
    assert (np.triu(found.norms, 1) == 0).all()  # what comes later has no part in an earlier loss


@pytest.mark.parametrize("chosen", SHAPES, ids=named)
@pytest.mark.parametrize("kind", ["words", "tag", "seq2seq", "lm"])
def test_the_losses_of_all_steps_together_are_the_whole(kind: str, chosen: dict[str, Any]) -> None:
    """Sent back one by one and added up, the gradients are those of the one backward pass, in every layer."""
    example = opened(kind, chosen)
    for cell in example.cells:
        layers = example.layers_above(cell)
        assert cell in layers[-1]
        whole = cell.d_states["h"]
        norms = loss_by_source(example, cell).norms
        # A sum of vectors is no longer than the sum of their lengths, and as long where there is only one.
        assert (np.linalg.norm(whole, axis=1) <= norms.sum(axis=0) + 1e-12).all()
        alone = (norms > 0).sum(axis=0) == 1
        assert np.linalg.norm(whole, axis=1)[alone] == pytest.approx(norms.sum(axis=0)[alone], rel=1e-9)


# Recording


def test_nothing_is_recorded_outside_of_recording() -> None:
    made = adapter_of(model("words")).open()
    with recording() as recorded:
        pass
    made.network.loss_and_gradients(made.params, made.batch)
    assert recorded == []
    with recording() as outer, recording() as inner:
        made.network.loss_and_gradients(made.params, made.batch)
    assert len(outer) == len(inner) == 4  # two cells, the embedding, the output


@pytest.mark.usefixtures("numpy_engine")
def test_recording_changes_no_bit() -> None:
    made = adapter_of(model("words", cell="gru")).open()
    _, alone = made.network.loss_and_gradients(made.params, made.batch)
    with recording():
        _, recorded = made.network.loss_and_gradients(made.params, made.batch)
    for (name, one), (_, other) in zip(flatten(alone), flatten(recorded), strict=True):
        same = getattr(one, "values", one), getattr(other, "values", other)
        assert (same[0] == same[1]).all(), name


def test_terms_of_attention_are_those_of_their_steps() -> None:
    """What each target step's output says of the loss, by W_a and W_c moved for that step alone."""
    made = adapter_of(model("seq2seq")).open()
    found = flow(made)
    with recording() as recorded:
        made.network.loss_and_gradients(made.params, made.batch)
    one = next(one for one in recorded if isinstance(one.layer, Attention))
    for kind in ("weight_a", "weight_c", "bias_c"):
        shown, weight = terms(found, f"decoder/attention/{kind}"), one.params[kind]
        for t in range(len(shown.steps)):
            numeric = np.zeros_like(weight)
            for place in np.ndindex(weight.shape):
                kept, outs = weight[place], []
                for size in (1e-6, -1e-6):
                    weight[place] = kept + size
                    outs.append(one.layer.forward(one.params, one.cache.h, one.cache.memory)[0][t])
                weight[place] = kept
                numeric[place] = one.dy[t] @ (outs[0] - outs[1]) / 2e-6
            assert shown.term(t) == pytest.approx(numeric, abs=1e-8)
            assert np.abs(numeric).max() > 1e-5


def test_terms_of_tables_are_those_of_their_steps() -> None:
    """A tagger whose words are all different: each row of the word's own view is read at one step."""
    found = flow(adapter_of(model("tag")).open("the movie was not good"))
    shown = terms(found, "views/word")
    assert len({int(row) for row in shown.rows}) == 5  # type: ignore[union-attr]
    for t in range(5):
        expected = np.zeros_like(shown.gradient)
        row = int(shown.rows[t])  # type: ignore[index]
        expected[row] = shown.gradient[row]
        assert shown.term(t) == pytest.approx(expected, abs=1e-15)
