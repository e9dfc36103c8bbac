"""Results of every task as tables: which numbers a command shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnncli.errors import counted
from rnncli.render.sparkline import sparkline
from rnncli.results import Column, TableCell, TableView

if TYPE_CHECKING:
    from rnncli.record import EpochRecord
    from rnncli.tasks.model import Model
    from rnncli.training.session import Session


def training_summary(session: Session) -> TableView:
    """The best epoch beside the baselines, on the same validation rows."""
    rows: list[tuple[TableCell, ...]] = []
    if session.best_value is not None:
        s, epoch = session.settings, session.state.progress.best_epoch
        rows.append((f"{s.cell.upper()} ({counted(s.hidden, 'unit')}), epoch {epoch}", session.best_value))
    rows += [(baseline.name.replace("_", " "), baseline.score) for baseline in session.baselines or ()]
    count, name = session.prepared.report.validation_rows, session.metric.name
    return TableView(
        f"{name.capitalize()} on {counted(count, 'validation row')}", (Column("model"), Column(name, True)), tuple(rows)
    )


CHOSEN_ON_THEM = "The same rows chose the epoch, so its score is a little too kind."


def verdict(session: Session) -> str | None:
    """Whether the network is better than the best baseline; None when there is nothing to compare."""
    found = session.comparison()
    return None if found is None else f"{found.sentence} {CHOSEN_ON_THEM}"


def layers_view(model: Model) -> TableView:
    """Every parameter with its shape; the sum in the caption."""
    rows: list[tuple[TableCell, ...]] = []
    total = 0
    for name, shape in model.network.shapes().items():
        count = 1
        for side in shape:
            count *= side
        total += count
        rows.append((name, " × ".join(str(side) for side in shape), count))
    columns = (Column("parameter"), Column("shape"), Column("numbers", True))
    return TableView("Layers", columns, tuple(rows), f"{total:,} numbers in all, {model.settings.dtype}")


def model_pairs(model: Model, path: str) -> list[tuple[str, TableCell]]:
    """What a model is, in a few lines."""
    s, record = model.settings, model.record
    pairs: list[tuple[str, TableCell]] = [("model", path), *model.describe()]
    rows, data = record.rows, record.data
    if rows is not None:  # a model that was put together in Python has no record
        pairs.append(("trained on", f"{counted(rows, 'row')} of {data}, seed {s.seed}"))
    value = model.metric.of(record.best) if record.best is not None else None
    if value is not None:
        beside = [f"{name.replace('_', ' ')} {score:.4f}" for name, score in record.baselines.items()]
        said = f"{model.metric.name} {value:.4f}"
        pairs.append(("validation", f"{said} ({', '.join(beside)})" if beside else said))
    return pairs


def record_view(epochs: Sequence[EpochRecord], most: int | None = None, kept: int | None = None) -> TableView:
    """The training record, one row an epoch; with ``most`` so many, evenly spread, the last among them.

    Args:
        kept: the epoch whose parameters the model has, which is marked and always among the rows.
    """
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
    rows = tuple(
        (e.epoch, e.loss, e.validation_loss, e.validation_accuracy, mark if e.epoch == kept else "") for e in epochs
    )
    columns = (
        Column("epoch", True),
        Column("loss", True),
        Column("validation loss", True),
        Column("validation accuracy", True),
        Column(""),
    )
    return TableView("Training", columns, rows, caption)


def record_curves(epochs: Sequence[EpochRecord]) -> list[tuple[str, TableCell]]:
    """Each figure of the record as a small picture with its first and last value; none of fewer than two epochs."""
    if len(epochs) < 2:
        return []
    drawn: list[tuple[str, TableCell]] = []
    for name in ("loss", "validation_loss", "validation_accuracy"):
        values = [getattr(epoch, name) for epoch in epochs]
        if values[0] is not None and values[-1] is not None:
            drawn.append((name.replace("_", " "), f"{values[0]:.3f} {sparkline(values)} {values[-1]:.3f}"))
    return drawn
