"""The linear layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.gradients import Gradient
from rnncli.core.initializers import glorot_uniform
from rnncli.core.packed import Array, Params


@dataclass(frozen=True)
class Linear:
    """y = x·W + b: (N, D) → (N, K)."""

    input_size: int
    output_size: int
    bias: bool = True

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        params = {"weight": glorot_uniform(rng, self.input_size, self.output_size, 1, dtype)}
        if self.bias:
            params["bias"] = np.zeros(self.output_size, dtype)
        return params

    def shapes(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {"weight": (self.input_size, self.output_size)}
        return shapes | {"bias": (self.output_size,)} if self.bias else shapes

    def forward(self, params: Params, x: Array) -> tuple[Array, Array]:
        y = x @ params["weight"]
        return (y + params["bias"] if self.bias else y), x

    def backward(self, params: Params, cache: Array, dy: Array) -> tuple[Array, dict[str, Gradient]]:
        grads: dict[str, Gradient] = {"weight": cache.T @ dy}
        if self.bias:
            grads["bias"] = dy.sum(axis=0)
        backward_trace.record(self, params, cache, dy, terms={"weight": (cache, dy), "bias": (None, dy)})
        return dy @ params["weight"].T, grads
