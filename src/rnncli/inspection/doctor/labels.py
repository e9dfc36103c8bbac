"""Labels of a data set that the model was never trained on: mistyped ones, or those of another data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnncli.errors import closest
from rnncli.inspection.doctor.data import Evidence
from rnncli.inspection.doctor.findings import Check, Commands

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.inspection.adapters import Adapter

# Where the model has no such label, its answer cannot be right. Of labels by hand about 1 in 100 is wrong anyway.
UNTRAINED = 0.01
MOSTLY = 0.5  # from here on they are labels of something else, and not mistyped
SHOWN = 40  # characters of a label: where the wrong column is read, it may be a whole text


def unknown_labels(
    adapter: Adapter[Any], dataset: Dataset, labels: Sequence[Sequence[str]], commands: Commands
) -> tuple[Check, list[Evidence]]:
    """The share of all labels that are none of the model's; the rows that have them, where they look mistyped.

    Args:
        labels: those of each row: one, or a tag for each word.
    """
    what, known = adapter.label_is, set(adapter.labels)
    counts = Counter(label for of in labels for label in of)
    unknown = Counter({label: count for label, count in counts.items() if label not in known})
    number = unknown.total() / counts.total() if counts else None
    check = Check(
        "unknown labels", number, f"share of the {what}s that are none of the model's", f"above {UNTRAINED:.0%}"
    )
    if number is None or number <= UNTRAINED:
        return check, []
    again = commands.train()
    label, times = unknown.most_common(1)[0]
    shown = label if len(label) <= SHOWN else label[:SHOWN] + "…"
    sentence = f"{unknown.total():,} of {counts.total():,} {what}s are none that the model knows, most often '{shown}' "
    sentence += f"({times:,})"
    if number > MOSTLY:
        other = "; --label names another column" if adapter.labels_per == "input" else ""
        return check.found(f"{sentence}. A training on this data learns them{other}.", again), []
    near = _closest(label, sorted(known))
    if near:
        return check.found(sentence + near, commands.rows()), _rows(check.name, dataset, labels, unknown)
    return check.found(f"{sentence}. A training on this data learns them.", again), []


def _closest(label: str, known: Sequence[str]) -> str:
    """``; did you mean 'positive'?`` of one that is mistyped, be it in its capitals alone."""
    folded = {name.casefold(): name for name in known}
    same = folded.get(label.casefold())
    return f"; did you mean '{same}'?" if same is not None else closest(label, known)


def _rows(name: str, dataset: Dataset, labels: Sequence[Sequence[str]], unknown: Counter[str]) -> list[Evidence]:
    """Rows with such labels, each with its first one."""
    found = []
    for row, of_row in enumerate(labels):
        first = next((label for label in of_row if label in unknown), None)
        if first is not None:
            found.append(Evidence(name, dataset.lines[row], None, first, dataset.called(row)))
    return found
