"""Records as they are read: kept, or left out with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnncli.errors import DataError

# Of how many records that were left out it is kept why.
SKIPPED_SHOWN = 5
SKIP_HINT = "leave such records out with --skip-bad"


@dataclass
class Records:
    """What was read of a file so far.

    Args:
        name: of the file, in messages.
        skip_bad: leave out what cannot be used.

    Attributes:
        texts, labels, lines: one entry a record.
        shown: what to call each record, where its text is not what anybody wants to see; empty otherwise.
        skipped: a message for each record that was left out.
    """

    name: str
    skip_bad: bool
    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, line: int, text: str, label: str, shown: str | None = None) -> None:
        """Keeps a record."""
        self.texts.append(text)
        self.labels.append(label)
        self.lines.append(line)
        if shown is not None:
            self.shown.append(shown)

    def leave_out(self, line: int, problem: str) -> None:
        """Counts a record that cannot be used.

        Raises:
            DataError: such records are not to be left out.
        """
        message = f"{self.name}:{line}: {problem}"
        if not self.skip_bad:
            raise DataError(message, SKIP_HINT)
        self.skipped.append(message)

    def require_some(self) -> None:
        """Raises DataError: nothing was kept."""
        if not self.texts:
            raise DataError(f"{self.name}: no records")
