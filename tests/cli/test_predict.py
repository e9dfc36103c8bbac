"""One answer for each text, in order, and the same answer wherever it is read."""

from __future__ import annotations

import os
import re
import signal

import pytest

import rnncli
from rnncli.errors import RnncliError
from rnncli.tasks.classify.model import ClassifierModel

TEXTS = ["good film", "bad film", "", "zzz so  odd", "good " * 30, "<br />", "GOOD\tfilm"]


def test_the_answers_agree_between_pipe_json_terminal_and_python(trained, monkeypatch):
    expected = rnncli.load("runs/latest").predict(TEXTS)
    assert [p.label for p in expected] == ["pos", "neg", None, expected[3].label, "pos", None, "pos"]
    for arguments, stdin in ((TEXTS, None), (["-"], "".join(t + "\n" for t in TEXTS).encode())):
        rows = trained.works("predict", *arguments, stdin=stdin).rows
        assert [row[0] for row in rows] == [p.label or "(empty)" for p in expected]
        assert [row[1] for row in rows] == ["-" if p.label is None else f"{p.probability:.4f}" for p in expected]
        assert [row[2] for row in rows] == [" ".join(p.unknown) or "-" for p in expected]
        assert [row[3] for row in rows] == [text.replace("\t", "\\t") for text in TEXTS]
        documents = trained.works("predict", *arguments, "--json", stdin=stdin).json_lines
        for document, p in zip(documents, expected, strict=True):
            assert document == {
                **{"text": p.text, "label": p.label, "probability": p.probability},
                **{"probabilities": p.probabilities, "tokens": p.tokens, "unknown": list(p.unknown), "cut": 0},
            }
    trained.at_terminal(120)
    shown = trained.works("predict", *TEXTS).out
    for p in expected:
        if p.label is not None:
            assert f"{p.label} " in shown
            assert f"{p.probability:.4f}" in shown
    assert len(re.findall(r"\(empty\) +- +no tokens", shown)) == 2
    lines = trained.works("predict", "-", stdin=b"good film\n\nbad film\n").out.split("\n")
    assert [line.split() for line in lines[:-1]] == [
        ["pos", f"{expected[0].probability:.4f}", "-", "good", "film"],
        ["(empty)", "-", "no", "tokens"],
        ["neg", f"{expected[1].probability:.4f}", "-", "bad", "film"],
    ]


def test_one_row_for_each_line_across_chunks(trained):
    lines = [f"good {n}" if n % 3 else "" for n in range(600)]
    rows = trained.works("predict", "-", stdin=("\n".join(lines) + "\n").encode()).rows
    assert [row[3] for row in rows] == lines
    assert [row[0] == "(empty)" for row in rows] == [not line for line in lines]
    documents = trained.works("predict", "-", "--json", stdin=("\r\n".join(lines)).encode()).json_lines
    assert [document["text"] for document in documents] == lines
    assert len({document["probability"] for document in documents}) == 2  # "good <unk>" is one answer in any batch


def test_the_text_column_of_a_file_is_found_or_named(trained):
    trained.write("new.csv", "id,review,note\n1,good film,bad\n2,bad film,good\n")
    assert [row[3] for row in trained.works("predict", "new.csv").rows] == ["good film", "bad film"]
    assert [row[3] for row in trained.works("predict", "new.csv", "--text", "note").rows] == ["bad", "good"]
    trained.write("new.txt", "good film\n\nbad film")
    assert [row[3] for row in trained.works("predict", "new.txt").rows] == ["good film", "", "bad film"]
    assert trained.works("predict", "new.csv", "--format", "text").rows[0][3] == "id,review,note"


def test_several_files_are_read_one_after_the_other(trained):
    trained.write("a.csv", "id,review\n1,good film\n2,bad film\n")
    trained.write("b.txt", "so warm\n\n")
    trained.write("good", "the name of this file is a text, for nothing says that it is data")
    assert [row[3] for row in trained.works("predict", "a.csv", "b.txt").rows] == [
        "good film",
        "bad film",
        "so warm",
        "",
    ]
    rows = trained.works("predict", "b.txt", "-", stdin=b"bad noise\n").rows
    assert [row[3] for row in rows] == ["so warm", "", "bad noise"]
    assert [row[3] for row in trained.works("predict", "good", "bad").rows] == ["good", "bad"]
    trained.refuses(2, ["a.csv is a file and 'good' is not", "not both"], "predict", "a.csv", "good")


def test_many_texts_are_shared_among_processes_and_answered_in_order(trained):
    lines = [f"{'good' if n % 3 else 'bad'} film {n}" if n % 50 else "" for n in range(2_000)]
    trained.write("many.txt", "\n".join(lines) + "\n")
    alone = trained.works("predict", "many.txt").out
    assert trained.works("predict", "many.txt", "--workers", 3).out == alone
    assert [row[3] for row in trained.works("predict", "many.txt", "--workers", 2).rows] == lines
    piped = trained.works("predict", "-", stdin="\n".join(lines).encode() + b"\n")
    assert piped.out == alone
    trained.write("broken.csv", "text\n" + "good\n" * 700 + '"bad\n')
    result = trained("predict", "broken.csv", "--workers", 2)
    assert result.code == 3
    assert "broken.csv:702: " in result.err


def test_texts_are_continued_alike_however_they_come(cli, monkeypatch):
    cli.write("poem.txt", "the sun and the sea\n" * 20)
    cli.works("train", "poem.txt", "--task", "lm", "--epochs", 1, "--hidden", 4)
    lines = ["the", "the", "sun", "the", "", "the", "sea"]
    cli.write("lines.txt", "\n".join(lines) + "\n")
    predict = ["predict", "--json", "--length", 20, "--seed", 3]
    whole = cli.works(*predict, "lines.txt")
    found = [row["continuation"] for row in whole.json_lines]
    assert len(set(found)) == len(lines)  # each has random numbers of its own
    model = rnncli.load("runs/latest").with_options(length=20, seed=3)
    assert [p.continuation for p in (*model.predict(lines[:3]), *model.predict(lines[3:], 3))] == found
    monkeypatch.setattr("rnncli.tasks.model.CHUNK", 2)
    assert cli.works(*predict, "lines.txt") == whole
    assert cli.works(*predict, "lines.txt", "--workers", 2) == whole
    assert cli.works(*predict, "-", stdin="\n".join(lines).encode()) == whole


def test_a_killed_process_is_said_so(trained, monkeypatch):
    monkeypatch.setattr(ClassifierModel, "predict", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    trained.write("few.txt", "good film\n")
    trained.refuses(5, "a worker process was killed by signal 9", "predict", "few.txt", "--workers", 2)


def test_a_text_that_looks_like_a_missing_file_is_asked_about(trained):
    for name in ("new.csv", "a/b.JSONL", "reviews.txt", "x.csv.gz"):
        trained.refuses(5, f"{name}: there is no such file", "predict", name)
        trained.refuses(5, f"{name}: there is no such file", "tokenize", name)
    assert trained.works("predict", "I saw reviews.txt").rows[0][3] == "I saw reviews.txt"
    trained.refuses(5, "rnncli: a.csv: there is no such file", "predict", "a.csv", "b.csv")
    trained.refuses(5, "rnncli: b.csv: there is no such file", "predict", "reviews.csv", "b.csv")
    trained.refuses(5, "rnncli: b.csv: there is no such file", "predict", "-", "b.csv", stdin=b"x\n")
    trained.refuses(
        5, "rnncli: reviws.csv: there is no such file; did you mean 'reviews.csv'?", "predict", "reviws.csv"
    )
    for texts in (["a.csv", "good"], ["read b.csv", "a.csv"], ["I saw a.csv", "I saw b.csv"]):
        assert [row[3] for row in trained.works("predict", *texts).rows] == texts


def test_stdin_is_named_once(trained):
    for more in ([], ["reviews.csv"]):
        trained.refuses(2, "rnncli: stdin (-) can be read only once", "predict", "-", *more, "-", stdin=b"x\n")


def test_texts_that_were_not_read_whole_are_counted_at_the_end(cli, tiny, reviews, monkeypatch):
    cli.write("reviews.csv", reviews)
    cli.works("train", "reviews.csv", *tiny, "--max-length", "4")
    two = "2 texts are longer than the 4 words that this model reads; their middle was left out\n"
    one = "1 text is longer than the 4 words that this model reads; its middle was left out\n"
    named = ("--model", "reviews-1")
    long = "good film good film so bad"
    cli.write("long.txt", f"{long}\n" + "good so bad bad\n" * 300 + f"{long}\n")
    assert cli.works("predict", "long.txt", *named).err == two
    assert cli.works("predict", long, "good", long, *named).err == two
    assert cli.works("predict", "-", *named, stdin=f"{long}\n".encode()).err == one
    assert cli.works("predict", "good", *named).err == ""
    assert cli.works("predict", "long.txt", "--json", *named).err == ""  # each object says how many: "cut"
    cli.at_terminal(200)
    assert cli.works("predict", long, "good", *named).err == one
    assert cli.works("predict", "long.txt", *named).err == two


def test_on_a_terminal_a_stream_shows_the_columns_of_a_pipe(trained, terminal):
    trained.write("new.txt", "zzz good yyy\ngood film\n" + "qqq" * 20 + " good" * 20 + "\n")
    lines = trained.works("predict", "new.txt").out.split("\n")
    assert lines[0].endswith("  zzz, yyy  zzz good yyy")
    assert lines[1].endswith("       -  good film")
    assert "…(+" in lines[2]
    assert len(lines[2]) <= 100


@pytest.mark.parametrize("name", ["latest", "reviews-1", "runs/reviews-1", "runs/reviews-1/model.safetensors"])
def test_a_model_is_named_in_four_ways(trained, name):
    assert trained.works("predict", "good", "--model", name).out == trained.works("predict", "good").out


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("reviews-2", 5, "there is no run 'reviews-2'; did you mean 'reviews-1'?"),
        ("reviews.csv", 4, "reviews.csv is not an rnncli model"),
        ("/dev/zero", 5, "/dev/zero cannot be read: not a regular file"),
        (
            "runs/reviews-1/state.safetensors",
            4,
            "rnncli: runs/reviews-1/state.safetensors is the saved state of a training, not a model\n"
            "  its model is model.safetensors, in the same folder",
        ),
        ("runs", 5, "runs is not a run of rnncli"),
        ("w" * 10_000, 5, "there is no run 'wwww"),
        ("a\0b", 5, "there is no run 'a\\x00b'"),
        ("\udcff", 5, "there is no run '\\xff'"),
        ("[red]\x1b[2J", 5, "there is no run '[red]\\x1b[2J'"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_is_no_model_is_refused_by_each_command(trained, name, code, says):
    for command in (
        ["predict", "good", "--model", name],
        ["inspect", "--model", name],
        ["inspect", "--timesteps", "good", "--model", name],
        ["evaluate", "reviews.csv", "--model", name],
        ["tokenize", "good", "--model", name],
        ["tokenize", "reviews.csv", "--model", name],
    ):
        trained.refuses(code, says, *command)


def test_a_damaged_model_is_refused(trained):
    path = trained.folder / "runs" / "reviews-1" / "model.safetensors"
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole + b"x", whole[:500] + bytes([whole[500] ^ 1]) + whole[501:], b""):
        path.write_bytes(damaged)
        trained.refuses(4, "runs/reviews-1/model.safetensors", "predict", "good")


def test_a_model_with_a_number_that_is_none_does_not_answer(trained):
    model = rnncli.load("runs/latest")
    model.params["output"]["weight"][0, 0] = float("nan")
    path = trained.folder / "nan.safetensors"
    assert trained.works("predict", "good", "--json").json["label"] == "pos"
    with pytest.raises(RnncliError):
        model.save(path)
    assert not path.exists()


def test_a_text_longer_than_is_read_says_how_much_was_left_out(cli, tiny, reviews):
    cli.write("reviews.csv", reviews)
    cli.works("train", "reviews.csv", *tiny, "--max-length", "4")
    answers = cli.works("predict", "good film good film so bad", "good so bad bad", "--json").json_lines
    assert [(answer["tokens"], answer["cut"]) for answer in answers] == [(6, 2), (4, 0)]
    whole, cut = (
        cli.works("inspect", "--timesteps", text).rows for text in ("good film so bad", "good x x film so bad")
    )
    assert [row[1] for row in cut[1:]] == ["good", "film", "so", "bad"]
    assert whole == cut


def test_without_stdin_texts_as_arguments_still_work(trained):
    assert trained.works("predict", "good").rows[0][0] == "pos"


def test_cells_that_begin_like_formulas(trained):
    """Faithful, unless it is asked for; then said."""
    texts = ["=1+1", "+good", "-bad", "@SUM", "\tgood", "\rbad", "good = bad", "'good"]
    shown = ["=1+1", "+good", "-bad", "@SUM", "\\tgood", "\\rbad", "good = bad", "'good"]
    assert [row[3] for row in trained.works("predict", "--", *texts).rows] == shown
    result = trained.works("predict", "--spreadsheet-safe", "--", *texts)
    assert [row[3] for row in result.rows] == [f"'{text}" for text in shown[:6]] + shown[6:]
    unknown = sum(row[2].startswith("'") for row in result.rows[:-1])
    assert f"a ' stands before {6 + unknown} cells that a spreadsheet would take for a formula" in result.err


def test_files_of_every_format_are_files_and_no_texts(trained):
    trained.write("a.conll", "good X\nfilm Y\n")
    trained.write("b.bio", "bad X\n")
    rows = trained.works("predict", "a.conll", "b.bio").rows
    assert [row[3] for row in rows] == ['["good", "film"]', '["bad"]']
    trained.write("notes.md", "good\n")
    for arguments in (["notes.md"], ["notes.md", "notes.md"]):
        trained.refuses(3, ["notes.md: the name does not say the format", "--format"], "predict", *arguments)
    assert trained.works("predict", "notes.md", "--format", "text").rows[0][3] == "good"


def test_inspect_reads_the_first_input_of_a_file(trained):
    result = trained.works("inspect", "--timesteps", "reviews.csv")
    assert [row[1] for row in result.rows[1:]] == ["good", "fun"]
    assert "the first input of reviews.csv: good fun" in result.err
    assert trained.works("inspect", "--timesteps", "-", stdin=b"so warm\n").rows[1][1] == "so"
    trained.refuses(5, "gone.csv: there is no such file", "inspect", "--timesteps", "gone.csv")
    (trained.folder / "empty").mkdir()
    trained.refuses(3, "empty: there are no files in this folder", "inspect", "--timesteps", "empty")
