"""Series that blank lines separate, with a timestep a line: as JapaneseVowels was first published."""

from __future__ import annotations

import re
from itertools import groupby, pairwise

from rnncli.data.doubts.preview import Preview, cut
from rnncli.data.tables.facts import is_plain_number
from rnncli.errors import DataError

_SEPARATORS = re.compile(r"[\s,;]+")
# Each block of the file as a list of its lines, with its number from 1.
_BLOCKS = '((k,b.split("\\n")) for k,b in enumerate(re.split(r"\\n\\s*\\n",sys.stdin.read().strip()),1))'
_STEPS = '[[float(x) for x in re.split(r"[\\s,;]+",l.strip())] for l in {}]'


def blocks_of_lines(preview: Preview) -> DataError | None:
    """A text whose lines are rows of numbers in blocks, perhaps with the label of each in a line above it."""
    lines = [texts[0] for texts in preview.sample]
    blocks = [list(block) for filled, block in groupby(lines, lambda line: bool(line.strip())) if filled]
    if len(blocks) < 3 or 2 * len(blocks) > sum(map(len, blocks)):
        return None
    blocks.pop()  # the sample may end in it
    if all(_is_row(line) for block in blocks for line in block):
        return _refuse(preview, blocks[0][0])
    labelled = not any(_is_row(block[0]) for block in blocks)
    if labelled and all(block[1:] and all(map(_is_row, block[1:])) for block in blocks):
        return _refuse(preview, blocks[0][1], blocks[0][0])
    return None


def blocks_of_rows(preview: Preview) -> DataError | None:
    """A table of numbers without a header, in blocks."""
    dialect, rows = preview.file.dialect, preview.rows
    if dialect is None or dialect.header is not False or not all(column.numeric for column in preview.columns):
        return None
    between = sum(after.line > before.line + 1 for before, after in pairwise(rows))
    return _refuse(preview, " ".join(rows[0].texts)) if 2 <= between < len(rows) / 2 else None


def _is_row(line: str) -> bool:
    parts = _SEPARATORS.split(line.strip())
    return len(parts) > 1 and all(map(is_plain_number, parts))


def _refuse(preview: Preview, example: str, label: str | None = None) -> DataError:
    record = f'{{"block":r[0],"sequence":{_STEPS.format("r[1]")}}}'
    what = f"blank lines separate blocks of rows of numbers ({cut(example)}), so each block seems to be a series"
    hint = "To write a line for each block, to which its label is to be added"
    if label is not None:
        record = f'{{"sequence":{_STEPS.format("r[1][1:]")},"label":r[1][0].strip()}}'
        what, hint = f"{what} below its label ({cut(label)})", "To write a line for each, with its label"
    return preview.file.refusal(what, f"{hint}: {preview.file.as_json(record, _BLOCKS)}", preview.rows[0].line)
