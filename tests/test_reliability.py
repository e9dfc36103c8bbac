"""docs/reliability.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
LIST = TESTS.parent / "docs" / "reliability.md"


def test_every_test_that_is_named_exists() -> None:
    rows = [line for line in LIST.read_text("utf-8").splitlines() if line.startswith("| ") and "| name |" not in line]
    assert len(rows) > 80
    for row in rows:
        named = re.findall(r"([\w/]+\.py)(?:::(\w+))?", row.rsplit("|", 2)[1])
        assert named, row
        for file, test in named:
            source = (TESTS / file).read_text("utf-8")
            assert not test or f"def {test}(" in source, f"{file} has no {test}"
