"""What a data file may hold and what it may not: every refusal with its class, its line and its words."""

from __future__ import annotations

import builtins
import csv
import errno
import gc
import gzip
import hashlib
import io
import os
import threading
import tracemalloc
import zlib
from pathlib import Path

import pytest
from helpers import time_limit
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data.dataset import Source
from rnncli.data.formats.registry import known_suffixes
from rnncli.data.formats.table import Row, Table
from rnncli.data.opening import read_dataset
from rnncli.data.readers import open_table
from rnncli.errors import DataError, RnncliError, StorageError, UsageError

LINE_ENDS = ["\n", "\r\n", "\r"]


def read(data: bytes | str, **options) -> list[Row]:
    """The rows of ``data``, piped in."""
    return list(piped(data, **options).rows)


def piped(data: bytes | str, **options) -> Table:
    return open_table("-", stdin=io.BytesIO(data if isinstance(data, bytes) else data.encode()), **options)


def refusal(data: bytes | str, kind: type[RnncliError] = DataError, **options) -> str:
    with pytest.raises(kind) as caught:
        read(data, **options)
    assert type(caught.value) is kind
    assert "\n" not in caught.value.message
    return caught.value.message


def path_refusal(path: object, kind: type[RnncliError], **options) -> RnncliError:
    with pytest.raises(kind) as caught:
        list(open_table(path, **options).rows)
    assert type(caught.value) is kind
    return caught.value


def values(data: bytes | str, **options) -> list[tuple[str, ...]]:
    return [row.texts for row in read(data, **options)]


def lines(data: bytes | str, **options) -> list[int]:
    return [row.line for row in read(data, **options)]


class Endless(io.RawIOBase):
    """A stream of ``size`` bytes, the same block again and again, and how much of it was taken."""

    def __init__(self, block: bytes, size: int = 1 << 40, start: bytes = b"") -> None:
        self.block = block
        self.left = size
        self.start = start
        self.taken = 0

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        if self.start:
            data, self.start = self.start, b""
            return data
        at = self.taken % len(self.block)
        data = (self.block * (size // len(self.block) + 2))[at : at + min(size, self.left)]
        self.left -= len(data)
        self.taken += len(data)
        return data


# --- the table -------------------------------------------------------------------------------------------------------


def test_a_table_says_what_it_is_and_where_each_record_starts(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\ngood,pos\nbad,neg\n")
    table = open_table(path)
    assert (table.name, table.columns, table.format) == (str(path), ("text", "label"), "csv")
    assert list(table.rows) == [Row(2, ("good", "pos")), Row(3, ("bad", "neg"))]
    assert (table.ledger.skipped, table.ledger.count) == ([], 0)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_the_digest_is_that_of_the_bytes_as_stored_and_complete_at_the_end(tmp_path, name):
    path = tmp_path / name
    plain = b"text,label\n" + b"good,pos\n" * 100_000
    path.write_bytes(gzip.compress(plain) if name.endswith("gz") else plain)
    table = open_table(path)
    next(table.rows)
    assert table.ledger.digest == ""
    for _ in table.rows:
        assert table.ledger.digest == ""
    assert table.ledger.digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", "csv"),
        ("a.CSV", "csv"),
        ("a.tsv", "tsv"),
        ("a.tab", "tsv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.json-lines", "jsonl"),
        ("a.txt", "text"),
        ("a.jsonl.gz", "jsonl"),
        ("a.TXT.GZ", "text"),
    ],
)
def test_the_suffix_says_the_format(tmp_path, name, format):
    path = tmp_path / name
    plain = {"csv": b"a,b\n1,2\n", "tsv": b"a\tb\n1\t2\n", "jsonl": b'{"a": "1", "b": "2"}\n', "text": b"1\n"}[format]
    path.write_bytes(gzip.compress(plain) if name.lower().endswith("gz") else plain)
    table = open_table(path)
    assert table.format == format
    assert [row.values for row in table.rows] == [("1",) if format == "text" else ("1", "2")]


def test_an_unknown_suffix_is_refused_with_those_that_are_known_and_the_option(tmp_path):
    path = tmp_path / "reviews.dat"
    path.write_text("text,label\ngood,pos\n")
    error = path_refusal(path, DataError)
    assert error.exit_code == 3
    assert f"known are {', '.join(known_suffixes())}, each also with .gz" in error.message
    assert "--format" in error.hint
    assert [row.values for row in open_table(path, format="csv").rows] == [("good", "pos")]


def test_an_unknown_format_is_a_usage_error_with_the_closest():
    error = path_refusal("-", UsageError, format="cvs", stdin=io.BytesIO(b"a\n1\n"))
    assert "did you mean 'csv'?" in error.message


# --- 1: no records ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "format"),
    [
        ("", "csv"),
        ("", "tsv"),
        ("", "jsonl"),
        ("", "text"),
        ("\ufeff", "csv"),
        ("text,label", "csv"),
        ("text,label\r\n", "csv"),
        ("text\tlabel\n\n\n", "tsv"),
        ("\n\r\n\r\n\n", "csv"),
        ("\n\n", "tsv"),
        ("\n \n", "jsonl"),
    ],
)
def test_no_records(data, format):
    assert refusal(data, format=format) == "<stdin>: no records"


def test_an_empty_gzip_file_too(tmp_path):
    for content in (b"", gzip.compress(b"")):
        (tmp_path / "a.csv.gz").write_bytes(content)
        assert path_refusal(tmp_path / "a.csv.gz", DataError).message.endswith("a.csv.gz: no records")


# --- 3: the header ---------------------------------------------------------------------------------------------------


def test_a_column_name_that_stands_twice_is_refused_with_both_places():
    message = refusal("text,label,text\na,b,c\n")
    assert message == "<stdin>:1: columns 1 and 3 have the same name, 'text'"
    assert "columns 1 and 3" in refusal("text\tlabel\ttext\na\tb\tc\n", format="tsv")


def test_the_header_is_refused_before_any_row_is_asked_for():
    with pytest.raises(DataError, match="the same name"):
        piped("\n\na,a\n1,2\n")


def test_an_empty_column_name_is_named_by_its_place():
    assert piped("text,label, \na,b,c\n").columns == ("text", "label", "column 3")
    assert "columns 1 and 2" in refusal("column 2,\na,b\n")


def test_too_many_columns_are_refused():
    message = refusal(",".join(f"c{i}" for i in range(10_001)) + "\n1\n")
    assert message == "<stdin>:1: 10,001 columns; rnncli reads at most 10,000"


# --- 4: short and long rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("format", "tab"), [("csv", ","), ("tsv", "\t")])
def test_a_short_or_a_long_row_is_refused_at_its_line_with_both_counts(format, tab):
    good = tab.join(("text", "label")) + "\n" + tab.join(("good", "pos")) + "\n"
    assert refusal(good + "bad\n", format=format) == "<stdin>:3: 1 value, but the header has 2 columns"
    message = refusal(good + tab.join("abc") + "\n", format=format)
    assert message == "<stdin>:3: 3 values, but the header has 2 columns"


def test_skip_bad_leaves_them_out_and_counts_them():
    table = piped("text,label\nshort\ngood,pos\n1,2,3\n", skip_bad=True)
    assert list(table.rows) == [Row(3, ("good", "pos"))]
    assert table.ledger.count == 2
    assert table.ledger.skipped == [
        "<stdin>:2: 1 value, but the header has 2 columns",
        "<stdin>:4: 3 values, but the header has 2 columns",
    ]


def test_all_are_counted_but_only_the_first_twenty_are_kept():
    table = piped("text,label\n" + "short\n" * 50 + "good,pos\n", skip_bad=True)
    assert len(list(table.rows)) == 1
    assert (len(table.ledger.skipped), table.ledger.count) == (20, 50)


def test_when_every_record_is_bad_there_are_no_records():
    with pytest.raises(DataError, match=r"no records \(2 bad ones were left out\)") as caught:
        read("text,label\nshort\nshort\n", skip_bad=True)
    assert caught.value.hint == "<stdin>:2: 1 value, but the header has 2 columns"


# --- 5, 6, 7, 8: bytes to text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig"])
def test_a_byte_order_mark_is_read_as_if_absent(encoding):
    plain = "text,label\n\ufeffgood,pös\n".encode()
    with_mark, without = (piped(start + plain, encoding=encoding) for start in (b"\xef\xbb\xbf", b""))
    assert with_mark.columns == without.columns == ("text", "label")
    assert list(with_mark.rows) == list(without.rows) == [Row(2, ("\ufeffgood", "pös"))]  # only the first is a mark


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_utf_16_is_recognised(mark, encoding):
    data = mark + "text,label\n".encode("utf-16-le")
    assert refusal(data, encoding=encoding) == "<stdin>: looks like UTF-16; use --encoding utf-16"


def test_utf_32_is_not_taken_for_utf_16():
    assert "looks like UTF-32; use --encoding utf-32" in refusal("a,b\n".encode("utf-32"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "gb18030"])
def test_other_encodings_are_read(encoding):
    text = "文本,label\n好\U0001f600,pos\n" if encoding.startswith(("utf", "gb")) else "text,label\ngüt,pos\n"
    assert values(text.encode(encoding), encoding=encoding) == [tuple(text.splitlines()[1].split(","))]


def test_a_mark_that_the_encoding_does_not_expect_is_dropped_too():
    table = piped("\ufefftext,label\na,b\n".encode("utf-16-le"), encoding="utf-16-le")
    assert table.columns == ("text", "label")


def test_utf_16_without_a_mark_is_asked_for_its_order():
    message = refusal("text,label\n".encode("utf-16-le"), encoding="utf-16")
    assert "no byte order mark at the start; say --encoding utf-16-le or utf-16-be" in message


@pytest.mark.parametrize("encoding", ["utf-9", "zlib", "rot13", "utf-7", "unicode_escape", "", "a\0b", "\udcff"])
def test_an_encoding_that_is_none_is_a_usage_error(encoding):
    message = refusal("a,b\n1,2\n", UsageError, encoding=encoding)
    assert "is not an encoding that rnncli reads" in message
    if encoding == "utf-9":
        assert "did you mean 'utf-8'?" in message


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize("padding", [1, 40, 1000])  # the last spreads the file over several chunks
@pytest.mark.parametrize("bad", [b"\xff", b"\xe2\x28\xa1", b"\xed\xa0\x80", b"\xc3"])
def test_an_invalid_byte_is_refused_with_its_line_and_value(end, padding, bad):
    row = (f"{'ä' * padding},pos" + end).encode()
    data = ("text,label" + end).encode() + row * 4709 + b"ab" + bad + end.encode() + row
    assert refusal(data) == f"<stdin>:4711: byte 0x{bad[0]:02x} is not valid UTF-8, which the rest is"


@pytest.mark.parametrize("end", LINE_ENDS)
def test_an_invalid_byte_first_on_its_line_and_at_the_end_of_the_file(end):
    start = f"text,label{end}a,b{end}".encode()
    assert refusal(start + b"\xff").startswith("<stdin>:3: byte 0xff")
    assert refusal(start + b"c,\xe2\x82").startswith("<stdin>:3: byte 0xe2")


def test_an_invalid_byte_in_another_encoding():
    assert refusal(b"a,b\n1,\x81\n", encoding="cp1252").startswith("<stdin>:2: byte 0x81 is not valid cp1252")
    assert refusal("a,b\n1,2\n".encode("utf-16") + b"\x00", encoding="utf-16").startswith("<stdin>:3: byte 0x00")


def test_what_is_wrong_further_up_is_told_first():
    assert refusal(b"text,label\nshort\n\xff,pos\n").startswith("<stdin>:2: 1 value")


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "text"])
def test_bad_bytes_are_refused_even_when_bad_records_are_skipped(format):
    start = b'{"a": "1"}\n{"a": "1"}\n' if format == "jsonl" else b"a\n1\n"
    assert "<stdin>:3: byte 0xff" in refusal(start + b"\xff\n", format=format, skip_bad=True)


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "text"])
@pytest.mark.parametrize("size", [1, 300_000])
def test_a_record_with_a_nul_is_skipped_as_a_bad_one(format, size):
    good, bad = (b'{"a": "%s"}\n', b'{"a": "b\0c"}\n') if format == "jsonl" else (b"%s\n", b"b\0c\n")
    data = good % b"x" + good % (b"y" * size) + bad + good % b"z"
    table = piped(data, format=format, skip_bad=True)
    assert [row.texts[0][0] for row in table.rows] == list("xyz")[0 if format in ("jsonl", "text") else 1 :]
    assert table.ledger.count == 1
    assert table.ledger.skipped[0].startswith("<stdin>:3: ")
    assert "<stdin>:3: a NUL character" in refusal(data, format=format)
    assert "<stdin>:1: a NUL character" in refusal(b"\0" + data, format=format, skip_bad=True)


@pytest.mark.parametrize("end", LINE_ENDS)
def test_a_nul_is_refused_at_its_line(end):
    assert "<stdin>:3: a NUL character" in refusal(f"text,label{end}a,b{end}\0c,d{end}")
    assert "<stdin>:1: a NUL character, so this is not a text file in utf-8" in refusal("te\0xt,label\n")


# --- 9, 10, 11: quotes and long values -------------------------------------------------------------------------------


def test_an_unclosed_quote_is_refused_at_the_line_where_it_opened():
    message = refusal('text,label\ngood,pos\n"never closed,pos\nmore,neg\nmore,neg\n')
    assert message == "<stdin>:3: a quote opens here and is never closed"


def test_an_unclosed_quote_whose_record_began_further_up():
    data = 'text,label\n"one\r\ntwo, ""three""\r\n","four\nfive,neg\n'
    assert refusal(data) == "<stdin>:4: a quote opens here and is never closed"
    assert refusal(data, skip_bad=True).startswith("<stdin>:4:")
    assert refusal('text,"label\ngood,pos\n').startswith("<stdin>:1: a quote opens here")


def test_a_quote_that_swallows_a_long_file_stops_at_the_limit():
    start = b'text,label\na,b\n"never closed\n'
    stream = Endless(b"good,pos\n", start=start)
    with pytest.raises(DataError) as caught:
        list(open_table("-", stdin=stream, max_field=1_000_000).rows)
    assert caught.value.message == "<stdin>:3: a quote opens here and is not closed within 1,000,000 characters"
    assert stream.taken < 4_000_000


def test_a_record_of_endless_fields_stops_at_the_limit():
    stream = Endless(b'"x\n",', start=b"text,label\na,b\n")
    with pytest.raises(DataError, match=r"<stdin>:3: a record of more than [0-9,]+ characters"):
        list(open_table("-", stdin=stream, max_field=1000, skip_bad=True).rows)
    assert stream.taken < 4_000_000


@pytest.mark.parametrize("skip_bad", [False, True])
def test_text_after_a_closing_quote_is_refused(skip_bad):
    assert refusal('text,label\n"a"b,pos\n', skip_bad=skip_bad) == "<stdin>:2: text after a closing quote"
    message = refusal('text,label\n"a\nb" c,pos\n', skip_bad=skip_bad)
    assert message == "<stdin>:3: text after a closing quote; the quote opened on line 2"


def test_quotes_inside_a_value_are_read():
    assert values('text,label\n5" disk,"say ""hi"""\n"",""\n') == [('5" disk', 'say "hi"'), ("", "")]


@pytest.mark.parametrize("length", [131_073, 9_999_999, 10_000_000])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_long_value_is_read(length, quote):
    [row] = read(f"text,label\n{quote}{'x' * length}{quote},pos\n")
    assert len(row.values[0]) == length


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "text"])
def test_a_longer_one_is_refused_at_its_line_or_skipped(format):
    def record(text: str) -> str:
        return f'{{"text": "{text}"}}\n' if format == "jsonl" else f"{text}\n"

    data = ("text\n" if format in ("csv", "tsv") else record("a")) + record("x" * 101) + record("x" * 100)
    message = refusal(data, format=format, max_field=100)
    assert message == "<stdin>:2: 101 characters in 'text'; the most is 100"
    table = piped(data, format=format, max_field=100, skip_bad=True)
    assert list(table.rows)[-1] == Row(3, ("x" * 100,))
    assert table.ledger.skipped == [message]


def test_a_value_over_the_real_limit():
    assert refusal("text,label\n" + "x" * 10_000_001 + ",pos\n").startswith("<stdin>:2: 10,000,001 characters")


def test_the_limit_of_the_csv_module_is_left_alone_while_two_tables_are_read_in_turns():
    before = csv.field_size_limit()
    long = "x" * 200_000
    first, second = (piped(f"text,label\n{long},pos\n{long},neg\n", max_field=size) for size in (10**6, 10**7))
    for rows in zip(first.rows, second.rows, strict=True):
        assert rows[0] == rows[1]
        assert csv.field_size_limit() == before
    refusal('text,label\n"a"b,pos\n')
    refusal(b"text,label\na,\xff\n")
    assert csv.field_size_limit() == before


# --- 12, 13, 15: lines and records -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [*LINE_ENDS, "mixed"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(("format", "tab"), [("csv", ","), ("tsv", "\t")])
def test_every_line_end_gives_the_same_records(ends, last, format, tab):
    rows = [("text", "label"), ("good", "pos"), ("bad", "neg"), ("", "none"), ("so so", "pos")]
    data = "".join(tab.join(row) + (LINE_ENDS[i % 3] if ends == "mixed" else ends) for i, row in enumerate(rows))
    got = read(data if last else data.rstrip("\r\n"), format=format)
    assert got == [Row(number, row) for number, row in enumerate(rows[1:], 2)]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_blank_lines_are_skipped_and_counted_as_lines(end):
    assert lines(end.join(["", "", "text,label", "", "a,b", "", "", "c,d", ""])) == [5, 8]


def test_no_line_end_is_cut_in_two_where_chunks_meet():
    for pad in range(4):
        data = "text,label\r\n" + "x" * pad + ",y\r\n" + "abc,pos\r\n" * 40_000
        assert lines(data) == list(range(2, 40_003))


def test_a_pipe_that_gives_single_bytes_reads_the_same():
    class Dripping(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return super().read1(1)

    data = '\ufefftext,label\r\n"ä\r\n\U0001f600",pos\rb,neg'.encode()
    assert list(open_table("-", stdin=Dripping(data)).rows) == read(data)
    assert read(data) == [Row(2, ("ä\r\n\U0001f600", "pos")), Row(4, ("b", "neg"))]


def test_a_quoted_line_end_is_part_of_one_record_that_starts_at_its_first_line():
    data = 'text,label\n"one\ntwo\r\nthree\rfour",pos\nb,neg\n'
    assert read(data) == [Row(2, ("one\ntwo\r\nthree\rfour", "pos")), Row(6, ("b", "neg"))]
    assert refusal('text,label\n"one\ntwo"\nb,neg\n') == "<stdin>:2: 1 value, but the header has 2 columns"


def test_the_header_may_have_a_quoted_line_end_too():
    table = piped('\n"te\nxt",label\na,b\n')
    assert table.columns == ("te\nxt", "label")
    assert list(table.rows) == [Row(4, ("a", "b"))]


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
CELLS = TEXTS | st.text("a,;\"'\t\r\n\x85\u2028 ä", max_size=12)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    end=st.sampled_from(LINE_ENDS),
    last=st.booleans(),
    mark=st.booleans(),
)
def test_what_the_csv_module_writes_is_read_back(rows, end, last, mark):
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    text = written.getvalue()
    if not last:
        text = text.removesuffix(end)
    got = read(text.encode("utf-8-sig" if mark else "utf-8"))
    assert [row.values for row in got] == rows
    assert [row.line for row in got] == starts(rows)


def starts(rows: list[tuple[str, ...]]) -> list[int]:
    """Where each record starts when its cells are quoted and one header line stands above."""
    found, line = [], 2
    for row in rows:
        found.append(line)
        for cell in row:
            line += cell.replace("\r\n", "\n").replace("\r", "\n").count("\n")
        line += 1
    return found


@given(
    rows=st.lists(
        st.tuples(*[st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\t\r\n"))] * 2), min_size=1
    ),
    end=st.sampled_from(LINE_ENDS),
)
def test_what_stands_between_tabs_is_read_as_it_is(rows, end):
    text = "".join("\t".join(row) + end for row in [("a", "b"), *rows])
    assert values(text, format="tsv") == rows


def test_a_bare_quote_in_tsv_is_literal():
    assert values('text\tlabel\n"never closed\t"a"b\n', format="tsv") == [('"never closed', '"a"b')]


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "text"])
def test_other_separators_of_unicode_are_ordinary_characters(format):
    text = "a\x85b\u2028c\u2029d\x0be\x0cf\x1cg"
    if format == "jsonl":
        text = text.replace("\x0b", "").replace("\x0c", "").replace("\x1c", "")  # JSON wants these escaped
    record = f'{{"text": "{text}"}}\n' if format == "jsonl" else f"{text}\n"
    header = "text\n" if format in ("csv", "tsv") else ""
    assert values(header + record, format=format) == [(text,)]


def test_plain_text_keeps_every_line():
    assert read('a, b\n\n  \r\n"c\rd', format="text") == [
        Row(1, ("a, b",)),
        Row(2, ("",)),
        Row(3, ("  ",)),
        Row(4, ('"c',)),
        Row(5, ("d",)),
    ]
    assert read("\n", format="text") == [Row(1, ("",))]


# --- 14: separators --------------------------------------------------------------------------------------------------


def test_one_column_and_semicolons_in_quotes_or_values_are_fine():
    assert values("text\na;b\n") == [("a;b",)]
    assert values('"a;b"\nc\n') == [("c",)]
    assert values("a;b,c\n1,2\n") == [("1", "2")]


# --- 16 to 23: JSON lines --------------------------------------------------------------------------------------------


def json_refusal(record: str, **options) -> str:
    """What is said about ``record`` as the third line of a file; skipped, it says the same."""
    data = '{"text": "good", "label": "pos"}\n\n' + record + "\n"
    message = refusal(data, format="jsonl", **options)
    table = piped(data, format="jsonl", skip_bad=True, **options)
    assert len(list(table.rows)) == 1
    assert table.ledger.skipped == [message]
    return message


def test_blank_lines_are_skipped():
    data = '\n{"text": "a", "label": "b"}\r\n \t\r\n{"label": "d", "text": "c"}'
    assert read(data, format="jsonl") == [Row(2, ("a", "b")), Row(4, ("c", "d"))]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ('["a", "b"]', "an array, but each line must be a JSON object"),
        ('"a"', "a string, but each line must be a JSON object"),
        ("1", "a number, but each line must be a JSON object"),
        ("1e999", "a number, but each line must be a JSON object"),
        ("true", "a boolean, but each line must be a JSON object"),
        ("null", "null, but each line must be a JSON object"),
        ('{"text": "a", "label": "b"', "broken JSON (Expecting ',' delimiter"),
        ('{"text": "a", "label": "b"}}', "broken JSON (Extra data, at character 28)"),
        ('{"text": "a\tb", "label": "b"}', "broken JSON (Invalid control character"),
        ("{'text': 'a'}", "broken JSON (Expecting property name"),
        ('{"text": "a"}', "the key 'label' is missing"),
        ('{"text": "a", "label": "b", "more": 1}', "the key 'more' is not in the first record"),
        ('{"text": "a", "lable": "b"}', "the key 'label' is missing"),
        ("{}", "the key 'text' is missing"),
    ],
)
def test_what_is_no_record_is_refused_at_its_line(record, words):
    assert json_refusal(record).startswith(f"<stdin>:3: {words}")


def test_the_seventeenth_line():
    data = '{"a": "1"}\n' * 16 + '{"a": \n'
    assert refusal(data, format="jsonl").startswith("<stdin>:17: broken JSON")


def test_a_first_line_that_is_bad_can_be_skipped_but_one_without_keys_has_no_columns():
    table = piped('nonsense\n{"a": "1"}\n', format="jsonl", skip_bad=True)
    assert (table.columns, table.ledger.count) == (("a",), 1)
    assert list(table.rows) == [Row(2, ("1",))]
    assert refusal("{}\n", format="jsonl") == "<stdin>:1: an object without keys"
    assert "no records (1 bad one was left out)" in refusal("nonsense\n", format="jsonl", skip_bad=True)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_missing_and_no_fault_where_nothing_reads_them(tmp_path, number):
    rows = f'{{"text": "so", "x": {number}, "m": {{"a": {number}}}, "label": "a"}}\n' * 2
    assert [row.values for row in piped(rows, format="jsonl").rows] == [("so", "", {"a": None}, "a")] * 2
    path = tmp_path / "a.jsonl"
    path.write_text(rows)
    assert list(read_dataset(Source(str(path))).labels) == ["a", "a"]
    with pytest.raises(DataError, match=r"a\.jsonl:1: the value of 'x' is null"):
        read_dataset(Source(str(path), text="x"))


@pytest.mark.parametrize("number", ["Infinity", "-Infinity"])
def test_infinite_numbers_in_a_list_are_refused(number):
    message = json_refusal(f'{{"text": [1, {number}], "label": "b"}}')
    assert message == f"<stdin>:3: {number} is not a JSON number"


def test_nan_in_a_list_is_a_missing_value_as_null_is():
    table = piped('{"x": [[1, NaN], [null, 2]], "y": ["NaN"]}\n', format="jsonl")
    assert [row.values for row in table.rows] == [([[1, None], [None, 2]], ["NaN"])]


@pytest.mark.parametrize("value", ["1e999", "-1e999", "[0, [1e999]]", '{"a": 1e999}'])
def test_numbers_too_large_are_refused(value):
    assert json_refusal(f'{{"text": "a", "label": {value}}}') == "<stdin>:3: a number in 'label' is too large"


def test_a_key_given_twice_is_refused():
    assert json_refusal('{"text": "a", "label": "b", "text": "c"}') == "<stdin>:3: the key 'text' is given twice"
    assert json_refusal('{"text": {"x": 1, "x": 1}, "label": "b"}') == "<stdin>:3: the key 'x' is given twice"


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("depth", [65, 500, 900, 100_000])
def test_nesting_without_end_is_refused(opening, depth):
    closing = {"[": "]", '{"a":': "}", '[{"a":': "}]"}[opening]
    value = opening * depth + "1" + closing * depth
    assert json_refusal(f'{{"text": {value}, "label": "b"}}') == "<stdin>:3: brackets are nested more than 64 deep"


def test_nesting_outside_an_object():
    assert json_refusal("[" * 100_000) == "<stdin>:3: brackets are nested more than 64 deep"


def test_many_brackets_side_by_side_and_in_strings_are_fine():
    wide = "[" + ",".join(["[0]"] * 500) + "]"
    deep = "[" * 63 + "]" * 63
    data = f'{{"a": {wide}, "b": {deep}, "c": "{"[" * 500}"}}\n'
    assert values(data, format="jsonl") == [(wide, deep, "[" * 500)]


def test_an_integer_of_thousands_of_digits_is_refused():
    message = json_refusal(f'{{"text": "a", "label": {"1" * 5000}}}')
    assert message == "<stdin>:3: an integer of thousands of digits"
    assert values(f'{{"a": "{"1" * 5000}"}}\n', format="jsonl") == [("1" * 5000,)]  # in a string they are text


@pytest.mark.parametrize("escape", ["\\ud800", "\\uDFFF", "x\\udc00\\ud800"])
def test_half_a_surrogate_pair_is_refused(escape):
    half = "\\u" + escape.partition("\\u")[2][:4].lower()
    for value in (f'"{escape}"', f'["{escape}"]', f'{{"{escape}": 1}}'):
        message = json_refusal(f'{{"text": {value}, "label": "b"}}')
        assert message == f"<stdin>:3: {half} in 'text' is half a surrogate pair, no character"
    with pytest.raises(DataError, match="half a surrogate pair"):
        piped(f'{{"{escape}": "a"}}\n', format="jsonl")
    assert values('{"a": "\\ud83d\\ude00 \\u00e4"}\n', format="jsonl") == [("\U0001f600 ä",)]


@pytest.mark.parametrize("value", ['"a\\u0000"', '["\\u0000"]', '["\\\\\\u0000"]'])
def test_an_escaped_nul_is_refused_too(value):
    assert json_refusal(f'{{"text": {value}, "label": "b"}}') == "<stdin>:3: a NUL character in 'text'"
    assert values('{"a": ["\\\\u0000"]}\n', format="jsonl") == [('["\\\\u0000"]',)]  # a backslash and five letters


def test_values_are_compared_as_text():
    data = "".join(f'{{"v": {value}}}\n' for value in ["1", '"1"', "1.5", "true", "false", '""', "-0.0", "1e2"])
    assert [row[0] for row in values(data, format="jsonl")] == ["1", "1", "1.5", "true", "false", "", "-0.0", "100.0"]


def test_null_is_not_made_empty(tmp_path):
    path = tmp_path / "a.jsonl"
    good = '{"text": "a", "label": "b", "more": null}\n'
    path.write_text(good + '{"text": "a", "label": null, "more": 1}\n' + good)
    with pytest.raises(DataError, match=":2: the value of 'label' is null"):
        read_dataset(Source(str(path)))
    dataset = read_dataset(Source(str(path), skip_bad=True))
    assert (list(dataset.lines), dataset.skipped) == ([1, 3], 1)
    with pytest.raises(DataError, match=":1: the value of 'more' is null"):
        read_dataset(Source(str(path), text="text", label="more"))


def test_lists_and_objects_stay_json():
    data = '{"tokens": ["a", "ä", 1, null], "more": {"x": [1.5, true]}}\n'
    assert values(data, format="jsonl") == [('["a","ä",1,null]', '{"x":[1.5,true]}')]


# --- 29: long lines, flat memory -------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "text"])
def test_a_line_of_a_million_characters_is_read(format):
    long = "x" * 10**6
    record = f'{{"text": "{long}"}}' if format == "jsonl" else long
    header = "text\n" if format in ("csv", "tsv") else ""
    assert values(header + record, format=format) == [(long,)]


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "text"])
@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_line_without_end_is_refused_at_its_line_in_bounded_memory(format, skip_bad):
    stream = Endless(b"x", start=b'{"a": "1"}\n' if format == "jsonl" else b"a\n")
    tracemalloc.start()
    with pytest.raises(DataError, match="<stdin>:2: a line of more than 11,048,576 characters"):
        list(open_table("-", stdin=stream, format=format, skip_bad=skip_bad).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert stream.taken < 12_000_000
    assert peak < 40_000_000


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "text"])
def test_memory_stays_flat_while_rows_stream(format):
    row = {"csv": b'"' + b"x" * 1000 + b'",b\n', "tsv": b"x" * 1000 + b"\tb\n", "text": b"x" * 1000 + b"\n"}
    row["jsonl"] = b'{"a": "' + b"x" * 1000 + b'", "b": [1, 2]}\n'
    stream = Endless(row[format], size=10_000 * len(row[format]))
    stream.start = {"csv": b"a,b\n", "tsv": b"a\tb\n"}.get(format, b"")
    tracemalloc.start()
    try:
        table = open_table("-", stdin=stream, format=format, skip_bad=True)
        count = sum(1 for _ in table.rows)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert count + table.ledger.count == 10_000


def test_blank_lines_without_end_stop_at_the_byte_limit():
    stream = Endless(b"\n")
    with pytest.raises(StorageError, match="more than 2,000,000 bytes"):
        open_table("-", stdin=stream, max_bytes=2_000_000)


# --- 32: stdin -------------------------------------------------------------------------------------------------------


def test_stdin_is_csv_unless_said_otherwise():
    table = piped("text,label\na,b\n")
    assert (table.name, table.format) == ("<stdin>", "csv")
    assert piped("a b\n", format="text").columns == ("text",)


def test_the_processes_own_stdin_is_read(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"text,label\na,b\n")))
    assert list(open_table("-").rows) == [Row(2, ("a", "b"))]


def test_a_closed_stdin_is_a_storage_error(monkeypatch):
    closed = io.BytesIO()
    closed.close()
    error = path_refusal("-", StorageError, stdin=closed)
    assert (error.exit_code, error.message) == (5, "<stdin>: standard input is closed")
    for missing in (None, io.StringIO("a text stream without bytes")):
        monkeypatch.setattr("sys.stdin", missing)
        assert "standard input is closed" in path_refusal("-", StorageError).message


def test_a_stdin_that_fails_in_reading_is_a_storage_error():
    class Broken(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    assert path_refusal("-", StorageError, stdin=Broken()).message == "<stdin>: cannot be read (Input/output error)"


def test_an_empty_pipe_has_no_records():
    ends = os.pipe()
    os.close(ends[1])
    with open(ends[0], "rb") as stream:
        assert path_refusal("-", DataError, stdin=stream).message == "<stdin>: no records"


def test_stdin_is_left_open():
    stream = io.BytesIO(b"text,label\na,b\n")
    assert len(list(open_table("-", stdin=stream).rows)) == 1
    assert not stream.closed


# --- 33: paths -------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_named_with_the_closest_beside_it(tmp_path):
    (tmp_path / "reviews.csv").write_text("text,label\na,b\n")
    error = path_refusal(tmp_path / "reviws.csv", StorageError)
    assert error.exit_code == 5
    assert error.message == f"{tmp_path / 'reviws.csv'}: there is no such file; did you mean 'reviews.csv'?"


def test_missing_comes_before_an_unknown_suffix_and_in_the_working_folder_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("reviews.csv").write_text("text,label\na,b\n")
    message = path_refusal("reviews", StorageError).message
    assert message == "reviews: there is no such file; did you mean 'reviews.csv'?"
    assert path_refusal("nowhere/a.csv", StorageError).message == "nowhere/a.csv: there is no such file"


def test_a_directory_is_refused(tmp_path):
    (tmp_path / "a.csv").mkdir()
    assert path_refusal(tmp_path / "a.csv", StorageError).message.endswith("a.csv: this is a directory, not a file")
    assert path_refusal(tmp_path, StorageError).message.endswith("this is a directory, not a file")


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = tmp_path / "a.csv"
    path.write_text("text,label\na,b\n")
    monkeypatch.setattr(builtins, "open", denied)
    assert path_refusal(path, StorageError).message == f"{path}: cannot be read (Permission denied)"


def test_a_path_that_can_be_none_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert "cannot be read" in path_refusal(tmp_path / "a.csv" / "b.csv", StorageError).message
    assert "cannot be read" in path_refusal("a\0b.csv", StorageError).message
    assert "cannot be read" in path_refusal("x" * 5000 + ".csv", StorageError).message


@pytest.mark.parametrize("format", [None, "text"])
def test_a_named_pipe_is_refused_without_waiting_for_its_writer(tmp_path, format):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    os.symlink(path, tmp_path / "link.csv")
    for name in (path, tmp_path / "link.csv"):
        with time_limit(60):
            error = path_refusal(name, StorageError, format=format)
        assert error.message == f"{name}: this is a named pipe, not a regular file"
        assert error.hint == "Send what comes out of it to standard input, and name that: -"


def test_a_pipe_of_ones_own_is_read():
    """As bash hands it over in ``rnncli train <(zcat reviews.csv)``, whatever the writer does meanwhile."""
    for folder in ("/dev/fd", "/proc/self/fd"):
        read, write = os.pipe()
        writer = threading.Thread(target=lambda end=write: (os.write(end, b"text,label\na,b\n" * 9), os.close(end)))
        writer.start()
        assert len(list(open_table(f"{folder}/{read}", format="csv").rows)) == 17
        writer.join()
        os.close(read)


def test_before_it_would_wait_for_more_the_reader_says_so():
    """It says so before each piece that is not there yet, and has handed on every record that is."""
    read, write = os.pipe()
    pieces = iter([b"", b"hi\nho", b"\n\r\n", b"a\nb\nc"])
    rows: list[str] = []
    seen: list[list[str]] = []

    def waiting() -> None:
        seen.append(list(rows))
        piece = next(pieces, None)
        if piece is None:
            os.close(write)
        elif piece:
            os.write(write, piece)
        else:
            os.write(write, b"x\ny")

    with open(read, "rb") as stdin:
        for row in open_table("-", format="text", stdin=stdin, before_waiting=waiting).rows:
            rows.append(row.values[0])
    assert seen == [[], ["x"], ["x", "yhi"], ["x", "yhi", "ho", ""], ["x", "yhi", "ho", "", "a", "b"]]
    assert rows == ["x", "yhi", "ho", "", "a", "b", "c"]


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "text"])
@pytest.mark.parametrize("skip_bad", [False, True])
def test_dev_zero_stops_at_once(format, skip_bad):
    stream = Endless(b"\0")
    message = path_refusal("-", DataError, stdin=stream, format=format, skip_bad=skip_bad).message
    assert message.startswith("<stdin>:1: a NUL character")
    assert stream.taken < 1_000_000
    error = path_refusal("/dev/zero", StorageError, format=format, skip_bad=skip_bad)
    assert error.message == "/dev/zero: not a regular file"


def test_a_file_over_the_byte_limit_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 100)
    assert path_refusal(path, StorageError, max_bytes=403).message == f"{path}: holds more than 403 bytes"
    assert len(list(open_table(path, max_bytes=404).rows)) == 100


def test_a_table_dropped_half_way_closes_its_file_without_the_cycle_collector(tmp_path, monkeypatch):
    opened = []
    real = open

    def watched(*args, **kwargs):
        opened.append(real(*args, **kwargs))
        return opened[-1]

    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 100_000)
    monkeypatch.setattr(builtins, "open", watched)
    gc.disable()
    try:
        table = open_table(path)
        next(table.rows)
        assert not opened[0].closed
        del table
        assert opened[0].closed
        table = open_table(path)
        assert len(list(table.rows)) == 100_000
        assert opened[1].closed
    finally:
        gc.enable()


# --- 34: file names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [b"new\nline.csv", b"\x1b[31m.csv", b"[red].csv", b"[b]\\.csv", b"\xff\xfe.csv", b"-x.csv", b" .csv", b".csv"],
)
def test_odd_file_names_work_and_stand_in_messages(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = os.fsdecode(name)
    Path(path).write_text("text,label\na,b\nc\n")
    assert open_table(path).name == path
    error = path_refusal(path, DataError)
    assert error.message == f"{path}:3: 1 value, but the header has 2 columns"
    missing = path_refusal(path.replace(".csv", "x.csv"), StorageError)
    assert "there is no such file" in missing.message
    for message in (error.message, missing.message):
        assert message.encode("utf-8", "surrogateescape")


# --- 35: packed files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (gzip.compress(b"text,label\na,b\n", mtime=0), "gzip"),  # mtime: else each process names this test otherwise
        (b"PK\x03\x04rest of it", "a zip archive (an .xlsx workbook is one)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an .xls workbook"),
        (b"\xfd7zXZ\x00\x00", "xz"),
        (b"(\xb5/\xfd\x00", "zstd"),
    ],
)
def test_a_packed_file_under_a_plain_name_is_recognised(tmp_path, start, kind):
    path = tmp_path / "reviews.csv"
    path.write_bytes(start)
    error = path_refusal(path, DataError)
    assert error.message == f"{path}: looks like {kind}, not text"
    assert error.hint
    packed_twice = tmp_path / "reviews.csv.gz"
    packed_twice.write_bytes(gzip.compress(start))
    assert f"looks like {kind}" in path_refusal(packed_twice, DataError).message


def gzip_file(folder: Path, content: bytes) -> Path:
    path = folder / "a.csv.gz"
    path.write_bytes(content)
    return path


def test_gzip_of_several_members_and_zero_padding_is_read(tmp_path):
    members = gzip.compress(b"text,la") + gzip.compress(b"") + gzip.compress(b"bel\na,b\n")
    for padding in (b"", b"\0" * 1000, b"\0" * 600_000):
        assert list(open_table(gzip_file(tmp_path, members + padding)).rows) == [Row(2, ("a", "b"))]


def test_gzip_that_is_cut_off_is_refused(tmp_path):
    whole = gzip.compress(b"text,label\n" + b"".join(b"%d,b\n" % i for i in range(1000)))
    for length in [1, 2, 9, 10, 11, len(whole) // 2, len(whole) - 8, len(whole) - 1]:
        error = path_refusal(gzip_file(tmp_path, whole[:length]), DataError)
        assert error.message.endswith("a.csv.gz: the gzip data is cut off before its end")


def test_gzip_that_is_broken_is_refused(tmp_path):
    whole = gzip.compress(b"text,label\na,b\n" * 2)
    for broken in (whole[:-6] + b"\0" + whole[-5:], whole + b"rest", b"text,label\na,b\n", whole[:10] + b"\xff" * 30):
        error = path_refusal(gzip_file(tmp_path, broken), DataError)
        assert "a.csv.gz: is not whole gzip (" in error.message


def test_every_flipped_bit_of_a_gzip_file_reads_the_same_or_is_refused(tmp_path):
    whole = gzip.compress(b"text,label\ngood,pos\nbad,neg\n", mtime=0)
    for bit in range(8 * len(whole)):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        try:
            rows = list(open_table(gzip_file(tmp_path, bytes(broken))).rows)
        except DataError:
            continue
        assert [row.values for row in rows] == [("good", "pos"), ("bad", "neg")]


def test_a_gzip_bomb_stops_at_the_limit_in_bounded_memory(tmp_path):
    packer = zlib.compressobj(wbits=31)
    row = b"a" * 998 + b",b\n"
    bomb = packer.compress(b"text,label\n") + b"".join(packer.compress(row * 1000) for _ in range(100))
    path = gzip_file(tmp_path, bomb + packer.flush())
    assert path.stat().st_size < 300_000
    tracemalloc.start()
    with pytest.raises(StorageError, match="holds more than 2,000,000 bytes") as caught:
        sum(1 for _ in open_table(path, max_bytes=2_000_000).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.exit_code == 5
    assert peak < 6_000_000


def test_json_in_one_piece_is_unpacked_to_so_many_times_its_size_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("rnncli.data.formats.sources._MUCH", 1 << 20)
    monkeypatch.setattr("rnncli.data.formats.json_document._CHECKED_EVERY", 1 << 18)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b'[{"text": "a"}' + b', {"text": "a"}' * 400_000 + b"]"))
    with pytest.raises(DataError, match=r"bomb\.json\.gz: unpacks to \d MiB or more, 2\d\d times its size") as caught:
        open_table(path)
    assert caught.value.hint == "If it is to be read all the same, unpack it first."
    (tmp_path / "bomb.json").write_bytes(gzip.decompress(path.read_bytes()))
    assert sum(1 for _ in open_table(tmp_path / "bomb.json").rows) == 400_001


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("blank.csv", "text,label\n" + "\n" * 1_000_000, "no records"),
        ("blank.tsv", "text\tlabel\n" + "\n" * 1_000_000, "no records"),
        ("blank.jsonl", "\n" * 1_000_000, "no records"),
        ("blank.conll", "\n" * 1_000_000, "no records"),
        ("deep.json", "[" * 1_000_000, "the array holds no objects"),
        ("deep.jsonl", '{"a": ' + "[" * 1_000_000, "brackets are nested more than 64 deep"),
        ("quotes.json", '["' + '\\"' * 500_000, "the array holds no objects"),
    ],
)
def test_a_megabyte_of_nothing_takes_a_few(tmp_path, name, content, says):
    """Whatever it is that repeats."""
    (tmp_path / name).write_text(content)
    tracemalloc.start()
    with pytest.raises(DataError, match=says):
        sum(1 for _ in open_table(tmp_path / name).rows) or raise_no_records()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def raise_no_records():
    raise DataError("no records")
