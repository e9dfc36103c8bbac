"""What generates a sequence, symbol by symbol, from a state it is given: the second half of seq2seq and caption.

While it learns, every step is given the right symbol before it (teacher forcing, Williams & Zipser 1989); when it
predicts, the one it has generated itself. One more symbol beside the known ones stands for the end; it is also what the
first step is given.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params, State
from rnncli.core.layers.attention import Attention, AttentionCache
from rnncli.core.layers.dropout import dropout, dropout_backward
from rnncli.core.layers.embedding import Embedding, EmbeddingCache
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import Layer, NamedLayers
from rnncli.core.layers.stack import Stack, StackCache
from rnncli.core.losses import log_softmax
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset
from rnncli.schema import Range
from rnncli.tasks.network import Rng, SequenceNetwork, stack_of
from rnncli.tasks.symbols import symbols_of

# Partial sequences that are extended side by side, where nobody says how many: a few find better ones, more hardly do.
BEAM = 4
Beam = Annotated[int, Range(1, 1_000)]
# Symbols of the longest text that is learned from: what a network generates is at most twice as long, and 10 more, and
# each symbol is a step of its own.
LONGEST = 5_000
Longest = Annotated[int, Range(1, LONGEST)]


def without_too_long(dataset: Dataset, unit: str) -> Dataset:
    """The records whose label is no longer than :data:`LONGEST` symbols.

    Raises:
        DataError: one is, and bad records are not to be left out.
    """
    lengths = [len(symbols_of(text, unit)) for text in dataset.labels]
    said = f"in the target, and at most {LONGEST:,} are possible"
    problems = [f"there are {length:,} {unit}s {said}" if length > LONGEST else None for length in lengths]
    return dataset.without(problems, "text that is too long")


class Generated(NamedTuple):
    """A generated sequence.

    Attributes:
        ids: (T,) without the end.
        log_probability: of the whole, its end included if it was reached.
        ended: whether it was.
    """

    ids: Array
    log_probability: float
    ended: bool


class DecoderCache(NamedTuple):
    """What each part keeps for the way back, from the input up."""

    embedding: EmbeddingCache
    stack: StackCache
    attention: AttentionCache | None
    output_mask: Array | None
    output: Array


@dataclass(frozen=True)
class Decoder:
    """Embedding → recurrent stack → attention, if there is a memory to look at → dropout → linear → softmax.

    Args:
        settings: sizes and choices.
        size: symbols, the unknown one included; the end comes after them.
        hidden: units of each layer.
        memory: width of what attention looks at; None for no attention.
        beside: numbers that every step is given beside the symbol before it.
    """

    settings: Settings
    size: int
    hidden: int
    memory: int | None = None
    beside: int = 0

    @property
    def end(self) -> int:
        return self.size

    @cached_property
    def embedding(self) -> Embedding:
        return Embedding(self.size + 1, self.settings.embedding, self.settings.embedding_scale)

    @cached_property
    def stack(self) -> Stack:
        return stack_of(self.settings, self.input_size, self.hidden, bidirectional=False)

    @property
    def input_size(self) -> int:
        return self.settings.embedding + self.beside

    @cached_property
    def attention(self) -> Attention | None:
        return None if self.memory is None else Attention(self.hidden, self.memory, self.hidden)

    @cached_property
    def output(self) -> Linear:
        return Linear(self.hidden, self.size + 1, self.settings.bias)

    @property
    def state_count(self) -> int:
        return self.stack.layers[0].cell.state_count

    @property
    def layers(self) -> NamedLayers:
        looking: dict[str, Layer] = {"attention": self.attention} if self.attention else {}
        return NamedLayers({"embedding": self.embedding, "stack": self.stack, **looking, "output": self.output})

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        return self.layers.init(rng, dtype)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return self.layers.shapes()

    def given(self, targets: Sequence[Array]) -> PackedSequence:
        """What each step is given while learning: the end, then the target without its own end."""
        end = np.array([self.end], np.int32)
        return PackedSequence.pack([np.concatenate((end, target)).astype(np.int32) for target in targets])

    def steps(self, generated: Generated) -> Array:
        """(T,) what each step has generated: the symbols, then the end if it was reached."""
        return np.append(generated.ids, self.end) if generated.ended else generated.ids

    def wanted(self, targets: Sequence[Array]) -> Array:
        """(S,) what each step is to generate, in the order of :meth:`given`: the target, then the end."""
        end = np.array([self.end], np.int32)
        return np.asarray(PackedSequence.pack([np.concatenate((target, end)) for target in targets]).data)

    def forward(
        self,
        params: Params,
        given: PackedSequence,
        states: list[State],
        memory: PackedSequence | None = None,
        rng: Rng = None,
        keep: bool = True,
        beside: Array | None = None,
    ) -> tuple[Array, Array, list[State], DecoderCache]:
        """Ids (S,) to logits (S, symbols + 1).

        Args:
            given: the symbol before each step.
            states: of each layer, in the packed order of ``given``.
            memory: what attention looks at, (S', memory), of the same sequences in an order of its own.
            rng: for dropout; None when predicting.
            keep: whether :meth:`backward` will be called.
            beside: (N, beside) what every step of each sequence is given, in the packed order of ``given``.

        Returns:
            The logits, the topmost layer's outputs (S, hidden), the states that are left, and the cache.
        """
        x, of_embedding = self.embedding.forward(params["embedding"], given, gather=beside is not None)
        if beside is not None:
            x = x.with_data(np.concatenate((x.data, beside[given.sequence_of_row]), axis=1))
        y, last, of_stack = self.stack.forward(params["stack"], x, states, rng, keep)
        attended, of_attention = y, None
        if self.attention:
            assert memory is not None
            attended, of_attention = self.attention.forward(params["attention"], x.with_data(y), memory)
        dropped, output_mask = dropout(attended, self.settings.dropout, rng)
        logits, of_output = self.output.forward(params["output"], dropped)
        return logits, y, last, DecoderCache(of_embedding, of_stack, of_attention, output_mask, of_output)

    def backward(
        self, params: Params, cache: DecoderCache, d_logits: Array
    ) -> tuple[list[State], Array | None, dict[str, Any]]:
        """From the logits' gradient to those of the first states, of the memory (None without attention), and of
        every parameter."""
        grads: dict[str, Any] = {}
        dy, of_output = self.output.backward(params["output"], cache.output, d_logits)
        dy, d_memory = dropout_backward(dy, cache.output_mask), None
        if self.attention:
            assert cache.attention is not None
            dy, d_memory, grads["attention"] = self.attention.backward(params["attention"], cache.attention, dy)
        dx, d_states, of_stack = self.stack.backward(params["stack"], cache.stack, dy)
        assert dx is not None
        grads["embedding"] = self.embedding.backward(cache.embedding, dx[:, : self.settings.embedding])
        return d_states, d_memory, grads | {"stack": of_stack, "output": of_output}

    def exact(self, logits: Array, steps: PackedSequence, wanted: Array) -> Array:
        """(N,) whether each sequence is right as a whole, in the caller's order.

        If at every step the right symbol is the most probable one, then decoding with the most probable one generates
        the target; and if at some step it is not, then decoding leaves the target there. So no decoding is needed to
        count exact matches.
        """
        allowed = logits.copy()
        allowed[:, self.size - 1] = -np.inf  # the unknown symbol is never generated
        missed = np.bincount(steps.sequence_of_row, allowed.argmax(axis=1) != wanted)
        return np.asarray(steps.to_caller_order(missed) == 0)

    def decode(
        self,
        params: Params,
        states: list[State],
        memory: PackedSequence | None,
        limit: int,
        beam: int = 1,
        beside: Array | None = None,
    ) -> list[Generated]:
        """The most probable sequence for each state that a beam of ``beam`` partial ones finds.

        Args:
            states: of each layer, in the caller's order.
            memory: of the same sequences.
            limit: symbols at most.
            beside: (N, beside) what every step of each sequence is given.

        With more than one, whole sequences are compared by the mean of their symbols' log probabilities, or the
        shortest one would win too often.
        """
        count = len(states[0][0])
        rows = np.repeat(np.arange(count), beam)
        states = [tuple(part[rows] for part in state) for state in states]
        if memory is not None and beam > 1:
            sequences = memory.unpack()
            memory = PackedSequence.pack([sequences[row] for row in rows.tolist()])
        beside = None if beside is None else beside[rows]
        ids = np.full(len(rows), self.end, np.int32)
        steps: list[tuple[Array, Array]] = []  # of each: the partial sequence that a row extends, and its symbol
        # At first all of a beam are the same: only the first may be extended.
        scores = np.where(np.arange(len(rows)) % beam == 0, 0.0, -np.inf)
        ended = np.zeros(len(rows), np.bool_)
        first = np.arange(count)[:, None] * beam
        everyone, once = np.arange(len(rows)), np.array([len(rows)])
        for _ in range(limit):
            step = PackedSequence(ids, once, everyone)
            logits, _, states, _ = self.forward(params, step, states, memory, keep=False, beside=beside)
            logs = log_softmax(logits.astype(np.float64))
            logs[:, self.size - 1] = -np.inf
            logs[ended] = -np.inf
            logs[ended, self.end] = 0
            totals = (scores[:, None] + logs).reshape(count, -1)
            best = np.argsort(-totals, axis=1, kind="stable")[:, :beam]
            parents = (first + best // logs.shape[1]).ravel()
            ids = (best % logs.shape[1]).ravel().astype(np.int32)
            scores = np.take_along_axis(totals, best, axis=1).ravel()
            steps.append((parents, ids))
            states = [tuple(part[parents] for part in state) for state in states]
            ended = ended[parents] | (ids == self.end)
            if ended.all():
                break
        return self._best(_followed(steps, len(rows)), scores, ended, count, beam)

    def _best(self, ids: Array, scores: Array, ended: Array, count: int, beam: int) -> list[Generated]:
        """Of each beam the best of its sequences, (rows, steps) ids; those that came to their end before others."""
        lengths = np.where(ended, (ids != self.end).sum(axis=1) + 1, ids.shape[1])
        merit = (scores / np.maximum(lengths, 1)).reshape(count, beam)
        merit = np.where(ended.reshape(count, beam), merit, merit - 1e6)
        chosen = merit.argmax(axis=1) + np.arange(count) * beam
        found = zip(ids[chosen], scores[chosen].tolist(), ended[chosen].tolist(), strict=True)
        return [Generated(of_row[of_row != self.end], score, end) for of_row, score, end in found]


def _followed(steps: list[tuple[Array, Array]], rows: int) -> Array:
    """(rows, steps) the symbols of every row, read from the last step back: no step copies those before it."""
    symbols, row = np.zeros((rows, len(steps)), np.int32), np.arange(rows)
    for place, (parents, ids) in zip(reversed(range(len(steps))), reversed(steps), strict=True):
        symbols[:, place], row = ids[row], parents[row]
    return symbols


class GeneratingNetwork(SequenceNetwork):
    """A network whose second half is a decoder; an answer is a whole target.

    The examples have ``targets``, each (U_n,) ids without an end.
    """

    @property
    @abstractmethod
    def decoder(self) -> Decoder: ...

    def wanted(self, batch: Any) -> Array:
        return self.decoder.wanted(batch.targets)

    def right(self, logits: Array, steps: PackedSequence, wanted: Array) -> Array:
        return self.decoder.exact(logits, steps, wanted)

    def rows_read(self, batch: Any) -> dict[str, Array]:
        read = np.unique(np.concatenate((*batch.targets, [self.decoder.end]))).astype(np.int64)
        return {"decoder/embedding/weight": read}
