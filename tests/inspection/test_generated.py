"""The next symbol that inspection shows is the one that ``predict`` gives: the unknown one is never generated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from inspection.models import TEXTS, model

from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.difference.inputs import difference
from rnncli.inspection.flow import flow
from rnncli.inspection.page.page import page

WRITERS = ("seq2seq", "caption")


def with_bias(kind: str, unknown: float = 0.0, end: float = 0.0) -> Any:
    """A model of random weights to which the unknown symbol, or the end, is as likely as is wanted."""
    made: Any = model(kind)
    if kind == "lm":
        made.params["output"]["bias"][made.vocabulary.unknown] += unknown
        return made
    bias = made.params["decoder"]["output"]["bias"]
    bias[made.target.unknown] += unknown
    bias[made.network.decoder.end] += end
    return made


@pytest.mark.parametrize("unknown", [0.0, 4.0])
def test_the_next_token_has_the_probability_that_predict_draws_it_with(unknown: float) -> None:
    made, text = with_bias("lm", unknown), TEXTS["lm"]
    states = adapter_of(made).trace(text)
    np.testing.assert_allclose(states.probabilities[:, :-1].sum(axis=1), 1, rtol=1e-6)
    assert not states.probabilities[:, made.vocabulary.unknown].any()
    rows = states.view([0]).rows
    for t in range(len(text)):
        (surest,) = made.with_options(length=1, temperature=0.0).predict([text[: t + 1]])
        assert rows[t][2] == surest.continuation.replace(" ", "␣")
        assert rows[t][3] == pytest.approx(surest.probability, abs=1e-6)
        for seed in range(5):
            (drawn,) = made.with_options(length=1, seed=seed).predict([text[: t + 1]])
            p = states.probabilities[t, states.labels.index(drawn.continuation)]
            assert drawn.probability == pytest.approx(p, abs=1e-6)


def test_the_loss_of_a_text_is_still_that_of_training() -> None:
    made = with_bias("lm", 4.0).in_double()
    opened = adapter_of(made).open(TEXTS["lm"])
    expected, _ = made.network.loss_and_gradients(made.params, opened.batch)
    assert flow(opened).loss == pytest.approx(expected, rel=1e-12)
    shown = adapter_of(made).trace(TEXTS["lm"]).probabilities
    following = made.vocabulary.encode(list(TEXTS["lm"]))[1:]
    assert -np.log(shown[np.arange(len(following)), following]).mean() < expected - 1


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("unknown", [-9.0, 3.0])
def test_the_generated_symbols_are_those_of_predict(kind: str, beam: int, unknown: float) -> None:
    made = with_bias(kind, unknown).with_options(beam=beam)
    (answer,) = made.predict([TEXTS[kind]])
    states = adapter_of(made).trace(TEXTS[kind])
    assert states.generated is not None
    generated = [states.labels[k] for k in states.chosen.tolist()]
    assert tuple(generated) == states.tokens
    assert [one for one in generated if one != "<end>"] == answer.target.split()
    view = states.view([0])
    p = [column.name for column in view.columns].index("p")
    assert [row[p - 1] for row in view.rows] == generated
    shown = np.array([row[p] for row in view.rows], np.float64)
    assert math.exp(np.log(shown).sum()) == pytest.approx(answer.probability, rel=1e-4)
    most = states.probabilities[:, made.target.unknown].max()
    said = f"generated at this step; <unk>, which is never generated, has up to {most:.2f} of p; "
    assert (said in str(view.caption)) is (unknown > 0)
    assert "<unk>" not in generated


def test_a_beam_generates_what_is_not_the_most_probable_at_its_step() -> None:
    """Else the test above would not see whether the generated symbol is shown."""
    made = with_bias("seq2seq", -9.0).with_options(beam=4)
    found = [
        adapter_of(made).trace(text) for text in ("a", "b", "c", "a b", "b a", "c a", "a c b", "b c", "c c", "b b a")
    ]
    assert any((one.chosen != one.probabilities.argmax(axis=1)).any() for one in found)
    for one in found:
        best = one.best(3)
        assert best[:, 0].tolist() == one.generated.tolist()
        others = np.take_along_axis(one.probabilities, best[:, 1:], axis=1)
        assert (np.diff(others, axis=1) <= 0).all()
        assert all(len(set(row)) == 3 for row in best.tolist())


@pytest.mark.parametrize("kind", WRITERS)
def test_a_text_that_is_cut_off_has_no_end(kind: str) -> None:
    made = with_bias(kind, end=-99.0)
    states = adapter_of(made).trace(TEXTS[kind])
    assert len(states.tokens) == len(states.hidden) == len(states.probabilities) == 2 * made.longest + 10
    assert "<end>" not in states.tokens
    assert made.predict([TEXTS[kind]])[0].target.split() == list(states.tokens)


@pytest.mark.parametrize("kind", [*WRITERS, "lm"])
def test_a_page_and_a_difference_show_what_is_predicted(kind: str) -> None:
    made, text = with_bias(kind, 4.0), TEXTS[kind]
    states = adapter_of(made).trace(text)
    predicted = [states.labels[k] for k in states.chosen.tolist()]
    assert [step.answers[0][0].replace("␣", " ") for step in page(made, text).steps] == predicted
    assert "<unk>" not in predicted
    found = difference(made, made, text, ("a", "b"))
    assert found.predictions == (tuple(predicted), tuple(predicted))
    p = states.probabilities[np.arange(len(predicted)), states.chosen]
    np.testing.assert_allclose(found.probabilities[0], p)
