"""Refuses settings that would change nothing: the user who named one expects an effect.

Only those count that were named for this training: a settings file holds all of them, and the environment is for every
training.
"""

from __future__ import annotations

from collections.abc import Collection

from rnncli.config import SETTING_NAMES
from rnncli.errors import UsageError
from rnncli.tasks.model import OF_SERIES, Model

# Setting → another setting, and the values of that one with which it has an effect.
_GOES_WITH: dict[str, tuple[str, tuple[object, ...]]] = {
    "nonlinearity": ("cell", ("rnn",)),
    "momentum": ("optimizer", ("momentum",)),
    "weight_decay": ("optimizer", ("adamw",)),
}


def require_used(named: Collection[str], model: Model) -> tuple[str, ...]:
    """Refuses settings that have no effect beside the others.

    Args:
        named: settings that were given for this training.
        model: the untrained one, with all settings.

    Returns:
        Sentences about sizes that were named and have no effect.

    Raises:
        UsageError: a setting has no effect.
    """
    settings = model.settings
    for name in named:
        option = f"--{name.replace('_', '-')}"
        if name in _GOES_WITH:
            other, values = _GOES_WITH[name]
            chosen = getattr(settings, other)
            if chosen not in values:
                raise UsageError(
                    f"{option} is for --{other} {values[0]}, and this is {chosen}", "leave one of them out"
                )
        unused = model.unused | (OF_SERIES - model.uses)
        if name in unused and getattr(settings, name) is not False:  # it is off anyway
            raise UsageError(f"{option} decides nothing in a model of the task {model.kind}", "leave it out")
    if "patience" in named and settings.validation == 0:
        raise UsageError("--patience counts epochs without a better validation score, and --validation is 0")
    idle = [name for name in SETTING_NAMES if name in named and name in model.unused_sizes]
    return tuple(f"--{name.replace('_', '-')} is not used by this model" for name in idle)
