"""What several tests share: faults that strike at a chosen call, and a limit to what may hang."""

from __future__ import annotations

import contextlib
import io
import pkgutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, get_args, get_type_hints

import pytest

from rnncli.config import Settings
from rnncli.data.doubts.labels import are_tagged
from rnncli.data.formats.values import looks_like_numbers
from rnncli.data.records import Inputs, NumberArrays, Texts, TokenLists


class Terminal(io.StringIO):
    """What is written, by a program that takes it for a terminal."""

    def isatty(self) -> bool:
        return True


def plain_environment(monkeypatch: pytest.MonkeyPatch, terminal: str) -> None:
    """Removes what the environment says of size and colours, and names the kind of terminal."""
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", terminal)


CELLS = get_args(get_type_hints(Settings)["cell"])


def fail_nth_call(
    monkeypatch: pytest.MonkeyPatch, names: Iterable[str], error: Callable[[], BaseException], nth: int
) -> list[str]:
    """Make the ``nth`` call (from 1) to any of the functions ``names`` (``"os.fsync"``) raise ``error()``.

    The calls before and after it go through. Try nth = 1, 2, ... until nothing fails.

    Returns:
        the names called so far, in order; it grows with every call.
    """
    calls: list[str] = []

    def failing(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            if len(calls) == nth:
                raise error()
            return real(*args, **kwargs)

        return call

    for name in names:
        monkeypatch.setattr(name, failing(name, pkgutil.resolve_name(name)))
    return calls


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Fail the test when the block takes longer, even where it waits in a system call."""

    def stop(*_: object) -> None:
        pytest.fail(f"still at it after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def assert_all_gradients(made: Any, params: dict[str, Any], batch: Any, carried: Any = None, seed: int = 7) -> None:
    """Every parameter of a network against differences, with the dropout of a fixed stream of random numbers.

    Args:
        carried: gives what the step before left, anew for each call.
    """
    import numpy as np

    from rnncli.core.gradient_check import numeric_gradient, relative_error
    from rnncli.core.gradients import as_dense
    from rnncli.core.optim.parameters import flatten

    def compute() -> tuple[float, dict[str, Any]]:
        return made.loss_and_gradients(params, batch, np.random.default_rng(seed), 1.0, carried and carried())

    gradients = dict(flatten(compute()[1]))
    assert gradients.keys() == dict(flatten(params)).keys() == made.shapes().keys()
    for name, value in flatten(params):
        assert value.shape == made.shapes()[name], name
        numeric = numeric_gradient(lambda: compute()[0], value)
        assert np.abs(numeric).max() > 1e-7, name
        assert relative_error(as_dense(gradients[name]), numeric) < 1e-6, name


def columns(rows: Sequence[tuple[str, str]]) -> tuple[Inputs[Any], Inputs[Any]]:
    """Inputs and labels of records, typed as reading a file types them."""
    if are_tagged(rows):
        return TokenLists(text for text, _ in rows), TokenLists(tags for _, tags in rows)
    inputs = NumberArrays if looks_like_numbers(rows[0][0]) else Texts
    return inputs(text for text, _ in rows), Texts(label for _, label in rows)
