"""``--by-hand``: one example worked with every number."""

from __future__ import annotations

from collections.abc import Callable

from rnncli.cli.views.view import Shown, Subject, View
from rnncli.errors import UsageError


def draw(subject: Subject, *, form: str | None = None) -> Shown:
    """Shows the example forward and backward.

    Args:
        form: text, markdown or latex; text if None.

    Raises:
        UsageError: there is no such form, or the network has too many numbers.
    """
    from rnncli.render.by_hand import as_latex, as_markdown, as_text

    found = subject.adapter.by_hand(subject.text, subject.asked)
    forms: dict[str, Callable[[int, bool], str]] = {
        "text": lambda width, ascii: as_text(found, width, ascii),
        "markdown": lambda width, ascii: as_markdown(found, ascii),
        "latex": lambda width, ascii: as_latex(found),
    }
    if form is not None and form not in forms:
        raise UsageError(f"--as {form}: the forms are {', '.join(forms)}")
    return Shown([forms[form or "text"]], found, notes=[found.vanished] if found.vanished else [])


VIEW = View(
    "by_hand",
    "One example worked out with every number, forward and backward.",
    draw,
    loss=True,
    drawing=("form",),
    instead_of_picture="--as latex makes a document to print",
)
