"""What forward lines are written on: a tape, by the names of a part of the network; or equations for any timestep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from rnncli.core.packed import Array
from rnncli.inspection.by_hand.tape import Block, Line, Place, Tape, Weight
from rnncli.inspection.by_hand.terms import Term, named

_LETTERS = re.compile(r"\b([A-Za-z]+)([ᵉᴵᶠᵇ]*)(?=_|\b)")
_FOR_ALL = {"L", "T", "t", "tanh", "relu", "exp", "log", "sum", "diag", "max", "argmax"}


class Sheet:
    """A tape on which the names of a part of the network have a mark: ``Wᵉ_i``, ``hᵉ_2`` of an encoder.

    Args:
        mark: ᵉ of an encoder; ᴵ and ᴵᴵ of the first and the second layer; ᶠ and ᵇ of what reads forwards, or backwards.
        others: letters that have another name there, or no mark, with what they are called.
        within: the sheet whose own mark, if it has one, comes first.
    """

    def __init__(
        self, tape: Tape, mark: str = "", others: Mapping[str, str] | None = None, within: Sheet | None = None
    ) -> None:
        self.tape, self._mark, self._within = tape, mark, within
        self._others = {name: name for name in _FOR_ALL} | dict(others or {})
        self._called: dict[str, str] = {}  # what has been asked for

    def marked(self, mark: str, others: Mapping[str, str] | None = None) -> Sheet:
        """The same for a part of this part."""
        return Sheet(self.tape, mark, others, self)

    def called(self, formula: str) -> str:
        """A name, or a formula, as it stands on the tape."""
        known = self._called.get(formula)
        if known is None:
            known = _LETTERS.sub(self._marked, formula) if self._mark else formula
            known = self._called[formula] = self._within.called(known) if self._within else known
        return known

    def _marked(self, found: re.Match[str]) -> str:
        letters, marks = found.groups()
        return self._others.get(letters, letters + self._mark) + marks

    def __getitem__(self, name: str) -> Term:
        return self.tape.names[self.called(name)]

    def __contains__(self, name: str) -> bool:
        return self.called(name) in self.tape.names

    def at(self, place: Place) -> None:
        """Where in the network stands what follows."""
        self.tape.place = place

    def section(self, title: str, token: str = "", place: Place | None = None) -> None:
        """Begins a section."""
        self.tape.section(title, token=token)
        self.at(place or Place())

    def block(self, title: str, token: str = "") -> Block:
        """Begins a block of backward lines; the one begun last comes first among them."""
        self.tape.blocks.append(Block(title, token, len(self.tape.blocks)))
        return self.tape.blocks[-1]

    def given(self, name: str, value: Array, label: str = "") -> None:
        """A matrix that the work starts from."""
        self.tape.step(self.called(name), "", value, label)

    def learn(self, weight: Weight, rows: tuple[str, ...] = ()) -> None:
        """One that is learned, if the model has it.

        Args:
            rows: a name for each row.
        """
        if weight.parameter in self.tape.values:
            self.tape.learn(replace(weight, name=self.called(weight.name)), rows)

    def line(
        self,
        name: str,
        term: Term,
        label: str = "",
        back: str | None = "",
        *,
        part: bool = False,
        word: str = "",
        slopes: Mapping[str, str] | None = None,
        passes: bool = False,
        sums: bool = False,
    ) -> Term:
        """Works out ``name = term``.

        Args:
            label: what it is, in words; ``back`` the same beside its gradient: None for which lines that comes from.
            part: whether it is put into the equation of the line that reads it, and has none of its own.
            word, slopes, passes, sums: as :class:`rnncli.inspection.by_hand.tape.Line` has them.
        """
        result = self.tape.step(self.called(name), "=", term, label)
        own = {self.called(one): words for one, words in (slopes or {}).items()}
        self.tape.add(Line(result, term, self.tape.place, back, word, own, passes, sums))
        return result

    def plus(self, term: Term, name: str) -> Term:
        """The term and, where there is one, the bias of that name."""
        return term + self[name] if name in self else term


class Equations(Sheet):
    """The same lines as equations: worked out with the numbers of some timesteps, but said of any.

    Args:
        of: the sheet on which the lines stand.
        times: what is written for a timestep, with the timestep whose numbers are taken.
    """

    def __init__(self, of: Sheet, times: Mapping[str, int] | None = None) -> None:
        super().__init__(of.tape, within=of)
        self._times, self._parts = times or {}, dict[str, Term]()

    def __getitem__(self, name: str) -> Term:
        name = self.called(name)
        letter, _, t = name.rpartition("_")
        real = f"{letter}_{self._times[t]}" if letter and t in self._times else name
        return self._parts.get(name) or named(name, self.tape.names[real].value)

    def at(self, place: Place) -> None:
        """No matter where: no gradient comes back to an equation."""

    def block(self, title: str, token: str = "") -> Block:
        return Block(title, token)

    def line(self, name: str, term: Term, label: str = "", back: str | None = "", **how: object) -> Term:
        name = self.called(name)
        if how.get("part"):
            self._parts[name] = term
            return term
        self.tape.equations.append(f"{name} = {term.text}")
        return named(name, term.value)
