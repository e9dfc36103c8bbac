"""Tables on terminals of any width, in pipes and as pictures; with hostile text in every place."""

from __future__ import annotations

import io
import itertools
import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from attacks import ATTACKS, MARKUP, dangers
from helpers import Terminal, plain_environment
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rnncli.clean import clean
from rnncli.render.console import MIN_WIDTH, Output
from rnncli.render.svg import svg
from rnncli.render.tables import fits, format_number, print_pairs, print_table
from rnncli.results import Column, TableCell, TableView

WIDTHS = [1, 20, 80, 200]
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_environment(monkeypatch, "dumb")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """``at(width, view)`` is what a terminal of that width shows, in lines."""

    def shown(width: int, view: TableView) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        stream = Terminal()
        print_table(Output(stream, io.StringIO()), view)
        return stream.getvalue().splitlines()

    return shown


def piped(view: TableView) -> str:
    stream = io.StringIO()
    print_table(Output(stream, io.StringIO()), view)
    return stream.getvalue()


def table_of(*rows: tuple[TableCell, ...], names: str = "label f1 n text", caption: str | None = None) -> TableView:
    columns = tuple(Column(name, numeric=name not in {"label", "text"}) for name in names.split())
    return TableView("", columns, rows, caption)


def assert_aligned(lines: list[str], width: int) -> None:
    assert len({cell_len(line) for line in lines}) == 1, lines
    assert cell_len(lines[0]) <= max(width, MIN_WIDTH)


def test_a_table_whose_columns_have_no_names_has_no_header(at) -> None:  # type: ignore[no-untyped-def]
    lines = (("The bell",), ("rang",))
    assert [line.strip() for line in at(40, TableView("", (Column(""),), lines))] == ["The bell", "rang"]
    assert at(40, TableView("", (Column("line"),), lines))[0].strip() == "line"


# Every hostile text in every kind of cell.
CELLS = TableView(
    "",
    (Column("a", style="red"), Column("f1", numeric=True), Column("b"), Column("n", numeric=True)),
    tuple(row for text in ATTACKS for row in ((text, 0.5, "plain", text), ("中文", 12345, text, None))),
)


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_text_on_a_terminal_is_inert_and_aligned(at, width: int) -> None:  # type: ignore[no-untyped-def]
    table = at(width, CELLS)
    assert not dangers("\n".join(table))
    assert_aligned(list(itertools.takewhile(lambda line: "of 4" not in line, table)), width)
    for text in ATTACKS:
        assert_aligned(at(width, TableView("", (Column(text), Column("n", numeric=True)), (("x", 20_000),))), width)
        lines = at(width, TableView(text, (), (), caption=text))
        assert not dangers("\n".join(lines)), text
        assert all(cell_len(line) <= max(width, MIN_WIDTH) for line in lines), text


def test_hostile_text_in_colour_adds_no_escape_of_its_own(monkeypatch: pytest.MonkeyPatch, at) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("TERM", "xterm-256color")
    shown = "\n".join(at(80, CELLS))
    assert "\x1b[31m" in shown  # the column's style
    assert not dangers(COLOURS.sub("", shown))


def test_hostile_text_in_a_pipe_keeps_rows_and_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    named = TableView("", tuple(map(Column, ATTACKS)), ())
    shown = piped(CELLS), piped(named)
    assert not dangers("".join(shown), allowed="\n\t")
    cells, (names,) = ([line.split("\t") for line in text.split("\n")[:-1]] for text in shown)
    wholes = [clean(text) for text in ATTACKS]
    assert names == wholes
    assert cells[1::2] == [[whole, "0.5000", "plain", whole] for whole in wholes]
    assert cells[2::2] == [["中文", "12345", whole, "-"] for whole in wholes]
    monkeypatch.setenv("COLUMNS", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert (piped(CELLS), piped(named)) == shown


def test_markup_is_literal_in_title_header_cell_and_caption(at) -> None:  # type: ignore[no-untyped-def]
    for text, width in itertools.product(MARKUP, (80, 200)):
        view = TableView(text, (Column(text),), ((text,),), caption=text)
        assert [line.strip() for line in at(width, view) if "─" not in line] == [text] * 4


def test_hostile_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs: list[tuple[str, TableCell]] = [*((text, text) for text in ATTACKS), ("seed", 12345), ("loss", math.nan)]
    stream = io.StringIO()
    print_pairs(Output(stream, io.StringIO()), "", pairs)
    shown = [f"{clean(text)}\t{clean(text)}" for text in ATTACKS]
    assert stream.getvalue().splitlines() == [*shown, "seed\t12345", "loss\t-"]
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        stream = Terminal()
        print_pairs(Output(stream, io.StringIO()), "", pairs)
        assert not dangers(stream.getvalue())
        assert "12,345" in stream.getvalue()
        assert_aligned(stream.getvalue().splitlines(), width)


@given(st.lists(st.text(st.characters(exclude_categories=())), min_size=2, max_size=4), st.integers(20, 90))
def test_a_table_of_any_text_is_aligned(texts: list[str], width: int) -> None:
    stream = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        patch.setenv("TERM", "dumb")
        print_table(Output(stream, io.StringIO()), table_of(*((text, 0.5) for text in texts), names="text f1"))
    assert_aligned(stream.getvalue().splitlines(), width)


def test_a_table_as_it_looks(at) -> None:  # type: ignore[no-untyped-def]
    view = table_of(("pos", 0.91234, 12345, "fine"), ("中文", None, 3, "x"), caption="All of it.")
    assert [line.rstrip() for line in at(80, view)] == [
        "label      f1       n  text",
        "────────────────────────────",
        "pos    0.9123  12,345  fine",
        "中文        -       3  x",
        "All of it.",
    ]


@pytest.mark.parametrize("width", [80, 200])
def test_numbers_stay_whole_where_text_folds(at, width: int) -> None:  # type: ignore[no-untyped-def]
    lines = at(width, table_of(("a label " * 20, 0.123456, 10**12, "a text " * 200), ("x", 1e-9, -1, "y")))
    assert_aligned(lines, width)
    assert cell_len(lines[0]) > width - 10  # the room is used
    shown = "\n".join(lines)
    assert "0.1235" in shown
    assert "1e-09" in shown
    assert "1,000,000,000,000" in shown
    assert re.search(r"…\(\+[\d,]+", shown)


@pytest.mark.parametrize("width", WIDTHS)
def test_five_hundred_columns_are_cut_with_a_count(at, width: int) -> None:  # type: ignore[no-untyped-def]
    names = " ".join(f"column{index}" for index in range(500))
    view = table_of(tuple(range(100_000, 100_500)), names=names)
    lines = at(width, view)
    text = " ".join(lines)
    shown = int(re.search(r"(\d+) of 500 columns", text)[1])  # type: ignore[index]
    assert shown >= max(width, MIN_WIDTH) // 11
    assert f"{100_000 + shown - 1:,}" in text
    assert f"{100_000 + shown:,}" not in text
    assert len(piped(view).splitlines()[0].split("\t")) == 500


@pytest.mark.parametrize("width", range(20, 130))
def test_a_number_is_whole_in_every_column_that_is_shown(at, width: int) -> None:  # type: ignore[no-untyped-def]
    lines = at(width, table_of((10**12,) * 9, names="a b c d e f g h i"))
    assert_aligned(lines[:3], width)
    assert set(lines[2].split()) == {f"{10**12:,}"}


def test_a_long_title_header_and_caption_are_cut(at) -> None:  # type: ignore[no-untyped-def]
    long = "w" * 10_000
    lines = at(80, TableView(long, (Column(long),), (("x",),), caption=long))
    assert len(lines) < 20
    assert "".join(lines).count("…(+9,") == 3


def test_a_number_wider_than_the_terminal_is_folded_and_not_lost(at) -> None:  # type: ignore[no-untyped-def]
    lines = at(20, table_of((10**30,), names="n"))
    assert "".join(lines[2:]).replace(" ", "") == f"{10**30:,}"
    assert_aligned(lines, 20)


def test_empty_tables(at) -> None:  # type: ignore[no-untyped-def]
    nothing = TableView("Nothing", (), ())
    assert [line.rstrip() for line in at(80, nothing)] == ["Nothing"]
    assert piped(nothing) == "\n"
    assert len(at(80, table_of())) == 2
    assert piped(table_of()) == "label\tf1\tn\ttext\n"
    assert ElementTree.fromstring(svg([])).tag.endswith("svg")


def test_an_ascii_terminal_gets_ascii_and_stays_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    class AsciiTerminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "60")
    buffer = io.BytesIO()
    stream = AsciiTerminal(buffer, encoding="ascii", write_through=True)
    print_table(Output(stream, io.StringIO()), table_of(("é影", 1.0, 1, "w" * 10_000), ("x", 2.0, 2, "y")))
    lines = buffer.getvalue().decode("ascii").splitlines()
    assert_aligned(lines, 60)
    assert set(lines[1]) == {"-"}
    assert r"\xe9\u5f71" in lines[2]
    assert "...(+" in "".join(lines)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0000"),
        (0.85714, "0.8571"),
        (-12.5, "-12.5000"),
        (1.23456e-5, "1.235e-05"),
        (1234567.0, "1.235e+06"),
        (math.nan, "-"),
        (math.inf, "-"),
        (-math.inf, "-"),
        (np.float32(0.1), "0.1000"),
    ],
)
def test_format_number(number: float, text: str) -> None:
    assert format_number(number) == text


def test_numpy_and_bool_cells() -> None:
    view = TableView("", (Column("a"),) * 4, ((np.int64(12345), np.float32(0.5), True, np.float64("nan")),))
    assert piped(view).splitlines()[1] == "12345\t0.5000\ttrue\t-"


def test_an_svg_with_hostile_text_is_a_picture_and_no_more() -> None:
    named = [TableView(text, (Column(text),), (), caption=text) for text in ATTACKS]
    assert_no_more_than_a_picture(svg([CELLS, *named], title="".join(ATTACKS[:12])))
    for text in ATTACKS:
        assert_no_more_than_a_picture(svg([], title=text))


def assert_no_more_than_a_picture(picture: str) -> None:
    assert not dangers(picture)
    for element in ElementTree.fromstring(picture).iter():
        name = element.tag.removeprefix("{http://www.w3.org/2000/svg}")
        assert name in {"svg", "style", "defs", "clipPath", "rect", "circle", "g", "text"}
        assert not [key for key in element.attrib if "href" in key or key.startswith("on")]
        assert all("url(" not in value or value.startswith("url(#") for value in element.attrib.values())
        if name == "style":
            assert not re.search(r"url|@|http", element.text or "")


def test_an_svg_is_the_same_wherever_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    view = TableView("t", (Column("[red]", style="red"),), (("]]> & <",),))
    first = svg([view])
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert svg([view]) == first
    assert "[red]" in first
    assert 'id="rnncli-clip-terminal"' in first


def test_wide_text_in_an_svg_has_the_length_of_its_cells() -> None:
    picture = svg([TableView("", (Column("影影影影"),), (("abcdefgh",),))])
    texts = ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    lengths = {(text.text or "").strip("\u00a0"): text.get("textLength") for text in texts}
    assert lengths["影影影影"] == lengths["abcdefgh"]


def test_a_table_that_is_too_wide_goes_on_below_with_its_first_columns(at) -> None:  # type: ignore[no-untyped-def]
    names = "label electronics household automobile gardening literature photography music"
    view = TableView(
        "", tuple(Column(name, name != "label") for name in names.split()), (("household", *range(101, 108)),)
    )
    lines = at(80, view)
    assert_aligned(lines, 80)
    shown = "\n".join(lines)
    for name in names.split()[1:]:
        assert shown.count(name) == 1 + 2 * (name == "household")
    assert [shown.count(str(number)) for number in range(101, 108)] == [1] * 7
    assert len(at(200, view)) == 3


@pytest.mark.parametrize("text", ["a 0.15, e 0.06", "a text that has rather more words than a table has room for"])
def test_a_table_fits_where_no_short_entry_takes_two_lines(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A long text folds in any table; what else does has a column too many beside it."""
    view = table_of((text, 1.0, 2.0, 3.0), names="text h0 h1 h2")
    narrowest = 20 if len(text) > 20 else len(text)  # three columns of six digits, and seven spaces
    for width in (narrowest + 25, narrowest + 24):
        monkeypatch.setenv("COLUMNS", str(width))
        assert fits(Output(Terminal(), io.StringIO()), view) is (width == narrowest + 25)


def test_no_negative_zero() -> None:
    assert format_number(-0.0) == "0.0000"
