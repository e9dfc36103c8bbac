"""Numbers with a comma: is it before the decimals, or between thousands?"""

from __future__ import annotations

from rnncli.data.doubts.preview import Preview, cut
from rnncli.data.formats.numbers import with_point
from rnncli.data.tables.names import text_rank
from rnncli.errors import DataError, counted, quoted

_OF_NUMBERS = ("caption", "regress", "forecast")  # tasks that read numbers beside a text


def commas_in_numbers(preview: Preview) -> DataError | None:
    """A column of numbers that can be read in two ways, or not at all as it is written, in a table without a text."""
    dialect = preview.file.dialect
    if dialect is None or not dialect.unsure:
        return None
    columns = [column for column in preview.columns if column.name in dialect.unsure]
    beside = preview.besides(*columns)
    if preview.task not in _OF_NUMBERS and any(c.is_prose or text_rank(c.name) in (0, 1) for c in beside):
        return None  # they stand beside a text, and are not read
    if not columns:
        return None  # they are left out
    value = next((value for value in columns[0].filled if with_point(value, ",") != value), columns[0].example)
    ways = {mark: with_point(value, mark) for mark in (",", ".")}
    commands = [
        f"{cut(value)} is {number}: {preview.file.command(f'--decimal {mark}')}"
        for mark, number in ways.items()
        if number != value or "," not in value
    ]
    more = f" and {counted(len(columns) - 1, 'other column')}" if len(columns) > 1 else ""
    return preview.file.refusal(
        f"{quoted(columns[0].name)}{more} may hold numbers with decimals or with thousands ({cut(value)})",
        f"If {'; if '.join(commands)}",
        preview.line_of(columns[0], value),
    )
