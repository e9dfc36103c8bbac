r"""The one gate for text that we did not write: texts, labels, tokens, column and file names, error texts.

A review may hold an escape sequence that retitles the terminal, a carriage return that hides what stands before it,
or an override that turns a line around. :func:`clean` shows each of them as what it is, ``\x1b``, ``\r``, ``\u202e``,
and leaves every other character alone. A backslash of the text's own stays one backslash: this is for reading.
"""

from __future__ import annotations

import re
import unicodedata

# Characters that Python calls printable and that show nothing: joiners, fillers and variation selectors.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

# In an emoji, and only there, the zero-width joiner and the variation selectors are part of what one sees.
_EMOJI = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff][\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?"
)
# What is shown or escaped as one: a keycap, an emoji sequence (the longest in use has four parts), else a character.
_SEQUENCE = f"[0-9#*]\ufe0f\u20e3|{_EMOJI}(?:\u200d{_EMOJI}){{0,7}}"
_PIECE = re.compile(f"{_SEQUENCE}|.", re.DOTALL)
_ODD_PIECE = re.compile(f"{_SEQUENCE}|[^ -~]")  # printable ASCII needs no look

# With these a spreadsheet's formula begins, full-width forms included.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")

# Combining marks take no cell, so a limit in cells alone would let ten thousand of them through.
_CODE_POINTS_PER_CELL = 4


def or_empty(text: str | None) -> str:
    """An answer for people to read: ``(empty)`` where there is none, or one of no characters."""
    return text or "(empty)"


def clean(text: str, limit: int | None = None) -> str:
    r"""Return ``text`` on one line with every character that could act on a terminal, or hide, made visible.

    ``limit`` (terminal cells, at least 1) bounds the width of the result, with the note on a cut:
    ``The film was…(+9,950 characters)``. The note counts characters of ``text``; under a limit too small for it, only
    the ``…`` is left.
    """
    if text.isascii() and text.isprintable():  # the hot path of `predict`
        return text if limit is None or len(text) <= limit else _cut(text, limit)
    if limit is not None:
        return _cut(text, limit)
    if text.isprintable() and not _INVISIBLE.search(text):
        return text
    return _ODD_PIECE.sub(_shown, text)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take a text for a formula."""
    return text.startswith(_FORMULA)


def inert(text: str) -> str:
    """Return ``text`` cleaned, behind a ``'`` where a spreadsheet would take it for a formula (CSV injection)."""
    return f"'{clean(text)}" if is_formula(text) else clean(text)


def _cut(text: str, limit: int) -> str:
    """Clean only the part of ``text`` that is shown, so that a cell of ten megabytes is as quick as a short one."""
    from rich.cells import cell_len

    note = f"…(+{len(text):,} characters)"  # as wide as the note can get
    counted = len(note) < limit
    room = limit - len(note) if counted else limit - 1
    kept: list[str] = []
    cells = points = 0  # of all that was looked at
    whole = end = 0  # pieces and characters that fit beside the note
    for piece in _PIECE.finditer(text):
        kept.append(_shown(piece))
        cells += cell_len(kept[-1])
        points += len(kept[-1])
        if cells > limit or points > limit * _CODE_POINTS_PER_CELL:
            break
        if cells <= room:
            whole, end = len(kept), piece.end()
    else:
        return "".join(kept)
    return "".join(kept[:whole]) + (f"…(+{len(text) - end:,} characters)" if counted else "…")


def _shown(piece: re.Match[str]) -> str:
    """Return the piece itself when it can be seen whole, else its characters one by one."""
    text = piece[0]
    if len(text) > 1 and text.replace("\u200d", "").isprintable():
        return text
    return "".join(char if _is_visible(char) else _escaped(char) for char in text)


def _is_visible(char: str) -> bool:
    """Whether ``char`` shows as itself; spaces of any width (U+00A0, U+3000) do."""
    if char.isprintable():
        return not _INVISIBLE.match(char)
    return unicodedata.category(char) == "Zs"


def _escaped(char: str) -> str:
    r"""Return ``\n``, ``\x1b``, ``\u202e``; a byte that was no UTF-8 in a file name (U+DCFF) as the byte: ``\xff``."""
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
