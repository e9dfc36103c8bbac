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
    described = session.model().describe()
    lines = [
        f"# {clean(session.folder.path.name)}",
        "",
        f"{report.what}, trained on {counted(report.training_rows, 'row')} of `{clean(session.dataset.name, 200)}`.",
        "",
        *(f"- {clean(sentence)}" for sentence in report.summary()),
        *(f"- {what.capitalize()}: {clean(str(value))}" for what, value in described if what not in ("labels", "tags")),
        f"- Training: {counted(progress.epoch, 'epoch')} of at most {s.epochs}, {s.optimizer}, seed {s.seed}; "
        f"best after epoch {progress.best_epoch}",
    ]
    if session.baselines and session.best_value is not None:
        beside = ", ".join(f"{baseline.name.replace('_', ' ')} {baseline.score:.4f}" for baseline in session.baselines)
        rows = counted(report.validation_rows, "validation row")
        lines.append(f"- {session.metric.name.capitalize()} on {rows}: {session.best_value:.4f} ({beside})")
    lines += [
        "",
        "The best epoch was chosen on the validation rows, so their score is a little too kind: for a figure to quote, "
        "run `rnncli evaluate` on data that the training has not seen.",
        "",
    ]
    return "\n".join(lines)
