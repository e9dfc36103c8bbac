"""Lines of whole parts, as many in each as fit."""

from __future__ import annotations

from collections.abc import Iterable


def folded(parts: Iterable[str], between: str, width: int) -> list[str]:
    """The parts in lines of at most so many cells; a wider part has a line of its own.

    textwrap counts characters, some of which take two cells.

    Args:
        between: what stands between two of them on a line.
    """
    from rich.cells import cell_len

    lines = [""]
    for part in parts:
        longer = f"{lines[-1]}{between}{part}" if lines[-1] else part
        if cell_len(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines
