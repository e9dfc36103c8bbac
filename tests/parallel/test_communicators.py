"""What a training asks of a communicator, asked of each kind; and trainings on each, which come to the same bits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import time_limit
from parallel.lockstep import Lockstep, World
from training.test_loop import TINY, TRAIN, VALIDATION, V, bits

from rnncli import parallel
from rnncli.config import Settings
from rnncli.core.gradients import RowGradient
from rnncli.core.optim.parameters import Gradients, ParameterStore
from rnncli.errors import DivergedError
from rnncli.parallel.communicator import Communicator, Group
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.language_model.network import LanguageModelNetwork, Streams
from rnncli.training import loop
from rnncli.training.step import Trainer

KINDS = [("alone", 1), ("forked", 2), ("forked", 3), ("lockstep", 1), ("lockstep", 2), ("lockstep", 3)]
each_kind = pytest.mark.parametrize(("kind", "size"), KINDS)


def in_all_ranks(kind: str, size: int, make: Callable[[Communicator], Callable[[], Any]]) -> Any:
    """What rank 0 finds, where all ranks do what ``make`` gives for their communicator."""
    with time_limit(60):
        if kind == "lockstep":
            world = World(size)
            others = [threading.Thread(target=lambda k=k: make(Lockstep(world, k))()) for k in range(1, size)]
            for thread in others:
                thread.start()
            found = make(Lockstep(world, 0))()
            for thread in others:
                thread.join()
            return found
        with parallel.COMMUNICATORS[kind](size) as group:
            work = make(group)

            def follow() -> None:
                work()
                group.broadcast()  # stays until rank 0 ends it

            group.start(follow)
            return work()


@each_kind
def test_numbers_go_to_all_ranks_however_soon_the_next_ones_follow(kind: str, size: int) -> None:
    def make(comm: Communicator) -> Callable[[], int]:
        def work() -> int:
            right = 0
            for k in range(300):
                right += comm.all_gather(comm.rank, k).tolist() == [[rank, k] for rank in range(size)]
                right += comm.broadcast(k if comm.rank == 0 else -1, 0.5) == (k, 0.5)
                if k % 7 == 0:
                    comm.barrier()
            return int(comm.all_gather(right).sum())

        return work

    assert in_all_ranks(kind, size, make) == 600 * size


@each_kind
def test_sums_are_taken_in_the_order_of_the_ranks(kind: str, size: int) -> None:
    """Each rank has those of its part; float32, where another order would come to other bits."""
    rng = np.random.default_rng(5)
    params = {"a": np.zeros((7, 3), np.float32), "table": np.zeros((40, 2), np.float32), "b": np.zeros(11, np.float32)}
    dense = rng.standard_normal((size, 32)).astype(np.float32) * 10.0 ** rng.integers(-3, 4, (size, 32))
    dense = dense.astype(np.float32)
    rows = [np.sort(rng.choice(40, 15, replace=False)) for _ in range(size)]
    values = rng.standard_normal((size, 15, 2)).astype(np.float32)
    whole, whole_table = dense[0].copy(), np.zeros((40, 2), np.float32)
    for other in dense[1:]:
        whole += other
    for of_rank, theirs in zip(rows, values, strict=True):
        whole_table[of_rank] += theirs

    def make(comm: Communicator) -> Callable[[], int]:
        store = ParameterStore(params, frozenset({"table"}), comm.empty)
        comm.reserve(store, {"table": 15})

        def work() -> int:
            right = 0
            index, count = comm.part
            own = slice(32 * index // count, 32 * (index + 1) // count)
            some = np.unique(np.concatenate(rows))
            for _ in range(50):
                tables = {"table": RowGradient(rows[comm.rank], values[comm.rank].copy(), (40, 2))}
                found = comm.all_reduce(Gradients(dense[comm.rank].copy(), tables, store.spans))
                right += np.array_equal(found.dense, whole[own])
                right += np.array_equal(found.tables["table"].rows, some[some % count == index])
                right += np.array_equal(found.tables["table"].dense()[index::count], whole_table[index::count])
                found.scale(0.5)
            return int(comm.all_gather(right).sum())

        return work

    assert in_all_ranks(kind, size, make) == 150 * size


@each_kind
def test_rows_that_each_rank_has_written_are_read_by_all(kind: str, size: int) -> None:
    def make(comm: Communicator) -> Callable[[], list[float]]:
        array = comm.empty((7, 2))

        def work() -> list[float]:
            rows = np.arange(comm.rank, 7, size)
            array[rows] = rows[:, None] + 1
            comm.assemble(array, rows)
            comm.barrier()
            return comm.all_gather(*array[:4].sum(axis=1)).sum(axis=0).tolist()

        return work

    assert in_all_ranks(kind, size, make) == [2 * size * row for row in (1, 2, 3, 4)]


def trained(kind: str, size: int, network: Any, train: Any, validation: Any, settings: Settings) -> tuple[Any, ...]:
    """Everything that a training leaves: bits and record."""
    states: list[Any] = []

    def make(comm: Group) -> Callable[[], None]:
        state = loop.new_state(network, settings, comm)
        if comm.rank:
            return Trainer(network, state, train, validation, settings, comm).follow
        states.append(state)
        return lambda: list(loop.run(network, state, train, validation, settings, comm))  # type: ignore[return-value]

    if kind == "lockstep":
        in_all_ranks(kind, size, make)  # type: ignore[arg-type]
    else:
        make(parallel.COMMUNICATORS[kind](size))()
    carried = [array.tobytes() for array in states[0].carried.values()]
    return bits(states[0]), carried, states[0].progress.history


CHOSEN = [
    {"optimizer": "adamw", "cell": "lstm", "bidirectional": True, "dropout": 0.5},
    {"optimizer": "adam", "clip": 0.01, "batch": 3},  # the last batch of 20 texts has two: fewer than ranks
    {"optimizer": "momentum", "layers": 2, "dtype": "float64"},
]


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("chosen", CHOSEN, ids=lambda chosen: chosen["optimizer"])
def test_a_training_comes_to_the_same_bits_however_its_ranks_are_joined(chosen: dict[str, Any], size: int) -> None:
    settings = Settings(**(TINY | chosen | {"workers": size}))
    what = Classifier(settings, V, 2), TRAIN, VALIDATION, settings
    forked, lockstep = (trained(kind, size, *what) for kind in ("forked", "lockstep"))
    assert forked == lockstep
    assert forked != trained("alone", 1, *what)


@pytest.mark.parametrize("size", [2, 3])
def test_states_that_go_on_are_whole_in_rank_0(size: int) -> None:
    settings = Settings(**(TINY | {"task": "lm", "batch": 5, "max_length": 4, "tokens": "char", "workers": size}))
    text = np.random.default_rng(3).integers(0, V - 1, 90).astype(np.int32)
    what = LanguageModelNetwork(settings, V), Streams.of(text, 5, 4), Streams.of(text[:30], 5, 4), settings
    forked, lockstep = (trained(kind, size, *what) for kind in ("forked", "lockstep"))
    assert forked == lockstep
    (alone,) = (trained("alone", 1, *what),)
    assert [len(carried) for carried in alone[1]] == [len(carried) for carried in forked[1]]
    assert forked[1] != [bytes(len(carried)) for carried in forked[1]]


@pytest.mark.parametrize("size", [1, 2])
def test_a_training_that_diverges_does_so_in_all_ranks(size: int) -> None:
    settings = Settings(**(TINY | {"lr": 1e9, "cell": "rnn", "nonlinearity": "relu", "workers": size}))
    what = Classifier(settings, V, 2), TRAIN, VALIDATION, settings
    said = []
    for kind in ("forked" if size > 1 else "alone", "lockstep"):
        with pytest.raises(DivergedError) as caught:
            trained(kind, size, *what)
        said.append(caught.value.message)
    assert said[0] == said[1]
