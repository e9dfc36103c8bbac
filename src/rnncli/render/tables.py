"""Tables and key-value summaries: laid out for a terminal, tab-separated and whole for a pipe.

Rich would squeeze a number to ``0.9…`` when a table is too wide, so the widths are chosen here: numbers stay whole,
text folds between words, and columns that do not fit follow below, again beside the first ones.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rnncli.clean import clean
from rnncli.render.console import Output, as_text
from rnncli.results import Column, TableCell, TableView, format_number

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

Encode = Callable[[str], str]  # makes a text writable where it goes, perhaps in another width

CAPTION = 600  # characters of a caption, whose sentences are ours, are shown in any width
LINES = 4  # a text longer than about this many lines of its column is cut, with a count
NARROW = 10  # cells; text columns and headers fold down to this (so that two fit, less) before a column goes below
WORD = 20  # cells; a word up to this length is not cut in two
BLOCKS = 20  # of a wide table; columns that would need more are left out and counted
NUMBER = 24  # cells; a numeric column takes what its entries need up to here: every 64-bit number

# Rich's SIMPLE_HEAD, whose one line has an ASCII form here.
_RULE = "    \n    \n {0}{0} \n" + "    \n" * 5


def print_table(output: Output, view: TableView, *, header: bool = True) -> None:
    """Print ``view`` to stdout: title, table and caption on a terminal; header and rows, by tabs, into a pipe."""
    if not output.is_terminal:
        names = [[clean(column.name) for column in view.columns]] if header else []
        output.write(tab_separated([*names, *([_cell(value) for value in row] for row in view.rows)]))
        return
    for part in laid_out(view, output.width, output.encodable, header=header):
        output.out.print(part, width=output.width)


def fits(output: Output, view: TableView) -> bool:
    """Whether all columns of a table fit beside each other on this terminal, with short entries on one line."""
    bounds = _bounds_of_columns(view, output.width, output.encodable)
    if len(_blocks(view.columns, bounds, output.width)) > 1:
        return False
    widths = _widths(bounds, _room(output.width, len(bounds)))
    return all(given >= min(natural, WORD) for given, (_, natural) in zip(widths, bounds, strict=True))


def print_pairs(output: Output, title: str, pairs: Sequence[tuple[str, TableCell]]) -> None:
    """Print a summary, one ``key  value`` a line; ``key<TAB>value`` into a pipe."""
    print_table(output, TableView(title, (Column("", style="bold"), Column("")), tuple(pairs)), header=False)


def tab_separated(rows: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def _cell(value: TableCell, limit: int | None = None, *, grouped: bool = False) -> str:
    """Return one cell's text; ``grouped`` writes 12,345 for a reader, where a program gets 12345."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, numbers.Integral):  # NumPy's integers too
        return f"{value:,}" if grouped else str(value)
    return format_number(value)


def laid_out(view: TableView, width: int, encode: Encode, *, header: bool = True) -> list[RenderableType]:
    """Return title, table and caption, none wider than ``width``; a wide table in blocks, one below the other."""
    bounds = _bounds_of_columns(view, width, encode)
    blocks = _blocks(view.columns, bounds, width)
    shown = {place for block in blocks for place in block}
    captions = [view.caption] if view.caption else []
    if len(shown) < len(view.columns):
        captions.append(
            f"{len(shown)} of {len(view.columns)} columns shown; a wider terminal shows more, piped output all"
        )
    header = header and any(column.name for column in view.columns)
    parts: list[RenderableType] = []
    if view.title:
        parts.append(as_text(encode(clean(view.title, LINES * width)), "bold"))
    widths = [_widths([bounds[place] for place in block], _room(width, len(block))) for block in blocks]
    wide = max((width - _room(width, len(cells)) + sum(cells) for cells in widths), default=0)
    for number, (block, cells) in enumerate(zip(blocks, widths, strict=True)):
        if number:
            parts.append(as_text(" " * wide))
        columns = [view.columns[place] for place in block]
        rows = [[row[place] for place in block] for row in view.rows]
        # Every block is as wide as the widest, if need be by an empty column.
        missing = _room(wide, len(cells)) - sum(cells)
        if missing < 3:
            cells[-1] += missing
        else:
            columns, rows, cells = [*columns, Column("")], [[*row, ""] for row in rows], [*cells, missing - 2]
        parts.append(_rich_table(columns, rows, cells, encode, header))
    parts.extend(as_text(encode(clean(caption, max(LINES * width, CAPTION))), "dim") for caption in captions)
    return parts


def _blocks(columns: Sequence[Column], bounds: Sequence[tuple[int, int]], width: int) -> list[list[int]]:
    """Return the columns of each block: as many as fit at their narrowest, from the left.

    Each block begins with the columns that identify a row, up to the first text, unless they take half of the width.
    """
    if not columns:
        return []
    narrowest = [least for least, _ in bounds]
    first_text = next((place for place, column in enumerate(columns) if not column.numeric), 0)
    leading = list(range(first_text + 1))
    if sum(narrowest[place] for place in leading) > width // 2:
        leading = leading[:1] if narrowest[0] <= width // 2 else []
    blocks: list[list[int]] = []
    place = 0
    while place < len(columns) and len(blocks) < BLOCKS:
        block = [] if not blocks else list(leading)
        used = sum(narrowest[before] for before in block)
        begin = place
        while place < len(columns) and used + narrowest[place] <= _room(width, len(block) + 1):
            used += narrowest[place]
            block.append(place)
            place += 1
        if place == begin:  # wider than the terminal: by itself, and folded
            block = [place]
            place += 1
        blocks.append(block)
    return blocks


def _rich_table(
    columns: Sequence[Column], rows: Sequence[Sequence[TableCell]], widths: Sequence[int], encode: Encode, header: bool
) -> Table:
    from rich.box import Box
    from rich.table import Table

    ascii_only = encode("─") != "─"
    table = Table(
        box=Box(_RULE.format("-" if ascii_only else "─"), ascii=ascii_only),
        show_header=header,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column, cells in zip(columns, widths, strict=True):
        table.add_column(
            as_text(encode(clean(column.name, LINES * cells))),
            width=cells,
            justify="right" if column.numeric else "left",
            style=column.style or "",
            overflow="fold",
        )
    for row in rows:
        shown = zip(row, widths, strict=True)
        table.add_row(*(as_text(encode(_cell(value, LINES * cells, grouped=True))) for value, cells in shown))
    return table


def _room(width: int, columns: int) -> int:
    """Return the cells left for content beside the spaces: one behind each column, and one more before all but one."""
    return width - max(0, 2 * columns - 1)


def _bounds_of_columns(view: TableView, width: int, encode: Encode) -> list[tuple[int, int]]:
    """Return (narrowest, natural) widths of the columns."""
    room = _room(width, 2) // 2
    bounds = []
    for index, column in enumerate(view.columns):
        cells = [encode(_cell(row[index], LINES * width, grouped=True)) for row in view.rows]
        name = encode(clean(column.name, LINES * width))
        narrowest, natural = _bounds(name, cells, column.numeric, min(NARROW, room), min(WORD, room))
        # What is wider than the terminal folds.
        bounds.append((min(narrowest, _room(width, 1)), min(natural, max(narrowest, _room(width, 1)))))
    return bounds


def _bounds(name: str, cells: Sequence[str], numeric: bool, narrow: int, word: int) -> tuple[int, int]:
    """Return the least width at which a column can be read, and the one at which nothing in it folds.

    Args:
        narrow: texts fold down to this.
        word: but no word that is up to so long.
    """
    from rich.cells import cell_len

    head = cell_len(name)
    body = max(map(cell_len, cells), default=0)
    natural = max(1, head, body)

    def folded(texts: Iterable[str]) -> int:
        longest = max((cell_len(part) for text in texts for part in text.split()), default=0)
        return max(narrow, longest if longest <= word else narrow)

    if numeric:
        return max(1, min(body, NUMBER), min(head, folded([name]))), natural
    return min(natural, folded([name, *cells])), natural


def _widths(bounds: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Give every column its narrowest width, then raise the narrow ones evenly up to their natural widths."""

    def filled(level: int) -> list[int]:
        return [min(max(level, narrowest), natural) for narrowest, natural in bounds]

    level = max((level for level in range(room + 1) if sum(filled(level)) <= room), default=0)
    return filled(level)


# Cells that the first part of an answer, most often a label, may take in a line of a terminal.
ANSWER_WIDTH = 20


def prediction_line(brief: tuple[tuple[str, ...], str, str], width: int) -> str:
    """A prediction on one line of a terminal; the text is cut so that the note fits behind it.

    Args:
        brief: the answer in short columns, the text, and a note.
        width: of the terminal, in cells.
    """
    from rich.cells import cell_len

    answer, text, note = brief
    start = "".join(
        f"{clean(part, ANSWER_WIDTH):<{ANSWER_WIDTH}} " if k == 0 else f"{clean(part, ANSWER_WIDTH):>6}  "
        for k, part in enumerate(answer)
    )
    end = f"  ({clean(note, max(1, width // 3))})" if note else ""
    return clean(start + clean(text, max(1, width - cell_len(start) - cell_len(end))) + end, width)
