"""The initial weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.core.packed import Array

Float = np.dtype[np.floating]


def glorot_uniform(rng: np.random.Generator, rows: int, columns: int, blocks: int, dtype: Float) -> Array:
    """(rows, blocks · columns): ``blocks`` matrices side by side, each uniform in ±√(6 / (rows + columns)).

    Each gate's matrix is scaled by its own size, not by that of the four together (Glorot & Bengio 2010).
    """
    bound = np.sqrt(6.0 / (rows + columns))
    return rng.uniform(-bound, bound, (rows, blocks * columns)).astype(dtype)


def orthogonal(rng: np.random.Generator, size: int, blocks: int, dtype: Float) -> Array:
    """(size, blocks · size): ``blocks`` random orthogonal matrices side by side.

    A product of orthogonal matrices neither shrinks nor grows a gradient on its way back through time (Saxe et al.
    2014). From the QR decomposition of a normal matrix, with the signs that make it uniformly distributed
    (Mezzadri 2007).
    """
    matrices = []
    for _ in range(blocks):
        q, r = np.linalg.qr(rng.standard_normal((size, size)))
        matrices.append(q * np.sign(np.diag(r)))
    return np.concatenate(matrices, axis=1).astype(dtype)


def normal(rng: np.random.Generator, shape: tuple[int, ...], scale: float, dtype: Float) -> Array:
    """Normal numbers with mean 0 and standard deviation ``scale``."""
    return (scale * rng.standard_normal(shape)).astype(dtype)


def fill_uniform(rng: np.random.Generator, params: Mapping[str, Any], size: int) -> None:
    """Fills every array below ``params``, biases too, with numbers uniform in ±1/√size: how PyTorch starts."""
    bound = size**-0.5
    for value in params.values():
        if isinstance(value, dict):
            fill_uniform(rng, value, size)
        else:
            value[...] = rng.uniform(-bound, bound, value.shape)
