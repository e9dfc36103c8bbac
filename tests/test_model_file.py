"""A model file comes back identical, or is refused by one kind of error."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from helpers import fail_nth_call, time_limit
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli import model_file
from rnncli.errors import DataError, ModelFileError, StorageError
from rnncli.model_file import Array, Shape, decode, encode, load, save

MANIFEST: dict[str, Any] = {"cell": "gru", "labels": ["né", "/"], "lr": 0.1}
TENSORS: dict[str, Array] = {
    "a/w": np.array([[1.5, -2.0, 3.25], [0.0, 1e-30, 7.0]], np.float32),
    "b": np.array([1e300], np.float64),
}
OTHER = encode({"cell": "rnn"}, {"w": np.ones((2, 2), np.float32)})


def shapes(manifest: dict[str, Any]) -> dict[str, Shape]:
    return {"a/w": (2, 3), "b": (1,)}


def same(left: dict[str, Array], right: dict[str, Array]) -> bool:
    return left.keys() == right.keys() and all(
        (left[name].dtype, left[name].shape, left[name].tobytes())
        == (right[name].dtype, right[name].shape, right[name].tobytes())
        for name in left
    )


def refusal(data: bytes, expected: Callable[[dict[str, Any]], Any] | None = None) -> str:
    """The message with which ``data`` is refused, a single line that begins with the file's name."""
    with pytest.raises(ModelFileError) as caught:
        decode(data, "m.model", expected)
    message = caught.value.message
    assert message.startswith("m.model ")
    assert message.isprintable()
    assert len(message) < 500
    return message.removeprefix("m.model ")


def forged(
    table: dict[str, Any] | str, body: bytes = b"", manifest: Any = None, digest: str | None = None, **document: Any
) -> bytes:
    """A file with a header that :func:`encode` would never write, but laid out as ours, with a right SHA-256.

    ``table`` as text can say what a dict cannot.
    """
    manifest = {} if manifest is None else manifest
    if digest is None:
        sha = hashlib.sha256((json.dumps(manifest, sort_keys=True, separators=(",", ":")) + "\n").encode())
        for name, row in sorted(table.items()) if isinstance(table, dict) else ():
            line = json.dumps([name, row["dtype"], row["shape"]], separators=(",", ":"))
            sha.update(f"{line}\n".encode() + body[slice(*row["data_offsets"])])
        digest = sha.hexdigest()
    entries = {"format": "rnncli", "format_version": 1, "sha256": digest, "manifest": manifest, **document}
    rows = json.dumps(table)[1:-1] if isinstance(table, dict) else table
    opening = '{"__metadata__":{"rnncli":' + json.dumps(json.dumps(entries)) + "}"
    return framed((opening + ("," + rows if rows else "") + "}").encode(), body)


def framed(header: bytes, body: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + body


def row(dtype: str = "F32", shape: Any = (1,), begin: Any = 0, end: Any = 4) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


# What is saved comes back


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "m.model"
    tensors = {
        **TENSORS,
        "scalar": np.array(2.5, np.float32),
        "empty": np.zeros((0, 3), np.float64),
        "counts": np.array([-(2**63), 2**63 - 1]),
        "bytes": np.arange(5, dtype=np.uint8),
    }
    save(path, MANIFEST, tensors)
    manifest, loaded = load(path)
    assert manifest == MANIFEST
    assert same(loaded, tensors)
    assert path.read_bytes() == encode(MANIFEST, tensors)
    for array in loaded.values():
        assert array.flags.owndata
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.flags.c_contiguous


def test_model_without_tensors() -> None:
    assert decode(encode({}, {}), "m.model") == ({}, {})


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), max_size=4
    )
)
def test_every_manifest_comes_back(manifest: dict[str, Any]) -> None:
    try:
        json.dumps(manifest, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        with pytest.raises(ModelFileError, match="not JSON"):
            encode(manifest, {})
    else:
        assert decode(encode(manifest, TENSORS), "m.model")[0] == manifest


ODD_TEXT = 'q"\\ \\\\" \x1f\n\u2028\U0001f600\x7f/é""" \\\\\\'


@pytest.mark.parametrize(
    "manifest", [MANIFEST, {}, {ODD_TEXT: [ODD_TEXT, 1.5, None]}, {"v": [ODD_TEXT] * 25_000}, {"v": ODD_TEXT * 2_000}]
)
def test_the_library_writes_and_reads_the_same_bytes(manifest: dict[str, Any]) -> None:
    tensors = TENSORS | {
        **{"c": np.arange(3), "d": np.arange(5, dtype=np.uint8), "e": np.zeros((0, 2), np.float32)},
        **{"s": np.array(1.5), "a/b": np.ones(1, np.float32)},
    }
    data = encode(manifest, tensors)
    document = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["rnncli"]
    assert safetensors.numpy.save(tensors, {"rnncli": document}) == data
    assert same(safetensors.numpy.load(data), tensors)
    again, loaded = decode(data, "m.model")
    assert again == manifest
    assert same(loaded, tensors)


def test_one_emoji_does_not_make_all_of_a_manifest_large() -> None:
    """Python takes four bytes for each character of a text that has one."""
    words = [f"word{n:060}" for n in range(30_000)]
    plain, odd = ({"vocabulary": [*words, last]} for last in ("x", "\U0001f600"))
    of_plain, of_odd = (peak_memory(partial(decode, encode(manifest, {}), "m.model")) for manifest in (plain, odd))
    assert of_odd < 1.1 * of_plain + 1_000_000
    of_plain, of_odd = (peak_memory(partial(encode, manifest, {})) for manifest in (plain, odd))
    assert of_odd < 1.1 * of_plain + 1_000_000


@pytest.mark.parametrize("text", ["\U0001f600" * 60_000, "a\U0001f600é\u5f71" * 30_000])
def test_characters_of_every_length_come_back(text: str) -> None:
    assert decode(encode({"v": text}, {}), "m.model")[0] == {"v": text}


@pytest.mark.parametrize("name", ["json.loads", "numpy.frombuffer", "numpy.isfinite", "hashlib.sha256"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupts_and_too_little_memory_are_not_taken_for_damage(
    monkeypatch: pytest.MonkeyPatch, name: str, error: type[BaseException]
) -> None:
    data = encode(MANIFEST, TENSORS)
    fail_nth_call(monkeypatch, [name], error, 1)
    with pytest.raises(error):
        decode(data, "m.model", shapes)


def test_too_little_memory_for_the_shapes_is_not_taken_for_bad_settings() -> None:
    def fail(manifest: dict[str, Any]) -> dict[str, Shape]:
        raise MemoryError

    with pytest.raises(MemoryError):
        decode(encode(MANIFEST, TENSORS), "m.model", fail)


def test_what_load_would_refuse_for_its_shapes_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "m.model"
    save(path, MANIFEST, TENSORS, shapes=shapes)
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match="tensor 'b' has shape"):
        save(path, MANIFEST, TENSORS | {"b": np.ones(2)}, shapes=shapes)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4).T,
        np.asfortranarray(np.arange(12, dtype=np.float64).reshape(3, 4)),
        np.arange(24, dtype=np.float32).reshape(4, 6)[::2, ::-3],
        np.broadcast_to(np.float32(3.0), (2, 3)),
    ],
    ids=["transposed", "Fortran", "strided", "broadcast"],
)
def test_other_layouts_are_saved_with_their_values(array: Array) -> None:
    _, loaded = decode(encode({}, {"w": array}), "m.model")
    assert not array.flags.c_contiguous
    assert same(loaded, {"w": np.array(array, order="C")})


def test_equal_input_gives_equal_bytes_in_any_order() -> None:
    manifest = {"b": {"y": 1, "x": 2}, "a": [1, 2]}
    turned = {"a": [1, 2], "b": {"x": 2, "y": 1}}
    assert encode(manifest, TENSORS) == encode(turned, dict(reversed(TENSORS.items())))


def test_equal_bytes_in_every_process() -> None:
    program = """
import sys, numpy as np
from rnncli.model_file import encode
tensors = {name: np.ones(3, np.float32) for name in {"a", "b", "c", "d"}}
print(encode({key: key for key in sorted({"p", "q", "r", "s"}, key=hash)}, tensors).hex())
"""
    outputs = set()
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}", "LC_ALL": "C"}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_stored_bytes_of_format_1() -> None:
    """Files of format 1 lie on people's disks: what decodes them must not change."""
    document = (
        r"{\"format\":\"rnncli\",\"format_version\":1,\"manifest\":{\"a\":1},"
        r"\"sha256\":\"6b0c4e4e0f6b3b9b7d0b4a2f\"}"
    )
    content = np.array([1.0, -2.0], "<f4").tobytes()
    digest = hashlib.sha256(b'{"a":1}\n["w","F32",[2]]\n' + content).hexdigest()
    header = '{"__metadata__":{"rnncli":"' + document.replace("6b0c4e4e0f6b3b9b7d0b4a2f", digest) + '"},'
    header += '"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    padded = header.encode() + b" " * (-len(header) % 8)
    assert encode({"a": 1}, {"w": np.array([1.0, -2.0], np.float32)}) == framed(padded, content)


# What load would refuse is not saved


@pytest.mark.parametrize("dtype", ["float16", ">f4", ">f8", "int32", "bool", "complex64", "U3", "object"])
def test_other_types_are_not_saved(dtype: str) -> None:
    with pytest.raises(ModelFileError, match=r"tensor 'w' is of type '.*', which is not stored"):
        encode({}, {"w": np.zeros(2, dtype)})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path, value: float, dtype: type) -> None:
    path = tmp_path / "m.model"
    save(path, MANIFEST, TENSORS)
    before = path.read_bytes()
    weights: Array = np.zeros(70_000, dtype)
    weights[-1] = value
    with pytest.raises(ModelFileError) as caught:
        save(path, MANIFEST, {"w": weights})
    assert caught.value.message == f"{path} cannot be used: tensor 'w' holds a value that is not finite"
    assert path.read_bytes() == before


CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)


@pytest.mark.parametrize(
    "value", [{1: "a"}, [{None: 1}], {"a", "b"}, np.float32(1), float("nan"), float("inf"), "\ud800", b"", CIRCULAR]
)
def test_manifest_that_json_would_change_is_not_saved(value: object) -> None:
    with pytest.raises(ModelFileError, match="the model cannot be used: its manifest is not JSON"):
        encode({"key": value}, {})


@pytest.mark.parametrize(
    "name",
    ["", "/a", "a/", "a//b", "../a", "a/../b", "C:\\x", "é", "a b", "a\n", "\x1b[31m", "__metadata__", "a" * 201],
)
def test_names_that_could_be_paths_or_worse_are_neither_saved_nor_loaded(name: str) -> None:
    with pytest.raises(ModelFileError, match="cannot be the name of a tensor"):
        encode({}, {name: np.ones(1, np.float32)})
    reason = "its header is not JSON" if name == "__metadata__" else "cannot be the name of a tensor"  # a key twice
    assert reason in refusal(forged({name: row()}, b"\0\0\0\0"))


@pytest.mark.parametrize(
    ("manifest", "tensors", "reason"),
    [
        ({"v": [0] * 1_000_001}, {}, "holds more than 1,000,000 values"),
        ({"v": [[]] * 100_001}, {}, "holds more than 1,000,000 values"),
        ({"v": "x" * 2**25}, {}, "its header takes 33,554,"),
        ({}, {f"tensor/{n}": np.zeros(0, np.uint8) for n in range(30_000)}, "holds more than 1,000,000 values"),
        ({}, {"w": np.zeros((1,) * 9, np.uint8)}, "tensor 'w' has 9 dimensions"),
    ],
    ids=["values", "lists", "text", "tensors", "dimensions"],
)
def test_what_is_too_large_to_be_loaded_is_not_saved(
    manifest: dict[str, Any], tensors: dict[str, Array], reason: str
) -> None:
    with pytest.raises(ModelFileError, match=reason):
        encode(manifest, tensors)


def test_large_vocabulary_and_many_tensors_are_loaded() -> None:
    manifest = {"vocabulary": [f"word{n}" for n in range(500_000)]}
    tensors = {f"layer/{n}/weight": np.full(1, n, np.float32) for n in range(5_000)}
    again, loaded = decode(encode(manifest, tensors), "m.model")
    assert again == manifest
    assert same(loaded, tensors)


# 61: damage


def damaged(model: bytes) -> Iterator[bytes]:
    chance = random.Random(61)
    for position in range(len(model)):
        for bit in range(8):
            yield model[:position] + bytes([model[position] ^ 1 << bit]) + model[position + 1 :]
        yield model[:position]
        yield model[:position] + model[position + 1 :]
        yield model[:position] + model[position : position + 1] + model[position:]
        yield model[:position] + OTHER[position:]
        yield OTHER[:position] + model[position:]
        yield model[:position] + OTHER[chance.randrange(len(OTHER)) :]
        yield model[:position] + chance.randbytes(8) + model[position + 8 :]
        yield model[:position] + chance.randbytes(len(model) - position)
        yield chance.randbytes(position)
    yield model + b"\0"
    yield model + model


def test_every_damage_is_refused_or_harmless() -> None:
    model = encode(MANIFEST, TENSORS)
    messages, harmless = [], []
    for data in damaged(model):
        try:
            manifest, tensors = decode(data, "m.model", shapes)
        except ModelFileError as refused:
            messages.append(refused.message)
        else:
            assert manifest == MANIFEST
            assert same(tensors, TENSORS)
            harmless.append(data)
    assert len(messages) > 6_000
    assert all(message.startswith("m.model ") and message.isprintable() for message in messages)
    # Harmless is white space for white space, or nothing changed at all.
    assert len(set(harmless)) < 20
    assert all(data.split() == model.split() for data in harmless)


def test_damage_in_the_tensors_is_always_found() -> None:
    model = encode(MANIFEST, TENSORS)
    for position in range(len(model) - 32, len(model)):
        flipped = bytearray(model)
        flipped[position] ^= 1
        assert refusal(bytes(flipped)) == "is damaged: its content does not match its SHA-256"


# 62: other people's files


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_files_of_other_kinds_are_not_ours_and_nothing_in_them_runs(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    torch = tmp_path / "model.pt"
    with zipfile.ZipFile(torch, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Canary(canary)))
    numpy_archive = tmp_path / "model.npz"
    np.savez(numpy_archive, w=np.ones(3))
    others = [
        pickle.dumps(Canary(canary)),
        pickle.dumps(Canary(canary), protocol=0),
        torch.read_bytes(),
        numpy_archive.read_bytes(),
        b"\x89HDF\r\n\x1a\n" + bytes(100),
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100),
        b"<!DOCTYPE html><html><title>404 Not Found</title></html>",
        b'{"cell": "gru"}',
        safetensors.numpy.save({"w": np.ones(3, np.float32)}, metadata={"format": "pt"}),
        safetensors.numpy.save({"w": np.ones(3, np.float32)}),
        forged({}, format="other"),
        b"",
        b"\0" * 8,
        b"\xff" * 1000,
    ]
    for data in others:
        path = tmp_path / "m.model"
        path.write_bytes(data)
        with pytest.raises(ModelFileError) as caught:
            load(path)
        assert caught.value.message == f"{path} is not an rnncli model"
        assert caught.value.exit_code == 4
    assert not canary.exists()


# 63, 64, 68: hostile headers


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**31, 100_000_000, 2**25 + 1])
def test_header_length_out_of_proportion(length: int) -> None:
    data = length.to_bytes(8, "little") + encode({}, {})[8:]
    assert refusal(data) == f"cannot be used: its header takes {length:,} bytes"


def test_header_longer_than_the_file() -> None:
    data = encode({}, {})
    assert refusal(len(data).to_bytes(8, "little") + data[8:]) == "is damaged: it ends within its header"


def peak_memory(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# The shortest row the library takes for a tensor.
A_MILLION_TENSORS = ",".join(f'"{n}":["U8",[0],[0,0]]' for n in range(1_000_000))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (forged(A_MILLION_TENSORS), "cannot be used: its header holds more than 1,000,000 values"),
        (forged('"' + "w" * 10_000_000 + '":0'), f"is damaged: tensor '{'w' * 80}…' is not described as it should be"),
        (forged("", manifest={"v": [[]] * 500_000}), "cannot be used: its manifest holds more than 1,000,000 values"),
        (forged("", manifest={"v": [1] * 3_000_000}), "cannot be used: its manifest holds more than 1,000,000 values"),
        (
            framed(b'{"__metadata__":{"rnncli":"' + b" " * 100_000_000),
            "cannot be used: its header takes 100,000,0",
        ),
        (
            framed(b'{"__metadata__":{"rnncli":"' + b"[" * 30_000_000 + b'"}}'),
            "cannot be used: its manifest holds more than 1,000,000 values",
        ),
    ],
    ids=["tensors", "long name", "lists", "numbers", "100 MB", "brackets"],
)
def test_huge_headers_are_refused_at_little_cost(data: bytes, reason: str) -> None:
    start = time.process_time()
    messages: list[str] = []
    peak = peak_memory(lambda: messages.append(refusal(data)))
    assert time.process_time() - start < 60
    assert messages[0].startswith(reason)
    # Beside the file itself: its header as text, and the long name in it.
    assert peak < 2.01 * len(data) + 100_000
    if "holds more" in reason or "takes" in reason:
        assert peak < 1.01 * len(data) + 100_000


def test_values_cannot_be_hidden_from_the_count() -> None:
    document = json.dumps('{"v":[' + "1," * 1_100_000 + "1]}").replace(",", "\\u002c")
    data = framed(b'{"__metadata__":{"rnncli":' + document.encode() + b"}}")
    assert refusal(data) == "is damaged: its header is not JSON"


def test_loading_takes_twice_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.model"
    save(path, MANIFEST, {f"w{n}": np.ones((500, 1000), np.float64) for n in range(5)})
    size = path.stat().st_size
    assert size > 20_000_000
    assert peak_memory(lambda: load(path)) < 2 * size + 1_000_000
    _, tensors = load(path)
    assert peak_memory(lambda: save(path, MANIFEST, tensors)) < size + 1_000_000


@pytest.mark.parametrize("depth", [900, 990, 2_000, 90_000])
def test_deep_nesting(depth: int) -> None:
    opening = '{"format":"rnncli","format_version":1,"sha256":"x","manifest":{"a":' + "[" * depth + "]" * depth + "}}"
    data = framed(('{"__metadata__":{"rnncli":' + json.dumps(opening) + "}}").encode())
    assert refusal(data).startswith(("is damaged: ", "cannot be used: its manifest is not JSON"))


@pytest.mark.parametrize(
    ("table", "size", "reason"),
    [
        ({"w": row(shape=[2**62, 4])}, 4, "is damaged: the shape of tensor 'w' does not go with its size"),
        ({"w": row(shape=[0, 2**62], end=0)}, 0, "is damaged: the shape of tensor 'w' does not go with its size"),
        ({"w": row(shape=[0, 2**64 - 1], end=0)}, 0, "is damaged: "),
        ({"w": row(shape=[1] * 9)}, 4, "cannot be used: tensor 'w' has 9 dimensions"),
        ({"w": row(shape=[2**31])}, 4, "is damaged: the shape of tensor 'w' does not go with its size"),
        ({"w": row(shape=[2])}, 4, "is damaged: the shape of tensor 'w' does not go with its size"),
        ({"w": row(shape=[-1, -1])}, 4, "is damaged: tensor 'w' is not described as it should be"),
        ({"w": row(shape=[True])}, 4, "is damaged: tensor 'w' is not described as it should be"),
        ({"w": row(shape=[1.0])}, 4, "is damaged: tensor 'w' is not described as it should be"),
        ({"w": row(begin=-4, end=0)}, 4, "is damaged: tensor 'w' is not described as it should be"),
        ({"w": row(begin=4, end=0)}, 4, "is damaged: the shape of tensor 'w' does not go with its size"),
        ({"w": row(begin=0, end=4)}, 3, "is damaged: tensor 'w' is not where it should be"),
        ({"w": row(begin=4, end=8)}, 8, "is damaged: tensor 'w' is not where it should be"),
        ({"v": row(), "w": row(begin=8, end=12)}, 12, "is damaged: tensor 'w' is not where it should be"),
        ({"v": row(), "w": row(begin=0, end=4)}, 4, "is damaged: tensor 'w' is not where it should be"),
        ({"v": row(), "w": row(begin=2, end=6)}, 6, "is damaged: tensor 'w' is not where it should be"),
        ({"w": row()}, 5, "is damaged: it does not end where its tensors do"),
        ({}, 1, "is damaged: it does not end where its tensors do"),
        ({"w": row("F16", [2])}, 4, "cannot be used: tensor 'w' is of type 'F16', which is not stored"),
        ({"w": row("BF16", [2])}, 4, "cannot be used: tensor 'w' is of type 'BF16', which is not stored"),
        ({"w": row(">f4")}, 4, "cannot be used: tensor 'w' is of type '>f4', which is not stored"),
        ({"w": row("os.system")}, 4, "cannot be used: tensor 'w' is of type 'os.system', which is not stored"),
    ],
)
def test_tables_that_do_not_add_up(table: dict[str, Any], size: int, reason: str) -> None:
    assert refusal(forged(table, bytes(size))).startswith(reason)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ('"w":[]', "tensor 'w' is not described as it should be"),
        ('"w":["F32",[1],[0,4]]', "tensor 'w' is not described as it should be"),
        ('"w":{"dtype":"F32","shape":[1]}', "tensor 'w' is not described as it should be"),
        ('"w":{"dtype":1,"shape":[1],"data_offsets":[0,4]}', "tensor 'w' is not described as it should be"),
        ('"w":{"dtype":"F32","shape":4,"data_offsets":[0,4]}', "tensor 'w' is not described as it should be"),
        ('"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}', "tensor 'w' is not described as it should be"),
        ('"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}', "tensor 'w' is not described as it should be"),
        ('"w":{"dtype":"F32","shape":[1],"data_offsets":[0,1e999]}', "tensor 'w' is not described as it should be"),
        ('"w":{"dtype":"F32","shape":[1],"data_offsets":[0,NaN]}', "tensor 'w' is not described as it should be"),
        (f'"w":{{"dtype":"F32","shape":[{"9" * 5000}],"data_offsets":[0,4]}}', "its header is not JSON"),
        (
            f'"w":{{"dtype":"F32","shape":[{"9" * 4000}],"data_offsets":[0,4]}}',
            "tensor 'w' is not described as it should be",
        ),
        ('"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' * 2, "its header is not JSON"),
        ('"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}', "its header is not JSON"),
        ('"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":[]', "its header is not JSON"),
        (
            '"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}',
            "its header is not JSON",
        ),
        (",", "its header is not JSON"),
    ],
)
def test_tables_that_are_not_as_they_should_be(table: str, reason: str) -> None:
    assert refusal(forged(table, bytes(4))).startswith(f"is damaged: {reason}")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b'{"__metadata__":{"rnncli":"\xff"}}', "its manifest is not JSON"),
        (b'{"__metadata__":{"rnncli":"', "its header is not JSON"),
        (b'{"__metadata__":{"rnncli":"{}","rnncli":"{}"}}', "its header is not JSON"),
        (b'{"__metadata__":{"rnncli":"{}"}', "its header is not JSON"),
        (b'{"__metadata__":{"rnncli":"[]"}}', "its manifest is not a JSON object"),
        (b'{"__metadata__":{"rnncli":"{"}}', "its manifest is not JSON"),
    ],
)
def test_headers_that_are_not_as_they_should_be(header: bytes, reason: str) -> None:
    assert refusal(framed(header)) == f"is damaged: {reason}"


def test_metadata_beside_ours() -> None:
    data = encode({}, {})[8:].rstrip().removesuffix(b"}}") + b',"x":"y"}}'
    assert refusal(framed(data)) == "is damaged: its metadata has missing or unknown entries"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", '{"a":1,"a":2}', "9" * 5000])
def test_manifest_that_is_not_strict_json(value: str) -> None:
    document = f'{{"format":"rnncli","format_version":1,"sha256":"","manifest":{{"k":{value}}}}}'
    data = framed(('{"__metadata__":{"rnncli":' + json.dumps(document) + "}}").encode())
    assert "its manifest is not JSON" in refusal(data)


def test_manifest_with_half_a_surrogate_pair() -> None:
    document = r'{"format":"rnncli","format_version":1,"sha256":"","manifest":{"k":"\ud800"}}'
    data = framed(('{"__metadata__":{"rnncli":' + json.dumps(document) + "}}").encode())
    assert refusal(data).startswith("cannot be used: its manifest is not JSON")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("dtype", "kind"), [("F32", "<f4"), ("F64", "<f8")])
def test_weights_that_are_not_finite_are_not_loaded(value: float, dtype: str, kind: str) -> None:
    weights = np.zeros(70_000, kind)
    weights[-1] = value
    data = forged({"w": row(dtype, [70_000], 0, weights.nbytes)}, weights.tobytes())
    assert refusal(data) == "cannot be used: tensor 'w' holds a value that is not finite"


def test_misaligned_tensors_are_loaded_aligned() -> None:
    values = np.array([1.5, -2.5])
    table = {"a": row("U8", [3], 0, 3), "w": row("F64", [2], 3, 19)}
    _, tensors = decode(forged(table, b"abc" + values.tobytes()), "m.model")
    assert tensors["w"].tolist() == [1.5, -2.5]
    assert tensors["w"].flags.aligned
    assert tensors["a"].tobytes() == b"abc"


# 67, 68: the tensors against the settings


def test_shapes_see_the_manifest_and_only_one_that_is_whole() -> None:
    seen = []

    def watch(manifest: dict[str, Any]) -> dict[str, Shape]:
        seen.append(manifest)
        return shapes(manifest)

    model = encode(MANIFEST, TENSORS)
    assert same(decode(model, "m.model", watch)[1], TENSORS)
    assert seen == [MANIFEST]
    refusal(model[:-1] + b"?", watch)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        ({"a/w": (2, 3), "b": (1,), "c": (4,)}, "tensor 'c' is missing"),
        ({"a/w": (2, 3)}, "tensor 'b' is not part of the model that its settings describe"),
        ({"a/w": (2, 3), "B": (1,)}, "tensor 'B' is missing"),
        ({"a/w": (3, 2), "b": (1,)}, "tensor 'a/w' has shape (2, 3), and its settings ask for (3, 2)"),
        ({"a/w": (6,), "b": (1,)}, "tensor 'a/w' has shape (2, 3), and its settings ask for (6,)"),
        ({"a/w": (2**31, 3), "b": (1,)}, "tensor 'a/w' has shape (2, 3), and its settings ask for (2147483648, 3)"),
    ],
    ids=["missing", "extra", "renamed", "transposed", "flat", "2^31"],
)
def test_tensors_that_the_settings_do_not_ask_for(expected: dict[str, Shape], reason: str) -> None:
    assert refusal(encode(MANIFEST, TENSORS), lambda _: expected) == f"is damaged: {reason}"


def test_huge_settings_allocate_nothing() -> None:
    data = encode({"hidden": 2**31}, TENSORS)

    def from_settings(manifest: dict[str, Any]) -> dict[str, Shape]:
        return {"a/w": (manifest["hidden"], 4 * manifest["hidden"]), "b": (1,)}

    assert peak_memory(lambda: refusal(data, from_settings)) < 200_000


def test_models_hold_floats_only() -> None:
    data = encode({}, {"w": np.ones(2, np.int64)})
    reason = "is damaged: tensor 'w' is of type int64, and should hold floats"
    assert refusal(data, lambda _: {"w": (2,)}) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("hidden"), "KeyError: 'hidden'"),
        (TypeError("no number"), "TypeError: no number"),
        (ValueError("too\nlong" * 1000), "too\\nlong"),
        (OverflowError("too large"), "OverflowError: too large"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (DataError("settings: there is no cell 'os.system'"), "settings: there is no cell 'os.system'"),
    ],
)
def test_settings_that_make_no_model(error: Exception, reason: str) -> None:
    def fail(manifest: dict[str, Any]) -> dict[str, Shape]:
        raise error

    assert refusal(encode(MANIFEST, TENSORS), fail).startswith(f"has settings that make no model: {reason}")


def test_a_manifest_of_another_kind() -> None:
    def refuse(manifest: dict[str, Any]) -> dict[str, Shape]:
        raise ModelFileError("is a recipe", "cook it")

    with pytest.raises(ModelFileError) as caught:
        decode(encode(MANIFEST, TENSORS), "m.model", refuse)
    assert (caught.value.message, caught.value.hint) == ("m.model is a recipe", "cook it")


@pytest.mark.parametrize(
    "nonsense", [None, {"a/w": None}, {"a/w": "ab"}, {"a/w": (2.0, 3.0)}, {"a/w": (10**5000, 3), "b": (1,)}, [1]]
)
def test_shapes_that_are_no_shapes(nonsense: object) -> None:
    assert refusal(encode(MANIFEST, TENSORS), lambda _: nonsense).startswith("has settings that make no model: ")


# 69: names and texts from the file


def test_long_and_hostile_names_are_shown_short_and_clean() -> None:
    long = refusal(forged({"x" * 1_000_000: row()}, bytes(4)))
    assert long == f"cannot be used: '{'x' * 80}…' cannot be the name of a tensor"
    escape = refusal(forged({"\x1b]0;title\x07\n[/]\u202e": row()}, bytes(4)))
    assert escape == r"cannot be used: '\x1b]0;title\x07\n[/]\u202e' cannot be the name of a tensor"
    dtype = refusal(forged({"w": row("\x1b[31m" * 100)}, bytes(4)))
    assert dtype.startswith(r"cannot be used: tensor 'w' is of type '\x1b[31m\x1b[31m")
    assert len(dtype) < 200


def test_hostile_texts_in_the_manifest_come_back_as_they_are() -> None:
    manifest = {"vocabulary": ["../../x", "C:\\x", "\x1b[31m", "[/]", "x" * 1_000_000, "\0", "\u202e"]}
    assert decode(encode(manifest, {}), "m.model")[0] == manifest


def test_file_name_in_messages_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[31m.model"
    path.write_bytes(b"nonsense")
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert caught.value.message == f"{tmp_path}/a\\n\\x1b[31m.model is not an rnncli model"


# 71: versions


def test_newer_format_is_named_even_where_all_else_is_unknown() -> None:
    newer = "was made by a newer rnncli (format 2); this one reads format 1"
    assert refusal(forged({}, format_version=2)) == newer
    assert refusal(forged({"w": row("F4", "new")}, bytes(4), digest="", format_version=2, kind="more")) == newer
    assert len(refusal(forged({}, format_version=10**4000))) < 200


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None, [1]])
def test_impossible_format_version(version: object) -> None:
    assert refusal(forged({}, format_version=version)) == "is damaged: it has no format version"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"extra": 1}, "its metadata has missing or unknown entries"),
        ({"digest": "0" * 64}, "its content does not match its SHA-256"),
        ({"manifest": []}, "its manifest is not a table of settings"),
        ({"sha256": 1}, "its manifest is not a table of settings"),
    ],
)
def test_document_that_is_not_as_it_should_be(changes: dict[str, Any], reason: str) -> None:
    assert refusal(forged({}, **changes)) == f"is damaged: {reason}"


# 74, 75: the file system


def test_paths_that_are_no_files_do_not_hang(tmp_path: Path) -> None:
    fifo, loop, folder = tmp_path / "fifo", tmp_path / "loop", tmp_path / "folder"
    os.mkfifo(fifo)
    loop.symlink_to("loop")
    folder.mkdir()
    for path in (fifo, loop, folder, tmp_path / "missing"):
        with time_limit(60), pytest.raises(StorageError) as caught:
            load(path)
        assert caught.value.message.startswith(f"{path} cannot be read: ")
        assert caught.value.exit_code == 5


def test_file_replaced_while_it_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.model"
    save(path, MANIFEST, TENSORS)
    real = os.fstat

    def replacing(descriptor: int) -> os.stat_result:
        monkeypatch.undo()
        path.with_name("new").write_bytes(OTHER)
        os.replace(path.with_name("new"), path)
        return real(descriptor)

    monkeypatch.setattr("os.fstat", replacing)
    manifest, tensors = load(path, shapes=shapes)
    assert manifest == MANIFEST  # the old one, whole
    assert same(tensors, TENSORS)
    assert path.read_bytes() == OTHER


@pytest.mark.parametrize("error", [lambda: OSError(28, "No space left on device"), KeyboardInterrupt, MemoryError])
def test_failed_save_leaves_the_old_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Callable[[], BaseException]
) -> None:
    path = tmp_path / "m.model"
    for nth in range(1, 5):
        path.write_bytes(OTHER)
        with monkeypatch.context() as patch:
            fail_nth_call(patch, ["os.open", "os.write", "os.fsync", "os.replace"], error, nth)
            with pytest.raises((StorageError, KeyboardInterrupt, MemoryError)):
                save(path, MANIFEST, TENSORS)
        assert path.read_bytes() == OTHER
        assert os.listdir(tmp_path) == ["m.model"]


def test_format_version_is_written() -> None:
    assert model_file.FORMAT_VERSION == 1
    assert b'\\"format_version\\":1' in encode({}, {})
