"""What every rendering of an example worked by hand has to decide: how a number is written, and where a formula parts.

Numbers are rounded, but never so far that the next line could not be computed from what is printed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from rnncli.clean import clean
from rnncli.results import ByHand, Section, Step

DIGITS = 6  # decimals
KEPT = 4  # significant digits that are left at least
MOST_DECIMALS = 12
WORD = 40  # cells that a token may take; a label of a line may have two, and words of ours
LABEL = 3 * WORD  # of the words beside a formula, which may name a few of the data's

# A name in a formula: ∂L/∂W_i(2), x_2ᵀ, h_(t−1); or a function or a number, which are no operands.
NAME = re.compile(r"(∂[^\W²]+/∂[^\W²]+(?:\(\d+\))?|[^\W_²]+_\([tT][−+]1\)|[^\W²]+)")
# Where a formula may go on below, the better places first; within parentheses and brackets only at the last of them.
_BREAKS = (
    re.compile("(?= [+−] )"),
    re.compile("(?= [·⊙] )"),
    re.compile("(?= [·⊙+−] )|(?<=[,;] )|(?<=·)(?=$)|(?<=\\))(?=/)"),
)
_ASCII = {
    **{"ᵉ": ".e", "ᴵᴵᴵ": ".III", "ᴵᴵ": ".II", "ᴵ": ".I", "ᶠ": ".f", "ᵇ": ".b"},
    **{"∂": "d", "ŷ": "yhat", " ⊙ ": " .* ", "·": "*", "ᵀ": "^T", "²": ".^2", "−": "-", "σ": "sigmoid", "η": "eta"},
    **{"←": "<-", "⊙": ".*", "ε": "eps", "α": "alpha"},
}
LEGEND = (
    "· is the matrix product, a number times a matrix included; ⊙, ² and / go element by element.",
    "∂L/∂W_i(2) is the term of timestep 2 in ∂L/∂W_i.",
)
# A part of a formula with its numbers: text, or a matrix.
Piece = Any

# Signs that not every work has: what it is to have them, and what they mean.
SIGNS = {
    "encoder": (re.compile("ᵉ"), "ᵉ marks what is the encoder's."),
    "layers": (re.compile("ᴵ"), "ᴵ marks what is of the first layer, ᴵᴵ of the second."),
    "directions": (
        re.compile("ᶠ"),
        "ᶠ marks what reads forwards, and ᵇ what reads backwards, from the last timestep to the first.",
    ),
    "which": (re.compile("argmax"), "(j = 2) is 1 where j is 2, and 0 elsewhere."),
    "beside": (re.compile(r"\[[^\[\];]*, "), "[x, y] is x and y side by side."),
    "below": (re.compile("; "), "[x; y] is x above y."),
    "columns": (re.compile(r"\w\["), "x[1:2] are the columns 1 to 2 of x; x[2] is the second one alone."),
}
_ROUNDED = (
    f"Numbers are rounded to {{}} decimals, or to as many more as it takes that {KEPT} digits of the largest one in a "
    "matrix are left, and of its distance from 1. A 0 without decimals is exact."
)


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


def formula(text: str, ascii: bool = False) -> str:
    """A formula of ours in the characters of the notes, or in ASCII, with the signs of Octave."""
    if ascii:
        for sign, plain in _ASCII.items():
            text = text.replace(sign, plain)
    return text


def with_numbers(step: Step) -> list[Piece]:
    """The right-hand side with matrices for the names."""
    right = re.split(" [=←] ", step.formula, maxsplit=1)[1]
    return [step.operands.get(piece, piece) for piece in NAME.split(right) if piece]


def lines_of(pieces: list[Piece], width: Callable[[Piece], int], room: int) -> list[list[tuple[Piece, bool]]]:
    """A formula in lines of pieces, each with whether a negative number needs parentheses there.

    Args:
        width: of a piece.
        room: for a line; what cannot be parted may be wider.
    """
    found: list[list[tuple[Piece, bool]]] = [[]]
    used = 0
    for chunk in _chunks(pieces, lambda chunk: sum(map(width, chunk)) <= room):
        wide = sum(map(width, chunk))
        if found[-1] and used + wide > room:
            found.append([])
            used = 0
        found[-1] += [(piece, not _is_in_parentheses(chunk, place)) for place, piece in enumerate(chunk)]
        used += wide
    return found


def formula_lines(text: str, room: int) -> list[str]:
    """A formula alone, in lines that have room."""
    return ["".join(piece for piece, _ in line) for line in lines_of([text], len, room)]


def _chunks(pieces: list[Piece], fits: Callable[[list[Piece]], bool], level: int = 0) -> Iterator[list[Piece]]:
    """Parts that fit, as far as the formula can be parted."""
    if fits(pieces) or level == len(_BREAKS):
        yield pieces
        return
    for chunk in _parted(pieces, _BREAKS[level], anywhere=level == len(_BREAKS) - 1):
        yield from _chunks(chunk, fits, level + 1)


def _parted(pieces: list[Piece], where: re.Pattern[str], anywhere: bool) -> list[list[Piece]]:
    found: list[list[Piece]] = [[]]
    depth = 0  # of parentheses and brackets
    for piece in pieces:
        if not isinstance(piece, str):
            found[-1].append(piece)
            continue
        starts = [match.start() for match in where.finditer(piece)]
        places = [start for start in starts if anywhere or depth + _depth(piece[:start]) == 0]
        for number, (start, end) in enumerate(pairwise([0, *places, len(piece)])):
            if number and found[-1]:
                found.append([])
            if start < end:
                found[-1].append(piece[start:end])
        depth += _depth(piece)
    return [chunk for chunk in found if chunk]


def _depth(text: str) -> int:
    return sum(map(text.count, "([")) - sum(map(text.count, ")]"))


def _is_in_parentheses(chunk: list[Piece], place: int) -> bool:
    """Whether what stands there needs none of its own: it has a pair for itself already."""
    around = chunk[max(place - 1, 0) : place + 2]
    before, after = around[0], around[-1]
    alone = isinstance(before, str) and before.endswith("(") and isinstance(after, str) and after.startswith(")")
    return alone and len(around) == 3


def is_computed(step: Step) -> bool:
    """Whether putting the numbers in shows anything: not for what is given, and not for another name alone."""
    return bool(step.operands) and step.formula.split(" = ", 1)[-1] not in step.operands


def word(text: str, ascii: bool = False, limit: int | None = 2 * WORD) -> str:
    """A word of the data, made safe to show."""
    text = clean(text, limit)
    return text.replace("…", "...").encode("ascii", "backslashreplace").decode("ascii") if ascii else text


def title(section: Section, shown: Callable[[str], str], drawn: Callable[[str], str]) -> str:
    """``Gradient of the input weights, ∂L/∂W_i``; ``Forward, timestep 2: mat``.

    Args:
        shown: makes a word of the data safe where it goes.
        drawn: writes a formula there.
    """
    of = f", {drawn(section.symbol)}" if section.symbol else ""
    return section.title + of + (f": {shown(section.token)}" if section.token else "")


def headline(result: ByHand, shown: Callable[[str], str]) -> str:
    """What is worked out."""
    said = f"By hand: {shown(result.text)}, with {shown(result.answer)}"
    return f"{said} ({shown(result.label_from)})" if result.label_from else said


def signs(result: ByHand) -> list[str]:
    """Which of :data:`SIGNS` it has."""
    text = "\n".join((*result.equations, *(step.formula for step in result.steps)))
    return [name for name, (pattern, _) in SIGNS.items() if pattern.search(text)]


def legend(result: ByHand) -> list[str]:
    """What the signs mean."""
    return [*LEGEND, *(SIGNS[name][1] for name in signs(result))]


def sentences(result: ByHand, digits: int) -> list[str]:
    """What is to be known before one reads, the signs apart: of the step and the training, of the rounding."""
    return [*result.notes, _ROUNDED.format(digits)]
