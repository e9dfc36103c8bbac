"""One-to-many: numbers once, a text told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import assert_all_gradients

import rnncli
from rnncli.config import Settings
from rnncli.core.optim.parameters import flatten
from rnncli.data.dataset import Source
from rnncli.data.inputs import Input, stream_inputs
from rnncli.data.opening import read_dataset
from rnncli.data.tables.column import columns_of
from rnncli.data.tables.described import NumericColumns, described_numbers
from rnncli.errors import DataError
from rnncli.inspection.adapters import adapter_of
from rnncli.tasks import task_for
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.caption.network import Captioner, Described
from rnncli.tasks.model import Model


def network(**chosen: Any) -> tuple[Captioner, dict[str, Any], Described]:
    defaults = {"hidden": 3, "embedding": 4, "embedding_scale": 1.0, "dtype": "float64", "dropout": 0.0}
    made = Captioner(Settings(**(defaults | chosen)), 2, 4)
    rng = np.random.default_rng(0)
    targets = [rng.integers(0, 4, n).astype(np.int32) for n in (2, 4, 1)]
    params = made.init(np.random.default_rng(1))
    for _, value in flatten(params):
        value *= 1.5
    return made, params, Described(rng.standard_normal((3, 2)), targets)


@pytest.mark.parametrize(
    "chosen", [{}, {"cell": "gru", "layers": 2, "dropout": 0.3}, {"cell": "rnn"}, {"inject": "every", "layers": 2}]
)
def test_gradients(chosen: dict[str, Any]) -> None:
    assert_all_gradients(*network(**chosen))


def test_each_row_has_its_own_first_state() -> None:
    made, params, batch = network()
    whole, _ = made.loss_and_gradients(params, batch)
    alone = [batch.take(np.array([row])) for row in range(3)]
    losses = [made.loss_and_gradients(params, one)[0] * one.weight for one in alone]
    assert whole == pytest.approx(sum(losses) / batch.weight, rel=1e-12)


def test_every_step_may_be_given_the_numbers() -> None:
    made, params, batch = network(inject="every")
    assert params["decoder"]["stack"]["0"]["forward"]["weight_ih"].shape == (6, 12)  # 4 of the symbol, 2 numbers
    assert {name: value.shape for name, value in flatten(params)} == made.shapes()
    # The first states are made equal: what is left of the numbers is what the steps are given.
    for layer in params["bridge"].values():
        layer["weight"][...] = 0
    logits, given, _ = made.forward_batch(params, batch)
    moved = Described(batch.features + np.array([[0, 0], [0, 1], [0, 0]]), batch.targets)
    changed = np.abs(made.forward_batch(params, moved)[0] - logits).max(axis=1)
    of_moved = given.order[given.sequence_of_row] == 1
    assert (changed[of_moved] > 1e-4).all()
    assert (changed[~of_moved] == 0).all()


def test_decoding_a_beam_gives_every_step_its_own_numbers() -> None:
    made, params, batch = network(inject="every")
    together = made.decode(params, batch.features, 6, beam=2)
    alone = [made.decode(params, batch.features[row : row + 1], 6, beam=2)[0] for row in range(3)]
    for one, other in zip(together, alone, strict=True):
        assert one.ids.tolist() == other.ids.tolist()
        assert one.log_probability == pytest.approx(other.log_probability, rel=1e-9)


# Which tables are numbers with a text


@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        (["r", "g", "text"], [["1", "2.5", "red"]], (NumericColumns(("r", "g")), "text")),
        (["id", "r", "g", "name"], [["1", "2", "-3e2", "red"]], (NumericColumns(("r", "g")), "name")),
        (["text", "label"], [["good", "1"]], None),  # a label
        (["text", "stars", "label"], [["good", "1", "pos"]], None),
        (["a", "b", "class"], [["1", "2", "x"]], None),  # a label by its name
        (["a", "b"], [["1", "2"]], None),
        (["a", "b", "text"], [["1", "2", "x"], ["1", "many", "x"]], None),
    ],
)
def test_described_numbers(columns: list[str], rows: list[list[str]], expected: Any) -> None:
    assert described_numbers(columns_of(columns, rows)) == expected


# From file to answer


@pytest.fixture(scope="module")
def quadrants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Points, and where they are."""
    folder = tmp_path_factory.mktemp("caption")
    rng = np.random.default_rng(0)
    points = rng.uniform(-9, 9, (200, 2))
    rows = "".join(f"{x:.2f},{y:.2f},{'up' if y > 0 else 'down'} {'right' if x > 0 else 'left'}\n" for x, y in points)
    (folder / "points.csv").write_text("x,y,text\n" + rows)
    return folder


def test_points_are_told_where_they_are(quadrants: Path) -> None:
    data = quadrants / "points.csv"
    dataset = read_dataset(Source(str(data)))
    assert (dataset.features, task_for(dataset, "auto").name) == (("x", "y"), "caption")
    chosen: dict[str, Any] = {"hidden": 24, "epochs": 60, "lr": 0.01, "dropout": 0.0, "tokens": "word"}
    model = rnncli.train(data, runs=quadrants / "runs", **chosen)
    assert isinstance(model, CaptionModel)
    told = [answer.target for answer in model.predict(["[5, 6]", "-5, 6", "-5 -6"])]
    assert told == ["up right", "up left", "down left"]
    scores = model.evaluate(dataset)
    assert scores.exact > 0.95
    assert scores.nats is not None
    assert scores.nats < 0.2
    loaded = Model.load(quadrants / "runs" / "latest" / "model.safetensors")
    assert loaded.predict(["5 6"]) == model.predict(["5 6"])
    assert loaded.with_options(beam=2).predict(["5 6"])[0].target == "up right"
    assert adapter_of(loaded).trace("5 6").tokens == ("up", "right", "<end>")
    np.testing.assert_allclose(loaded.numbers.mean, model.numbers.mean)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("1", "the input has 1 number, and the model reads 2"), ("a b", "the input is not a list of numbers")],
)
def test_other_input_is_refused(quadrants: Path, text: str, problem: str) -> None:
    model = rnncli.train(quadrants / "points.csv", runs=quadrants / "refused", epochs=0)
    with pytest.raises(DataError, match=problem):
        model.predict([text])


def test_a_missing_value_is_refused_with_its_line(quadrants: Path, tmp_path: Path) -> None:
    text = (quadrants / "points.csv").read_text() + ",3,up left\n"
    (tmp_path / "points.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        rnncli.train(tmp_path / "points.csv", runs=tmp_path / "runs", epochs=0)
    assert caught.value.message == f"{tmp_path}/points.csv:202: the value of 'x' is missing"
    model = rnncli.train(tmp_path / "points.csv", runs=tmp_path / "runs", epochs=0, skip_bad=True)
    assert model.record.rows == 180


def test_numbers_of_named_columns_in_another_order(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("note,y,x\nhere,2,1\n")
    path = str(tmp_path / "new.csv")
    (one,) = stream_inputs(Source(path), NumericColumns(("x", "y")))
    assert one._replace(value=one.value.tolist()) == Input(f"{path}:2", [1, 2], "[1, 2]")
    with pytest.raises(DataError, match="there is no column 'z', which the model reads"):
        next(stream_inputs(Source(path), NumericColumns(("x", "z"))))


def test_resumed_to_the_same_bits(quadrants: Path, tmp_path: Path) -> None:
    from rnncli.training import resuming, starting

    source = Source(str(quadrants / "points.csv"))
    whole, half = ({"epochs": 4, "hidden": 4, "schedule": "constant", "workers": 1} | {"epochs": n} for n in (4, 2))
    for folder, chosen in (("whole", whole), ("half", half)):
        for _ in starting.start(source, chosen, tmp_path / folder, "run").events():
            pass
    for _ in resuming.resume("run", tmp_path / "half", given={"epochs": 4}).events():
        pass
    files = [(tmp_path / folder / "run" / "model.safetensors").read_bytes() for folder in ("whole", "half")]
    assert files[0] == files[1]


def test_lines_of_numbers_from_a_pipe(quadrants: Path) -> None:
    import io

    from rnncli.cli.main import Streams, main

    rnncli.train(quadrants / "points.csv", runs=quadrants / "piped", epochs=0)

    def predicted(lines: bytes) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        piped = Streams(io.TextIOWrapper(io.BytesIO(lines)), out, err)
        code = main(["predict", "-", "--model", str(quadrants / "piped" / "latest")], piped)
        return code, out.getvalue(), err.getvalue()

    code, out, _ = predicted(b"1, 2\n[3, -4]\n")
    assert (code, [line.split("\t")[-1] for line in out.splitlines()]) == (0, ["1, 2", "[3, -4]"])
    code, _, err = predicted(b"1, 2\n3\n")
    assert code == 3
    assert "<stdin>:2: the input has 1 number, and the model reads 2 finite ones" in err
