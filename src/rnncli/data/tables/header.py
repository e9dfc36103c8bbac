"""Whether the first line of a table names its columns, or is a record that somebody would lose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rnncli.data.formats.advice import DataFile
from rnncli.data.tables.columns import label_rank, names_rows, text_rank
from rnncli.data.tables.facts import Facts, is_date, is_fraction, is_missing, is_nested, is_plain_number, numbers_in
from rnncli.errors import DataError, quoted

READS_SERIES = 'rnncli reads a series as {"sequence": [0.5, 1.25], "label": "ok"}, or as rows under id,time,x,label'
_NO_HEADER = "the first line looks like data, not like a header with the names of the columns"
_ENOUGH = 12  # rows, before it says something that a value does not stand among them
_NAMES = frozenset(
    """
    age amount answer author bio city code column context count country customer date day email entities feedback
    field file filename fold frequency gender group hypothesis ids image ipa item key kind lemma letters line
    location machine month nr number phonemes phones premise price product pronunciation rank reply response sex
    split src state status subset summary tgt time timestamp translation type url user username value year
    """.split()  # noqa: SIM905
)
_LETTERS, _DIGITS, _MARKS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+"), re.compile(r"[^\w\s]")
_IDENTIFIER = re.compile(r"[A-Za-z]+\d{1,6}|[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[a-z]{2,}[A-Z][A-Za-z0-9]*")


def missing_header(columns: Sequence[str], facts: Sequence[Facts]) -> str | None:
    """Why the first line is more likely a record than a header; None if it names columns, or may well do so.

    Args:
        columns: what stands in the first line.
        facts: of each column, by the rows below.
    """
    if any(_heads_numbers(name, of, at) for at, (name, of) in enumerate(zip(columns, facts, strict=True), 1)):
        return None
    if _are_steps([name for name in columns if is_plain_number(name)]) or _are_roles(columns):
        return None
    for name, of in zip(columns, facts, strict=True):
        if is_plain_number(name) and of.numeric and not any(map(_is_known, columns)):
            return f"{quoted(name)} is a number, as are the values below it"
        below = of.filled.count(name.strip())
        # Where values repeat, a first one that is found only once more is none of them.
        once = below == 1 and len(of.filled) >= _ENOUGH and len(of.filled) >= 2 * len(of.distinct)
        if below > 1 or (below and not once and not _is_name(name)):
            return f"{quoted(name)} stands below as a value too"
        if of.filled and ((of.dates and is_date(name)) or (of.lists_of_numbers and numbers_in(name))):
            return f"{quoted(name)} is a value like those below it"
        if of.nested and is_nested(name):
            return f"{quoted(name)} is a list, as are the values below it"
    if any(_is_name(name) or _heads_words(name, of) for name, of in zip(columns, facts, strict=True)):
        return None
    for name, of in zip(columns, facts, strict=True):
        words = name.split()
        if len(words) > 1 and of.words >= 1.5:
            return f"{quoted(name)} is a text like those below it"
        if len(of.filled) > 1 and _MARKS.search(name) and {_shape(name)} == set(map(_shape, of.filled)):
            return f"{quoted(name)} is written like all values below it"
    return None


def refuse_repeated_values(file: DataFile, values: Sequence[str], line: int) -> None:
    """Raises DataError: a first line of numbers has one twice, as no names of columns do."""
    numeric = [is_plain_number(value) or is_missing(value) for value in values]
    twice = next((value for at, value in enumerate(values) if numeric[at] and value and value in values[:at]), None)
    if twice is None or 2 * sum(numeric) < len(values):
        return
    reason = f"{quoted(twice)} stands in it twice"
    if sum(numeric) + 1 >= len(values) > 3:
        label = len(values) - 1 if not numeric[-1] or is_fraction(values[0]) else 0
        raise headerless_series(file, reason, label, line)
    raise headerless(file, reason, likely_names([Facts("", [value]) for value in values]), line)


def headerless(file: DataFile, reason: str, names: Sequence[str], line: int = 1) -> DataError:
    """The refusal of a table without names for its columns."""
    return file.refusal(
        f"{_NO_HEADER}: {reason}", f"Put a header above it, and read the new file: {file.with_header(names)}", line
    )


def only_a_header(file: DataFile, values: Sequence[str]) -> DataError:
    """The refusal of a table of one line, which was read as the names of its columns."""
    if _are_roles(values) or all(map(_is_known, values)):
        return DataError(f"{file.name}: no records")
    names = ", ".join(map(quoted, values[:4])) + (", …" if len(values) > 4 else "")
    made = file.with_header(likely_names([Facts("", [value]) for value in values]))
    return DataError(
        f"{file.name}: no records: the only line was read as the header ({names})",
        f"If it is a record, put a header above it, and read the new file: {made}",
    )


def headerless_series(file: DataFile, reason: str, label: int, line: int = 1) -> DataError:
    """The refusal of a series a row, without names.

    Args:
        label: which value of a row is the label.
    """
    place = "last" if label else "first"
    return file.refusal(
        f"{_NO_HEADER}: {reason}",
        f"{READS_SERIES}. If each row is one, with its label {place}: {series_of_lines(file, label)}",
        line,
    )


def series_of_lines(file: DataFile, label: int) -> str:
    """The command that makes a series of each line of numbers, of which the first, or the last, is the label."""
    at, rest = ("-1", ":-1") if label else ("0", "1:")
    record = f'{{"sequence":[float(x) for x in r[{rest}] if x!="NaN"],"label":r[{at}]}}'
    return file.as_json(record, '(l.replace(","," ").split() for l in sys.stdin)')


def repeats_header(columns: Sequence[str], values: Sequence[str]) -> bool:
    """Whether a row is the header once more, as where files were put one behind the other."""
    return tuple(values) == tuple(columns) and all(map(_is_name, columns))


def likely_names(facts: Sequence[Facts]) -> list[str]:
    """Names for columns that have none: ``text,label`` or, where nothing repeats, ``source,target``."""
    labels = [at for at, of in enumerate(facts) if of.repeats and not of.is_prose]
    texts = sorted((at for at, of in enumerate(facts) if not (of.numeric or of.dates)), key=lambda at: -facts[at].words)
    names = [f"column_{at}" for at in range(1, len(facts) + 1)]
    label = labels[-1] if labels else None
    if label is None and len(facts) > 1 and max(len(of.filled) for of in facts) < _ENOUGH:
        label = len(facts) - 1 if facts[-1].words < 1.5 else None
    texts = [at for at in texts if at != label]
    if label is None and len(texts) > 1:
        for at, name in zip(sorted(texts)[:2], ("source", "target"), strict=True):
            names[at] = name
        return names
    if label is None and len(facts) > 1:
        label = next((at for at in reversed(range(len(facts))) if at not in texts[:1]), None)
    if label is not None:
        names[label] = "label"
    if texts:
        names[texts[0]] = "text"
    return names


def _is_name(name: str) -> bool:
    """Whether it is one that columns have."""
    whole = name.strip().lower()
    if len(whole.split()) > 3:
        return False
    return _is_known(whole) or _IDENTIFIER.fullmatch(name.strip()) is not None


def _is_known(name: str) -> bool:
    """Whether it is a name that we know, and none that only looks like one."""
    whole = name.strip().lower()
    return whole in _NAMES or names_rows(whole) or _is_role(whole)


def _is_role(name: str) -> bool:
    return len(name.split()) < 3 and (text_rank(name) is not None or label_rank(name) is not None)


def _are_roles(columns: Sequence[str]) -> bool:
    """Whether all of several names are known, one of them as that of a text or a label: no record reads so."""
    names = [name for at, name in enumerate(columns, 1) if name != f"column {at}"]
    return len(names) > 1 and all(map(_is_known, names)) and any(map(_is_role, names))


def _shape(value: str) -> str:
    """What a value is written with: ``b-a`` and ``cd-e`` are alike."""
    return _DIGITS.sub("0", _LETTERS.sub("a", value))


def _heads_numbers(name: str, of: Facts, at: int) -> bool:
    """Whether numbers or dates stand below what is none, or the values of a column below no name at all."""
    if name == f"column {at}":
        return bool(of.filled)
    alike = is_plain_number(name) or is_date(name) or is_missing(name)
    return (of.numeric or of.dates) and not alike


def _heads_words(name: str, of: Facts) -> bool:
    """Whether a word stands above texts of several, or above labels and is none of them."""
    if len(name.split()) == 1 and of.words >= 1.5:
        return True
    labels = of.repeats and len(of.filled) >= _ENOUGH and of.words < 3
    return labels and name.strip() not in of.distinct


def _are_steps(names: Sequence[str]) -> bool:
    """Whether whole numbers go up, or down, as the names of columns do that are times, years or places."""
    if len(names) < 2 or not all(name.strip().isdigit() and len(name) < 16 for name in names):
        return False
    steps = [int(after) - int(before) for before, after in pairwise(names)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)
