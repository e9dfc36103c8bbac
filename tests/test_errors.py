"""The words that messages are made of."""

from __future__ import annotations

import pytest

from rnncli.errors import counted


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_000, "1,000 rows"), (1_000_001, "1,000,001 rows")],
)
def test_things_are_counted(count: int, text: str) -> None:
    assert counted(count, "row") == text


def test_a_verb_goes_with_the_number() -> None:
    assert counted(1, "text stands", "texts stand") == "1 text stands"
    assert counted(2, "text stands", "texts stand") == "2 texts stand"
