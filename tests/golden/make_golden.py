"""Writes torch.json and numbers.json beside this file: what PyTorch's RNN, LSTM and GRU compute for fixed inputs,
in float64, and a regression on an LSTM; and what minGRU does, which PyTorch does not have, written in its arithmetic.

    python tests/golden/make_golden.py          (needs PyTorch; the tests need only its output)

Weights keep PyTorch's names and layout. ``loss`` is Σ y·of_y + Σ last·of_last, so that every gradient goes through
the outputs and through the last states. Inputs, weights and states are rounded to three decimals and are exact in the
file; what PyTorch computes from them is written with all its digits.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

LENGTHS = [3, 1, 5, 3]  # in the caller's order: packing has to sort them, and to put them back
D, H = 2, 3


class MinGRU(torch.nn.Module):
    """minGRU of Feng et al. 2024, in PyTorch's arithmetic, with PyTorch's names and layout of weights and states."""

    def __init__(self, layers: int, both: bool) -> None:
        super().__init__()
        self.layers, self.directions = layers, ("", "_reverse")[: 1 + both]
        for k in range(layers):
            for direction in self.directions:
                width = D if k == 0 else H * len(self.directions)
                self.register_parameter(f"weight_ih_l{k}{direction}", torch.nn.Parameter(torch.empty(2 * H, width)))
                self.register_parameter(f"bias_ih_l{k}{direction}", torch.nn.Parameter(torch.empty(2 * H)))

    def read(self, x: torch.Tensor, h: torch.Tensor, name: str) -> list[torch.Tensor]:
        """h of every step of one sequence."""
        a = torch.nn.functional.linear(x, getattr(self, f"weight_ih_{name}"), getattr(self, f"bias_ih_{name}"))
        hs = []
        for z, candidate in zip(torch.sigmoid(a[:, :H]), a[:, H:], strict=True):
            h = (1 - z) * h + z * candidate
            hs.append(h)
        return hs

    def run(self, xs: list[torch.Tensor], first: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """The outputs of each sequence, and the last states like the first ones: (layers · directions, N, H)."""
        last = torch.empty(first.shape)
        ys = []
        for n, x in enumerate(xs):
            for k in range(self.layers):
                sides = []
                for d, direction in enumerate(self.directions):
                    place = k * len(self.directions) + d
                    hs = self.read(x.flip(0) if d else x, first[place, n], f"l{k}{direction}")
                    last[place, n] = hs[-1]
                    sides.append(torch.stack(hs[::-1] if d else hs))
                x = torch.cat(sides, dim=1)
            ys.append(x)
        return ys, last


def network(kind: str, layers: int, both: bool) -> torch.nn.Module:
    if kind == "mingru":
        return MinGRU(layers, both)
    sizes: dict[str, Any] = {"num_layers": layers, "bidirectional": both, "batch_first": True}
    if kind == "lstm":
        return torch.nn.LSTM(D, H, **sizes)
    if kind == "gru":
        return torch.nn.GRU(D, H, **sizes)
    return torch.nn.RNN(D, H, nonlinearity=kind.removeprefix("rnn_"), **sizes)


def rounded(*shape: int, scale: float = 1.0) -> torch.Tensor:
    """Normal numbers of three decimals."""
    return torch.round(scale * torch.randn(*shape), decimals=3)


def case(kind: str, layers: int, both: bool) -> dict[str, Any]:
    net = network(kind, layers, both)
    for weight in net.parameters():
        weight.data = rounded(*weight.shape, scale=0.5)
    xs = [rounded(length, D).requires_grad_() for length in LENGTHS]
    parts = 2 if kind == "lstm" else 1
    first = [rounded(layers * (1 + both), len(LENGTHS), H).requires_grad_() for _ in range(parts)]
    if isinstance(net, MinGRU):
        ys, last = net.run(xs, first[0])
    else:
        packed = torch.nn.utils.rnn.pack_sequence(xs, enforce_sorted=False)
        output, last = net(packed, tuple(first) if parts == 2 else first[0])
        ys = torch.nn.utils.rnn.unpack_sequence(output)
    last = list(last) if parts == 2 else [last]
    of_y, of_last = [rounded(*y.shape) for y in ys], [rounded(*part.shape) for part in last]
    loss = sum(((y * w).sum() for y, w in zip(ys + last, of_y + of_last, strict=True)), torch.zeros(()))
    loss.backward()

    def plain(tensors: list[torch.Tensor]) -> list[Any]:
        return [tensor.detach().tolist() for tensor in tensors]

    return {
        "kind": kind,
        "layers": layers,
        "both": both,
        "x": plain(xs),
        "state": plain(first),
        "weights": {name: weight.tolist() for name, weight in net.named_parameters()},
        "of_y": plain(of_y),
        "of_last": plain(of_last),
        "y": plain(ys),
        "last": plain(last),
        "loss": loss.item(),
        "dx": plain([x.grad for x in xs]),
        "dstate": plain([part.grad for part in first]),
        "dweights": {name: weight.grad.tolist() for name, weight in net.named_parameters()},
    }


def losses() -> list[dict[str, Any]]:
    """BCEWithLogitsLoss of several labels, with its gradient; logits of every size."""
    found = []
    for rows, labels, scale in ((1, 1, 1.0), (4, 3, 1.0), (7, 5, 8.0), (3, 2, 60.0)):
        logits = rounded(rows, labels, scale=scale).requires_grad_()
        targets = (torch.rand(rows, labels) < 0.4).double()
        loss = torch.nn.BCEWithLogitsLoss()(logits, targets)
        loss.backward()
        tensors = {"logits": logits.detach(), "targets": targets, "gradient": logits.grad}
        found.append({name: tensor.tolist() for name, tensor in tensors.items()} | {"loss": loss.item()})
    return found


def stored(name: str, key: str, made: list[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in made)
    head = f'{{"made_by": "PyTorch {torch.__version__}", "{key}": [\n'
    Path(__file__).with_name(name).write_text(f"{head}{lines}\n]}}\n", encoding="utf-8")


def numbers() -> dict[str, Any]:
    """An LSTM's last state, a linear layer to two numbers, and their mean squared error."""
    net, output = torch.nn.LSTM(D, H), torch.nn.Linear(H, 2)
    weights = dict(net.named_parameters()) | {f"output.{name}": one for name, one in output.named_parameters()}
    for weight in weights.values():
        weight.data = rounded(*weight.shape, scale=0.5)
    xs, y = [rounded(length, D) for length in LENGTHS], rounded(len(LENGTHS), 2)
    packed = torch.nn.utils.rnn.pack_sequence(xs, enforce_sorted=False)
    loss = torch.nn.functional.mse_loss(output(net(packed)[1][0][-1]), y)
    loss.backward()
    return {
        "x": [x.tolist() for x in xs],
        "y": y.tolist(),
        "weights": {name: weight.tolist() for name, weight in weights.items()},
        "loss": loss.item(),
        "dweights": {name: weight.grad.tolist() for name, weight in weights.items()},
    }


def main() -> None:
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(20)
    kinds = ("rnn_tanh", "rnn_relu", "lstm", "gru", "mingru")
    cases = [case(kind, layers, both) for kind in kinds for layers in (1, 2) for both in (False, True)]
    stored("torch.json", "cases", cases)
    stored("losses.json", "losses", losses())
    stored("numbers.json", "cases", [numbers()])


if __name__ == "__main__":
    main()
