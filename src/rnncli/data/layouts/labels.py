"""How a column holds labels: one in each value, or several, in a list or with a mark between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.labels import takes_tags
from rnncli.data.doubts.preview import Known, Preview
from rnncli.data.formats.advice import command
from rnncli.data.formats.values import Value
from rnncli.data.records import Inputs, LabelSets, Texts
from rnncli.data.records.label_sets import label_set
from rnncli.data.tables.facts import mostly
from rnncli.data.tables.several import are_indicators, joined_by, likely_mark, listed_names, numbered_lists, split_at
from rnncli.data.tables.source import Source

SEVERAL = "multilabel"  # the task whose labels are sets
_MARKS = {",": "commas", ";": "semicolons", "|": "|", "><": "angle brackets"}


@dataclass(frozen=True)
class LabelReading:
    """How the values of a column become labels.

    Attributes:
        several: whether a value holds any number of labels.
        mark: what stands between them where they are no list; None where nothing does.
        said: the sentence on that, behind those on the columns; empty for single labels.
    """

    several: bool = False
    mark: str | None = None
    said: str = ""

    def new(self) -> Inputs[Any]:
        """What keeps the labels."""
        return LabelSets(read=self.read) if self.several else Texts()

    def read(self, value: Value) -> tuple[str, ...]:
        """The labels of a value that may hold several.

        Raises:
            ValueError: it holds something else; the message continues "the label ".
        """
        listed = listed_names(value)
        if listed is None and isinstance(value, str) and self.mark is not None and value.strip():
            listed = [part for part in split_at(value, self.mark) if part]
        return label_set(value if listed is None else listed)


SINGLE = LabelReading()  # a label in each value


def label_reading(preview: Preview, source: Source) -> LabelReading:
    """How the label's column of a table holds labels, by the task, the user, or the first rows."""
    column, mark = preview.label, source.label_separator
    if column is None or preview.has_numbers or preview.known & (Known.TARGETS | Known.TAGS | Known.CLASSES):
        return SINGLE
    if preview.task == SEVERAL:
        texts = [value for value in column.filled if listed_names(value) is None]
        return _several(preview, mark or likely_mark(texts, preview.purpose.labels))
    if preview.task != "auto" or not preview.purpose.trains or takes_tags(preview, preview.typed_pairs):
        return SINGLE
    if mark is not None:
        return _several(preview, mark)
    values = [row.values[column.at] for row in preview.rows if row.texts[column.at].strip()]
    lists = [listed_names(value) for value in values]
    if mostly(one is not None for one in lists):
        places = are_indicators([one for one in lists if one is not None])
        return SINGLE if places else _several(preview, None)
    asked = column.nested or numbered_lists(column.distinct)  # objects, or numbers
    joined = None if asked else joined_by(column.distinct)
    return SINGLE if joined is None else _several(preview, joined[0], guessed=True)


def _several(preview: Preview, mark: str | None, guessed: bool = False) -> LabelReading:
    assert preview.label is not None
    name = preview.label.name
    if mark is None:
        lists = any(listed_names(value) is not None for value in preview.label.filled)
        holds = "lists" if lists else "one label in each value, or none"
        return LabelReading(True, None, f"; task {SEVERAL}: {name} holds {holds}")
    said = f"; task {SEVERAL}: {name} holds several labels with {_MARKS.get(mark, repr(mark))} between them"
    if guessed:
        said += f"; if each combination is a class: {command('--task', 'classify', '--label', name)}"
    return LabelReading(True, mark, said)
