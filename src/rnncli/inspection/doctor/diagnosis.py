"""Why is it stuck? What can go wrong with a model and its data is looked for, one after the other.

Each finding has its number, and one command to try. A model in good health has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError, counted
from rnncli.inspection.adapters import Adapter, adapter_of
from rnncli.inspection.doctor import data as doctor_data
from rnncli.inspection.doctor.data import Answered, Evidence
from rnncli.inspection.doctor.findings import Check, Commands, Finding
from rnncli.inspection.doctor.record import record_checks
from rnncli.inspection.doctor.units import UnitRanges, unit_checks, unit_ranges
from rnncli.inspection.flow import CellFlow, Flow, flow
from rnncli.inspection.loss import VANISHED
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.model import Model

# Rows that the model answers, and those that it is opened up for, which takes longer; drawn with a fixed seed.
ROWS, OPENED = 2_000, 100
SEED = 0


@dataclass(frozen=True)
class Diagnosis:
    """What was looked at, and what was found.

    Attributes:
        rows: of the data.
        answered, opened: of how many of them the answers, and the inside of the layers, were looked at.
        vanished: of how many of those that were opened the loss is too small for its gradient to mean anything.
        checks: everything that was looked at.
        evidence: the rows that make a finding, where it is single rows that do.
    """

    rows: int
    answered: int
    opened: int
    vanished: int
    checks: tuple[Check, ...]
    evidence: tuple[Evidence, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(check.finding for check in self.checks if check.finding is not None)

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The figures of the whole."""
        found = len(self.findings)
        said = f"{found} of {len(self.checks)} things that can be wrong" if found else "Nothing wrong found"
        looked = f"{counted(self.rows, 'row')}; answers of {self.answered:,}, layers of {self.opened:,}"
        if self.opened < self.rows:
            looked += ", drawn at random, always the same ones"
        pairs: list[tuple[str, TableCell]] = [("found", said), ("looked at", looked)]
        if self.vanished:
            rows = f"of {self.vanished:,} of {counted(self.opened, 'row')}, below {VANISHED:.2g}"
            small = f"{rows}: too small for --memory and --bptt; ask others, or RUN@EPOCH after train --keep-epochs"
            pairs.append(("vanished losses", small))
        return pairs

    def views(self, full: bool = False) -> list[TableView]:
        """The findings, if there are any; all that was looked at; with ``full`` the rows that make the findings."""
        found: list[tuple[TableCell, ...]] = []
        for finding in self.findings:
            found += [(finding.name, finding.sentence), ("try", finding.command)]
        said = (Column("finding", style="bold"), Column("what it says, and what to try"))
        shown = [TableView("What may be wrong", said, tuple(found))] if found else []
        looked = tuple((one.name, one.number, one.said, one.means, one.limit) for one in self.checks)
        columns = (Column("looked at"), Column("number", True), *map(Column, ("", "the number is", "a finding")))
        shown.append(TableView("What was looked at", columns, looked))
        if full and self.evidence:
            rows = tuple((one.name, one.line, one.other, one.label, one.text) for one in self.evidence)
            numbers = Column("line", True), Column("as line", True)
            columns = (Column("finding"), *numbers, Column("label"), Column("text"))
            shown.append(TableView("The rows", columns, rows, "as line: another row with the same text"))
        return shown

    def document(self, full: bool = False) -> dict[str, Any]:
        """For JSON."""
        of_check = ("name", "number", "means", "limit")
        checks = [{name: getattr(one, name) for name in of_check} | {"found": bool(one.finding)} for one in self.checks]
        found = {"findings": self.findings, "checks": checks, "rows": self.rows, "answered": self.answered}
        found |= {"opened": self.opened, "loss_has_vanished": self.vanished}
        return found | ({"evidence": self.evidence} if full else {})


def examine(model: Model, dataset: Dataset, commands: Commands | None = None) -> Diagnosis:
    """Looks for everything that can be wrong.

    Args:
        dataset: what the model was trained on, or other data of that kind.
        commands: how the commands to try begin; those for a model without a file if not given.

    Raises:
        DataError: a record cannot be read, and bad records are not to be left out.
    """
    commands = commands or Commands.of(model, dataset)
    adapter = adapter_of(model)
    dataset, labels = adapter.labelled(dataset)
    keys, lengths = _keys(adapter, dataset)
    if adapter.labels_per == "input":  # of which training leaves those out that have no token
        dataset = dataset.with_tokens(lengths, model.unit)
        keys = [key for key, length in zip(keys, lengths, strict=True) if length]
        labels = [of for of, length in zip(labels, lengths, strict=True) if length]
    chosen = _drawn(len(dataset.texts), ROWS)
    part = dataset.take(chosen.tolist())
    tokens = [adapter.tokens(text) for text in part.texts]
    right = [labels[row] for row in chosen.tolist()] if labels else []
    answered = Answered(adapter, part, adapter.concise.predict(part.inputs), tokens, right)
    layers, opened, small = _layers(adapter, part.take(_drawn(len(chosen), OPENED).tolist()))
    checks, evidence = _of_data(dataset, labels, _first_rows(keys), answered, commands)
    found = (*record_checks(adapter, commands), *checks, *unit_checks(model, layers, commands))
    return Diagnosis(
        rows=len(dataset.texts),
        answered=len(chosen),
        opened=opened,
        vanished=small,
        checks=found,
        evidence=tuple(evidence),
    )


def _of_data(
    dataset: Dataset, labels: Sequence[Sequence[str]], first: Array, answered: Answered, commands: Commands
) -> tuple[list[Check], list[Evidence]]:
    """What the data and the answers say, as far as it means anything for the task."""
    adapter, found = answered.adapter, list[tuple[Check, list[Evidence]]]()
    if adapter.labels:
        found.append((doctor_data.constant(answered, commands), []))
        found.append(doctor_data.unknown_labels(adapter, dataset, labels, commands))
    if not adapter.reads_numbers:
        found.append((doctor_data.unknown_words(answered, commands), []))
    if adapter.cuts:  # the others read an input of any length to its end
        found.append((doctor_data.cut_off(answered, commands), []))
    if adapter.labels_per == "input":
        found.append(doctor_data.label_noise(dataset, answered, first, commands))
    if adapter.model.labelled:  # else its lines are no texts of their own
        found.append(doctor_data.duplicates(adapter, dataset, first, commands))
    return [check for check, _ in found], [row for _, rows in found for row in rows]


def _drawn(count: int, most: int) -> Array:
    """So many rows at most, in their order."""
    if count <= most:
        return np.arange(count)
    rng = np.random.default_rng(SEED)
    return np.sort(rng.choice(count, most, replace=False))


def _keys(adapter: Adapter[Any], dataset: Dataset) -> tuple[list[bytes], list[int]]:
    """For each row a few bytes that rows have in common which are the same to the model, and its number of tokens.

    Unknown and unread tokens count too. The tokens themselves are not kept: those of many texts fill the memory.
    """
    keys, lengths = [], []
    for text in dataset.texts:
        tokens = adapter.tokens(text)
        joined = "\0".join(tokens).encode("utf-8", "surrogatepass")
        keys.append(hashlib.blake2b(joined, digest_size=16).digest())
        lengths.append(len(tokens))
    return keys, lengths


def _first_rows(keys: Sequence[bytes]) -> Array:
    """(rows,) the first row with the same key."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(key, row) for row, key in enumerate(keys)], np.int64)


def _layers(adapter: Adapter[Any], dataset: Dataset) -> tuple[list[UnitRanges], int, int]:
    """The units of every layer over the texts, how many of these had something to open up, and of how many of these
    the loss has vanished."""
    opened = vanished = 0

    def one_by_one() -> Iterator[tuple[CellFlow, ...]]:  # what a text leaves in the layers is large
        nonlocal opened, vanished
        for row, text in enumerate(dataset.texts):
            found = _flow(adapter, text, dataset.labels.text(row))
            if found is not None:
                opened, vanished = opened + 1, vanished + (found.loss < VANISHED)
                yield found.cells

    return unit_ranges(one_by_one()), opened, vanished


def _flow(adapter: Adapter[Any], text: str, label: str) -> Flow | None:
    """A text forward and back, with its label if the model knows it; None where there are no timesteps."""
    for answer in (label or None, None):
        try:
            return flow(adapter.open(text, answer))
        except UsageError:
            continue
    return None
