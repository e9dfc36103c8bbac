"""An untrained model of every task, small ones and one with texts that a hostile file would hold: for pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.data.text.word_features import WordFeatures
from rnncli.record import EpochRecord, Record
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

WORDS = ("not", "the", "film", "good", "was", "at", "all", "so")
EPOCHS = tuple(EpochRecord(k, 1 / k, 0.5 + 0.1 * abs(k - 3), 0.6, k < 4) for k in range(1, 6))
ERRORS = tuple(replace(epoch, validation_accuracy=None, validation_error=3.0 / epoch.epoch) for epoch in EPOCHS)
RECORD = Record(rows=12, data="films.csv", epochs=EPOCHS, best_epoch=3)
LETTERS = tuple("abcdefgh :0123")


def _with_weights(made: Any, seed: int = 0) -> Any:
    return made.with_params(made.network.init(np.random.default_rng(seed)))


def classifier(labels: tuple[str, ...] = ("neg", "pos"), words: tuple[str, ...] = WORDS, **chosen: Any) -> Model:
    settings = Settings(**({"hidden": 3, "embedding": 4, "embedding_scale": 1.0} | chosen))
    reads = TextInput(Tokenizer(lowercase=False), Vocabulary(words))
    return _with_weights(
        ClassifierModel(
            settings=settings, input=reads, labels=labels, example="the film was not so good", record=RECORD
        )
    )


def numbers() -> Model:
    settings = Settings(hidden=3, cell="gru")
    reads = NumberInput(np.array([1.0, -2.0]), np.array([2.0, 0.5]))
    example = "[[1, 2], [0, -1.5], [3, 0]]"
    return _with_weights(
        ClassifierModel(settings=settings, input=reads, labels=("idle", "running"), example=example, record=RECORD)
    )


def several(
    labels: tuple[str, ...] = ("comedy", "drama", "war"), words: tuple[str, ...] = WORDS, **chosen: Any
) -> Model:
    settings = Settings(**({"hidden": 3, "embedding": 4, "embedding_scale": 1.0} | chosen))
    reads, limits = TextInput(Tokenizer(lowercase=False), Vocabulary(words)), (0.5,) * len(labels)
    example, counts = "the film was not so good", dict.fromkeys(labels, 30)
    return _with_weights(
        MultilabelModel(
            settings=settings,
            input=reads,
            labels=labels,
            thresholds=limits,
            example=example,
            record=replace(RECORD, label_rows=counts),
        )
    )


def tagger(tags: tuple[str, ...] = ("NOUN", "VERB", "DET")) -> Model:
    counts = dict.fromkeys(("the", "film", "was", "good", "ran", "Her"), 3)
    views = WordFeatures.of(counts, min_count=1, max_size=100)
    return _with_weights(
        TaggerModel(
            settings=Settings(hidden=3, task="tag"), views=views, tags=tags, example="The film ran .", record=RECORD
        )
    )


def pairs(target: tuple[str, ...] = LETTERS, **chosen: Any) -> Model:
    settings = Settings(**({"hidden": 4, "embedding": 3, "task": "seq2seq", "tokens": "char"} | chosen), attention=True)
    source = Vocabulary(LETTERS)
    made = Seq2SeqModel(
        settings=settings,
        source=source,
        target=Vocabulary(target),
        longest=4,
        example="10:30 ab",
        record=replace(RECORD, epochs=(), best_epoch=None),
    )
    return _with_weights(made)


def captions(target: tuple[str, ...] = LETTERS, names: tuple[str, ...] = ("left", "right", "height")) -> Model:
    settings = Settings(hidden=4, embedding=3, task="caption", tokens="char", bidirectional=False, attention=False)
    reads = NumberInput(np.array([0.5, 0.0, 10.0]), np.array([1.0, 1.0, 2.0]))
    return _with_weights(
        CaptionModel(
            settings=settings,
            names=names,
            numbers=reads,
            target=Vocabulary(target),
            longest=4,
            example="0.25, -1, 12",
            record=RECORD,
        )
    )


def text(tokens: str = "char", words: tuple[str, ...] = LETTERS) -> Model:
    settings = Settings(
        hidden=4, task="lm", tokens=tokens, bidirectional=False, input="onehot", max_length=100, layers=2
    )
    return _with_weights(
        LanguageModel(settings=settings, vocabulary=Vocabulary(words), example="a bad cab", record=RECORD)
    )


def regression(reads: TextInput | NumberInput, example: str, **chosen: Any) -> Model:
    settings = Settings(**({"hidden": 3, "embedding": 4, "embedding_scale": 1.0, "task": "regress"} | chosen))
    record = replace(RECORD, epochs=ERRORS, baselines={"mean": 2.5})
    made = RegressionModel(
        settings=settings,
        input=reads,
        target="price",
        center=np.array([4.0]),
        deviation=np.array([2.0]),
        example=example,
        record=record,
    )
    return _with_weights(made)


def forecast(horizon: int = 2, width: int = 1, **chosen: Any) -> Model:
    sizes = {"window": 4, "season": 2, "horizon": horizon, "max_length": 4}
    own = {"hidden": 3, "task": "forecast", "bidirectional": False, "readout": "last"}
    made = ForecastModel(
        settings=Settings(**(own | sizes | chosen)),
        input=SeriesInput(np.array([5.0, -1.0][:width]), np.array([2.0, 0.5][:width])),
        target="sold",
        center=np.full(horizon, 0.25),
        deviation=np.full(horizon, 1.5),
        example="[[5],[4],[6.5],[5]]" if width == 1 else "[[5,-1],[4,0],[6.5,-2],[5,-1]]",
        record=replace(RECORD, epochs=ERRORS, baselines={"naive": 2.5, "linear_model": 0.5}),
    )
    return _with_weights(made)


MODELS: dict[str, Callable[[], Model]] = {
    "classify": classifier,
    "classify, rnn": lambda: classifier(cell="rnn", bidirectional=False, readout="last"),
    "numbers": numbers,
    "multilabel": several,
    "tag": tagger,
    "seq2seq": pairs,
    "caption": captions,
    "regress": lambda: regression(TextInput(Tokenizer(lowercase=False), Vocabulary(WORDS)), "the film was good"),
    "regress, numbers": lambda: regression(NumberInput(np.array([1.0]), np.array([2.0])), "[[1], [0], [3]]"),
    "forecast": forecast,
    "forecast, one value": lambda: forecast(1, 2, cell="gru"),
    "lm": text,
    "lm of words": lambda: text("word", ("the", " ", "film", "was", "good")),
}
