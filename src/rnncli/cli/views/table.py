"""The views there are, in the order in which they are shown."""

from __future__ import annotations

from rnncli.cli.views import activations, bptt, by_hand, check_gradients, diff, doctor, gates, memory, timesteps, why

_FILES = (timesteps, gates, bptt, memory, why, by_hand, check_gradients, doctor, diff, activations)
VIEWS = [file.VIEW for file in _FILES]
