"""Why is it stuck? One check after the other, of what can go wrong with a model and its data.

Each finding has its number, and one command to try. A model in good health has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError, counted
from rnncli.inspection.adapters import Adapter, adapter_of
from rnncli.inspection.doctor.data import Examined, data_checks
from rnncli.inspection.doctor.findings import Check, Commands, Evidence, Patient
from rnncli.inspection.doctor.record import record_checks
from rnncli.inspection.doctor.units import UnitRanges, add_text, unit_checks
from rnncli.inspection.flow import Flow, flow
from rnncli.inspection.loss import VANISHED
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.model import Model

# Rows with predictions, and rows for which the layers are opened, which takes longer; drawn with a fixed seed.
ROWS, OPENED = 2_000, 100
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What was checked, and what was found.

    Attributes:
        rows: of the data.
        answered, opened: for how many of them predictions were made, and the layers were opened.
        vanished: for how many of those that were opened the loss is too small for its gradient to mean anything, which
            it is below ``limit``.
    """

    rows: int
    answered: int
    opened: int
    vanished: int
    checks: tuple[Check, ...]
    limit: float

    @property
    def findings(self) -> tuple[Check, ...]:
        """The checks that found something."""
        return tuple(check for check in self.checks if check.sentence)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The rows that make the findings, where they are made of single rows."""
        return tuple(row for check in self.checks for row in check.evidence)

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The figures of the whole."""
        found = len(self.findings)
        said = f"{found} of {len(self.checks)} things that can be wrong" if found else "Nothing wrong found"
        looked = f"{counted(self.rows, 'row')}; predictions for {self.answered:,}, layers for {self.opened:,}"
        if self.opened < self.rows:
            looked += ", drawn at random, always the same ones"
        pairs: list[tuple[str, TableCell]] = [("found", said), ("looked at", looked)]
        if self.vanished:
            rows = f"of {self.vanished:,} of {counted(self.opened, 'row')}, below {self.limit:.2g}"
            small = f"{rows}: too small for --memory and --bptt; ask others, or RUN@EPOCH after train --keep-epochs"
            pairs.append(("vanished losses", small))
        return pairs

    def views(self, full: bool = False) -> list[TableView]:
        """The findings, if there are any; all checks; with ``full`` the rows that make the findings."""
        found = [row for one in self.findings for row in ((one.name, one.sentence), ("try", one.command))]
        columns = (Column("finding", style="bold"), Column("what it says, and what to try"))
        shown = [TableView("What may be wrong", columns, tuple(found))] if found else []
        looked = tuple((one.name, one.number, one.verdict, one.means, one.limit) for one in self.checks)
        numbers = (Column("looked at"), Column("number", True), *map(Column, ("", "the number is", "a finding")))
        shown.append(TableView("What was looked at", numbers, looked))
        if full and self.evidence:
            rows = tuple((one.name, *one.places, one.label, one.text) for one in self.evidence)
            lines = (Column("finding"), Column("line", True), Column("as line", True), Column("label"), Column("text"))
            shown.append(TableView("The rows", lines, rows, "as line: another row with the same text"))
        return shown

    def document(self, full: bool = False) -> dict[str, Any]:
        """For JSON."""

        def of(check: Check, *names: str) -> dict[str, Any]:
            return {name: getattr(check, name) for name in names}

        checks = [of(one, "name", "number", "means", "limit") | {"found": bool(one.sentence)} for one in self.checks]
        found = {
            "findings": [of(one, "name", "number", "sentence", "command") for one in self.findings],
            "checks": checks,
            "rows": self.rows,
            "answered": self.answered,
            "opened": self.opened,
            "loss_has_vanished": self.vanished,
        }
        return found | ({"evidence": self.evidence} if full else {})


def examine(model: Model, dataset: Dataset, commands: Commands | None = None) -> Diagnosis:
    """Looks for everything that can be wrong.

    Args:
        dataset: what the model was trained on, or other data of that kind.
        commands: the commands to try are made of these; by default, of those for a model without a file.

    Raises:
        DataError: a record cannot be read, and bad records are not to be left out.
    """
    patient = Patient(adapter_of(model), commands or Commands.of(model, dataset))
    adapter = patient.adapter
    dataset, labels = adapter.labelled(model.examples(dataset))
    keys, lengths = _keys(adapter, dataset)
    if adapter.labels_per == "input":  # training leaves out those without a token
        dataset = dataset.with_tokens(lengths, model.unit)
        keys = [key for key, length in zip(keys, lengths, strict=True) if length]
        labels = [of_row for of_row, length in zip(labels, lengths, strict=True) if length]
    chosen = _drawn(len(dataset.texts), ROWS)
    drawn = dataset.take(chosen.tolist())
    data = Examined(
        dataset=dataset,
        labels=labels,
        first=_first_rows(keys),
        drawn=drawn,
        predictions=adapter.concise.predict(drawn.inputs),
        tokens=[adapter.tokens(text) for text in drawn.texts],
        right=[labels[row] for row in chosen.tolist()] if labels else [],
    )
    layers: dict[str, UnitRanges] = {}
    opened = vanished = 0
    to_open = drawn.take(_drawn(len(chosen), OPENED).tolist())
    for row, text in enumerate(to_open.texts):
        found = _flow(adapter, text, to_open.labels.text(row))
        if found is not None:
            opened, vanished = opened + 1, vanished + bool(found.labelled_loss.warning)
            add_text(layers, found.cells)
    checks = (*record_checks(patient), *data_checks(patient, data), *unit_checks(patient, list(layers.values())))
    limit = VANISHED[adapter.loss_is]
    return Diagnosis(
        rows=len(dataset.texts), answered=len(chosen), opened=opened, vanished=vanished, checks=checks, limit=limit
    )


def _drawn(count: int, most: int) -> Array:
    """At most so many rows, in their order."""
    if count <= most:
        return np.arange(count)
    rng = np.random.default_rng(SEED)
    return np.sort(rng.choice(count, most, replace=False))


def _keys(adapter: Adapter[Any], dataset: Dataset) -> tuple[list[bytes], list[int]]:
    """For each row a digest of its tokens, which the model cannot tell apart if they are equal, and their number.

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


def _flow(adapter: Adapter[Any], text: str, label: str) -> Flow | None:
    """A text forward and back, with its label if the model knows it; None where there are no timesteps."""
    for answer in (label or None, None):
        try:
            return flow(adapter.open(text, answer))
        except UsageError:
            continue
    return None
