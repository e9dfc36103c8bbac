"""What a unit of the topmost layer is for: its top activating tokens, and the labels it correlates with.

A file is read part by part; only the top contexts and a few sums are kept. Where a unit stands for something, its
contexts show it ("the sentiment neuron", Radford et al. 2017; the cells of Karpathy et al. 2015).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError, counted
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.activations.correlations import Correlations
from rnncli.inspection.adapters import Adapter, adapter_of
from rnncli.inspection.states import visible
from rnncli.results import Column, TableCell, TableView, place_of
from rnncli.tasks.model import Model

# Neighbours on either side, more of letters than of words; and what separates two of them.
NEIGHBOURS = {"char": 16}
USUAL_NEIGHBOURS = 4
BETWEEN = {"char": "", "timestep": " | "}
TOP_LABELS = 12  # of many labels, those that correlate most
UNITS_OF_A_LABEL = 3

Rank = tuple[float, int]  # by value, then by line


@dataclass(frozen=True)
class Context:
    """A token at which a unit is large or small.

    Attributes:
        line: of the file, or of ``file`` where there are several.
        place: the token's position in its text, from 1.
        before, after: its neighbours.
        label: of the text, or of the step; empty if there is none, or if it is the token itself.
    """

    value: float
    line: int
    label: str
    place: int
    before: str
    token: str
    after: str
    file: str | None = None

    @property
    def shown(self) -> str:
        """The token in brackets, in its context."""
        return f"{self.before}[{visible(self.token)}]{self.after}"


def _keep(
    kept: list[tuple[Rank, Context]], read: TextActivations, values: Array, sign: int, most: int, unit: str
) -> None:
    """Takes a text in by its largest value, or with sign −1 its smallest, if that is among the ``most`` so far."""
    t = int((sign * values).argmax())
    rank = -sign * float(values[t]), read.line
    if len(kept) < most or rank < kept[-1][0]:
        insort(kept, (rank, _context(read, t, float(values[t]), unit)), key=itemgetter(0))
        del kept[most:]


def _context(read: TextActivations, t: int, value: float, unit: str) -> Context:
    """A step with its neighbours in the whole text, whether or not they were read."""
    place, width, gap = read.position(t), NEIGHBOURS.get(unit, USUAL_NEIGHBOURS), BETWEEN.get(unit, " ")
    before, after = read.tokens[max(0, place - width) : place], read.tokens[place + 1 : place + 1 + width]
    left = ("…" + gap if place > width else "") + "".join(token + gap for token in before)
    right = "".join(gap + token for token in after) + (gap + "…" if place + 1 + width < len(read.tokens) else "")
    of_text = read.pooled or len(read.labels) < 2
    label = (", ".join(read.labels) if of_text else read.labels[t]) if read.label_is != unit else ""
    return Context(value, read.line, label, place + 1, left, read.tokens[place], right, read.file)


@dataclass(frozen=True)
class Related:
    """The correlation of a unit with a label.

    Attributes:
        rows: how many have the label.
        r: statistic of the unit → its correlation with having the label; None where one of the two never changes.
    """

    label: str
    rows: int
    unit: str
    r: dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class TopActivations:
    """One unit over a whole file.

    Attributes:
        unit, unit_count: its name, and the number of all.
        texts, steps: how many were read.
        mean, smallest, largest: of its value over all steps.
        most, least: where it is largest and where it is smallest, each text at most once.
        related: its correlation with each label.
        label_is: what a label is.
    """

    unit: str
    unit_count: int
    texts: int
    steps: int
    mean: float
    smallest: float
    largest: float
    most: tuple[Context, ...]
    least: tuple[Context, ...]
    related: tuple[Related, ...]
    label_is: str

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The figures over the whole file."""
        span = f"mean {self.mean:.4f}, from {self.smallest:.4f} to {self.largest:.4f}"
        read = f"{counted(self.texts, 'text')}, {counted(self.steps, 'step')}"
        return [("unit", f"{self.unit}, of {self.unit_count} in the topmost layer"), ("read", read), ("value", span)]

    def views(self, full: bool = False) -> list[TableView]:
        """Both ends, and a few of the labels, or all if ``full``."""
        ends = {"largest": self.most, "smallest": self.least}
        shown = [_contexts(f"Where unit {self.unit} is {end}", of, self.label_is) for end, of in ends.items()]
        if self.related:
            chosen = sorted(self.related, key=lambda one: -_strength(one))[: None if full else TOP_LABELS]
            title = f"The {self.label_is}s that unit {self.unit} correlates with"
            shown.append(_related(title, self.label_is, chosen, len(self.related)))
        return shown


@dataclass(frozen=True)
class UnitsOfLabels:
    """For each label the units that correlate with it most.

    Attributes:
        texts: that were read.
        statistics: of a unit, the one that units are chosen by first.
        related: of each label its units, the best first.
        label_is: what a label is.
    """

    texts: int
    statistics: tuple[str, ...]
    related: dict[str, tuple[Related, ...]]
    label_is: str

    def view(self, full: bool = False) -> TableView:
        """A few units of each of the labels that have the best ones, or all."""
        best = sorted(self.related, key=lambda label: -_strength(self.related[label][0]))
        labels = set(best if full else best[:TOP_LABELS])
        chosen = [one for label, of_label in self._best(full).items() if label in labels for one in of_label]
        title, there = f"The units that correlate most with a {self.label_is}", sum(map(len, self.related.values()))
        return _related(title, self.label_is, chosen, there)

    def document(self, full: bool = False) -> dict[str, Any]:
        """For JSON."""
        found = {"texts": self.texts, "label_is": self.label_is, "statistics": self.statistics}
        return found | {"related": self._best(full)}

    def _best(self, full: bool) -> dict[str, tuple[Related, ...]]:
        return self.related if full else {label: of[:UNITS_OF_A_LABEL] for label, of in self.related.items()}


def _contexts(title: str, contexts: Sequence[Context], label_is: str) -> TableView:
    labelled = any(one.label for one in contexts)
    columns = (Column("value", True), Column("line", True), *([Column(label_is)] if labelled else []))
    rows = tuple(
        (one.value, place_of(one), *((visible(one.label),) if labelled else ()), one.shown) for one in contexts
    )
    return TableView(title, (*columns, Column("where")), rows)


def _related(title: str, label_is: str, chosen: Sequence[Related], there: int) -> TableView:
    statistics = tuple(chosen[0].r) if chosen else ()
    columns = (Column(label_is), Column("rows", True), Column("unit", style="bold"))
    columns += tuple(Column(f"r of its {name}", True) for name in statistics)  # type: ignore[assignment]
    rows = tuple((visible(one.label), one.rows, one.unit, *one.r.values()) for one in chosen)
    caption = f"r: correlation, from −1 to 1, with having the {label_is}"
    if len(chosen) < there:
        caption += f"; {len(chosen):,} of {there:,}, those with the largest |r|; --full shows all"
    return TableView(title, columns, rows, caption)


def _strength(one: Related) -> float:
    first: float | None = next(iter(one.r.values()))
    return abs(first or 0.0)


def top_activations(model: Model, parts: Iterable[Dataset], unit: int, most: int = 10) -> TopActivations:
    """Looks at one unit, part by part.

    Args:
        parts: of a file, in order; without labels these are empty texts.
        unit: its number in the topmost layer, where units that read backwards come last.
        most: contexts to keep of either end.

    Raises:
        UsageError: there is nothing in the file to read.
        DataError: an input cannot be read.
    """
    adapter = adapter_of(model)
    names, found = adapter.units, Correlations(slice(unit, unit + 1))
    ends: dict[int, list[tuple[Rank, Context]]] = {1: [], -1: []}
    texts, steps, total, smallest, largest = 0, 0, 0.0, np.inf, -np.inf
    for read in _activations(adapter, parts):
        values = read.hidden[:, unit].astype(np.float64)
        texts, steps, total = texts + 1, steps + len(values), total + float(values.sum())
        smallest, largest = min(smallest, float(values.min())), max(largest, float(values.max()))
        for sign, kept in ends.items():
            _keep(kept, read, values, sign, most, model.unit)
        found.add(read)
    return TopActivations(
        unit=names[unit],
        unit_count=len(names),
        texts=texts,
        steps=steps,
        mean=total / steps,
        smallest=smallest,
        largest=largest,
        most=tuple(context for _, context in ends[1]),
        least=tuple(context for _, context in ends[-1]),
        related=tuple(_of_label(found, label, rows, names[unit : unit + 1])[0] for label, rows in found.rows.items()),
        label_is=read.label_is,
    )


def units_of_labels(model: Model, parts: Iterable[Dataset]) -> UnitsOfLabels:
    """Looks at all units, part by part, for those that correlate with a label.

    Raises:
        UsageError: there are no labels, or as for :func:`top_activations`.
        DataError: an input cannot be read.
    """
    adapter = adapter_of(model)
    names, found, texts = adapter.units, Correlations(), 0
    for read in _activations(adapter, parts):
        texts += 1
        found.add(read)
    if not found.rows:
        raise UsageError("there is no label that the model knows, to compare units with")
    related = {
        label: tuple(sorted(_of_label(found, label, rows, names), key=lambda one: -_strength(one)))
        for label, rows in found.rows.items()
    }
    return UnitsOfLabels(texts, found.statistics, related, read.label_is)


def _activations(adapter: Adapter[Any], parts: Iterable[Dataset]) -> Iterator[TextActivations]:
    """The activations of all texts, one after the other.

    Raises:
        UsageError: there are none.
    """
    found = (one for part in parts for one in adapter.activations(part))
    first = next(found, None)
    if first is None:
        raise UsageError("no text of the file has a timestep: there are no activations")
    yield first
    yield from found


def _of_label(found: Correlations, label: str, rows: int, names: Sequence[str]) -> list[Related]:
    """The correlation of each of the units with a label."""
    of_units = [found.with_label(statistic, label).tolist() for statistic in found.statistics]
    return [
        Related(label, rows, name, {s: None if r != r else r for s, r in zip(found.statistics, of_unit, strict=True)})
        for name, of_unit in zip(names, zip(*of_units, strict=True), strict=True)
    ]
