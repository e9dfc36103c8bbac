"""How far back a layer remembers: measured on networks whose memory is known by formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import CELLS
from inspection.models import TEXTS, model

from rnncli.errors import UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.flow import CellFlow, flow
from rnncli.inspection.loss import vanished
from rnncli.inspection.memory import Arrival, Memory, bar, comparison, memory, require_same_steps, saturation
from rnncli.tasks.model import Model


def remembered(norms: np.ndarray, cell: str = "encoder/0/forward") -> Memory:
    steps = tuple(f"w{k}" for k in range(len(norms)))
    return Memory(cell, "RNN", steps, (Arrival("h", norms),), {}, {})


def with_weights(made: Model, change: Callable[[dict[str, Any]], None]) -> CellFlow:
    opened = adapter_of(made.in_double()).open()
    change(opened.params["encoder"]["0"]["forward"])
    return flow(opened).cell()


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99, 1.2])
def test_the_half_life_of_a_linear_network(decay: float) -> None:
    """ReLU on what stays above zero is linear: with W_h = λ·1 a gradient falls by λ at every step, by its formula."""

    def linear(params: dict[str, Any]) -> None:
        params["weight_hh"][...] = decay * np.eye(4)
        params["weight_ih"][...] = np.abs(params["weight_ih"])
        params["bias"][...] = 1

    made = model("onehot", cell="rnn", nonlinearity="relu", bidirectional=False, readout="last")
    found = memory(with_weights(made, linear))
    assert found.kept.half_life == pytest.approx(math.log(2) / -math.log(decay), abs=1e-6)
    assert found.kept.shares == pytest.approx(decay ** np.arange(5), rel=1e-12)
    assert found.radii["a"] == pytest.approx(decay, rel=1e-12)
    assert found.saturated == {"units that are 0": 0.0}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", ["words", "tag", "numbers"])
def test_what_arrives_against_differences(cell: str, kind: str) -> None:
    """The gradient of ⟨probe, h at the end⟩ by each earlier h, moved by hand, everything after it following."""
    of_cell = flow(adapter_of(model(kind, cell=cell, bidirectional=True)).open()).cells[1]  # ←
    found = memory(of_cell)
    probe = of_cell.d_output.sum(axis=0)
    kept, data = of_cell.recorded.cache, of_cell.recorded.cache.x.data
    data = data.gathered() if hasattr(data, "gathered") else data
    T = len(data)
    assert found.steps == of_cell.steps  # read from the end: the last one that is read is the first in time

    def at_the_end(t: int, h: np.ndarray, c: np.ndarray | None = None) -> float:
        from rnncli.core.packed import PackedSequence

        state = (h, kept.c[t : t + 1].copy() if c is None else c) if cell == "lstm" else (h,)
        if t < T - 1:
            x = PackedSequence(data[t + 1 :], np.ones(T - 1 - t, np.int64), np.array([0]))
            _, state, _ = of_cell.cell.forward(of_cell.params, x, state)
        return float(probe @ state[0][0])

    def slopes(value: np.ndarray, at: Callable[[np.ndarray], float]) -> np.ndarray:
        found = []
        for unit in range(4):
            moved = []
            for size in (1e-6, -1e-6):
                other = value.copy()
                other[0, unit] += size
                moved.append(at(other))
            found.append((moved[0] - moved[1]) / 2e-6)
        return np.array(found)

    for distance in range(T):
        t = T - 1 - distance
        by_h = slopes(kept.h[t : t + 1], lambda h, t=t: at_the_end(t, h))  # type: ignore[misc]
        assert found.states[0].norms[distance] == pytest.approx(np.linalg.norm(by_h), abs=1e-8)
        if cell != "lstm":
            assert [one.letter for one in found.states] == ["h"]
            continue
        assert [one.letter for one in found.states] == ["h", "c"]
        o = kept.o[t : t + 1]
        by_c = slopes(kept.c[t : t + 1], lambda c, t=t, o=o: at_the_end(t, o * np.tanh(c), c))  # type: ignore[misc]
        assert found.kept.norms[distance] == pytest.approx(np.linalg.norm(by_c), abs=1e-8)


def test_what_a_forget_gate_keeps() -> None:
    """With no way through W_h, c falls by the forget gate alone, and h arrives nowhere."""

    def closed(params: dict[str, Any]) -> None:
        params["weight_hh"][...] = 0
        params["weight_ih"][:, 8:12] = 0  # o, i, f, g
        params["bias"][8:12] = math.log(0.9 / 0.1)

    made = model("onehot", cell="lstm", bidirectional=False, readout="last")
    found = memory(with_weights(made, closed))
    assert found.states[0].norms[1:].tolist() == [0] * 4
    assert found.kept.shares == pytest.approx(0.9 ** np.arange(5), rel=1e-12)
    assert found.kept.half_life == pytest.approx(math.log(2) / -math.log(0.9), abs=1e-6)
    assert found.sentence == (
        "By its memory c: Nothing is out of reach; 65.6% of the gradient arrives at 'movie', 4 steps before the end. "
        "It halves every 6.58 steps. By h: What stands more than 0 steps before the end gets less than 1% of the "
        "gradient."
    )


def test_the_sentence() -> None:
    def said(norms: list[float]) -> str:
        return remembered(np.array(norms)).sentence

    assert said([1, 0.1, 0.01, 0.001, 0.0001]) == (
        "What stands more than 2 steps before the end gets less than 1% of the gradient. It halves every 0.301 steps."
    )
    assert said([1, 0.001]) == (
        "What stands more than 0 steps before the end gets less than 1% of the gradient. It halves every 0.1 steps."
    )
    assert said([2, 1, 0.5]) == (
        "Nothing is out of reach; 25.0% of the gradient arrives at 'w2', 2 steps before the end. "
        "It halves every 1 step."
    )
    assert said([1, 4, 16, 64, 256]) == (
        "Nothing is out of reach; 256 times the gradient arrives at 'w4', 4 steps before the end. "
        "It doubles every 0.5 steps: it explodes."
    )
    assert said([3]) == "One step has nothing before it to be remembered."


def test_half_life_where_there_is_none() -> None:
    def half_life(*norms: float) -> float | None:
        return Arrival("h", np.array(norms)).half_life

    assert half_life(1.0) is None
    assert half_life(1.0, 0.0, 0.0) is None
    assert half_life(2.0, 2.0, 2.0) == math.inf
    assert half_life(1.0, 0.5, 0.0) == pytest.approx(1)  # what has vanished whole says nothing of the rate


def test_bars_go_with_the_logarithm() -> None:
    assert [len(bar(share)) for share in (1, 0.1, 1e-3, 1e-6, 0)] == [24, 20, 12, 1, 0]


def test_saturation_counts_values_at_their_ends() -> None:
    cell = flow(adapter_of(model("words", cell="lstm")).open()).cell()
    found = saturation(cell)
    for gate in "oif":
        values = cell.values[gate]
        assert found[gate] == np.mean([v < 0.05 or v > 0.95 for v in values.ravel().tolist()])
    assert found["g"] == np.mean([abs(v) > 0.9 for v in cell.values["g"].ravel().tolist()])


def test_two_models_side_by_side() -> None:
    first, second = (memory(flow(adapter_of(model("words", cell=cell)).open()).cell()) for cell in ("rnn", "lstm"))
    view = comparison(first, second, ("a", "b"))
    assert [column.name for column in view.columns] == [
        *("steps back", "timestep", "a: RNN's h", "10^−6 to 1", "b: LSTM's c", "10^−6 to 1")
    ]
    assert [row[2] for row in view.rows] == pytest.approx(first.kept.shares.tolist())
    assert [row[4] for row in view.rows] == pytest.approx(second.kept.shares.tolist())
    assert [row[1] for row in view.rows] == TEXTS["words"].split()[::-1]


@pytest.mark.parametrize("kind", TEXTS)
def test_models_of_one_task_that_go_by_the_same_steps_can_be_compared(kind: str) -> None:
    require_same_steps(model(kind, cell="rnn"), model(kind, cell="lstm", hidden=7), ("a", "b"))


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (model("words"), model("tag"), "a is of the task classify, and b of the task tag"),
        (model("lm"), model("words"), "a is of the task lm, and b of the task classify"),
        (model("lm"), model("lm", tokens="word"), "a goes by chars, and b by words"),
        (model("words"), model("numbers"), "a goes by words, and b by timesteps"),
    ],
)
def test_steps_that_are_different_things_are_not_compared(first: Model, second: Model, says: str) -> None:
    with pytest.raises(UsageError, match=f"^{says}: a step back is not the same in both$") as raised:
        require_same_steps(first, second, ("a", "b"))
    assert raised.value.hint == f"compare it with a run that {says[2:].split(', and')[0]}"


def test_of_many_steps_some_are_shown_from_end_to_end() -> None:
    found = remembered(0.9 ** np.arange(100))
    shown = [row[0] for row in found.view(40).rows]
    assert len(shown) == 40
    assert (shown[0], shown[-1]) == (0, 99)
    assert np.diff(shown).max() <= 3
    assert "40 of 100 steps are shown" in str(found.view(40).caption)
    assert [row[0] for row in comparison(found, found, ("a", "b"), 40).rows] == shown


def test_a_step_that_only_one_of_two_has() -> None:
    short, long = (remembered(np.ones(n)) for n in (1, 4))
    view = comparison(short, long, ("a", "b"))
    assert [row[2] for row in view.rows] == [1.0, None, None, None]
    lstm = replace(long, kind="LSTM", states=(Arrival("h", np.array([1, 0.1, 0, 0])), Arrival("c", np.ones(4))))
    assert comparison(lstm, short, ("a", "b")).caption == (
        "a, LSTM, by its memory c: Nothing is out of reach; 100.0% of the gradient arrives at 'w3', 3 steps before the "
        "end. It neither shrinks nor grows. b, RNN: One step has nothing before it to be remembered."
    )
    assert "a, RNN: One step has nothing before it to be remembered." in str(view.caption)


def test_a_gradient_that_drops_once_has_no_half_life() -> None:
    found = remembered(np.array([1, 0.36, 0.35, 0.36, 0.39, 0.39, 0.38]), "encoder/0/backward")
    assert found.sentence == (
        "Nothing is out of reach; 38.0% of the gradient arrives at 'w6', 6 steps from the beginning. "
        "It does not fall steadily with the distance."
    )
    assert found.pairs()[0] == ("half-life", "-")


def test_a_loss_that_is_too_small_says_what_is_left_of_the_gradient() -> None:
    assert vanished(0.01006) == ""
    said = vanished(-math.log(1 - 0.0019))
    assert "The gradient that enters at the output is 0.0019 of the largest possible one, and below 0.01 it " in said
    assert "0.01 it counts as vanished. " in said


def test_one_step_is_no_steps() -> None:
    assert "more than 1 step before" in remembered(np.array([1, 0.5, 0.001])).sentence
    assert remembered(np.array([2.0, 1.0])).pairs()[0] == ("half-life", "1 step")
    assert remembered(np.array([1.0, 2.0])).pairs()[0] == ("half-life", "none, it doubles in 1 step")
    assert remembered(np.ones(4)).pairs()[0] == ("half-life", "none, it stays the same")
    assert "at 'w1', 1 step before the end." in remembered(np.array([2.0, 1.0])).sentence
