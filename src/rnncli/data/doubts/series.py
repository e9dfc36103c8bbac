"""Tables of numbers: series with a row a timestep, series with a row each, and what is neither."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rnncli.data.doubts.preview import Preview, cut, shown
from rnncli.data.formats.advice import command
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.joined import MOST_COLUMNS, ids_together, is_key, may_be_key
from rnncli.data.tables.long_form import LongForm, Said, recognize_long_form
from rnncli.data.tables.names import FILE, TIMES, label_rank, text_rank
from rnncli.data.tables.series_form import ids_of, times_of
from rnncli.data.tables.source import joined_names, names_in
from rnncli.data.tables.wide_form import Beside, Steps
from rnncli.errors import DataError, counted, listed, quoted

_TRIED = 8  # columns that may be left out: a table may have hundreds of words
_MOST_FILES = 40  # that are named one by one
_LABELS_IN_NAMES = tuple(way + r"(?:\.[A-Za-z]+)+" for way in (r"(.+?)[-_. ]*\d+", r"\d+[-_. ]+(.+?)"))
MANY_COLUMNS = 3  # of numbers: with so many, a table is not one of texts, even if a column has the name of a text


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
    readable = any(c.filled and not (c.numeric or c.dates or c.is_id) for c in others)
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
    hints = [] if label is None or label.fractions else _each_file(preview)
    if (label is None or label.fractions) and len(preview.names) > 1 and preview.purpose.trains:
        folders = "put the files of each label into a folder of its own, and name the folder of these folders"
        hints.append(_folder_of_labels(preview) or f"A series without a label teaches nothing: {folders}")
    if number is not None and preview.purpose.trains:
        hints.append(_predict_number(preview, number, label))
    hints.append(f"If a column holds texts nevertheless: {preview.command(preview.some_columns)}")
    return preview.file.refusal(f"no column holds texts: {listed(found)}", ". ".join(hints))


def unclear_id(preview: Preview, said: Said, found: LongForm | None) -> DataError | None:
    """A table of series, a row a timestep, of which only several columns together say which one a row belongs to.

    Args:
        found: what it would be read as, with an id of one column.
    """
    columns = preview.columns
    if said.id is not None or not columns or len(preview.rows) < 4:
        return None
    if found is not None and _is_alone(columns, found):
        return None
    for id, others in ids_together(columns):
        of_id = recognize_long_form([*others, id], replace(said, id=id.name))
        if of_id is None or not _is_alone([*others, id], of_id[0]) or 3 * len(id.distinct) > len(id.raw):
            continue
        form, parts = of_id[0], listed([quoted(name) for name in names_in(id.name)])
        label = [] if form.label is None or said.label is not None else ["--label", form.label]
        return preview.file.refusal(
            f"this looks like a table of series with one row per timestep, and {parts} together say which series a row "
            "belongs to",
            f"If they do: {preview.command(command('--id', id.name, *label))}",
        )
    return None


def _is_alone(columns: Sequence[Column], form: LongForm) -> bool:
    """Whether each sequence has each of its times once, and no column beside it says where another one begins."""
    by_name = {column.name: column for column in columns}
    if form.id is None:
        return True
    ids = by_name[form.id].values
    if form.time is not None:
        rows = list(zip(ids, by_name[form.time].values, strict=True))
        return len(set(rows)) == len(rows)
    keys = [by_name[name] for name in form.features if is_key(by_name[name])]
    return all(len(set(zip(ids, key.values, strict=True))) == len(set(ids)) for key in keys)


def label_changes(preview: Preview, said: Said) -> DataError | None:
    """A table of series, a row a timestep, whose label is not the same in all rows of a series."""
    columns = preview.columns
    if len(columns) > MOST_COLUMNS:
        return None
    found = recognize_long_form(columns, replace(said, label_changes=True))
    if found is not None:
        id, label = found[0].id, found[0].label
    else:
        id, label = None, _label_of_timesteps(columns, said)
    column = next((one for one in columns if one.name == label), None)
    if column is None or column.fractions:
        return None
    ids = next((one.values for one in columns if one.name == id), [""] * len(column.values))
    runs = 1 + sum(before != after for before, after in pairwise(zip(ids, column.values, strict=True)))
    if 2 * runs > len(column.values):
        return None
    id_at = None if id is None else preview.names.index(id)
    first: dict[str, tuple[int, str]] = {}
    for row, texts in zip(preview.rows, preview.sample, strict=True):
        of, value = "" if id_at is None else texts[id_at].strip(), texts[column.at].strip()
        line, before = first.setdefault(of, (row.line, value))
        if value and before and value != before:
            series = f"the series {quoted(of)}" if id is not None else "the series"
            what = f"{series} has {quoted(value)} in {quoted(column.name)} here, and {quoted(before)} at "
            return preview.file.refusal(
                f"{what}{preview.file.place(line)}, but a series has one label",
                f"To make each run of rows with the same label a series of its own: "
                f"{preview.file.runs(id, column.name, FILE)}",
                row.line,
            )
    return None


def _label_of_timesteps(columns: Sequence[Column], said: Said) -> str | None:
    """The label of a table of one series, of which only rows have labels; None where it is something else."""
    if said.id is not None or any(column.is_prose or column.nested for column in columns):
        return None
    time = next((one for one in times_of(columns) if said.time in (None, one.name)), None)
    words = [one for one in columns if one.repeats and not (one.numeric or one.dates) and len(one.distinct) > 1]
    named = [one for one in words if label_rank(one.name) is not None or one.name == said.label] or words
    numbers = [one for one in columns if one.numeric and one is not time and not one.is_id]
    return named[0].name if time is not None and len(named) == 1 and numbers else None


def time_twice(preview: Preview, task: str, time: Column, ids: Sequence[Column] = ()) -> DataError:
    """The refusal of a table in which a time has several rows.

    Args:
        task: that the commands name.
        ids: what may say which series each of them belongs to; a name may be that of several columns.
    """
    if ids:
        what = f"{shown(time)} has the same value in several rows, so these are several series"
        ways = "; or ".join(preview.command_for(task, command("--id", id.name)) for id in ids[:3])
        return preview.file.refusal(what, f"Name the column that says which series a row belongs to: {ways}")
    lines: dict[str, list[int]] = {}
    for row, texts in zip(preview.rows, preview.sample, strict=True):
        lines.setdefault(texts[time.at].strip(), []).append(row.line)
    value, (first, second, *_) = next((value, found) for value, found in lines.items() if len(found) > 1)
    what = f"{quoted(time.name)} has {cut(value)} here and at {preview.file.place(first)}"
    return preview.file.refusal(what, of_time_twice(preview, task, None, time.name, ()) or "", second)


def of_time_twice(
    preview: Preview, task: str, id: str | None, time: str | None, others: Sequence[str | None]
) -> str | None:
    """What to do where a series has a time twice: the column that tells two series apart, or the order of the file.

    Args:
        task: that the commands name; empty for none.
        id, time: the columns of the series.
        others: columns that are none of this.
    """
    if not preview.purpose.trains:
        return None
    named = f"--task {task}" if task else ""
    if id is None and len(preview.file.files) > 1:
        return f"To read each file as a series: {preview.command(named, command('--id', FILE))}"
    used = {time, *others, *((id, *names_in(id)) if id is not None else ())}
    keys = [one.name for one in preview.columns if one.name not in used and (is_key(one) or _stays(one))]
    if keys:
        names = (*(() if id is None else (id,) if id in preview.names else names_in(id)), *keys)
        hint = f"If {listed([quoted(name) for name in names])} say which series a row belongs to"
        return f"{hint}: {preview.command(named, command('--id', joined_names(names)))}"
    if time is None or any(option.startswith("--time ") for option in preview.file.options):
        return None
    hint = "To keep the rows in the order of the file, without their times"
    return f"{hint}: {preview.command(named, command('--ignore', time))}"


def _stays(column: Column) -> bool:
    """Whether the first rows have one value, of which later ones may have others: those of another series."""
    return may_be_key(column) and len(column.distinct) == 1


def _each_file(preview: Preview) -> list[str]:
    """The command that reads each of several files as a series, if there are such."""
    if len(preview.file.files) < 2 or FILE in preview.names or not preview.purpose.trains:
        return []
    return [f"If each file is a series: {preview.command(command('--id', FILE))}"]


def _folder_of_labels(preview: Preview) -> str | None:
    """The command that makes a folder of files for each label of the names ``walk_01.csv`` and ``sit_02.csv``."""
    file = preview.file
    names = [os.path.basename(path) for path in file.files]
    folder = file.path.rstrip("/") or "."
    whole = len(names) > _MOST_FILES or all(path == os.path.join(folder, os.path.basename(path)) for path in file.files)
    for way in _LABELS_IN_NAMES:
        found = [re.fullmatch(way, name) for name in names]
        labels = list(dict.fromkeys(one[1] for one in found if one is not None))
        if not all(found) or not 2 <= len(labels) <= len(names) / 2:
            continue
        script = (
            "import os,re,shutil,sys;[shutil.copy(f,d) for f in sys.argv[2:] for d in [os.path.join(sys.argv[1],"
            f"re.fullmatch({way!r},os.path.basename(f))[1])] if not os.makedirs(d,exist_ok=True)]"
        )
        made = "data-2" if folder == "." or not whole else f"{folder}-2"
        copied = f"{shlex.quote(folder)}/*" if whole else command(*file.files)
        shown = listed([quoted(label) for label in labels[:4]]) + (", …" if len(labels) > 4 else "")
        train = " ".join([file.reader, shlex.quote(made)])
        return (
            f"If the names of the files say their labels ({shown}): "
            f"{command('python3', '-c', script, made)} {copied} && {train}"
        )
    return None


def _predict_number(preview: Preview, number: Column, label: Column | None) -> str:
    """The commands that predict a number of each row, or the next ones."""
    ids = [] if times_of(preview.columns) else [one.name for one in ids_of(preview.besides(number))[:1]]
    if len(preview.file.files) > 1 and not ids and FILE not in preview.names:
        ids = [FILE]
    times = {one.name for one in times_of(preview.columns)} | set(TIMES)
    named = command(*(("--id", ids[0]) if ids else ()), "--label", number.name)
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
    forecast = f"the next values: {preview.command_for('forecast', named)}"
    return f"To predict a number of each row: {regress}; {forecast}" if regress else f"To predict {forecast}"


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
    words = [c for c in columns if c.repeats and not (c.numeric or c.dates) and c.words < 3]
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
    hints = _each_file(preview)
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
    hint = "; ".join([*_each_file(preview), hint])
    if not label.numeric and preview.purpose.trains:
        described = preview.command("--task caption", command("--label", label.name))
        hint = f"{hint}; if {quoted(label.name)} is a text that is to be written: {described}"
    return preview.file.refusal(
        f"{counted(len(names), 'column')} of numbers ({names[0]} to {names[-1]}) may be the timesteps of a series, or "
        "measure different things",
        hint,
    )


def either_label(preview: Preview, columns: Sequence[Column], apart: bool = True) -> DataError:
    """The refusal of a table of series of which several columns may hold the labels.

    Args:
        apart: whether the others are no timesteps, and are to be left out.
    """
    ways = []
    for column in columns[:3]:
        others = ",".join(other.name for other in columns if other is not column) if apart else ""
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
