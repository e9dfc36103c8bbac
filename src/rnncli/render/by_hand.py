"""An example worked by hand, as a text for a terminal, as Markdown and as LaTeX.

Each line is shown as its formula, as the formula with the numbers in it, and as the result:

    a_2 = x_2·W_i + o_1·W_h
                ⎡ 0.500000 -0.300000⎤
      = [0 1 0]·⎢ 0.100000  0.800000⎥ + [0.462117 -0.291313]·⎡0.400000 -0.200000⎤
                ⎣-0.600000  0.200000⎦                        ⎣0.300000  0.100000⎦
      = [0.197453 0.678445]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from rnncli.clean import clean
from rnncli.render import by_hand_parts as parts
from rnncli.render.by_hand_latex import as_latex
from rnncli.render.by_hand_parts import DIGITS, WORD, Form, written
from rnncli.render.folding import folded
from rnncli.results import ByHand, Step

__all__ = ["as_latex", "as_markdown", "as_text"]

MARKDOWN_WIDTH = 100
INDENT = " " * 4
_ASCII = {
    **{"ᵉ": ".e", "ᴵᴵᴵ": ".III", "ᴵᴵ": ".II", "ᴵ": ".I", "ᶠ": ".f", "ᵇ": ".b"},
    **{"∂": "d", "ŷ": "yhat", " ⊙ ": " .* ", "·": "*", "ᵀ": "^T", "²": ".^2", "−": "-", "σ": "sigmoid", "η": "eta"},
    **{"←": "<-", "⊙": ".*", "ε": "eps", "α": "alpha"},
}
# Lines of the same width, the middle one of which is on the line of the formula.
Box = list[str]


def as_text(result: ByHand, width: int = 80, ascii: bool = False, digits: int = DIGITS) -> str:
    """For a terminal.

    Args:
        width: cells in a line. A matrix that is wider goes on below by columns, and the formula with its numbers is
            left out where a part of it is.
        ascii: use ASCII characters alone.
        digits: decimals of a number, at least.
    """
    return "\n\n".join(_Text(digits, width, ascii).paragraphs(result)) + "\n"


def as_markdown(result: ByHand, ascii: bool = False, digits: int = DIGITS) -> str:
    """For a page of notes: the text's drawings as blocks of code under headings."""
    return "\n\n".join(_Markdown(digits, MARKDOWN_WIDTH, ascii).paragraphs(result)) + "\n"


@dataclass(frozen=True)
class _Text(Form):
    width: int
    ascii: bool

    def words(self, text: str, limit: int = 2 * WORD) -> str:
        text = clean(text, limit)
        return text.replace("…", "...").encode("ascii", "backslashreplace").decode() if self.ascii else text

    def formula(self, text: str) -> str:
        return in_ascii(text) if self.ascii else text

    def head(self, title: str, equations: Sequence[str], sentences: Sequence[str]) -> list[str]:
        lines = [INDENT + line for one in equations for line in self._formula(one, self.width - len(INDENT))]
        said = [line for sentence in sentences for line in _wrapped(sentence, self.width)]
        return ["\n".join(_wrapped(title, self.width)), "\n".join(lines), "\n".join(said)]

    def section(self, title: str, steps: Sequence[Step]) -> list[str]:
        lines = _wrapped(title, self.width)
        rule = ("-" if self.ascii else "─") * max(map(cell_len, lines))
        first, *others = map(self.step, steps)
        return ["\n".join([*lines, rule, first]), *others]

    def step(self, step: Step) -> str:
        """One line of the work."""
        label, lines = self.words(step.label, parts.LABEL), self._formula(step.formula, self.width)
        if label and len(lines) == 1 and cell_len(lines[0] + INDENT + label) <= self.width:
            lines = [lines[0] + INDENT + label]
        elif label:
            lines = [*_wrapped(f"({label})", self.width), *lines]
        return "\n".join([*lines, *(self._with_numbers(step) if parts.is_computed(step) else []), *self._result(step)])

    def _formula(self, text: str, width: int) -> list[str]:
        """A formula alone, from the second line on with an indent."""
        first, *others = parts.lines_of(self.formula(text), len, width - len(INDENT))
        return [first, *(INDENT + line.lstrip() for line in others)]

    def _with_numbers(self, step: Step) -> list[str]:
        """The formula with its numbers, in lines of the width; nothing where a part of it is wider."""
        room, (text, matrices) = self.width - len(INDENT) - 2, parts.with_numbers(step)
        drawn = {key: self._matrix(written(matrix, self.digits), within) for key, (matrix, within) in matrices.items()}

        def boxes(text: str) -> list[Box]:
            return [drawn.get(piece, [self.formula(piece)]) for piece in re.split(f"({parts.MATRIX})", text)]

        def width(text: str) -> int:
            return sum(len(box[0]) for box in boxes(text))

        lines = parts.lines_of(text, width, room)
        if max(map(width, lines)) > room:
            return []
        starts = ["= ", *["  "] * (len(lines) - 1)]
        return [
            row for start, line in zip(starts, lines, strict=True) for row in _beside([[INDENT + start], *boxes(line)])
        ]

    def _result(self, step: Step) -> list[str]:
        """The result in brackets, each row with its name; in blocks of columns where it is wider than the line."""
        entries = written(step.result, self.digits)
        names = ["  " + self.words(name, WORD) for name in step.rows] or [""] * len(entries)
        columns = at_once = len(entries[0])
        room = self.width - len(INDENT) - 2 - max(map(cell_len, names))
        while at_once > 1 and len(self._matrix([row[:at_once] for row in entries])[0]) > room:
            at_once -= 1
        lines = []
        for start in range(0, columns, at_once):
            end = min(start + at_once, columns)
            if at_once < columns:
                lines.append(f"{INDENT}columns {start + 1} to {end} of {columns}:")
            drawn = _beside([[INDENT + "= "], self._matrix([row[start:end] for row in entries])])
            lines += [(line + name).rstrip() for line, name in zip(drawn, names, strict=True)]
        return lines

    def _matrix(self, rows: Sequence[Sequence[str]], within: bool = False) -> Box:
        """Entries in brackets; a single one alone, in parentheses if it is negative and stands ``within`` a formula."""
        if len(rows) == len(rows[0]) == 1:
            only = rows[0][0]
            return [f"({only})" if within and only.startswith("-") else only]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [" ".join(entry.rjust(width) for entry, width in zip(row, widths, strict=True)) for row in rows]
        if len(lines) == 1:
            return [f"[{lines[0]}]"]
        first, between, last = ("/\\", "||", "\\/") if self.ascii else ("⎡⎤", "⎢⎥", "⎣⎦")
        brackets = [first, *[between] * (len(lines) - 2), last]
        return [pair[0] + line + pair[1] for pair, line in zip(brackets, lines, strict=True)]


@dataclass(frozen=True)
class _Markdown(_Text):
    def words(self, text: str, limit: int = 2 * WORD) -> str:
        """In which Markdown, or HTML within it, finds nothing to act on."""
        return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", super().words(text, limit))

    def head(self, title: str, equations: Sequence[str], sentences: Sequence[str]) -> list[str]:
        lines = "\n".join(f"- {sentence}" for sentence in sentences)
        return [f"# {title}", _fenced("\n".join(map(self.formula, equations))), lines]

    def section(self, title: str, steps: Sequence[Step]) -> list[str]:
        plain = _Text(self.digits, self.width, self.ascii)
        return [f"## {title}", _fenced("\n\n".join(map(plain.step, steps)))]


def in_ascii(formula: str) -> str:
    """A formula with the signs of Octave."""
    for sign, plain in _ASCII.items():
        formula = formula.replace(sign, plain)
    return formula


def _beside(boxes: Sequence[Box]) -> list[str]:
    """The boxes in a row, their middles on one line."""

    def middle(box: Box) -> int:
        return (len(box) - 1) // 2

    above = max(map(middle, boxes))
    below = max(len(box) - middle(box) for box in boxes)
    columns = []
    for box in boxes:
        empty = [" " * len(box[0])]
        top = above - middle(box)
        columns.append(empty * top + box + empty * (above + below - top - len(box)))
    return ["".join(line).rstrip() for line in zip(*columns, strict=True)]


def _wrapped(sentence: str, width: int) -> list[str]:
    words = sentence.split()
    pieces = [piece for one in words for piece in ([one] if cell_len(one) <= width else chop_cells(one, max(width, 2)))]
    return folded(pieces, " ", width)


def _fenced(content: str) -> str:
    """A block of code, whose fence is longer than every run of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", content)), default=0))
    return f"{fence}text\n{content}\n{fence}"
