"""PyTorch's RNN, LSTM and GRU with the same weights: outputs, last states and gradients (golden/make_golden.py)."""

from __future__ import annotations

from typing import Any

import pytest
from core import checks
from core.checks import CONFIGURATIONS, CORE, LENGTHS


def name_of(stored: dict[str, Any]) -> str:
    return f"{stored['kind']}-{stored['layers']}-{'both' if stored['both'] else 'one'}"


@pytest.mark.parametrize("stored", checks.golden_cases(), ids=name_of)
def test_as_pytorch(stored: dict[str, Any]) -> None:
    checks.check_golden(CORE, stored)


def test_every_network_is_stored() -> None:
    stored = [(case["kind"], case["layers"], case["both"]) for case in checks.golden_cases()]
    assert stored == CONFIGURATIONS
    assert all([len(x) for x in case["x"]] == LENGTHS for case in checks.golden_cases())
