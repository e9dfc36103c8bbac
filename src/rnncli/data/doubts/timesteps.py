"""Rows that are the timesteps of series: which series each belongs to, its time, its label, and a file for each."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rnncli.data.doubts.preview import Preview, cut, shown
from rnncli.data.formats.advice import command
from rnncli.data.tables.column import Column
from rnncli.data.tables.joined import MOST_COLUMNS, ids_together, is_key, may_be_key
from rnncli.data.tables.long_columns import Said, recognize_long_form
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.names import FILE, label_rank
from rnncli.data.tables.series_form import times_of
from rnncli.data.tables.source import joined_names, names_in
from rnncli.errors import DataError, listed, quoted

_MOST_FILES = 40  # that are named one by one
_LABELS_IN_NAMES = tuple(way + r"(?:\.[A-Za-z]+)+" for way in (r"(.+?)[-_. ]*\d+", r"\d+[-_. ]+(.+?)"))


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
        if any(_is_alone(columns, replace(of_id[0], id=name)) for name in names_in(id.name) if of_id[0].time):
            continue
        form, parts = of_id[0], listed([quoted(name) for name in names_in(id.name)])
        label = [] if form.label is None or said.label is not None else ["--label", form.label]
        hints = [f"If they do: {preview.command(command('--id', id.name, *label))}"]
        if found is not None and found.id is not None and found.time is None:
            hints.append(f"if {quoted(found.id)} alone does: {preview.command(command('--id', found.id, *label))}")
        if form.time is not None and form.numeric and said.label is None:
            forecast = preview.command_for("forecast", command("--id", id.name, "--label", form.numeric[-1]))
            hints.append(f"to predict the next values: {forecast}")
        return preview.file.refusal(
            f"this looks like a table of series with one row per timestep, and {parts} together say which series a row "
            "belongs to",
            "; ".join(hints),
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


def each_file(preview: Preview) -> list[str]:
    """The command that reads each of several files as a series, if there are such."""
    if len(preview.file.files) < 2 or FILE in preview.names or not preview.purpose.trains:
        return []
    return [f"If each file is a series: {preview.command(command('--id', FILE))}"]


def folder_of_labels(preview: Preview) -> str | None:
    """The command that makes a folder of files for each label of the names ``walk_01.csv`` and ``sit_02.csv``."""
    files, folder = preview.file.files, preview.file.path
    names = [os.path.basename(path) for path in files]
    whole = all(os.path.dirname(path) == folder.rstrip("/") for path in files)
    if len(files) > _MOST_FILES and not whole:
        return None
    for way in _LABELS_IN_NAMES:
        found = [re.fullmatch(way, name) for name in names]
        labels = list(dict.fromkeys(one[1] for one in found if one is not None))
        if not all(found) or not 2 <= len(labels) <= len(names) / 2:
            continue
        script = (
            "import os,re,shutil,sys;[shutil.copy(f,d) for f in sys.argv[2:] for d in [os.path.join(sys.argv[1],"
            f"re.fullmatch({way!r},os.path.basename(f))[1])] if not os.makedirs(d,exist_ok=True)]"
        )
        made = f"{folder.rstrip('/')}-2" if whole else "data-2"
        copied = f"{shlex.quote(folder.rstrip('/'))}/*" if whole else command(*files)
        listing = listed([quoted(label) for label in labels[:4]]) + (", …" if len(labels) > 4 else "")
        train = preview.command(file=shlex.quote(made))
        shell = f"{command('python3', '-c', script, made)} {copied} && {train}"
        return f"If the names of the files say their labels ({listing}): {shell}"
    return None
