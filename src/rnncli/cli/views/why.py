"""``--why``: which parts of the input made the prediction."""

from __future__ import annotations

from rnncli.cli.views.view import ROWS, Shown, Subject, View

SHORT_TEXT = 500  # characters, that a note below a table may quote


def draw(subject: Subject, *, full: bool = False) -> Shown:
    """Shows the effect of each part on the score of the answer."""
    from rnncli.inspection.loss import GIVEN, PREDICTION
    from rnncli.inspection.why import why

    found = why(subject.adapter.question(subject.text, subject.answer))
    notes = [found.saturation] if found.saturated else []
    if subject.answer is None and subject.label.text is not None:
        notes.append(f"{subject.label.origin} has the label {subject.label.text}: what is explained is the prediction")
    if found.flip_text is not None and found.flip_explains:
        short = len(found.flip_text) <= SHORT_TEXT
        notes += [f"the same without them{f': {found.flip_text}' if short else ' is flip_text of --json'}"]
    document = found.document() | {"answer_from": GIVEN if subject.answer is not None else PREDICTION}
    return Shown([found.view(None if full else ROWS)], document, notes=notes)


VIEW = View("why", "Which words led to the prediction.", draw, label=True, drawing=("full",), page=True)
