"""Integrated gradients: what of a score's difference each part of an input makes, along the straight way to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnncli.core.packed import Array, PackedSequence
from rnncli.core.recurrence import Params
from rnncli.core.watch import watching
from rnncli.tasks.classifier import Classifier

# So many numbers of inputs go through the network at a time.
CHUNK = 4_000_000


def path_gradients(gradients: Callable[[Array], Array], here: Array, blank: Array, steps: int) -> Array:
    """(parts,) ∫ ∂F/∂x · (x − blank) dα along x(α) = blank + α (x − blank), by Gauss and Legendre's rule.

    (Sundararajan et al. 2017.) Their sum is F(here) − F(blank), up to what the steps miss.

    Args:
        gradients: (n, parts, D) inputs → ∂F/∂x of the same shape.
        here, blank: (parts, D).
    """
    away = here - blank
    at_once = max(1, CHUNK // max(1, away.size))
    total = np.zeros_like(away)
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # on −1 to 1
    for first in range(0, steps, at_once):
        alphas = (nodes[first : first + at_once] + 1) / 2
        found = gradients(blank + alphas[:, None, None] * away)
        total += np.tensordot(weights[first : first + at_once] / 2, found, axes=1)
    return np.asarray((total * away).sum(axis=1))


def log_odds_gradients(network: Classifier, params: Params, label: int, x: Array) -> Array:
    """(n, T, D) ∂/∂x of the log odds of a label, for n inputs of as many timesteps.

    Args:
        network: one that reads numbers: what stands behind the embedding of another one.
        x: (n, T, D).
    """
    packed = PackedSequence.pack(list(x), learned=False)
    logits, _, cache = network.forward(params, packed)
    with watching() as seen:
        network.backward(params, cache, network.log_odds_gradient(logits, label))
    dx = np.zeros((x.shape[0] * x.shape[1], x.shape[2]))
    first = params["encoder"]["0"]
    for one in seen:
        for direction, own in first.items():
            if one.params is own:
                d_input = np.concatenate(list(one.found["input_side"]), axis=1) @ own["weight_ih"].T
                dx += d_input[packed.reversal] if direction == "backward" else d_input
    return np.stack(packed.with_data(dx).unpack())
