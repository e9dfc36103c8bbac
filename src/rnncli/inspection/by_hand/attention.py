"""Attention worked by hand: where a decoder looks, and how the gradient comes back from there.

The equations are those of :mod:`rnncli.core.layers.attention`, with a letter of its own for every line:

    v_t = h_t·W_v                        what step t looks for (W_v is ``weight_a``)
    ε_t = v_t·Mᵀ                         how well each source step fits; M has the encoder's states as its rows
    α_t = exp(ε_t)/sum(exp(ε_t))         where it looks
    k_t = α_t·M                          what it sees there
    u_t = tanh(k_t·W_ku + h_t·W_hu + b_u)    both together (the W are the upper and the lower half of ``weight_c``)
"""

from __future__ import annotations

from rnncli.inspection.by_hand.cells import Cell, Weight
from rnncli.inspection.by_hand.lines import Term, Worksheet, added, diagonal, exp, tanh, total


class Looking:
    """The lines of attention, timestep by timestep of a decoder.

    Args:
        cell: the decoder's topmost, which has as many units as the encoder's has in all.
        state: letter of its state.
        sheet: on which ``M`` has what is looked at before the first timestep.
    """

    told = "u"  # letter of what comes out

    def __init__(self, cell: Cell, state: str, sheet: Worksheet) -> None:
        self.state, self.sheet, self.T = state, sheet, len(cell.order)
        every, H = slice(None), cell.H
        of_state = f"W_{cell.state}u"
        self.weights = (
            Weight("W_v", "decoder/attention/weight_a", every, "else", "v", "weights of what is looked for"),
            Weight("W_ku", "decoder/attention/weight_c", every, "else", "au", "weights of what is seen", slice(H)),
            Weight(of_state, "decoder/attention/weight_c", every, "else", "au", "weights of the state", slice(H, None)),
            Weight("b_u", "decoder/attention/bias_c", every, "", "au", "bias of both"),
        )
        self.of_state = of_state

    @property
    def equations(self) -> tuple[str, ...]:
        state = f"{self.state}_t"
        looks = (f"v_t = {state}·W_v", "ε_t = v_t·Mᵀ", "α_t = exp(ε_t)/sum(exp(ε_t))", "k_t = α_t·M")
        return (*looks, f"u_t = tanh(k_t·W_ku + {state}·{self.of_state} + b_u)")

    def forward(self, t: int) -> None:
        """From the state to what tells."""
        s, state = self.sheet, self.sheet[f"{self.state}_{t}"]
        sought = s.line(f"v_{t}", state @ s["W_v"], "what it looks for in the source")
        fits = exp(s.line(f"ε_{t}", sought @ s["M"].T, "how well each timestep of the source fits"))
        where = s.line(f"α_{t}", fits / total(fits), "where it looks: a share of each timestep of the source")
        seen = s.line(f"k_{t}", where @ s["M"], "what it sees there")
        both = seen @ s["W_ku"] + state @ s[self.of_state] + s["b_u"]
        s.line(f"u_{t}", tanh(s.line(f"au_{t}", both, "the sums of what is seen and the state")), "what tells")

    def backward(self, t: int, d_told: Term) -> Term:
        """From ∂L/∂u_t to what comes to the state by it."""
        s, where = self.sheet, self.sheet[f"α_{t}"]
        d = s.line(f"∂L/∂u_{t}", d_told, "what tells")
        d_sums = s.line(f"∂L/∂au_{t}", d * (1 - s[f"u_{t}"].squared), "and its sums")
        d_seen = s.line(f"∂L/∂k_{t}", d_sums @ s["W_ku"].T, "what is seen")
        d_where = s.line(f"∂L/∂α_{t}", d_seen @ s["M"].T, "where it looks")
        through = s.line(f"∂α_{t}/∂ε_{t}", diagonal(where) - where.T @ where)
        d_fits = s.line(f"∂L/∂ε_{t}", d_where @ through, "how well each timestep of the source fits")
        d_sought = s.line(f"∂L/∂v_{t}", d_fits @ s["M"], "what is looked for")
        return d_sums @ s[self.of_state].T + d_sought @ s["W_v"].T

    def to_the_source(self, place: int) -> Term:
        """∂L/∂ the encoder's state at a timestep of the source: each timestep that saw it, and that sought it."""
        s, ways = self.sheet, list[Term]()
        for t in range(1, self.T + 1):
            ways.append(s[f"α_{t}"].columns(place, place) @ s[f"∂L/∂k_{t}"])
            ways.append(s[f"∂L/∂ε_{t}"].columns(place, place) @ s[f"v_{t}"])
        return added(ways)

    def gradient_of(self, weight: Weight, t: int) -> tuple[Term, Term]:
        """Of a timestep: what the weight multiplies, and the gradient of the product."""
        s = self.sheet
        left = s[f"{'k' if weight.name == 'W_ku' else self.state}_{t}"]
        return left, s[f"∂L/∂{weight.sums}_{t}"]
