"""Numbers through the commands: forecasts of series, and regressions on texts, sequences and rows in order of time."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import rnncli
from rnncli.tasks.model import Model

SMALL = ["--hidden", "4", "--workers", "1", "--dropout", "0"]
MONTHS = [f"{1950 + k // 12}-{1 + k % 12:02}" for k in range(96)]
SOLD = [round(100 + 2 * k + 30 * math.sin(k * math.pi / 6)) for k in range(96)]


def table(names: str, *columns: list[Any]) -> str:
    return "\n".join([names, *(",".join(map(str, row)) for row in zip(*columns, strict=True)), ""])


@pytest.fixture
def sold(cli: Any) -> Any:
    cli.write("sold.csv", table("month,sold", MONTHS, SOLD))
    return cli


def test_a_series_with_dates_is_forecast_and_goes_on_with_its_dates(sold: Any) -> None:
    result = sold.works("train", "sold.csv", *SMALL, "--epochs", "3", "--horizon", "3", "--name", "s")
    assert "one series: sold, in order of month; to be predicted: sold" in result.err
    assert "12 timesteps (autocorrelation 1.00)" in result.err
    assert "24 timesteps, to forecast 3 values; 2 windows between them" in result.err
    assert [row[0] for row in result.rows[2:]] == ["naive", "seasonal naive", "linear model"]
    rows = sold.works("predict", "sold.csv", "-m", "s").rows
    assert [row[0] for row in rows] == ["1958-01", "1958-02", "1958-03"]
    found = sold.works("predict", "sold.csv", "-m", "s", "--json").json_lines
    assert [(one["step"], one["time"]) for one in found] == [(1, "1958-01"), (2, "1958-02"), (3, "1958-03")]
    typed = sold.works("predict", json.dumps(SOLD[-24:]), "-m", "s", "--json").json_lines
    assert [one["number"] for one in typed] == [one["number"] for one in found]
    assert [one["time"] for one in typed] == [None] * 3
    assert rnncli.predict("sold.csv", "s")[0].times == ("1958-01", "1958-02", "1958-03")


def test_evaluation_is_beside_simple_forecasts(sold: Any) -> None:
    sold.works("train", "sold.csv", *SMALL, "--epochs", "2", "--horizon", "2", "--name", "s")
    found = sold.works("evaluate", "sold.csv", "-m", "s", "--json").json
    windows = np.stack([SOLD[k : k + 24] for k in range(96 - 25)])
    truth = np.stack([SOLD[k + 24 : k + 26] for k in range(96 - 25)])
    assert found["rows"] == len(windows)
    naive, seasonal = np.abs(windows[:, -1:] - truth), np.abs(windows[:, 12:14] - truth)
    assert found["baselines"]["naive"]["mae"] == pytest.approx(naive.mean())
    assert found["baselines"]["naive"]["rmse"] == pytest.approx(np.sqrt(np.square(naive).mean()))
    assert found["baselines"]["seasonal_naive"]["mae"] == pytest.approx(seasonal.mean())
    predicted = [one.numbers for one in rnncli.load("runs/s").predict([json.dumps(row.tolist()) for row in windows])]
    assert found["mae"] == pytest.approx(np.abs(np.array(predicted) - truth).mean(), rel=1e-6)
    assert [one["mae"] for one in found["by_step"]] == pytest.approx(np.abs(predicted - truth).mean(axis=0), rel=1e-6)
    assert found["comparison"]["baseline"] == "linear_model"
    worst = found["mistakes"][0]
    k = int(np.abs(predicted - truth).max(axis=1).argmax())
    assert worst["line"] in (k + 26, k + 27)


def test_a_forecast_is_better_than_the_seasonal_naive_one(sold: Any) -> None:
    document = sold.works("train", "sold.csv", "--workers", "1", "--json").json
    simple = [document["baselines"][name] for name in ("naive", "seasonal_naive")]
    assert document["best_value"] < 0.5 * min(simple)
    assert document["metric"] == "MAE"
    assert document["epochs"][0]["validation_accuracy"] is None
    assert document["epochs"][document["best_epoch"] - 1]["validation_error"] == document["best_value"]


def test_training_goes_on_to_the_same_bits(sold: Any) -> None:
    sold.works("train", "sold.csv", *SMALL, "--epochs", "4", "--schedule", "constant", "--name", "whole")
    sold.works("train", "sold.csv", *SMALL, "--epochs", "2", "--schedule", "constant", "--name", "parts")
    sold.works("train", "--resume", "parts", "--epochs", "4")
    whole, parts = (load_file(f"runs/{name}/model.safetensors") for name in ("whole", "parts"))
    assert all((parts[name] == value).all() for name, value in whole.items())


def test_a_saved_forecast_is_read_back(sold: Any, tmp_path: Path) -> None:
    sold.works("train", "sold.csv", *SMALL, "--epochs", "1", "--name", "s")
    model = rnncli.load("runs/s")
    model.save(tmp_path / "again.safetensors")
    again = Model.load(tmp_path / "again.safetensors")
    assert again.predict(["[1, 2, 4]", ""]) == model.predict(["[1, 2, 4]", ""])
    assert again.predict([""])[0].numbers == ()
    assert again.evaluate("sold.csv").baselines == model.evaluate("sold.csv").baselines


def test_several_series_are_told_apart_and_read_in_order(cli: Any) -> None:
    days = [f"2024-{1 + k // 30:02}-{1 + k % 30:02}" for k in range(0, 28)]
    rows = [(shop, day, 10 * at + k % 7) for at, shop in enumerate("AB") for k, day in enumerate(days)]
    random.Random(0).shuffle(rows)
    cli.write("shops.csv", table("shop,day,sold", *map(list, zip(*rows, strict=True))))
    result = cli.works("train", "shops.csv", "--task", "forecast", *SMALL, "--epochs", "1")
    assert "2 series: sold of each shop, in order of day" in result.err
    predicted = cli.works("predict", "shops.csv").rows
    assert sorted((row[0], row[2]) for row in predicted) == [("2024-01-29", "A"), ("2024-01-29", "B")]


def test_lists_of_numbers_are_series_too(cli: Any) -> None:
    lines = [json.dumps({"sequence": [round(math.sin(k + t), 3) for t in range(30)]}) for k in range(4)]
    cli.write("s.jsonl", "\n".join(lines) + "\n")
    result = cli.works("train", "s.jsonl", "--task", "forecast", *SMALL, "--epochs", "1")
    assert "4 series, each in one value of sequence" in result.err
    assert [row[0] for row in cli.works("predict", "s.jsonl").rows] == ["+1"] * 4
    assert cli.works("evaluate", "s.jsonl", "--json").json["rows"] > 50


TARGETS = [2.5, 3.1, 4.7, 3.3, 2.2, 5.9, 4.4, 3.6, 2.8, 4.1] * 6
FEATURES = [[(k * 7 + j) % 11 for k in range(60)] for j in range(2)]


def test_a_table_that_may_be_either_is_refused_with_both_commands(cli: Any) -> None:
    cli.write("t.csv", table("time,a,b,target", list(range(1, 61)), *FEATURES, TARGETS))
    says = ["'target' (2.5) may be predicted from the others or from its past"]
    commands = [f"rnncli train t.csv --task {task} --label target" for task in ("regress", "forecast")]
    for options in ([], ["--label", "target"]):
        cli.refuses(3, says + commands, "train", "t.csv", *options)
    for task in ("regress", "forecast"):
        cli.works("train", "t.csv", "--task", task, "--label", "target", *SMALL, "--epochs", "1", "--name", task)
    of_rows = cli.works("predict", "t.csv", "-m", "regress").rows
    assert [row[2] for row in of_rows] == [str(k) for k in range(1, 61)]  # one for each row
    cli.write("new.csv", table("time,a,b", list(range(1, 61)), *FEATURES))  # what is predicted need not be there
    assert cli.works("predict", "new.csv", "-m", "regress").rows == of_rows
    assert cli.works("predict", "t.csv", "-m", "forecast").rows[0][0] == "61"
    cli.refuses(3, "there is no column 'target', which the model reads", "predict", "new.csv", "-m", "forecast")
    cli.write("timeless.csv", table("a,b,target", *FEATURES, TARGETS))
    for task in ("regress", "forecast"):
        says = "there is no column 'time', which the model reads"
        cli.refuses(3, says, "predict", "timeless.csv", "-m", task)
        cli.refuses(3, says, "evaluate", "timeless.csv", "-m", task)
    assert cli.works("evaluate", "t.csv", "-m", "regress", "--json").json["rows"] == 60


WORTH = {"good": 2.25, "bad": -2.5, "very": 0.75, "a": 0.0, "film": 0.0}


def test_numbers_of_texts(cli: Any) -> None:
    rng = random.Random(1)
    texts = [" ".join(rng.choices(list(WORTH), k=5)) for _ in range(80)]
    prices = [f"{3 + sum(WORTH[word] for word in text.split()):.2f}" for text in texts]
    cli.write("p.csv", table("text,price", texts, prices))
    advice = "To predict the number: rnncli train p.csv --task regress --text text --label price"
    cli.refuses(3, ["'price' holds decimal numbers", advice], "train", "p.csv")
    document = cli.works("train", "p.csv", "--task", "regress", "--workers", "1", "--json", "--name", "p").json
    assert document["baselines"].keys() == {"bag_of_words", "mean"}
    assert document["best_value"] < 0.3 * document["baselines"]["mean"]
    found = cli.works("evaluate", "p.csv", "-m", "p", "--json").json
    off = np.array(prices, float) - [one.number for one in rnncli.load("runs/p").predict(texts)]
    assert found["mae"] == pytest.approx(np.abs(off).mean(), rel=1e-6)
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(off).mean()), rel=1e-6)
    assert found["baselines"]["mean"]["mae"] > found["mae"]
    (one,) = cli.works("predict", "good film", "-m", "p", "--json").json_lines
    assert one["number"] == pytest.approx(float(one["shown"]), abs=0.01)
    cli.write("bad.csv", "text,price\na film,3.5\na good film,about 4\nbad,1.25\n")
    says = "bad.csv:3: the number is not a finite number: 'about 4'"
    cli.refuses(3, says, "train", "bad.csv", "--task", "regress", "--label", "price")


def test_a_number_that_is_constant_for_each_sequence(cli: Any) -> None:
    rows = [(id, t, round(0.1 * id + 0.05 * t, 2), f"{id / 4:.2f}") for id in range(20) for t in range(4)]
    cli.write("l.csv", table("id,time,x,price", *map(list, zip(*rows, strict=True))))
    result = cli.works("train", "l.csv", "--task", "regress", *SMALL, "--epochs", "1")
    assert "20 of them in order of time; numbers: x; label: price" in result.err
    assert len(cli.works("predict", "l.csv").rows) == 20
    cli.refuses(3, "--task regress --label price", "train", "l.csv", "--label", "price")
    of_id = "rnncli train l.csv --task {} --id id --label {}"
    regress, forecast = of_id.format("regress", "price"), of_id.format("forecast", "x")
    says = f"next values of one: {forecast}; to predict a number of each series from the others: {regress}. "
    cli.refuses(3, says, "train", "l.csv")
    for one in (regress, forecast):
        cli.works(*one.split()[1:], "--dry-run")


def test_settings_of_series_are_for_series(trained: Any, sold: Any, tiny: list[str]) -> None:
    for option in ("--horizon", "--window", "--season"):
        says = f"{option} decides nothing in a model of the task classify"
        trained.refuses(2, says, "train", "reviews.csv", *tiny, option, "3")
    sold.refuses(
        2, "--max-length decides nothing in a model of the task forecast", "train", "sold.csv", "--max-length", "9"
    )
    sold.refuses(2, "--class-weights decides nothing", "train", "sold.csv", "--class-weights", "balanced")


def test_a_right_number_is_given_and_found(sold: Any) -> None:
    sold.works("train", "sold.csv", *SMALL, "--epochs", "2", "--window", "6", "--name", "s")
    model = rnncli.load("runs/s")
    (terms, _) = sold.works("inspect", "--bptt", "-m", "s", "--json").json["terms"]
    line = int(terms["label_from"].split()[1])
    assert terms["label_from"] == f"line {line} of sold.csv"
    assert terms["answer"] == f"sold {SOLD[line - 2]:.2f}"[: len(terms["answer"])]
    text = json.dumps(SOLD[:6])
    (predicted,) = model.in_double().predict([text])
    (terms, _) = sold.works("inspect", "--bptt", text, "-m", "s", "--answer", "150", "--json").json["terms"]
    assert terms["loss"] == pytest.approx(((predicted.numbers[0] - 150) / model.deviation[0]) ** 2, rel=1e-9)
    sold.refuses(2, "'many' is not a number", "inspect", "--bptt", text, "-m", "s", "--answer", "many")
    sold.refuses(
        2,
        "the answer is 2 numbers, and the model predicts 1 number",
        "inspect",
        "--bptt",
        text,
        "-m",
        "s",
        "--answer",
        "[1,2]",
    )
    sold.refuses(2, "a number has no score of its own", "inspect", "--why", text, "-m", "s", "--answer", "150")
    said = (
        sold.works("inspect", "--memory", "[1, 2, 3]", "-m", "s").out
        + sold.works("inspect", "--bptt", "[1,2,3]", "-m", "s").err
    )
    assert "standard deviations off" in said


def test_why_adds_up_in_the_units_of_the_series(sold: Any) -> None:
    sold.works("train", "sold.csv", *SMALL, "--epochs", "3", "--window", "6", "--horizon", "2", "--name", "s")
    text = json.dumps(SOLD[10:16])
    found = sold.works("inspect", "--why", text, "-m", "s", "--json").json
    (predicted,) = rnncli.load("runs/s").in_double().predict([text])
    assert found["score"] == pytest.approx(np.mean(predicted.numbers), rel=1e-9)
    assert sum(found["shapley"]) == pytest.approx(found["score"] - found["empty_score"], rel=1e-9)
    assert sum(found["integrated"]) == pytest.approx(found["score"] - found["blank_score"], rel=0.01)
    assert found["probability"] is None
    steps = sold.works("inspect", "--timesteps", text, "-m", "s", "--json").json
    last = [rnncli.load("runs/s").predict([json.dumps(SOLD[10 : 11 + t])])[0].numbers for t in range(6)]
    assert steps["sold +1"] == pytest.approx([one[0] for one in last], rel=1e-5)
    assert steps["sold +2"] == pytest.approx([one[1] for one in last], rel=1e-5)
