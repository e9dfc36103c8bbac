"""Which parts of an input made the answer, for a page: every part, but of a very long input passages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.adapters import Adapter
from rnncli.inspection.question import Question
from rnncli.inspection.states import visible
from rnncli.inspection.why import SATURATED, Why, probability, why
from rnncli.page_results import Effect, Reasons
from rnncli.tasks.inputs import shorten

MOST_PARTS = 120  # of an input that is asked about part by part
MOST_GRADIENTS = 600  # that are read, of one whose parts have integrated gradients
FEWEST_PASSAGES, MOST_PASSAGES = 16, 32
WORK = 80_000  # timesteps that are run through, to ask about all passages once
ENDS, LARGEST = 3, 14  # passages that are shown at either end, and by their effects
_EDGE = 3  # parts that a passage is named by, at either end


def reasons(adapter: Adapter[Any], text: str, answer: str | None, cut: int = 0) -> Reasons:
    """Which parts of the text made the answer.

    Args:
        cut: how many parts in the middle are not read.

    Raises:
        UsageError: the input has no timesteps, or the answer is none that can be given.
    """
    question = adapter.question(text, answer)
    told = question.answer if answer is None else adapter.predicted([text])[0]
    unit = question.parts.unit
    few = len(question.parts.names) <= MOST_PARTS
    if few or (question.path is not None and len(question.path.input) <= MOST_GRADIENTS):
        found = why(question)
        if few or found.came_out:
            return _of_parts(found, question, told, unit)
    return _of_passages(question, told, unit, cut)


def _of_parts(found: Why, question: Question, told: str, unit: str) -> Reasons:
    parts = question.parts
    replaced, deleted, read, notes = found.replaced, found.deleted, list(range(len(parts.names))), []
    if len(parts.names) <= MOST_PARTS:
        replaced = _all(question, found.score, replaced, parts.replaced)
        deleted = None if deleted is None else _all(question, found.score, deleted, parts.without)
        alone = replaced if deleted is None else deleted
        effects, best = alone, f"of leaving the {unit} out alone"
        if found.shapley is not None:
            effects, best = found.shapley, "a Shapley value"
        elif found.saturated and found.came_out and found.integrated is not None:
            effects, best = found.integrated, "an integrated gradient, for the prediction is saturated"
    else:
        assert found.integrated is not None
        effects, best = found.integrated, "an integrated gradient"
        asked = int((~np.isnan(replaced)).sum())
        notes.append(f"The {asked} {unit}s with the largest ones have been left out alone, too: see the table.")
        if question.read is not None:
            read = question.read.tolist()

    def of(values: Array | None, k: int) -> float | None:
        return None if values is None or np.isnan(values[k]) else float(values[k])

    shown = tuple(
        Effect(
            name=_name(question, k),
            first=k + 1,
            last=k + 1,
            effect=float(effects[k]),
            deleted=of(deleted, k),
            replaced=of(replaced, k),
            integrated=of(found.integrated, k),
            shapley=of(found.shapley, k),
        )
        for k in read
    )
    if found.gap is not None:
        notes.append(
            f"Integrated gradients: {found.steps} steps; their sum misses {found.gap:.2%} of the difference between "
            f"the score and that with every part replaced.{'' if found.came_out else ' They have not come out.'}"
        )
    if found.saturated:
        notes.insert(0, found.saturation)
    if found.flip is not None and not found.flip_explains:
        most = f"{len(found.flip):,} of its {len(found.parts):,} {unit}s"
        notes.append(f"Only leaving most of it out, {most}, turns the prediction round, which explains nothing.")
    elif found.flip is not None:
        names = ", ".join(f"‘{visible(found.parts[k])}’" for k in found.flip)
        which = "The fewest parts" if found.exhaustive else "Parts"
        turned = f"turns the prediction round: {names}. Then it is ‘{found.flip_answer}’."
        notes.append(f"{which} whose leaving out {turned}")
    elif found.exhaustive:
        notes.append("Leaving parts out, however many, does not turn the prediction round.")
    return _reasons(question, told, found.score, found.empty_score, shown, effects, best, notes)


def _reasons(
    question: Question,
    told: str,
    score: float,
    empty: float,
    shown: tuple[Effect, ...],
    effects: Array,
    best: str,
    notes: list[str],
) -> Reasons:
    return Reasons(
        answer=question.answer,
        told=told,
        probability=probability(score, question.score_is),
        score_is=question.score_is,
        score=score,
        empty_score=empty,
        unit=question.parts.unit,
        parts=len(question.parts.names),
        effects=shown,
        largest=float(np.abs(effects).max(initial=0.0)),
        best_is=best,
        notes=tuple(notes),
    )


def _all(question: Question, score: float, falls: Array, leave: Callable[[Sequence[int]], str]) -> Array:
    """The effects, those that were not asked about asked for: here there is room for each."""
    missing = np.flatnonzero(np.isnan(falls)).tolist()
    filled = falls.copy()
    if missing:
        filled[missing] = score - question.scores([leave((k,)) for k in missing])
    return filled


def _name(question: Question, k: int) -> str:
    """A part as it is shown; a number in a column by both."""
    value: Any = question.parts.values[k]
    name = question.parts.names[k]
    return f"{name} {value:g}" if isinstance(value, float) else visible(name)


def _of_passages(question: Question, told: str, unit: str, cut: int) -> Reasons:
    """Asks about so many passages of what is read that it takes seconds, not hours."""
    parts, n = question.parts, len(question.parts.names)
    found = passages(n, cut)
    count = len(found)
    score, empty = question.scores([parts.replaced(()), parts.without(range(n))]).tolist()
    replaced = score - question.scores([parts.replaced(passage) for passage in found])
    deleted: Array | None = None
    if parts.deletable and not cut:  # what is deleted of a text that is cut makes room for what was not read
        deleted = score - question.scores([parts.without(passage) for passage in found])
    alone = replaced if deleted is None else deleted
    shown = list(range(count))
    if count > 2 * ENDS + LARGEST + 1:
        largest = np.argsort(-np.abs(alone), kind="stable")[:LARGEST].tolist()
        shown = sorted({*range(ENDS), *range(count - ENDS, count), *largest})
    effects = tuple(
        Effect(
            name=_passage_name(question, found[k]),
            first=found[k].start + 1,
            last=found[k].stop,
            effect=float(alone[k]),
            deleted=None if deleted is None else float(deleted[k]),
            replaced=float(replaced[k]),
        )
        for k in shown
    )
    notes = [f"The input has {n:,} {unit}s: what is read of it is asked about in {count} passages."]
    if len(shown) < count:
        others = alone[[k for k in range(count) if k not in shown]]
        notes.append(
            f"Here are the first {ENDS}, the last {ENDS} and those with the largest effects. The {len(others)} others "
            f"have effects between {others.min():+z.3g} and {others.max():+z.3g}, {others.sum():+z.3g} together."
        )
    p = probability(score, question.score_is)
    if p is not None and p > SATURATED:
        of = question.score_is.split(",")[0]
        said = f"The prediction is saturated: its probability is above {SATURATED:g}, "
        said += f"where what a passage does to the {of} "
        said += "hardly shows in it. Trust passages alone without which it falls below; ask a model that is less sure, "
        notes.insert(0, f"{said}too (--model RUN@EPOCH, after train --keep-epochs).")
    best = f"of {'replacing' if deleted is None else 'deleting'} its passage"
    return _reasons(question, told, score, empty, effects, alone, best, notes)


def passages(count: int, cut: int) -> list[range]:
    """Stretches of about equal length that cover all parts but those that are not read."""
    read = shorten(np.arange(count), count - cut)
    most = max(FEWEST_PASSAGES, min(MOST_PASSAGES, WORK // len(read)))
    found = []
    for stretch in np.split(read, np.flatnonzero(np.diff(read) > 1) + 1):
        number = min(len(stretch), max(1, round(most * len(stretch) / len(read))))
        edges = [int(stretch[0]) + len(stretch) * k // number for k in range(number + 1)]
        found += [range(a, b) for a, b in pairwise(edges)]
    return found


def _passage_name(question: Question, passage: range) -> str:
    """Its first parts and its last."""
    names = [_name(question, k) for k in passage]
    if len(names) > 2 * _EDGE:
        names = [*names[:_EDGE], "…", *names[-_EDGE:]]
    return " ".join(names)
