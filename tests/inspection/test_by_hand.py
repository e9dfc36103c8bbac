"""Worked by hand: each line follows from those before it, and what comes out is what training computes."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from by_hand_examples import (
    MANY,
    MODELS,
    TEXT,
    WORDS,
    Bounds,
    all_too_sure,
    answer_asked,
    describer,
    model,
    notes,
    reader,
    several,
    tagger,
    translator,
    work_out,
)

from rnncli.core.optim.parameters import flatten
from rnncli.errors import UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.by_hand.example import STRENGTHENS
from rnncli.inspection.flow import flow
from rnncli.render.json_out import dumps
from rnncli.results import ByHand
from rnncli.tasks.classify.model import ClassifierModel

GATES = {"rnn": "", "lstm": "oifg", "gru": "rzn"}


def results(found: ByHand) -> dict[str, Any]:
    """The result of every line by its name; of a weight the one before the update."""
    return {step.name: step.result for step in reversed(found.steps)}


def marks(name: str) -> str:
    """Of the last letter that has some: ``ᵉᴵᶠ``."""
    return re.findall("[ᵉᴵᶠᵇ]+", name)[-1] if re.search("[ᵉᴵᶠᵇ]", name) else ""


def joined(found: ByHand, made: ClassifierModel, name: str) -> Any:
    """The gradient of a parameter by its flat name, put together from those of its gates."""
    values, cell = results(found), made.settings.cell
    layer, kind = name.rsplit("/", 1)
    if found_in := re.fullmatch(r"(encoder|decoder|decoder/stack)/(\d)/(forward|backward)", layer):
        within, number, way = found_in.groups()
        mark = "ᵉ" if (made.task, within) == ("seq2seq", "encoder") else ""
        mark += "ᴵ" * (int(number) + 1) if made.settings.layers > 1 else ""
        mark += {"forward": "ᶠ", "backward": "ᵇ"}[way] if within == "encoder" and made.settings.bidirectional else ""
        values = {name.replace(mark, ""): value for name, value in values.items() if marks(name) == mark}
    if layer == "decoder/attention":
        state = "o" if cell == "rnn" else "h"
        parts = {"weight_a": ["W_v"], "weight_c": ["W_ku", f"W_{state}u"], "bias_c": ["b_u"]}[kind]
        return np.concatenate([values[f"∂L/∂{part}"] for part in parts])
    if layer == "embedding":
        return values["∂L/∂Eᵉ" if made.task == "seq2seq" else "∂L/∂E"]
    if layer == "decoder/embedding":
        return values["∂L/∂E"]
    if layer == "bridge/first":
        return values["∂L/∂P" if kind == "weight" else "∂L/∂p"]
    if layer == "bridge/second":
        letters = {"rnn": "o", "lstm": "hc", "gru": "h"}[cell]
        rows = ["ᴵ" * (k + 1) if made.settings.layers > 1 else "" for k in range(made.settings.layers)]
        begin = "∂L/∂R" if kind == "weight" else "∂L/∂r"
        return np.concatenate([values[f"{begin}{mark}_{x}"] for mark in rows for x in letters], axis=1)
    if layer.endswith("output"):
        return values[f"∂L/∂{'W' if kind == 'weight' else 'b'}_{'o' if cell == 'rnn' else 'y'}"]
    if kind == "bias_hn":
        return values["∂L/∂b_hn"]
    if cell == "rnn":
        return values["∂L/∂" + {"weight_ih": "W_i", "weight_hh": "W_h", "bias": "b"}[kind]]
    begin = {"weight_ih": "W_i", "weight_hh": "W_h", "bias": "b_"}[kind]
    return np.concatenate([values[f"∂L/∂{begin}{gate}"] for gate in GATES[cell]], axis=1)


def test_the_example_of_the_notes() -> None:
    """The numbers that tests/tasks/test_classifier_network.py works out by arithmetic with plain floats."""
    found = adapter_of(notes()).by_hand("cat mat rat", "1")
    expected = {
        "x_2": [[0, 1, 0, 0]],
        "o_0": [[0, 0]],
        "a_1": [[0.5, -0.3]],
        "o_1": [[0.46211715726001, -0.29131261245159]],
        "o_2": [[0.19492639405337, 0.59050775271655]],
        "o_3": [[-0.33182450491486, 0.21658048658992]],
        "z": [[-0.34056739673537]],
        "ŷ": [[0.41567165620118]],
        "L": [[0.87785961835055]],
        "∂L/∂ŷ": [[-1 / 0.41567165620118]],
        "∂ŷ/∂z": [[0.41567165620118 * 0.58432834379882]],
        "∂L/∂z": [[-0.58432834379882]],
        "∂z/∂o_3": [[0.7, -0.5]],
        "∂o_3/∂a_3": [[1 - 0.33182450491486**2, 1 - 0.21658048658992**2]],
        "∂a_3/∂o_2": [[0.4, 0.3], [-0.2, 0.1]],
        "∂L/∂a_3": [[-0.36399258663537, 0.27845959577644]],
        "∂L/∂a_2": [[-0.19364071851524, -0.05298448635125]],
        "∂L/∂a_1": [[-0.05258141579982, -0.05801113983473]],
        "∂L/∂W_i(1)": [[-0.05258141579982, -0.05801113983473], [0, 0], [0, 0], [0, 0]],
        "∂L/∂W_h(1)": [[0, 0], [0, 0]],
        "∂L/∂W_h": [[-0.16043646074504, 0.02979408468274], [-0.15853046075186, 0.17986759926269]],
        "∂L/∂W_o": [[0.19389446338876], [-0.12655411702823]],
    }
    values = results(found)
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=0, atol=1e-12, err_msg=name)
    new = {step.name: step.result for step in found.sections[-1].steps}
    np.testing.assert_allclose(
        new["W_o"], [[0.7 - 0.5 * 0.19389446338876], [-0.5 + 0.5 * 0.12655411702823]], atol=1e-12
    )
    assert new.keys() == {"W_i", "W_h", "W_o"}
    formulas = [step.formula for step in found.steps]
    for line in (
        "a_2 = x_2·W_i + o_1·W_h",
        "L = −y·log(ŷ) − (1 − y)·log(1 − ŷ)",
        "∂o_2/∂a_2 = 1 − o_2²",
        "∂L/∂W_h(2) = o_1ᵀ · ∂L/∂a_2",
        "∂L/∂W_h = ∂L/∂W_h(1) + ∂L/∂W_h(2) + ∂L/∂W_h(3)",
        "W_h ← W_h − η · ∂L/∂W_h",
    ):
        assert formulas.count(line) == 1, line
    assert found.tokens == ("cat", "mat", "rat")
    assert found.label == "1"
    assert found.loss == pytest.approx(0.87785961835055, abs=1e-12)


def test_a_word_that_comes_twice_has_two_terms_in_one_row() -> None:
    values = results(adapter_of(notes()).by_hand("rat rat mat", "1"))
    np.testing.assert_allclose(values["∂L/∂W_i"][2], (values["∂L/∂a_1"] + values["∂L/∂a_2"])[0], rtol=1e-14)
    np.testing.assert_allclose(values["∂L/∂W_i"][1], values["∂L/∂a_3"][0], rtol=1e-14)
    assert not values["∂L/∂W_i"][[0, 3]].any()


def check_lines(found: ByHand) -> None:
    """Each formula is worked out again by another arithmetic, with the results that the names in it have so far."""
    values: dict[str, Bounds] = {}
    computed = 0
    for step in found.steps:
        if step.operands:
            again = work_out(step.formula, values).lo
            np.testing.assert_allclose(step.result, again, rtol=1e-9, atol=1e-13, err_msg=step.formula)
            for operand, value in step.operands.items():
                before = values[operand.removesuffix("ᵀ")].lo
                assert np.array_equal(value, before.T if operand.endswith("ᵀ") else before), step.formula
            computed += 1
        values[step.name] = Bounds(step.result)
    assert computed >= 30


@pytest.mark.parametrize("name", MANY)
def test_an_answer_at_every_timestep(name: str) -> None:
    """Each line follows from those before it; loss and gradients are training's, and the slopes of the loss."""
    made, answer = MANY[name](), answer_asked(name)
    found = adapter_of(made).by_hand(label=answer)
    check_lines(found)
    opened = adapter_of(made).open(None, answer)
    trained = flow(opened)
    assert results(found)["L"].item() == pytest.approx(trained.loss, rel=1e-12)
    assert found.residual < 1e-14
    compared = 0
    for parameter, gradient in trained.gradients.items():
        if parameter.startswith("views/"):
            continue
        own = joined(found, made, parameter).reshape(gradient.shape)
        np.testing.assert_allclose(own, gradient, rtol=1e-9, atol=1e-13, err_msg=parameter)
        array, layer = opened.params, parameter.split("/")
        for part in layer:
            array = array[part]
        largest = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)
        losses = []
        for size in (1e-6, -1e-6):
            array[largest] += size
            losses.append(opened.network.loss_and_gradients(opened.params, opened.batch)[0])
            array[largest] -= size
        assert own[largest] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-6)
        assert abs(own[largest]) > 1e-4
        compared += 1
    assert compared == sum(not parameter.startswith("views/") for parameter in trained.gradients) >= 3
    T = len(trained.cell().steps)
    formulas = [step.formula for step in found.steps]
    updated = {step.name for step in found.sections[-1].steps}
    assert updated == {step.name for step in found.steps if "←" in step.formula}
    assert len(updated) >= compared
    if name.startswith("labels"):
        assert "L = −(y·log(ŷ)ᵀ + (1 − y)·log(1 − ŷ)ᵀ)/K" in formulas
        logit = "s" if made.settings.cell == "gru" else "z"
        assert f"∂L/∂{logit} = ∂L/∂ŷ ⊙ ∂ŷ/∂{logit}" in formulas
        return
    count = "U" if name.startswith("source") else "T"
    assert f"L = ({' + '.join(f'L_{t}' for t in range(1, T + 1))})/{count}" in formulas
    top = "ᴵ" * made.settings.layers if made.settings.layers > 1 else ""
    state = ("o" if made.settings.cell == "rnn" else "h") + top
    weight = "W_o" if made.settings.cell == "rnn" else "W_y"
    tells = "u" if "attention" in name else state
    assert sum(line.startswith(f"∂L/∂{weight}(") for line in formulas) == T
    assert f"∂L/∂{weight}(2) = {tells}_2ᵀ · ∂L/∂{'s' if made.settings.cell == 'gru' else 'z'}_2" in formulas
    if name.startswith("source"):
        H, both, looks = made.settings.hidden, "both ways" in name, "attention" in name
        read = state[0] + "ᵉ" + top
        assert (f"{state}_0 = [{read}ᶠ_3, {read}ᵇ_1]" if both else f"{state}_0 = {read}_3") in formulas
        back = f"∂L/∂{read}ᵇ_1 = ∂L/∂{state}_0[{H + 1}:{2 * H}]" if both else f"∂L/∂{read}_3 = ∂L/∂{state}_0"
        looked = f" + ∂L/∂{read}_1[{H + 1}:{2 * H}]" if both else " + ∂L/∂ε_1[3] · v_1 + α_1[3] · ∂L/∂k_1"
        (line,) = (line for line in formulas if line.startswith(back))
        assert line.startswith(back + looked) if looks else line == back


def test_what_has_more_to_it_is_not_worked_by_hand() -> None:
    for made, problem in (
        (tagger(embedding=8, hidden=2), "18 numbers in a word's features are more"),
        (describer(layers=4), "4 layers are more than can be read by hand: at most 3"),
        (
            translator(bidirectional=True, hidden=5),
            "10 hidden units of the decoder, which has those of both directions",
        ),
    ):
        with pytest.raises(UsageError, match=problem):
            adapter_of(made).by_hand()
    with pytest.raises(UsageError, match="9 timesteps of the source are more"):
        adapter_of(translator()).by_hand("a b " * 4 + "a")


@pytest.mark.parametrize("name", MODELS)
def test_each_line_follows_and_loss_and_gradients_are_those_of_training(name: str) -> None:
    made = MODELS[name]()
    for label in made.labels:
        found = adapter_of(made).by_hand(label=label)
        check_lines(found)
        trained = flow(adapter_of(made).open(None, label))
        assert found.loss == trained.loss
        assert results(found)["L"].item() == pytest.approx(trained.loss, rel=1e-9)
        for parameter, gradient in trained.gradients.items():
            np.testing.assert_allclose(
                joined(found, made, parameter).reshape(gradient.shape), gradient, rtol=1e-9, atol=1e-12
            )
            assert np.abs(gradient).max() > 1e-9, parameter
        assert found.residual < 1e-10


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_the_slopes_of_the_loss(name: str) -> None:
    """Every matrix against differences of the loss, (L(w + d) − L(w − d)) / 2d, number by number."""
    made = MODELS[name]()
    label = made.labels[0]
    found, opened = adapter_of(made).by_hand(label=label), adapter_of(made).open(None, label)

    def loss() -> float:
        return float(opened.network.loss_and_gradients(opened.params, opened.batch)[0])

    for parameter, values in flatten(opened.params):
        numeric = np.zeros_like(values)
        for place in np.ndindex(values.shape):
            kept = values[place]
            values[place] = kept + 1e-6
            above = loss()
            values[place] = kept - 1e-6
            numeric[place] = (above - loss()) / 2e-6
            values[place] = kept
        gradient = joined(found, made, parameter).reshape(values.shape)
        error = np.linalg.norm(gradient - numeric) / np.linalg.norm(numeric)
        assert np.linalg.norm(numeric) > 1e-7, parameter
        assert error < 1e-4 if name in {"nearly sure", "small weights"} else error < 1e-6, parameter


@pytest.mark.parametrize("name", MODELS)
def test_the_step_goes_downhill(name: str) -> None:
    """The matrices at the end, put into the network: the loss falls by about η ‖gradient‖²."""
    made = MODELS[name]()
    made = replace(made, settings=made.settings.replace(lr=1e-5))
    found, opened = adapter_of(made).by_hand(label=made.labels[0]), adapter_of(made).open(None, made.labels[0])
    slope = 0.0
    for parameter, values in flatten(opened.params):
        gradient = joined(found, made, parameter).reshape(values.shape)
        values -= 1e-5 * gradient
        slope += float((gradient**2).sum())
    before, after = found.loss, opened.network.loss_and_gradients(opened.params, opened.batch)[0]
    assert before - after == pytest.approx(1e-5 * slope, rel=0.01)
    # And they are what the lines of the update say: W − η ∂L/∂W.
    old = results(found)
    for step in found.sections[-1].steps:
        assert "←" in step.formula
        np.testing.assert_allclose(step.result, old[step.name] - 1e-5 * old[f"∂L/∂{step.name}"], rtol=1e-13)


@pytest.mark.parametrize(("label", "name"), [("0", "L = log(1 + exp(z))"), ("1", "L = log(1 + exp(−z))")])
def test_a_model_that_is_all_too_sure_is_still_worked_out(label: str, name: str) -> None:
    """ŷ is 1 to the last bit, or nearly: log(1 − ŷ) and 1/(1 − ŷ) would say nothing."""
    for score in (21.0, 30.0, 40.0):
        found = adapter_of(all_too_sure(score)).by_hand("cat mat rat", label)
        assert name in {step.formula for step in found.steps}
        assert results(found)["z"].item() == pytest.approx(score)
        assert results(found)["L"].item() == pytest.approx(found.loss, rel=1e-3)
        assert found.residual < 1e-12
        assert np.isfinite(results(found)["∂L/∂W_h"]).all()
    # The other way round nothing is near 1, and the formula of the notes does.
    found = adapter_of(all_too_sure(-30.0)).by_hand("cat mat rat", label)
    assert "L = −y·log(ŷ) − (1 − y)·log(1 − ŷ)" in {step.formula for step in found.steps}
    assert found.residual < 1e-9


def test_text_and_label_have_the_models_own_as_defaults() -> None:
    made = notes()
    found = adapter_of(made).by_hand()
    assert found.text == TEXT
    (predicted,) = made.predict([TEXT])
    assert found.label == predicted.label
    assert adapter_of(made).by_hand("mat", None).tokens == ("mat",)


def test_an_unknown_word_is_named_as_such() -> None:
    found = adapter_of(notes()).by_hand("cat dog", "0")
    steps = {step.name: step for step in found.steps}
    assert steps["x_2"].label == "dog, which is unknown: its one-hot row"
    assert steps["x_2"].result.tolist() == [[0, 0, 0, 1]]
    assert steps["W_i"].rows == (*WORDS, "<unk>")
    assert steps["∂L/∂W_i"].rows == (*WORDS, "<unk>")
    assert steps["W_h"].rows == ()


def test_notes_say_what_training_does_beside() -> None:
    made = model(batch=1, clip=None, dropout=0, schedule="cosine")
    (kept, beyond, agrees) = adapter_of(made).by_hand(TEXT, "1").notes
    assert adapter_of(made).by_hand(TEXT).notes[3:] == (STRENGTHENS,)
    assert kept == "The step at the end is training's own: plain gradient descent."
    assert beyond == "Beyond what is shown, training changes the learning rate from step to step."
    assert agrees.startswith("Training's own code gives the same loss and gradients")
    other = adapter_of(model(optimizer="adamw", lr=0.005)).by_hand(TEXT)
    assert other.notes[0].endswith("the training itself used adamw.")
    assert results(other)["η"].item() == 0.005
    for word in ("batches of up to 32", "drops 50%", "longer than 1", "learning rate from step"):
        assert word in other.notes[1]


@pytest.mark.parametrize(
    ("chosen", "text", "message"),
    [
        ({"hidden": 9}, TEXT, "9 hidden units"),
        ({"words": tuple(map(str, range(12)))}, TEXT, "13 words in the vocabulary, <unk> included, are more than"),
        ({"input": "embedding", "embedding": 9}, TEXT, "9 numbers in an embedding"),
        ({"labels": tuple(map(str, range(9)))}, TEXT, "9 labels"),
        ({"layers": 4}, TEXT, "4 layers are more"),
    ],
)
def test_what_cannot_be_read_is_refused_with_sizes_and_a_way_out(
    chosen: dict[str, Any], text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        adapter_of(model(**chosen)).by_hand(text)
    assert caught.value.hint is not None
    assert "sample_data/notes.yaml" in caught.value.hint
    assert "--bptt" in caught.value.hint


def test_the_largest_that_can_be_read() -> None:
    made = model(words=tuple("abcdefghijk"), hidden=8, cell="gru", labels=tuple("stuvwxyz"), bias=True)
    found = adapter_of(made).by_hand("a b c d e f g h", "z")
    assert len(found.tokens) == 8
    assert found.residual < 1e-12


def test_other_models_texts_and_labels_are_refused() -> None:
    with pytest.raises(UsageError, match="no timestep"):
        adapter_of(notes()).by_hand("")
    with pytest.raises(UsageError, match="no label '2'"):
        adapter_of(notes()).by_hand(TEXT, "2")


def test_numbers_that_overflow_are_refused() -> None:
    made = model(nonlinearity="relu", hidden=2)
    made.params["encoder"]["0"]["forward"]["weight_ih"][...] = 1e300
    made.params["encoder"]["0"]["forward"]["weight_hh"][...] = 1e300
    with pytest.raises(UsageError, match="no longer finite"):
        adapter_of(made).by_hand(TEXT)


@pytest.mark.parametrize("name", ["notes", "lstm", "embedding"])
def test_it_is_json(name: str) -> None:
    found = adapter_of(MODELS[name]()).by_hand()
    document = json.loads(dumps(found))
    steps = list(itertools.chain.from_iterable(section["steps"] for section in document["sections"]))
    assert len(steps) == len(found.steps)
    for read, step in zip(steps, found.steps, strict=True):
        assert read.keys() == {"label", "name", "formula", "operands", "result", "rows"}
        assert read["result"] == step.result.tolist()
        assert {operand: value.tolist() for operand, value in step.operands.items()} == read["operands"]
    assert document["loss"] == found.loss


STAND_INS: dict[str, Callable[[str], Any]] = {
    "one label": lambda cell: model(cell=cell, layers=2, bidirectional=True, hidden=2, bias=True, readout="mean"),
    "text": lambda cell: reader(cell=cell, hidden=2, bias=False),
    "labels": lambda cell: several(cell=cell, hidden=2, readout="max"),
    "tags": lambda cell: tagger(cell=cell, hidden=2, bidirectional=True),
    "source": lambda cell: translator(cell=cell, attention=True, bidirectional=True, hidden=2),
    "caption": lambda cell: describer(cell=cell, inject="every", hidden=2, layers=2),
}


@pytest.mark.usefixtures("stand_in_cells")
@pytest.mark.parametrize("cell", ["peephole", "sru", "mingru"])
@pytest.mark.parametrize("name", STAND_INS)
def test_a_cell_that_nobody_wrote_a_line_for(name: str, cell: str) -> None:
    """A peephole weight, and cells without recurrent weights: by their reference step alone."""
    made = STAND_INS[name](cell)
    answer = {"one label": "1", "source": "X Y", "caption": "X Y", "tags": "X N N V"}.get(name)
    found = adapter_of(made).by_hand(label=answer)
    assert found.residual < 1e-13
    check_lines(found)
    names = {step.name for step in found.steps}
    marks = re.escape("ᴵᴵᶠ" if name == "one label" else "ᴵᴵ" if name == "caption" else "ᶠ" if name == "tags" else "")
    if cell == "peephole":
        assert any(re.fullmatch(f"∂L/∂p{marks}_o", one) for one in names)
        assert any(step.formula.startswith(f"∂L/∂p{marks}_f(2) = ∂L/∂af{marks}_2 ⊙ c{marks}_") for step in found.steps)
        labels = {step.name: step.label for step in found.steps}
        of_memory = f"∂L/∂c{marks}_1"
        assert labels[of_memory].startswith("by the sums of the output gate, by the state, past the sums of the")
        assert labels[of_memory].endswith("and back through them")
    else:
        letters = {"sru": "nfr", "mingru": "nz"}[cell]
        assert not any(re.fullmatch(f"W{marks}_h[{letters}]", one) for one in names)
        assert any(one.startswith(f"∂L/∂W{marks}_i{letters[0]}(") for one in names)
