"""Numbers in a table in long form, and in .npy files: trained on, asked, scored, opened and taken up again."""

from __future__ import annotations

import json

import numpy as np
import pytest

import rnncli
from rnncli.data.tables.long_form import LongForm
from rnncli.errors import ModelFileError
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.model import Model

SMALL = ["--hidden", "8", "--embedding", "4", "--lr", "0.03", "--dropout", "0", "--workers", "1"]


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnncli.core.threads.available_cores", lambda: 1)


def walks(count: int = 40) -> str:
    """Sequences that rise or fall, their rows mixed."""
    rng = np.random.default_rng(0)
    rows = []
    for n in range(count):
        slope = 1 if n % 2 else -1
        rows += [
            f"s{n},{t},{rng.normal():.2f},{slope * t + rng.normal(0, 0.2):.2f},{('down', 'up')[n % 2]}"
            for t in range(4 + n % 3)
        ]
    return "id,time,noise,height,label\n" + "\n".join(rng.permutation(rows)) + "\n"


@pytest.fixture
def walked(cli):
    cli.write("walks.csv", walks())
    cli.works("train", "walks.csv", *SMALL, "--epochs", "15")
    return cli


def test_sequences_in_long_form_from_file_to_answer(walked):
    content = walks()
    ids = list(dict.fromkeys(line.split(",")[0] for line in content.splitlines()[1:]))
    result = walked.works("predict", "walks.csv")
    assert [row[3] for row in result.rows] == ids
    right = sum(row[0] == ("down", "up")[int(row[3][1:]) % 2] for row in result.rows)
    assert right >= 38
    assert [answer["text"] for answer in walked.works("predict", "walks.csv", "--json").json_lines] == ids
    scores = walked.works("evaluate", "latest", "walks.csv", "--json")
    assert scores.json["scores"]["accuracy"] == right / 40
    assert scores.err == (
        "sequences: id, 40 of them in order of time; numbers: noise, height; label: label; change with --label\n"
    )
    # The same columns by name, wherever they stand; the label is not needed.
    lines = [line.split(",") for line in content.splitlines()]
    walked.write("new.tsv", "".join("\t".join((h, "x", n, t, i)) + "\n" for i, t, n, h, _ in lines))
    assert walked.works("predict", "new.tsv").out == result.out
    assert walked.works("predict", "-", "--format", "csv", stdin=content.encode()).out == result.out
    # The text of a sequence is what JSON lines have.
    text = "[[0,0],[0.1,1],[0,2],[0.2,3]]"
    assert walked.works("predict", text).rows[0][0] == "up"
    walked.write("new.jsonl", json.dumps({"sequence": json.loads(text)}) + "\n")
    assert walked.works("predict", "new.jsonl", "--text", "sequence").rows[0][3] == text
    assert walked.works("predict", "-", stdin=f"{text}\n".encode()).rows[0][3] == text


def test_what_a_long_form_lacks_is_named(walked):
    walked.write("bad.csv", "id,time,noise,label\ns1,0,1,up\n")
    for command in (["predict", "bad.csv"], ["evaluate", "latest", "bad.csv"], ["inspect", "-t", "bad.csv"]):
        walked.refuses(3, "rnncli: bad.csv: there is no column 'height', which the model reads", *command)
    walked.write("bad.csv", "id,time,noise,height\ns1,0,1,2\ns2,0,,2\n")
    for command in (["predict", "bad.csv"], ["inspect", "-t", "bad.csv"]):
        walked.refuses(3, "rnncli: bad.csv:3: the value of 'noise' is missing", *command)
    walked.refuses(
        3,
        "bad.csv: there is no column 'label', which held the labels in training\n  Name",
        "evaluate",
        "latest",
        "bad.csv",
    )
    walked.refuses(5, "none.csv: there is no such file", "inspect", "-t", "none.csv")


def test_the_first_sequence_of_a_file_is_opened(walked):
    walked.write("new.csv", "id,time,noise,height\nb,1,0,1\na,0,5,5\nb,0,0.5,0\n")
    result = walked.works("inspect", "--timesteps", "new.csv")
    assert [row[1] for row in result.rows[1:]] == ["0.5 0", "0 1"]
    assert result.err == "the first input of new.csv: b\n"
    same = walked.works("inspect", "--timesteps", "[[0.5,0],[0,1]]")
    assert (same.out, same.err) == (result.out, "")
    shown = dict(row for row in walked.works("inspect").rows if len(row) == 2)
    assert shown["columns"] == "noise, height of each id, in order of time"
    assert walked.works("inspect", "--json").json["columns"] == {
        **{"id": "id", "time": "time", "features": ["noise", "height"], "label": "label"}
    }


def test_a_training_in_long_form_is_taken_up_again(cli):
    cli.write("walks.csv", walks())
    cli.works("train", "walks.csv", *SMALL, "--epochs", "3", "--schedule", "constant", "--name", "whole")
    cli.works("train", "walks.csv", *SMALL, "--epochs", "1", "--schedule", "constant", "--name", "half")
    cli.works("train", "--resume", "half", "--epochs", "3")
    files = [(cli.folder / "runs" / name / "model.safetensors").read_bytes() for name in ("whole", "half")]
    assert files[0] == files[1]
    cli.write("walks.csv", walks().replace("s1,", "s99,"))
    cli.refuses(2, "its contents have changed", "train", "--resume", "half", "--epochs", "4")


def test_bad_sequences_are_left_out_and_counted(cli):
    cli.write("walks.csv", walks() + "s3,9,,1,up\n,1,1,1,up\n")
    cli.refuses(3, "rnncli: walks.csv:201: the value of 'noise' is missing", "train", "walks.csv", *SMALL)
    result = cli.works("train", "walks.csv", *SMALL, "--epochs", "0", "--skip-bad", "--json")
    assert result.json["report"]["rows"] == 39
    assert result.json["report"]["warnings"] == [
        "2 bad records were left out, the first: walks.csv:201: the value of 'noise' is missing"
    ]


def saved(cli, **changes) -> None:
    """The latest model, with another manifest."""
    from rnncli import model_file

    path = cli.folder / "runs" / "latest" / "model.safetensors"
    manifest, tensors = model_file.load(path)
    model_file.save(path, manifest | changes, dict(tensors))


@pytest.mark.parametrize(
    "columns",
    [
        [],
        "id",
        {"id": "id", "time": "time", "features": ["noise", "height"]},
        {"id": "id", "time": "time", "features": ["noise"], "label": "label"},
        {"id": "id", "time": "noise", "features": ["noise", "height"], "label": "label"},
        {"id": 1, "time": "time", "features": ["noise", "height"], "label": "label"},
        {"id": "id", "time": "time", "features": ["noise", 2], "label": "label"},
        {"id": "id", "time": "time", "features": ["noise", "height"], "label": "label", "more": 1},
    ],
    ids=str,
)
def test_columns_that_do_not_fit_are_no_model(walked, columns):
    saved(walked, columns=columns)
    with pytest.raises(ModelFileError):
        rnncli.load("runs/latest")


def test_a_model_without_names_of_columns_goes_on_to_load(walked):
    model = rnncli.load("runs/latest")
    assert isinstance(model, ClassifierModel)
    assert model.form == LongForm("id", "time", ("noise", "height"), "label")
    saved(walked, columns=None)
    older = rnncli.load("runs/latest")
    assert older.reads is None
    text = "[[0,0],[0.1,1]]"
    assert older.predict([text]) == model.predict([text])
    # It reads such a file to be scored on all the same: by the order of the columns.
    assert walked.works("evaluate", "latest", "walks.csv", "--json").json["scores"]["accuracy"] > 0.9


def test_of_a_sequence_longer_than_is_read_the_model_keeps_what_it_reads(cli):
    cli.write("walks.csv", walks())
    cli.works("train", "walks.csv", *SMALL, "--epochs", "0", "--max-length", "4", "--seed", "1")
    assert len(json.loads(rnncli.load("runs/latest").example)) == 4


# Arrays


@pytest.fixture
def pictured(cli):
    """2 x 2 numbers a file; which side is the larger."""
    rng = np.random.default_rng(0)
    (cli.folder / "data" / "images").mkdir(parents=True)
    rows = []
    for n in range(60):
        picture = rng.normal(0, 0.3, (2, 2)) + ([2, 0] if n % 2 else [0, 2])
        np.save(cli.folder / "data" / "images" / f"{n}.npy", picture.astype(np.float32))
        rows.append(f"images/{n}.npy,on the {('right', 'left')[n % 2]}\n")
    cli.write("data/pictures.csv", "image,text\n" + "".join(rows))
    cli.works("train", "data/pictures.csv", *SMALL, "--tokens", "word", "--epochs", "30", "--schedule", "constant")
    return cli


def test_arrays_from_files_to_texts(pictured):
    result = pictured.works("predict", "data/pictures.csv")
    assert [row[3] for row in result.rows] == [f"images/{n}.npy" for n in range(60)]
    right = sum(row[0] == f"on the {('right', 'left')[n % 2]}" for n, row in enumerate(result.rows))
    assert right >= 58
    one = pictured.works("predict", "data/images/1.npy", "--json").json
    assert (one["text"], one["target"]) == ("data/images/1.npy", "on the left")
    two = pictured.works("predict", "data/images/1.npy", "data/images/2.npy").rows
    assert [row[:2] for row in two] == [row[:2] for row in result.rows[1:3]]
    assert pictured.works("predict", "[2,0,2,0]").rows[0][0] == "on the left"
    scores = pictured.works("evaluate", "latest", "data/pictures.csv", "--json")
    assert scores.json["exact"] == right / 60
    assert scores.err == "numbers: image, 4 in each .npy file; text: text; change with --label\n"
    opened = pictured.works("inspect", "--timesteps", "data/images/1.npy")
    assert ([row[1] for row in opened.rows[1:]], opened.err) == (["on", "the", "left", "<end>"], "")
    first = pictured.works("inspect", "--timesteps", "data/pictures.csv")
    assert first.err == "the first input of data/pictures.csv: images/0.npy\n"
    shown = dict(row for row in pictured.works("inspect").rows if len(row) == 2)
    assert shown["input"] == "4 numbers, of the .npy file in image, standardised"


def test_mistakes_are_called_by_their_files(pictured):
    pictured.write("data/pictures.csv", "image,text\nimages/1.npy,in the middle\n")
    (mistake,) = pictured.works("evaluate", "latest", "data/pictures.csv", "--json").json["mistakes"]
    assert (mistake["line"], mistake["text"], mistake["truth"]) == (2, "images/1.npy", "in the middle")


def test_arrays_of_another_size_are_refused(pictured):
    np.save(pictured.folder / "five.npy", np.ones(5))
    problem = "the input has 5 numbers, and the model reads 4 finite ones"
    pictured.refuses(3, f"rnncli: five.npy: {problem}", "predict", "five.npy")
    pictured.refuses(3, f"rnncli: five.npy: {problem}", "inspect", "-t", "five.npy")
    pictured.write("five.csv", "image\nfive.npy\n")
    pictured.refuses(3, f"rnncli: five.csv:2: {problem}", "predict", "five.csv")
    pictured.refuses(5, "rnncli: six.npy: there is no such file; did you mean 'five.npy'?", "predict", "six.npy")
    pictured.write("five.csv", "picture\nfive.npy\n")
    pictured.refuses(3, "five.csv: there is no column 'image', which the model reads", "predict", "five.csv")


def test_a_training_on_arrays_is_taken_up_again_if_they_are_the_same(pictured):
    pictured.works("train", "data/pictures.csv", *SMALL, "--epochs", "2", "--tokens", "word", "--name", "half")
    pictured.works("train", "--resume", "half", "--epochs", "3")
    path = pictured.folder / "data" / "images" / "7.npy"
    before = path.read_bytes()
    np.save(path, np.zeros((2, 2), np.float32))
    again = ("train", "--resume", "half", "--epochs", "4")
    pictured.refuses(2, "is not the data that runs/half was trained on: its contents have changed", *again)
    path.unlink()
    pictured.refuses(2, "images/7.npy: there is no such file", *again)
    path.write_bytes(before)
    pictured.works(*again)


def test_a_model_of_a_text_reads_no_arrays(trained):
    np.save(trained.folder / "a.npy", np.ones(3))
    trained.refuses(3, "rnncli: a.npy: this model does not read .npy files", "predict", "a.npy")


@pytest.mark.parametrize(
    "changes", [{"arrays": 1}, {"arrays": None}, {"names": ["a", "b"]}, {"names": []}, {"arrays": False}], ids=str
)
def test_arrays_that_do_not_fit_are_no_model(pictured, changes):
    assert isinstance(rnncli.load("runs/latest"), CaptionModel)
    saved(pictured, **changes)
    with pytest.raises(ModelFileError):
        Model.load("runs/latest/model.safetensors")


def test_a_model_of_columns_says_nothing_of_arrays(cli):
    rows = "".join(f"{n % 5},{n % 3},{'red' if n % 2 else 'blue'}\n" for n in range(30))
    cli.write("colours.csv", "r,g,text\n" + rows)
    cli.works("train", "colours.csv", *SMALL, "--epochs", "0")
    model = rnncli.load("runs/latest")
    assert "arrays" not in model.own_manifest()
    np.save(cli.folder / "colour.npy", np.array([1, 2]))
    cli.works("predict", "colour.npy")  # as many numbers, in the order of the columns
