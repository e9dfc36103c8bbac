"""Two models side by side: each predicts what it predicts alone, and a model does not differ from itself."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import CELLS

from rnncli.config import Settings
from rnncli.data.dataset import Dataset, Source
from rnncli.data.records import Texts, TokenLists
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.difference.files import data_difference
from rnncli.inspection.difference.inputs import EFFECTS, difference
from rnncli.inspection.flow import flow
from rnncli.inspection.question import BASELINE_TOKEN
from rnncli.record import Record
from rnncli.render.json_out import dumps
from rnncli.tasks import task_named
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.inputs import TextInput

WORDS = ("the", "film", "was", "not", "good", "bad", "at", "all")
TEXT = "the film was not good at zzz"


def model(seed: int, labels: tuple[str, ...] = ("neg", "pos"), unit: Any = "word", **chosen: Any) -> ClassifierModel:
    settings = Settings(**({"hidden": 3, "embedding": 4, "embedding_scale": 1.0, "dtype": "float64"} | chosen))
    vocabulary = Vocabulary(WORDS if unit == "word" else tuple("abcdefghijklmnopqrstuvwxyz "))
    made = ClassifierModel(
        settings=settings, input=TextInput(Tokenizer(unit), vocabulary), labels=labels, example="not bad"
    )
    made.params.update(made.network.init(np.random.default_rng(seed)))
    return made


def parts(texts: list[str], labels: list[str] | None = None, size: int = 1000) -> list[Dataset]:
    labels = labels or [""] * len(texts)
    source = Source("x.csv", "text", None, "csv")
    return [
        Dataset(
            *(source, "", Texts(texts[k : k + size]), Texts(labels[k : k + size])),
            *(list(range(k + 2, k + 2 + size)), "", 0, ()),
        )
        for k in range(0, len(texts), size)
    ]


@pytest.mark.parametrize("labels", [("neg", "pos"), ("a", "b", "c")])
def test_the_answers_are_those_of_predict(labels: tuple[str, ...]) -> None:
    first, second = model(0, labels), model(1, labels)
    found = difference(first, second, TEXT, ("one", "two"))
    words = TEXT.split()
    assert found.tokens == tuple(words)
    for t in range(len(words)):
        beginning = " ".join(words[: t + 1])
        (of_first,), (of_second,) = first.predict([beginning]), second.predict([beginning])
        assert (found.predictions[0][t], found.predictions[1][t]) == (of_first.label, of_second.label)
        assert found.probabilities[0][t] == pytest.approx(of_first.probability)
        assert found.probabilities[1][t] == pytest.approx(of_second.probability)
        change = of_second.probabilities[of_first.label] - of_first.probability
        assert found.change[t] == pytest.approx(change)
    assert np.abs(found.change).max() > 0.01
    assert found.answers == (adapter_of(first).predicted([TEXT])[0], adapter_of(second).predicted([TEXT])[0])


def test_the_effects_are_differences_of_log_odds() -> None:
    first, second = model(0), model(1)
    found = difference(first, second, TEXT, ("one", "two"))
    words, answer = TEXT.split(), found.answers[0]

    def odds(made: ClassifierModel, text: str) -> float:
        p = made.predict([text])[0].probabilities[answer]
        return math.log(p / (1 - p))

    assert found.effects is not None
    for made, effects in zip((first, second), found.effects, strict=True):
        for k in range(len(words)):
            without = " ".join([*words[:k], BASELINE_TOKEN, *words[k + 1 :]])
            assert effects[k] == pytest.approx(odds(made, TEXT) - odds(made, without), abs=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_gates_and_units_are_compared_as_they_are(cell: str) -> None:
    first, second = model(0, cell=cell, layers=2), model(1, cell=cell, layers=2)
    found = difference(first, second, TEXT, ("one", "two"))
    flows = [flow(adapter_of(made).open(TEXT)) for made in (first, second)]
    assert [layer.first.name for layer in found.layers] == [one.name for one in flows[0].cells]
    assert len(found.layers) == 4
    for layer in found.layers:
        a, b = (one.cell_of(f"{layer.first.name}/bias").values for one in flows)
        assert layer.mean == pytest.approx({name: float(np.mean(np.abs(a[name] - b[name]))) for name in a})
        for unit in range(3):
            steps = [abs(a["h"][t, unit] - b["h"][t, unit]) for t in range(len(TEXT.split()))]
            assert layer.of_units()[unit] == pytest.approx(sum(steps) / len(steps))
    units = found.views()[-1].rows
    means = [row[2] for row in units]
    assert means == sorted(means, reverse=True)
    assert len(means) == 12
    assert len(found.views(40)[-1].rows) == 8


def test_a_model_does_not_differ_from_itself() -> None:
    made = model(0)
    found = difference(made, made, None, ("one", "one"))
    assert found.tokens == ("not", "bad")
    assert not found.change.any()
    assert all(mean == 0 for layer in found.layers for mean in layer.mean.values())
    assert found.notes == ()
    assert "NaN" not in dumps(found.document())
    of_file = data_difference(made, made, parts(["good", "", "not bad"]), ("one", "one"), 10)
    assert (of_file.rows, of_file.differ, of_file.mean_change, of_file.changed) == (3, 0, 0.0, ())


def test_layers_of_other_shapes_are_named_and_not_compared() -> None:
    found = difference(model(0), model(1, cell="gru", hidden=5, bidirectional=False), TEXT, ("one", "two"))
    assert found.layers == ()
    assert found.notes[0] == (
        "layers of different kinds or shapes are not compared: "
        "encoder/0/forward (LSTM of 3 units, 7 steps; GRU of 5 units, 7 steps), "
        "encoder/0/backward (LSTM of 3 units, 7 steps; only in the first model)"
    )
    turned = difference(model(1, cell="gru", hidden=1, bidirectional=False), model(0), "the", ("two", "one"))
    assert "(GRU of 1 unit, 1 step; LSTM of 3 units, 1 step)" in turned.notes[0]
    assert "encoder/0/backward (LSTM of 3 units, 1 step; only in the second model)" in turned.notes[0]
    assert [view.title for view in found.views()] == [
        "The answer after each step",
        "The effect of each part on the answer",
    ]


def test_layers_that_read_other_timesteps_are_not_said_to_be_of_another_shape() -> None:
    found = difference(model(0), model(1, unit="char"), "the film", ("one", "two"))
    assert "encoder/0/forward (LSTM of 3 units, 2 steps; LSTM of 3 units, 8 steps)" in found.notes[-1]
    short, long = (model(seed, max_length=2) for seed in (0, 1))
    assert difference(short, long, "the film was", ("one", "two")).notes == ()
    other = replace(long, settings=long.settings.replace(max_length=3))
    assert "2 steps; LSTM of 3 units, 3 steps" in difference(short, other, "the film was", ("one", "two")).notes[-1]
    lowercase = replace(long, input=TextInput(Tokenizer("word", lowercase=False), long.input.vocabulary))
    found = difference(short, lowercase, "The film", ("one", "two"))
    assert found.notes[-1] == (
        "layers that read different timesteps are not compared: encoder/0/forward, encoder/0/backward"
    )


def test_an_answer_of_nothing_is_called_empty() -> None:
    found = difference(model(0), model(1), TEXT, ("one", "two"))
    silent = replace(found, answers=("", "good"))
    assert silent.pairs() == [("one answers", "(empty)"), ("two answers", "good (different)")]
    captions = [str(view.caption) for view in silent.views()]
    assert "how far the score of (empty) falls with the part replaced" in captions
    assert captions[0] == "Δp: the probability that two gives to the answer of one, less the one that one gives it"


def test_other_steps_leave_the_whole_answers() -> None:
    found = difference(model(0), model(1, unit="char"), TEXT, ("one", "two"))
    assert found.tokens == ()
    assert found.effects is None
    assert "only their whole answers" in found.notes[0]
    assert found.views() == []
    assert found.pairs()[0][1] == found.answers[0]


def test_labels_that_only_one_knows() -> None:
    found = difference(model(0, ("x", "y")), model(1), TEXT, ("one", "two"))
    assert found.effects is None
    assert "knows no label" in found.notes[0]
    np.testing.assert_allclose(found.change, -found.probabilities[0])


def test_models_of_two_tasks_are_refused() -> None:
    tagger = replace(model(0))
    other = _made("tag")
    for call in (
        lambda: difference(tagger, other, "x", ("one", "two")),
        lambda: data_difference(tagger, other, parts(["x"]), ("one", "two"), 1),
    ):
        with pytest.raises(UsageError, match="classify and one of the task tag have no answers"):
            call()


def test_long_texts_show_what_differs_most() -> None:
    first, second = model(0), model(1)
    found = difference(first, second, " ".join(WORDS * 20), ("one", "two"))
    assert found.effects is None
    assert f"more than {EFFECTS}" in found.notes[0]
    view = found.views(5)[0]
    assert len(view.rows) == 5
    assert "5 of 160" in str(view.caption)
    shown = {int(str(row[0])) - 1 for row in view.rows}
    assert shown == set(np.argsort(-np.abs(found.change), kind="stable")[:5].tolist())
    assert len(found.views()[0].rows) == 160


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_file_beside_a_naive_loop(size: int) -> None:
    rng = np.random.default_rng(2)
    texts = [" ".join(rng.choice(WORDS, rng.integers(0, 6))) for _ in range(40)]
    labels = [str(rng.choice(["neg", "pos"])) for _ in texts]
    first, second = model(0), model(1)
    found = data_difference(first, second, parts(texts, labels, size), ("one", "two"), 7)
    changes, right = [], {"both": 0, "only the second": 0, "only the first": 0, "neither": 0}
    for line, (text, label) in enumerate(zip(texts, labels, strict=True), 2):
        (a,), (b,) = first.predict([text]), second.predict([text])
        change = sum(abs(p - b.probabilities[name]) for name, p in a.probabilities.items()) / 2
        changes.append((change, line, a.label != b.label))
        hits = (a.label == label, b.label == label)
        name = {(True, True): "both", (False, True): "only the second", (True, False): "only the first"}
        right[name.get(hits, "neither")] += 1
    assert found.rows == 40
    assert found.differ == sum(other for *_, other in changes)
    assert found.mean_change == pytest.approx(np.mean([change for change, *_ in changes]))
    assert found.right == right
    best = sorted(changes, key=lambda one: (-one[0], one[1]))[:7]
    assert [one.line for one in found.changed] == [line for _, line, _ in best]
    assert [one.change for one in found.changed] == pytest.approx([change for change, *_ in best])
    assert found.changed[0].text == texts[found.changed[0].line - 2]


def _made(task: str, seed: int = 0) -> Any:
    rows = {
        "tag": [('["a", "b"]', '["X", "Y"]'), ('["b", "a", "b"]', '["Y", "X", "Y"]')] * 5,
        "lm": [("the sea and the bell", "")] * 5,
        "seq2seq": [("1 2", "one two"), ("2 1", "two one")] * 5,
    }[task]
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    column = TokenLists if task == "tag" else Texts
    inputs, answers = column(texts), column(labels)
    dataset = Dataset(Source("x", "t", "l", "csv"), "", inputs, answers, list(range(len(rows))), "", 0, ())
    kind = task_named(task)
    settings = Settings(**{**kind.defaults(dataset, Settings()), "hidden": 3, "embedding": 4, "min_count": 1})
    prepared = kind.prepare(dataset, settings.replace(validation=0.2, max_length=20, task=task))
    params = prepared.network.init(np.random.default_rng(seed))
    params["output" if "output" in params else "decoder"] = _louder(
        params["output" if "output" in params else "decoder"]
    )
    return prepared.model(params, Record())


def _louder(params: Any) -> Any:
    return {name: _louder(value) if isinstance(value, dict) else value * 20 for name, value in params.items()}


@pytest.mark.parametrize("task", ["tag", "lm", "seq2seq"])
def test_the_other_tasks(task: str) -> None:
    first, second = _made(task), _made(task, 1)
    text = {"tag": '["a", "b", "b"]', "lm": "the sea", "seq2seq": "1 2"}[task]
    found = difference(first, second, text, ("one", "two"))
    assert found.answers == (adapter_of(first).predicted([text])[0], adapter_of(second).predicted([text])[0])
    of_file = data_difference(first, second, parts([text, text]), ("one", "two"), 5)
    assert of_file.rows == 2
    assert of_file.differ in (0, 2)
    if task == "tag":
        pairs = list(zip(found.answers[0].split(), found.answers[1].split(), strict=True))
        assert of_file.mean_change == pytest.approx(sum(a != b for a, b in pairs) / 3)
        (labelled,) = parts([text])
        labelled = replace(labelled, labels=TokenLists([["X", "Y", "X"]]))
        third = first.with_params(_louder(_louder(_made("tag", 5).params)))
        (row,) = data_difference(first, third, [labelled], ("one", "two"), 5).view().rows
        assert row[1] == '["X","Y","X"]'  # the truth, as the file has it
    assert "NaN" not in dumps([found.document(), of_file])
