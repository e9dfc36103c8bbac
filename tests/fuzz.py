"""Models and saved trainings with one thing changed and a right SHA-256, and every command on each of them.

    python tests/fuzz.py --hours 2            all night: --hours 8
    python tests/fuzz.py --seed 7 --mutations 500
    python tests/fuzz.py --seed 7 --only 123  one mutation again, and what each command printed
    python tests/fuzz.py --odd --hours 2      files that load, with odd values: all commands go on with each of them

Whatever a file says, a command may refuse it, in one sentence and with exit code 2, 3, 4 or 5. A fault is anything
else: exit code 1, a traceback, a warning, JSON that is not strict, a control character on stdout, more than
``LIMIT`` seconds, or more memory than ``MEMORY`` allows. Each fault is listed once, by the place it comes from.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import itertools
import json
import math
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from every_task import KINDS

from rnncli import model_file
from rnncli.cli import main as cli

LIMIT = 20.0  # seconds of the processor's, so that a busy machine makes no faults; ten times as many by the clock
MEMORY = 3 * 2**30  # bytes of address space

SMALL = ["--hidden", "3", "--epochs", "2", "--workers", "1", "--batch", "64"]
TEXTS: list[Any] = ["", " ", "x", "NaN", "Infinity", "-1e999", "1", "null", "\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\0"]
TEXTS += [
    "[/red]",
    "<script>alert(1)</script>",
    "\u202e\u2066",
    "Z" + "\u0301" * 40,
    "\U0001f469\u200d\U0001f680",
    "a\nb\tc",
]
TEXTS += [
    "w" * 1_000_000,
    "a b " * 2_000,
    "[[1, 2], [3]]",
    "[1e400]",
    "=1+1",
    "../../x",
    "\u2028",
    "lstm",
    "word",
    "classify",
]
INTEGERS: list[Any] = [0, 1, -1, 2, 3, 7, 64, 255, 65_536, 999_999, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64]
INTEGERS += [-(2**63), 10**18, int("9" * 60), -int("9" * 60), 10**400]
FLOATS: list[Any] = [0.0, -0.0, 0.5, -0.5, 1.0, 1.5, 5e-324, 1e-300, 1e-45, 1e38, 1e39, 1e100, 1e300, 1e308, -1e308]
OTHERS: list[Any] = [
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    [1],
    ["x"],
    [0.5] * 300,
    {"a": 1},
    {"": None},
    {"\x1b[2J": 1},
]
OTHERS += [{"a": {"b": {"c": [1]}}}, [["a", 1], ["b", 2]], ["a"] * 5, ["x", "x"], [1e308, -1e308], [5e-324]]
VALUES = [*TEXTS, *INTEGERS, *FLOATS, *OTHERS]


Case = tuple["Subject", Callable[[], "Mutation"]]


class TooSlow(BaseException):
    """No Exception: nothing may catch it but what ran out of time."""


@dataclass
class Fault:
    """One kind of fault, and the first command that showed it."""

    kind: str
    command: str
    mutation: str
    times: int = 1


@dataclass
class Subject:
    """A trained run of a kind, and the file of its data."""

    kind: str
    run: Path
    data: str
    manifest: dict[str, Any] = field(repr=False)
    tensors: dict[str, Any] = field(repr=False)
    state: dict[str, Any] = field(repr=False)
    state_tensors: dict[str, Any] = field(repr=False)


def paths(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside; of a long list to its first, second and last items."""
    if way:
        yield way
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*way, key))
    elif isinstance(value, list):
        for place in sorted({0, 1, len(value) - 1} & set(range(len(value)))):
            yield from paths(value[place], (*way, place))


def changed(manifest: dict[str, Any], way: tuple[Any, ...], change: Callable[[Any, Any], None]) -> dict[str, Any]:
    """A copy in which ``change`` was called with the container of ``way`` and its key there."""
    made = copy.deepcopy(manifest)
    container: Any = made
    for step in way[:-1]:
        container = container[step]
    change(container, way[-1])
    return made


def put(value: Any) -> Callable[[Any, Any], None]:
    def change(container: Any, key: Any) -> None:
        container[key] = value

    return change


def remove(container: Any, key: Any) -> None:
    del container[key]


def twice(container: Any, key: Any) -> None:
    if isinstance(container, list):
        container.append(container[key])
    else:
        container[f"{key} again"] = container[key]


def empty(container: Any, key: Any) -> None:
    container[key] = type(container[key])()


def nested(container: Any, key: Any) -> None:
    container[key] = [container[key]]


def said(value: Any) -> str:
    text = f"{value}" if isinstance(value, int) and abs(value) > 10**100 else repr(value)
    return text if len(text) < 70 else f"{text[:60]}… ({len(text):,})"


@dataclass(frozen=True)
class Mutation:
    """``where`` is the model, its state, a tensor or the file's bytes; :meth:`apply` gives what is to be written."""

    where: str
    what: str
    make: Callable[[], tuple[dict[str, Any], dict[str, Any]] | bytes] = field(repr=False, compare=False)


def mutations(subject: Subject) -> list[Mutation]:
    """All that there are: each value at each place, and the damages of tensors and of headers."""
    found = []
    for where, manifest, tensors in (
        ("model", subject.manifest, subject.tensors),
        ("state", subject.state, subject.state_tensors),
    ):
        for way in paths(manifest):
            changes: list[tuple[str, Callable[[Any, Any], None]]] = [(f"= {said(v)}", put(v)) for v in VALUES]
            changes += [("removed", remove), ("twice", twice), ("empty", empty), ("nested", nested)]
            name = ".".join(map(str, way))
            for what, change in changes:

                def make(
                    manifest: Any = manifest, tensors: Any = tensors, way: Any = way, change: Any = change
                ) -> tuple[dict[str, Any], dict[str, Any]]:
                    return changed(manifest, way, change), tensors

                found.append(Mutation(where, f"{name} {what}", make))
        for name, array in tensors.items():
            for what, other in damaged(array):

                def exchange(
                    manifest: Any = manifest, tensors: Any = tensors, name: Any = name, other: Any = other
                ) -> tuple[dict[str, Any], dict[str, Any]]:
                    return manifest, {**tensors, name: other}

                found.append(Mutation(where, f"tensor {name} {what}", exchange))
        whole = written(manifest, tensors)
        chance = random.Random(len(whole))
        for _ in range(60):
            place, value = chance.randrange(min(len(whole), 3_000)), chance.randrange(256)

            def spoil(whole: bytes = whole, place: int = place, value: int = value) -> bytes:
                return whole[:place] + bytes([value]) + whole[place + 1 :]

            found.append(Mutation(where, f"byte {place} = {value}", spoil))
    return found


def damaged(array: Any) -> list[tuple[str, Any]]:
    """Tensors that are not what they should be, or hold what no training leaves."""
    made = [("with an axis more", array[None]), ("flat", array.reshape(-1)), ("as integers", array.astype(np.int64))]
    made.append(("in another precision", array.astype(np.float64 if array.dtype == np.float32 else np.float32)))
    made.append(("without its first row", array[1:] if array.ndim else array.reshape(1)))
    if array.dtype.kind == "f":
        largest = float(np.finfo(array.dtype).max)
        for value in (0.0, -0.0, 1e30, -1e30, largest, -largest, float(np.finfo(array.dtype).smallest_subnormal)):
            made.append((f"all {value}", np.full_like(array, value)))
    else:
        made += [(f"all {value}", np.full_like(array, value)) for value in (-1, 1, 2**40, -(2**63), 2**63 - 1)]
    return made


def odd(subject: Subject, chance: random.Random) -> Mutation:
    """One to three values that another of the same type takes the place of: what a reader of types lets through."""
    where = chance.choice(["model"] * 5 + ["state"])
    whole = (subject.manifest, subject.tensors) if where == "model" else (subject.state, subject.state_tensors)
    for _ in range(200):
        manifest, tensors = whole[0], dict(whole[1])
        said = []
        for _ in range(chance.choice([1, 1, 2, 3])):
            if chance.random() < 0.4:
                name = chance.choice(sorted(tensors))
                what, tensors[name] = chance.choice(extreme(tensors[name], chance))
                said.append(f"tensor {name} {what}")
            else:
                way = chance.choice(list(paths(manifest)))
                what, change = chance.choice(alike(value_at(manifest, way), chance))
                manifest = changed(manifest, way, change)
                said.append(f"{'.'.join(map(str, way))} {what}")
        if loads(where, manifest, tensors):
            break
    return Mutation(where, "; ".join(said), lambda: (manifest, tensors))


def value_at(manifest: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        manifest = manifest[step]
    return manifest


def alike(value: Any, chance: random.Random) -> list[tuple[str, Callable[[Any, Any], None]]]:
    """What another value of the same type can be put in the place of ``value``."""
    others: list[Any] = []
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, str):
        others = [*TEXTS, value + " ", value.upper(), value * 2, "\x1b" + value, "|" + value + "`"]
    elif isinstance(value, int):
        others = [0, 1, 2, 3, 5, 64, 4_999, 5_000, value + 1, value - 1, 2**31, 2**53 + 1, 2**63 - 1]
    elif isinstance(value, float):
        others = [0.0, -0.0, 1.0, 0.5, 1e-12, 5e-324, 1e38, 1e99, 1e100, -1e100, value * 1e6, -value]
    elif isinstance(value, list):
        others = [value[::-1], value[1:] + value[:1], value[:1] * len(value), value[:-1], value + value]
        others += [[text, *value[1:]] for text in chance.sample(TEXTS, 3)]
        others += [[float(number)] * len(value) for number in (0, 1e-300, 1e100, 1e300, 5e-324)]
    elif isinstance(value, dict):
        others = [dict(reversed(value.items())), dict.fromkeys(value, next(iter(value.values()), 0))]
        others += [{f"{chance.choice(TEXTS)}{key}": item for key, item in value.items()}]
    else:
        others = [0, 1, 0.5, "x", [], {}]
    return [(f"= {said(other)}", put(other)) for other in others]


def extreme(array: Any, chance: random.Random) -> list[tuple[str, Any]]:
    """Finite tensors of the same shape that no training leaves."""
    made = [
        (what, other) for what, other in damaged(array) if other.shape == array.shape and other.dtype == array.dtype
    ]
    if array.dtype.kind != "f" or not array.size:
        return made
    generator = np.random.default_rng(chance.randrange(2**32))
    tiny, largest = (getattr(np.finfo(array.dtype), which) for which in ("smallest_subnormal", "max"))
    signs = generator.choice([-1, 1], array.shape).astype(array.dtype)
    for value in (tiny, 1e-30, 1e10, 1e19, 1e38, largest):
        made.append((f"all +-{value:g}", signs * np.asarray(value, array.dtype)))
        one = array.copy()
        one.flat[generator.integers(array.size)] = value
        made.append((f"one value {value:g}", one))
    wide = (10.0 ** generator.uniform(-44, 38, array.shape)).astype(array.dtype)
    return [*made, ("of all sizes", signs * wide), ("reversed", array[::-1].copy() if array.ndim else array)]


def loads(where: str, manifest: dict[str, Any], tensors: dict[str, Any]) -> bool:
    """Whether a command would go on with such a file."""
    from rnncli.errors import RnncliError
    from rnncli.tasks.model import Model
    from rnncli.training import state

    path = Path("loads.safetensors")
    try:
        path.write_bytes(written(manifest, tensors))
        Model.load(path) if where == "model" else state.load(path)
    except (RnncliError, ValueError):
        return False
    return True


def written(manifest: dict[str, Any], tensors: dict[str, Any]) -> bytes:
    """The file, with a right SHA-256, whether or not we would write it: a text may hold half a surrogate pair."""
    return model_file.encode(manifest, tensors)


def commands(subject: Subject, model: str) -> list[list[str]]:
    """Every command and view, with a text, with the model's own example, and as JSON."""
    text, data = KINDS[subject.kind].input, subject.data
    looks = ["--timesteps", "--gates", "--bptt", "--memory", "--why", "--by-hand", "--check-gradients"]
    made = [["predict", text, "", "x y", "-m", model, "--json"], ["predict", data, "-m", model]]
    made += [["evaluate", model, data], ["evaluate", model, data, "--json"]]
    made += [["inspect", "-m", model], ["inspect", "-m", model, "--json"]]
    for look in looks:
        made += [["inspect", look, "-m", model], ["inspect", text, look, "-m", model, "--json"]]
    made += [["inspect", "--gates", "--map", "-m", model, "--svg", "out.svg", "--force"]]
    made += [["inspect", "--by-hand", "--as", form, "-m", model] for form in ("markdown", "latex")]
    made += [["inspect", "-m", model, "--html", "out.html", "--force"]]
    made += [["inspect", "--doctor", data, "-m", model], ["inspect", "--doctor", data, "-m", model, "--json", "--full"]]
    made += [["inspect", "--fires", "0", "--data", data, "-m", model, "--json"]]
    made += [["inspect", "--fires", "all", "--data", data, "-m", model]]
    whole = str(subject.run / "model.safetensors")
    made += [["inspect", text, "--diff", whole, "-m", model], ["inspect", "--diff", whole, "-m", model, "--data", data]]
    made += [["inspect", "--memory", "--compare", whole, "-m", model, "--json"]]
    return [*made, ["tokenize", text, "--model", model], ["tokenize", text, "--model", model, "--json"]]


def alarmed(*_: object) -> None:
    raise TooSlow


def run(arguments: list[str]) -> str | None:
    """Runs a command in this process; returns what is wrong with how it ended, None where nothing is."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    shown: list[str] = []
    place = ""

    def seen(message: Any, category: Any, filename: str, lineno: int, *_: Any) -> None:
        shown.append(f"{category.__name__}: {message} ({Path(filename).name}:{lineno})")

    raised: list[str] = []
    say = cli._say

    def noted(message: str, hint: str | None, call: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and "bug in rnncli" in message:
            raised.append(where_of(error))
        say(message, hint, call)

    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    signal.setitimer(signal.ITIMER_REAL, 10 * LIMIT)
    try:
        cli._say = noted
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = seen
            code = cli.main(arguments)
    except TooSlow as error:
        return f"more than {LIMIT:g} s ({where_of(error)})"
    except BaseException as error:
        return f"{type(error).__name__} escapes ({where_of(error)})"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        cli._say = say
    for stream in (out, err):
        stream.flush()
    printed, complained = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err))
    if code == 1 and "the check has failed" not in complained:
        place = raised[0] if raised else complained[:100]
        return f"exit code 1 ({place})"
    if code not in (0, 1, 2, 3, 4, 5, 6):
        return f"exit code {code}"
    if "Traceback" in complained or "panicked" in complained:
        return f"a traceback on stderr ({complained.strip().splitlines()[-1]})"
    if shown:
        return shown[0]
    if any((char < " " and char not in "\n\t") or "\x7f" <= char <= "\x9f" for char in printed):
        return "a control character on stdout"
    if code == 0 and "--json" in arguments:
        return not_strict(printed)
    return None


def not_strict(printed: str) -> str | None:
    """What is wrong with JSON lines, or with one document."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(printed, parse_constant=refuse)
        return None
    except ValueError:
        pass
    try:
        for line in printed.splitlines():
            json.loads(line, parse_constant=refuse)
    except ValueError as error:
        return f"no strict JSON ({str(error)[:40]})"
    return None


def where_of(error: BaseException) -> str:
    """The innermost place in the program, and what was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "rnncli" in frame.filename and "fuzz" not in frame.filename] or frames[-1:]
    said = str(error).split("\n")[0][:60]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno} {type(error).__name__}: {said}"


def train(folder: Path) -> list[Subject]:
    """One run of each kind, of which the training has an epoch still to go."""
    made = []
    for kind, data in KINDS.items():
        (folder / data.file).write_text(data.content)
        fault = run(["train", data.file, *SMALL, *data.options, "--name", kind])
        run_folder = folder / "runs" / kind
        if fault is not None or not (run_folder / "model.safetensors").exists():
            raise SystemExit(f"the training of {kind} is at fault itself: {fault}")
        model, state = (model_file.load(run_folder / f"{name}.safetensors") for name in ("model", "state"))
        made.append(Subject(kind, run_folder, data.file, *model, *state))
    return made


def attack(subject: Subject, mutation: Mutation, folder: Path) -> Iterator[tuple[list[str], str | None]]:
    """Each command with what was wrong with it."""
    made = mutation.make()
    try:
        data = made if isinstance(made, bytes) else written(*made)
    except Exception as refused:  # not even the writer takes it
        yield ["(encode)"], None if type(refused).__name__ == "ModelFileError" else where_of(refused)
        return
    if mutation.where == "model":
        path = folder / "mutated.safetensors"
        path.write_bytes(data)
        for arguments in commands(subject, path.name):
            yield arguments, run(arguments)
            if not useful(path):
                break
        # A saved training whose model was exchanged, too.
        shutil.copytree(subject.run, folder / "runs" / "odd", dirs_exist_ok=True)
        (folder / "runs" / "odd" / "model.safetensors").write_bytes(data)
    else:
        shutil.copytree(subject.run, folder / "runs" / "odd", dirs_exist_ok=True)
        (folder / "runs" / "odd" / "state.safetensors").write_bytes(data)
    arguments = ["train", "--resume", "odd", "--epochs", "3"]
    yield arguments, run(arguments)
    yield ["inspect", "-m", "odd", "--json"], run(["inspect", "-m", "odd", "--json"])
    shutil.rmtree(folder / "runs" / "odd", ignore_errors=True)


def useful(path: Path) -> bool:
    """Whether the model can be loaded: every command refuses one that cannot, in the same words."""
    from rnncli.errors import RnncliError
    from rnncli.tasks.model import Model

    try:
        Model.load(path)
    except RnncliError:
        return False
    return True


def chosen(seed: int, subjects: list[Subject], only_odd: bool, tell: Callable[[str], None]) -> Iterator[Case]:
    """All mutations in a random order, or odd ones for ever, each decided by the seed and its number."""
    if only_odd:
        for number in itertools.count():
            chance = random.Random(f"{seed} {number}")
            subject = chance.choice(subjects)
            yield subject, lambda subject=subject, chance=chance: odd(subject, chance)
    found = [(subject, mutation) for subject in subjects for mutation in mutations(subject)]
    random.Random(seed).shuffle(found)
    tell(f"seed {seed}: {len(found):,} mutations of {len(subjects)} models and their states are possible")
    for subject, mutation in found:
        yield subject, lambda mutation=mutation: mutation


def fuzz(seed: int, most: float, hours: float, only: int | None, only_odd: bool, tell: Callable[[str], None]) -> int:
    """Runs mutations; returns how many distinct faults there were."""
    faults: dict[str, Fault] = {}
    end = time.monotonic() + hours * 3600
    ran = refused = started = 0
    signal.signal(signal.SIGALRM, alarmed)
    signal.signal(signal.SIGPROF, alarmed)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        try:
            subjects = train(folder)
            for number, (subject, made) in enumerate(chosen(seed, subjects, only_odd, tell)):
                if number >= most or time.monotonic() > end or (only is not None and number > only):
                    break
                if only is not None and number != only:
                    continue
                mutation = made()
                ran += 1
                count = 0
                for arguments, fault in attack(subject, mutation, folder):
                    started, count = started + 1, count + 1
                    if only is not None:
                        tell(f"  {' '.join(arguments)[:100]}: {fault or 'fine'}")
                    if fault is not None:
                        if fault in faults:
                            faults[fault].times += 1
                            continue
                        called = f"{subject.kind} {mutation.where}: {mutation.what}"
                        faults[fault] = Fault(fault, " ".join(arguments), called)
                        tell(f"#{number} {called}\n  rnncli {' '.join(arguments)[:200]}\n  {fault}")
                refused += mutation.where == "model" and count <= 3
                if ran % 50 == 0:
                    tell(f"{ran:,} mutations, {started:,} commands, {len(faults)} distinct faults")
        finally:
            os.chdir(before)
    tell(f"{ran:,} mutations ({refused:,} of them refused at once), {started:,} commands, seed {seed}")
    tell(f"{len(faults)} distinct faults")
    for fault in faults.values():
        tell(f"{fault.times:6} × {fault.kind}\n         {fault.mutation}\n         rnncli {fault.command[:160]}")
    return len(faults)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=math.inf)
    parser.add_argument("--mutations", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", type=int, help="the number of one mutation")
    parser.add_argument("--odd", action="store_true", help="only what loads")
    given = parser.parse_args()
    found = fuzz(given.seed, given.mutations, given.hours, given.only, given.odd, lambda said: print(said, flush=True))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
