"""The table of cells: a new one is a file beside this one and a row here."""

from __future__ import annotations

from collections.abc import Callable

from rnncli.core.cells.gru import GRU
from rnncli.core.cells.lstm import LSTM
from rnncli.core.cells.recurrence import Cell
from rnncli.core.cells.rnn import RNN

# Cell name, nonlinearity, input size, hidden size, bias → the cell. Only the plain RNN has a choice of nonlinearity.
CELLS: dict[str, Callable[[str, int, int, bool], Cell]] = {
    "rnn": lambda f, D, H, bias: RNN(D, H, "relu" if f == "relu" else "tanh", bias),
    "lstm": lambda f, D, H, bias: LSTM(D, H, bias),
    "gru": lambda f, D, H, bias: GRU(D, H, bias),
}
