"""Settings that were named and would decide nothing: refused, for whoever names one means it to count.

A settings file holds them all, and the environment holds for every training: only what was named for this one is asked.
"""

from __future__ import annotations

from collections.abc import Collection

from rnncli.config import Settings
from rnncli.errors import UsageError

# Setting → the other setting that it goes with, and the values of that one with which it counts.
_GOES_WITH: dict[str, tuple[str, tuple[object, ...]]] = {
    "nonlinearity": ("cell", ("rnn",)),
    "momentum": ("optimizer", ("momentum",)),
    "weight_decay": ("optimizer", ("adamw",)),
}
_TOKENS = ("input", "tokens", "lowercase", "normalize")
# Task → what it has no use for. What is switched off there anyway may be said to be off.
_NOT_FOR: dict[str, tuple[str, ...]] = {
    "classify": ("attention", "inject"),
    "numbers": (*_TOKENS, "attention", "inject"),
    "tag": (*_TOKENS, "readout", "initializer", "attention", "inject", "class_weights"),
    "seq2seq": ("input", "normalize", "readout", "initializer", "inject", "class_weights"),
    "caption": ("input", "normalize", "readout", "initializer", "class_weights", "bidirectional", "attention"),
    "lm": ("normalize", "readout", "initializer", "attention", "inject", "class_weights"),
}
# Sizes and limits of what a task may not have: not worth a refusal, for they are given to many tasks alike.
_SIZES_NOT_FOR: dict[str, tuple[str, ...]] = {
    "numbers": ("embedding", "embedding_scale", "min_count", "max_vocabulary"),
    "tag": ("max_length",),
    "caption": ("max_length",),
}


def require_used(named: Collection[str], settings: Settings, *, numbers: bool) -> tuple[str, ...]:
    """Refuses settings that decide nothing beside the others.

    Args:
        named: settings that were given for this training.
        settings: all of them, with the task's defaults.
        numbers: sequences of numbers are classified, and no texts.

    Returns:
        sentences on sizes that were named and do not count.

    Raises:
        UsageError: names the setting, and what it goes with.
    """
    kind = "numbers" if numbers and settings.task == "classify" else settings.task
    for name in named:
        option = f"--{name.replace('_', '-')}"
        if name in _GOES_WITH:
            other, values = _GOES_WITH[name]
            chosen = getattr(settings, other)
            if chosen not in values:
                raise UsageError(
                    f"{option} is for --{other} {values[0]}, and this is {chosen}", "leave one of them out"
                )
        if name in _NOT_FOR[kind] and getattr(settings, name) is not False:
            raise UsageError(f"{option} decides nothing in a model of the task {_called(kind)}", "leave it out")
    if "patience" in named and settings.validation == 0:
        raise UsageError("--patience counts epochs without a better validation score, and --validation is 0")
    idle = [*_SIZES_NOT_FOR.get(kind, ())]
    if settings.input == "onehot" and kind in ("classify", "lm"):
        idle += ["embedding", "embedding_scale"]
    return tuple(f"--{name.replace('_', '-')} is not used by this model" for name in idle if name in named)


def _called(kind: str) -> str:
    return "classify that reads numbers" if kind == "numbers" else kind
