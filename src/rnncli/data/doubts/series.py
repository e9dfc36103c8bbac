"""Tables of numbers: series with a row a timestep, series with a row each, and what is neither."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.data.doubts.preview import Preview, cut, literal, shown
from rnncli.data.doubts.timesteps import each_file, folder_of_labels
from rnncli.data.formats.advice import command
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.long_columns import Said, is_constant, recognize_long_form
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.names import AMOUNTS, DESCRIPTIONS, FILE, TIME_WORDS, TIMES, label_rank, mentions, text_rank
from rnncli.data.tables.series_form import ids_of, times_of
from rnncli.data.tables.source import names_in
from rnncli.data.tables.wide_form import Beside, Steps
from rnncli.errors import DataError, counted, listed, quoted

_TRIED = 8  # columns that may be left out: a table may have hundreds of words
MANY_COLUMNS = 3  # of numbers: with so many, a table is not one of texts, even if a column has the name of a text


def amounts(preview: Preview) -> DataError | None:
    """A table of measurements, some of which are written with a currency, a percent sign or a unit."""
    columns = preview.columns
    if any(one.is_prose or one.nested or text_rank(one.name) in (0, 1) for one in columns):
        return None
    if not any(one.dates or mentions(one.name, TIME_WORDS) for one in columns):
        return None
    found = [column for column in columns if column.amounts]
    return unread_amounts(preview, found) if found and preview.purpose.trains else None


def unread_amounts(preview: Preview, found: Sequence[Column], others: Sequence[Column] = ()) -> DataError:
    """The refusal of columns of amounts, which are no numbers.

    Args:
        others: columns of numbers, of which one may be predicted nevertheless.
    """
    ways = [preview.command_for("forecast", command("--label", column.name)) for column in others[:3]]
    hints = [f"to predict the next values of another column: {'; or '.join(ways)}"] * bool(ways)
    if not any(value[-1:].lower() in ("k", "m", "b") for column in found for value in column.filled):
        names = ",".join(literal(column.name) for column in found)
        made = preview.file.as_json(f'{{k:re.sub(r"[^0-9.,+-]","",v) if k in ({names},) else v for k,v in r.items()}}')
        hints.append(f"to write the amounts as numbers: {made}")
    left_out = command("--ignore", ",".join(column.name for column in found))
    hint = "; ".join(hints) or f"to leave them out: {preview.command(left_out)}"
    return preview.file.refusal(
        f"{listed([shown(column) for column in found[:4]])} hold{'s' * (len(found) == 1)} amounts, which are not read "
        "as numbers",
        hint[:1].upper() + hint[1:],
    )


def series_as_texts(preview: Preview) -> DataError | None:
    """A table of series, a row a timestep, if a column of words were left out that are too many to be categories."""
    columns = preview.columns
    if len(preview.sample) < 4:
        return None
    for column in columns:
        if column.numeric and column.repeats and not column.fractions and not column.is_id:
            found = recognize_long_form(columns, Said(column.name))
            if found is not None and column.name not in TIMES:
                return _refuse_unlabelled(preview, found[0], column)
    words = [column for column in columns if not (column.numeric or column.dates) and column.filled]
    words = [column for column in words if not column.is_prose or text_rank(column.name) is None]
    for column in words[:_TRIED]:
        found = recognize_long_form(preview.besides(column), Said())
        if found is not None and (found[0].time is not None or not column.is_prose):
            return _refuse_series(preview, found[0], column)
    return None


def nothing_to_read(preview: Preview) -> DataError | None:
    """A table without texts: only numbers, dates and ids stand beside what could be the label."""
    columns = preview.columns
    if len(columns) < 2 or not preview.rows:
        return None
    if any(text_rank(column.name) in (0, 1) and not column.dates for column in columns):
        return None
    label = _likely_label(columns)
    others = preview.besides(label)
    numeric = [column for column in others if column.numeric]
    dates = [column for column in others if column.dates and not column.numeric]
    readable = any((len(c.distinct) > 1 or len(c.raw) == 1) and not (c.numeric or c.dates or c.is_id) for c in others)
    if readable or not (numeric or dates):
        return None
    values = [column for column in numeric if not column.is_id]
    if label is not None and len(values) >= MANY_COLUMNS and not label.fractions:
        return _refuse_wide(preview, values, label, None)
    found = [f"{shown(column)} holds dates" for column in dates[:1]]
    measured = [*(values or numeric)[:1], *(values[-1:] if label is None else [label])]
    found += [f"{shown(column)} holds numbers" for column in dict.fromkeys(measured) if column.numeric]
    numbers = [label] if label is not None and label.numeric else values or numeric
    number = numbers[-1] if numbers else None
    hints = [] if label is None or label.fractions else each_file(preview)
    if (label is None or label.fractions) and len(preview.names) > 1 and preview.purpose.trains:
        labels = "put the files of each label into a folder of its own, and name the folder of these folders"
        if len(preview.file.files) < 2:
            labels = "add a column with the label of each series"
        hints.append(folder_of_labels(preview) or f"A series without a label teaches nothing: {labels}")
    if number is not None and preview.purpose.trains:
        hints += _predict_number(preview, number, label)
    hints.append(f"If a column holds texts nevertheless: {preview.command(preview.some_columns)}")
    return preview.file.refusal(f"no column holds texts: {listed(found)}", ". ".join(hints))


def _predict_number(preview: Preview, number: Column, label: Column | None) -> list[str]:
    """The commands that predict a number of each row, or the next ones."""
    ids = [] if times_of(preview.columns) else [one.name for one in ids_of(preview.besides(number))[:1]]
    if len(preview.file.files) > 1 and not ids and FILE not in preview.names:
        ids = [FILE]
    times = {one.name for one in times_of(preview.columns)} | set(TIMES)
    of_ids = ("--id", ids[0]) if ids else ()
    named = command(*of_ids, "--label", number.name)
    of_id = {name for id in ids for name in (id, *names_in(id))}
    others = [column for column in preview.besides(number, label) if column.numeric and not column.is_id]
    others = [column for column in others if column.name not in of_id | times]
    regress = ""
    if ids or times_of(preview.columns):
        words = [one.name for one in preview.besides(*others) if not (one.numeric or one.dates or one.name in of_id)]
        left_out = command("--ignore", ",".join(words)) if words else ""
        regress = preview.command_for("regress", left_out, named) if others else ""
    elif len(others) > 1:
        regress = preview.command_for("regress", command("--features", ",".join(c.name for c in others)), named)
    hints = [f"a number of each row: {regress}"] if regress else []
    by_id = [one for one in preview.columns if one.name in ids]
    changing = [one for one in (number, *reversed(others)) if not any(is_constant(id, one) for id in by_id)]
    if changing:  # a series of one number over and over has no next values
        forecast = preview.command_for("forecast", command(*of_ids, "--label", changing[0].name))
        hints.append(f"the next values: {forecast}")
    return [f"To predict {'; '.join(hints)}"] if hints else []


def words_beside_numbers(preview: Preview) -> DataError | None:
    """A column that is not prose is read as the text, and columns of numbers beside it would be ignored."""
    text, label = preview.text, preview.label
    if text is None or text.is_prose:
        return None
    rank = text_rank(text.name)
    if label is None and rank in (0, 1) and not text.dates:
        return None  # no labels are read, and so nothing is learned from it
    if text.dates or (text.numeric and (text.fractions or rank not in (0, 1))):
        return preview.file.refusal(
            f"{shown(text)} would be read as the text, but it holds {'dates' if text.dates else 'numbers'}",
            f"Name the columns that you mean: {preview.command(preview.some_columns)}",
        )
    others = preview.besides(text, label)
    numbers = [column for column in others if column.numeric and not column.is_id and label_rank(column.name) is None]
    fractions = any(column.fractions for column in numbers)
    least = (1 if fractions else 2) if rank is None else MANY_COLUMNS if fractions else MANY_COLUMNS + 2
    return _refuse_wide(preview, numbers, label, text) if len(numbers) >= least else None


def _likely_label(columns: Sequence[Column]) -> Column | None:
    """The first column whose name says most clearly that it holds labels, or the only one of words that repeat."""
    best = best_named(columns, label_rank)
    if best:
        return best[0]
    words = [c for c in columns if c.repeats and not (c.numeric or c.dates or c.is_id) and c.words < 3]
    words = [column for column in words if len(column.distinct) > 1]
    return words[0] if len(words) == 1 else None


def _refuse_unlabelled(preview: Preview, form: LongForm, label: Column) -> DataError:
    """The refusal of a table of series of which a column of whole numbers may be the label."""
    return preview.file.refusal(
        f"this looks like a table of series with one row per timestep ({form.sentence}), but nothing says that "
        f"{shown(label)} is their label",
        f"If it is: {preview.command(command('--label', label.name))}",
    )


def _refuse_series(preview: Preview, form: LongForm, left_out: Column) -> DataError:
    """The refusal of a table that would be one of series without a column."""
    ignored = command("--ignore", left_out.name)
    read = preview.command(ignored, command("--label", form.label or "label"))
    others = [column for column in preview.columns if column.name != form.label]
    if left_out.repeats and recognize_long_form(others, Said(left_out.name, form.id)) is not None:
        either = command("--ignore", form.label or "label")
        read = f"{read} or {preview.command(either, command('--label', left_out.name))}"
    texts = preview.some_columns
    if left_out.is_prose and form.label is not None:
        texts = preview.command(command("--text", left_out.name, "--label", form.label))
    return preview.file.refusal(
        f"this looks like a table of series with one row per timestep ({form.sentence}), but {quoted(left_out.name)} "
        f"holds {'texts' if left_out.is_prose else 'words'} ({cut(left_out.example)})",
        f"To read series: {read}. To read texts, name the columns: {texts}",
    )


def _refuse_wide(preview: Preview, values: Sequence[Column], label: Column | None, text: Column | None) -> DataError:
    """The refusal of rows of numbers: each is a series, or there is nothing that rnncli learns."""
    first, last = values[0].name, values[-1].name
    numbers = f"{counted(len(values), 'column')} of numbers ({first}" + (f" to {last})" if last != first else ")")
    hints = each_file(preview)
    if len(values) >= MANY_COLUMNS and label is not None:
        hints.append(f"If each row is a series: {_read_wide(preview, values, label)}")
    if text is None:
        what = f"{numbers} and no text"
    else:
        what = f"{numbers} would be ignored, and the text would be {shown(text)}"
        hints.append(f"{'if' if hints else 'If'} you mean the text: {preview.command(preview.chosen_columns)}")
    return preview.file.refusal(what, "; ".join(hints) or f"Name the columns: {preview.command(preview.some_columns)}")


def _read_wide(preview: Preview, values: Sequence[Column], label: Column) -> str:
    """The command that reads each row as a series of the values of these columns."""
    places = [column.at for column in values]
    names = [column.name for column in values]
    together = places == list(range(places[0], places[0] + len(places)))
    features = f"{names[0]}:{names[-1]}" if together else ",".join(names)
    return preview.command(command("--features", features, "--label", label.name))


def features_or_series(preview: Preview, values: Sequence[Column], label: Column) -> DataError:
    """The refusal of rows of numbers that may be series, or measurements of different things."""
    names = [column.name for column in values]
    hint = f"If each row is a series: {_read_wide(preview, values, label)}"
    hint = "; ".join([*each_file(preview), hint])
    if not label.numeric and preview.purpose.trains:
        described = preview.command("--task caption", command("--label", label.name))
        hint = f"{hint}; if {quoted(label.name)} is a text that is to be written: {described}"
    return preview.file.refusal(
        f"{counted(len(names), 'column')} of numbers ({names[0]} to {names[-1]}) may be the timesteps of a series, or "
        "measure different things",
        hint,
    )


def described_or_predicted(preview: Preview, numbers: Sequence[str], text: str | None) -> DataError | None:
    """Numbers beside a text that need not describe them: those of a tweet say how it was liked.

    Args:
        numbers: the names of their columns.
        text: that of the text's.
    """
    if text is None or not preview.purpose.trains:
        return None
    amount = next((name for name in numbers if mentions(name, AMOUNTS)), None)
    if amount is None and text.strip().lower() in DESCRIPTIONS:
        return None
    number = amount or numbers[0]
    predicted = preview.command_for("regress", command("--text", text, "--label", number))
    written = preview.command_for("caption", command("--label", text))
    shown = listed([quoted(name) for name in numbers[:3]])
    return preview.file.refusal(
        f"beside the texts in {quoted(text)} stand numbers ({shown}), and it is not clear which are to be predicted",
        f"To predict {quoted(number)}: {predicted}; to write the texts from the numbers: {written}",
    )


def either_label(
    preview: Preview, columns: Sequence[Column], unclear: Sequence[Column] = (), apart: bool = True
) -> DataError:
    """The refusal of a table of series of which several columns may hold the labels.

    Args:
        unclear: columns of which it is not clear what they are for.
        apart: whether the others are no timesteps, and are to be left out.
    """
    ways = []
    for column in columns[:3]:
        left_out = [other.name for other in (*columns, *unclear) if other is not column]
        others = ",".join(left_out) if apart else ""
        ways.append(preview.command(command("--ignore", others) if others else "", command("--label", column.name)))
    choices = " or ".join(ways)
    return preview.file.refusal(
        f"each row looks like a series, and its label may be in {listed([shown(column) for column in columns])}",
        f"Name the column of the labels: {choices}",
    )


def unclear_columns(preview: Preview, steps: Steps, beside: Beside) -> DataError:
    """The refusal of a table of series with more columns of which it is not clear what they are for."""
    label = command("--label", beside.label.name) if beside.label is not None else ""
    ignored = command("--ignore", ",".join(column.name for column in beside.unclear))
    named = listed([shown(column) for column in beside.unclear[:4]])
    return preview.file.refusal(
        f"each row looks like a series ({steps.listed}), but {named} {'is' if len(beside.unclear) == 1 else 'are'} no "
        "timestep",
        f"To read the series alone: {preview.command(ignored, label)}",
    )
