"""A text, and beside it a list of the spans that were annotated in it: their words get tags.

{"text": "Ada came to Rome.", "label": [[0, 3, "PERSON"], [12, 16, "CITY"]]}

Tools write a span as a list or as an object (Doccano, Prodigy, spaCy), below other keys (Label Studio), or the list in
an object with nothing else to it (spaCy).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.preview import Preview, cut, raise_found
from rnncli.data.doubts.texts import second_text
from rnncli.data.formats.advice import command
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Value, as_text
from rnncli.data.layouts.layout import Plan, Record, Request
from rnncli.data.records import Inputs, Texts, TokenLists
from rnncli.data.tables.column import Column
from rnncli.data.tables.columns import choose_columns, find_column
from rnncli.data.tables.facts import nested
from rnncli.data.tables.source import Roles
from rnncli.data.text.tagged_spans import Span, tag_words
from rnncli.errors import counted, listed, quoted

_LISTS = ("entities", "spans", "ents")  # keys of an object that holds the spans
_BEGINS = ("start", "start_offset", "begin", "startOffset", "start_char")
_ENDS = ("end", "end_offset", "stop", "endOffset", "end_char")
_TYPES = ("label", "labels", "type", "entity", "entity_type", "entity_group", "tag", "category")
_TASK = "data"  # the column of Label Studio that holds the text, below another key


class _NoSpans(ValueError):
    """A value that holds something else than spans; the message says what is wrong with it."""


def holds_spans(value: Value) -> bool | None:
    """Whether a value holds spans of a text: False if it has none now, None if it holds something else."""
    try:
        return bool(_spans_of(value))
    except _NoSpans:
        return None
    except ValueError:  # spans that cannot be used
        return True


def _spans_of(value: Any) -> list[Span]:
    """The spans that a value holds, or a text that is written like one.

    Raises:
        ValueError: it holds something else, or spans that cannot be used.
    """
    if isinstance(value, str):
        value = nested(value)
    if isinstance(value, Mapping):
        key = next((key for key in _LISTS if isinstance(value.get(key), Sequence)), None)
        if key is None:
            raise _NoSpans("is no list of spans")
        value = value[key]
    if not isinstance(value, list | tuple):
        raise _NoSpans("is no list of spans")
    if value and all(isinstance(one, Mapping) and isinstance(one.get("result"), list) for one in value):
        return _annotation(value)
    return [_span(part) for one in value for part in _parts(one)]


def _parts(value: Any) -> list[Any]:
    """The value; of an entry of DataTurks, which has a label and several points, a span each, whose end is inside."""
    points = value.get("points") if isinstance(value, Mapping) else None
    if not isinstance(points, list):
        return [value]
    ends = [_place(one.get("end")) if isinstance(one, Mapping) else None for one in points]
    if None in ends:
        return [value]
    return [{**one, "end": (end or 0) + 1, "label": value.get("label")} for one, end in zip(points, ends, strict=True)]


def _annotation(annotations: Sequence[Mapping[str, Any]]) -> list[Span]:
    """The spans of an annotation of Label Studio; several people may have made one each."""
    kept = [one for one in annotations if not one.get("was_cancelled")]
    found = [[_span(part["value"]) for part in one["result"] if _is_span(part)] for one in kept]
    if any(set(other) != set(found[0]) for other in found):
        raise ValueError(f"{counted(len(found), 'annotation')} that differ; keep one of them")
    return found[0] if found else []


def _is_span(part: object) -> bool:
    value = part.get("value") if isinstance(part, Mapping) else None
    return isinstance(value, Mapping) and "start" in value and "labels" in value


def _span(value: Any) -> Span:
    if isinstance(value, Mapping):
        begin, end, type = (next((value[key] for key in of if key in value), None) for of in (_BEGINS, _ENDS, _TYPES))
        if isinstance(type, list) and len(type) == 1:
            type = type[0]
        said = value.get("text")
    else:
        begin, end, type = value if isinstance(value, list | tuple) and len(value) == 3 else (None, None, None)
        said = None
    first, last = _place(begin), _place(end)
    if first is None or last is None or not isinstance(type, str) or not type.strip():
        raise _NoSpans(f"holds something else than spans ({cut(as_text(value))})")
    return Span(first, last, type.strip(), said if isinstance(said, str) else None)


def _place(value: Any) -> int | None:
    """A whole number; in a table where some are missing they have a point."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if number and float(value).is_integer() else None


def _text_in(value: Value) -> str | None:
    """The text that a value is, or that stands alone, or as ``text``, in an object of Label Studio."""
    if isinstance(value, Mapping):
        texts = [one for one in value.values() if isinstance(one, str)]
        found = value.get("text", texts[0] if len(texts) == 1 else None)
        return found if isinstance(found, str) else None
    return value if isinstance(value, str) else None


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    text: Column
    label: Column | None

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        if self.label is None:
            return f"text: {self.text.name}; change with --text"
        return f"text: {self.text.name}, spans: {self.label.name}, as tags of the words; change with --text/--label"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        found = widened = 0
        for line, values in rows:
            text = _text_in(values[self.text.at])
            if text is None:
                ledger.bad_record(
                    line, f"{quoted(self.text.name)} holds no text ({cut(as_text(values[self.text.at]))})"
                )
                continue
            if self.label is None:
                yield Record(line, text)
                continue
            value = values[self.label.at]
            try:
                spans = _spans_of(value)
                tagged = tag_words(text, spans)
            except _NoSpans as error:
                ledger.bad_record(line, f"{quoted(self.label.name)} {error}")
                continue
            except ValueError as error:
                ledger.bad_record(line, str(error))
                continue
            found, widened = found + len(spans), widened + tagged.widened
            yield Record(line, tagged.words, tagged.tags)
        if widened:
            ledger.said.append(
                f"{widened:,} of {counted(found, 'span')} begin or end inside a word, and were widened to all of it"
            )

    def new_inputs(self) -> Inputs[Any]:
        return Texts() if self.label is None else TokenLists()

    def new_labels(self) -> Inputs[Any]:
        return Texts() if self.label is None else TokenLists()


def recognize(preview: Preview, request: Request) -> Plan | None:
    if preview.task not in ("auto", "tag") or preview.holds_tagged_words or not preview.rows:
        return None
    if request.labelled and request.inputs not in (None, TokenLists):
        return None
    label = _label(preview, request) if request.labelled else None
    if label is None and (request.labelled or not _is_task(preview, request)):
        return None
    text = _text(preview, request, label)
    if label is not None and request.doubted and request.source.text is None:
        raise_found(second_text(preview.choose(text.at, label.at)))
    roles = Roles(layout="spans", text=(text.name,), label=() if label is None else (label.name,))
    return _Plan(
        preview=preview.choose(text.at, None if label is None else label.at), roles=roles, text=text, label=label
    )


def _label(preview: Preview, request: Request) -> Column | None:
    """The column of spans."""
    named = request.source.label
    if named is not None:
        if named not in preview.names:
            return None
        columns = [preview.columns[preview.names.index(named)]]
    else:
        columns = list(preview.columns)
    found = [column for column in columns if _holds_spans(preview, column)]
    if len(found) > 1 and request.source.layout is None:
        names = listed([quoted(column.name) for column in found])
        made = "; ".join(preview.command(command("--label", column.name)) for column in found)
        raise preview.file.refusal(f"{len(found)} columns hold spans of a text ({names})", f"Choose one: {made}")
    return found[0] if found else None


def _holds_spans(preview: Preview, column: Column) -> bool:
    if not any(value[:1] in "[{(" for value in column.filled[:1]):
        return False
    found = [holds_spans(row.values[column.at]) for row in preview.rows]
    return True in found and 2 * found.count(None) < len(found)


def _is_task(preview: Preview, request: Request) -> bool:
    """Whether texts without spans are those of Label Studio."""
    named = request.source.text
    if _TASK not in preview.names or named not in (None, _TASK):
        return False
    at = preview.names.index(_TASK)
    return all(isinstance(row.values[at], Mapping) and _text_in(row.values[at]) for row in preview.rows)


def _text(preview: Preview, request: Request, label: Column | None) -> Column:
    """The column of texts: as named, or guessed among those that hold some."""
    named = request.source.text
    if named is not None:
        return preview.columns[find_column(preview.names, named, "--text")]
    columns = [
        column
        for column in preview.columns
        if column is not label
        and not (column.nested and column.name != _TASK)
        and 2 * sum(_text_in(row.values[column.at]) is not None for row in preview.rows) > len(preview.rows)
    ]
    if not columns:
        raise preview.file.refusal(
            f"{'no column' if label is None else f'{quoted(label.name)} holds spans, and no other column'} holds texts",
            f"Name it: {preview.command('--text COLUMN')}",
        )
    if len(columns) == 1:
        return columns[0]
    sample = [tuple(values[column.at] for column in columns) for values in preview.sample]
    return columns[choose_columns([column.name for column in columns], sample, need_label=False).text]
