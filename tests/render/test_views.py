"""Which rows of a training record are shown, and which of them is marked."""

from __future__ import annotations

import pytest

from rnncli.cli.views.model import record_view
from rnncli.record import EpochRecord

IMPROVED = {1, 2, 3, 5, 8, 13, 18}
EPOCHS = [EpochRecord(n, 1 / n, 1 / n, 0.5, n in IMPROVED) for n in range(1, 51)]


@pytest.mark.parametrize("most", [None, 12, 5])
@pytest.mark.parametrize(("kept", "mark"), [(18, "best"), (7, "this model"), (1, "this model"), (50, "this model")])
def test_the_epoch_of_the_model_is_shown_and_it_alone_is_marked(most: int | None, kept: int, mark: str) -> None:
    rows = record_view(EPOCHS, most, kept).rows
    assert len(rows) == (most or 50)
    assert [(row[0], row[4]) for row in rows if row[4]] == [(kept, mark)]
    assert (rows[0][0], rows[-1][0]) == (1, 50)


def test_of_an_untrained_model_no_epoch_is_marked() -> None:
    assert {row[4] for row in record_view(EPOCHS, 12).rows} == {""}
