"""What the record of a training says: whether the model learned, enough, too wildly, too briefly, or by heart."""

from __future__ import annotations

import math

from rnncli.core.cells.named import specification_of
from rnncli.errors import counted
from rnncli.inspection.doctor.findings import Check, Patient

# A loss less than 2% below that of knowing how common each label is has learned nothing else, and one more than 2%
# above it not even that: a smaller difference is no more than what the rows that happened to be drawn make.
NOTHING_LEARNED = 0.98
# A training's loss hardly ever rises by a tenth of what it began with while the steps are small enough.
RISE = 0.1
# The mean loss of n rows varies by about itself/√n, for the loss of a row varies about as much as it is large; more
# than three times the error of a difference of two such means is no chance.
ERRORS = 3.0
# The best epoch is chosen by the validation rows, and network and baseline are scored on the same ones: chance puts the
# network behind by less than the error of a difference of means over different rows, and twice that error is no chance.
BEHIND = 2.0
# An epoch that brings the validation loss down by 1% is followed by others that do.
CLEAR_STEP = 0.01
# By heart: the training loss is under half of the validation loss, which has risen by a quarter since it was smallest.
# While a training waits in vain for a better epoch, it rises by a tenth or two in good health.
FAR_BELOW, RISEN = 0.5, 0.25
# The learning rate that suits most trainings whose optimizer scales its steps, and by what factor one is far off.
USUAL_LR, FAR_OFF = 0.005, 4
UNSCALED = ("sgd", "momentum")
# Steps are too large that make an epoch's loss this much worse than that of knowing only how common labels are, if
# it is none of the first, in which the weights come from anywhere.
WORSE, FIRST = 1.2, 2


def record_checks(patient: Patient) -> list[Check]:
    """Everything that the record alone can say."""
    checks = (nothing_learned, behind_baseline, learning_rate, few_epochs, overfitting)
    return [check(patient) for check in checks]


def loss_of_frequencies(patient: Patient) -> tuple[float, str, str] | None:
    """The loss, in nats, of knowing only how common each label is; its name; and what labels are called."""
    record, label = patient.model.record, patient.adapter.label_is
    entropy = patient.adapter.loss_of_rates(record)
    if entropy is not None:
        return entropy, f"the entropy of the {label}s", label
    for name, score in record.baselines.items():
        if name.startswith("single_"):  # of the tasks that generate text: counting symbols
            counted_ones = name.removeprefix("single_")
            return float(score), f"the loss of counting {counted_ones}", counted_ones.removesuffix("s")
    return None


def nothing_learned(patient: Patient) -> Check:
    """The smallest loss, over that of knowing how common each label is."""
    known, losses = loss_of_frequencies(patient), patient.validation_losses
    if patient.settings.class_weights == "none":  # with weights, the training loss is of other labels than there are
        losses += [epoch.loss for epoch in patient.epochs]
    number = min(losses) / known[0] if known is not None and known[0] > 0 and losses else None
    means = f"smallest loss over that of knowing only how common each {known[2] if known else 'label'} is"
    check = Check("loss at the label entropy", number, means, f"from {NOTHING_LEARNED:.0%} on")
    if number is None or known is None or number < NOTHING_LEARNED:
        return check
    frequencies, name, one = known
    learned = "learned nothing but" if number <= 2 - NOTHING_LEARNED else "not even learned"
    sentence = f"The loss never came below {min(losses):.4f}, and {name} is {frequencies:.4f}: "
    sentence += f"the model has {learned} how common each {one} is."
    return check.found(sentence, learn_something(patient))


def learn_something(patient: Patient) -> str:
    """What to change first in a training that does not get off the ground: what is unusual, else its length."""
    s, model, commands = patient.settings, patient.model, patient.commands
    if s.optimizer not in UNSCALED and not USUAL_LR / FAR_OFF < s.lr < USUAL_LR * FAR_OFF:
        return commands.train(lr=USUAL_LR)
    known, later = loss_of_frequencies(patient), [epoch.loss for epoch in patient.epochs[FIRST:]]
    if known is not None and max(later, default=0.0) > WORSE * known[0]:
        return commands.train(lr=gentler(patient))
    if not any(gate.opens for gate in specification_of(s.cell).gates):
        return commands.train(cell="lstm")
    if s.readout == "last" and "readout" not in model.unused:
        return commands.train(readout="max")
    return commands.train(epochs=max(20, 2 * len(patient.epochs)))


def behind_baseline(patient: Patient) -> Check:
    """By how much the best epoch is worse than the best baseline, on the validation rows."""
    model, metric = patient.model, patient.model.metric
    scores = [(float(score), name.replace("_", " ")) for name, score in model.record.baselines.items()]
    baseline = (max if metric.higher_is_better else min)(scores, default=None)
    means = f"{metric.name} by which the best baseline is ahead"
    own = model.record.best
    score, predictions = metric.of(own) if own else None, _validation_predictions(patient)
    if own is None or score is None or baseline is None or not predictions:
        return Check("behind its baseline", None, means, f"above {BEHIND:g} standard errors")
    best, name = baseline
    number = best - score if metric.higher_is_better else score - best
    middle = (best + score) / 2  # what both would have, if they were equally good
    variance = middle * (1 - middle) if metric.higher_is_better else middle**2
    error = math.sqrt(2 * max(0.0, variance) / predictions)
    limit = f"above {BEHIND:g} standard errors, {BEHIND * error:.4f}"
    check = Check("behind its baseline", number, means, limit)
    if number <= BEHIND * error:
        return check
    sentence = f"Epoch {own.epoch} has {score:.4f} {metric.name}, and the {name}, which it has to beat, {best:.4f}; "
    losses = patient.validation_losses
    by_heart = bool(losses) and patient.epochs[-1].loss < FAR_BELOW * losses[-1]
    command = less_by_heart(patient) if by_heart else learn_something(patient)
    return check.found(f"{sentence}chance accounts for about {error:.4f}.", command)


def _validation_predictions(patient: Patient) -> int:
    """How many predictions a validation score is of; of tags, by the mean number in a row; 0 where it is not known."""
    record = patient.model.record
    rows, aside = record.rows, record.validation_rows
    if not rows or not aside:
        return 0
    if patient.adapter.labels_per != "timestep":
        return aside
    return max(aside, sum(record.label_rows.values()) * aside // (rows + aside))


def learning_rate(patient: Patient) -> Check:
    """How far the training loss has climbed above its smallest value before, at most, over what it began with."""
    epochs, rows = patient.epochs, patient.model.record.rows
    losses = [epoch.loss for epoch in epochs]
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
    command = patient.commands.train(lr=gentler(patient))
    return check.found(f"{said}; chance accounts for about {error:.4f}.", command)


def gentler(patient: Patient) -> float:
    """A fifth of the learning rate, in two digits; the usual one if that is smaller."""
    fifth = float(f"{patient.settings.lr / 5:.1e}")
    return fifth if patient.settings.optimizer in UNSCALED else min(fifth, USUAL_LR)


def few_epochs(patient: Patient) -> Check:
    """How far the last validation loss is below all earlier ones."""
    epochs, losses = patient.epochs, patient.validation_losses
    number = max(0.0, 1 - losses[-1] / min(losses[:-1])) if len(losses) > 1 and min(losses[:-1]) > 0 else None
    means = "fall of the validation loss in the last epoch"
    check = Check("too few epochs", number, means, f"above {CLEAR_STEP:.0%}, in the best epoch")
    if number is None or number <= CLEAR_STEP or not epochs[-1].best:
        return check
    if len(epochs) != patient.settings.epochs or epochs[-1].validation_accuracy == 1:
        return check  # it ended for another reason than the number of epochs, or cannot get better
    sentence = f"The last of {counted(len(epochs), 'epoch')} still took the validation loss from "
    sentence += f"{min(losses[:-1]):.4f} down to {losses[-1]:.4f}: training stopped too early."
    return check.found(sentence, patient.commands.train(epochs=2 * len(epochs)))


def overfitting(patient: Patient) -> Check:
    """How far the last validation loss is above the smallest one."""
    epochs, losses = patient.epochs, patient.validation_losses
    number = losses[-1] / min(losses) - 1 if losses and min(losses) > 0 else None
    means = "rise of the validation loss since it was smallest"
    check = Check("overfitting", number, means, f"above {RISEN:.0%}, training loss under {FAR_BELOW:.0%} of it")
    if number is None or number <= RISEN or epochs[-1].loss >= FAR_BELOW * losses[-1]:
        return check
    smallest = losses.index(min(losses))
    if epochs[smallest].validation_accuracy == 1:
        return check  # it cannot get better
    sentence = f"The validation loss has risen from {losses[smallest]:.4f} in epoch {epochs[smallest].epoch} to "
    sentence += f"{losses[-1]:.4f}, with a training loss of {epochs[-1].loss:.4f}: the rows are learned by heart."
    return check.found(sentence, less_by_heart(patient))


def less_by_heart(patient: Patient) -> str:
    """What to change first where the rows are learned by heart."""
    s = patient.settings
    return patient.commands.train(**({"dropout": 0.5} if s.dropout < 0.5 else {"hidden": max(1, s.hidden // 2)}))
