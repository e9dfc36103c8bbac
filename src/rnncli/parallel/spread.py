"""Items spread among processes, with results in the order of the items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from rnncli.parallel.processes import Workers

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Gives ``work(item)`` for each item, in order, reading no more of them ahead than there are workers.

    Where no other processes can be started, this one does all of the work, and says so.

    Args:
        work: what is done; processes inherit it, and only items and results are sent.
        items: where reading one raises an exception, those before it are answered first.
        workers: processes; with one, no other is started.

    Raises:
        Exception: what a worker has failed with.
        StorageError: a worker was killed.
    """
    if workers > 1:
        with closing(Workers(workers, partial(_serve, work), at_work=workers)) as crew:
            if crew.start():
                yield from _spread(crew, workers, iter(items))
                return
    yield from map(work, items)


def shared_out(work: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item], workers: int) -> list[Result]:
    """The results of ``work`` for all items, of which each worker takes every so-many-th.

    Args:
        work: gives a result for each item of a list.

    Raises:
        Exception: as :func:`in_order`.
    """
    workers = min(workers, len(items))
    if workers < 2:
        return list(work(items))
    results: list[Any] = [None] * len(items)
    parts = in_order(lambda first: work(items[first::workers]), range(workers), workers)
    for first, part in enumerate(parts):
        results[first::workers] = part
    return results


def _serve(work: Callable[[Item], Result], number: int, first: Connection) -> None:
    while True:
        first.send(work(first.recv()))


def _spread(crew: Workers, workers: int, items: Iterator[Item]) -> Iterator[Result]:
    failed: Exception | None = None
    busy: deque[int] = deque()  # in the order of their items

    def hand_out(number: int) -> None:
        nonlocal failed
        if failed is None:
            try:
                item = next(items)
            except StopIteration:
                return
            except Exception as error:
                failed = error
                return
            crew.send(number, item)
            busy.append(number)

    for number in range(workers):
        hand_out(number)
    while busy:
        number = busy.popleft()
        result = crew.receive(number)
        hand_out(number)  # it works on while the caller has its result
        yield result
    if failed is not None:
        raise failed
