"""The first of the problems that tests/engine_agreement.py has a thousand of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from core import agreement
from core.levels import engine_of_level, levels

from rnncli.core.engine import library

COUNT = 150
# A GRU in which the gradient carried past the gates is large beside the products that are added to it.
OF_A_LARGE_START = (183, 373)
of_both = pytest.mark.engines("compiled")


@pytest.fixture(autouse=True)
def _vanishing_is_no_error() -> Iterator[None]:
    with np.errstate(under="ignore"):
        yield


@of_both
def test_the_engines_agree() -> None:
    far = {}
    for number in (*range(COUNT), *OF_A_LARGE_START):
        drawn, found = agreement.distances(number)
        far |= {f"{name}, {drawn.text}": d for name, d in found.items() if d > agreement.TOLERANCE[drawn.dtype]}
    assert far == {}


@of_both
def test_levels_of_vectors_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """AVX2 and AVX-512, where a processor has both: a model that is trained on it goes on with the same numbers.

    Plain C is alone: it rounds a product before it adds it.
    """
    of_vectors = levels()[1:] or levels()
    engines = [engine_of_level(level) for level in (*of_vectors, of_vectors[0])]
    for number in range(COUNT):
        drawn, results = agreement.case(number), []
        for engine in engines:
            monkeypatch.setattr(library, "_loaded", lambda engine=engine: engine)
            results.append(agreement.by("compiled", drawn))
        for name, array in results[0].items():
            for other in results[1:]:
                np.testing.assert_array_equal(other[name], array, err_msg=f"{name}, {drawn.text}", strict=True)


@of_both
def test_another_engine_in_its_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "library", lambda: None)
    with pytest.raises(AssertionError):
        agreement.by("compiled", agreement.case(0))


@pytest.mark.engines("numpy")
def test_every_kind_of_problem_is_drawn() -> None:
    """Types, inputs, layers and what may be missing."""
    drawn = [agreement.case(number) for number in range(COUNT)]
    assert {(one.kind, one.dtype) for one in drawn} == {
        (kind, dtype) for kind in agreement.KINDS for dtype in agreement.TOLERANCE
    }
    for told in ("both=True", "both=False", "1 layers", "2 layers", *agreement.INPUTS):
        assert sum(told in one.text for one in drawn) > 20, told
    for missing in ("states", "dy", "dlast"):
        assert 20 < sum(getattr(one, missing) is None for one in drawn) < COUNT - 20, missing
    assert 10 < sum(not one.keep for one in drawn) < COUNT / 2
