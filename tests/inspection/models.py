"""A small model of every task with random weights, for the tests that look inside."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.optim.parameters import flatten
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.data.text.word_features import WordFeatures
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.forecast.inputs import SeriesInput
from rnncli.tasks.forecast.model import ForecastModel
from rnncli.tasks.inputs import NumberInput, TextInput
from rnncli.tasks.language_model.model import LanguageModel
from rnncli.tasks.model import Model
from rnncli.tasks.multilabel.model import MultilabelModel
from rnncli.tasks.regress.model import RegressionModel
from rnncli.tasks.seq2seq.model import Seq2SeqModel
from rnncli.tasks.tag.model import TaggerModel

WORDS = ("the", "movie", "was", "good", "bad", "not", "and", "so")
TEXTS = {
    "words": "the movie was not so good",
    "onehot": "movie was bad and good",
    "numbers": "[[1, 2, 0.5], [0, -1, 2], [3, 0.25, 1], [0.5, 0.5, -2]]",
    "several": "the movie was not good and so bad",
    "regress": "the movie was so good",
    "forecast": "[[1, 2], [0, -1], [3, 0.25], [0.5, 0.5]]",
    "tag": "the movie was not good",
    "seq2seq": "a b c a",
    "caption": "0.5, -1, 2",
    "lm": "abcab cab",
}


def model(kind: str, **chosen: Any) -> Model:
    """A model of a task; "words", "onehot" and "numbers" are three classifiers, "several" one of several labels."""
    tokens = {"seq2seq": "symbol", "caption": "symbol", "lm": "char"}.get(kind, "word")
    input = "onehot" if kind in ("onehot", "lm") else "embedding"
    usual = {"hidden": 4, "embedding": 3, "embedding_scale": 1.0, "dropout": 0.3, "tokens": tokens, "input": input}
    settings = Settings(**(usual | chosen))
    made = _without_weights(kind, settings)
    params = made.network.init(np.random.default_rng(3))  # type: ignore[attr-defined]
    rng = np.random.default_rng(4)
    for _, value in flatten(params):
        value += 0.4 * rng.standard_normal(value.shape).astype(value.dtype)  # biases too
    return made.with_params(params)


def _without_weights(kind: str, settings: Settings) -> Model:
    text = TextInput(Tokenizer("word"), Vocabulary(WORDS))
    numbers = NumberInput(np.array([0.5, 0.0, 1.0]), np.array([2.0, 1.0, 0.5]))
    letters, phones = Vocabulary(("a", "b", "c")), Vocabulary(("X", "Y", "Z", "W"))
    if kind in ("words", "onehot"):
        return ClassifierModel(settings=settings, input=text, labels=("neg", "pos"), example=TEXTS[kind])
    if kind == "several":
        return MultilabelModel(
            settings=settings, input=text, labels=("a", "b", "c"), thresholds=(0.5, 0.4, 0.6), example=TEXTS[kind]
        )
    if kind == "numbers":
        return ClassifierModel(settings=settings, input=numbers, labels=("left", "right", "up"), example=TEXTS[kind])
    target = {"target": "price", "center": np.array([4.0]), "deviation": np.array([2.0])}
    if kind == "regress":
        return RegressionModel(settings=settings, input=text, example=TEXTS[kind], **target)
    if kind == "forecast":
        ahead = {"center": np.array([0.5, 1.0]), "deviation": np.array([2.0, 3.0])}
        settings = settings.replace(window=4, season=2, horizon=2, max_length=4)
        series = SeriesInput(np.array([0.5, 0.0]), np.array([2.0, 1.0]))
        return ForecastModel(settings=settings, input=series, example=TEXTS[kind], **(target | ahead))
    if kind == "tag":
        views = WordFeatures.of(Counter(WORDS * 3), min_count=1, max_size=100)
        return TaggerModel(settings=settings, views=views, tags=("A", "N", "V"), example=TEXTS[kind])
    if kind == "seq2seq":
        return Seq2SeqModel(settings=settings, source=letters, target=phones, longest=3, example=TEXTS[kind])
    if kind == "caption":
        return CaptionModel(
            settings=settings, names=("r", "g", "b"), numbers=numbers, target=phones, longest=3, example=TEXTS[kind]
        )
    return LanguageModel(settings=settings, vocabulary=Vocabulary(("a", "b", "c", " ")), example=TEXTS[kind])
