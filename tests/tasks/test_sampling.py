"""Texts that are drawn symbol by symbol, each by its probability after those before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnncli.config import Settings
from rnncli.core.losses import softmax
from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import UsageError
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.generation import GeneratingModel
from rnncli.tasks.inputs import NumberInput
from rnncli.tasks.model import Model
from rnncli.tasks.seq2seq.model import Seq2SeqModel

SETTINGS = {"tokens": "char", "hidden": 4, "embedding": 3, "embedding_scale": 1.0, "dropout": 0.0}
TARGET = Vocabulary(tuple("xyz"))


def with_params(model: Any) -> Any:
    params = model.network.init(np.random.default_rng(0))
    for _, value in flatten(params):
        value *= 2  # so that not all symbols are about as probable
    return replace(model, params=params)


def translator(**chosen: Any) -> Seq2SeqModel:
    settings = Settings(**(SETTINGS | chosen))
    return with_params(Seq2SeqModel(settings=settings, source=Vocabulary(tuple("abc")), target=TARGET, longest=4))


def captioner(**chosen: Any) -> CaptionModel:
    settings = Settings(**(SETTINGS | {"bidirectional": False, "attention": False} | chosen))
    numbers = NumberInput(np.zeros(2), np.ones(2))
    return with_params(CaptionModel(settings=settings, names=("p", "q"), numbers=numbers, target=TARGET, longest=4))


CASES = [
    (translator(), ["a", "abc", "cab", "", "bb", "a"]),
    (translator(attention=False, layers=2, cell="gru"), ["abca", "c", "a"]),
    (captioner(), ["1, 2", "0, -1", "1, 2"]),
    (captioner(inject="start", cell="rnn"), ["1, 2", "3, 1"]),
]


def drawn_naively(model: GeneratingModel, text: str, temperature: float, rng: np.random.Generator) -> tuple[str, float]:
    """The text and its log probability: each symbol from all of the decoder's steps so far, computed anew."""
    network, uniform = model.network, rng.random(model.limit)
    ids: list[int] = []
    log_probability = 0.0
    while len(ids) < model.limit and model.target.size not in ids:
        given = PackedSequence.pack([np.array([model.target.size, *ids], np.int32)])
        start = network.start(model.params, [model.read(text)])
        logits = network.decoder.forward(model.params["decoder"], given, start)[0][-1].astype(np.float64)
        of_model = softmax(logits[None])[0]
        allowed = np.delete(logits / temperature, model.target.unknown)
        probabilities = np.exp(allowed - allowed.max())
        probabilities /= probabilities.sum()
        choice = int(np.searchsorted(np.cumsum(probabilities), uniform[len(ids)], side="right"))
        ids.append(choice if choice < model.target.unknown else choice + 1)
        log_probability += float(np.log(of_model[ids[-1]]))
    return "".join(model.target.token(k) for k in ids if k != model.target.size), log_probability


@pytest.mark.parametrize(("model", "texts"), CASES, ids=["attention", "two layers", "caption", "start"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_what_is_drawn_is_what_the_definition_says(model: Any, texts: list[str], temperature: float) -> None:
    sampling = model.with_options(temperature=temperature, seed=5)
    found = sampling.predict(texts)
    for number, (text, prediction) in enumerate(zip(texts, found, strict=True)):
        if text:
            rng = np.random.default_rng([5, number])
            expected, log_probability = drawn_naively(model, text, temperature, rng)
            assert prediction.target == expected
            assert prediction.probability == pytest.approx(np.exp(log_probability), rel=1e-4)
        else:
            assert (prediction.target, prediction.probability) == (None, None)


@pytest.mark.parametrize(("model", "texts"), CASES, ids=["attention", "two layers", "caption", "start"])
def test_a_drawn_text_depends_on_the_seed_and_the_number_of_the_input_alone(model: Any, texts: list[str]) -> None:
    sampling = model.with_options(temperature=2.0)
    whole = [one.target for one in sampling.predict(texts)]
    assert [one.target for one in (*sampling.predict(texts[:2]), *sampling.predict(texts[2:], 2))] == whole
    assert model.with_options(temperature=2.0, seed=0).predict(texts) == sampling.predict(texts)
    assert [one.target for one in model.with_options(temperature=2.0, seed=1).predict(texts)] != whole
    again = [number for number, text in enumerate(texts) if text == texts[0]]
    assert len({whole[number] for number in again}) == len(again)


@pytest.mark.parametrize(("model", "texts"), CASES, ids=["attention", "two layers", "caption", "start"])
def test_at_temperature_0_the_most_probable_symbol_follows(model: Any, texts: list[str]) -> None:
    greedy = model.with_options(beam=1).predict(texts)
    for one, expected in zip(model.with_options(temperature=0).predict(texts), greedy, strict=True):
        assert one.target == expected.target
        assert one.probability == (pytest.approx(expected.probability) if expected.probability is not None else None)


def test_symbols_are_drawn_as_often_as_they_are_probable() -> None:
    model, count = translator(), 4_000
    first: Array = np.zeros(model.target.size + 1)
    for prediction in model.with_options(temperature=1.0, seed=3).predict(["ab"] * count):
        first[model.target.encode([prediction.target[0]])[0] if prediction.target else -1] += 1
    network = model.network
    given = PackedSequence.pack([np.array([model.target.size], np.int32)])
    logits = network.decoder.forward(model.params["decoder"], given, network.start(model.params, [model.read("ab")]))[0]
    logits[0, model.target.unknown] = -np.inf
    expected = softmax(logits.astype(np.float64))[0]
    assert first[model.target.unknown] == 0
    error = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(first / count - expected) <= 4 * error).all()


def test_options_that_do_not_go_together() -> None:
    model: Model = CASES[0][0]
    with pytest.raises(UsageError, match="--temperature draws symbols, and --beam searches"):
        model.with_options(temperature=1.0, beam=2)
    with pytest.raises(UsageError, match="--seed chooses random numbers, and a beam search uses none"):
        model.with_options(seed=1)
    unsure = model.with_options(min_probability=1.0).predict(["abc", ""])
    assert [one.target for one in unsure] == ["(unsure)", None]
