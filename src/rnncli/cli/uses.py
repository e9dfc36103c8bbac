"""Which options of ``inspect`` go together, from the table of views, so that none is ignored.

At least one of the views must use an option; with ``--json``, also its document. What depends on the data or the model
is decided where these are known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rnncli.cli.arguments.inputs import is_file
from rnncli.cli.arguments.options import INPUT_READING, READING, flag_of, is_given
from rnncli.cli.views.table import VIEWS
from rnncli.cli.views.view import View
from rnncli.data.formats.registry import is_array
from rnncli.errors import UsageError, listed

_UNITS = "--units and --top choose among hidden states, which are not shown", "add --timesteps or --gates"
_SHOW = "add --timesteps, --gates, --bptt, --why, …"
# The message for an option that nothing uses, where it is not which views it is for.
_UNUSED: dict[str, tuple[str, str | None]] = {
    "sentence": ("a text is given, and no view of it", _SHOW),
    "units": _UNITS,
    "top": _UNITS,
    "svg": ("--svg draws tables, and none is shown", None),
    "force": ("--force is for --svg and --html, and neither is given", None),
}
OPTIONS = ("sentence", "units", "top", "answer", "param", "compare", "form", "full", "map", "svg", "force", "data")


def option_of(name: str) -> str:
    """A parameter's name in messages."""
    return {"form": "--as", "sentence": "a text"}.get(name, flag_of(name))


def check_options(values: Mapping[str, Any]) -> None:
    """Refuses options that do not go together, or that no view uses.

    Args:
        values: of all parameters; None or False for what is not given.

    Raises:
        UsageError: names both.
    """
    given = {name for name, value in values.items() if is_given(name, value)}
    shown = [view for view in VIEWS if view.name in given]
    page = "html" in given
    alone = next((view for view in shown if view.alone), None)
    if alone is not None:
        _check_alone(alone, given, by_itself=len(shown) == 1 and not page)
        shown = [alone.of_data if alone.of_data is not None and "data" in given else alone]
    elif page:
        _check_page(given, shown)
    for view in shown if "svg" in given else []:
        if view.instead_of_picture is not None:
            raise UsageError(f"--svg draws tables, and {view.flag} has none", view.instead_of_picture)
    if {"form", "json"} <= given:
        raise UsageError("--as is a form of --by-hand, and --json is another", "leave one of them out")
    if {"units", "top"} <= given:
        raise UsageError("--units and --top are two ways to choose the units: give one of them")
    if "full" in given and given & {"units", "top"} and any({"full", "units"} <= view.options for view in shown):
        raise UsageError("--full shows all units, and --units and --top choose some: give one of them")
    used = set().union(*(view.options for view in shown))
    in_json = set().union(*(view.options.difference(view.drawing) for view in shown))
    beside = {"sentence", "answer"} if page else set()
    beside |= {"force"} if page or "svg" in given else set()
    beside |= {"svg"} if not shown else set()
    sentence = values.get("sentence")
    if isinstance(sentence, str) and is_file(sentence, values.get("format")) and not is_array(sentence):
        beside |= set(INPUT_READING)
    for name in (*OPTIONS, *READING):
        if name in given and name not in used | beside:
            raise UsageError(*_unused(name))
        if name in given and "json" in given and name not in in_json | beside:
            raise UsageError(
                f"{option_of(name)} chooses what a table shows, and --json has everything", "leave one of them out"
            )


def _unused(name: str) -> tuple[str, str | None]:
    """The message for an option that nothing uses, and what to do."""
    option = option_of(name)
    if name in _UNUSED:
        return _UNUSED[name]
    if name in ("data", *READING):
        flags = [view.flag for view in VIEWS if (view.of_data or view).file != "none"]
        return f"{option} is for the data file of {listed(flags)}", "add one of these"
    flags = [view.flag for view in VIEWS if name in view.options]
    if len(flags) == 1:
        return f"{option} is for {flags[0]}, which is not shown", f"add {flags[0]}"
    return f"{option} is for {listed(flags)}", None


def _check_alone(view: View, given: Collection[str], by_itself: bool) -> None:
    if not by_itself:
        raise UsageError(f"{view.flag} is shown alone: leave the other views out")
    if view.file == "own" and "data" in given:
        raise UsageError(f"{view.flag} takes its file itself, and --data names another one")
    if view.file == "data" and "data" not in given:
        raise UsageError(f"{view.flag} reads a file, and none is given", "name it: --data FILE")
    reads = view.file == "own" or "data" in given
    reading = [name for name in READING if name in given]
    if reading and not reads and "sentence" not in given:
        raise UsageError(f"{option_of(reading[0])} says how a file is read, and none is given", "add --data FILE")
    if reads and "sentence" in given:
        raise UsageError(f"{view.flag} reads a file here, and a text is given too", "leave one of them out")
    if {"map", "answer"} & set(given):
        raise UsageError(f"--map and --answer are not for {view.flag}")


def _check_page(given: Collection[str], shown: Sequence[View]) -> None:
    if "svg" in given and not shown:
        raise UsageError("--svg draws the tables that are shown, in a file of its own", "add --timesteps, --gates, …")
    # Options that choose what a table shows: the page has them all, or chooses itself.
    options = [name for name in OPTIONS if name in given and any(name in view.keywords for view in VIEWS)]
    for option in (*map(option_of, options), *(view.flag for view in shown if not view.page)):
        raise UsageError(
            f"the page that --html writes has no place for {option}", f"give {option} in a command of its own"
        )
