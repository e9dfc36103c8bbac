"""Formulas with their values, and the way back through them: the arithmetic that a worked example is written in.

A :class:`Term` is a formula with its value. Terms are put together by the operators of Python, ``x @ W + b``, which
write the formula and work it out at once, so that no line can say one thing and compute another. A term keeps what it
was made of, and how a gradient goes back through it to each part, which again makes terms: the idea of micrograd
(Karpathy 2020), with matrices and formulas. All values are matrices: vectors are rows (1, n), numbers are (1, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate

import numpy as np

from rnncli.core.packed import Array

# How closely the outermost operator of a formula binds: +, then ·, and a name or a function most.
SUM, PRODUCT, NAME = range(3)


@dataclass(frozen=True, eq=False, slots=True)
class Term:
    """A formula, its value and the named matrices in it.

    Attributes:
        operands: by name; ``x_2ᵀ`` has its numbers transposed already.
        binds: how closely its outermost operator does.
        parts: what it is made of, each with the way back to it; without what a gradient cannot go back to.
        product, transposed: what it is the matrix product, or the transpose, of.
    """

    text: str
    value: Array
    operands: dict[str, Array]
    binds: int = NAME
    parts: tuple[tuple[Term, Back], ...] = ()
    product: tuple[Term, Term] | None = None
    transposed: Term | None = None

    @property
    def is_name(self) -> bool:
        return not self.parts and self.text in self.operands

    @property
    def is_number(self) -> bool:
        return bool(self.value.size == 1)

    def __matmul__(self, other: Term) -> Term:
        """The matrix product; a single number multiplies whatever stands beside it."""
        a, b = self.value, other.value
        # Where a derivative stands beside it, ∂L/∂z·W could be read as that of z·W.
        sign = " · " if "∂" in self.text + other.text else "·"
        if a.shape[1] != b.shape[0] or (self.is_number and other.is_number):
            return self._with(other, sign, a * b, PRODUCT, lambda g, _: g.times(other), lambda g, _: g.times(self))
        made = self._with(other, sign, a @ b, PRODUCT, lambda g, _: g.before(other), lambda g, _: g.behind(self))
        return replace(made, product=(self, other))

    def __mul__(self, other: Term) -> Term:
        """Element by element."""
        value = self.value * other.value
        return self._with(other, " ⊙ ", value, PRODUCT, lambda g, _: g.times(other), lambda g, _: g.times(self))

    def __truediv__(self, other: Term) -> Term:
        """Element by element."""

        def to_other(g: Gradient, _: Term) -> Gradient:
            return (-g).times(self).over(other.squared)

        return self._with(other, "/", self.value / other.value, PRODUCT, lambda g, _: g.over(other), to_other)

    def __add__(self, other: Term) -> Term:
        return self._with(other, " + ", self.value + other.value, SUM, lambda g, _: g, lambda g, _: g)

    def __sub__(self, other: Term) -> Term:
        return self._with(other, " − ", self.value - other.value, SUM, lambda g, _: g, lambda g, _: -g)

    def __radd__(self, number: int) -> Term:
        return _number(number) + self

    def __rsub__(self, number: int) -> Term:
        return _number(number) - self

    def __neg__(self) -> Term:
        return _made(f"−{self.within(PRODUCT)}", -self.value, SUM, (self, lambda g, _: -g))

    def __gt__(self, number: int) -> Term:
        return _made(f"{self.text} > {number}", (self.value > number).astype(float), SUM, (self, None))

    @property
    def T(self) -> Term:
        """Transposed."""
        text, value = f"{self.within(NAME)}ᵀ", self.value.T
        operands = {text: value} if self.is_name else self.operands
        return Term(text, value, operands, NAME, ((self, lambda g, _: g.T),), transposed=self)

    @property
    def squared(self) -> Term:
        """Element by element."""
        text, value = f"{self.within(NAME)}²", self.value**2
        return _made(text, value, NAME, (self, lambda g, _: g.times(_number(2)).times(self)))

    def columns(self, first: int, last: int) -> Term:
        """Those from ``first`` to ``last``, both counted from 1 and included."""
        text = f"{self.within(NAME)}[{first}{f':{last}' if last > first else ''}]"

        def back(g: Gradient, _: Term) -> Gradient:
            before, after = [_number(0)] * (first - 1), [_number(0)] * (self.value.shape[1] - last)
            return Gradient(beside([*before, g.unsigned, *after]), g.negative)

        return _made(text, self.value[:, first - 1 : last], NAME, (self, back))

    def equals(self, number: int) -> Term:
        """1 where it is that number, else 0."""
        return _made(f"({self.text} = {number})", (self.value == number).astype(float), NAME, (self, None))

    def with_slope(self, of: Term, slope: Callable[[], Term]) -> Term:
        """The same, but with an element-wise slope that is not put together from those of its parts."""
        return replace(self, parts=((of, lambda g, _: g.times(slope())),))

    def within(self, binding: int) -> str:
        """The formula as a part of one whose operator binds so closely."""
        return self.text if self.binds >= binding else f"({self.text})"

    def _with(self, other: Term, sign: str, value: Array, binds: int, to_self: Back, to_other: Back) -> Term:
        # a − (b + c) and a/(b·c) are not a − b + c and a/b·c.
        right = other.within(binds + 1 if sign in (" − ", "/") else binds)
        return _made(self.within(binds) + sign + right, value, binds, (self, to_self), (other, to_other))


@dataclass(frozen=True, eq=False, slots=True)
class Gradient:
    """∂L/∂ something on the way back, whose factors are not multiplied out yet.

    Slopes of functions that go element by element are kept apart from the gradient that they multiply, so that those of
    two paths to one thing can be added: ∂L/∂h ⊙ (h_(t−1) − n), not ∂L/∂h ⊙ h_(t−1) − ∂L/∂h ⊙ n.

    Attributes:
        of: the gradient at the end of a line; None for ∂L/∂L, which is 1.
        negative: whether all is to be subtracted.
        factors: what it is multiplied by, element by element.
        divisors: what it is divided by, the last one first.
    """

    of: Term | None
    negative: bool = False
    factors: tuple[Term, ...] = ()
    divisors: tuple[Term, ...] = ()

    @property
    def unsigned(self) -> Term:
        """All of it, but for the sign."""
        factors = self.factors if self.of is None else (self.of, *self.factors)
        made = reduce(_times, factors) if factors else _number(1)
        return reduce(lambda one, divisor: one / divisor, self.divisors, made)

    @property
    def term(self) -> Term:
        return -self.unsigned if self.negative else self.unsigned

    @property
    def is_one(self) -> bool:
        """Whether it is a number yet."""
        return self.of is None and not self.factors

    def __neg__(self) -> Gradient:
        return Gradient(self.of, not self.negative, self.factors, self.divisors)

    def times(self, factor: Term) -> Gradient:
        """By an element-wise factor."""
        return Gradient(self.of, self.negative, (*self.factors, factor), self.divisors)

    def over(self, divisor: Term) -> Gradient:
        return Gradient(self.of, self.negative, self.factors, (divisor, *self.divisors))

    def before(self, matrix: Term) -> Gradient:
        """Of what a matrix was multiplied by from the left: g·Wᵀ."""
        return self.matrix(turned(matrix))

    def behind(self, matrix: Term) -> Gradient:
        """Of what a matrix was multiplied by from the right: xᵀ·g."""
        return self.times(turned(matrix)) if self.is_one else Gradient(turned(matrix) @ self.unsigned, self.negative)

    def matrix(self, slope: Term) -> Gradient:
        """By a slope with a row for each element."""
        return self.times(slope) if self.is_one else Gradient(self.unsigned @ slope, self.negative)

    @property
    def T(self) -> Gradient:
        factors, divisors = tuple(map(turned, self.factors)), tuple(map(turned, self.divisors))
        return Gradient(None if self.of is None else turned(self.of), self.negative, factors, divisors)

    def columns(self, first: int, last: int) -> Gradient:
        whole = self.unsigned
        if whole.product is None:
            return Gradient(whole.columns(first, last), self.negative)
        left, right = whole.product
        return Gradient(left @ right.columns(first, last), self.negative)


# From the gradient of a term, and the term by the name that its line has, to the gradient of a part of it.
Back = Callable[[Gradient, Term], Gradient]


def named(name: str, value: Array) -> Term:
    """A name that stands for a matrix."""
    return Term(name, value, {name: value})


def _made(text: str, value: Array, binds: int, *parts: tuple[Term, Back | None]) -> Term:
    """Of parts, each with the way back to it; None where there is no slope."""
    operands: dict[str, Array] = {}
    for part, _ in parts:
        operands |= part.operands
    backward = tuple((part, back) for part, back in parts if back is not None)
    return Term(text, value, operands, binds, backward)


def _number(number: int) -> Term:
    return Term(str(number), np.array([[float(number)]]), {})


def _times(left: Term, right: Term) -> Term:
    """Element by element; of numbers, or with a number, a product like any other."""
    return left @ right if left.is_number or right.is_number else left * right


def turned(term: Term) -> Term:
    """Transposed, without two signs for it where none, or one, says as much."""
    if term.transposed is not None:
        return term.transposed
    if term.is_number:
        return term
    if term.product is not None:
        return turned(term.product[1]) @ turned(term.product[0])
    return term.T


def _function(
    name: str, work_out: Callable[[Array], Array], slope: Callable[[Gradient, Term, Term], Gradient] | None
) -> Callable[[Term], Term]:
    """A function of one matrix.

    Args:
        slope: from the gradient of the result, the argument and the result to the gradient of the argument.
    """

    def applied(x: Term) -> Term:
        back: Back | None = None if slope is None else lambda g, y: slope(g, x, y)
        return _made(f"{name}({x.text})", np.asarray(work_out(x.value)), NAME, (x, back))

    return applied


tanh = _function("tanh", np.tanh, lambda g, x, y: g.times(1 - y.squared))
relu = _function("relu", lambda a: np.maximum(a, 0), lambda g, x, y: g.times(x > 0))
sigmoid = _function("σ", lambda a: 1 / (1 + np.exp(-a)), lambda g, x, y: g.times(y).times(1 - y))
exp = _function("exp", np.exp, lambda g, x, y: g.times(y))
log = _function("log", np.log, lambda g, x, y: g.over(x))
diagonal = _function("diag", np.diagflat, None)


def total(x: Term) -> Term:
    """The sum of all elements of a row."""
    ones = [_number(1)] * x.value.shape[1]
    return _made(f"sum({x.text})", x.value.sum(keepdims=True), NAME, (x, lambda g, _: g.matrix(beside(ones))))


def softmax(powers: Term, z: Term) -> Term:
    """``q/sum(q)``.

    Args:
        powers: q = exp(z).
        z: to which the gradient goes back at once, ∂ŷ/∂z = diag(ŷ) − ŷᵀ·ŷ.
    """
    return replace(powers / total(powers), parts=((z, lambda g, y: g.matrix(diagonal(y) - y.T @ y)),))


def added(terms: Iterable[Term]) -> Term:
    """The sum of at least one term."""
    return reduce(lambda one, other: one + other, terms)


def added_gradients(gradients: Sequence[Gradient]) -> Term:
    """The sum of at least one gradient."""
    result = gradients[0].term
    for one in gradients[1:]:
        result = result - one.unsigned if one.negative else result + one.unsigned
    return result


def beside(terms: Sequence[Term]) -> Term:
    """Matrices of the same height side by side."""

    def columns(first: int, last: int) -> Back:
        return lambda g, _: g.columns(first, last)

    ends = list(accumulate(term.value.shape[1] for term in terms))
    parts = [(term, columns(end - term.value.shape[1] + 1, end)) for term, end in zip(terms, ends, strict=True)]
    value = np.concatenate([term.value for term in terms], axis=1)
    return _made(f"[{_listed(terms)}]", value, NAME, *parts)


def below(rows: Sequence[Term]) -> Term:
    """Rows of the same width one below the other."""

    def row(place: int) -> Back:
        return lambda g, _: g.T.columns(place, place).T

    value = np.concatenate([term.value for term in rows])
    return _made(f"[{_listed(rows, '; ')}]", value, NAME, *((term, row(k)) for k, term in enumerate(rows, 1)))


def largest(terms: Sequence[Term], which: Callable[[], Term]) -> Term:
    """The largest at each place.

    Args:
        which: gives what :func:`which_is_largest` says of the terms, once there is a gradient.
    """

    def where(place: int) -> Back:
        return lambda g, _: g.times(which().equals(place))

    value = np.max([term.value for term in terms], axis=0)
    return _made(f"max({_listed(terms)})", value, NAME, *((term, where(k)) for k, term in enumerate(terms, 1)))


def which_is_largest(terms: Sequence[Term]) -> Term:
    """At each place which of the terms is the largest there, from 1; the first of equal ones."""
    value = 1.0 + np.argmax([term.value for term in terms], axis=0)
    return _made(f"argmax({_listed(terms)})", value, NAME, *((term, None) for term in terms))


def _listed(terms: Sequence[Term], sign: str = ", ") -> str:
    return sign.join(term.text for term in terms)


def gradients(of: Term, to: Term, g: Gradient, result: Term) -> list[Gradient]:
    """What comes to a name by a formula that it occurs in, one for each place there.

    Args:
        of: the formula, whose gradient is ``g`` and which has the name ``result`` by now.
    """
    found = []
    for path in _paths(of, to):
        end = g
        for part, back, whole in path:
            end = back(end, result if whole is of else whole)
            if part.is_number and not end.unsigned.is_number:  # which each element has met
                end = Gradient(total(end.unsigned), end.negative)
        found.append(end)
    if len(found) < 2 or g.of is None or any(one.of is not g.of or one.divisors for one in found):
        return found
    # The slopes of several paths to one thing are added; first those that are not subtracted.
    slopes = sorted((replace(one, of=None) for one in found), key=lambda one: one.negative)
    return [g.times(added_gradients(slopes))]


def _paths(of: Term, to: Term) -> Iterator[tuple[tuple[Term, Back, Term], ...]]:
    """From a formula to each place of a name in it: part, way back to it, and what it is a part of."""
    if of is to:
        yield ()
    for part, back in of.parts:
        for path in _paths(part, to):
            yield ((part, back, of), *path)
