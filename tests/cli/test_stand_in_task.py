"""A sixth task, unlike the five, through every command and every view: a package, an adapter and a row are all it took.

It predicts a number, so that there is no label, no probability of it, and nothing to count as right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import rnncli
from rnncli.core.optim.parameters import flatten
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.flow import flow
from rnncli.tasks.model import Model

pytestmark = pytest.mark.usefixtures("stand_in_task")
TEXT, STARS = "a very good story", "5"
WORTH = {"good": 2, "bad": -2, "very": 1, "not": -1}
WORDS = ("very good", "good", "not good", "bad", "very bad")
OTHERS = [f"{a} {b} {c}" for a in ("a", "the") for b in WORDS for c in ("film", "book")]
ROWS = [(text, 3 + sum(WORTH.get(word, 0) for word in text.split())) for text in OTHERS] + [(TEXT, 5)]
TEXTS = [text for text, _ in ROWS]
DATA = "text,label\n" + "".join(f"{text},{stars}\n" for text, stars in ROWS)
TINY = ["--task", "stars", "--hidden", "4", "--embedding", "3", "--validation", "0.2", "--schedule", "constant"]
TINY += ["--patience", "9", "--min-count", "1", "--workers", "1", "--keep-epochs", "--dropout", "0"]


@pytest.fixture
def rated(cli) -> Any:
    """A folder with two trainings: one in one go, and one that was interrupted and went on."""
    cli.write("stars.csv", DATA)
    cli.works("train", "stars.csv", *TINY, "--epochs", "2", "--name", "whole")
    cli.works("train", "stars.csv", *TINY, "--epochs", "1", "--name", "parts")
    cli.works("train", "--resume", "parts", "--epochs", "2")
    return cli


def ask(cli: Any, *words: str) -> Any:
    return cli.works("inspect", *words, "-m", "whole", "--json").json


def test_training_goes_on_to_the_same_bits_and_a_saved_model_predicts_the_same(rated, tmp_path: Path) -> None:
    whole, parts = (load_file(f"runs/{name}/model.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all((parts[name] == value).all() for name, value in whole.items())
    model = rnncli.load("runs/whole")
    before = model.predict([*TEXTS, "", "xyzzy"])
    model.save(tmp_path / "again.safetensors")
    assert Model.load(tmp_path / "again.safetensors").predict([*TEXTS, "", "xyzzy"]) == before
    assert before[-2].stars is None
    assert before[-1].unknown == ("xyzzy",)
    found = rated.works("predict", TEXT, "-m", "whole", "--json").json_lines
    assert found == [{"text": TEXT, "stars": pytest.approx(before[len(TEXTS) - 1].stars), "unknown": []}]


def test_it_is_evaluated_and_described(rated) -> None:
    found = rated.works("evaluate", "whole", "stars.csv", "--json").json
    predicted = [one.stars for one in rnncli.load("runs/whole").predict(TEXTS)]
    off = np.subtract(predicted, [stars for _, stars in ROWS])
    assert found["squared_error"] == pytest.approx(np.square(off).mean(), rel=1e-5)
    assert found["rows"] == len(ROWS)
    assert "squared error" in rated.works("evaluate", "whole", "stars.csv").out
    assert ask(rated)["task"] == "stars"
    record = ask(rated)["record"]
    assert record["baselines"].keys() == {"mean_of_all"}
    assert record["epochs"][1]["loss"] < record["epochs"][0]["loss"]


def test_the_number_after_every_word_is_that_of_the_beginning(rated) -> None:
    found = ask(rated, "--timesteps", TEXT)
    words = TEXT.split()
    expected = [one.stars for one in rnncli.load("runs/whole").predict([" ".join(words[: t + 1]) for t in range(4)])]
    assert found["stars"] == pytest.approx(expected, rel=1e-6)
    assert found["tokens"] == words
    assert found["labels"] == []
    shown = rated.works("inspect", "--timesteps", TEXT, "-m", "whole").rows
    assert [row[:2] for row in shown[1:]] == [[str(t + 1), word] for t, word in enumerate(words)]
    assert [float(row[2]) for row in shown[1:]] == pytest.approx(expected, abs=1e-4)


def test_gradients_are_those_of_differences_and_the_sums_of_their_terms(rated) -> None:
    assert ask(rated, "--check-gradients", TEXT, "--full")["passed"]
    assert ask(rated, "--check-gradients", TEXT, "--answer", "1")["passed"]
    model = rnncli.load("runs/whole")
    opened = adapter_of(model).open(TEXT, STARS)
    (predicted,) = model.in_double().predict([TEXT])
    seen = flow(opened)
    assert seen.loss == pytest.approx((predicted.stars - 5) ** 2, rel=1e-9)
    assert (opened.answer, opened.origin) == ("5 stars", "given with --answer")
    for name, _ in flatten(opened.params):
        (terms,) = ask(rated, "--bptt", TEXT, "--answer", STARS, "--param", name)["terms"]
        assert terms["residual"] <= 1e-12
        assert terms["norm"] == pytest.approx(np.linalg.norm(seen.gradients[name]), rel=1e-9)
    gates = ask(rated, "--gates", TEXT)
    assert [one["cell"] for one in gates] == ["reader/0/forward"]
    assert gates[0]["values"]["h"] == seen.cells[0].values["h"].tolist()
    assert ask(rated, "--memory", TEXT)[0]["steps"] == TEXT.split()[::-1]
    rated.works("inspect", "--memory", TEXT, "--compare", "parts", "-m", "whole")


def test_the_label_is_found_in_the_training_data(rated) -> None:
    (terms, _) = ask(rated, "--bptt", TEXT)["terms"]
    assert (terms["answer"], terms["label_from"]) == ("5 stars", f"line {len(ROWS) + 1} of stars.csv")


def test_why_adds_up(rated) -> None:
    found = ask(rated, "--why", TEXT)
    (predicted,) = rnncli.load("runs/whole").predict([TEXT])
    assert found["score"] == pytest.approx(predicted.stars, rel=1e-5)
    assert sum(found["shapley"]) == pytest.approx(found["score"] - found["empty_score"], abs=1e-9)
    assert sum(found["integrated"]) == pytest.approx(found["score"] - found["blank_score"], rel=0.01)
    assert found["probability"] is None
    assert found["answer"] == f"{predicted.stars:.1f}"


def test_the_page_and_the_doctor(rated) -> None:
    found = ask(rated, TEXT, "--html", "page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "probability <strong" not in page
    assert "the number if the text ended there" in page.lower()
    assert found["reasons"]["probability"] is None
    assert [step["answers"] for step in found["steps"]] == [[]] * 4
    assert [step["numbers"][0][0] for step in found["steps"]] == ["stars"] * 4
    checks = {one["name"]: one["number"] for one in ask(rated, "--doctor", "stars.csv")["checks"]}
    looked_at = {"unknown words", "duplicates", "dead units", "behind its baseline", "loss at the label entropy"}
    assert looked_at <= checks.keys()
    assert not {"constant predictions", "unknown labels", "label noise", "lengths cut off"} & checks.keys()
    rated.write("other.csv", "text,label\nzyx xyz,3\na film,2\n")
    checks = {one["name"]: one["number"] for one in ask(rated, "--doctor", "other.csv")["checks"]}
    assert checks["unknown words"] == 0.5


def test_it_is_worked_by_hand(rated) -> None:
    found = ask(rated, "--by-hand", TEXT, "--answer", STARS)
    steps = {step["name"]: step for section in found["sections"] for step in section["steps"]}
    (predicted,) = rnncli.load("runs/whole").in_double().predict([TEXT])
    assert steps["ŷ"]["result"] == [[pytest.approx(predicted.stars, rel=1e-9)]]
    assert steps["L"]["result"] == [[pytest.approx((predicted.stars - 5) ** 2, rel=1e-9)]]
    assert found["residual"] < 1e-12
    assert "e = ŷ − y" in found["equations"]


def test_two_models_and_a_units_best_words(rated) -> None:
    found = ask(rated, "--diff", "whole@1", TEXT)
    assert found["tokens"] == []
    steps, effects = found["notes"]
    assert steps == "their predictions have no probabilities to compare at each step"
    assert effects.startswith("the effects of single parts are not compared: a number has no score of its own")
    assert [one["cell"] for one in found["layers"]] == ["reader/0/forward"]
    of_file = ask(rated, "--diff", "whole@1", "--data", "stars.csv")
    models = [rnncli.load("runs/whole"), Model.load("runs/whole/epochs/1.safetensors")]
    sides = [[one.stars for one in model.predict(TEXTS)] for model in models]
    assert of_file["mean_change"] == pytest.approx(np.abs(np.subtract(*sides)).mean() / 5, rel=1e-6)
    assert of_file["right"] is None
    unit = ask(rated, "--fires", "1", "--data", "stars.csv")
    hidden = [adapter_of(models[0]).trace(text).hidden[:, 1] for text, _ in ROWS]
    assert unit["largest"] == pytest.approx(max(map(np.max, hidden)))
    assert unit["steps"] == sum(map(len, hidden))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--by-hand", " "], "the text is empty: there is no timestep to show"),
        (["--fires", "all", "--data", "stars.csv"], "there is no label that the model knows"),
        (["--why", TEXT, "--answer", "4"], "a number has no score of its own: what is explained is the predicted one"),
        (["--bptt", TEXT, "--answer", "many"], "'many' is not a number of stars"),
        (["--gates", TEXT, "--answer", "4"], "--answer changes no state of a model of the task stars"),
        (["--timesteps", " "], "the text is empty: there is no timestep to show"),
    ],
)
def test_what_has_no_meaning_is_refused_with_a_sentence(asked: list[str], says: str, rated) -> None:
    rated.refuses(2, says, "inspect", *asked, "-m", "whole")
