"""Tables before their columns are chosen."""

from __future__ import annotations

from rnncli.data.doubts.look import Check, Look
from rnncli.data.doubts.series import MANY_COLUMNS, nothing_to_read, series_as_texts
from rnncli.data.doubts.texts import several_columns_of_labels
from rnncli.data.tables.header import headerless, headerless_series, likely_names, missing_header
from rnncli.errors import DataError


def no_header(look: Look) -> DataError | None:
    """The first line is a record: taken for names, it would be lost."""
    if any(look.named) or not look.file.format.delimiter or not look.rows:
        return None
    reason = missing_header(look.columns, look.facts)
    if reason is None:
        return None
    numeric = [at for at, of in enumerate(look.facts) if of.numeric or not of.filled]
    if len(numeric) > MANY_COLUMNS and len(numeric) + 1 >= len(look.columns):
        last = len(look.columns) - 1
        label = last if last not in numeric or look.facts[0].fractions else 0
        return headerless_series(look.file, reason, label)
    return headerless(look.file, reason, likely_names(look.facts))


DESCRIBED: tuple[Check, ...] = (several_columns_of_labels,)  # where a text is to be told from numbers
TABLE: tuple[Check, ...] = (no_header, series_as_texts, nothing_to_read, several_columns_of_labels)
