"""Formats that a name does not say: a ``.txt`` file may hold fastText's lines, or a series a line; a folder has any."""

from __future__ import annotations

from dataclasses import replace

from rnncli.data.formats.fasttext import is_fasttext
from rnncli.data.formats.folders import is_folder, walk
from rnncli.data.formats.registry import FORMATS, format_of
from rnncli.data.formats.sources import STDIN, check_path, open_chunks
from rnncli.data.tables.source import Source
from rnncli.data.tables.text_tables import mark_between_numbers
from rnncli.errors import RnncliError

_LINES = 20  # by which it is told


def with_format(source: Source) -> Source:
    """A source of which the format is said, where its first lines say it; what cannot be read is left to its reader."""
    if source.target is None and not source.more and is_folder(source.path):
        return replace(source, format=walk(source.path, source.format).format)
    named = (
        None
        if source.target is not None or source.format is not None or source.path == STDIN
        else format_of(source.path)
    )
    if named is None or FORMATS[named].holds != "texts":
        return source
    try:
        check_path(source.path)
        head = next(open_chunks(source.path, max_bytes=1 << 62), b"")
        lines = head.decode(source.encoding, "replace").splitlines()
    except (RnncliError, LookupError):
        return source
    whole = lines[:_LINES] if len(lines) > _LINES else lines[: max(1, len(lines) - 1)]
    if is_fasttext(whole):
        return replace(source, format="fasttext")
    mark = None if source.delimiter or source.header else mark_between_numbers(whole)
    return source if mark is None else replace(source, format="csv", delimiter=mark, header=False)
