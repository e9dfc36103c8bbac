"""Attention: every step of the decoder looks back at all steps of the encoder (Luong, Pham & Manning 2015).

Bahdanau et al. (2015) had a decoder look back first; this is Luong's later and simpler form, which runs once the whole
decoder has run, on all of its steps together. With their "general" score and without input feeding:

    score_{t,s} = h_t · W_a · m_s           how well step s of the source fits step t of the target
    a_{t,·}     = softmax(score_{t,·})      over the steps of the same sequence's source: the alignment
    context_t   = Σ_s a_{t,s} m_s
    out_t       = tanh([context_t, h_t] · W_c + b_c)

``T_dec`` and ``T_enc`` steps, ``S_dec`` and ``S_enc`` rows of all sequences together; ``H`` is the width of h, ``M``
that of m (2H for an encoder that reads in both directions), ``K`` that of the output. h and m hold the same N
sequences, each in a packed order of its own, since the longest source need not have the longest target.

Every target step looks at every source step of its own sequence, and packed rows have no layout in which that is one
product. So this layer alone copies rows into padded (N, T, ·) arrays in the caller's order, which brings the two sides
of a sequence together, and back. The rest is done on real rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.initializers import glorot_uniform
from rnncli.core.packed import Array, PackedSequence, Params


class AttentionCache(NamedTuple):
    """What forward keeps for backward, by the names of the equations.

    Padded arrays are in the caller's order and zero where there is no step.
    """

    h: PackedSequence
    memory: PackedSequence
    h_positions: Array  # (S_dec,) where each row of h stands among the N · T_dec padded ones
    m_positions: Array  # (S_enc,) where each row of memory stands among the N · T_enc padded ones
    query: Array  # (N, T_dec, M) h · W_a, padded
    m: Array  # (N, T_enc, M) padded
    a: Array  # (N, T_dec, T_enc) padded
    context: Array  # (S_dec, M)
    out: Array  # (S_dec, K)


@dataclass(frozen=True)
class Attention:
    """out_t = tanh([Σ_s a_{t,s} m_s, h_t] · W_c + b_c) with a_t = softmax_s(h_t · W_a · m_s).

    Args:
        query_size: H, the width of the decoder's outputs.
        memory_size: M, the width of the encoder's outputs.
        output_size: K.
    """

    query_size: int
    memory_size: int
    output_size: int

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        H, M, K = self.query_size, self.memory_size, self.output_size
        return {
            "weight_a": glorot_uniform(rng, H, M, 1, dtype),
            "weight_c": glorot_uniform(rng, M + H, K, 1, dtype),
            "bias_c": np.zeros(K, dtype),
        }

    def shapes(self) -> dict[str, tuple[int, ...]]:
        H, M, K = self.query_size, self.memory_size, self.output_size
        return {"weight_a": (H, M), "weight_c": (M + H, K), "bias_c": (K,)}

    # A weight of e^−100 is meant to be 0 or next to it, and so is what it is multiplied by.
    @np.errstate(under="ignore")
    def forward(self, params: Params, h: PackedSequence, memory: PackedSequence) -> tuple[Array, AttentionCache]:
        """The outputs (S_dec, K), in h's packed order. A decoder that runs step by step calls this with h of one step.

        Args:
            h: (S_dec, H) the decoder's outputs.
            memory: (S_enc, M) the encoder's outputs for the same N sequences.

        Raises:
            ValueError: the two are not the same number of sequences.
        """
        if len(h.order) != len(memory.order):
            raise ValueError(f"{len(h.order)} sequences cannot attend to {len(memory.order)}")
        M = self.memory_size
        h_positions, m_positions = _positions(h), _positions(memory)
        m = _padded(memory.data, memory, m_positions)
        # W_a goes to h's side: a decoder that runs step by step then multiplies one row a step, not the whole memory.
        query = _padded(h.data @ params["weight_a"], h, h_positions)
        score = np.matmul(query, m.transpose(0, 2, 1))
        a = _softmax_in_place(score, _is_step(h), _is_step(memory))
        context = _rows(np.matmul(a, m), h_positions)
        out = context @ params["weight_c"][:M]  # [context, h] · W_c without putting the two side by side
        out += h.data @ params["weight_c"][M:]
        out += params["bias_c"]
        np.tanh(out, out=out)
        return out, AttentionCache(h, memory, h_positions, m_positions, query, m, a, context, out)

    @np.errstate(under="ignore")
    def backward(self, params: Params, cache: AttentionCache, d_out: Array) -> tuple[Array, Array, dict[str, Any]]:
        """From d_out (S_dec, K) to dh (S_dec, H) and dmemory (S_enc, M), each in its own order, and the weights'."""
        M = self.memory_size
        h, _, h_positions, m_positions, query, m, a, context, out = cache
        weight_a, weight_c = params["weight_a"], params["weight_c"]

        d_sum = 1 - out * out  # tanh'
        d_sum *= d_out
        d_weight_c = np.empty_like(weight_c)
        np.matmul(context.T, d_sum, out=d_weight_c[:M])
        np.matmul(h.data.T, d_sum, out=d_weight_c[M:])
        dh = d_sum @ weight_c[M:].T
        d_context = _padded(d_sum @ weight_c[:M].T, h, h_positions)  # (N, T_dec, M)

        # ∂a_s/∂score_r = a_s (1[s = r] − a_r), so d_score = a ⊙ d_a − a Σ_s a_s d_a_s.
        d_score = np.matmul(d_context, m.transpose(0, 2, 1))  # here still d_a
        d_score *= a
        d_score -= a * d_score.sum(axis=-1, keepdims=True)

        # Padding adds nothing to the sums over target steps: d_context and query are zero there, and so is a.
        dm = np.matmul(a.transpose(0, 2, 1), d_context)
        dm += np.matmul(d_score.transpose(0, 2, 1), query)
        d_query = _rows(np.matmul(d_score, m), h_positions)
        dh += d_query @ weight_a.T
        if backward_trace.is_recording():
            both = np.concatenate((context, h.data), axis=1)
            terms = {"weight_a": (h.data, d_query), "weight_c": (both, d_sum), "bias_c": (None, d_sum)}
            backward_trace.record(self, params, cache, d_out, terms=terms)
        grads = {"weight_a": h.data.T @ d_query, "weight_c": d_weight_c, "bias_c": d_sum.sum(axis=0)}
        return dh, _rows(dm, m_positions), grads


def alignment(cache: AttentionCache) -> list[Array]:
    """For each sequence in the caller's order its weights (T_dec_n, T_enc_n), without padding, as views of the cache.

    Row t adds up to 1 and says how much of each source step went into target step t.
    """
    h_lengths = cache.h.to_caller_order(cache.h.lengths).tolist()
    m_lengths = cache.memory.to_caller_order(cache.memory.lengths).tolist()
    return [a_n[:t, :s] for a_n, t, s in zip(cache.a, h_lengths, m_lengths, strict=True)]


def _positions(x: PackedSequence) -> Array:
    """(S,) the position of each packed row among the N · T rows of a padded array in the caller's order."""
    T = len(x.batch_sizes)
    return np.asarray(x.order[x.sequence_of_row] * T + np.repeat(np.arange(T), x.batch_sizes))


def _padded(rows: Array, x: PackedSequence, positions: Array) -> Array:
    """(S, D) packed rows as (N, T, D), zero where there is no step: NaN times a weight of 0 would be NaN."""
    N, T, D = len(x.order), len(x.batch_sizes), rows.shape[1]
    padded = np.zeros((N * T, D), rows.dtype)
    padded[positions] = rows
    return padded.reshape(N, T, D)


def _rows(padded: Array, positions: Array) -> Array:
    """The opposite of :func:`_padded`."""
    return padded.reshape(-1, padded.shape[-1]).take(positions, axis=0)


def _is_step(x: PackedSequence) -> Array:
    """(N, T) in the caller's order: whether the sequence has this step."""
    return np.asarray(np.arange(len(x.batch_sizes)) < x.to_caller_order(x.lengths)[:, None])


def _softmax_in_place(score: Array, is_target: Array, is_source: Array) -> Array:
    """softmax over the real source steps; zero in the padding of either side.

    Args:
        score: (N, T_dec, T_enc), overwritten.
        is_target: (N, T_dec).
        is_source: (N, T_enc), of which every sequence has one at least: so each maximum is a real step's.
    """
    np.copyto(score, -np.inf, where=~is_source[:, None, :])
    score -= score.max(axis=-1, keepdims=True)
    np.exp(score, out=score)
    total = score.sum(axis=-1, keepdims=True)
    np.copyto(total, np.inf, where=~is_target[:, :, None])  # x/∞ = 0 in the rows that are no target step
    score /= total
    return score
