"""The views there are, in the order in which they are shown."""

from __future__ import annotations

from rnncli.cli.views import (
    activations,
    bptt,
    by_hand,
    check_gradients,
    diff,
    doctor,
    gates,
    memory,
    timesteps,
    why,
)
from rnncli.cli.views.view import View

VIEWS: list[View] = [
    timesteps.VIEW,
    gates.VIEW,
    bptt.VIEW,
    memory.VIEW,
    why.VIEW,
    by_hand.VIEW,
    check_gradients.VIEW,
    doctor.VIEW,
    diff.VIEW,
    activations.VIEW,
]
