"""The protocol between inspection and the tasks: what a model is asked, whatever its task."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.by_hand.example import WorkedExample, work_out
from rnncli.inspection.integrated_gradients import GradientPath
from rnncli.inspection.loss import Label, Opened
from rnncli.inspection.question import InputParts, Question
from rnncli.inspection.states import States, unit_names
from rnncli.record import Record
from rnncli.results import ByHand
from rnncli.tasks.inputs import shorten
from rnncli.tasks.model import Model, require_text
from rnncli.tasks.prepare import split

M = TypeVar("M", bound=Model)


class Adapter(ABC, Generic[M]):
    """A model as inspection sees it.

    Attributes:
        labels_per: what has a label: the whole input, or each timestep; "none" where predictions are not labels.
        label_is: what such a label is called.
        answer_is_read: whether the layers read the answer, so that their states depend on it.
        cuts: whether the middle of a long input is not read.
        worked_example: how an example is worked by hand; None where models of the task are not.
        score_is: what the score of an answer is, in words.
        loss_is: what the loss of an example is: nats, or the squared error of standardised numbers.
    """

    labels_per: ClassVar[Literal["input", "timestep", "none"]] = "none"
    label_is: ClassVar[str] = "label"
    answer_is_read: ClassVar[bool] = False
    cuts: ClassVar[bool] = False
    worked_example: ClassVar[type[WorkedExample[Any]] | None] = None
    score_is: ClassVar[str] = "log probability"
    loss_is: ClassVar[Literal["nats", "squared error"]] = "nats"

    def __init__(self, model: M) -> None:
        self.model = model

    @cached_property
    def double(self) -> Self:
        """The same with parameters in float64."""
        return type(self)(self.model.in_double())

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model knows; none where predictions are not labels."""
        return ()

    @property
    def units(self) -> tuple[str, ...]:
        """A name for each unit of the topmost layer; of the encoder's where there are two networks."""
        return unit_names(self.model.settings.hidden, self.model.settings.bidirectional)

    @property
    def reads_numbers(self) -> bool:
        """Whether an input is numbers, none of which can be unknown."""
        return False

    @property
    def concise(self) -> M:
        """The same model with its shortest predictions, for many inputs."""
        return self.model

    def text(self, given: str | None) -> str:
        """The given text, or the model's own example.

        Raises:
            UsageError: it is not a text.
        """
        return self.model.example if given is None else require_text(given, "an input is a text")

    # One input

    @abstractmethod
    def _steps(self, text: str) -> Sequence[str]:
        """The names of the timesteps that are read."""

    def steps(self, text: str) -> tuple[str, ...]:
        """The names of the timesteps that are read.

        Raises:
            UsageError: there are none.
        """
        found = tuple(self._steps(text))
        if not found:
            what = f"has no {self.model.unit}s" if text.strip() else "is empty"
            raise UsageError(f"the text {what}: there is no timestep to show")
        return found

    def trace(self, text: str | None = None) -> States:
        """The hidden state and the prediction at every timestep of an input, or of the model's own example.

        Raises:
            UsageError: the input has no timesteps.
            DataError: it cannot be read.
        """
        text = self.text(text)
        return self._trace(text, self.steps(text))

    @abstractmethod
    def _trace(self, text: str, steps: tuple[str, ...]) -> States: ...

    def open(self, text: str | None = None, label: Label | str | None = None) -> Opened:
        """An input, or the model's own example, as an example of training, in float64.

        Args:
            label: what the loss is of; None for the model's own prediction.

        Raises:
            UsageError: the input has no timesteps, or the model has no such answer.
            DataError: the input cannot be read.
        """
        text, label = self.text(text), label if isinstance(label, Label) else Label.of(self.model, _answer(label))
        opened = self._open(text, self.steps(text), label.text)
        return replace(opened, origin=label.origin, remark=label.remark, loss_is=self.loss_is)

    @abstractmethod
    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened: ...

    def question(self, text: str | None = None, answer: str | None = None) -> Question:
        """An input, or the model's own example, in parts that can be left out, and the score that they explain.

        Args:
            answer: whose score counts; None for the model's own prediction.

        Raises:
            UsageError: the input has no timesteps, or the model has no such answer.
            DataError: the input cannot be read.
        """
        text, answer, ended = self.text(text), _answer(answer), True
        steps = self.steps(text)
        if answer is None:
            answer, ended = self.most_probable(text)
        else:
            self.require_answer(text, steps, answer)
        score_is = self.score_of(answer) + ("" if ended else ", as if it ended there,")
        parts, double = self.parts(text), self.double
        ends = parts.replaced(()), parts.replaced(range(len(parts.names)))
        # A replacement that is read as several timesteps leaves no path from part to part.
        same_steps = all(len(self.parts(end).names) == len(parts.names) for end in ends)
        return Question(
            parts=parts,
            answer=answer,
            score_is=score_is,
            scores=partial(double.scores, answer=answer),
            predictions=self.predicted,
            path=double.path(*ends, answer) if same_steps else None,
            read=self.read(len(parts.names)),
        )

    def require_answer(self, text: str, steps: tuple[str, ...], answer: str) -> None:
        """Raises UsageError: the model has no such answer."""
        self._open(text, steps, answer)

    def most_probable(self, text: str) -> tuple[str, bool]:
        """The prediction, and whether it ends by itself and is not cut off."""
        return self.predicted([text])[0], True

    def score_of(self, answer: str) -> str:
        """What the score of this answer is, in words."""
        return self.score_is

    @abstractmethod
    def scores(self, texts: Sequence[str], answer: str) -> Array:
        """(texts,) float64 the score of an answer for each input, as :attr:`score_is` says."""

    @abstractmethod
    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        """The path from a baseline to an input of as many parts, and the scores of an answer along it."""

    def by_hand(self, text: str | None = None, label: Label | str | None = None) -> ByHand:
        """One example worked with every number, as :func:`rnncli.inspection.by_hand.example.work_out` does.

        Args:
            label: what the loss is of; None for the model's own prediction.

        Raises:
            UsageError: models of the task are not worked out by hand, or as ``work_out`` and :meth:`open` do.
        """
        if self.worked_example is None:
            raise UsageError(f"models of the task {self.model.task} are not worked out by hand")
        example = self.worked_example(self.model)
        text = example.text if text is None else self.text(text)
        return work_out(example, text, lambda: self.open(text, label))

    @abstractmethod
    def parts(self, text: str) -> InputParts:
        """An input in parts that can be left out."""

    def tokens(self, text: str) -> Sequence[str]:
        """The tokens of an input; a sequence of numbers is one."""
        return (text,) if self.reads_numbers else self.parts(text).names

    def read(self, count: int) -> Array:
        """The positions of the timesteps that are read, of so many."""
        return shorten(np.arange(count), self.model.settings.max_length) if self.cuts else np.arange(count)

    def cut(self, text: str) -> int:
        """How many timesteps in the middle of an input are not read, because it is too long."""
        count = len(self.parts(text).names)
        return count - len(self.read(count))

    @abstractmethod
    def predicted(self, texts: Sequence[str]) -> list[str]:
        """The whole prediction for each input, as :meth:`open` takes it for an answer."""

    def loss_of_rates(self, record: Record) -> float | None:
        """The loss, in nats, of a model that knows only how common each label is; None where that is not recorded."""
        counts = record.label_rows
        if not counts or not all(counts.values()):
            return None
        whole = sum(counts.values())
        return -sum(n / whole * math.log(n / whole) for n in counts.values())

    # Many inputs

    @abstractmethod
    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The topmost layer along the texts of a file, one after the other; those without timesteps are left out.

        Raises:
            DataError: an input cannot be read.
        """

    @abstractmethod
    def answer_of(self, prediction: Any) -> str:
        """A whole prediction, for people to read."""

    def labels_of(self, prediction: Any) -> Sequence[str]:
        """The labels in a prediction."""
        return ()

    def probability_of(self, prediction: Any) -> float | None:
        """The probability of a whole prediction."""
        found: float | None = prediction.probability
        return found

    def change(self, first: Any, second: Any) -> float:
        """How much two predictions for one input differ, from 0 to 1."""
        if self.answer_of(first) != self.answer_of(second):
            return 1.0
        return abs(float(first.probability or 0) - float(second.probability or 0))

    def labelled(self, records: Dataset) -> tuple[Dataset, Sequence[Sequence[str]]]:
        """The records that can be read, and the right labels of each; none where predictions are not labels.

        Raises:
            DataError: a record cannot be read, and bad records are not to be left out.
        """
        problems = [self.model.problem(text) for text in records.inputs]
        records = records.without(problems, "record that cannot be read")
        return records, [(label,) for label in records.labels] if self.labels else ()

    def validation_rows(self, records: Dataset) -> Array | None:
        """The rows that a training on these records would set aside again; None if they cannot be the same."""
        return split(records, self.model.settings).validation


def _answer(given: Any) -> str | None:
    """Raises UsageError: it is neither a text nor None."""
    return None if given is None else require_text(given, "an answer is a text")
