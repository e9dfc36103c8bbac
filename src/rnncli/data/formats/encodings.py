"""Which encodings may have written bytes that are not UTF-8: those that make of them the letters of one language.

Nothing is read by such a guess: it is what a message advises. A wrong one would be followed, so several are named where
several fit, which no detector does: of the samples of the tests chardet 7.7 has 25 of 27 right, charset-normalizer 3.5
has 20, with cp862, MacLatin2 or cp1250 for cp1252.

An encoding is named if it decodes all bytes, each word is of one alphabet, and no capital stands behind a small letter,
as where one Cyrillic encoding is taken for another.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable

_LOOKED_AT = 1 << 16  # bytes
_FEW = 3  # characters that are not ASCII, which are in any encoding by chance
_MOSTLY = 0.9  # of the characters of a script are common ones

# What stands between letters in any language.
_MARKS = frozenset(
    "\u00a0\u00ad“”‘’‚„«»‹›–—…•·°§©®™€£¥¢¿¡±×÷²³¼½¾µºª¶№‰†\u200e\u200f。、「」『』・《》，！？：；（）ー〜～\u3000"
)
_WESTERN = (
    *("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíóúüñ", "ãõáéíóúâêôàçü", "àèéìíîòóùú", "ëïéèöüáóú", "æøåéó", "åäöé"),
    *("ðþáéíóúýöæ", "àçèéíïòóúü"),
)
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţ")
_TURKISH, _BALTIC = ("çğıöşüâîû",), ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž")
_CYRILLIC = ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", "абвгдђежзијклљмнњопрстћуфхцчџш")
_GREEK, _HEBREW = ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",), ("אבגדהוזחטיךכלםמןנסעףפץצקרשת",)
_ARABIC = ("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ،؛؟",)
_THAI = ("".join(map(chr, (*range(0x0E01, 0x0E3B), *range(0x0E40, 0x0E4F)))),)
_ENGLISH = frozenset("abcdefghijklmnopqrstuvwxyz")
_LETTER = r"[^\W\d_]"
_UNLIKELY = re.compile(
    rf"[à-ÿа-яёα-ώ][A-ZÀ-ÖØ-ÞА-ЯЁΑ-Ω]|[a-z][À-ÖØ-ÞА-ЯЁΑ-Ω]|ς\w|{_LETTER}€"
    rf"|{_LETTER}[{re.escape(''.join(_MARKS - set('’·')))}]{_LETTER}"
    r"|(?<![ก-ฮ\u0e31-\u0e4e])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]|[เ-ไ](?![ก-ฮ])"
)  # a capital behind a small letter, but in MfG, a mark between letters, and what no word of Greek or Thai has
_GLUED = re.compile(rf"[A-Za-z](?![A-Za-z]){_LETTER}|(?![A-Za-z]){_LETTER}[A-Za-z]")
_ENOUGH = 60  # letters of Russian, in which one of these does occur: Hebrew's bytes are letters of it too
_RUSSIAN = frozenset("ыьэюя")

_FULL_WIDTH, _WRITTEN = re.compile("[！-～\u3000-\u303f]"), re.compile("[\u3040-\u30ff\u3400-\u9fff가-힣]")

Fits = Callable[[str], bool]


def _letters(*alphabets: str) -> Fits:
    """Whether all letters that are not ASCII are those of one of the alphabets, and stand in its words."""
    latin = not _ENGLISH.isdisjoint(unicodedata.normalize("NFD", "".join(alphabets)))

    def fits(text: str) -> bool:
        used = _letters_in(text)
        if not used or not any(set(used) <= set(alphabet) for alphabet in alphabets) or _UNLIKELY.search(text):
            return False
        if alphabets == _CYRILLIC and len(used) >= _ENOUGH and not _RUSSIAN & set(used):
            return False
        return latin or not _GLUED.search(text)

    return fits


def _letters_in(text: str) -> list[str]:
    """Its characters that are neither ASCII nor marks; small ones."""
    return [one for one in text.lower() if not one.isascii() and one not in _MARKS and one != "\u0307"]


def _wide(common: Fits, least: float) -> Fits:
    """Whether at least a share of the characters that are not ASCII are common ones, and others go with them."""

    def fits(text: str) -> bool:
        found = [one for one in text if not one.isascii() and one not in _MARKS and _FULL_WIDTH.match(one) is None]
        glued = len(re.findall(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]", text))
        written = all(
            "\u3040" <= one <= "\u30ff" or "\u3400" <= one <= "\u9fff" or "가" <= one <= "힣" for one in found
        )
        return bool(found) and written and sum(map(common, found)) >= least * len(found) and 5 * glued <= len(found)

    return fits


def _leads(encoding: str, first: int, last: int) -> Fits:
    """Whether a character is among the common ones of an encoding, which stand in front of the others."""

    def common(one: str) -> bool:
        written = one.encode(encoding, "ignore")
        return len(written) == 2 and first <= written[0] <= last

    return common


_JAPANESE = _wide(lambda one: "\u3040" <= one <= "\u30ff", 0.2)
_KOREAN = _wide(lambda one: "가" <= one <= "힣", 0.98)
# Name of an encoding → whether a text that it decodes is likely one. Of two that decode it alike the first is named.
_ENCODINGS = {
    "cp1252": _letters(*_WESTERN),
    "iso8859-15": _letters(*_WESTERN),
    "cp1250": _letters(*_CENTRAL),
    "iso8859-2": _letters(*_CENTRAL),
    "cp1254": _letters(*_TURKISH),
    "cp1257": _letters(*_BALTIC),
    "mac_roman": _letters(*_WESTERN),
    "cp850": _letters(*_WESTERN),
    "cp852": _letters(*_CENTRAL),
    "cp1251": _letters(*_CYRILLIC),
    "koi8-r": _letters(*_CYRILLIC),
    "cp866": _letters(*_CYRILLIC),
    "iso8859-5": _letters(*_CYRILLIC),
    "mac_cyrillic": _letters(*_CYRILLIC),
    "cp1253": _letters(*_GREEK),
    "cp1255": _letters(*_HEBREW),
    "cp1256": _letters(*_ARABIC),
    "cp874": _letters(*_THAI),
    "shift_jis": _JAPANESE,
    "cp932": _JAPANESE,
    "euc_jp": _JAPANESE,
    "euc_kr": _KOREAN,
    "gb18030": _wide(_leads("gb2312", 0xB0, 0xD7), _MOSTLY),
    "big5": _wide(_leads("big5", 0xA4, 0xC6), _MOSTLY),
}
_SPECIFIC = ("shift_jis", "cp932", "euc_jp", "euc_kr")  # whose texts have characters that no other makes by chance
_WESTERN_LETTERS = _letters("".join(_WESTERN))


def likely_encodings(data: bytes) -> dict[str, str]:
    """The encodings that bytes are likely in, each with a word as it reads it; none where that cannot be told."""
    western = _decoded(data, "cp1252")
    if western is not None and not _letters_in(western):  # quotes and dashes, as Windows writes them
        return {"cp1252": _example(western)}
    texts: dict[str, str] = {}
    for name, fits in _ENCODINGS.items():
        text = _decoded(data, name)
        if text is not None and text not in texts.values() and fits(text):
            texts[name] = text
    if not texts.keys().isdisjoint(_SPECIFIC):
        texts = {name: text for name, text in texts.items() if name in _SPECIFIC}
    elif western is not None and not texts and _WESTERN_LETTERS(western):
        texts = {"cp1252": western}
    texts = {name: text for name, text in texts.items() if not _are_capitals(text)} or texts
    sure = {name: text for name, text in texts.items() if len(_letters_in(text)) >= _FEW}
    if "cp1252" in texts and not sure:
        sure = {"cp1252": texts["cp1252"]}
    return {name: _example(text) for name, text in sure.items()}


def is_mostly_utf_8(data: bytes) -> bool:
    """Whether bytes are UTF-8 but for a few."""
    characters = sum(not one.isascii() for one in data.decode(errors="ignore"))
    return characters > 0 and characters >= 9 * data.decode(errors="replace").count("\ufffd")


def _are_capitals(text: str) -> bool:
    found = [one for one in text if not one.isascii() and one.isalpha()]
    return 2 * sum(one.isupper() for one in found) > len(found)


def possible_encodings(data: bytes) -> list[str]:
    """Common encodings that decode bytes, whatever comes of it; those of several bytes first, where such are many."""
    names = [name for name in _ENCODINGS if _decoded(data, name) is not None]
    many = 3 * sum(byte >= 0x80 for byte in data[:_LOOKED_AT]) > len(data[:_LOOKED_AT])
    return names[::-1] if many else names


def _decoded(data: bytes, encoding: str) -> str | None:
    try:  # the last character may be cut
        return codecs.getincrementaldecoder(encoding)("strict").decode(data[:_LOOKED_AT])
    except UnicodeError:
        return None


def _example(text: str) -> str:
    """The first word that is not ASCII."""
    return next((word[:20] for word in re.findall(r'[^\s,;"]+', text) if not word.isascii()), "")
