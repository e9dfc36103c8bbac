"""What the system refuses is told as what it is, and not as something else."""

from __future__ import annotations

import errno
import logging
import os

import numpy as np
import pytest

from rnncli.core import threads
from rnncli.tasks.model import Model


def failing(error):
    def fail(*_):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.EMFILE, "Too many open files", "/x\x1b[2J.py"),
            "/x\\x1b[2J.py: Too many open files\n  a process",
        ),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files\n  a process may open more files after: "),
        (PermissionError(errno.EACCES, "Permission denied", b"runs"), "rnncli: runs: Permission denied\n"),
        (
            BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
            "refuses: Resource temporarily unavailable",
        ),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "refuses: Broken pipe"),
        (ConnectionResetError("gone"), "refuses: gone"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "rnncli: there is not enough memory\n  lower --hidden"),
        (MemoryError(), "rnncli: there is not enough memory\n  lower --hidden"),
    ],
)
def test_an_error_of_the_system_is_no_error_of_the_output(trained, monkeypatch, error, said):
    monkeypatch.setattr(Model, "load", failing(error))
    result = trained.refuses(5, said, "predict", "good")
    assert "output" not in result.err


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("command", [["predict", "good"], ["predict", "good", "--json"], ["--version"], ["--help"]])
@pytest.mark.parametrize(
    ("output", "code", "said"),
    [("full", 5, "rnncli: the output cannot be written: No space left on device\n"), ("closed pipe", 0, "")],
)
def test_an_error_of_the_output_is_said_to_be_one(trained, command, terminal, output, code, said):
    if terminal:
        trained.at_terminal()
    if output == "full":
        stream = open("/dev/full", "wb")  # noqa: SIM115
    else:
        reader, writer = os.pipe()
        os.close(reader)
        stream = open(writer, "wb")  # noqa: SIM115
    result = trained(*command, *(["--quiet"] if command[0] == "predict" else []), into=stream)
    assert stream.closed  # what it still held has gone nowhere
    assert (result.code, result.err) == (code, said)


def test_a_message_comes_where_nothing_more_can_be_imported(trained, monkeypatch):
    said = []
    with monkeypatch.context() as patch:
        patch.setattr("rnncli.render.console._console", failing(OSError(errno.EMFILE, "Too many open files")))
        patch.setattr("os.write", lambda descriptor, data: said.append((descriptor, data)))
        assert trained("predict", "good", "--model", "nope").code == 5
        assert trained("predict", "--nope").code == 2
    first, second = said
    assert first == (2, b"rnncli: there is no run 'nope'\n")
    assert second[1].startswith(b"rnncli: No such option: --nope")
    assert second[1].endswith(b"\n  see: rnncli predict --help\n")


def test_where_no_thread_can_be_started_both_are_computed_here(monkeypatch):
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    monkeypatch.setattr("threading.Thread.start", failing(RuntimeError("can't start new thread")))
    threads.release_helper()
    with np.errstate(over="raise"):
        for _ in range(2):
            assert threads.side_by_side(os.getpid, lambda: np.geterr()["over"]) == (os.getpid(), "raise")


def test_what_is_logged_after_a_command_does_not_go_to_its_output(trained):
    trained.works("evaluate", "latest", "reviews.csv")
    assert logging.getLogger("rnncli").handlers == []
