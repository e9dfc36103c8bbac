"""Chunks of work shared among processes, with results in the order of the chunks.

Which rows make a chunk never depends on the number of processes, so neither do the bits of the results.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from rnncli.parallel.processes import Workers

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


def map_chunks(
    work: Callable[[Chunk], Result], chunks: Iterable[Chunk], workers: int = 1, waiting: int = 0
) -> Iterator[Result]:
    """Yields ``work(chunk)`` for each chunk, in order.

    At most ``1 + waiting`` chunks for each worker are read ahead.

    Where no other processes can be started, this one does all of the work, and logs why.

    Args:
        work: processes inherit it; only chunks and results are sent.
        chunks: if reading one raises an exception, the results of those before it are yielded first.
        workers: how many processes; with 1 none is started.
        waiting: how many chunks wait at each worker while it works on one, where it can start a thread. With none, it
            idles until this process has read the next one.

    Raises:
        Exception: what a worker has failed with.
        StorageError: a worker was killed.
    """
    if workers > 1:
        with closing(Workers(workers, partial(_serve, work, waiting), at_work=workers)) as crew:
            if crew.start():
                yield from _shared(crew, workers, iter(chunks), waiting)
                return
    yield from map(work, chunks)


def map_rows(
    work: Callable[[list[int]], Sequence[Result]], sizes: Sequence[int], count: int, workers: int = 1
) -> list[Result]:
    """The results for all rows, in their order; computed for chunks of rows of similar sizes, the largest first.

    Args:
        work: row numbers → a result for each.
        sizes: of each row.
        count: how many rows make a chunk.
        workers: as for :func:`map_chunks`.

    Raises:
        Exception: as :func:`map_chunks` does.
    """
    order = sorted(range(len(sizes)), key=lambda row: -sizes[row])
    chunks = [order[first : first + count] for first in range(0, len(order), count)]
    results: dict[int, Result] = {}
    for rows, found in zip(chunks, map_chunks(work, chunks, min(workers, len(chunks))), strict=True):
        results.update(zip(rows, found, strict=True))
    return [results[row] for row in range(len(sizes))]


def _serve(work: Callable[[Chunk], Result], waiting: int, number: int, first: Connection) -> None:
    receive = first.recv
    if waiting:
        ahead = _receiving_ahead(first)
        receive = ahead or receive
        first.send(ahead is not None)
    while True:
        first.send(work(receive()))


def _receiving_ahead(first: Connection) -> Callable[[], Any] | None:
    """A function that gives what came, while a thread takes what comes next: whoever sends is never kept waiting.

    Without it, both ends of a connection that is full would wait for each other. None where no thread can be started: a
    limit on processes counts threads too.
    """
    came: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def take() -> None:
        try:
            while True:
                came.put((first.recv(), None))
        except BaseException as error:  # the first process is gone, or there is no memory
            came.put((None, error))

    def receive() -> Any:
        chunk, error = came.get()
        if error is not None:
            raise error
        return chunk

    try:
        Thread(target=take, daemon=True).start()
    except RuntimeError:
        return None
    return receive


def _shared(crew: Workers, workers: int, chunks: Iterator[Chunk], waiting: int) -> Iterator[Result]:
    ahead = [crew.receive(number) for number in range(workers)] if waiting else [False]
    each = 1 + waiting if all(ahead) else 1
    failed: Exception | None = None
    busy: deque[int] = deque()  # in the order of their chunks

    def hand_out(number: int) -> None:
        nonlocal failed
        if failed is None:
            try:
                chunk = next(chunks)
            except StopIteration:
                return
            except Exception as error:
                failed = error
                return
            crew.send(number, chunk)
            busy.append(number)

    for _ in range(each):
        for number in range(workers):
            hand_out(number)
    while busy:
        number = busy.popleft()
        result = crew.receive(number)
        hand_out(number)  # it works while the caller uses the result
        yield result
    if failed is not None:
        raise failed
