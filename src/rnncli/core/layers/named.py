"""Layers by name: a part of a network that is made of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from rnncli.core.packed import Params


class Layer(Protocol):
    """Whatever has parameters."""

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params: ...
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Flat name → shape of every parameter of :meth:`init`, worked out without making one."""


@dataclass(frozen=True)
class NamedLayers:
    """Layers whose parameters are made one after the other, each under its layer's name."""

    layers: Mapping[str, Layer]

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        return {name: layer.init(rng, dtype) for name, layer in self.layers.items()}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            f"{name}/{inner}": shape for name, layer in self.layers.items() for inner, shape in layer.shapes().items()
        }
