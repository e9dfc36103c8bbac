"""Text files that are tables: whoever learns from them as texts learns their tabs and labels."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace

from rnncli.data.doubts.labels import READS_WORDS
from rnncli.data.doubts.look import Check, Look, cut
from rnncli.data.formats.table import Row
from rnncli.data.formats.values import is_json, words
from rnncli.data.tables.columns import label_rank, text_rank
from rnncli.data.tables.facts import Facts, is_bio, mostly, numbers_in
from rnncli.data.tables.header import likely_names, missing_header, series_of_lines
from rnncli.errors import DataError, counted

_SLASHED = re.compile(r"\S+/[A-Z$.,:'`()#-]+[0-9]?")
_GAP = re.compile(r"^\S+(?: {2,}|\t)\S")  # more than a space between the first word and the rest


def same_tabs(look: Look) -> DataError | None:
    """A line of prose has no tabs; the same number in each line is that of a table."""
    lines = _lines(look)
    counts = {line.count("\t") for _, line in lines}
    if len(lines) < 2 or len(counts) > 1 or not min(counts):
        return None
    count = min(counts)
    fields = [line.split("\t") for _, line in lines]
    if _has_header(look, lines, fields):
        hint = f"Read it as the table: {look.command('--format tsv')}; as a text: {look.command('--format text')}."
    else:
        facts = [Facts("", [row[at] for row in fields]) for at in range(count + 1)]
        hint = (
            f"Make it one with names: {look.file.with_header(likely_names(facts), 'tsv')}; "
            f"or read it as a text: {look.command('--format text')}."
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
        named = _has_header(look, lines, fields)
        labels = len(lines) >= 20 and any(of.repeats and of.words < 2 for of in facts)
        if not named and not labels and delimiter != "|":
            continue
        what = f"each line has {len(fields[0])} values with {called} between, so this looks like a table, not a text"
        as_text = f"or read it as a text: {look.command('--format text')}."
        if delimiter != ",":
            return look.file.refusal(what, f"Write it with commas: {look.file.with_commas(delimiter)}; {as_text}")
        if named:
            return look.file.refusal(what, f"Read it as the table: {look.command('--format csv')}; {as_text}")
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
        f"labels as fastText writes them, {cut(lines[0][1])}",
        f'rnncli reads {{"text": "so it is", "label": "good"}}. Make such lines of it: {made}; '
        f"or read it as a text: {look.command('--format text')}.",
        lines[0][0],
    )


def json_lines(look: Look) -> DataError | None:
    """An object a line."""
    lines = _lines(look)
    if not lines or not all(line.lstrip()[:1] == "{" and is_json(line) for _, line in lines[:20]):
        return None
    hint = f"Read them as such: {look.command('--format jsonl')}; as a text: {look.command('--format text')}."
    return look.file.refusal("each line is a JSON object, so this is no text", hint, lines[0][0])


def tag_first(look: Look) -> DataError | None:
    """The columns of words and tags are the other way round."""
    if look.file.format.holds != "tagged words" or not look.rows:
        return None
    first, tags = _words_and_tags(look)
    if not (mostly(map(is_bio, first)) and "O" in first) or mostly(map(is_bio, tags)):
        return None
    swapped = look.file.piped("awk 'NF>1{print $2,$1} NF<2{print}'", "conll")
    return look.file.refusal(
        f"the tag stands first in each line ({cut(f'{first[0]} {tags[0]}')}), and a line is a word and its tag",
        f"Turn them round, and read the new file: {swapped}; rnncli reads the second column as the tags.",
        look.rows[0].line,
    )


def slashed_tags(look: Look) -> DataError | None:
    """Words with their tags behind a slash, a sentence a line: ``Mia/NNP saw/VBD``."""
    if look.file.format.holds == "records" or not look.rows:
        return None
    if look.file.format.holds == "tagged words":
        items = [item for column in _words_and_tags(look) for item in column]
    else:
        items = [item for _, line in _lines(look) for item in line.split()]
    if len(items) < 10 or not mostly(_SLASHED.fullmatch(item) is not None for item in items):
        return None
    record = '{"tokens":[w.rpartition("/")[0] for w in r],"tags":[w.rpartition("/")[2] for w in r]}'
    made = look.file.as_json(record, "map(str.split,sys.stdin)", "r")
    return look.file.refusal(
        f"each word has its tag behind a slash ({cut(items[0])})",
        f"{READS_WORDS}. Make that of it: {made}.",
        look.rows[0].line,
    )


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
        hint = f"Read it as such: {look.command('--format conll')}; as a text: {look.command('--format text')}."
    else:
        kept = look.file.piped(f"cut -d' ' -f1,{width}", "conll")
        hint = f"Keep word and tag: {kept}; or read it as a text: {look.command('--format text')}."
    return look.file.refusal(what, hint, lines[0][0])


def lines_of_numbers(look: Look) -> DataError | None:
    """A series a line, as the older files of the UCR archive have them."""
    lines = _lines(look)
    if len(lines) < 2 or not all(numbers_in(line) for _, line in lines):
        return None
    hint = f"{series_of_lines(look.file, 0)} if each starts with its label; as a text: {look.command('--format text')}."
    what = f"each line is a row of numbers, so this looks like a table, {cut(lines[0][1])}"
    return look.file.refusal(what, hint, lines[0][0])


def lexicon(look: Look) -> DataError | None:
    """A word and how it is spoken a line, as pronouncing dictionaries have them: ``BAN  B AE1 N``."""
    lines = [(line, text.split(maxsplit=1)) for line, text in _lines(look) if not text.startswith((";;;", "#"))]
    if len(lines) < 10 or not all(len(parts) == 2 for _, parts in lines):
        return None
    words = [parts[0] for _, parts in lines]
    symbols = [symbol for _, parts in lines for symbol in parts[1].split()]
    gaps = all(_GAP.search(text) is not None for _, text in _lines(look))
    distinct = len(set(words)) >= 0.9 * len(words)
    short = 2 * sum(map(len, symbols)) / len(symbols) <= sum(map(len, words)) / len(words)
    if not distinct or 3 * len(set(symbols)) > len(symbols) or not (gaps or short):
        return None
    split = '[print(*l.split(None,1),sep="\\t",end="") for l in sys.stdin if l.strip() and l[:3]!=";;;"]'
    made = look.file.python(f'import sys;print("source","target",sep="\\t");{split}', "tsv")
    return look.file.refusal(
        f"each line is a word with symbols behind it ({cut(' '.join(lines[0][1]))}), so this looks like a lexicon, a "
        "table of two columns",
        f"Make one with a tab between: {made}; or read it as a text: {look.command('--format text')}.",
        lines[0][0],
    )


CONLL: tuple[Check, ...] = (slashed_tags, tag_first)
TEXT_FILE: tuple[Check, ...] = (
    json_lines,
    slashed_tags,
    labelled_lines,
    lines_of_numbers,
    same_tabs,
    lexicon,
    tagged_words,
    same_delimiters,
)


def _lines(look: Look) -> list[tuple[int, str]]:
    """The lines that hold something, with their numbers."""
    rows = zip(look.rows, look.sample, strict=True)
    return [(row.line, texts[0]) for row, texts in rows if texts[0].strip()]


def _words_and_tags(look: Look) -> tuple[list[str], list[str]]:
    """Those of all sentences, one behind the other."""
    first, second = ([item for row in look.rows for item in words(row.values[at]) or ()] for at in (0, 1))
    return first, second


def _has_header(look: Look, lines: Sequence[tuple[int, str]], fields: Sequence[Sequence[str]]) -> bool:
    """Whether the first line has names that columns have; ``fields`` are the values of each line."""
    names, *values = fields
    rows = [Row(line, tuple(row)) for (line, _), row in zip(lines[1:], values, strict=True)]
    telling = any(
        text_rank(name) is not None or label_rank(name) is not None for name in names if len(name.split()) < 3
    )
    return telling and missing_header(tuple(names), replace(look, columns=tuple(names), rows=rows).facts) is None
