"""Which parts of an input led to the prediction: by leaving them out, by gradients, and by Shapley values.

Each method compares scores of the prediction, its log odds where it is one label, else its log probability, for the
input with some parts left out. A part that is left out is deleted or, where the input needs as many parts as it has,
replaced by what the model knows nothing of: an unknown word, an average number. ``predict`` takes each of these inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from itertools import combinations
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.integrated_gradients import integrate
from rnncli.inspection.loss import VANISHED_SHARE, format_probability
from rnncli.inspection.question import Question
from rnncli.inspection.states import largest, visible
from rnncli.results import Column, TableCell, TableView

SHAPLEY_PARTS = 12  # 2^12 inputs at most
TOO_FAR = 0.1  # of the score's difference: integrated gradients whose sum misses more say nothing of single parts
NAMED = 8  # parts in a sentence
# Above a probability of 0.99 a prediction is saturated: the slope of the probability by the log odds, p (1 − p), is
# below 1%, and the gradient of its loss counts as vanished (rnncli.inspection.loss). A part without which it stays
# there has moved a score that hardly means anything any more.
SATURATED = 1 - VANISHED_SHARE
# More parts than this share of an input explain nothing by being left out: too little is left.
MOST = 0.5
FLIP_TRIES = 2_000  # inputs that are tried in search of one with another prediction
# Parts of all the inputs together that one column may take: of a longer input only the parts with the largest gradients
# are left out one by one.
BUDGET = 5_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Why:
    """The effect of each part: a difference of the score, above 0 where the part speaks for the answer.

    Attributes:
        parts: their names.
        answer, score: the answer that is explained, and its score.
        score_is: what the score is, in words.
        empty_score, baseline_score: the score with every part left out, and with every part replaced.
        deleted: (parts,) how far the score falls without the part, NaN for one that was not tried; None where parts
            cannot be deleted.
        deleted_texts: the inputs without these parts.
        replaced: (parts,) how far it falls with the part replaced, or NaN.
        integrated: (parts,) integrated gradients from the replaced parts to the parts; None where there is no path.
        steps, gap: of that integral, and what its sum misses of ``score`` − ``baseline_score``, as a share.
        shapley: (parts,) Shapley values of leaving out, which add up to ``score`` − ``empty_score``; None for more
            than 12 parts.
        flip: positions of the fewest parts found without which the prediction is another one; None if none were found.
        flip_text, flip_answer: the input without them, and its prediction.
        exhaustive: whether every smaller choice of parts was tried.
    """

    parts: tuple[str, ...]
    answer: str
    score_is: str
    score: float
    empty_score: float
    baseline_score: float = field(metadata={"json": "blank_score"})
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
        """The probability that the score stands for; None where it stands for none."""
        return probability(self.score, self.score_is)

    @property
    def saturated(self) -> bool:
        """Whether the prediction is so certain that its score hardly means anything."""
        return bool(saturated(self.score, self.score_is))

    @property
    def alone(self) -> Array:
        """(parts,) how far the score falls without each part alone, NaN for one that was not tried."""
        return self.replaced if self.deleted is None else self.deleted

    @property
    def carrying(self) -> tuple[int, ...]:
        """Positions of the parts without any one of which a saturated prediction is no longer so."""
        left = [(k, probability(self.score - fall, self.score_is)) for k, fall in enumerate(self.alone.tolist())]
        return tuple(k for k, p in left if self.saturated and p is not None and p <= SATURATED)

    @property
    def converged(self) -> bool:
        """Whether there are integrated gradients that add up."""
        return self.gap is not None and self.gap < TOO_FAR

    @property
    def best(self) -> tuple[Array, str]:
        """(parts,) the most telling effects that there are, and what they are.

        Shapley values; else, of a saturated prediction, integrated gradients that converged; else each part alone.
        """
        if self.shapley is not None:
            return self.shapley, "a Shapley value"
        if self.saturated and self.converged and self.integrated is not None:
            return self.integrated, "an integrated gradient, because the prediction is saturated"
        return np.nan_to_num(self.alone), "of leaving it out alone"

    @property
    def effects(self) -> Array:
        """(parts,) the most telling effects that there are."""
        return self.best[0]

    @property
    def saturation(self) -> str:
        """That the prediction is saturated, and which numbers to trust then; empty where it is not."""
        said = saturated(self.score, self.score_is)
        if not said:
            return ""
        if self.carrying:
            said += f"Of single parts, trust those without which it falls below: {self._names(self.carrying)}. "
        else:
            said += (
                "It stays there without any single part: the effect of leaving one out, and its sign, says nothing. "
            )
        if self.shapley is not None:
            return f"{said}Shapley values ask about every choice of parts, most of them not saturated: trust these."
        if self.converged:
            said += "Integrated gradients start where it is not saturated, and are what is drawn. "
        return said + ASK_ANOTHER

    @property
    def flip_explains(self) -> bool:
        """Whether the parts without which the prediction is another one are few enough to explain it."""
        return self.flip is not None and len(self.flip) <= MOST * len(self.parts)

    @property
    def notes(self) -> list[str]:
        """How well the integrated gradients add up, and without which parts the prediction is another one."""
        said = []
        if self.gap is not None:
            missed = f"{self.steps} steps, their sum misses {self.gap:.2%} of the difference"
            said.append(f"integrated gradients: {missed}{'' if self.converged else ', they have not converged'}")
        if self.flip is None:
            none = "leaving parts out does not flip the prediction"
            return [*said, none if self.exhaustive else "no parts were found without which the prediction flips"]
        count = f"{len(self.flip):,}"
        if not self.flip_explains:
            share = f"{count} of its {len(self.parts):,} parts"
            return [*said, f"the prediction flips only without {share}, which explains nothing"]
        parts = self._names(self.flip) if len(self.flip) <= NAMED else f"{count} parts ({self._names(self.flip)})"
        fewest = ", and no fewer parts flip it" if self.exhaustive and len(self.flip) > 1 else ""
        return [*said, f"without {parts} the prediction is '{self.flip_answer}'{fewest}"]

    def _names(self, places: Sequence[int]) -> str:
        names = [f"'{visible(self.parts[k])}'" for k in places[:NAMED]]
        return ", ".join(names + ["…"] * (len(places) > NAMED))

    def document(self) -> dict[str, Any]:
        """For JSON."""
        found = {entry.metadata.get("json", entry.name): getattr(self, entry.name) for entry in fields(self)}
        names = ("probability", "saturated", "carrying", "saturation", "flip_explains")
        return found | {name: getattr(self, name) for name in names}

    def view(self, most: int | None = None) -> TableView:
        """One row a part, in the order of the input; with ``most``, the parts with the largest effects."""
        every = ("deleted", self.deleted), ("replaced", self.replaced), ("integrated", self.integrated)
        named = [(name, values) for name, values in (*every, ("Shapley", self.shapley)) if values is not None]
        chosen = range(len(self.parts))
        tried = np.flatnonzero(~np.isnan(self.replaced))
        if most is not None and len(self.parts) > most:
            chosen = tried[largest(self.effects[tried], most)].tolist()
        scale = float(np.abs(self.effects).max(initial=0)) or 1.0
        rows: list[tuple[TableCell, ...]] = [
            (k + 1, visible(self.parts[k]), *(float(v[k]) for _, v in named), pulls(float(self.effects[k]) / scale))
            for k in chosen
        ]
        columns = [Column("t", True), Column("part", style="bold"), *(Column(name, True) for name, _ in named)]
        columns.append(Column("against │ for"))
        title = f"Why {visible(self.answer)}: {self.score_is} {self.score:.4f}, "
        title += f"and {self.empty_score:.4f} with nothing left"
        caption = "how far the score falls without the part"
        if len(rows) < len(self.parts):
            among = f" of the {len(tried):,} that were tried" if len(tried) < len(self.parts) else ""
            caption += f" ({len(rows)} of {len(self.parts):,} parts, those with the largest effects{among})"
        return TableView(title, tuple(columns), tuple(rows), "; ".join([caption, *self.notes]))


ASK_ANOTHER = "Ask a model that is less sure, too (--model RUN@EPOCH, after train --keep-epochs)."


def saturated(score: float, score_is: str, unit: str = "part") -> str:
    """That a prediction of such a score is saturated, as the beginning of a text; empty where it is not."""
    p = probability(score, score_is)
    if p is None or p <= SATURATED:
        return ""
    said = f"The prediction is saturated: its probability is {format_probability(p)}, and above {SATURATED:g} what a "
    return f"{said}{unit} does to the {score_is.split(',')[0]} hardly shows in it. "


def probability(score: float, score_is: str) -> float | None:
    """The probability of log odds, or of a log probability; None of another score."""
    if score_is.startswith("log odds"):
        return 1 / (1 + math.exp(-score)) if score > -700 else 0.0
    return math.exp(min(score, 0.0)) if score_is.startswith("log probability") else None


def pulls(share: float, width: int = 8) -> str:
    """A bar to the right of a line for effects above 0, to the left for those below."""
    length = min(width, round(abs(share) * width))
    left, right = ("█" * length, "") if share < 0 else ("", "█" * length)
    return f"{left:>{width}}│{right}"


def why(question: Question) -> Why:
    """Explains a prediction by every method that the input allows."""
    parts, count = question.parts, len(question.parts.names)
    ends = parts.replaced(()), parts.replaced(range(count)), parts.without(range(count))
    score, baseline_score, empty_score = question.scores(ends).tolist()
    integrated, steps, gap = None, 0, None
    if question.path is not None:
        integral = integrate(question.path, score - baseline_score)
        integrated, steps, gap = np.zeros(count), integral.steps, integral.gap
        integrated[question.read] = integral.values
    tried = _tried(count, integrated if gap is None or gap < TOO_FAR else None)

    def falls(texts: Sequence[str]) -> Array:
        found = np.full(count, np.nan)
        found[tried] = score - question.scores(texts)
        return found

    replaced = falls([parts.replaced((k,)) for k in tried])
    texts = tuple(parts.without((k,)) for k in tried) if parts.deletable and count > 1 else ()
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


def _tried(count: int, integrated: Array | None) -> list[int]:
    """The parts to leave out one by one: all, or those with the largest gradients."""
    most = max(SHAPLEY_PARTS, BUDGET // count)
    if count <= most:
        return list(range(count))
    if integrated is None:  # an input says most at its ends
        return [*range(most // 2), *range(count - (most - most // 2), count)]
    return largest(integrated, most)


def shapley(question: Question) -> Array:
    """(parts,) what each part adds to the score, on average over every order in which parts can be added.

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
    """The fewest parts without which the prediction is another one, and whether all smaller choices were tried.

    Tries every choice of one part, of two, … while there are not too many; then the parts that speak most for the
    answer, more and more of them, less those that turn out not to be needed.
    """
    parts, n = question.parts, len(question.parts.names)

    def flipping(choices: Iterable[Sequence[int]]) -> list[Sequence[int]]:
        choices = list(choices)
        answers = question.predictions([parts.without(choice) for choice in choices])
        return [choice for choice, answer in zip(choices, answers, strict=True) if answer != question.answer]

    tried, tries = 0, FLIP_TRIES if n <= SHAPLEY_PARTS else max(1, min(FLIP_TRIES, BUDGET // n))
    for size in range(1, n + 1):
        number = math.comb(n, size)
        if n > SHAPLEY_PARTS and tried + number > tries:
            break
        flipped = flipping(combinations(range(n), size))
        if flipped:
            return tuple(max(flipped, key=lambda choice: float(effects[list(choice)].sum()))), True
        tried += number
    else:
        return None, True
    order = np.argsort(-np.nan_to_num(effects), kind="stable").tolist()
    sizes = sorted({round(n ** (k / tries)) for k in range(tries + 1)} if n > tries else range(1, n + 1))
    needed = next(iter(flipping(order[:size] for size in sizes)), None)
    if needed is None:
        return None, False
    for part in reversed(needed[:tries]):
        fewer = [k for k in needed if k != part]
        if fewer and flipping([fewer]):
            needed = fewer
    return tuple(sorted(needed)), False
