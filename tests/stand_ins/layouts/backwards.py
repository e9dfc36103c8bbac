"""Texts and labels that are written backwards, in columns that are too.

txet,lebal
doog os,sey
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.preview import Preview
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.layouts.layout import Plan, Record, Request
from rnncli.data.records import Inputs
from rnncli.data.tables.source import Roles

TEXT, LABEL = "txet", "lebal"


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    def why(self, inputs: Inputs[Any] | None = None) -> str:
        return " and ".join((*self.roles.text, *self.roles.label)) + ", read backwards"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        text, label = (
            self.preview.names.index(names[0]) if names else None for names in (self.roles.text, self.roles.label)
        )
        for line, values in rows:
            if label is not None and not values[label]:
                ledger.bad_record(line, "the lebal is empty")
            else:
                yield Record(line, values[text][::-1], None if label is None else values[label][::-1])


def recognize(preview: Preview, request: Request) -> Plan | None:
    if TEXT not in preview.names or (request.labelled and LABEL not in preview.names):
        return None
    label = (LABEL,) if request.labelled else ()
    return _Plan(preview=preview, roles=Roles(layout="backwards", text=(TEXT,), label=label))
