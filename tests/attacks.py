"""The strings that a hostile data or model file would hold: one list, for every renderer and every error path."""

from __future__ import annotations

import unicodedata

# What Rich or Textual would read as markup, and must come out as it went in.
MARKUP: list[str] = [
    "[/]",
    "[red]",
    "[/red]",
    "[link=http://a.example]x[/link]",
    "[@click=app.quit]x[/]",
    "[bold]\\[",
    "ends in a backslash\\",
    ":smile:",
    "{0} {unique_id} %s %(name)s",
]

ATTACKS: list[str] = [
    *MARKUP,
    "\x1b[31mred\x1b[0m",  # CSI: colour
    "\x1b[2J\x1b[H",  # CSI: clear the screen
    "\x1b[1A\x1b[2K",  # CSI: rewrite the line above
    "\x1b[6n",  # CSI: the terminal answers, as if typed
    "\x1b]0;title\x07",  # OSC 0: window title
    "\x1b]8;;http://a.example\x1b\\link\x1b]8;;\x1b\\",  # OSC 8: link
    "\x1b]52;c;cm0gLXJm\x07",  # OSC 52: clipboard
    "\x1bP$qm\x1b\\",  # DCS
    "\x1bc",  # reset
    "\x1b",
    "\x9b31mred",  # C1: CSI in one character
    "\x9d0;title\x9c",  # C1: OSC
    "\x90q\x9c",  # C1: DCS
    "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)])),  # every control character
    "shown\rhidden",
    "pass\b\b\b\bfail",
    "\x07",
    "\x7f",
    "a\x00b",
    "a\tb\nc\r\nd\x0be\x0cf",
    "a\x85b\u2028c\u2029d",
    "\u202egnp.exe",  # right-to-left override
    "\u202aa\u202bb\u202cc\u202dd",
    "\u2066a\u2067b\u2068c\u2069",
    "\u200e\u200f\u061c",
    "ze\u200bro\u200cwi\u200ddth\u2060\ufeff",
    "so\u00adft",
    "in\u034fvi\u115fsi\u1160ble\u3164\uffa0\u180b",
    "\U000e0041\U000e0042",  # tags: ASCII that nobody sees
    "a\ufe0fb\U000e0101",
    "p\u0430ypal",  # a Cyrillic letter
    "Z" + "\u0301\u0316" * 5000,  # marks piled on one letter
    "\u0301mark first",
    "w" * 10_000,
    "a long review " * 700,
    "\u5f71" * 10_000,
    "\U0001f469\u200d\U0001f680" * 3000,
    "\U0001f469" + "\u200d\U0001f680" * 5000,
    "\u4e2d\u6587\u6807\u7b7e \uff21\uff22 \ud55c\uad6d\uc5b4",
    "\u05e9\u05dc\u05d5\u05dd \u0633\u0644\u0627\u0645",
    "\U0001f469\u200d\U0001f680 1\ufe0f\u20e3 \u2764\ufe0f \U0001f1e9\U0001f1ea",
    "caf\u00e9 na\u00efve \u2026",
    "no\u00a0break \u3000wide\u2003em",
    "<script>alert(1)</script>",
    '"onload="alert(1)',
    "' onload='alert(1)",
    "</style></text></svg>",
    "<image href='http://a.example/x'/>",
    "url(http://a.example)",
    "-->",
    "]]>",
    "&",
    "&lt;&#0;&bogus;",
    "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "\udcff",  # a byte that was no UTF-8 in a file name
    "\udc1b\ud800",
    "\ufffe\uffff\ue000\U0010ffff",
    "=1+1",
    "-1",
    "",
    " ",
]


def dangers(text: str, allowed: str = "\n") -> set[str]:
    """Return the characters of ``text`` that a terminal could act on, or that hide, apart from ``allowed``.

    A joiner beside an emoji is none. Only one side counts: older Rich folds a line between the parts of an emoji.
    """
    found = set()
    for index, char in enumerate(text):
        if char in allowed or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            continue
        beside = text[max(0, index - 1) : index + 2]
        if char != "\u200d" or not any(unicodedata.category(near) in {"So", "Sk", "Mn"} for near in beside):
            found.add(char)
    return found
