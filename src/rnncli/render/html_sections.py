"""The sections of a page on one input of a model, each as markup; what they say is readable without the script."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnncli.page_results import Effect, Epoch, Page, Reasons, TermRows
from rnncli.render.html_charts import Curve, bar, curves, logarithmic
from rnncli.render.html_parts import TEXT, alone, cell, folded, level, number, percent, safe, signed, table

MANY = 60  # words, of which those without effect are shown without a number


def head(page: Page) -> str:
    """What was asked, what was answered, and of whom."""
    why = page.reasons
    if why.answer == why.told:
        answer = f'<p class="answer">The answer is <strong>{alone(why.answer, TEXT)}</strong>'
    else:
        answer = (
            f'<p class="answer">Asked for <strong>{alone(why.answer, TEXT)}</strong>; the model itself answers '
            f"{alone(why.told, TEXT)}"
        )
    if why.probability is None:
        said = f"{answer}.</p>"
    else:
        joined = ", with" if why.answer == why.told else ". What was asked for has"
        said = f'{answer}{joined} probability <strong class="n">{_probability(why.probability)}</strong>.</p>'
    facts = "".join(f"<div><dt>{safe(name)}</dt><dd>{cell(value)}</dd></div>" for name, value in page.facts)
    return f'<p class="input">{alone(page.text, TEXT)}</p>{said}<dl class="facts">{facts}</dl>'


def _probability(p: float) -> str:
    if 0.99995 <= p < 1:
        return "above 0.9999"
    return f"{p:.4f}" if p >= 0.0001 or p == 0 else f"{p:.1e}"


def words(why: Reasons) -> str:
    """The input, each part coloured and numbered by its effect."""
    unit, empty = safe(why.unit), number(why.empty_score)
    alone_each = all(effect.first == effect.last for effect in why.effects)
    stands = f"each {unit} stands" if alone_each else f"each passage of {unit}s stands"
    deleted = any(effect.deleted is not None for effect in why.effects)
    instead = "" if deleted else " What is replaced becomes an unknown word, or an average number."
    many = len(why.effects) > MANY
    quiet = f" A {unit} without a number has next to none." if many else ""
    lead = (
        f"<p>How much does each {unit} speak for {alone(why.answer)}? The score is the {safe(why.score_is)}, "
        f"{number(why.score)}; it is {empty} with every {unit} left out. Beneath {stands} its effect "
        f"on the score ({safe(why.best_is)}): with + it speaks for the answer, with − against it.{quiet}{instead}</p>"
    )
    items, last = [], 0
    for k, effect in enumerate(why.effects):
        if effect.first > last + 1:
            items.append(f'<li class="gap">… {effect.first - last - 1:,} {unit}s …</li>')
        items.append(_word(k, effect, why.largest, quiet=many))
        last = effect.last
    says = "Point at one, or move along with the arrow keys, to see every way in which it was asked about."
    rows = [_effect_cells(effect) for effect in why.effects]
    names = ("part", "place", "effect", "deleted", "replaced", "integrated", "Shapley")
    numbers = folded("The same numbers as a table", table("Effects", names, rows, range(1, 7)))
    notes = "".join(f"<p>{alone(note, TEXT)}</p>" for note in why.notes)
    return (
        f'{lead}<ol class="words">{"".join(items)}</ol><p class="says" id="word-says" aria-live="polite">'
        f"{says}</p>{notes}{numbers}"
    )


def _word(k: int, effect: Effect, largest: float, quiet: bool) -> str:
    """A word with its effect; ``quiet`` leaves one that has next to none as it is, so that the others stand out."""
    depth = level(effect.effect, -largest, largest)
    if quiet and not depth:
        return f'<li><button type="button" class="word faint" data-effect="{k}">{alone(effect.name, 60)}</button></li>'
    kind = "minus" if effect.effect < 0 else "plus"
    return (
        f'<li><button type="button" class="word {kind} w{abs(depth)}" data-effect="{k}">{alone(effect.name, 60)}'
        f'<span class="effect">{signed(effect.effect)}</span></button></li>'
    )


def _effect_cells(effect: Effect) -> tuple[str, ...]:
    place = f"{effect.first:,}" if effect.first == effect.last else f"{effect.first:,} to {effect.last:,}"
    asked = (effect.effect, effect.deleted, effect.replaced, effect.integrated, effect.shapley)
    return (alone(effect.name, 60), place, *("–" if x is None else signed(x) for x in asked))


def walk(page: Page) -> str:
    """A slider over the timesteps, which the script brings to life, and all of them as a table."""
    count = len(page.steps)
    slider = (
        '<div class="walk" id="walk" hidden><label for="step">Timestep</label>'
        f'<input type="range" id="step" min="1" max="{count}" value="{count}" step="1">'
        '<output id="step-says" for="step"></output></div>'
    )
    now = (
        f'<div class="now" id="now" hidden><div><h3>{safe(page.answers_are[:1].upper() + page.answers_are[1:])}</h3>'
        '<ol id="answers"></ol></div><div><h3>States and gates</h3><dl class="numbers" id="numbers"></dl></div></div>'
    )
    names = [name for name, _ in max((step.numbers for step in page.steps), key=len)]
    rows = []
    for step in page.steps:
        told = [cell for label, p in step.answers[:1] for cell in (alone(label), f"{p:.4f}")]
        token = alone(step.token) + ("" if step.known else " (unknown)")
        numbers = [number(x) for _, x in step.numbers]
        rows.append((f"{step.place:,}", token, *told, *numbers, *["–"] * (len(names) - len(numbers))))
    columns = ("t", "token", *(("answer", "p") if page.steps[0].answers else ()), *map(safe, names))
    numeric = (0, *range(len(columns) - len(names) - bool(page.steps[0].answers), len(columns)))
    return slider + now + folded("Every timestep as a table", table("Timesteps", columns, rows, numeric), count <= 12)


def gradient(sums: Sequence[TermRows]) -> str:
    """The gradient as a sum over timesteps."""
    origin = f" ({alone(sums[0].label_from, TEXT)})" if sums[0].label_from else ""
    lead = (
        f"<p>The loss is {number(sums[0].loss)}, of {alone(sums[0].answer, TEXT)}{origin}. A weight serves every "
        "timestep, so its gradient is a sum with a term for each. The share says how much of the whole a term adds "
        "along it; below 0 it pulls against the whole.</p>"
    )
    lead += f"<p>{alone(sums[0].vanished, TEXT)}</p>" if sums[0].vanished else ""
    return lead + "".join(_term_table(one) for one in sums)


def _term_table(one: TermRows) -> str:
    largest = max((abs(row.share) for row in one.rows), default=0.0)
    signs = any(row.share < 0 for row in one.rows)
    rows = [
        (
            *(f"{row.place:,}", alone(row.step), number(row.norm), bar(row.share, largest, signs)),
            *(f"{row.share:+z.3f}".replace("-", "−"), f"{row.cosine:+z.2f}".replace("-", "−")),
        )
        for row in one.rows
    ]
    rows.append(("Σ", "the whole", number(one.norm), "", "+1.000" if one.norm else "+0.000", ""))
    columns = ("t", "timestep", "‖term‖", "share, drawn", "share", "cosine")
    shown = "" if len(one.rows) == one.total else f"{len(one.rows)} of {one.total:,} terms, the largest. "
    residual = f"{one.residual:.1e}".replace("-", "−") if one.residual else "0"
    said = f"{shown}The terms’ sum differs from training’s own gradient by {residual} at most."
    title = f"∂L/∂ {safe(one.parameter, TEXT)}"
    return f'<div class="sum"><h3>{title}</h3>{table(title, columns, rows, (0, 2, 4, 5))}<p>{said}</p></div>'


def reach(page: Page) -> str:
    """How much of a gradient at the end arrives how far back."""
    parts = [
        "<p>How much of a gradient at a layer’s last state arrives how far back: in h, or in an LSTM’s memory c. "
        "A full bar is 1, half of it 1 in 1,000, an empty one 1 in 1,000,000.</p>"
    ]
    for k, one in enumerate(page.memory):
        rows = [
            (f"{back}", alone(step), bar(logarithmic(share), 1.0, signed=False), _share(share))
            for back, step, share in one.rows
        ]
        title = f"{safe(one.cell)} {safe(one.direction)}"
        facts = "".join(f"<div><dt>{safe(name)}</dt><dd>{cell(value)}</dd></div>" for name, value in one.facts)
        columns = ("steps back", "timestep", "share, drawn", "share")
        inside = f'{table(title, columns, rows, (0, 3))}<dl class="facts">{facts}</dl>'
        numbers = folded("Step by step", inside, k >= len(page.memory) - 2 and len(rows) <= 20)
        parts.append(f"<h3>{title}</h3><p>{alone(one.sentence, TEXT)}</p>{numbers}")
    return "".join(parts)


def _share(share: float) -> str:
    return percent(share) if share < 10 else f"{share:.3g} times"


def learning(page: Page) -> str:
    """The training record as curves."""
    best = page.best_epoch
    losses = [_curve("training", "a", page.epochs, "loss"), _curve("validation", "b", page.epochs, "validation_loss")]
    scores = [_curve("validation", "b", page.epochs, "validation_accuracy")]
    parts = []
    for title, lines in (("Loss", losses), ("Accuracy", scores)):
        lines = [line for line in lines if line.points]
        if lines:
            caption = f"<figcaption><b>{title}</b></figcaption>"
            parts.append(f"<figure>{caption}{curves(title, lines, best)}</figure>")
    rows = [
        (
            *(f"{e.number}", cell(e.loss), cell(e.validation_loss), cell(e.validation_accuracy)),
            "best" if e.number == best else "",
        )
        for e in page.epochs
    ]
    columns = ("epoch", "loss", "validation loss", "validation accuracy", "")
    said = (
        "" if any(e.validation_loss is not None for e in page.epochs) else "<p>No rows were set aside to validate.</p>"
    )
    shown = "Every epoch" if len(rows) == page.epochs_total else f"{len(rows):,} of {page.epochs_total:,} epochs"
    numbers = folded(f"{shown} as a table", table("Epochs", columns, rows, range(4)))
    return f'{said}<div class="maps">{"".join(parts)}</div>{numbers}'


def _curve(name: str, style: str, epochs: Sequence[Epoch], field: str) -> Curve:
    found = [(epoch.number, getattr(epoch, field)) for epoch in epochs]
    return Curve(name, style, [(number, float(y)) for number, y in found if y is not None and math.isfinite(y)])
