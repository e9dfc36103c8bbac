"""What is said of a data set and of what a model reads, in numbers that go with their nouns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from inspection.models import model

from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.tasks.inputs import NumberInput, TextInput
from rnncli.tasks.report import label_shares, spread_words


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"pos": 60, "neg": 40}, "pos 60 (60%), neg 40 (40%)"),
        ({"5": 436, "4": 338}, "5: 436 (56%), 4: 338 (44%)"),
        ({"-0.5": 3, "none": 1}, "-0.5: 3 (75%), none: 1 (25%)"),
        ({"route 66": 3, "b2": 1}, "route 66 3 (75%), b2 1 (25%)"),
    ],
)
def test_a_label_that_is_a_number_does_not_run_into_its_count(labels: dict[str, int], said: str) -> None:
    assert label_shares(labels) == said


@pytest.mark.parametrize(
    ("input", "said"),
    [
        (NumberInput(np.zeros(3), np.ones(3)), "3 numbers a timestep, standardised"),
        (NumberInput(np.zeros(1), np.ones(1)), "1 number a timestep, standardised"),
        (TextInput(Tokenizer("char"), Vocabulary(("a", "b"))), "one-hot over 2 known chars and <unk>"),
        (TextInput(Tokenizer(), Vocabulary(("a",))), "one-hot over 1 known word and <unk>"),
    ],
)
def test_what_a_model_reads(input: Any, said: str) -> None:
    assert input.described("onehot") == said


def test_a_language_model_and_a_classifier_say_what_they_read_alike() -> None:
    said = dict(model("lm", input="onehot").describe())["input"]
    assert said == f"one-hot over {len(model('lm').vocabulary.tokens)} known chars and <unk>"  # type: ignore[attr-defined]
    assert str(dict(model("words", input="embedding").describe())["input"]).startswith("embedding over ")


def test_one_of_something_is_in_the_singular() -> None:
    assert spread_words((1, 1, 1), "word") == "1 to 1 word, median 1"
    assert spread_words((1, 5, 20), "word") == "1 to 20 words, median 5"
    with pytest.raises(ValueError, match="has 1 number a timestep, and the model takes 3"):
        NumberInput(np.zeros(3), np.ones(3)).read("[[1], [2]]", 9)
