"""A model opened up: its layers, its record and its hidden states, on a screen, in a pipe, as JSON and as a picture."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

import rnncli
from rnncli.inspection.adapters import adapter_of
from rnncli.record import Record
from rnncli.render.tables import format_number

TEXT = "good film was zzz"


@pytest.fixture
def model(trained):
    return rnncli.load("runs/latest")


def test_the_model_in_a_pipe(trained):
    result = trained.works("inspect")
    assert result.err == ""
    pairs = dict(row for row in result.rows if len(row) == 2)
    assert pairs["model"] == "runs/reviews-1/model.safetensors"
    assert pairs["labels"] == "neg, pos"
    assert pairs["network"] == "LSTM, 4 units, 1 layer, both directions, max read-out"
    assert pairs["input"] == "embedding over 12 known words and <unk>"
    assert pairs["trained on"] == "8 rows of reviews.csv, seed 0"
    assert pairs["validation"] == "accuracy 0.7500 (bag of words 0.7500, commonest label 0.5000)"
    assert ["embedding/weight", "13 × 3", "39"] in result.rows
    assert ["encoder/0/backward/weight_hh", "4 × 16", "64"] in result.rows
    epochs = [row for row in result.rows if row[0].isdigit()]
    assert [int(row[0]) for row in epochs] == list(range(1, 21))
    assert sum(row[4] == "best" for row in epochs) >= 1


@pytest.mark.parametrize("on_a_terminal", [False, True])
def test_a_blank_line_parts_the_blocks(trained, on_a_terminal):
    if on_a_terminal:
        trained.at_terminal()
    blocks = trained.works("inspect").out.split("\n\n")
    assert len(blocks) == 3
    starts = ("model ", "Layers", "Training") if on_a_terminal else ("model\t", "parameter\t", "epoch\t")
    assert all(block.startswith(start) for block, start in zip(blocks, starts, strict=True))
    assert len(trained.works("inspect", "--timesteps").out.split("\n\n")) == 1


def test_the_model_as_json_agrees_with_python_and_with_the_file(trained, model):
    document = trained.works("inspect", "--json").json
    assert document["settings"] == model.settings.as_dict()
    assert document["labels"] == ["neg", "pos"]
    assert document["vocabulary_size"] == model.input.vocabulary.size == 13
    assert {layer["name"]: tuple(layer["shape"]) for layer in document["layers"]} == model.network.shapes()
    lines = (trained.folder / "runs" / "reviews-1" / "metrics.jsonl").read_text().splitlines()
    kept = [{key: epoch[key] for key in ("epoch", "loss", "validation_accuracy")} for epoch in map(json.loads, lines)]
    recorded = [
        {key: epoch[key] for key in ("epoch", "loss", "validation_accuracy")} for epoch in document["record"]["epochs"]
    ]
    assert recorded == kept[: len(recorded)]
    assert document["example"] == model.example


@pytest.mark.usefixtures("numpy_engine")
def test_the_states_agree_between_pipe_json_terminal_and_python(trained, model):
    expected = adapter_of(model).trace(TEXT)
    rows = trained.works("inspect", "--timesteps", TEXT, "--units", "0-7").rows
    assert rows[0] == ["t", "token", "prediction", "p", "‖h‖", *(f"h{unit}" for unit in expected.units)]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4"]
    assert [row[1] for row in rows[1:]] == ["good", "film", "was <unk>", "zzz <unk>"]
    for row, states, norm in zip(rows[1:], expected.hidden, expected.norm, strict=True):
        assert row[4:] == [format_number(float(value)) for value in (norm, *states)]
    document = trained.works("inspect", "--timesteps", TEXT, "--json").json
    assert document["tokens"] == list(expected.tokens)
    assert document["known"] == [True, True, False, False]
    assert document["units"] == ["→0", "→1", "→2", "→3", "←0", "←1", "←2", "←3"]
    np.testing.assert_array_equal(np.array(document["hidden"], np.float32), expected.hidden)
    np.testing.assert_allclose(document["norm"], np.linalg.norm(expected.hidden, axis=1), rtol=1e-6)
    trained.at_terminal(200)
    shown = trained.works("inspect", "--timesteps", TEXT).out
    assert "6 of 8 units, choose with --units or --top" in shown
    for row in rows[1:]:
        assert all(value in shown for value in row[:10])


@pytest.mark.parametrize("text", ["good", "good film", "so warm and good", "zzz", "not bad at all"])
def test_the_answer_after_the_last_word_is_that_of_predict(trained, text):
    predicted = trained.works("predict", text, "--json").json
    document = trained.works("inspect", "--timesteps", text, "--json").json
    last = dict(zip(document["labels"], document["prefix_probabilities"][-1], strict=True))
    assert last == pytest.approx(predicted["probabilities"], abs=1e-6)
    shown = trained.works("inspect", "--timesteps", text).rows[-1][2:4]
    assert shown == [predicted["label"], f"{predicted['probability']:.4f}"]


def test_each_beginning_is_answered_as_predict_answers_it(trained):
    words = ["so", "cold", "and", "bad"]
    answers = [row[2:4] for row in trained.works("inspect", "--timesteps", " ".join(words)).rows[1:]]
    beginnings = [" ".join(words[: end + 1]) for end in range(len(words))]
    predicted = trained.works("predict", *beginnings, "--json").json_lines
    assert answers == [[answer["label"], f"{answer['probability']:.4f}"] for answer in predicted]


def test_without_a_text_the_models_own_example_is_shown(trained, model, reviews):
    rows = trained.works("inspect", "--timesteps").rows
    assert [row[1] for row in rows[1:]] == model.input.tokenizer.tokens(model.example)
    assert model.example in {row.split(",")[0] for row in reviews.split("\n")}


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        ("0,3-5", ["h→0", "h→3", "h←0", "h←1"]),
        ("→2, ←2", ["h→2", "h←2"]),
        ("7", ["h←3"]),
        ("0-7", ["h→0", "h→1", "h→2", "h→3", "h←0", "h←1", "h←2", "h←3"]),
    ],
)
def test_units_are_chosen_by_number_or_name(trained, units, shown):
    assert trained.works("inspect", "--timesteps", TEXT, "--units", units).rows[0][5:] == shown


def test_top_shows_the_units_that_move_most(trained, model):
    trace = adapter_of(model).trace(TEXT)
    moves = np.abs(np.diff(trace.hidden, axis=0, prepend=0)).mean(axis=0)
    expected = [f"h{trace.units[unit]}" for unit in np.argsort(-moves)[:3]]
    assert trained.works("inspect", "--timesteps", TEXT, "--top", "3").rows[0][5:] == expected


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--units", "8"], "--units 8: the units are 0 to 7"),
        (["--units", "0-99999999"], "--units 0-99999999: the units are 0 to 7"),
        (["--units", "x"], "--units takes numbers like 0,3-5, not 'x'"),
        (["--units", ""], "--units takes numbers like 0,3-5, not ''"),
        (["--units", "→9"], "--units takes numbers like 0,3-5, not '→9'"),
        (["--units", "-1"], "--units takes numbers like 0,3-5, not '-1'"),
        (["--top", "0"], "--top must be at least 1 and at most 8, not 0"),
        (["--top", "9"], "--top must be at least 1 and at most 8, not 9"),
        (["--top", "1", "--units", "1"], "--units and --top are two ways to choose the units: give one of them"),
    ],
)
def test_units_that_do_not_exist_are_refused(trained, arguments, says):
    trained.refuses(2, says, "inspect", "--timesteps", TEXT, *arguments)


def test_what_only_timesteps_has_is_refused_without_it(trained):
    trained.refuses(2, ["a text is given, and no view of it", "add --timesteps"], "inspect", "good")
    for option in ("--top", "--units"):
        says = ["--units and --top choose among hidden states, which are not shown", "add --timesteps"]
        trained.refuses(2, says, "inspect", option, "1")


def test_a_text_without_tokens_has_no_timestep(trained):
    for text in ("", "  "):
        trained.refuses(2, "the text is empty: there is no timestep to show", "inspect", "--timesteps", text)
    trained.refuses(2, "the text has no words: there is no timestep to show", "inspect", "--timesteps", "<br>")


def test_a_model_put_together_in_python_has_no_record_and_can_be_opened(trained, model):
    replace(model, record=Record(), example="").save("bare.safetensors")
    result = trained.works("inspect", "--model", "bare.safetensors")
    assert "trained on" not in result.out
    assert "epoch\tloss" not in result.out
    assert ["output/weight", "8 × 1", "8"] in result.rows


# --- the picture ----------------------------------------------------------------------------------------------------


def test_the_picture_is_xml_without_scripts_or_references(trained):
    for arguments in (["--timesteps", "<script> & ]]> 'onload=x' \x1b[31m"], []):
        result = trained.works("inspect", *arguments, "--svg", "s.svg", "--force")
        assert "picture written to s.svg" in result.err
        text = (trained.folder / "s.svg").read_text("utf-8")
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        for element in root.iter():
            assert element.tag.rpartition("}")[2] not in {"script", "image", "a", "foreignObject", "use"}
            assert not any("href" in name or name.startswith("on") for name in element.attrib)
        assert "\x1b" not in text
        assert "@import" not in text
        assert text.count("http") == text.count("http://www.w3.org/2000/svg")
    assert "Hidden" not in text
    assert "Layers" in "".join(root.itertext())


def test_the_picture_shows_the_numbers_of_the_table(trained):
    rows = trained.works("inspect", "--timesteps", TEXT, "--units", "0,1", "--svg", "s.svg").rows
    drawn = "".join(ET.parse(trained.folder / "s.svg").getroot().itertext()).replace("\xa0", " ")
    for row in rows[1:]:
        assert all(value in drawn for value in row[1:])
    first = (trained.folder / "s.svg").read_bytes()
    trained.works("inspect", "--timesteps", TEXT, "--units", "0,1", "--svg", "t.svg")
    assert (trained.folder / "t.svg").read_bytes() == first


@pytest.mark.parametrize(("option", "name", "begins"), [("--svg", "x.svg", "<svg"), ("--html", "x.html", "<!DOCTYPE")])
def test_a_picture_and_a_page_never_replace_a_file_unasked(trained, option, name, begins):
    trained.write(name, "mine")
    for more in (["--timesteps"], ["--json"], []):
        trained.refuses(2, [f"{name} exists already", "overwrite it with --force"], "inspect", *more, option, name)
    trained.refuses(2, "runs is a directory", "inspect", option, "runs", "--force")
    trained.refuses(2, " is a directory", "inspect", option, "", "--force")
    model = "runs/latest/model.safetensors"
    trained.refuses(2, f"{model} is also the input", "inspect", option, model, "--force")
    trained.works("inspect", option, name, "--force")
    assert (trained.folder / name).read_text("utf-8").startswith(begins)


@pytest.mark.parametrize(("option", "name", "what"), [("--svg", "x.svg", "picture"), ("--html", "x.html", "page")])
def test_a_picture_and_a_page_that_cannot_be_written_are_said_so(trained, option, name, what):
    result = trained("inspect", option, f"none/{name}")
    assert result.code == 5
    assert f"rnncli: none/{name} cannot be written: No such file or directory" in result.err
    assert f"{what} written" not in result.err
    result = trained("inspect", option, "/dev/full", "--force")
    assert (result.code, "not a regular file" in result.err) == (5, True)


@pytest.mark.parametrize(("width", "units"), [("200", 6), ("64", 3), ("50", 1)])
def test_units_that_nobody_has_chosen_are_as_many_as_fit(trained, terminal, monkeypatch, width, units):
    monkeypatch.setenv("COLUMNS", width)
    shown = trained.works("inspect", "--timesteps", "good film").out
    (header,) = [line for line in shown.split("\n") if "token" in line]  # one block
    assert sum(word.startswith("h") for word in header.split()) == units
    assert f"{units} of 8 units" in " ".join(shown.split())
    chosen = trained.works("inspect", "--timesteps", "good film", "--top", 6).out
    assert len(set(re.findall("h[→←][0-9]", chosen))) == 6  # those that were asked for go on below
