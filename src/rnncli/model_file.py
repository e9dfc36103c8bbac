"""The one file a model is: a manifest and tensors in safetensors form, checked whole before anything is built.

The safetensors library writes and parses the tensors. What else we store is one metadata entry in the file's header,
``rnncli`` (one, because the library orders several differently in every process), a JSON document of its own::

    {"format": "rnncli", "format_version": 1, "manifest": {...}, "sha256": "..."}

Nothing in a file is looked up by name, imported, evaluated or unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from rnncli import storage
from rnncli.errors import ModelFileError, RnncliError

FORMAT_VERSION = 1

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
Shapes = Callable[[dict[str, Any]], Mapping[str, Shape]]

_DTYPES = {"<f4": "F32", "<f8": "F64", "<i8": "I64", "|u1": "U8"}  # NumPy's and safetensors' names for what we store
_TENSOR_NAME = re.compile(r"(?=.{1,200}\Z)(?!__metadata__\Z)\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII)
_MAX_DIMENSIONS = 8
# How each of our files goes on after the header's length (8 bytes); anything else is not ours, and is not parsed.
_OPENING = b'{"__metadata__":{"rnncli":"'
# Parsed JSON takes many times the memory of its text, so what a header may hold is bounded before it is parsed. The
# bounds leave room for a vocabulary of half a million words beside ten thousand tensors.
_MAX_FILE_BYTES = 4 * 2**30
_MAX_HEADER_BYTES = 32 * 2**20
_MAX_VALUES = 1_000_000


def save(path: str | os.PathLike[str], manifest: Mapping[str, Any], tensors: Mapping[str, Array]) -> None:
    """Write a model to ``path``, replacing an older file in one step.

    Args:
        manifest: what JSON can hold, with text as keys; tuples come back as lists.
        tensors: by name (segments of letters, digits, ``_``, ``-``, ``.`` between slashes): float32, float64, int64
            or uint8, of any layout.

    Raises:
        ModelFileError: something that :func:`load` would not accept: the file is not touched.
        StorageError: the file cannot be written; an older one is still whole.
    """
    with _naming(path):
        data = _serialize(manifest, tensors)
    storage.write_atomically(path, data)


def load(path: str | os.PathLike[str], *, shapes: Shapes | None = None) -> tuple[dict[str, Any], dict[str, Array]]:
    """The manifest and the tensors of the model at ``path``, checked as :func:`decode` says.

    Raises:
        ModelFileError: the file is damaged, hostile, not ours, or made by a newer rnncli.
        StorageError: it cannot be read.
    """
    return decode(storage.read_bytes(path, _MAX_FILE_BYTES), os.fspath(path), shapes)


def encode(manifest: Mapping[str, Any], tensors: Mapping[str, Array]) -> bytes:
    """The bytes that :func:`save` would write, the same for equal input; raises ModelFileError as it does."""
    with _naming("the model"):
        return _serialize(manifest, tensors)


def decode(data: bytes, name: str, shapes: Shapes | None = None) -> tuple[dict[str, Any], dict[str, Array]]:
    """The manifest and the tensors in ``data``. Every array is new, writable and in C order.

    Args:
        data: the file's content.
        name: what messages call it.
        shapes: gives, for the manifest, the name and shape of every tensor there must be. Each must be of floats.

    Raises:
        ModelFileError: any damage, one sentence that begins with ``name``. Nothing has been built then.
    """
    with _naming(name):
        stored_digest, manifest = _read_header(data)
        tensors = _read_tensors(data)
        del data  # copied by the library; now its memory makes room for the arrays that own theirs
        if _digest(manifest, tensors) != stored_digest:
            raise ModelFileError("is damaged: its content does not match its SHA-256")
        if shapes is not None:
            _compare(tensors, _expected_shapes(shapes, manifest))
        _require_finite(tensors)
    return manifest, {key: tensors.pop(key).copy() for key in list(tensors)}


def _serialize(manifest: Mapping[str, Any], tensors: Mapping[str, Array]) -> bytes:
    for name, array in tensors.items():
        _check_tensor(name, _DTYPES.get(array.dtype.str, array.dtype.str), array.ndim)
    # The library would write the memory of a transposed array as it lies, which is wrong.
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    _require_finite(contiguous)
    plain = dict(manifest)
    digest = _digest(plain, contiguous)
    document = {"format": "rnncli", "format_version": FORMAT_VERSION, "sha256": digest, "manifest": plain}
    data = safetensors.numpy.save(contiguous, {"rnncli": _canonical(document)})
    if len(data) > _MAX_FILE_BYTES:
        raise ModelFileError(f"cannot be used: it takes more than {_MAX_FILE_BYTES:,} bytes")
    _read_header(data)  # what load would refuse is not saved
    return data


def _read_header(data: bytes) -> tuple[str, dict[str, Any]]:
    """The SHA-256 and the manifest, if the file is ours and of a version we read."""
    if not data.startswith(_OPENING, 8):
        raise ModelFileError("is not an rnncli model")
    length = int.from_bytes(data[:8], "little")
    if length > _MAX_HEADER_BYTES:
        raise ModelFileError(f"cannot be used: its header takes {length:,} bytes")
    if length > len(data) - 8:
        raise ModelFileError("is damaged: it ends within its header")
    header = _parse(memoryview(data)[8 : 8 + length], "header")
    metadata = header.pop("__metadata__")  # a table with our entry: the opening says so
    document = _parse(metadata["rnncli"], "manifest")
    _check_version(document)
    if len(metadata) > 1 or document.keys() != {"format", "format_version", "sha256", "manifest"}:
        raise ModelFileError("is damaged: its metadata has missing or unknown entries")
    for name, row in header.items():
        match row:
            case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [_, _], **rest} if not rest:
                _check_tensor(name, dtype, len(shape))
            case _:
                raise ModelFileError(f"is damaged: tensor '{_shown(name)}' is not described as it should be")
    digest, manifest = document["sha256"], document["manifest"]
    if not isinstance(digest, str) or not isinstance(manifest, dict):
        raise ModelFileError("is damaged: its manifest is not a table of settings")
    return digest, manifest


def _check_version(document: dict[str, Any]) -> None:
    if document.get("format") != "rnncli":
        raise ModelFileError("is not an rnncli model")
    version = document.get("format_version")
    if type(version) is not int or version < 1:
        raise ModelFileError("is damaged: it has no format version")
    if version > FORMAT_VERSION:
        newer = f"was made by a newer rnncli (format {_shown(str(version))})"
        raise ModelFileError(f"{newer}; this one reads format {FORMAT_VERSION}")


def _read_tensors(data: bytes) -> dict[str, Array]:
    """The tensors as the library reads them: it sees to it that they fill the file, without hole, overlap or rest."""
    try:
        return dict(sorted(safetensors.numpy.load(data).items()))
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic in its Rust code is no Exception
        reason = str(error).removeprefix("Error while deserializing: ")
        raise ModelFileError(f"is damaged: {_shown(reason, 160)}") from error


def _expected_shapes(shapes: Shapes, manifest: dict[str, Any]) -> dict[str, Shape]:
    """What ``shapes`` makes of a manifest that anyone can have written: whatever it raises is the file's fault.

    A ModelFileError of its own continues the sentence that begins with the file's name.
    """
    try:
        # int64, for a number of thousands of digits could not even be shown
        return {name: tuple(int(np.int64(index(n))) for n in shape) for name, shape in shapes(manifest).items()}
    except ModelFileError:
        raise
    except Exception as error:
        named = isinstance(error, RnncliError | ValueError)  # these say what is wrong; KeyError('a') does not
        reason = str(error) if named else f"{type(error).__name__}: {error}"
        raise ModelFileError(f"has settings that make no model: {_shown(reason, 200)}") from error


def _compare(tensors: Mapping[str, Array], expected: Mapping[str, Shape]) -> None:
    for name in sorted(expected.keys() - tensors.keys()):
        raise ModelFileError(f"is damaged: tensor '{_shown(name)}' is missing")
    for name, array in tensors.items():
        if name not in expected:
            raise ModelFileError(f"is damaged: tensor '{name}' is no part of the model that its settings describe")
        if array.shape != expected[name]:
            asked = _shown(str(expected[name]))
            raise ModelFileError(
                f"is damaged: tensor '{name}' has shape {array.shape}, and its settings ask for {asked}"
            )
        if array.dtype.kind != "f":
            raise ModelFileError(f"is damaged: tensor '{name}' is of type {array.dtype}, and should hold floats")


@contextlib.contextmanager
def _naming(subject: str | os.PathLike[str]) -> Iterator[None]:
    """Puts the name before each refusal, whose text continues a sentence."""
    try:
        yield
    except ModelFileError as refused:
        raise ModelFileError(f"{storage.one_line(subject)} {refused.message}", refused.hint) from refused


def _check_tensor(name: str, dtype: str, dimensions: int) -> None:
    if not _TENSOR_NAME.fullmatch(name):
        raise ModelFileError(f"cannot be used: '{_shown(name)}' is no possible name of a tensor")
    if dtype not in _DTYPES.values():
        raise ModelFileError(
            f"cannot be used: tensor '{_shown(name)}' is of type '{_shown(dtype)}', which is not stored"
        )
    if dimensions > _MAX_DIMENSIONS:
        raise ModelFileError(f"cannot be used: tensor '{_shown(name)}' has {dimensions} dimensions")


def _require_finite(tensors: Mapping[str, Array]) -> None:
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"cannot be used: tensor '{_shown(name)}' holds a value that is not finite")


def _digest(manifest: dict[str, Any], tensors: Mapping[str, Array]) -> str:
    """SHA-256 over the manifest and every tensor, one line of JSON before each tensor's bytes.

    No two models share a stream: a line holds no raw newline, and says how many bytes follow it.
    """
    try:
        _check_keys(manifest)
        digest = hashlib.sha256(f"{_canonical(manifest)}\n".encode())
    except (TypeError, ValueError, RecursionError) as error:  # a set, NaN, half a surrogate pair, a list in itself
        raise ModelFileError(f"cannot be used: its manifest is not JSON ({_shown(str(error))})") from error
    for name, array in sorted(tensors.items()):
        digest.update(f"{_canonical([name, _DTYPES[array.dtype.str], array.shape])}\n".encode())
        digest.update(array.reshape(-1).data)
    return digest.hexdigest()


def _check_keys(value: object) -> None:
    """JSON would turn other keys into text without a word: {1: "a"} would come back as {"1": "a"}."""
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        raise TypeError("a key is not text")
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            _check_keys(item)


def _canonical(value: object) -> str:
    """The one JSON text of ``value``, whatever order its tables were filled in."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _parse(source: str | memoryview, what: str) -> dict[str, Any]:
    """A JSON object without duplicate keys, and not too much of it."""
    try:
        text = source if isinstance(source, str) else str(source, "utf-8")
        # An upper bound without parsing; an empty {} takes as much memory as ten small values.
        if text.count(",") + 10 * (text.count("[") + text.count("{")) > _MAX_VALUES:
            raise ModelFileError(f"cannot be used: its {what} holds more than {_MAX_VALUES:,} values")
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"is damaged: its {what} is not JSON") from error
    if not isinstance(value, dict):
        raise ModelFileError(f"is damaged: its {what} is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice")
    return table


def _shown(text: str, length: int = 80) -> str:
    """``text`` on one line, and not much of it: it comes from the file."""
    clean = storage.one_line(text[: length + 1])
    return clean if len(clean) <= length else clean[:length] + "…"
