"""Work shared among processes: a training's ranks in step, and chunks of inputs.

:mod:`~rnncli.parallel.communicator` says what ranks can say to each other; a file beside it for each way to join them,
and a row in :data:`COMMUNICATORS`. :mod:`~rnncli.parallel.chunks` shares out what can be done in any order.
"""

from __future__ import annotations

from collections.abc import Callable

from rnncli.parallel.communicator import Alone, Group
from rnncli.parallel.forked import Forked

# By the way that processes are joined: a group of so many ranks.
COMMUNICATORS: dict[str, Callable[[int], Group]] = {"alone": lambda size: Alone(), "forked": Forked}


def group_of(workers: int) -> Group:
    """The group in which so many processes of this machine train."""
    return COMMUNICATORS["forked" if workers > 1 else "alone"](workers)
