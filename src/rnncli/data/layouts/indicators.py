"""A text, or a sequence of numbers in one cell, and beside it a column of 0 and 1 for each label.

plot,action,drama,comedy
explosions and a chase,1,0,0
jokes and a wedding then explosions,1,0,1
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.checks import CHOSEN
from rnncli.data.doubts.preview import Preview, raise_first
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Value, as_text, looks_like_numbers
from rnncli.data.layouts.labels import SEVERAL
from rnncli.data.layouts.layout import Plan, Record, Request
from rnncli.data.records import Inputs, LabelSets, NumberArrays, Texts
from rnncli.data.tables.columns import choose_columns, find_column
from rnncli.data.tables.several import NO, YES, indicator_columns
from rnncli.data.tables.source import Roles, names_in
from rnncli.errors import UsageError, listed, quoted


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    text_at: int
    names: tuple[str, ...]
    inputs: type[Inputs[Any]]

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        text = self.preview.names[self.text_at]
        return f"text: {text}; task multilabel: a label in each column, {', '.join(self.names)}; change with --label"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        places = [(name, self.preview.names.index(name)) for name in self.names]
        for line, values in rows:
            input = values[self.text_at]
            try:
                labels = [name for name, at in places if _has(name, values[at])]
                if isinstance(input, str) and not input.strip():
                    raise ValueError("the text is empty")
            except ValueError as error:
                ledger.bad_record(line, str(error))
            else:
                yield Record(line, input, labels)

    def new_inputs(self) -> Inputs[Any]:
        return self.inputs()

    def new_labels(self) -> LabelSets:
        return LabelSets()


def _has(name: str, value: Value) -> bool:
    """Whether a record has a label.

    Raises:
        ValueError: its value is neither.
    """
    text = as_text(value).strip().lower()
    if text not in YES and text not in NO:
        found = quoted(as_text(value)) if text else "empty"
        raise ValueError(f"the label {quoted(name)} is {found}, neither 0 nor 1")
    return text in YES


def recognize(preview: Preview, request: Request) -> Plan | None:
    labels = _labels(preview, request) if request.labelled else ()
    if not labels:
        return None
    others = [column for column in preview.columns if column.name not in labels]
    if not others:
        raise UsageError("--label names all columns, and none is left for the texts")
    found = choose_columns(
        [column.name for column in others],
        [[texts[column.at] for column in others] for texts in preview.sample],
        text=request.source.text,
        need_label=False,
    )
    text_at = others[found.text].at
    if request.doubted:
        raise_first(CHOSEN, preview.choose(text_at, None))
    first = [row.values[text_at] for row in preview.rows]
    numbers = 2 * sum(map(looks_like_numbers, first)) > len(first)
    # A model keeps that it reads a text: files to predict, and others to score, may have no such columns.
    roles = Roles(layout="texts", text=(preview.names[text_at],), label=labels)
    inputs = request.inputs or (NumberArrays if numbers else Texts)
    return _Plan(preview=preview, roles=roles, text_at=text_at, names=labels, inputs=inputs)


def _labels(preview: Preview, request: Request) -> tuple[str, ...]:
    """The columns of the labels: several that the user names; else, for the task, those of 0 and 1."""
    named, names = request.source.label, preview.names
    if named is not None:
        several = names_in(named)
        if named in names or len(several) < 2:
            return ()
        for name in several:
            find_column(names, name, "--label")
        if preview.has_numbers:
            return ()
        if preview.task not in ("auto", SEVERAL):
            raise UsageError(
                f"--label names several columns, and the task {preview.task} learns the labels of one",
                f"name {listed(list(map(quoted, several[:-1])))} or {quoted(several[-1])}",
            )
        return several
    if preview.task != SEVERAL:
        return ()
    known = preview.purpose.labels
    found = [column.name for column in indicator_columns(preview.columns)]
    if known:  # of a model
        found = [name for name in names if name in known]
        return tuple(found) if 2 * len(found) > len(known) else ()
    return tuple(found) if len(found) > 1 else ()
