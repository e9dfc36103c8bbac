"""Columns of tagged words that are not what they are taken for."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.data.doubts.preview import Preview, cut
from rnncli.data.formats.advice import command
from rnncli.data.formats.conll import CONLL_U
from rnncli.data.formats.values import words
from rnncli.data.tables.column import Column
from rnncli.data.tables.facts import is_bio, mostly
from rnncli.errors import DataError

_DISTINCT = 0.5  # of all words, from which on the values of a column are no tags
_FEW = 20  # words that say nothing about this


def tag_first(preview: Preview) -> DataError | None:
    """The columns of words and tags are the other way round."""
    if preview.text is None or preview.label is None:
        return None
    first, tags = (_values(preview, column) for column in (preview.text, preview.label))
    if not (mostly(map(is_bio, first)) and "O" in first) or mostly(map(is_bio, tags)):
        return None
    return preview.file.refusal(
        f"the tag comes first in each line ({cut(f'{first[0]} {tags[0]}')}), but rnncli reads a word and then its tag",
        f"To read them so: {_command(preview, preview.label, preview.text)}",
        preview.rows[0].line,
    )


def no_words(preview: Preview) -> DataError | None:
    """The first column numbers the words of each sentence, or names the document."""
    column = preview.text
    if column is None or column.at > 0:
        return None
    sentences = [words(row.values[0]) or () for row in preview.rows]
    numbered = mostly(_counts(sentence) for sentence in sentences) and max(map(len, sentences)) > 1
    values = _values(preview, column)
    if not numbered and (len(values) < _FEW or len(set(values)) > 1):
        return None
    others = list(_likely_words(preview))
    what = "numbers the words" if numbered else "is the same in each line"
    name_them = f"name that of the words and that of the tags by number, as {preview.command('--text 2 --label 3')}"
    if len(preview.names) == len(CONLL_U) and numbered:
        hint = f"If it is CoNLL-U: {preview.command('--format conllu')}; or {name_them}"
    elif others and preview.label is not None and others[0] is not preview.label:
        hint = f"To read the words from column {others[0].at + 1}: {_command(preview, others[0], preview.label)}"
    else:
        hint = name_them[:1].upper() + name_them[1:]
    listed = " ".join(_values(preview, each)[0] for each in preview.columns)
    return preview.file.refusal(f"the first column {what} ({cut(listed)})", hint, preview.rows[0].line)


def no_tags(preview: Preview) -> DataError | None:
    """The last of several columns has one value alone, or nearly as many as there are words."""
    column = preview.label
    if column is None or preview.text is None or len(preview.names) < 3:
        return None
    values = _values(preview, column)
    distinct = set(values)
    same = len(distinct) == 1 and distinct != {"O"}
    if len(values) < _FEW or not (same or len(distinct) > _DISTINCT * len(values)):
        return None
    what = "is the same in each line" if same else f"has {len(distinct):,} different values in {len(values):,} lines"
    likely = [
        each
        for each in preview.besides(preview.text, column)
        if 1 < len(set(_values(preview, each))) <= _DISTINCT * len(values)
    ]
    made = "; ".join(_command(preview, preview.text, each) for each in likely[:3])
    name = f"column {column.at + 1}" if preview.file.format.name == "conll" else f"'{column.name}'"
    return preview.file.refusal(
        f"{name} {what} ({cut(values[0])}), so it does not look like tags",
        f"Name the column of the tags: {made or preview.command('--label COLUMN')}",
        preview.rows[0].line,
    )


def _values(preview: Preview, column: Column) -> list[str]:
    """What a column holds, of all sentences together."""
    return [value for row in preview.rows for value in words(row.values[column.at]) or ()]


def _counts(values: tuple[str, ...]) -> bool:
    """Whether values are 1, 2, 3 or 0, 1, 2."""
    return values[:1] in (("0",), ("1",)) and all(value == str(k) for k, value in enumerate(values, int(values[0])))


def _likely_words(preview: Preview) -> Iterator[Column]:
    """The columns that may hold the words."""
    for column in preview.columns:
        values = _values(preview, column)
        if len(set(values)) > 1 and not mostly(value.isdecimal() for value in values):
            yield column


def _command(preview: Preview, text: Column, label: Column) -> str:
    """The command that reads these columns, which are known by their number if the format does not name them."""
    by_number = preview.file.format.name == "conll"
    names = [str(column.at + 1) if by_number else column.name for column in (text, label)]
    return preview.command(command("--text", names[0], "--label", names[1]))
