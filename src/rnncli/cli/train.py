"""``rnncli train``."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from rnncli import stopping
from rnncli.clean import clean
from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.command import Call, command
from rnncli.cli.arguments.inputs import load, require_piped
from rnncli.cli.arguments.options import (
    DEFAULT_RUNS,
    READING,
    AnyPath,
    Note,
    quiet,
    resolve_settings,
    setting_options,
)
from rnncli.cli.arguments.paths import Writes, check_output
from rnncli.cli.arguments.training import (
    Config,
    Folds,
    From,
    Keep,
    KeepFolds,
    Name,
    Test,
    TrainingData,
    TrainingFiles,
    TrainingOptions,
    reading_of,
    training_call,
)
from rnncli.cli.describe import describe, note_description, show_description
from rnncli.cli.help import tables_of_training
from rnncli.cli.plots import learning_curves, require_drawable, write_plot
from rnncli.config import SETTING_NAMES, Settings
from rnncli.errors import UsageError, counted
from rnncli.render.console import WARNING, Output

if TYPE_CHECKING:
    from rnncli.data.description import DataDescription
    from rnncli.results import Event, TableCell
    from rnncli.tasks.cross_validation import CrossValidation
    from rnncli.tasks.model import Model
    from rnncli.training.session import Session

Resume = Annotated[options.RunAgain, typer.Option("--resume", metavar="RUN", help="Resume a stopped run.")]
Plot = Annotated[
    options.PlotFile, typer.Option("--plot", metavar="FILE", help="Draw the learning curves (.svg, .png, .html).")
]
LogFile = Annotated[
    AnyPath | None,
    Writes((".jsonl", ".ndjson", ".log")),
    typer.Option("--log", metavar="FILE", help="Write each step and epoch as a JSON line."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what the data are taken for, with their first records; train nothing.")
]

CHOSEN_ON_THEM = "The same {row}s chose the epoch, so its score is a little too kind."
# Sections of the help, each with the options that it begins with.
PANELS = {
    "The run": "config from_ runs",
    "Rows for training, validation and testing": "test folds split validation",
    "How the data are read": "source label_separator",
    "Task and model": "task",
    "Texts": "tokens",
    "Forecasts": "horizon",
    "Training": "optimizer",
    "Output": "force help",
}
TABLES = tables_of_training


@checked(settings=SETTING_NAMES)
def train(
    data: TrainingData = None,
    *,
    config: Config = None,
    resume: Resume = None,
    name: Name = None,
    test: Test = None,
    from_: From = None,
    keep: Keep = None,
    folds: Folds = None,
    keep_folds: KeepFolds = False,
    runs: options.Runs = DEFAULT_RUNS,
    log: LogFile = None,
    plot: Plot = None,
    source: options.SourceFile = None,
    target: options.TargetFile = None,
    named: Collection[str] | None = None,
    note: Note = quiet,
    on_data: Callable[[DataDescription], object] = quiet,
    on_start: Callable[[Session], object] = quiet,
    on_event: Callable[[Event], object] = quiet,
    **options: Unpack[TrainingOptions],
) -> Model:
    """Trains a model, or resumes a stopped training, and returns the best model with its training record.

    Args:
        data: a data file, or several with the same columns, or a folder of them, or a folder with a folder for each
            label; or pairs of an input and its label.
        source, target: in place of ``data`` two text files, of which each line of one goes with that of the other.
        config: a settings file (YAML); ``options`` override it.
        resume: the run to resume: ``latest``, its name or its folder.
        name: of the run's folder below ``runs``; no other run may have it.
        plot: a file for the learning curves; one that is there is replaced.
        log: a file for the events as JSON lines, each written as it happens; one that is there is replaced.
        test: a file of rows, or pairs, on which the best model is scored once, at the end.
        from_: a model, or its name: the training begins with its weights and adds the new words and labels.
        keep: with ``from_``, a file of older rows, or pairs: the model is scored on them before and after the training.
        folds: how many trainings come before that each leave out a fold, which is scored: cross-validation. Their
            scores are in ``record.folds``; the model that is returned is trained as without them.
        keep_folds: whether the runs of the folds are kept, as ``NAME-fold1`` and so on.
        named: names of settings to refuse where they have no effect; None for those among ``options``.
        note: takes a sentence on what takes a while, and its style.
        on_data: takes what the data were taken for, before all of them are read; see :func:`rnncli.describe`.
        on_start: takes the session before its first step; with folds, each of theirs and then that of the model.
        on_event: takes every event: a step, an epoch, the end.
        options: settings, any field of :class:`rnncli.config.Settings`, and how to read the file; see
            :class:`rnncli.cli.arguments.options.Reading`. ``workers`` is 1 by default: a program with threads of its
            own, such as a notebook, should not be forked unasked.

    Raises:
        RnncliError: of the kind that fits; see :mod:`rnncli.errors`. An argument of another type is a UsageError.
    """
    from rnncli.cli.training_log import TrainingLog
    from rnncli.tasks.model import path_of
    from rnncli.training.parts import parts
    from rnncli.training.resuming import resume as resumed
    from rnncli.training.starting import begun

    if data is None and source is None and target is None and resume is None:
        raise UsageError("name the data to train on", "rnncli train reviews.csv")
    if resume is not None and name is not None:
        raise UsageError("a resumed training keeps its name", "leave --name out")
    if resume is not None and from_ is not None:
        raise UsageError("a resumed training goes on from its own weights", "leave --from out")
    with ExitStack() as opened:
        called = opened.enter_context(
            training_call(
                data,
                options,
                config=config,
                pair=(source, target),
                rows={"test": test, "keep": keep},
                model=from_,
                runs=runs,
            )
        )
        read = called.source
        read_too = [*(() if read is None else read.paths), *called.files.values()]
        require_drawable(plot, read_too)
        if log is not None:
            check_output("log", log, read_too)
        written = None if log is None else opened.enter_context(TrainingLog(log))
        if read is not None:
            note(f"reading {'the pairs' if read.pairs else read.name} …", "dim")
        if resume is None:
            asked = called.asked(runs, name, folds=folds, keep_folds=keep_folds, named=named, usual={"workers": 1})
            session = begun(asked, on_data)
        else:
            session = resumed(
                path_of(resume),
                Path(runs),
                data=read,
                given=called.settings,
                reading=reading_of(options),
                beside=called.files,
                on_found=partial(note, f"resuming {os.fspath(resume)} …", "dim"),
            )
            if folds is not None and folds != session.folds:
                raise UsageError(
                    f"--folds {folds}: the training to resume has {session.folds or 'none'}", "leave --folds out"
                )
        for part in parts(session):
            on_start(part)
            if written is not None:
                written.start(part)
            for event in part.events():
                if written is not None:
                    written.event(event)
                on_event(event)
    if plot is not None:
        progress = session.state.progress
        write_plot(plot, learning_curves(progress.history, session.metric, progress.best_epoch))
    return load(session.folder.model)


def train_command(
    call: Call,
    work: Callable[..., Model],
    data: TrainingFiles = None,
    config: Config = None,
    force: options.Force = False,
    dry_run: DryRun = False,
    json: options.Json = False,
    **options: Unpack[TrainingOptions],
) -> None:
    """
    \b
    rnncli train reviews.csv               guesses the columns, says so, trains
    rnncli train reviews.csv --dry-run     says so, and trains nothing
    rnncli train reviews.csv --cell gru --epochs 10
    rnncli train names.csv --tokens char   a timestep is a letter
    rnncli train films.csv --label action,comedy,drama    columns of 0 and 1
    rnncli train tags.conll                a tag for every word
    rnncli train plays.txt                 the next word of a text
    rnncli train recordings/               a folder for each label
    rnncli train --source en.txt --target fr.txt    line by line
    rnncli train new.csv --from latest     goes on with a model
    rnncli train --resume latest           after Ctrl-C; the same bits in the end

    A setting may also come from the environment (RNNCLI_HIDDEN=128) or from --config FILE.
    """
    from rnncli.cli.show import warnings_shown
    from rnncli.render.json_out import print_json

    output = call.output
    for one in data or ():
        require_piped(one)
    given: dict[str, Any] = dict(options)
    reading, settings = reading_of(given), {name: value for name, value in given.items() if name not in READING}
    resolved = resolve_settings(settings, config)
    Settings.from_mapping(resolved)  # refuses a mistyped value before anything is read
    if dry_run:
        asked: dict[str, Any] = dict(work.keywords)  # type: ignore[attr-defined]
        if asked.pop("resume") is not None:
            raise UsageError("--resume goes on with data that were read before", "leave --dry-run out")
        require_drawable(asked.pop("plot"), data or ())
        del asked["log"]  # nothing happens that it would hold
        with warnings_shown(output):
            found = describe(data or None, named=settings, **asked | reading | resolved)
            show_description(output, found, json)
        return
    with warnings_shown(output) as logged, _Progress(output) as progress:
        shown: dict[str, Any] = {"on_data": progress.data, "on_start": progress.begin, "on_event": progress.event}
        shown |= {"named": settings, "note": output.note}
        work(data or None, **{"workers": None} | reading | resolved, **shown)
    warnings = list(dict.fromkeys([*progress.warnings, *logged]))
    if json:
        print_json(output, {**_document(progress.session), "data": progress.description, "warnings": warnings})
        return
    _summarize(output, progress.session)
    if not output.quiet:  # else nothing came between
        _note_warnings(output, warnings)  # once more, where they are seen


COMMAND = partial(command, train, train_command, more=setting_options)


def _kept_rows(session: Session) -> str:
    assert session.keep is not None
    keep = session.keep
    return f"{counted(len(keep.before.sums), session.prepared.report.row)} of {clean(keep.dataset.name)}"


def _note_warnings(output: Output, warnings: Iterable[str]) -> None:
    for warning in warnings:
        output.note(f"    warning  {warning}", WARNING)


def _describe(output: Output, session: Session, warnings: Sequence[str]) -> None:
    """Says what the data were taken for, what is trained on them, and which scores it has to beat."""
    from rnncli.results import format_number

    output.note(session.dataset.why)
    for what, value in session.prepared.report.lines():
        output.note(f"{what:>11}  {clean(value)}")
    _note_warnings(output, warnings)
    origin = session.origin
    if origin is not None:
        output.note(f"       from  {clean(origin.in_words)}")
    if session.keep is not None:
        before = f"{format_number(session.keep.before.score)} {session.metric.name}"
        output.note(f"       keep  {before} on {_kept_rows(session)} before the training")
    s = session.settings
    processes = f", {s.workers} processes" if (s.workers or 1) > 1 else ""
    output.note(f"    network  {dict(session.model().describe())['network']}, seed {s.seed}{processes}")
    output.note(f"     engine  {session.engine.in_words}")
    if session.coverage:
        output.note(f"    vectors  {session.coverage.sentence}")
    baselines = session.measure_baselines()
    if baselines:
        output.note(
            "    to beat  " + ", ".join(f"{b.name.replace('_', ' ')} {format_number(b.score)}" for b in baselines)
        )
    progress = session.state.progress
    if progress.finished is not None:
        output.note(f"this training is already finished: {progress.finished}")
    elif session.resumed:
        output.note(f"resuming after epoch {progress.epoch}, step {progress.step_in_epoch}")


def _say_part(output: Output, session: Session, folds: int) -> None:
    """Says which of the trainings of a cross-validation begins."""
    from rnncli.tasks.report import beside_words

    report = session.prepared.report
    baselines = session.measure_baselines()
    beat = beside_words({baseline.name: baseline.score for baseline in baselines})
    if session.fold:
        said = f"fold {session.fold} of {folds}: {report.training_rows:,} {report.row}s to train, "
        output.note(
            f"{said}{report.validation_rows:,} to validate, {report.test_rows:,} to test; to beat: {beat}", "bold"
        )
    else:
        output.note(f"the {counted(folds, 'fold')} are done; now the model itself, as without --folds", "bold")


class _Progress(ExitStack):
    """Shows a training while it runs; inside the block, the first signal stops it with everything saved."""

    session: Session
    description: DataDescription | None = None

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output, self._described = output, False

    def data(self, found: DataDescription) -> None:
        self.description = found
        note_description(self._output, found)

    @property
    def warnings(self) -> list[str]:
        """What may be wrong with the data or the settings."""
        of_data = () if self.description is None else self.description.warnings
        main = self.session.of or self.session
        return [*of_data, *main.unused, *main.prepared.report.warnings]

    def begin(self, session: Session) -> None:
        from rnncli.machine import keep_freed_memory
        from rnncli.render.progress import TrainingDisplay

        self.session, self._finished_before = session, session.state.progress.finished is not None
        stopping.say_when_stopped(f"stopped; {session.go_on}")
        keep_freed_memory()
        main = session.of or session
        if not self._described:
            _describe(self._output, main, self.warnings)
            self._described = True
        if main.folds:
            _say_part(self._output, session, main.folds)
        metric, unit = session.metric, session.model().unit
        self._display = TrainingDisplay(
            self._output, session.settings.epochs or 0, metric.name, lambda event: metric.of(event.record), unit
        )
        self.enter_context(_stopping_on_signals(session))
        self.enter_context(self._display.live())

    def event(self, event: Event) -> None:
        from rnncli.results import EpochDone, Finished, StepDone

        if isinstance(event, StepDone):
            self._display.step(event)
        elif isinstance(event, EpochDone):
            self._display.epoch(event)
        elif isinstance(event, Finished):
            self.close()
            if self._finished_before:
                return  # and said so
            if self.session.state.progress.epoch == 0:
                self._output.note("no epoch was run: the untrained model is saved", "yellow")
            else:
                self._output.note(f"finished: {event.reason}", "dim")


@contextmanager
def _stopping_on_signals(session: Session) -> Iterator[None]:
    """Lets the first signal stop the training after its step, saved; a second Ctrl-C then stops at once, as before."""
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
    """Prints the best epoch and the baselines, on the same validation rows, and which is better."""
    from rnncli.core.cells.named import specification_of
    from rnncli.data.records.typed import NumberArrays
    from rnncli.render.tables import print_table
    from rnncli.results import Column, TableView, format_number

    s, epoch, report = session.settings, session.state.progress.best_epoch, session.prepared.report
    network = f"{specification_of(s.cell).name} ({counted(s.hidden, 'unit')})" + (f", epoch {epoch}" if epoch else "")

    name, tested = session.metric.name, session.tested
    # The network first, then what it is compared with.
    of = {network: session.best_value} | {_plain(one.name): one.score for one in session.baselines or ()}
    if of[network] is None and tested is None:
        del of[network]
    columns, title = [Column("model"), Column(name, True)], f"{session.metric.title} on {report.validated_on}"
    rows: list[tuple[TableCell, ...]] = list(of.items())
    if tested is not None:
        on_test = {network: tested.score} | {_plain(one): score for one, score in tested.baselines.items()}
        columns.append(Column("on test rows", True))
        title += f", and on {report.tested_on} of {clean(tested.data)}"
        rows = [(model, of.get(model), score) for model, score in on_test.items()]
    crossed = session.cross_validation()
    if crossed is not None:
        _print_folds(output, crossed)
    if rows:
        print_table(output, TableView(title, tuple(columns), tuple(rows)))
    if crossed is not None:
        trained = f"{counted(report.training_rows, report.row)}, and {report.validation_rows:,} more chose its epoch"
        output.note(f"{crossed.sentence} The model that is saved was trained as without --folds, on {trained}.", "bold")
    verdict = _verdict(session)
    if verdict:
        output.note(verdict, "bold")
    kept = session.kept
    if kept is not None:
        before, after = format_number(kept.before), format_number(kept.after)
        said = f"{kept.metric} on {_kept_rows(session)}: {before} before, {after} after"
        if kept.interval == (0, 0):
            said += ", the same on each row"
        elif kept.interval is not None:
            low, high = map(format_number, kept.interval)
            said += f" (95% interval of the gain {low} to {high})"
        if kept.fell:
            output.note(
                f"{said}: it fell by more than chance; train on old and new rows together, or with a smaller --lr",
                "yellow",
            )
        else:
            output.note(said)
    source, reads_numbers = session.dataset.source, issubclass(session.model().inputs, NumberArrays)
    asked = ("DATA" if source.more else source.typed) if reads_numbers else '"…"'
    advice = f"ask it: rnncli predict {asked}, open it: rnncli inspect --timesteps"
    output.note(f"saved in {session.folder.named}; {advice}", wrapped=False)


def _print_folds(output: Output, crossed: CrossValidation) -> None:
    """Prints the score of each fold beside the baselines, and the mean of all."""
    from rnncli.render.tables import print_table
    from rnncli.results import Column, TableView

    names = [name for name in crossed.folds[0].baselines if all(name in fold.baselines for fold in crossed.folds)]
    rows: list[tuple[TableCell, ...]] = [
        (number, fold.rows, fold.epoch, fold.score, *(fold.baselines[name] for name in names))
        for number, fold in enumerate(crossed.folds, 1)
    ]
    means = (sum(fold.baselines[name] for fold in crossed.folds) / len(crossed.folds) for name in names)
    rows.append(("mean", sum(fold.rows for fold in crossed.folds), None, crossed.mean, *means))
    columns = ("rows", "epoch", crossed.metric, *map(_plain, names))
    metric = crossed.metric[:1].upper() + crossed.metric[1:]
    title = f"{metric} on each of {len(crossed.folds)} folds, by a model that never saw it"
    print_table(output, TableView(title, (Column("fold"), *(Column(name, True) for name in columns)), tuple(rows)))
    output.write("\n")


def _plain(baseline: str) -> str:
    return baseline.replace("_", " ")


def _document(session: Session) -> dict[str, Any]:
    progress = session.state.progress
    best = progress.history[progress.best_epoch - 1] if progress.best_epoch else None
    return {
        "run": session.folder.path,
        "model": session.folder.model,
        "settings": session.settings.as_dict(),
        "computed_by": session.computed_by,
        "columns": {"text": session.dataset.source.text, "label": session.dataset.source.label},
        "report": session.prepared.report.document(),
        "vectors": session.coverage,
        "best_epoch": progress.best_epoch,
        "metric": session.metric.name,
        "best_value": session.best_value,
        "validation_accuracy": best.validation_accuracy if best and session.model().share_is == "accuracy" else None,
        "baselines": {baseline.name: baseline.score for baseline in session.baselines or ()},
        "comparison": session.comparison(),
        "verdict": _verdict(session),
        "test": session.tested,
        "test_comparison": session.test_comparison,
        "from": session.origin,
        "kept": session.kept,
        "folds": session.cross_validation(),
        "epochs": progress.history,
        "finished": progress.finished,
    }


def _verdict(session: Session) -> str | None:
    """Says whether the network is better than the best baseline; None when there is nothing to compare."""
    from rnncli.tasks.report import interval_words

    found, tested, report = session.comparison(), session.test_comparison, session.prepared.report
    said = []
    if found is not None:
        said.append(f"{found.sentence(report.validated_on)} {CHOSEN_ON_THEM.format(row=report.row)}")
    if tested is not None and session.tested is not None:
        said.append(f"{tested.sentence(report.tested_on)} The score itself: {interval_words(session.tested)}.")
    return " ".join(said) or None
