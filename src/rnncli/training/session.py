"""One training from its first step to its last, and what it leaves in its folder."""

from __future__ import annotations

import json
import math
import shlex
import signal
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from rnncli import storage
from rnncli.config import Settings
from rnncli.core.engine import library
from rnncli.core.optim.parameters import nest
from rnncli.data.dataset import Dataset
from rnncli.errors import DivergedError, ModelFileError, StorageError, TrainingInterrupted, UsageError
from rnncli.parallel.communicator import Group
from rnncli.record import EpochRecord, FinalScore, FoldScore, KeptScore, Origin, Record
from rnncli.results import EpochDone, Event, Finished
from rnncli.tasks.comparison import Baseline, Comparison
from rnncli.tasks.cross_validation import CrossValidation
from rnncli.tasks.model import Metric, Model
from rnncli.tasks.prepare import Prepared
from rnncli.training import engines, loop, runs, state
from rnncli.training.card import model_card
from rnncli.training.continuing import Begin
from rnncli.training.final_scores import FinalScores, OlderRows, stored_name
from rnncli.training.runs import RunFolder, RunLock
from rnncli.training.starting_point import OtherFile, StartingPoint
from rnncli.training.state import Checkpoint, Progress, TrainingState
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
        lock: keeps other processes from training in the folder.
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
    lock: RunLock | None = None
    _lines: list[dict[str, Any]] = field(default_factory=list)
    _compared: tuple[int, Comparison] | None = None

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
        self.lock = RunLock(folder.path, folder.named)
        storage.write_atomically(folder.config, self.settings.to_yaml().encode())
        if self.begin is not None:
            storage.write_atomically(folder.origin, self.begin.content)
        self.save_state()

    def restore(self, checkpoint: Checkpoint) -> None:
        """Puts a saved state of the same training into it."""
        checkpoint.restore(self.state)
        progress, settings = self.state.progress, self.settings
        patience = settings.patience if self.prepared.validation.size else None
        if progress.epoch < (settings.epochs or 0) and progress.epochs_without_better < (patience or math.inf):
            progress.finished = None
        self.resumed, self._lines = True, _earlier_lines(self.folder.metrics, progress.epoch)

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
        events = self._events()
        try:
            while True:
                # Entered anew for each event: whoever takes them computes with an engine of his own.
                with self.computing():
                    event = next(events, None)
                if event is None:
                    return
                yield event
        except DivergedError as error:
            with suppress(StorageError):  # the user has to hear of the divergence first
                state.mark_diverged(self.folder.state, error.message)
            raise
        finally:
            events.close()
            if self.lock is not None:
                self.lock.release()

    def computing(self) -> AbstractContextManager[None]:
        """Inside, the engine of this training computes."""
        return library.using("numpy" if self.settings.engine == "numpy" else "auto")

    @property
    def engine(self) -> library.Status:
        """What computes this training."""
        with self.computing():
            return library.status()

    @property
    def computed_by(self) -> str:
        """The engine and what else of this machine decides the bits."""
        with self.computing():
            return engines.in_words()

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
                    self.prepared = p.with_settings(self.settings.replace(workers=workers))
                if library.status().engine != self.settings.engine:
                    self._go_on_in_numpy()
                if isinstance(event, EpochDone):
                    self._save_epoch(event)
                elif isinstance(event, Finished):
                    self._finish()
                yield event
                if self.stop_signal is not None and not isinstance(event, Finished):
                    self._interrupt(self.stop_signal)

    def _go_on_in_numpy(self) -> None:
        """What is saved tells the truth, where the compiled engine turned out to compute something wrongly."""
        self.prepared = self.prepared.with_settings(self.settings.replace(engine="numpy"))
        self.unused += (f"the training went on in NumPy: of the compiled engine, {library.why_not()}",)

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
            computed_by=self.computed_by,
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
            data=stored_name(self.dataset.source.name),
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
        self.save_state()

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

    def save_state(self) -> None:
        """Writes the present state, from which the training can be resumed.

        Raises:
            StorageError: it cannot be written.
        """
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
            self.scores = FinalScores.of(model, self.test, self.dataset.source.name if file is None else file.path)
        if self.keep is not None:
            self.kept = self.keep.score(model)
        model = model.with_training(self.settings, self._record(best_epoch))
        model.save(self.folder.model)
        self.save_state()
        report, baselines = self.prepared.report, self.baselines or ()
        compared = self.comparison(), self.test_comparison, self.cross_validation()
        card = model_card(self.folder.path.name, self.dataset.name, model, report, baselines, *compared)
        storage.write_atomically(self.folder.card, card.encode())

    def _interrupt(self, signal_number: int) -> None:
        if self.state.progress.best_epoch is None:
            self._save_model()  # better than nothing to look at; the first finished epoch replaces it
        self.save_state()
        progress = self.state.progress
        raise TrainingInterrupted(
            f"stopped by {signal.Signals(signal_number).name} in epoch {progress.epoch + 1} "
            f"after step {progress.step_in_epoch}; everything is saved",
            self.go_on,
            exit_code=128 + signal_number,
        )


def _earlier_lines(path: Path, epochs: int) -> list[dict[str, Any]]:
    """The metrics of the finished epochs; without them, only timings are lost."""
    try:
        lines = [json.loads(line) for line in path.read_text().split("\n") if line]
        return [line for line in lines if line["epoch"] <= epochs]
    except (OSError, ValueError, TypeError, KeyError):
        return []
