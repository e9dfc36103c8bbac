"""Off a terminal a training of any length has few lines, chosen by their number and not by the clock."""

from __future__ import annotations

import io

import pytest

from rnncli.record import EpochRecord
from rnncli.render.console import Output
from rnncli.render.progress import LINES, TrainingDisplay
from rnncli.results import EpochDone


def lines_of(epochs: int, done: int, best: set[int]) -> list[str]:
    output = Output(io.StringIO(), io.StringIO())
    display = TrainingDisplay(output, epochs, "accuracy", lambda event: event.record.validation_accuracy)
    with display.live():
        for epoch in range(1, done + 1):
            record = EpochRecord(epoch, 1.0, 0.5, epoch / 1000, epoch in best)
            display.epoch(EpochDone(record, seconds=0.0, words_per_second=1.0))
    return output.stderr.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("epochs", "done"), [(5, 5), (20, 20), (21, 21), (300, 300), (300, 151), (100_000, 100_000)])
def test_few_lines_with_the_first_and_the_last(epochs: int, done: int) -> None:
    lines = lines_of(epochs, done, {1})
    printed = [line for line in lines if line.startswith("epoch ")]
    assert printed[0].startswith(f"epoch 1/{epochs}: ")
    assert printed[-1].startswith(f"epoch {done}/{epochs}: ")
    assert len(printed) == min(done, len(printed)) <= LINES + 2
    if epochs <= LINES:
        assert len(printed) == done
    else:
        assert "metrics.jsonl has them all" in lines[0]


def test_the_best_of_those_between_is_named() -> None:
    lines = lines_of(300, 300, {1, 17, 22, 30, 299})
    (after_17,) = [line for line in lines if line.startswith("epoch 30/")]
    assert "accuracy 0.0300 (best)" in after_17
    assert "(best: epoch 299, 0.2990)" in lines[-1]
