"""A word and its tag a row, and a column that says which sentence it belongs to, in each row or in the first one.

Sentence #,Word,POS,Tag
Sentence: 1,Ada,NNP,B-PER
,came,VBD,O
Sentence: 2,So,RB,O
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.preview import Preview
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import as_text
from rnncli.data.layouts.layout import Plan, Record, Request
from rnncli.data.records import Inputs, TokenLists
from rnncli.data.tables.column import Column
from rnncli.data.tables.columns import choose_columns, find_column
from rnncli.data.tables.facts import is_bio, mostly
from rnncli.data.tables.names import SENTENCES, mentions
from rnncli.data.tables.source import Roles
from rnncli.errors import DataError

LAYOUT = "tagged_rows"


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    of_several_rows = True
    word: Column
    tag: Column | None
    sentence: Column

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        count = "" if inputs is None else f", {len(inputs):,} of them"
        label = "" if self.tag is None else f", label: {self.tag.name}"
        return f"sentences: {self.sentence.name}{count}; text: {self.word.name}{label}; change with --id/--text/--label"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        """The sentences; a bad row leaves all of its sentence out."""
        columns = {"word": self.word, "sentence": self.sentence} | ({"tag": self.tag} if self.tag else {})
        read: list[dict[str, str]] = []  # the rows of a sentence
        begin, now, bad = 0, "", False
        for line, values in rows:
            row = {what: as_text(values[column.at]).strip() for what, column in columns.items()}
            if row["sentence"] and row["sentence"] != now:
                if read and not bad:
                    yield self._record(begin, read)
                read, begin, now, bad = [], line, row["sentence"], False
            row["sentence"] = now
            empty = next((what for what, value in row.items() if not value), None)
            if empty is not None:
                bad = True
                ledger.bad_record(line, f"the {empty} is empty")
            read.append(row)
        if read and not bad:
            yield self._record(begin, read)

    def _record(self, line: int, rows: list[dict[str, str]]) -> Record:
        tags = None if self.tag is None else tuple(row["tag"] for row in rows)
        return Record(line, tuple(row["word"] for row in rows), tags)

    def new_inputs(self) -> TokenLists:
        return TokenLists()

    def new_labels(self) -> TokenLists:
        return TokenLists()


def recognize(preview: Preview, request: Request) -> Plan | None:
    source = request.source
    if preview.task not in ("auto", "tag") or request.inputs not in (None, TokenLists):
        return None
    if not request.labelled and request.inputs is None:
        return None  # each row may be a text
    if preview.file.format.holds != "records":
        return None
    sentence = _sentence(preview, source.id)
    if sentence is None:
        return None
    kept = [column for column in preview.columns if column is not sentence]
    sample = [tuple(values[column.at] for column in kept) for values in preview.sample]
    try:
        names, label = [column.name for column in kept], source.label if request.labelled else None
        chosen = choose_columns(names, sample, text=source.text, label=label, need_label=request.labelled)
    except DataError:
        return None  # the layout of texts says what is missing
    word, tag = kept[chosen.text], None if chosen.label is None else kept[chosen.label]
    if word.words > 1.2 or word.nested or word.numeric or not (tag is None or preview.task == "tag" or _are_tags(tag)):
        return None
    roles = Roles(layout=LAYOUT, text=(word.name,), label=() if tag is None else (tag.name,), id=sentence.name)
    preview = preview.choose(word.at, None if tag is None else tag.at)
    return _Plan(preview=preview, roles=roles, word=word, tag=tag, sentence=sentence)


def _are_tags(column: Column) -> bool:
    return mostly(map(is_bio, column.distinct)) and "O" in column.distinct


def _sentence(preview: Preview, named: str | None) -> Column | None:
    """The column of sentences: as named, or one whose name says so, and whose values stay over several rows."""
    if named is not None:
        return preview.columns[find_column(preview.names, named, "--id")]
    for column in preview.columns:
        if mentions(column.name, SENTENCES) and column.words <= 3 and len(column.distinct) < len(column.values):
            return column
    return None
