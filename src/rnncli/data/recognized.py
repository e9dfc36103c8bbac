"""Formats that a name does not say: a ``.txt`` file may hold fastText's lines, or a series a line; a folder has any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rnncli.data.formats.fasttext import is_fasttext
from rnncli.data.formats.folders import is_folder, walk
from rnncli.data.formats.registry import FORMATS, format_of
from rnncli.data.formats.sources import STDIN, check_path, open_chunks
from rnncli.data.tables.source import Source
from rnncli.data.tables.text_tables import mark_between_numbers
from rnncli.errors import RnncliError

_LINES = 20  # by which it is told,
_FILES = 20  # of each of these


def with_format(source: Source) -> Source:
    """A source of which the format is said, where its first lines say it; what cannot be read is left to its reader."""
    if source.target is not None or source.path == STDIN:
        return source
    paths: Sequence[str] = source.paths
    if not source.more and is_folder(source.path):
        try:
            folder = walk(source.path, source.format)
        except RnncliError:
            return source
        source = replace(source, format=folder.format, format_found=source.format is None)
        paths = [path for path, _ in folder.files[:_FILES]]
    named = format_of(source.path) if source.format is None else source.format if source.format_found else None
    if source.format is None and named is None and not source.more:  # Coffee_TRAIN
        format, mark = _told_by_lines(source.path, source, steps=False)
        return source if mark is None else replace(source, format=format, delimiter=mark, header=False)
    if named is None or FORMATS[named].holds not in ("texts", "documents"):
        return source
    found = {_told_by_lines(path, source, FORMATS[named].holds == "documents") for path in paths}
    format, mark = found.pop()
    if format is None or found:
        return source
    header = False if mark is not None else source.header
    return replace(source, format=format, format_found=True, delimiter=mark or source.delimiter, header=header)


def _told_by_lines(path: str, source: Source, steps: bool) -> tuple[str | None, str | None]:
    """The format that the first lines of a text file are of, and what separates their numbers; None for a text.

    Args:
        steps: whether the file is a record, so that each line may be a timestep.
    """
    try:
        check_path(path)
        head = next(open_chunks(path, max_bytes=1 << 62), b"")
        lines = head.decode(source.encoding, "replace").splitlines()
    except (RnncliError, LookupError):
        return None, None
    whole = lines[:_LINES] if len(lines) > _LINES else lines[: max(1, len(lines) - 1)]
    if not steps and is_fasttext(whole):
        return "fasttext", None
    mark = None if source.delimiter or source.header else mark_between_numbers(whole, steps)
    return (None, None) if mark is None else ("csv", mark)
