"""Networks, baselines and windows of tasks that predict numbers."""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.config import Settings
from rnncli.core.gradient_check import numeric_gradient
from rnncli.core.optim.parameters import flatten
from rnncli.data.dataset import Dataset, Source
from rnncli.data.records import Amounts, Series, SeriesArrays, Texts
from rnncli.errors import DataError
from rnncli.tasks import task_named
from rnncli.tasks.forecast.inputs import SeriesInput
from rnncli.tasks.forecast.model import simple_forecasts
from rnncli.tasks.least_squares import Ridge
from rnncli.tasks.many_to_one.network import Examples
from rnncli.tasks.numbers.network import NumberNetwork
from rnncli.tasks.numbers.results import Errors, written
from rnncli.tasks.prepare import in_time
from rnncli.tasks.seasons import guess_season
from rnncli.tasks.windows import Windows, usual_window

(GOLDEN,) = json.loads(Path(__file__).parents[1].joinpath("golden", "numbers.json").read_text("utf-8"))["cases"]


def series_of(*values: Any, label: str = "y") -> Dataset:
    inputs = SeriesArrays()
    line = 2
    for one in values:
        numbers = np.array(one, np.float64)
        inputs.append(Series(numbers if numbers.ndim == 2 else numbers[:, None], np.arange(line, line + len(numbers))))
        line += len(numbers)
    lines = array("q", range(len(inputs)))
    names = Texts(f"S{k}" for k in range(len(inputs)))
    return Dataset(
        Source("x.csv", label=label), "", inputs, Texts.of_nothing(len(inputs)), lines, "", 0, (), shown=names
    )


# The network


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mingru"])
@pytest.mark.parametrize("readout", ["last", "mean", "max"])
def test_the_backward_pass_is_that_of_differences(cell: str, readout: str) -> None:
    rng = np.random.default_rng(1)
    settings = Settings(cell=cell, readout=readout, hidden=3, dropout=0, dtype="float64", bidirectional=False)
    network = NumberNetwork(settings, 2, 2, True, (1.0, 2.0), (3.0, 0.5))
    params = network.init(np.random.default_rng(2))
    batch = Examples([rng.standard_normal((t, 2)) for t in (3, 1, 4)], rng.standard_normal((3, 2)))
    _, gradients = network.loss_and_gradients(params, batch)
    analytic = dict(flatten(gradients))
    for name, value in flatten(params):
        numeric = numeric_gradient(lambda: network.loss_and_gradients(params, batch)[0], value)
        np.testing.assert_allclose(analytic[name], numeric, rtol=1e-5, atol=1e-8)


def test_loss_and_gradients_are_those_of_pytorch() -> None:
    """An LSTM's last state, a linear layer and the mean squared error."""
    settings = Settings(hidden=3, dropout=0, dtype="float64", bidirectional=False, readout="last")
    network = NumberNetwork(settings, 2, 2, True, (0.0, 0.0), (1.0, 1.0))
    params = {"encoder": {"0": {"forward": {}}}, "output": {}}
    cell = params["encoder"]["0"]["forward"]
    # PyTorch has the gates i, f, g, o in the rows, and two biases.
    order = gates_of(network)
    weights = {name: np.array(value) for name, value in GOLDEN["weights"].items()}
    cell["weight_ih"] = by_gate(weights["weight_ih_l0"], order).T
    cell["weight_hh"] = by_gate(weights["weight_hh_l0"], order).T
    cell["bias"] = by_gate((weights["bias_ih_l0"] + weights["bias_hh_l0"])[:, None], order)[:, 0]
    params["output"] = {"weight": weights["output.weight"].T, "bias": weights["output.bias"]}
    batch = Examples([np.array(x) for x in GOLDEN["x"]], np.array(GOLDEN["y"]))
    loss, gradients = network.loss_and_gradients(params, batch)
    assert loss == pytest.approx(GOLDEN["loss"], rel=1e-12)
    stored = {name: np.array(value) for name, value in GOLDEN["dweights"].items()}
    own = gradients["encoder"]["0"]["forward"]
    np.testing.assert_allclose(own["weight_ih"], by_gate(stored["weight_ih_l0"], order).T, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(own["weight_hh"], by_gate(stored["weight_hh_l0"], order).T, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(own["bias"], by_gate(stored["bias_ih_l0"][:, None], order)[:, 0], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(gradients["output"]["weight"], stored["output.weight"].T, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(gradients["output"]["bias"], stored["output.bias"], rtol=1e-9)


def gates_of(network: NumberNetwork) -> list[int]:
    """The place in PyTorch's order of each gate in ours."""
    (cell,) = (layer.cell for layer in network.reader.stack.layers)
    return ["ifgo".index(gate.letter) for gate in cell.specification.gates]


def by_gate(rows: np.ndarray, order: list[int]) -> np.ndarray:
    blocks = np.split(rows, 4)
    return np.concatenate([blocks[k] for k in order])


def test_errors_are_in_the_units_of_the_data() -> None:
    network = NumberNetwork(Settings(hidden=2), 1, 2, True, (10.0, 0.0), (2.0, 5.0))
    logits, targets = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 0.0], [0.0, -1.0]])
    scores = network.judged(logits, targets)
    assert scores.sums.tolist() == [2.0, 10.0]
    assert scores.score == 3.0  # of four numbers
    assert network.outputs(logits).tolist() == [[12.0, 0.0], [10.0, 5.0]]
    np.testing.assert_allclose(network.standardised(network.outputs(logits)), logits)


# Baselines


def test_a_ridge_is_least_squares_with_the_penalty_of_least_cross_validation() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4)) * [1, 10, 0.1, 0] + [0, 5, 0, 3]
    y = np.stack([x @ [2, -0.3, 5, 9] + 1, rng.standard_normal(60)], axis=1)
    fitted = Ridge.fit(x, y)
    np.testing.assert_allclose(fitted.predict(x)[:, 0], y[:, 0], atol=1e-3)
    assert fitted.weights[3].tolist() == [0.0, 0.0]  # a column that never changes
    # Noise has a large penalty: nearly its mean for every row.
    assert np.abs(fitted.predict(x)[:, 1] - y[:, 1].mean()).max() < np.abs(y[:, 1]).max() / 2
    # The same numbers as the textbook's formula gives with that penalty, and its leave-one-out score is the least.
    z = (x[:, :3] - x[:, :3].mean(axis=0)) / x[:, :3].std(axis=0)
    centred = y[:, 1] - y[:, 1].mean()

    def score(penalty: float) -> float:
        hat = z @ np.linalg.solve(z.T @ z + penalty * np.eye(3), z.T)
        off = centred - hat @ centred
        return float(off @ off) / (60 - 1 - np.trace(hat)) ** 2

    from rnncli.tasks.least_squares import PENALTIES

    best = min((PENALTIES * 60).tolist(), key=score)
    weights = np.linalg.solve(z.T @ z + best * np.eye(3), z.T @ centred) / x[:, :3].std(axis=0)
    np.testing.assert_allclose(fitted.weights[:3, 1], weights, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("values", "season"),
    [
        (100 + np.arange(144) + 30 * np.sin(np.arange(144) * 2 * np.pi / 12), 12),
        ((100 + 2.5 * np.arange(144)) * (1 + 0.3 * np.sin(np.arange(144) * 2 * np.pi / 12)), 12),
        (np.tile([1, 2, 3, 4, 5, 9, 9.0], 20), 7),
        (np.tile([1.0, 2.0], 30), 2),
        (1e300 * np.sin(np.arange(100) * 2 * np.pi / 10), 10),
        (1e-300 * np.sin(np.arange(100) * 2 * np.pi / 10), 10),
    ],
)
def test_a_season_is_found(values: np.ndarray, season: int) -> None:
    found = guess_season([values])
    assert found is not None
    assert found.length == season


@pytest.mark.parametrize(
    "values", [np.ones(50), np.arange(50.0), np.arange(5.0), np.cumsum(np.random.default_rng(0).standard_normal(300))]
)
def test_no_season_is_made_up(values: np.ndarray) -> None:
    assert guess_season([values]) is None


def test_simple_forecasts_by_hand() -> None:
    windows = np.array([[1.0, 2, 3, 4, 5], [10, 20, 30, 40, 50]])[:, :, None]
    found = simple_forecasts(windows, 0, 3, 4)
    assert (windows[:, -1:, 0] + found["naive"]).tolist() == [[5] * 4, [50] * 4]
    assert (windows[:, -1:, 0] + found["seasonal_naive"]).tolist() == [[3, 4, 5, 3], [30, 40, 50, 30]]
    assert simple_forecasts(windows, 0, 1, 2).keys() == {"naive"}


# Windows


def test_windows_and_what_follows_them() -> None:
    cut = Windows(3, 2).cut(series_of(range(7), [10, 11, 12, 13, 14], [1, 2]))
    assert [one.reshape(-1).tolist() for one in cut.dataset.inputs] == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [10, 11, 12]]
    assert cut.dataset.labels.array().tolist() == [[3, 4], [4, 5], [5, 6], [13, 14]]
    assert cut.series.tolist() == [0, 0, 0, 1]
    assert list(cut.dataset.lines) == [5, 6, 7, 12]  # of the first value that follows
    with pytest.raises(DataError, match="the series has 3 timesteps, and no window of 3 timesteps with 2 values after"):
        Windows(3, 2).cut(series_of([1, 2, 3]))


def test_rows_up_to_each_row_without_what_is_predicted() -> None:
    table = [[9.0, 1.0], [8.0, 2.0], [7.0, 3.0], [6.0, 4.0]]
    cut = Windows(3, 0).cut(series_of(table))
    assert [one.reshape(-1).tolist() for one in cut.dataset.inputs] == [[1], [1, 2], [1, 2, 3], [2, 3, 4]]
    assert cut.dataset.labels.array().tolist() == [[9], [8], [7], [6]]
    assert list(cut.dataset.lines) == [2, 3, 4, 5]


def test_the_latest_windows_are_for_validation_and_share_no_value_with_training() -> None:
    dataset = series_of(range(100), range(1000, 1050))
    windows = Windows(5, 4)
    cut = windows.cut(dataset)
    rows = in_time(dataset, Settings(validation=0.2), cut.series, 4)
    numbers = cut.dataset.labels.array()
    for series in (0, 1):
        train = numbers[[row for row in rows.train if cut.series[row] == series]]
        aside = numbers[[row for row in rows.validation if cut.series[row] == series]]
        assert train.max() < aside.min()
        assert aside.max() == numbers[cut.series == series].max()
        assert len(aside) == round(0.2 * (cut.series == series).sum())
    assert len(rows.train) + len(rows.validation) == len(cut.series) - 2 * 3
    with pytest.raises(DataError, match="2 windows are too few to train on and to set 10% aside"):
        in_time(series_of([1, 2]), Settings(), np.zeros(2, np.int64), 1)
    short, of_each = series_of(*([1, 2, 3, 4] for _ in range(20))), np.repeat(np.arange(20), 4)
    with pytest.raises(DataError, match=r"80 windows are too few .*, at most 4 of a series$") as caught:
        in_time(short, Settings(), of_each, 2)
    assert "--validation 0.25; or " in str(caught.value.hint)
    rows = in_time(short, Settings(validation=0.25), of_each, 2)
    assert (rows.validation.tolist(), len(rows.train)) == (list(range(3, 80, 4)), 40)


@pytest.mark.parametrize(("steps", "season", "horizon", "window"), [(144, 12, 1, 24), (144, 1, 1, 24), (20, 1, 1, 4)])
def test_usual_windows(steps: int, season: int, horizon: int, window: int) -> None:
    assert usual_window(steps, season, horizon) == window


def test_a_window_is_read_relative_to_its_last_value() -> None:
    windows = np.array([[[1.0, 5.0], [3.0, 7.0]], [[10.0, 6.0], [14.0, 6.0]]])
    input, constant = SeriesInput.of_windows(windows, 0)
    assert constant == 0
    around = np.std([-2.0, 0.0, -4.0, 0.0])
    np.testing.assert_allclose(input.read("[[1, 5], [3, 7]]", 9).values[:, 0], [-2 / around, 0])
    np.testing.assert_allclose(input.read("[[1, 5], [3, 7]]", 9).values[:, 1], [-1 / np.sqrt(0.5), 1 / np.sqrt(0.5)])
    # A trend leaves the range of the training data, and is read the same.
    far = input.read("[[1001, 5], [1003, 7]]", 2).values
    np.testing.assert_allclose(far, input.read("[[1, 5], [3, 7]]", 2).values)
    assert input.read("[[9, 9], [1, 5], [3, 7]]", 2).count == 2  # the last two timesteps
    assert input.last("[[1, 5], [3, 7]]") == 3


def test_a_constant_series_is_refused_and_a_short_one() -> None:
    task = task_named("forecast")
    with pytest.raises(DataError, match="there is nothing to learn, every value is 3"):
        task.prepare(series_of([3.0] * 50), Settings(task="forecast"))
    with pytest.raises(DataError, match="too few to train on"):
        task.prepare(series_of([1.0, 2.0, 4.0]), Settings(task="forecast"))


# What is said


@pytest.mark.parametrize(
    ("number", "spread", "text"),
    [(387.1834, 7.0, "387.18"), (387.1834, 100.0, "387"), (0.00012345, 1e-4, "0.000123"), (1e20, 1e19, "1e+20")],
)
def test_a_number_has_the_decimals_that_mean_something(number: float, spread: float, text: str) -> None:
    assert written(number, spread) == text


def test_errors_of_very_large_numbers_are_finite() -> None:
    found = Errors.of(np.array([[3e200], [4e200]]))
    assert found.mae == pytest.approx(3.5e200)
    assert found.rmse == pytest.approx(np.sqrt(12.5) * 1e200)


def test_amounts_are_shown_as_they_were_written() -> None:
    made = Amounts(["1.50", 3, " 2e3 ", -0.25])
    assert made.array().tolist() == [[1.5], [3], [2000], [-0.25]]
    assert [made.text(row) for row in range(4)] == ["1.50", "3", " 2e3 ", "-0.25"]
    assert made.problem("about 3") == "the number is not a finite number: 'about 3'"
    assert made.problem("1e999") is not None
    assert made.problem([1, 2]) == "the number is 2 numbers, and the first record has 1"
