"""What the answers of a task are, for the preparation of its records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.tasks.comparison import Baseline, RowScores
from rnncli.tasks.many_to_one.model import ManyToOneModel
from rnncli.tasks.many_to_one.network import Examples, ManyToOne
from rnncli.tasks.prepare import Split, split
from rnncli.tasks.report import Report, label_report

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


class Targets(ABC):
    """How the answers of records become the targets of a network, and what is said of them."""

    @property
    @abstractmethod
    def trains(self) -> str:
        """What is trained, as a sentence begins: "A classifier"."""

    @abstractmethod
    def untrained(self, **fields: Any) -> ManyToOneModel:
        """A model without parameters."""

    @abstractmethod
    def require(self, dataset: Dataset) -> None:
        """Raises DataError: nothing can be learned from the answers of these records."""

    @abstractmethod
    def numbered(self, answers: Sequence[Any]) -> tuple[dict[str, Any], Array]:
        """The fields of the model that the answers decide, and the targets of all rows: (rows,) or (rows, K)."""

    @abstractmethod
    def strata(self, targets: Array) -> Array | None:
        """(rows,) numbers: rows with the same one give the same share to validation; None where all are alike."""

    def divided(
        self, dataset: Dataset, settings: Settings, begin: ManyToOneModel | None
    ) -> tuple[Split, dict[str, Any], Array]:
        """What each row is for, the fields of the model that the answers decide, and the targets of all rows.

        Raises:
            DataError: there are too few rows, or one for validation has an answer that none for training has.
        """
        fields, targets = self.numbered(dataset.labels)
        rows = split(dataset, settings, self.strata(targets))
        fields, targets = self.learned(dataset, rows, fields, targets, begin)
        return rows, *self.fitted(fields, targets, rows.train, begin)

    def learned(
        self, dataset: Dataset, rows: Split, fields: dict[str, Any], targets: Array, begin: ManyToOneModel | None
    ) -> tuple[dict[str, Any], Array]:
        """The same, once it is known what each row is for: the answers of the model are those that it can learn.

        Args:
            begin: the model that the training goes on from, whose answers stay in their places.

        Raises:
            DataError: a validation row that the user chose has an answer that cannot be learned.
        """
        return fields, targets

    def fitted(
        self, fields: dict[str, Any], targets: Array, train: Array, begin: Any = None
    ) -> tuple[dict[str, Any], Array]:
        """The same, once the rows for training are known: targets may be scaled by them, or as ``begin`` does it.

        Args:
            begin: the model that the training goes on from.
        """
        return fields, targets

    def weights(self, train_targets: Array, targets: Array, settings: Settings) -> Array | None:
        """(rows,) how much each counts in the loss, with mean 1 over the training rows; None for all the same."""
        return None

    @abstractmethod
    def warnings(self, dataset: Dataset, settings: Settings) -> tuple[str, ...]:
        """Sentences on the answers, and on the records that were left out."""

    @abstractmethod
    def report(
        self, answers: Sequence[Any], figures: Mapping[str, Any], lines: Sequence[tuple[str, str]], **more: Any
    ) -> Report:
        """The report, with the figures and lines of inputs; ``more`` are other fields of it."""

    def described(
        self,
        dataset: Dataset,
        settings: Settings,
        rows: Split,
        of: str,
        figures: Mapping[str, Any],
        lines: Sequence[tuple[str, str]],
        problems: Sequence[str] = (),
    ) -> Report:
        """The report on a training.

        Args:
            of: what the inputs are.
            figures, lines: as :meth:`report` takes them.
            problems: sentences beside those on the answers.
        """
        warnings = (*self.warnings(dataset, settings), *problems)
        what = f"{self.trains} of {of}"
        return self.report(dataset.labels, figures, lines, what=what, warnings=warnings, **rows.sizes)

    @property
    @abstractmethod
    def constant_is(self) -> str:
        """The name of the baseline that gives every row the same answer."""

    @abstractmethod
    def constant(self, train: Examples, validation: Examples, network: ManyToOne) -> Baseline:
        """Always the same answer, the one that suits the training rows best."""

    def baselines_of_texts(
        self, train: Examples, validation: Examples, vocabulary_size: int, network: ManyToOne
    ) -> tuple[Baseline, ...]:
        """What a network for texts has to beat; it reads ids of an unlimited vocabulary."""
        from rnncli.tasks.many_to_one import bag_of_words  # a text is predicted without it

        constant = self.constant(train, validation, network)
        return bag_of_words.baselines(train, validation, vocabulary_size, network, constant)

    def cost_of_baselines(self, words: int, vocabulary_size: int, network: ManyToOne) -> tuple[int, str | None]:
        """Bytes that the baselines of so many words take, and a sentence on one that is too large and left out."""
        from rnncli.tasks.many_to_one import bag_of_words

        problem = bag_of_words.problem(words, vocabulary_size, network, self.constant_is)
        return 0 if problem else bag_of_words.memory(words, vocabulary_size, network.logit_count), problem

    @abstractmethod
    def baselines_of_numbers(self, train: Examples, validation: Examples, network: ManyToOne) -> tuple[Baseline, ...]:
        """What a network for sequences of numbers has to beat."""


class LabelTargets(Targets):
    """Those of a task whose answers are labels."""

    @abstractmethod
    def indicators(self, targets: Array, label_count: int) -> Array:
        """(rows, K) 1 where a row has a label, else 0."""

    @abstractmethod
    def judged(self, scores: Array, targets: Array) -> RowScores:
        """The score of each row by (rows, K) scores, above 0 for a label that a row has."""

    @abstractmethod
    def counts(self, answers: Sequence[Any]) -> Counter[str]:
        """How many rows have each label."""

    def report(
        self, answers: Sequence[Any], figures: Mapping[str, Any], lines: Sequence[tuple[str, str]], **more: Any
    ) -> Report:
        return label_report(self.counts(answers), figures, lines, **more)

    def baselines_of_numbers(self, train: Examples, validation: Examples, network: ManyToOne) -> tuple[Baseline, ...]:
        """Random convolution kernels with a ridge classifier, and the same answer for all rows."""
        from rnncli.tasks.random_kernels import KernelRidge  # no prediction waits for it

        found = KernelRidge.fit(
            train.inputs, 2.0 * self.indicators(train.targets, network.label_count) - 1, network.settings.seed
        )
        scores = self.judged(found.predict(validation.inputs), validation.targets)
        return Baseline("random_convolution_kernels", scores), self.constant(train, validation, network)
