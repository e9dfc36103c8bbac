"""All layouts, the first that recognizes a table before the others."""

from __future__ import annotations

from rnncli.data.doubts.preview import Preview
from rnncli.data.formats.advice import command
from rnncli.data.layouts import (
    arrays,
    cells,
    indicators,
    long,
    numbers,
    pairs,
    series,
    spans,
    tagged,
    tagged_rows,
    texts,
    wide,
)
from rnncli.data.layouts.layout import Plan, Recognize, Request
from rnncli.data.tables.source import Roles, names_in
from rnncli.errors import DataError, UsageError

LAYOUTS: dict[str, Recognize] = {
    "indicators": indicators.recognize,  # a text, and a column of 0 and 1 for each label
    "tagged": tagged.recognize,  # words and their tags
    "tagged_rows": tagged_rows.recognize,  # a word and its tag a row
    "spans": spans.recognize,  # a text and the spans that are annotated in it
    "arrays": arrays.recognize,  # names of .npy files
    "long": long.recognize,  # a timestep of a sequence a row
    "series": series.recognize,  # a timestep of a series a row, and a number of each that is to be predicted
    "numbers": numbers.recognize,  # numbers beside the text that describes them
    "wide": wide.recognize,  # a sequence a row, a timestep a column
    "pairs": pairs.recognize,  # a source and its target, in a table without a header
    "cells": cells.recognize,  # a sequence in one cell
    "texts": texts.recognize,  # a text, words or a sequence in one cell, and its label in another
}

# Options that name columns by role. One that no layout of the file has a use for is a slip.
ROLES = ("text", "label", "time", "id", "features")


def plan_of(preview: Preview, request: Request) -> Plan:
    """How the records of a table are read.

    Raises:
        DataError: that is doubtful, or no layout fits.
        UsageError: an option names a column for a role that these records have not.
    """
    _require_one_number(preview, request)
    chosen = request.source.layout
    layouts = LAYOUTS.values() if chosen is None else [one for name, one in LAYOUTS.items() if name == chosen]
    plan = next(filter(None, (recognize(preview, request) for recognize in layouts)), None)
    if plan is None and request.roles is not None:  # a prediction reads the inputs alone, perhaps in another layout
        plan = next(filter(None, (recognize(preview, request) for recognize in LAYOUTS.values())), None)
    if plan is None:
        raise DataError(f"{preview.file.name}: the table no longer holds its records as before ({chosen})")
    for role in ROLES:
        if _has_no_effect(role, plan.roles, request):
            raise UsageError(
                f"--{role} has no effect on {preview.file.name}, read as {plan.why()}", f"leave --{role} out"
            )
    if request.source.label_separator is not None and request.labelled and plan.labels.mark is None:
        raise UsageError(
            f"--label-separator has no effect on {preview.file.name}, read as {plan.why()}",
            "leave it out, or say --task multilabel",
        )
    return plan


def _require_one_number(preview: Preview, request: Request) -> None:
    """Raises UsageError: several columns of numbers are to be predicted at once."""
    label = request.source.label
    if not preview.has_numbers or not request.labelled or label is None or label in preview.names:
        return
    names = names_in(label)
    if len(names) > 1 and set(names) <= set(preview.names):
        each = (preview.command_for(preview.task, command("--label", name)) for name in names[:3])
        raise UsageError(
            f"--label names {len(names)} columns, and a model of --task {preview.task} predicts one number",
            f"train a model for each: {'; and '.join(each)}",
        )


def _has_no_effect(role: str, roles: Roles, request: Request) -> bool:
    """Whether the user named a column for a role in which the plan reads another one, or none."""
    named, read = getattr(request.source, role), getattr(roles, role)
    if named is None or (role == "label" and not request.labelled):  # a prediction has no need of labels
        return False
    return named != read if role in ("time", "id") else not read
