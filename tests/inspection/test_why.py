"""Which parts made the answer: each figure against another way to it, and against ``predict``."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from inspection.models import TEXTS, model

from rnncli.inspection.why import GAP, Parts, Question, shapley, why
from rnncli.tasks.classify import ClassifierModel

KINDS = tuple(TEXTS)


def log_odds(made: Any, text: str, label: str) -> float:
    (prediction,) = made.in_double().predict([text])
    p = prediction.probabilities[label]
    return math.log(p) - math.log(sum(q for name, q in prediction.probabilities.items() if name != label))


@pytest.mark.parametrize("kind", ["words", "onehot", "numbers"])
def test_every_row_is_what_predict_says(kind: str) -> None:
    made = model(kind)
    found = why(made.question())
    assert found.answer == made.predict([made.example])[0].label
    assert found.score == pytest.approx(log_odds(made, made.example, found.answer), rel=1e-9)
    parts = made.parts(made.example)
    assert found.deleted is not None
    for k in range(len(parts.names)):
        assert found.deleted[k] == pytest.approx(found.score - log_odds(made, found.deleted_texts[k], found.answer))
        assert found.replaced[k] == pytest.approx(found.score - log_odds(made, parts.replaced([k]), found.answer))


def test_what_a_deleted_word_leaves() -> None:
    parts = model("words").parts("the movie was good")
    assert parts.without([1]) == "the was good"
    assert parts.replaced([1]) == "the ☐ was good"
    assert model("tag").parts("the movie was").replaced([0, 2]) == '["☐", "movie", "☐"]'
    assert model("seq2seq").parts("a b c").without([0]) == "b c"
    assert model("lm").parts("ab c").replaced([2]) == "ab☐c"
    assert model("numbers").parts("[[1, 2, 3], [4, 5, 6]]").replaced([1]) == "[[1.0, 2.0, 3.0], [0.5, 0.0, 1.0]]"
    assert model("caption").parts("1 2 3").replaced([1]) == "[1.0, 0.0, 3.0]"


@pytest.mark.parametrize("readout", ["last", "mean", "max"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("kind", ["words", "onehot", "numbers"])
def test_integrated_gradients_come_to_the_whole_difference(kind: str, cell: str, readout: str) -> None:
    found = why(model(kind, cell=cell, readout=readout, layers=2).question())
    assert found.integrated is not None
    assert found.gap is not None
    difference = found.score - found.blank_score
    assert abs(found.integrated.sum() - difference) < GAP * abs(difference)
    assert found.gap == pytest.approx(abs(found.integrated.sum() - difference) / abs(difference))


def test_integrated_gradients_of_what_is_linear_are_exact() -> None:
    """Over one step the log odds of a ReLU network are linear in the word's row, while nothing is cut off."""
    made = model("words", cell="rnn", nonlinearity="relu", bidirectional=False, readout="last").in_double()
    cell = made.params["encoder"]["0"]["forward"]
    cell["bias"][...] = 100
    question = made.question("good")
    assert question.path is not None
    difference = question.scores(["good"])[0] - question.scores(["☐"])[0]
    assert question.path(1) == pytest.approx([difference], rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_shapley_values_add_up_to_the_difference(kind: str) -> None:
    found = why(model(kind).question())
    assert found.shapley is not None
    assert abs(found.shapley.sum() - (found.score - found.empty_score)) < 1e-9


def test_a_whole_answers_score_is_the_logarithm_of_its_probability() -> None:
    for kind in ("seq2seq", "caption"):
        made = model(kind)
        made.params["decoder"]["output"]["bias"][-1] += 4  # so that it comes to its end
        found = why(made.question())
        (told,) = made.in_double().predict([made.example])
        assert found.answer == told.target
        assert found.score == pytest.approx(math.log(told.probability), rel=1e-9)


def test_tags_may_have_spaces() -> None:
    made = model("tag")
    spaced = replace(made, tags=("proper noun", "verb", "other"))  # type: ignore[type-var]
    found = why(spaced.question())
    assert found.answer.startswith('["')
    assert found.score == pytest.approx(why(made.question()).score)


def test_shapley_values_are_means_over_all_orders() -> None:
    made = model("words")
    question = made.question("movie was not good")
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

    parts = Parts(tuple(values), tuple(values), "☐", " ".join)
    return Question(parts, "yes", "score", scores, lambda texts: ["yes" if s >= limit else "no" for s in scores(texts)])


def test_the_fewest_words_that_turn_it_round() -> None:
    found = why(asked({"a": 1.0, "b": 4.0, "c": 3.0, "d": -1.0}, limit=2.0))
    assert found.flip == (1, 2)  # 7 − 4 and 7 − 3 are 2 and more; of the pairs that do, the one that counts most
    assert (found.flip_text, found.flip_answer, found.exhaustive) == ("a d", "no", True)
    assert found.shapley == pytest.approx([1, 4, 3, -1])
    assert found.deleted == pytest.approx([1, 4, 3, -1])
    assert "the fewest parts whose leaving out turns it round: 'b', 'c', to no" in str(found.view().caption)


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


def test_parts_of_a_text_that_is_not_read_whole_have_no_way() -> None:
    made = model("words", max_length=4)
    assert isinstance(made, ClassifierModel)
    found = why(made.question("the movie was good and bad"))
    assert (found.integrated, found.gap) == (None, None)
    assert len(found.replaced) == 6


def test_of_a_very_long_text_the_parts_with_the_largest_gradients_are_asked_about() -> None:
    made = model("words")
    text = "the movie was so good and " * 60
    found = why(made.question(text.strip()))
    assert found.integrated is None  # 256 of its 360 words are read
    values = model("words", max_length=1000).question(text.strip())
    found = why(values)
    assert found.integrated is not None
    assert found.deleted is not None
    asked = np.flatnonzero(~np.isnan(found.deleted))
    assert len(asked) == len(found.deleted_texts) == 5_000 // 360
    left = np.abs(np.delete(found.integrated, asked))
    assert np.abs(found.integrated[asked]).min() >= left.max()
