"""JSON: one object a line, or an array of objects, with a value for each column.

What a file holds is told by its first characters, whatever it is called: an array and an object over several lines are
read whole (:mod:`rnncli.data.formats.json_document`), lines one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from rnncli.data.formats.decoding import LINE_SLACK, line_ends, lines_in, text_of
from rnncli.data.formats.json_document import open_document
from rnncli.data.formats.json_objects import AS_PYTHON, IS_PAIR, BadRecord, keys_of, parse_object, values_of
from rnncli.data.formats.registry import FORMATS
from rnncli.data.formats.table import Ledger, Opened, Row

WHITE_SPACE = " \t\r\n"  # of JSON
# Enough to tell: the first of an array, and of one in that what stands behind a text; or a whole line.
_START = re.compile(
    r'\[\s*+[^\s\["]|(?:\[\s*+)++(?:[^\s\["]|"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*+\S\s*+\S)|[^\s\[][^\r\n]*+[\r\n]'
)
_TWO = re.compile(r"[^\r\n]*\s*\S")  # a line, and what comes behind it
_PAIR = re.compile(r'\s*\[\s*"(?:[^"\\]|\\.)*+"\s*,\s*"(?:[^"\\]|\\.)*+"\s*\]\s*$')  # ["so it is", "good"]
_LINE = re.compile(r"([^\r\n]*)(.*)", re.DOTALL)


def open_json_lines(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """The first object's keys are the columns, and every object must have exactly these.

    An object that ends on its line is a record, an array one of objects.

    Raises:
        DataError: there is no object, or the first has no keys.
    """
    return _open_json(text_of(chunks, ledger), ledger, whole=False)


def open_json(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """As :func:`open_json_lines`, but a file of one object is one value, that may hold an array of records.

    Raises:
        DataError: there is no object, the first has no keys, or it cannot be told which array the records are.
    """
    return _open_json(text_of(chunks, ledger), ledger, whole=True)


def _open_json(texts: Iterator[str], ledger: Ledger, *, whole: bool) -> Opened:
    head, long = "", False
    for text in texts:  # no more is waited for than it takes to tell
        head += text
        start = head.lstrip(WHITE_SPACE)
        long = len(head) > ledger.max_field + LINE_SLACK
        enough = _START.match(start)
        if enough and start[:1] == "{" and (whole or not enough[0].rstrip(WHITE_SPACE).endswith("}")):
            enough = _TWO.match(start)
        if long or enough:
            break
    read = chain((head,), texts)
    if _is_document(head.lstrip(WHITE_SPACE), whole, long):
        ledger.file = replace(ledger.file, format=FORMATS["json"])
        return open_document(read, ledger)
    if whole and head.lstrip(WHITE_SPACE)[:1] == "[" and not IS_PAIR.match(head.lstrip(WHITE_SPACE)):
        made = ledger.file.as_json('{"text":r[0],"label":r[1]}', "json.load(sys.stdin)")
        hint = f"Where the first value is the text and the second its label: {made}"
        raise ledger.fault(1 + line_ends(head[: head.index("[")]), "the array holds no objects", hint)
    ledger.file = replace(ledger.file, format=FORMATS["jsonl"])
    return _open_lines(lines_in(read, ledger), ledger)


def _is_document(start: str, whole: bool, long: bool) -> bool:
    """Whether a text is one value, by its beginning, and not one a line; ``long`` if that may lack a line end."""
    if start[:1] == "[":
        first = start[1:].lstrip(WHITE_SPACE)
        return first[:1] in ("", "{", "]") or IS_PAIR.match(first) is not None
    if start[:1] != "{":
        return False
    line, rest = _LINE.match(start).groups()  # type: ignore[union-attr]
    if long and not rest:
        return whole
    try:
        parse_object(line)
    except BadRecord:
        rest = rest.lstrip(WHITE_SPACE)
        behind = line.rstrip(WHITE_SPACE)[-1:]
        # A line of its own may end in a comma by mistake; in an array that is not closed yet, records go on behind one.
        inside = rest[:1] == '"' or (whole and line.count("[") > line.count("]"))
        return rest != "" and (behind in "[{:" or (behind == "," and inside))
    return whole and not rest.strip(WHITE_SPACE)


def _open_lines(lines: Iterable[str], ledger: Ledger) -> Opened:
    numbered = ((number, text) for number, text in enumerate(lines, 1) if text.strip(WHITE_SPACE))
    for number, text in numbered:
        try:
            keys = keys_of(parse_object(text))
        except BadRecord as bad:
            made = ledger.file.as_json('{"text":r[0],"label":r[1]}', "map(json.loads,sys.stdin)")
            python = ledger.file.as_json("r", "map(ast.literal_eval,sys.stdin)")
            pairs = f"where the first value is the text and the second its label: {made}" if _PAIR.match(text) else None
            if AS_PYTHON.match(text):
                pairs = f"these are objects as Python shows them; to write them as JSON: {python}"
            ledger.bad_record(number, str(bad), pairs)
            continue
        return Opened(keys, _rows(chain(((number, text),), numbered), keys, ledger), number)
    raise ledger.no_records()


def _rows(numbered: Iterable[tuple[int, str]], keys: tuple[str, ...], ledger: Ledger) -> Iterator[Row]:
    for number, text in numbered:
        try:
            values = values_of(parse_object(text), keys, text)
        except BadRecord as bad:
            ledger.bad_record(number, str(bad))
        else:
            yield Row(number, values)
