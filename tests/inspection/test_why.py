"""Which parts led to the prediction: each figure against another method, and against ``predict``."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from by_hand_examples import describer, translator
from inspection.models import TEXTS, model

from rnncli.config import Settings
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.integrated_gradients import GAP, GradientPath, integrate
from rnncli.inspection.question import InputParts, Question
from rnncli.inspection.why import BUDGET, shapley, why
from rnncli.tasks.language_model.model import LanguageModel

KINDS = tuple(TEXTS)


def log_odds(made: Any, text: str, label: str) -> float:
    (prediction,) = made.in_double().predict([text])
    p = prediction.probabilities[label]
    return math.log(p) - math.log(sum(q for name, q in prediction.probabilities.items() if name != label))


@pytest.mark.parametrize("kind", ["words", "onehot", "numbers"])
def test_every_row_is_what_predict_says(kind: str) -> None:
    made = model(kind)
    found = why(adapter_of(made).question())
    assert found.answer == made.predict([made.example])[0].label
    assert found.score == pytest.approx(log_odds(made, made.example, found.answer), rel=1e-9)
    parts = adapter_of(made).parts(made.example)
    assert found.deleted is not None
    for k in range(len(parts.names)):
        assert found.deleted[k] == pytest.approx(found.score - log_odds(made, found.deleted_texts[k], found.answer))
        assert found.replaced[k] == pytest.approx(found.score - log_odds(made, parts.replaced([k]), found.answer))


def test_what_a_deleted_word_leaves() -> None:
    parts = adapter_of(model("words")).parts("the movie was good")
    assert parts.without([1]) == "the was good"
    assert parts.replaced([1]) == "the ☐ was good"
    assert adapter_of(model("tag")).parts("the movie was").replaced([0, 2]) == '["☐", "movie", "☐"]'
    assert adapter_of(model("seq2seq")).parts("a b c").without([0]) == "b c"
    assert adapter_of(model("lm")).parts("ab c").replaced([2]) == "ab☐c"
    assert (
        adapter_of(model("numbers")).parts("[[1, 2, 3], [4, 5, 6]]").replaced([1])
        == "[[1.0, 2.0, 3.0], [0.5, 0.0, 1.0]]"
    )
    assert adapter_of(model("caption")).parts("1 2 3").replaced([1]) == "[1.0, 0.0, 3.0]"


PATHS = [
    *[(kind, {"cell": cell, "readout": readout, "layers": 2}) for kind in ("words", "onehot", "numbers") for cell in (
        "rnn", "lstm", "gru") for readout in ("last", "mean", "max")],
    *[(kind, {"cell": cell, "layers": 2}) for kind in ("tag", "seq2seq", "caption", "lm") for cell in ("rnn", "gru")],
    ("seq2seq", {"attention": False}),
    ("seq2seq", {"bidirectional": False}),
    ("caption", {"inject": "every"}),
    ("lm", {"input": "embedding"}),
    ("words", {"bias": False, "bidirectional": False}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "settings"), PATHS)
def test_integrated_gradients_come_to_the_whole_difference(kind: str, settings: dict[str, Any]) -> None:
    found = why(adapter_of(model(kind, **settings)).question())
    assert found.integrated is not None
    assert found.gap is not None
    difference = found.score - found.baseline_score
    assert abs(found.integrated.sum() - difference) < GAP * abs(difference)
    assert found.gap == pytest.approx(abs(found.integrated.sum() - difference) / abs(difference))


@pytest.mark.parametrize(("kind", "settings"), PATHS)
def test_gradients_on_the_path_are_those_of_its_scores(kind: str, settings: dict[str, Any]) -> None:
    """Of inputs side by side, each moved a little along one number of one timestep after the other."""
    path = adapter_of(model(kind, **settings)).question().path
    assert path is not None
    places = np.array([0.2, 0.7])
    x = path.at(places)
    found, step = path.gradients(x), 1e-6
    expected = np.empty_like(x)
    for t, d in np.ndindex(x.shape[1:]):
        moved = np.zeros_like(x)
        moved[:, t, d] = step
        expected[:, t, d] = (path.scores(x + moved) - path.scores(x - moved)) / (2 * step)
    assert np.abs(expected).max() > 1e-3
    assert found == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(("kind", "settings"), PATHS)
def test_the_ends_of_the_path_are_the_input_and_the_replaced_one(kind: str, settings: dict[str, Any]) -> None:
    question = adapter_of(model(kind, **settings)).question()
    assert question.path is not None
    parts = question.parts
    ends = question.scores([parts.replaced(range(len(parts.names))), parts.replaced(())])
    assert question.path.scores(question.path.at(np.array([0.0, 1.0]))) == pytest.approx(ends, rel=1e-12)


def test_a_score_that_turns_on_a_small_stretch_is_followed_there() -> None:
    """Five parts at steps of their own: each one's integral is the difference it makes, σ-shaped."""
    places, sharp = np.array([0.113, 0.3, 0.301, 0.77, 0.9]), 2_000.0

    def sigma(x: np.ndarray) -> np.ndarray:
        return np.asarray(0.5 + 0.5 * np.tanh(sharp * (x[:, :, 0] - places) / 2))

    path = GradientPath(
        np.ones((5, 1)),
        np.zeros((5, 1)),
        lambda x: sigma(x).sum(axis=1),
        lambda x: (sharp * sigma(x) * (1 - sigma(x)))[:, :, None],
    )
    found = integrate(path, 5.0)
    assert found.gap < GAP
    assert found.values.sum() == pytest.approx(5, abs=0.05)
    assert found.steps < 300  # evenly spread, 5,000 would be needed


def test_integrated_gradients_of_what_is_linear_are_exact() -> None:
    """Over one step the log odds of a ReLU network are linear in the word's row, while nothing is cut off."""
    made = model("words", cell="rnn", nonlinearity="relu", bidirectional=False, readout="last").in_double()
    cell = made.params["encoder"]["0"]["forward"]
    cell["bias"][...] = 100
    question = adapter_of(made).question("good")
    assert question.path is not None
    difference = question.scores(["good"])[0] - question.scores(["☐"])[0]
    assert integrate(question.path, difference).values == pytest.approx([difference], rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_shapley_values_add_up_to_the_difference(kind: str) -> None:
    found = why(adapter_of(model(kind)).question())
    assert found.shapley is not None
    assert abs(found.shapley.sum() - (found.score - found.empty_score)) < 1e-9


def test_a_whole_answers_score_is_the_logarithm_of_its_probability() -> None:
    for kind in ("seq2seq", "caption"):
        made = model(kind)
        made.params["decoder"]["output"]["bias"][-1] += 4  # so that it comes to its end
        found = why(adapter_of(made).question())
        (predicted,) = made.in_double().predict([made.example])
        assert found.answer == predicted.target
        assert found.score == pytest.approx(math.log(predicted.probability), rel=1e-9)


def test_tags_may_have_spaces() -> None:
    made = model("tag")
    spaced = replace(made, tags=("proper noun", "verb", "other"))  # type: ignore[type-var]
    found = why(adapter_of(spaced).question())
    assert found.answer.startswith('["')
    assert found.score == pytest.approx(why(adapter_of(made).question()).score)


def test_shapley_values_are_means_over_all_orders() -> None:
    made = model("words")
    question = adapter_of(made).question("movie was not good")
    parts = question.parts
    orders = list(permutations(range(4)))
    expected = np.zeros(4)
    for order in orders:
        for place, k in enumerate(order):
            gone = [j for j in range(4) if j not in order[:place]]
            before, after = question.scores([parts.without(gone), parts.without([j for j in gone if j != k])])
            expected[k] += (after - before) / len(orders)
    assert shapley(question) == pytest.approx(expected, abs=1e-12)


def asked(values: dict[str, float], limit: float) -> Question:
    """A model whose score is the sum of its words' values, and whose answer is "yes" at a limit and above."""

    def scores(texts: Any) -> np.ndarray:
        return np.array([sum(values.get(word, 0) for word in text.split()) for text in texts])

    def predictions(texts: Any) -> list[str]:
        return ["yes" if s >= limit else "no" for s in scores(texts)]

    parts = InputParts(tuple(values), tuple(values), "☐", " ".join, "word")
    read = np.arange(len(values))
    return Question(
        parts=parts, answer="yes", score_is="score", scores=scores, predictions=predictions, path=None, read=read
    )


def test_the_fewest_words_that_turn_it_round() -> None:
    found = why(asked({"a": 1.0, "b": 4.0, "c": 3.0, "d": -1.0}, limit=2.0))
    assert found.flip == (1, 2)  # 7 − 4 and 7 − 3 are 2 and more; of the pairs that do, the one that counts most
    assert (found.flip_text, found.flip_answer, found.exhaustive) == ("a d", "no", True)
    assert found.shapley == pytest.approx([1, 4, 3, -1])
    assert found.deleted == pytest.approx([1, 4, 3, -1])
    assert "without 'b', 'c' the prediction is 'no', and no fewer parts flip it" in str(found.view().caption)


def test_nothing_turns_it_round() -> None:
    found = why(asked({"a": 1.0, "b": 1.0}, limit=-1.0))
    assert (found.flip, found.flip_text, found.exhaustive) == (None, None, True)


def test_a_long_text_is_searched_by_effect() -> None:
    values = {f"w{k}": 1.0 for k in range(20)} | {"deep": 2.0}
    found = why(asked(values, limit=20.0))
    assert found.shapley is None
    assert found.flip is not None
    assert found.exhaustive  # two are enough, and all choices of one and of two were tried
    assert sum(list(values.values())[k] for k in found.flip) > 2
    rarely = why(asked(values, limit=10.0))
    assert not rarely.exhaustive
    assert rarely.flip is not None
    assert len(rarely.flip) == 12  # 22 − 2 − 11 · 1 is 9
    assert 20 in rarely.flip
    assert len(found.view(15).rows) == 15


def test_parts_that_are_not_read_make_nothing() -> None:
    made = model("words", max_length=4)
    found = why(adapter_of(made).question("the movie was good and bad"))
    assert len(found.replaced) == 6
    assert found.integrated is not None
    assert np.flatnonzero(found.integrated == 0).tolist() == [1, 2]  # the first word and the last three are read
    assert found.integrated.sum() == pytest.approx(found.score - found.baseline_score, rel=GAP)
    shorter = why(adapter_of(made).question("the good and bad"))
    assert found.integrated[[0, 3, 4, 5]] == pytest.approx(shorter.integrated, rel=1e-9)


def test_of_a_very_long_text_the_parts_with_the_largest_gradients_are_asked_about() -> None:
    made = model("words")
    text = "the movie was so good and " * 60
    found = why(adapter_of(made).question(text.strip()))
    assert found.integrated is not None
    assert found.deleted is not None
    asked = np.flatnonzero(~np.isnan(found.deleted))
    assert len(asked) == len(found.deleted_texts) == 5_000 // 360
    left = np.abs(np.delete(found.integrated, asked))
    assert np.abs(found.integrated[asked]).min() >= left.max()


def test_a_text_of_more_parts_than_the_budget_has() -> None:
    values = {f"w{k}": 1.0 for k in range(BUDGET + 1)}
    found = why(asked(values, limit=10.0))
    assert found.flip is not None
    assert len(found.flip) > BUDGET - 10  # all of them alike: nearly all have to go
    assert np.isfinite(found.replaced).sum() == 12


def test_gradients_that_do_not_come_out_choose_nothing() -> None:
    """Of 200 words; here they are all 0, and the score is not."""
    values = {f"w{k}": 1.0 for k in range(200)}
    path = GradientPath(
        np.ones((200, 1)), np.zeros((200, 1)), lambda x: np.asarray(x.sum(axis=(1, 2))), lambda x: np.zeros_like(x)
    )
    found = why(replace(asked(values, limit=10.0), path=path))
    assert found.gap == pytest.approx(1)
    assert not found.converged
    tried = np.flatnonzero(~np.isnan(found.replaced)).tolist()
    assert tried == [*range(12), *range(187, 200)]  # the ends
    assert "they have not converged" in str(found.view().caption)
    assert [row[0] for row in found.view(30).rows] == [k + 1 for k in tried]


def test_the_path_is_the_same_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    question = adapter_of(model("words")).question()
    assert question.path is not None
    difference = float(np.diff(question.path.scores(question.path.at(np.array([0.0, 1.0]))))[0])
    whole = integrate(question.path, difference)
    monkeypatch.setattr("rnncli.inspection.integrated_gradients.AT_ONCE", 1)
    alone = integrate(question.path, difference)
    assert alone.values == pytest.approx(whole.values, rel=1e-9)
    assert alone.steps == whole.steps


def test_words_of_a_text_that_goes_on_are_replaced_and_not_glued_together() -> None:
    settings = Settings(tokens="word", hidden=4, embedding=3, input="embedding", bidirectional=False)
    made = LanguageModel(settings=settings, vocabulary=Vocabulary(("the", " ", "sea", "was")), example="the sea was")
    made.params.update(made.network.init(np.random.default_rng(0)))
    found = why(adapter_of(made).question())
    assert found.deleted is None
    assert found.deleted_texts == ()
    assert len(found.parts) == 5
    assert adapter_of(made).parts("the sea").without([0]) == "☐ sea"


def test_capitals_are_read_as_they_were_learned() -> None:
    settings = Settings(tokens="char", hidden=4, input="onehot", bidirectional=False, lowercase=True)
    made = LanguageModel(settings=settings, vocabulary=Vocabulary(("a", "b")), example="ab")
    made.params.update(made.network.init(np.random.default_rng(0)))
    assert adapter_of(made).question("ABa").scores(["ABA"]) == pytest.approx(
        adapter_of(made).question("aba").scores(["aba"]), rel=1e-12
    )
    (upper,), (lower,) = (
        made.with_options(length=3, seed=1).predict(["AB"]),
        made.with_options(length=3, seed=1).predict(["ab"]),
    )
    assert upper.continuation == lower.continuation


def test_the_score_of_a_target_that_was_cut_is_said_to_be_of_one_that_ended() -> None:
    """One never generates its end, and one nothing else."""
    for made in (translator(), describer()):
        output = made.params["decoder"]["output"]
        output["weight"][...] = 0
        output["bias"][...] = [9.0, 0.0, 0.0, -9.0]
        assert not adapter_of(made).most_probable(made.example)[1]
        assert adapter_of(made).question().score_is == "log probability, as if it ended there,"
        assert adapter_of(made).question(answer="X Y").score_is == "log probability"
        output["bias"][...] = [0.0, 0.0, 0.0, 9.0]
        assert adapter_of(made).most_probable(made.example)[1]
        question = adapter_of(made).question()
        assert question.score_is == "log probability"
        (predicted,) = made.predict([made.example])
        assert question.scores([made.example])[0] == pytest.approx(np.log(predicted.probability), rel=1e-5)


def certain(values: dict[str, float], limit: float) -> Question:
    """The same, whose score is log odds."""
    return replace(asked(values, limit), score_is="log odds")


def test_a_saturated_answer_is_said_to_be_so_and_what_carries_it() -> None:
    values = {f"w{k}": 0.05 for k in range(20)} | {"deep": 4.0}
    found = why(certain(values, limit=2.0))  # 5.0: p is 0.9933, and below 0.99 at 4.6
    assert found.saturated
    assert found.carrying == (20,)
    assert "Of single parts, trust those without which it falls below: 'deep'." in found.saturation
    assert found.document()["carrying"] == (20,)
    less = why(certain({name: value / 2 for name, value in values.items()}, limit=1.0))
    assert (less.saturated, less.saturation, less.carrying) == (False, "", ())


def test_where_no_part_alone_is_needed_leaving_one_out_says_nothing() -> None:
    found = why(certain({f"w{k}": 0.35 for k in range(20)}, limit=0.0))
    assert found.carrying == ()
    assert "It stays there without any single part: the effect of leaving one out, and its sign, says nothing." in (
        found.saturation
    )
    assert "Ask a model that is less sure, too (--model RUN@EPOCH" in found.saturation


def test_of_a_saturated_answer_integrated_gradients_are_drawn() -> None:
    """They come from where it is not saturated; but Shapley values, of few parts, ask about every choice."""
    values = {f"w{k}": 0.35 for k in range(20)}
    path = GradientPath(
        np.full((20, 1), 0.35), np.zeros((20, 1)), lambda x: np.asarray(x.sum(axis=(1, 2))), lambda x: np.ones_like(x)
    )
    found = why(replace(certain(values, limit=0.0), path=path))
    assert found.converged
    assert found.effects is found.integrated
    assert "are what is drawn" in found.saturation
    few = why(certain({f"w{k}": 1.0 for k in range(8)}, limit=0.0))
    assert few.effects is few.shapley
    assert "Shapley values ask about every choice of parts" in few.saturation


def test_leaving_most_of_a_text_out_is_no_explanation() -> None:
    values = {f"w{k}": 1.0 for k in range(20)}
    most = why(asked(values, limit=6.0))  # 15 of the 20 have to go
    assert most.flip is not None
    assert len(most.flip) == 15
    assert not most.flip_explains
    assert "the prediction flips only without 15 of its 20 parts, which explains nothing" in str(most.view().caption)
    half = why(asked(values, limit=11.0))  # 10 of the 20
    assert half.flip_explains
    assert "without 10 parts ('w0', " in str(half.view().caption)
