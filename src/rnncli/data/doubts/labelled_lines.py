"""Text files with a label in each line, first or last, or at the root of a tree: a language model would learn it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rnncli.data.doubts.machine_lines import Kind, Lines, json_lines_of
from rnncli.data.tables.names import CLASSES, FUNCTION_WORDS

_ENOUGH = 20  # lines, before their first words say something
_OF_EACH = 4  # lines at least for each label, on average
_MOST_WORDS = 10  # different labels that are words, as those of sentences may be
_WORDS, _LENGTH = 3, 15  # of what stands beside a label, on average: more of either
_ELSEWHERE = 0.05  # of the lines may have a word that is a label in the rest too

_FROM_START = re.compile(r"\s*+([^\s,;|]++)[\s,;|]++(.*\S)")
_FROM_END = re.compile(r"\s*+([^\s,;|@]++)[\s,;|@]++(.*\S)")  # of a line that is turned round
_FIRST = r"\s*([^\s,;|]+)[\s,;|]+(.*\S)"
_LAST = r"\s*(.*[^\s,;|@])[\s,;|@]+([^\s,;|@]+)"
_CODE = re.compile(r"[+-]?\d{1,3}|[+-]|[A-Z]+[_:][A-Za-z0-9_]+|[A-Z][A-Z0-9]*_[A-Z0-9_]+|__\w+__\w+")
# 0, +1, DESC:manner, __class__spam
_PART = re.compile(r"(?<=[A-Z]):\w+$")
_WORD = re.compile(r"[^\W\d_][\w-]*")


def _labels(last: bool) -> Callable[[Lines], bool]:
    """Whether the first, or the last, word of each line is one of few that stand nowhere else, and the rest a text."""

    def fits(lines: Lines) -> bool:
        if len(lines) < _ENOUGH or 2 * len(set(lines)) < len(lines):
            return False
        # From its end a line is read backwards: what may stand before the label is not tried again and again.
        found = [_FROM_END.match(line.strip()[::-1]) if last else _FROM_START.match(line) for line in lines]
        parted = [match.groups() for match in found if match is not None]
        if len(parted) < len(lines):
            return False
        labels, texts = zip(*(([part[::-1] for part in parts] if last else parts) for parts in parted), strict=True)
        return _are_labels(labels, texts)

    return fits


def _are_labels(labels: Sequence[str], texts: Sequence[str]) -> bool:
    count = len(labels)
    words = [text.split() for text in texts]
    if sum(map(len, words)) < _WORDS * count and sum(map(len, texts)) < _LENGTH * count:
        return False
    distinct = {_PART.sub("", label) for label in labels}
    if not 1 < len(distinct) <= count / _OF_EACH or _counts(labels):
        return False
    bare = {label.strip("[]()<>{}:#*\"'").lower() for label in distinct}
    if bare <= CLASSES or all(map(_CODE.fullmatch, set(labels))) or all(one.isdigit() for one in bare):
        return True
    if len(distinct) > _MOST_WORDS or not all(map(_WORD.fullmatch, distinct)) or bare & FUNCTION_WORDS:
        return False
    titled = [label for label in labels if label.istitle()]
    if titled and 2 * sum(text[:1].islower() for text in texts) > count:
        return False  # names, with which sentences begin
    return sum(any(word.lower().strip(".,;:!?\"'()") in bare for word in line) for line in words) <= _ELSEWHERE * count


def _counts(labels: Sequence[str]) -> bool:
    """Whether labels number the lines: 1, 2, 3, perhaps again and again."""
    if not all(map(str.isdigit, labels)) or len(set(labels)) <= _ENOUGH // 4:
        return False
    pairs = list(zip(map(int, labels), map(int, labels[1:]), strict=False))
    return 2 * sum(after == before + 1 for before, after in pairs) > len(pairs)


def _trees(root: str) -> Callable[[Lines], bool]:
    """Whether each line is in brackets, which begin so."""
    begins = re.compile(root).match

    def fits(lines: Lines) -> bool:
        return len(lines) > 1 and all(begins(line) and line.count("(") == line.count(")") for line in lines)

    return fits


def _pairs(form: str) -> str:
    return f'(re.fullmatch(r"{form}",l.strip()).groups() for l in sys.stdin if l.strip())'


_LEAF = r"\(([^()\s]+) ([^()\s]+)\)"

LABELLED_LINES = (
    Kind(
        "each line is a tree with labels of its parts",
        _trees(r"\s*\(\d+ [(\w]"),
        "To learn the labels of whole sentences",
        json_lines_of(f'{{"text":" ".join(w for t,w in re.findall(r"{_LEAF}",r)),"label":r.split()[0][1:]}}'),
    ),
    Kind(
        "each line is a tree of a sentence",
        _trees(r"\s*\((?:[A-Z]+ *)?\([A-Z]"),
        "To learn the tags of its words",
        json_lines_of(
            '{"tokens":[w for t,w in r],"tags":[t for t,w in r]}',
            f'(re.findall(r"{_LEAF}",l) for l in sys.stdin if l.strip())',
        ),
    ),
    Kind(
        "each line begins with one of a few labels",
        _labels(last=False),
        "To write JSON lines of them and the texts",
        json_lines_of('{"text":r[1],"label":r[0]}', _pairs(_FIRST)),
    ),
    Kind(
        "each line ends with one of a few labels",
        _labels(last=True),
        "To write JSON lines of them and the texts",
        json_lines_of('{"text":r[0],"label":r[1]}', _pairs(_LAST)),
    ),
)
