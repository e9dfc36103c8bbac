"""One number for the file and the line of a record, so that records of several files are told apart."""

from __future__ import annotations

_FILE = 40  # bits of a line; those above say the file
LINE = (1 << _FILE) - 1  # all of these


def place_in(file: int, line: int) -> int:
    """The line of a record that is read with those of other files; ``file`` from 0."""
    return (file + 1 << _FILE) | line


def file_and_line(place: int) -> tuple[int | None, int]:
    """The file of a record, from 0, and its line there; None where it is read alone."""
    file, line = divmod(place, 1 << _FILE)
    return file - 1 if file else None, line
