"""What holds for every task: the number of processes changes no answer, and a training as little as it can."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from every_task import KINDS
from safetensors.numpy import load_file

SMALL = ["--hidden", "4", "--epochs", "2", "--dropout", "0", "--batch", "16", "--schedule", "constant", "-q"]


@pytest.fixture(params=KINDS)
def trained_by(request: pytest.FixtureRequest, cli: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Trains a kind with so many processes."""
    monkeypatch.setattr("rnncli.core.threads.available_cores", lambda: 1)
    kind = KINDS[request.param]
    cli.write(kind.file, kind.content)

    def train(name: str, workers: int) -> dict[str, Any]:
        cli.works("train", kind.file, *kind.options, *SMALL, "--workers", workers, "--name", name)
        return load_file(f"runs/{name}/model.safetensors")

    train.file, train.cli = kind.file, cli  # type: ignore[attr-defined]
    return train


def test_so_many_processes_give_the_same_bits_and_nearly_those_of_one(trained_by: Any) -> None:
    one, first, second = trained_by("one", 1), trained_by("first", 3), trained_by("second", 3)
    assert one.keys() == first.keys() == second.keys()
    assert all((first[name] == value).all() for name, value in second.items())
    assert all(np.allclose(first[name], value, rtol=1e-3, atol=1e-4) for name, value in one.items())


def test_any_number_of_processes_gives_the_same_answers_and_scores(
    trained_by: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_by("m", 1)
    cli, file = trained_by.cli, trained_by.file
    monkeypatch.setattr("rnncli.tasks.model.CHUNK", 5)
    forks: list[int] = []
    fork = os.fork
    monkeypatch.setattr("os.fork", lambda: forks.append(1) or fork())
    found = []
    for workers in (1, 2, 3):
        predicted = cli.works("predict", file, "-m", "m", "--json", "--workers", workers).out
        found.append((predicted, cli.works("evaluate", file, "-m", "m", "--json", "--workers", workers).out))
    assert len(forks) >= 2 + 3  # of predictions at least
    assert found[1:] == found[:1] * 2
