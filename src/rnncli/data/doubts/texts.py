"""Columns that are no texts, or not the only ones."""

from __future__ import annotations

import json

from rnncli.data.doubts.labels import READS_WORDS
from rnncli.data.doubts.look import Check, Look, cut, is_id, named, parsed
from rnncli.data.doubts.series import words_beside_numbers
from rnncli.data.formats.advice import command
from rnncli.data.formats.values import is_json
from rnncli.data.tables.columns import label_rank, text_rank, words_of
from rnncli.data.tables.facts import is_bio, is_nested, mostly, numbers_in
from rnncli.errors import DataError, quoted

_SENTENCE_WORDS = frozenset(("sentence", "sent", "document", "doc", "tweet", "text", "utterance"))
_ZERO_ONE = frozenset(("0", "1", "0.0", "1.0"))
# Names of texts that stand beside another one.
_TEXTS_BESIDE = frozenset(("summary", "answer", "reply", "response", "context", "premise", "hypothesis"))


def numbers_as_words(look: Look) -> DataError | None:
    """A text that is a row of numbers: read as words, 0.1 is a 0, a point and a 1."""
    text = look.text
    if text is None or not look.facts[text].lists_of_numbers:
        return None
    of = look.facts[text]
    value = of.filled[0]
    if value[:1] == "[" and is_json(value):
        return None  # read as the numbers that they are
    knows = look.asker.knows
    if look.named[0] and (look.asker.task_named or not (look.asker.trains or (knows and not knows(value)))):
        return None
    if look.pairs and not any("." in part for value in of.filled for part in numbers_in(value)):
        return None  # symbols
    name, label = look.columns[text], None if look.label is None else look.columns[look.label]
    others = "".join(f'.replace("{mark}"," ")' for mark in ",;|" if mark in value)
    brackets = '.strip("[]()")' if value[:1] in "[(" else ""
    record = f'{{"sequence":[float(x) for x in r[{json.dumps(name)}]{brackets}{others}.split()]'
    record += "}" if label is None else f',"label":r[{json.dumps(label)}]}}'
    return look.file.refusal(
        f"{quoted(name)} holds rows of numbers ({cut(value)}), which would be read as words",
        f"Make series of them: {look.file.as_json(record)}. As words: "
        f"{look.command(look.with_task('classify'), *named(look))}",
        look.line_of(text, value),
    )


def second_text(look: Look) -> DataError | None:
    """Another column of texts, which would be left aside."""
    if look.named[0] or look.text is None:
        return None
    for at, of in enumerate(look.facts):
        if at in (look.text, look.label) or 2 * len(of.distinct) <= len(of.values):
            continue
        if look.label is None and label_rank(of.name) is not None:
            continue  # what is to be told of the text: of no concern where no labels are read
        words = set(words_of(of.name)[-1:])
        telling = of.name.strip().lower() != "name" and (text_rank(of.name) is not None or bool(words & _TEXTS_BESIDE))
        if of.words < (2 if telling else 3.5) or of.dates or of.numeric or of.nested or of.lists_of_numbers:
            continue
        return look.file.refusal(
            f"two columns hold texts, {look.shown(look.text)} and {look.shown(at)}, and only one is read",
            f"Say which: {look.command(*named(look))}; or {command('--text', of.name)}",
        )
    return None


def direction(look: Look) -> DataError | None:
    """Two columns, of which neither name nor user says which is read and which is written."""
    if look.task != "seq2seq" or any(look.named) or look.text is None or look.label is None:
        return None
    text, label = look.columns[look.text], look.columns[look.label]
    if text_rank(text) is not None or label_rank(label) is not None:
        return None
    columns = command("--text", look.columns[0], "--label", look.columns[1])
    return look.file.refusal(
        f"cannot tell which column is read and which is written, {quoted(text)} or {quoted(label)}",
        f"Say it: {look.command(look.with_task('seq2seq'), columns)}",
    )


def list_as_text(look: Look) -> DataError | None:
    """A text that is a list of words or an object, with one label: its brackets and quotes would be learned."""
    text, label = look.text, look.label
    if text is None or look.pairs or not look.facts[text].nested:
        return None
    if look.facts[label].nested if label is not None else look.asker.lists or look.file.format.holds == "tagged words":
        return None
    value = next((value for value in look.facts[text].filled if value != "[]"), "[]")
    if numbers_in(value) or value.startswith("[["):
        return None
    return nested_text(look, value, look.line_of(text, value))


def nested_text(look: Look, value: str, line: int | None) -> DataError:
    """The refusal of a text that is a list or an object."""
    assert look.text is not None
    name = look.columns[look.text]
    if value[:1] == "{":
        hint = f"Name a column of texts: {look.command(look.some_columns)}"
    else:
        key = json.dumps(name, ensure_ascii=False)
        text = f'" ".join(map(str,{parsed(look, name, value)}))'
        if not look.facts[look.text].nested:
            text = f"{text} if isinstance(r[{key}],list) else r[{key}]"
        hint = f'rnncli reads {{{key}: "so it is"}}. Join the words: {look.file.as_json(f"{{**r,{key}:{text}}}")}'
    kind = "objects" if value[:1] == "{" else "lists"
    return look.file.refusal(f"{quoted(name)} holds {kind} ({cut(value)}), and a text is needed", hint, line)


def word_per_row(look: Look) -> DataError | None:
    """A word and its tag a row: its sentence would be lost, and each word be a text."""
    text, label = look.text, look.label
    if text is None or label is None or look.pairs or look.classes_named or look.task == "tag":
        return None
    words, tags = look.facts[text], look.facts[label]
    if words.words > 1.2 or not words.filled or is_nested(words.example) or tags.distinct <= look.asker.labels:
        return None
    others = (at for at in range(len(look.columns)) if at not in (text, label))
    sentence = next((at for at in others if _tells_sentences(look, at)), None)
    bio = mostly(map(is_bio, tags.distinct)) and any(tag != "O" for tag in tags.distinct) and "O" in tags.distinct
    if not bio and (sentence is None or label_rank(tags.name) is None):
        return None
    word, tag = (json.dumps(look.columns[at], ensure_ascii=False) for at in (text, label))
    record = f'{{"tokens":[r[{word}] for r in s],"tags":[r[{tag}] for r in s]}}'
    classes = f"as a text each: {look.command(look.with_task('classify'), *named(look))}"
    what = f"a row holds a word and its tag ({cut(words.example)}, {cut(tags.example)}), and not a text and its label"
    if sentence is None:
        hint = (
            f"{READS_WORDS}, or a word and its tag a line, an empty line after each sentence: --format conll. Nothing "
            f"here says where a sentence ends. If they are words without one, {classes}"
        )
        return look.file.refusal(what, hint)
    of = json.dumps(look.columns[sentence], ensure_ascii=False)
    hint = f"{READS_WORDS}. Put those of a sentence together: {look.file.grouped(record, of)}; or, {classes}"
    return look.file.refusal(what, hint)


def tags_in_a_row(look: Look) -> DataError | None:
    """As many tags in one cell as there are words in the other."""
    text, label = look.text, look.label
    if text is None or label is None or look.pairs or look.classes_named or look.facts[label].nested:
        return None
    texts, labels = look.facts[text].values, look.facts[label].values
    pairs = [(words.split(), tags.split()) for words, tags in zip(texts, labels, strict=True)]
    if look.facts[label].distinct <= look.asker.labels:
        return None
    if not mostly(len(words) == len(tags) for words, tags in pairs) or not any(len(tags) > 1 for _, tags in pairs):
        return None
    tags = {tag for _, row in pairs for tag in row}
    if len({len(row) for _, row in pairs}) == 1 and not mostly(map(is_bio, tags)):
        return None  # VERY GOOD may be the label of two words
    few = 3 * len(tags) <= sum(len(row) for _, row in pairs)
    if not few or not mostly(tag == tag.upper() or is_bio(tag) for tag in tags):
        return None
    word, tag = (json.dumps(look.columns[at], ensure_ascii=False) for at in (text, label))
    record = f'{{"tokens":r[{word}].split(),"tags":r[{tag}].split()}}'
    return look.file.refusal(
        f"{quoted(look.columns[label])} holds a tag for each word ({cut(labels[0])}), and would be read as one label",
        f"{READS_WORDS}. Make that of it: {look.file.as_json(record)}",
        look.rows[0].line,
    )


def several_columns_of_labels(look: Look) -> DataError | None:
    """Columns of 0 and 1 beside a text: several labels of it, or what it is to be told from."""
    if any(look.named) or look.task == "caption":
        return None
    hot = [at for at, of in enumerate(look.facts) if of.distinct and of.distinct <= _ZERO_ONE and len(of.distinct) == 2]
    texts = [at for at, of in enumerate(look.facts) if text_rank(of.name) is not None and not of.numeric]
    others = [at for at, of in enumerate(look.facts) if at not in hot and at not in texts and not is_id(look, at)]
    if len(hot) < 2 or len(texts) != 1 or others or any(label_rank(look.columns[at]) in (0, 1) for at in hot):
        return None
    text, first = look.columns[texts[0]], look.columns[hot[0]]
    listed = ", ".join(quoted(look.columns[at]) for at in hot[:4]) + ("…" if len(hot) > 4 else "")
    return look.file.refusal(
        f"{len(hot)} columns of 0 and 1 stand beside a text ({listed}), and it is not clear which is its label",
        f"A text has one label here: {look.command(command('--text', text, '--label', first))}; if the text is to be "
        f"written from them: {look.command(look.with_task('caption'), command('--label', text))}",
    )


def _tells_sentences(look: Look, at: int) -> bool:
    """Whether a column says which sentence a row belongs to: in each of its rows, or in the first."""
    of = look.facts[at]
    if not set(words_of(of.name)) & _SENTENCE_WORDS or of.words > 3:
        return False
    return len(of.filled) < len(of.values) or len(of.distinct) < len(of.values)


CHOSEN: tuple[Check, ...] = (list_as_text, numbers_as_words, word_per_row, tags_in_a_row, direction, second_text)
BESIDE: tuple[Check, ...] = (words_beside_numbers,)  # once it is known that the label is one
