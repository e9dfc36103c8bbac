"""A text and its label in two columns; or a list of words and their tags, or a sequence of numbers in one cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.checks import CHOSEN, LABELLED, TABLE
from rnncli.data.doubts.labels import nested_label, no_labels, not_classes, takes_tags
from rnncli.data.doubts.preview import Preview, raise_first, raise_found
from rnncli.data.doubts.texts import nested_text, words_as_text
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Value, as_text, is_nested, looks_like_numbers, words
from rnncli.data.layouts import indicators
from rnncli.data.layouts.labels import LabelReading, label_reading
from rnncli.data.layouts.layout import Plan, Record, Request
from rnncli.data.records import Inputs, NumberArrays, Records, Texts, TokenLists
from rnncli.data.records.label_sets import NONE
from rnncli.data.tables.columns import Columns, change_with, choose_columns
from rnncli.data.tables.series_form import number_beside
from rnncli.data.tables.source import Roles
from rnncli.errors import DataError

_TYPED_BY = 20  # records that decide the type of the inputs; a later one of another type is a bad record


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    request: Request
    columns: Columns
    inputs: type[Inputs[Any]]

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        if not self.request.labelled and self.preview.file.format.holds == "texts":
            return "one text"
        why = self.columns.why + self.labels.said
        if self.inputs is NumberArrays:
            why = why.replace("text:", "sequences:", 1)
        by_model = self.request.roles is not None and "; change with" not in why
        return f"{why}{change_with(self.columns.label)}" if by_model else why

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        preview, (text_at, label_at, _) = self.preview, self.columns
        doubted = self.request.doubted and self.request.whole and self.request.labelled
        tags_doubted = doubted and self.inputs is TokenLists
        texts_expected = doubted and self.inputs is Texts and not preview.has_targets
        texts_expected = texts_expected and not preview.columns[text_at].nested
        dialect = preview.file.dialect
        header = preview.names if self.request.whole and dialect is not None and dialect.header else None
        for line, values in rows:
            input, label = values[text_at], None if label_at is None else values[label_at]
            problem = None
            if label is not None and self.request.whole:
                problem = _missing(input, NONE if self.labels.several else label)
                if values == header:
                    problem = "the header once more"
            if problem is not None:
                ledger.bad_record(line, problem)
                continue
            if texts_expected and not isinstance(input, str) and is_nested(input):
                raise nested_text(preview, as_text(input), line)
            if tags_doubted and label is not None and words(label) is None:
                raise_found(nested_label(preview, as_text(input), as_text(label), line, tagged=True))
            yield Record(line, input, label)

    def new_inputs(self) -> Inputs[Any]:
        if self.inputs is NumberArrays:
            return NumberArrays(missing=self.request.source.missing or self.preview.purpose.missing)
        return self.inputs()

    def new_labels(self) -> Inputs[Any]:
        return TokenLists() if self.inputs is TokenLists else super().new_labels()

    def refusal(self, records: Records) -> DataError | None:
        # Tags were checked as they were read.
        return None if self.inputs is TokenLists else not_classes(self.preview, records)


def recognize(preview: Preview, request: Request) -> Plan | None:
    several = indicators.recognize(preview, request)
    if several is not None:
        return several
    columns, labels = choose(preview, request)
    names, label_at = preview.names, columns.label
    preview = preview.choose(columns.text, label_at)
    inputs = request.inputs
    if not request.labelled or (not request.whole and inputs is TokenLists and label_at is None):
        inputs = Texts  # of words without tags, which the model itself cuts
    roles = Roles(layout="texts", text=(names[columns.text],), label=() if label_at is None else (names[label_at],))
    inputs = inputs or _type_of_inputs(preview)
    return _Plan(preview=preview, roles=roles, request=request, columns=columns, inputs=inputs, labels=labels)


def choose(preview: Preview, request: Request) -> tuple[Columns, LabelReading]:
    """The columns of text and label, as they were named or are guessed, and how the label's values are read.

    Raises:
        DataError: it cannot be told which they are, or the table is likely something else.
    """
    source, need_label = request.source, request.labelled
    if request.doubted and need_label:
        raise_first(TABLE, preview)
    label = source.label
    if label is None and need_label and preview.has_numbers:
        label = number_beside(preview.columns, source.text)
    columns = choose_columns(preview.names, preview.sample, text=source.text, label=label, need_label=need_label)
    preview = preview.choose(columns.text, columns.label)
    labels = label_reading(preview, source)
    if request.doubted:
        raise_first(CHOSEN, preview)
        if labels.several:
            raise_found(words_as_text(preview))
        elif columns.label is not None:
            texts, named = ([texts[at] for texts in preview.sample] for at in (columns.text, columns.label))
            raise_found(no_labels(preview, texts, named, [row.line for row in preview.rows]))
        raise_first(LABELLED, preview)
    return columns, labels


def _type_of_inputs(preview: Preview) -> type[Inputs[Any]]:
    """What the inputs are, by the first records."""
    assert preview.text is not None
    assert preview.label is not None
    pairs = ((row.values[preview.text.at], row.values[preview.label.at]) for row in preview.rows)
    first = list(itertools.islice((pair for pair in pairs if _missing(*pair) is None), _TYPED_BY))
    if takes_tags(preview, first):
        return TokenLists
    numbers = 2 * sum(looks_like_numbers(input) for input, _ in first) > len(first)
    return NumberArrays if numbers and not preview.has_targets else Texts


def _missing(input: Value, label: Value) -> str | None:
    """What is wrong with a record whose text or label is empty."""
    if isinstance(input, str) and not input.strip():
        return "the text is empty"
    if isinstance(label, str) and not label.strip():
        return "the label is empty"
    return None
