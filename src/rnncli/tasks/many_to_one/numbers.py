"""Prepares sequences of numbers with one answer each for a training, and reports what they are like."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rnncli.config import Settings
from rnncli.data.records import NumberArrays
from rnncli.data.records.ragged import Ragged
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.wide_form import WideForm
from rnncli.errors import UsageError, counted
from rnncli.tasks.inputs import NumberInput, shorten, shortened
from rnncli.tasks.many_to_one.model import ManyToOneModel
from rnncli.tasks.many_to_one.network import Examples
from rnncli.tasks.many_to_one.targets import Targets
from rnncli.tasks.prepare import Prepared, require_memory
from rnncli.tasks.report import numbers_words, spread, spread_words

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


def prepare(task: Targets, dataset: Dataset, settings: Settings, begin: ManyToOneModel | None = None) -> Prepared:
    """Reads, splits, standardises by the training rows, and encodes.

    Args:
        begin: the model of numbers that the training goes on from; numbers are standardised as it does it.

    Raises:
        DataError: a sequence cannot be read, with its line; or the rows cannot train a model.
        UsageError: the network that the settings describe does not fit into memory.
    """
    if begin is None:
        task.require(dataset)
    sequences, dataset = _of_one_width(dataset)
    if begin is None:
        task.require(dataset)
    rows, answers, targets = task.divided(dataset, settings, begin)
    if begin is None:
        input, constant = NumberInput.of(sequences.take(rows.train).joined(), dataset.source.missing)
    else:
        input, constant = _input_of(begin, int(sequences.flat.shape[1])), 0
    standardised, kept = _standardised(input, sequences, dataset, settings.dtype)
    if kept is not dataset:  # numbers that are out of all bounds, among the validation rows
        return prepare(task, kept, settings, begin)
    lengths, limit, shown = sequences.lengths, settings.max_length, int(rows.looked_at[0])
    example = dataset.inputs.text(shown)
    if lengths[shown] > limit:  # as it is read: a model's file has no room for a recording of hours
        example = json.dumps(shorten(sequences[shown], limit).tolist())
    untrained = task.untrained(
        settings=settings,
        input=input,
        example=example,
        form=dataset.reads if isinstance(dataset.reads, LongForm | WideForm) else None,
        **answers,
    )
    require_memory(untrained.network, int(lengths.max()))
    weights = task.weights(targets[rows.train], targets, settings)
    whole = Examples(shortened(standardised, limit), targets, weights)
    train, validation = whole.take(rows.train), whole.take(rows.validation)
    cut = int((lengths > limit).sum())
    note = f"; of {cut:,} the middle is not read (--max-length)" if cut else ""
    report = task.described(
        dataset,
        settings,
        rows,
        "sequences of numbers",
        {"lengths": spread(lengths), "cut": cut, "features": input.size, "constant": constant},
        [
            ("lengths", spread_words(spread(lengths), "timestep") + note),
            ("numbers", numbers_words(input.size, constant, "timestep")),
        ],
    )
    judge = partial(task.baselines_of_numbers, train, validation, untrained.network)
    return Prepared(untrained, train, validation, report, baselines=judge)


def _input_of(model: ManyToOneModel, width: int) -> NumberInput:
    """How a model standardises its numbers, of which there are ``width`` a timestep.

    Raises:
        UsageError: it reads text, or other timesteps.
    """
    if not isinstance(model.input, NumberInput):
        raise UsageError("the model to begin with reads text, and these are sequences of numbers")
    require_width(model, width)
    return model.input


def require_width(model: ManyToOneModel, width: int) -> None:
    """Raises UsageError: a model to begin with reads other timesteps than those with ``width`` numbers."""
    if model.input.size != width:
        raise UsageError(
            f"the model to begin with reads {counted(model.input.size, 'number')} a timestep, "
            f"and these data have {width:,}"
        )


# Timesteps that are standardised at a time.
_AT_A_TIME = 1 << 16


def _standardised(input: NumberInput, sequences: Ragged, dataset: Dataset, dtype: str) -> tuple[Ragged, Dataset]:
    """Each sequence standardised; and the records of which that is possible, ``dataset`` itself if it is of all."""
    made = np.zeros(sequences.flat.shape, dtype)
    problems: list[str | None] = []
    try:
        for first in range(0, len(made), _AT_A_TIME):
            some = slice(first, first + _AT_A_TIME)
            made[some] = input.standardised(sequences.flat[some])
    except ValueError:
        for one in sequences:  # which of them, and why
            try:
                input.standardised(one)
                problems.append(None)
            except ValueError as error:
                problems.append(f"the sequence {error}")
    return sequences.with_flat(made), dataset.without(problems, "sequence that cannot be read")


def _of_one_width(dataset: Dataset) -> tuple[Ragged, Dataset]:
    """(T, D) float64 of each record, D that of the first; and the records of which that is so.

    Raises:
        DataError: a record has other timesteps, and such are not to be left out.
    """
    assert isinstance(dataset.inputs, NumberArrays)
    widths = dataset.inputs.widths
    width = int(widths[0])
    problems = [
        None if other == width else f"the sequence has {other} numbers a timestep, and the first record has {width}"
        for other in widths.tolist()
    ]
    kept = dataset.without(problems, "sequence that cannot be read")
    assert isinstance(kept.inputs, NumberArrays)
    return kept.inputs.ragged(width), kept
