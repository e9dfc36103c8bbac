"""The short text that lies beside a model and says what it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnncli.clean import clean
from rnncli.errors import counted

if TYPE_CHECKING:
    from rnncli.training.session import Session

# Letters, digits and marks that mean nothing to Markdown, HTML or those who make links of all that looks like one.
_PLAIN = re.compile(r"(?:[^\W_]|[ ,;%()’'-]|:(?= )|\.(?=[\d ]|\Z))*")


def model_card(session: Session) -> str:
    """Markdown: data, network, score beside the baselines, and what to keep in mind."""
    s, report = session.settings, session.prepared.report
    progress = session.state.progress
    described = session.model().describe()
    known = [report.summary()]
    known += [(what.capitalize(), str(value)) for what, value in described if what not in ("labels", "tags")]
    best = "" if progress.best_epoch is None else f"; best after epoch {progress.best_epoch}"
    lines = [
        f"# {literal(session.folder.path.name)}",
        "",
        f"{report.what}, trained on {counted(report.training_rows, 'row')} of {literal(session.dataset.name, 200)}.",
        "",
        *(f"- {what}: {literal(value)}" for what, value in known),
        f"- Training: {counted(progress.epoch, 'epoch')} of at most {s.epochs}, {s.optimizer}, seed {s.seed}{best}",
    ]
    if session.baselines and session.best_value is not None:
        beside = ", ".join(f"{baseline.name.replace('_', ' ')} {baseline.score:.4f}" for baseline in session.baselines)
        rows = counted(report.validation_rows, "validation row")
        lines.append(f"- {session.metric.name.capitalize()} on {rows}: {session.best_value:.4f} ({beside})")
        compared = session.comparison()
        lines += [] if compared is None else [f"- {compared.sentence}"]
    lines += [
        "",
        "The best epoch was chosen on the validation rows, so their score is a little too kind: for a figure to quote, "
        "run `rnncli evaluate` on data that the training has not seen.",
        "",
    ]
    return "\n".join(lines)


def literal(text: str, limit: int | None = None) -> str:
    """``text`` as Markdown that shows it as it is, whatever it holds: code, unless it is made of plain words.

    Nothing acts in code: no HTML, no link, no image, no address, no entity. It takes a fence of more backticks than
    stand together anywhere in it.
    """
    shown = clean(text, limit)
    if _PLAIN.fullmatch(shown):
        return shown
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    apart = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{apart}{shown}{apart}{fence}"
