"""Files of which neither the name nor the user says the format: what their lines look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

from rnncli.data.doubts.checks import FILE
from rnncli.data.doubts.files import read_together, text_files
from rnncli.data.doubts.preview import Known, Preview, Purpose
from rnncli.data.formats.folders import is_folder, walk
from rnncli.data.formats.registry import format_of
from rnncli.data.formats.sources import STDIN
from rnncli.data.formats.table import Table
from rnncli.data.formats.unreadable import unreadable
from rnncli.data.tables.source import Source
from rnncli.errors import DataError


def by_its_lines(
    unknown: DataError,
    source: Source,
    open_text: Callable[[], Table],
    open_one: Callable[..., Table],
    rows: int,
    purpose: Purpose,
) -> DataError:
    """The refusal of a file, of several or of a folder, with the commands for what the lines look like.

    Args:
        unknown: the refusal without a look at them. It remains where a name says the format, or they are no text.
        open_text, open_one: opens all as text, or one of several.
        rows: how many of each file are looked at.
    """
    if source.format is not None or source.target is not None or source.path == STDIN:
        return unknown
    try:
        paths: Sequence[str] = source.paths
        if not source.more and is_folder(source.path):
            paths = [path for path, _ in walk(source.path, "text").files]
        if any(format_of(path) is not None or unreadable(path) is not None for path in paths):
            return unknown
        table = open_text()
        preview = Preview.of(
            table.ledger.file, table.columns, list(islice(table.rows, rows)), "auto", Known.NOTHING, purpose
        )
    except DataError:
        return unknown  # they are no text
    found = _looks(table, partial(open_one, format="text", watch=None), rows, preview)
    if found is not None and found.hint is not None and table.ledger.file.files:
        return found
    unsaid = f"{table.name}: the name{'s do' if len(paths) > 1 else ' does'} not say the format"
    if found is None or found.hint is None:
        read = f"To read {'them' if len(paths) > 1 else 'it'} as text: {preview.command('--format text')}"
        return DataError(unsaid, f"{read}. {unknown.hint}")
    return DataError(f"{unsaid}; {found.message.partition(': ')[2]}", found.hint)


def _looks(table: Table, open_one: Callable[[str], Table], rows: int, preview: Preview) -> DataError | None:
    """The refusal of what is no text; None where it may be one."""
    file = table.ledger.file
    if file.format.holds != "texts":
        return None
    if not file.files:
        return next(filter(None, (check(preview) for check, _ in FILE["texts"])), None)
    each = list(text_files(file, open_one, rows, "auto", preview.purpose))
    try:
        read_together(file, each, FILE["texts"], by_name=False)
    except DataError as error:
        return error
    return None
