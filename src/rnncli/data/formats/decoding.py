"""Bytes to text to lines: what they must start with, how they are decoded, where a line ends.

Lines end at LF, CR or CRLF and at nothing else: U+0085 and U+2028, where ``str.splitlines`` would also cut, are
ordinary characters of a review.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

from rnncli.data.formats.table import Ledger
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
# Of how many bytes at the start it is looked where their NULs stand: in text of ASCII letters they are every second
# byte of UTF-16 and three of four of UTF-32. Encoding → which of four bytes in a row.
_LOOKED_AT = 1024
_NUL_PLACES = {"utf-16-le": (1, 3), "utf-16-be": (0, 2), "utf-32-le": (1, 2, 3), "utf-32-be": (0, 1, 2)}

# What Windows writes in place of a standard of ISO: the same letters, and quotes, dashes and the euro sign where ISO
# has control characters that no text holds.
_OF_WINDOWS = {"iso8859-1": "cp1252", "iso8859-15": "cp1252", "iso8859-2": "cp1250", "iso8859-9": "cp1254"}
_CONTROLS = re.compile("[\x80-\x9f]")

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


def lines_of(chunks: Iterator[bytes], ledger: Ledger) -> Iterator[str]:
    """The lines of a text file, as :func:`decode_lines` gives them."""
    file = ledger.file
    return decode_lines(chunks, file.name, encoding=file.encoding, max_line=ledger.max_field + LINE_SLACK)


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
    found = _wide_without_mark(head)
    if found is not None and not wide:
        raise DataError(f"{name}: looks like {found[:6].upper()} without a byte order mark; use --encoding {found}")
    if head:
        yield head
        yield from chunks


def _wide_without_mark(head: bytes) -> str | None:
    """The encoding of several bytes a character that the places of the NULs speak for."""
    whole = head[: min(len(head), _LOOKED_AT) // 4 * 4]
    nul = {at for at in range(4) if 2 * whole[at::4].count(0) > len(whole) // 4}
    return next((name for name, places in _NUL_PLACES.items() if nul == set(places)), None)


class _BadByte(Exception):
    """A byte that is not in the encoding, and those that were read with it, from this one on."""

    def __init__(self, byte: int, rest: bytes) -> None:
        self.byte, self.rest = byte, rest


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
            raise _BadByte(_culprit(error, data[at]), data[at:]) from None
        yield text
    if not data:  # the end of the file, in the middle of a character
        try:
            decoder.decode(b"", True)
        except UnicodeError as error:
            raise _BadByte(_culprit(error, 0), b"") from None


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
                where = f"{name}:{line + line_ends(text[:nul])}"
                raise DataError(
                    f"{where}: a NUL character, so this is not a text file in the encoding that was said",
                    "Where every second byte is NUL, --encoding utf-16-le or utf-16-be reads it.",
                )
            control = _CONTROLS.search(text) if encoding in _OF_WINDOWS else None
            if control is not None and (meant := _of_windows(control[0], encoding)) is not None:
                yield text[: control.start()]
                raise _control(name, line + line_ends(text[: control.start()]), control[0], encoding, meant)
            line += line_ends(text)
            if text:
                yield text
    except _BadByte as bad:
        raise _undecodable(name, line + len(held), bad, encoding) from None
    if held:
        yield held


def _undecodable(name: str, line: int, bad: _BadByte, encoding: str) -> DataError:
    where = f"{name}:{line}: byte 0x{bad.byte:02x} is not valid"
    if encoding not in ("utf-8", "utf-8-sig"):
        return DataError(f"{where} {encoding}; say another --encoding")
    if _of_windows(chr(bad.byte), "iso8859-1") is None and bad.byte < 0xA0:
        return DataError(
            f"{where} UTF-8, nor cp1252; find out which encoding the file is in, and say it with --encoding",
            "Others that are common: mac_roman, cp850, cp1251, gb18030, shift_jis, big5.",
        )
    # From 0xa0 on the two are the same, and what Windows has below tells them apart.
    windows = any(0x80 <= byte < 0xA0 for byte in (bad.byte, *bad.rest))
    meant = "cp1252" if windows else "latin-1"
    return DataError(f"{where} UTF-8; if the file is in another encoding, say --encoding {meant}")


def _of_windows(character: str, encoding: str) -> str | None:
    """What a control character of one of ISO's encodings is in that of Windows; None if it is nothing there either."""
    try:
        return bytes([ord(character)]).decode(_OF_WINDOWS[encoding])
    except UnicodeDecodeError:
        return None


def _control(name: str, line: int, character: str, encoding: str, meant: str) -> DataError:
    windows, said = _OF_WINDOWS[encoding], "latin-1" if encoding == "iso8859-1" else encoding
    return DataError(
        f"{name}:{line}: byte 0x{ord(character):02x} is a control character in {said}, and {meant} in {windows}",
        f"Say --encoding {windows}.",
    )


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
