"""One training from its data to its folder of files: started, or resumed."""

from __future__ import annotations

import json
import math
import os
import shlex
import signal
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from rnncli import storage
from rnncli.config import Settings
from rnncli.core.optim.parameters import nest
from rnncli.data.dataset import Dataset, Source, read_dataset, read_opened
from rnncli.data.description import DataDescription
from rnncli.data.formats.sources import display_name
from rnncli.errors import DataError, DivergedError, ModelFileError, StorageError, TrainingInterrupted, UsageError
from rnncli.parallel import group_of
from rnncli.parallel.communicator import Group
from rnncli.record import EpochRecord, FinalScore, FoldScore, KeptScore, Origin, Record
from rnncli.results import EpochDone, Event, Finished
from rnncli.tasks import task_for, task_named
from rnncli.tasks.comparison import Baseline, Comparison
from rnncli.tasks.cross_validation import CrossValidation
from rnncli.tasks.model import Metric, Model
from rnncli.tasks.prepare import Prepared
from rnncli.tasks.task import Task
from rnncli.training import arranging, folds, loop, runs, state, vectors
from rnncli.training.card import model_card
from rnncli.training.continuing import Begin
from rnncli.training.data import described, open_data
from rnncli.training.final_scores import FinalScores, OlderRows, stored_name
from rnncli.training.folds import dataset_of, folder_of, require_free
from rnncli.training.runs import RunFolder, RunLock
from rnncli.training.starting_point import OtherFile, StartingPoint
from rnncli.training.state import Checkpoint, Progress, TrainingState
from rnncli.training.unused import require_used
from rnncli.training.vectors import Coverage


@dataclass
class Session:
    """A training that is ready to run.

    Attributes:
        folder: where everything is kept.
        dataset, prepared: the data as read, and as examples.
        state: where the training stands.
        group: the ranks that train.
        stop_signal: set by a signal handler: the training finishes its step, saves and raises.
        automatic_patience: whether the patience in the settings follows from the number of epochs.
        coverage: of the word vectors that a new training begins with.
        unused: sentences about settings that the user named and that change nothing.
        files: option → the file that it names, of those that are read beside the data.
        test: the examples for testing in the place of those for validation, on which the best model is scored once.
        begin: the model that the training begins with; None for a new training.
        keep: older rows on which that model and the new one are scored.
        folds: how many trainings that leave out a fold come before this one; ``keep_folds``: whether their runs stay.
        of: the training that this one is a fold of, as its number ``fold``; None for one of its own.
        scores: on the test rows; None before the end, and where there are none.
        kept: the scores on the older rows, in the same way.
        baselines: what the network has to beat; empty without validation rows, None before they are measured.
    """

    folder: RunFolder
    dataset: Dataset
    prepared: Prepared
    state: TrainingState
    group: Group
    resumed: bool = False
    stop_signal: int | None = None
    automatic_patience: bool = False
    coverage: Coverage | None = None
    baselines: tuple[Baseline, ...] | None = None
    unused: tuple[str, ...] = ()
    files: Mapping[str, OtherFile] = field(default_factory=dict)
    test: Prepared | None = None
    begin: Begin | None = None
    keep: OlderRows | None = None
    folds: int = 0
    keep_folds: bool = False
    of: Session | None = None
    fold: int = 0
    scores: FinalScores | None = None
    kept: KeptScore | None = None
    _lines: list[dict[str, Any]] = field(default_factory=list)
    _compared: tuple[int, Comparison] | None = None
    _lock: RunLock | None = None

    @property
    def settings(self) -> Settings:
        return self.prepared.settings

    @property
    def metric(self) -> Metric:
        """The score that users see of an epoch."""
        return self.model().metric

    @property
    def best_value(self) -> float | None:
        """The metric of the best epoch; None before the first epoch is done, and without validation rows."""
        progress = self.state.progress
        if progress.best_epoch is None or not self.prepared.validation.size:
            return None
        return self.metric.of(progress.history[progress.best_epoch - 1])

    @property
    def go_on(self) -> str:
        """What to type to resume it."""
        folder = self.folder if self.of is None else self.of.folder
        return f"go on with: rnncli train --resume {shlex.quote(str(folder.named))}"

    def parts(self) -> Iterator[Session]:
        """The trainings to be run, one after the other: those that leave out a fold, and then this one.

        Each is to be run to its end before the next one is asked for.

        Raises:
            RnncliError: of every kind.
        """
        scores, whole = self.state.progress.folds, False
        try:
            for number in range(1, self.folds + 1):
                if number > len(scores):
                    part = _fold(self, number)
                    yield part
                    assert part.scores is not None
                    scores.append(part.scores.fold)
                    self._save_state()
                folds.put_away(self.folder, number, self.keep_folds)
            whole = True
            yield self
        finally:
            if not whole and self._lock is not None:
                self._lock.release()

    def cross_validation(self) -> CrossValidation | None:
        """What the scores of all folds say together; None where there are none."""
        scores = self.state.progress.folds
        return CrossValidation.of(scores, self.metric) if self.folds and len(scores) == self.folds else None

    def begin_in(self, folder: RunFolder) -> None:
        """Locks a run's folder and saves the state in it, so that the training can be resumed from the first moment.

        Raises:
            StorageError: a file cannot be written.
        """
        self.folder = folder
        self._lock = RunLock(folder.path, folder.named)
        storage.write_atomically(folder.config, self.settings.to_yaml().encode())
        if self.begin is not None:
            storage.write_atomically(folder.origin, self.begin.content)
        self._save_state()

    @property
    def origin(self) -> Origin | None:
        """The model that the training began with, and what was added to it."""
        return None if self.begin is None else self.begin.origin(self.prepared.untrained)

    @property
    def tested(self) -> FinalScore | None:
        """The score of the best model on the test rows; None before the end, and where there are none."""
        return None if self.scores is None else self.scores.score

    @property
    def test_comparison(self) -> Comparison | None:
        """The best model beside the best baseline, on the test rows."""
        return None if self.scores is None else self.scores.comparison

    def measure_baselines(self) -> tuple[Baseline, ...]:
        """What the network has to beat on the validation rows; nothing when there are none."""
        if self.baselines is None:
            self.baselines = self.prepared.baselines() if self.prepared.validation.size else ()
        return self.baselines

    def comparison(self) -> Comparison | None:
        """The best epoch beside the best baseline, row by row; None where there is nothing to compare.

        Raises:
            ModelFileError, StorageError: the saved model cannot be read.
        """
        best = self.state.progress.best_epoch
        if best is None or not self.baselines or not self.prepared.validation.size:
            return None
        if self._compared is None or self._compared[0] != best:
            own = self.prepared.network.row_scores(Model.load(self.folder.model).params, self.prepared.validation)
            baseline = self.metric.best_of(self.baselines)
            self._compared = best, self.metric.compare(own, baseline.rows, baseline.name)
        return self._compared[1]

    def events(self) -> Generator[Event]:
        """Trains, saves the best model and the state after each epoch, and yields what happens.

        Raises:
            TrainingInterrupted: :attr:`stop_signal` was set; everything is saved.
            DivergedError: a loss or gradient is not finite; the last saved state is whole, and says so.
            StorageError: a file cannot be written.
        """
        try:
            yield from self._events()
        except DivergedError as error:
            with suppress(StorageError):  # the user has to hear of the divergence first
                state.mark_diverged(self.folder.state, error.message)
            raise
        finally:
            if self._lock is not None:
                self._lock.release()

    def _events(self) -> Generator[Event]:
        self.measure_baselines()
        p = self.prepared
        if self.state.progress.step_in_epoch == 0:
            self._keep_epoch()  # the untrained model; or the present one, if the run kept none before it was resumed
        # Closed, whatever happens: no worker process stays behind.
        workers = p.settings.workers or 1
        with closing(loop.run(p.network, self.state, p.train, p.validation, p.settings, self.group)) as events:
            for event in events:
                if self.group.size < workers:  # what is saved tells the truth
                    workers = self.group.size
                    self.prepared = p.with_settings(p.settings.replace(workers=workers))
                if isinstance(event, EpochDone):
                    self._save_epoch(event)
                elif isinstance(event, Finished):
                    self._finish()
                yield event
                if self.stop_signal is not None and not isinstance(event, Finished):
                    self._interrupt(self.stop_signal)

    def model(self) -> Model:
        """The present parameters as a model, with the record of the best epoch."""
        return self._model_of(self.state.progress.best_epoch)

    def require_saveable(self) -> None:
        """Refuses a training whose model or state no file could hold at its end, with the record of all epochs.

        Raises:
            UsageError: one of them could not be saved.
        """
        epochs = min(self.settings.epochs or 0, loop.MOST_EPOCHS)
        history = [EpochRecord(epoch, 1 / 3, 1 / 3, 1 / 3, False) for epoch in range(1, epochs + 1)]
        best: dict[str, Any] = {"best_epoch": epochs, "best_score": (1 / 3, -1 / 3)} if epochs else {}
        some = {f"the name of baseline {k}": 1 / 3 for k in range(9)}
        score = FoldScore(rows=1, score=1 / 3, baselines=some, epoch=epochs or None, error=1 / 3, errors=some)
        progress = Progress(epochs, history=history, folds=[score] * self.folds, **best)
        done = replace(self, state=replace(self.state, progress=progress))
        try:
            done.model().require_saveable()
            state.require_saveable(done.state, done._starting_point())
        except ModelFileError as error:
            raise UsageError(
                f"what is trained could not be saved: {error.message}",
                "lower --max-vocabulary, --hidden or --epochs, or take fewer columns or labels",
            ) from None

    def _starting_point(self) -> StartingPoint:
        """What a resumed training must find unchanged."""
        return StartingPoint(
            self.settings,
            self.dataset.source,
            self.dataset.digest,
            self.automatic_patience,
            files=dict(self.files),
            origin=self.origin,
            folds=self.folds,
            keep_folds=self.keep_folds,
        )

    def _model_of(self, epoch: int | None) -> Model:
        """The present parameters as the model of an epoch; None stands for the untrained model."""
        return self.prepared.model(nest(dict(self.state.store.flat)), self._record(epoch))

    def _record(self, epoch: int | None) -> Record:
        """How the training went so far; nothing in it depends on the clock, so that equal trainings give equal files.

        Args:
            epoch: whose parameters the record goes with; None for those of the untrained model.
        """
        p, progress = self.prepared, self.state.progress
        return Record(
            data=stored_name(self.dataset.name),
            rows=p.report.training_rows,
            validation_rows=p.report.validation_rows,
            label_rows=dict(p.report.label_rows),
            best_epoch=epoch,
            epochs=tuple(progress.history),
            baselines={baseline.name: baseline.score for baseline in self.baselines or ()},
            version=metadata.version("rnncli"),
            digest=self.dataset.digest,
            test=self.tested,
            origin=self.origin,
            kept=self.kept,
            folds=tuple(progress.folds),
            arranged=self.dataset.arrangement is not None,
        )

    def _save_epoch(self, event: EpochDone) -> None:
        # The model before the state: if the process dies in between, the resumed training runs this epoch again and
        # writes the same model again. The other way round a best model could be lost.
        self._keep_epoch()
        if event.record.best:
            self._save_model()
        timing = {"seconds": round(event.seconds, 3), "words_per_second": round(event.words_per_second, 1)}
        record = asdict(event.record)
        if event.record.validation_error is None:  # of predictions that are right or wrong
            del record["validation_error"]
        self._lines.append(record | timing)
        storage.write_atomically(self.folder.metrics, "".join(json.dumps(line) + "\n" for line in self._lines).encode())
        self._save_state()

    def _keep_epoch(self) -> None:
        epoch = self.state.progress.epoch
        if self.settings.keep_epochs and not self.folder.epoch(epoch).exists():
            storage.make_folder(self.folder.epochs)
            self._trained_model(epoch or None).save(self.folder.epoch(epoch))

    def _save_model(self) -> None:
        self._trained_model(self.state.progress.best_epoch).save(self.folder.model)
        if self.of is None:
            runs.point_latest(self.folder)

    def _trained_model(self, epoch: int | None) -> Model:
        """The present parameters as the model of an epoch, with what is chosen on the validation rows."""
        return self._model_of(epoch).calibrated(self.prepared.validation)

    def _save_state(self) -> None:
        state.save(self.folder.state, self.state, self._starting_point())

    def _finish(self) -> None:
        best_epoch = self.state.progress.best_epoch
        if best_epoch is None:
            self._save_model()  # --epochs 0: the untrained model
        # The best model was saved when it was the best; now it also gets the epochs that followed, the final number of
        # epochs, and its score on the test rows.
        model = Model.load(self.folder.model)
        if self.test is not None:
            file = None if self.of else self.files.get("test")
            self.scores = FinalScores.of(model, self.test, self.dataset.name if file is None else file.path)
        if self.keep is not None:
            self.kept = self.keep.score(model)
        model = model.with_training(self.settings, self._record(best_epoch))
        model.save(self.folder.model)
        self._save_state()
        report, baselines = self.prepared.report, self.baselines or ()
        compared = self.comparison(), self.test_comparison, self.cross_validation()
        card = model_card(self.folder.path.name, self.dataset.name, model, report, baselines, *compared)
        storage.write_atomically(self.folder.card, card.encode())

    def _interrupt(self, signal_number: int) -> None:
        if self.state.progress.best_epoch is None:
            self._save_model()  # better than nothing to look at; the first finished epoch replaces it
        self._save_state()
        progress = self.state.progress
        raise TrainingInterrupted(
            f"stopped by {signal.Signals(signal_number).name} in epoch {progress.epoch + 1} "
            f"after step {progress.step_in_epoch}; everything is saved",
            self.go_on,
            exit_code=128 + signal_number,
        )


def start(
    source: Source,
    given: Mapping[str, Any],
    runs_folder: Path,
    name: str | None = None,
    *,
    test: str | None = None,
    begin: Begin | None = None,
    keep: str | None = None,
    folds: int = 0,
    keep_folds: bool = False,
    named: Collection[str] = (),
    on_data: Callable[[DataDescription], object] = lambda _: None,
) -> Session:
    """Reads the data, prepares it, and makes the run's folder last: what fails before leaves no trace.

    Args:
        given: settings by name; the others have the defaults of the task that these or the data ask for.
        test: a file of rows on which the best model is scored once, at the end.
        begin: the model that the training begins with; None for a new training.
        keep: a file of rows on which that model and the new one are scored.
        folds: how many trainings that leave out a fold come before; 0 for none.
        keep_folds: whether the runs of the folds are kept.
        named: those that the user named for this training: each has to change something.
        on_data: takes what the data were taken for, before all of them are read.

    Raises:
        RnncliError: of every kind.
    """
    settings = Settings.from_mapping(given if begin is None else begin.settings(given, {}))
    if begin is None:
        if keep is not None:
            raise UsageError(
                "--keep names older rows, which are scored before and after a training that begins with a model",
                "name the model too: --from RUN",
            )
        opened = open_data(source, settings, named)
    else:
        opened = begin.open(source)
    on_data(described(opened, settings))
    dataset = read_opened(opened)
    paths = {"validation": settings.validation_file, "test": test}
    others = {
        option: arranging.read_like(dataset, path, f"--{option}", settings.task)
        for option, path in paths.items()
        if path is not None
    }
    dataset, files, warnings = arranging.with_files(dataset, others)
    task = task_for(dataset, settings.task)
    if keep_folds and not folds:
        raise UsageError("--keep-folds keeps the runs of folds, and there are none", "say how many: --folds 5")
    if keep_folds and name is not None:
        require_free(runs_folder, name, folds)
    defaults = task.defaults(dataset, settings)
    chosen = {**defaults, **given} if begin is None else begin.settings(given, defaults)
    settings = vectors.with_dimension(Settings.from_mapping({**chosen, "task": task.name}), given)
    prepared, tested = _prepared(task, dataset, settings, begin)
    unused = require_used(named, prepared.untrained)
    session = _untrained(RunFolder(runs_folder), dataset, prepared, files, tested)
    session.unused, session.folds, session.keep_folds = (*unused, *warnings), folds, keep_folds
    session.begin = begin
    _fill(session)
    if folds:
        _prepared(task, dataset_of(arranging.without_test(dataset), folds, 1), session.settings, begin)
    if keep is not None and begin is not None:
        rows = arranging.read_like(dataset, keep, "--keep", task.name)
        session.keep = OlderRows.of(begin.model, rows)
        session.files = {**files, "keep": OtherFile(rows.source.path, rows.digest)}
    session.require_saveable()
    session.folder = runs.create(runs_folder, source.path, name, session.begin_in)
    return session


def _fill(session: Session) -> None:
    """Puts the word vectors and the weights that a training begins with into its parameters."""
    session.coverage = vectors.fill(session.prepared, session.state)
    if session.begin is not None:
        session.begin.fill(session.prepared.untrained, session.state.store.flat)


def _fold(main: Session, number: int) -> Session:
    """The training that leaves out a fold: a new one, or where it was stopped.

    Raises:
        RnncliError: of every kind.
    """
    dataset = dataset_of(arranging.without_test(main.dataset), main.folds, number)
    settings = main.settings.replace(keep_epochs=False)
    prepared, tested = _prepared(task_named(settings.task), dataset, settings, main.begin)
    folder = folder_of(main.folder, number)
    made = _untrained(folder, dataset, prepared, main.files, tested)
    made.begin, made.of, made.fold = main.begin, main, number
    if folder.state.exists():
        lock = RunLock(folder.path, folder.named)
        try:
            checkpoint = state.load(folder.state)
            _refuse_diverged(main.folder, checkpoint)
            _restore(made, checkpoint)
        except BaseException:
            lock.release()
            raise
        made._lock = lock
        return made
    _fill(made)
    made.folder = folds.made(main.folder, number, made.begin_in)
    return made


def _restore(session: Session, checkpoint: Checkpoint) -> None:
    """Puts a saved state into a session of the same training."""
    checkpoint.restore(session.state)
    progress, settings = session.state.progress, session.settings
    patience = settings.patience if session.prepared.validation.size else None
    if progress.epoch < (settings.epochs or 0) and progress.epochs_without_better < (patience or math.inf):
        progress.finished = None
    session.resumed, session._lines = True, _earlier_lines(session.folder.metrics, progress.epoch)


def _refuse_diverged(folder: RunFolder, checkpoint: Checkpoint) -> None:
    """Raises DivergedError: a training has diverged, and would again."""
    diverged = checkpoint.manifest.progress.diverged
    if diverged is not None:
        raise DivergedError(
            f"{folder.named} cannot be resumed: {diverged}, and it would diverge again",
            "start anew with a smaller learning rate"
            + (f"; its best model is kept: {folder.named}" if folder.model.exists() else ""),
        )


def _prepared(
    task: Task, dataset: Dataset, settings: Settings, begin: Begin | None = None
) -> tuple[Prepared, Prepared | None]:
    """What a training starts from; and the rows for testing in the place of those for validation, if there are any.

    These are prepared before the training, so that one that cannot be read is found before it. The former never sees
    them; what the latter has learned is the same, since the rows for training decide it.
    """
    # A task that cannot begin with a model has no argument for it.
    known = {} if begin is None else {"begin": begin.model}
    prepared, arrangement = task.prepare(arranging.without_test(dataset), settings, **known), dataset.arrangement
    # Other files with these columns are read alike.
    prepared = replace(prepared, untrained=replace(prepared.untrained, roles=dataset.lasting_roles))
    if arrangement is None or not arrangement.has_test:
        return prepared, None
    tested = task.prepare(replace(dataset, arrangement=arrangement.testing()), settings, **known)
    report = replace(prepared.report, test_rows=tested.report.validation_rows)
    return replace(prepared, report=report), tested


def _untrained(
    folder: RunFolder,
    dataset: Dataset,
    prepared: Prepared,
    files: Mapping[str, OtherFile],
    test: Prepared | None,
) -> Session:
    """A session before its first step, with every ``auto`` resolved."""
    automatic_patience = prepared.settings.patience is None
    prepared = _resolve_auto(prepared)
    settings = prepared.settings
    group = group_of(settings.workers or 1)
    frozen = prepared.word_tables if settings.freeze else ()
    training = loop.new_state(prepared.network, settings, group, frozen)
    return Session(
        folder,
        dataset,
        prepared,
        training,
        group,
        automatic_patience=automatic_patience,
        files=files,
        test=test,
    )


def resume(
    run: str,
    runs_folder: Path,
    *,
    data: str | Source | None = None,
    given: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    beside: Mapping[str, str | None] | None = None,
    on_found: Callable[[], object] = lambda: None,
) -> Session:
    """Goes on with a training from its last saved state.

    Args:
        run: ``latest``, a run's folder or its name.
        runs_folder: where names are looked for.
        data: the data file, or several, if they have moved (or came from stdin).
        given: settings that the user has named again; those of MAY_CHANGE may differ from the run's. A finished
            training goes on if more epochs or more patience are allowed now.
        reading: fields of the :class:`Source` that the user has named again; none may differ from the run's.
        beside: option → the file that it names, of those beside the data that have moved.
        on_found: called when there is a run to resume, before its data are read.

    Raises:
        UsageError: the data or a setting is not what the training began with, or ``latest`` could not name it.
        StorageError: there is no such run, it has no saved state, or another process trains it.
        DivergedError: it has diverged, and would again.
        RnncliError: of every other kind.
    """
    folder = runs.find_run(run, runs_folder)
    runs.require_free_latest(folder.named.parent)
    if not folder.state.exists():
        has_model = "; the model that is there can be used, but not trained on" if folder.model.exists() else ""
        raise StorageError(f"{folder.named} holds no saved state to resume{has_model}", "start anew: rnncli train DATA")
    lock = RunLock(folder.path, folder.named)
    try:
        return _resumed(folder, lock, data, given or {}, reading or {}, beside or {}, on_found)
    except BaseException:
        lock.release()
        raise


def _resumed(
    folder: RunFolder,
    lock: RunLock,
    data: str | Source | None,
    given: Mapping[str, Any],
    reading: Mapping[str, Any],
    beside: Mapping[str, str | None],
    on_found: Callable[[], object],
) -> Session:
    """As :func:`resume`, of a run that is locked for this process."""
    checkpoint = state.load(folder.state)
    _refuse_diverged(folder, checkpoint)
    start = checkpoint.start
    settings = start.settings_again(given)
    start.check_reading(reading)
    for option, path in beside.items():
        if path is not None and option not in start.files:
            raise UsageError(
                f"--{option}: the training to resume has no such file", "score it afterwards: rnncli evaluate FILE"
            )
    if data is None and start.source.path == "-":
        raise UsageError(
            f"{folder.named} was trained from stdin", "name the data again: rnncli train DATA --resume RUN"
        )
    moved = {"validation": given.get("validation"), **beside}
    paths = {option: moved.get(option) or file.path for option, file in start.files.items()}
    data = Source(data) if isinstance(data, str) else data
    read = [*(start.source if data is None else data).paths, settings.vectors, *paths.values()]
    storage.require_apart(folder.files, [path for path in read if path not in (None, "-")])
    on_found()
    begin = None if start.origin is None else Begin.again(folder.origin, start.origin)
    dataset, others = _read_again(folder, start, data, paths, begin)
    joined, files, warnings = arranging.with_files(dataset, others)
    task = task_for(joined, settings.task)
    prepared, tested = _prepared(task, joined, settings, begin)
    session = _untrained(folder, joined, prepared, files, tested)
    session.begin, session.unused = begin, warnings
    if begin is not None and "keep" in others:
        session.keep = OlderRows.of(begin.model, others["keep"])
    session.folds, session.keep_folds = start.folds, start.keep_folds
    _restore(session, checkpoint)
    open_folds = len(session.state.progress.folds) < start.folds
    if open_folds and any(
        getattr(session.settings, name) != getattr(start.settings, name) for name in ("epochs", "patience")
    ):
        raise UsageError(
            f"{folder.named} has folds that are not done, and all of them have the same epochs and patience",
            "leave --epochs and --patience out until they are done",
        )
    storage.write_atomically(folder.config, session.settings.to_yaml().encode())
    session._lock = lock
    return session


def _read_again(
    folder: RunFolder, start: StartingPoint, data: Source | None, paths: Mapping[str, str], begin: Begin | None
) -> tuple[Dataset, dict[str, Dataset]]:
    """The data that a training began with, from where they were or from ``data``, and the files beside them.

    Args:
        paths: option → where the file that it named is now, of those that were read beside the data.
        begin: the model that it began with.

    Raises:
        UsageError: they are not the same.
        StorageError: they cannot be read.
    """
    source = start.source if data is None else start.source.of(data.path, data.more, data.target)
    resume = f"--resume {shlex.quote(str(folder.named))}"
    command = f"rnncli train DATA {resume}"
    with _the_same(source.path, "data that {} was trained on", folder, command, data is None):
        if begin is None:
            dataset = read_dataset(source, source.label is not None, task=start.settings.task, settled=True)
        else:
            dataset = begin.read(source)
        _require_digest(dataset.digest, start.digest)
    others = {}
    for option, path in paths.items():
        command, kept = f"rnncli train {resume} --{option} FILE", path == start.files[option].path
        with _the_same(path, f"{option} file of {{}}", folder, command, kept):
            others[option] = arranging.read_like(dataset, path, f"--{option}", start.settings.task)
            _require_digest(others[option].digest, start.files[option].digest)
    return dataset, others


def _require_digest(digest: str, before: str) -> None:
    if digest != before:
        raise DataError("its contents have changed")


@contextmanager
def _the_same(path: str, what: str, folder: RunFolder, command: str, kept: bool) -> Iterator[None]:
    """Inside, a file is read that a training began with.

    Args:
        what: it should be, with the run in place of ``{}``.
        command: that names it where it is now.
        kept: whether it is looked for where it was.

    Raises:
        UsageError: what was read is something else.
        StorageError: it is not there.
    """
    try:
        yield
    except DataError as error:  # it could be read when the training began
        reason = error.message.removeprefix("--text: ").removeprefix("--label: ")
        raise UsageError(
            f"{display_name(path)} is not the {what.format(folder.named)}: {reason}",
            f"start a new training, or name the right file: {command}",
        ) from None
    except StorageError as error:
        if not kept or os.path.exists(path):
            raise
        raise StorageError(error.message, f"if it has moved: {command}") from None


def _resolve_auto(prepared: Prepared) -> Prepared:
    """Replaces ``auto`` by a number: epochs, patience and workers."""
    settings, lengths = prepared.settings, prepared.train.lengths
    epochs = settings.epochs
    if epochs is None:
        epochs = loop.auto_epochs(len(lengths), int(lengths.sum()), settings.batch, task_named(settings.task).effort)
    patience = loop.auto_patience(epochs) if settings.patience is None else settings.patience
    workers = settings.workers or loop.auto_workers(settings, len(lengths), float(lengths.mean()))
    return prepared.with_settings(settings.replace(epochs=epochs, patience=patience, workers=workers))


def _earlier_lines(path: Path, epochs: int) -> list[dict[str, Any]]:
    """The metrics of the finished epochs; without them, only timings are lost."""
    try:
        lines = [json.loads(line) for line in path.read_text().split("\n") if line]
        return [line for line in lines if line["epoch"] <= epochs]
    except (OSError, ValueError, TypeError, KeyError):
        return []
