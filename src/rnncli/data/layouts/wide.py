"""Sequences with a row each: see :mod:`rnncli.data.tables.wide_form`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.data.doubts.preview import Preview
from rnncli.data.doubts.series import either_label, features_or_series, unclear_columns
from rnncli.data.formats.missing import HOW_TO_FILL, Gap, first_gap, interpolated, is_missing, without_end
from rnncli.data.formats.numbers import Floats
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Value, as_text, number
from rnncli.data.layouts.labels import label_reading
from rnncli.data.layouts.layout import Plan, Record, Request, named_features
from rnncli.data.layouts.sequences import SequencePlan
from rnncli.data.records import Inputs
from rnncli.data.tables.column import Column
from rnncli.data.tables.columns import find_column
from rnncli.data.tables.source import Roles
from rnncli.data.tables.wide_form import (
    FEWEST,
    Place,
    Steps,
    WideForm,
    beside_steps,
    counted_steps,
    looks_like_features,
    measure_different_things,
    nameless_label,
    plain_label,
)
from rnncli.errors import DataError, quoted


@dataclass(frozen=True, kw_only=True)
class _Plan(SequencePlan):
    reads: WideForm
    steps: Steps
    ids: tuple[Column, ...] = ()

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        dimensions = len(self.steps.columns[0])
        count = "each row" if inputs is None else f"each of {len(inputs):,} rows"
        why = f"sequences: {count}, timesteps: {self.steps.listed} ({len(self.steps.columns):,})"
        if dimensions > 1:
            why = f"{why} of {dimensions} numbers"
        if self.ids:
            why = f"{why}; not read: {', '.join(column.name for column in self.ids)}"
        return self.with_label(why)

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        places = [[column.at for column in step] for step in self.steps.columns]
        label = self.reads.label
        label_at = None if label is None else self.preview.names.index(label)
        named = next((column.at for column in self.ids if len(column.distinct) == len(column.raw)), None)
        for line, values in rows:
            answer = None if label_at is None else plain_label(as_text(values[label_at]))
            if answer is not None and is_missing(answer) and not self.labels.several:
                ledger.bad_record(line, "the label is empty")
                continue
            try:
                series = self._series(values, places)
            except Gap as gap:
                ledger.bad_record(line, str(gap), HOW_TO_FILL)
            except ValueError as error:
                ledger.bad_record(line, str(error))
            else:
                yield Record(line, series, answer, None if named is None else as_text(values[named]).strip())

    def _series(self, values: Sequence[Value], places: Sequence[Sequence[int]]) -> Floats:
        """(T, D) the numbers of a row up to its last one."""
        steps = np.array([[self._number(values[at], at) for at in step] for step in places])
        series = without_end(steps)
        if not len(series):
            raise ValueError("the sequence has no values")
        gap = first_gap(series)
        if gap is None:
            return series
        step, place = gap
        if self.missing is None:
            name = self.preview.names[places[step][place]]
            raise Gap(f"the value of {quoted(name)} is missing, at timestep {step + 1}")
        return interpolated(series)

    def _number(self, value: Value, at: int) -> float:
        found = number(value)
        if found is None:
            text = as_text(value)
            if not is_missing(text):
                name = quoted(self.preview.names[at])
                raise ValueError(f"the value of {name} is not a finite number: {quoted(text)}")
            found = np.nan
        return found


def recognize(preview: Preview, request: Request) -> Plan | None:
    source = request.source
    if source.text is not None or source.time is not None or preview.file.format.holds != "records":
        return None
    if isinstance(request.reads, WideForm):
        if any(column.nested for column in preview.columns):
            return None  # each cell is a sequence
        return _as_trained(preview, request, request.reads)
    if not request.labelled or not preview.rows:
        return None
    features = named_features(preview, source)
    if source.label is not None:
        find_column(preview.names, source.label, "--label")
    if features is not None:
        return _of_named(preview, request, features)
    return _nameless(preview, request) if _has_no_names(preview) else _named(preview, request)


def _has_no_names(preview: Preview) -> bool:
    """Whether the file has no header, so that columns are called by their numbers."""
    return all(name == str(at) for at, name in enumerate(preview.names, 1))


def _plan(preview: Preview, request: Request, form: WideForm, steps: Steps, ids: Sequence[Column]) -> Plan:
    labels = () if form.label is None else (form.label,)
    id = next((column.name for column in ids), None)
    roles = Roles(layout="wide", by_form=True, features=steps.names, label=labels, id=id)
    return _Plan(
        preview=preview,
        roles=roles,
        reads=form,
        steps=steps,
        missing=request.source.missing or preview.purpose.missing,
        ids=tuple(ids),
        labels=label_reading(preview.labelled(form.label), request.source),
    )


def _named(preview: Preview, request: Request) -> Plan | None:
    """A table with names: its timesteps are the columns whose names count them."""
    label = request.source.label
    steps = counted_steps([column for column in preview.columns if column.name != label])
    if steps is None:
        return None
    names = set(steps.names)  # there may be thousands
    others = [column for column in preview.columns if column.name not in names]
    if any(column.is_prose for column in others):
        return None
    beside = beside_steps(others, label)
    if beside.labels:
        raise either_label(preview, beside.labels, beside.unclear)
    if beside.label is None:
        codes = [column for column in beside.unclear if column.numeric and column.repeats and not column.fractions]
        if request.doubted and codes:
            raise either_label(preview, codes)
        return None
    if request.doubted and beside.unclear:
        raise unclear_columns(preview, steps, beside)
    if request.doubted and looks_like_features(steps):
        raise features_or_series(preview, [column for step in steps.columns for column in step], beside.label)
    form = WideForm(beside.label.name, tuple(column.name for column in beside.ids), width=len(preview.names))
    return _plan(preview, request, form, steps, beside.ids)


def _nameless(preview: Preview, request: Request) -> Plan | None:
    """A table without names: a label, first or last, and numbers beside it."""
    columns = preview.columns
    numeric = [column for column in columns if column.holds_numbers]
    if len(columns) - 1 < FEWEST or len(columns) - len(numeric) > 2:
        return None
    said = request.source.label
    if said is not None:
        at = preview.names.index(said)
        places: list[Place] = ["first"] if at == 0 else ["last"] if at == len(columns) - 1 else []
    else:
        places = nameless_label(columns)
        if len(places) > 1:
            raise either_label(preview, (columns[0], columns[-1]), apart=False)
    if not places:
        return None
    place = places[0]
    label, rest = (columns[0], columns[1:]) if place == "first" else (columns[-1], columns[:-1])
    ids = [column for column in rest if column not in numeric]
    steps = Steps(tuple((column,) for column in rest if column in numeric))
    values = [step[0] for step in steps.columns]
    if request.doubted and said is None and measure_different_things(values):
        raise features_or_series(preview, values, label)
    form = WideForm(label.name, tuple(column.name for column in ids), place=place, width=len(columns))
    return _plan(preview, request, form, steps, ids)


def _of_named(preview: Preview, request: Request, features: tuple[str, ...]) -> Plan | None:
    """The columns that the user named, each a timestep of its row; None where they are something else."""
    if request.source.id is not None or len(features) < 2:
        return None
    chosen = [preview.columns[preview.names.index(name)] for name in features]
    if not all(column.holds_numbers for column in chosen):
        return None
    others = preview.besides(*chosen)
    beside = beside_steps(others, request.source.label)
    if beside.labels:
        raise either_label(preview, beside.labels)
    label = beside.label
    if label is None and _has_no_names(preview):
        label = others[0] if len(others) == 1 else None
    if label is None:
        return None
    form = WideForm(label.name, (), features, width=len(preview.names))
    ids = [column for column in others if column is not label]
    return _plan(preview, request, form, Steps(tuple((column,) for column in chosen)), ids)


def _as_trained(preview: Preview, request: Request, form: WideForm) -> Plan:
    """The columns that a model reads, in another file of the same kind."""
    file, names = preview.file, preview.names
    label: str | None = request.source.label or form.label
    if form.place is not None:
        label = names[0 if form.place == "first" else -1]
        if not request.labelled and not _holds_labels(preview, form):
            label = None
    if request.labelled and label not in names:
        raise DataError(
            f"{file.name}: there is no column {quoted(label or 'of labels')}, which held the labels in training",
            "Name the column that holds the labels with --label COLUMN.",
        )
    if form.features is not None:
        for name in form.features:
            find_column(names, name, "the model's timesteps")
        steps = Steps(tuple((preview.columns[names.index(name)],) for name in form.features))
    else:
        beside = {label, *form.others}
        columns = [column for column in preview.columns if column.name not in beside]
        words = [column for column in columns if not column.holds_numbers]
        steps_of_model = () if request.roles is None else request.roles.features
        if words and steps_of_model and not {column.name for column in words} & set(steps_of_model):
            columns = [column for column in columns if column.holds_numbers]  # the model's timesteps are all there
        elif words:
            raise DataError(
                f"{file.name}: {quoted(words[0].name)} holds no numbers, and the model reads each column as a timestep",
                f"Leave it out with --ignore {words[0].name}.",
            )
        counted = None if _has_no_names(preview) else counted_steps(columns)
        if counted is not None and len(counted.names) < len(columns):
            names_of_steps = set(counted.names)
            extra = next(column for column in columns if column.name not in names_of_steps)
            raise DataError(
                f"{file.name}: {quoted(extra.name)} is no timestep like {quoted(counted.names[0])}",
                f"Leave it out with --ignore {extra.name}.",
            )
        steps = counted or Steps(tuple((column,) for column in columns))
    if not steps.columns:
        raise DataError(f"{file.name}: there are no columns of numbers")
    ids = [column for column in preview.columns if column.name in form.others]
    form = replace(form, label=label if request.labelled else None)
    return _plan(preview, request, form, steps, ids)


def _holds_labels(preview: Preview, form: WideForm) -> bool:
    """Whether a file without a header has its labels too, though none are read.

    Raises:
        DataError: it may have them or not.
    """
    column = preview.columns[0 if form.place == "first" else -1]
    found = [plain_label(value) in preview.purpose.labels for value in column.values]
    if not found or all(found):
        return bool(found)
    if len(preview.names) == form.width:
        return True  # a label that the model does not know
    if not any(found):
        return False
    raise DataError(
        f"{preview.file.name}: cannot tell whether the {form.place} column holds labels, which some of its values are "
        f"({', '.join(sorted(preview.purpose.labels)[:3])}), or numbers",
        f"Leave it out with --ignore {column.name}, or write each series as JSON lines.",
    )
