"""Columns of which it cannot be told which is the text or the label, with the commands that name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.data.doubts.preview import Preview
from rnncli.data.doubts.texts import words_as_text
from rnncli.data.formats.advice import command
from rnncli.data.tables.column import Column
from rnncli.data.tables.columns import Unclear, choose_columns
from rnncli.data.tables.facts import is_amount, mostly
from rnncli.data.tables.names import text_rank
from rnncli.data.tables.source import joined_names
from rnncli.errors import DataError, quoted

_CHOICES = 3  # commands in a message


def unclear_columns(preview: Preview, unclear: Unclear, text: str | None, label: str | None) -> DataError:
    """The refusal of a table of which the columns cannot be told apart, with a command for each likely choice.

    Args:
        text, label: the columns that the user named.
    """
    if not unclear.role or not preview.purpose.trains:
        return unclear
    named = {"text": text, "label": label}
    if unclear.role == "label" and not unclear.likely:
        found = choose_columns(preview.names, preview.sample, text=text, need_label=False)
        nested = words_as_text(preview.choose(found.text, None))
        return nested or preview.file.refusal(unclear.message, _without_label(preview, preview.columns[found.text]))
    task = "seq2seq" if preview.task == "auto" and _are_pairs(preview) else None
    choices = list(dict.fromkeys(_choices(preview, unclear, named)))[:_CHOICES]
    if not choices and any(one.dates for one in preview.columns) and not any(one.is_prose for one in preview.columns):
        numbers = [one for one in preview.columns if one.numeric and not one.is_id][:_CHOICES]
        ahead = "; or ".join(preview.command_for("forecast", command("--label", one.name)) for one in numbers)
        return preview.file.refusal(unclear.message, f"To predict the next numbers: {ahead}") if numbers else unclear
    if not choices:
        return unclear
    commands = (preview.command_for(task, choice) if task else preview.command(choice) for choice in choices)
    return preview.file.refusal(unclear.message, f"Name it: {'; or '.join(commands)}")


def _choices(preview: Preview, unclear: Unclear, named: dict[str, str | None]) -> Iterator[str]:
    """The options that name the columns, with each of the likely ones: those that repeat values first, as labels do."""
    likely = [column for column in preview.columns if column.name in unclear.likely and column.filled]
    likely = [column for column in likely if not (column.dates or mostly(map(is_amount, column.filled)))]
    if unclear.role == "label":
        likely.sort(key=lambda column: (not column.repeats, text_rank(column.name) is not None))
    else:
        likely = [column for column in likely if not column.nested] or likely
    ways = [way for column in likely for way in _completed(preview, named | {unclear.role: column.name}, likely)]
    yield from ways[: _CHOICES - 1]
    texts = [column.name for column in likely if column.is_prose]
    if unclear.role == "text" and ways and len(texts) > 1 and not _are_pairs(preview):  # a sentence, and what follows
        first, both = (command("--text", name) for name in (texts[0], joined_names(texts[:2])))
        yield from (way.replace(first, both, 1) for way in ways[:1] if way.startswith(f"{first} "))
    yield from ways


def _completed(preview: Preview, named: dict[str, str | None], likely: Sequence[Column]) -> Iterator[str]:
    """The options that name text and label, where one of them is known, and the other is that or may be any."""
    names, sample = preview.names, preview.sample
    try:
        found = choose_columns(names, sample, text=named["text"], label=named["label"])
    except DataError:
        for column in likely if len(likely) > 1 else (one for one in preview.columns if one.repeats):
            if named["label"] is None and column.name != named["text"]:
                yield _naming(preview, names.index(str(named["text"])), column.at)
        return
    if found.label is not None and not preview.columns[found.text].dates:
        yield _naming(preview, found.text, found.label)


def _naming(preview: Preview, text: int, label: int) -> str:
    """The options that name two columns: where one lacks values, such rows are left out; prose is to be written."""
    columns = [preview.columns[at] for at in (text, label)]
    more = [] if all(all(column.values) for column in columns) else ["--skip-bad"]
    if preview.task == "auto" and columns[1].is_prose and not columns[1].repeats and not _are_pairs(preview):
        more += ["--task", "seq2seq"]
    return command("--text", columns[0].name, "--label", columns[1].name, *more)


def _are_pairs(preview: Preview) -> bool:
    """Whether there are two columns, and none of them holds labels: one is to be written from the other."""
    return len(preview.columns) == 2 and not any(
        one.numeric or one.dates or one.nested or 2 * len(one.distinct) <= len(one.values) for one in preview.columns
    )


def _without_label(preview: Preview, column: Column) -> str:
    """What to do with texts that have no label."""
    text = column.name
    if column.lists_of_numbers or column.example.startswith("[["):
        ahead = preview.command_for("forecast", command("--text", text))
        next_ones = f"To predict the next values of each series: {ahead}; to" if column.lists_of_numbers else "To"
        return f"{next_ones} learn labels, add a column with the label of each series"
    written = preview.command_for("lm", command("--text", text))
    numbers = [one for one in preview.besides(column) if one.numeric and not one.is_id]
    predicted = [preview.command_for("regress", command("--text", text, "--label", one.name)) for one in numbers[:1]]
    add = "to learn labels, add a column with the label of each text"
    first = "".join(f"To predict {quoted(numbers[0].name)}: {one}. " for one in predicted)
    return f"{first}To learn to write texts like those of {quoted(text)}: {written}; {add}"
