"""Reads the JSON of a file as values of the types that a dataclass declares, and refuses anything else.

A field's type says all of it: ``Count``, ``Annotated[str, Length(1, 200)]``, ``tuple[Epoch, ...]``, another
dataclass. Only a whole number becomes a float, and a list a tuple, where the type asks for it. What
several fields must fulfil together is checked in ``__post_init__``, which raises ValueError.

The libraries for this ask for classes of their own, or take longer to import than a short ``predict``; these are the
dataclasses that the program works with anyway.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

Read = Callable[[Any], Any]

_INT64 = 2**63
_SHOWN = 40  # characters of a refused text


class Range(NamedTuple):
    """The smallest and the largest number that is allowed."""

    low: float
    high: float = _INT64 - 1


class Length(NamedTuple):
    """The fewest and the most characters, items or entries."""

    low: int
    high: int = _INT64 - 1


Count = Annotated[int, Range(0)]
Ordinal = Annotated[int, Range(1)]


class Wrong(ValueError):
    """A value is of another type or out of range; ``place`` is its path: ``record.epochs[2].loss``."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{place.removeprefix('.')} {reason}" if place else reason)
        self.reason, self.place = reason, place

    def below(self, step: str) -> Wrong:
        return Wrong(self.reason, step + self.place)


def read(kind: type[T], value: object) -> T:
    """Returns a value of JSON as a dataclass.

    Raises:
        Wrong: it is something else; the message names the first place where.
        UsageError: settings in it are not possible.
    """
    made: T = _reader(kind)(value)  # type: ignore[arg-type]  # a class can be hashed
    return made


def read_fields(kind: type[T], value: object) -> T:
    """As :func:`read`, field by field, of a dataclass whose ``from_mapping`` has changed what an older file holds.

    Raises:
        Wrong: it is something else.
    """
    made: T = _record(kind)(value)
    return made


def read_field(kind: type, name: str, value: object) -> Any:
    """Returns a value of JSON as a field of a dataclass.

    Raises:
        Wrong: it is something else; the message begins with the field's name.
    """
    try:
        return _reader(get_type_hints(kind, include_extras=True)[name])(value)
    except Wrong as wrong:
        raise wrong.below(f".{name}") from None


@cache
def _reader(kind: Any) -> Read:
    """The function that reads a value of a type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        base = _whole if arguments[0] is int else _reader(arguments[0])  # a range of its own may be larger
        return _limited(base, kind.__metadata__)
    if origin in (Union, types.UnionType):
        return _optional([one for one in arguments if one is not type(None)])
    if origin is Literal:
        return _one_of(arguments)
    if origin in (tuple, list):
        return _sequence(origin, arguments)
    if origin in (dict, Mapping):
        return _table(_reader(arguments[0]), _reader(arguments[1]))
    if hasattr(kind, "from_mapping"):  # it has checks of its own
        return _mapping(kind)
    return _record(kind) if dataclasses.is_dataclass(kind) else _PLAIN[kind]


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise _not("a whole number", value)
    return int(value)


def _int(value: Any) -> int:
    if not -_INT64 <= _whole(value) < _INT64:
        raise Wrong("is a whole number that is too large")
    return int(value)


def _float(value: Any) -> float:
    if type(value) not in (int, float):
        raise _not("a number", value)
    try:
        made = float(value)
    except OverflowError:
        made = math.inf
    if not math.isfinite(made):
        raise Wrong("is not a finite number")
    return made


def _exactly(kind: type, name: str) -> Read:
    def read_exactly(value: Any) -> Any:
        if type(value) is not kind:
            raise _not(name, value)
        return value

    return read_exactly


_PLAIN: dict[Any, Read] = {
    int: _int,
    float: _float,
    bool: _exactly(bool, "true or false"),
    str: _exactly(str, "a text"),
}


def _optional(kinds: list[Any]) -> Read:
    (kind,) = kinds
    read_one = _reader(kind)
    return lambda value: None if value is None else read_one(value)


def _one_of(choices: tuple[Any, ...]) -> Read:
    def read_one_of(value: Any) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise _not(" or ".join(f"'{choice}'" for choice in choices), value)
        return value

    return read_one_of


def _limited(read_any: Read, limits: tuple[Any, ...]) -> Read:
    def read_limited(value: Any) -> Any:
        made = read_any(value)
        for limit in limits:
            size = len(made) if isinstance(limit, Length) else made
            if not limit.low <= size <= limit.high:
                what = " in length" if isinstance(limit, Length) else ""
                raise Wrong(f"is {_shown(size)}{what}, and should be from {limit.low:,} to {limit.high:,}")
        return made

    return read_limited


def _sequence(origin: Callable[[Any], Any], kinds: tuple[Any, ...]) -> Read:
    """A tuple or list of one kind, or a tuple of as many kinds as it has items."""
    fixed = origin is tuple and (len(kinds) != 2 or kinds[1] is not ...)
    readers = [_reader(kind) for kind in kinds if kind is not ...]

    def read_sequence(value: Any) -> Any:
        if not isinstance(value, list | tuple) or (fixed and len(value) != len(readers)):
            raise _not(f"a list of {len(readers)}" if fixed else "a list", value)
        made: list[Any] = []
        try:
            for place, item in enumerate(value):
                made.append(readers[place if fixed else 0](item))
        except Wrong as wrong:
            raise wrong.below(f"[{len(made)}]") from None
        return origin(made)

    return read_sequence


def _table(read_key: Read, read_item: Read) -> Read:
    def read_table(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise _not("a table", value)
        made: dict[Any, Any] = {}
        for key, item in value.items():
            try:
                made[read_key(key)] = read_item(item)
            except Wrong as wrong:
                raise wrong.below(f"['{_short(key)}']") from None
        return made

    return read_table


def _mapping(kind: Any) -> Read:
    def read_mapping(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _not("a table", value)
        return kind.from_mapping(value)

    return read_mapping


def _record(kind: Any) -> Read:
    types_of = get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    readers = {name: _reader(types_of[name]) for name in fields}
    nothing = dataclasses.MISSING
    needed = [name for name, one in fields.items() if one.default is nothing and one.default_factory is nothing]

    def read_record(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _not("a table", value)
        for name in needed:
            if name not in value:
                raise Wrong("is missing", f".{name}")
        made = {}
        for name, item in value.items():
            if name not in readers:
                raise Wrong("is not part of it", f".{_short(name)}")
            try:
                made[name] = readers[name](item)
            except Wrong as wrong:
                raise wrong.below(f".{name}") from None
        try:
            return kind(**made)
        except ValueError as error:
            raise Wrong(f"does not hold together: {error}") from None

    return read_record


def _not(wanted: str, value: Any) -> Wrong:
    return Wrong(f"should be {wanted}, and is {_shown(value)}")


def _shown(value: Any) -> str:
    """A refused value, in a few words: it comes from a file, and may be anything."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}" if abs(value) < _INT64 else "a whole number that is too large"
        case float():
            return f"{value:g}"
        case str():
            return f"'{_short(value)}'"
        case list() | tuple():
            return "a list"
    return "a table" if isinstance(value, dict) else "something else"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
