"""Processes that share work: results in order, causes told, and nobody left behind whatever happens at any moment."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import fail_nth_call, time_limit

from rnncli import stopping
from rnncli.core import threads
from rnncli.errors import DataError, StorageError
from rnncli.parallel.chunks import map_chunks, map_rows
from rnncli.parallel.forked import Forked
from rnncli.parallel.processes import Workers


def children() -> list[int]:
    """Processes of ours that run, or have ended and were not waited for."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in listed]


def descriptors() -> list[str]:
    return os.listdir("/proc/self/fd")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = children(), len(descriptors())
    handlers = [signal.getsignal(number) for number in stopping.SIGNALS]
    with time_limit(60):
        yield
    assert (children(), len(descriptors())) == before
    assert [signal.getsignal(number) for number in stopping.SIGNALS] == handlers
    assert threads._processes == 1


@pytest.fixture
def stopping_raises(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[BaseException]]:
    """Every signal that ends a command raises where it is handled, as Ctrl-C does in a notebook."""

    class Stopped(BaseException):
        pass

    def stop(number: int, _: object) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in stopping.SIGNALS}
    yield Stopped
    for number, handler in before.items():
        signal.signal(number, handler)


def double(number: int) -> tuple[int, int]:
    return 2 * number, os.getpid()


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 20])
def test_results_come_in_the_order_of_the_items(workers: int, count: int) -> None:
    results = list(map_chunks(double, iter(range(count)), workers))
    assert [doubled for doubled, _ in results] == list(range(0, 2 * count, 2))
    assert len({pid for _, pid in results}) == min(workers, count)
    assert (os.getpid() in {pid for _, pid in results}) == (workers == 1 and count > 0)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_rows_of_like_sizes_are_worked_on_together_however_many_processes_there_are(workers: int) -> None:
    sizes = [3, 9, 1, 9, 4, 2, 8]
    found = map_rows(lambda rows: [(row, tuple(rows)) for row in rows], sizes, 3, workers)
    assert [row for row, _ in found] == list(range(7))
    assert {rows for _, rows in found} == {(1, 3, 6), (4, 0, 5), (2,)}
    assert map_rows(lambda rows: [], [], 3, workers) == []


def test_items_are_read_only_as_they_are_needed() -> None:
    read: list[int] = []
    items = (read.append(n) or n for n in range(100))  # type: ignore[func-returns-value]
    results = map_chunks(double, items, 2)
    next(results)
    assert read == [0, 1, 2]
    results.close()


def test_items_that_wait_at_each_worker_are_read_ahead() -> None:
    read: list[int] = []
    items = (read.append(n) or n for n in range(100))  # type: ignore[func-returns-value]
    results = map_chunks(double, items, 2, waiting=1)
    next(results)
    assert read == [0, 1, 2, 3, 4]
    results.close()


@pytest.mark.parametrize("threads", [True, False])
def test_large_items_wait_at_workers_that_send_large_results(monkeypatch: pytest.MonkeyPatch, threads: bool) -> None:
    """Far larger than what a connection holds: if both ends only sent, both would wait for ever."""
    if not threads:

        def start(_: object) -> None:
            raise RuntimeError("can't start new thread")  # a limit on processes counts threads too

        monkeypatch.setattr("threading.Thread.start", start)
    items = [bytes([number]) * 2**22 for number in range(9)]
    assert list(map_chunks(lambda item: item[::-1], items, 2, waiting=2)) == items


def test_what_was_read_before_a_bad_item_is_answered() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise DataError("a.csv:5: broken")

    results = map_chunks(double, items(), 2)
    assert [next(results)[0] for _ in range(3)] == [0, 2, 4]
    with pytest.raises(DataError, match=r"a\.csv:5"):
        next(results)


@pytest.mark.parametrize(
    "error",
    [DataError("it is so", "do that"), MemoryError(), OSError(errno.EIO, "Input/output error", "x"), KeyError(3)],
)
def test_a_worker_that_fails_says_with_what(error: Exception) -> None:
    def fail(number: int) -> int:
        if number == 3:
            raise error
        return number

    for waiting in (1, 0):
        with pytest.raises(type(error)) as caught:
            list(map_chunks(fail, range(9), 2, waiting))
    assert (str(caught.value), getattr(caught.value, "hint", None)) == (str(error), getattr(error, "hint", None))
    assert "in fail" in caught.value.__notes__[0]
    with Forked(2) as group:
        group.start(lambda: fail(3))
        with pytest.raises(type(error)):
            group.barrier()


def test_a_worker_that_is_killed_is_said_so() -> None:
    for waiting in (0, 1):
        with pytest.raises(StorageError, match="a worker process was killed by signal 9"):
            list(map_chunks(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(3), 2, waiting))
        with pytest.raises(StorageError, match="a worker process ended with exit code 3"):
            list(map_chunks(lambda _: os._exit(3), range(3), 2, waiting))


@pytest.mark.parametrize(("name", "code"), [("os.fork", errno.EAGAIN), ("socket.socketpair", errno.EMFILE)])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_where_processes_cannot_be_started_one_does_the_work_and_it_is_said_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, code: int, nth: int
) -> None:
    fail_nth_call(monkeypatch, [name], lambda: OSError(code, os.strerror(code)), nth)
    results = list(map_chunks(double, range(5), 3))
    assert [doubled for doubled, _ in results] == [0, 2, 4, 6, 8]
    assert {pid for _, pid in results} == {os.getpid()}
    assert caplog.messages == [
        f"one process does all of the work: other processes cannot be made ({os.strerror(code)})"
    ]


def test_a_group_that_cannot_be_started_is_a_group_of_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As without a writable /dev/shm."""
    fail_nth_call(
        monkeypatch, ["multiprocessing.synchronize.Semaphore"], lambda: OSError(errno.EROFS, "Read-only file system"), 2
    )
    with Forked(3) as group:
        group.start(lambda: None)
        assert (group.size, group.part) == (1, (0, 1))
        group.barrier()
        assert group.broadcast(1, 2) == (1, 2)
        assert group.all_gather(4.0).tolist() == [[4.0]]
    assert caplog.messages == ["one process does all of the work: semaphores cannot be made (Read-only file system)"]


def test_no_rank_is_left_when_the_group_is_done() -> None:
    with Forked(3) as group:
        group.start(lambda: group.all_gather(group.rank) is None or group.barrier())
        assert group.all_gather(group.rank).tolist() == [[0], [1], [2]]
        assert len(children()) == 2
    assert children() == []


@pytest.mark.parametrize("number", stopping.SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_signal_while_processes_are_forked_waits_until_all_are_known(
    monkeypatch: pytest.MonkeyPatch,
    stopping_raises: type[BaseException],
    number: signal.Signals,
    nth: int,
    moment: str,
) -> None:
    fork, calls = os.fork, []

    def forking() -> int:
        calls.append(1)
        if moment == "before" and len(calls) == nth:
            os.kill(os.getpid(), number)
        pid = fork()
        if pid and moment == "after" and len(calls) == nth:
            os.kill(os.getpid(), number)
        return pid

    monkeypatch.setattr("os.fork", forking)
    with pytest.raises(stopping_raises):
        list(map_chunks(double, range(9), 3))
    assert len(calls) == 3


@pytest.mark.parametrize("number", stopping.SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("name", ["os.waitpid", "os.kill"])
def test_a_signal_while_processes_are_ended_waits_until_none_is_left(
    monkeypatch: pytest.MonkeyPatch, stopping_raises: type[BaseException], number: signal.Signals, name: str
) -> None:
    real: Callable[..., Any] = {"os.waitpid": os.waitpid, "os.kill": os.kill}[name]
    kill, calls = os.kill, []

    def struck(*arguments: int) -> Any:
        calls.append(1)
        if len(calls) == 1:
            kill(os.getpid(), number)
        return real(*arguments)

    results = map_chunks(double, range(9), 2)
    next(results)
    monkeypatch.setattr(name, struck)
    with pytest.raises(stopping_raises):
        results.close()
    assert len(calls) == 2


def test_signals_to_the_group_do_not_end_the_workers() -> None:
    """A terminal sends Ctrl-C to all of them, and the first process decides."""

    def struck(number: int) -> int:
        for signal_number in stopping.SIGNALS:
            os.kill(os.getpid(), signal_number)
        return number

    assert list(map_chunks(struck, range(6), 2)) == list(range(6))


def test_a_worker_has_no_other_workers_connections() -> None:
    """Else one would not notice that the first process is gone, where the system does not tell it."""

    def sockets(_: int) -> int:
        links = [
            os.readlink(f"/proc/self/fd/{name}")
            for name in os.listdir("/proc/self/fd")
            if name.isdigit() and os.path.lexists(f"/proc/self/fd/{name}")
        ]
        return sum(link.startswith("socket:") for link in links)

    before = sockets(0)
    assert list(map_chunks(sockets, range(3), 3)) == [before + 1] * 3


def test_workers_end_when_the_process_ends_that_forked_them() -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        crew = Workers(2, lambda number, connection: connection.recv(), at_work=2)
        crew.start()
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(write)
    os.waitpid(pid, 0)
    assert os.read(read, 1) == b""  # the end of the pipe: nobody holds it any more
    os.close(read)
