"""A training as a value: everything that the next step depends on, and the file that holds it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from rnncli import model_file, schema, storage
from rnncli.core.optim.optimizers import OptimizerState
from rnncli.core.optim.parameters import ParameterStore
from rnncli.core.packed import Array
from rnncli.errors import ModelFileError, UsageError
from rnncli.record import EpochRecord, FoldScore, Loss, require_epochs
from rnncli.schema import Count, Length, Ordinal
from rnncli.training.starting_point import StartingPoint


@dataclass
class Progress:
    """Where a training stands.

    Attributes:
        epoch: finished epochs.
        step_in_epoch: finished steps of the present one.
        loss_sum: of these steps' mean losses.
        best_score: of the best epoch so far, on the validation rows: (accuracy, −loss), or as the network is judged.
        epochs_without_better: for early stopping.
        finished: why the training ended; None before its end.
        diverged: where a number was not finite; resumed from here, the training would diverge again.
        folds: the scores of the trainings that left out a fold, as many as are done.
    """

    epoch: Count = 0
    step_in_epoch: Count = 0
    loss_sum: Loss = 0.0
    best_epoch: Ordinal | None = None
    best_score: tuple[Loss, Loss] | None = None
    epochs_without_better: Count = 0
    finished: Annotated[str, Length(1, 200)] | None = None
    diverged: Annotated[str, Length(1, 200)] | None = None
    history: list[EpochRecord] = field(default_factory=list)
    folds: list[FoldScore] = field(default_factory=list)

    def __post_init__(self) -> None:
        require_epochs(self.history)
        if len(self.history) != self.epoch:
            raise ValueError(f"{self.epoch} epochs are done, and {len(self.history)} are recorded")
        known = self.best_epoch is not None, self.best_score is not None
        if known != (self.epoch > 0, self.epoch > 0) or (self.best_epoch or 0) > self.epoch:
            raise ValueError("best_epoch is not one of the epochs that are done")
        if self.epochs_without_better != self.epoch - (self.best_epoch or 0):
            raise ValueError("epochs_without_better is not the number of epochs since the best one")
        if self.step_in_epoch == 0 and self.loss_sum != 0:
            raise ValueError("loss_sum is of no step")


@dataclass
class TrainingState:
    """Parameters, optimizer moments, the progress, and what else one step leaves to the next.

    Random numbers need no state: those of a step are a function of the seed and the step's number.
    """

    store: ParameterStore
    optimizer: OptimizerState
    progress: Progress
    carried: dict[str, Array] = field(default_factory=dict)

    def forget(self) -> None:
        """Clears what the last epoch has left."""
        for array in self.carried.values():
            array[...] = 0


@dataclass(frozen=True)
class Manifest:
    """What a saved state holds beside its arrays."""

    kind: Literal["training state"]
    context: StartingPoint  # as it is stored
    optimizer_step: Count
    idle_steps: Count
    progress: Progress


def save(path: Path, state: TrainingState, start: StartingPoint) -> None:
    """Writes the whole state in one atomic step.

    Args:
        start: what a resumed training must find unchanged.

    Raises:
        ModelFileError: :func:`load` would refuse the file; an older one stays as it was.
        StorageError: it cannot be written.
    """
    model_file.save(path, _manifest(state, start, f"{storage.one_line(path)}: "), _arrays(state))


def require_saveable(state: TrainingState, start: StartingPoint) -> None:
    """Raises ModelFileError where :func:`save` would, whatever the arrays become."""
    model_file.require_saveable(_manifest(state, start), _arrays(state))


def _manifest(state: TrainingState, start: StartingPoint, where: str = "") -> dict[str, Any]:
    """What the file holds beside the arrays; an error's message begins with ``where``."""
    manifest = {
        "kind": "training state",
        "context": asdict(start.stored()),
        "optimizer_step": state.optimizer.step,
        "idle_steps": state.optimizer.lazy.now,
        "progress": asdict(state.progress),
    }
    try:
        schema.read(Manifest, manifest)
    except (ValueError, UsageError) as error:
        raise ModelFileError(f"{where}the state of this training cannot be saved: {error}") from error
    return manifest


def mark_diverged(path: Path, what: str) -> None:
    """Notes in a saved state that the training has diverged after it.

    Raises:
        ModelFileError: the file is damaged, or something else.
        StorageError: the file cannot be read or written.
    """
    checkpoint = load(path)
    progress = replace(checkpoint.manifest.progress, diverged=what[:200])
    model_file.save(path, asdict(replace(checkpoint.manifest, progress=progress)), checkpoint.tensors)


def _arrays(state: TrainingState) -> dict[str, Array]:
    """Every array of a training by its name in the file."""
    arrays = {f"parameters/{name}": value for name, value in state.store.flat.items()}
    for moment, groups in state.optimizer.moments.items():
        arrays |= {f"moments/{moment}/{group}": value for group, value in groups.items()}
    arrays |= {f"carried/{name}": value for name, value in state.carried.items()}
    arrays |= {f"frozen/{name}": value for name, value in state.store.frozen.items()}
    return arrays | {f"idle/{name}": value for name, value in state.optimizer.lazy.arrays().items()}


class Checkpoint(NamedTuple):
    """A saved state as it was read; :meth:`restore` puts it into a fresh one."""

    manifest: Manifest
    tensors: dict[str, Array]
    name: str

    @property
    def start(self) -> StartingPoint:
        return self.manifest.context.read()

    def restore(self, state: TrainingState) -> None:
        """Overwrites ``state``, which was built from the same settings and data.

        Raises:
            ModelFileError: the tensors are not those of this training, or the steps do not go with them.
        """
        targets = _arrays(state)
        saved = {name: (value.shape, value.dtype) for name, value in self.tensors.items()}
        if saved != {name: (value.shape, value.dtype) for name, value in targets.items()}:
            raise ModelFileError(f"{self.name}: the saved state does not belong to this training's settings")
        for name, value in targets.items():
            value[...] = self.tensors[name]
        state.optimizer.step = self.manifest.optimizer_step
        state.progress = self.manifest.progress
        try:
            state.optimizer.lazy.resume_at(self.manifest.idle_steps)
        except ValueError as error:
            raise ModelFileError(f"{self.name}: the saved progress cannot be read: {error}") from error


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        ModelFileError: the file is damaged, or something else.
        StorageError: the file cannot be read.
    """
    manifest, tensors = model_file.load(path)
    name = storage.one_line(path)
    wrong = f"{name}: this is not the saved state of a training"
    if manifest.get("kind") != "training state":
        raise ModelFileError(wrong)
    try:
        return Checkpoint(schema.read(Manifest, manifest), tensors, name)
    except (ValueError, UsageError) as error:
        raise ModelFileError(f"{wrong}: {storage.one_line(str(error))}") from error
