"""Tables of numbers: series with a row a timestep, series with a row each, and what is none."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from rnncli.data.doubts.look import Look, cut, is_id, named
from rnncli.data.formats.advice import command
from rnncli.data.tables.columns import label_rank, text_rank, words_of
from rnncli.data.tables.facts import is_missing
from rnncli.data.tables.header import READS_SERIES
from rnncli.data.tables.long_form import LongForm, guess_long_form
from rnncli.errors import DataError, counted, quoted

MANY_COLUMNS = 3  # of numbers, that are no table of texts even where a column has the name of a text
_GROUP_WORDS = frozenset(
    """
    id ids seq sequence series recording trial session episode machine sensor device unit subject patient user engine
    station vehicle run sample window track experiment channel
    """.split()  # noqa: SIM905
)


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
    if any(look.facts[at].filled and not is_id(look, at) for at in others) or not (numeric or dates):
        return None
    values = [at for at in numeric if not is_id(look, at)]
    if label is not None and len(values) >= MANY_COLUMNS and not look.facts[label].fractions:
        return _refuse_wide(look, values, label, None)
    seen = [f"{look.shown(at)} holds dates" for at in dates[:1]]
    measured = [*(values or numeric)[:1], *(values[-1:] if label is None else [label])]
    seen += [f"{look.shown(at)} holds numbers" for at in dict.fromkeys(measured) if look.facts[at].numeric]
    return look.file.refusal(
        f"no column holds texts: {' and '.join(seen)}",
        "rnncli learns the label of a text or of a series, and forecasts no numbers yet. If a column is a text all the "
        f"same: {look.command(look.some_columns)}",
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
    numbers = [at for at in numbers if not is_id(look, at) and label_rank(look.columns[at]) is None]
    if of.dates or (of.numeric and (of.fractions or text_rank(of.name) not in (0, 1))):
        what = "dates" if of.dates else "numbers"
        return look.file.refusal(
            f"{look.shown(text)} would be read as the text, and holds {what}",
            f"Name the columns that are meant: {look.command(look.some_columns)}",
        )
    fractions = any(look.facts[at].fractions for at in numbers)
    least = 1 if fractions else 2
    if text_rank(of.name) is not None:
        least = MANY_COLUMNS if fractions else MANY_COLUMNS + 2
    if len(numbers) < least:
        return None
    return _refuse_wide(look, numbers, look.label, text)


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
    sample = look.sample
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
        made = look.file.piped(f"sed {shlex.quote(f'1s{mark}{renamed}{mark}id{mark}')}", look.file.format.name)
        steps.append(made)
    for name in left_out:
        kind = "dates" if facts[name].dates else "words"
        seen.append(f"{quoted(name)} holds {kind} ({cut(facts[name].example)})")
    file = look.file.quoted if renamed is None else look.file.made(look.file.format.name)
    options = ["--ignore " + shlex.quote(",".join(left_out))] if left_out else []
    steps.append(look.command(*options, command("--label", form.label or "label"), file=file))
    ordered = " if the rows are in order" if any(facts[name].dates for name in left_out) else ""
    texts = f"as texts, name the columns: {look.some_columns}"
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
    if len(values) >= MANY_COLUMNS and label is not None:
        hints.append(f"{READS_SERIES}. If a row is one: {_series_of_columns(look, values, label)}")
    if text is not None:
        hints.append(f"{'If' if not hints else 'if'} the text is meant: {look.command(*named(look))}")
    return look.file.refusal(what, "; ".join(hints) or f"Name the columns: {look.command(look.some_columns)}")


def _series_of_columns(look: Look, values: Sequence[int], label: int) -> str:
    """The command that makes a series of each row."""
    others = [look.columns[at] for at in range(len(look.columns)) if at not in values]
    value = "r[k]" if look.file.format.typed else "float(r[k])"
    ends = _end_in_missing([[texts[at] for at in values] for texts in look.sample])
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
