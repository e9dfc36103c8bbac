"""``--plot``: what a training or an evaluation draws, and its file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rnncli.cli.arguments.options import AnyPath, PlotFile
from rnncli.cli.arguments.paths import check_output, suffixes_of
from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.record import EpochRecord
    from rnncli.render.plots import Picture
    from rnncli.results import Curves
    from rnncli.tasks.model import Metric


def require_drawable(path: AnyPath | None, inputs: Iterable[AnyPath]) -> None:
    """Refuses a file that could not be drawn, before the work is done.

    Args:
        inputs: the files that are read.

    Raises:
        UsageError: its suffix is none of ours, it is an input or a folder, or it is a PNG and Matplotlib is not
            installed.
        StorageError: it cannot be written.
    """
    if path is None:
        return
    from rnncli.render.plots import require_drawable

    check_output("plot", path, inputs, suffixes_of(PlotFile))
    require_drawable(_suffix(path))


def learning_curves(epochs: Sequence[EpochRecord], metric: Metric, best: int | None) -> list[Curves]:
    """The losses of training and validation, and the score; of the score, and of a single line, what there is.

    Raises:
        UsageError: no epoch was run.
    """
    from rnncli.render.plots import finite
    from rnncli.results import Curves

    if not epochs:
        raise UsageError("--plot draws the epochs of a training, and none was run", "leave it out")
    losses = (
        ("training", finite([(one.epoch, one.loss) for one in epochs])),
        ("validation", finite([(one.epoch, one.validation_loss) for one in epochs])),
    )
    scores = (("validation", finite([(one.epoch, metric.of(one)) for one in epochs])),)
    name = metric.name
    charts = (("Loss", losses), (name[:1].upper() + name[1:], scores if metric.field != "validation_loss" else ()))
    return [Curves(title, there, best) for title, lines in charts if (there := tuple(one for one in lines if one[1]))]


def write_plot(path: AnyPath, pictures: Sequence[Picture]) -> None:
    """Draws pictures into a file.

    Raises:
        UsageError: there is nothing to draw.
        StorageError: the file cannot be written.
    """
    from rnncli.render.plots import drawn
    from rnncli.storage import write_atomically

    if not pictures:
        raise UsageError("--plot draws a confusion matrix of labels, and this model has none", "leave it out")
    write_atomically(path, drawn(pictures, _suffix(path)))


def _suffix(path: AnyPath) -> str:
    return os.path.splitext(os.fspath(path))[1].lower()
