"""Bytes to text to lines: what they must start with, how they are decoded, where a line ends.

Lines end at LF, CR or CRLF and at nothing else: U+0085 and U+2028, where ``str.splitlines`` would also cut, are
ordinary characters of a review.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain

from rnncli.data.formats.table import Ledger
from rnncli.data.formats.unreadable import MAGIC, begun
from rnncli.errors import DataError, UsageError, closest, quoted

# A line may be this much longer than a value (other columns, quotes, escapes) before it is taken for no line at all.
LINE_SLACK = 1 << 20

# What a file starts with that is not text, and what to do about it.
_MAGIC = (
    (b"\x1f\x8b", "gzip", "Unpack it, or give it a name that ends in .gz (from a pipe: gunzip -c FILE | rnncli ...)."),
    (
        *(b"PK\x03\x04", "a zip archive (an .xlsx workbook is one)"),
        "If it is a workbook: --format xlsx; else unpack it.",
    ),
    (b"PAR1", "a Parquet file", "Say --format parquet."),
    (b"ARROW1", "an Arrow file", "Say --format arrow."),
    (b"\xd0\xcf\x11\xe0", "an .xls workbook", "Save the sheet as CSV UTF-8."),
    (b"\xfd7zXZ\x00", "xz", "Unpack it first."),
    (b"(\xb5/\xfd", "zstd", "Unpack it first."),
)
# UTF-32 first: its little-endian mark starts with that of UTF-16.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_MARKS = (*(mark for mark, *_ in _MAGIC), *MAGIC, *_BYTE_ORDER_MARKS)
# NULs in this many bytes at the start tell an encoding without a mark: in text of ASCII letters they are every second
# byte of UTF-16 and three of four of UTF-32. Encoding → which of four bytes in a row.
_HEAD = 1024
_NUL_PLACES = {"utf-16-le": {1, 3}, "utf-16-be": {0, 2}, "utf-32-le": {1, 2, 3}, "utf-32-be": {0, 1, 2}}

_AROUND = 1 << 15  # bytes before one that cannot be decoded, and as many behind it, tell the encoding

# What Windows writes in place of a standard of ISO: the same letters, and quotes, dashes and the euro sign where ISO
# has control characters that no text holds.
_OF_WINDOWS = {"iso8859-1": "cp1252", "iso8859-15": "cp1252", "iso8859-2": "cp1250", "iso8859-9": "cp1254"}
_CONTROLS = re.compile("[\x80-\x9f]")

_COMMON_ENCODINGS = ("utf-8", "utf-16", "utf-32", "latin-1", "cp1252", "cp1251", "gb18030", "shift_jis", "big5")


def check_encoding(encoding: str) -> str:
    """Python's own name of ``encoding``.

    Raises:
        UsageError: it is unknown, not an encoding of text (``zlib``), or one that lets half a surrogate pair through
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
    """The lines of a text file, as :func:`decode_lines` gives them.

    Where bad records are left out, a record with a NUL is one of them, for its reader to find.
    """
    return lines_in(text_of(chunks, ledger), ledger)


def text_of(chunks: Iterator[bytes], ledger: Ledger) -> Iterator[str]:
    """The text of a file in pieces, checked as :func:`lines_of` does; a line may be of any length."""
    name, encoding = ledger.file.name, ledger.file.encoding
    on_nul = ledger.note_nul if ledger.skip_bad else None
    return _checked_text(_checked_start(chunks, name, encoding), name, encoding, on_nul)


def lines_in(texts: Iterable[str], ledger: Ledger) -> Iterator[str]:
    """The lines of a text that comes in pieces; raises DataError: one is too long."""
    return _lines(texts, ledger.file.name, ledger.max_field + LINE_SLACK)


def blocks_of(chunks: Iterator[bytes], ledger: Ledger) -> Iterator[str]:
    """As :func:`lines_of`, in pieces of whole lines; only the last line of all may lack its line end."""
    return _whole_lines(text_of(chunks, ledger), ledger.file.name, ledger.max_field + LINE_SLACK)


def with_newlines(text: str) -> str:
    """A text whose lines end at LF alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def decode_lines(
    chunks: Iterator[bytes], name: str, *, encoding: str, max_line: int, on_nul: Callable[[], object] | None = None
) -> Iterator[str]:
    """The lines that ``chunks`` hold, each with its line end.

    Args:
        name: of the file, for messages.
        encoding: as :func:`check_encoding` returned it.
        max_line: the most characters in one line; exceeded by at most one chunk before it is noticed.
        on_nul: is called before lines with NUL characters are yielded, which are not refused then; but one in the first
            line shows that it is no text file.

    Raises:
        DataError: some other kind of file, bytes that are not in the encoding, a NUL character, or a line that is
            too long. Nothing is raised before the first line is asked for.
    """
    return _lines(_checked_text(_checked_start(chunks, name, encoding), name, encoding, on_nul), name, max_line)


def _lines(texts: Iterable[str], name: str, max_line: int) -> Iterator[str]:
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
    foreign = begun(head, name)
    if foreign is not None:
        raise foreign
    if b"\x1b$B" in head and not encoding.startswith("iso2022"):
        raise DataError(f"{name}: looks like ISO-2022-JP; use --encoding iso2022_jp")
    marked = next((kind for mark, kind in _BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
    if not encoding.startswith(("utf-16", "utf-32")):
        if marked is not None:
            raise DataError(f"{name}: looks like {marked}; use --encoding {marked.lower()}")
        wide = _wide_without_mark(head)
        if wide is not None:
            raise DataError(f"{name}: looks like {wide[:6].upper()} without a byte order mark; use --encoding {wide}")
    elif encoding in ("utf-16", "utf-32") and head and marked is None:
        raise DataError(f"{name}: no byte order mark at the start; say --encoding {encoding}-le or {encoding}-be")
    if head:
        yield head
        yield from chunks


def _wide_without_mark(head: bytes) -> str | None:
    """The encoding of several bytes a character that most NULs are where it has them."""
    whole = head[: min(len(head), _HEAD) // 4 * 4]
    nul = {at for at in range(4) if 2 * whole[at::4].count(0) > len(whole) // 4}
    return next((name for name, places in _NUL_PLACES.items() if nul == places), None)


class _BadByte(Exception):
    """A byte that is not in the encoding, and those around it, from the beginning of a line on."""

    def __init__(self, byte: int, around: bytes) -> None:
        self.byte, self.around = byte, around


def _decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The text up to the first byte that is not in the encoding; there, :class:`_BadByte`."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    for data in chain(chunks, (b"",)):
        state = decoder.getstate()
        try:
            text = decoder.decode(data, not data)
        except UnicodeError:
            decoder.setstate(state)
        else:
            yield text
            continue
        # A chunk is bad: one byte at a time, for positions in the exception differ from codec to codec. No byte at all
        # is the end of the file, in the middle of a character.
        for at in range(max(1, len(data))):
            try:
                text = decoder.decode(data[at : at + 1], not data)
            except UnicodeError as error:
                last = data[at] if data else 0
                byte = error.object[error.start] if isinstance(error, UnicodeDecodeError) else last
                start = data.find(b"\n", max(0, at - _AROUND), at) + 1 if at > _AROUND else 0
                raise _BadByte(byte, data[start : at + _AROUND]) from None
            yield text


def line_ends(text: str) -> int:
    """How many lines end in ``text``, where CRLF counts once."""
    count = text.count("\n")
    if "\r" in text:
        count += text.count("\r") - text.count("\r\n")
    return count


def _checked_text(
    chunks: Iterable[bytes], name: str, encoding: str, on_nul: Callable[[], object] | None
) -> Iterator[str]:
    """Decoded text without the byte order mark, its last CR held back so that no CRLF is cut in two."""
    line, held, at_start = 1, "", True
    try:
        for text in _decoded(chunks, encoding):
            if at_start and text:
                text = text.removeprefix("\ufeff")
                at_start = False
            text = held + text
            held = "\r" if text.endswith("\r") else ""
            if held:
                text = text[:-1]
            fault = _control_character(text, encoding)
            at = text.find("\0")
            if at >= 0 and on_nul is not None and (line > 1 or line_ends(text[:at])):
                on_nul()
            elif at >= 0 and (fault is None or at < fault[0]):
                fault = (at, f"a NUL character, so this is not a text file in {encoding}", _NUL_HINT)
            if fault is not None:
                at, what, hint = fault
                yield text[:at]  # what is wrong further up is reported first
                raise DataError(f"{name}:{line + line_ends(text[:at])}: {what}", hint)
            line += line_ends(text)
            if text:
                yield text
    except _BadByte as bad:
        raise _undecodable(f"{name}:{line + len(held)}", bad, encoding) from None
    if held:
        yield held


_NUL_HINT = (
    "Where every second byte is NUL, --encoding utf-16-le or utf-16-be reads it; tr -d '\\0' takes out a few, and "
    "--skip-bad leaves out the records with them."
)


def _control_character(text: str, encoding: str) -> tuple[int, str, str] | None:
    """Where a control character of ISO's is that Windows has a letter for; what is wrong, and a hint."""
    found = _CONTROLS.search(text) if encoding in _OF_WINDOWS else None
    meant = None if found is None else _of_windows(ord(found[0]), encoding)
    if found is None or meant is None:
        return None
    windows, said = _OF_WINDOWS[encoding], "latin-1" if encoding == "iso8859-1" else encoding
    what = f"byte 0x{ord(found[0]):02x} is a control character in {said}, and {meant} in {windows}"
    return found.start(), what, f"Say --encoding {windows}."


def _of_windows(byte: int, encoding: str) -> str | None:
    """What a control character of one of ISO's encodings is in that of Windows; None if it is nothing there either."""
    try:
        return bytes([byte]).decode(_OF_WINDOWS[encoding])
    except UnicodeDecodeError:
        return None


def _undecodable(where: str, bad: _BadByte, encoding: str) -> DataError:
    what = f"{where}: byte 0x{bad.byte:02x} is not valid"
    if encoding not in ("utf-8", "utf-8-sig"):
        return DataError(f"{what} {encoding}; say another --encoding")
    from rnncli.data.formats.encodings import is_mostly_utf_8, likely_encodings, possible_encodings

    if is_mostly_utf_8(bad.around):
        return DataError(f"{what} UTF-8, which the rest is", "Mend that line, or leave it out.")
    found = likely_encodings(bad.around)
    if len(found) > 1:
        ways = "; or ".join(f"--encoding {name} (it reads {quoted(word)})" for name, word in found.items())
        return DataError(f"{what} UTF-8, and {len(found)} other encodings are likely", f"Say which one it is: {ways}.")
    if not found:
        others = ", ".join(possible_encodings(bad.around))
        nor = ", nor cp1252" if bad.byte < 0xA0 and _of_windows(bad.byte, "iso8859-1") is None else ""
        return DataError(
            f"{what} UTF-8{nor}; find out which encoding the file is in, and say it with --encoding",
            f"Some that have these bytes: {others}.",
        )
    ((name, word),) = found.items()
    if name == "cp1252" and not any(0x80 <= byte < 0xA0 for byte in bad.around):
        name = "latin-1"  # from 0xa0 on the two are the same
    return DataError(
        f"{what} UTF-8; if the file is in another encoding, say --encoding {name}", f"It reads {quoted(word)} then."
    )


def _whole_lines(texts: Iterable[str], name: str, max_line: int) -> Iterator[str]:
    """Blocks of whole lines; only the last may lack its line end."""
    line, length = 1, 0
    pieces: list[str] = []  # of the line that has not ended; joined once, since adding them up is quadratic
    for text in texts:
        cut = max(text.rfind("\n"), text.rfind("\r")) + 1
        if cut:
            block = "".join((*pieces, text[:cut]))
            line, length = line + line_ends(block), 0
            pieces.clear()
            yield block
        if cut < len(text):
            pieces.append(text[cut:])
            length += len(text) - cut
        if length > max_line:
            raise DataError(f"{name}:{line}: a line of more than {max_line:,} characters", "Is this a text file?")
    if pieces:
        yield "".join(pieces)
