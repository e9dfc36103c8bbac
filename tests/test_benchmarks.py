"""The benchmarks' own steps run: they are not part of the suite, and nobody would see that a name has changed."""

from __future__ import annotations

import argparse
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


def test_a_step_of_ragged_sequences(benchmark: ModuleType) -> None:
    step = importlib.import_module("step")
    assert step.lengths_of(4) == [400, 274, 184, 127]  # half-way between two quantiles; the longest is cut
    lengths = step.lengths_of(32)
    assert (len(lengths), max(lengths), min(lengths), lengths.count(400), sum(lengths)) == (32, 400, 33, 7, 7806)
    assert [len(sequence) for sequence in step.sequences(20, [5, 3])] == [5, 3]
    run, close = step.our_step("LSTM", 20, 4, 3, 5, 3, 1, [5, 3, 1])
    losses = [run() for _ in range(3)]
    close()
    assert np.isfinite(losses).all()
    assert losses[2] < losses[0]


def test_what_a_row_says(benchmark: ModuleType) -> None:
    step = importlib.import_module("step")
    assert step.ratio_of([2.0, 9.0, 4.0], [1.0, 2.0, 4.0]) == 2.0
    # LSTM of 2 units, 3 numbers a token, 10 timesteps with 4 distinct tokens, 1,000 operations a second
    assert step.floor_seconds("LSTM", 3, 2, 10, 4, 1000.0) == 3 * 2 * 8 * (10 * 2 + 4 * 3) / 1000
    row = {
        **{"cell": "GRU", "V": 10, "E": 3, "H": 2, "T": 5, "N": 4, "gflops": 190.0, "floor_ms": 2.0},
        **{"ms": {"packed": 40.0, "padded": 20.0, "numpy": 10.0, "compiled": 4.0}},
        "ratio": {"numpy": {"packed": 4.0, "padded": 2.0}, "compiled": {"packed": 10.0, "padded": 5.0}},
        "of_floor": {"numpy": 0.2, "compiled": 0.5},
    }
    for forms, ratios in ((["packed", "padded"], ["4.00", "2.00"]), (["packed"], ["4.00"])):
        head, said = step.heading(forms, ["numpy", "compiled"]), step.line(row, forms, ["numpy", "compiled"])
        assert len(head) == len(said)
        assert said.split()[6:][len(forms) : len(forms) + 2 + len(ratios)] == ["10.00", *ratios, "0.20"]


def test_the_rate_of_products_is_the_best_of_all_kernels(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = importlib.import_module("step")
    rates = {"": 10.0, "Haswell": 30.0}

    class Side:
        def __init__(self, python: str, name: str, args: object, **variables: str) -> None:
            self.kernel = variables.get("OPENBLAS_CORETYPE", "")
            assert (name, variables["OPENBLAS_NUM_THREADS"]) == ("product", "1")

        def send(self, line: str) -> None: ...

        def receive(self) -> str:
            if self.kernel not in rates:
                raise EOFError  # the processor cannot run it
            return str(rates[self.kernel])

        def close(self) -> None:
            closed.append(self.kernel)

    closed: list[str] = []
    monkeypatch.setattr(step, "Side", Side)
    products = step.Products(argparse.Namespace(threads=2))
    assert products.best == 60.0
    assert closed == ["SkylakeX"] * 2
    products.start_row()
    rates["Haswell"] = 25.0
    found = []
    for _ in range(3):
        products.measure()
        found.append(products.best)
    assert sorted(found) in ([20.0, 50.0, 50.0], [50.0, 50.0, 50.0])
    products.close()
    assert len(closed) == 6


def test_the_weights_of_the_peers_have_their_gates_in_their_order(benchmark: ModuleType) -> None:
    predict = importlib.import_module("predict")
    weight = np.arange(12.0).reshape(1, 12)  # o, i, f, g of three units each
    assert predict.gates_in(predict.TORCH_GATES, weight)[:, 0].tolist() == [3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2]
    assert predict.gates_in(predict.ONNX_GATES, weight[0]).tolist() == [3, 4, 5, 0, 1, 2, 6, 7, 8, 9, 10, 11]


def test_the_table_of_predictions(benchmark: ModuleType) -> None:
    predict = importlib.import_module("predict")
    seconds = {"torch usual": [4.0, 9.0, 6.0], "compiled usual": [2.0, 3.0, 6.0]}
    head, *rows = predict.table(seconds, dict.fromkeys(seconds, "how"), 600)
    assert [row.split() for row in (head, *rows)] == [
        ["#", "s", "words/s", "to", "1"],
        ["1", "PyTorch,", "usual", "6.00", "100", "1.00", "how"],
        ["2", "rnncli,", "compiled", "3.00", "200", "2.00", "how"],
    ]
    scores = {"a": np.array([0.1, 0.5]), "b": np.array([0.1, 0.25]), "c": np.array([0.1, 0.75])}
    assert predict.largest_difference(scores) == 0.5


def test_a_round_of_each_task(benchmark: ModuleType) -> None:
    for name, task in benchmark.ROWS.items():
        settings = benchmark.our_settings(name).replace(hidden=4, embedding=3, batch=4, max_length=5)
        assert settings.task == task
        network, examples = benchmark.our_network(name, settings, benchmark.made_up(name, 4, 5))
        steps, group = benchmark.our_round(network, examples, settings, 1)
        steps()
        group.__exit__()
        assert group.size == 1
