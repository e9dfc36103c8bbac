"""Chunks of work shared among processes, with results in the order of the chunks.

Which rows make a chunk never depends on the number of processes, so neither do the bits of the results.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from rnncli.parallel.processes import Workers

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


def map_chunks(work: Callable[[Chunk], Result], chunks: Iterable[Chunk], workers: int = 1) -> Iterator[Result]:
    """Yields ``work(chunk)`` for each chunk, in order, and reads at most as many chunks ahead as there are workers.

    Where no other processes can be started, this one does all of the work, and logs why.

    Args:
        work: processes inherit it; only chunks and results are sent.
        chunks: if reading one raises an exception, the results of those before it are yielded first.
        workers: how many processes; with 1 none is started.

    Raises:
        Exception: what a worker has failed with.
        StorageError: a worker was killed.
    """
    if workers > 1:
        with closing(Workers(workers, partial(_serve, work), at_work=workers)) as crew:
            if crew.start():
                yield from _shared(crew, workers, iter(chunks))
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


def _serve(work: Callable[[Chunk], Result], number: int, first: Connection) -> None:
    while True:
        first.send(work(first.recv()))


def _shared(crew: Workers, workers: int, chunks: Iterator[Chunk]) -> Iterator[Result]:
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

    for number in range(workers):
        hand_out(number)
    while busy:
        number = busy.popleft()
        result = crew.receive(number)
        hand_out(number)  # it works while the caller uses the result
        yield result
    if failed is not None:
        raise failed
