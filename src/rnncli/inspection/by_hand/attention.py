"""Attention as lines of arithmetic: where a decoder looks.

The equations are those of :mod:`rnncli.core.layers.attention`, with a letter of its own for every line:

    v_t = h_t·W_v                        what step t looks for (W_v is ``weight_a``)
    ε_t = v_t·Mᵀ                         how well each source step fits; M has the encoder's states as its rows
    α_t = exp(ε_t)/sum(exp(ε_t))         where it looks
    k_t = α_t·M                          what it sees there
    u_t = tanh(k_t·W_ku + h_t·W_hu + b_u)    both together (the W are the upper and the lower half of ``weight_c``)
"""

from __future__ import annotations

from rnncli.inspection.by_hand.layers import Stack
from rnncli.inspection.by_hand.sheet import Sheet
from rnncli.inspection.by_hand.tape import Weight
from rnncli.inspection.by_hand.terms import Term, exp, softmax, tanh


class Attention:
    """What a decoder sees of what it looks back at, on whose sheet that is M, a row for each timestep of the source.

    Args:
        stack: the decoder, with as many units as M has columns.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sought, self._seen, self._both = stack.free("v", "b"), stack.free("k", "j"), stack.free("u", "w")
        state = stack.directions[-1].state
        self._weights = f"W_{self._sought}", f"W_{self._seen}{self._both}", f"W_{state}{self._both}", f"b_{self._both}"

    def learn(self) -> None:
        """Gives the weights."""
        H, begin, learn = self._stack.directions[-1].cell.hidden_size, "decoder/attention/", self._stack.sheet.learn
        of_sought, of_seen, of_state, bias = self._weights
        learn(Weight(of_sought, f"{begin}weight_a", "weights of what is looked for"))
        learn(Weight(of_seen, f"{begin}weight_c", "weights of what is seen", rows=slice(H)))
        learn(Weight(of_state, f"{begin}weight_c", "weights of the state", rows=slice(H, None)))
        learn(Weight(bias, f"{begin}bias_c", "bias of both"))

    def forward(self, s: Sheet, t: str) -> Term:
        """From the state of a timestep to what the answer is made of."""
        state, (of_sought, of_seen, of_state, bias) = s[f"{self._stack.state}_{t}"], self._weights
        words = "what it looks for in the source"
        sought = s.line(f"{self._sought}_{t}", state @ s[of_sought], words, "what is looked for")
        words = "how well each timestep of the source fits"
        fits = s.line(f"ε_{t}", sought @ s["M"].T, words, words)
        words = "where it looks: a share of each timestep of the source"
        where = s.line(f"α_{t}", softmax(exp(fits), fits), words, "where it looks", slopes={f"ε_{t}": ""})
        seen = s.line(f"{self._seen}_{t}", where @ s["M"], "what it sees there", "what is seen")
        both, words = seen @ s[of_seen] + state @ s[of_state] + s[bias], "the sums of what is seen and the state"
        sums = s.line(f"a{self._both}_{t}", both, words, "and its sums", part=True)
        return s.line(f"{self._both}_{t}", tanh(sums), "what tells", "what tells")
