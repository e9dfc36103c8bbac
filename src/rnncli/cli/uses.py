"""Which option is for what: a table that decides what is an error, so that no option that is given is ignored.

What a command is to show are its *views*. An option that is given has to be used by one of them at least; with
``--json`` also by its document. What follows from the data or the model is decided where these are known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from rnncli.errors import UsageError

# Views of one input, in the order in which they are shown, with the options that ask for them.
OF_INPUT = {
    "timesteps": "--timesteps",
    "gates": "--gates",
    "bptt": "--bptt",
    "memory": "--memory",
    "why": "--why",
    "by_hand": "--by-hand",
    "check_gradients": "--check-gradients",
}
# Views that are shown by themselves.
ALONE = {"doctor": "--doctor", "diff": "--diff", "fires": "--fires"}
MODEL, PAGE, FILE, OUTPUT = "model", "page", "file", "output"  # the model itself, --html, a file as input, any output
DIFF_OF_FILE = "diff of a file"

_INPUT = frozenset(OF_INPUT)
_FILES = frozenset({"doctor", "fires", DIFF_OF_FILE})


@dataclass(frozen=True)
class Use:
    """What an option is for.

    Attributes:
        views: that use it.
        json: those whose JSON uses it too.
        page: whether the page, too, can be what it asks for; where it cannot, the two do not go together.
        without: what to say where none of the views is shown, and what to do then.
    """

    views: frozenset[str]
    json: frozenset[str]
    page: bool
    without: tuple[str, str | None]


def _use(views: Collection[str], json: Collection[str] | None, without: str, hint: str | None = None) -> Use:
    shown = frozenset(views)
    return Use(shown, shown if json is None else frozenset(json), PAGE in shown, (without, hint))


_UNITS = "--units and --top choose among hidden states, which are not shown"
_OF_A_FILE = "says how a file is read, and none is given"


def option_of(name: str) -> str:
    """A parameter's name as it is typed."""
    return {"form": "--as", "sentence": "a text"}.get(name, "--" + name.replace("_", "-"))


def _reading(name: str, views: Collection[str]) -> Use:
    """Of an option that says what is read of a file."""
    said = f"{option_of(name)} is about a file that is read, for --doctor, --diff and --fires"
    return _use(views, None, said, "add one of these")


INSPECT: Mapping[str, Use] = {
    "sentence": _use(
        [*_INPUT, "diff", PAGE],
        None,
        "a text needs to know what to show of it",
        "add --timesteps, --gates, --bptt, --why, …",
    ),
    "units": _use(["timesteps", "gates"], [], _UNITS, "add --timesteps or --gates"),
    "top": _use(["timesteps", "gates"], [], _UNITS, "add --timesteps or --gates"),
    "answer": _use(
        [*_INPUT - {"timesteps"}, PAGE],
        None,
        "--answer is for --gates, --bptt, --memory, --why, --by-hand and --check-gradients",
    ),
    "param": _use(["bptt"], None, "--param says more of --bptt, which is not shown", "add --bptt"),
    "compare": _use(["memory"], None, "--compare says more of --memory, which is not shown", "add --memory"),
    "form": _use(["by_hand"], [], "--as says more of --by-hand, which is not shown", "add --by-hand"),
    "full": _use(
        ["gates", "bptt", "memory", "why", "check_gradients", "doctor", "fires", "diff", DIFF_OF_FILE],
        ["bptt", "check_gradients", "doctor", "fires", DIFF_OF_FILE],
        "--full is for --gates, --bptt, --memory, --why, --check-gradients, --doctor, --fires and --diff",
    ),
    "map": _use(["gates", "bptt"], [], "--map is for --gates and --bptt"),
    "svg": _use([MODEL, *_INPUT - {"by_hand"}, *ALONE, DIFF_OF_FILE], None, "--svg draws tables, and none is shown"),
    "force": _use([OUTPUT], None, "--force is for --svg and --html, and neither is given"),
    "data": _reading("data", ["fires", DIFF_OF_FILE]),
    "text": _reading("text", [*_FILES, FILE]),
    "label": _reading("label", _FILES),
    "format": _reading("format", [*_FILES, FILE]),
    "encoding": _reading("encoding", [*_FILES, FILE]),
    "skip_bad": _reading("skip_bad", _FILES),
    "ignore": _reading("ignore", _FILES),
}
# Options that choose what a table shows: the page has them all, or chooses itself.
_NOT_ON_A_PAGE = ("units", "top", "param", "compare", "form", "full", "map", "by_hand", "check_gradients")


def check_inspect(values: Mapping[str, Any], given: Collection[str], reads_file: bool) -> None:
    """Refuses options that do not go together, or that nothing of what is shown would use.

    Args:
        given: names of the options that are on the command line.
        reads_file: the text is the name of a file.

    Raises:
        UsageError: names both.
    """
    alone = [view for view in ALONE if values[view] is not None]
    shown = [view for view in OF_INPUT if values[view]]
    page = values["html"] is not None
    if alone:
        _check_alone(values, given, alone, shown, page)
    views = {*alone, *shown, *([PAGE] if page else []), *([FILE] if reads_file else [])}
    views |= {OUTPUT} if page or values["svg"] is not None else set()
    views |= {MODEL} if not alone and not shown and not page else set()
    if values["diff"] is not None and values["data"] is not None:
        views = views - {"diff"} | {DIFF_OF_FILE}
    if page:
        _check_page(values, given, shown)
    if values["svg"] is not None and "by_hand" in shown:
        raise UsageError("--svg draws tables, and --by-hand is none", "--as latex makes a document to print")
    if values["form"] is not None and values["json"]:
        raise UsageError("--as says how --by-hand is written, and --json is another way", "leave one of them out")
    if values["units"] is not None and values["top"] is not None:
        raise UsageError("--units and --top are two ways to choose the units: give one of them")
    if values["full"] and "gates" in shown and (values["units"] is not None or values["top"] is not None):
        raise UsageError("--full shows all units, and --units and --top choose some: give one of them")
    check_uses(INSPECT, given, views, values["json"])


def check_uses(uses: Mapping[str, Use], given: Collection[str], views: Collection[str], json: bool) -> None:
    """Refuses an option that none of the views uses.

    Raises:
        UsageError: says what it is for.
    """
    for name, use in uses.items():
        if name not in given:
            continue
        if use.views.isdisjoint(views):
            raise UsageError(*use.without)
        if json and use.json.isdisjoint(views):
            raise UsageError(
                f"{option_of(name)} chooses what a table shows, and --json has everything", "leave one of them out"
            )


def _check_alone(
    values: Mapping[str, Any], given: Collection[str], alone: list[str], shown: list[str], page: bool
) -> None:
    name = ALONE[alone[0]]
    path = values["doctor"] if values["doctor"] is not None else values["data"]
    if len(alone) > 1 or shown or page:
        raise UsageError(f"{name} is asked for by itself: other things are shown without it")
    if values["doctor"] is not None and values["data"] is not None:
        raise UsageError("--doctor takes its file itself, and --data names another one")
    if values["fires"] is not None and values["data"] is None:
        raise UsageError("--fires looks for words in a file, and none is given", "name it: --data FILE")
    reading = [option for option in ("text", "label", "format", "encoding", "skip_bad", "ignore") if option in given]
    if path is None and reading and values["sentence"] is None:
        raise UsageError(f"{option_of(reading[0])} {_OF_A_FILE}", "add --data FILE")
    if values["sentence"] is not None and path is not None:
        raise UsageError(f"{name} reads a file here, and a text is given too", "leave one of them out")
    if values["map"] or values["answer"] is not None:
        raise UsageError(f"--map and --answer are not for {name}")


def _check_page(values: Mapping[str, Any], given: Collection[str], shown: list[str]) -> None:
    if values["svg"] is not None and not shown:
        raise UsageError("--svg draws the tables that are shown, in a file of its own", "add --timesteps, --gates, …")
    for name in _NOT_ON_A_PAGE:
        if name in given:
            raise UsageError(
                f"the page that --html writes has no place for {option_of(name)}",
                f"give {option_of(name)} in a command of its own",
            )


PREDICT: Mapping[str, Use] = {
    name: _use([FILE], None, f"--{name} {_OF_A_FILE}: these are texts", "name a file, or - for stdin")
    for name in ("text", "format", "encoding")
}


def check_predict(values: Mapping[str, Any], given: Collection[str], reads_file: bool) -> None:
    """Refuses options for files where there are none, and a choice of random numbers where none is used.

    Raises:
        UsageError: says what the option is for.
    """
    check_uses(PREDICT, given, {FILE} if reads_file else set(), False)
    if values["temperature"] == 0 and "seed" in given:
        raise UsageError("--seed chooses random numbers, and --temperature 0 uses none", "leave one of them out")
    if values["spreadsheet_safe"] and values["json"]:
        raise UsageError("--spreadsheet-safe is for lines of a table, and --json is none", "leave one of them out")


_OF_MODEL = "says how texts are cut into tokens, and the model has its own way"
_TOKENIZER = ("unit", "lowercase", "min_count", "max_vocabulary")
TOKENIZE: Mapping[str, Use] = {
    **{
        name: _use([FILE], None, f"--{name} {_OF_A_FILE}: this is a text", "name a file, or - for stdin")
        for name in ("text", "format", "encoding")
    },
    **{
        name: _use([FILE], None, f"{option_of(name)} is for the vocabulary of a file, and a text has all its tokens")
        for name in ("min_count", "max_vocabulary")
    },
    "runs": _use([MODEL], None, "--runs says where --model is looked for, and none is given", "add --model NAME"),
}


def check_tokenize(values: Mapping[str, Any], given: Collection[str], reads_file: bool) -> None:
    """Refuses options for files where there is none, and those of a tokenizer beside a model's.

    Raises:
        UsageError: says what the option is for.
    """
    if values["model"] is not None:
        for name in _TOKENIZER:
            if name in given:
                option = "--tokens" if name == "unit" else option_of(name)
                raise UsageError(f"{option} {_OF_MODEL}", "leave --model or the option out")
    views = ({FILE} if reads_file else set()) | ({MODEL} if values["model"] is not None else set())
    check_uses(TOKENIZE, given, views, False)
