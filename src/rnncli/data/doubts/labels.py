"""Labels that do not name classes: lists, amounts, several in one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Sized

from rnncli.data.doubts.preview import Known, Preview, cell, cut, literal, unfolded
from rnncli.data.formats.advice import command
from rnncli.data.formats.values import Value, words
from rnncli.data.records import LabelSets, Records, Shown
from rnncli.data.tables.column import Column
from rnncli.data.tables.facts import (
    MOSTLY,
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
from rnncli.data.tables.names import TAGS, WORDS, is_one_of
from rnncli.data.tables.several import (
    are_indicators,
    joined_by,
    joined_by_rare_marks,
    listed_names,
    numbered_lists,
    perhaps_joined,
)
from rnncli.errors import DataError, quoted

_MANY_NUMBERS = 20  # more different whole numbers than this are not labels,
_FEW_ROWS = 10  # if there are fewer rows than this for each
_ENOUGH_DATES = 20  # different dates in the first rows show that labels are dates
_ALL_DIFFERENT = 50  # more labels than this,
_ROWS_OF_EACH = 2  # with fewer rows than this for each, are texts
_BRACKETS = ("[", "{", "(")
_LIST_OF_TEXTS = ('["', "[]")
_BRACED = re.compile(r"\{[^{}]*\}|(?:\[[^\[\]]+\])+")  # {action,drama} as a database writes it, or [action][drama]
_IN_BRACES = "[^][{},]+"
_NO_VALUES = ("nan", "<na>", "#n/a", "null")  # as programs write that there is none; "none" and "?" may be labels
READS_WORDS = 'rnncli reads tagged words as {"tokens": ["Ada", "came"], "tags": ["B-PER", "O"]}'


def no_labels(
    preview: Preview,
    texts: Sequence[str],
    labels: Sequence[str],
    lines: Sequence[int],
    counts: Mapping[str, int] | None = None,
) -> DataError | None:
    """The refusal of labels that are lists, objects, rows of numbers, or numbers with something behind their point.

    Args:
        texts, labels, lines: of all records, or of some.
        counts: how often each label is there, where that is known.
    """
    known = preview.known
    if preview.label is None or known & (Known.TARGETS | Known.NUMBERS) or preview.holds_tagged_words:
        return None
    tagged = takes_tags(preview, preview.typed_pairs)
    counts = Counter(labels) if counts is None else counts
    bracketed = {label for label in counts if label.lstrip()[:1] in _BRACKETS}
    for row, label in enumerate(labels) if bracketed else ():
        if label in bracketed:
            bracketed.remove(label)
            refusal = nested_label(preview, texts[row], label, lines[row], tagged)
            if refusal is not None:
                return refusal
    if known & (Known.CLASSES | Known.TAGS):
        return None
    found = counts.keys() - preview.purpose.labels
    missing = next((label for label in sorted(found) if label.strip().lower() in _NO_VALUES), None)
    if missing is not None and len(found) > 1:
        return _refuse_missing(preview, preview.label, missing)
    many = preview.purpose.trains and len(found) > _ALL_DIFFERENT
    if many and len(found) >= MOSTLY * len(labels) and preview.label.words >= 3:
        return _refuse_texts(preview, preview.label, f"{len(found):,} different texts in {len(labels):,} records")
    if len(found) >= _ENOUGH_DATES and mostly(map(is_date, found)):
        return _refuse_numbers(preview, preview.label, f"dates ({cut(min(found))}){_NO_CLASS}")
    example = numbered_lists(sorted(found))
    if example is not None:
        return _refuse_lists(preview, preview.label, example)
    if not mostly(is_plain_number(label) or is_amount(label) for label in found):
        return None
    amounts = {label for label in found if is_fraction(label) or is_amount(label)}
    for label, line in zip(labels, lines, strict=True) if amounts else ():
        if label in amounts:
            kind = "decimal numbers" if is_fraction(label) else "amounts"
            error = _refuse_numbers(preview, preview.label, f"{kind} ({cut(label)}){_NO_CLASS}", line)
            if kind == "amounts" and preview.purpose.trains and not any("," in one for one in preview.label.distinct):
                error.hint = f"{_numbers_alone(preview, preview.label)}. {error.hint}"
            return error
    return None


# What values look like that are not labels, and what a refusal calls them; the first that fits.
_NO_LABELS = (
    ("dates", is_date),
    ("decimal numbers", lambda label: has_comma(label) or is_plain_number(label)),
    ("rows of numbers", lambda label: bool(numbers_in(label))),
)
_NO_CLASS = ", but a label is the name of a class"


def unlikely_labels(preview: Preview, labels: Sequence[str], counts: Mapping[str, int]) -> DataError | None:
    """The refusal of labels that look like amounts or dates, or like several in one: only all of them show it.

    Args:
        labels: of all records.
        counts: how often each of them is there.
    """
    column = preview.label
    if column is None or preview.known & (Known.TARGETS | Known.NUMBERS | Known.CLASSES | Known.TAGS):
        return None
    if labels[0].startswith("[") and mostly(label.startswith(_LIST_OF_TEXTS) for label in labels[:20]):
        return None  # tags of words
    counts = {label: count for label, count in counts.items() if label not in preview.purpose.labels}
    joined = joined_by(counts)
    example = perhaps_joined(counts) if joined is None else joined[1]
    if example is not None:
        return preview.file.refusal(
            f"{quoted(column.name)} may hold several labels in one ({cut(example)}), or names of classes",
            _settle_several(preview),
            preview.line_of(column, example.strip()),
        )
    braced = [label for label in counts if _BRACED.fullmatch(label.strip())]
    several = next((label for label in braced if "," in label or "][" in label), None)
    if several is not None and len(braced) == len(counts):
        value = f"re.findall(r{_IN_BRACES!r},{cell(column)})"
        return preview.file.refusal(
            f"{quoted(column.name)} holds what stands in brackets ({cut(several)}), as several labels do",
            f"To make lists of them: {preview.file.as_json(f'{{**r,{literal(column.name)}:{value}}}')}. "
            f"{_settle_label(preview, 'each combination is a class of its own')}",
            preview.line_of(column, several.strip()),
        )
    rare = joined_by_rare_marks(counts)
    if rare is not None:
        what = f"{quoted(column.name)} seems to hold several labels in one ({cut(rare[1])}), or names of classes"
        mark = command("--label-separator", rare[0])
        return preview.file.refusal(what, _settle_several(preview, mark), preview.line_of(column, rare[1]))
    example = cut(next((label for label in counts if not is_plain_number(label)), ""))
    for kind, fits in _NO_LABELS if example else ():
        if mostly(map(fits, counts)):
            return _refuse_numbers(preview, column, f"{kind} ({example}){_NO_CLASS}")
    if len(counts) > max(_MANY_NUMBERS, len(labels) / _FEW_ROWS) and all(map(is_plain_number, counts)):
        what = f"{len(counts):,} different numbers in {len(labels):,} records"
        what = f"{what}, which look like amounts, not like the names of classes"
        return _refuse_numbers(preview, column, what, too_many=_are_too_many(counts, labels))
    if preview.purpose.trains and _are_too_many(counts, labels):
        return _refuse_texts(preview, column, f"{len(counts):,} different values in {len(labels):,} records")
    return None


def not_classes(preview: Preview, records: Records) -> DataError | None:
    """The refusal of the labels of all records where these are to be classes, and look like something else."""
    if preview.label is None or isinstance(records.labels, LabelSets):
        return None
    if preview.known & (Known.TARGETS | Known.NUMBERS):
        return None
    counts = Counter(records.labels)
    found = no_labels(preview, Shown(records.inputs), records.labels, records.lines, counts)
    return found or unlikely_labels(preview, records.labels, counts)


def nested_label(preview: Preview, text: str, label: str, line: int, tagged: bool) -> DataError | None:
    """A label that is a list, an object or a row of numbers.

    Args:
        tagged: whether labels are lists of tags.
    """
    if label.lstrip()[:1] not in _BRACKETS or (tagged and label.lstrip().startswith(_LIST_OF_TEXTS)):
        return None
    return _refuse_nested(preview, text, label, line) if is_nested(label) or numbers_in(label) else None


def takes_tags(preview: Preview, pairs: Sequence[tuple[Value, Value]]) -> bool:
    """Whether labels are tags of words: the task says so, or else the records, or the names of the two columns.

    In a short file a few wrong counts of tags decide nothing: words named ``tokens`` and tags named ``tags`` are those.

    Args:
        pairs: input and label of the first records.
    """
    if preview.task != "auto":
        return preview.task == "tag"
    if are_tagged(pairs):
        return True
    text, label = preview.text, preview.label
    if text is None or label is None or not (is_one_of(text.name, WORDS) and is_one_of(label.name, TAGS)):
        return False
    return all(None not in (words(input), words(tags)) for input, tags in pairs)


def are_tagged(pairs: Iterable[tuple[Value, Value]]) -> bool:
    """Whether most of the records are lists of words with a list of as many tags each."""
    found = [(words(text), words(label)) for text, label in pairs]
    fitting = [text is not None and label is not None and len(text) == len(label) for text, label in found]
    return 2 * sum(fitting) > len(fitting)


def _refuse_numbers(
    preview: Preview, column: Column, what: str, line: int | None = None, too_many: bool = False
) -> DataError:
    """The refusal of labels that look like numbers or dates; ``too_many`` of them even for classes of their own."""
    hint = _settle_label(preview, "" if too_many else "each value is a class of its own")
    dialect = preview.file.dialect
    if preview.purpose.trains and dialect is not None and dict(dialect.rewritten).get(column.at) == ",":
        several = preview.command("--task multilabel", preview.chosen_columns, "--label-separator ,")
        hint = f"{hint}. If commas stand between several labels: {several}"
    if preview.purpose.trains and column.numeric:
        if preview.text is not None and preview.text.dates:  # no text, but times
            ahead = preview.command_for("forecast", command("--label", column.name))
            return preview.file.refusal(
                f"{quoted(column.name)} holds {what}", f"To predict its next values: {ahead}. {hint}", line
            )
        numbers = preview.command_for("regress", preview.chosen_columns)
        hint = f"To predict the number: {numbers}. {hint}"
    return preview.file.refusal(f"{quoted(column.name)} holds {what}", hint, line)


def _numbers_alone(preview: Preview, column: Column) -> str:
    """The command that writes amounts without their currencies and units: ``$1.5M`` is 1500000."""
    there = f"str({cell(column)})"
    times = f'{{"K":1e3,"k":1e3,"M":1e6,"B":1e9}}.get({there}.strip()[-1:],1)'
    number = f'round(float(re.sub(r"[^0-9.-]","",{there}))*{times},9)'
    made = preview.file.as_json(f"{{**r,{literal(column.name)}:{number}}}")
    return f"To write the numbers alone, for --task regress: {made}"


def _refuse_missing(preview: Preview, column: Column, label: str) -> DataError:
    kept = preview.file.filtered(f"str({cell(column)})!={literal(label)}")
    return preview.file.refusal(
        f"{quoted(column.name)} holds {cut(label)}, which stands for no value",
        f"To leave out such records: {kept}. {_settle_label(preview, 'it is a class')}",
        preview.line_of(column, label.strip()),
    )


def _are_too_many(distinct: Sized, labels: Sized) -> bool:
    """Whether there are too many different labels for the names of classes."""
    return len(distinct) > _ALL_DIFFERENT and _ROWS_OF_EACH * len(distinct) > len(labels)


def _refuse_texts(preview: Preview, column: Column, what: str) -> DataError:
    hint = f"name the label's column: {preview.command('--label COLUMN')}"
    if preview.purpose.trains:
        written = preview.command_for("seq2seq", preview.chosen_columns)
        hint = f"If it is to be written from the text: {written}; else {hint}"
    return preview.file.refusal(f"{quoted(column.name)} holds {what}, too many for the names of classes", hint)


def _settle_label(preview: Preview, if_so: str) -> str:
    """What to type if labels are labels although they look like something else; empty if they cannot be."""
    if not preview.purpose.trains:
        column = preview.command("--label COLUMN")
        return f"The model knows no such labels; name the column that holds its labels: {column}"
    if not if_so:
        return f"If another column holds the labels: {preview.command('--label COLUMN')}"
    classes = preview.command("--task classify", preview.chosen_columns)
    return f"If {if_so}: {classes}; if another column holds the labels, name that one instead"


def _refuse_lists(preview: Preview, column: Column, example: str) -> DataError:
    """The refusal of whole numbers with commas between them: several labels, or decimals."""
    ways = _settle_several(preview)
    if preview.purpose.trains:
        comma = "" if preview.file.dialect is None else "--decimal ,"
        numbers = preview.command_for("regress", comma, preview.chosen_columns)
        ways = f"{ways}; if they are numbers with decimals: {numbers}"
    what = f"{quoted(column.name)} may hold several labels in one ({cut(example)}), or numbers with decimals"
    return preview.file.refusal(what, ways, preview.line_of(column, example.strip()))


def _settle_several(preview: Preview, mark: str = "") -> str:
    """What to type if labels are several in one, or if they are not; ``mark`` is the option for what separates them."""
    if not preview.purpose.trains:
        return f"The model predicts one label; name the column that holds it: {preview.command('--label COLUMN')}"
    if preview.label is not None and numbered_lists(preview.label.distinct):
        mark = "--label-separator ,"
    several = preview.command("--task multilabel", preview.chosen_columns, mark)
    classes = preview.command("--task classify", preview.chosen_columns)
    return f"To learn each of them: {several}; if each combination is a class of its own: {classes}"


def _refuse_nested(preview: Preview, text: str, label: str, line: int) -> DataError:
    """The refusal of labels that are lists or objects: tags as numbers, several labels of a text, spans of it."""
    column, file = preview.label, preview.file
    assert column is not None
    value, found, words = preview.parsed(column, label), nested(label), nested(text)
    if (
        preview.text is not None
        and isinstance(found, list)
        and isinstance(words, list)
        and len(found) == len(words) > 0
        and not all(isinstance(tag, str) for tag in found)
    ):
        record = f'{{"tokens":{preview.parsed(preview.text, text)},"tags":[str(t) for t in {value}]}}'
        return file.refusal(
            f"{quoted(column.name)} holds tags that are not texts ({cut(label)})",
            f"{READS_WORDS}. To use the numbers as names, or yours in place of str(t): {file.as_json(record)}",
            line,
        )
    what = f"{quoted(column.name)} holds {'objects' if label.lstrip()[:1] == '{' else 'lists'} ({cut(label)})"
    if isinstance(found, list) and found and all(isinstance(item, str) for item in found):
        name = literal(column.name)
        first = file.as_json(f"{{**r,{name}:{value}[0]}}", where=value)
        several = preview.command("--task multilabel", preview.chosen_columns) if preview.purpose.trains else ""
        return file.refusal(
            f"{what}, but a classifier learns one label per text",
            f"{f'To learn all of them: {several}. ' if several else ''}To keep the first of each: {first}",
            line,
        )
    if listed_names(label) and are_indicators([listed_names(label) or []]):
        numbers = f"[str(k) for k,v in enumerate({value}) if v]"
        return file.refusal(
            f"{what} of 0 and 1, which do not say which label each stands for",
            f'rnncli reads names: {{{literal(column.name)}: ["action", "comedy"]}}. To use their places as names: '
            f"{file.as_json(f'{{**r,{literal(column.name)}:{numbers}}}')}",
            line,
        )
    hint = _names_of_objects(preview, column, label) or unfolded(preview, column, label)
    if preview.purpose.trains and column.lists_of_numbers and "." in column.example:
        hint = f"To predict the next values of each: {preview.command_for('forecast', command('--text', column.name))}"
    if hint:
        return file.refusal(f"{what}, but a label is a single name", hint, line)
    return file.refusal(
        f"{what}, but a label is a single name",
        f"{READS_WORDS}, or as one word and its tag per line (--format conll). {_words_of_spans(preview, found)}"
        f"If another column holds the labels: {preview.command('--label COLUMN')}",
        line,
    )


def _names_of_objects(preview: Preview, column: Column, label: str) -> str:
    """The command that makes of objects like ``{"id": 28, "name": "action"}`` their names; empty if they have none."""
    found = nested(label)
    first = found[0] if isinstance(found, list) and found else None
    named = [key for key, value in first.items() if isinstance(value, str)] if isinstance(first, dict) else []
    if len(named) != 1:
        return ""
    key = literal(named[0])
    names = preview.file.as_json(f"{{**r,{literal(column.name)}:[i[{key}] for i in {preview.parsed(column, label)}]}}")
    return f"To make labels of their {quoted(named[0])}: {names}"


def _words_of_spans(preview: Preview, found: object) -> str:
    """The command that tags the words of texts with spans like ``[0, 3, "PERSON"]``."""
    if preview.text is None or not isinstance(found, list) or not found:
        return ""
    first = found[0]
    if not isinstance(first, list | tuple) or [type(part) for part in first] != [int, int, str]:
        return ""
    return f"To tag the words of the spans: {preview.command_for('tag', preview.chosen_columns)}. "
