"""How tables are written: what separates their values, whether they have a header, and how they write numbers."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from data.test_doubts import LABELLED, LABELS, PAIRS, PHONES, TEXTS, numbers, table
from data.test_doubts import LEXICON as SOUNDS
from data.test_doubts import read as read_file

from rnncli.data.formats.dialect import delimiter_named
from rnncli.data.formats.numbers import Writing, finite_number, with_point, writing_of
from rnncli.data.formats.table import Row, Table
from rnncli.data.layouts.layout import Request
from rnncli.data.readers import open_table
from rnncli.data.tables.first_rows import Expected
from rnncli.errors import DataError, UsageError


def opened(data: str | bytes, **how: object) -> Table:
    """A table that is read as a command reads it."""
    how = {"expected": Expected(), "format": "csv"} | how
    return open_table("-", stdin=io.BytesIO(data.encode() if isinstance(data, str) else data), **how)  # type: ignore[arg-type]


def refusal(data: str, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        list(opened(data, **how).rows)
    return f"{caught.value.message}\n{caught.value.hint}"


# --- headers of another width than the rows ---------------------------------------------------------------------------

ROWS = [f"{text},{label}" for text, label in LABELLED]
NUMBERED = [f'"{at}" "{text}" "{label}"' for at, (text, label) in enumerate(LABELLED, 1)]

UNLIKE = {
    "a comma behind each row": ("text,label", [f"{row}," for row in ROWS], "empty values behind the last column"),
    "two of them": ("text,label", [f"{row},," for row in ROWS], "2 in a row"),
    "behind most rows": ("text,label", [*(f"{row}," for row in ROWS[1:]), ROWS[0]], "1 in a row"),
    "semicolons": ("text;label", [f"{row.replace(',', ';')};" for row in ROWS], "1 in a row"),
    "behind the header": ("text,label,", ROWS, "left out: what stands behind the last name"),
    "twice behind the header": ("text,label,,", ROWS, "left out: what stands behind the last name"),
    "names of rows, as R has them": ('"text" "label"', NUMBERED, "no name for the first column"),
    "names of rows and tabs": (
        "text\tlabel",
        [f"row {at}\t{row.replace(',', chr(9))}" for at, row in enumerate(ROWS)],
        "no name for the first column",
    ),
}


@pytest.mark.parametrize("kind", UNLIKE)
def test_a_header_with_fewer_or_more_delimiters_than_the_rows_is_read_and_said(kind):
    header, rows, said = UNLIKE[kind]
    table = opened("\n".join([header, *rows, ""]), format="tsv" if "tabs" in kind else "csv")
    assert table.columns[-2:] == ("text", "label")
    assert sorted(row.values[-2:] for row in table.rows) == sorted(map(tuple, LABELLED))
    assert table.dialect is not None
    assert said in "; ".join(table.dialect.said)
    assert '"text", "label", ""]' in table.ledger.file.records  # commands read it so too


@pytest.mark.parametrize(
    ("header", "rows", "says"),
    [
        ("text,label", [f"{row},{'x' * (at == 5)}" for at, row in enumerate(ROWS)], "sed '1s/$/,column 3/'"),
        ("text,label", [f"so it is, {row}" for row in ROWS], "most rows have 3 values"),
        ("text,label,more", ROWS, "Write a header with 2 names"),
    ],
)
def test_a_header_that_fits_hardly_any_row_is_refused_once(header, rows, says):
    assert says in refusal("\n".join([header, *rows, ""]))


# --- delimiters ------------------------------------------------------------------------------------------------------

DELIMITED = {
    "commas": ("csv", table("text,label", LABELLED), ",", 2),
    "semicolons": ("csv", table("text,label", LABELLED, ";"), ";", 2),
    "bars": ("csv", table("text,label", LABELLED, "|"), "|", 2),
    "tabs in a csv": ("csv", table("text,label", LABELLED, "\t"), "\t", 2),
    "commas in a tsv": ("tsv", table("text,label", LABELLED), ",", 2),
    "tabs in a tsv": ("tsv", table("text,label", LABELLED, "\t"), "\t", 2),
    "Excel's first line": ("csv", "sep=;\r\n" + table("text,label", LABELLED, ";"), ";", 2),
    "Excel's first line in quotes": ("csv", '"sep=|"\n' + table("text,label", LABELLED, "|"), "|", 2),
    "Excel's first line for another mark": ("csv", "sep=^\n" + table("text,label", LABELLED, "^"), "^", 2),
    "a mark in quotes": ("csv", 'text;label\n"so, good; and warm";pos\n"so bad";neg\n', ";", 2),
    "a mark in a quoted name": ("csv", '"a;b",label\n1,x\n2,y\n', ",", 2),
    "a line end in a quoted name": ("csv", '"te\nxt";label\nso good;pos\nso bad;neg\n', ";", 2),
    "one column of texts with commas": ("tsv", "text\nso, good\nso bad\n", "\t", 1),
    "one column of texts with semicolons": ("csv", "text\nso good; warm\nso bad\n", ",", 1),
    "decimal commas everywhere": ("csv", "1,5;2,5;3,5\n1,25;2,75;8,5\n", ";", 3),
    "a decimal comma a row": ("csv", "Wert, EUR;Art\n12,50;a\n3,75;b\n", ";", 2),
    "a comma a row": ("csv", "id;text, all;label\n1;so good;a\n", ";", 3),
    "more commas than semicolons": ("csv", "a;b,c,d\n1;2,3,4\n5;6,7,8\n", ",", 3),
    "a row of two widths": ("csv", "text;label\n" + "so good;pos\n" * 20 + "a;b;c\n", ";", 2),
    "a header that is too short": ("csv", "text;label\n" + "1;so good;pos\n" * 20, ";", 2),
    "a header and no rows": ("csv", "text;label\n", ";", 2),
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("case", DELIMITED)
def test_the_delimiter_is_found_in_the_first_rows(case, end):
    format, content, delimiter, width = DELIMITED[case]
    content = content.replace("\r\n", "\n").replace("\n", end)
    for data in (content.encode(), b"\xef\xbb\xbf" + content.encode()):
        found = opened(data, format=format, header=True)
        assert found.dialect is not None
        assert (found.dialect.delimiter, found.dialect.width) == (delimiter, width)


def test_values_are_read_between_any_delimiter_as_between_commas():
    rows = [(' a "b"', "c;d,e|f\tg", "h\ni"), ("", "ä", " ")]
    quoted = [['"' + value.replace('"', '""') + '"' for value in row] for row in (("x", "y", "z"), *rows)]
    for mark in ",;|\t^:":
        found = opened("\n".join(map(mark.join, quoted)) + "\n", delimiter=mark)
        assert found.columns == ("x", "y", "z")
        assert [row.values for row in found.rows] == rows


def test_any_number_of_spaces_are_one_delimiter():
    found = opened('  a  b "c d"  \n1   2 3\n', delimiter="space")
    assert found.columns == ("a", "b", "c d")
    assert [row.values for row in found.rows] == [("1", "2", "3")]


def test_a_delimiter_is_said_by_its_name_or_as_it_is():
    assert [
        delimiter_named(name) for name in ("tab", "Semicolon", "pipe", "space", "comma", ";", "\\t", "\t", "^")
    ] == [*("\t", ";", "|", " ", ",", ";", "\t", "\t", "^")]
    for name in ("semicolons", "", "ab", "a", "7", '"', "\n", "\0"):
        with pytest.raises(UsageError, match="--delimiter"):
            delimiter_named(name)
    with pytest.raises(UsageError, match="did you mean 'semicolon'"):
        opened("a;b\n", delimiter="semicolons")


def test_lines_are_counted_in_the_file():
    found = opened("sep=;\n\n" + 'text;label\n"so\ngood";pos\nso bad;neg\n')
    assert list(found.rows) == [Row(4, ("so\ngood", "pos")), Row(6, ("so bad", "neg"))]
    for mark in ";|\t":
        data = f'text{mark}label\nso good{mark}pos\n"never closed{mark}neg\n'
        assert refusal(data) == (
            '<stdin>:3: a quote opens here and is never closed\nA quote inside a quoted value is written twice: "".'
        )
        assert "<stdin>:2: text after a closing quote" in refusal(f'text{mark}label\n"a"b{mark}pos\n')
        assert "<stdin>:3: 1 value, but the header has 2 columns" in refusal(
            f"text{mark}label\na{mark}b\nc\nd{mark}e\n"
        )


@pytest.mark.parametrize(
    ("data", "marks"),
    [
        ("so good;bad|pos\nso bad;cold|neg\n", ("semicolon", "pipe")),
        ("so good,bad|pos\nso bad,cold|neg\n", ("comma", "pipe")),
        ("a|b,c\n1\n2,3\n4|5|6\n", None),
    ],
)
def test_of_two_delimiters_the_user_says_which(data, marks):
    if marks is None:
        assert "the header has 2 columns" in refusal(data)
        return
    said = refusal(data)
    assert "<stdin>:1: cannot tell what separates the columns" in said
    for mark in marks:
        assert f"rnncli train FILE --format csv --delimiter {mark}" in said
        assert len(list(opened(data, delimiter=mark).rows)) == 2


def test_a_table_is_asked_for_by_what_is_said_of_it(tmp_path):
    for name in ("a.txt", "a.dat", "a"):
        (tmp_path / name).write_text("so good;pos\nso bad;neg\n")
        for how in ({"delimiter": ";"}, {"header": False}, {"delimiter": ";", "decimal": ","}):
            found = open_table(tmp_path / name, expected=Expected(), **how)
            assert (found.format, found.columns) == ("csv", ("1", "2"))
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n')
    for how in ({"delimiter": ";"}, {"header": False}, {"header": True}, {"decimal": ","}):
        with pytest.raises(UsageError, match=f"--{next(iter(how))} is for a table in a text file"):
            open_table(tmp_path / "a.jsonl", **how)


def test_what_is_said_goes_into_the_commands_of_a_refusal(tmp_path):
    (tmp_path / "a.txt").write_bytes("wälk;wälked\nrun;ran\nsee;saw\n".encode("latin-1"))
    with pytest.raises(DataError) as caught:
        open_table(tmp_path / "a.txt", expected=Expected(), delimiter=";", encoding="latin-1", given=["--task seq2seq"])
    file, options = f"rnncli train {tmp_path / 'a.txt'}", "--encoding iso8859-1 --delimiter semicolon"
    names = "--header --task seq2seq --text 'wälk' --label 'wälked'"  # which do not say which is the source
    assert caught.value.hint == (
        f"If it is: {file} {options} {names}; if it is a record: {file} --task seq2seq {options} --no-header"
    )


def test_a_long_table_is_told_by_its_first_rows():
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def read1(self, size: int = -1) -> bytes:
            self.taken += size
            return b"so good;1,5;pos\nso bad;2,25;neg\n" * (size // 32)

    stream = Endless()
    found = open_table("-", stdin=stream, expected=Expected())  # type: ignore[arg-type]
    assert (found.columns, next(found.rows).values) == (("1", "2", "3"), ("so good", "1.5", "pos"))
    assert stream.taken < 1_000_000


# --- the header ------------------------------------------------------------------------------------------------------

RNG = random.Random(5)
UCR = [[1 + at % 2, *numbers(at, 9), *(["NaN"] * 3 if at % 2 else numbers(at, 3))] for at in range(24)]
HEADERS: dict[str, tuple[str, bool]] = {
    "known names": (table("text,label", LABELLED), True),
    "unknown names": (table("Kommentar,Stimmung", LABELLED), True),
    "names of several words": (table("Kommentar des Kunden,Art der Stimmung", LABELLED), True),
    "names above numbers": (table("a,b,c", [numbers(at, 3) for at in range(9)]), True),
    "names above dates": (table("wann,was", [[f"2026-05-{at + 1:02}", "x"] for at in range(9)]), True),
    "years": (table("Land,2019,2020,2021", [[f"L{at}", at, 2 * at, 3 * at] for at in range(9)]), True),
    "numbers in steps": (table("0,1,2,3", [numbers(at, 4) for at in range(9)]), True),
    "a column without a name that counts": (table(",en,fr", [[at, *row] for at, row in enumerate(PAIRS)]), True),
    "texts and labels": (table("", LABELLED), False),
    "labels and texts": (table("", [[b, a] for a, b in LABELLED]), False),
    "texts with marks": (
        "Go.,Va !\nHi.,Salut !\nRun!,Cours !\nWho?,Qui ?\nGo on.,Poursuis.\nTake it.,Prends-le.\n" * 2,
        False,
    ),
    "two rows": ("my parcel is late,shipping\nreset my password,login\n", False),
    "UCR": (table("", UCR), False),
    "UCR with missing values first": (table("", [UCR[1], *UCR]), False),
    "whole numbers": (table("", [[at % 2, *RNG.choices(range(99), k=6)] for at in range(20)]), False),
    "whole numbers that go up": (table("", [[at, at + 3, at + 4, at + 9] for at in range(20)]), False),
    "a lexicon": (table("", PHONES), False),
    "a lexicon whose first word is short": (table("", [["a", "AE1"], *map(list, SOUNDS)]), False),
    "translations": (table("", PAIRS), False),
    "dates": (table("", [[f"2026-05-{at + 1:02}", "on" if at % 2 else "off"] for at in range(9)]), False),
    "a missing value first": (table("", [["", "so good"], ["x", "so bad"], ["y", "so warm"]] * 5), False),
}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("case", HEADERS)
def test_a_header_is_told_from_a_record(case, mark):
    content, has_header = HEADERS[case]
    content = content.replace(",", mark)
    found = opened(content, delimiter=mark)
    lines = content.splitlines()
    assert found.dialect is not None
    assert found.dialect.header is has_header
    assert len(list(found.rows)) == len(lines) - has_header
    if has_header:
        said = opened(content, delimiter=mark, header=False)
        assert (said.columns[0], len(list(said.rows))) == ("1", len(lines))


def test_columns_without_names_are_called_by_number():
    found = opened(table("", [[at, *row] for at, row in enumerate(LABELLED)]))
    assert found.columns == ("1", "2", "3")
    assert next(found.rows) == Row(1, ("0", *LABELLED[0]))
    assert "<stdin>:41: 1 value, but the first row has 2 columns" in refusal(table("", LABELLED) + "short\n")


UNSURE = "walk,walked\nrun,ran\nsee,saw\n"


def test_what_may_be_a_header_is_one_if_somebody_says_so():
    assert "cannot tell whether the first line ('walk', 'walked') is a header" in refusal(UNSURE)
    for how, count in (
        ({"header": True}, 2),
        ({"header": False}, 3),
        ({"expected": Expected(named=("walk",))}, 2),
        ({"expected": Expected(named=("1", "2"))}, 3),
        ({"expected": Expected(columns=("walked",), by_model=True)}, 2),
        ({"expected": Expected(columns=("1", "2"), header=False, by_model=True)}, 3),
    ):
        assert len(list(opened(UNSURE, **how).rows)) == count


def test_a_question_above_answers_is_not_guessed():
    survey = table("What did you like?,Why?", LABELLED)
    assert "is a text like those below it, but nothing like the labels" in refusal(survey)
    assert opened(survey, header=True).columns == ("What did you like?", "Why?")


def test_a_single_line_is_a_record_for_a_model_that_does_not_know_it():
    by_model = Expected(columns=("text", "label"), header=True, by_model=True)
    assert [row.values for row in opened("so good and warm,pos\n", expected=by_model).rows] == [
        ("so good and warm", "pos")
    ]
    assert "no records" in refusal("text,label\n", expected=by_model)
    assert "no records: the only line was read as the header" in refusal("so good and warm,pos\n")


def test_columns_without_a_name_that_say_nothing_are_left_out():
    found = opened(table("text,label,,", [[*row, "", " "] for row in LABELLED]))
    assert (found.columns, next(found.rows).values) == (("text", "label"), tuple(LABELLED[0]))
    assert "left out: 2 empty columns" in found.dialect.said  # type: ignore[union-attr]
    for name in ("", "Unnamed: 0"):
        found = opened(table(f"{name},text,label", [[at, *row] for at, row in enumerate(LABELLED)]))
        assert (found.columns, next(found.rows).values) == (("text", "label"), tuple(LABELLED[0]))
        named = Expected(named=(name or "column 1",))
        rows = [[at, *row] for at, row in enumerate(LABELLED)]
        assert len(opened(table(f"{name},text,label", rows), expected=named).columns) == 3
    assert opened(table("text,label,", [[*row, "note"] for row in LABELLED])).columns == ("text", "label", "column 3")
    assert opened(table("", [[*row, "", ""] for row in LABELLED])).columns == ("1", "2")
    late = table("text,label,", [*([*row, ""] for row in LABELLED * 6), ["so", "pos", "late"]])
    assert "<stdin>:242: a value in column 3, which was empty so far and is left out" in refusal(late)


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "writing", "with_comma", "with_thousands"),
    [
        ("12", Writing.WHOLE, "12", "12"),
        ("12.5", Writing.POINT, "12.5", "12.5"),
        ("0.123", Writing.POINT, "0.123", "0.123"),
        ("12,50", Writing.COMMA, "12.50", "12,50"),
        ("-0,75", Writing.COMMA, "-0.75", "-0,75"),
        (",5", Writing.COMMA, ".5", ",5"),
        ("1234,567", Writing.COMMA, "1234.567", "1234,567"),
        ("1.234,5", Writing.COMMA, "1234.5", "1.234,5"),
        ("1.234.567", Writing.COMMA, "1234567", "1.234.567"),
        ("1 234,5", Writing.COMMA, "1234.5", "1 234,5"),
        ("1\u202f234,5", Writing.COMMA, "1234.5", "1\u202f234,5"),
        ("1'234,5", Writing.COMMA, "1234.5", "1'234,5"),
        ("3,5e-2", Writing.COMMA, "3.5e-2", "3,5e-2"),
        ("1,234.5", Writing.THOUSANDS, "1,234.5", "1234.5"),
        ("1,234,567", Writing.THOUSANDS, "1,234,567", "1234567"),
        ("1'234.5", Writing.THOUSANDS, "1'234.5", "1234.5"),
        ("1,234", Writing.COMMA_OR_THOUSANDS, "1.234", "1234"),
        ("1.234", Writing.POINT_OR_THOUSANDS, "1234", "1.234"),
        *(
            (value, None, value, value)
            for value in ("", "a", "1,5,6", "12,", ",", "1 234", "1.2.2024", "12 1234,5", "-")
        ),
    ],
)
def test_numbers_in_other_writings(value, writing, with_comma, with_thousands):
    assert writing_of(value) == writing
    assert with_point(value, ",") == with_comma
    assert with_point(value, ".") == with_thousands
    for mark, written in ((",", with_comma), (".", with_thousands)):
        if written != value:
            assert finite_number(written) is not None, mark


def columns(*named: tuple[str, list[str]], mark: str = ";") -> str:
    return table(
        ",".join(name for name, _ in named), [list(row) for row in zip(*(v for _, v in named), strict=True)], mark
    )


NOTES = ("note", ["so 1,5", "so", "3,4 or 5", "so it is"])
DECIMALS: dict[str, tuple[str, str, list[str] | None, tuple[str, ...]]] = {
    "decimals": (columns(NOTES, ("x", ["12,50", "3", "1.234,5", "0,1"])), ",", ["12.50", "3", "1234.5", "0.1"], ()),
    "a missing value": (columns(NOTES, ("x", ["12,50", "", "n/a", "0,1"])), ",", ["12.50", "", "n/a", "0.1"], ()),
    "thousands": (columns(NOTES, ("x", ["1,234.5", "3", "1,000", "2.5"])), ".", ["1234.5", "3", "1000", "2.5"], ()),
    "points": (columns(NOTES, ("x", ["12.50", "3", "1.234", "0.1"])), ".", ["12.50", "3", "1.234", "0.1"], ()),
    "either": (columns(NOTES, ("x", ["1,234", "3", "2,000", "1"])), ".", ["1,234", "3", "2,000", "1"], ("x",)),
    "told by another column": (
        *(columns(NOTES, ("x", ["1,234", "3", "2,000", "1"]), ("y", ["0,5", "1", "2", "3"])), ","),
        *(["1.234", "3", "2.000", "1"], ()),
    ),
    "told by another column's points": (
        *(columns(NOTES, ("x", ["1,234", "3", "2,000", "1"]), ("y", ["0.5", "1", "2", "3"])), "."),
        *(["1234", "3", "2000", "1"], ()),
    ),
    "points beside commas": (
        *(columns(NOTES, ("x", ["1.234", "2.000", "3.500", "1"]), ("y", ["0,5", "1", "2", "3"])), ","),
        *(["1.234", "2.000", "3.500", "1"], ("x",)),
    ),
    "two writings": (columns(NOTES, ("x", ["12,50", "12.50", "1", "2"])), ".", ["12,50", "12.50", "1", "2"], ("x",)),
    "quotes between commas": (
        *(columns(("note", ["a"] * 4), ("x", ['"12,5"', '"3,25"', '"1"', '"2"']), mark=","), "."),
        *(["12,5", "3,25", "1", "2"], ("x",)),
    ),
}


@pytest.mark.parametrize("case", DECIMALS)
def test_numbers_are_read_with_points(case):
    content, decimal, expected, unsure = DECIMALS[case]
    found = opened(content)
    assert found.dialect is not None
    assert (found.dialect.decimal, found.dialect.unsure) == (decimal, unsure)
    rows = [row.values for row in found.rows]
    assert [row[1] for row in rows] == expected
    if ";" in content:
        assert [row[0] for row in rows] == NOTES[1]  # a text is left as it is


def test_the_user_says_what_a_comma_is():
    content = columns(("a", ["1,234", "2,500", "3,750"]), ("b", ["1.250", "2.500", "3"]))
    assert [row.values[0] for row in opened(content, decimal=",").rows] == ["1.234", "2.500", "3.750"]
    assert [row.values[0] for row in opened(content, decimal=".").rows] == ["1234", "2500", "3750"]
    assert [row.values[1] for row in opened(content, decimal=",").rows] == ["1250", "2500", "3"]
    quoted = columns(("a", ['"12,5"', '"1.250,75"']), mark=",")
    assert [row.values[0] for row in opened(quoted, decimal=",").rows] == ["12.5", "1250.75"]


def test_whole_numbers_further_up_are_numbers_with_commas_further_down():
    rows = [[at, f"{at},5"] for at in range(300)] + [["7,25", "1,5"]]
    found = [row.values for row in opened(table("a,b", rows, ";")).rows]  # type: ignore[arg-type]
    assert found[-1] == ("7.25", "1.5")


def test_a_first_record_has_points_too():
    found = opened("1,5;2,5;3,5\n1,25;2,75;8,5\n")
    assert found.columns == ("1", "2", "3")
    assert [row.values for row in found.rows] == [("1.5", "2.5", "3.5"), ("1.25", "2.75", "8.5")]


SERIES = [[at // 4, at % 4, value, "ab"[at // 4 % 2]] for at, value in enumerate(numbers(2, 24))]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_series_with_decimal_commas_are_those_with_points(tmp_path, mark):
    points = read_file(tmp_path, "a.csv", table("id,time,x,label", SERIES))
    content = table("id,time,x,label", [[*row[:2], str(row[2]).replace(".", ","), row[3]] for row in SERIES], mark)
    for name in ("b.csv", "b.csv.gz", "b.tsv"):
        commas = read_file(tmp_path, name, content)
        assert commas.inputs == points.inputs
        assert commas.labels == points.labels


# --- what it is for --------------------------------------------------------------------------------------------------


def test_an_export_of_a_german_spreadsheet_is_read(tmp_path):
    rows = [[at, f'"{text}; gerne"', label, f"{at},50"] for at, (text, label) in enumerate(LABELLED)]
    content = table("Nr,Rückmeldung,Stimmung,Betrag", rows, ";").replace("\n", "\r\n")
    for name, encoding in (("a.csv", "utf-8-sig"), ("b.csv", "cp1252"), ("c.csv", "utf-16")):
        (tmp_path / name).write_bytes(content.encode(encoding))
        how = {} if encoding == "utf-8-sig" else {"encoding": encoding}
        found = open_table(tmp_path / name, expected=Expected(), **how)
        assert found.columns == ("Nr", "Rückmeldung", "Stimmung", "Betrag")
        assert [row.values for row in found.rows] == [
            (str(at), f"{text}; gerne", label, f"{at}.50") for at, (text, label) in enumerate(LABELLED)
        ]


@pytest.mark.parametrize("mark", ["\t", ",", ";"])
@pytest.mark.parametrize("task", ["auto", "seq2seq"])
def test_pairs_without_a_header_are_a_source_and_its_target(tmp_path, mark, task):
    name = "a.tsv" if mark == "\t" else "a.csv"
    for pairs in (PAIRS, PHONES):
        found = read_file(tmp_path, name, table("", pairs, mark), task=task)
        assert (list(found.texts), list(found.labels)) == ([a for a, _ in pairs], [b for _, b in pairs])
        assert found.roles is not None
        assert found.roles.layout == "pairs"
    numbered = read_file(tmp_path, name, table("", [[at, *pair] for at, pair in enumerate(PAIRS)], mark), task=task)
    assert (list(numbered.texts), list(numbered.labels)) == ([a for a, _ in PAIRS], [b for _, b in PAIRS])


def test_a_third_text_beside_pairs_is_not_guessed(tmp_path):
    rows = [[*pair, text] for pair, text in zip(PAIRS, reversed(TEXTS), strict=True)]
    with pytest.raises(DataError) as caught:
        read_file(tmp_path, "a.tsv", table("", rows, "\t"))
    assert "cannot tell which columns are a source and its target" in caught.value.message
    assert "--task seq2seq --text 1 --label 2" in (caught.value.hint or "")
    found = read_file(tmp_path, "a.tsv", table("", rows, "\t"), task="seq2seq", text="1", label="3")
    assert list(found.labels) == list(reversed(TEXTS))


def test_a_row_with_an_empty_side_is_a_bad_pair(tmp_path):
    content = table("", [*PAIRS, ["so", " "], ["", "so"]], "\t")
    with pytest.raises(DataError, match=r"a\.tsv:41: the target is empty"):
        read_file(tmp_path, "a.tsv", content)
    assert read_file(tmp_path, "a.tsv", content, skip_bad=True).skipped == 2


LEXICON = """;;; # CMUdict
'BOUT  B AW1 T
READ  R IY1 D
READ(1)  R EH1 D

AALBORG AO1 L B AO0 R G # place, danish
(2)\tT UW1
"""


def test_a_pronouncing_dictionary_is_read(tmp_path):
    for name in ("a.lex", "a.dict", "a.lex.gz"):
        data = LEXICON.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        found = open_table(tmp_path / name)
        assert found.columns == ("source", "target")
        assert [row.values for row in found.rows] == [
            ("'BOUT", "B AW1 T"),
            ("READ", "R IY1 D"),
            ("READ", "R EH1 D"),
            ("AALBORG", "AO1 L B AO0 R G"),
            ("(2)", "T UW1"),
        ]
    with pytest.raises(DataError, match="<stdin>:2: a word without symbols"):
        list(open_table("-", format="lexicon", stdin=io.BytesIO(b"a AH0\nb\n")).rows)


def test_labels_decide_that_it_is_no_table_of_pairs(tmp_path):
    rows = [[text, label, LABELS[-at]] for at, (text, label) in enumerate(LABELLED)]
    found = read_file(tmp_path, "a.csv", table("", LABELLED))
    assert found.roles is not None
    assert found.roles.layout == "texts"
    assert Request(found.source).labelled
    with pytest.raises(DataError):
        read_file(tmp_path, "a.csv", table("", rows))
