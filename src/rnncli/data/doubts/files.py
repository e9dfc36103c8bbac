"""Text files that are read together: lines that go together, names of files that are labels, parts of one data set."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, permutations
from typing import NamedTuple

from rnncli.data.doubts.preview import Checks, Known, Preview, Purpose, cut, raise_first, raise_found
from rnncli.data.formats.advice import DataFile, command
from rnncli.data.formats.folders import names_in, stem
from rnncli.data.formats.registry import PAIRS
from rnncli.data.formats.table import Table
from rnncli.data.tables.facts import are_labels, are_tags, is_plain_number, mostly, numbers_in
from rnncli.data.tables.names import CLASSES, mentions
from rnncli.data.tables.parts import Part, part_of
from rnncli.errors import DataError, listed

FEW = 4  # files whose lines are counted, to see whether those of one go with those of another
_CHOICES = 3  # commands in a message
_ENOUGH = 10  # lines of a file, before they say what it holds
_LONGEST_NAME = 3  # words in a line that is a name or a word, and no line of a text
_UNLABELLED = ("unsup", "unsupervised", "unlabeled", "unlabelled")  # folders of texts for which nobody gave labels
_LETTERS = re.compile(r"[^\W\d_]+")


class TextFile(NamedTuple):
    """One of several text files.

    Attributes:
        preview: its first lines; the commands are those of all files.
        lines: how many it has; 0 where they were not counted.
    """

    preview: Preview
    lines: int

    @property
    def path(self) -> str:
        return self.preview.file.files[0]

    @property
    def numbers(self) -> bool:
        """Whether each line is a row of numbers."""
        return mostly(bool(numbers_in(line)) for line in self.preview.lines)

    @property
    def labels(self) -> bool:
        """Whether few values occur again and again."""
        return are_labels(self.preview.lines)


def text_files(
    whole: DataFile, open_one: Callable[[str], Table], rows: int, task: str, purpose: Purpose
) -> Iterator[TextFile]:
    """Each of several text files; the lines of many are not counted.

    Args:
        rows: how many lines of each are looked at.
    """
    for path in whole.files:
        table = open_one(path)
        first = list(islice(table.rows, rows))
        file = replace(whole, files=(path,), called=path, typed=whole.quoted)
        preview = Preview.of(file, table.columns, first, task, Known.NOTHING, purpose)
        yield TextFile(preview, len(first) + sum(1 for _ in table.rows) if len(whole.files) <= FEW else 0)


def read_together(whole: DataFile, files: Sequence[TextFile], checks: Checks, by_name: bool) -> None:
    """Asks each of several text files what a single one is asked, and all of them whether they are one text.

    Args:
        whole: what all of them are called.
        checks: of a single text file.
        by_name: whether the names of the files are labels.

    Raises:
        DataError: they are not, or one of them is no text.
    """
    first = files[0].preview
    asked = first.purpose.trains and first.task != "lm"
    if asked:
        raise_found(_lines_of_each(whole, files))
    for one in files:
        raise_first(checks, one.preview)
    if asked and not by_name:
        raise_found((_named_by_label(whole, files) if first.task == "auto" else None) or _two_texts(whole, files))


def _lines_of_each(whole: DataFile, files: Sequence[TextFile]) -> DataError | None:
    """Files of as many lines, of which one holds labels, numbers or tags: of the lines of another one."""
    alike = [pair for pair in permutations(files, 2) if pair[0].lines == pair[1].lines > 0]
    found = [(source, target, told) for source, target in alike if (told := _tells(source, target)) is not None]
    targets = {target.path for _, target, _ in found}
    found = [each for each in found if each[0].path not in targets]
    if not found:
        return None
    ways = "; ".join(
        f"to learn the {what} in {os.path.basename(target.path)}: "
        f"{command('rnncli', 'train', '--source', source.path, '--target', target.path)} {options}"
        for source, target, (what, options) in found[:_CHOICES]
    )
    names = dict.fromkeys(os.path.basename(one.path) for source, target, _ in found for one in (source, target))
    return whole.refusal(
        f"{listed(list(names))} have as many lines, so a line of one seems to go with that of another",
        f"T{ways[1:]}",
    )


def _tells(source: TextFile, target: TextFile) -> tuple[str, str] | None:
    """What a file says of the lines of another, and the options that learn it; None if it says nothing."""
    columns = "--features source --label target" if source.numbers else ""
    if source.labels:
        return None
    if target.labels:
        return "labels", columns or "--task classify"
    if are_tags(source.preview.lines, target.preview.lines):
        return "tags", "--task tag"
    if len(target.preview.lines) >= _ENOUGH and all(map(is_plain_number, target.preview.lines)):
        return "numbers", f"--task regress {columns or '--text source --label target'}"
    return None


def lines_of_two(preview: Preview) -> DataError | None:
    """Of two files whose lines go together, one has labels or tags: it is to be learned, or to be written."""
    if preview.file.format is not PAIRS or not preview.purpose.trains or preview.task != "auto":
        return None
    texts, targets = [column.values for column in preview.columns]
    if preview.columns[0].lists_of_numbers:
        return None
    if are_labels(targets):
        what, task = "a label for each line", "classify"
    elif are_tags(texts, targets):
        what, task = "a tag for each word", "tag"
    else:
        return None
    return preview.file.refusal(
        f"the second file seems to hold {what} of the first ({cut(targets[0])})",
        f"If it does: {preview.command_for(task)}; to write its lines from those of the first: "
        f"{preview.command_for('seq2seq')}",
        preview.rows[0].line,
    )


def _named_by_label(whole: DataFile, files: Sequence[TextFile]) -> DataError | None:
    """Files of names, words or short texts, a line each, under names that may be their labels."""
    names = [_LETTERS.findall(stem(one.path)) for one in files]
    if len(files) < 2 or len(set(map(tuple, names))) < len(files) or not all(names):
        return None  # chapter1, chapter2
    short = all(
        len(lines := one.preview.lines) >= _ENOUGH
        and 2 * sum(len(line.split()) <= _LONGEST_NAME for line in lines) > len(lines)
        for one in files
    )
    if not short and not all(mentions(stem(one.path), CLASSES) for one in files):
        return None
    preview = files[0].preview
    several = listed([os.path.basename(one.path) for one in files[:_CHOICES]])
    return whole.refusal(
        f"the names of the files ({several}{', …' if len(files) > _CHOICES else ''}) may be the labels of their lines",
        f"If they are: {preview.command_for('classify')}; to learn the language of all: {preview.command_for('lm')}",
    )


def _two_texts(whole: DataFile, files: Sequence[TextFile]) -> DataError | None:
    """Two text files of as many lines, or of which no language is to be learned."""
    preview = files[0].preview
    if len(files) != 2 or (preview.task == "auto" and files[0].lines != files[1].lines):
        return None
    pairs = command("rnncli", "train", "--source", files[0].path, "--target", files[1].path)
    of_as_many = " of as many lines" if preview.task == "auto" else ", without labels"
    return whole.refusal(
        f"these are two text files{of_as_many}",
        f"If a line of one goes with that of the other: {pairs}; to learn labels, the names of the files: "
        f"{preview.command_for('classify')}; to learn the language of both: {preview.command_for('lm')}",
    )


def parts_as_one(folder: str, reader: str) -> DataError | None:
    """The refusal of a folder of which the files, or the folders in it, are for training and for testing."""
    names = names_in(folder)
    unlabelled = next((name for name in names if name.lower() in _UNLABELLED), None)
    if unlabelled is not None and len(names) > 1 and os.path.isdir(os.path.join(folder, unlabelled)):
        aside = f"{os.path.normpath(folder).replace(os.sep, '-')}-{unlabelled}"
        return DataError(
            f"{folder}: the folder {unlabelled} seems to hold texts without labels, and its name would be their label",
            f"To train without them: {command('mv', os.path.join(folder, unlabelled), aside)} && "
            f"{command(*reader.split(), folder)}",
        )
    found: dict[Part, list[str]] = {}
    for name in names:
        parts = {part for word in _LETTERS.findall(stem(name)) if (part := part_of(word)) is not None}
        if len(parts) == 1:
            found.setdefault(parts.pop(), []).append(os.path.join(folder, name))
    if Part.TRAINING not in found or len(found) < 2:
        return None
    parted = listed([os.path.basename(path) for paths in found.values() for path in paths][:FEW])
    training = found.pop(Part.TRAINING)
    options = [
        word
        for part, option in ((Part.VALIDATION, "--validation"), (Part.TEST, "--test"))
        for path in islice(found.get(part, ()), 1)
        for word in (option, path)
    ]
    every = [] if len(names) > FEW or os.path.isdir(training[0]) else [os.path.join(folder, one) for one in names]
    to_all = f"; to train on all of them: {command(*reader.split(), *every)}" if every else ""
    return DataError(
        f"{folder}: the names in this folder ({parted}) divide the data into parts, but all would be read together",
        f"To train on the part for training: {command(*reader.split(), *training, *options)}{to_all}",
    )
