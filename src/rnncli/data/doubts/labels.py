"""Labels that are none: lists, amounts, several in one."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rnncli.data.columns import quoted
from rnncli.data.doubts.look import Look, cut, named, parsed
from rnncli.data.facts import is_fraction, is_json, is_nested, is_plain_number
from rnncli.errors import DataError

_MANY_NUMBERS = 20  # more different whole numbers than this are no labels,
_FEW_ROWS = 10  # if there are fewer rows than this for each
_BRACKETS = ("[", "{", "(")
_TAGS = re.compile(r"(?:<[^<>]+>){2,}")  # <java><android>, as Stack Overflow joins them
_LIST_OF_TEXTS = ('["', "[]")


def no_labels(look: Look, texts: Sequence[str], labels: Sequence[str], lines: Sequence[int]) -> DataError | None:
    """Labels that are none: lists, objects, or numbers with something behind their point.

    Args:
        texts, labels, lines: of all records, or of some.
    """
    if look.label is None or look.pairs or look.file.format == "conll":
        return None
    tagged = _are_tagged(texts, labels) and look.task in ("auto", "tag")
    seen = set()
    for label, text, line in zip(labels, texts, lines, strict=True):
        if label.lstrip()[:1] in _BRACKETS and label not in seen:
            seen.add(label)
            if is_nested(label) and not (tagged and label.lstrip().startswith(_LIST_OF_TEXTS)):
                return _refuse_nested(look, text, label, line)
    if look.named[1] or look.task == "tag":
        return None
    first = next((at for at, label in enumerate(labels) if is_fraction(label)), len(labels))
    if first == len(labels):
        return None
    what = (
        f"{quoted(look.columns[look.label])} holds decimal numbers ({cut(labels[first])}), and a label is the name of"
    )
    return look.file.refusal(f"{what} a class; numbers are not learned yet", _settle_label(look), lines[first])


def unlikely_labels(look: Look, labels: Sequence[str]) -> DataError | None:
    """Labels that look like amounts, or like several in one; only all of them together tell.

    Args:
        labels: of all records.
    """
    if look.label is None or look.pairs or look.named[1] or look.task == "tag":
        return None
    counts = Counter(labels)
    name = quoted(look.columns[look.label])
    if len(counts) > max(_MANY_NUMBERS, len(labels) / _FEW_ROWS) and all(map(is_plain_number, counts)):
        what = f"{name} holds {len(counts):,} different numbers in {len(labels):,} records, which look like amounts"
        return look.file.refusal(f"{what} and not like names of classes", _settle_label(look))
    joined = _joined(counts)
    if joined is None:
        return None
    return look.file.refusal(
        f"{name} holds several labels in one ({cut(joined)}), and a text has one label here",
        f"If each combination is a class of its own: {look.train(*named(look))}",
        look.line_of(look.label, joined.strip()),
    )


def _are_tagged(texts: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether the first records are lists of words with a list of as many tags each; a few may be broken."""
    pairs = [(json.loads(text), json.loads(label)) for text, label in _lists(texts[:20], labels[:20])]
    return 0 < min(len(labels), 20) < 2 * sum(len(words) == len(tags) for words, tags in pairs)


def _lists(texts: Sequence[str], labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text, label in zip(texts, labels, strict=True):
        if all(value.lstrip().startswith(_LIST_OF_TEXTS) and is_json(value) for value in (text, label)):
            yield text, label


def _settle_label(look: Look) -> str:
    return f"If they are names of classes: {look.train(*named(look))}; else name the column of the labels there"


def _refuse_nested(look: Look, text: str, label: str, line: int) -> DataError:
    """The refusal of labels that are lists or objects: tags as numbers, several labels of a text, spans of it."""
    assert look.label is not None
    name, file = look.columns[look.label], look.file
    value = parsed(look, name)
    found = json.loads(label) if is_json(label) else None
    words = json.loads(text) if is_json(text) else None
    if look.text is not None and isinstance(found, list) and isinstance(words, list) and len(found) == len(words) > 0:
        record = f'{{"tokens":{parsed(look, look.columns[look.text])},"tags":[str(t) for t in {value}]}}'
        return file.refusal(
            f"{quoted(name)} holds tags that are no texts ({cut(label)})",
            f"Make texts of them: {file.as_json(record)}",
            line,
        )
    what = f"{quoted(name)} holds {'objects' if label.lstrip()[:1] == '{' else 'lists'} ({cut(label)})"
    if isinstance(found, list) and found and all(isinstance(item, str) for item in found):
        record = f"{{**r,{json.dumps(name)}:{value}[0]}}"
        hint = f"Keep the first of each: {file.as_json(record, where=value)}"
        return file.refusal(f"{what}, and a text has one label here, not several", hint, line)
    return file.refusal(
        f"{what}, and a label is one name",
        f"Name the column of the labels: {look.train('--label COLUMN')}. Spans of a text are not read yet: write a "
        "word and its tag a line (--format conll)",
        line,
    )


def _joined(counts: Counter[str]) -> str | None:
    """A label that is several, where it is clear: nearly all of their parts stand alone as well, or in others."""
    tags = next(filter(_TAGS.fullmatch, counts), None)
    if tags is not None:
        return tags
    for mark in "|;,":
        joined = [label for label in counts if mark in label]
        parts = Counter(part.strip() for label in joined for part in label.split(mark))
        if "" in parts:
            continue
        alone = sum(part in counts for part in parts)
        known = sum(part in counts or (mark != "," and count > 1) for part, count in parts.items())
        if len(parts) > 1 and (alone == len(parts) or (len(joined) > 1 and known >= 0.75 * len(parts))):
            return joined[0]
    return None
