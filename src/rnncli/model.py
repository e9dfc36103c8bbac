"""A trained model, whatever its task: the file it is, and the face that the commands see."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from rnncli import model_file
from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.core.parameters import flatten, nest
from rnncli.core.recurrence import Params
from rnncli.data.dataset import Dataset, Reads
from rnncli.errors import ModelFileError, UsageError
from rnncli.inspection.states import States
from rnncli.views import Cell, Column, TableView

if TYPE_CHECKING:
    from rnncli.inspection.flow import Opened
    from rnncli.inspection.paths import Way
    from rnncli.inspection.why import Parts, Question

# Inputs are predicted so many at a time: memory stays flat however many there are.
CHUNK = 1024


class Prediction(Protocol):
    """The answer for one input; a dataclass, which ``--json`` prints whole."""

    @property
    def cut(self) -> int:
        """How many timesteps in the middle of a long input were not read."""

    def cells(self) -> tuple[Cell, ...]:
        """For a table, beside :attr:`Model.columns`."""

    def fields(self) -> tuple[str, ...]:
        """For a line of a pipe."""

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        """For a line of a terminal: the answer in short columns, the text, and what is to be noted."""


class Evaluation(Protocol):
    """How good a model is on data it has not seen; a dataclass, which ``--json`` prints whole."""

    @property
    def skipped(self) -> int: ...
    @property
    def skipped_because(self) -> tuple[str, ...]: ...

    def pairs(self) -> list[tuple[str, Cell]]:
        """The figures of the whole."""

    def tables(self) -> list[TableView]: ...


@dataclass(frozen=True)
class Metric:
    """By what an epoch is shown to be good.

    Attributes:
        name: for a table.
        field: of an epoch in the training record.
    """

    name: str
    field: str
    higher_is_better: bool = True

    def of(self, epoch: Mapping[str, Any]) -> float | None:
        """Of an epoch in the training record; None where nothing was validated."""
        value = epoch[self.field]
        return None if value is None else float(value)


ACCURACY = Metric("accuracy", "validation_accuracy")


class Network(Protocol):
    """What has parameters, and a shape for each."""

    def shapes(self) -> dict[str, tuple[int, ...]]: ...


class Model(ABC):
    """A network with everything that an input needs on its way to an answer; its kinds are frozen dataclasses.

    Attributes:
        task: its name in ``rnncli.config.TASKS``.
        metric: by what its epochs are shown to be good.
        labelled: whether the data it is scored on say what is right, beside each input.
        options: of ``predict`` that are for this kind, fields of it by name.
        columns: of a table of predictions.
        settings: those it was trained with.
        params: nested parameters.
        example: a short input to show what the model does.
        record: how it was trained: rows, epochs, scores.
    """

    task: ClassVar[str]
    metric: ClassVar[Metric] = ACCURACY
    labelled: ClassVar[bool] = True
    options: ClassVar[frozenset[str]] = frozenset()
    columns: ClassVar[tuple[Column, ...]]
    settings: Settings
    params: Params
    example: str
    record: dict[str, Any]

    @property
    @abstractmethod
    def network(self) -> Network: ...

    @property
    @abstractmethod
    def unit(self) -> str:
        """What a timestep is: a word, a char, a timestep."""

    @property
    def reads(self) -> Reads | None:
        """The columns of a table that an input's numbers come from; None where an input is the text of one column."""
        return None

    @abstractmethod
    def predict_stream(self, texts: Iterable[str]) -> Iterator[Any]:
        """One answer for each input, in order, in memory that does not grow with their number."""

    @abstractmethod
    def trace(self, text: str | None = None) -> States:
        """The hidden state and the answer at every timestep of an input, or of the model's own example.

        Raises:
            UsageError: the input has no timesteps.
        """

    @abstractmethod
    def opened(self, text: str | None = None, answer: str | None = None) -> Opened:
        """An input, or the model's own example, as an example of training, in float64.

        Args:
            answer: what the loss is to be of; None for what the model itself answers.

        Raises:
            UsageError: the input has no timesteps, or the answer is none that can be given.
        """

    @abstractmethod
    def parts(self, text: str) -> Parts:
        """An input in the parts that can be left out of it."""

    @abstractmethod
    def told(self, texts: Sequence[str]) -> list[str]:
        """The whole answer for each input, as :meth:`opened` takes it."""

    def question(self, text: str | None = None, answer: str | None = None) -> Question:
        """An input, or the model's own example, in parts that can be left out, and what it is asked for.

        Args:
            answer: whose score counts; None for what the model itself answers.

        Raises:
            UsageError: the input has no timesteps, or the answer is none that can be given.
        """
        from rnncli.inspection.why import Question

        text = self.example if text is None else text
        model: Any = self.in_double()
        model.opened(text, answer)  # refuses what cannot be asked
        score_is = "log probability"
        if answer is None:
            answer = self.told([text])[0]
            score_is += "" if self.tells_its_end(text) else ", as if it ended there,"
        parts = model.parts(text)
        way = model.way(parts.replaced(()), parts.replaced(range(len(parts.names))), answer)

        def scores(texts: Sequence[str]) -> Array:
            return np.asarray(model.network.log_probabilities(model.params, model.examples(texts, answer)))

        return Question(parts, answer, score_is, scores, self.told, *way)

    def tells_its_end(self, text: str) -> bool:
        """Whether what it answers ends by itself, and not because it would be too long."""
        return True

    def examples(self, texts: Sequence[str], answer: str) -> Any:
        """Inputs, all with one answer, as examples of training."""
        raise NotImplementedError

    def way(self, text: str, blank: str, answer: str) -> tuple[Way | None, Array | None]:
        """For integrated gradients: the way from an input whose parts are replaced; and which part each timestep is.

        None for the first where parts are no timesteps, for the second where they are the same.
        """
        raise NotImplementedError

    @abstractmethod
    def evaluate(self, dataset: Dataset, worst: int = 10, workers: int = 1) -> Any:
        """Scores on data with the right answers.

        Args:
            dataset: the records; those that cannot be read are left out where bad records are.
            worst: how many mistakes to name.
            workers: processes that share the work.

        Raises:
            DataError: a record cannot be read.
            StorageError: a worker process was killed.
        """

    @abstractmethod
    def describe(self) -> list[tuple[str, Cell]]:
        """What the model takes and gives, in a few lines."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """The same as values, for ``--json``."""

    @abstractmethod
    def own_manifest(self) -> dict[str, Any]:
        """What the file has to hold beside settings, example, record and parameters."""

    @classmethod
    @abstractmethod
    def of_manifest(cls, manifest: Mapping[str, Any], settings: Settings) -> Self:
        """The model without parameters, example and record.

        Raises:
            ValueError, KeyError, TypeError: it is no manifest of this kind.
        """

    def cut(self, text: str) -> int:
        """How many timesteps in the middle of an input are not read, for it is too long."""
        return 0

    def problem(self, text: str) -> str | None:
        """What is wrong with an input that cannot be read; None if it can be."""
        return None

    def answering(self, **how: Any) -> Self:
        """The same model, told how to answer: options of ``predict`` by name.

        Raises:
            UsageError: one of them is not for this task.
        """
        unknown = how.keys() - self.options
        if unknown:
            raise UsageError(f"--{min(unknown)} is not for a model of the task {self.task}")
        return replace(self, **how) if how else self  # type: ignore[type-var]

    def shown(self, predictions: Sequence[Any]) -> list[TableView]:
        """Predictions as tables for a terminal: one, with a row for each input."""
        return [TableView("", self.columns, tuple(prediction.cells() for prediction in predictions))]

    def predict(self, texts: Iterable[str]) -> list[Any]:
        """One answer for each input, in order."""
        if isinstance(texts, str):
            raise UsageError("predict takes a list of texts, not one text")
        return list(self.predict_stream(texts))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as one file, in one atomic step.

        Raises:
            StorageError: it cannot be written.
        """
        manifest = {"kind": "model", "task": self.task, "settings": self.settings.as_dict()}
        manifest |= self.own_manifest() | {"example": self.example, "record": self.record}
        model_file.save(path, manifest, dict(flatten(self.params)))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Model:
        """Reads a model file.

        Raises:
            ModelFileError: it is damaged, hostile or something else.
            StorageError: it cannot be read.
        """
        manifest, tensors = model_file.load(path, shapes=lambda manifest: _read(manifest).network.shapes())
        model = _read(manifest)
        dtype = np.dtype(model.settings.dtype)
        if any(array.dtype != dtype for array in tensors.values()):
            raise ModelFileError(f"{os.fspath(path)}: the tensors are not {dtype.name}, as the settings say")
        params = nest({name: tensors[name] for name in model.network.shapes()})
        return model.with_params(params)

    def with_params(self, params: Params) -> Self:
        """The same model with other parameters."""
        return replace(self, params=params)  # type: ignore[type-var]

    def in_double(self) -> Self:
        """The same model with parameters in float64: to look closely."""
        params = nest({name: value.astype(np.float64) for name, value in flatten(self.params)})
        return replace(self, settings=self.settings.replace(dtype="float64"), params=params)  # type: ignore[type-var]

    def with_training(self, settings: Settings, record: dict[str, Any]) -> Self:
        """The same model with what the training that made it came to in the end."""
        return replace(self, settings=settings, record=record)  # type: ignore[type-var]


def _read(manifest: dict[str, Any]) -> Model:
    """The model that a manifest describes, without its parameters, every part in its own type.

    Raises:
        ModelFileError: it is the manifest of another kind of file.
        ValueError, KeyError, TypeError, UsageError: it is not the manifest of a model.
    """
    from rnncli.tasks import model_class

    if manifest["kind"] == "training state":
        raise ModelFileError(
            "is the saved state of a training, not a model", "its model is model.safetensors, in the same folder"
        )
    kind = model_class(manifest["task"]) if manifest["kind"] == "model" else None
    if kind is None:
        raise ModelFileError("is no model of a task that this version knows")
    settings = Settings.from_mapping(manifest["settings"], "model")
    example, record = manifest["example"], manifest["record"]
    if not isinstance(example, str) or not isinstance(record, dict):
        raise ValueError("example or record has the wrong type")
    _require_record(record)
    return replace(kind.of_manifest(manifest, settings), example=example, record=record)  # type: ignore[type-var]


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
        if any(map(_no_float, epoch.values())):
            raise ValueError("an epoch of the training record has a number that is too large")
    baselines = record.get("baselines") or {}
    if not isinstance(baselines, dict) or not all(isinstance(value, int | float) for value in baselines.values()):
        raise ValueError("the baselines of the training record are not as they should be")
    if any(map(_no_float, baselines.values())):
        raise ValueError("a baseline of the training record is too large")


def _no_float(value: Any) -> bool:
    """Whether it is a whole number beyond every float, which JSON can hold."""
    return isinstance(value, int) and abs(value) > sys.float_info.max


def texts_of(values: Any, what: str) -> tuple[str, ...]:
    """A manifest's list of texts.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"every {what} is a text")
    return tuple(values)


def numbers_of(values: Any, what: str) -> Array:
    """A manifest's list of finite numbers, (n,) float64.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise ValueError(f"every {what} is a number")
    made = np.array(values, np.float64)
    if not np.isfinite(made).all():
        raise ValueError(f"a {what} is not finite")
    return made
