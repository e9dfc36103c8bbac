"""The events of a training as JSON lines, each written as it happens, for programs that follow it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from rnncli.errors import StorageError
from rnncli.render.json_out import dumps
from rnncli.results import EpochDone, Event, StepDone
from rnncli.storage import writing

if TYPE_CHECKING:
    from rnncli.training.session import Session

STEPS_AN_EPOCH = 10  # lines of steps, about


class TrainingLog:
    """Writes ``{"event": "start", …}``, then steps and epochs, and at last ``finished`` or ``failed``.

    Used as ``with TrainingLog(path) as log: …``; an exception in the block is its last line.

    Args:
        path: of the file, which is made or replaced.

    Raises:
        StorageError: it cannot be written, here or later.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        with writing(self._path):
            self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115  # closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        # Where it cannot be written, that is what is raised already.
        with suppress(StorageError):
            if error is not None:
                self._write("failed", error=getattr(error, "message", None) or type(error).__name__)
        with suppress(OSError):
            self._file.close()

    def start(self, session: Session) -> None:
        """The line of the beginning: the run, its settings, and what the data are like."""
        report = session.prepared.report
        self._write(
            "start",
            run=session.folder.path,
            **({"fold": session.fold} if session.fold else {}),
            data=session.dataset.name,
            settings=session.settings.as_dict(),
            metric=session.metric.name,
            report=report.document(),
            warnings=[*session.unused, *report.warnings],
        )

    def event(self, event: Event) -> None:
        """The line of an event; of the steps of an epoch about ten have one."""
        if isinstance(event, StepDone):
            if event.step % max(1, event.steps // STEPS_AN_EPOCH) == 0:
                self._write("step", **event._asdict())
        elif isinstance(event, EpochDone):
            timing = {"seconds": event.seconds, "words_per_second": event.words_per_second}
            self._write("epoch", **asdict(event.record) | timing)
        else:
            self._write("finished", reason=event.reason)

    def _write(self, what: str, **fields: Any) -> None:
        with writing(self._path):
            self._file.write(dumps({"event": what} | fields, ensure_ascii=True) + "\n")
            self._file.flush()
