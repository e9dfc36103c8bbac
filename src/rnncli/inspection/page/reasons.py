"""Which parts of an input led to the answer, for a page: every part, but of a very long input passages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.adapters import Adapter
from rnncli.inspection.question import Question
from rnncli.inspection.states import largest, visible
from rnncli.inspection.why import ASK_ANOTHER, Why, probability, saturated, why
from rnncli.page_results import Effect, Reasons

MOST_PARTS = 120  # of an input whose parts are left out one by one
MOST_GRADIENTS = 600  # that are read, of an input whose parts have integrated gradients
FEWEST_PASSAGES, MOST_PASSAGES = 16, 32
WORK = 80_000  # timesteps that it takes to leave out each passage once
ENDS, LARGEST = 3, 14  # passages that are shown at either end, and by their effects
EDGE = 3  # parts at either end of a passage that it is named by


class _Found(NamedTuple):
    """The effects of stretches of an input: single parts, or passages of several."""

    score: float
    empty_score: float
    stretches: Sequence[range]
    effects: Array
    best_is: str
    columns: dict[str, Array | None]
    shown: Sequence[int]
    notes: list[str]


def reasons(adapter: Adapter[Any], text: str, answer: str | None) -> Reasons:
    """Which parts of the text led to the answer.

    Raises:
        UsageError: the input has no timesteps, or the model has no such answer.
    """
    question = adapter.question(text, answer)
    few = len(question.parts.names) <= MOST_PARTS
    short = few or (question.path is not None and len(question.read) <= MOST_GRADIENTS)
    explained = why(question) if short else None
    if explained is not None and (few or explained.converged):
        found = _of_parts(explained, question)
    else:
        found = _of_passages(question)
    return Reasons(
        answer=question.answer,
        predicted=question.answer if answer is None else adapter.predicted([text])[0],
        probability=probability(found.score, question.score_is),
        score_is=question.score_is,
        score=found.score,
        empty_score=found.empty_score,
        unit=question.parts.unit,
        parts=len(question.parts.names),
        effects=tuple(_effect(found, question, k) for k in found.shown),
        largest=float(np.abs(found.effects).max(initial=0.0)),
        best_is=found.best_is,
        notes=tuple(found.notes),
    )


def _effect(found: _Found, question: Question, k: int) -> Effect:
    stretch = found.stretches[k]
    names = [_name(question, place) for place in stretch]
    if len(names) > 2 * EDGE:
        names = [*names[:EDGE], "…", *names[-EDGE:]]
    columns = {what: None if of is None or np.isnan(of[k]) else float(of[k]) for what, of in found.columns.items()}
    return Effect(" ".join(names), stretch.start + 1, stretch.stop, float(found.effects[k]), **columns)


def _name(question: Question, k: int) -> str:
    """A part as it is shown: of a column of numbers, its name and its number."""
    value: Any = question.parts.values[k]
    name = question.parts.names[k]
    return f"{name} {value:g}" if isinstance(value, float) else visible(name)


def _of_parts(found: Why, question: Question) -> _Found:
    """Single parts: all of them, or of many those that have an integrated gradient."""
    count, notes = len(found.parts), [f"{note[0].upper()}{note[1:]}." for note in found.notes]
    shown: Sequence[int] = range(count)
    if count <= MOST_PARTS:
        found = _with_all_tried(found, question)
        effects, best_is = found.best
    else:
        assert found.integrated is not None  # they converged
        effects, best_is, shown = found.integrated, "an integrated gradient", question.read.tolist()
        tried = int((~np.isnan(found.replaced)).sum())
        said = f"The {tried} {question.parts.unit}s with the largest ones have been left out alone, too"
        notes.insert(0, f"{said}: see the table.")
    if found.saturated:
        notes.insert(0, found.saturation)
    columns = {"deleted": found.deleted, "replaced": found.replaced}
    columns |= {"integrated": found.integrated, "shapley": found.shapley}
    stretches = [range(k, k + 1) for k in range(count)]
    return _Found(found.score, found.empty_score, stretches, effects, best_is, columns, shown, notes)


def _with_all_tried(found: Why, question: Question) -> Why:
    """The same with every part left out alone: a page has room for each."""
    missing = np.flatnonzero(np.isnan(found.replaced)).tolist()
    if not missing:
        return found

    def filled(falls: Array, leave: Callable[[Sequence[int]], str]) -> Array:
        falls = falls.copy()
        falls[missing] = found.score - question.scores([leave((k,)) for k in missing])
        return falls

    deleted = None if found.deleted is None else filled(found.deleted, question.parts.without)
    return replace(found, replaced=filled(found.replaced, question.parts.replaced), deleted=deleted)


def _of_passages(question: Question) -> _Found:
    """Passages of what is read, so few that it takes seconds and not hours."""
    parts, n = question.parts, len(question.parts.names)
    found = passages(question.read)
    score, empty = question.scores([parts.replaced(()), parts.without(range(n))]).tolist()
    replaced = score - question.scores([parts.replaced(passage) for passage in found])
    deleted: Array | None = None
    if parts.deletable and len(question.read) == n:  # else a deletion would make room for parts that were not read
        deleted = score - question.scores([parts.without(passage) for passage in found])
    effects, count = replaced if deleted is None else deleted, len(found)
    shown = list(range(count))
    notes = [f"The input has {n:,} {parts.unit}s: what is read of it is tried in {count} passages."]
    if count > 2 * ENDS + LARGEST + 1:
        shown = sorted({*range(ENDS), *range(count - ENDS, count), *largest(effects, LARGEST)})
        others = np.delete(effects, shown)
        notes.append(
            f"Here are the first {ENDS}, the last {ENDS} and those with the largest effects. The {len(others)} others "
            f"have effects between {others.min():+z.3g} and {others.max():+z.3g}, {others.sum():+z.3g} together."
        )
    said = saturated(score, question.score_is, "passage")
    if said:
        notes.insert(0, f"{said}Trust only passages without which it falls below. {ASK_ANOTHER}")
    best_is = f"of {'replacing' if deleted is None else 'deleting'} its passage"
    columns = {"deleted": deleted, "replaced": replaced}
    return _Found(score, empty, found, effects, best_is, columns, shown, notes)


def passages(read: Array) -> list[range]:
    """Stretches of about equal length that cover the parts at these positions, and no others."""
    most = max(FEWEST_PASSAGES, min(MOST_PASSAGES, WORK // len(read)))
    found = []
    for stretch in np.split(read, np.flatnonzero(np.diff(read) > 1) + 1):
        number = min(len(stretch), max(1, round(most * len(stretch) / len(read))))
        edges = [int(stretch[0]) + len(stretch) * k // number for k in range(number + 1)]
        found += [range(a, b) for a, b in pairwise(edges)]
    return found
