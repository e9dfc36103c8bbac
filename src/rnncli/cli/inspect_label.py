"""Which label the loss of ``rnncli inspect`` is of: the one given, that of the row in the training data, or neither."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.errors import UsageError
from rnncli.render.console import Output

if TYPE_CHECKING:
    from rnncli.inspection.loss import Label
    from rnncli.tasks.model import Model

# Views that show a loss or its gradient.
OF_A_LOSS = frozenset(("bptt", "memory", "by_hand", "check_gradients"))


def label_of(model: Model, path: Path, text: str | None, answer: str | None) -> Label:
    """What a loss is of.

    Args:
        path: the model's file.
        text: the input; None for the model's own example.
        answer: as given by ``--answer``.
    """
    from rnncli.inspection.adapters import adapter_of
    from rnncli.inspection.loss import Label
    from rnncli.training.rows import labelled_row

    if answer is not None or not model.labelled:
        return Label.of(model, answer)
    text = model.example if text is None else text
    adapter = adapter_of(model)
    found = labelled_row(model, path, text, lambda one: adapter.parts(one).values)
    if isinstance(found, str):
        return Label(remark=found)
    place = f"line {found.line} of {found.file}"
    try:
        adapter.open(text, found.label)
    except UsageError as error:
        return Label(remark=f"that of {place} cannot be used: {error.message}")
    lines = ", ".join(f"{line:,}" for line in found.differing[:3])
    lines += ", …" if len(found.differing) > 3 else ""
    remark = f"the same input has another label in line {lines}" if found.differing else ""
    return Label(found.label, place, remark)


def note_label(output: Output, model: Model, text: str | None, label: Label) -> None:
    """Says on stderr what the loss is of, and what the model predicts if that is something else."""
    from rnncli.inspection.adapters import adapter_of
    from rnncli.inspection.loss import PREDICTION, with_origin

    if not model.labelled:
        return
    adapter = adapter_of(model)
    found = adapter.open(text, label)
    said = f"the loss is of {with_origin(found.answer, found.origin)}"
    if label.origin == PREDICTION:
        reason = f": {label.remark}" if label.remark else ""
        output.note(f"{said}{reason}; --answer gives the true one", "yellow")
        return
    predicted = adapter.open(text).answer
    said += f"; the model predicts {predicted}" if predicted != found.answer else ""
    output.note(f"{said}; {label.remark}" if label.remark else said, "dim")
