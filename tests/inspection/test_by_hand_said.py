"""What is said of an example worked by hand: the equations at its top, the words beside its lines, and its limits."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from by_hand_examples import (
    MANY,
    MODELS,
    TEXT,
    Bounds,
    describer,
    drawn,
    model,
    notes,
    numbers,
    reader,
    tagger,
    translator,
    work_out,
    worked,
)

from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.by_hand.example import _agreement
from rnncli.inspection.flow import Flow, flow
from rnncli.results import ByHand
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.inputs import NumberInput
from rnncli.tasks.language_model.model import LanguageModel
from rnncli.tasks.tag.model import TaggerModel

ALL = [*MODELS, *MANY]


def forward(found: ByHand) -> dict[str, Any]:
    """What is given and what is worked out before the way back, by name."""
    values: dict[str, Any] = {}
    for step in found.steps:
        if "∂" in step.name:
            break
        values[step.name] = step.result
    return values


def at(equation: str, t: int, T: int) -> str:
    """An equation with numbers for the timesteps: ``h_(t−1)`` is ``h_1`` at 2, and ``h_(T+1)`` is ``h_4`` of 3."""
    equation = equation.replace("(t−1)", str(t - 1)).replace("(t+1)", str(t + 1)).replace("(T+1)", str(T + 1))
    return re.sub(r"_t\b", f"_{t}", re.sub(r"_T\b", f"_{T}", equation))


@pytest.mark.parametrize("name", ALL)
def test_the_equations_hold_for_the_numbers_of_every_timestep(name: str) -> None:
    """Each is worked out by itself; what is compared are numbers that other lines have made."""
    for found in worked(name):
        values = forward(found)
        computed = {step.name for step in found.steps if step.operands}
        bounds = {key: Bounds(value) for key, value in values.items()}
        T = sum(re.fullmatch(r"eᵉ_\d", key) is not None for key in values) or len(found.tokens)
        for equation in found.equations[:-1]:
            left, right = equation.split(" = ")
            steps = [t for t in range(1, 9) if at(left, t, T) in computed] if left.endswith("_t") else [1]
            assert (
                len(steps) >= 3 or left in ("z", "s", "ŷ", "L", "p", "u", "M") or re.search(r"_(0|\(T\+1\))$", left)
            ), left
            for t in steps:
                result = values[at(left, t, T)]
                if right == "0":
                    assert not result.any()
                    continue
                expected = work_out(at(equation, t, T), bounds).lo
                np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-13, err_msg=equation)
        assert found.equations[-1] == "W ← W − η · ∂L/∂W"


@pytest.mark.parametrize("name", ALL)
def test_whatever_is_worked_out_forward_has_its_equation(name: str) -> None:
    """But for what is only a part of another line: sums, e^z, the sums of a first state, where the maximum is."""
    found = worked(name)[0]
    values = forward(found)
    computed = {step.name for step in found.steps if " = " in step.formula and step.name in values}
    general = {key if key.endswith("_0") else re.sub(r"_\d+$", "_t", key) for key in computed}
    parts = {key for key in general if re.fullmatch(r"a[a-z]?[ᵉᴵᶠᵇ]*_t|m[ᵉᴵᶠᵇ]*_t|q(_t)?|[jw]|kᴵ*_[hco]", key)}
    lefts = {equation.split(" = ")[0] for equation in found.equations}
    given = {key for key in values if re.search(r"^[hco][ᵉᴵᶠᵇ]*_(0|[4-9])$", key) and not values[key].any()}
    starts = {re.sub(r"_[4-9]$", "_(T+1)", key) for key in given}
    assert general - parts <= lefts
    assert starts <= lefts
    assert len(general - parts) >= 4


@pytest.mark.parametrize("name", ["notes", "three labels", "max, lstm", "tags", "source", "caption"])
def test_the_answers_are_called_by_their_names(name: str) -> None:
    for found in worked(name):
        made = (MODELS | MANY)[name]()
        steps = {step.name: step.label for step in found.steps if not step.name.startswith("∂")}
        if name == "notes" or name == "max, lstm":
            assert steps["y"] == "1 for the label 1, 0 for 0"
            assert steps["ŷ"] == "the probability of 1"
            assert {step.name: step for step in found.steps}["y"].result.item() == int(found.label)
        elif name == "three labels":
            assert steps["y"] == f"the label {found.label}, of red, green, blue"
            right = {step.name: step for step in found.steps}["y"].result[0]
            assert made.labels[int(right.argmax())] == found.label
        else:
            words = found.label.split()
            for t, word in enumerate(words, 1):
                assert steps[f"y_{t}"] == f"the right answer {word}"
            names = {"tags": "N, V, X"}.get(name, "X, Y, <unk>, <end>")
            assert steps["ŷ_1"] == f"the probability of each of {names}"


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("lstm", {"o": "the output gate", "i": "the input gate", "f": "the forget gate", "g": "the candidate"}),
        ("gru", {"r": "the reset gate", "z": "the update gate", "n": "the candidate"}),
    ],
)
def test_gates_are_called_by_their_names(name: str, labels: dict[str, str]) -> None:
    steps = {step.name: step.label for step in reversed(worked(name)[0].steps)}
    for letter, words in labels.items():
        assert steps[f"{letter}_2"] == words
        assert steps[f"W_i{letter}"] == f"input weights of {words}"
        assert steps[f"W_h{letter}"] == f"recurrent weights of {words}"


def test_what_reads_backwards_has_its_next_timestep_before_it() -> None:
    found = adapter_of(model(bidirectional=True, cell="lstm", hidden=2, bias=True)).by_hand(TEXT, "1")
    steps = {step.name: step for step in found.steps}
    assert steps["∂L/∂hᵇ_2"].label.endswith("back through every sum of the timestep read next")
    assert "∂L/∂aoᵇ_1" in steps["∂L/∂hᵇ_2"].operands
    assert steps["∂L/∂hᶠ_2"].label.endswith("back through every sum of the next timestep")
    assert "∂L/∂aoᶠ_3" in steps["∂L/∂hᶠ_2"].operands
    titles = [section.title for section in found.sections]
    assert [title for title in titles if "Forward" in title] == [
        *(f"Forward, timestep {t}, reading forwards" for t in (1, 2, 3, 4)),
        *(f"Forward, timestep {t}, reading backwards" for t in (4, 3, 2, 1)),
    ]


def test_what_a_decoder_is_given_has_its_names() -> None:
    found = adapter_of(describer(inject="every", cell="lstm", hidden=2)).by_hand(label="X")
    steps = {step.name: step.label for step in reversed(found.steps)}
    assert steps["x_1"] == "its row of the embedding, and the numbers"
    assert steps["h_0"] == "the state before the first timestep"
    assert steps["c_0"] == "the memory before the first timestep"
    assert [section.title for section in found.sections].count("What is given") == 1
    empty = adapter_of(translator()).by_hand(label="")
    assert (empty.answer, empty.label) == ("the empty target", "<end>")
    assert "L = L_1/U" in empty.equations
    assert adapter_of(describer()).by_hand(label="").answer == "the empty text"


def test_one_timestep_has_no_sum() -> None:
    found = adapter_of(model(readout="mean")).by_hand("cat", "1")
    assert "p = o_1/T" in found.equations
    assert "p = o_1/T" in [step.formula for step in found.steps]


def test_how_closely_both_agree_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one number of training's gradient changed, that is what is said."""
    assert adapter_of(notes()).by_hand(TEXT, "1").residual < 1e-15

    def disturbed(opened: Any) -> Flow:
        found = flow(opened)
        found.gradients["encoder/0/forward/weight_hh"][1, 0] += 9.5e-4
        return found

    monkeypatch.setattr("rnncli.inspection.flow.flow", disturbed)
    found = adapter_of(notes()).by_hand(TEXT, "1")
    assert found.residual == pytest.approx(9.5e-4, rel=1e-9)
    assert any(note.endswith("none of the numbers differs by more than 1e-03.") for note in found.notes)


@pytest.mark.parametrize(
    ("residual", "said"),
    [
        (0.0, "to the last digit."),
        (2.22e-16, "more than 3e-16."),
        (9.5e-16, "more than 1e-15."),
        (1e-16, "more than 1e-16."),
    ],
)
def test_the_difference_is_never_said_to_be_smaller_than_it_is(residual: float, said: str) -> None:
    assert _agreement(residual).endswith(said)


def test_the_notes_name_all_that_training_does_beside() -> None:
    def beyond(**chosen: Any) -> str:
        quiet = {"batch": 1, "clip": None, "dropout": 0.0, "schedule": "constant"}
        return adapter_of(model(**(quiet | chosen))).by_hand(TEXT).notes[1]

    assert beyond().startswith("Training's own code")
    assert beyond(warmup=5) == "Beyond what is shown, training changes the learning rate from step to step."
    assert beyond(class_weights="sqrt") == "Beyond what is shown, training lets rare labels count more."
    assert beyond(freeze=True) == "Beyond what is shown, training leaves given word vectors as they are."
    assert beyond(clip=2.0) == "Beyond what is shown, training shortens a gradient longer than 2."
    assert (
        adapter_of(tagger())
        .by_hand()
        .notes[0]
        .startswith("A word's features, the rows of six tables side by side, are taken as given")
    )
    assert not adapter_of(reader()).by_hand().notes[0].startswith("A word's features")


MANY_WORDS = tuple(f"w{k}" for k in range(12))


def many_tags() -> TaggerModel:
    made = tagger()
    return drawn(
        TaggerModel(settings=made.settings, views=made.views, tags=tuple("ABCDEFGHI"), example=made.example), 1, 0.5
    )


def many_numbers(count: int) -> CaptionModel:
    made = describer()
    read = NumberInput(np.zeros(count), np.ones(count))
    names = tuple(f"p{k}" for k in range(count))
    example = ", ".join("1" for _ in names)
    return drawn(
        CaptionModel(settings=made.settings, names=names, numbers=read, target=made.target, longest=3, example=example),
        1,
        0.5,
    )


def many_a_timestep() -> Any:
    made = numbers()
    read = NumberInput(np.zeros(13), np.ones(13))
    return drawn(replace(made, input=read, example=str([[1.0] * 13] * 2)), 1, 0.5)


def words_of(made: Any, **vocabularies: Vocabulary) -> Any:
    return drawn(replace(made, **vocabularies), 1, 0.5)


TOO_MANY = {
    "9 tags": many_tags,
    "13 numbers are": lambda: many_numbers(13),
    "13 numbers a timestep": many_a_timestep,
    "13 chars in the vocabulary, <unk> included, are more": lambda: words_of(
        reader(), vocabulary=Vocabulary(tuple("abcdefghijkl"))
    ),
    "13 symbols of the source, <unk> included, are more": lambda: words_of(translator(), source=Vocabulary(MANY_WORDS)),
    "13 symbols of the target, <unk> and <end> included, are more": lambda: words_of(
        translator(), target=Vocabulary(MANY_WORDS[:11])
    ),
    "13 symbols of the text, <unk> and <end> included, are more": lambda: words_of(
        describer(), target=Vocabulary(MANY_WORDS[:11])
    ),
    "13 numbers in a word's features": lambda: tagger(embedding=8, hidden=2),
}


@pytest.mark.parametrize("says", TOO_MANY)
def test_each_size_has_its_limit(says: str) -> None:
    with pytest.raises(UsageError) as caught:
        adapter_of(TOO_MANY[says]()).by_hand()
    number = int(says.split()[0])
    assert re.sub(r"^\d+", "", says) in caught.value.message
    assert f"at most {8 if 'tags' in says else 12}" in caught.value.message
    assert caught.value.message.startswith(str(number)) or "features" in says


def test_the_largest_of_each_is_worked_out() -> None:
    assert adapter_of(many_numbers(12)).by_hand(label="X").residual < 1e-13
    made = words_of(translator(), source=Vocabulary(MANY_WORDS[:11]), target=Vocabulary(MANY_WORDS[:10]))
    assert adapter_of(made).by_hand("w1 w2", "w3").residual < 1e-13


def test_a_text_that_is_too_long_is_to_be_shorter() -> None:
    for made, text, answer in (
        (notes(), "cat " * 9, "1"),
        (translator(), "a b " * 4 + "a", "X"),
        (translator(), "a", "X Y " * 5),
        (reader(), "ab ba ab ba", None),
    ):
        with pytest.raises(UsageError, match="are more than can be read by hand: at most 8") as caught:
            adapter_of(made).by_hand(text, answer)
        assert caught.value.hint is not None
        assert caught.value.hint.startswith("give a shorter text")


def test_the_example_of_a_language_model_is_cut_to_what_can_be_read() -> None:
    made = replace(reader(), example="ab ba abba ab")
    assert isinstance(made, LanguageModel)
    found = adapter_of(made).by_hand()
    assert found.text == "ab ba abb"
    assert len(found.tokens) == 8
    assert found.residual < 1e-13


def test_every_kind_of_model_is_there() -> None:
    """No name stands for two of them: one would never be tried."""
    kinds = Counter(type((MODELS | MANY)[name]()).__name__ for name in ALL)
    assert kinds.total() == len(MODELS) + len(MANY) == len(set(ALL))
    assert kinds.keys() == {
        "ClassifierModel",
        "MultilabelModel",
        "TaggerModel",
        "Seq2SeqModel",
        "CaptionModel",
        "LanguageModel",
    }
    assert isinstance(MODELS["numbers"]().input, NumberInput)
