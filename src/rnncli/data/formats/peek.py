"""Looking ahead in an iterator."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sized
from itertools import chain, islice
from typing import Generic, TypeVar

from rnncli.errors import RnncliError

T = TypeVar("T", bound=Sized)


class Peeked(Generic[T]):
    """An iterator whose next items can be looked at before they are taken.

    An error that looking ahead meets is raised when its place is reached, and not before: what is wrong further up is
    reported first.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._ahead: deque[T] = deque()
        self._error: RnncliError | None = None

    def peek(self, count: int, size: float = math.inf) -> list[T]:
        """The next items: at most ``count``, and none after those whose lengths come to ``size``.

        There are fewer where the iterator ends, or fails.
        """
        held = sum(map(len, self._ahead))
        while len(self._ahead) < count and held < size and self._error is None:
            try:
                item = next(self._items)
            except StopIteration:
                break
            except RnncliError as error:
                self._error = error
                break
            self._ahead.append(item)
            held += len(item)
        return list(islice(self._ahead, count))

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._ahead:
            return self._ahead.popleft()
        if self._error is not None:
            raise self._error
        return next(self._items)

    def rest(self) -> Iterator[T]:
        """All items that are left. It is faster than the iterator itself, which is not to be used after it."""
        ahead, error = self._ahead, self._error
        return chain(ahead, self._items) if error is None else chain(ahead, failing(error))


def failing(error: RnncliError) -> Iterator[T]:
    """Raises the error when its first item is asked for."""
    raise error
    yield  # a generator, so that it raises when it is reached
