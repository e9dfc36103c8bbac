"""The one file a model is: a manifest and tensors in safetensors form, checked whole before anything is built.

A safetensors file is the header's length (8 bytes, little-endian), a JSON header that says where each tensor lies,
and the tensors' bytes without gaps. Ours begins with one metadata entry, ``rnncli``, a JSON document of its own::

    {"format": "rnncli", "format_version": 1, "manifest": {...}, "sha256": "..."}

One entry, because the safetensors library writes several in an order that differs from process to process. We write
the header ourselves: equal input gives equal bytes, and arrays go to the disk without a copy. On reading, nothing is
looked up by name, imported, evaluated or unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import operator
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rnncli import storage
from rnncli.errors import ModelFileError, RnncliError

FORMAT_VERSION = 1

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
Shapes = Callable[[dict[str, Any]], Mapping[str, Shape]]

# safetensors' names for what we store. The array's dtype must be exactly this: native on a little-endian machine.
_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("|u1"),
}
_FLOATS = ("F32", "F64")
_DTYPE_NAMES = {dtype.str: name for name, dtype in _DTYPES.items()}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")

# How each of our files goes on after the header's length; anything else is not ours, and is not parsed.
_OPENING = b'{"__metadata__":{"rnncli":"'

# Parsed JSON takes many times the memory of its text, so what a header may hold is bounded before it is parsed. The
# bounds leave room for a vocabulary of nearly a million words and some ten thousand tensors.
_MAX_FILE_BYTES = 4 * 2**30
_MAX_HEADER_BYTES = 32 * 2**20
_MAX_TABLE_CHARACTERS = 2**20
_MAX_VALUES = 1_000_000
_CONTAINER_COST = 10  # an empty {} takes as much memory as so many small values
_MAX_TENSOR_NAME = 200
_MAX_DIMENSIONS = 8

_SHOWN_NAME = 80
_FINITE_BLOCK = 1 << 16  # elements


class _Refused(Exception):
    """Why a file or a model is refused; the text continues a sentence that begins with its name."""


class _Tensor(NamedTuple):
    """One tensor's place: ``dtype`` in safetensors' words, and its bytes."""

    dtype: str
    shape: Shape
    content: memoryview


def save(path: str | os.PathLike[str], manifest: Mapping[str, Any], tensors: Mapping[str, Array]) -> None:
    """Write a model to ``path``, replacing an older file in one step.

    Args:
        manifest: what JSON can hold, with text as keys; tuples come back as lists.
        tensors: by name (segments of letters, digits, ``_``, ``-``, ``.`` between slashes): float32, float64, int64
            or uint8. Other layouts than C order are copied first.

    Raises:
        ModelFileError: something that :func:`load` would not accept: the file is not touched.
        StorageError: the file cannot be written; an older one is still whole.
    """
    with _refusing(storage.one_line(path)):
        pieces = _pieces(manifest, tensors)
    storage.write_atomically(path, pieces)


def load(
    path: str | os.PathLike[str], *, shapes: Shapes | None = None, integers: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Array]]:
    """The manifest and the tensors of the model at ``path``, checked as :func:`decode` says.

    Raises:
        ModelFileError: the file is damaged, hostile, not ours, or made by a newer rnncli.
        StorageError: it cannot be read.
    """
    return decode(storage.read_bytes(path, _MAX_FILE_BYTES), os.fspath(path), shapes, integers)


def encode(manifest: Mapping[str, Any], tensors: Mapping[str, Array]) -> bytes:
    """The bytes that :func:`save` would write: the same for equal input, on every machine.

    Raises:
        ModelFileError: as in :func:`save`.
    """
    with _refusing("the model"):
        return b"".join(_pieces(manifest, tensors))


def decode(
    data: bytes, name: str, shapes: Shapes | None = None, integers: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Array]]:
    """The manifest and the tensors in ``data``. Every array is new, writable and in C order.

    Args:
        data: the file's content.
        name: what messages call it.
        shapes: gives, for the manifest, the name and shape of every tensor there must be. Each must be of floats.
        integers: the names among them that must hold integers instead.

    Raises:
        ModelFileError: any damage, one sentence that begins with ``name``. Nothing has been built then.
    """
    with _refusing(storage.one_line(name)):
        document, table, body = _split(data)
        stored_digest, manifest = _read_document(document)
        tensors = _read_table(table, body)
        _require_digest(stored_digest, manifest, tensors)
        if shapes is not None:
            _compare(tensors, _expected_shapes(shapes, manifest), integers)
        _require_finite(tensors)
    return manifest, {key: _build(tensor) for key, tensor in tensors.items()}


# Writing


def _pieces(manifest: Mapping[str, Any], tensors: Mapping[str, Array]) -> list[bytes | memoryview]:
    """The file's parts in order: header, then the tensors' own memory."""
    stored = {name: _stored(name, tensors[name]) for name in tensors}
    _require_finite(stored)
    # As the safetensors library orders them: the wider type first, so that every tensor is aligned; then by name.
    order = sorted(stored, key=lambda name: (-_DTYPES[stored[name].dtype].itemsize, name))
    table, end = {}, 0
    for name in order:
        tensor = stored[name]
        begin, end = end, end + tensor.content.nbytes
        table[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [begin, end]}
    header = _header(_document(manifest, stored), table)
    if len(header) + end > _MAX_FILE_BYTES:
        raise _Refused(f"cannot be saved: it takes more than {_MAX_FILE_BYTES:,} bytes")
    return [header, *(stored[name].content for name in order)]


def _stored(name: str, array: Array) -> _Tensor:
    _check_name(name)
    dtype = _DTYPE_NAMES.get(array.dtype.str)
    if dtype is None:
        raise _Refused(f"cannot be saved: tensor {_quoted(name)} is of type {array.dtype.str!r}, which is not stored")
    if array.ndim > _MAX_DIMENSIONS:
        raise _Refused(f"cannot be saved: tensor {_quoted(name)} has {array.ndim} dimensions")
    return _Tensor(dtype, array.shape, _bytes_of(np.asarray(array, order="C")))


def _document(manifest: Mapping[str, Any], tensors: Mapping[str, _Tensor]) -> str:
    try:
        plain = dict(manifest)
        text = _canonical(plain)
        _check_keys(plain)
        document = {
            "format": "rnncli",
            "format_version": FORMAT_VERSION,
            "sha256": _digest(text, tensors),
            "manifest": plain,
        }
        return _canonical(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise _Refused(f"cannot be saved: its manifest is not JSON ({_shortened(str(error))})") from error


def _header(document: str, table: Mapping[str, Any]) -> bytes:
    """The header's length and the header, filled up with spaces to a multiple of 8 bytes."""
    if _cost(document) > _MAX_VALUES:
        raise _Refused(f"cannot be saved: its manifest holds more than {_MAX_VALUES:,} values")
    rows = _compact(table)
    if len(rows) + 8 > _MAX_TABLE_CHARACTERS:  # with its padding
        raise _Refused(f"cannot be saved: the table of its {len(table):,} tensors is too long")
    opening = f"{_OPENING[:-1].decode()}{_compact(document)}}}"
    header = (opening + ("," + rows[1:] if table else "}")).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > _MAX_HEADER_BYTES:
        raise _Refused(f"cannot be saved: its header takes {len(header):,} bytes")
    return len(header).to_bytes(8, "little") + header


def _check_keys(value: object) -> None:
    """JSON would turn other keys into text without a word: {1: "a"} would come back as {"1": "a"}."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is not text")
            _check_keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_keys(item)


# Reading


def _split(data: bytes) -> tuple[str, str, memoryview]:
    """A file's three parts: our document, the table of tensors as JSON text, the tensors' bytes."""
    view = memoryview(data)
    if view[8 : 8 + len(_OPENING)] != _OPENING:
        raise _Refused("is not an rnncli model")
    end = 8 + int.from_bytes(view[:8], "little")
    if end - 8 > _MAX_HEADER_BYTES:
        raise _Refused(f"is damaged: its header is said to have {end - 8:,} bytes")
    if end > len(view):
        raise _Refused("is damaged: it ends within its header")
    try:
        header = str(view[8:end], "utf-8")
        if _cost(header) > _MAX_VALUES + _MAX_TABLE_CHARACTERS:  # before a part of it is copied
            raise _Refused("is damaged: its header holds too many values")
        document, after = _JSON.raw_decode(header, len(_OPENING) - 1)
    except ValueError as error:
        raise _Refused("is damaged: its header is not JSON") from error
    if len(header) - after > _MAX_TABLE_CHARACTERS:
        raise _Refused(f"is damaged: its table of tensors has {len(header) - after:,} characters")
    if header.startswith("},", after):
        return document, "{" + header[after + 2 :].rstrip(" "), view[end:]
    if header.startswith("}}", after):  # a model without tensors
        return document, "{" + header[after + 1 :].rstrip(" "), view[end:]
    raise _Refused("is damaged: its header is not laid out as rnncli writes it")


def _read_document(text: str) -> tuple[str, dict[str, Any]]:
    """The SHA-256 and the manifest in our document, if it is of a version we read."""
    document = _parse(text, "manifest")
    if document.get("format") != "rnncli":
        raise _Refused("is not an rnncli model")
    version = document.get("format_version")
    if type(version) is not int or version < 1:
        raise _Refused("is damaged: it has no format version")
    if version > FORMAT_VERSION:
        newer = f"was made by a newer rnncli (format {_shortened(str(version))})"
        raise _Refused(f"{newer}; this one reads format {FORMAT_VERSION}")
    if document.keys() != {"format", "format_version", "sha256", "manifest"}:
        raise _Refused("is damaged: its metadata has missing or unknown entries")
    digest, manifest = document["sha256"], document["manifest"]
    if not isinstance(digest, str) or not isinstance(manifest, dict):
        raise _Refused("is damaged: its manifest is not a table of settings")
    return digest, manifest


def _read_table(text: str, body: memoryview) -> dict[str, _Tensor]:
    """Every tensor's place in ``body``, which they must fill without a hole, an overlap or a rest."""
    entries = {name: _read_entry(name, entry) for name, entry in _parse(text, "table of tensors").items()}
    tensors, position = {}, 0
    for name, (dtype, shape, begin, end) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if begin != position:
            raise _Refused(f"is damaged: tensor {_quoted(name)} does not begin where the one before it ends")
        if end > len(body):
            raise _Refused(f"is damaged: it ends before the end of tensor {_quoted(name)}")
        tensors[name] = _Tensor(dtype, shape, body[begin:end])
        position = end
    if position != len(body):
        raise _Refused(f"is damaged: {len(body) - position:,} bytes at its end belong to no tensor")
    return tensors


def _read_entry(name: str, entry: object) -> tuple[str, Shape, int, int]:
    """One row of the table: dtype, shape, where its bytes begin and end."""
    _check_name(name)
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [begin, end], **rest} if not rest:
            pass
        case _:
            raise _Refused(f"is damaged: tensor {_quoted(name)} is not described as it should be")
    if dtype not in _DTYPES:
        raise _Refused(f"is damaged: tensor {_quoted(name)} is of type '{_shortened(dtype)}', which is not stored")
    if any(type(number) is not int or number < 0 for number in (*shape, begin, end)):
        raise _Refused(f"is damaged: tensor {_quoted(name)} has an impossible shape or place")
    itemsize = _DTYPES[dtype].itemsize
    # A zero among them makes any shape fit; NumPy refuses it all the same when the others are too large.
    if len(shape) > _MAX_DIMENSIONS or math.prod(max(number, 1) for number in shape) * itemsize >= 2**62:
        raise _Refused(f"is damaged: tensor {_quoted(name)} has an impossible shape")
    if math.prod(shape) * itemsize != end - begin:
        raise _Refused(f"is damaged: tensor {_quoted(name)} has another size than its shape says")
    return dtype, tuple(shape), begin, end


def _require_digest(stored: str, manifest: dict[str, Any], tensors: Mapping[str, _Tensor]) -> None:
    try:
        digest = _digest(_canonical(manifest), tensors)
    except (ValueError, RecursionError) as error:  # half a surrogate pair, or just too deep to be written again
        raise _Refused("is damaged: its manifest cannot be read") from error
    if digest != stored:
        raise _Refused("is damaged: its content does not match its SHA-256")


def _expected_shapes(shapes: Shapes, manifest: dict[str, Any]) -> dict[str, Shape]:
    """What ``shapes`` makes of a manifest that anyone can have written: whatever it raises is the file's fault."""
    try:
        return {name: tuple(operator.index(n) for n in shape) for name, shape in shapes(manifest).items()}
    except Exception as error:
        reason = error.message if isinstance(error, RnncliError) else f"{type(error).__name__}: {error}"
        raise _Refused(f"has settings that make no model: {storage.one_line(reason[:200])}") from error


def _compare(tensors: Mapping[str, _Tensor], expected: Mapping[str, Shape], integers: Collection[str]) -> None:
    for name in sorted(expected.keys() - tensors.keys()):
        raise _Refused(f"is damaged: tensor {_quoted(name)} is missing")
    for name, tensor in sorted(tensors.items()):
        if name not in expected:
            raise _Refused(f"is damaged: tensor {_quoted(name)} is no part of the model that its settings describe")
        if tensor.shape != expected[name]:
            found, wanted = _shown_shape(tensor.shape), _shown_shape(expected[name])
            raise _Refused(f"is damaged: tensor {_quoted(name)} has shape {found}, and its settings ask for {wanted}")
        if (tensor.dtype in _FLOATS) == (name in integers):
            kind = "integers" if name in integers else "floats"
            raise _Refused(f"is damaged: tensor {_quoted(name)} is of type {tensor.dtype}, and should hold {kind}")


def _build(tensor: _Tensor) -> Array:
    array: Array = np.empty(tensor.shape, _DTYPES[tensor.dtype])
    _bytes_of(array)[:] = tensor.content
    return array


# Both ways


@contextlib.contextmanager
def _refusing(subject: str) -> Iterator[None]:
    try:
        yield
    except _Refused as refused:
        raise ModelFileError(f"{subject} {refused}") from refused


def _digest(manifest: str, tensors: Mapping[str, _Tensor]) -> str:
    """SHA-256 over the manifest and every tensor, one line of JSON before each tensor's bytes.

    No two models share a stream: a line holds no raw newline, and says how many bytes follow it.
    """
    digest = hashlib.sha256(f"{manifest}\n".encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{_canonical([name, tensor.dtype, tensor.shape])}\n".encode())
        digest.update(tensor.content)
    return digest.hexdigest()


def _require_finite(tensors: Mapping[str, _Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.dtype in _FLOATS and tensor.content.nbytes:
            values = np.frombuffer(tensor.content, _DTYPES[tensor.dtype])
            # Block by block: one mask for a large tensor would be a quarter of its size.
            for start in range(0, values.size, _FINITE_BLOCK):
                if not np.isfinite(values[start : start + _FINITE_BLOCK]).all():
                    raise _Refused(f"cannot be used: tensor {_quoted(name)} holds a value that is not finite")


def _bytes_of(array: Array) -> memoryview:
    """The memory of an array in C order, byte by byte."""
    return array.reshape(-1).view(np.uint8).data


def _check_name(name: object) -> None:
    if not isinstance(name, str) or len(name) > _MAX_TENSOR_NAME or not _NAME.fullmatch(name) or name == "__metadata__":
        raise _Refused(f"cannot be used: {_quoted(str(name))} is no possible name of a tensor")


def _canonical(value: object) -> str:
    """The one JSON text of ``value``, whatever order its tables were filled in."""
    return _compact(value, sort_keys=True)


def _compact(value: object, sort_keys: bool = False) -> str:
    return json.dumps(value, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _cost(text: str) -> int:
    """An upper bound of how many values a JSON text holds, without parsing it."""
    return text.count(",") + _CONTAINER_COST * (text.count("[") + text.count("{"))


def _parse(text: str, what: str) -> dict[str, Any]:
    """A JSON object in strict JSON: no duplicate keys, no NaN, and not too much of it."""
    if _cost(text) > _MAX_VALUES:
        raise _Refused(f"is damaged: its {what} holds more than {_MAX_VALUES:,} values")
    try:
        value = _JSON.decode(text)
    except (ValueError, RecursionError) as error:
        raise _Refused(f"is damaged: its {what} is not JSON") from error
    if not isinstance(value, dict):
        raise _Refused(f"is damaged: its {what} is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice")
    return table


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


# NaN and Infinity come to parse_constant, 1e999 to parse_float.
_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite)


def _quoted(name: str) -> str:
    return f"'{_shortened(name)}'"


def _shortened(text: str) -> str:
    """``text`` on one line, and not much of it: it comes from the file."""
    clean = storage.one_line(text[: _SHOWN_NAME + 1])
    return clean if len(clean) <= _SHOWN_NAME else clean[:_SHOWN_NAME] + "…"


def _shown_shape(shape: Shape) -> str:
    # Settings may ask for numbers of thousands of digits, which Python would refuse to print.
    return "(" + ", ".join(str(number) if abs(number) < 2**63 else "more than 2^63" for number in shape) + ")"
