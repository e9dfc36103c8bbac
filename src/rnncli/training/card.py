"""The short text that lies beside a model and says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.render.clean import clean

if TYPE_CHECKING:
    from rnncli.training.session import Session


def model_card(session: Session) -> str:
    """Markdown: data, network, score beside the baselines, and what to keep in mind."""
    s, report = session.settings, session.prepared.report
    progress = session.state.progress
    labels = ", ".join(f"{clean(label, 40)} ({rows:,})" for label, rows in list(report.labels.items())[:20])
    directions = "both directions" if s.bidirectional else "one direction"
    network = f"{s.cell.upper()}, {s.hidden} units, {directions}, {s.layers} layer(s), {s.readout} read-out"
    lines = [
        f"# {clean(session.folder.path.name)}",
        "",
        f"A classifier of text, trained on {report.training_rows:,} rows of `{clean(session.dataset.name, 200)}`.",
        "",
        f"- Labels: {labels}",
        f"- Network: {network}; {s.input} input over {report.vocabulary:,} known {report.tokens}s",
        f"- Training: {progress.epoch} epochs of at most {s.epochs}, {s.optimizer}, seed {s.seed}; "
        f"best after epoch {progress.best_epoch}",
    ]
    if session.baselines is not None and progress.best_score is not None:
        lines.append(
            f"- Accuracy on {report.validation_rows:,} validation rows: {progress.best_score[0]:.4f} "
            f"(bag of words {session.baselines.bag_of_words:.4f}, commonest label {session.baselines.majority:.4f})"
        )
    lines += [
        "",
        "The best epoch was chosen on the validation rows, so their score is a little too kind: for a figure to quote, "
        "run `rnncli evaluate` on data that the training has not seen.",
        "",
    ]
    return "\n".join(lines)
