"""Text files that are tables: a language model would learn their tabs and labels."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import permutations

from rnncli.data.doubts.labelled_lines import LABELLED_LINES
from rnncli.data.doubts.labels import READS_WORDS
from rnncli.data.doubts.machine_lines import LOOSE_COLUMNS, MACHINE_LINES, Kind, kind_of
from rnncli.data.doubts.preview import Preview, cut
from rnncli.data.formats.advice import command
from rnncli.data.formats.dialect import called, option
from rnncli.data.formats.values import words
from rnncli.data.tables.column import Column, columns_of, unnamed
from rnncli.data.tables.facts import are_labels, are_tags, is_bio, is_plain_number, mostly, numbers_in
from rnncli.data.tables.header import header_of, series_of_lines
from rnncli.data.tables.names import is_role
from rnncli.errors import DataError, counted

_TAG = re.compile(r"[A-Z$.,:'`()#-]+[0-9]?")
_GAP = re.compile(r"^\S+(?: {2,}|\t)\S")  # more than a space between the first word and the rest
_MARKS = (",", ";", "|")
_FEW = 10  # lines that are numbers by chance


def _is_tagged(word: str, mark: str) -> bool:
    """Whether a tag stands behind the last of some marks in it."""
    before, _, tag = word.rpartition(mark)
    return before != "" and _TAG.fullmatch(tag) is not None


def _columns_of_words(preview: Preview) -> tuple[list[str], list[str]]:
    """What the first and the last column of tagged words hold, in all sentences together."""
    first, last = ([item for row in preview.rows for item in words(row.values[at]) or ()] for at in (0, -1))
    return first, last


def _columns(fields: Sequence[Sequence[str]]) -> tuple[list[Column], bool]:
    """The columns of a table, and whether the first line has names that columns have; ``fields`` are those of lines."""
    named = any(map(is_role, fields[0])) and bool(header_of(columns_of(fields[0], fields[1:])).found)
    return columns_of(fields[0], fields[1:]) if named else unnamed(fields), named


def _refuse(preview: Preview, what: str, hint: str, as_text: str = "--format text") -> DataError:
    """The refusal of a text file; the hint says how else to read it, ``as_text`` by which option as a text."""
    line = next(row.line for row, line in zip(preview.rows, preview.sample, strict=True) if line[0].strip())
    if preview.task in ("auto", "lm"):
        hint = f"{hint}; to read it as a text: {preview.command(as_text)}"
    return preview.file.refusal(what, hint, line)


def same_tabs(preview: Preview) -> DataError | None:
    """A line of prose has no tabs; the same number in each line is that of a table."""
    fields = [line.split("\t") for line in preview.lines]
    widths = set(map(len, fields))
    if len(fields) < 2 or len(widths) > 1 or widths == {1}:
        return None
    blank = not all(any(value.strip() for value in column) for column in zip(*fields, strict=True))
    if blank and any(all(mark in line for line in preview.lines) for mark in _MARKS):
        return None  # the tabs are those of one value
    what = f"each line has {counted(len(fields[0]) - 1, 'tab')}, so this looks like a table, not a text"
    return _refuse(preview, what, f"To read it as a table: {preview.command('--format tsv')}")


def same_delimiters(preview: Preview) -> DataError | None:
    """The same number of commas, semicolons or bars in each line, under names or beside labels, is that of a table."""
    lines = preview.lines
    if len(lines) > _FEW and all('"' in line for line in lines):  # as R writes a table
        mark = next((mark for mark in _MARKS if all(f'"{mark}' in line for line in lines)), " ")
        widths = [len(row) for row in csv.reader(lines, delimiter=mark)]
        if len(set(widths[1:])) == 1 and widths[1] > 1 and widths[0] in (widths[1] - 1, widths[1]):
            what = (
                f"each line has {widths[1]} values in quotes ({cut(lines[1])}), so this looks like a table, not a text"
            )
            return _refuse(preview, what, f"To read it as a table: {preview.command('--format csv', option(mark))}")
    for mark in _MARKS:
        if len(lines) < 2 or not all(mark in line for line in lines):
            continue
        fields = list(csv.reader(lines, delimiter=mark))
        if len(fields) != len(lines) or len(set(map(len, fields))) > 1:
            continue
        columns, named = _columns(fields)
        labels = len(lines) >= 20 and any(column.repeats and column.words < 2 for column in columns)
        if not named and not labels and mark != "|":
            continue
        what = (
            f"each line has {len(fields[0])} values separated by {called(mark)}, so this looks like a table, not a text"
        )
        return _refuse(preview, what, f"To read it as a table: {preview.command('--format csv', option(mark))}")
    return None


def machine_lines(preview: Preview) -> DataError | None:
    """Lines of JSON, XML, libsvm, a log, …"""
    return _refuse_kind(preview, MACHINE_LINES)


def loose_columns(preview: Preview) -> DataError | None:
    """Values that nothing but spaces separates."""
    return _refuse_kind(preview, LOOSE_COLUMNS)


def labelled_lines(preview: Preview) -> DataError | None:
    """A label and a text in each line, with nothing but a space between them."""
    return (
        None
        if preview.task == "lm"
        else _refuse_kind(preview, LABELLED_LINES, "these are texts with labels", "--task lm")
    )


def _first(preview: Preview) -> str:
    """The first line that is more than a bracket."""
    return next((line for line in preview.lines if len(line.strip()) > 3), preview.lines[0])


def _refuse_kind(
    preview: Preview, kinds: Sequence[Kind], so: str = "this is not a text", as_text: str = "--format text"
) -> DataError | None:
    kind = kind_of(preview.lines, kinds)
    if kind is None:
        return None
    hint = ": ".join(filter(None, (kind.purpose, kind.way(preview.file, preview.lines))))
    return _refuse(preview, f"{kind.what} ({cut(_first(preview))}), so {so}", hint, as_text)


def sentences_with_tags(preview: Preview) -> DataError | None:
    """A sentence in a column of each line, and a tag for each of its words in another."""
    if preview.holds_tagged_words:
        places = range(len(preview.names))
        columns = [[item for row in preview.rows for item in words(row.values[at]) or ()] for at in places]
    else:
        lines = [line.split("\t") for line in preview.lines]
        columns = [list(column) for column in zip(*lines, strict=False)] if len(set(map(len, lines))) == 1 else []
    pairs = permutations(range(len(columns)), 2)
    found = next(((text, tags) for text, tags in pairs if are_tags(columns[text], columns[tags])), None)
    if found is None:
        return None
    words_at, tags_at = found
    sentences = [text.split() for text in columns[words_at]]
    framed = all(len({sentence[at] for sentence in sentences if sentence}) == 1 for at in (0, -1))  # BOS … EOS
    inside = "[1:-1]" if framed else ""
    rows = '(l.rstrip("\\n").split("\\t") for l in sys.stdin if l.strip())'
    record = f'{{"tokens":r[{words_at}].split(){inside},"tags":r[{tags_at}].split(){inside}}}'
    intents = f'{{"text":" ".join(r[{words_at}].split()[1:-1]),"label":r[{tags_at}].split()[-1]}}'
    classify = f"; to learn what stands last, a label for each sentence: {preview.file.as_json(intents, rows)}"
    what = f"each line is a sentence with a tag for each of its words ({cut(columns[words_at][0])})"
    hint = f"{READS_WORDS}. To write it so: {preview.file.as_json(record, rows)}{classify if framed else ''}"
    return preview.file.refusal(what, hint, preview.rows[0].line)


def slashed_tags(preview: Preview) -> DataError | None:
    """Words with their tags behind a slash or an underscore, a sentence a line: ``Mia/NNP saw/VBD``."""
    if preview.holds_tagged_words:
        items = [item for column in _columns_of_words(preview) for item in column]
    else:
        items = [item for line in preview.lines for item in line.split()]
    mark = next((mark for mark in "/_" if mostly(_is_tagged(item, mark) for item in items)), None)
    if len(items) < 10 or mark is None:
        return None
    record = f'{{"tokens":[w.rpartition("{mark}")[0] for w in r],"tags":[w.rpartition("{mark}")[2] for w in r]}}'
    made = preview.file.as_json(record, "map(str.split,sys.stdin)", "r")
    return preview.file.refusal(
        f"each word has its tag after {'a slash' if mark == '/' else 'an underscore'} ({cut(items[0])})",
        f"{READS_WORDS}. To write it so: {made}",
        preview.rows[0].line,
    )


def tagged_words(preview: Preview) -> DataError | None:
    """A word and its tag a line, and an empty line after each sentence."""
    lines = preview.lines
    fields = [line.split() for line in lines if not line.startswith("-DOCSTART-")]
    width = len(fields[0]) if fields else 0
    if len(fields) < 10 or width < 2 or any(len(row) != width for row in fields) or len(lines) == len(preview.rows):
        return None
    tags = {row[-1] for row in fields}
    if 3 * len(tags) > len(fields) or any(tag != tag.upper() for tag in tags):
        return None
    what = f"each line has {width} words, with empty lines in between, so this looks like tagged words"
    return _refuse(preview, what, f"To read tagged words: {preview.command('--format conll')}")


def words_in_a_table(preview: Preview) -> DataError | None:
    """A word and its tag a line of a table, with empty lines between the sentences: they would be lost."""
    rows = preview.sample
    lines = [row.line for row in preview.rows]
    if (
        preview.file.files
        or preview.file.dialect is None
        or len(rows) < 10
        or lines[-1] - lines[0] < len(lines)
        or not preview.columns[1:]
    ):
        return None  # no line is between the records, or their lines are those of several files
    tags = preview.columns[-1]
    if any(column.fractions for column in preview.columns):
        return None  # series
    if any(len(value.split()) > 1 for row in rows for value in row) or tags.numeric:
        return None
    if 3 * len(tags.distinct) > len(rows) or any(tag != tag.upper() and not is_bio(tag) for tag in tags.distinct):
        return None
    columns = len(preview.columns)
    what = f"each line has {columns} words, with empty lines in between, so this looks like tagged words"
    as_table = preview.command(command("--text", preview.names[0], "--label", preview.names[-1]), "--task classify")
    hint = f"To read them: {preview.command('--format conll')}; to read each word as a text: {as_table}"
    return preview.file.refusal(what, hint, lines[0])


def lines_of_numbers(preview: Preview) -> DataError | None:
    """A series a line, as the older files of the UCR archive have them."""
    lines = preview.lines
    if preview.task == "auto" and len(lines) > _FEW and all(map(is_plain_number, lines)) and preview.purpose.trains:
        what = f"each line is a number ({cut(lines[0])}), so this looks like a series, not a text"
        read = preview.file.command("--format csv", "--task forecast")
        return _refuse(preview, what, f"To predict the next of them: {read}")
    first = {line.split()[0] for line in lines}
    named = len(lines) > _FEW and all(numbers_in(line.strip().partition(" ")[2]) for line in lines)
    if named and len(first) == len(lines) and not all(map(is_plain_number, first)):
        what = f"each line is a word and its vector ({cut(lines[0])}), so this is not a text"
        return _refuse(
            preview,
            what,
            f"To train with these vectors: {preview.command(file='DATA')} --vectors {preview.file.quoted}",
        )
    if len(lines) > _FEW and all(map(_is_pair, lines)):
        what = f"each line is a pair of numbers ({cut(lines[0])}), so this looks like a table, not a text"
        return _refuse(preview, what, f"To read it as a table: {preview.command('--format csv', option(' '))}")
    if len(lines) < 2 or not (named or all(map(numbers_in, lines))):
        return None
    what = f"each line is a row of numbers ({cut(lines[0])}), so this looks like a table, not a text"
    return _refuse(preview, what, f"If each line starts with its label: {series_of_lines(preview.file)}")


def _is_pair(line: str) -> bool:
    values = line.split()
    return len(values) == 2 and all(map(is_plain_number, values))


def lexicon(preview: Preview) -> DataError | None:
    """A word and how it is spoken a line, as pronouncing dictionaries have them: ``BAN  B AE1 N``."""
    entries = [line.split(maxsplit=1) for line in preview.lines if not line.startswith((";;;", "#"))]
    if len(entries) < 10 or not all(len(entry) == 2 for entry in entries):
        return None
    words = [entry[0] for entry in entries]
    symbols = [symbol for entry in entries for symbol in entry[1].split()]
    distinct = len(set(words)) >= 0.9 * len(words) and len(symbols) >= 3 * len(set(symbols))
    short = 2 * sum(map(len, symbols)) / len(symbols) <= sum(map(len, words)) / len(words)
    if not distinct or not (short or all(map(_GAP.search, preview.lines))):
        return None
    if are_labels([entry[1] for entry in entries]):
        what = f"each line is a word followed by one of a few labels ({cut(' '.join(entries[0]))})"
        table = preview.command("--format csv", option(" "))
        return _refuse(preview, f"{what}, so this looks like a table", f"To read it as one: {table}")
    what = f"each line is a word followed by symbols ({cut(' '.join(entries[0]))})"
    what = f"{what}, so this looks like a lexicon, a table of two columns"
    return _refuse(preview, what, f"To read it as one: {preview.command('--format lexicon')}")
