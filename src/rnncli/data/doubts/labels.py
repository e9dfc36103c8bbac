"""Labels that are none: lists, amounts, several in one."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rnncli.data.doubts.look import Look, cut, named, parsed
from rnncli.data.formats.values import Value, words
from rnncli.data.tables.facts import (
    has_comma,
    is_amount,
    is_date,
    is_fraction,
    is_nested,
    is_plain_number,
    mostly,
    nested,
    numbers_in,
)
from rnncli.errors import DataError, quoted

_MANY_NUMBERS = 20  # more different whole numbers than this are no labels,
_FEW_ROWS = 10  # if there are fewer rows than this for each
_BRACKETS = ("[", "{", "(")
_TAGS = re.compile(r"(?:<[^<>/][^<>]*>){2,}")  # <java><android>, as Stack Overflow joins them
_LIST_OF_TEXTS = ('["', "[]")
READS_WORDS = 'rnncli reads words with their tags: {"tokens": ["Ada", "came"], "tags": ["B-PER", "O"]}'


def no_labels(look: Look, texts: Sequence[str], labels: Sequence[str], lines: Sequence[int]) -> DataError | None:
    """Labels that are none: lists, objects, rows of numbers, or numbers with something behind their point.

    Args:
        texts, labels, lines: of all records, or of some.
    """
    if look.label is None or look.pairs or look.file.format.holds == "tagged words":
        return None
    tagged = look.task in ("auto", "tag") and are_tagged(look.pairs_of_values)
    seen = set()
    for row, label in enumerate(labels):
        if label.lstrip()[:1] in _BRACKETS and label not in seen:
            seen.add(label)
            refusal = nested_label(look, texts[row], label, lines[row], tagged)
            if refusal is not None:
                return refusal
    if look.classes_named or look.task == "tag":
        return None
    found = Counter(labels).keys() - look.asker.labels
    if not mostly(is_plain_number(label) or is_amount(label) for label in found):
        return None
    amounts = {label for label in found if is_fraction(label) or is_amount(label)}
    first, line = next((pair for pair in zip(labels, lines, strict=True) if pair[0] in amounts), ("", 0))
    if not line:
        return None
    kind = "decimal numbers" if is_fraction(first) else "amounts"
    return _refuse_numbers(look, f"holds {kind} ({cut(first)}), and a label is the name of a class", line)


def unlikely_labels(look: Look, labels: Sequence[str]) -> DataError | None:
    """Labels that look like amounts or dates, or like several in one; only all of them together tell.

    Args:
        labels: of all records.
    """
    if look.label is None or look.pairs or look.classes_named or look.task == "tag":
        return None
    if labels[0].startswith("[") and mostly(label.startswith(_LIST_OF_TEXTS) for label in labels[:20]):
        return None  # tags of words
    counts = Counter(labels)
    for known in look.asker.labels:
        del counts[known]
    joined = _joined(counts)
    name = quoted(look.columns[look.label])
    if joined is not None:
        return look.file.refusal(
            f"{name} holds several labels in one ({cut(joined)}), and a text has one label here",
            _settle_label(look, "each combination is a class of its own"),
            look.line_of(look.label, joined.strip()),
        )
    example = cut(next((label for label in counts if not is_plain_number(label)), ""))
    if example and mostly(is_date(label) for label in counts):
        return _refuse_numbers(look, f"holds dates ({example}), and a label is the name of a class")
    if example and mostly(has_comma(label) or is_plain_number(label) for label in counts):
        return _refuse_numbers(look, f"holds decimal numbers ({example}), and a label is the name of a class")
    if mostly(bool(numbers_in(label)) for label in counts):
        return _refuse_numbers(look, f"holds rows of numbers ({example}), and a label is the name of a class")
    if len(counts) > max(_MANY_NUMBERS, len(labels) / _FEW_ROWS) and all(map(is_plain_number, counts)):
        what = f"holds {len(counts):,} different numbers in {len(labels):,} records"
        return _refuse_numbers(look, f"{what}, which look like amounts and not like names of classes")
    return None


def nested_label(look: Look, text: str, label: str, line: int, tagged: bool) -> DataError | None:
    """A label that is a list, an object or a row of numbers.

    Args:
        tagged: whether labels are lists of tags.
    """
    if label.lstrip()[:1] not in _BRACKETS or (tagged and label.lstrip().startswith(_LIST_OF_TEXTS)):
        return None
    return _refuse_nested(look, text, label, line) if is_nested(label) or numbers_in(label) else None


def are_tagged(pairs: Iterable[tuple[Value, Value]]) -> bool:
    """Whether most of the records are lists of words with a list of as many tags each."""
    found = [(words(text), words(label)) for text, label in pairs]
    fitting = [text is not None and label is not None and len(text) == len(label) for text, label in found]
    return 2 * sum(fitting) > len(fitting)


def _refuse_numbers(look: Look, what: str, line: int | None = None) -> DataError:
    assert look.label is not None
    hint = _settle_label(look, "each value is a class of its own")
    return look.file.refusal(f"{quoted(look.columns[look.label])} {what}; numbers are not learned yet", hint, line)


def _settle_label(look: Look, if_so: str) -> str:
    """How labels that look like something else are said to be labels: in training, for whoever knows them later."""
    if not look.asker.trains:
        return f"The model has no such labels; name the column of those that it has: {look.command('--label COLUMN')}"
    columns = named(look) if look.text is not None else named(look)[-1:]
    return f"If {if_so}: {look.command('--task classify', *columns)}; else name the column of the labels there"


def _refuse_nested(look: Look, text: str, label: str, line: int) -> DataError:
    """The refusal of labels that are lists or objects: tags as numbers, several labels of a text, spans of it."""
    assert look.label is not None
    name, file = look.columns[look.label], look.file
    cell, found, words = parsed(look, name, label), nested(label), nested(text)
    if look.text is not None and isinstance(found, list) and isinstance(words, list) and len(found) == len(words) > 0:
        record = f'{{"tokens":{parsed(look, look.columns[look.text], text)},"tags":[str(t) for t in {cell}]}}'
        return file.refusal(
            f"{quoted(name)} holds tags that are no texts ({cut(label)})",
            f"{READS_WORDS}. With the numbers as names, or yours in place of str(t): {file.as_json(record)}",
            line,
        )
    what = f"{quoted(name)} holds {'objects' if label.lstrip()[:1] == '{' else 'lists'} ({cut(label)})"
    if isinstance(found, list) and found and all(isinstance(item, str) for item in found):
        record = f"{{**r,{json.dumps(name, ensure_ascii=False)}:{cell}[0]}}"
        reads = f"rnncli reads one label a record: {{{json.dumps(name)}: {json.dumps(found[0], ensure_ascii=False)}}}"
        hint = f"{reads}. Keep the first of each: {file.as_json(record, where=cell)}"
        return file.refusal(f"{what}, and a text has one label here, not several", hint, line)
    spans = _words_of_spans(look, cell, found)
    return file.refusal(
        f"{what}, and a label is one name",
        f"{READS_WORDS}, or a word and its tag a line (--format conll). {spans}"
        f"If another column holds the labels: {look.command('--label COLUMN')}",
        line,
    )


def _words_of_spans(look: Look, cell: str, found: object) -> str:
    """The command that makes tagged words of texts with spans like ``[0, 3, "PERSON"]``."""
    if look.text is None or not isinstance(found, list) or not found:
        return ""
    first = found[0]
    if not isinstance(first, list | tuple) or [type(part) for part in first] != [int, int, str]:
        return ""
    text = json.dumps(look.columns[look.text], ensure_ascii=False)
    tag = f'next((("B-" if m.start()<=s[0] else "I-")+s[2] for s in {cell} if s[0]<m.end() and m.start()<s[1]),"O")'
    record = f'{{"tokens":[m[0] for m in w],"tags":[{tag} for m in w]}}'
    words = rf'[list(re.finditer(r"\w+|[^\w\s]",r[{text}]))]'
    return f"Tag the words of the spans: {look.file.as_json(record, f'{look.file.records} for w in {words}')}. "


def _joined(counts: Counter[str]) -> str | None:
    """A label that is several, where it is clear: nearly all of their parts stand alone as well, or in others."""
    tags = next(filter(_TAGS.fullmatch, counts), None)
    if tags is not None:
        return tags
    for mark in "|;,":
        joined = [label for label in counts if mark in label]
        split = [[part.strip() for part in label.split(mark)] for label in joined]
        parts = Counter(part for label in split for part in label)
        if "" in parts:
            continue
        alone = sum(part in counts for part in parts)
        # "Rome, Italy" and "Pisa, Italy" are places, and "Smith, John" a name: their parts have places of their own.
        places: dict[str, set[int]] = {}
        for label in split:
            for at, part in enumerate(label):
                places.setdefault(part, set()).add(at)
        several = mark != "," or any(len(found) > 1 for found in places.values())
        known = sum(part in counts or (several and count > 1) for part, count in parts.items())
        if len(parts) > 1 and (alone == len(parts) or (len(joined) > 1 and known >= 0.75 * len(parts))):
            return joined[0]
    return None
