"""What only a real process shows: pipes that close, full devices, signals and taking up again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time

import pytest
from helpers import time_limit


@pytest.fixture
def learning(cli, process, reviews, tiny):
    """Starts a training that ends only by a signal, and waits until it has finished two epochs."""
    cli.write("reviews.csv", reviews)

    def start(*more: str, **options):
        forever = ["--epochs", "1000000", "--patience", "1000000", "--schedule", "constant"]
        training = process("train", "reviews.csv", *tiny, *forever, *more, **options)
        metrics = cli.folder / "runs" / "reviews-1" / "metrics.jsonl"
        with time_limit(60):
            while not metrics.exists() or metrics.read_bytes().count(b"\n") < 2:
                assert training.poll() is None, training.stderr.read()
                time.sleep(0.01)
        return training

    return start


def epochs(cli, run: str = "reviews-1") -> list[tuple]:
    lines = (cli.folder / "runs" / run / "metrics.jsonl").read_text().split("\n")[:-1]
    return [(e["epoch"], e["loss"], e["validation_loss"], e["best"]) for e in map(json.loads, lines)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_saves_says_how_to_go_on_and_loses_nothing(cli, learning, tiny, number, code):
    training = learning()
    training.send_signal(number)
    out, err = training.communicate(timeout=30)
    assert (training.returncode, out) == (code, b"")
    text = err.decode()
    assert "Traceback" not in text
    said = re.search(
        rf"^rnncli: stopped by {number.name} in epoch (\d+) after step [01]; everything is saved$", text, re.M
    )
    assert said, text
    assert text.endswith("  go on with: rnncli train --resume runs/reviews-1\n")
    files = sorted(path.name for path in (cli.folder / "runs" / "reviews-1").iterdir())
    assert files == ["config.yaml", "metrics.jsonl", "model.safetensors", "state.safetensors"]
    assert cli.works("predict", "good").rows[0][3] == "good"

    last = int(said[1]) + 2
    result = cli.works("train", "--resume", "runs/reviews-1", "--epochs", last)
    assert f"resuming after epoch {int(said[1]) - 1}, step" in result.err
    assert f"finished: all {last} epochs are done" in result.err
    whole = ["--epochs", last, "--patience", "1000000", "--schedule", "constant", "--name", "whole"]
    cli.works("train", "reviews.csv", *tiny, *whole)
    assert epochs(cli) == epochs(cli, "whole")
    assert [epoch[0] for epoch in epochs(cli)] == list(range(1, last + 1))


def test_a_training_that_ignores_ctrl_c_is_still_stopped_by_sigterm(cli, learning):
    training = learning(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    training.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert training.poll() is None
    training.send_signal(signal.SIGTERM)
    _, err = training.communicate(timeout=30)
    assert training.returncode == 143
    assert b"stopped by SIGTERM" in err
    assert cli.works("predict", "good").code == 0


def test_ctrl_c_while_a_command_waits_for_its_input(trained, process):
    waiting = process("predict", "-", "--json", "--quiet", stdin=subprocess.PIPE)
    waiting.stdin.write(b"good\n" * 300)
    waiting.stdin.flush()
    time.sleep(1)
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, err) == (130, b"rnncli: stopped\n")


@pytest.mark.parametrize("options", [[], ["--json"], ["--format", "jsonl"], ["--text", "text"]], ids=" ".join)
def test_answers_come_as_soon_as_the_input_pauses(trained, process, options):
    pipe = {"stdin": subprocess.PIPE}
    asking = process("predict", "-", "--model", "reviews-1", *options, **pipe)
    if options[:1] == ["--text"]:
        asking.stdin.write(b"id,text\n")
    line = {"--format": '{"text": "%s"}\n', "--text": "1,%s\n"}.get("".join(options[:1]), "%s\n")
    for text in ("hi", "good film", "bad film"):
        asking.stdin.write((line % text).encode() * 3)
        asking.stdin.flush()
        with time_limit(20):
            answers = [asking.stdout.readline().decode() for _ in range(3)]
        assert all(text in answer for answer in answers)
        assert answers[0].endswith("\n")
    asking.stdin.write(b"so" if line == "%s\n" else b"\n")
    out, err = asking.communicate(timeout=20)
    assert (asking.returncode, err) == (0, b"")
    assert out.count(b"\n") == (line == "%s\n")


def test_answers_to_a_slow_pipe_are_those_to_a_fast_one(trained, process):
    texts = b"".join(b"good film %d\n" % n for n in range(600))
    (trained.folder / "many.txt").write_bytes(texts)
    slow = process("predict", "-", stdin=subprocess.PIPE)
    for start in range(0, len(texts), 1500):  # cuts lines in two
        slow.stdin.write(texts[start : start + 1500])
        slow.stdin.flush()
        time.sleep(0.02)
    out, _ = slow.communicate(timeout=20)
    assert out.decode() == trained.works("predict", "many.txt").out


ENDS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize("arguments", [["--help"], ["tokenize", "reviews.csv"]], ids=" ".join)
@pytest.mark.parametrize(
    ("module", "number", "code"),
    [
        *(("rnncli.stopping", *end) for end in ENDS),
        *(("rnncli.cli", *end) for end in ENDS),
        *(("typer", *ENDS[0]), ("rnncli.errors", *ENDS[1]), ("numpy", *ENDS[2])),
    ],
)
def test_a_signal_while_the_program_is_still_being_imported(
    cli, process, at_import, reviews, arguments, module, number, code
):
    cli.write("reviews.csv", reviews)
    world = at_import(
        f"""
import os, sys

class Interrupting:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {number:d})

sys.meta_path.insert(0, Interrupting)
"""
    )
    running = process(*arguments, env=world)
    out, err = running.communicate(timeout=30)
    if arguments == ["--help"] and module == "numpy":  # which help never asks for
        assert (running.returncode, err) == (0, b"")
    elif module == "rnncli.stopping" and number != signal.SIGINT:  # nobody has asked for these yet
        assert (running.returncode, out, err) == (-number, b"", b"")
    else:
        assert (running.returncode, out, err) == (code, b"", b"rnncli: stopped\n")


AT_A_CALL = """
import os, sys

calls, real = 0, {function}

def struck(*arguments, **more):
    global calls
    calls += 1
    result = real(*arguments, **more)
    if calls == {nth} and result != 0:
        os.kill({whom}, {number:d})
    return result

{function} = struck
"""


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("whom", ["os.getpid()", "0"])
@pytest.mark.parametrize("command", [["predict", "many.txt"], ["evaluate", "latest", "many.csv"]], ids=" ".join)
def test_a_signal_while_processes_are_forked_ends_all_of_them(trained, process, at_import, nth, whom, command):
    """Sent to the first process as ``kill`` does, and to the group as a terminal does; each signal four times."""
    number, code = ENDS[(nth + (whom == "0") + len(command)) % 3]
    trained.write("many.txt", "good film\n" * 5000)
    trained.write("many.csv", "text,label\n" + "good film,positive\nbad film,negative\n" * 2500)
    world = at_import(AT_A_CALL.format(function="os.fork", nth=nth, whom=whom, number=number))
    running = process(*command, "--workers", "3", env=world, start_new_session=True)
    out, err = running.communicate(timeout=60)  # which ends when the last holder of the pipes has ended
    assert (running.returncode, out) == (code, b"")
    assert err.endswith(b"rnncli: stopped\n")
    assert b"Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


@pytest.mark.parametrize(
    ("function", "number", "code"),
    [
        *(("os.open", *ENDS[0]), ("os.write", *ENDS[1]), ("os.fsync", *ENDS[2]), ("os.close", *ENDS[0])),
        *(("os.replace", *end) for end in ENDS),
    ],
)
def test_a_signal_while_a_file_is_written_leaves_nothing_of_it(trained, process, at_import, function, number, code):
    """The file is the old one or the new one, and nothing is beside it."""
    trained.write("page.html", "old")
    striking = """
import os

real = {function}

def struck(*arguments, **more):
    result = real(*arguments, **more)
    if any("page.html" in name for name in os.listdir() if name.endswith(".tmp")) or {function_name!r} == "os.replace":
        os.kill(os.getpid(), {number:d})
    return result

{function} = struck
"""
    world = at_import(striking.format(function=function, function_name=function, number=number))
    running = process("inspect", "good film", "--html", "page.html", "--force", env=world)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (code, b"", b"rnncli: stopped\n")
    assert ((trained.folder / "page.html").read_text() == "old") == (function != "os.replace")
    assert sorted(os.listdir(trained.folder)) == ["page.html", "reviews.csv", "runs", "site"]


@pytest.mark.parametrize(("number", "code"), ENDS)
def test_a_signal_where_an_exception_would_be_lost_ends_it_all_the_same(cli, process, at_import, number, code):
    """In a callback of the garbage collector: what is raised there is printed, and the program goes on."""
    world = at_import(
        f"""
import gc, os, sys

def struck(phase, info):
    if "rnncli.cli.app" in sys.modules:
        os.kill(os.getpid(), {number:d})

gc.callbacks.append(struck)
gc.set_threshold(1)
"""
    )
    running = process("tokenize", "good film", env=world)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (code, b"", b"rnncli: stopped\n")


def test_a_second_ctrl_c_stops_a_training_at_once(cli, process, at_import, reviews, tiny):
    """In the middle of its step; what was saved is whole, and goes on to the same bits."""
    cli.write("reviews.csv", reviews)
    world = at_import(
        """
import os, signal, sys

class Striking:
    def find_spec(name, path=None, target=None):
        if name == "rnncli.cli.train":
            from rnncli.training.step import Trainer
            step, calls = Trainer.step, []

            def struck(self, epoch, k):
                calls.append(k)
                if len(calls) == 5:
                    os.kill(os.getpid(), signal.SIGTERM)
                    os.kill(os.getpid(), signal.SIGINT)
                return step(self, epoch, k)

            Trainer.step = struck

sys.meta_path.insert(0, Striking)
"""
    )
    command = ["train", "reviews.csv", *tiny, "--epochs", "9", "--batch", "4", "--name"]
    running = process(*command, "stopped", env=world)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, b"")
    assert err.endswith(b"rnncli: stopped; go on with: rnncli train --resume runs/stopped\n")
    cli.works("train", "--resume", "stopped")
    cli.works(*command, "whole")
    both = [(cli.folder / "runs" / name / "model.safetensors").read_bytes() for name in ("stopped", "whole")]
    assert both[0] == both[1]


def test_a_training_stopped_before_its_first_step_is_there_to_go_on_with(cli, process, at_import, reviews, tiny):
    cli.write("reviews.csv", reviews)
    world = at_import(
        """
import os, signal, sys

def struck(event, arguments):
    if event == "os.rename" and str(arguments[1]).endswith("run"):
        sys.addaudithook(lambda event, _: event == "open" and os.kill(os.getpid(), signal.SIGTERM))

sys.addaudithook(struck)
"""
    )
    running = process("train", "reviews.csv", *tiny, "--name", "run", env=world)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (143, b"")
    assert b"Traceback" not in err
    assert os.listdir(cli.folder / "runs") == ["run"]
    assert "resuming after epoch 0, step 0" in cli.works("train", "--resume", "run").err


def test_the_second_of_two_resumes_is_refused(cli, learning, reviews):
    training = learning()
    result = cli("train", "--resume", "reviews-1")
    assert result.code == 5
    assert result.err == (
        "rnncli: runs/reviews-1 is being trained at this moment, by another process\n"
        "  wait until it is done, or stop it first\n"
    )
    training.kill()  # which leaves nothing behind that would have to be removed
    training.wait(30)
    assert cli.works("train", "--resume", "reviews-1", "--epochs", "3").out


def test_a_diverged_training_is_not_said_to_be_taken_up(cli, reviews, tiny):
    cli.write("reviews.csv", reviews)
    diverging = ["--cell", "rnn", "--nonlinearity", "relu", "--lr", "1e9", "--epochs", "9", "--name", "d"]
    assert cli("train", "reviews.csv", *tiny, *diverging).code == 6
    result = cli.refuses(6, "runs/d cannot be resumed: training diverged: ", "train", "--resume", "d")
    assert result.err.count("\n") == 2
    assert "start anew with a smaller learning rate" in result.err


def test_a_reader_that_has_had_enough_ends_it_quietly(trained, process):
    (trained.folder / "many.txt").write_text("good film\n" * 20_000)
    for options in ([], ["--json"]):
        with open(trained.folder / "many.txt", "rb") as lines:
            predicting = process("predict", "-", "--quiet", *options, stdin=lines)
            first = predicting.stdout.readline()
            predicting.stdout.close()
            err = predicting.stderr.read()
            assert (predicting.wait(30), err) == (0, b"")
        assert first.startswith(b'{"text": "good film", "label": "pos"' if options else b"pos\t")
    helping = process("train", "--help")
    helping.stdout.close()
    assert (helping.wait(30), helping.stderr.read()) == (0, b"")


def test_a_reader_of_the_messages_that_has_had_enough_does_not_end_the_training(cli, process, reviews, tiny):
    """As in ``rnncli train reviews.csv 2>&1 | head -1``."""
    cli.write("reviews.csv", reviews)
    training = process("train", "reviews.csv", *tiny, "--epochs", "30", stderr=subprocess.STDOUT)
    assert training.stdout.readline() == b"reading reviews.csv \xe2\x80\xa6\n"
    training.stdout.close()
    assert training.wait(60) == 0
    assert [epoch[0] for epoch in epochs(cli)] == list(range(1, 31))
    assert cli.works("inspect", "--json").json["settings"]["epochs"] == 30


def test_a_full_device_is_said_so(trained, process):
    commands = [
        ["predict", "reviews.csv", "--json"],
        ["inspect"],
        ["evaluate", "latest", "reviews.csv"],
        ["tokenize", "good"],
        ["train", "--resume", "latest"],
        ["--help"],
    ]
    with open("/dev/full", "wb") as full:
        running = [process(*command, stdout=full) for command in commands]
        running += [process(*command, stdout=full, env={"LC_ALL": "C", "LANG": ""}) for command in commands[:2]]
        for started in running:
            _, err = started.communicate(timeout=60)
            assert started.returncode == 5
            assert err.decode().endswith("rnncli: the output cannot be written: No space left on device\n")
            assert err.count(b"rnncli: ") == 1
    assert trained.works("predict", "good").rows[0][0] == "pos"


def test_a_closed_stdout_is_refused_before_anything_is_done(trained, process, tiny):
    for command in (["predict", "good"], ["train", "reviews.csv", *tiny], ["--help"]):
        running = process(*command, stdout=None, preexec_fn=lambda: os.close(1))
        err = running.stderr.read()
        assert (running.wait(30), err) == (
            5,
            b"rnncli: standard output is closed\n  send it to a file, or to /dev/null\n",
        )
    assert sorted(os.listdir(trained.folder / "runs")) == ["latest", "reviews-1"]


def test_a_closed_stdin_is_said_so(trained, process):
    for command in (["predict", "-"], ["evaluate", "latest", "-"]):
        running = process(*command, stdin=None, preexec_fn=lambda: os.close(0))
        out, err = running.communicate(timeout=30)
        assert (running.returncode, out) == (5, b"")
        assert b"rnncli: <stdin>: standard input is closed\n" in err


def test_with_stderr_closed_too_the_exit_code_is_left(trained, process):
    running = process("predict", "good", "--model", "nope", stderr=None, preexec_fn=lambda: os.close(2))
    out, _ = running.communicate(timeout=30)
    assert (running.returncode, out) == (5, b"")


def test_states_through_a_pipe_are_whole_and_plain(trained, process):
    text = "so warm and " * 6 + "good"
    command = ["inspect", "--timesteps", text, "--units", "0-7"]
    running = process(*command, env={"COLUMNS": "30", "FORCE_COLOR": "1", "TERM": "xterm-256color"})
    out, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (0, b"")
    assert b"\x1b" not in out
    rows = [line.split("\t") for line in out.decode().split("\n")[:-1]]
    assert len(rows) == 20
    assert {len(row) for row in rows} == {13}
    assert out.decode() == trained.works(*command).out


def test_under_an_ascii_locale_nothing_fails(trained, process):
    world = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    shown = {
        ("predict", "caf\u00e9 good", "--quiet"): b"\tcaf\\xc3\\xa9 good\n",
        ("inspect", "--timesteps", "good"): b"\\u2016h\\u2016",
        ("train", "--help"): b"--hidden",
    }
    running = {command: process(*command, env=world) for command in shown}
    for command, started in running.items():
        out, err = started.communicate(timeout=30)
        assert (started.returncode, err) == (0, b"")
        assert out.isascii()
        assert shown[command] in out


def test_processes_read_one_model_at_once(trained, process):
    running = [process("predict", "good film", "bad film") for _ in range(4)]
    answers = {started.communicate(timeout=60) for started in running}
    assert len(answers) == 1
    assert answers.pop()[0].decode() == trained.works("predict", "good film", "bad film").out
