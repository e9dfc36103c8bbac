"""Strictness for the numerical core: no operation may overflow, underflow, divide by zero or make a NaN unnoticed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

pytest.register_assert_rewrite("core.checks")


@pytest.fixture(autouse=True, scope="module")
def strict_floats() -> Iterator[None]:
    before = np.seterr(all="raise")
    yield
    np.seterr(**before)


@pytest.fixture(autouse=True, scope="module")
def one_core() -> Iterator[None]:
    """Handing a direction of three units to another thread takes longer than computing it.

    test_layers.py has the test that two threads give the same bits.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnncli.core.threads.available_cores", lambda: 1)
        yield
