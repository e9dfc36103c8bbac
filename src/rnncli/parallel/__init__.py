"""Work shared among processes: the ranks of a training, and chunks of inputs.

:mod:`~rnncli.parallel.communicator` says what ranks exchange; each way to join them is a file beside it and a row in
:data:`COMMUNICATORS`. :mod:`~rnncli.parallel.chunks` distributes what can be done in any order.
"""

from __future__ import annotations

from collections.abc import Callable

from rnncli.parallel.communicator import Alone, Group
from rnncli.parallel.forked import Forked

# How processes are joined → a group of so many ranks.
COMMUNICATORS: dict[str, Callable[[int], Group]] = {"alone": lambda size: Alone(), "forked": Forked}


def group_of(workers: int) -> Group:
    """The group in which so many processes of this machine train."""
    return COMMUNICATORS["forked" if workers > 1 else "alone"](workers)
