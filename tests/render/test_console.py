"""Two streams, in every surrounding a terminal can be in."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from attacks import ATTACKS, dangers
from helpers import Terminal, plain_environment

from rnncli.clean import clean
from rnncli.render.console import MIN_WIDTH, Output


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_environment(monkeypatch, "xterm-256color")


def test_rich_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from rnncli.render.console import Output; from rnncli.render import json_out, tables\n"
        "output = Output(); json_out.print_json(output, {'é\\x1b': float('nan')})\n"
        "view = tables.TableView('t', (tables.Column('a', numeric=True),), ((1.5,),))\n"
        "tables.print_table(output, view); tables.print_pairs(output, 't', [('seed', 1)])\n"
        "assert not {'rich', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == ['{"é\\u001b": null}', "a", "1.5000", "seed\t1"]


@pytest.mark.parametrize(
    ("columns", "width"),
    [("1", MIN_WIDTH), ("0", 80), ("-5", 80), ("²", 80), ("wide", 80), ("", 80), ("20", 20), ("200", 200)],
)
@pytest.mark.parametrize("term", ["dumb", "xterm", "unknown", ""])
def test_every_width_is_usable(monkeypatch: pytest.MonkeyPatch, columns: str, width: int, term: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", term)
    output = Output(Terminal(), Terminal())
    assert output.width == width
    assert output.err.width == width


def test_a_window_without_settings_can_be_resized(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    size = os.terminal_size((90, 30))
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: size)
    output = Output(Terminal(), Terminal())
    assert output.width == 90
    size = os.terminal_size((120, 30))
    assert output.width == 120
    size = os.terminal_size((3, 30))
    assert output.width == MIN_WIDTH
    assert Output(Terminal(), Terminal()).err.width == MIN_WIDTH


def test_colour_goes_to_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def printed(stream: io.StringIO) -> str:
        output = Output(stream, stream)
        output.out.print("red", style="red")
        return stream.getvalue()

    assert printed(Terminal()) == "\x1b[31mred\x1b[0m\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert printed(io.StringIO()) == "red\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert printed(Terminal()) == "red\n"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert printed(Terminal()) == "red\n"


@pytest.mark.parametrize("text", ["[red]x[/]", ":smile:", "1 'a' http://x.example"])
def test_text_is_printed_as_text(text: str) -> None:
    stream = Terminal()
    Output(stream, stream).out.print(text)
    assert stream.getvalue() == text + "\n"


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_note_is_one_clean_line(stream: type[io.StringIO]) -> None:
    err, noted = stream(), stream()
    for text in ATTACKS:
        Output(io.StringIO(), err).line(f"reviews.csv:41: {text}")
        Output(io.StringIO(), noted).note(f"reviews.csv:41: {text}")
    assert not dangers(err.getvalue() + noted.getvalue())
    assert [line.rstrip() for line in err.getvalue().splitlines()] == [
        f"reviews.csv:41: {clean(text)}".rstrip() for text in ATTACKS
    ]
    assert stream is Terminal or noted.getvalue() == err.getvalue()


def test_a_long_note_is_not_wrapped() -> None:
    err = io.StringIO()
    Output(io.StringIO(), err).note("word " * 100 + "end", style="red")
    assert err.getvalue() == "word " * 100 + "end\n"


def test_a_long_note_is_wrapped_between_words_where_a_person_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    note, line = Terminal(), Terminal()
    words = "sentence " * 30 + "end"
    Output(io.StringIO(), note).note(words)
    assert [len(one) <= 80 for one in note.getvalue().splitlines()] == [True] * 4
    assert note.getvalue().split() == words.split()
    Output(io.StringIO(), line).line(words)  # an error: its commands can be copied whole
    assert line.getvalue() == f"{words}\n"


def ascii_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)


def test_an_ascii_stream_gets_escapes_and_no_exception() -> None:
    out, err = ascii_stream(), ascii_stream()
    output = Output(out, err)
    output.write("é影\n")
    output.out.print("é")
    output.note("é")
    assert not output.speaks_unicode
    assert out.buffer.getvalue() == b"\\xe9\\u5f71\n\\xe9\n"  # type: ignore[attr-defined]
    assert err.buffer.getvalue() == b"\\xe9\n"  # type: ignore[attr-defined]


def test_encodable_escapes_only_what_the_stream_cannot_take() -> None:
    assert Output(ascii_stream(), ascii_stream()).encodable("é… a") == r"\xe9... a"
    latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert Output(latin, latin).encodable("é影") == r"é\u5f71"
    assert Output(io.StringIO(), io.StringIO()).encodable("é…影") == "é…影"


def test_closed_streams_are_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    output = Output()
    output.write("x")
    output.note("x")
    assert not output.is_terminal

    closed = Terminal()
    output = Output(closed, closed)
    closed.close()
    assert Output(io.StringIO(), io.StringIO()).is_terminal is False
