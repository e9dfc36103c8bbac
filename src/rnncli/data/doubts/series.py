"""Tables of numbers: series with a row a timestep, series with a row each, and what is neither."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from itertools import pairwise

from rnncli.data.doubts.preview import Preview, cell, cut, shown
from rnncli.data.formats.advice import command
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.facts import is_missing
from rnncli.data.tables.header import READS_SERIES
from rnncli.data.tables.long_form import LongForm, guess_long_form
from rnncli.data.tables.names import GROUPS, SEQUENCES, label_rank, mentions, snake_case, text_rank
from rnncli.errors import DataError, counted, listed, quoted

MANY_COLUMNS = 3  # of numbers: with so many, a table is not one of texts, even if a column has the name of a text


def series_as_texts(preview: Preview) -> DataError | None:
    """A table of series, a row a timestep, if its ids had another name or some of its columns were left out."""
    columns = preview.columns
    if len(preview.sample) < 4:
        return None
    dates = [column for column in columns if column.dates and not column.numeric]
    words = [column for column in columns if not (column.numeric or column.dates or column.is_prose) and column.filled]
    choices = [[], dates, *([column] for column in words), *([*dates, column] for column in words if dates)]
    for group in _groups(columns):
        for left_out in choices:
            kept = preview.besides(*left_out)
            if group in left_out or (group.name != "id" and any(column.name == "id" for column in kept)):
                continue
            form = guess_long_form(kept, id=group.name)
            if form is not None and any(
                column.name in form.features and column.numeric and not column.counts_rows for column in kept
            ):
                return _refuse_series(preview, form, group, left_out)
    return None


def nothing_to_read(preview: Preview) -> DataError | None:
    """A table without texts: only numbers, dates and ids stand beside what could be the label."""
    columns = preview.columns
    if len(columns) < 2 or not preview.rows:
        return None
    if any(text_rank(column.name) in (0, 1) and not column.dates for column in columns):
        return None
    label = _likely_label(columns)
    others = preview.besides(label)
    numeric = [column for column in others if column.numeric]
    dates = [column for column in others if column.dates and not column.numeric]
    readable = any(c.filled and not (c.numeric or c.dates or c.is_id) for c in others)
    if readable or not (numeric or dates):
        return None
    values = [column for column in numeric if not column.is_id]
    if label is not None and len(values) >= MANY_COLUMNS and not label.fractions:
        return _refuse_wide(preview, values, label, None)
    found = [f"{shown(column)} holds dates" for column in dates[:1]]
    measured = [*(values or numeric)[:1], *(values[-1:] if label is None else [label])]
    found += [f"{shown(column)} holds numbers" for column in dict.fromkeys(measured) if column.numeric]
    return preview.file.refusal(
        f"no column holds texts: {listed(found)}",
        "rnncli predicts the label of a text or of a series, and does not forecast numbers yet. If a column holds "
        f"texts nevertheless: {preview.command(preview.some_columns)}",
    )


def words_beside_numbers(preview: Preview) -> DataError | None:
    """A column that is not prose is read as the text, and columns of numbers beside it would be ignored."""
    text, label = preview.text, preview.label
    if text is None or text.is_prose:
        return None
    rank = text_rank(text.name)
    if label is None and rank in (0, 1) and not text.dates:
        return None  # no labels are read, and so nothing is learned from it
    if text.dates or (text.numeric and (text.fractions or rank not in (0, 1))):
        return preview.file.refusal(
            f"{shown(text)} would be read as the text, but it holds {'dates' if text.dates else 'numbers'}",
            f"Name the columns that you mean: {preview.command(preview.some_columns)}",
        )
    others = preview.besides(text, label)
    numbers = [column for column in others if column.numeric and not column.is_id and label_rank(column.name) is None]
    fractions = any(column.fractions for column in numbers)
    least = (1 if fractions else 2) if rank is None else MANY_COLUMNS if fractions else MANY_COLUMNS + 2
    return _refuse_wide(preview, numbers, label, text) if len(numbers) >= least else None


def _likely_label(columns: Sequence[Column]) -> Column | None:
    """The first column whose name says most clearly that it holds labels, or the only one of words that repeat."""
    best = best_named(columns, label_rank)
    if best:
        return best[0]
    words = [c for c in columns if c.repeats and not (c.numeric or c.dates) and c.words < 3]
    return words[0] if len(words) == 1 else None


def _groups(columns: Sequence[Column]) -> list[Column]:
    """Columns whose values may say which series a row belongs to, each for several rows: those first named so."""
    groups = []
    for column in columns:
        runs = 1 + sum(before != after for before, after in pairwise(column.values))
        if (
            not column.filled
            or len(column.filled) < len(column.values)
            or 3 * len(column.distinct) > len(column.values)
        ):
            continue
        if column.fractions or column.dates or column.is_prose or label_rank(column.name) is not None:
            continue
        if mentions(column.name, GROUPS) or (runs <= len(column.distinct) * 1.5 and not column.numeric):
            groups.append(column)
    return sorted(groups, key=lambda c: (not mentions(c.name, GROUPS), c.numeric, -len(c.distinct)))


def _refuse_series(preview: Preview, form: LongForm, id: Column, left_out: Sequence[Column]) -> DataError:
    """The refusal of a table that would be one of series without some columns, if its ids were called ``id``."""
    file, suffix = preview.file, preview.file.format.name
    found, steps, read = [], [], file.quoted
    if snake_case(id.name) not in SEQUENCES:
        found.append(f"the column of ids is called {shown(id)}")
        mark = next(mark for mark in "/|#@" if mark not in id.name)
        steps.append(file.piped(f"sed {shlex.quote(f'1s{mark}{id.name}{mark}id{mark}')}", suffix))
        read = file.made(suffix)
    found += [f"{quoted(c.name)} holds {'dates' if c.dates else 'words'} ({cut(c.example)})" for c in left_out]
    ignored = "--ignore " + shlex.quote(",".join(column.name for column in left_out)) if left_out else ""
    steps.append(preview.command(ignored, command("--label", form.label or "label"), file=read))
    ordered = ", if the rows are in order" if any(column.dates for column in left_out) else ""
    return file.refusal(
        f"this looks like a table of series with one row per timestep, but {listed(found)}",
        f"To read series{ordered}: {'; '.join(steps)}. To read texts, name the columns: {preview.some_columns}",
    )


def _refuse_wide(preview: Preview, values: Sequence[Column], label: Column | None, text: Column | None) -> DataError:
    """The refusal of rows of numbers: each is a series, or there is nothing that rnncli learns."""
    first, last = values[0].name, values[-1].name
    numbers = f"{counted(len(values), 'column')} of numbers ({first}" + (f" to {last})" if last != first else ")")
    hints = []
    if len(values) >= MANY_COLUMNS and label is not None:
        hints.append(f"{READS_SERIES}. If each row is a series: {_series_of_columns(preview, values, label)}")
    if text is None:
        what = f"{numbers} and no text"
    else:
        what = f"{numbers} would be ignored, and the text would be {shown(text)}"
        hints.append(f"{'if' if hints else 'If'} you mean the text: {preview.command(preview.chosen_columns)}")
    return preview.file.refusal(what, "; ".join(hints) or f"Name the columns: {preview.command(preview.some_columns)}")


def _series_of_columns(preview: Preview, values: Sequence[Column], label: Column) -> str:
    """The command that makes a series of each row."""
    others = json.dumps([column.name for column in preview.besides(*values)], ensure_ascii=False)
    value = "r[k]" if preview.file.format.typed else "float(r[k])"
    filled = ' and r[k].lower() not in ("","nan")' if _end_in_missing(values) else ""
    record = f'{{"sequence":[{value} for k in r if k not in {others}{filled}],"label":{cell(label)}}}'
    return preview.file.as_json(record)


def _end_in_missing(columns: Sequence[Column]) -> bool:
    """Whether values are missing, and only at the ends of rows."""
    rows = [[not is_missing(value) for value in row] for row in zip(*(column.raw for column in columns), strict=True)]
    return not all(map(all, rows)) and all(row == sorted(row, reverse=True) for row in rows)
