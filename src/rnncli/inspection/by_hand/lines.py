"""Lines of arithmetic: a formula, the numbers that go into it and the number that comes out, never apart.

A :class:`Term` is a formula with its value. Terms are put together by the operators of Python, ``x @ W + b``, which
write the formula and work it out at once, so that no line can say one thing and compute another. All values are
matrices: vectors are rows (1, n), numbers are (1, 1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from rnncli.core.packed import Array

# How closely the outermost operator of a formula binds: +, then ·, and a name or a function most.
SUM, PRODUCT, NAME = range(3)


@dataclass(frozen=True, eq=False)
class Step:
    """One line.

    Attributes:
        label: what it is, in words; it may hold a token of the data.
        name: what the result is called from here on.
        formula: ``a_2 = x_2·W_i + o_1·W_h``; the name alone for what is given.
        operands: the matrices that the formula names; ``x_2ᵀ`` has its numbers transposed already.
        result: a matrix, like the operands.
        rows: a name for each row of the result: tokens; empty where they have none.
    """

    label: str
    name: str
    formula: str
    operands: Mapping[str, Array]
    result: Array
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Section:
    """Lines that belong together.

    Attributes:
        title: in words.
        symbol: the quantity that it is about, if one.
        token: the token that it is about, if one.
    """

    title: str
    symbol: str
    token: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class ByHand:
    """One example with every number, forward and backward, and one step of gradient descent.

    Attributes:
        text: the input.
        label: what the loss is of; ``answer`` is the same in words, ``the label 1``, ``label_from`` who says so, and
            ``label_remark`` what else is to be known of it.
        tokens: (T,) as the model reads them.
        equations: of the network, for any t.
        notes: sentences on what is shown and what is left out.
        loss: as training's own code computes it.
        residual: how far this arithmetic is from that code: the largest difference of two numbers, over the loss and
            all gradients.
        sections: in the order of the work.
    """

    text: str
    label: str
    answer: str
    label_from: str
    label_remark: str
    tokens: tuple[str, ...]
    equations: tuple[str, ...]
    notes: tuple[str, ...]
    loss: float
    residual: float
    sections: tuple[Section, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All lines in their order."""
        return tuple(step for section in self.sections for step in section.steps)


@dataclass(frozen=True, eq=False)
class Term:
    """A formula, its value and the named matrices in it."""

    text: str
    value: Array
    operands: Mapping[str, Array]
    binds: int = NAME

    def __matmul__(self, other: Term) -> Term:
        """The matrix product; a single number multiplies whatever stands beside it."""
        a, b = self.value, other.value
        # Where a derivative stands beside it, ∂L/∂z·W could be read as that of z·W.
        sign = " · " if "∂" in self.text + other.text else "·"
        return self._with(other, sign, a @ b if a.shape[1] == b.shape[0] else a * b, PRODUCT)

    def __mul__(self, other: Term) -> Term:
        """Element by element."""
        return self._with(other, " ⊙ ", self.value * other.value, PRODUCT)

    def __truediv__(self, other: Term) -> Term:
        """Element by element."""
        return self._with(other, "/", self.value / other.value, PRODUCT)

    def __add__(self, other: Term) -> Term:
        return self._with(other, " + ", self.value + other.value, SUM)

    def __sub__(self, other: Term) -> Term:
        right = other if other.binds > SUM else replace(other, text=f"({other.text})")
        return self._with(right, " − ", self.value - other.value, SUM)

    def __radd__(self, number: int) -> Term:
        return _number(number) + self

    def __rsub__(self, number: int) -> Term:
        return _number(number) - self

    def __neg__(self) -> Term:
        return replace(self, text=f"−{self._within(PRODUCT)}", value=-self.value, binds=SUM)

    def __gt__(self, number: int) -> Term:
        return replace(self, text=f"{self.text} > {number}", value=(self.value > number).astype(float), binds=SUM)

    @property
    def T(self) -> Term:
        """Transposed."""
        named = {f"{self.text}ᵀ": self.value.T} if self.text in self.operands else self.operands
        return Term(f"{self._within(NAME)}ᵀ", self.value.T, named)

    @property
    def squared(self) -> Term:
        """Element by element."""
        return replace(self, text=f"{self._within(NAME)}²", value=self.value**2, binds=NAME)

    def columns(self, first: int, last: int) -> Term:
        """Those from ``first`` to ``last``, both counted from 1 and included."""
        text = f"{self._within(NAME)}[{first}{f':{last}' if last > first else ''}]"
        return Term(text, self.value[:, first - 1 : last], self.operands)

    def equals(self, number: int) -> Term:
        """1 where it is that number, else 0."""
        return Term(f"({self.text} = {number})", (self.value == number).astype(float), self.operands)

    def _within(self, binding: int) -> str:
        return self.text if self.binds >= binding else f"({self.text})"

    def _with(self, other: Term, sign: str, value: Array, binds: int) -> Term:
        text = self._within(binds) + sign + other._within(binds)
        return Term(text, value, {**self.operands, **other.operands}, binds)


def _number(number: int) -> Term:
    return Term(str(number), np.array([[float(number)]]), {})


def _function(name: str, work_out: Callable[[Array], Array]) -> Callable[[Term], Term]:
    def applied(term: Term) -> Term:
        return Term(f"{name}({term.text})", np.asarray(work_out(term.value)), term.operands)

    return applied


tanh = _function("tanh", np.tanh)
relu = _function("relu", lambda a: np.maximum(a, 0))
sigmoid = _function("σ", lambda a: 1 / (1 + np.exp(-a)))
exp = _function("exp", np.exp)
log = _function("log", np.log)
total = _function("sum", lambda a: a.sum(keepdims=True))
diagonal = _function("diag", np.diagflat)


@dataclass
class Worksheet:
    """Lines in the making; every name on it stands for the result of its line."""

    sections: list[Section] = field(default_factory=list)
    named: dict[str, Term] = field(default_factory=dict)

    def called(self, formula: str) -> str:
        """A name, or a formula, as it stands on the sheet."""
        return formula

    def __getitem__(self, name: str) -> Term:
        return self.named[self.called(name)]

    def __contains__(self, name: str) -> bool:
        return self.called(name) in self.named

    def section(self, title: str, symbol: str = "", token: str = "") -> None:
        """Begins a section."""
        self.sections.append(Section(title, self.called(symbol), token, ()))

    def given(self, name: str, value: Array, label: str = "", rows: tuple[str, ...] = ()) -> Term:
        """A matrix that the work starts from."""
        name = self.called(name)
        return self._put(Step(label, name, name, {}, value, rows))

    def line(self, name: str, term: Term, label: str = "", rows: tuple[str, ...] = ()) -> Term:
        """Works out ``name = term``."""
        return self._work_out(name, "=", term, label, rows)

    def update(self, name: str, term: Term, label: str = "", rows: tuple[str, ...] = ()) -> Term:
        """Works out ``name ← term``, by which the name changes its meaning."""
        return self._work_out(name, "←", term, label, rows)

    def plus(self, term: Term, name: str) -> Term:
        """The term and, where there is one, the bias of that name."""
        return term + self[name] if name in self else term

    def _work_out(self, name: str, sign: str, term: Term, label: str, rows: tuple[str, ...]) -> Term:
        name = self.called(name)
        return self._put(Step(label, name, f"{name} {sign} {term.text}", term.operands, term.value, rows))

    def _put(self, step: Step) -> Term:
        last = self.sections[-1]
        self.sections[-1] = replace(last, steps=(*last.steps, step))
        self.named[step.name] = Term(step.name, step.result, {step.name: step.result})
        return self.named[step.name]


_LETTERS = re.compile(r"\b([A-Za-z]+)([ᵉᴵᶠᵇ]*)(?=_|\b)")
_FOR_ALL = {"L", "T", "t", "tanh", "relu", "exp", "log", "sum", "diag", "max", "argmax"}


class Marked(Worksheet):
    """The same sheet for a part of the network whose names have a mark: ``Wᵉ_i``, ``∂L/∂hᵉ_2`` of an encoder.

    Args:
        sheet: whose own mark, if it has one, comes first.
        mark: ᵉ of an encoder; ᴵ and ᴵᴵ of the first and the second layer; ᶠ and ᵇ of what reads forwards, or backwards.
        others: letters that have another name on the sheet, or no mark, with what they are called there.
    """

    def __init__(self, sheet: Worksheet, mark: str, others: Mapping[str, str] | None = None) -> None:
        super().__init__(sheet.sections, sheet.named)
        self._sheet, self._mark, self._others = sheet, mark, {name: name for name in _FOR_ALL} | dict(others or {})

    def called(self, formula: str) -> str:
        return self._sheet.called(_LETTERS.sub(self._marked, formula))

    def _marked(self, found: re.Match[str]) -> str:
        letters, marks = found.groups()
        return self._others.get(letters, letters + self._mark) + marks


def added(terms: list[Term]) -> Term:
    """The sum of at least one term."""
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def beside(terms: list[Term]) -> Term:
    """Matrices of the same height side by side."""
    return _together(", ", terms, np.concatenate([term.value for term in terms], axis=1))


def below(terms: list[Term]) -> Term:
    """Matrices of the same width one below the other."""
    return _together("; ", terms, np.concatenate([term.value for term in terms]))


def largest(terms: list[Term]) -> Term:
    """The largest at each place."""
    return _of_several("max", terms, np.max([term.value for term in terms], axis=0))


def which_is_largest(terms: list[Term]) -> Term:
    """At each place which of the terms is the largest there, from 1; the first of equal ones."""
    return _of_several("argmax", terms, 1.0 + np.argmax([term.value for term in terms], axis=0))


def _together(sign: str, terms: list[Term], value: Array) -> Term:
    return Term(f"[{sign.join(term.text for term in terms)}]", value, _operands(terms))


def _of_several(name: str, terms: list[Term], value: Array) -> Term:
    return Term(f"{name}({', '.join(term.text for term in terms)})", value, _operands(terms))


def _operands(terms: list[Term]) -> dict[str, Array]:
    return {name: value for term in terms for name, value in term.operands.items()}
