"""Columns that do not hold texts, or not the only texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from rnncli.data.doubts.labels import READS_WORDS
from rnncli.data.doubts.preview import Known, Preview, cell, cut, literal, shown, unfolded
from rnncli.data.formats.advice import command
from rnncli.data.formats.values import is_json
from rnncli.data.tables.column import Column
from rnncli.data.tables.described import described_numbers
from rnncli.data.tables.facts import are_tags, is_bio, is_nested, mostly, nested, numbers_in
from rnncli.data.tables.names import SECOND_TEXTS, SENTENCES, ends_in, label_rank, mentions, text_rank
from rnncli.data.tables.several import indicator_columns
from rnncli.data.tables.source import joined_names
from rnncli.errors import DataError, listed, quoted

_PAIRED = 6  # columns of which each is compared with the others
# What Prodigy writes of each record, and what it is called there.
_ANSWER, _ACCEPTED, _NOT_ACCEPTED = "answer", "accept", frozenset(("reject", "ignore"))


def holds_series(column: Column) -> bool:
    """Whether the values are rows of numbers with decimals, ``0.1 0.2 -0.45``: a series in each cell."""
    return column.lists_of_numbers and any("." in part for one in column.filled for part in numbers_in(one))


def either_series(preview: Preview, columns: Sequence[Column]) -> DataError:
    """The refusal of a table with a series in several cells of each row."""
    label = [] if preview.label is None else ["--label", preview.label.name]
    choices = " or ".join(preview.command(command("--features", column.name, *label)) for column in columns[:3])
    together = ""
    lengths = [[len(numbers_in(value)) for value in column.filled] for column in columns]
    if all(one == lengths[0] for one in lengths) and preview.purpose.trains:
        rows = ",".join(preview.numbers(column) for column in columns)
        left = ",".join(literal(column.name) for column in columns)
        made = preview.file.as_json(
            f'{{**{{k:v for k,v in r.items() if k not in ({left})}},"sequence":[*zip({rows})]}}'
        )
        together = f". To read them as {len(columns)} numbers of each timestep: {made}"
    return preview.file.refusal(
        f"{len(columns)} columns hold rows of numbers, {listed([shown(column) for column in columns[:4]])}, and one of "
        "them is read",
        f"Choose one: {choices}{together}",
    )


def several_series(preview: Preview) -> DataError | None:
    """Columns of lists of numbers, of which one would be read."""
    if not (preview.purpose.trains or preview.purpose.numbers) or preview.has_targets:
        return None
    found = [column for column in preview.columns if holds_series(column)]
    labels = [one for one in preview.besides(*found) if label_rank(one.name) is not None and not one.nested]
    label = labels[0].at if len(labels) == 1 else None
    return either_series(preview.choose(None, label), found) if len(found) > 1 else None


def numbers_as_words(preview: Preview) -> DataError | None:
    """A text that is a row of numbers: read as words, 0.1 is a 0, a point and a 1."""
    text, label, purpose = preview.text, preview.label, preview.purpose
    if text is None or not text.lists_of_numbers or purpose.numbers:
        return None
    value = text.filled[0]
    if value[:1] == "[" and is_json(value):
        return None  # read as the numbers that they are
    known = purpose.knows is None or purpose.knows(value)
    if Known.TEXT in preview.named and (purpose.task_named or (known and not purpose.trains)):
        return None
    if preview.has_targets and not holds_series(text):
        return None  # symbols
    words = f"To read words: {preview.command_for('classify', preview.chosen_columns)}"
    labelled = [] if label is None else ["--label", label.name]
    series = preview.command(command("--features", text.name, *labelled))
    return preview.file.refusal(
        f"{quoted(text.name)} holds rows of numbers ({cut(value)}), which would be read as words",
        f"To read series: {series}. {words}" if purpose.trains else words,
        preview.line_of(text, value),
    )


def rejected(preview: Preview) -> DataError | None:
    """Records that somebody has looked at and rejected, or passed over: what they hold is not to be learned."""
    answers = next((column for column in preview.columns if column.name.strip().lower() == _ANSWER), None)
    if answers is None or not preview.purpose.trains or _ACCEPTED not in answers.distinct:
        return None
    others = answers.distinct - {_ACCEPTED}
    if not others or not others <= _NOT_ACCEPTED:
        return None
    kept = preview.file.filtered(f"{cell(answers)}=={literal(_ACCEPTED)}")
    return preview.file.refusal(
        f"{quoted(answers.name)} says which records were accepted, and not all of them were ({listed(sorted(others))})",
        f"To keep those that were accepted: {kept}; to learn all: {preview.command(command('--ignore', answers.name))}",
    )


def second_text(preview: Preview) -> DataError | None:
    """Another column of texts, which would be ignored."""
    text, label = preview.text, preview.label
    if text is None:
        return None

    def reads(texts: str, filled: bool = True) -> str:
        labels = () if label is None else ("--label", label.name)
        return preview.command(command("--text", texts, *labels, *(() if filled else ("--skip-bad",))))

    for column in preview.besides(text, label):
        if 2 * len(column.distinct) <= len(column.values):
            continue
        if label is None and label_rank(column.name) is not None:
            continue  # perhaps the label, which does not matter where none are read
        named = text_rank(column.name) is not None or ends_in(column.name, SECOND_TEXTS)
        least = 2 if named and column.name.strip().lower() != "name" else 3.5
        if column.words < least or column.dates or column.numeric or column.nested or column.lists_of_numbers:
            continue
        both = joined_names(one.name for one in sorted((text, column), key=lambda one: one.at))
        return preview.file.refusal(
            f"two columns hold texts, {shown(text)} and {shown(column)}, and it is not clear which is to be read",
            f"One of them: {'; or '.join(reads(one.name, all(one.values)) for one in (text, column))}; "
            f"or both, joined: {reads(both)}",
        )
    return None


def only_texts(preview: Preview) -> DataError | None:
    """The only column is one of texts: what is missing is a label, or what is meant is a model of the texts."""
    if len(preview.columns) != 1 or preview.has_targets or not preview.rows:
        return None
    (column,) = preview.columns
    what = f"the only column is {quoted(column.name)}, but a text and a label are needed"
    if column.nested:
        kind = "objects" if column.example[:1] == "{" else "lists"
        return preview.file.refusal(f"{what}, and it holds {kind}", _pair_in(preview))
    if column.numeric and preview.purpose.trains:
        return preview.file.refusal(what, f"To predict the next of its numbers: {preview.command_for('forecast')}")
    return preview.file.refusal(
        what,
        f"To learn to write such texts: {preview.command_for('lm')}; to learn labels, add a column with the label of "
        "each text",
    )


def _pair_in(preview: Preview) -> str:
    """What to do with a column of lists or objects: of two texts each, the command that makes columns of them."""
    (column,) = preview.columns
    found = nested(column.example)
    if not isinstance(found, dict) or not {len(name) for name in found} <= {2, 3} or len(found) != 2:  # en, de
        return unfolded(preview, column, column.example) or (
            f'rnncli reads {{{literal(column.name)}: "so it is", "label": "good"}}'
        )
    source, target = (f"{preview.parsed(column, column.example)}[{literal(key)}]" for key in found)
    made = preview.file.as_json(f'{{"source":{source},"target":{target}}}')
    return f"To make pairs of a source and its target of them: {made}"


def direction(preview: Preview) -> DataError | None:
    """Two columns, and neither their names nor the user say which is the source and which the target."""
    text, label = preview.text, preview.label
    if preview.task != "seq2seq" or text is None or label is None:
        return None
    if text_rank(text.name) is not None or label_rank(label.name) is not None:
        return None
    columns = command("--text", preview.names[0], "--label", preview.names[1])
    return preview.file.refusal(
        f"cannot tell which column is the source and which is the target, {quoted(text.name)} or {quoted(label.name)}",
        f"Name them: {preview.command_for('seq2seq', columns)}",
    )


def list_as_text(preview: Preview) -> DataError | None:
    """A text that is a list of words or an object, with one label: its brackets and quotes would be learned."""
    text, label = preview.text, preview.label
    if text is None or not text.nested:
        return None
    if label.nested if label is not None else preview.purpose.lists or preview.holds_tagged_words:
        return None
    return words_as_text(preview)


def words_as_text(preview: Preview) -> DataError | None:
    """A text that is a list of words or an object, whatever its labels are."""
    text = preview.text
    if text is None or not text.nested:
        return None
    value = next((value for value in text.filled if value != "[]"), "[]")
    if numbers_in(value) or value.startswith("[["):
        return None
    return nested_text(preview, value, preview.line_of(text, value))


def nested_text(preview: Preview, value: str, line: int | None) -> DataError:
    """The refusal of a text that is a list or an object."""
    text, file = preview.text, preview.file
    assert text is not None
    hint = unfolded(preview, text, value)
    if hint:
        kind = "objects" if value[:1] == "{" else "lists"
    else:
        key, items = literal(text.name), preview.parsed(text, value)
        joined = f'" ".join(map(str,{items}))'
        if not text.nested:
            joined = f"{joined} if isinstance({cell(text)},list) else {cell(text)}"
        kind, made = "lists", file.as_json(f"{{**r,{key}:{joined}}}")
        found = nested(value)
        if (
            text.nested
            and isinstance(found, list)
            and len(found) > 1
            and 2 * sum(" " in str(one).strip() for one in found) >= len(found)
        ):
            each = file.as_json(f"{{**r,{key}:t}}", f"{file.records} for t in {items}")
            hint = f"To write a record of each text in them: {each}; to join the texts: {made}"
        else:
            hint = f'rnncli reads {{{key}: "so it is"}}. To join the words: {made}'
    return file.refusal(f"{quoted(text.name)} holds {kind} ({cut(value)}), but a text is needed", hint, line)


def word_per_row(preview: Preview) -> DataError | None:
    """A word and its tag a row: its sentence would be lost, and each word be a text."""
    text, label = preview.text, preview.label
    if text is None or label is None or text.words > 1.2 or not text.filled or is_nested(text.example):
        return None
    if label.distinct <= preview.purpose.labels:
        return None
    sentence = next((column for column in preview.besides(text, label) if _numbers_sentences(column)), None)
    bio = mostly(map(is_bio, label.distinct)) and any(tag != "O" for tag in label.distinct) and "O" in label.distinct
    if not bio and (sentence is None or label_rank(label.name) is None):
        return None
    classes = f"to read each word as a text: {preview.command_for('classify', preview.chosen_columns)}"
    if sentence is None:
        hint = (
            f"{READS_WORDS}, or as one word and its tag per line with an empty line after each sentence (--format "
            f"conll). Nothing here says where a sentence ends; {classes}"
        )
    else:
        record = f'{{"tokens":[{cell(text)} for r in s],"tags":[{cell(label)} for r in s]}}'
        grouped = preview.file.grouped(record, literal(sentence.name))
        hint = f"{READS_WORDS}. To put the words of a sentence together: {grouped}; {classes}"
    return preview.file.refusal(
        f"each row holds a word and its tag ({cut(text.example)}, {cut(label.example)}), not a text and its label",
        hint,
    )


def tags_in_a_row(preview: Preview) -> DataError | None:
    """As many tags in one cell as there are words in the other."""
    text, label = preview.text, preview.label
    if text is None or label is None or label.nested or label.distinct <= preview.purpose.labels:
        return None
    pairs = [(words.split(), tags.split()) for words, tags in zip(text.values, label.values, strict=True)]
    if not mostly(len(words) == len(tags) for words, tags in pairs) or not any(len(tags) > 1 for _, tags in pairs):
        return None
    tags = [tag for _, row in pairs for tag in row]
    distinct = set(tags)
    if len({len(row) for _, row in pairs}) == 1 and not 2 * sum(map(is_bio, tags)) > len(tags):
        return None  # VERY GOOD may be the label of two words
    like_tags = mostly(tag == tag.upper() or is_bio(tag) for tag in distinct) and 3 * len(distinct) <= len(tags)
    if not (like_tags or are_tags(text.values, label.values)):
        return None
    made = preview.file.as_json(f'{{"tokens":{cell(text)}.split(),"tags":{cell(label)}.split()}}')
    return preview.file.refusal(
        f"{quoted(label.name)} holds a tag for each word ({cut(label.values[0])}), but would be read as one label",
        f"{READS_WORDS}. To write it so: {made}; to write them from the words: "
        f"{preview.command_for('seq2seq', preview.chosen_columns)}",
        preview.rows[0].line,
    )


def tags_beside_words(preview: Preview) -> DataError | None:
    """As many tags in a cell as there are words in another, in a table that would be taken for pairs of texts."""
    if preview.task != "auto" or preview.file.dialect is None or not (preview.purpose.trains and preview.rows):
        return None
    pairs = ((text, tags) for text, tags in permutations(preview.columns[:_PAIRED], 2) if text.words == tags.words > 1)
    found = next(((text, tags) for text, tags in pairs if are_tags(text.values, tags.values)), None)
    return None if found is None else tags_in_a_row(preview.choose(*(column.at for column in found)))


def several_columns_of_labels(preview: Preview) -> DataError | None:
    """Columns of 0 and 1 beside a text: several labels of it, or what it is to be generated from."""
    if preview.task == "caption":
        return None
    hot = indicator_columns(preview.columns)
    others = [column for column in preview.besides(*hot) if not column.is_id]
    texts = [column for column in others if not column.numeric and not column.dates]
    if len(hot) < 2 or len(texts) != 1 or len(others) > 1 or any(label_rank(one.name) in (0, 1) for one in hot):
        return None
    text = texts[0].name
    listed = ", ".join(quoted(column.name) for column in hot[:4]) + ("…" if len(hot) > 4 else "")
    several = command("--label", joined_names(column.name for column in hot))
    values = " and ".join(sorted(hot[0].distinct))
    ways = [
        f"To learn all of them: {preview.command(command('--text', text), several)}",
        f"to learn one: {preview.command(command('--text', text, '--label', hot[0].name))}",
    ]
    if described_numbers(preview.columns, text) is not None:
        ways.append(f"to generate the text from them: {preview.command_for('caption', command('--label', text))}")
    return preview.file.refusal(
        f"{len(hot)} columns beside the text hold {values} ({listed}), and it is not clear which of them is the label",
        "; ".join(ways),
    )


def _numbers_sentences(column: Column) -> bool:
    """Whether a column says which sentence a row belongs to: in each of its rows, or in the first."""
    if not mentions(column.name, SENTENCES) or column.words > 3:
        return False
    return len(column.filled) < len(column.values) or len(column.distinct) < len(column.values)
