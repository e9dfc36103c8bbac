"""How a table in a text file is written: what separates its values, whether it has a header, how it writes decimals."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.errors import UsageError, closest

# The names of delimiters on the command line; what is between the values of a line, in words.
NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
_CALLED = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}


@dataclass(frozen=True)
class Dialect:
    """How a table is written, as far as somebody said so or it was found out.

    Attributes:
        delimiter: the character between two values; a space stands for any number of them.
        header: whether the first line names the columns.
        decimal: the character before the decimals of a number.
        width: how many values a row has.
        names: of all columns, where the header has fewer or more than there are values in a row.
        above: how many lines stand above the first row.
        rewritten: places, from 0, of columns whose numbers are read with points, and what a comma in them is: ``,``
            before decimals, ``.`` between thousands.
        unsure: names of columns whose numbers may be read in two ways: ``1,234``.
        empty: places of columns that hold nothing, and are left out.
        left_out: places of all columns that are left out, those without a name that number the rows too.
        said: what is worth saying of all this, a phrase each.
    """

    delimiter: str | None = None
    header: bool | None = None
    decimal: str | None = None
    width: int = 0
    names: tuple[str, ...] = ()
    above: int = 0
    rewritten: tuple[tuple[int, str], ...] = ()
    unsure: tuple[str, ...] = ()
    empty: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()
    said: tuple[str, ...] = ()


def delimiter_named(name: str) -> str:
    """The delimiter of a name (``semicolon``), or the character itself.

    Raises:
        UsageError: it is neither a name nor a single character that can separate values.
    """
    found = NAMES.get(name.strip().lower(), "\t" if name == "\\t" else name)
    if len(found) != 1 or found.isalnum() or found in '"\r\n\0':
        raise UsageError(
            f"--delimiter: '{name}' is not a delimiter{closest(name, NAMES)}",
            f"It is one character, or a name: {', '.join(NAMES)}.",
        )
    return found


def called(delimiter: str) -> str:
    """A delimiter in a sentence: ``semicolons``."""
    return _CALLED.get(delimiter, f"'{delimiter}'")


def option(delimiter: str) -> str:
    """The option that says it, as it is typed in a shell."""
    name = next((name for name, mark in NAMES.items() if mark == delimiter), None)
    return f"--delimiter {name}" if name else f"--delimiter '{delimiter}'"
