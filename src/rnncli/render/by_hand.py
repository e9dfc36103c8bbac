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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from rnncli.render import by_hand_parts as parts
from rnncli.render.by_hand_latex import as_latex
from rnncli.render.by_hand_parts import DIGITS, Piece, formula, formula_lines, lines_of, with_numbers, word, written
from rnncli.render.folding import folded
from rnncli.results import ByHand, Step

__all__ = ["as_latex", "as_markdown", "as_text"]

MARKDOWN_WIDTH = 100
INDENT = 4


@dataclass(frozen=True)
class _Box:
    """Lines of equal width; the one that stands on the line of the formula is ``middle``."""

    lines: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.lines[0])

    @property
    def middle(self) -> int:
        return (len(self.lines) - 1) // 2


def _matrix(rows: Sequence[Sequence[str]], ascii: bool, within: bool = False) -> _Box:
    """Entries in brackets; a single one alone, in parentheses if it is negative and stands ``within`` a formula."""
    if len(rows) == len(rows[0]) == 1:
        only = rows[0][0]
        return _Box((f"({only})" if within and only.startswith("-") else only,))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" ".join(entry.rjust(width) for entry, width in zip(row, widths, strict=True)) for row in rows]
    if len(lines) == 1:
        return _Box((f"[{lines[0]}]",))
    first, between, last = ("/\\", "||", "\\/") if ascii else ("⎡⎤", "⎢⎥", "⎣⎦")
    brackets = [first, *[between] * (len(lines) - 2), last]
    return _Box(tuple(pair[0] + line + pair[1] for pair, line in zip(brackets, lines, strict=True)))


def _beside(boxes: Sequence[_Box]) -> list[str]:
    """The boxes in a row, their middles on one line."""
    above = max(box.middle for box in boxes)
    height = above + max(len(box.lines) - box.middle for box in boxes)
    lines = [""] * height
    for box in boxes:
        top = above - box.middle
        for place in range(height):
            inside = top <= place < top + len(box.lines)
            lines[place] += box.lines[place - top] if inside else " " * box.width
    return [line.rstrip() for line in lines]


def _with_numbers(step: Step, width: int, ascii: bool, digits: int) -> list[str]:
    """The formula with its numbers, in lines of the width; nothing where a part of it has no room."""
    room, pieces = width - INDENT - 2, with_numbers(step)
    entries = {id(piece): written(piece, digits) for piece in pieces if not isinstance(piece, str)}
    widths = {matrix: _matrix(rows, ascii, within=True).width for matrix, rows in entries.items()}

    def width_of(piece: Piece) -> int:
        return len(formula(piece, ascii)) if isinstance(piece, str) else widths[id(piece)]

    def box(piece: Piece, within: bool) -> _Box:
        if isinstance(piece, str):
            return _Box((formula(piece, ascii),))
        return _matrix(entries[id(piece)], ascii, within)

    lines = []
    for number, line in enumerate(lines_of(pieces, width_of, room)):
        boxes = [box(piece, within) for piece, within in line]
        if sum(one.width for one in boxes) > room:
            return []
        lines += _beside([_Box((" " * INDENT + ("  " if number else "= "),)), *boxes])
    return lines


def _result(step: Step, width: int, ascii: bool, digits: int) -> list[str]:
    """The result in brackets, each row with its name; in blocks of columns where all have no room."""
    entries = written(step.result, digits)
    names = [word(name, ascii, parts.WORD) for name in step.rows] or [""] * len(entries)
    sign, columns = _Box((" " * INDENT + "= ",)), len(entries[0])
    room = width - sign.width - max(cell_len(f"  {name}" if name else "") for name in names)
    at_once = columns
    while at_once > 1 and _matrix([row[:at_once] for row in entries], ascii).width > room:
        at_once -= 1
    lines = []
    for start in range(0, columns, at_once):
        end = min(start + at_once, columns)
        if at_once < columns:
            lines.append(f"{' ' * INDENT}columns {start + 1} to {end} of {columns}:")
        box = _matrix([row[start:end] for row in entries], ascii)
        drawn = _beside([sign, box])
        lines += [f"{line}  {name}".rstrip() for line, name in zip(drawn, names, strict=True)]
    return lines


def _formula_lines(text: str, width: int) -> list[str]:
    """A formula alone, from the second line on with an indent."""
    first, *others = formula_lines(text, width - INDENT)
    return [first, *(" " * INDENT + line.lstrip() for line in others)]


def _labelled(text: str, label: str, width: int) -> list[str]:
    """The formula and its label; on lines of their own where they have no room beside each other."""
    lines = _formula_lines(text, width)
    if not label:
        return lines
    if len(lines) == 1 and len(text) + INDENT + cell_len(label) <= width:
        return [text + " " * INDENT + label]
    return [*_wrapped(f"({label})", width), *lines]


def step_lines(step: Step, width: int, ascii: bool = False, digits: int = DIGITS) -> list[str]:
    """One line of the work, drawn."""
    label = word(step.label, ascii, parts.LABEL)
    lines = _labelled(formula(step.formula, ascii), label, width)
    if parts.is_computed(step):
        lines += _with_numbers(step, width, ascii, digits)
    return lines + _result(step, width, ascii, digits)


def as_text(result: ByHand, width: int = 80, ascii: bool = False, digits: int = DIGITS) -> str:
    """For a terminal.

    Args:
        width: cells in a line. A matrix that is wider goes on below by columns, and the formula with its numbers is
            left out where a part of it has no room.
        ascii: use ASCII characters alone.
        digits: decimals of a number, at least.
    """

    def shown(text: str) -> str:
        return word(text, ascii)

    def drawn(text: str) -> str:
        return formula(text, ascii)

    lines = _wrapped(parts.headline(result, shown), width)
    lines.append("")
    for equation in result.equations:
        lines += [" " * INDENT + line for line in _formula_lines(drawn(equation), width - INDENT)]
    lines.append("")
    for sentence in (*map(drawn, parts.legend(result)), *parts.sentences(result, digits)):
        lines += _wrapped(sentence, width)
    for section in result.sections:
        head = _wrapped(parts.title(section, shown, drawn), width)
        lines += ["", *head, ("-" if ascii else "─") * min(max(map(cell_len, head), default=0), width)]
        for number, step in enumerate(section.steps):
            lines += [""] * (number > 0) + step_lines(step, width, ascii, digits)
    return "\n".join(lines) + "\n"


def _wrapped(sentence: str, width: int) -> list[str]:
    words = sentence.split()
    pieces = [piece for one in words for piece in ([one] if cell_len(one) <= width else chop_cells(one, max(width, 2)))]
    return folded(pieces, " ", width)


def as_markdown(result: ByHand, ascii: bool = False, digits: int = DIGITS) -> str:
    """For a page of notes: the text's drawings as blocks of code under headings."""

    def escaped(text: str) -> str:
        """A word of the data in which Markdown, or HTML within it, finds nothing to act on."""
        return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", word(text, ascii))

    def drawn(text: str) -> str:
        return formula(text, ascii)

    found = [f"# {parts.headline(result, escaped)}", _fenced(map(drawn, result.equations))]
    found.append(
        "\n".join(f"- {line}" for line in (*map(drawn, parts.legend(result)), *parts.sentences(result, digits)))
    )
    for section in result.sections:
        found.append(f"## {parts.title(section, escaped, drawn)}")
        steps = ["\n".join(step_lines(step, MARKDOWN_WIDTH, ascii, digits)) for step in section.steps]
        found.append(_fenced("\n\n".join(steps).split("\n")))
    return "\n\n".join(found) + "\n"


def _fenced(lines: Iterable[str]) -> str:
    """A block of code, whose fence is longer than every run of backticks in it."""
    content = "\n".join(lines)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", content)), default=0))
    return f"{fence}text\n{content}\n{fence}"
