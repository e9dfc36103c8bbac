"""What a file says becomes a value of the declared type, or is refused with the way to where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from rnncli import schema
from rnncli.schema import Count, Length, Range, Wrong


@dataclass(frozen=True)
class Inner:
    number: Annotated[float, Range(0, 1)]
    name: Annotated[str, Length(1, 3)] | None = None


@dataclass(frozen=True)
class Outer:
    kind: Literal["a", "b"]
    count: Count
    inner: tuple[Inner, ...] = ()
    pair: tuple[int, float] = (0, 0.0)
    table: dict[str, bool] = field(default_factory=dict)
    large: Annotated[int, Range(0, 2**100)] = 0

    def __post_init__(self) -> None:
        if self.count != len(self.inner):
            raise ValueError("count is not the number of inner")


def test_a_whole_value_comes_back_in_its_own_types() -> None:
    value = {"kind": "a", "count": 1, "inner": [{"number": 1}], "pair": [3, 4], "table": {"x": True}, "large": 2**99}
    made = schema.read(Outer, value)
    assert made == Outer("a", 1, (Inner(1.0),), (3, 4.0), {"x": True}, 2**99)
    assert type(made.inner[0].number) is type(made.pair[1]) is float


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "c"}, "kind should be 'a' or 'b', and is 'c'"),
        ({"kind": ["a"]}, "kind should be 'a' or 'b', and is a list"),
        ({"count": True}, "count should be a whole number, and is true"),
        ({"count": 1.0}, "count should be a whole number, and is 1"),
        ({"count": -1}, "count is -1, and should be from 0 to 9,223,372,036,854,775,807"),
        ({"count": 10**5000}, "count is a whole number that is too large, and should be from 0 to "),
        ({"count": None}, "count should be a whole number, and is null"),
        ({"pair": [2**63, 1]}, "pair[0] is a whole number that is too large"),
        ({"pair": [1]}, "pair should be a list of 2, and is a list"),
        ({"pair": [1, 10**400]}, "pair[1] is not a finite number"),
        ({"pair": [1, float("nan")]}, "pair[1] is not a finite number"),
        ({"inner": {}}, "inner should be a list, and is a table"),
        ({"inner": [3]}, "inner[0] should be a table, and is 3"),
        ({"inner": [{}]}, "inner[0].number is missing"),
        ({"inner": [{"number": 2}]}, "inner[0].number is 2, and should be from 0 to 1"),
        ({"inner": [{"number": "NaN"}]}, "inner[0].number should be a number, and is 'NaN'"),
        ({"inner": [{"number": 1, "name": "long"}]}, "inner[0].name is 4 in length, and should be from 1 to 3"),
        ({"inner": [{"number": 1, "odd": 1}]}, "inner[0].odd is not part of it"),
        ({"table": {"x" * 99: 1}}, f"table['{'x' * 39}…'] should be true or false, and is 1"),
        ({"inner": []}, "does not hold together: count is not the number of inner"),
        ({"more": 1}, "more is not part of it"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(change: dict[str, Any], message: str) -> None:
    value: dict[str, Any] = {"kind": "a", "count": 1, "inner": [{"number": 1}]}
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        schema.read(Outer, value | change)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [None, 1, "x", [], True])
def test_what_is_no_table_is_no_dataclass(value: object) -> None:
    with pytest.raises(Wrong, match="should be a table"):
        schema.read(Outer, value)
