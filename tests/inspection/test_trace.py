"""What a trace shows is what the network computed, and what ``predict`` says of every beginning of the text."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from helpers import CELLS

from rnncli.config import Settings
from rnncli.core.packed import PackedSequence
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.states import States
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.inputs import TextInput
from rnncli.tasks.model import Model

TEXT = "the Film was not good , not xyzzy at all"
TOKENS = ["the", "film", "was", "not", "good", ",", "not", "xyzzy", "at", "all"]
VOCABULARY = Vocabulary(("not", "the", "film", "good", "was", "at", "all", ","))


def model(labels: tuple[str, ...] = ("neg", "pos"), **chosen: Any) -> Model:
    defaults = {"hidden": 3, "embedding": 4, "embedding_scale": 1.0}
    settings = Settings(**(defaults | chosen))
    made = ClassifierModel(
        settings=settings, input=TextInput(Tokenizer(), VOCABULARY), labels=labels, example="was not good"
    )
    made.params.update(made.network.init(np.random.default_rng(0)))
    return made


EVERYTHING = list(itertools.product(CELLS, ("last", "mean", "max"), (False, True), (1, 2)))


@pytest.mark.parametrize(("cell", "readout", "bidirectional", "layers"), EVERYTHING)
def test_every_beginning_is_answered_as_predict_does(cell: str, readout: str, bidirectional: bool, layers: int) -> None:
    made = model(cell=cell, readout=readout, bidirectional=bidirectional, layers=layers, dtype="float64")
    found = adapter_of(made).trace(TEXT)
    for t in range(len(TOKENS)):
        (predicted,) = made.predict([" ".join(TOKENS[: t + 1])])
        expected = list(predicted.probabilities.values())
        np.testing.assert_allclose(found.probabilities[t], expected, rtol=0, atol=1e-12)
    assert found.probabilities.shape == (10, 2)
    assert np.ptp(found.probabilities[:, 0]) > 0.001  # it does change from word to word


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("source", ["embedding", "onehot"])
def test_hidden_is_the_networks_own_output(bidirectional: bool, source: str) -> None:
    made = model(bidirectional=bidirectional, layers=2, input=source)
    found = adapter_of(made).trace(TEXT)
    ids = VOCABULARY.encode(TOKENS)
    outputs = made.network.forward(made.params, PackedSequence.pack([ids]))[1]
    assert np.array_equal(found.hidden, outputs)
    assert found.hidden.shape == (10, 6 if bidirectional else 3)
    assert found.norm == pytest.approx([np.sqrt(sum(float(h) ** 2 for h in row)) for row in found.hidden])


def test_what_reads_forwards_does_not_know_the_end() -> None:
    """Another last word moves the forward half at the last step only, and the backward half everywhere."""
    made = model(bidirectional=True)
    one, other = adapter_of(made).trace("the film was good").hidden, adapter_of(made).trace("the film was not").hidden
    assert np.array_equal(one[:3, :3], other[:3, :3])
    assert np.abs(one[3, :3] - other[3, :3]).max() > 0.01
    assert (np.abs(one[:, 3:] - other[:, 3:]).max(axis=1) > 1e-4).all()


def test_names() -> None:
    found = adapter_of(model(("neg", "neutral", "pos"), bidirectional=True)).trace(TEXT)
    assert found.units == ("→0", "→1", "→2", "←0", "←1", "←2")
    assert found.labels == ("neg", "neutral", "pos")
    assert found.probabilities.shape == (10, 3)
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(10))
    assert adapter_of(model(bidirectional=False)).trace(TEXT).units == ("0", "1", "2")


def test_tokens_as_the_model_reads_them() -> None:
    found = adapter_of(model()).trace(TEXT)
    assert list(found.tokens) == TOKENS
    assert [token for token, known in zip(found.tokens, found.known, strict=True) if not known] == ["xyzzy"]


def test_of_a_long_text_what_is_read() -> None:
    found = adapter_of(model(max_length=4)).trace(TEXT)
    assert found.tokens == ("the", "xyzzy", "at", "all")
    assert found.known == (True, False, True, True)
    assert len(found.hidden) == len(found.norm) == len(found.probabilities) == 4
    (predicted,) = model(max_length=4).predict([TEXT])
    assert found.probabilities[-1] == pytest.approx(list(predicted.probabilities.values()))


def test_without_a_text_the_models_own_example() -> None:
    assert adapter_of(model()).trace().tokens == ("was", "not", "good")
    assert np.array_equal(adapter_of(model()).trace().hidden, adapter_of(model()).trace("Was not good").hidden)


@pytest.mark.parametrize("text", ["", " \n", "<br />"])
def test_a_text_without_words_has_nothing_to_show(text: str) -> None:
    with pytest.raises(UsageError, match="no timestep"):
        adapter_of(model()).trace(text)


def states(hidden: np.ndarray) -> States:
    T, K = hidden.shape
    return States(
        tokens=("x",) * T,
        known=(True,) * T,
        hidden=hidden,
        units=tuple(map(str, range(K))),
        labels=("a", "b"),
        probabilities=np.zeros((T, 2)),
        answers_are="the label",
        key="probabilities",
    )


def test_units_that_change_most() -> None:
    hidden = np.array([[0.5, 0.0, -0.9, 0.1], [0.5, 0.4, -0.9, -0.1], [0.5, 0.0, -0.9, 0.1], [0.5, 0.4, -0.9, -0.1]])
    # |h_t - h_(t-1)| summed, from 0: 0.5, 1.2, 0.9, 0.1 + 3 x 0.2 = 0.7
    found = states(hidden)
    assert found.most_changing(4) == [1, 2, 3, 0]
    assert found.most_changing(2) == [1, 2]
    assert found.most_changing(0) == []
    assert found.most_changing(99) == [1, 2, 3, 0]


def test_of_equals_the_first() -> None:
    found = states(np.ones((2, 3)))
    assert found.most_changing(3) == [0, 1, 2]
