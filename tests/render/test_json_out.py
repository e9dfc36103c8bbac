"""JSON that any parser takes, and that is safe to look at."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from attacks import ATTACKS, dangers
from hypothesis import given
from hypothesis import strategies as st

from rnncli.render.console import Output
from rnncli.render.json_out import dumps, print_json


def strictly(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Pair(NamedTuple):
    left: int
    right: float


@dataclass(frozen=True)
class Report:
    pair: Pair
    scores: Mapping[str, float]
    path: Path
    weights: Any = None


def test_each_kind_of_value() -> None:
    report = Report(Pair(1, math.nan), MappingProxyType({"f1": 0.5}), Path("runs/1"), np.arange(3))
    assert strictly(dumps([report, Colour.RED, Level.HIGH, (1, None, True)])) == [
        {"pair": {"left": 1, "right": None}, "scores": {"f1": 0.5}, "path": "runs/1", "weights": [0, 1, 2]},
        "red",
        3,
        [1, None, True],
    ]


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("inf"), np.float16("inf")]
)
def test_what_is_not_finite_is_null(value: float) -> None:
    assert dumps({"x": [value]}) == '{"x": [null]}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
        (np.float16(0.1), "0.1"),
        (np.longdouble(0.5), "0.5"),
        (np.float32(1e10), "10000000000.0"),
        (np.array([[0.1, np.nan], [1, 2]], np.float32), "[[0.1, null], [1.0, 2.0]]"),
        (np.array([0.1, np.inf]), "[0.1, null]"),
        (np.array(0.1, np.float32), "0.1"),
        (np.array(7), "7"),
        (np.array([], np.float32), "[]"),
        (np.int64(7), "7"),
        (np.bool_(True), "true"),
        (np.array(["a", "é"]), '["a", "é"]'),
        ({1: 2, Colour.RED: 3, None: 4, np.int64(5): 6}, '{"1": 2, "red": 3, "null": 4, "5": 6}'),
    ],
)
def test_numbers_have_their_shortest_digits(value: object, text: str) -> None:
    assert dumps(value) == text
    strictly(text)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_reads_back_as_itself(value: float) -> None:
    assert np.float32(strictly(dumps(np.float32(value)))) == np.float32(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), 1j, Report, np.array([1j])])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        dumps(value)


@pytest.mark.parametrize("ensure_ascii", [False, True])
def test_hostile_text_reads_back_whole_and_is_safe_to_see(ensure_ascii: bool) -> None:
    value = {text: [text, {"text": text}] for text in ATTACKS}
    for indent in (None, 2):
        written = dumps(value, indent=indent, ensure_ascii=ensure_ascii)
        assert not dangers(written)
        assert written.isascii() or not ensure_ascii
        written.encode("utf-8")
        assert strictly(written) == value
    assert "\n" not in dumps(value)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_reads_back(text: str) -> None:
    written = dumps(text)
    assert strictly(written) == text
    assert not set(written) & dangers(written) - {"\u200d"}


def test_readable_text_stays_readable() -> None:
    assert dumps("naïve 影 \u00a0") == '"naïve 影 \u00a0"'
    assert dumps(["影\x9b"]) == '["影\\u009b"]'


@pytest.mark.parametrize("columns", ["1", "200"])
def test_print_json_is_one_line_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.StringIO()
    print_json(Output(stream, io.StringIO()), {"text": "w" * 300})
    assert stream.getvalue() == '{"text": "' + "w" * 300 + '"}\n'


def test_an_ascii_stream_gets_valid_json() -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii", write_through=True)
    print_json(Output(stream, io.StringIO()), "é影👩")
    assert strictly(buffer.getvalue().decode("ascii")) == "é影👩"
