"""The model itself, where nothing else is asked for: its layers, its parameters and its training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnncli.cli.views.view import Shown, Subject, View
from rnncli.errors import counted
from rnncli.record import scored_by

if TYPE_CHECKING:
    from rnncli.cli.views.view import Part
    from rnncli.record import EpochRecord, Record
    from rnncli.results import TableCell, TableView
    from rnncli.tasks.model import Model

EPOCHS_ON_A_SCREEN = 12


def draw(subject: Subject) -> Shown:
    """Shows what the model is, every parameter, and the training record."""
    model, record, path = subject.model, subject.model.record, str(subject.path or subject.name)
    on_a_screen = subject.fits is not None
    share_is = subject.model.share_is
    epochs = record_view(record.epochs, EPOCHS_ON_A_SCREEN if on_a_screen else None, record.best_epoch, share_is)
    parts: list[Part | tuple[Part, ...]] = [model_pairs(model, path), layers_view(model)]
    if epochs.rows:
        curves = record_curves(record.epochs, share_is) if on_a_screen else []
        parts.append((epochs, curves) if curves else epochs)
    layers = [{"name": name, "shape": shape} for name, shape in model.network.shapes().items()]
    document = {"model": path, "task": model.task, **model.facts(), "settings": model.settings.as_dict()}
    return Shown(parts, document | {"layers": layers, "record": record, "example": model.example})


def layers_view(model: Model) -> TableView:
    """Every parameter with its shape; the sum in the caption."""
    from rnncli.results import Column, TableView

    shapes = model.network.shapes()
    rows = tuple((name, " × ".join(map(str, shape)), math.prod(shape)) for name, shape in shapes.items())
    columns = (Column("parameter"), Column("shape"), Column("numbers", True))
    total = sum(map(math.prod, shapes.values()))
    return TableView("Layers", columns, rows, f"{total:,} numbers in all, {model.settings.dtype}")


def model_pairs(model: Model, path: str) -> list[tuple[str, TableCell]]:
    """What a model is, in a few lines."""
    from rnncli.results import format_number

    s, record = model.settings, model.record
    pairs: list[tuple[str, TableCell]] = [("model", path), *model.describe()]
    rows, data = record.rows, record.data
    if rows is not None:  # a model that was put together in Python has no record
        pairs.append(("trained on", f"{counted(rows, model.row)} of {data}, seed {s.seed}"))
    value = model.metric.of(record.best) if record.best is not None else None
    if value is not None:
        beside = [f"{name.replace('_', ' ')} {format_number(score)}" for name, score in record.baselines.items()]
        said = f"{model.metric.name} {format_number(value)}"
        pairs.append(("validation", f"{said} ({', '.join(beside)})" if beside else said))
    return pairs + _scores(model) + _made_with(record)


def _scores(model: Model) -> list[tuple[str, TableCell]]:
    """What else the record says of the model's scores, beside those of its epochs."""
    from rnncli.results import format_number
    from rnncli.tasks.cross_validation import CrossValidation
    from rnncli.tasks.report import interval_words

    record, pairs = model.record, list[tuple[str, "TableCell"]]()
    if record.test is not None:
        test = record.test
        on = f"{counted(test.rows, model.row)} of {test.data}, {interval_words(test)}"
        pairs.append(("test", f"{test.metric} {format_number(test.score)} on {on}"))
    if len(record.folds) > 1:
        found = CrossValidation.of(record.folds, model.metric)
        low, high = map(format_number, found.interval)
        said = f"{found.metric} {format_number(found.mean)} on average, 95% interval {low} to {high}"
        pairs.append(("folds", f"{len(found.folds)}: {said}"))
    if record.origin is not None:
        pairs.append(("begun with", record.origin.in_words))
    if record.kept is not None:
        kept = record.kept
        said = f"{kept.metric} {format_number(kept.before)} before, {format_number(kept.after)} after"
        pairs.append(("older rows", f"{said}, on {counted(kept.rows, model.row)} of {kept.data}"))
    return pairs


def _made_with(record: Record) -> list[tuple[str, TableCell]]:
    """The program and the data that made the model."""
    made: list[tuple[str, TableCell]] = []
    if record.version is not None:
        made.append(("made with", f"rnncli {record.version}"))
    if record.digest:
        made.append(("data", f"SHA-256 {record.digest}"))
    return made


def record_view(
    epochs: Sequence[EpochRecord], most: int | None = None, kept: int | None = None, share_is: str = "accuracy"
) -> TableView:
    """The training record, one row an epoch; with ``most`` so many, evenly spread, the last among them.

    Args:
        kept: the epoch whose parameters the model has, which is marked and always among the rows.
        share_is: what the share of right answers is called.
    """
    from rnncli.results import Column, TableView

    best = max((epoch.epoch for epoch in epochs if epoch.best), default=None)
    mark = "best" if kept == best else "this model"
    count, caption = len(epochs), None
    if most is not None and count > most:
        shown = sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})
        if kept is not None and kept - 1 not in shown:  # in place of the nearest, of those between the ends
            nearest = min(shown[1:-1], key=lambda k: abs(k - kept + 1))
            shown = sorted({*shown, kept - 1} - {nearest})
        epochs = [epochs[k] for k in shown]
        caption = f"{len(shown)} of {count} epochs, piped output and --json have all"
    score = scored_by(epochs)
    rows = tuple(
        (e.epoch, e.loss, e.validation_loss, getattr(e, score), mark if e.epoch == kept else "") for e in epochs
    )
    numbers = ("epoch", "loss", "validation loss", _named(score, share_is))
    return TableView("Training", (*(Column(name, True) for name in numbers), Column("")), rows, caption)


def _named(figure: str, share_is: str) -> str:
    """A figure of an epoch in words."""
    return figure.replace("accuracy", share_is).replace("_", " ")


def record_curves(epochs: Sequence[EpochRecord], share_is: str = "accuracy") -> list[tuple[str, TableCell]]:
    """Each figure of the record as a small picture with its first and last value; none of fewer than two epochs."""
    from rnncli.render.sparkline import sparkline

    if len(epochs) < 2:
        return []
    drawn: list[tuple[str, TableCell]] = []
    for name in ("loss", "validation_loss", scored_by(epochs)):
        values = [getattr(epoch, name) for epoch in epochs]
        if values[0] is not None and values[-1] is not None:
            drawn.append((_named(name, share_is), f"{values[0]:.3f} {sparkline(values)} {values[-1]:.3f}"))
    return drawn


VIEW = View("model", "", draw, text=False, answer=False)
