"""inspect beside data: --doctor, --diff and --fires, on a screen, in a pipe, as JSON, and what is refused."""

from __future__ import annotations

import json
import shlex
import shutil
from typing import Any

import pytest

import rnncli
from rnncli.data.dataset import Source
from rnncli.data.opening import read_dataset
from rnncli.inspection.activations.units import top_activations, units_of_labels
from rnncli.inspection.difference.inputs import difference
from rnncli.inspection.doctor.diagnosis import examine
from rnncli.render.json_out import dumps

HOSTILE = ("[/]", "\x1b[31m", "\u202e")
ODD = 'text,label\n"[/] good \x1b[31m \u202e","[/]\x1b[31m"\n"good \u202e film [/]","\u202ebad"\n'


@pytest.fixture
def model(trained: Any) -> Any:
    return rnncli.load("runs/latest")


def plain(value: Any) -> Any:
    return json.loads(dumps(value))


def data(name: str = "reviews.csv") -> Any:
    return read_dataset(Source(name, label="label"))


# --- the doctor ------------------------------------------------------------------------------------------------------


def test_the_doctor_says_what_python_says(trained: Any, model: Any) -> None:
    document = trained.works("inspect", "--doctor", "reviews.csv", "--json").json
    found = examine(model, data())
    assert document["checks"] == plain(found.document())["checks"]
    assert [one["name"] for one in document["findings"]] == [one.name for one in found.findings]
    rows = trained.works("inspect", "--doctor", "reviews.csv").rows
    assert ["looked at", "12 rows; predictions for 12, layers for 12"] in rows
    names = {check.name for check in found.checks}
    assert names <= {row[0] for row in rows}


def test_what_the_doctor_says_to_try_can_be_run(trained: Any) -> None:
    """Every command, from a run with its settings and from a bare file without."""
    lines = [f"zyx {k} vut {text},{label}" for k in range(6) for text, label in (("good", "pos"), ("bad", "neg"))]
    trained.write("new data.csv", "text,label\n" + "\n".join([*lines, *lines, "zyx 0 vut good,neg"]) + "\n")
    shutil.copy("runs/reviews-1/model.safetensors", "bare.safetensors")
    seen = []
    for name in ("latest", "bare.safetensors"):
        document = trained.works("inspect", "--doctor", "new data.csv", "-m", name, "--json").json
        for finding in document["findings"]:
            command = shlex.split(finding["command"])
            assert command[0] == "rnncli"
            if command[1] == "train":
                assert ("--config" in command) is (name == "latest")
                assert ("--epochs" in finding["command"]) is (finding["name"] == "too few epochs")
                command += ["--epochs", "1", "--name", f"again-{len(seen)}"]
            else:
                assert ("runs/reviews-1" if name == "latest" else name) in command
            trained.works(*command[1:])
            seen.append((command[1], finding["name"]))
    assert ("train", "unknown words") in seen
    assert {("inspect", "duplicates"), ("inspect", "label noise")} <= set(seen)


def test_the_rows_behind_a_finding_come_with_full(trained: Any) -> None:
    trained.write("twice.csv", "text,label\ngood fun,pos\ngood fun,neg\nbad noise,neg\n")
    short = trained.works("inspect", "--doctor", "twice.csv")
    assert "--full shows the" in short.err
    assert "as line" not in short.out
    rows = trained.works("inspect", "--doctor", "twice.csv", "--full").rows
    assert ["label noise", "2", "3", "pos", "good fun"] in rows
    assert ["label noise", "3", "2", "neg", "good fun"] in rows
    assert "evidence" not in trained.works("inspect", "--doctor", "twice.csv", "--json").json
    document = trained.works("inspect", "--doctor", "twice.csv", "--json", "--full").json
    assert {(one["line"], one["other"]) for one in document["evidence"]} == {(2, 3), (3, 2)}


def test_a_mistyped_label_is_found_by_the_command_that_is_said_to_try(trained: Any) -> None:
    trained.write("typed.csv", "text,label\ngood fun,pos\ngood film,Pos\nbad noise,neg\n")
    document = trained.works("inspect", "--doctor", "typed.csv", "--json").json
    (found,) = [one for one in document["findings"] if one["name"] == "unknown labels"]
    assert found["number"] == pytest.approx(1 / 3)
    assert found["sentence"].endswith("most often 'Pos' (1); did you mean 'pos'?")
    command = shlex.split(found["command"])[1:]
    assert ["unknown labels", "3", "-", "Pos", "good film"] in trained.works(*command).rows
    (row,) = [one for one in trained.works(*command, "--json").json["evidence"] if one["name"] == "unknown labels"]
    assert (row["line"], row["other"]) == (3, None)


def test_the_doctor_reads_data_as_it_is_told_to_and_says_so_again(trained: Any) -> None:
    trained.write("odd.tsv", "a b\tb\nzyx vut\tpos\nzyx wvu\tneg\n")
    reading = ["--format", "tsv", "--text", "a b", "--label", "b"]
    document = trained.works("inspect", "--doctor", "odd.tsv", *reading, "--json").json
    (command,) = [one["command"] for one in document["findings"] if one["name"] == "unknown words"]
    assert command.startswith("rnncli train odd.tsv --text 'a b' --label b --format tsv --config runs/reviews-1/")
    trained.refuses(
        3, "the text is empty", "inspect", "--doctor", trained.write("e.csv", "text,label\n,pos\ngood,neg\n")
    )
    result = trained.works("inspect", "--doctor", "e.csv", "--skip-bad")
    assert "1 bad record was left out" in result.err


def test_the_doctor_takes_stdin(trained: Any, reviews: str) -> None:
    document = trained.works("inspect", "--doctor", "-", "--json", stdin=reviews.encode()).json
    assert document["rows"] == 12


# --- two models ------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(trained: Any) -> Any:
    trained.works("train", "reviews.csv", "--config", "runs/reviews-1/config.yaml", "--seed", "1", "--name", "other")
    return trained


@pytest.mark.usefixtures("numpy_engine")
def test_the_difference_on_a_text(two: Any) -> None:
    text = "so warm and good"
    models = rnncli.load("runs/reviews-1"), rnncli.load("runs/other")
    expected = difference(*models, text, ("reviews-1", "other"))
    document = two.works("inspect", text, "-m", "reviews-1", "--diff", "other", "--json").json
    assert document == plain(expected.document())
    rows = two.works("inspect", text, "-m", "reviews-1", "--diff", "runs/other").rows
    assert ["reviews-1 answers", expected.answers[0]] in rows
    table = [row for row in rows if row[0].isdigit() and row[1] == "warm" and len(row) == 7]
    assert [row[2] for row in table] == [expected.predictions[0][1]]
    assert table[0][6] == f"{expected.change[1]:.4f}"
    assert ["layer", "cell", "value", "mean |Δ|", "most of all", "its mean |Δ|"] in rows
    assert two.works("inspect", "-m", "reviews-1", "--diff", "other").rows[0][0] == "reviews-1 answers"


def test_the_difference_on_a_file_with_and_without_labels(two: Any) -> None:
    document = two.works("inspect", "-m", "reviews-1", "--diff", "other", "--data", "reviews.csv", "--json").json
    assert document["rows"] == 12
    assert sum(document["right"].values()) == 12
    told = [two.works("predict", "reviews.csv", "-m", name, "--json").json_lines for name in ("reviews-1", "other")]
    assert document["differ"] == sum(a["label"] != b["label"] for a, b in zip(*told, strict=True))
    two.write("lines.txt", "good film\n\nbad film\n")
    document = two.works("inspect", "-m", "reviews-1", "--diff", "other", "--data", "lines.txt", "--json").json
    assert (document["rows"], document["right"]) == (3, None)
    rows = two.works("inspect", "-m", "reviews-1", "--diff", "other", "--data", "reviews.csv").rows
    assert ["line", "truth", "reviews-1", "p", "other", "p", "change", "text"] in rows


def test_the_difference_of_two_epochs(trained: Any) -> None:
    trained.works("train", "reviews.csv", "--config", "runs/reviews-1/config.yaml", "--keep-epochs", "--name", "kept")
    last = len(rnncli.load("runs/kept").record.epochs)
    document = trained.works("inspect", "so good", "-m", "kept@0", "--diff", f"kept@{last}", "--json").json
    assert document["names"] == ["kept@0", f"kept@{last}"]
    models = [rnncli.load(f"runs/kept/epochs/{epoch}.safetensors") for epoch in (0, last)]
    for model, probabilities in zip(models, document["probabilities"], strict=True):
        assert probabilities[-1] == pytest.approx(model.predict(["so good"])[0].probability, rel=1e-6)
    assert abs(document["change"][-1]) > 0.1
    assert all(change > 0 for layer in document["layers"] for change in layer["mean_change"].values())
    own = rnncli.load("runs/kept").record.epochs
    for epoch in (1, last):
        rows = trained.works("inspect", "-m", f"kept@{epoch}").rows
        (said,) = [row[1] for row in rows if row[0] == "validation"]
        assert said.startswith(f"accuracy {own[epoch - 1].validation_accuracy:.4f}")
    assert not [row for row in trained.works("inspect", "-m", "kept@0").rows if row[0] == "validation"]
    says = ["runs/kept has no model of epoch 99", f"there are those of 0 to {last}"]
    trained.refuses(5, says, "inspect", "-m", "kept@99")
    trained.refuses(5, "keeps no models of single epochs", "predict", "so good", "-m", "reviews-1@1")


def test_the_same_model_by_another_name_is_no_other(trained: Any) -> None:
    for name in ("latest", "reviews-1", "runs/reviews-1", "runs/reviews-1/model.safetensors"):
        trained.refuses(2, f"--diff {name}: that is the model itself", "inspect", "so good", "--diff", name)
        trained.refuses(2, f"--compare {name}: that is", "inspect", "--memory", "so good", "--compare", name)


def test_the_doctor_goes_on_naming_the_model_of_an_epoch(trained: Any) -> None:
    """By its run, whose settings it has; ``latest`` is another run after the training that is proposed."""
    settings = ["--config", "runs/reviews-1/config.yaml", "--keep-epochs", "--name", "epochs"]  # no easy name
    trained.works("train", "reviews.csv", *settings, "--lr", "0.0000001", "--epochs", "2")
    trained.write("odd.csv", "text,label\n" + "a good film,pos\n" * 9 + "a bad film,NEG\n")
    for name, called in (("latest", "runs/epochs"), ("latest@1", "runs/epochs@1"), ("epochs@1", "epochs@1")):
        document = trained.works("inspect", "-m", name, "--doctor", "odd.csv", "--json").json
        commands = {one["name"]: one["command"] for one in document["findings"]}
        assert commands["unknown labels"] == f"rnncli inspect --model {called} --doctor odd.csv --full"
        entropy = commands["loss at the label entropy"]
        assert entropy.startswith("rnncli train odd.csv --config runs/epochs/config.yaml")


# --- a unit ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("numpy_engine")
@pytest.mark.parametrize(("unit", "number"), [("2", 2), ("→2", 2), ("←1", 5), ("7", 7)])
def test_a_unit_by_number_and_by_name(trained: Any, model: Any, unit: str, number: int) -> None:
    document = trained.works("inspect", "--fires", unit, "--data", "reviews.csv", "--json").json
    assert document == plain(top_activations(model, [data()], number))
    rows = trained.works("inspect", "--fires", unit, "--data", "reviews.csv").rows
    assert rows[0][:2] == ["unit", f"{document['unit']}, of 8 in the topmost layer"]
    best = document["most"][0]
    assert rows[5] == [f"{best['value']:.4f}", str(best["line"]), best["label"], rows[5][3]]
    assert f"[{best['token']}]" in rows[5][3]


@pytest.mark.usefixtures("numpy_engine")
def test_the_units_of_labels(trained: Any, model: Any) -> None:
    document = trained.works("inspect", "--fires", "all", "--data", "reviews.csv", "--json").json
    assert document == plain(units_of_labels(model, [data()]).document())
    rows = trained.works("inspect", "--fires", "all", "--data", "reviews.csv").rows
    assert rows[0] == ["label", "rows", "unit", "r of its maximum", "r of its mean"]
    assert len(rows) == 7
    assert len(trained.works("inspect", "--fires", "all", "--data", "reviews.csv", "--full").rows) == 17


def test_a_file_longer_than_a_chunk(trained: Any, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnncli.tasks.model.CHUNK", 5)
    document = trained.works("inspect", "--fires", "0", "--data", "reviews.csv", "--json").json
    assert document["texts"] == 12
    assert [one["line"] for one in document["most"]] == [one.line for one in top_activations(model, [data()], 0).most]


@pytest.mark.parametrize("unit", ["8", "→4", "x", "", "-1", "99999999999"])
def test_units_that_do_not_exist_are_refused(trained: Any, unit: str) -> None:
    says = [f"--activations {unit}: the units are →0 to ←3", "or all"]
    trained.refuses(2, says, "inspect", "--fires", unit, "--data", "reviews.csv")


# --- what is refused, and what is hostile ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data", "reviews.csv"], ["of --doctor, --diff and --activations", "add one of these"]),
        (["--label", "label"], "of --doctor, --diff and --activations"),
        (["--timesteps", "--skip-bad"], ["--skip-bad is for the data file", "of --doctor, --diff and --activations"]),
        (["--fires", "0"], ["--activations reads a file, and none is given", "name it: --data FILE"]),
        (["--doctor", "reviews.csv", "--data", "reviews.csv"], "--doctor takes its file itself"),
        (["--doctor", "reviews.csv", "--fires", "0"], "--doctor is shown alone"),
        (["--doctor", "reviews.csv", "--why"], "--doctor is shown alone"),
        (["--diff", "latest", "--timesteps"], "--diff is shown alone"),
        (["good", "--doctor", "reviews.csv"], "--doctor reads a file here, and a text is given too"),
        (["good", "--diff", "latest", "--data", "reviews.csv"], "--diff reads a file here, and a text is given too"),
        (["--diff", "latest", "--label", "label"], ["--label says how a file is read", "add --data FILE"]),
        (["--doctor", "reviews.csv", "--map"], "--map and --answer are not for --doctor"),
        (["--diff", "latest", "--answer", "pos"], "--map and --answer are not for --diff"),
        (["--doctor", "reviews.csv", "--units", "1"], "--units and --top choose among hidden states"),
    ],
)
def test_what_does_not_go_together_is_refused(trained: Any, arguments: list[str], says: str | list[str]) -> None:
    trained.refuses(2, says, "inspect", *arguments)


def test_what_is_not_there_is_refused(trained: Any) -> None:
    trained.refuses(5, "none.csv", "inspect", "--doctor", "none.csv")
    trained.refuses(5, "there is no run 'none'", "inspect", "--diff", "none")
    trained.refuses(5, "none.csv", "inspect", "--fires", "0", "--data", "none.csv")
    says = "--label: there is no column 'x'"
    trained.refuses(3, says, "inspect", "--fires", "0", "--data", "reviews.csv", "--label", "x")
    trained.refuses(
        2,
        "there is no label that the model knows",
        "inspect",
        "--fires",
        "all",
        "--data",
        trained.write("a.txt", "a\n"),
    )


@pytest.mark.usefixtures("terminal")
def test_hostile_texts_and_labels_never_reach_a_terminal(two: Any) -> None:
    two.write("odd.csv", ODD)
    two.works(
        "train", "odd.csv", "--epochs", "1", "--min-count", "1", "--hidden", "4", "--validation", "0", "--name", "odd"
    )
    commands: list[list[str]] = [
        ["--doctor", "odd.csv", "--full", "-m", "odd"],
        ["--doctor", "odd.csv", "--full", "-m", "reviews-1"],
        ["--fires", "0", "--data", "odd.csv", "-m", "odd"],
        ["--fires", "all", "--data", "odd.csv", "-m", "odd"],
        ["--diff", "other", "--data", "odd.csv", "-m", "odd"],
        ["--diff", "reviews-1", "-m", "odd"],
        ["[/] \x1b[31m good \u202e", "--diff", "odd", "-m", "reviews-1"],
    ]
    for command in commands:
        for more in ([], ["--json"]):
            result = two.works("inspect", *command, *more)
            assert "\x1b" not in result.out + result.err, command
            assert "\u202e" not in result.out + result.err, command
    document = two.works("inspect", "--fires", "0", "--data", "odd.csv", "-m", "odd", "--json").json
    (first,) = [one for one in document["most"] if one["line"] == 2]
    assert "\x1b" in first["before"] + first["token"] + first["after"]  # what is cleaned is shown, and kept as it is


def test_the_tables_as_a_picture(trained: Any) -> None:
    result = trained.works("inspect", "--fires", "0", "--data", "reviews.csv", "--svg", "f.svg")
    assert "picture written to f.svg" in result.err
    assert "Where unit" in (trained.folder / "f.svg").read_text("utf-8").replace("&#160;", " ")
