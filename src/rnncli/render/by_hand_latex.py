"""An example worked by hand as LaTeX: a document of its own.

Formulas are ours and are turned into LaTeX sign by sign; words are the data's, and every character in them that LaTeX
would act on is escaped.
"""

from __future__ import annotations

import re
from typing import Any

from rnncli.render import by_hand_parts as parts
from rnncli.render.by_hand_parts import DIGITS, NAME, WORD, Piece, written
from rnncli.results import ByHand, Step

LINE, FORMULA = 80, 130  # characters in a line, about: of numbers, and of names
# In what size a line is set that has a matrix of more than so many characters, which it cannot be parted in.
_SIZES = ((110, r"\tiny\setlength{\arraycolsep}{0.3pt}"), (88, r"\scriptsize"))
_FIRST = r"""% Letters other than Latin ones need XeLaTeX or LuaLaTeX, with a font.
\documentclass{article}
\usepackage{amsmath}
\usepackage[margin=1.5cm]{geometry}
\allowdisplaybreaks
\begin{document}
\begingroup\small
\setcounter{MaxMatrixCols}{16}\setlength{\arraycolsep}{3pt}"""
_LAST = "\\endgroup\n\\end{document}"
_LEGEND = (
    r"$\cdot$ is the matrix product, a number times a matrix included; "
    r"$\odot$, the square and the slash go element by element.",
    r"$\frac{\partial L}{\partial W_{i}^{(2)}}$ is the term of timestep 2 in $\frac{\partial L}{\partial W_{i}}$.",
)
_SIGNS_MEAN = {
    "encoder": r"$\bar{W}$, with a bar, is the encoder's.",
    "layers": "$W^{I}$ is of the first layer, $W^{II}$ of the second.",
    "directions": r"$\overrightarrow{W}$ is of what reads forwards, $\overleftarrow{W}$ of what reads backwards, "
    "from the last timestep to the first.",
    "which": "$(j = 2)$ is 1 where $j$ is 2, and 0 elsewhere.",
    "beside": "$[x, y]$ is $x$ and $y$ side by side.",
    "below": "$[x; y]$ is $x$ above $y$.",
    "columns": "$x[1:2]$ are the columns 1 to 2 of $x$; $x[2]$ is the second one alone.",
}
_FUNCTIONS = {"tanh": r"\tanh", "exp": r"\exp", "max": r"\max", "log": r"\log", "σ": r"\sigma"} | {
    name: rf"\operatorname{{{name}}}" for name in ("relu", "sum", "diag", "argmax")
}
_LETTERS = {"ŷ": r"\hat{y}", "η": r"\eta", "ε": r"\varepsilon", "α": r"\alpha"}
_MARKS = {"ᶠ": r"\overrightarrow", "ᵇ": r"\overleftarrow", "ᵉ": r"\bar"}
_SIGNS = {"·": r"\cdot ", "⊙": r"\odot ", "−": "-", "←": r"\leftarrow ", "²": "^{2}"}
_DERIVATIVE = re.compile(r"∂(\w+)/∂(\w+)(?:\((\d+)\))?")
_ESCAPES = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "␣": r"\textvisiblespace{}"},
    # In the old font encoding these come out as other characters.
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"},
}


def as_latex(result: ByHand, digits: int = DIGITS) -> str:
    """A document of LaTeX, matrices by ``pmatrix``.

    Args:
        digits: decimals of a number, at least.
    """
    found = [_FIRST, rf"\section*{{{parts.headline(result, escaped)}}}"]
    equations = " \\\\\n".join(latex_formula(equation) for equation in result.equations)
    found.append(f"\\begin{{gather*}}\n{equations}\n\\end{{gather*}}")
    found += [
        *_LEGEND,
        *(_SIGNS_MEAN[name] for name in parts.signs(result)),
        *(escaped(line, None) for line in parts.sentences(result, digits)),
    ]
    for section in result.sections:
        found.append(rf"\subsection*{{{parts.title(section, escaped, lambda text: f'${latex_formula(text)}$')}}}")
        found += [_step(step, digits) for step in section.steps]
    return "\n\n".join([*found, _LAST]) + "\n"


def escaped(text: str, limit: int | None = 2 * WORD) -> str:
    """Words, at most so many cells of them, in which LaTeX finds nothing to act on."""
    return "".join(_ESCAPES.get(char, char) for char in parts.word(text, limit=limit))


def latex_formula(text: str) -> str:
    """A formula of ours."""
    # Names are at the odd places.
    return "".join(_name(piece) if place % 2 else _signs(piece) for place, piece in enumerate(NAME.split(text)))


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


def _step(step: Step, digits: int) -> str:
    """Formula, the numbers in it, and the result, their equals signs below each other."""
    sign = "←" if "←" in step.formula else "="
    left, _, right = step.formula.partition(f" {sign} ")
    given = _formula(right) if right else []
    lines = [*given, *(_with_numbers(step, digits) if parts.is_computed(step) else []), _result(step, digits)]
    aligned = [f"{latex_formula(left)} &{_signs(sign)} {lines[0]}", *(f"&{line}" for line in lines[1:])]
    aligned[1:] = [line if line.startswith(r"&\quad") else f"&= {line[1:]}" for line in aligned[1:]]
    label = f"\\noindent {escaped(step.label, parts.LABEL)}\n" if step.label else ""
    body = " \\\\\n".join(aligned)
    shown = f"\\begin{{align*}}\n{body}\n\\end{{align*}}"  # which may go on on the next page
    widest = max(_width(piece, digits) for piece in (step.result, *step.operands.values()))
    size = next((size for limit, size in _SIZES if widest > limit), None)
    return label + (shown if size is None else f"{{{size}\n{shown}}}")


def _formula(text: str) -> list[str]:
    """The formula alone; from the second line on with an indent."""
    lines = parts.formula_lines(text, FORMULA)
    return [(r"\quad" if number else "") + latex_formula(line) for number, line in enumerate(lines)]


def _with_numbers(step: Step, digits: int) -> list[str]:
    """The formula with its numbers; from the second line on with an indent."""

    def drawn(piece: Piece, within: bool) -> str:
        return latex_formula(piece) if isinstance(piece, str) else _matrix(piece, digits, within)

    lines = parts.lines_of(parts.with_numbers(step), lambda piece: _width(piece, digits), LINE)
    return [(r"\quad" if number else "") + "".join(drawn(*one) for one in line) for number, line in enumerate(lines)]


def _width(piece: Piece, digits: int) -> int:
    """In characters, about."""
    if isinstance(piece, str):
        return len(piece)
    # "· 10" takes as much again as "e".
    return max(sum(len(entry) + 1 + 3 * ("e" in entry) for entry in row) for row in written(piece, digits)) + 1


def _result(step: Step, digits: int) -> str:
    if not step.rows:
        return _matrix(step.result, digits)
    names = r" \\ ".join(rf"\text{{{escaped(name)}}}" for name in step.rows)
    return rf"{_matrix(step.result, digits)}\begin{{array}}{{l}} {names} \end{{array}}"


def _matrix(matrix: Any, digits: int, within: bool = False) -> str:
    rows = [[_number(entry) for entry in row] for row in written(matrix, digits)]
    if len(rows) == len(rows[0]) == 1:
        only = rows[0][0]
        return f"({only})" if within and only.startswith("-") else only
    body = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def _number(entry: str) -> str:
    digits, _, power = entry.partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits
