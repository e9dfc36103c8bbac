"""``inspect --gates``, ``--bptt``, ``--memory``, ``--why`` and ``--check-gradients`` on the command line."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rnncli
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.check import check_gradients
from rnncli.inspection.flow import flow
from rnncli.inspection.memory import memory
from rnncli.inspection.terms import terms

TEXT = "good film was zzz"
LOOKS = ("--gates", "--bptt", "--memory", "--why", "--check-gradients")


@pytest.fixture
def model(trained):
    return rnncli.load("runs/latest")


def test_gates_in_a_pipe_have_every_digit_asked_for(trained, model):
    blocks = trained.works("inspect", "--gates", TEXT, "--units", "1,3").out.split("\n\n")
    cells = flow(adapter_of(model).open(TEXT)).cells
    assert len(blocks) == len(cells) == 2
    for block, cell in zip(blocks, cells, strict=True):
        header, *rows = [line.split("\t") for line in block.strip("\n").split("\n")]
        assert header[:2] == ["t", "timestep"]
        assert header[2:8] == ["‖h‖", "‖c‖", "mean i", "mean f", "mean g", "mean o"]
        assert header[8:] == [f"{name}{unit}" for unit in (1, 3) for name in "hcifgo"]
        assert [row[1] for row in rows] == TEXT.split()
        for t, row in enumerate(rows):
            assert float(row[header.index("f3")]) == pytest.approx(cell.values["f"][t, 3], abs=5e-5)


def test_gates_as_json_recompute_the_memory(trained):
    forward, backward = trained.works("inspect", "--gates", TEXT, "--json").json
    assert (forward["direction"], backward["direction"]) == ("→", "←")
    for layer, order in ((forward, range(4)), (backward, range(3, -1, -1))):
        c = np.array(layer["initial"]["c"])
        values = {name: np.array(value) for name, value in layer["values"].items()}
        for t in order:
            c = values["f"][t] * c + values["i"][t] * values["g"][t]
            assert c.tolist() == layer["values"]["c"][t]


def test_a_map_has_a_row_for_each_unit(trained, model):
    out = trained.works("inspect", "--gates", TEXT, "--map", "--top", "2").out
    blocks = out.split("\n\n")
    assert len(blocks) == 12  # six values, two directions
    header, *rows = [line.split("\t") for line in blocks[0].strip("\n").split("\n")]
    assert header == ["", *TEXT.split()]
    cell = flow(adapter_of(model).open(TEXT)).cells[0]
    for name, *values in rows:
        assert [float(value) for value in values] == cell.values["h"][:, int(name)].tolist()


def test_bptt_ends_with_trainings_gradient(trained, model):
    document = trained.works("inspect", "--bptt", TEXT, "--json", "--full").json
    seen = flow(adapter_of(model).open(TEXT))
    for found, name in zip(document["terms"], ("weight_ih", "weight_hh"), strict=True):
        parameter = f"encoder/0/forward/{name}"
        assert found["parameter"] == parameter
        assert found["residual"] <= 1e-12
        total = np.sum([np.array(term["term"]) for term in found["terms"]], axis=0)
        assert np.abs(total - seen.gradients[parameter]).max() <= 1e-12
        assert [term["norm"] for term in found["terms"]] == terms(seen, parameter).norms.tolist()
    assert document["chain"]["factors"][0]["written"] == "∂L/∂z"


def test_bptt_of_another_parameter_and_answer(trained):
    rows = trained.works("inspect", "--bptt", TEXT, "--param", "embedding/weight", "--answer", "neg").out
    lines = [line.split("\t") for line in rows.split("\n\n")[0].strip().split("\n")]
    assert [line[1] for line in lines[1:]] == [*TEXT.split(), "the whole"]
    assert float(lines[-1][3]) == pytest.approx(1)


def test_memory_beside_another_run(trained, model):
    trained.works("train", "reviews.csv", "--cell", "rnn", "--hidden", "4", "--epochs", "1", "--name", "plain")
    document = trained.works("inspect", "-m", "reviews-1", "--memory", TEXT, "--compare", "plain", "--json").json
    assert [one["kind"] for one in document.values()] == ["LSTM", "RNN"]
    assert document["reviews-1"]["norms"] == memory(flow(adapter_of(model).open(TEXT)).cell()).states[0].norms.tolist()
    header = trained.works("inspect", "-m", "reviews-1", "--memory", TEXT, "--compare", "plain").out.split("\n")[0]
    assert header.split("\t")[2::2] == ["reviews-1: LSTM's c", "plain: RNN's h"]


def test_memory_beside_a_run_whose_steps_are_something_else(trained, tiny):
    trained.works("train", "reviews.csv", "--tokens", "char", *tiny, "--name", "letters")
    trained.works("train", trained.write("sea.txt", "the bell and the sea\n" * 40), *tiny, "--name", "sea")
    asked = ("inspect", "-m", "reviews-1", "--memory", TEXT, "--gates", "--compare")
    says = ["reviews-1 goes by words, and letters by chars: a step back", "compare it with a run that goes by words"]
    trained.refuses(2, says, *asked, "letters")
    says = ["reviews-1 is of the task classify, and sea of the task lm", "compare it with a run that is of the task"]
    trained.refuses(2, says, *asked, "sea", "--json")


def test_every_row_of_why_is_what_predict_says(trained):
    found = trained.works("inspect", "--why", TEXT, "--json").json
    for text, effect in zip(found["deleted_texts"], found["deleted"], strict=True):
        told = trained.works("predict", text, "--json").json
        p = told["probabilities"][found["answer"]]
        assert effect == pytest.approx(found["score"] - np.log(p / (1 - p)), abs=1e-4)  # predict counts in float32


def test_gradients_are_checked(trained, model):
    found = trained.works("inspect", "--check-gradients", TEXT, "--json").json
    assert found["passed"] is True
    assert found["worst"]["worst"] == check_gradients(adapter_of(model).open(TEXT)).worst.worst


def test_a_wrong_gradient_ends_with_exit_code_1(trained, monkeypatch):
    from rnncli.tasks.classify.network import Classifier

    right = Classifier.backward

    def wrong(self, params, cache, d_logits):
        grads = right(self, params, cache, d_logits)
        grads["output"]["weight"][2, 0] += 1e-3
        return grads

    monkeypatch.setattr(Classifier, "backward", wrong)
    result = trained("inspect", "--check-gradients", TEXT)
    assert result.code == 1
    assert "output/weight" in result.out
    assert "[2,0]" in result.out
    assert "the loss is of the label pos (the model's own prediction)" in result.err.split("\n")[0]
    assert (
        result.err.split("\n", 1)[1]
        == "rnncli: the check has failed: see above\n  please report it, with the model and the text\n"
    )


def test_a_map_as_a_picture(trained):
    import xml.etree.ElementTree as ET

    trained.works("inspect", "--gates", TEXT, "--map", "--top", "2", "--svg", "map.svg")
    root = ET.fromstring((trained.folder / "map.svg").read_text())
    texts = "".join(root.itertext())
    assert "h of encoder/0/forward →, 2 of 4 units" in texts.replace("\xa0", " ")
    refused = trained("inspect", "--by-hand", TEXT, "--svg", "hand.svg")
    assert refused.code == 2
    assert not (trained.folder / "hand.svg").exists()


def test_one_example_by_hand(cli):
    cli.write("notes.csv", "text,label\ncat mat rat,1\nrat rat mat,1\nmat mat cat,0\n")
    small = ["--cell", "rnn", "--hidden", "2", "--no-bidirectional", "--readout", "last", "--input", "onehot"]
    small += ["--no-bias", "--dropout", "0", "--min-count", "1", "--validation", "0", "--optimizer", "sgd"]
    cli.works("train", "notes.csv", *small, "--epochs", "2", "--batch", "3")
    out = cli.works("inspect", "--by-hand", "cat mat rat", "--answer", "1").out
    assert out.startswith("By hand: cat mat rat, with the label 1 (given with --answer)\n")
    for formula in (
        "a_2 = x_2·W_i + o_1·W_h",
        "∂L/∂W_h = ∂L/∂W_h(1) + ∂L/∂W_h(2) + ∂L/∂W_h(3)",
        "W_o ← W_o − η · ∂L/∂W_o",
    ):
        assert formula in out
    assert "\\begin{pmatrix}" in cli.works("inspect", "--by-hand", "cat mat rat", "--as", "latex").out
    assert cli.works("inspect", "--by-hand", "cat mat rat", "--as", "markdown").out.startswith("#")
    assert "sections" in cli.works("inspect", "--by-hand", "cat mat rat", "--json").json
    cli.refuses(2, "--as pdf: the forms are text, markdown, latex", "inspect", "--by-hand", "--as", "pdf")
    cli.refuses(2, "--as is a form of --by-hand, and --json", "inspect", "--by-hand", "--as", "latex", "--json")
    cli.refuses(2, "--svg draws tables, and --by-hand has none", "inspect", "--by-hand", "--svg", "x.svg")
    assert not (cli.folder / "x.svg").exists()


def test_a_small_model_of_the_usual_kind_by_hand(cli):
    """Both directions, an embedding, the largest of each unit: what train makes where nothing else is asked for."""
    cli.write("notes.csv", "text,label\ncat mat rat,1\nrat rat mat,1\nmat mat cat,0\n")
    small = ["--hidden", "2", "--embedding", "2", "--min-count", "1", "--validation", "0", "--epochs", "2"]
    cli.works("train", "notes.csv", *small)
    out = cli.works("inspect", "--by-hand", "cat mat rat").out
    for formula in (
        "    h_t = [hᶠ_t, hᵇ_t]\n",
        "p = max(h_1, h_2, h_3)    the largest value of each unit",
        "∂L/∂Wᵇ_ho(2) = hᵇ_3ᵀ · ∂L/∂aoᵇ_2",
    ):
        assert formula in out


def test_several_views_at_once(trained):
    document = trained.works("inspect", *LOOKS, "--timesteps", TEXT, "--json").json
    assert list(document) == ["timesteps", "gates", "bptt", "memory", "why", "check_gradients"]
    assert len(trained.works("inspect", *LOOKS, TEXT).out.split("\n\n")) >= 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--param", "output/weight"], "--param is for --bptt, which is not shown"),
        (["--compare", "latest"], "--compare is for --memory, which is not shown"),
        (
            ["--full"],
            "--full is for --gates, --bptt, --memory, --why, --check-gradients, --doctor, --diff and --activations",
        ),
        (["--map"], "--map is for --gates and --bptt"),
        (["--answer", "pos"], "--answer is for --gates, --bptt, --memory, --why, --by-hand and --check-gradients"),
        (["--memory", TEXT, "--compare", "latest"], "--compare latest: that is the model itself"),
        (["--memory", "--units", "1"], "--units and --top choose among hidden states, which are not shown"),
        (["--gates", "--units", "9", TEXT], "--units 9: the units are 0 to 3"),
        (["--gates", "--top", "9", TEXT], "--top must be at least 1 and at most 4, not 9"),
        (["--why", TEXT, "--answer", "possitive"], "the model knows no label 'possitive'"),
        (["--bptt", TEXT, "--param", "weight"], "there is no parameter 'weight'"),
        (["--bptt", ""], "the text is empty: there is no timestep to show"),
        (["--why", "<br>"], "the text has no words: there is no timestep to show"),
    ],
)
def test_what_does_not_go_together(trained, words, message):
    assert message in trained("inspect", *words).err


HOSTILE = "good [/] \x1b[31mfilm \u202e <script>alert(1)</script> was"


@pytest.mark.parametrize("look", LOOKS)
def test_hostile_text_is_inert(trained, look):
    for options in ([], ["--json"], *([["--map"]] if look == "--gates" else [])):
        out = trained.works("inspect", look, HOSTILE, *options).out
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", out)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_on_a_terminal_nothing_is_wider_than_it(trained, look, width):
    trained.at_terminal(width)
    from rich.cells import cell_len

    for options in ([], *([["--map"]] if look == "--gates" else [])):
        out = trained.works("inspect", look, TEXT, *options).out
        assert max(map(cell_len, out.split("\n"))) <= int(width)


def test_a_long_text_without_its_words_is_not_repeated(trained):
    for words in (TEXT.split(), ["good"] * 200):
        found = trained.works("inspect", "--why", " ".join(words), "--json").json
        said = trained.works("inspect", "--why", " ".join(words)).err
        if not found["flip_explains"]:  # nothing turns it round, or only leaving most of it out, which says nothing
            assert "the same without them" not in said
        elif len(found["flip_text"]) <= 500:
            assert f"the same without them: {found['flip_text']}" in said
        else:
            assert "the same without them is flip_text of --json" in said


@pytest.mark.parametrize("look", ["--timesteps", "--gates", "--memory"])
def test_what_is_not_read_of_a_long_text_is_said(trained, look):
    said = trained.works("inspect", look, "good film " * 200).err
    assert "only the 256 words at either end are read: 144 in the middle are left out" in said
    assert "left out" not in trained.works("inspect", look, TEXT).err


WRONG = "text,label\ncat mat rat,1\nrat rat mat,1\nmat mat cat,0\nmat cat cat,0\n"
SMALL = ["--cell", "rnn", "--hidden", "2", "--no-bidirectional", "--readout", "last", "--input", "onehot"]
SMALL += ["--dropout", "0", "--min-count", "1", "--validation", "0", "--epochs", "0"]
ROW, CLOSED = "mat mat cat", "the model predicts the label 1"
BY_HAND = ("By hand: mat mat cat, with the label 0 (line 4 of notes.csv)", "# By hand: mat mat cat, with the label 0")


@pytest.fixture
def wrong(cli):
    """An untrained model, which answers at least one of the rows wrongly: that one is asked about."""
    cli.write("notes.csv", WRONG)
    for seed in range(20):
        cli.works("train", "notes.csv", *SMALL, "--seed", seed, "--name", f"n{seed}")
        if cli.works("predict", ROW).out.startswith("1"):
            return cli
    raise AssertionError("every seed has it right")


LOSSES = ("--bptt", "--memory", "--by-hand", "--check-gradients")


def test_the_loss_of_a_row_that_is_answered_wrongly_is_of_its_own_label(wrong):
    """The step that is shown weakens the error, whichever view shows it."""
    said = f"the loss is of the label 0 (line 4 of notes.csv); {CLOSED}"
    asked = wrong.works("inspect", "--bptt", ROW, "--json").json["terms"][0]
    assert (asked["answer"], asked["label_from"]) == ("the label 0", "line 4 of notes.csv")
    assert asked["loss"] > np.log(2)
    (of_memory,) = wrong.works("inspect", "--memory", ROW, "--json").json
    check = wrong.works("inspect", "--check-gradients", ROW, "--json").json["check"]
    by_hand = wrong.works("inspect", "--by-hand", ROW, "--json").json
    page = wrong.works("inspect", ROW, "--html", "p.html", "--json").json
    for one in (of_memory, check, by_hand, page["terms"][0]):
        assert (one["answer"], one["label_from"], one["loss"]) == ("the label 0", "line 4 of notes.csv", asked["loss"])
    assert page["reasons"]["answer"] == "1"  # what is explained is the prediction
    assert {one["label_remark"] for one in (asked, of_memory, check, by_hand, page["terms"][0])} == {""}
    assert "the label 0 (line 4 of notes.csv)" in (wrong.folder / "p.html").read_text()
    for look in LOSSES:
        assert said in wrong.works("inspect", look, ROW).err
    assert said in wrong.works("inspect", ROW, "--html", "p.html", "--force").err
    for form, head in (("text", BY_HAND[0]), ("markdown", BY_HAND[1]), ("latex", "(line 4 of notes.csv)")):
        assert head in wrong.works("inspect", "--by-hand", ROW, "--as", form).out
    steps = {step["name"]: np.array(step["result"]) for section in by_hand["sections"] for step in section["steps"]}
    assert steps["y"].item() == 0


def test_both_models_that_are_compared_have_the_same_label(wrong):
    wrong.works("train", "notes.csv", *SMALL[:-1], "9", "--lr", "0.1", "--name", "other")
    document = wrong.works("inspect", "-m", "n0", "--memory", ROW, "--compare", "other", "--json").json
    assert [one["answer"] for one in document.values()] == ["the label 0"] * 2


def test_without_a_row_the_label_is_the_prediction_and_is_said_to_be(wrong):
    err = wrong.works("inspect", "--bptt", "cat cat").err
    said = (
        "(the model's own prediction): the input is not a row of its training data, notes.csv; --answer gives the true"
    )
    assert said in err
    reason = "the input is not a row of its training data, notes.csv"
    documents = [wrong.works("inspect", look, "cat cat", "--json").json for look in LOSSES]
    terms, memory, by_hand, check = documents[0]["terms"][0], documents[1][0], documents[2], documents[3]["check"]
    assert [one["label_remark"] for one in (terms, memory, by_hand, check)] == [reason] * 4
    assert "strengthens it, whether it is right or wrong" in wrong.works("inspect", "--by-hand", "cat cat").out
    assert "given with --answer" in wrong.works("inspect", "--bptt", ROW, "--answer", "1").err
    (wrong.folder / "notes.csv").unlink()
    assert "are no longer where they were" in wrong.works("inspect", "--bptt", ROW).err
