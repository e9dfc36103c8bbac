"""Columns that are no texts, or not the only ones."""

from __future__ import annotations

import json

from rnncli.data.advice import command
from rnncli.data.columns import label_rank, quoted, text_rank, words_of
from rnncli.data.doubts.look import Check, Look, cut, named, parsed
from rnncli.data.doubts.series import words_beside_numbers
from rnncli.data.facts import is_json, numbers_in
from rnncli.errors import DataError

# Names of texts that stand beside another one.
_TEXTS_BESIDE = frozenset(("summary", "answer", "reply", "response", "context", "premise", "hypothesis"))


def numbers_as_words(look: Look) -> DataError | None:
    """A text that is a row of numbers: read as words, 0.1 is a 0, a point and a 1."""
    text = look.text
    if look.named[0] or text is None or not look.facts[text].lists_of_numbers:
        return None
    of = look.facts[text]
    value = of.filled[0]
    if value[:1] == "[" and is_json(value):
        return None  # read as the numbers that they are
    if look.pairs and not any("." in part for value in of.filled for part in numbers_in(value)):
        return None  # symbols
    name, label = look.columns[text], None if look.label is None else look.columns[look.label]
    others = "".join(f'.replace("{mark}"," ")' for mark in ",;|" if mark in value)
    brackets = '.strip("[]()")' if value[:1] in "[(" else ""
    record = f'{{"sequence":[float(x) for x in r[{json.dumps(name)}]{brackets}{others}.split()]'
    record += "}" if label is None else f',"label":r[{json.dumps(label)}]}}'
    return look.file.refusal(
        f"{quoted(name)} holds rows of numbers ({cut(value)}), which would be read as words",
        f"Make series of them: {look.file.as_json(record)}. As words: {look.train(*named(look))}",
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
            f"Say which: {look.train(*named(look))}; or {command('--text', of.name)}",
        )
    return None


def direction(look: Look) -> DataError | None:
    """Two columns, of which neither name nor user says which is read and which is written."""
    if look.task != "seq2seq" or any(look.named) or look.text is None or look.label is None:
        return None
    text, label = look.columns[look.text], look.columns[look.label]
    if text_rank(text) is not None or label_rank(label) is not None:
        return None
    return look.file.refusal(
        f"cannot tell which column is read and which is written, {quoted(text)} or {quoted(label)}",
        f"Say it: {look.train('--task seq2seq', command('--text', look.columns[0], '--label', look.columns[1]))}",
    )


def list_as_text(look: Look) -> DataError | None:
    """A text that is a list of words or an object, with one label: its brackets and quotes would be learned."""
    text, label = look.text, look.label
    if text is None or label is None or look.pairs or not look.facts[text].nested or look.facts[label].nested:
        return None
    value = next((value for value in look.facts[text].filled if value != "[]"), "[]")
    if numbers_in(value) or value.startswith("[["):
        return None
    name = look.columns[text]
    if value[:1] == "{":
        hint = f"Name a column of texts: {look.train('--text COLUMN', '--label COLUMN')}"
    else:
        record = f'{{**r,{json.dumps(name)}:" ".join({parsed(look, name)})}}'
        hint = f"Join the words: {look.file.as_json(record)}"
    kind = "objects" if value[:1] == "{" else "lists"
    return look.file.refusal(
        f"{quoted(name)} holds {kind} ({cut(value)}), and a text is needed", hint, look.line_of(text, value)
    )


CHOSEN: tuple[Check, ...] = (list_as_text, numbers_as_words, direction, second_text)
BESIDE: tuple[Check, ...] = (words_beside_numbers,)  # once it is known that the label is one
