"""``--timesteps``: the hidden state and the prediction after every token."""

from __future__ import annotations

from rnncli.cli.views.view import Shown, Subject, View, chosen_units

FIRST_UNITS = 6


def draw(subject: Subject, *, units: str | None = None, top: int | None = None) -> Shown:
    """Shows the states; by default, of as many units as fit on the screen."""
    trace = subject.adapter.trace(subject.text)
    chosen = chosen_units(trace.units, units, top, trace.most_changing)
    if chosen is not None:
        return Shown([trace.view(chosen)], trace.document())
    chosen = list(range(min(FIRST_UNITS, len(trace.units))))
    view = trace.view(chosen)
    while len(chosen) > 1 and subject.fits is not None and not subject.fits(view):
        chosen = chosen[:-1]
        view = trace.view(chosen)
    return Shown([view], trace.document())


VIEW = View(
    "timesteps",
    "The hidden state after every token.",
    draw,
    answer=False,
    drawing=("units", "top"),
    page=True,
    more_flags=("-t",),
)
