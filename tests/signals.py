"""Signals at random moments, from the first millisecond on: the whole program, as it is used.

    python tests/signals.py 200

Trains so many times, every task, with one process and with two, with one step an epoch and with many; stops each
training by SIGINT, SIGTERM, SIGHUP or SIGKILL at a random moment; takes it up again (or starts it anew, where there is
no run yet); and compares model and state, byte by byte, with those of a training that nobody stopped. Then stops as
many commands of other kinds, and looks whether the files that they write are whole. Prints what it found; the exit code
is 0 if that is not a fault. Not collected by pytest.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from every_task import KINDS

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
# A command that has not ended so long after its signal hangs; nothing here takes a tenth of it on an idle machine.
LIMIT = 60
# Kind, processes and rows of a step.
TRAININGS = [("many", workers, batch) for workers in (1, 2) for batch in (1000, 4)]
TRAININGS += [(kind, 1 + k % 2, (1000, 4)[k // 2 % 2]) for k, kind in enumerate(KINDS)]
EPOCHS = {1000: 40, 4: 4}
# Of a signal that comes while the interpreter itself starts, or the line runs that imports us.
OURS = "rnncli"


@dataclass
class Found:
    """What was seen, by kind."""

    faults: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    def fault(self, kind: str, what: object) -> None:
        self.ends[f"FAULT: {kind}"] += 1
        self.faults.append(f"{kind}: {what}")


def usual_signals() -> None:
    """As a terminal starts a program, whoever has started this script."""
    for number in SIGNALS[:3]:
        signal.signal(number, signal.SIG_DFL)


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A command in a process group of its own, as a shell starts it; its messages go to a file."""
    with open(folder / "messages", "wb") as messages, open(folder / "results", "wb") as results:
        return subprocess.Popen(
            [sys.executable, "-c", "import sys; from rnncli.__main__ import main; sys.exit(main())", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=results,
            stderr=messages,
            start_new_session=True,
            preexec_fn=usual_signals,
        )


def members(group: int) -> list[str]:
    """Living processes of a process group."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = entry.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it has just ended
            continue
        if int(of_group) == group and state not in "ZX":
            found.append(entry.parent.name)
    return found


def stopped(found: Found, folder: Path, number: signal.Signals, delay: float, *arguments: str) -> str:
    """Starts a command, sends it a signal after ``delay`` seconds, and looks at how it ends. Returns its messages."""
    running = start(folder, *arguments)
    said = f"{' '.join(arguments)} ({number.name} after {delay:.3f} s)"
    time.sleep(delay)
    with contextlib.suppress(ProcessLookupError):  # a terminal sends to the whole group, kill to one process
        (os.killpg if random.random() < 0.5 else os.kill)(running.pid, number)
    try:
        code = running.wait(LIMIT)
    except subprocess.TimeoutExpired:
        found.fault("hang", said)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        return ""
    messages = (folder / "messages").read_text(errors="replace")
    broken = any(mark in messages for mark in ("Traceback", "Exception ignored", "Fatal Python error", "bug in rnncli"))
    if code == 0:
        found.ends["had ended before"] += 1
    elif code == -number:
        found.ends["ended by SIGKILL" if number == signal.SIGKILL else "before the interpreter had reached us"] += 1
    elif broken and f"{OURS}/" not in messages:
        found.ends["before the interpreter had reached us"] += 1
    elif code == 128 + number and not broken:
        found.ends[f"exit code {code}"] += 1
    if broken and f"{OURS}/" in messages:
        found.fault("traceback", f"{said}\n{messages}")
    elif code not in (0, -number, 128 + number) and not (broken and code == 1):
        found.fault("exit code", f"{code}: {said}\n{messages}")
    deadline = time.monotonic() + 10
    while left := members(running.pid):
        if time.monotonic() > deadline:
            found.fault("process left behind", f"{left}: {said}")
            os.killpg(running.pid, signal.SIGKILL)
            break
        time.sleep(0.01)
    return messages


def temporaries(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob(".*.tmp")]


def files(folder: Path) -> dict[str, bytes]:
    """What commands have written there, in each file, but for what they say."""
    streams = ("messages", "results")
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in streams}


def write_data(path: Path, rows: int) -> None:
    rng = random.Random(0)
    lines = ["text,label"]
    for n in range(rows):
        words = rng.choices(["the", "film", "was", "a", "play", f"word{n % 37}"], k=rng.randint(1, 12))
        lines.append(f"{' '.join(words)} {'good' if n % 2 else 'bad'},{'pos' if n % 2 else 'neg'}")
    path.write_text("\n".join(lines) + "\n")


def training(space: Path, kind: str, workers: int, batch: int) -> list[str]:
    epochs = str(EPOCHS[batch])
    sizes = ["--hidden", "16", "--batch", str(batch), "--epochs", epochs, "--patience", epochs]
    file, options = (KINDS[kind].file, KINDS[kind].options) if kind in KINDS else ("data.csv", ["--embedding", "8"])
    return ["train", str(space / file), *options, *sizes, "--workers", str(workers), "--name", "r"]


def state_and_model(folder: Path) -> list[bytes]:
    return [(folder / "runs" / "r" / name).read_bytes() for name in ("state.safetensors", "model.safetensors")]


def run(folder: Path, *arguments: str) -> int | None:
    """A command that nobody stops; None where it does not end."""
    running = start(folder, *arguments)
    try:
        return running.wait(10 * LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        return None


def stop_trainings(found: Found, count: int, space: Path) -> None:
    """Each stopped, taken up and compared."""
    whole: dict[tuple[str, int, int], tuple[float, list[bytes]]] = {}
    for one in KINDS.values():
        (space / one.file).write_text(one.content)
    for kind in TRAININGS[:count]:
        folder = space / "whole-{}-{}-{}".format(*kind)
        folder.mkdir()
        began = time.monotonic()
        assert run(folder, *training(space, *kind)) == 0, (folder / "messages").read_text()
        whole[kind] = time.monotonic() - began, state_and_model(folder)
    for n in range(count):
        kind, number = TRAININGS[n % len(TRAININGS)], SIGNALS[n // len(TRAININGS) % len(SIGNALS)]
        seconds, files = whole[kind]
        folder = space / f"stopped-{n}"
        folder.mkdir()
        stopped(found, folder, number, random.uniform(0, seconds), *training(space, *kind))
        if number != signal.SIGKILL and temporaries(folder):
            found.fault("temporary file left", temporaries(folder))
        there = (folder / "runs" / "r").exists()
        again = ["train", "--resume", "r"] if there else training(space, *kind)
        found.ends["resumed" if there else "started anew"] += 1
        code = run(folder, *again)
        if code != 0:
            found.fault("not resumed", f"{code}: {again}\n{(folder / 'messages').read_text()}")
        elif state_and_model(folder) != files:
            found.fault("other bits", f"{kind} {number.name}")
        elif temporaries(folder):
            found.fault("temporary file left", temporaries(folder))
        shutil.rmtree(folder)


def stop_others(found: Found, count: int, space: Path) -> None:
    """Commands that read, each stopped."""
    folder = space / "others"
    folder.mkdir()
    sizes = ["--hidden", "8", "--workers", "1"]
    for name, epochs in (("m", "1"), ("n", "2")):
        assert run(folder, "train", str(space / "data.csv"), *sizes, "--name", name, "--epochs", epochs) == 0
    write_data(folder / "many.csv", 6000)
    commands = [
        ["predict", "many.csv", "--model", "m", "--workers", "2"],
        ["predict", "many.csv", "--model", "m", "--workers", "1"],
        ["predict", "many.csv", "--model", "m", "-o", "answers.csv", "--vectors", "vectors.npy", "--force"],
        ["evaluate", "m", "many.csv", "--workers", "2"],
        ["evaluate", "m", "many.csv", "--workers", "1"],
        ["inspect", "--timesteps", "a good film", "--model", "m"],
        ["inspect", "a good film", "--html", "page.html", "--force", "--model", "m"],
        ["tokenize", "many.csv"],
        ["train", "many.csv", "--dry-run"],
        ["evaluate", "m", "many.csv", "--plot", "confusion.svg", "--force"],
        ["compare", "m", "n", "many.csv"],
        ["samples", "-o", "samples", "--force"],
        ["--help"],
    ]
    seconds = []
    for command in commands:
        began = time.monotonic()
        assert run(folder, *command) == 0, (folder / "messages").read_text()
        seconds.append(time.monotonic() - began)
    whole = files(folder)
    for n in range(count):
        k, number = n % len(commands), SIGNALS[n // len(commands) % len(SIGNALS)]
        stopped(found, folder, number, random.uniform(0, seconds[k]), *commands[k])
        if left := temporaries(folder):
            if number != signal.SIGKILL:
                found.fault("temporary file left", left)
            for name in left:
                Path(name).unlink()
        if files(folder) != whole:
            found.fault("a file is another", f"{number.name} {commands[k]}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Runs what the command line asks for, and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, help="how many trainings to stop, and how many other commands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", default="auto", choices=["auto", "numpy", "compiled"], help="what computes")
    arguments = parser.parse_args()
    os.environ["RNNCLI_ENGINE"] = arguments.engine  # of every command
    random.seed(arguments.seed)
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        space = Path(name)
        write_data(space / "data.csv", 120)
        for what, stop in (("trainings", stop_trainings), ("other commands", stop_others)):
            found = Found()
            stop(found, arguments.count, space)
            say(f"{arguments.count} {what} stopped; faults: {len(found.faults)}")
            for end, times in sorted(found.ends.items()):
                say(f"  {times:4} {end}")
            for fault in found.faults:
                say(f"  {fault}")
            faults += len(found.faults)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
