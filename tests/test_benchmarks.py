"""The benchmarks' own steps run: they are not part of the suite, and nobody would see that a name has changed."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr("rnncli.core.threads.share_cores", lambda count: None)  # of this process, for good
    return importlib.import_module("tasks")


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_a_step_of_the_classifier(benchmark: ModuleType, cell: str) -> None:
    step, close = importlib.import_module("step").our_step(cell, 20, 4, 3, 5, 8, 1)
    losses = [step() for _ in range(3)]
    close()
    assert np.isfinite(losses).all()


def test_a_round_of_each_task(benchmark: ModuleType) -> None:
    for name, task in benchmark.ROWS.items():
        settings = benchmark.our_settings(name).replace(hidden=4, embedding=3, batch=4, max_length=5)
        assert settings.task == task
        network, examples = benchmark.our_network(name, settings, benchmark.made_up(name, 4, 5))
        steps, group = benchmark.our_round(network, examples, settings, 1)
        steps()
        group.__exit__()
        assert group.size == 1
