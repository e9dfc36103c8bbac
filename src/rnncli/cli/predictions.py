"""Asks a model about the inputs of files, chunk by chunk, and keeps each answer beside the row of its input."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from rnncli.cli.arguments.options import quiet
from rnncli.errors import DataError

if TYPE_CHECKING:
    from rnncli.data.dataset import Source
    from rnncli.data.kept import Kept
    from rnncli.tasks.model import Model

BYTES_A_TEXT = 500  # a guess, by which a file is or is not worth more than one process


class Answer(NamedTuple):
    """What a model says of one input.

    Attributes:
        prediction: None where none was asked for, or the input could not be read.
        vector: (H,) what it reads the input as; None likewise.
        source: the number of the file.
        row: of the input, where rows are kept.
    """

    prediction: Any
    vector: Any = None
    source: int = 0
    row: Kept | None = None


class _Asked(NamedTuple):
    """An input without an answer yet.

    Attributes:
        name: None to show the input as it is.
        times: the last ones of a series.
        problem: it cannot be read, and no answer will come.
    """

    name: str | None
    times: tuple[str, ...] = ()
    source: int = 0
    row: Kept | None = None
    problem: bool = False


class Asking:
    """How a model is asked.

    Args:
        predictions, vectors: what is asked for.
        keep: whether the rows of the inputs are kept: an input that cannot be read is then no error.
        show: takes each answer, in the order of the inputs.
        on_pause: called when a pipe is empty for now, and every input so far has its answer.

    Attributes:
        names: of the columns of the kept rows, of each file that was begun.
        in_order: whether the answers so far came in the order of the rows.
        grouped: whether an input is made of several rows; then the only column is its name.
    """

    def __init__(
        self,
        model: Model,
        show: Callable[[Answer], object],
        on_pause: Callable[[], object] = quiet,
        *,
        keep: bool = False,
        predictions: bool = True,
        vectors: bool = False,
    ) -> None:
        self.model, self.show, self.on_pause, self.keep = model, show, on_pause, keep
        self.predictions, self.vectors = predictions, vectors
        self.names: list[tuple[str, ...]] = []
        self.in_order, self.grouped = True, False
        self._asked: deque[_Asked] = deque()
        self._done = 0  # inputs that have an answer, or are being asked about

    def about_texts(self, texts: Iterable[Any]) -> None:
        """Asks about inputs themselves, each with a row of one column."""
        from rnncli.data.formats.values import as_text
        from rnncli.data.kept import Kept
        from rnncli.tasks.model import CHUNK, chunks_of

        self.names.append(("text",))

        def checked() -> Iterator[Any]:
            for number, text in enumerate(texts, 1):
                value = self.model.checked_input(text, number)
                self._asked.append(_Asked(None, row=Kept(number, (as_text(value),)) if self.keep else None))
                yield value

        for chunk in chunks_of(checked(), CHUNK):
            self._show(self._answers(*self._numbered(chunk)))

    def about_files(self, sources: Sequence[Source], workers: int | None) -> None:
        """Asks about the inputs of files.

        Raises:
            DataError: the model cannot read an input, with file and line, and rows are not kept.
        """
        from rnncli.core.cells.compiled import weights_at_rest

        with weights_at_rest():
            self._about_files(sources, _workers(sources, workers))

    def _about_files(self, sources: Sequence[Source], count: int) -> None:
        from rnncli.parallel.chunks import map_chunks
        from rnncli.tasks.model import CHUNK, chunks_of

        if count > 1:
            chunks = map(self._numbered, chunks_of(self._inputs(sources, quiet), CHUNK))
            for answers in map_chunks(lambda part: list(self._answers(*part, whole=True)), chunks, count, waiting=1):
                self._show(answers)
            self._show(())
            return
        waiting: list[Any] = []

        def ask() -> None:
            chunk, waiting[:] = waiting[:], []
            self._show(self._answers(*self._numbered(chunk)))

        def pause() -> None:
            if waiting or self._asked:
                ask()
                self.on_pause()

        for text in self._inputs(sources, pause):
            waiting.append(text)
            if len(waiting) == CHUNK:
                ask()
        pause()

    def _numbered(self, texts: list[Any]) -> tuple[list[Any], int]:
        self._done += len(texts)
        return texts, self._done - len(texts)

    def _answers(self, texts: list[Any], first: int, whole: bool = False) -> Iterable[tuple[Any, Any]]:
        """Of each input its prediction and its vector, as far as they are asked for."""
        predictions: Iterable[Any] = repeat(None, len(texts))
        if self.predictions:
            ask = self.model.predict if whole else self.model.predict_stream
            predictions = ask(texts, first)
        vectors: Iterable[Any] = self.model.vectors(texts) if self.vectors else repeat(None, len(texts))
        return zip(predictions, vectors, strict=True)

    def _show(self, answers: Iterable[tuple[Any, Any]]) -> None:
        """Hands on answers, each with what was asked, and what no answer will come for."""
        for prediction, vector in answers:
            self._show_problems()
            name, times, source, row, _ = self._asked.popleft()
            if name is not None and prediction is not None:
                prediction = replace(prediction, text=name)
            if times and prediction is not None:
                prediction = self.model.dated(prediction, times)
            self.show(Answer(prediction, vector, source, row))
        self._show_problems()

    def _show_problems(self) -> None:
        while self._asked and self._asked[0].problem:
            one = self._asked.popleft()
            self.show(Answer(None, None, one.source, one.row))

    def _inputs(self, sources: Sequence[Source], before_waiting: Callable[[], object]) -> Iterator[Any]:
        """The inputs of all files that can be read."""
        from rnncli.data.inputs import stream_inputs
        from rnncli.data.kept import KeptRows

        model = self.model
        for number, source in enumerate(sources):
            purpose = model.purpose("rnncli predict")
            kept = KeptRows(model.answers_timesteps) if self.keep else None
            how: dict[str, Any] = {"parts_of": model.parts_of, "roles": model.roles, "kept": kept}
            for input in stream_inputs(source, model.reads, before_waiting, purpose, model.inputs, **how):
                row = input.row
                if kept is not None:
                    self._note_columns(kept.names, source, number)
                    self.in_order &= kept.in_order
                    self.grouped |= kept.grouped
                lost = row is not None and row.problem is not None
                problem = None if lost else model.problem(input.value)
                if problem is not None:
                    if row is None:
                        raise DataError(f"{input.place}: {problem}")
                    row, lost = row._replace(problem=problem), True
                self._asked.append(_Asked(input.shown, input.times, number, row, lost))
                if not lost:
                    yield input.value

    def _note_columns(self, names: tuple[str, ...], source: Source, number: int) -> None:
        """Raises DataError: a file has other columns than those before it."""
        if len(self.names) > number:
            return
        self.names.append(names)
        if sorted(names) != sorted(self.names[0]):
            raise DataError(
                f"{source.name} has the columns {', '.join(names)}, and not those of the file before it: "
                f"{', '.join(self.names[0])}",
                "Files that are written into one have the same columns; predict each by itself.",
            )


def _workers(sources: Sequence[Source], most: int | None) -> int:
    """How many processes predict: one where the input may pause, or is small."""
    from rnncli.parallel.processes import helpful_workers

    paths = [source.path for source in sources]
    if not all(map(os.path.isfile, paths)):
        return 1
    return most or helpful_workers(sum(map(os.path.getsize, paths)) // BYTES_A_TEXT)
