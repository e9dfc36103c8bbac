"""The sections of a page on one input of a model as HTML, readable without the script."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnncli.clean import clean
from rnncli.errors import counted
from rnncli.page_results import Effect, Epoch, Page, Reasons, TermRows
from rnncli.render.html_charts import Curve, bar, curves, logarithmic
from rnncli.render.html_parts import (
    TEXT,
    WORD,
    Html,
    alone,
    cell,
    element,
    facts,
    folded,
    joined,
    level,
    number,
    percent,
    signed,
    table,
)
from rnncli.results import Column, HeatMap, TableCell, TableView

MANY = 60  # if there are more words, those with next to no effect are shown without a number


def head(page: Page) -> Html:
    """The input, the answer, and the model."""
    why = page.reasons
    answer, asked_for = element("strong", alone(why.answer, TEXT)), why.answer != why.predicted
    said: list[str] = ["The answer is ", answer]
    if asked_for:
        said = ["Asked for ", answer, "; the model itself answers ", alone(why.predicted, TEXT)]
    if why.probability is not None:
        probability = element("strong", _probability(why.probability), class_="n")
        said += [". What was asked for has" if asked_for else ", with", " probability ", probability]
    text = element("p", alone(page.text, TEXT), class_="input")
    return text + element("p", *said, ".", class_="answer") + facts(page.facts)


def _probability(p: float) -> str:
    if 0.99995 <= p < 1:
        return "above 0.9999"
    return f"{p:.4f}" if p >= 0.0001 or p == 0 else f"{p:.1e}"


def words(why: Reasons) -> Html:
    """The input, each part coloured and numbered by its effect."""
    unit, empty = clean(why.unit, WORD), number(why.empty_score)
    alone_each = all(effect.first == effect.last for effect in why.effects)
    stands = f"each {unit} stands" if alone_each else f"each passage of {unit}s stands"
    deleted = any(effect.deleted is not None for effect in why.effects)
    instead = "" if deleted else " In place of what is left out stands an unknown word, or an average number."
    many = len(why.effects) > MANY
    quiet = f" A {unit} without a number has next to none." if many else ""
    lead = element(
        "p",
        f"How much does each {unit} speak for ",
        alone(why.answer),
        f"? The score is the {clean(why.score_is, WORD)}, {number(why.score)}; it is {empty} with every {unit} left "
        f"out. Beneath {stands} its effect on the score ({clean(why.best_is, WORD)}): with + it speaks for the answer, "
        f"with − against it.{quiet}{instead}",
    )
    items, last = [], 0
    for k, effect in enumerate(why.effects):
        if effect.first > last + 1:
            items.append(element("li", f"… {counted(effect.first - last - 1, unit)} …", class_="gap"))
        items.append(_word(k, effect, why.largest, quiet=many))
        last = effect.last
    says = "Point at one, or move with the arrow keys, to see its effect by every method."
    rows = [_effect_cells(effect) for effect in why.effects]
    names = ("part", "place", "effect", "deleted", "replaced", "integrated", "Shapley")
    numbers = folded("The same numbers as a table", table("Effects", names, rows, range(1, 7)))
    notes = [element("p", alone(note, TEXT)) for note in why.notes]
    pointed_at = element("p", says, class_="says", id="word-says", aria_live="polite")
    return joined([lead, element("ol", *items, class_="words"), pointed_at, *notes, numbers])


def _word(k: int, effect: Effect, largest: float, quiet: bool) -> Html:
    """A word with its effect; if ``quiet``, one that has next to none is faint and has no number."""
    depth = level(effect.effect, -largest, largest)
    content: list[Html] = [alone(effect.name, 60)]
    if quiet and not depth:
        style = "faint"
    else:
        style = f"{'minus' if effect.effect < 0 else 'plus'} w{abs(depth)}"
        content.append(element("span", signed(effect.effect), class_="effect"))
    return element("li", element("button", *content, type="button", class_=f"word {style}", data_effect=k))


def _effect_cells(effect: Effect) -> tuple[str, ...]:
    place = f"{effect.first:,}" if effect.first == effect.last else f"{effect.first:,} to {effect.last:,}"
    asked = (effect.effect, effect.deleted, effect.replaced, effect.integrated, effect.shapley)
    return (alone(effect.name, 60), place, *("–" if x is None else signed(x) for x in asked))


def walk(page: Page) -> Html:
    """A slider over the timesteps, which the script brings to life, and all of them as a table."""
    count = len(page.steps)
    answers_are = clean(page.answers_are[:1].upper() + page.answers_are[1:], WORD)
    label = element("label", "Timestep", for_="step")
    control = element("input", type="range", id="step", min=1, max=count, value=count, step=1)
    says = element("output", id="step-says", for_="step")
    slider = element("div", label, control, says, class_="walk", id="walk", hidden=True)
    unanswered = not any(step.answers for step in page.steps) or None  # numbers stand beside the states
    answers = element("div", element("h3", answers_are), element("ol", id="answers"), hidden=unanswered)
    values = element("div", element("h3", "States and gates"), element("dl", class_="numbers", id="numbers"))
    now = element("div", answers, values, class_="now", id="now", hidden=True)
    names = [name for name, _ in max((step.numbers for step in page.steps), key=len)]
    rows = []
    for step in page.steps:
        answer = [cell for label, p in step.answers[:1] for cell in (alone(label), f"{p:.4f}")]
        token = alone(step.token) + ("" if step.known else " (unknown)")
        numbers = [number(x) for _, x in step.numbers]
        rows.append((f"{step.place:,}", token, *answer, *numbers, *["–"] * (len(names) - len(numbers))))
    first = ["t", "token", *(["prediction", "p"] if page.steps[0].answers else [])]
    columns = [*first, *(clean(name, WORD) for name in names)]
    numeric = (0, *range(len(first) - (len(first) > 2), len(columns)))
    return slider + now + folded("Every timestep as a table", table("Timesteps", columns, rows, numeric), count <= 12)


def gradient(sums: Sequence[TermRows]) -> Html:
    """The gradient as a sum over timesteps."""
    first = sums[0]
    lead = element(
        "p",
        f"The loss is {number(first.loss)}, of ",
        alone(first.answer, TEXT),
        Html(" ({})").format(alone(first.label_from, TEXT)) if first.label_from else "",
        ". A weight is used at every timestep, so its gradient is a sum with a term for each. The share is how much of "
        "the whole a term adds along it; below 0 it works against the whole.",
    )
    vanished = [element("p", alone(first.vanished, TEXT))] if first.vanished else []
    return joined([lead, *vanished, *map(_term_table, sums)])


def _term_table(one: TermRows) -> Html:
    largest = max((abs(row.share) for row in one.rows), default=0.0)
    signs = any(row.share < 0 for row in one.rows)
    rows: list[tuple[str, ...]] = []
    for row in one.rows:
        share, cosine = (text.replace("-", "−") for text in (f"{row.share:+z.3f}", f"{row.cosine:+z.2f}"))
        drawn = bar(row.share, largest, signs)
        rows.append((f"{row.place:,}", alone(row.step), number(row.norm), drawn, share, cosine))
    rows.append(("Σ", "the whole", number(one.norm), "", "+1.000" if one.norm else "+0.000", ""))
    columns = ("t", "timestep", "‖term‖", "share, drawn", "share", "cosine")
    shown = "" if len(one.rows) == one.total else f"{len(one.rows)} of {one.total:,} terms, the largest. "
    residual = f"{one.residual:.1e}".replace("-", "−") if one.residual else "0"
    said = f"{shown}The sum of the terms differs from training’s own gradient by {residual} at most."
    title = f"∂L/∂ {clean(one.parameter, TEXT)}"
    numbers = table(title, columns, rows, (0, 2, 4, 5))
    return element("div", element("h3", title), numbers, element("p", said), class_="sum")


def reach(page: Page) -> Html:
    """How much of a gradient at the last state is left how far back."""
    parts = [
        element(
            "p",
            "How much of a gradient at a layer’s last state is left how far back: in h, or in an LSTM’s memory c. "
            "A full bar is 1, half of one 1 in 1,000, an empty one 1 in 1,000,000.",
        )
    ]
    for k, one in enumerate(page.memory):
        rows = [
            (f"{back}", alone(step), bar(logarithmic(share), 1.0, signed=False), _share(share))
            for back, step, share in one.rows
        ]
        title = f"{clean(one.cell, WORD)} {clean(one.direction, WORD)}"
        columns = ("steps back", "timestep", "share, drawn", "share")
        inside = table(title, columns, rows, (0, 3)) + facts(one.facts)
        numbers = folded("Step by step", inside, k >= len(page.memory) - 2 and len(rows) <= 20)
        parts += [element("h3", title), element("p", alone(one.sentence, TEXT)), numbers]
    return joined(parts)


def _share(share: float) -> str:
    return percent(share) if share < 10 else f"{share:.3g} times"


def tables(views: Sequence[TableView | HeatMap]) -> Html:
    """Tables and maps as they are in a pipe."""
    parts = []
    for view in views:
        if isinstance(view, HeatMap):
            columns = (Column(""), *(Column(name, True) for name in view.columns))
            cells: list[tuple[TableCell, ...]] = [(k, *row) for k, row in zip(view.rows, view.values, strict=True)]
            view = TableView(view.title, columns, tuple(cells))
        rows = [[cell(value) for value in row] for row in view.rows]
        numeric = [k for k, column in enumerate(view.columns) if column.numeric]
        title = clean(view.title, TEXT)
        parts += [element("h3", title), table(title, [clean(one.name, WORD) for one in view.columns], rows, numeric)]
        parts += [element("p", clean(view.caption, TEXT))] if view.caption else []
    return joined(parts)


def learning(page: Page) -> Html:
    """The training record as curves."""
    best, share = page.best_epoch, page.share_is
    losses = [_curve("training", "a", page.epochs, "loss"), _curve("validation", "b", page.epochs, "validation_loss")]
    scores = [_curve("validation", "b", page.epochs, "validation_accuracy")]
    errors = [_curve("validation", "b", page.epochs, "validation_error")]
    figures = [
        element("figure", element("figcaption", element("b", title)), curves(title, lines, best))
        for title, found in (("Loss", losses), (share[:1].upper() + share[1:], scores), ("Mean absolute error", errors))
        if (lines := [line for line in found if line.points])
    ]
    score, named = "validation_accuracy", f"validation {share}"
    if any(line.points for line in errors):
        score, named = "validation_error", "validation error"
    rows = [
        [f"{e.number}", *map(cell, (e.loss, e.validation_loss, getattr(e, score))), "best" * (e.number == best)]
        for e in page.epochs
    ]
    columns = ("epoch", "loss", "validation loss", named, "")
    validated = any(e.validation_loss is not None for e in page.epochs)
    said = [] if validated else [element("p", "No rows were set aside to validate.")]
    shown = "Every epoch" if len(rows) == page.epochs_total else f"{len(rows):,} of {page.epochs_total:,} epochs"
    numbers = folded(f"{shown} as a table", table("Epochs", columns, rows, range(4)))
    return joined([*said, element("div", *figures, class_="maps"), numbers])


def _curve(name: str, style: str, epochs: Sequence[Epoch], field: str) -> Curve:
    found = [(epoch.number, getattr(epoch, field)) for epoch in epochs]
    return Curve(name, style, [(number, float(y)) for number, y in found if y is not None and math.isfinite(y)])
