"""What every form of an example worked by hand shares: its order, how a number is written, and where a formula breaks.

Numbers are rounded, but never so far that the next line could not be computed from what is printed.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from rnncli.results import ByHand, Step

DIGITS = 6  # decimals
KEPT = 4  # significant digits that are left at least
MOST_DECIMALS = 12
WORD = 40  # cells that a token may take; a label of a line may have two, and words of ours
LABEL = 3 * WORD  # of the words beside a formula, which may name a few of the data's

# A name in a formula: ∂L/∂W_i(2), x_2ᵀ, h_(t−1); or a function or a number, which are not operands.
NAME = re.compile(r"(∂[^\W²]+/∂[^\W²]+(?:\(\d+\))?|[^\W_²]+_\([tT][−+]1\)|[^\W²]+)")
# What stands for a matrix in a formula with its numbers.
MATRIX = "[\ue000-\uf8ff]"
# Where a formula may continue on the next line, the better places first; within parentheses only at the last of them.
_BREAKS = (
    re.compile("(?= [+−] )"),
    re.compile("(?= [·⊙] )"),
    re.compile(f"(?= [·⊙+−] )|(?<=[,;] )|(?<=·)(?={MATRIX})|(?<=\\))(?=/)"),
)
# What the signs mean: when to say so, and the sentence, whose formulas stand between backticks.
_LEGEND = (
    ("", "`·` is the matrix product, a number times a matrix included; `⊙`, `²` and `/` work element by element."),
    ("", "`∂L/∂W_i(2)` is the term of timestep 2 in `∂L/∂W_i`."),
    ("ᵉ", "`Wᵉ` belongs to the encoder."),
    ("ᴵ", "`Wᴵ` belongs to the first layer, `Wᴵᴵ` to the second."),
    ("ᶠ", "`Wᶠ` belongs to what reads forwards, `Wᵇ` to what reads backwards, from the last timestep to the first."),
    ("argmax", "`(j = 2)` is 1 where `j` is 2, and 0 elsewhere."),
    (r"\[[^\[\];]*, ", "`[x, y]` is `x` and `y` side by side."),
    ("; ", "`[x; y]` is `x` above `y`."),
    (r"\w\[", "`x[1:2]` are the columns 1 to 2 of `x`; `x[2]` is the second one alone."),
)
_ROUNDED = (
    f"Numbers are rounded to {{}} decimals, or to as many more as it takes to keep {KEPT} digits of the largest number "
    "in a matrix, and of its distance from 1. A 0 without decimals is exact."
)


@dataclass(frozen=True)
class Form(ABC):
    """How an example is written: as text, as Markdown, or as LaTeX. What follows what is the same in all of them.

    Attributes:
        digits: decimals of a number, at least.
        kind: the type of what is written; one that escapes does so with every other text that is put into it.
    """

    digits: int
    kind: ClassVar[type[str]] = str

    @abstractmethod
    def words(self, text: str, limit: int = 2 * WORD) -> str:
        """Words of the data, at most so many cells of them, as they are safe to show."""

    @abstractmethod
    def formula(self, text: str) -> str:
        """A formula within a sentence."""

    @abstractmethod
    def head(self, title: str, equations: Sequence[str], sentences: Sequence[str]) -> list[str]:
        """Paragraphs before the work: what is worked out, the equations as ours, and what the reader has to know."""

    @abstractmethod
    def section(self, title: str, steps: Sequence[Step]) -> list[str]:
        """Paragraphs of a section."""

    def paragraphs(self, result: ByHand) -> list[str]:
        """The whole example."""
        title = self.kind("By hand: {}, with {}").format(self.words(result.text), self.words(result.answer))
        if result.label_from:
            title += self.kind(" ({})").format(self.words(result.label_from))
        formulas = "\n".join((*result.equations, *(step.formula for step in result.steps)))
        legend = [sentence for sign, sentence in _LEGEND if re.search(sign, formulas)]
        said = [self._sentence(text) for text in (*legend, *result.notes, _ROUNDED.format(self.digits))]
        found = self.head(title, result.equations, said)
        for section in result.sections:
            title = self.kind(section.title)
            if section.symbol:
                title += self.kind(", {}").format(self.formula(section.symbol))
            if section.token:
                title += self.kind(": {}").format(self.words(section.token))
            found += self.section(title, section.steps)
        return found

    def _sentence(self, text: str) -> str:
        """One of ours, whose formulas stand between backticks."""
        pieces = text.split("`")
        return self.kind().join(self.formula(piece) if place % 2 else piece for place, piece in enumerate(pieces))


def written(matrix: Any, digits: int = DIGITS) -> list[list[str]]:
    """The entries of a matrix (n, m), all with the same decimals.

    These are ``digits``, or more, up to 12, so that of the largest entry, and of the smallest distance of one from ±1
    (1 − ŷ and 1 − o² are computed from it), four significant digits are left. Beyond that they are written as
    ``1.23457e-14``. Whole numbers stand without decimals where all are, and an exact 0 always.
    """
    rows: list[list[float]] = matrix.tolist()
    sizes = [abs(x) for row in rows for x in row if x]
    if all(size < 10**digits and size == int(size) for size in sizes):
        return [[str(int(x)) for x in row] for row in rows]
    needed = _decimals(max(sizes))
    scientific = needed > MOST_DECIMALS or max(sizes) >= 10**digits
    gaps = [1 - size for size in sizes if size < 1]
    decimals = min(max(digits, needed, *map(_decimals, gaps)), MOST_DECIMALS)
    return [[_number(x, decimals, digits, scientific) for x in row] for row in rows]


def _decimals(size: float) -> int:
    return KEPT - 1 - math.floor(math.log10(size))


def _number(x: float, decimals: int, digits: int, scientific: bool) -> str:
    if x == 0:
        return "0"
    fixed = f"{x:.{decimals}f}"
    # What would be rounded to nothing keeps its sign and its size.
    return f"{x:.{digits - 1}e}" if scientific or float(fixed) == 0 else fixed


def with_numbers(step: Step) -> tuple[str, dict[str, tuple[Any, bool]]]:
    """The right-hand side with a character of its own for each matrix.

    Returns:
        The text; character → matrix, and whether a negative number needs parentheses there.
    """
    right = re.split(" [=←] ", step.formula, maxsplit=1)[1]
    matrices: dict[str, tuple[Any, bool]] = {}

    def put_in(found: re.Match[str]) -> str:
        if found[0] not in step.operands:
            return found[0]
        character = chr(0xE000 + len(matrices))
        has_own = right[: found.start()].endswith("(") and right[found.end() :].startswith(")")
        matrices[character] = step.operands[found[0]], not has_own
        return character

    return NAME.sub(put_in, right), matrices


def lines_of(text: str, width: Callable[[str], int], room: int) -> list[str]:
    """A formula in lines that are no wider than ``room``, but for what cannot be broken."""
    lines = [""]
    for chunk in _chunks(text, lambda chunk: width(chunk) <= room):
        if lines[-1] and width(lines[-1] + chunk) > room:
            lines.append("")
        lines[-1] += chunk
    return lines


def _chunks(text: str, fits: Callable[[str], bool], level: int = 0) -> Iterator[str]:
    """Parts that fit, as far as the formula can be broken."""
    if fits(text) or level == len(_BREAKS):
        yield text
        return
    starts = [found.start() for found in _BREAKS[level].finditer(text)]
    if level < len(_BREAKS) - 1:  # but not within parentheses and brackets
        starts = [start for start in starts if _depth(text[:start]) == 0]
    for first, last in pairwise([0, *starts, len(text)]):
        if first < last:
            yield from _chunks(text[first:last], fits, level + 1)


def _depth(text: str) -> int:
    return sum(map(text.count, "([")) - sum(map(text.count, ")]"))


def is_computed(step: Step) -> bool:
    """Whether putting the numbers in shows anything: not for what is given, and not for another name alone."""
    return bool(step.operands) and step.formula.split(" = ", 1)[-1] not in step.operands
