"""An example worked by hand as LaTeX: a document of its own.

Formulas are ours and are turned into LaTeX sign by sign. Words are the data's, and become LaTeX in one place, the type
:class:`Latex`, which escapes every character that LaTeX would act on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from markupsafe import Markup

from rnncli.clean import clean
from rnncli.render import by_hand_parts as parts
from rnncli.render.by_hand_parts import DIGITS, NAME, WORD, Form, written
from rnncli.results import ByHand, Step

_ESCAPES = str.maketrans(
    {
        **{char: f"\\{char}" for char in "&%$#_{}"},
        **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
        # In the old font encoding these come out as other characters.
        **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "␣": r"\textvisiblespace{}"},
    }
)


class Latex(Markup):
    """LaTeX. Whatever else is put into it, by any of its methods, is cleaned and escaped as it goes in."""

    __slots__ = ()

    @classmethod
    def escape(cls, s: Any, /) -> Self:
        return s if isinstance(s, cls) else cls(clean(str(s)).translate(_ESCAPES))


LINE, FORMULA = 80, 130  # characters in a line, about: of numbers, and of names
# In what size a line is set that has a matrix of more than so many characters, which it cannot be parted in.
_SIZES = ((110, Latex("{\\tiny\\setlength{\\arraycolsep}{0.3pt}\n%s}")), (88, Latex("{\\scriptsize\n%s}")))
_FIRST = Latex(r"""% Letters other than Latin ones need XeLaTeX or LuaLaTeX, with a font.
\documentclass{article}
\usepackage{amsmath}
\usepackage[margin=1.5cm]{geometry}
\allowdisplaybreaks
\begin{document}
\begingroup\small
\setcounter{MaxMatrixCols}{16}\setlength{\arraycolsep}{3pt}""")
_LAST = Latex("\\endgroup\n\\end{document}\n")
_EQUATIONS = Latex("\\begin{gather*}\n%s\n\\end{gather*}")
_STEP = Latex("\\begin{align*}\n%s\n\\end{align*}")  # which may go on on the next page
_MATRIX, _ROWS = Latex(r"\begin{pmatrix} %s \end{pmatrix}"), Latex(r" \\ ")
_LINES = Latex(" \\\\\n")
_FUNCTIONS = {"tanh": r"\tanh", "exp": r"\exp", "max": r"\max", "log": r"\log", "σ": r"\sigma"} | {
    name: rf"\operatorname{{{name}}}" for name in ("relu", "sum", "diag", "argmax")
}
_LETTERS = {"ŷ": r"\hat{y}", "η": r"\eta", "ε": r"\varepsilon", "α": r"\alpha"}
_MARKS = {"ᶠ": r"\overrightarrow", "ᵇ": r"\overleftarrow", "ᵉ": r"\bar"}
_SIGNS = {"·": r"\cdot ", "⊙": r"\odot ", "−": "-", "←": r"\leftarrow ", "²": "^{2}"}
_DERIVATIVE = re.compile(r"∂(\w+)/∂(\w+)(?:\((\d+)\))?")


def as_latex(result: ByHand, digits: int = DIGITS) -> str:
    """A document of LaTeX, matrices by ``pmatrix``.

    Args:
        digits: decimals of a number, at least.
    """
    return str(Latex("\n\n").join([_FIRST, *_Document(digits).paragraphs(result), _LAST]))


class _Document(Form):
    kind: ClassVar = Latex

    def words(self, text: str, limit: int = 2 * WORD) -> Latex:
        return Latex.escape(clean(text, limit))

    def formula(self, text: str) -> Latex:
        return Latex("$%s$") % latex_formula(text)

    def head(self, title: str, equations: Sequence[str], sentences: Sequence[str]) -> list[str]:
        return [Latex(r"\section*{%s}") % title, _EQUATIONS % _LINES.join(map(latex_formula, equations)), *sentences]

    def section(self, title: str, steps: Sequence[Step]) -> list[str]:
        return [Latex(r"\subsection*{%s}") % title, *map(self._step, steps)]

    def _step(self, step: Step) -> Latex:
        """Formula, the numbers in it, and the result, their equals signs below each other."""
        sign = "←" if "←" in step.formula else "="
        left, _, right = step.formula.partition(f" {sign} ")
        found = [list(map(latex_formula, parts.lines_of(right, len, FORMULA)))] if right else []
        found += [self._with_numbers(step)] if parts.is_computed(step) else []
        rows = [
            Latex("&= %s") % line if number == 0 else Latex(r"&\quad%s") % line
            for lines in (*found, [self._result(step)])
            for number, line in enumerate(lines)
        ]
        rows[0] = latex_formula(left) + Latex(" ") + rows[0].replace("=", latex_formula(sign), 1)
        shown = _STEP % _LINES.join(rows)
        widest = max(map(self._width, (step.result, *step.operands.values())))
        size = next((size for limit, size in _SIZES if widest > limit), Latex("%s"))
        label = Latex("\\noindent %s\n") % self.words(step.label, parts.LABEL) if step.label else Latex()
        return label + size % shown

    def _with_numbers(self, step: Step) -> list[Latex]:
        """The formula with its numbers, in lines."""

        text, matrices = parts.with_numbers(step)
        drawn = {key: self._matrix(*value) for key, value in matrices.items()}
        widths = {key: self._width(matrix) for key, (matrix, _) in matrices.items()}
        lines = parts.lines_of(text, lambda text: sum(widths.get(character, 1) for character in text), LINE)
        pieces = (re.split(f"({parts.MATRIX})", line) for line in lines)
        return [Latex().join(drawn.get(piece) or latex_formula(piece) for piece in line) for line in pieces]

    def _width(self, matrix: Any) -> int:
        """In characters, about."""
        # "· 10" takes as much again as "e".
        rows = written(matrix, self.digits)
        return max(sum(len(entry) + 1 + 3 * ("e" in entry) for entry in row) for row in rows) + 1

    def _result(self, step: Step) -> Latex:
        names = _ROWS.join(Latex(r"\text{%s}") % self.words(name) for name in step.rows)
        return self._matrix(step.result) + (Latex(r"\begin{array}{l} %s \end{array}") % names if names else "")

    def _matrix(self, matrix: Any, within: bool = False) -> Latex:
        rows = [list(map(_number, row)) for row in written(matrix, self.digits)]
        if len(rows) == len(rows[0]) == 1:
            only = rows[0][0]
            return Latex("(%s)") % only if within and only.startswith("-") else only
        return _MATRIX % _ROWS.join(map(Latex(" & ").join, rows))


def _number(entry: str) -> Latex:
    digits, _, power = entry.partition("e")
    return Latex(r"%s \cdot 10^{%d}") % (digits, int(power)) if power else Latex.escape(digits)


def latex_formula(text: str) -> Latex:
    """A formula of ours."""
    # Names are at the odd places.
    made = "".join(_name(piece) if place % 2 else _signs(piece) for place, piece in enumerate(NAME.split(text)))
    return Latex(made)  # noqa: S704


def _signs(text: str) -> str:
    return "".join(_SIGNS.get(char, char) for char in text).replace("  ", " ")


def _name(name: str) -> str:
    """A name, a function or a number of a formula; ``W_io``, ``ao_2``, ``h_(t−1)``, ``∂L/∂W_i(2)``, ``x_2ᵀ``."""
    if name.endswith("ᵀ"):
        return _name(name[:-1]) + r"^{\top}"
    derivative = _DERIVATIVE.fullmatch(name)
    if derivative:
        above, below, t = derivative.groups()
        return rf"\frac{{\partial {_name(above)}}}{{\partial {_name(below)}{f'^{{({t})}}' if t else ''}}}"
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    letter, _, place = name.partition("_")
    marks, layer = [over for mark, over in _MARKS.items() if mark in letter], letter.count("ᴵ")
    letter = letter.rstrip("".join(_MARKS) + "ᴵ")
    place = _signs(place).strip("()")
    if re.fullmatch("a[a-z]", letter):  # the sums of a gate
        letter, place = "a", f"{letter[1]},{place}"
    letter = _LETTERS.get(letter, letter)
    for over in marks:
        letter = rf"{over}{{{letter}}}"
    placed = f"{letter}_{{{place}}}" if place else letter
    # In braces, for it may be squared; with something before it, or TeX takes them off again where there is an accent.
    return f"{{{{}}{placed}^{{{'I' * layer}}}}}" if layer else placed
