"""The short text that lies beside a model and says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.errors import counted
from rnncli.render.clean import clean

if TYPE_CHECKING:
    from rnncli.training.session import Session


def model_card(session: Session) -> str:
    """Markdown: data, network, score beside the baselines, and what to keep in mind."""
    s, report = session.settings, session.prepared.report
    progress = session.state.progress
    labels = ", ".join(f"{clean(label, 40)} ({rows:,})" for label, rows in list(report.labels.items())[:20])
    directions = "both directions" if s.bidirectional else "one direction"
    size = f"{counted(s.hidden, 'unit')}, {directions}, {counted(s.layers, 'layer')}"
    network = f"{s.cell.upper()}, {size}, {s.readout} read-out"
    lines = [
        f"# {clean(session.folder.path.name)}",
        "",
        f"A classifier of text, trained on {counted(report.training_rows, 'row')} of "
        f"`{clean(session.dataset.name, 200)}`.",
        "",
        f"- Labels: {labels}",
        f"- Network: {network}; {s.input} input over {report.vocabulary:,} known {report.tokens}s",
        f"- Training: {counted(progress.epoch, 'epoch')} of at most {s.epochs}, {s.optimizer}, seed {s.seed}; "
        f"best after epoch {progress.best_epoch}",
    ]
    if session.baselines is not None and progress.best_score is not None:
        lines.append(
            f"- Accuracy on {counted(report.validation_rows, 'validation row')}: {progress.best_score[0]:.4f} "
            f"(bag of words {session.baselines.bag_of_words:.4f}, commonest label {session.baselines.majority:.4f})"
        )
    lines += [
        "",
        "The best epoch was chosen on the validation rows, so their score is a little too kind: for a figure to quote, "
        "run `rnncli evaluate` on data that the training has not seen.",
        "",
    ]
    return "\n".join(lines)
