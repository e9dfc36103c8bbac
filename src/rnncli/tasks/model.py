"""A trained model of any task: its file, and what the commands ask of it."""

from __future__ import annotations

import itertools
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np

from rnncli import model_file, schema, storage
from rnncli.config import TASKS, Settings
from rnncli.core.optim.parameters import LARGEST, flatten, nest, within_bounds
from rnncli.core.packed import Array, Params
from rnncli.data.formats.values import Value, size
from rnncli.data.records import Inputs, NumberArrays, Series, Texts
from rnncli.data.tables.source import Roles
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import ModelFileError, UsageError
from rnncli.record import Record
from rnncli.results import Column, FileCell, HeatMap, TableCell, TableView
from rnncli.schema import Length
from rnncli.tasks.comparison import Baseline, Comparison, RowScores, compare
from rnncli.tasks.network import Network
from rnncli.tasks.rows import EncodedRows
from rnncli.tasks.table import task_named

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset, Source
    from rnncli.data.doubts.preview import Purpose
    from rnncli.data.layouts.layout import Reads
    from rnncli.record import EpochRecord

# Settings that decide how a text becomes what the recurrent layers read.
OF_TEXTS = frozenset({"input", "tokens", "lowercase", "normalize"})
# Settings of an embedding, which one-hot rows do not have.
OF_AN_EMBEDDING = frozenset({"embedding", "embedding_scale"})
# Settings of models that are trained on windows of series.
OF_SERIES = frozenset({"horizon", "window", "season"})
# Inputs are predicted so many at a time, or so many characters of them: memory stays flat however many there are.
CHUNK, CHUNK_CHARACTERS = 1024, 2**22
REPR = 160  # characters in which Python describes a model or its scores


def chunks_of(inputs: Iterable[Value], most: int) -> Iterator[list[Any]]:
    """Inputs in chunks, each predicted at a time and of at most ``most`` inputs."""
    chunk: list[Value] = []
    length = 0
    for one in inputs:
        chunk.append(one)
        length += size(one)
        if len(chunk) == most or length >= CHUNK_CHARACTERS:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk


END = "\0end"  # no token has this name
UNSURE = "(unsure)"  # the prediction whose probability is below the one that was asked for


class Axis(NamedTuple):
    """The axis of a parameter that has an entry for each token or label that a model knows.

    Attributes:
        number: of the axis.
        names: of its entries; None for the token that stands for all others, and for the end of a text.
        what: is known by them, such as labels; "" where another axis counts the same.
        known: how many of these; None for one an entry that has a name.
    """

    number: int
    names: tuple[str | None, ...]
    what: str = ""
    known: int | None = None

    @property
    def size(self) -> int:
        """How many of ``what`` the model knows."""
        return sum(name not in (None, END) for name in self.names) if self.known is None else self.known


def token_axis(number: int, vocabulary: Vocabulary, what: str, ended: bool = False) -> Axis:
    """The axis of the tokens of a vocabulary, the unknown one, and the end of a text where there is one."""
    return Axis(number, (*vocabulary.tokens, None, *([END] if ended else [])), what)


class Prediction(Protocol):
    """The answer for one input; a dataclass, which ``--json`` prints whole."""

    @property
    def cut(self) -> int:
        """How many timesteps in the middle of a long input were not read."""

    @property
    def problem(self) -> str | None:
        """Why there is no answer; None if there is one."""

    def values(self) -> tuple[FileCell, ...]:
        """The values of a row of a file, in the order of :attr:`Model.answers`."""

    def cells(self) -> tuple[TableCell, ...]:
        """The row of a table whose columns are :attr:`Model.columns`."""

    def fields(self) -> tuple[str, ...]:
        """The tab-separated fields of a line in a pipe: the same columns in the same order."""

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        """The parts of a line on a terminal: short columns with the answer, the text, and a note."""


class Evaluation(ABC):
    """The scores of a model on a data set; a dataclass, which ``--json`` prints whole."""

    skipped: int
    skipped_because: tuple[str, ...]

    @abstractmethod
    def pairs(self) -> list[tuple[str, TableCell]]:
        """The scores as names and values."""

    @abstractmethod
    def tables(self) -> list[TableView]:
        """What takes a table to show: scores by label, mistakes."""

    def pictures(self) -> list[HeatMap]:
        """What ``--plot`` draws: a confusion matrix, where there are labels."""
        return []

    def __repr__(self) -> str:
        figures = (f"{what} {f'{value:.4g}' if isinstance(value, float) else value}" for what, value in self.pairs())
        return f"<rnncli evaluation: {_cut(', '.join(figures), REPR)}>"


@dataclass(frozen=True)
class Metric:
    """The score by which the epochs of a training are shown.

    Attributes:
        name: as a table heads it.
        field: of :class:`EpochRecord`.
    """

    name: str
    field: str
    higher_is_better: bool = True

    @property
    def is_share(self) -> bool:
        """Whether it is a share of right answers."""
        return self.field == "validation_accuracy"

    @property
    def title(self) -> str:
        """The name as a sentence begins."""
        return self.name[:1].upper() + self.name[1:]

    def of(self, epoch: EpochRecord) -> float | None:
        """The score of an epoch; None where nothing was validated."""
        value: float | None = getattr(epoch, self.field)
        return value

    def best_of(self, baselines: Sequence[Baseline]) -> Baseline:
        """The baseline with the best score."""
        return (max if self.higher_is_better else min)(baselines, key=lambda one: one.score)

    def compare(self, own: RowScores, other: RowScores, name: str) -> Comparison:
        """A model beside another predictor, called ``name``, by their scores on the same rows."""
        how = {"share": self.is_share, "higher_is_better": self.higher_is_better}
        return compare(own, other, name, self.name, **how)


class TextReading(NamedTuple):
    """How a model cuts texts into tokens, and which of them it knows."""

    unit: str
    tokens: Callable[[str], list[str]]
    vocabulary: Vocabulary


ACCURACY = Metric("accuracy", "validation_accuracy")


# At least two, none of them empty.
Labels = Annotated[tuple[Annotated[str, Length(1)], ...], Length(2)]


@dataclass(frozen=True, kw_only=True)
class Manifest(ABC):
    """What the file of a model holds beside its parameters; each task adds fields of its own."""

    kind: Literal["model"]
    task: str
    settings: Settings
    example: str
    record: Record
    roles: Roles | None = None

    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """The fields of the task's model.

        Raises:
            ValueError: they do not go together.
        """


@dataclass(frozen=True, kw_only=True, repr=False)
class Model(ABC):
    """A network with everything that turns an input into an answer; each task's model is a frozen dataclass.

    Attributes:
        task: its name in ``rnncli.config.TASKS``.
        stored: what its file holds beside the parameters.
        metric: the score by which its epochs are shown.
        share_is: what the share of right answers in the record of an epoch is called.
        labelled: whether the data that it is scored on have an answer beside each input.
        options: fields of the model that options of ``predict`` set.
        columns: of a table of predictions.
        answers: columns that predictions have in a file, beside those of the inputs.
        at_once: how many inputs are predicted together at most, where fewer than :data:`CHUNK`.
        settings: those it was trained with.
        params: nested parameters.
        example: a short input to show what the model does.
        record: how it was trained: rows, epochs, scores.
        roles: of the columns of the table that it was trained on; None for another file, and in those of version 0.1.
    """

    task: ClassVar[str]
    stored: ClassVar[type[Manifest]]
    metric: ClassVar[Metric] = ACCURACY
    share_is: ClassVar[str] = "accuracy"
    labelled: ClassVar[bool] = True
    options: ClassVar[frozenset[str]] = frozenset()
    columns: ClassVar[tuple[Column, ...]]
    answers: ClassVar[tuple[str, ...]] = ("prediction", "probability")
    at_once: ClassVar[int | None] = None
    settings: Settings
    params: Params = field(default_factory=dict)
    example: str = ""
    record: Record = field(default_factory=Record)
    roles: Roles | None = None

    @property
    @abstractmethod
    def network(self) -> Network: ...

    @property
    @abstractmethod
    def unit(self) -> str:
        """What a timestep is called: a word, a char, a timestep."""

    @property
    def inputs(self) -> type[Inputs[Any]]:
        """The type of its inputs."""
        return Texts

    @property
    def reads(self) -> Reads | None:
        """The columns of a table that an input's numbers come from; None where an input is the text of one column."""
        return None

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels of which a prediction has the probabilities, in their order; none where it has no such."""
        return ()

    @property
    def answers_timesteps(self) -> bool:
        """Whether each timestep of a series in a file is an input, and not all of it."""
        return False

    @property
    def row(self) -> str:
        """What is counted of the data that it is trained on: "row", "sentence", "char"."""
        return "row"

    @property
    def text_reading(self) -> TextReading | None:
        """How it reads any text token by token; None where it reads other inputs."""
        return None

    @property
    def kind(self) -> str:
        """The task, and of several kinds of models that it trains, which one."""
        return self.task

    @property
    def uses(self) -> frozenset[str]:
        """Of :data:`OF_SERIES`, the settings that have an effect on such a model."""
        return frozenset()

    @property
    def unused(self) -> frozenset[str]:
        """Settings without effect on such a model: naming one for a training is refused."""
        return frozenset()

    @property
    def unused_sizes(self) -> frozenset[str]:
        """Sizes and limits of what such a model lacks: not refused, since one command may train several kinds."""
        return frozenset()

    @property
    def axes(self) -> Mapping[str, Axis]:
        """Flat name of a parameter → the axis that grows with what the model knows; the others never grow."""
        return {}

    def carried(self, other: Model) -> tuple[dict[str, Array], Mapping[str, Axis]]:
        """The parameters by their flat names with their axes, as a model ``other`` that knows more has them."""
        return dict(flatten(self.params)), self.axes

    def __repr__(self) -> str:
        described = "; ".join(f"{value}" for what, value in self.describe() if what not in ("labels", "tags"))
        return f"<rnncli model, {self.task}: {_cut(described, REPR)}>"

    def predict_stream(self, texts: Iterable[Value], first: int = 0) -> Iterator[Any]:
        """One answer for each input, in order, in memory that does not grow with their number.

        Args:
            first: the number of the first input, where these are a part of more: random numbers depend on the seed
                and on the number of the input, not on the parts that inputs come in.

        Raises:
            UsageError: an input is not a text.
            DataError: it cannot be read.
        """
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise UsageError("predict takes a list of texts", 'for example: model.predict(["a text"])')
        return self._predict_stream(map(self.checked_input, texts, itertools.count(first + 1)), first)

    def checked_input(self, given: Any, number: int | None = None) -> Any:
        """An input as the model reads it.

        Args:
            number: that of the input, where there are others.

        Raises:
            UsageError: it is neither a text nor, where the model reads them, a list of words or of numbers.
        """
        if self.inputs is Texts:
            return require_text(given, f"{_numbered(number)} must be a text")
        if isinstance(given, np.ndarray) and given.dtype.kind in "biuf":
            return given
        of = "numbers" if issubclass(self.inputs, NumberArrays) else "words"
        wanted = f"{_numbered(number)} must be a text or a list of {of}"
        if isinstance(given, tuple | list | np.ndarray):
            return _plain(given, wanted)
        return require_text(given, wanted)

    def _predict_stream(self, texts: Iterable[Any], first: int) -> Iterator[Any]:
        for chunk in chunks_of(texts, self.at_once or CHUNK):
            yield from self._predict_chunk(chunk, first)
            first += len(chunk)

    @abstractmethod
    def _predict_chunk(self, texts: list[Any], first: int) -> Iterable[Any]: ...

    @property
    @abstractmethod
    def vector_size(self) -> int:
        """H of :meth:`vectors`."""

    @abstractmethod
    def vectors(self, texts: Sequence[Any]) -> Array:
        """(inputs, H) what the network reads each input as; NaN for one without timesteps."""

    def evaluate(self, data: Dataset | str | os.PathLike[str], worst: int = 10, workers: int = 1) -> Any:
        """Scores the model on data with the right answers.

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
        from rnncli.data.dataset import Dataset, Source  # a text is predicted without it

        if not isinstance(data, Dataset):
            data = self.read_dataset(Source(path_of(data)), self.purpose())
        return self._evaluate(self.examples(data), worst, workers)

    def read_dataset(self, source: Source, purpose: Purpose) -> Dataset:
        """The records of a file as the model reads them: by the columns that it was trained on.

        Of a file with a column that says what rows are for, those that the training has not seen.

        Args:
            purpose: what the file is read for.

        Raises:
            UsageError: an option says how a training divides its rows.
            DataError: a record cannot be read, or a column is missing.
            StorageError: the file cannot be read.
        """
        from rnncli.data.opening import read_dataset

        how: dict[str, Any] = {"task": self.task, "inputs": self.inputs, "purpose": purpose, "roles": self.roles}
        if source.group is not None:
            raise UsageError(
                "--group keeps rows on one side of a training, and nothing is trained here", "leave it out"
            )
        return read_dataset(source, self.labelled, self.reads, **how).held_out()

    @abstractmethod
    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> Any: ...

    @abstractmethod
    def describe(self) -> list[tuple[str, TableCell]]:
        """The network, its inputs and its answers, in a few lines."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """The same as values, for ``--json``."""

    @abstractmethod
    def own_manifest(self) -> dict[str, Any]:
        """What :attr:`stored` adds to :class:`Manifest`, as JSON holds it."""

    def purpose(self, command: str = "rnncli evaluate MODEL") -> Purpose:
        """What a reader of files should know of this model.

        Args:
            command: the beginning of a command line, for messages.
        """
        from rnncli.data.doubts.preview import Purpose
        from rnncli.data.tables.first_rows import Expected

        return Purpose(command, expected=Expected(by_model=True), task=self.task)

    def problem(self, text: Value) -> str | None:
        """Why an input cannot be read; None if it can be."""
        return None

    def examples(self, dataset: Dataset) -> Dataset:
        """The examples that the records of a file are for such a model: themselves, or parts of them."""
        return dataset

    def parts_of(self, series: Series) -> Iterable[tuple[int, Any]]:
        """The inputs in a series of a file, each with the timestep that it ends with: one, or one for each timestep."""
        return [(len(series.numbers) - 1, series.numbers)]

    def dated(self, prediction: Any, times: Sequence[str]) -> Any:
        """A prediction for a series whose last timesteps have these times."""
        return prediction

    def rows_of(self, prediction: Any) -> Sequence[Any]:
        """The rows of a table of predictions that one of them makes: itself, or several."""
        return (prediction,)

    def with_options(self, **options: Any) -> Self:
        """The same model with these options of ``predict``.

        Raises:
            UsageError: one of them is not for this task, or not possible.
        """
        unknown = options.keys() - self.options
        if unknown:
            raise UsageError(f"--{min(unknown).replace('_', '-')} is not for a model of the task {self.task}")
        try:
            return replace(self, **{name: schema.read_field(type(self), name, options[name]) for name in options})
        except schema.Wrong as wrong:
            raise UsageError(str(wrong)) from None

    def shown(self, predictions: Sequence[Any]) -> list[TableView]:
        """Predictions as tables for a terminal."""
        return [TableView("", self.columns, tuple(prediction.cells() for prediction in predictions))]

    def predict(self, texts: Iterable[Value], first: int = 0) -> list[Any]:
        """One answer for each input, in order; as :meth:`predict_stream`."""
        return list(self.predict_stream(texts, first))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as one file, in one atomic step.

        Raises:
            ModelFileError: :meth:`load` would refuse it. An older file stays as it was.
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
        begin = {"kind": "model", "task": self.task, "settings": self.settings.as_dict()}
        end = {"example": self.example, "record": asdict(self.record)}
        roles = {} if self.roles is None else {"roles": self.roles.stored()}
        return begin | self.own_manifest() | end | roles, dict(flatten(self.params))

    @staticmethod
    def load_untrained(path: str | os.PathLike[str]) -> tuple[Model, int]:
        """The model of a file without its parameters, and how many these are; quick, for lists of many models.

        Raises:
            ModelFileError: what stands before the parameters is damaged, hostile or something else.
            StorageError: the file cannot be read.
        """
        manifest, parameters = model_file.load_manifest(path_of(path))
        try:
            return _read(manifest), parameters
        except (ModelFileError, UsageError, ValueError) as error:
            raise ModelFileError(f"{storage.one_line(path)}: {error}") from error

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
        dtype, file = np.dtype(self.settings.dtype), storage.one_line(path)
        if any(array.dtype != dtype for array in tensors.values()):
            raise ModelFileError(f"{file}: the tensors are not {dtype.name}, as the settings say")
        for name, array in tensors.items():
            if not within_bounds(array):
                raise ModelFileError(
                    f"{file}: tensor '{name}' holds a value beyond {LARGEST:g}, with which no answer can be computed"
                )

    def with_params(self, params: Params) -> Self:
        """The same model with other parameters."""
        return replace(self, params=params)

    def calibrated(self, validation: EncodedRows) -> Self:
        """The same model with what is chosen on the validation rows, of which there may be none, by its parameters."""
        return self

    def row_scores(self, examples: Any) -> RowScores:
        """The scores of single rows, encoded as it reads them; those of all give its metric."""
        return self.network.row_scores(self.params, examples)

    def in_double(self) -> Self:
        """The same model with parameters in float64, for inspection."""
        params = nest({name: value.astype(np.float64) for name, value in flatten(self.params)})
        return replace(self, settings=self.settings.replace(dtype="float64"), params=params)

    def with_training(self, settings: Settings, record: Record) -> Self:
        """The same model with the settings and the record of the training that made it."""
        return replace(self, settings=settings, record=record)


def _shapes_of(manifest: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter of the model that a manifest describes."""
    return _read(manifest).network.shapes()


def _read(manifest: dict[str, Any]) -> Model:
    """The model that a manifest describes, without its parameters.

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
        raise ModelFileError("is not a model of a task that this version knows")
    kind: type[Model] = task_named(task).model
    stored = schema.read(kind.stored, manifest)
    own = stored.parts()
    return kind(settings=stored.settings, example=stored.example, record=stored.record, roles=stored.roles, **own)


def of_filled(work: Callable[[list[Any]], Iterable[Any]], inputs: Sequence[Any], empty: Any) -> list[Any]:
    """What ``work`` gives for the inputs that are not empty, in their order, and ``empty`` for each of the others."""
    filled = [one for one in inputs if len(one)]
    found = iter(work(filled) if filled else ())
    return [next(found) if len(one) else empty for one in inputs]


def path_of(value: str | os.PathLike[str]) -> str:
    """A path as text.

    Raises:
        UsageError: it is neither a text nor a path.
    """
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    return require_text(path, "a path is a text or a pathlib.Path")


def require_text(value: Any, should_be: str) -> str:
    """A value that is a text, itself.

    Raises:
        UsageError: it is something else; ``should_be`` begins the sentence.
    """
    if not isinstance(value, str):
        raise UsageError(f"{should_be}, not {_shown(value)}")
    return value


def _plain(value: Any, wanted: str) -> Any:
    """A list with lists and numbers of Python in it, in place of tuples and of what is NumPy's.

    Raises:
        UsageError: it holds something that JSON does not; ``wanted`` begins the sentence.
    """
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist(), wanted)
    if isinstance(value, tuple | list):
        kinds = set(map(type, value))
        if kinds <= {str} or (kinds <= {int, float} and isinstance(value, list)):
            return value
        return [_plain(one, wanted) for one in value]
    if value is None or isinstance(value, str | int | float | dict):
        return value
    raise UsageError(f"{wanted}, and holds {_shown(value)}")


def _numbered(number: int | None) -> str:
    return "the input" if number is None else f"input {number}"


def _shown(value: object) -> str:
    """A wrong argument, in a message."""
    return f"{_cut(repr(value), 60)} ({type(value).__name__})"


def _cut(text: str, length: int) -> str:
    line = storage.one_line(text)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def distinct(names: tuple[str, ...], what: str) -> tuple[str, ...]:
    """The names themselves.

    Raises:
        ValueError: one of them appears twice.
    """
    if len(set(names)) != len(names):
        raise ValueError(f"a {what} appears twice")
    return names
