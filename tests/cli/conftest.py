"""Commands run in this process, in a folder of their own, beside a small model that is trained once."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

import pytest
import typer

from rnncli.cli.main import Streams, main

WARM = ["good fun", "a good film", "very good", "good and warm", "so warm and good", "not bad"]
COLD = ["bad noise", "a bad film", "very bad", "bad and cold", "so cold and bad", "not good"]
ROWS = [row for pair in zip([(t, "pos") for t in WARM], [(t, "neg") for t in COLD], strict=True) for row in pair]
GOOD = [
    "--epochs",
    "20",
    "--patience",
    "20",
    "--lr",
    "0.1",
    "--dropout",
    "0",
]  # 11 of the 12 rows right; "not bad" is not
TINY = ["--hidden", "4", "--embedding", "3", "--epochs", "2", "--validation", "0.34", "--min-count", "1"]


def once(arguments: Sequence[object]) -> list[str]:
    """The arguments, of :data:`TINY` without what a test says otherwise: an option is given once."""
    words = [str(argument) for argument in arguments]
    for at in range(len(words) - 2, -1, -1):
        option = words[at : at + 2]
        if option[0] in words[at + 1 :] and option in [TINY[k : k + 2] for k in range(0, len(TINY), 2)]:
            del words[at : at + 2]
    return words


class Result(NamedTuple):
    """What a command left: its exit code and its two streams."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        """Piped output by lines and tabs."""
        return [line.split("\t") for line in self.out.split("\n")[:-1]]

    @property
    def json(self) -> Any:
        return strict_json(self.out)

    @property
    def json_lines(self) -> list[Any]:
        return [strict_json(line) for line in self.out.split("\n")[:-1]]


def strict_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def snapshot(folder: Path) -> dict[str, object]:
    """Every path below, with what it holds."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        else:
            found[name] = path.read_bytes() if path.is_file() else "no file"
    return found


class Stream(io.TextIOWrapper):
    """Where a command writes: a pipe into memory, or into what is given; or a terminal."""

    def __init__(self, terminal: bool = False, into: BinaryIO | None = None) -> None:
        super().__init__(io.BytesIO() if into is None else into, "utf-8", newline="")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined]


class Cli:
    """``cli("predict", "good")`` runs a command; ``cli.refuses(…)`` also asserts all that a refusal promises."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._monkeypatch, self._terminal = folder, monkeypatch, False
        self.stdin: TextIO | None = None

    def at_terminal(self, width: int | str = 100, term: str = "dumb") -> None:
        """From here on somebody looks on; without colours, so that every escape sequence came from the data."""
        self._terminal = True
        self._monkeypatch.setenv("COLUMNS", str(width))
        self._monkeypatch.setenv("TERM", term)

    def __call__(self, *arguments: object, stdin: bytes | None = None, into: BinaryIO | None = None) -> Result:
        piped = self.stdin if stdin is None else io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
        with Stream(self._terminal, into) as out, Stream(self._terminal) as err:
            code = main(once(arguments), Streams(piped, out, err))
            return Result(code, out.text() if into is None else "", err.text())

    def works(self, *arguments: object, stdin: bytes | None = None) -> Result:
        result = self(*arguments, stdin=stdin)
        assert result.code == 0, result.err
        return result

    def refuses(self, code: int, says: str | Sequence[str], *arguments: object, stdin: bytes | None = None) -> Result:
        """Exit code, one sentence on stderr that says it, nothing on stdout, nothing written, no traceback."""
        before = snapshot(self.folder)
        result = self(*arguments, stdin=stdin)
        assert (result.code, result.out) == (code, ""), result
        lines = result.err.rstrip("\n").split("\n")
        said = [line for line in lines if line.startswith("rnncli: ")]
        assert len(said) == 1, result.err
        hint = lines[lines.index(said[0]) + 1 :]
        assert len(hint) <= 1, result.err
        assert all(line.startswith("  ") for line in hint), result.err
        assert "Traceback" not in result.err
        assert "bug" not in said[0]
        for fragment in [says] if isinstance(says, str) else says:
            assert fragment in "\n".join([*said, *hint])
        assert snapshot(self.folder) == before
        return result

    def write(self, name: str, content: bytes | str) -> str:
        (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name


def csv_of(rows: Sequence[tuple[str, str]]) -> str:
    return "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)


@pytest.fixture(autouse=True, scope="session")
def one_command_line() -> Iterator[None]:
    """Typer takes 11 ms to build the commands from their signatures; here it does so once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.main.get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("RNNCLI_") or name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """An empty folder to run commands in."""
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def train_in() -> Callable[..., Result]:
    """``train_in(folder, "reviews.csv", …)``: a training that takes no time."""

    def train(folder: Path, *arguments: str) -> Result:
        with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
            return Cli(folder, patch).works("train", *TINY, *arguments)

    return train


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, train_in: Callable[..., Result]) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "reviews.csv").write_text(csv_of(ROWS))
    train_in(folder, "reviews.csv", *GOOD)
    return folder


@pytest.fixture
def trained(cli: Cli, trained_once: Path) -> Cli:
    """A folder with ``reviews.csv`` and the model in ``runs/reviews-1``, which is the latest."""
    shutil.copytree(trained_once, cli.folder, symlinks=True, dirs_exist_ok=True)
    return cli


@pytest.fixture
def terminal(cli: Cli) -> None:
    """Output as for a person."""
    cli.at_terminal()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts ``python -m rnncli …`` as a process of its own; what still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        before = options.get("preexec_fn")

        def begin() -> None:
            # As a terminal starts a program: under nohup or & the tests' own process has some of them ignored.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            if before is not None:
                before()

        options["preexec_fn"] = begin
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **(env or {})}
        command = [sys.executable, "-m", "rnncli", *once(arguments)]
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **options))
        return started[-1]

    yield start
    for running in started:
        if running.poll() is None:
            running.kill()
        running.wait()
        for stream in (running.stdin, running.stdout, running.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def at_import(cli: Cli) -> Callable[[str], dict[str, str]]:
    """Environment variables with which a process runs some code of ours before any of its own."""

    def world(code: str) -> dict[str, str]:
        (cli.folder / "site").mkdir()
        cli.write("site/sitecustomize.py", code)
        return {"PYTHONPATH": os.pathsep.join([str(cli.folder / "site"), os.environ.get("PYTHONPATH", "")])}

    return world


@pytest.fixture
def reviews() -> str:
    """The rows the model was trained on, as CSV."""
    return csv_of(ROWS)


@pytest.fixture
def tiny() -> list[str]:
    """Options of a training that takes no time."""
    return list(TINY)
