"""Tables without a header."""

from __future__ import annotations

from rnncli.data.doubts.preview import Preview
from rnncli.data.doubts.series import MANY_COLUMNS
from rnncli.data.tables.header import headerless, headerless_series, likely_names, missing_header
from rnncli.errors import DataError


def no_header(preview: Preview) -> DataError | None:
    """The first line is a record: taken for names, it would be lost."""
    columns = preview.columns
    if not preview.file.format.delimiter or not preview.rows:
        return None
    reason = missing_header(columns)
    if reason is None:
        return None
    numeric = [column for column in columns if column.numeric or not column.filled]
    if len(numeric) > MANY_COLUMNS and len(numeric) + 1 >= len(columns):
        return headerless_series(preview.file, reason, columns[-1] not in numeric or columns[0].fractions)
    return headerless(preview.file, reason, likely_names(columns))
