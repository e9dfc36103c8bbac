"""A trained model, whatever its task: the file it is, and the face that the commands see."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, Self

import numpy as np

from rnncli import model_file, schema, storage
from rnncli.config import TASKS, Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.optim.parameters import LARGEST, flatten, nest, within_bounds
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset, Source, read_dataset
from rnncli.data.doubts.look import Asker
from rnncli.data.formats.values import Value, size
from rnncli.data.number_records import Reads
from rnncli.data.records import Inputs, Texts
from rnncli.errors import ModelFileError, UsageError
from rnncli.record import Record
from rnncli.results import Column, TableCell, TableView
from rnncli.schema import Length
from rnncli.tasks.network import Network
from rnncli.tasks.table import task_object

if TYPE_CHECKING:
    from rnncli.record import EpochRecord

# Settings that say how a text becomes what the recurrent layers read.
OF_TEXTS = frozenset({"input", "tokens", "lowercase", "normalize"})
# Settings of an embedding, which one-hot rows do not have.
OF_AN_EMBEDDING = frozenset({"embedding", "embedding_scale"})
# Inputs are predicted so many at a time, or so many characters of them: memory stays flat however many there are.
CHUNK, CHUNK_CHARACTERS = 1024, 2**22
REPR = 160  # characters of what is said of a model where Python shows it


def chunks_of(inputs: Iterable[Value], most: int | None = None) -> Iterator[list[Any]]:
    """Inputs in chunks that are predicted at a time, each of ``most`` at most."""
    chunk: list[Value] = []
    length = 0
    for one in inputs:
        chunk.append(one)
        length += size(one)
        if is_full(len(chunk), length) or len(chunk) == most:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk


def is_full(count: int, characters: int) -> bool:
    """Whether so many inputs of so many characters are to be predicted before another one is read."""
    return count >= CHUNK or characters >= CHUNK_CHARACTERS


class Prediction(Protocol):
    """The answer for one input; a dataclass, which ``--json`` prints whole."""

    @property
    def cut(self) -> int:
        """How many timesteps in the middle of a long input were not read."""

    def cells(self) -> tuple[TableCell, ...]:
        """For a table, beside :attr:`Model.columns`."""

    def fields(self) -> tuple[str, ...]:
        """For a line of a pipe."""

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        """For a line of a terminal: the answer in short columns, the text, and what is to be noted."""


class Evaluation(ABC):
    """How good a model is on data it has not seen; a dataclass, which ``--json`` prints whole."""

    skipped: int
    skipped_because: tuple[str, ...]

    @abstractmethod
    def pairs(self) -> list[tuple[str, TableCell]]:
        """The figures of the whole."""

    @abstractmethod
    def tables(self) -> list[TableView]: ...

    def __repr__(self) -> str:
        """One short line: its figures."""
        said = ", ".join(
            f"{what} {value:.4g}" if isinstance(value, float) else f"{what} {value}" for what, value in self.pairs()
        )
        return f"<rnncli evaluation: {_cut(storage.one_line(said), REPR)}>"


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

    def of(self, epoch: EpochRecord) -> float | None:
        """Of an epoch in the training record; None where nothing was validated."""
        value = getattr(epoch, self.field)
        return None if value is None else float(value)


ACCURACY = Metric("accuracy", "validation_accuracy")


# At least two, none of them empty.
Labels = Annotated[tuple[Annotated[str, Length(1)], ...], Length(2)]


@dataclass(frozen=True, kw_only=True)
class Manifest(ABC):
    """What the file of a model holds beside its parameters; each task has more of its own."""

    kind: Literal["model"]
    task: str
    settings: Settings
    example: str
    record: Record

    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """The fields of the model beside those that all have.

        Raises:
            ValueError: they do not go together.
        """


@dataclass(frozen=True, kw_only=True, repr=False)
class Model(ABC):
    """A network with everything that an input needs on its way to an answer; its kinds are frozen dataclasses.

    Attributes:
        task: its name in ``rnncli.config.TASKS``.
        metric: by what its epochs are shown to be good.
        labelled: whether the data it is scored on say what is right, beside each input.
        options: of ``predict`` that are for this kind, fields of it by name.
        columns: of a table of predictions.
        at_once: inputs that are predicted together at most; None for as many as there is room for.
        settings: those it was trained with.
        params: nested parameters.
        example: a short input to show what the model does.
        record: how it was trained: rows, epochs, scores.
        stored: what its file holds beside the parameters.
    """

    task: ClassVar[str]
    stored: ClassVar[type[Manifest]]
    metric: ClassVar[Metric] = ACCURACY
    labelled: ClassVar[bool] = True
    options: ClassVar[frozenset[str]] = frozenset()
    columns: ClassVar[tuple[Column, ...]]
    at_once: ClassVar[int | None] = None
    settings: Settings
    params: Params = field(default_factory=dict)
    example: str = ""
    record: Record = field(default_factory=Record)

    @property
    @abstractmethod
    def network(self) -> Network: ...

    @property
    @abstractmethod
    def unit(self) -> str:
        """What a timestep is: a word, a char, a timestep."""

    @property
    def inputs(self) -> type[Inputs[Any]]:
        """Of what type an input is."""
        return Texts

    @property
    def reads(self) -> Reads | None:
        """The columns of a table that an input's numbers come from; None where an input is the text of one column."""
        return None

    @property
    def kind(self) -> str:
        """The task; where a task has several kinds of models, which of them."""
        return self.task

    @property
    def unused(self) -> frozenset[str]:
        """Settings that decide nothing in this kind: to name one for a training is a mistake."""
        return frozenset()

    @property
    def unused_sizes(self) -> frozenset[str]:
        """Sizes and limits of what this kind does not have: not refused, for many kinds are given them alike."""
        return frozenset()

    def __repr__(self) -> str:
        """One short line: the task, the network, and what it reads and gives."""
        said = "; ".join(f"{value}" for what, value in self.describe() if what not in ("labels", "tags"))
        return f"<rnncli model, {self.task}: {_cut(storage.one_line(said), REPR)}>"

    def predict_stream(self, texts: Iterable[Value], first: int = 0) -> Iterator[Any]:
        """One answer for each input, in order, in memory that does not grow with their number.

        Args:
            first: the number of the first input, where these are a part of more: random numbers depend on the seed
                and on the number of the input, not on the parts that inputs come in.

        Raises:
            UsageError: an input is no text.
            DataError: it cannot be read.
        """
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise UsageError("predict takes a list of texts", 'for example: model.predict(["a text"])')
        numbered = enumerate(texts, first + 1)
        given = (self._input(one, number) for number, one in numbered)
        return self._predict_stream(given, first)

    def _input(self, given: Any, number: int) -> Any:
        """An input, which is a text or, where the model reads them, words or numbers.

        Raises:
            UsageError: it is something else.
        """
        typed = self.inputs is not Texts and isinstance(given, tuple | list | np.ndarray)
        return given if typed else require_text(given, f"an input is a text: number {number}")

    def _predict_stream(self, texts: Iterable[Any], first: int) -> Iterator[Any]:
        for chunk in chunks_of(texts, self.at_once):
            yield from self._predict_chunk(chunk, first)
            first += len(chunk)

    @abstractmethod
    def _predict_chunk(self, texts: list[Any], first: int) -> Iterable[Any]: ...

    def evaluate(self, data: Dataset | str | os.PathLike[str], worst: int = 10, workers: int = 1) -> Any:
        """Scores on data with the right answers.

        Args:
            data: the records, or their file; those that cannot be read are left out where bad records are.
            worst: how many mistakes to name.
            workers: processes that share the work.

        Raises:
            UsageError: an argument is of another type.
            DataError: a record cannot be read.
            StorageError: the file cannot be read, or a worker process was killed.
        """
        for name, count, least in (("worst", worst, 0), ("workers", workers, 1)):
            if type(count) is not int or count < least:
                raise UsageError(f"{name} is a whole number of at least {least}, not {_shown(count)}")
        if not isinstance(data, Dataset):
            data = read_dataset(
                Source(path_of(data)), self.labelled, self.reads, task=self.task, inputs=self.inputs, asker=self.asker()
            )
        return self._evaluate(data, worst, workers)

    @abstractmethod
    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> Any: ...

    @abstractmethod
    def describe(self) -> list[tuple[str, TableCell]]:
        """What the model takes and gives, in a few lines."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """The same as values, for ``--json``."""

    @abstractmethod
    def own_manifest(self) -> dict[str, Any]:
        """What the file has to hold beside settings, example, record and parameters."""

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Self:
        """The model of a manifest, which is of the class :attr:`stored`, without parameters.

        Raises:
            ValueError: its parts do not go together.
        """
        return cls(settings=manifest.settings, example=manifest.example, record=manifest.record, **manifest.parts())

    def asker(self, command: str = "rnncli evaluate MODEL") -> Asker:
        """Who reads files for this model.

        Args:
            command: how the command line begins that does.
        """
        return Asker(command)

    def problem(self, text: Value) -> str | None:
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
        try:
            how = {name: schema.read_field(type(self), name, value) for name, value in how.items()}
        except schema.Wrong as wrong:
            raise UsageError(str(wrong)) from None
        return replace(self, **how) if how else self

    def shown(self, predictions: Sequence[Any]) -> list[TableView]:
        """Predictions as tables for a terminal: one, with a row for each input."""
        return [TableView("", self.columns, tuple(prediction.cells() for prediction in predictions))]

    def predict(self, texts: Iterable[Value], first: int = 0) -> list[Any]:
        """One answer for each input, in order; as :meth:`predict_stream`."""
        return list(self.predict_stream(texts, first))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as one file, in one atomic step.

        Raises:
            ModelFileError: :meth:`load` would refuse it; an older file stays as it was.
            StorageError: it cannot be written.
        """
        manifest, tensors = self._contents()
        path = path_of(path)
        self._require_usable(path, tensors)
        model_file.save(path, manifest, tensors, shapes=_shapes_of)

    def require_saveable(self) -> None:
        """Raises ModelFileError where :meth:`save` would, whatever the parameters become."""
        manifest, tensors = self._contents()
        model_file.require_saveable(manifest, tensors, shapes=_shapes_of)

    def _contents(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Manifest and tensors of the file."""
        manifest = {"kind": "model", "task": self.task, "settings": self.settings.as_dict()}
        manifest |= self.own_manifest() | {"example": self.example, "record": asdict(self.record)}
        return manifest, dict(flatten(self.params))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Model:
        """Reads a model file.

        Raises:
            ModelFileError: it is damaged, hostile or something else.
            StorageError: it cannot be read.
        """
        path = path_of(path)
        read: list[Model] = []

        def shapes(manifest: dict[str, Any]) -> dict[str, tuple[int, ...]]:
            read.append(_read(manifest))
            return read[0].network.shapes()

        _, tensors = model_file.load(path, shapes=shapes)
        (model,) = read
        model._require_usable(path, tensors)
        return model.with_params(nest({name: tensors[name] for name in model.network.shapes()}))

    def _require_usable(self, path: str, tensors: Mapping[str, Array]) -> None:
        """Raises ModelFileError: parameters of another precision than in the settings, or too large to compute with."""
        dtype = np.dtype(self.settings.dtype)
        if any(array.dtype != dtype for array in tensors.values()):
            said = f"the tensors are not {dtype.name}, as the settings say"
            raise ModelFileError(f"{storage.one_line(path)}: {said}")
        for name, array in tensors.items():
            if not within_bounds(array):
                said = f"tensor '{name}' holds a value beyond {LARGEST:g}, with which no answer can be computed"
                raise ModelFileError(f"{storage.one_line(path)}: {said}")

    def with_params(self, params: Params) -> Self:
        """The same model with other parameters."""
        return replace(self, params=params)

    def in_double(self) -> Self:
        """The same model with parameters in float64: to look closely."""
        params = nest({name: value.astype(np.float64) for name, value in flatten(self.params)})
        return replace(self, settings=self.settings.replace(dtype="float64"), params=params)

    def with_training(self, settings: Settings, record: Record) -> Self:
        """The same model with what the training that made it came to in the end."""
        return replace(self, settings=settings, record=record)


def _shapes_of(manifest: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Of every parameter of the model that a manifest describes."""
    return _read(manifest).network.shapes()


def _read(manifest: dict[str, Any]) -> Model:
    """The model that a manifest describes, without its parameters, every part in its own type.

    Raises:
        ModelFileError: it is the manifest of another kind of file.
        ValueError, UsageError: it is not the manifest of a model.
    """
    if manifest.get("kind") == "training state":
        raise ModelFileError(
            "is the saved state of a training, not a model", "its model is model.safetensors, in the same folder"
        )
    task = manifest.get("task")
    if manifest.get("kind") != "model" or not isinstance(task, str) or task not in TASKS:
        raise ModelFileError("is no model of a task that this version knows")
    kind: type[Model] = task_object(task).model
    return kind.of_manifest(schema.read(kind.stored, manifest))


def path_of(value: str | os.PathLike[str]) -> str:
    """A path as text.

    Raises:
        UsageError: it is none.
    """
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    return require_text(path, "a path is a text or a pathlib.Path")


def require_text(value: Any, should_be: str) -> str:
    """A value that is a text, itself.

    Raises:
        UsageError: it is none; ``should_be`` begins the sentence.
    """
    if not isinstance(value, str):
        raise UsageError(f"{should_be}, not {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """A wrong argument, in a message."""
    return f"{_cut(storage.one_line(repr(value)), 60)} ({type(value).__name__})"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def distinct(names: tuple[str, ...], what: str) -> tuple[str, ...]:
    """The names themselves.

    Raises:
        ValueError: one of them stands twice.
    """
    if len(set(names)) != len(names):
        raise ValueError(f"a {what} stands twice")
    return names
