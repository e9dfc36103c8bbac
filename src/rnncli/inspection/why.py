"""Which parts of an input made the answer: by running it without them, by their gradients, and by Shapley values.

All of it asks one question: what is the answer's score, the logarithm of its odds where it is one label and else of
its probability, for the input with some parts left out? A part that is left out is deleted; or, where the input needs
as many as it has, replaced by what the model knows nothing of: an unknown word, an average number. Every input that is
asked about is a text for ``predict``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.integrated_gradients import integrate
from rnncli.inspection.loss import VANISHED_SHARE
from rnncli.inspection.question import Question
from rnncli.inspection.states import visible
from rnncli.results import Column, TableCell, TableView

SHAPLEY_PARTS = 12  # 2^12 inputs are asked about at most
TOO_FAR = 0.1  # of the score's difference: integrated gradients whose sum misses more say nothing of single parts
NAMED = 8  # parts in a sentence
# A prediction is saturated whose probability is above 0.99: there the slope of the probability by the log odds,
# p (1 − p), is below 1%, and the gradient of its loss is taken for gone (rnncli.inspection.loss). A part whose leaving
# out stays there has moved a score that hardly means anything any more.
SATURATED = 1 - VANISHED_SHARE
# Parts that are more than so much of an input explain nothing by being left out: little is left to answer by.
MOST = 0.5
FLIP_TRIES = 2_000  # inputs that are asked about in search of what turns the answer round
# Parts of all the inputs together that are asked about for one column: of more parts than that allows, those with the
# largest gradients are left out one by one, and the others are not.
BUDGET = 5_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Why:
    """What each part did for the answer. All effects are differences of the score; above 0, a part speaks for it.

    Attributes:
        parts: their names.
        answer, score: what was answered, and its score.
        empty_score, baseline_score: the score with every part left out, and with every part replaced.
        deleted: (parts,) by how much the score falls without the part, NaN for one that was not asked about; None where
            parts cannot be deleted.
        deleted_texts: what was asked to find that out.
        replaced: (parts,) by how much it falls with the part replaced, or NaN.
        integrated: (parts,) integrated gradients from the replaced parts to the parts; None where there is no path.
        steps, gap: of that integral, and what its sum misses of ``score`` − ``baseline_score``, as a share.
        shapley: (parts,) Shapley values of leaving out, which add up to ``score`` − ``empty_score``; None for more
            than 12 parts.
        flip: places of the fewest parts found whose leaving out turns the answer round; None if none were found.
        flip_text, flip_answer: the input without them, and what is answered then.
        exhaustive: nothing smaller than ``flip`` turns it round: all have been tried.
    """

    parts: tuple[str, ...]
    answer: str
    score_is: str
    score: float
    empty_score: float
    baseline_score: float
    deleted: Array | None
    deleted_texts: tuple[str, ...]
    replaced: Array
    integrated: Array | None
    steps: int
    gap: float | None
    shapley: Array | None
    flip: tuple[int, ...] | None
    flip_text: str | None
    flip_answer: str | None
    exhaustive: bool

    @property
    def probability(self) -> float | None:
        """What the score comes to; None for a score that is none of a probability."""
        return probability(self.score, self.score_is)

    @property
    def saturated(self) -> bool:
        """Whether the prediction is so certain that its score hardly means anything."""
        return self.probability is not None and self.probability > SATURATED

    @property
    def alone(self) -> Array:
        """(parts,) by how much the score falls without each part alone, NaN for one that was not asked about."""
        return self.replaced if self.deleted is None else self.deleted

    @property
    def carrying(self) -> tuple[int, ...]:
        """Places of the parts without any one of which a saturated prediction is no longer so."""
        left = [(k, probability(self.score - fall, self.score_is)) for k, fall in enumerate(self.alone.tolist())]
        return tuple(k for k, p in left if self.saturated and p is not None and p <= SATURATED)

    @property
    def flip_explains(self) -> bool:
        """Whether what turns the prediction round is few enough parts to explain it."""
        return self.flip is not None and len(self.flip) <= MOST * len(self.parts)

    @property
    def saturation(self) -> str:
        """That the prediction is saturated, and what can be trusted then; empty where it is not."""
        p = self.probability
        if p is None or not self.saturated:
            return ""
        sure = f"{p:.4f}" if p < 0.99995 else "above 0.9999"
        said = f"The prediction is saturated: its probability is {sure}, and above {SATURATED:g} what a part does to "
        said += f"the {self.score_is.split(',')[0]} hardly shows in it. "
        names = ", ".join(f"'{visible(self.parts[k])}'" for k in self.carrying[:NAMED])
        names += ", …" if len(self.carrying) > NAMED else ""
        if self.carrying:
            said += f"Of single parts, trust those without which it falls below: {names}. "
        else:
            said += "It stays there without any single part: what leaving one out does, and its sign, says nothing. "
        if self.shapley is not None:
            return f"{said}Shapley values ask about every choice of parts, most of them not saturated: trust these."
        if self.came_out:
            said += "Integrated gradients come from where it is not saturated, and are what is drawn. "
        return f"{said}Ask a model that is less sure, too (--model RUN@EPOCH, after train --keep-epochs)."

    def document(self) -> dict[str, Any]:
        """For JSON."""
        found = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        found = {{"baseline_score": "blank_score"}.get(name, name): value for name, value in found.items()}
        names = ("probability", "saturated", "carrying", "saturation", "flip_explains")
        return found | {name: getattr(self, name) for name in names}

    @property
    def came_out(self) -> bool:
        """Whether there are integrated gradients that their sum speaks for."""
        return self.gap is not None and self.gap < TOO_FAR

    @property
    def effects(self) -> Array:
        """(parts,) the best there is of each part's effect: Shapley values, else what leaving it out alone does.

        Of a saturated answer integrated gradients, if they have come out, before what leaving out alone does.
        """
        if self.shapley is not None:
            return self.shapley
        if self.saturated and self.came_out and self.integrated is not None:
            return self.integrated
        return np.nan_to_num(self.alone)

    def view(self, most: int | None = None) -> TableView:
        """One row a part, in the order of the input; with ``most``, the parts with the largest effects."""
        every = ("deleted", self.deleted), ("replaced", self.replaced), ("integrated", self.integrated)
        named = [(name, values) for name, values in (*every, ("Shapley", self.shapley)) if values is not None]
        chosen = list(range(len(self.parts)))
        asked = np.flatnonzero(~np.isnan(self.replaced))
        if most is not None and len(self.parts) > most:
            chosen = sorted(asked[np.argsort(-np.abs(self.effects[asked]), kind="stable")[:most]].tolist())
        largest = float(np.abs(self.effects).max(initial=0)) or 1.0
        rows: list[tuple[TableCell, ...]] = [
            (k + 1, visible(self.parts[k]), *(float(v[k]) for _, v in named), pulls(float(self.effects[k]) / largest))
            for k in chosen
        ]
        columns = [Column("t", True), Column("part", style="bold"), *(Column(name, True) for name, _ in named)]
        columns.append(Column("against │ for"))
        title = f"Why {visible(self.answer)}: {self.score_is} {self.score:.4f}, "
        title += f"and {self.empty_score:.4f} with nothing left"
        return TableView(title, tuple(columns), tuple(rows), self._caption(len(rows), len(asked)))

    def _caption(self, shown: int, asked: int) -> str:
        said = ["by how much the score falls without the part"]
        if shown < len(self.parts):
            said[0] += f" ({shown} of {len(self.parts):,} parts, those with the largest effects"
            if asked < len(self.parts):
                said[0] += f" of the {asked:,} that were asked about"
            said[0] += ")"
        if self.gap is not None:
            missed = f"{self.steps} steps, their sum misses {self.gap:.2%} of the difference"
            said.append(f"integrated gradients: {missed}{'' if self.came_out else ', they have not come out'}")
        if self.flip is not None:
            names = ", ".join(f"'{visible(self.parts[k])}'" for k in self.flip[:NAMED])
            fewest = "the fewest parts" if self.exhaustive else "parts"
            if len(self.flip) > NAMED:
                fewest, names = f"{len(self.flip):,} parts", f"{names}, …"
            if self.flip_explains:
                said.append(f"{fewest} whose leaving out turns it round: {names}, to {self.flip_answer}")
            else:
                most = f"{len(self.flip):,} of its {len(self.parts):,} parts"
                said.append(f"only leaving most of it out, {most}, turns it round, which explains nothing")
        elif self.exhaustive:
            said.append("leaving parts out does not turn it round")
        else:
            said.append("no parts were found whose leaving out turns it round")
        return "; ".join(said)


def probability(score: float, score_is: str) -> float | None:
    """What a score comes to: of the logarithm of odds, or of a probability; None of another one."""
    if score_is.startswith("log odds"):
        return 1 / (1 + math.exp(-score)) if score > -700 else 0.0
    return math.exp(min(score, 0.0)) if score_is.startswith("log probability") else None


def pulls(share: float, width: int = 8) -> str:
    """A bar to the right of a line for effects above 0, to the left for those below."""
    length = min(width, round(abs(share) * width))
    left, right = ("█" * length, "") if share < 0 else ("", "█" * length)
    return f"{left:>{width}}│{right}"


def why(question: Question) -> Why:
    """Asks the question by every method there is."""
    parts = question.parts
    count = len(parts.names)
    everything = range(count)
    score, baseline_score, empty_score = question.scores(
        [parts.replaced(()), parts.replaced(everything), parts.without(everything)]
    ).tolist()
    integrated, steps, gap = _integrated(question, score - baseline_score)
    asked = _asked(count, integrated if gap is None or gap < TOO_FAR else None)

    def falls(texts: Sequence[str]) -> Array:
        found = np.full(count, np.nan)
        found[asked] = score - question.scores(texts)
        return found

    replaced = falls([parts.replaced((k,)) for k in asked])
    texts = tuple(parts.without((k,)) for k in asked) if parts.deletable and count > 1 else ()
    deleted = falls(texts) if texts else None
    values = shapley(question) if count <= SHAPLEY_PARTS else None
    flip, exhaustive = _flip(question, next(found for found in (values, deleted, replaced) if found is not None))
    text = parts.without(flip) if flip is not None else None
    return Why(
        parts=parts.names,
        answer=question.answer,
        score_is=question.score_is,
        score=score,
        empty_score=empty_score,
        baseline_score=baseline_score,
        deleted=deleted,
        deleted_texts=texts,
        replaced=replaced,
        integrated=integrated,
        steps=steps,
        gap=gap,
        shapley=values,
        flip=flip,
        flip_text=text,
        flip_answer=question.predictions([text])[0] if text is not None else None,
        exhaustive=exhaustive,
    )


def _asked(count: int, integrated: Array | None) -> list[int]:
    """The parts that are left out one by one: all, or those with the largest gradients."""
    most = max(SHAPLEY_PARTS, BUDGET // count)
    if count <= most:
        return list(range(count))
    if integrated is None:  # the ends of an input say most
        return [*range(most // 2), *range(count - (most - most // 2), count)]
    return sorted(np.argsort(-np.abs(integrated), kind="stable")[:most].tolist())


def _integrated(question: Question, difference: float) -> tuple[Array | None, int, float | None]:
    """(parts,) integrated gradients, their steps and their gap. A part that is not read has none."""
    if question.path is None:
        return None, 0, None
    found = integrate(question.path, difference)
    values = np.zeros(len(question.parts.names))
    values[slice(None) if question.read is None else question.read] = found.values
    return values, found.steps, found.gap


def shapley(question: Question) -> Array:
    """(parts,) what each part adds to the score, on average over every order in which the parts may come in.

    φ_k = Σ_S |S|! (n − |S| − 1)! / n! · (F(S ∪ {k}) − F(S)) over all S without k (Shapley 1953), where F(S) is the
    score with all parts but S left out. They add up to F(all) − F(none).
    """
    parts, n = question.parts, len(question.parts.names)
    masks = np.arange(2**n)
    texts = [parts.without([k for k in range(n) if not mask >> k & 1]) for mask in masks.tolist()]
    values = question.scores(texts)
    sizes = np.array([mask.bit_count() for mask in masks.tolist()])
    weights = np.array([math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) for s in range(n)])
    found = np.empty(n)
    for k in range(n):
        without = masks[(masks >> k & 1) == 0]
        found[k] = weights[sizes[without]] @ (values[without | 1 << k] - values[without])
    return found


def _flip(question: Question, effects: Array) -> tuple[tuple[int, ...] | None, bool]:
    """The fewest parts whose leaving out turns the answer round, and whether all smaller choices have been tried.

    Every choice of one part, of two, … while there are not too many; then the parts that speak most for the answer,
    more and more of them, less those that turn out not to be needed.
    """
    parts, n = question.parts, len(question.parts.names)
    tried, tries = 0, FLIP_TRIES if n <= SHAPLEY_PARTS else max(1, min(FLIP_TRIES, BUDGET // n))
    for size in range(1, n + 1):
        number = math.comb(n, size)
        if n > SHAPLEY_PARTS and tried + number > tries:
            break
        choices = list(combinations(range(n), size))
        answers = question.predictions([parts.without(choice) for choice in choices])
        turned = [choice for choice, answer in zip(choices, answers, strict=True) if answer != question.answer]
        if turned:
            return max(turned, key=lambda choice: float(effects[list(choice)].sum())), True
        tried += number
    else:
        return None, True
    order = np.argsort(-np.nan_to_num(effects), kind="stable").tolist()
    sizes = sorted({round(n ** (k / tries)) for k in range(tries + 1)} if n > tries else range(1, n + 1))
    answers = question.predictions([parts.without(order[:size]) for size in sizes])
    count = next((size for size, answer in zip(sizes, answers, strict=True) if answer != question.answer), None)
    if count is None:
        return None, False
    needed = order[:count]
    for part in reversed(order[: min(count, tries)]):
        fewer = [k for k in needed if k != part]
        if fewer and question.predictions([parts.without(fewer)])[0] != question.answer:
            needed = fewer
    return tuple(sorted(needed)), False
