"""Results as tables: which numbers a command shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnncli.errors import counted
from rnncli.render.clean import clean
from rnncli.render.tables import Cell, Column, TableView

if TYPE_CHECKING:
    from rnncli.inspection.trace import Trace
    from rnncli.model import Evaluation, Model, Prediction
    from rnncli.tasks.prepare import Report
    from rnncli.training.session import Session

# A confusion matrix is a picture for a few labels; for many it is a wall, and the table of labels says more.
MOST_LABELS_IN_MATRIX = 12
# Cells that a label may take in a line of text.
LABEL_WIDTH = 40


def percent(share: float) -> str:
    return f"{share:.1%}"


def report_lines(report: Report) -> list[tuple[str, str]]:
    """The report before training as ``(what, value)``."""
    commonest = list(report.labels.items())[:8]
    shown = [f"{clean(label, LABEL_WIDTH)} {count:,} ({count / report.rows:.0%})" for label, count in commonest]
    if len(report.labels) > len(shown):
        shown.append(f"and {len(report.labels) - len(shown)} more")
    low, middle, high = report.lengths
    lengths = f"{low:,} to {high:,} {report.tokens}s, median {middle:,}"
    if report.cut:
        longer = counted(report.cut, "longer text is read without its", "longer texts are read without their")
        lengths += f"; {longer} middle (--max-length)"
    side = "validation" if report.validation_rows else "training"
    lines = [
        ("rows", f"{report.rows:,}: {report.training_rows:,} to train, {report.validation_rows:,} to validate"),
        ("labels", ", ".join(shown)),
        ("lengths", lengths),
        ("vocabulary", f"{report.vocabulary:,} of {report.distinct_tokens:,} distinct {report.tokens}s are known"),
        ("unknown", f"{report.unknown_rate:.2%} of the {side} tokens"),
    ]
    if report.on_both_sides:
        texts = counted(report.on_both_sides, "text stands", "texts stand")
        lines.append(("both sides", f"{texts} in training and in validation"))
    return lines


def training_summary(session: Session) -> TableView:
    """The best epoch beside the baselines, on the same validation rows."""
    progress, baselines = session.state.progress, session.baselines
    rows: list[tuple[Cell, ...]] = []
    if progress.best_score is not None and session.prepared.validation.inputs:
        s = session.settings
        rows.append(
            (f"{s.cell.upper()} ({counted(s.hidden, 'unit')}), epoch {progress.best_epoch}", progress.best_score[0])
        )
    if baselines is not None:
        rows += [("bag of words", baselines.bag_of_words), ("commonest label", baselines.majority)]
    count = session.prepared.report.validation_rows
    return TableView(
        f"Accuracy on {counted(count, 'validation row')}", (Column("model"), Column("accuracy", True)), tuple(rows)
    )


def verdict(session: Session) -> str | None:
    """One sentence on whether the network is worth having; None when there is nothing to compare."""
    best, baselines = session.state.progress.best_score, session.baselines
    if best is None or baselines is None:
        return None
    ahead = best[0] - baselines.bag_of_words
    if ahead > 0:
        return f"The network is {100 * ahead:.1f} points ahead of a bag of words, which ignores the order of words."
    if ahead == 0:
        return "The network is not better than a bag of words, which ignores the order of words: they are equal."
    return (
        f"The network is not better than a bag of words, which ignores the order of words: it is "
        f"{-100 * ahead:.1f} points behind."
    )


def predictions_view(predictions: Sequence[Prediction]) -> TableView:
    """One row a text."""
    rows = tuple(
        (p.text, p.label or "(empty)", p.probability, ", ".join(p.unknown) or ("-" if p.tokens else "no tokens"))
        for p in predictions
    )
    columns = (Column("text"), Column("label", style="bold"), Column("probability", True), Column("unknown words"))
    return TableView("", columns, rows)


def prediction_fields(p: Prediction) -> tuple[str, str, str, str]:
    """Label, probability, unknown words and text, cleaned; an empty text has the label ``(empty)``."""
    label = "(empty)" if p.label is None else p.label
    probability = "-" if p.probability is None else f"{p.probability:.4f}"
    return clean(label), probability, clean(" ".join(p.unknown)) or "-", clean(p.text)


def prediction_line(p: Prediction, width: int) -> str:
    """One answer on one line of a terminal; the text makes room for the unknown words behind it."""
    from rich.cells import cell_len

    label, probability, _, _ = prediction_fields(p)
    start = f"{clean(label, 20):<20} {probability:>6}  "
    end = f"  (unknown: {clean(', '.join(p.unknown), max(1, width // 3))})" if p.unknown else ""
    return clean(start + clean(p.text, max(1, width - cell_len(start) - cell_len(end))) + end, width)


def layers_view(model: Model) -> TableView:
    """Every parameter with its shape; the sum in the caption."""
    shapes = model.network.shapes()
    rows: list[tuple[Cell, ...]] = []
    total = 0
    for name, shape in shapes.items():
        count = 1
        for side in shape:
            count *= side
        total += count
        rows.append((name, " × ".join(str(side) for side in shape), count))
    columns = (Column("parameter"), Column("shape"), Column("numbers", True))
    return TableView("Layers", columns, tuple(rows), f"{total:,} numbers in all, {model.settings.dtype}")


def model_pairs(model: Model, path: str) -> list[tuple[str, Cell]]:
    """What a model is, in a few lines."""
    s, record = model.settings, model.record
    directions = "both directions" if s.bidirectional else "one direction"
    size = f"{counted(s.hidden, 'unit')}, {counted(s.layers, 'layer')}"
    pairs: list[tuple[str, Cell]] = [
        ("model", path),
        ("labels", ", ".join(model.labels)),
        ("network", f"{s.cell.upper()}, {size}, {directions}, {s.readout} read-out"),
        ("input", f"{s.input} over {counted(len(model.vocabulary.tokens), f'known {s.tokens}')} and <unk>"),
    ]
    rows, data = record.get("rows"), record.get("data")
    if isinstance(rows, int):  # a model that was put together in Python has no record
        pairs.append(("trained on", f"{counted(rows, 'row')} of {data}, seed {s.seed}"))
    baselines = record.get("baselines")
    if baselines:
        best = next((e for e in record.get("epochs", []) if e["epoch"] == record.get("best_epoch")), None)
        if best and best["validation_accuracy"] is not None:
            pairs.append(
                (
                    "validation",
                    f"accuracy {best['validation_accuracy']:.4f} (bag of words {baselines['bag_of_words']:.4f}, "
                    f"commonest label {baselines['majority']:.4f})",
                )
            )
    return pairs


def record_view(epochs: Sequence[dict[str, Any]], most: int | None = None) -> TableView:
    """The training record, one row an epoch; with ``most`` so many, evenly spread, the last among them."""
    count, caption = len(epochs), None
    if most is not None and count > most:
        shown = sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})
        epochs = [epochs[k] for k in shown]
        caption = f"{len(shown)} of {count} epochs; piped output and --json have all"
    rows = tuple(
        (e["epoch"], e["loss"], e["validation_loss"], e["validation_accuracy"], "best" if e["best"] else "")
        for e in epochs
    )
    columns = (
        Column("epoch", True),
        Column("loss", True),
        Column("validation loss", True),
        Column("validation accuracy", True),
        Column(""),
    )
    return TableView("Training", columns, rows, caption)


def trace_view(trace: Trace, units: Sequence[int]) -> TableView:
    """One row a timestep: token, what the model would answer here, the state's norm and the chosen units."""
    best = trace.prefix_probabilities.argmax(axis=1)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            t + 1,
            token if trace.known[t] else f"{token} <unk>",
            trace.labels[best[t]],
            float(trace.prefix_probabilities[t, best[t]]),
            float(trace.norm[t]),
            *(float(value) for value in trace.hidden[t, list(units)]),
        )
        for t, token in enumerate(trace.tokens)
    )
    columns = (
        Column("t", True),
        Column("token", style="bold"),
        Column("answer"),
        Column("p", True),
        Column("‖h‖", True),
        *(Column(f"h{trace.units[unit]}", True) for unit in units),
    )
    caption = (
        "answer, p: the prediction if the text ended there; "
        f"{len(units)} of {len(trace.units)} units, choose with --units or --top"
    )
    return TableView("Hidden state after every timestep", columns, rows, caption)


def scores_pairs(evaluation: Evaluation) -> list[tuple[str, Cell]]:
    """The figures of the whole evaluation."""
    scores = evaluation.scores
    low, high = scores.interval
    pairs: list[tuple[str, Cell]] = [
        ("rows", scores.rows),
        ("accuracy", f"{scores.accuracy:.4f} (95% interval {low:.4f} to {high:.4f}, bootstrap)"),
        ("macro F1", f"{scores.macro_f1:.4f}"),
    ]
    for label, count in evaluation.unseen.items():
        pairs.append(("never trained", f"label '{label}', {counted(count, 'row')}: always counted wrong"))
    return pairs


def labels_view(evaluation: Evaluation) -> TableView:
    """Precision, recall and F1 by label."""
    rows = tuple((s.label, s.precision, s.recall, s.f1, s.support) for s in evaluation.scores.labels)
    columns = (
        Column("label"),
        Column("precision", True),
        Column("recall", True),
        Column("F1", True),
        Column("rows", True),
    )
    return TableView("By label", columns, rows)


def confusion_view(evaluation: Evaluation) -> TableView:
    """True labels down, answers across; for many labels only the pairs confused most."""
    names = [s.label for s in evaluation.scores.labels]
    matrix = evaluation.scores.confusion
    if len(names) <= MOST_LABELS_IN_MATRIX:
        columns = (Column("truth \\ answer"), *(Column(name, True) for name in names))
        rows: tuple[tuple[Cell, ...], ...] = tuple((name, *counts) for name, counts in zip(names, matrix, strict=True))
        return TableView("Confusion", columns, rows)
    pairs = [
        (count, names[i], names[j])
        for i, counts in enumerate(matrix)
        for j, count in enumerate(counts)
        if i != j and count
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    columns = (Column("truth"), Column("answer"), Column("times", True))
    return TableView("Confused most", columns, tuple((truth, answer, count) for count, truth, answer in pairs[:15]))


def mistakes_view(evaluation: Evaluation) -> TableView:
    """The wrong answers given with most confidence."""
    rows = tuple((m.line, m.truth, m.predicted, m.probability, m.text) for m in evaluation.mistakes)
    columns = (Column("line", True), Column("truth"), Column("answer"), Column("probability", True), Column("text"))
    return TableView("Most confident mistakes", columns, rows)
