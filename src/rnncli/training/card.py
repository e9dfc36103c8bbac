"""The README of a run: what the model is, and how good."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnncli.clean import clean
from rnncli.errors import counted
from rnncli.results import format_number
from rnncli.tasks.comparison import Baseline, Comparison
from rnncli.tasks.cross_validation import CrossValidation
from rnncli.tasks.model import Model
from rnncli.tasks.report import Report, beside_words, interval_words

# Letters, digits and marks that mean nothing to Markdown or HTML, and of which no program makes a link.
_PLAIN = re.compile(r"(?:[^\W_]|[ ,;%()’'-]|:(?= )|\.(?=[\d ]|\Z))*")


def model_card(
    name: str,
    data: str,
    model: Model,
    report: Report,
    baselines: Sequence[Baseline],
    comparison: Comparison | None,
    tested: Comparison | None = None,
    crossed: CrossValidation | None = None,
) -> str:
    """Markdown: data, network, score beside the baselines, and what to keep in mind.

    Args:
        name: of the run.
        data: name of the data file.
        model: that of the best epoch, with its record.
        report: describes the data.
        baselines: empty without validation rows.
        comparison: of the model with the best baseline.
        tested: the same on the test rows.
        crossed: the scores of folds, where there were some.
    """
    s, record = model.settings, model.record
    known = [report.summary]
    known += [(what.capitalize(), str(value)) for what, value in model.describe() if what not in ("labels", "tags")]
    best = "" if record.best_epoch is None else f"; best after epoch {record.best_epoch}"
    lines = [
        f"# {literal(name)}",
        "",
        f"{report.what}, trained on {counted(report.training_rows, report.row)} of {literal(data, 200)}.",
        "",
        *(f"- {what}: {literal(value)}" for what, value in known),
        f"- Training: {counted(len(record.epochs), 'epoch')} of at most {s.epochs}, {s.optimizer}, seed {s.seed}{best}",
    ]
    score = None if record.best is None else model.metric.of(record.best)
    if baselines and score is not None:
        beside = beside_words({baseline.name: baseline.score for baseline in baselines})
        lines.append(f"- {model.metric.title} on {report.validated_on}: {format_number(score)} ({beside})")
        lines += [] if comparison is None else [f"- {comparison.sentence(report.validated_on)}"]
    test = record.test
    if test is not None:
        of = f"- {model.metric.title} on {report.tested_on} of {literal(test.data, 200)}, scored once at the end"
        beside = beside_words(test.baselines)
        lines.append(f"{of}: {format_number(test.score)}, {interval_words(test)} ({beside})")
        lines += [] if tested is None else [f"- {tested.sentence(report.tested_on)}"]
    lines += [] if crossed is None else [f"- {crossed.sentence} This model was trained as without folds."]
    if record.origin is not None:
        lines.append(f"- Begun with the model {literal(record.origin.in_words)} (SHA-256 {record.origin.digest})")
    if record.kept is not None:
        kept = record.kept
        of = f"- {model.metric.title} on {counted(kept.rows, f'older {report.row}')} of {literal(kept.data, 200)}"
        lines.append(f"{of}: {format_number(kept.before)} before, {format_number(kept.after)} after")
    if record.digest:
        lines.append(f"- Made with rnncli {record.version}; SHA-256 of the data {record.digest}")
    quote = (
        "run `rnncli evaluate` on data that the training has not seen" if crossed is None else "take that of the folds"
    )
    quote = quote if test is None else "take that of the test"
    lines += [
        "",
        f"The best epoch was chosen on the validation {report.row}s, so their score is a little too kind: "
        f"for a figure to quote, {quote}.",
        "",
    ]
    return "\n".join(lines)


def literal(text: str, limit: int | None = None) -> str:
    """Markdown that shows ``text`` as it is, whatever it holds: as code, unless it is made of plain words.

    In code no HTML, link, image, address or entity has an effect. The fence has more backticks than stand together
    anywhere in the text.
    """
    shown = clean(text, limit)
    if _PLAIN.fullmatch(shown):
        return shown
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    apart = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{apart}{shown}{apart}{fence}"
