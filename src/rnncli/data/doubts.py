"""What a file may be beside what it would be taken for: where two readings are likely, or the likely one is not
supported, it is refused before anything is learned from it, with what was seen and what settles it.

A check is a function of a :class:`Look` that returns the refusal or None, and a row in one of the tables below: those
of a text file, of a table before its columns are chosen, and of one whose columns were. What the user has said is not
doubted: a column that is named is what it was named as, unless it cannot be.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from rnncli.data.advice import DataFile, command
from rnncli.data.columns import label_rank, names_rows, quoted, text_rank, words_of
from rnncli.data.facts import Facts, is_fraction, is_json, is_missing, is_nested, is_plain_number, numbers_in
from rnncli.data.header import (
    headerless,
    headerless_series,
    likely_names,
    missing_header,
    repeats_header,
    series_of_lines,
)
from rnncli.data.long_form import LongForm, guess_long_form
from rnncli.data.table import Row
from rnncli.errors import DataError, counted

WRITING = ("seq2seq", "caption", "lm")  # tasks whose answers are texts

_SHOWN = 40  # characters of an example
_PARTS = frozenset(
    """
    train training test testing valid validation val dev eval evaluation holdout held-out unlabeled unlabelled
    """.split()  # noqa: SIM905
)
_PART_COLUMNS = frozenset(
    """
    split splits fold folds set subset partition phase is_train is_test is_valid is_validation is_val in_train in_test
    """.split()  # noqa: SIM905
)
# Names of texts that stand beside another one.
_TEXTS_BESIDE = frozenset(("summary", "answer", "reply", "response", "context", "premise", "hypothesis"))
_MOST_PARTS = 20  # different values that tell parts of a file apart
_MANY_NUMBERS, _FEW_ROWS = 20, 10  # more whole numbers than the one as labels, on fewer rows each than the other
_MANY_COLUMNS = 3  # of numbers, that are no table of texts even where a column has the name of a text


@dataclass(frozen=True)
class Look:
    """What is seen of a table.

    Attributes:
        file: what is read.
        columns: names, in their order.
        rows: the first of them.
        task: the name of what is to be trained or was; "auto" where it is not known.
        named: whether the user named the text, and the label.
        text, label: where they stand, once they were chosen.
    """

    file: DataFile
    columns: tuple[str, ...]
    rows: Sequence[Row]
    task: str = "auto"
    named: tuple[bool, bool] = (False, False)
    text: int | None = None
    label: int | None = None

    @cached_property
    def facts(self) -> list[Facts]:
        """Of each column; a header that stands among the rows once more is none of them."""
        rows = [row.values for row in self.rows if not repeats_header(self.columns, row.values)]
        return [Facts(name, [values[at] for values in rows]) for at, name in enumerate(self.columns)]

    @property
    def pairs(self) -> bool:
        """Whether a text is to be written for each text, so that the label is none."""
        if self.task != "auto":
            return self.task in WRITING
        if self.text is None or self.label is None:
            return {"source", "target"} <= {name.lower() for name in self.columns}
        return (self.columns[self.text].lower(), self.columns[self.label].lower()) == ("source", "target")

    def shown(self, at: int) -> str:
        """A column with its first value."""
        return f"{quoted(self.columns[at])} ({cut(self.facts[at].example)})"

    def line_of(self, at: int, value: str) -> int | None:
        """The line of a column's value."""
        return next((row.line for row in self.rows if row.values[at].strip() == value), None)

    def train(self, *options: str, file: str | None = None) -> str:
        """The command that trains."""
        return " ".join(["rnncli train", file or self.file.quoted, *options])


Check = Callable[[Look], DataError | None]


def cut(value: str) -> str:
    """An example in a message: on one line, and not longer than it takes."""
    line = " ".join(value.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def raise_first(checks: Iterable[Check], look: Look) -> None:
    """Raises DataError: one of the checks has a doubt."""
    for check in checks:
        found = check(look)
        if found is not None:
            raise found


# --- text files that are tables -------------------------------------------------------------------------------------


def same_tabs(look: Look) -> DataError | None:
    """A line of prose has no tabs; the same number in each line is that of a table."""
    lines = _lines(look)
    counts = {line.count("\t") for _, line in lines}
    if len(lines) < 2 or len(counts) > 1 or not min(counts):
        return None
    count = min(counts)
    fields = [line.split("\t") for _, line in lines]
    if _has_header(replace(look, columns=tuple(fields[0]), rows=_rows(lines, fields)[1:])):
        hint = f"Read it as the table: {look.train('--format tsv')}; as a text: {look.train('--format text')}."
    else:
        facts = [Facts("", [row[at] for row in fields]) for at in range(count + 1)]
        hint = (
            f"Make it one with names: {look.file.with_header(likely_names(facts), 'tsv')}; "
            f"or read it as a text: {look.train('--format text')}."
        )
    return look.file.refusal(f"each line has {counted(count, 'tab')}, so this looks like a table, not a text", hint)


def same_delimiters(look: Look) -> DataError | None:
    """The same number of commas, semicolons or bars in each line, under names or beside labels, is that of a table."""
    lines = _lines(look)
    for delimiter, called in ((",", "commas"), (";", "semicolons"), ("|", "bars")):
        if len(lines) < 2 or not all(delimiter in line for _, line in lines):
            continue
        fields = list(csv.reader([line for _, line in lines], delimiter=delimiter))
        if len(fields) != len(lines) or len(set(map(len, fields))) > 1:
            continue
        facts = [Facts("", [row[at] for row in fields[1:]]) for at in range(len(fields[0]))]
        named = _has_header(replace(look, columns=tuple(fields[0]), rows=_rows(lines, fields)[1:]))
        labels = len(lines) >= 20 and any(of.repeats and of.words < 2 for of in facts)
        if not named and not labels and delimiter != "|":
            continue
        what = f"each line has {len(fields[0])} values with {called} between, so this looks like a table, not a text"
        as_text = f"or read it as a text: {look.train('--format text')}."
        if delimiter != ",":
            return look.file.refusal(what, f"Write it with commas: {look.file.with_commas(delimiter)}; {as_text}")
        if named:
            return look.file.refusal(what, f"Read it as the table: {look.train('--format csv')}; {as_text}")
        return look.file.refusal(
            what, f"Put names above it: {look.file.with_header(likely_names(facts), 'csv')}; {as_text}"
        )
    return None


def labelled_lines(look: Look) -> DataError | None:
    """fastText writes the label into the line: ``__label__good a warm film``."""
    lines = _lines(look)
    if not lines or not all("__label__" in line for _, line in lines):
        return None
    record = '{"text":" ".join(w for w in r if w[:9]!="__label__"),"label":[w[9:] for w in r if w[:9]=="__label__"][0]}'
    made = look.file.as_json(record, "map(str.split,sys.stdin)")
    return look.file.refusal(
        f"labels as fastText writes them, {cut(lines[0][1])}", f"Make JSON lines of it: {made}.", lines[0][0]
    )


def json_lines(look: Look) -> DataError | None:
    """An object a line."""
    lines = _lines(look)
    if not lines or not all(line.lstrip()[:1] == "{" and is_json(line) for _, line in lines[:20]):
        return None
    hint = f"Read them as such: {look.train('--format jsonl')}; as a text: {look.train('--format text')}."
    return look.file.refusal("each line is a JSON object, so this is no text", hint, lines[0][0])


def tagged_words(look: Look) -> DataError | None:
    """A word and its tag a line, and an empty line after each sentence."""
    lines = _lines(look)
    fields = [line.split() for _, line in lines if not line.startswith("-DOCSTART-")]
    width = len(fields[0]) if fields else 0
    if len(fields) < 10 or width < 2 or any(len(row) != width for row in fields) or len(lines) == len(look.rows):
        return None
    tags = {row[-1] for row in fields}
    if 3 * len(tags) > len(fields) or any(tag != tag.upper() for tag in tags):
        return None
    what = f"each line has {width} words, with empty lines between, so this looks like words with their tags"
    if width == 2:
        hint = f"Read it as such: {look.train('--format conll')}; as a text: {look.train('--format text')}."
    else:
        kept = look.file.piped(f"cut -d' ' -f1,{width}", "conll")
        hint = f"Keep word and tag: {kept}; or read it as a text: {look.train('--format text')}."
    return look.file.refusal(what, hint, lines[0][0])


def lines_of_numbers(look: Look) -> DataError | None:
    """A series a line, as the older files of the UCR archive have them."""
    lines = _lines(look)
    if len(lines) < 2 or not all(numbers_in(line) for _, line in lines):
        return None
    hint = f"{series_of_lines(look.file, 0)} if each starts with its label; as a text: {look.train('--format text')}."
    return look.file.refusal(f"each line is a row of numbers, {cut(lines[0][1])}", hint, lines[0][0])


TEXT_FILE: tuple[Check, ...] = (
    json_lines,
    labelled_lines,
    lines_of_numbers,
    same_tabs,
    tagged_words,
    same_delimiters,
)


def _lines(look: Look) -> list[tuple[int, str]]:
    """The lines that hold something, with their numbers."""
    return [(row.line, row.values[0]) for row in look.rows if row.values[0].strip()]


def _rows(lines: Sequence[tuple[int, str]], fields: Sequence[Sequence[str]]) -> list[Row]:
    return [Row(line, tuple(values)) for (line, _), values in zip(lines, fields, strict=True)]


def _has_header(look: Look) -> bool:
    """Whether the first line has names that columns have."""
    short = [name for name in look.columns if len(name.split()) < 3]
    telling = any(text_rank(name) is not None or label_rank(name) is not None for name in short)
    return telling and missing_header(look.columns, look.facts) is None


# --- tables, before their columns are chosen ------------------------------------------------------------------------


def no_header(look: Look) -> DataError | None:
    """The first line is a record: taken for names, it would be lost."""
    if any(look.named) or look.file.format not in ("csv", "tsv") or not look.rows:
        return None
    reason = missing_header(look.columns, look.facts)
    if reason is None:
        return None
    numeric = [at for at, of in enumerate(look.facts) if of.numeric or not of.filled]
    if len(numeric) > _MANY_COLUMNS and len(numeric) + 1 >= len(look.columns):
        last = len(look.columns) - 1
        label = last if last not in numeric or look.facts[0].fractions else 0
        return headerless_series(look.file, reason, label)
    return headerless(look.file, reason, likely_names(look.facts))


def series_as_texts(look: Look) -> DataError | None:
    """A table of series, a row a timestep, of which guess_long_form takes none, or not with these columns."""
    if look.named[0] or look.pairs:
        return None
    found = _series(look)
    return None if found is None else _refuse_series(look, *found)


def nothing_to_read(look: Look) -> DataError | None:
    """A table without texts: only numbers, dates and ids stand beside what could be the label."""
    if look.named[0] or look.pairs or len(look.columns) < 2 or not look.rows:
        return None
    if any(text_rank(name) in (0, 1) and not of.dates for name, of in zip(look.columns, look.facts, strict=True)):
        return None
    label = look.label if look.label is not None else _likely_label(look)
    numeric = [at for at, of in enumerate(look.facts) if of.numeric and at != label]
    dates = [at for at, of in enumerate(look.facts) if of.dates and at != label and at not in numeric]
    others = [at for at in range(len(look.columns)) if at != label and at not in numeric and at not in dates]
    if any(look.facts[at].filled and not _is_id(look, at) for at in others) or not (numeric or dates):
        return None
    values = [at for at in numeric if not _is_id(look, at)]
    if label is not None and len(values) >= _MANY_COLUMNS and not look.facts[label].fractions:
        return _refuse_wide(look, values, label, None)
    seen = [f"{look.shown(at)} holds dates" for at in dates[:1]]
    seen += [f"{look.shown(at)} holds numbers" for at in (values or numeric)[:1]]
    return look.file.refusal(
        f"no column holds texts: {' and '.join(seen)}",
        "rnncli learns the label of a text or of a series, and forecasts no numbers yet. If a column is a text all the "
        f"same: {look.train('--text COLUMN', '--label COLUMN')}",
    )


TABLE: tuple[Check, ...] = (no_header, series_as_texts, nothing_to_read)


# --- tables, with the columns that were chosen ----------------------------------------------------------------------


def numbers_as_words(look: Look) -> DataError | None:
    """A text that is a row of numbers: read as words, 0.1 is a 0, a point and a 1."""
    text = look.text
    if look.named[0] or text is None or not look.facts[text].lists_of_numbers:
        return None
    of = look.facts[text]
    value = of.filled[0]
    if value[:1] == "[" and is_json(value):
        return None  # read as the numbers that they are
    if look.pairs and not any("." in part for value in of.filled for part in numbers_in(value)):
        return None  # symbols
    name, label = look.columns[text], None if look.label is None else look.columns[look.label]
    others = "".join(f'.replace("{mark}"," ")' for mark in ",;|" if mark in value)
    brackets = '.strip("[]()")' if value[:1] in "[(" else ""
    record = f'{{"sequence":[float(x) for x in r[{json.dumps(name)}]{brackets}{others}.split()]'
    record += "}" if label is None else f',"label":r[{json.dumps(label)}]}}'
    return look.file.refusal(
        f"{quoted(name)} holds rows of numbers ({cut(value)}), which would be read as words",
        f"Make series of them: {look.file.as_json(record)}. As words: {look.train(*_named(look))}",
        look.line_of(text, value),
    )


def words_beside_numbers(look: Look) -> DataError | None:
    """A column that is no prose is read as the text, and columns of numbers beside it would be left aside."""
    text = look.text
    if look.named[0] or text is None or look.pairs or look.facts[text].is_prose:
        return None
    of = look.facts[text]
    if look.label is None and text_rank(of.name) in (0, 1) and not of.dates:
        return None  # no labels are read, and so nothing is learned from it
    numbers = [at for at, one in enumerate(look.facts) if one.numeric and at not in (text, look.label)]
    numbers = [at for at in numbers if not _is_id(look, at) and label_rank(look.columns[at]) is None]
    if of.dates or (of.numeric and (of.fractions or text_rank(of.name) not in (0, 1))):
        what = "dates" if of.dates else "numbers"
        return look.file.refusal(
            f"{look.shown(text)} would be read as the text, and holds {what}",
            f"Name the columns that are meant: {look.train('--text COLUMN', '--label COLUMN')}",
        )
    fractions = any(look.facts[at].fractions for at in numbers)
    least = 1 if fractions else 2
    if text_rank(of.name) is not None:
        least = _MANY_COLUMNS if fractions else _MANY_COLUMNS + 2
    if len(numbers) < least:
        return None
    return _refuse_wide(look, numbers, look.label, text)


def second_text(look: Look) -> DataError | None:
    """Another column of texts, which would be left aside."""
    if look.named[0] or look.text is None:
        return None
    for at, of in enumerate(look.facts):
        if at in (look.text, look.label) or 2 * len(of.distinct) <= len(of.values):
            continue
        if look.label is None and label_rank(of.name) is not None:
            continue  # what is to be told of the text: of no concern where no labels are read
        words = set(words_of(of.name)[-1:])
        telling = of.name.strip().lower() != "name" and (text_rank(of.name) is not None or bool(words & _TEXTS_BESIDE))
        if of.words < (2 if telling else 3.5) or of.dates or of.numeric or of.nested or of.lists_of_numbers:
            continue
        return look.file.refusal(
            f"two columns hold texts, {look.shown(look.text)} and {look.shown(at)}, and only one is read",
            f"Say which: {look.train(*_named(look))}; or {command('--text', of.name)}",
        )
    return None


def direction(look: Look) -> DataError | None:
    """Two columns, of which neither name nor user says which is read and which is written."""
    if look.task != "seq2seq" or any(look.named) or look.text is None or look.label is None:
        return None
    text, label = look.columns[look.text], look.columns[look.label]
    if text_rank(text) is not None or label_rank(label) is not None:
        return None
    return look.file.refusal(
        f"cannot tell which column is read and which is written, {quoted(text)} or {quoted(label)}",
        f"Say it: {look.train('--task seq2seq', command('--text', look.columns[0], '--label', look.columns[1]))}",
    )


def list_as_text(look: Look) -> DataError | None:
    """A text that is a list of words or an object, with one label: its brackets and quotes would be learned."""
    text, label = look.text, look.label
    if text is None or label is None or look.pairs or not look.facts[text].nested or look.facts[label].nested:
        return None
    value = next((value for value in look.facts[text].filled if value != "[]"), "[]")
    if numbers_in(value) or value.startswith("[["):
        return None
    name = look.columns[text]
    if value[:1] == "{":
        hint = f"Name a column of texts: {look.train('--text COLUMN', '--label COLUMN')}"
    else:
        record = f'{{**r,{json.dumps(name)}:" ".join({_parsed(look, name)})}}'
        hint = f"Join the words: {look.file.as_json(record)}"
    kind = "objects" if value[:1] == "{" else "lists"
    return look.file.refusal(
        f"{quoted(name)} holds {kind} ({cut(value)}), and a text is needed", hint, look.line_of(text, value)
    )


CHOSEN: tuple[Check, ...] = (list_as_text, numbers_as_words, direction, second_text)
BESIDE: tuple[Check, ...] = (words_beside_numbers,)  # once it is known that the label is one


# --- everything that was read ---------------------------------------------------------------------------------------


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
        f"If each combination is a class of its own: {look.train(*_named(look))}",
        look.line_of(look.label, joined.strip()),
    )


_BRACKETS = ("[", "{", "(")
_TAGS = re.compile(r"(?:<[^<>]+>){2,}")  # <java><android>, as Stack Overflow joins them
_LIST_OF_TEXTS = ('["', "[]")


def _are_tagged(texts: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether the first records are lists of words with a list of as many tags each; a few may be broken."""
    pairs = [(json.loads(text), json.loads(label)) for text, label in _lists(texts[:20], labels[:20])]
    return 0 < min(len(labels), 20) < 2 * sum(len(words) == len(tags) for words, tags in pairs)


def _lists(texts: Sequence[str], labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text, label in zip(texts, labels, strict=True):
        if all(value.lstrip().startswith(_LIST_OF_TEXTS) and is_json(value) for value in (text, label)):
            yield text, label


def _settle_label(look: Look) -> str:
    named = look.train(*_named(look))
    return f"If they are names of classes: {named}; else name the column of the labels there"


@dataclass
class Parts:
    """Columns that say which part of a file a row belongs to, as training and test, and what stands in them."""

    look: Look
    found: dict[int, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, look: Look) -> Parts:
        """By the names of the columns and the first rows."""
        parts = cls(look)
        for at, of in enumerate(look.facts):
            name = "_".join(words_of(of.name))
            if name in _PART_COLUMNS or (of.filled and _are_parts(of.distinct)):
                parts.found[at] = set()
        return parts

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, each looked at as it passes."""
        found = list(self.found.items())
        for row in rows:
            for at, values in found:
                if len(values) <= _MOST_PARTS:
                    values.add(row.values[at].strip())
            yield row

    def refusal(self, roles: Sequence[str | None]) -> DataError | None:
        """The refusal, if rows of several parts were read as one.

        Args:
            roles: columns that were read as something else.
        """
        look = self.look
        for at, values in self.found.items():
            name = look.columns[at]
            if name in roles or not 1 < len(values) <= _MOST_PARTS:
                continue
            by_name = "_".join(words_of(name)) in _PART_COLUMNS
            if not (_are_parts(values) or (by_name and all(len(value) < 20 for value in values))):
                continue
            kept = next((value for value in sorted(values) if value.lower().startswith("train")), None)
            kept = look.facts[at].example if kept is None else kept
            same = f"str(r[{json.dumps(name)}])" if look.file.format == "jsonl" else f"r[{json.dumps(name)}]"
            listed = ", ".join(sorted(values)[:4])
            return look.file.refusal(
                f"{quoted(name)} says which rows are for what ({listed}), and all of them would be read as one",
                f"Keep those of one: {look.file.filtered(f'{same}=={json.dumps(kept)}')}; "
                f"or read them all: {look.train(command('--ignore', name))}",
            )
        return None


def _are_parts(values: Iterable[str]) -> bool:
    return all(value.strip().lower() in _PARTS for value in values)


# --- what the checks have in common ---------------------------------------------------------------------------------


def _named(look: Look) -> list[str]:
    """The columns that were chosen, as options."""
    text = None if look.text is None else look.columns[look.text]
    label = None if look.label is None else look.columns[look.label]
    chosen = (("--text", text), ("--label", label))
    return [command(option, name) for option, name in chosen if name is not None]


def _parsed(look: Look, name: str) -> str:
    """A column's list in a Python expression of the record ``r``."""
    return f"r[{json.dumps(name)}]" if look.file.format == "jsonl" else f"json.loads(r[{json.dumps(name)}])"


def _is_id(look: Look, at: int) -> bool:
    """Whether a column tells rows apart and says nothing of them."""
    name, words = look.columns[at], words_of(look.columns[at])
    return (bool(words) and names_rows(words[-1])) or look.facts[at].counts_rows or name == f"column {at + 1}"


def _likely_label(look: Look) -> int | None:
    """The column with a telling name for a label, or the only one of words that repeat."""
    ranked = [(rank, at) for at, name in enumerate(look.columns) if (rank := label_rank(name)) is not None]
    if ranked:
        return min(ranked)[1]
    words = [at for at, of in enumerate(look.facts) if of.repeats and not (of.numeric or of.dates) and of.words < 3]
    return words[0] if len(words) == 1 else None


def _series(look: Look) -> tuple[LongForm, str | None, list[str]] | None:
    """The columns of a table in long form, had it another name for its ids, or none of some columns.

    Returns:
        The form; the name of the id where it has to be another; and the columns that have to be left out.
    """
    label = None if look.label is None else look.columns[look.label]
    sample = [row.values for row in look.rows]
    if len(sample) < 4:
        return None
    dates = [at for at, of in enumerate(look.facts) if of.dates and not of.numeric]
    words = [at for at, of in enumerate(look.facts) if not (of.numeric or of.dates or of.is_prose) and of.filled]
    for group in _groups(look):
        for left_out in ([], dates, *([at] for at in words), *([*dates, at] for at in words if dates)):
            if group in left_out or (label is not None and look.columns.index(label) in left_out):
                continue
            kept = [at for at in range(len(look.columns)) if at not in left_out]
            columns = ["id" if at == group else look.columns[at] for at in kept]
            if len(set(columns)) < len(columns):
                continue
            form = guess_long_form(columns, [[values[at] for at in kept] for values in sample], label, "id")
            if form is None or not _are_measured(look, form):
                continue
            renamed = None if _is_id_of_series(look.columns[group]) else look.columns[group]
            return form, renamed, [look.columns[at] for at in left_out]
    return None


def _groups(look: Look) -> list[int]:
    """Columns whose values may say which series a row belongs to: those named so first, each for several rows."""
    ranked = []
    for at, of in enumerate(look.facts):
        runs = 1 + sum(before != after for before, after in zip(of.values, of.values[1:], strict=False))
        if not of.filled or len(of.filled) < len(of.values) or of.fractions or of.dates or of.is_prose:
            continue
        if len(of.distinct) * 3 > len(of.values) or label_rank(of.name) is not None:
            continue
        named = bool(set(words_of(of.name)) & _GROUP_WORDS)
        if named or (runs <= len(of.distinct) * 1.5 and not of.numeric):
            ranked.append((not named, of.numeric, -len(of.distinct), at))
    return [at for *_, at in sorted(ranked)]


_GROUP_WORDS = frozenset(
    """
    id ids seq sequence series recording trial session episode machine sensor device unit subject patient user engine
    station vehicle run sample window track experiment channel
    """.split()  # noqa: SIM905
)


def _is_id_of_series(name: str) -> bool:
    return guess_long_form([name, "label", "x"], [["1", "a", "1"], ["1", "a", "2"]], "label") is not None


def _are_measured(look: Look, form: LongForm) -> bool:
    """Whether the numbers of a form are measured: no counts of rows, nor labels."""
    facts = {of.name: of for of in look.facts}
    return any(facts[name].numeric and not facts[name].counts_rows for name in form.features if name in facts)


def _refuse_series(look: Look, form: LongForm, renamed: str | None, left_out: Sequence[str]) -> DataError:
    facts = {of.name: of for of in look.facts}
    seen, steps = [], []
    if renamed is not None:
        seen.append(f"the column of its ids is called {quoted(renamed)} ({cut(facts[renamed].example)})")
        mark = next(mark for mark in "/|#@" if mark not in renamed)
        made = look.file.piped(f"sed {shlex.quote(f'1s{mark}{renamed}{mark}id{mark}')}", look.file.format)
        steps.append(made)
    for name in left_out:
        kind = "dates" if facts[name].dates else "words"
        seen.append(f"{quoted(name)} holds {kind} ({cut(facts[name].example)})")
    file = look.file.quoted if renamed is None else look.file.made(look.file.format)
    options = ["--ignore " + shlex.quote(",".join(left_out))] if left_out else []
    steps.append(look.train(*options, command("--label", form.label or "label"), file=file))
    ordered = " if the rows are in order" if any(facts[name].dates for name in left_out) else ""
    texts = "as texts, name the columns: --text COLUMN --label COLUMN"
    return look.file.refusal(
        f"this looks like a table of series, a row a timestep, but {' and '.join(seen)}",
        f"As series{ordered}: {'; '.join(steps)}. Or, {texts}",
    )


def _refuse_wide(look: Look, values: Sequence[int], label: int | None, text: int | None) -> DataError:
    """The refusal of rows of numbers: each is a series, or there is nothing that rnncli learns."""
    first, last = look.columns[values[0]], look.columns[values[-1]]
    numbers = f"{counted(len(values), 'column')} of numbers ({first}" + (f" to {last})" if last != first else ")")
    if text is None:
        what = f"{numbers} and no text"
    else:
        what = f"{numbers} would be left aside, and the text would be {look.shown(text)}"
    hints = []
    if len(values) >= _MANY_COLUMNS and label is not None:
        hints.append(f"If a row is a series: {_series_of_columns(look, values, label)}")
    if text is not None:
        hints.append(f"{'If' if not hints else 'if'} the text is meant: {look.train(*_named(look))}")
    return look.file.refusal(what, "; ".join(hints) or "Name the columns with --text and --label.")


def _series_of_columns(look: Look, values: Sequence[int], label: int) -> str:
    """The command that makes a series of each row."""
    others = [look.columns[at] for at in range(len(look.columns)) if at not in values]
    value = "r[k]" if look.file.format == "jsonl" else "float(r[k])"
    ends = _end_in_missing([[row.values[at] for at in values] for row in look.rows])
    filled = ' and r[k].lower() not in ("","nan")' if ends else ""
    record = (
        f'{{"sequence":[{value} for k in r if k not in {json.dumps(others, ensure_ascii=False)}{filled}],'
        f'"label":r[{json.dumps(look.columns[label], ensure_ascii=False)}]}}'
    )
    return look.file.as_json(record)


def _end_in_missing(rows: Sequence[Sequence[str]]) -> bool:
    """Whether values are missing, and only at the ends of rows."""
    filled = [[not is_missing(value) for value in row] for row in rows]
    return not all(map(all, filled)) and all(row == sorted(row, reverse=True) for row in filled)


def _refuse_nested(look: Look, text: str, label: str, line: int) -> DataError:
    """The refusal of labels that are lists or objects: tags as numbers, several labels of a text, spans of it."""
    assert look.label is not None
    name, file = look.columns[look.label], look.file
    value = _parsed(look, name)
    found = json.loads(label) if is_json(label) else None
    words = json.loads(text) if is_json(text) else None
    if look.text is not None and isinstance(found, list) and isinstance(words, list) and len(found) == len(words) > 0:
        record = f'{{"tokens":{_parsed(look, look.columns[look.text])},"tags":[str(t) for t in {value}]}}'
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
