"""A source and its target in a table without a header, which stand in this order: dictionaries, translations.

walk	W AO1 K
run	R AH1 N
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.preview import Known, Preview, shown
from rnncli.data.formats.advice import command
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Value
from rnncli.data.layouts.layout import Plan, Record, Request
from rnncli.data.records import Inputs
from rnncli.data.tables.column import Column
from rnncli.data.tables.names import is_known
from rnncli.data.tables.source import Roles
from rnncli.errors import DataError, listed, quoted

_ENOUGH = 12  # rows, before it says something that no value of a column repeats
_MOSTLY_DISTINCT = 0.6  # of its values are different, in a column of targets
_COMMON = 8  # characters with which all values begin that say where a record is from


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    places: tuple[int, int]
    request: Request

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        names, (source, target) = self.preview.names, self.places
        ignored = [name for at, name in enumerate(names) if at not in self.places]
        why = f"source: {names[source]}"
        if self.request.labelled:
            why = f"{why}, target: {names[target]}" + (f"; ignored: {listed(ignored)}" if ignored else "")
        return f"{why}; change with --text" + ("/--label" if self.request.labelled else "")

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        source, target = self.places
        for line, values in rows:
            text, answer = values[source], values[target] if self.request.labelled else None
            empty = "source" if _is_empty(text) else "target" if answer is not None and _is_empty(answer) else None
            if empty is None or not self.request.labelled:
                yield Record(line, text, answer)
            else:
                ledger.bad_record(line, f"the {empty} is empty")


def _is_empty(value: Value) -> bool:
    return isinstance(value, str) and not value.strip()


def recognize(preview: Preview, request: Request) -> Plan | None:
    dialect, task = preview.file.dialect, preview.task if preview.task != "auto" else preview.purpose.task
    if Known.COLUMNS & preview.named or task not in ("auto", "seq2seq") or preview.file.format.holds != "records":
        return None
    if dialect is None or dialect.header:
        if task == "auto" and request.labelled and request.doubted and _are_unnamed_pairs(preview.columns):
            raise _which_way(preview)
        return None
    columns = [column for column in preview.columns if column.filled and not column.counts_rows]
    if len(columns) < 2 or (task == "auto" and not (request.labelled and _are_pairs(columns))):
        return None
    source, target, *others = columns
    for column in others:
        if request.labelled and not (_says_origin(column) or column.numeric or column.dates):
            raise _which(preview, columns)
    names = preview.names
    roles = Roles(layout="pairs", text=(names[source.at],), label=(names[target.at],) if request.labelled else ())
    return _Plan(preview=preview, roles=roles, places=(source.at, target.at), request=request)


def _are_pairs(columns: Sequence[Column]) -> bool:
    """Whether the first two columns are texts that belong together, and none of all columns holds labels."""
    source, target = columns[:2]
    if any(c.numeric or c.dates or c.nested or c.lists_of_numbers for c in (source, target)):
        return False
    if any(column.repeats and len(set(column.values)) > 1 and column.words < 3 for column in columns):
        return False
    if target.is_prose:
        return True
    if target.words < 1.5 <= source.words:
        return False  # rather a text and its label
    return len(target.filled) < _ENOUGH or len(target.distinct) >= _MOSTLY_DISTINCT * len(target.filled)


def _are_unnamed_pairs(columns: Sequence[Column]) -> bool:
    """Whether a table has two columns of texts that belong together, under names that say nothing: en, fr."""
    if len(columns) != 2 or any(is_known(column.name) for column in columns):
        return False
    return all(column.is_prose for column in columns) and _are_pairs(columns)


def _which_way(preview: Preview) -> DataError:
    first, second = preview.names
    there, back = (
        preview.command_for("seq2seq", command("--text", a, "--label", b))
        for a, b in ((first, second), (second, first))
    )
    return preview.file.refusal(
        f"two columns hold texts, {quoted(first)} and {quoted(second)}, and their names do not say what for",
        f"To learn to write the second from the first: {there}; the other way round: {back}",
    )


def _says_origin(column: Column) -> bool:
    """Whether all values begin with the same words: where a record is from, and under which licence."""
    first, last = min(column.distinct), max(column.distinct)  # what these two begin with, all others do
    common = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return common >= _COMMON or len(column.distinct) == 1


def _which(preview: Preview, columns: Sequence[Column]) -> DataError:
    first, second = (column.name for column in columns[:2])
    pairs = preview.command_for("seq2seq", command("--text", first, "--label", second))
    found = ", ".join(map(shown, columns[:4])) + (", …" if len(columns) > 4 else "")
    return preview.file.refusal(
        f"cannot tell which columns are a source and its target: {found}",
        f"If the first two are: {pairs}; to learn labels: {preview.command_for('classify', preview.some_columns)}",
        preview.rows[0].line,
    )
