"""A right gradient passes on every kind of model; a wrong one is found, and named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import CELLS
from inspection.models import TEXTS, model

from rnncli.core.optim.parameters import flatten
from rnncli.inspection import check
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.check import check_gradients
from rnncli.inspection.flow import flow

# A number that is the prediction itself has no gradient.
ANSWERS = {"regress": "3", "forecast": "[1, 2]"}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", tuple(TEXTS))
def test_every_model_passes(kind: str, cell: str) -> None:
    chosen = {"bidirectional": False} if kind == "lm" else {}
    found = check_gradients(adapter_of(model(kind, cell=cell, **chosen)).open(None, ANSWERS.get(kind)), entries=8)
    assert found.passed, found.sentence
    assert {one.parameter for one in found.parameters} == model(kind, cell=cell, **chosen).network.shapes().keys()
    assert found.worst.excess < 0.1
    assert found.sentence.startswith("All ")


class Wrong:
    """A network whose gradient is off in one entry by one part in a thousand."""

    def __init__(self, network: Any) -> None:
        self.network = network

    def metric_sums(self, params: Any, examples: Any) -> Any:
        return self.network.metric_sums(params, examples)

    def loss_and_gradients(self, params: Any, batch: Any) -> tuple[float, dict[str, Any]]:
        loss, grads = self.network.loss_and_gradients(params, batch)
        grads["encoder"]["0"]["backward"]["weight_hh"][2, 5] *= 1.001
        return loss, grads


@pytest.mark.parametrize("entries", [24, None])
def test_a_planted_fault_is_named(entries: int | None) -> None:
    opened = adapter_of(model("words")).open()
    opened.network.loss_and_gradients(opened.params, opened.batch)
    found = check_gradients(replace(opened, network=Wrong(opened.network)), entries=64 if entries else None)
    assert not found.passed
    assert found.worst.worst == "encoder/0/backward/weight_hh[2,5]"
    assert found.worst.analytic == pytest.approx(1.001 * found.worst.numeric, rel=1e-5)
    assert found.sentence.startswith("The gradient is wrong: encoder/0/backward/weight_hh[2,5]: ")


def test_the_largest_entries_are_always_looked_at() -> None:
    opened = adapter_of(model("words", hidden=16)).open()
    found = check_gradients(opened, entries=4)
    sizes = {one.parameter: (one.entries, one.size) for one in found.parameters}
    assert sizes["encoder/0/forward/weight_hh"] == (4, 16 * 64)
    assert sizes["output/bias"] == (1, 1)


def test_nothing_is_left_changed() -> None:
    opened = adapter_of(model("words")).open()
    before = {name: value.copy() for name, value in opened.params["output"].items()}
    check_gradients(opened, entries=None)
    for name, value in opened.params["output"].items():
        assert (value == before[name]).all()
    assert np.isfinite(opened.params["encoder"]["0"]["forward"]["weight_hh"]).all()


def test_which_entries_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of them are the largest of their parameter; of a long text there are fewer."""
    looked: dict[int, list[int]] = {}
    real = check.difference

    def spying(loss: Any, flat: Any, entry: int, step: float) -> float:
        looked.setdefault(flat.ctypes.data, []).append(entry)
        return real(loss, flat, entry, step)

    monkeypatch.setattr(check, "difference", spying)
    opened = adapter_of(model("words")).open()
    gradients = flow(opened).gradients
    check_gradients(opened, entries=6)
    for name, value in flatten(opened.params):
        entries, gradient = looked[value.ctypes.data], np.abs(gradients[name].ravel())
        if value.size > 6:
            assert len(set(entries)) == 6
            assert sorted(gradient[entries])[-3:] == sorted(gradient)[-3:]
    looked.clear()
    long = adapter_of(model("words", max_length=900)).open("good " * 800)
    check_gradients(long)
    assert max(map(len, looked.values())) == 2
