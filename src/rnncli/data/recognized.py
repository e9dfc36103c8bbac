"""Formats that a file has inside another one: fastText's lines are found in files that end in ``.txt``."""

from __future__ import annotations

from dataclasses import replace

from rnncli.data.formats.fasttext import is_fasttext
from rnncli.data.formats.registry import FORMATS, format_of
from rnncli.data.formats.sources import STDIN, check_path, open_chunks
from rnncli.data.tables.source import Source
from rnncli.errors import RnncliError

_LINES = 20  # by which it is told


def with_format(source: Source) -> Source:
    """A source of which the format is said, where its first lines say it; what cannot be read is left to its reader."""
    named = None if source.format is not None or source.path == STDIN else format_of(source.path)
    if named is None or FORMATS[named].holds != "texts":
        return source
    try:
        check_path(source.path)
        head = next(open_chunks(source.path, max_bytes=1 << 62), b"")
        lines = head.decode(source.encoding, "replace").splitlines()
    except (RnncliError, LookupError):
        return source
    whole = lines[:_LINES] if len(lines) > _LINES else lines[: max(1, len(lines) - 1)]
    return replace(source, format="fasttext") if is_fasttext(whole) else source
