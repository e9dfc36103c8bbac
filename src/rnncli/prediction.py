"""Answers to the many texts of a file, worked out by several processes, in the order of the texts."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from rnncli.core.threads import release_helper, share_cores
from rnncli.errors import StorageError
from rnncli.model import Model, Prediction, chunks_of
from rnncli.team import end_with_parent

# So many chunks for each process are read ahead: memory stays flat however long the file is.
AHEAD = 2

_model: Model | None = None  # what a forked process answers with


def predict_together(model: Model, texts: Iterable[str], workers: int) -> Iterator[Prediction]:
    """One answer for each text, in order, in memory that does not grow with their number.

    Raises:
        StorageError: a worker process was killed.
    """
    global _model
    _model = model
    release_helper()
    waiting: deque[Future[list[Prediction]]] = deque()
    pool = ProcessPoolExecutor(workers, get_context("fork"), _begin, (workers,))
    try:
        for chunk in chunks_of(texts):
            waiting.append(pool.submit(_answer, chunk))
            if len(waiting) > AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise StorageError("a worker process was killed", "if memory was short, predict in smaller files") from None
    finally:
        pool.shutdown(cancel_futures=True)
        _model = None


def _begin(workers: int) -> None:
    """In a process that has just been forked: Ctrl-C is for the first one, and so are its cores."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    share_cores(workers)


def _answer(texts: list[str]) -> list[Prediction]:
    assert _model is not None
    return _model.predict(texts)
