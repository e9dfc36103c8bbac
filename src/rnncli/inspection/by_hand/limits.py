"""How large an example may be that is worked by hand."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.errors import UsageError, counted

LAYERS, UNITS, VOCABULARY, TIMESTEPS, LABELS = 3, 8, 12, 8, 8
SMALLER = (
    "rnncli train sample_data/notes.csv --config sample_data/notes.yaml makes a model that is small enough; "
    "for a large one there is rnncli inspect --bptt"
)
SHORTER = "give a shorter text, or a shorter --answer; for a long one there is rnncli inspect --bptt"


@dataclass(frozen=True)
class Size:
    """How many there are of something, and how many of them can be read at most.

    Attributes:
        one: its name in the singular; the plural has an s.
        behind: words behind the name: `` of the source``.
    """

    count: int
    most: int
    one: str
    behind: str = ""

    def require(self, hint: str = SMALLER) -> None:
        """Raises UsageError: there are more than can be read."""
        if self.count > self.most:
            words = counted(self.count, self.one + self.behind, f"{self.one}s{self.behind}")
            raise UsageError(f"{words} are more than can be read by hand: at most {self.most}", hint)
