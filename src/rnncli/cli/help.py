"""Help as plain text, in sections.

Typer's own help draws boxes with Rich, which takes as long to import as all the rest, and of the 80 columns of a
terminal leaves an option's help 18.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from typer.core import TyperCommand

from rnncli.config import TASKS
from rnncli.data.formats.registry import FORMATS
from rnncli.errors import UsageError

Rows = Sequence[tuple[str, str]]


class PlainCommand(TyperCommand):
    """A command whose help needs only Typer, and which takes each option once.

    Attributes:
        panels: sections of the help, each with the options that begin it; the options after them belong to it too.
        tables: makes sections that say what can be chosen, each its rows; they stand before the options.
    """

    panels: Mapping[str, str] = MappingProxyType({})
    tables: Callable[[], Mapping[str, Rows]] = dict

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises UsageError: an option that takes one value is given twice; the parser would take the last of them."""
        given = list(args)  # the parser takes its list apart
        rest = super().parse_args(ctx, args)
        *_, order = self.make_parser(ctx).parse_args(given)
        seen = set()
        for parameter in order:
            name = parameter.opts[0]
            if parameter.name in seen and _takes_one(parameter):
                raise UsageError(f"{name} is given twice, and it takes one value", "leave one of them out")
            seen.add(parameter.name)
        return rest

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments and options, each under its section."""
        sections: dict[str, list[tuple[str, str]]] = {name: [] for name in ("Arguments", *self.panels)}
        first = {name: section for section, names in self.panels.items() for name in names.split()}
        section = "Options"
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            section = first.get(str(parameter.name), section)
            if parameter.param_type_name == "argument":
                # Its name alone: newer versions of Typer add its type, which is always a text.
                sections["Arguments"].append((str(parameter.metavar), record[1]))
            else:
                sections.setdefault(section, []).append(record)
        arguments = {"Arguments": sections.pop("Arguments")}
        for name, records in (arguments | dict(self.tables()) | sections).items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


def _takes_one(parameter: Any) -> bool:
    """Whether a second one could contradict the first: it has a value, or a --no- form."""
    if parameter.param_type_name != "option" or parameter.multiple:
        return False
    return not parameter.is_flag or bool(parameter.secondary_opts)


def tables_of_training() -> dict[str, Rows]:
    """What can be learned, and from which files."""
    tasks = sorted((name, row.learns) for name, row in TASKS.items())
    return {"Tasks (the data decide, unless --task names one)": tasks, **_formats()}


def tables_of_evaluation() -> dict[str, Rows]:
    """How a model of each task is scored, and from which files."""
    return {
        "Scores (by the task of the model)": sorted((name, row.scores) for name, row in TASKS.items()),
        **_formats(),
    }


def _formats() -> dict[str, Rows]:
    rows = [(one.name, ", ".join(one.suffixes) or "only with --format") for one in FORMATS.values()]
    return {"Formats (the name of a file decides, also with .gz, unless --format does)": rows}
