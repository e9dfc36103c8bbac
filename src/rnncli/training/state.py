"""A training as a value: everything that the next step depends on, and the file that holds it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from rnncli import model_file
from rnncli.core.optimizers import OptimizerState
from rnncli.core.packed import Array
from rnncli.core.parameters import ParameterStore
from rnncli.errors import ModelFileError

D = TypeVar("D")


@dataclass(frozen=True)
class EpochRecord:
    """One line of the training record; nothing in it depends on the clock."""

    epoch: int
    loss: float
    validation_loss: float | None
    validation_accuracy: float | None
    best: bool


@dataclass
class Progress:
    """Where a training stands.

    Attributes:
        epoch: finished epochs.
        step_in_epoch: finished steps of the present one.
        loss_sum: of these steps' mean losses.
        best_score: (accuracy, −loss) of the best epoch so far, on the validation rows.
        epochs_without_better: for early stopping.
        finished: why it ended, or None while it has not.
    """

    epoch: int = 0
    step_in_epoch: int = 0
    loss_sum: float = 0.0
    best_epoch: int | None = None
    best_score: tuple[float, float] | None = None
    epochs_without_better: int = 0
    finished: str | None = None
    history: list[EpochRecord] = field(default_factory=list)


@dataclass
class TrainingState:
    """Parameters, optimizer moments, the progress, and what one step leaves to the next beside them.

    Random numbers need no state: those of a step are a function of the seed and the step's number.
    """

    store: ParameterStore
    optimizer: OptimizerState
    progress: Progress
    carried: dict[str, Array] = field(default_factory=dict)

    def forget(self) -> None:
        """An epoch begins without memories of the one before."""
        for array in self.carried.values():
            array[...] = 0


def save(path: Path, state: TrainingState, context: Mapping[str, Any]) -> None:
    """Writes the whole state in one atomic step.

    Args:
        path: of the checkpoint.
        state: what to save.
        context: what a resumed training must find unchanged (settings, data, digest).
    """
    manifest = {
        "kind": "training state",
        "context": dict(context),
        "optimizer_step": state.optimizer.step,
        "idle_steps": state.optimizer.idle.now,
        "progress": asdict(state.progress),
    }
    model_file.save(path, manifest, _arrays(state))


def _arrays(state: TrainingState) -> dict[str, Array]:
    """Every array of a training by its name in the file."""
    arrays = {f"parameters/{name}": value for name, value in state.store.flat.items()}
    for moment, groups in state.optimizer.moments.items():
        arrays |= {f"moments/{moment}/{group}": value for group, value in groups.items()}
    arrays |= {f"carried/{name}": value for name, value in state.carried.items()}
    arrays |= {f"frozen/{name}": value for name, value in state.store.frozen.items()}
    return arrays | {f"idle/{name}": value for name, value in state.optimizer.idle.arrays().items()}


@dataclass(frozen=True)
class Checkpoint:
    """A saved state as it was read; :meth:`restore` puts it into a fresh one."""

    context: dict[str, Any]
    manifest: dict[str, Any]
    tensors: dict[str, Array]
    name: str

    def restore(self, state: TrainingState) -> None:
        """Overwrites ``state``, which was built from the same settings and data.

        Raises:
            ModelFileError: the tensors are not those of this training, or the progress is none.
        """
        targets = _arrays(state)
        saved = {name: (value.shape, value.dtype) for name, value in self.tensors.items()}
        if saved != {name: (value.shape, value.dtype) for name, value in targets.items()}:
            raise ModelFileError(f"{self.name}: the saved state does not belong to this training's settings")
        for name, value in targets.items():
            value[...] = self.tensors[name]
        try:
            state.optimizer.step = self.manifest["optimizer_step"]
            state.optimizer.idle.resume_at(self.manifest["idle_steps"])
            state.progress = _read_progress(self.manifest["progress"])
            if type(state.optimizer.step) is not int or state.optimizer.step < 0:
                raise ValueError("no count of steps")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{self.name}: the saved progress cannot be read") from error


def from_table(kind: type[D], table: Any, apart: Container[str] = ()) -> D:
    """A dataclass from what a file says of its fields; the types of those in ``apart`` are the caller's to check.

    Raises:
        TypeError: a field is missing, of another type, or not one.
    """
    made = kind(**table)
    for name, expected in get_type_hints(kind).items():
        if name not in apart and not isinstance(getattr(made, name), expected):
            raise TypeError(f"{name} is of another type")
    return made


def _read_progress(table: dict[str, Any]) -> Progress:
    progress = from_table(Progress, table, apart=("best_score", "history"))
    if min(progress.epoch, progress.step_in_epoch, progress.epochs_without_better) < 0:
        raise ValueError("no count")
    if progress.best_score is not None:
        accuracy, negative_loss = map(float, progress.best_score)
        progress.best_score = accuracy, negative_loss
    progress.history = [from_table(EpochRecord, record) for record in table["history"]]
    return progress


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        ModelFileError: it is damaged or something else.
        StorageError: it cannot be read.
    """
    manifest, tensors = model_file.load(path)
    if manifest.get("kind") != "training state" or not isinstance(manifest.get("context"), dict):
        raise ModelFileError(f"{path}: this is not the saved state of a training")
    return Checkpoint(manifest["context"], manifest, tensors, str(path))
