"""The words of a sentence in one column, and a tag for each of them in another.

{"tokens": ["Ada", "came"], "tags": ["B-PER", "O"]}

Tags may be whole numbers, as data sets of Hugging Face have them: they are the names of the tags then. In a file of
CoNLL each column is such a list, and may be named by its number from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.checks import COLUMNS_OF_WORDS
from rnncli.data.doubts.preview import Preview, cut, raise_first
from rnncli.data.formats.advice import command
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Value, as_text, list_in, words
from rnncli.data.layouts.layout import Plan, Record, Request
from rnncli.data.records import Inputs, Texts, TokenLists
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.columns import find_column
from rnncli.data.tables.names import TAGGED, label_rank, mentions, text_rank
from rnncli.data.tables.source import Roles
from rnncli.errors import UsageError, listed, quoted

_WORDS, _TAGS = ("tokens", "form"), ("tags", "upos")  # columns in files of CoNLL


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    words: Column
    tags: Column | None

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        columns = self._named("text", self.words)
        if self.tags is None:
            return columns
        numbers = "; the tags are numbers" if _holds_numbers(self.preview, self.tags) else ""
        return f"{columns}, {self._named('label', self.tags)}; change with --text/--label{numbers}"

    def _named(self, role: str, column: Column) -> str:
        """``label: tags``, with its number where that is what the column is known by."""
        numbered = self.preview.file.format.name == "conll" and len(self.preview.names) > 2
        return f"{role}: {column.name}{f' (column {column.at + 1})' if numbered else ''}"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        for line, values in rows:
            input = values[self.words.at]
            if self.tags is None:
                yield Record(line, input)
                continue
            label = values[self.tags.at]
            found, tags = words(input), _tags_in(label)
            if found is None or tags is None:
                column, value, what = (self.words, input, "words") if found is None else (self.tags, label, "tags")
                held = cut(as_text(value))
                ledger.bad_record(line, f"{quoted(column.name)} holds something else than a list of {what} ({held})")
                continue
            # A text that is written like a list is shown as that text.
            as_written = isinstance(label, str) and words(label) is not None
            yield Record(line, input if isinstance(input, str) else found, label if as_written else tags)

    def new_inputs(self) -> Inputs[Any]:
        return Texts() if self.tags is None else TokenLists(compact=self.preview.file.format.typed)

    def new_labels(self) -> Inputs[Any]:
        return self.new_inputs()


def recognize(preview: Preview, request: Request) -> Plan | None:
    if request.labelled and (preview.task not in ("auto", "tag") or request.inputs not in (None, TokenLists)):
        return None
    found = _of_conll(preview, request) if preview.holds_tagged_words else _of_lists(preview, request)
    if found is None:
        return None
    words, tags = found
    roles = Roles(layout="tagged", text=(words.name,), label=() if tags is None else (tags.name,))
    preview = preview.choose(words.at, None if tags is None else tags.at)
    return _Plan(preview=preview, roles=roles, words=words, tags=tags)


def _tags_in(value: Value) -> tuple[str, ...] | None:
    """The tags that a list of texts, or of whole numbers, holds; None if it is something else."""
    found = list_in(value) if isinstance(value, str) else value
    if isinstance(found, list) and found and _are_whole(found):
        return tuple(str(int(number)) for number in found)
    return words(value)


def _are_whole(values: Sequence[object]) -> bool:
    """Whether values are whole numbers; those of a list in a text are floats."""
    return all(type(value) is int or (isinstance(value, float) and value.is_integer()) for value in values)


def _holds_numbers(preview: Preview, tags: Column) -> bool:
    return not preview.holds_tagged_words and any(words(row.values[tags.at]) is None for row in preview.rows)


def _of_conll(preview: Preview, request: Request) -> tuple[Column, Column | None] | None:
    """The columns of words and tags in a file of CoNLL: those named, or the first and the last, or form and UPOS."""
    source, columns = request.source, preview.columns
    words = _named(preview, source.text, "--text") or _first(columns, _WORDS) or columns[0]
    if not request.labelled or (len(columns) == 1 and not request.whole):
        return words, None
    if len(columns) == 1:
        what = "each line has 1 column, and a line is a word and its tag"
        raise preview.file.refusal(
            what, "write the tag behind each word", preview.rows[0].line if preview.rows else None
        )
    tags = _named(preview, source.label, "--label") or _first(columns, _TAGS) or columns[-1]
    if words is tags:
        raise UsageError(f"--text and --label both name the column {quoted(words.name)}")
    if request.doubted:
        raise_first(COLUMNS_OF_WORDS, preview.choose(words.at, tags.at))
    return words, tags


def _named(preview: Preview, name: str | None, option: str) -> Column | None:
    """The column that an option names, also by its number; those of CoNLL-U are in upper case in its description."""
    names = preview.names
    if name is None:
        return None
    if name not in names and name.lower() in names:
        name = name.lower()
    if name not in names and name.isdecimal() and 0 < int(name) <= len(names):
        return preview.columns[int(name) - 1]
    return preview.columns[find_column(names, name, option)]


def _first(columns: Sequence[Column], names: Sequence[str]) -> Column | None:
    return next((column for column in columns if column.name in names), None)


def _of_lists(preview: Preview, request: Request) -> tuple[Column, Column] | None:
    """The columns of words and tags among those that hold lists, where they are named or clear."""
    if not request.labelled or not preview.rows:
        return None
    source = request.source
    lists = [column for column in preview.columns if column.example[:1] == "["]
    of_texts = [column for column in lists if _mostly(words(row.values[column.at]) is not None for row in preview.rows)]
    if source.text is None:
        named = best_named(of_texts, text_rank) or of_texts
        found = named[0] if len(named) == 1 else None
    else:
        found = next((column for column in of_texts if column.name == source.text), None)
    if found is None:
        return None
    tags = [column for column in lists if column is not found and _fits(preview, found, column)]
    if source.label is not None:
        tags = [column for column in tags if column.name == source.label]
    else:
        tags = best_named(tags, _tag_rank)
    if len(tags) > 1:
        made = "; ".join(preview.command(command("--label", column.name)) for column in tags)
        names = listed([quoted(column.name) for column in tags])
        what = f"{len(tags)} columns hold a tag for each word ({names}), and a tagger learns one of them"
        raise preview.file.refusal(what, f"Choose it: {made}")
    return (found, tags[0]) if tags else None


def _tag_rank(name: str) -> int | None:
    """How clearly a name says that its column holds tags: 0 is the clearest, None says nothing."""
    if label_rank(name) is not None:
        return 0
    return 1 if mentions(name, TAGGED) else None


def _fits(preview: Preview, words_at: Column, tags_at: Column) -> bool:
    """Whether a column holds as many tags as the other holds words."""
    pairs = ((words(row.values[words_at.at]), _tags_in(row.values[tags_at.at])) for row in preview.rows)
    return _mostly(found is not None and tags is not None and len(found) == len(tags) for found, tags in pairs)


def _mostly(found: Iterable[bool]) -> bool:
    """Whether more than half are true."""
    found = list(found)
    return 2 * sum(found) > len(found)
