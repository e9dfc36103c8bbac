"""The label that an input has in the data that a model was trained on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.data.dataset import Dataset
from rnncli.data.formats.sources import display_name
from rnncli.data.opening import read_dataset
from rnncli.errors import RnncliError
from rnncli.training import runs, state

if TYPE_CHECKING:
    from rnncli.tasks.model import Model

Parts = Callable[[str], tuple[object, ...]]

# A larger file takes too long to read for the label of one row.
MOST_BYTES = 100_000_000


@dataclass(frozen=True)
class LabelledRow:
    """A row of the data that a model was trained on.

    Attributes:
        label: as ``--answer`` takes it.
        file: the data file's name.
        line: where the row begins.
        differing: lines of rows with the same input and another label.
    """

    label: str
    file: str
    line: int
    differing: tuple[int, ...] = ()


def labelled_row(model: Model, path: Path, text: str, parts: Parts) -> LabelledRow | str:
    """The first row of the training data with this input, or a sentence that says why there is none.

    Args:
        path: the model's file; the training's state beside it says where the data were.
        text: the input.
        parts: splits an input as the model does.
    """
    folder = runs.of_file(path)
    if path not in (folder.model, folder.epochs / path.name) or not folder.state.is_file():
        return "nothing beside the model's file says where its training data are"
    try:
        start = state.load(folder.state).start
    except RnncliError:
        return "the saved state of its training cannot be read"
    source = start.source
    if source.path == "-":
        return "it was trained from stdin"
    name = display_name(os.path.basename(source.path))
    if not os.path.isfile(source.path):  # nor a pipe, which would be waited for
        return f"its training data, {name}, are no longer where they were"
    if os.path.getsize(source.path) > MOST_BYTES:
        return f"its training data, {name}, are too large to be searched for one row"
    try:
        dataset = read_dataset(source, source.label is not None, task=model.task, settled=True)
    except RnncliError:
        return f"its training data, {name}, can no longer be read"
    if dataset.digest != start.digest:
        return f"its training data, {name}, have changed"
    dataset = model.examples(dataset)
    rows = rows_of_input(model, dataset, text, parts)
    if not rows:
        return f"the input is not a row of its training data, {name}"
    first, label = rows[0], dataset.labels.text(rows[0])
    differing = tuple(dataset.lines[row] for row in rows if dataset.labels.text(row) != label)
    return LabelledRow(label, name, dataset.lines[first], differing)


def rows_of_input(model: Model, dataset: Dataset, text: str, parts: Parts) -> list[int]:
    """The rows whose input is the same to the model, in order; white space and capitals that it ignores may differ."""
    exactly = [row for row, other in enumerate(dataset.texts) if other == text]
    if exactly:
        return exactly
    squeezed = _squeezed(text)
    # Few texts are this alike; only these are split as the model does it.
    alike = [row for row, other in enumerate(dataset.texts) if _squeezed(other) == squeezed]
    lower = model.settings.lowercase
    wanted = _parts(parts, text, lower)
    return [row for row in alike if _parts(parts, dataset.texts[row], lower) == wanted]


def _squeezed(text: str) -> str:
    """Its letters and digits alone: the same for a sentence as text and as a JSON list of its words."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _parts(parts: Parts, text: str, lower: bool) -> tuple[object, ...] | None:
    try:
        return parts(text.lower() if lower else text)
    except (RnncliError, ValueError):
        return None
