"""Bytes to text to lines: what they must start with, how they are decoded, where a line ends.

Lines end at LF, CR or CRLF and at nothing else: U+0085 and U+2028, where ``str.splitlines`` would also cut, are
ordinary characters of a review.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

from rnncli.errors import DataError, UsageError, closest

# A line may be this much longer than a value (other columns, quotes, escapes) before it is taken for no line at all.
LINE_SLACK = 1 << 20

# What a file starts with that is not text, and what to do about it.
_MAGIC = (
    (b"\x1f\x8b", "gzip", "Unpack it, or give it a name that ends in .gz (from a pipe: gunzip -c FILE | rnncli ...)."),
    (b"PK\x03\x04", "a zip archive (an .xlsx workbook is one)", "Unpack it, or save the sheet as CSV UTF-8."),
    (b"\xd0\xcf\x11\xe0", "an .xls workbook", "Save the sheet as CSV UTF-8."),
    (b"\xfd7zXZ\x00", "xz", "Unpack it first."),
    (b"(\xb5/\xfd", "zstd", "Unpack it first."),
)
# UTF-32 first: its little-endian mark starts with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_MARKS = tuple(mark for mark, *_ in (*_MAGIC, *_BYTE_ORDER_MARKS))

_COMMON_ENCODINGS = ("utf-8", "utf-16", "utf-32", "latin-1", "cp1252", "cp1251", "gb18030", "shift_jis", "big5")


def check_encoding(encoding: str) -> str:
    """Python's own name of ``encoding``.

    Raises:
        UsageError: it is unknown, no encoding of text (``zlib``), or one that lets half a surrogate pair through
            (``utf-7``), which could later neither be printed nor saved.
    """
    try:
        name = codecs.lookup(encoding).name
        "\ud800".encode(name)  # must fail
    except UnicodeEncodeError as error:
        if error.object == "\ud800":
            return name
    except (LookupError, ValueError):
        pass
    raise UsageError(
        f"'{encoding}' is not an encoding that rnncli reads{closest(encoding, _COMMON_ENCODINGS)}",
        "Say --encoding utf-8, utf-16, latin-1, cp1252 or another of Python's text encodings.",
    )


def decode_lines(chunks: Iterator[bytes], name: str, *, encoding: str, max_line: int) -> Iterator[str]:
    """The lines that ``chunks`` hold, each with its line end.

    Args:
        name: of the file, for messages.
        encoding: as :func:`check_encoding` returned it.
        max_line: the most characters in one line; exceeded by at most one chunk before it is noticed.

    Raises:
        DataError: some other kind of file, bytes that the encoding does not know, a NUL character, or a line that is
            too long. Nothing is raised before the first line is asked for.
    """
    texts = _checked_text(_checked_start(chunks, name, encoding), name, encoding)
    blocks = _whole_lines(texts, name, max_line)
    # StringIO with newline="" cuts at LF, CR and CRLF, keeps them, and does it in C.
    return chain.from_iterable(map(partial(io.StringIO, newline=""), blocks))


def _checked_start(chunks: Iterator[bytes], name: str, encoding: str) -> Iterator[bytes]:
    head = b""
    for data in chunks:  # a pipe may hand over single bytes
        head += data
        if not any(mark.startswith(head) and mark != head for mark in _MARKS):
            break  # not a byte more is waited for than it takes to tell
    for magic, kind, hint in _MAGIC:
        if head.startswith(magic):
            raise DataError(f"{name}: looks like {kind}, not text", hint)
    wide = encoding.startswith(("utf-16", "utf-32"))
    for mark, kind in _BYTE_ORDER_MARKS:
        if head.startswith(mark) and not wide:
            raise DataError(f"{name}: looks like {kind}; use --encoding {kind.lower()}")
    if encoding in ("utf-16", "utf-32") and head and not head.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS)):
        raise DataError(f"{name}: no byte order mark at the start; say --encoding {encoding}-le or {encoding}-be")
    if head:
        yield head
        yield from chunks


class _BadByte(Exception):
    def __init__(self, byte: int) -> None:
        self.byte = byte


def _decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The text up to the first byte that is not in the encoding; there, :class:`_BadByte`."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    for data in chain(chunks, (b"",)):
        state = decoder.getstate()
        try:
            text = decoder.decode(data, not data)
        except UnicodeError:
            decoder.setstate(state)
            yield from _up_to_bad_byte(decoder, data)
        else:
            yield text


def _up_to_bad_byte(decoder: codecs.IncrementalDecoder, data: bytes) -> Iterator[str]:
    # One byte at a time, for the one chunk that is bad: positions in the exception differ from codec to codec.
    for at in range(len(data)):
        try:
            text = decoder.decode(data[at : at + 1])
        except UnicodeError as error:
            raise _BadByte(_culprit(error, data[at])) from None
        yield text
    if not data:  # the end of the file, in the middle of a character
        try:
            decoder.decode(b"", True)
        except UnicodeError as error:
            raise _BadByte(_culprit(error, 0)) from None


def _culprit(error: UnicodeError, last: int) -> int:
    return error.object[error.start] if isinstance(error, UnicodeDecodeError) else last


def line_ends(text: str) -> int:
    """How many lines end in ``text``, where CRLF counts once."""
    count = text.count("\n")
    if "\r" in text:
        count += text.count("\r") - text.count("\r\n")
    return count


def _checked_text(chunks: Iterable[bytes], name: str, encoding: str) -> Iterator[str]:
    """Decoded text without the byte order mark, its last CR held back so that no CRLF is cut in two."""
    line = 1
    held = ""
    at_start = True
    try:
        for text in _decoded(chunks, encoding):
            if at_start and text:
                text = text.removeprefix("\ufeff")
                at_start = False
            text = held + text
            held = "\r" if text.endswith("\r") else ""
            if held:
                text = text[:-1]
            nul = text.find("\0")
            if nul >= 0:
                yield text[:nul]  # whatever is wrong further up is told first
                raise _nul_character(name, line + line_ends(text[:nul]))
            line += line_ends(text)
            if text:
                yield text
    except _BadByte as bad:
        raise _undecodable(name, line + len(held), bad.byte, encoding) from None
    if held:
        yield held


def _nul_character(name: str, line: int) -> DataError:
    return DataError(
        f"{name}:{line}: a NUL character, so this is not a text file in the encoding that was said",
        "Where every second byte is NUL, --encoding utf-16-le or utf-16-be reads it.",
    )


def _undecodable(name: str, line: int, byte: int, encoding: str) -> DataError:
    if encoding in ("utf-8", "utf-8-sig"):
        return DataError(
            f"{name}:{line}: byte 0x{byte:02x} is not valid UTF-8; "
            "if the file is in another encoding, say --encoding latin-1"
        )
    return DataError(f"{name}:{line}: byte 0x{byte:02x} is not valid {encoding}; say another --encoding")


def _whole_lines(texts: Iterable[str], name: str, max_line: int) -> Iterator[str]:
    """Blocks of whole lines; only the last may lack its line end."""
    line = 1
    pieces: list[str] = []  # of the line that has not ended; joined once, since adding them up is quadratic
    length = 0
    for text in texts:
        cut = max(text.rfind("\n"), text.rfind("\r")) + 1
        if cut:
            block = "".join((*pieces, text[:cut]))
            line += line_ends(block)
            pieces.clear()
            length = 0
            yield block
        if cut < len(text):
            pieces.append(text[cut:])
            length += len(text) - cut
        if length > max_line:
            raise DataError(f"{name}:{line}: a line of more than {max_line:,} characters", "Is this a text file?")
    if pieces:
        yield "".join(pieces)
