"""``--check-gradients``: backpropagation held against differences."""

from __future__ import annotations

from rnncli.cli.views.view import Shown, Subject, View, notes_on


def draw(subject: Subject, *, full: bool = False) -> Shown:
    """Shows the worst entries of each parameter; all of them are compared if ``full``."""
    from rnncli.inspection.check import ENTRIES, check_gradients

    found = check_gradients(subject.opened, None if full else ENTRIES)
    return Shown([found.view()], found.document, not found.passed, notes_on(found.loss))


VIEW = View(
    "check_gradients", "Check backpropagation against numeric gradients; exit code 1 if they differ.", draw, loss=True
)
