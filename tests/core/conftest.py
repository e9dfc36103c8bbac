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
