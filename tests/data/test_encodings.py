"""Which encodings are advised for bytes that are not UTF-8: those in which they are letters of one language."""

from __future__ import annotations

import io

import pytest

from rnncli.data.formats.encodings import likely_encodings
from rnncli.data.readers import open_table
from rnncli.errors import DataError

TEXTS = {
    "Japanese": ("この椅子はとても良い", "昨日届いたランプは壊れていた"),
    "Korean": ("이 의자는 정말 좋습니다", "어제 도착한 램프가 고장났어요"),
    "Chinese": ("这把椅子非常好", "昨天到的灯坏了", "颜色很漂亮我很满意"),
    "traditional Chinese": ("這把椅子非常好", "昨天到的燈壞了"),
    "Russian": ("Этот стул очень хороший", "вчера пришла сломанная лампа", "меньше, чем я думал: жаль"),
    "Ukrainian": ("Цей стілець дуже гарний", "її лампа прийшла зламаною", "ґанок і об’єкт"),
    "Greek": ("αυτή η καρέκλα είναι πολύ καλή", "η λάμπα ήρθε χαλασμένη"),
    "Hebrew": ("הכיסא הזה טוב מאוד", "המנורה הגיעה שבורה", "צבע יפה אני מרוצה", "קטן ממה שחשבתי"),
    "Arabic": ("هذا الكرسي جيد جدا", "وصل المصباح مكسورا"),
    "Thai": ("เก้าอี้ตัวนี้ดีมาก", "โคมไฟมาถึงเสียหาย"),
    "Turkish": ("bu sandalye çok güzel", "dün gelen lamba kırıktı", "İyi düşündüğümden şık"),
    "Polish": ("to krzesło jest bardzo dobre", "żółta lampa przyszła zepsuta", "mniejsze niż myślałem"),
    "Czech": ("příliš žluťoučký kůň", "včera přišla rozbitá lampa"),
    "German": ("der Stuhl ist schön und groß", "für 5 € „geschenkt“"),
    "French": ("très belle à l’œil", "la lampe est arrivée cassée"),
    "English": ("it’s good – “so it is”", "the lamp wasn’t"),
}
WRITTEN = (
    *[("Japanese", name, name) for name in ("shift_jis", "euc_jp")],
    *[("Korean", "euc_kr", "euc_kr"), ("Korean", "cp949", "euc_kr")],
    *[("Chinese", "gb18030", "gb18030"), ("Chinese", "gbk", "gb18030"), ("traditional Chinese", "big5", "big5")],
    *[("Russian", name, name) for name in ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac_cyrillic")],
    *[("Ukrainian", "cp1251", "cp1251"), ("Greek", "cp1253", "cp1253"), ("Hebrew", "cp1255", "cp1255")],
    *[("Arabic", "cp1256", "cp1256"), ("Thai", "tis-620", "cp874"), ("Turkish", "cp1254", "cp1254")],
    *[("Polish", name, name) for name in ("cp1250", "iso8859-2", "cp852")],
    *[("Czech", "cp1250", "cp1250"), ("German", "cp1252", "cp1252"), ("German", "mac_roman", "mac_roman")],
    *[("French", "cp1252", "cp1252"), ("French", "mac_roman", "mac_roman"), ("English", "cp1252", "cp1252")],
)


@pytest.mark.parametrize(("language", "written", "named"), WRITTEN)
def test_the_encoding_of_a_language_is_named_and_no_other(language, written, named):
    rows = "".join(f"{text},{'ab'[at % 2]}\n" for at, text in enumerate(TEXTS[language] * 4))
    data = f"text,label\n{rows}".encode(written)
    found = likely_encodings(data)
    assert [*found] == [named]
    assert found[named] in rows
    with pytest.raises(DataError, match=f"say --encoding {named}$"):
        _read(data)


def _read(data: bytes) -> list[object]:
    return list(open_table("-", stdin=io.BytesIO(data)).rows)


@pytest.mark.parametrize(
    ("data", "says", "hint"),
    [
        (
            "text,label\nмама дома,a\n".encode("cp1251"),
            *(
                "4 other encodings are likely",
                "Say which one it is: --encoding cp1251 (it reads 'мама'); or --encoding",
            ),
        ),
        (
            "text,label\nпривет,a\nВсем,b\n".encode("koi8-r") + b"\x9f\x98 \x90\xff\n",
            *("find out which encoding the file is in", "Some that have these bytes: cp1256, mac_cyrillic"),
        ),
        (
            "text,label\ngrößere Ölöfen für später fügen sich öfter schön,a\n".encode() + b"r\xf6t,b\n",
            "which the rest is",
            "Mend",
        ),
        ("text,label\nこれはいい,a\n".encode("iso2022_jp"), "looks like ISO-2022-JP; use --encoding iso2022_jp", ""),
        (
            "text,label\nGroße Qualität für mein iPhone MfG Müller GmbH,a\n".encode("cp1252"),
            *("say --encoding latin-1", "It reads 'Große' then."),
        ),
        (
            "text,label\nfür 5 € schöne Grüße,a\n".encode("iso8859-15"),
            *("say --encoding iso8859-15", "It reads 'für' then."),
        ),
        (b"text,label\ncaf\xe9,a\n", "say --encoding latin-1", "It reads 'café' then."),
    ],
    ids=["two", "none", "mostly UTF-8", "escapes", "capitals of ASCII", "euro of ISO", "one letter"],
)
def test_what_is_not_clear_is_said_with_the_encodings_that_may_be(data, says, hint):
    with pytest.raises(DataError) as caught:
        _read(data)
    assert says in str(caught.value)
    assert hint in (caught.value.hint or "")
