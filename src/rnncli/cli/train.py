"""``rnncli train``."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from rnncli import stopping
from rnncli.clean import clean
from rnncli.cli import model_tables as views
from rnncli.cli.arguments import require_piped
from rnncli.cli.notices import say_what_is_logged
from rnncli.cli.options import resolve_settings
from rnncli.config import Settings
from rnncli.data.dataset import Source, display_name
from rnncli.errors import UsageError
from rnncli.machine import keep_freed_memory
from rnncli.render.console import Output
from rnncli.render.json_out import print_json
from rnncli.render.progress import TrainingDisplay
from rnncli.render.tables import print_table
from rnncli.results import EpochDone, Finished, StepDone

if TYPE_CHECKING:
    from rnncli.training.session import Session


@dataclass(frozen=True)
class TrainRequest:
    """What the command line asks for."""

    data: str | None
    config: str | None
    resume: str | None
    name: str | None
    text: str | None
    label: str | None
    format: str | None
    encoding: str | None
    skip_bad: bool | None
    ignore: str | None
    runs: str
    given: Mapping[str, Any]

    @property
    def reading(self) -> dict[str, Any]:
        """How the data are to be read, as far as it was said."""
        named = {name: getattr(self, name) for name in ("text", "label", "format", "encoding", "skip_bad", "ignore")}
        return {name: value for name, value in named.items() if value is not None}


def train_command(request: TrainRequest, json: bool) -> None:
    """Trains, with progress on stderr and the summary on stdout."""
    output = Output()
    if request.data is None and request.resume is None:
        raise UsageError("name the data to train on", "rnncli train reviews.csv")
    if request.resume is not None and request.name is not None:
        raise UsageError("a resumed training keeps its name", "leave --name out")
    require_piped(request.data)
    settings = resolve_settings(request.given, request.config)
    Settings.from_mapping(settings)  # a slip in an option is told before anything is read
    say_what_is_logged(output)
    if request.data:
        output.note(f"reading {display_name(request.data)} …", "dim")
    session = _open(output, request, settings)
    stopping.say_when_stopped(f"stopped; {session.go_on}")
    keep_freed_memory()
    _say_what_is_there(output, session)
    _run(output, session)
    if json:
        print_json(output, _document(session))
    else:
        _summarize(output, session)


def _open(output: Output, request: TrainRequest, settings: dict[str, Any]) -> Session:
    from rnncli.training import session

    if request.resume is not None:
        return session.resume(
            *(request.resume, Path(request.runs)),
            data=request.data,
            given=settings,
            reading=request.reading,
            on_found=lambda: output.note(f"taking up {request.resume} …", "dim"),
        )
    assert request.data is not None
    source = Source(request.data, **request.reading)
    return session.start(source, settings, Path(request.runs), request.name, named=request.given)


def _say_what_is_there(output: Output, session: Session) -> None:
    output.note(session.dataset.why)
    for what, value in session.prepared.report.lines():
        output.note(f"{what:>11}  {clean(value)}")
    for warning in (*session.unused, *session.prepared.report.warnings):
        output.note(f"    warning  {warning}", "yellow")
    s = session.settings
    together = f", {s.workers} processes" if (s.workers or 1) > 1 else ""
    words = dict(session.model().describe())["network"]
    output.note(f"    network  {words}, seed {s.seed}{together}")
    if session.coverage:
        output.note(f"    vectors  {session.coverage.sentence}")
    found = session.measure_baselines()
    if found:
        output.note("    to beat  " + ", ".join(f"{b.name.replace('_', ' ')} {b.score:.4f}" for b in found))
    progress = session.state.progress
    if progress.finished is not None:
        output.note(f"this training is finished already: {progress.finished}")
    elif session.resumed:
        output.note(f"going on after epoch {progress.epoch}, step {progress.step_in_epoch}")


def _run(output: Output, session: Session) -> None:
    finished_before = session.state.progress.finished is not None
    metric = session.metric
    display = TrainingDisplay(
        output,
        session.settings.epochs or 0,
        metric.name,
        lambda event: metric.of(event.record),
        session.model().unit,
    )
    with _stopping_on_signals(session), display.live():
        for event in session.events():
            if isinstance(event, StepDone):
                display.step(event)
            elif isinstance(event, EpochDone):
                display.epoch(event)
    assert isinstance(event, Finished)
    if finished_before:
        return  # and said so
    if session.state.progress.epoch == 0:
        output.note("no epoch was run: the untrained model is saved", "yellow")
    else:
        output.note(f"finished: {event.reason}", "dim")


@contextmanager
def _stopping_on_signals(session: Session) -> Iterator[None]:
    """The first signal lets the step finish and saves; after it, Ctrl-C does what it did before: it stops at once."""
    before: dict[signal.Signals, Any] = {}

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        session.stop_signal = number
        if signal.SIGINT in before:
            signal.signal(signal.SIGINT, before[signal.SIGINT])

    # A program started with & has SIGINT ignored; it stays so.
    for one in stopping.SIGNALS:
        if signal.getsignal(one) is not signal.SIG_IGN:
            before[one] = signal.signal(one, ask_to_stop)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _summarize(output: Output, session: Session) -> None:
    view = views.training_summary(session)
    if view.rows:
        print_table(output, view)
    said = views.verdict(session)
    if said:
        output.note(said, "bold")
    output.note(f'saved in {session.folder.named}; ask it: rnncli predict "…", open it: rnncli inspect --timesteps')


def _document(session: Session) -> dict[str, Any]:
    progress = session.state.progress
    best = asdict(progress.history[progress.best_epoch - 1]) if progress.best_epoch else None
    return {
        "run": session.folder.path,
        "model": session.folder.model,
        "settings": session.settings.as_dict(),
        "columns": {"text": session.dataset.source.text, "label": session.dataset.source.label},
        "report": session.prepared.report,
        "vectors": session.coverage,
        "best_epoch": progress.best_epoch,
        "metric": session.metric.name,
        "best_value": session.best_value,
        "validation_accuracy": best["validation_accuracy"] if best else None,
        "baselines": {baseline.name: baseline.score for baseline in session.baselines or ()},
        "comparison": session.comparison(),
        "verdict": views.verdict(session),
        "epochs": progress.history,
        "finished": progress.finished,
    }
