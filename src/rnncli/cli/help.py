"""Help as plain text, its options in the sections that :data:`rnncli.cli.options.PANELS` names.

Typer's own help draws boxes with Rich, which takes as long to import as all the rest, and of the 80 columns of a
terminal leaves an option's help 18.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class PlainCommand(TyperCommand):
    """A command whose help wants nothing but Typer itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"rich_markup_mode": None})

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments and options, each under its section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            section = getattr(parameter, "rich_help_panel", None) or "Options"
            if parameter.param_type_name == "argument":
                # Its name alone: newer versions of Typer add its type, which is always a text.
                section, record = "Arguments", (str(parameter.metavar), record[1])
            sections.setdefault(section, []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


class PlainGroup(TyperGroup):
    """The program itself, likewise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"rich_markup_mode": None})
