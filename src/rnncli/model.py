"""A trained model: what it answers, how it gets there, and the file it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from rnncli import model_file
from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.core.parameters import flatten, nest
from rnncli.core.recurrence import Params
from rnncli.data.dataset import Dataset
from rnncli.data.tokenizer import Tokenizer
from rnncli.data.vocabulary import Vocabulary
from rnncli.errors import ModelFileError, UsageError
from rnncli.inspection.trace import Trace, trace
from rnncli.tasks.classify import Classifier
from rnncli.tasks.prepare import shorten
from rnncli.team import Team, shared_empty
from rnncli.training.metrics import Scores, score

# Texts are predicted so many at a time: memory stays flat however many there are.
CHUNK = 1024


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    Attributes:
        text: as it was given.
        label: the most probable label; None for a text without tokens.
        probability: of that label.
        probabilities: label → probability, in the model's order.
        tokens: how many the text has.
        unknown: those of them that the model does not know, each once.
        cut: how many tokens in the middle of a long text were not read.
    """

    text: str
    label: str | None
    probability: float | None
    probabilities: dict[str, float]
    tokens: int
    unknown: tuple[str, ...]
    cut: int


@dataclass(frozen=True)
class Mistake:
    """A wrong answer, with the file's line."""

    line: int
    text: str
    truth: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class Evaluation:
    """Scores on labelled texts, and the wrong answers given with most confidence.

    Attributes:
        unseen: rows by a label that the model has never seen: they are wrong by necessity.
        skipped: bad records that were left out; ``skipped_because`` says why for the first of them.
    """

    scores: Scores
    mistakes: tuple[Mistake, ...]
    unseen: dict[str, int]
    skipped: int
    skipped_because: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A classifier with everything that a text needs on its way to a label.

    Attributes:
        settings: those it was trained with.
        params: nested parameters.
        labels: in the order of the probabilities.
        example: a short text to show what the model does.
        record: how it was trained: rows, epochs, scores.
    """

    settings: Settings
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    params: Params
    example: str = ""
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def network(self) -> Classifier:
        return Classifier(self.settings, self.vocabulary.size, len(self.labels))

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """One answer for each text, in order."""
        if isinstance(texts, str):
            raise UsageError("predict takes a list of texts, not one text")
        return list(self.predict_stream(texts))

    def predict_stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """One answer for each text, in order, in memory that does not grow with their number."""
        waiting = iter(texts)
        while chunk := list(islice(waiting, CHUNK)):
            yield from self._predict_chunk(chunk)

    def trace(self, text: str | None = None) -> Trace:
        """The hidden state and the answer after every timestep of a text, or of the model's own example.

        Raises:
            UsageError: the text has no tokens.
        """
        text = self.example if text is None else text
        tokens, ids = self._encode(text)
        if not tokens:
            what = f"has no {self.tokenizer.unit}s" if text.strip() else "is empty"
            raise UsageError(f"the text {what}: there is no timestep to show")
        read = shorten(np.arange(len(tokens)), self.settings.max_length).tolist()
        shown = [tokens[position] for position in read]
        known = [token in self.vocabulary for token in shown]
        return trace(self.network, self.params, ids, shown, known, self.labels)

    def evaluate(self, dataset: Dataset, worst: int = 10, workers: int = 1) -> Evaluation:
        """Scores on labelled texts.

        Args:
            dataset: the records; those without tokens are left out where bad records are.
            worst: how many mistakes to name.
            workers: processes that share the texts.

        Raises:
            DataError: a text has no tokens, so that there is no answer to it.
            StorageError: a worker process was killed.
        """
        lengths, answered = self._answers(dataset.texts, workers)
        dataset = dataset.with_tokens(lengths.tolist(), self.tokenizer.unit)
        names = [*self.labels, *sorted(set(dataset.labels) - set(self.labels))]
        number = {name: k for k, name in enumerate(names)}
        truth = np.array([number[label] for label in dataset.labels], np.int64)
        answered = answered[lengths > 0]
        predicted, confidence = answered.argmax(axis=1), answered.max(axis=1)
        wrong = np.flatnonzero(predicted != truth)
        wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:worst]
        mistakes = tuple(
            Mistake(
                dataset.lines[row],
                dataset.texts[row],
                dataset.labels[row],
                names[predicted[row]],
                float(confidence[row]),
            )
            for row in wrong.tolist()
        )
        unseen = {name: int((truth == number[name]).sum()) for name in names[len(self.labels) :]}
        skipped, reasons = dataset.skipped, dataset.skipped_because
        return Evaluation(score(truth, predicted, tuple(names)), mistakes, unseen, skipped, reasons)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as one file, in one atomic step.

        Raises:
            StorageError: it cannot be written.
        """
        manifest = {
            "kind": "model",
            "task": "classify",
            "settings": self.settings.as_dict(),
            "tokenizer": asdict(self.tokenizer),
            "vocabulary": list(self.vocabulary.tokens),
            "labels": list(self.labels),
            "example": self.example,
            "record": self.record,
        }
        model_file.save(path, manifest, dict(flatten(self.params)))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Reads a model file.

        Raises:
            ModelFileError: it is damaged, hostile or something else.
            StorageError: it cannot be read.
        """
        manifest, tensors = model_file.load(path, shapes=_expected_shapes)
        parts = _read_manifest(manifest)
        dtype = np.dtype(parts.settings.dtype)
        if any(array.dtype != dtype for array in tensors.values()):
            raise ModelFileError(f"{os.fspath(path)}: the tensors are not {dtype.name}, as the settings say")
        params = nest({name: tensors[name] for name in parts.network.shapes()})
        return cls(parts.settings, parts.tokenizer, parts.vocabulary, parts.labels, params, parts.example, parts.record)

    def _encode(self, text: str) -> tuple[list[str], Array]:
        """All tokens of a text, and the ids of those that are read."""
        tokens = self.tokenizer.tokens(text)
        return tokens, shorten(self.vocabulary.encode(tokens), self.settings.max_length)

    def _answers(self, texts: Sequence[str], workers: int) -> tuple[Array, Array]:
        """(texts,) how many tokens are read of each, and (texts, labels) probabilities."""
        lengths = shared_empty(len(texts), np.int64)
        answered = shared_empty((len(texts), len(self.labels)))
        team = Team(workers)

        def answer_own(*_: int) -> None:
            encoded = [self._encode(text)[1] for text in texts[team.rank :: team.count]]
            lengths[team.rank :: team.count] = [len(ids) for ids in encoded]
            answered[team.rank :: team.count] = self._probabilities(encoded)
            team.meet()

        with closing(team):
            team.start(answer_own)
            team.tell(0)
            answer_own()
        return lengths, answered

    def _probabilities(self, encoded: Sequence[Array]) -> Array:
        """(texts, labels) probabilities; zeros for a text without tokens."""
        result = np.zeros((len(encoded), len(self.labels)))
        filled = [row for row, ids in enumerate(encoded) if len(ids)]
        if filled:
            logits = self.network.logits(self.params, [encoded[row] for row in filled])
            result[filled] = self.network.probabilities(logits)
        return result

    def _predict_chunk(self, texts: list[str]) -> Iterator[Prediction]:
        encoded = [self._encode(text) for text in texts]
        answered = self._probabilities([ids for _, ids in encoded])
        for text, (tokens, _), row in zip(texts, encoded, answered, strict=True):
            if not tokens:
                yield Prediction(text, None, None, {}, 0, (), 0)
                continue
            best = int(row.argmax())
            yield Prediction(
                text,
                self.labels[best],
                float(row[best]),
                dict(zip(self.labels, row.tolist(), strict=True)),
                len(tokens),
                tuple(dict.fromkeys(token for token in tokens if token not in self.vocabulary)),
                max(0, len(tokens) - self.settings.max_length),
            )


@dataclass(frozen=True)
class _Manifest:
    """The checked contents of a model file's manifest."""

    settings: Settings
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    example: str
    record: dict[str, Any]

    @property
    def network(self) -> Classifier:
        return Classifier(self.settings, self.vocabulary.size, len(self.labels))


def _expected_shapes(manifest: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return _read_manifest(manifest).network.shapes()


def _read_manifest(manifest: dict[str, Any]) -> _Manifest:
    """Every part in its own type.

    Raises:
        ModelFileError: it is the manifest of another kind of file.
        ValueError, KeyError, TypeError, UsageError: it is not the manifest of a classifier.
    """
    if manifest["kind"] == "training state":
        raise ModelFileError(
            "is the saved state of a training, not a model", "its model is model.safetensors, in the same folder"
        )
    if manifest["kind"] != "model" or manifest["task"] != "classify":
        raise ModelFileError("is not a classifier")
    settings = Settings.from_mapping(manifest["settings"], "model")
    tokenizer = _tokenizer(manifest["tokenizer"])
    labels = _texts(manifest["labels"], "label")
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError("a classifier has at least two labels, each once")
    tokens = _texts(manifest["vocabulary"], "token")
    if not isinstance(manifest["example"], str) or not isinstance(manifest["record"], dict):
        raise ValueError("example or record has the wrong type")
    _require_record(manifest["record"])
    return _Manifest(settings, tokenizer, Vocabulary(tokens), labels, manifest["example"], manifest["record"])


_NUMBER_OR_NONE = (int, float, type(None))
_EPOCH_FIELDS: dict[str, tuple[type, ...]] = {
    "epoch": (int,),
    "loss": (int, float),
    "validation_loss": _NUMBER_OR_NONE,
    "validation_accuracy": _NUMBER_OR_NONE,
    "best": (bool,),
}


def _require_record(record: dict[str, Any]) -> None:
    """Refuses a training record that ``inspect`` could not show.

    Raises:
        ValueError: an entry is not what :class:`rnncli.training.session.Session` writes.
    """
    for epoch in record.get("epochs", []):
        if not isinstance(epoch, dict) or epoch.keys() != _EPOCH_FIELDS.keys():
            raise ValueError("an epoch of the training record is not described as it should be")
        if any(not isinstance(epoch[name], kinds) for name, kinds in _EPOCH_FIELDS.items()):
            raise ValueError("an epoch of the training record has a value of the wrong type")
    baselines = record.get("baselines")
    if baselines is not None and (
        not isinstance(baselines, dict)
        or baselines.keys() != {"majority", "bag_of_words"}
        or not all(isinstance(value, int | float) for value in baselines.values())
    ):
        raise ValueError("the baselines of the training record are not as they should be")


def _tokenizer(table: Any) -> Tokenizer:
    match table:
        case {"unit": "word" | "char" as unit, "lowercase": bool(lower), "normalize": bool(nfc)} if len(table) == 3:
            return Tokenizer(unit, lower, nfc)
    raise ValueError("unknown tokenizer")


def _texts(values: Any, what: str) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"every {what} is a text")
    return tuple(values)
