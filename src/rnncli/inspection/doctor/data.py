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
from rnncli.data.records.label_sets import NONE
from rnncli.errors import closest, counted
from rnncli.inspection.doctor.findings import Check, Evidence, Patient
from rnncli.inspection.doctor.record import learn_something
from rnncli.tasks.report import UNEVEN

# Nearly all predictions are one label, and the right labels clearly are not.
CONSTANT, NOT_CONSTANT = 0.98, 0.95
# Every tenth word unknown is a word or two in each sentence. A tagger sees endings and shapes of a word that it does
# not know: there they matter where they cost it one prediction in a hundred.
UNKNOWN, COSTS = 0.1, 0.01
MORE_WORDS = 4  # times as large a vocabulary is proposed
# Texts that are not read whole; below that, there are not enough of them to matter.
CUT = 0.05
READ_WHOLE = 0.99  # of the texts, with the length that is proposed
# Rows whose label cannot be right: the same text with another label, or contradicted with near certainty by a model
# that is right about most others. Of labels by hand about 1 in 100 is wrong; from there on it matters.
NOISE, SURE, MOSTLY_RIGHT = 0.01, 0.99, 0.9
# Texts on both sides of the split are predicted right for having been learned by heart; below 2% of the validation rows
# they change its score by less than chance does.
SHARED = 0.02
# A label that the model does not have it cannot predict. Of labels by hand about 1 in 100 is wrong anyway.
UNTRAINED = 0.01
MOSTLY = 0.5  # from here on they are labels of something else, and not mistyped
SHOWN = 40  # characters of a label: where the wrong column is read, it may be a whole text
# In data that the model was not trained on, repeated texts only count twice.
TWICE = 0.05


@dataclass(frozen=True)
class Examined:
    """A data set, and what the model predicts for some rows of it.

    Attributes:
        dataset: all rows, as training reads them.
        labels: the right ones of each row, one or a tag for each word; none where predictions are not labels.
        first: (rows,) the first row with the same text.
        drawn: the rows with predictions.
        predictions: one for each of these.
        tokens: the tokens of each, as the model reads them.
        right: the right labels of each.
    """

    dataset: Dataset
    labels: Sequence[Sequence[str]]
    first: Array
    drawn: Dataset
    predictions: Sequence[Any]
    tokens: Sequence[Sequence[str]]
    right: Sequence[Sequence[str]]


def data_checks(patient: Patient, data: Examined) -> list[Check]:
    """What the data and the predictions say, as far as it means anything for the task."""
    adapter = patient.adapter
    applies = {
        constant: bool(adapter.labels),
        unknown_labels: bool(adapter.labels),
        unknown_words: not adapter.reads_numbers,
        cut_off: adapter.cuts,  # the others read an input of any length to its end
        label_noise: adapter.labels_per == "input",
        duplicates: patient.model.labelled,  # the lines of a text are not texts of their own
    }
    return [check(patient, data) for check, does in applies.items() if does]


def constant(patient: Patient, data: Examined) -> Check:
    """The share of the predictions that are the commonest one."""
    adapter, model = patient.adapter, patient.model
    # Where a prediction may have no label, none is one too.
    predicted = Counter(label for one in data.predictions for label in adapter.labels_of(one) or (NONE,))
    ((prediction, times),) = predicted.most_common(1)
    number = times / predicted.total()
    limit = f"from {CONSTANT:.0%} on, with no label above {NOT_CONSTANT:.0%}"
    check = Check("constant predictions", number, "share of the predictions that are one label", limit)
    labels = Counter(label for of_row in data.right for label in of_row or (NONE,))
    # Labels of which the model knows none are not data for it.
    if number < CONSTANT or not labels.keys() & set(adapter.labels):
        return check
    if labels.most_common(1)[0][1] / labels.total() > NOT_CONSTANT:
        return check
    sentence = f"{times:,} of {predicted.total():,} predictions are '{prediction}', and "
    sentence += f"{labels[prediction] / labels.total():.0%} of the labels are."
    uneven = max(labels.values()) >= UNEVEN * min(labels.values())
    if uneven and "class_weights" not in model.unused and patient.settings.class_weights == "none":
        return check.found(sentence, patient.commands.train(class_weights="balanced"))
    return check.found(sentence, learn_something(patient))


def unknown_words(patient: Patient, data: Examined) -> Check:
    """The share of all tokens that the model does not know, where it does worse for it."""
    s, unit, commands = patient.settings, patient.model.unit, patient.commands
    whole = sum(len(tokens) for tokens in data.tokens)
    unknown = 0
    for prediction, tokens in zip(data.predictions, data.tokens, strict=True):
        missing = set(prediction.unknown)
        unknown += sum(token in missing for token in tokens)
    number = unknown / whole if whole else None
    check = Check("unknown words", number, f"share of the {unit}s that are unknown", f"above {UNKNOWN:.0%}")
    cost = number * _lost_accuracy(patient, data) if number and patient.adapter.labels_per == "timestep" else None
    if number is None or number <= UNKNOWN or (cost is not None and cost < COSTS):
        return check
    sentence = f"{unknown:,} of {counted(whole, unit)} of the data are unknown to the model"
    if cost is not None:
        sentence += f", and lower its accuracy by {cost:.1%}"
    if patient.model.facts().get("vocabulary_size", 0) > s.max_vocabulary:
        sentence += f", whose vocabulary is full with {counted(s.max_vocabulary, unit)}."
        return check.found(sentence, commands.train(max_vocabulary=MORE_WORDS * s.max_vocabulary))
    if s.min_count > 1:
        sentence += f": it learned only those that occur {counted(s.min_count, 'time')} or more in its training data."
        return check.found(sentence, commands.train(min_count=1))
    return check.found(sentence + "; a training on this data learns them.", commands.train())


def _lost_accuracy(patient: Patient, data: Examined) -> float:
    """By how much the accuracy at unknown words is below that at the others."""
    right: tuple[list[bool], list[bool]] = [], []
    for prediction, tokens, labels in zip(data.predictions, data.tokens, data.right, strict=True):
        missing = set(prediction.unknown)
        for token, predicted, label in zip(tokens, patient.adapter.labels_of(prediction), labels, strict=True):
            right[token in missing].append(predicted == label)
    known, unknown = (float(np.mean(of_words)) if of_words else 0.0 for of_words in right)
    return known - unknown


def cut_off(patient: Patient, data: Examined) -> Check:
    """The share of the texts that are not read whole."""
    cut = [prediction.cut for prediction in data.predictions]
    number = sum(n > 0 for n in cut) / len(cut) if cut else None
    check = Check("lengths cut off", number, "share of the texts that are not read whole", f"above {CUT:.0%}")
    if number is None or number <= CUT:
        return check
    unit, limit = patient.model.unit, patient.settings.max_length
    lengths = [len(patient.adapter.parts(text).names) for text in data.drawn.texts]
    sentence = f"{sum(n > 0 for n in cut):,} of {counted(len(cut), 'text')} have more than the {counted(limit, unit)} "
    sentence += "that the model reads; "
    sentence += f"{sum(cut):,} of {counted(sum(lengths), unit)} ({sum(cut) / sum(lengths):.1%}) are not read."
    enough = sorted(lengths)[math.ceil(READ_WHOLE * len(lengths)) - 1]
    return check.found(sentence, patient.commands.train(max_length=max(enough, limit + 1)))


def label_noise(patient: Patient, data: Examined) -> Check:
    """The rows of which the same text has several labels, and those that a mostly right model surely contradicts."""
    adapter, rows = patient.adapter, len(data.first)
    kinds: dict[int, set[str]] = {}
    for same, label in zip(data.first.tolist(), data.dataset.labels, strict=True):
        kinds.setdefault(same, set()).add(label)
    torn = np.flatnonzero([len(kinds[same]) > 1 for same in data.first.tolist()])
    learned = set(adapter.labels)
    pairs = zip(data.predictions, data.right, strict=True)
    known = [(one, labels) for one, labels in pairs if learned.issuperset(labels)]  # others it can only contradict
    wrong = [one for one, labels in known if set(adapter.labels_of(one)) != set(labels)]
    is_mostly_right = 1 - len(wrong) / max(1, len(known)) >= MOSTLY_RIGHT
    against = sum((adapter.probability_of(one) or 0.0) > SURE for one in wrong) if is_mostly_right else 0
    number = max(len(torn) / rows, against / max(1, len(known)))
    means = "share of the rows with two labels, or surely contradicted"
    check = Check("label noise", number, means, f"above {NOISE:.0%}")
    if number <= NOISE:
        return check
    said = f"{len(torn):,} of {counted(rows, 'row')} have the text of another row with another label"
    if is_mostly_right:
        said += f", and {against:,} of {len(known):,} a label that the model is more than {SURE:.0%} sure is wrong"
    commands = patient.commands
    command = commands.evaluate(min(100, len(wrong))) if against > len(torn) else commands.rows()
    return check.found(said + ".", command, _repeating(check.name, data, torn))


def duplicates(patient: Patient, data: Examined) -> Check:
    """The share of the validation rows whose text is in training too; else of the rows that repeat an earlier one."""
    first, validation = data.first, validation_rows(patient, data.dataset)
    if validation is None:
        repeated = np.flatnonzero(first != np.arange(len(first)))
        number, limit = len(repeated) / len(first), TWICE
        means = "share of the texts that repeat an earlier one"
        said = f"{len(repeated):,} of {counted(len(first), 'text')} repeat an earlier one: they count twice."
    else:
        aside = np.isin(np.arange(len(first)), validation)
        repeated = validation[np.isin(first[validation], first[~aside])]
        number, limit = len(repeated) / len(validation), SHARED
        means = "share of the validation texts that are in training too"
        said = f"{len(repeated):,} of {len(validation):,} validation texts are in training too, where they can be "
        said += "learned by heart: the validation scores are too good."
    check = Check("duplicates", number, means, f"above {limit:.0%}")
    if number <= limit:
        return check
    return check.found(said, patient.commands.rows(), _repeating(check.name, data, repeated))


def _repeating(name: str, data: Examined, rows: Array) -> list[Evidence]:
    """Rows, each with the first other one that has its text."""
    dataset = data.dataset
    beside: dict[int, list[int]] = {}
    for row, same in enumerate(data.first.tolist()):
        beside.setdefault(same, []).append(row)
    found = []
    for row in rows.tolist():
        other = next(one for one in beside[int(data.first[row])] if one != row)
        lines, files = (dataset.lines[row], dataset.lines[other]), (dataset.file(row), dataset.file(other))
        found.append(Evidence(name, *lines, dataset.labels.text(row), dataset.called(row), *files))
    return found


def validation_rows(patient: Patient, dataset: Dataset) -> Array | None:
    """The rows that were set aside when the model was trained on this very data; None where it was not.

    The split is a function of the seed and the labels, so it is made again. The name of the file and how many
    rows there are of each label say whether the data are the same. Where the user has set rows aside, files or columns
    say which, and these are not at hand.
    """
    record = patient.model.record
    if record.arranged:
        return None
    rows, aside = record.rows, record.validation_rows
    name = os.fsencode(os.path.basename(dataset.source.name)).decode("utf-8", "backslashreplace")
    if rows is None or not aside or record.data != name or rows + aside != len(dataset.texts):
        return None
    found = patient.adapter.validation_rows(dataset)
    return found if found is not None and len(found) == aside else None


def unknown_labels(patient: Patient, data: Examined) -> Check:
    """The share of all labels that the model does not know; the rows that have them, where they look mistyped."""
    adapter, commands = patient.adapter, patient.commands
    what, known = adapter.label_is, set(adapter.labels)
    counts = Counter(label for of_row in data.labels for label in of_row)
    unknown = Counter({label: count for label, count in counts.items() if label not in known})
    number = unknown.total() / counts.total() if counts else None
    means = f"share of the {what}s that the model does not know"
    check = Check("unknown labels", number, means, f"above {UNTRAINED:.0%}")
    if number is None or number <= UNTRAINED:
        return check
    label, times = unknown.most_common(1)[0]
    shown = label if len(label) <= SHOWN else label[:SHOWN] + "…"
    sentence = f"The model does not know {unknown.total():,} of {counted(counts.total(), what)}, "
    sentence += f"most often '{shown}' ({times:,})"
    near = _closest(label, sorted(known)) if number <= MOSTLY else ""
    if near:
        return check.found(sentence + near, commands.rows(), _labelled(check.name, data, unknown))
    other = "; --label names another column" if number > MOSTLY and adapter.labels_per == "input" else ""
    return check.found(f"{sentence}. A training on this data learns them{other}.", commands.train())


def _closest(label: str, known: Sequence[str]) -> str:
    """``; did you mean 'positive'?`` of a label that is mistyped, be it in its capitals alone."""
    same = {name.casefold(): name for name in known}.get(label.casefold())
    return f"; did you mean '{same}'?" if same is not None else closest(label, known)


def _labelled(name: str, data: Examined, unknown: Counter[str]) -> list[Evidence]:
    """Rows with such labels, each with its first one."""
    found = []
    for row, of_row in enumerate(data.labels):
        label = next((label for label in of_row if label in unknown), None)
        if label is not None:
            dataset = data.dataset
            found.append(Evidence(name, dataset.lines[row], None, label, dataset.called(row), dataset.file(row)))
    return found
