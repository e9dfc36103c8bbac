"""The columns of predictions, and the files that they are written to beside the rows of their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from rnncli.clean import is_formula
from rnncli.errors import UsageError, counted, listed, quoted

if TYPE_CHECKING:
    from rnncli.cli.predictions import Answer, Asking
    from rnncli.data.dataset import Source
    from rnncli.results import Column, FileCell, TableView
    from rnncli.tasks.model import Model

T = TypeVar("T")
PROBLEM, FILE = "problem", "file"  # columns of a file
_SHOWN = 3  # problems that are named


class MoreColumns:
    """Columns with more of the probabilities of labels than that of the prediction.

    Args:
        probabilities: whether all labels have one.
        top: how many of the most probable labels are named; more than there are mean all.

    Raises:
        UsageError: the model's predictions have no probabilities of labels.
    """

    def __init__(self, model: Model, probabilities: bool, top: int | None) -> None:
        labels = model.classes
        option = "--probabilities" if probabilities else None if top is None else "--top"
        if option is not None and not labels:
            raise UsageError(
                f"{option} shows probabilities of labels, and a model of the task {model.task} has none",
                "leave it out",
            )
        self.labels = labels if probabilities else ()
        self.top = min(top or 0, len(labels))
        ranked = (name for k in range(1, self.top + 1) for name in (f"label_{k}", f"probability_{k}"))
        self.names = (*(f"probability_{label}" for label in self.labels), *ranked)

    def values(self, prediction: Any) -> tuple[str | float | None, ...]:
        """One for each of the names; None where there is no prediction."""
        if not self.names:
            return ()
        found = {} if prediction is None else prediction.probabilities
        values: list[str | float | None] = [found.get(label) for label in self.labels]
        for label, probability in self.ranked(found):
            values += [label, probability]
        return (*values, *(None,) * (len(self.names) - len(values)))

    def texts(self, prediction: Any) -> tuple[str, ...]:
        """The values as a line has them."""
        written = (f"{one:.4f}" if isinstance(one, float) else one for one in self.values(prediction))
        return tuple("-" if one is None else one for one in written)

    def document(self, prediction: Any) -> dict[str, Any]:
        """A prediction for ``--json``, with the most probable labels."""
        ranked = [{"label": label, "probability": found} for label, found in self.ranked(prediction.probabilities)]
        return {one.name: getattr(prediction, one.name) for one in fields(prediction)} | {"top": ranked}

    def ranked(self, probabilities: dict[str, float]) -> list[tuple[str, float]]:
        """The most probable labels with their probabilities; of equal ones the first."""
        return sorted(probabilities.items(), key=lambda pair: -pair[1])[: self.top]

    def beside(self, values: Sequence[T], more: Sequence[T]) -> tuple[T, ...]:
        """Values of a row with more of them behind the first two, the label and its probability."""
        return (*values[:2], *more, *values[2:])

    def view(self, predictions: Sequence[Any], columns: Sequence[Column]) -> TableView:
        """A table of predictions with these columns."""
        from rnncli.results import Column, TableView

        own = [Column(name, not name.startswith("label_")) for name in self.names]
        rows = (self.beside(one.cells(), self.values(one)) for one in predictions)
        return TableView("", self.beside(tuple(columns), own), tuple(rows))


class Destination:
    """The files that answers are written to.

    Args:
        output: a table of the inputs and their predictions.
        vectors: the vectors of the inputs.
        sources: the files of the inputs; none where these are texts.
        spreadsheet_safe: put a ``'`` before texts that a spreadsheet would take for formulas.

    Attributes:
        rows: that were written.
        problems: reasons of the rows without a prediction, with their lines: the first ones, and how many there are.
        quoted: texts behind a ``'``.
    """

    def __init__(
        self,
        model: Model,
        output: str | None,
        vectors: str | None,
        more: MoreColumns,
        sources: Sequence[Source] = (),
        spreadsheet_safe: bool = False,
    ) -> None:
        from rnncli.data.writing.arrays import VectorFile
        from rnncli.data.writing.table import TableFile

        self.model, self.more, self.sources = model, more, sources
        self.rows = self.quoted = self.lost = self.empty = 0
        self.problems: list[str] = []
        self.renamed: dict[str, str] = {}
        self._table = None if output is None else TableFile(output, self._inert if spreadsheet_safe else None)
        self._vectors = None if vectors is None else VectorFile(vectors, model.vector_size)

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._table, self._vectors):
            if file is not None:
                file.close()

    def add(self, answer: Answer, asking: Asking) -> None:
        """Takes the answer for the next input."""
        from rnncli.data.formats.places import place_in
        from rnncli.data.formats.values import as_text

        row = answer.row
        assert row is not None
        first, own = asking.names[0], asking.names[answer.source]
        values = row.values if own == first else tuple(row.values[own.index(name)] for name in first)
        problem = row.problem or getattr(answer.prediction, "problem", None)
        self.rows += 1
        if problem is not None:
            self.lost += 1
            if len(self.problems) < _SHOWN:
                self.problems.append(f"{self._place(answer)}: {problem}")
        if self._table is not None:
            if len(self.sources) > 1:
                values = (*values, self.sources[answer.source].path)
            place = place_in(answer.source, row.line)
            for answered in self._answered(answer.prediction):
                self._table.add((*values, *answered, *((problem,) if problem is not None else ())), place)
        if self._vectors is not None:
            named = row.values[0] if asking.grouped and row.values else row.line
            self._vectors.add(answer.vector, as_text(named) if isinstance(named, str) else str(named))
            self.empty += answer.vector is None or bool(answer.vector[0] != answer.vector[0])

    def _place(self, answer: Answer) -> str:
        assert answer.row is not None
        if not self.sources:
            return f"text {answer.row.line:,}"
        return f"{self.sources[answer.source].name}:{answer.row.line}"

    def _answered(self, prediction: Any) -> list[tuple[FileCell, ...]]:
        """The columns of an answer: a row, or several of a prediction that has several."""
        rows = [] if prediction is None else self.model.rows_of(prediction)
        found = [(*one.values(), *self.more.values(one)) for one in rows]
        return found or [(None,) * (len(self.model.answers) + len(self.more.names))]

    def _inert(self, text: str) -> str:
        if not is_formula(text):
            return text
        self.quoted += 1
        return f"'{text}"

    def finish(self, asking: Asking) -> None:
        """Writes the files.

        Raises:
            DataError: the format of the table cannot hold a value.
            StorageError: a file cannot be written.
        """
        from rnncli.data.writing.table import free_names

        inputs = asking.names[0] if asking.names else ()
        if self._table is not None:
            added = [FILE] * (len(self.sources) > 1) + [*self.model.answers, *self.more.names]
            added += [PROBLEM] * (self.lost > 0)
            names = free_names(added, inputs)
            self.renamed = {one: name for one, name in zip(added, names, strict=True) if one != name}
            self._table.finish((*inputs, *names), asking.in_order)
        if self._vectors is not None:
            self._vectors.finish(inputs[0] if inputs and asking.grouped else "line")

    def summary(self) -> dict[str, Any]:
        """What was written, for ``--json``."""
        files = {"output": self._table, "vectors": self._vectors}
        written = {name: {"path": file.path, "rows": file.count} for name, file in files.items() if file is not None}
        return {**written, "inputs": self.rows, "without_prediction": self.lost, "renamed": self.renamed}

    def notes(self) -> list[str]:
        """What is to be said of the files."""
        said = []
        if self._table is not None:
            said.append(f"{self._table.path}: {counted(self._table.count, 'row')}")
        if self.quoted:
            cells = counted(self.quoted, "cell that a spreadsheet", "cells that a spreadsheet")
            said.append(f"a ' stands before {cells} would take for a formula")
        if self._vectors is not None:
            shape = f"{self._vectors.count:,} × {self._vectors.width:,}"
            said.append(f"{self._vectors.path}: {shape} numbers, a vector for each input")
        return said

    def warnings(self) -> list[str]:
        """What is to be minded of the files."""
        said = []
        if self.renamed:
            new = listed([f"{quoted(name)} for {quoted(one)}" for one, name in self.renamed.items()])
            said.append(f"the inputs have columns of the same names: read {new}")
        if self.lost and self._table is not None:
            rows = counted(self.lost, "row has", "rows have")
            said.append(f"{rows} no prediction; the column '{PROBLEM}' says why: {'; '.join(self.problems)}")
        elif self.lost:
            said.append(f"{counted(self.lost, 'input')} could not be read: {'; '.join(self.problems)}")
        if self.empty and self._vectors is not None:
            said.append(f"{counted(self.empty, 'vector is', 'vectors are')} NaN: there was nothing to read")
        return said
