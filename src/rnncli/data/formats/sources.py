"""From a path or a pipe to its bytes: open, hash, unzip, cap.

Each stage is a generator over the one before, so a file of any size passes through in pieces of at most
:data:`CHUNK`, and dropping the last generator closes the file.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import islice
from typing import BinaryIO

from rnncli.data.formats.registry import PACKED
from rnncli.errors import DataError, StorageError, closest
from rnncli.memory import require_room, size_words

CHUNK = 1 << 18  # bytes read or unzipped at a time
STDIN = "-"
# What is packed to a two-hundredth, and is large, nobody has written.
_MOST_PACKED, _MUCH = 200, 1 << 26
_OPEN_ALREADY = ("/dev/fd/", "/dev/stdin", "/proc/")  # where a process finds the files that it was given open


def check_path(path: str) -> None:
    """Refuses what cannot be a data file before its suffix is looked at, and before it is opened.

    Opening a named pipe would wait for a writer, perhaps for ever. A pipe that this process was given open, as a shell
    does for ``<(zcat reviews.csv.gz)``, is read.

    Raises:
        StorageError: it is missing (with the closest name beside it), cannot be reached, or is a directory, a named
            pipe or a device.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if stat.S_ISDIR(mode):
        raise StorageError(f"{path}: this is a directory, not a file")
    if stat.S_ISFIFO(mode):
        if not os.path.abspath(path).startswith(_OPEN_ALREADY):
            raise StorageError(
                f"{path}: this is a named pipe, not a regular file",
                "Send what comes out of it to standard input, and name that: -",
            )
    elif not stat.S_ISREG(mode):
        raise StorageError(f"{path}: not a regular file")


def is_path(argument: str) -> bool:
    """Whether a command-line argument means a file rather than a text: ``-``, or the name of something there."""
    if argument == STDIN:
        return True
    try:
        return os.path.exists(argument)
    except ValueError:  # a text with a NUL is not a path
        return False


def _unreadable(path: str, error: OSError | ValueError) -> StorageError:
    if isinstance(error, FileNotFoundError):
        return StorageError(f"{path}: there is no such file{_closest_file(path)}")
    reason = error.strerror if isinstance(error, OSError) else None
    return StorageError(f"{path}: cannot be read ({reason or error})")


def _closest_file(path: str) -> str:
    folder, name = os.path.split(path)
    try:
        names = sorted(os.listdir(folder or os.curdir))
    except (OSError, ValueError):
        return ""
    return closest(name, islice(names, 2000))  # a comparison each: a folder of a million files should not take minutes


def open_chunks(
    path: str,
    *,
    max_bytes: int,
    stdin: BinaryIO | None = None,
    hash: Callable[[bytes], object] | None = None,
    before_waiting: Callable[[], object] | None = None,
) -> Iterator[bytes]:
    """The bytes of a file, unzipped.

    Args:
        max_bytes: the most bytes read, and the most that a ``.gz`` may unpack to.
        stdin: is read for ``-``, in place of ``sys.stdin.buffer``.
        hash: is given every byte as stored, before unzipping.
        before_waiting: is called when a pipe holds nothing more yet, and all bytes before have been yielded.

    Raises:
        StorageError: it cannot be read, or holds more than ``max_bytes``.
        DataError: broken gzip. Nothing is raised before the first bytes are asked for.
    """
    name = display_name(path)
    chunks = _capped(_stored(path, stdin, before_waiting), name, max_bytes, hash)
    return _capped(_gunzipped(chunks, name), name, max_bytes) if name.lower().endswith(PACKED) else chunks


def gathered(chunks: Iterable[bytes], name: str) -> BytesIO:
    """All bytes, for formats that are read at random access.

    Raises:
        StorageError: the memory does not suffice, or the bytes cannot be read.
        DataError: they unpack to far more than the file's size.
    """
    file = BytesIO()
    checked = 0
    for data in chunks:
        if file.tell() >= checked:
            checked = 2 * file.tell() + CHUNK
            require_room(checked, f"{name}: reading it", "Take a part of it.")  # before the buffer grows by as much
            if name.lower().endswith(PACKED):
                refuse_bomb(name, file.tell(), os.path.getsize(name))
        file.write(data)
    file.seek(0)
    return file


def refuse_bomb(name: str, size: int, packed: int) -> None:
    """Refuses what is to be in memory as a whole, and unpacks to far more than its own size.

    Args:
        size, packed: bytes, as far as they are known.

    Raises:
        DataError: it does.
    """
    if size > _MUCH and size > _MOST_PACKED * packed:
        raise DataError(
            f"{name}: unpacks to {size_words(size)} or more, {size // max(packed, 1):,} times its size",
            "If it is to be read all the same, unpack it first.",
        )


def display_name(path: str) -> str:
    """A file's name in messages."""
    return "<stdin>" if path == STDIN else path


def _stored(path: str, stdin: BinaryIO | None, before_waiting: Callable[[], object] | None) -> Iterator[bytes]:
    if path == STDIN:
        stream: BinaryIO | None = stdin or getattr(sys.stdin, "buffer", None)
        if stream is None or stream.closed:
            raise StorageError(f"{display_name(path)}: standard input is closed", "Name a file, or pipe the data in.")
        yield from _read(stream, display_name(path), before_waiting)
        return
    try:
        file = open(path, "rb")  # noqa: SIM115  closed two lines below; errors of reading are other ones
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    with file:
        yield from _read(file, path, before_waiting)


def _read(file: BinaryIO, name: str, before_waiting: Callable[[], object] | None) -> Iterator[bytes]:
    # read1 returns what a pipe holds now; read would wait until a chunk is full.
    read = getattr(file, "read1", file.read)
    while True:
        if before_waiting is not None and _would_wait(file):
            before_waiting()
        try:
            data = read(CHUNK)
        except (OSError, ValueError) as error:
            raise _unreadable(name, error) from None
        if not data:
            return
        yield data


def _would_wait(file: BinaryIO) -> bool:
    """Whether there is nothing to read yet: read1 leaves nothing in a buffer smaller than the chunk it asks for."""
    try:
        poll = select.poll()
        poll.register(file.fileno(), select.POLLIN)
        return not poll.poll(0)
    except (OSError, ValueError):  # not a file of the system, or closed: reading will show
        return False


def _capped(
    chunks: Iterable[bytes], name: str, max_bytes: int, hash: Callable[[bytes], object] | None = None
) -> Iterator[bytes]:
    total = 0
    for data in chunks:
        if hash is not None:
            hash(data)
        total += len(data)
        if total > max_bytes:
            raise StorageError(f"{name}: holds more than {max_bytes:,} bytes", "Split it, or take a sample of it.")
        yield data


def _gunzipped(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The bytes of one or more gzip members with zero padding after them, in chunks of at most CHUNK."""
    member = None  # the decompressor of the member that has begun and not ended
    for data in chunks:
        while data:
            if member is None:
                data = data.lstrip(b"\0")
                if not data:
                    break
                member = zlib.decompressobj(wbits=31)  # 31: a gzip header and its checksum, no other format
            try:
                plain = member.decompress(data, CHUNK)
            except zlib.error as error:
                reason = str(error).rpartition(": ")[2]  # "Error -3 while decompressing data: incorrect header check"
                raise DataError(f"{name}: is not whole gzip ({reason})", "Fetch or pack it again.") from None
            data = member.unused_data if member.eof else member.unconsumed_tail
            if member.eof:
                member = None
            if plain:
                yield plain
    if member is not None:
        raise DataError(f"{name}: the gzip data is cut off before its end", "Fetch or pack it again.")
