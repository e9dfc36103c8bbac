"""One training from its data to its folder of files: started, or resumed."""

from __future__ import annotations

import json
import math
import os
import shlex
import signal
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rnncli import storage
from rnncli.config import Settings
from rnncli.core.optim.parameters import nest
from rnncli.data.dataset import Dataset, Source, is_plain_text, read_dataset
from rnncli.data.doubts.preview import Purpose
from rnncli.data.formats.sources import display_name
from rnncli.errors import DataError, DivergedError, ModelFileError, StorageError, TrainingInterrupted, UsageError
from rnncli.parallel import group_of
from rnncli.parallel.communicator import Group
from rnncli.record import EpochRecord, Record
from rnncli.results import EpochDone, Event, Finished
from rnncli.tasks import task_for, task_named
from rnncli.tasks.comparison import Baseline, Comparison, compare
from rnncli.tasks.model import Metric, Model
from rnncli.tasks.prepare import Prepared
from rnncli.training import loop, runs, state, vectors
from rnncli.training.card import model_card
from rnncli.training.runs import RunFolder, RunLock
from rnncli.training.starting_point import StartingPoint
from rnncli.training.state import Progress, TrainingState
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
        return f"go on with: rnncli train --resume {shlex.quote(str(self.folder.named))}"

    def begin_in(self, folder: RunFolder) -> None:
        """Locks a run's folder and saves the state in it, so that the training can be resumed from the first moment.

        Raises:
            StorageError: a file cannot be written.
        """
        self.folder = folder
        self._lock = RunLock(folder.path, folder.named)
        storage.write_atomically(folder.config, self.settings.to_yaml().encode())
        self._save_state()

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
            metric = self.metric
            baseline = (max if metric.higher_is_better else min)(self.baselines, key=lambda one: one.score)
            own = self.prepared.network.row_scores(Model.load(self.folder.model).params, self.prepared.validation)
            how = {"share": metric.field == "validation_accuracy", "higher_is_better": metric.higher_is_better}
            self._compared = best, compare(own, baseline.rows, baseline.name, metric.name, **how)
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
        progress = Progress(epochs, history=history, **best)
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
        return StartingPoint(self.settings, self.dataset.source, self.dataset.digest, self.automatic_patience)

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
            data=os.fsencode(os.path.basename(self.dataset.name)).decode("utf-8", "backslashreplace"),
            rows=p.report.training_rows,
            validation_rows=p.report.validation_rows,
            label_rows=dict(p.report.label_rows),
            best_epoch=epoch,
            epochs=tuple(progress.history),
            baselines={baseline.name: baseline.score for baseline in self.baselines or ()},
        )

    def _save_epoch(self, event: EpochDone) -> None:
        # The model before the state: if the process dies in between, the resumed training runs this epoch again and
        # writes the same model again. The other way round a best model could be lost.
        self._keep_epoch()
        if event.record.best:
            self._save_model()
        timing = {"seconds": round(event.seconds, 3), "words_per_second": round(event.words_per_second, 1)}
        self._lines.append(asdict(event.record) | timing)
        storage.write_atomically(self.folder.metrics, "".join(json.dumps(line) + "\n" for line in self._lines).encode())
        self._save_state()

    def _keep_epoch(self) -> None:
        epoch = self.state.progress.epoch
        if self.settings.keep_epochs and not self.folder.epoch(epoch).exists():
            storage.make_folder(self.folder.epochs)
            self._model_of(epoch or None).save(self.folder.epoch(epoch))

    def _save_model(self) -> None:
        self.model().save(self.folder.model)
        runs.point_latest(self.folder)

    def _save_state(self) -> None:
        state.save(self.folder.state, self.state, self._starting_point())

    def _finish(self) -> None:
        if self.state.progress.best_epoch is None:
            self._save_model()  # --epochs 0: the untrained model
        else:
            # The best model was saved when it was the best; now it also gets the epochs that followed, and the final
            # number of epochs.
            best = Model.load(self.folder.model)
            best.with_training(self.settings, self._record(self.state.progress.best_epoch)).save(self.folder.model)
        self._save_state()
        report, baselines = self.prepared.report, self.baselines or ()
        card = model_card(self.folder.path.name, self.dataset.name, self.model(), report, baselines, self.comparison())
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
    named: Collection[str] = (),
) -> Session:
    """Reads the data, prepares it, and makes the run's folder last: what fails before leaves no trace.

    Args:
        given: settings by name; the others have the defaults of the task that these or the data ask for.
        named: those that the user named for this training: each has to change something.

    Raises:
        RnncliError: of every kind.
    """
    settings = Settings.from_mapping(given)
    labelled = not is_plain_text(source) if settings.task == "auto" else task_named(settings.task).model.labelled
    dataset = read_dataset(source, labelled, task=settings.task, purpose=Purpose(task_named="task" in named))
    task = task_for(dataset, settings.task)
    settings = Settings.from_mapping({**task.defaults(dataset, settings), **given, "task": task.name})
    settings = vectors.with_dimension(settings, given)
    prepared = task.prepare(dataset, settings)
    unused = require_used(named, prepared.untrained)
    session = _untrained(RunFolder(runs_folder), dataset, prepared)
    session.unused, session.coverage = unused, vectors.fill(session.prepared, session.state)
    session.require_saveable()
    session.folder = runs.create(runs_folder, source.path, name, session.begin_in)
    return session


def _untrained(folder: RunFolder, dataset: Dataset, prepared: Prepared) -> Session:
    """A session before its first step, with every ``auto`` resolved."""
    automatic_patience = prepared.settings.patience is None
    prepared = _resolve_auto(prepared)
    settings = prepared.settings
    group = group_of(settings.workers or 1)
    frozen = prepared.word_tables if settings.freeze else ()
    training = loop.new_state(prepared.network, settings, group, frozen)
    return Session(folder, dataset, prepared, training, group, automatic_patience=automatic_patience)


def resume(
    run: str,
    runs_folder: Path,
    *,
    data: str | None = None,
    given: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    on_found: Callable[[], object] = lambda: None,
) -> Session:
    """Goes on with a training from its last saved state.

    Args:
        run: ``latest``, a run's folder or its name.
        runs_folder: where names are looked for.
        data: the data file, if it has moved (or came from stdin).
        given: settings that the user has named again; those of MAY_CHANGE may differ from the run's. A finished
            training goes on if more epochs or more patience are allowed now.
        reading: fields of the :class:`Source` that the user has named again; none may differ from the run's.
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
        return _resumed(folder, lock, data, given or {}, reading or {}, on_found)
    except BaseException:
        lock.release()
        raise


def _resumed(
    folder: RunFolder,
    lock: RunLock,
    data: str | None,
    given: Mapping[str, Any],
    reading: Mapping[str, Any],
    on_found: Callable[[], object],
) -> Session:
    """As :func:`resume`, of a run that is locked for this process."""
    checkpoint = state.load(folder.state)
    diverged = checkpoint.manifest.progress.diverged
    if diverged is not None:
        raise DivergedError(
            f"{folder.named} cannot be resumed: {diverged}, and it would diverge again",
            "start anew with a smaller learning rate"
            + (f"; its best model is kept: {folder.named}" if folder.model.exists() else ""),
        )
    start = checkpoint.start
    settings = start.settings_again(given)
    start.check_reading(reading)
    if data is None and start.source.path == "-":
        raise UsageError(
            f"{folder.named} was trained from stdin", "name the data again: rnncli train DATA --resume RUN"
        )
    read = [start.source.path if data is None else data, settings.vectors]
    storage.require_apart(folder.files, [path for path in read if path not in (None, "-")])
    on_found()
    dataset = _read_again(folder, start, data)
    session = _untrained(folder, dataset, task_for(dataset, settings.task).prepare(dataset, settings))
    checkpoint.restore(session.state)
    progress, settings = session.state.progress, session.settings
    patience = settings.patience if session.prepared.validation.size else None
    if progress.epoch < (settings.epochs or 0) and progress.epochs_without_better < (patience or math.inf):
        progress.finished = None
    storage.write_atomically(folder.config, settings.to_yaml().encode())
    session.resumed, session._lock, session._lines = True, lock, _earlier_lines(folder.metrics, progress.epoch)
    return session


def _read_again(folder: RunFolder, start: StartingPoint, data: str | None) -> Dataset:
    """The data that a training began with, from where they were or from ``data``.

    Raises:
        UsageError: they are not the same.
        StorageError: they cannot be read.
    """
    source = start.source if data is None else replace(start.source, path=data)
    try:
        dataset = read_dataset(source, source.label is not None, task=start.settings.task, settled=True)
        if dataset.digest == start.digest:
            return dataset
        reason = "its contents have changed"
    except DataError as error:  # they could be read when the training began
        reason = error.message.removeprefix("--text: ").removeprefix("--label: ")
    except StorageError as error:
        if data is not None or os.path.exists(source.path):
            raise
        moved = f"if it has moved: rnncli train DATA --resume {shlex.quote(str(folder.named))}"
        raise StorageError(error.message, moved) from None
    raise UsageError(
        f"{display_name(source.path)} is not the data that {folder.named} was trained on: {reason}",
        "start a new training, or name the right file: rnncli train DATA --resume RUN",
    )


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
