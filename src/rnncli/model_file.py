"""The file of a model: a manifest and tensors in safetensors form, checked whole before anything is built.

The layout is that of safetensors, byte for byte as its library writes it: the length of a header, the header as JSON,
the tensors. (The library itself is not used: where memory runs out it ends the process in a way that Python cannot
refuse, and it holds a second copy of every tensor.) What else we store is one metadata entry in the header, ``rnncli``,
a JSON document of its own::

    {"format": "rnncli", "format_version": 1, "manifest": {...}, "sha256": "..."}

Nothing in a file is looked up by name, imported, evaluated or unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli import storage
from rnncli.errors import ModelFileError, RnncliError

FORMAT_VERSION = 1

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
Shapes = Callable[[dict[str, Any]], Mapping[str, Shape]]

_DTYPES = {"<f4": "F32", "<f8": "F64", "<i8": "I64", "|u1": "U8"}  # NumPy's and safetensors' names for what we store
_OF_STORED = {stored: ours for ours, stored in _DTYPES.items()}
_ORDER = ["<i8", "<f8", "<f4", "|u1"]
_TENSOR_NAME = re.compile(r"(?=.{1,200}\Z)(?!__metadata__\Z)\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII)
_MAX_DIMENSIONS = 8
# How each of our files goes on after the header's length (8 bytes); anything else is not ours, and is not parsed.
_OPENING = b'{"__metadata__":{"rnncli":"'
# Our document, as far as its end quote.
_DOCUMENT = re.compile(rb'[^"\\]*+(?:\\["\\][^"\\]*+)*+(?=")')
# A character of four bytes in UTF-8.
_ASTRAL = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")
_PIECE = 10_000  # items or characters that are written at once
_SLICE = 100_000  # bytes that are read at once
# Parsed JSON takes many times the memory of its text, so what a header may hold is bounded before it is parsed. The
# bounds leave room for a vocabulary of half a million words beside ten thousand tensors.
_MAX_FILE_BYTES = 4 * 2**30
_MAX_HEADER_BYTES = 32 * 2**20
_MAX_VALUES = 1_000_000


def save(
    path: str | os.PathLike[str],
    manifest: Mapping[str, Any],
    tensors: Mapping[str, Array],
    *,
    shapes: Shapes | None = None,
) -> None:
    """Write a model to ``path``, replacing an older file in one step.

    Args:
        manifest: what JSON can hold, with text as keys; tuples come back as lists.
        tensors: by name (segments of letters, digits, ``_``, ``-``, ``.`` between slashes): float32, float64, int64
            or uint8, of any layout.
        shapes: as for :func:`load`, which will be called with the same.

    Raises:
        ModelFileError: something that :func:`load` would not accept: the file is not touched.
        StorageError: the file cannot be written; an older one is still whole.
    """
    with _naming(path):
        pieces = _serialize(manifest, tensors, shapes)
    storage.write_atomically(path, pieces)


def require_saveable(
    manifest: Mapping[str, Any], tensors: Mapping[str, Array], *, shapes: Shapes | None = None
) -> None:
    """Raises ModelFileError where :func:`save` would, but for the values of the tensors, which are not looked at."""
    with _naming("the model"):
        for name, array in tensors.items():
            _check_tensor(name, _DTYPES.get(array.dtype.str, array.dtype.str), array.ndim)
        try:
            framed, _ = _framed(dict(manifest), tensors, "0" * 64)
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelFileError(f"cannot be used: its manifest is not JSON ({_shown(str(error))})") from error
        again = _read_header(framed)[1]
        if shapes is not None:
            _compare(tensors, _expected_shapes(shapes, again))


def load(path: str | os.PathLike[str], *, shapes: Shapes | None = None) -> tuple[dict[str, Any], dict[str, Array]]:
    """The manifest and the tensors of the model at ``path``, checked as :func:`decode` says.

    Raises:
        ModelFileError: the file is damaged, hostile, not ours, or made by a newer rnncli.
        StorageError: it cannot be read.
    """
    return decode(content(path), os.fspath(path), shapes)


def content(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, whatever they are.

    Raises:
        StorageError: it cannot be read, or is larger than a model can be.
    """
    return storage.read_bytes(path, _MAX_FILE_BYTES)


def load_manifest(path: str | os.PathLike[str]) -> tuple[dict[str, Any], int]:
    """The manifest of the model at ``path``, and how many numbers its tensors have, read from the header alone.

    For a list of many models: the tensors are not read, so damage to them is not noticed.

    Raises:
        ModelFileError: the header is damaged, hostile, not ours, or made by a newer rnncli.
        StorageError: the file cannot be read.
    """
    with _naming(path):
        length = int.from_bytes(storage.read_beginning(path, 8), "little")
        _, manifest, rows, _ = _read_header(storage.read_beginning(path, 8 + min(length, _MAX_HEADER_BYTES)))
    return manifest, sum(math.prod(row["shape"]) for row in rows.values())


def encode(manifest: Mapping[str, Any], tensors: Mapping[str, Array]) -> bytes:
    """The bytes that :func:`save` would write, the same for equal input; raises ModelFileError as it does."""
    with _naming("the model"):
        return b"".join(_serialize(manifest, tensors, None))


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
        stored_digest, manifest, rows, length = _read_header(data)
        tensors = _read_tensors(data, rows, length)
        _check(manifest, tensors, stored_digest, shapes)
    return manifest, {key: tensors.pop(key).copy() for key in list(tensors)}


def _check(manifest: dict[str, Any], tensors: Mapping[str, Array], stored_digest: str, shapes: Shapes | None) -> None:
    """Raises ModelFileError where this is not the whole content of a model."""
    if _digest(manifest, tensors) != stored_digest:
        raise ModelFileError("is damaged: its content does not match its SHA-256")
    if shapes is not None:
        _compare(tensors, _expected_shapes(shapes, manifest))
    _require_finite(tensors)


def _serialize(
    manifest: Mapping[str, Any], tensors: Mapping[str, Array], shapes: Shapes | None
) -> list[bytes | memoryview]:
    """The file in pieces: its header, and the memory of each tensor as it lies, so that nothing large is copied."""
    for name, array in tensors.items():
        _check_tensor(name, _DTYPES.get(array.dtype.str, array.dtype.str), array.ndim)
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    _require_finite(contiguous)
    plain = dict(manifest)
    framed, order = _framed(plain, contiguous, _digest(plain, contiguous))
    # What load would refuse is not saved.
    stored_digest, again, _, _ = _read_header(framed)
    _check(again, contiguous, stored_digest, shapes)
    return [framed, *(_memory(contiguous[name]) for name in order)]


def _framed(plain: dict[str, Any], contiguous: Mapping[str, Array], digest: str) -> tuple[bytes, list[str]]:
    """The header behind its length, and the names of the tensors in the order in which they follow."""
    document = {"format": "rnncli", "format_version": FORMAT_VERSION, "sha256": digest, "manifest": plain}
    # The library's own order: wide types first, so that each tensor is aligned.
    order = sorted(contiguous, key=lambda name: (_ORDER.index(contiguous[name].dtype.str), name))
    header = bytearray(_OPENING)
    for piece in _canonical_pieces(document):
        header += piece.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    header += b'"}'
    end = 0
    for name in order:
        array = contiguous[name]
        begin, end = end, end + array.nbytes
        row = {"dtype": _DTYPES[array.dtype.str], "shape": array.shape, "data_offsets": [begin, end]}
        header += f',"{name}":{json.dumps(row, separators=(",", ":"))}'.encode()
    header += b"}"
    header += b" " * (-len(header) % 8)
    if 8 + len(header) + end > _MAX_FILE_BYTES:
        raise ModelFileError(f"cannot be used: it takes more than {_MAX_FILE_BYTES:,} bytes")
    return len(header).to_bytes(8, "little") + bytes(header), order


def _memory(array: Array) -> memoryview:
    """The bytes of an array in C order."""
    return array.reshape(-1).view(np.uint8).data


def _read_header(data: bytes) -> tuple[str, dict[str, Any], dict[str, Any], int]:
    """The SHA-256, the manifest, the table of tensors and the header's length; refuses a file that is not ours."""
    if not data.startswith(_OPENING, 8):
        raise ModelFileError("is not an rnncli model")
    length = int.from_bytes(data[:8], "little")
    if length > _MAX_HEADER_BYTES:
        raise ModelFileError(f"cannot be used: its header takes {length:,} bytes")
    if length > len(data) - 8:
        raise ModelFileError("is damaged: it ends within its header")
    document, rows = _parse_header(memoryview(data)[8 : 8 + length])
    _check_version(document)
    if len(rows.pop("__metadata__")) > 1 or document.keys() != {"format", "format_version", "sha256", "manifest"}:
        raise ModelFileError("is damaged: its metadata has missing or unknown entries")
    for name, row in rows.items():
        match row:
            case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [_, _] as offsets, **rest} if not rest:
                _check_tensor(name, dtype, len(shape))
                if all(type(number) is int and 0 <= number < 2**63 for number in (*shape, *offsets)):
                    continue
        raise ModelFileError(f"is damaged: tensor '{_shown(name)}' is not described as it should be")
    digest, manifest = document["sha256"], document["manifest"]
    if not isinstance(digest, str) or not isinstance(manifest, dict):
        raise ModelFileError("is damaged: its manifest is not a table of settings")
    return digest, manifest, rows, length


def _parse_header(header: memoryview) -> tuple[dict[str, Any], dict[str, Any]]:
    r"""Our document, and the rest of the header, which has an empty text in the document's place.

    The document is most of a header, and with a single emoji in it, Python's text takes four times its size, twice. So
    it is taken out as bytes. In JSON of ours nothing is escaped but ``\`` and ``"``, so that what
    escapes a quote is the last of an odd number of backslashes, and the others are pairs.
    """
    found = _DOCUMENT.match(header, len(_OPENING))
    if found is None:
        raise ModelFileError("is damaged: its header is not JSON")
    rows = _parse(b"".join((_OPENING, header[found.end() :])), "header")
    _require_few_values(found[0], "manifest")
    return _parse(found[0].replace(b'\\"', b'"').replace(b"\\\\", b"\\"), "manifest"), rows


def _check_version(document: dict[str, Any]) -> None:
    if document.get("format") != "rnncli":
        raise ModelFileError("is not an rnncli model")
    version = document.get("format_version")
    if type(version) is not int or version < 1:
        raise ModelFileError("is damaged: it has no format version")
    if version > FORMAT_VERSION:
        newer = f"was made by a newer rnncli (format {_shown(str(version))})"
        raise ModelFileError(f"{newer}; this one reads format {FORMAT_VERSION}")


def _read_tensors(data: bytes, rows: dict[str, Any], length: int) -> dict[str, Array]:
    """Each tensor as a view into ``data``. They fill the file, without hole, overlap or rest."""
    tensors = {}
    body, reached = 8 + length, 0
    for name, row in sorted(rows.items(), key=lambda item: item[1]["data_offsets"]):
        dtype = np.dtype(_OF_STORED[row["dtype"]])
        shape, (begin, end) = row["shape"], row["data_offsets"]
        # Zeros do not count: NumPy takes no empty array that would be too large without them.
        size = dtype.itemsize * math.prod(side or 1 for side in shape)
        if size >= 2**63 or end - begin != (size if 0 not in shape else 0):
            raise ModelFileError(f"is damaged: the shape of tensor '{_shown(name)}' does not go with its size")
        if begin != reached or body + end > len(data):
            raise ModelFileError(f"is damaged: tensor '{_shown(name)}' is not where it should be")
        count = (end - begin) // dtype.itemsize
        tensors[name] = np.frombuffer(data, dtype, count, body + begin if count else 0).reshape(shape)
        reached = end
    if body + reached != len(data):
        raise ModelFileError("is damaged: it does not end where its tensors do")
    return dict(sorted(tensors.items()))


def _expected_shapes(shapes: Shapes, manifest: dict[str, Any]) -> dict[str, Shape]:
    """The shapes for a manifest, which anyone can have written: whatever ``shapes`` raises is the file's fault.

    A ModelFileError of its own continues the sentence that begins with the file's name.
    """
    try:
        # int64, for a number of thousands of digits could not even be shown
        return {name: tuple(int(np.int64(index(n))) for n in shape) for name, shape in shapes(manifest).items()}
    except (ModelFileError, MemoryError):
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
            raise ModelFileError(f"is damaged: tensor '{name}' is not part of the model that its settings describe")
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
        raise ModelFileError(f"cannot be used: '{_shown(name)}' cannot be the name of a tensor")
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
    digest = hashlib.sha256()
    try:
        _check_keys(manifest)
        for piece in _canonical_pieces(manifest):
            digest.update(piece.encode())
    except (TypeError, ValueError, RecursionError) as error:  # a set, NaN, half a surrogate pair, a list in itself
        raise ModelFileError(f"cannot be used: its manifest is not JSON ({_shown(str(error))})") from error
    digest.update(b"\n")
    for name, array in sorted(tensors.items()):
        digest.update(f"{_canonical([name, _DTYPES[array.dtype.str], array.shape])}\n".encode())
        digest.update(_memory(array))
    return digest.hexdigest()


def _check_keys(value: object) -> None:
    """Raises TypeError for keys that are not text: JSON would silently make {1: "a"} come back as {"1": "a"}."""
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        raise TypeError("a key is not text")
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            _check_keys(item)


def _canonical(value: object) -> str:
    """The one JSON text of ``value``, whatever order its tables were filled in."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _canonical_pieces(value: object) -> Iterator[str]:
    """The text of :func:`_canonical` in pieces, none of which is large: with one emoji in it, it takes four bytes for
    each of its characters."""
    if isinstance(value, dict):
        for k, key in enumerate(sorted(value)):
            yield f"{',' if k else '{'}{_canonical(key)}:"
            yield from _canonical_pieces(value[key])
        yield "}" if value else "{}"
    elif isinstance(value, list | tuple) and len(value) > _PIECE:
        for k in range(0, len(value), _PIECE):
            yield ("," if k else "[") + _canonical(value[k : k + _PIECE])[1:-1]
        yield "]"
    elif isinstance(value, str) and len(value) > _PIECE:
        yield '"'
        for k in range(0, len(value), _PIECE):
            yield _canonical(value[k : k + _PIECE])[1:-1]
        yield '"'
    else:
        yield _canonical(value)


def _parse(source: bytes, what: str) -> dict[str, Any]:
    """A JSON object without duplicate keys, and not too much of it."""
    _require_few_values(source, what)
    try:
        text = _narrow(source)
        del source
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"is damaged: its {what} is not JSON") from error
    if not isinstance(value, dict):
        raise ModelFileError(f"is damaged: its {what} is not a JSON object")
    return value


def _require_few_values(source: bytes, what: str) -> None:
    """Raises ModelFileError: by an upper bound that needs no parsing; an empty {} takes as much as ten small values."""
    if source.count(b",") + 10 * (source.count(b"[") + source.count(b"{")) > _MAX_VALUES:
        raise ModelFileError(f"cannot be used: its {what} holds more than {_MAX_VALUES:,} values")


def _narrow(source: bytes) -> str:
    """JSON as text, with the characters that take Python four bytes escaped: one of them makes all others take four."""
    if _ASTRAL.search(source) is None:
        return str(source, "utf-8")
    pieces, begin = [], 0
    while begin < len(source):
        end = min(begin + _SLICE, len(source))
        while end < len(source) and source[end] & 0xC0 == 0x80:  # within a character
            end += 1
        pieces.append(str(_ASTRAL.sub(_surrogates, source[begin:end]), "utf-8"))
        begin = end
    return "".join(pieces)


def _surrogates(found: re.Match[bytes]) -> bytes:
    """A character as JSON escapes it."""
    return json.dumps(found[0].decode())[1:-1].encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key appears twice")
    return table


def _shown(text: str, length: int = 80) -> str:
    """``text`` on one line, and not much of it: it comes from the file."""
    clean = storage.one_line(text[: length + 1])
    return clean if len(clean) <= length else clean[:length] + "…"
