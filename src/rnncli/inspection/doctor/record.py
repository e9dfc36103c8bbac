"""What the record of a training says of it: whether it learned, enough, too wildly, too briefly, or by heart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rnncli.core.cells.named import specification_of
from rnncli.errors import counted
from rnncli.inspection.adapters import Adapter
from rnncli.inspection.doctor.findings import Check, Commands
from rnncli.record import EpochRecord, Record
from rnncli.tasks.model import Model

# A loss that has not come 2% below that of knowing how common each label is has learned nothing else: the difference
# is no more than what the rows that happened to be drawn make.
NOTHING_LEARNED = 0.98
# A training's loss hardly ever rises by a tenth of what it began with while the steps are small enough.
RISE = 0.1
# The mean loss of n rows varies by about itself/√n, for the loss of a row varies about as much as it is large; what is
# more than three times the error of a difference of two such means is no chance.
ERRORS = 3.0
# The best epoch is chosen by the validation rows, and network and baseline are scored on the same ones: chance puts the
# network behind by less than the error of a difference of means over different rows, and twice that error is no chance.
BEHIND = 2.0
# An epoch that brings the validation loss down by 1% is followed by others that do.
CLEAR_STEP = 0.01
# By heart: the training loss is under half of the validation loss, and that has risen by a quarter since it was
# smallest. While a training waits in vain for a better epoch, it rises by a tenth or two in good health.
FAR_BELOW, RISEN = 0.5, 0.25
# The learning rate that most trainings go well with whose optimizer scales its steps, and how far off one is far.
USUAL_LR, FAR_OFF = 0.005, 4
UNSCALED = ("sgd", "momentum")
# Steps are too large that make an epoch's loss this much worse than that of knowing only how common labels are, if
# it is none of the first, in which the weights come from anywhere.
WORSE, FIRST = 1.2, 2


def record_checks(adapter: Adapter[Any], commands: Commands) -> list[Check]:
    """Everything that the record alone can say."""
    model = adapter.model
    epochs = model.record.epochs
    return [
        nothing_learned(model, epochs, commands),
        behind_baseline(adapter, epochs, commands),
        learning_rate(model, epochs, commands),
        few_epochs(model, epochs, commands),
        overfitting(model, epochs, commands),
    ]


def _validated(epochs: Sequence[EpochRecord]) -> list[float]:
    """The validation losses; none where an epoch has none."""
    losses = [epoch.validation_loss for epoch in epochs if epoch.validation_loss is not None]
    return losses if len(losses) == len(epochs) else []


def knowing_how_common(model: Model) -> tuple[float, str] | None:
    """The loss, in nats, of knowing how common each label is and nothing else; with what it is called."""
    counts = model.record.label_rows
    if counts and all(counts.values()):
        whole = sum(counts.values())
        return -sum(n / whole * math.log(n / whole) for n in counts.values()), "the entropy of the labels"
    for name, score in model.record.baselines.items():
        if name.startswith("single_"):  # of the tasks that write: counting symbols
            return float(score), f"the loss of counting {name.removeprefix('single_')}"
    return None


def nothing_learned(model: Model, epochs: Sequence[EpochRecord], commands: Commands) -> Check:
    """The best loss there was, over that of knowing how common each label is."""
    means = "smallest loss over that of knowing only how common labels are"
    known = knowing_how_common(model)
    losses = list(_validated(epochs))
    if model.settings.class_weights == "none":  # with weights, the training loss is of other labels than there are
        losses += [epoch.loss for epoch in epochs]
    number = min(losses) / known[0] if known is not None and known[0] > 0 and losses else None
    check = Check("loss at the label entropy", number, means, f"from {NOTHING_LEARNED:.0%} on")
    if number is None or known is None or number < NOTHING_LEARNED:
        return check
    sentence = f"The loss never came below {min(losses):.4f}, and {known[1]} is {known[0]:.4f}: the model has "
    return check.found(sentence + "learned nothing but how common each label is.", learn_something(model, commands))


def learn_something(model: Model, commands: Commands) -> str:
    """What to change first where a training does not get off the ground: what is unusual, else its length."""
    s, known = model.settings, knowing_how_common(model)
    if s.optimizer not in UNSCALED and not USUAL_LR / FAR_OFF < s.lr < USUAL_LR * FAR_OFF:
        return commands.train(lr=USUAL_LR)
    later = [epoch.loss for epoch in model.record.epochs[FIRST:]]
    if known is not None and max(later, default=0.0) > WORSE * known[0]:
        return commands.train(lr=gentler(model))
    if not any(gate.opens for gate in specification_of(s.cell).gates):
        return commands.train(cell="lstm")
    if s.readout == "last" and "readout" not in model.unused:
        return commands.train(readout="max")
    return commands.train(epochs=max(20, 2 * len(model.record.epochs)))


def behind_baseline(adapter: Adapter[Any], epochs: Sequence[EpochRecord], commands: Commands) -> Check:
    """By how much the best epoch is worse than the best of what it had to beat, on the validation rows."""
    model = adapter.model
    metric = model.metric
    scores = [(float(score), name.replace("_", " ")) for name, score in model.record.baselines.items()]
    beat = (max if metric.higher_is_better else min)(scores, default=None)
    means = f"{metric.name} by which the best baseline is ahead"
    own = model.record.best
    score, answers = metric.of(own) if own else None, _validation_answers(adapter)
    if own is None or score is None or beat is None or not answers:
        return Check("behind its baseline", None, means, f"above {BEHIND:g} standard errors")
    best, name = beat
    number = best - score if metric.higher_is_better else score - best
    middle = (best + score) / 2  # of what both would have, if they were equally good
    variance = middle * (1 - middle) if metric.higher_is_better else middle**2
    error = math.sqrt(2 * max(0.0, variance) / answers)
    limit = f"above {BEHIND:g} standard errors, {BEHIND * error:.4f}"
    check = Check("behind its baseline", number, means, limit)
    if number <= BEHIND * error:
        return check
    sentence = f"Epoch {own.epoch} has {score:.4f} {metric.name}, and the {name}, which it has to beat, {best:.4f}; "
    losses = _validated(epochs)
    by_heart = bool(losses) and epochs[-1].loss < FAR_BELOW * losses[-1]
    command = less_by_heart(model, commands) if by_heart else learn_something(model, commands)
    return check.found(f"{sentence}chance makes about {error:.4f}.", command)


def _validation_answers(adapter: Adapter[Any]) -> int:
    """How many answers a validation score is of: of tags, as many as there are on average; 0 where it is not known."""
    record: Record = adapter.model.record
    rows, aside = record.rows, record.validation_rows
    if not rows or not aside:
        return 0
    if adapter.labels_per != "timestep":
        return aside
    return max(aside, sum(record.label_rows.values()) * aside // (rows + aside))


def learning_rate(model: Model, epochs: Sequence[EpochRecord], commands: Commands) -> Check:
    """The highest that the training loss has climbed above what it had come down to, over what it began with."""
    losses, rows = [epoch.loss for epoch in epochs], model.record.rows
    rises = [losses[k] - min(losses[:k]) for k in range(1, len(losses))]
    number = max(0.0, *rises) / losses[0] if rises and losses[0] > 0 else None
    means = "largest rise of the training loss over what it began with"
    check = Check("learning rate too high", number, means, f"above {RISE:.0%} and {ERRORS:g} standard errors")
    if number is None or not rows:
        return check
    highest = 1 + rises.index(max(rises))
    error = math.sqrt(2 / rows) * losses[highest]
    jumped = number > RISE and max(rises) > ERRORS * error
    climbs = epochs[0].best and not any(epoch.best for epoch in epochs[1:]) and len(epochs) > 2
    climbs = climbs and losses[-1] - losses[0] > ERRORS * math.sqrt(2 / rows) * losses[-1]
    if not jumped and not climbs:
        return check
    low = min(losses[:highest])
    said = f"The training loss rises from {low:.4f} to {losses[highest]:.4f} in epoch {epochs[highest].epoch}"
    if climbs:
        said = f"The first epoch was the best, and the training loss rises to {losses[-1]:.4f} from {losses[0]:.4f}"
    return check.found(f"{said}; chance makes about {error:.4f}.", commands.train(lr=gentler(model)))


def gentler(model: Model) -> float:
    """A fifth of the learning rate, in two digits; of one that is far too high the usual one."""
    fifth = float(f"{model.settings.lr / 5:.1e}")
    return fifth if model.settings.optimizer in UNSCALED else min(fifth, USUAL_LR)


def few_epochs(model: Model, epochs: Sequence[EpochRecord], commands: Commands) -> Check:
    """How far below all earlier ones the last validation loss is."""
    losses = _validated(epochs)
    number = max(0.0, 1 - losses[-1] / min(losses[:-1])) if len(losses) > 1 and min(losses[:-1]) > 0 else None
    means = "fall of the validation loss in the last epoch"
    check = Check("too few epochs", number, means, f"above {CLEAR_STEP:.0%}, in the best epoch")
    if number is None or number <= CLEAR_STEP or not epochs[-1].best:
        return check
    if len(epochs) != model.settings.epochs or epochs[-1].validation_accuracy == 1:
        return check  # it ended for another reason than the number of epochs, or cannot get better
    sentence = f"The last of {counted(len(epochs), 'epoch')} still took the validation loss from "
    sentence += f"{min(losses[:-1]):.4f} down to {losses[-1]:.4f}: it was not done."
    return check.found(sentence, commands.train(epochs=2 * len(epochs)))


def overfitting(model: Model, epochs: Sequence[EpochRecord], commands: Commands) -> Check:
    """How far the last validation loss is above the smallest one."""
    losses = _validated(epochs)
    number = losses[-1] / min(losses) - 1 if losses and min(losses) > 0 else None
    means = "rise of the validation loss since it was smallest"
    limit = f"above {RISEN:.0%}, training loss under {FAR_BELOW:.0%} of it"
    check = Check("overfitting", number, means, limit)
    if number is None or number <= RISEN or epochs[-1].loss >= FAR_BELOW * losses[-1]:
        return check
    smallest = losses.index(min(losses))
    if epochs[smallest].validation_accuracy == 1:
        return check  # it cannot get better
    sentence = f"The validation loss has risen from {losses[smallest]:.4f} in epoch {epochs[smallest].epoch} to "
    sentence += f"{losses[-1]:.4f}, with a training loss of {epochs[-1].loss:.4f}: the rows are learned by heart."
    return check.found(sentence, less_by_heart(model, commands))


def less_by_heart(model: Model, commands: Commands) -> str:
    """What to change first where the rows are learned by heart."""
    s = model.settings
    return commands.train(dropout=0.5) if s.dropout < 0.5 else commands.train(hidden=max(1, s.hidden // 2))
