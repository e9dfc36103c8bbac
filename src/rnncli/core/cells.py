"""The table of cells: a new one is a file beside this one and a row here."""

from __future__ import annotations

from collections.abc import Callable

from rnncli.core.gru import GRU
from rnncli.core.layers import Bidirectional, OneDirection, Stack
from rnncli.core.lstm import LSTM
from rnncli.core.recurrence import Cell
from rnncli.core.rnn import RNN

# Cell name, nonlinearity, input size, hidden size, bias → the cell. Only the plain RNN has a choice of nonlinearity.
CELLS: dict[str, Callable[[str, int, int, bool], Cell]] = {
    "rnn": lambda f, D, H, bias: RNN(D, H, "relu" if f == "relu" else "tanh", bias),
    "lstm": lambda f, D, H, bias: LSTM(D, H, bias),
    "gru": lambda f, D, H, bias: GRU(D, H, bias),
}


def recurrent_stack(
    cell: str,
    *,
    input_size: int,
    hidden_size: int,
    layers: int = 1,
    bidirectional: bool = False,
    nonlinearity: str = "tanh",
    bias: bool = True,
    dropout: float = 0.0,
) -> Stack:
    """``layers`` recurrent layers of one kind; ``input_size`` is that of the lowest."""
    wrap = Bidirectional if bidirectional else OneDirection
    built: list[OneDirection | Bidirectional] = []
    for _ in range(layers):
        built.append(wrap(CELLS[cell](nonlinearity, input_size, hidden_size, bias)))
        input_size = built[-1].output_size
    return Stack(tuple(built), dropout)


def stack_shapes(
    cell: str, input_size: int, hidden_size: int, layers: int, bidirectional: bool, bias: bool
) -> dict[str, tuple[int, ...]]:
    """Flat name → shape of every parameter of :func:`recurrent_stack`, worked out without making one."""
    H, width = hidden_size, input_size
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
    directions = ("forward", "backward") if bidirectional else ("forward",)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        for direction in directions:
            prefix = f"{layer}/{direction}/"
            shapes[prefix + "weight_ih"] = (width, gates * H)
            shapes[prefix + "weight_hh"] = (H, gates * H)
            if bias:
                shapes[prefix + "bias"] = (gates * H,)
            if bias and cell == "gru":
                shapes[prefix + "bias_hn"] = (H,)
        width = H * len(directions)
    return shapes
