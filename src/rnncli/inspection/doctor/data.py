"""What a data set says of a training on it: unknown words, lost middles, labels that are wrong, repeated texts."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.errors import closest, counted
from rnncli.inspection.adapters import Adapter
from rnncli.inspection.doctor.findings import Check, Commands
from rnncli.inspection.doctor.record import learn_something
from rnncli.tasks.report import UNEVEN

# Nearly all predictions are one label, and the right labels clearly are not.
CONSTANT, NOT_CONSTANT = 0.98, 0.95
# Every tenth word unknown is a word or two in each sentence. A tagger sees endings and shapes of a word that it does
# not know: there they matter where they cost it one answer in a hundred.
UNKNOWN, COSTS = 0.1, 0.01
MORE_WORDS = 4  # times as large a vocabulary is proposed
# Texts that are not read whole; below that, there are not enough of them to matter.
CUT = 0.05
READ_WHOLE = 0.99  # of the texts, with the length that is proposed
# Rows whose label cannot be right: the same text with another label, or an answer against it that is as good as sure,
# by a model that is right about most others. Of labels by hand about 1 in 100 is wrong; from there on it matters.
NOISE, SURE, MOSTLY_RIGHT = 0.01, 0.99, 0.9
# Texts on both sides of the split are right for having been learned by heart; below 2% of the validation rows they
# change its score by less than chance does.
SHARED = 0.02
# Where the model has no such label, its answer cannot be right. Of labels by hand about 1 in 100 is wrong anyway.
UNTRAINED = 0.01
MOSTLY = 0.5  # from here on they are labels of something else, and not mistyped
SHOWN = 40  # characters of a label: where the wrong column is read, it may be a whole text
# In data that the model was not trained on, texts that stand twice only count twice.
TWICE = 0.05


@dataclass(frozen=True)
class Evidence:
    """A row that a finding is made of.

    Attributes:
        name: of the finding.
        line, other: of the file: of the row, and of the first one with the same text, where that is what is wrong.
    """

    name: str
    line: int
    other: int | None
    label: str
    text: str


@dataclass(frozen=True)
class Answered:
    """What the model says of some rows.

    Attributes:
        adapter: the model.
        dataset: these rows alone.
        predictions: one for each.
        tokens: what each is made of, for the model.
        labels: the right ones of each; none where predictions are no labels.
    """

    adapter: Adapter[Any]
    dataset: Dataset
    predictions: Sequence[Any]
    tokens: Sequence[Sequence[str]]
    labels: Sequence[Sequence[str]]


def constant(answered: Answered, commands: Commands) -> Check:
    """The share of the answers that are the commonest one."""
    adapter = answered.adapter
    predicted = Counter(label for one in answered.predictions for label in adapter.labels_of(one))
    means = "share of the answers that are one label"
    answer, times = predicted.most_common(1)[0]
    number = times / predicted.total()
    limit = f"from {CONSTANT:.0%} on, with no label above {NOT_CONSTANT:.0%}"
    check = Check("constant predictions", number, means, limit)
    if number < CONSTANT:
        return check
    labels = Counter(label for of in answered.labels for label in of)
    if not labels.keys() & set(adapter.labels):
        return check  # these are no data for this model
    commonest = labels.most_common(1)[0][1] / labels.total()
    if commonest > NOT_CONSTANT:
        return check
    sentence = f"{times:,} of {predicted.total():,} answers are '{answer}', and "
    sentence += f"{labels[answer] / labels.total():.0%} of the labels are."
    uneven = max(labels.values()) >= UNEVEN * min(labels.values())
    model = adapter.model
    if uneven and "class_weights" not in model.unused and model.settings.class_weights == "none":
        return check.found(sentence, commands.train(class_weights="balanced"))
    return check.found(sentence, learn_something(model, commands))


def unknown_words(answered: Answered, commands: Commands) -> Check:
    """The share of all tokens that the model does not know, where it does worse for it."""
    model = answered.adapter.model
    whole = sum(len(tokens) for tokens in answered.tokens)
    unknown = 0
    for prediction, tokens in zip(answered.predictions, answered.tokens, strict=True):
        missing = set(prediction.unknown)
        unknown += sum(token in missing for token in tokens)
    number = unknown / whole if whole else None
    check = Check("unknown words", number, f"share of the {model.unit}s that are unknown", f"above {UNKNOWN:.0%}")
    cost = number * _behind_by(answered) if number and answered.adapter.labels_per == "timestep" else None
    if number is None or number <= UNKNOWN or (cost is not None and cost < COSTS):
        return check
    s, unit = model.settings, model.unit
    sentence = f"{unknown:,} of {whole:,} {unit}s of the data are unknown to the model"
    if cost is not None:
        sentence += f", and lower its accuracy by {cost:.1%}"
    if model.facts().get("vocabulary_size", 0) > s.max_vocabulary:  # it is full
        sentence += f", which has room for {s.max_vocabulary:,} different ones."
        return check.found(sentence, commands.train(max_vocabulary=MORE_WORDS * s.max_vocabulary))
    if s.min_count > 1:
        sentence += f": it learned those alone that stand {s.min_count} times or more in its training data."
        return check.found(sentence, commands.train(min_count=1))
    return check.found(sentence + "; a training on this data learns them.", commands.train())


def _behind_by(answered: Answered) -> float:
    """By how much the accuracy at unknown words is below that at the others."""
    right: tuple[list[bool], list[bool]] = [], []
    for prediction, tokens, labels in zip(answered.predictions, answered.tokens, answered.labels, strict=True):
        missing = set(prediction.unknown)
        for token, predicted, label in zip(tokens, answered.adapter.labels_of(prediction), labels, strict=True):
            right[token in missing].append(predicted == label)
    known, unknown = (float(np.mean(answers)) if answers else 0.0 for answers in right)
    return known - unknown


def cut_off(answered: Answered, commands: Commands) -> Check:
    """The share of the texts that are not read whole."""
    model = answered.adapter.model
    cut = [prediction.cut for prediction in answered.predictions]
    number = sum(n > 0 for n in cut) / len(cut) if cut else None
    check = Check("lengths cut off", number, "share of the texts that are not read whole", f"above {CUT:.0%}")
    if number is None or number <= CUT:
        return check
    unit, limit = model.unit, model.settings.max_length
    lengths = [len(answered.adapter.parts(text).names) for text in answered.dataset.texts]
    sentence = f"{sum(n > 0 for n in cut):,} of {len(cut):,} texts have more than the {limit:,} {unit}s that are read; "
    sentence += f"{sum(cut):,} of {counted(sum(lengths), unit)} ({sum(cut) / sum(lengths):.1%}) are not read."
    enough = sorted(lengths)[math.ceil(READ_WHOLE * len(lengths)) - 1]
    return check.found(sentence, commands.train(max_length=max(enough, limit + 1)))


def label_noise(dataset: Dataset, answered: Answered, first: Array, commands: Commands) -> tuple[Check, list[Evidence]]:
    """The rows of which the same text has several labels, and those that a mostly right model surely contradicts.

    Args:
        dataset: all rows.
        first: (rows,) the first row with the same text.
    """
    kinds: dict[int, set[str]] = {}
    for same, label in zip(first.tolist(), dataset.labels, strict=True):
        kinds.setdefault(same, set()).add(label)
    torn = np.array([row for row, same in enumerate(first.tolist()) if len(kinds[same]) > 1], np.int64)
    adapter = answered.adapter
    learned = {(label,) for label in adapter.labels}
    pairs = zip(answered.predictions, answered.labels, strict=True)
    known = [(one, label) for one, label in pairs if label in learned]  # another one it can only contradict
    wrong = [one for one, label in known if adapter.labels_of(one) != label]
    right = 1 - len(wrong) / max(1, len(known))
    against = sum((adapter.probability_of(one) or 0.0) > SURE for one in wrong) if right >= MOSTLY_RIGHT else 0
    number = max(len(torn) / len(first), against / max(1, len(known)))
    means = "share of the rows with two labels, or surely contradicted"
    check = Check("label noise", number, means, f"above {NOISE:.0%}")
    if number <= NOISE:
        return check, []
    said = f"{len(torn):,} of {counted(len(first), 'row')} have a text that stands elsewhere with another label"
    if right >= MOSTLY_RIGHT:
        said += f", and {against:,} of {len(known):,} a label that the model is more than {SURE:.0%} sure is wrong"
    command = commands.evaluate(min(100, len(wrong))) if against > len(torn) else commands.rows()
    return check.found(said + ".", command), _rows(check.name, dataset, first, torn)


def duplicates(
    adapter: Adapter[Any], dataset: Dataset, first: Array, commands: Commands
) -> tuple[Check, list[Evidence]]:
    """The share of the validation rows whose text stands in training too; else of the rows that repeat another one.

    Args:
        dataset: all rows, as training reads them.
        first: (rows,) the first row with the same text.
    """
    validation = validation_rows(adapter, dataset)
    if validation is None:
        repeated = np.flatnonzero(first != np.arange(len(first)))
        number, limit = len(repeated) / len(first), TWICE
        means = "share of the texts that have stood before"
        said = f"{len(repeated):,} of {len(first):,} texts have stood before in the data: they count twice."
    else:
        aside = np.zeros(len(first), np.bool_)
        aside[validation] = True
        repeated = validation[np.isin(first[validation], first[~aside])]
        number, limit = len(repeated) / len(validation), SHARED
        means = "share of the validation texts that stand in training"
        said = f"{len(repeated):,} of {len(validation):,} validation texts stand in training too, where they can be "
        said += "learned by heart: the validation scores are too good."
    check = Check("duplicates", number, means, f"above {limit:.0%}")
    if number <= limit:
        return check, []
    return check.found(said, commands.rows()), _rows(check.name, dataset, first, repeated)


def _rows(name: str, dataset: Dataset, first: Array, rows: Array) -> list[Evidence]:
    """Rows, each with the first other one that has its text."""
    beside: dict[int, list[int]] = {}
    for row, same in enumerate(first.tolist()):
        beside.setdefault(same, []).append(row)
    found = []
    for row in rows.tolist():
        other = next(one for one in beside[int(first[row])] if one != row)
        lines = dataset.lines[row], dataset.lines[other]
        found.append(Evidence(name, *lines, dataset.labels.text(row), dataset.called(row)))
    return found


def validation_rows(adapter: Adapter[Any], dataset: Dataset) -> Array | None:
    """The rows that were set aside when the model was trained on this very data; None where it was not.

    The split is a function of the seed and the labels, so it is made again. The name of the file and how many
    rows there are of each label say whether the data are the same.
    """
    record = adapter.model.record
    rows, aside = record.rows, record.validation_rows
    name = os.fsencode(os.path.basename(dataset.name)).decode("utf-8", "backslashreplace")
    if rows is None or not aside or record.data != name or rows + aside != len(dataset.texts):
        return None
    found = adapter.validation_rows(dataset)
    return found if found is not None and len(found) == aside else None


def unknown_labels(
    adapter: Adapter[Any], dataset: Dataset, labels: Sequence[Sequence[str]], commands: Commands
) -> tuple[Check, list[Evidence]]:
    """The share of all labels that are none of the model's; the rows that have them, where they look mistyped.

    Args:
        labels: those of each row: one, or a tag for each word.
    """
    what, known = adapter.label_is, set(adapter.labels)
    counts = Counter(label for of in labels for label in of)
    unknown = Counter({label: count for label, count in counts.items() if label not in known})
    number = unknown.total() / counts.total() if counts else None
    check = Check(
        "unknown labels", number, f"share of the {what}s that are none of the model's", f"above {UNTRAINED:.0%}"
    )
    if number is None or number <= UNTRAINED:
        return check, []
    again = commands.train()
    label, times = unknown.most_common(1)[0]
    shown = label if len(label) <= SHOWN else label[:SHOWN] + "…"
    sentence = f"{unknown.total():,} of {counts.total():,} {what}s are none that the model knows, most often '{shown}' "
    sentence += f"({times:,})"
    if number > MOSTLY:
        other = "; --label names another column" if adapter.labels_per == "input" else ""
        return check.found(f"{sentence}. A training on this data learns them{other}.", again), []
    near = _closest(label, sorted(known))
    if near:
        return check.found(sentence + near, commands.rows()), _labelled(check.name, dataset, labels, unknown)
    return check.found(f"{sentence}. A training on this data learns them.", again), []


def _closest(label: str, known: Sequence[str]) -> str:
    """``; did you mean 'positive'?`` of one that is mistyped, be it in its capitals alone."""
    folded = {name.casefold(): name for name in known}
    same = folded.get(label.casefold())
    return f"; did you mean '{same}'?" if same is not None else closest(label, known)


def _labelled(name: str, dataset: Dataset, labels: Sequence[Sequence[str]], unknown: Counter[str]) -> list[Evidence]:
    """Rows with such labels, each with its first one."""
    found = []
    for row, of_row in enumerate(labels):
        first = next((label for label in of_row if label in unknown), None)
        if first is not None:
            found.append(Evidence(name, dataset.lines[row], None, first, dataset.called(row)))
    return found
