"""Hostile texts, labels, tokens, columns and names come out as what they are, in every command."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import time
import unicodedata

import pytest
from attacks import ATTACKS, MARKUP, dangers
from rich.cells import cell_len

from rnncli.clean import clean

# What a data file can hold: a NUL and half a surrogate pair are refused when it is read.
STORABLE = [text for text in ATTACKS if "\0" not in text and not re.search("[\ud800-\udfff]", text)]
FILLED = [text for text in STORABLE if text.strip()]


def json_lines(rows: list[tuple[str, str]]) -> str:
    return "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)


@pytest.fixture(scope="module")
def hostile_once(tmp_path_factory, train_in):
    """A folder with a model whose vocabulary, labels, example and record hold every attack; and how it was trained."""
    folder = tmp_path_factory.mktemp("hostile")
    label = FILLED.index("\x1b[2J\x1b[H")
    labels = [FILLED[label], "[red]", "</style></text></svg>", "\u202egnp.exe", "w" * 10_000, "shown\rhidden"]
    rows = [(text, labels[k % len(labels)]) for k, text in enumerate(FILLED * 2)]
    (folder / "\x1b]0;[red].jsonl").write_text(json_lines(rows), "utf-8")
    return folder, train_in(folder, "\x1b]0;[red].jsonl", "--validation", "0.2", "--max-length", "20")


@pytest.fixture
def hostile(cli, hostile_once):
    shutil.copytree(hostile_once[0], cli.folder, symlinks=True, dirs_exist_ok=True)
    return cli


def test_a_training_on_every_attack_shows_them(hostile_once):
    _, result = hostile_once
    assert dangers(result.out + result.err, "\n\t") == set()
    assert "\n".join(line[:3000] for line in result.err.split("\n")) == result.err  # cut, with a count
    assert "…(+9," in result.err
    assert "\\x1b]0;[red].jsonl" in result.err
    for shown in ("\\x1b[2J\\x1b[H ", "[red] ", "\\u202egnp.exe ", "shown\\rhidden "):
        assert shown in result.err


COMMANDS = [
    ["predict", *STORABLE[:20]],
    ["predict", "all.txt"],
    ["predict", "rows.jsonl"],
    ["inspect"],
    ["inspect", "--timesteps"],
    ["inspect", "--timesteps", " ".join(FILLED[9:30])],
    ["evaluate", "latest", "rows.jsonl", "--mistakes", "100"],
    ["tokenize", "rows.jsonl"],
    ["tokenize", " ".join(text for text in FILLED if len(text) < 200)],
    ["tokenize", "\x1b[2J \u202e [/] :smile:", "--model", "latest"],
]


@pytest.mark.parametrize("form", ["pipe", "json", "terminal", "narrow"])
def test_every_attack_in_every_command_and_form(hostile, form):
    hostile.write("rows.jsonl", json_lines([(text, text) for text in FILLED]))
    hostile.write("all.txt", "\n".join(text for text in STORABLE if "\n" not in text and "\r" not in text) + "\n")
    if form in ("terminal", "narrow"):
        hostile.at_terminal(100 if form == "terminal" else 20)
    for command in COMMANDS:
        more = ["--json"] if form == "json" else []
        arguments = [command[0], *more, "--", *command[1:]] if command[0] == "predict" else [*command, *more]
        result = hostile.works(*arguments)
        assert dangers(result.out + result.err, "\n\t" if form == "pipe" else "\n") == set(), command
        if form == "json":
            assert all(document is not None for document in result.json_lines)
        elif form == "pipe":
            assert "\x1b" not in result.out
        elif form == "terminal":
            assert max(map(cell_len, result.out.split("\n"))) <= 100


def test_json_gives_every_text_back_as_it_was(trained):
    documents = trained.works("predict", "--json", "--", *ATTACKS).json_lines
    assert [document["text"] for document in documents] == ATTACKS
    text = unicodedata.normalize("NFC", "".join(ATTACKS))
    document = trained.works("tokenize", "--json", "--no-lowercase", "--tokens", "char", "--", text).json
    assert "".join(document["tokens"]) == text


def test_each_text_is_one_piped_line_that_shows_it(trained):
    rows = trained.works("predict", "--", *ATTACKS).rows
    assert [row[3] for row in rows] == [clean(text) for text in ATTACKS]
    assert all(len(row) == 4 for row in rows)
    for text in MARKUP:
        assert text in [row[3] for row in rows]


def test_the_width_of_the_terminal_does_not_reach_a_pipe(trained, monkeypatch):
    commands = (["predict", "w" * 500], ["inspect", "--timesteps", "good " * 9], ["evaluate", "latest", "reviews.csv"])
    plain = [trained.works(*command).out for command in commands]
    for name, value in {"COLUMNS": "20", "FORCE_COLOR": "1", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    assert [trained.works(*command).out for command in commands] == plain
    assert "w" * 500 in plain[0]


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: ascii(text[:12]))
def test_every_attack_in_the_place_of_a_name_is_shown_cleaned(trained, text):
    """Model, run, column, format, encoding, setting, units, option, command: refused or used, never obeyed."""
    for arguments in (
        ["predict", "good", f"--model={text}"],
        ["train", f"--resume={text}"],
        ["predict", "reviews.csv", f"--text={text}"],
        ["train", "reviews.csv", f"--label={text}x"],
        ["train", "reviews.csv", f"--format={text}"],
        ["train", "reviews.csv", f"--encoding={text}"],
        ["train", "reviews.csv", f"--cell={text}"],
        ["train", "reviews.csv", f"--clip={text}x"],
        ["train", "reviews.csv", f"--hidden={text}"],
        ["train", "reviews.csv", f"--config={text}"],
        ["train", "reviews.csv", f"--name=a/{text}"],
        ["inspect", "--timesteps", f"--units={text}"],
        ["inspect", f"--svg=none/{text}x"],
        ["evaluate", "latest", "--", f"{text}.csv"],
        [f"--{text}"],
        ["train", f"--{text}"],
        [f"{text}x"],
    ):
        result = trained(*arguments)
        assert result.code in (2, 3, 5), (arguments, result)
        assert dangers(result.out + result.err, "\n\t") == set(), arguments
        assert "bug in rnncli" not in result.err
        assert "Traceback" not in result.err


def test_column_names_and_lines_of_data_in_messages(cli):
    for start in range(0, len(FILLED), 18):
        names = FILLED[start : start + 18]
        record = json.dumps(dict.fromkeys([*names, "other"], "x")) + "\n"
        cli.write("a.jsonl", record * 3)
        for arguments in (["--text", "nope", "--label", "other"], ["--text", names[0], "--label", "other"], []):
            result = cli("train", "a.jsonl", *arguments)
            assert (result.code, result.out) == (3, "")
            assert dangers(result.err) == set()
        result = cli("tokenize", "a.jsonl", "--text", "nope")
        assert all(name in result.err for name in names if name in MARKUP)
        assert "--text: there is no column 'nope'" in result.err
        cli.write("a.jsonl", record + '{"neither": 1}\n')
        result = cli("tokenize", "a.jsonl")
        assert (result.code, dangers(result.err)) == (3, set())
        assert "a.jsonl:2: the key " in result.err


def test_a_hostile_model_in_a_picture(hostile):
    hostile.works("inspect", "--timesteps", "--svg", "s.svg")
    text = (hostile.folder / "s.svg").read_text("utf-8")
    assert dangers(text) == set()
    assert "<script" not in text
    assert text.count("</svg>") == 1


def test_the_card_beside_a_hostile_model_is_clean(hostile):
    card = next((hostile.folder / "runs" / "latest").glob("README.md")).read_text("utf-8")
    assert dangers(card) == set()
    assert "`\\x1b]0;[red].jsonl`" in card


def test_the_live_display_and_all_else_on_a_real_terminal(cli, process, tiny):
    """Escape sequences that Rich writes are known; none of the data's may be among them."""
    label = "\x1b]52;c;cm0gLXJm\x07"
    cli.write("a.jsonl", json_lines([(text, label if k % 2 else "[red]\x1b[2J") for k, text in enumerate(FILLED)]))
    master, slave = pty.openpty()
    world = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    training = process("train", "a.jsonl", *tiny, stdin=slave, stdout=slave, stderr=slave, env=world)
    os.close(slave)
    shown = drain(master, training)
    assert training.returncode == 0, shown
    for obeyed in (b"\x1b]", b"\x1b[2J", b"\x07", b"\x1bP", b"\x1bc", b"\x9b", b"\x1b[6n", "\u202e".encode()):
        assert obeyed not in shown
    text = shown.decode()
    assert "[red]\\x1b[2J" in text
    assert "\\x1b]52;c;cm0gLXJm\\x07" in text
    assert "words/s" in text  # the live table was drawn
    assert re.search("2/2 +[0-9.]+ +[0-9.]+", text)
    left = re.sub(r"\x1b\[[0-9;?]*[mKAhlGJ]", "", text)
    assert dangers(left, "\r\n") == set()


def drain(master: int, training) -> bytes:
    shown, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:  # the other side is closed
                break
        elif training.poll() is not None:
            break
    training.wait(10)
    os.close(master)
    return shown
