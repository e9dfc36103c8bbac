"""Formulas with their values and local derivatives: the arithmetic that a worked example is written in.

Python's operators, as in ``x @ W + b``, write the formula of a :class:`Term` and compute its value at once, so that no
line can say one thing and compute another. A term keeps its parents and how a gradient goes back through it to each of
them, which again makes terms: micrograd (Karpathy 2020) with matrices and formulas. All values are matrices: a vector
is a row (1, n), a number is (1, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate, repeat
from typing import NamedTuple

import numpy as np

from rnncli.core.packed import Array

# The precedence of a formula's outermost operator: that of +, of ·, and of a name or a function.
SUM, PRODUCT, NAME = range(3)


class Formula(NamedTuple):
    text: str
    precedence: int = NAME

    def within(self, precedence: int) -> str:
        """The formula as an operand of an operator of that precedence: in parentheses where it needs them."""
        return self.text if self.precedence >= precedence else f"({self.text})"


@dataclass(frozen=True, eq=False, slots=True)
class Term:
    """A formula, its value and the named matrices in it.

    Attributes:
        formula: in the names that the terms of its lines have.
        equation: the same, with the formula of a line in place of its name where that line has no equation.
        operands: by name; ``x_2ᵀ`` is transposed already.
        parents: what it is made of, each with its local derivative; without those that have none.
        product, transposed: what it is the matrix product, or the transpose, of.
    """

    formula: Formula
    equation: Formula
    value: Array
    operands: dict[str, Array]
    parents: tuple[tuple[Term, Derivative], ...] = ()
    product: tuple[Term, Term] | None = None
    transposed: Term | None = None

    @property
    def text(self) -> str:
        return self.formula.text

    @property
    def is_name(self) -> bool:
        return not self.parents and self.text in self.operands

    @property
    def is_number(self) -> bool:
        return bool(self.value.size == 1)

    def __matmul__(self, other: Term) -> Term:
        """The matrix product; a single number multiplies whatever stands beside it."""
        a, b = self.value, other.value
        # Beside a derivative, ∂L/∂z·W could be read as the one by z·W.
        sign = " · " if "∂" in self.text + other.text else "·"
        if a.shape[1] != b.shape[0] or (self.is_number and other.is_number):
            return self._with(other, sign, a * b, lambda g, _: g.times(other), lambda g, _: g.times(self))
        made = self._with(other, sign, a @ b, lambda g, _: g.before(other), lambda g, _: g.behind(self))
        return replace(made, product=(self, other))

    def __mul__(self, other: Term) -> Term:
        """Element by element."""
        value = self.value * other.value
        return self._with(other, " ⊙ ", value, lambda g, _: g.times(other), lambda g, _: g.times(self))

    def __truediv__(self, other: Term) -> Term:
        """Element by element."""

        def to_other(g: Gradient, _: Term) -> Gradient:
            return (-g).times(self).over(other.squared)

        return self._with(other, "/", self.value / other.value, lambda g, _: g.over(other), to_other)

    def __add__(self, other: Term) -> Term:
        return self._with(other, " + ", self.value + other.value, lambda g, _: g, lambda g, _: g)

    def __sub__(self, other: Term) -> Term:
        return self._with(other, " − ", self.value - other.value, lambda g, _: g, lambda g, _: -g)

    def __radd__(self, number: int) -> Term:
        return _number(number) + self

    def __rsub__(self, number: int) -> Term:
        return _number(number) - self

    def __neg__(self) -> Term:
        return _made("−{}", -self.value, (self, lambda g, _: -g), within=(PRODUCT,), precedence=SUM)

    def __gt__(self, number: int) -> Term:
        return _made(f"{{}} > {number}", (self.value > number).astype(float), (self, None), precedence=SUM)

    @property
    def T(self) -> Term:
        """Transposed."""
        made = _made("{}ᵀ", self.value.T, (self, lambda g, _: g.T), within=(NAME,))
        operands = {made.text: made.value} if self.is_name else self.operands
        return replace(made, operands=operands, transposed=self)

    @property
    def squared(self) -> Term:
        """Element by element."""
        return _made("{}²", self.value**2, (self, lambda g, _: g.times(_number(2)).times(self)), within=(NAME,))

    def columns(self, first: int, last: int) -> Term:
        """Those from ``first`` to ``last``, both counted from 1 and included."""

        def back(g: Gradient, _: Term) -> Gradient:
            before, after = [_number(0)] * (first - 1), [_number(0)] * (self.value.shape[1] - last)
            return Gradient(hstack([*before, g.unsigned, *after]), g.negative)

        template = f"{{}}[{first}{f':{last}' if last > first else ''}]"
        return _made(template, self.value[:, first - 1 : last], (self, back), within=(NAME,))

    def equals(self, number: int) -> Term:
        """1 where it is that number, else 0."""
        return _made(f"({{}} = {number})", (self.value == number).astype(float), (self, None))

    def with_slope(self, of: Term, slope: Term) -> Term:
        """The same, but with an element-wise slope that is not put together from those of its parents."""
        return replace(self, parents=((of, lambda g, _: g.times(slope)),))

    def _with(self, other: Term, sign: str, value: Array, to_self: Derivative, to_other: Derivative) -> Term:
        precedence = SUM if sign in (" + ", " − ") else PRODUCT
        # a − (b + c) and a/(b·c) are not a − b + c and a/b·c.
        within = precedence, precedence + (sign in (" − ", "/"))
        return _made("{}", value, (self, to_self), (other, to_other), sign=sign, within=within, precedence=precedence)


@dataclass(frozen=True, eq=False, slots=True)
class Gradient:
    """∂L/∂ something on the way back, whose factors are not multiplied out yet.

    Slopes of element-wise functions are kept apart from the gradient that they multiply, so that those of two paths to
    one term can be added: ∂L/∂h ⊙ (h_(t−1) − n), not ∂L/∂h ⊙ h_(t−1) − ∂L/∂h ⊙ n.

    Attributes:
        of: the gradient at the end of a line; None for ∂L/∂L, which is 1.
        negative: whether the whole is subtracted.
        factors: what it is multiplied by, element by element.
        divisors: what it is divided by, the last one first.
    """

    of: Term | None
    negative: bool = False
    factors: tuple[Term, ...] = ()
    divisors: tuple[Term, ...] = ()

    @property
    def unsigned(self) -> Term:
        """All of it but the sign."""
        factors = self.factors if self.of is None else (self.of, *self.factors)
        made = reduce(_times, factors) if factors else _number(1)
        return reduce(lambda one, divisor: one / divisor, self.divisors, made)

    @property
    def is_one(self) -> bool:
        """Whether nothing has multiplied ∂L/∂L = 1 yet."""
        return self.of is None and not self.factors

    def __neg__(self) -> Gradient:
        return replace(self, negative=not self.negative)

    def times(self, factor: Term) -> Gradient:
        """By an element-wise factor."""
        return replace(self, factors=(*self.factors, factor))

    def over(self, divisor: Term) -> Gradient:
        return replace(self, divisors=(divisor, *self.divisors))

    def before(self, matrix: Term) -> Gradient:
        """Of what a matrix was multiplied by from the left: g·Wᵀ."""
        return self.matrix(transpose(matrix))

    def behind(self, matrix: Term) -> Gradient:
        """Of what a matrix was multiplied by from the right: xᵀ·g."""
        turned = transpose(matrix)
        return self.times(turned) if self.is_one else Gradient(turned @ self.unsigned, self.negative)

    def matrix(self, slope: Term) -> Gradient:
        """By a slope with a row for each element."""
        return self.times(slope) if self.is_one else Gradient(self.unsigned @ slope, self.negative)

    @property
    def T(self) -> Gradient:
        factors, divisors = tuple(map(transpose, self.factors)), tuple(map(transpose, self.divisors))
        return Gradient(None if self.of is None else transpose(self.of), self.negative, factors, divisors)

    def columns(self, first: int, last: int) -> Gradient:
        whole = self.unsigned
        if whole.product is None:
            return Gradient(whole.columns(first, last), self.negative)
        left, right = whole.product
        return Gradient(left @ right.columns(first, last), self.negative)


# From the gradient of a term, and the name that its line has given it, to the gradient of one of its parents.
Derivative = Callable[[Gradient, Term], Gradient]


def named(name: str, value: Array) -> Term:
    """A name for a matrix."""
    formula = Formula(name)
    return Term(formula, formula, value, {name: value})


def _made(
    around: str,
    value: Array,
    *parents: tuple[Term, Derivative | None],
    sign: str = ", ",
    within: Sequence[int] = (),
    precedence: int = NAME,
) -> Term:
    """A term of parents, each with its local derivative; None where there is no slope.

    Args:
        around: the formula, with ``{}`` for the parents, between which there is a sign.
        within: the precedence that each of them stands in; by default they never need parentheses.
    """

    def written(formulas: list[Formula]) -> Formula:
        operands = map(Formula.within, formulas, within or repeat(SUM))
        return Formula(around.format(sign.join(operands)), precedence)

    formula = equation = written([term.formula for term, _ in parents])
    if any(term.equation is not term.formula for term, _ in parents):
        equation = written([term.equation for term, _ in parents])
    operands = {name: array for term, _ in parents for name, array in term.operands.items()}
    return Term(formula, equation, value, operands, tuple((term, back) for term, back in parents if back is not None))


def _number(number: int) -> Term:
    formula = Formula(str(number))
    return Term(formula, formula, np.array([[float(number)]]), {})


def _times(left: Term, right: Term) -> Term:
    """Element by element; of numbers, or with a number, a product like any other."""
    return left @ right if left.is_number or right.is_number else left * right


def transpose(term: Term) -> Term:
    """Transposed, without a sign for it where it has no effect, or two."""
    if term.transposed is not None:
        return term.transposed
    if term.is_number:
        return term
    if term.product is not None:
        return transpose(term.product[1]) @ transpose(term.product[0])
    return term.T


def _function(
    name: str, compute: Callable[[Array], Array], slope: Callable[[Gradient, Term, Term], Gradient] | None
) -> Callable[[Term], Term]:
    """A function of one matrix.

    Args:
        slope: from the gradient of the result, the argument and the result to the gradient of the argument.
    """

    def applied(x: Term) -> Term:
        back: Derivative | None = None if slope is None else lambda g, y: slope(g, x, y)
        return _made(f"{name}({{}})", np.asarray(compute(x.value)), (x, back))

    return applied


tanh = _function("tanh", np.tanh, lambda g, x, y: g.times(1 - y.squared))
relu = _function("relu", lambda a: np.maximum(a, 0), lambda g, x, y: g.times(x > 0))
sigmoid = _function("σ", lambda a: 1 / (1 + np.exp(-a)), lambda g, x, y: g.times(y).times(1 - y))
exp = _function("exp", np.exp, lambda g, x, y: g.times(y))
log = _function("log", np.log, lambda g, x, y: g.over(x))
diag = _function("diag", np.diagflat, None)
# The sum of all elements of a row.
row_sum = _function(
    "sum", lambda a: a.sum(keepdims=True), lambda g, x, y: g.matrix(hstack([_number(1)] * x.value.shape[1]))
)


def softmax(powers: Term, z: Term) -> Term:
    """``q/sum(q)``.

    Args:
        powers: q = exp(z).
        z: the gradient goes back to it at once, ∂ŷ/∂z = diag(ŷ) − ŷᵀ·ŷ.
    """
    return replace(powers / row_sum(powers), parents=((z, lambda g, y: g.matrix(diag(y) - y.T @ y)),))


def added(terms: Sequence[Term]) -> Term:
    """The sum of at least one term."""
    return reduce(lambda one, other: one + other, terms)


def added_gradients(gradients: Sequence[Gradient]) -> Term:
    """The sum of at least one gradient."""
    first, *others = gradients
    result = -first.unsigned if first.negative else first.unsigned
    for one in others:
        result = result - one.unsigned if one.negative else result + one.unsigned
    return result


def hstack(terms: Sequence[Term]) -> Term:
    """Matrices of the same height side by side."""

    def columns(first: int, last: int) -> Derivative:
        return lambda g, _: g.columns(first, last)

    ends = list(accumulate(term.value.shape[1] for term in terms))
    parents = [(term, columns(end - term.value.shape[1] + 1, end)) for term, end in zip(terms, ends, strict=True)]
    value = np.concatenate([term.value for term in terms], axis=1)
    return _made("[{}]", value, *parents)


def vstack(rows: Sequence[Term]) -> Term:
    """Rows of the same width one below the other."""

    def row(place: int) -> Derivative:
        return lambda g, _: g.T.columns(place, place).T

    value = np.concatenate([term.value for term in rows])
    parents = [(term, row(k)) for k, term in enumerate(rows, 1)]
    return _made("[{}]", value, *parents, sign="; ")


def maximum(terms: Sequence[Term], which: Callable[[], Term]) -> Term:
    """The largest at each place.

    Args:
        which: gives the :func:`argmax` of the terms, once there is a gradient.
    """

    def where(place: int) -> Derivative:
        return lambda g, _: g.times(which().equals(place))

    value = np.max([term.value for term in terms], axis=0)
    parents = [(term, where(k)) for k, term in enumerate(terms, 1)]
    return _made("max({})", value, *parents)


def argmax(terms: Sequence[Term]) -> Term:
    """Which of the terms is the largest at each place, from 1; the first of equal ones."""
    value = 1.0 + np.argmax([term.value for term in terms], axis=0)
    return _made("argmax({})", value, *((term, None) for term in terms))


def gradients(of: Term, to: Term, g: Gradient, result: Term) -> list[Gradient]:
    """The gradients that come to a name by a formula, one for each place where it occurs.

    Args:
        of: the formula, whose gradient is ``g`` and whose line has the name ``result``.
    """
    found = []
    for path in _paths(of, to):
        end = g
        for parent, back, whole in path:
            end = back(end, result if whole is of else whole)
            if parent.is_number and not end.unsigned.is_number:  # it has multiplied every element
                end = Gradient(row_sum(end.unsigned), end.negative)
        found.append(end)
    if len(found) < 2 or g.of is None or any(one.of is not g.of or one.divisors for one in found):
        return found
    # The slopes of several paths to one name are added; first those that are not subtracted.
    slopes = sorted((replace(one, of=None) for one in found), key=lambda one: one.negative)
    return [g.times(added_gradients(slopes))]


def _paths(of: Term, to: Term) -> Iterator[tuple[tuple[Term, Derivative, Term], ...]]:
    """From a formula to each place of a name in it: parent, local derivative, and what it is a parent of."""
    if of is to:
        yield ()
    for parent, back in of.parents:
        for path in _paths(parent, to):
            yield ((parent, back, of), *path)
