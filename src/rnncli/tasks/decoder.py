"""The decoder, which generates a sequence symbol by symbol from a first state: the second half of seq2seq and caption.

In training every step is given the right symbol before it (teacher forcing, Williams & Zipser 1989), in prediction the
one that was generated before it. One more symbol beside the known ones stands for the end; the first step is given it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells import compiled
from rnncli.core.layers.attention import Attention, AttentionCache
from rnncli.core.layers.dropout import dropout, dropout_backward
from rnncli.core.layers.embedding import Embedding, EmbeddingCache
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import Layer, NamedLayers
from rnncli.core.layers.stack import Stack, StackCache
from rnncli.core.losses import log_softmax, softmax
from rnncli.core.packed import Array, PackedSequence, Params, State
from rnncli.data.records.ragged import lengths_of, rows_of
from rnncli.data.splits import in_length_order
from rnncli.schema import Range
from rnncli.tasks.network import BATCH, Carried, Rng, SequenceNetwork, stack_of
from rnncli.tasks.symbols import symbols_of

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

# Partial sequences that are extended side by side by default: a few find better ones, more hardly do.
BEAM = 4
Beam = Annotated[int, Range(1, 1_000)]
# Symbols of the longest text in training: a network generates at most twice as many and 10 more, each in a step.
LONGEST = 5_000
Longest = Annotated[int, Range(1, LONGEST)]


def without_too_long(dataset: Dataset, unit: str) -> Dataset:
    """The records whose label is no longer than :data:`LONGEST` symbols.

    Raises:
        DataError: one is, and bad records are not to be left out.
    """
    lengths = (len(symbols_of(text, unit)) for text in dataset.labels)
    too_many = f"{unit}s in the target, and at most {LONGEST:,} are possible"
    problems = [f"there are {length:,} {too_many}" if length > LONGEST else None for length in lengths]
    return dataset.without(problems, "text that is too long")


class Generated(NamedTuple):
    """A generated sequence.

    Attributes:
        ids: (T,) without the end.
        log_probability: of the whole, its end included if it was reached.
        ended: whether its end was reached.
    """

    ids: Array
    log_probability: float
    ended: bool


class DecoderStart(NamedTuple):
    """What a decoder starts from: what the first half of a network makes of its inputs.

    Attributes:
        states: the first ones of each layer.
        memory: (S, memory) rows that attention may look at, of the same sequences in an order of their own.
        beside: (N, beside) numbers that every step of each sequence may be given, in the order of ``states``.
        cache: for the backward pass of the first half.
    """

    states: list[State]
    memory: PackedSequence | None = None
    beside: Array | None = None
    cache: Any = None


class DecoderCache(NamedTuple):
    """What each layer keeps for the backward pass, from the input up."""

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
        memory: width of the rows that attention looks at; None for no attention.
        beside: how many numbers every step is given beside the symbol before it.
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

    def given(self, targets: Sequence[Array]) -> PackedSequence:
        """The ids that the steps are given in training: the end, then the target without its own end."""
        end = np.array([self.end], np.int32)
        return PackedSequence.pack([np.concatenate((end, target)).astype(np.int32) for target in targets])

    def wanted(self, targets: Sequence[Array]) -> Array:
        """(S,) the ids that the steps should generate, in the order of :meth:`given`: the target, then the end."""
        end = np.array([self.end], np.int32)
        return np.asarray(PackedSequence.pack([np.concatenate((target, end)) for target in targets]).data)

    def steps(self, generated: Generated) -> Array:
        """(T,) the ids that the steps generated: the symbols, then the end if it was reached."""
        return np.append(generated.ids, self.end) if generated.ended else generated.ids

    def forward(
        self,
        params: Params,
        given: PackedSequence,
        start: DecoderStart,
        rng: Rng = None,
        keep: bool = True,
    ) -> tuple[Array, Array, list[State], DecoderCache]:
        """Ids (S,) to logits (S, symbols + 1).

        Args:
            given: the symbol before each step.
            start: in the packed order of ``given``.
            rng: for dropout; None when predicting.
            keep: whether :meth:`backward` will be called.

        Returns:
            The logits, the topmost layer's outputs (S, hidden), the last states, and the cache.
        """
        x, of_embedding = self.embedding.forward(params["embedding"], given, gather=self.beside > 0)
        if self.beside:
            assert start.beside is not None
            x = x.with_data(np.concatenate((x.data, start.beside[given.sequence_of_row]), axis=1))
        y, last, of_stack = self.stack.forward(params["stack"], x, start.states, rng, keep)
        attended, of_attention = y, None
        if self.attention:
            assert start.memory is not None
            attended, of_attention = self.attention.forward(params["attention"], x.with_data(y), start.memory)
        dropped, output_mask = dropout(attended, self.settings.dropout, rng)
        logits, of_output = self.output.forward(params["output"], dropped)
        return logits, y, last, DecoderCache(of_embedding, of_stack, of_attention, output_mask, of_output)

    def backward(
        self, params: Params, cache: DecoderCache, d_logits: Array
    ) -> tuple[list[State], Array | None, dict[str, Any]]:
        """The gradients of the first states, of the memory (None without attention) and of every parameter."""
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
        """(N,) whether greedy decoding generates each sequence exactly, in the caller's order.

        It does where the right symbol is the most probable one at every step given the right ones before it, so that
        counting exact matches needs no decoding.
        """
        allowed = logits.copy()
        allowed[:, self.size - 1] = -np.inf  # the unknown symbol is never generated
        missed = np.bincount(steps.sequence_of_row, allowed.argmax(axis=1) != wanted)
        return np.asarray(steps.to_caller_order(missed) == 0)

    @compiled.weights_at_rest()
    def decode(self, params: Params, start: DecoderStart, limit: int, beam: int = 1) -> list[Generated]:
        """The most probable sequence for each start that beam search finds.

        Sequences of a beam are compared by the mean of their symbols' log probabilities: by the sum the shortest one
        would win too often.

        Args:
            start: in the caller's order.
            limit: symbols at most.
            beam: partial sequences that are extended side by side.
        """
        count = len(start.states[0][0])
        rows = np.repeat(np.arange(count), beam)
        start = self._repeated(start, rows) if beam > 1 else start
        ids = np.full(len(rows), self.end, np.int32)
        steps: list[tuple[Array, Array]] = []  # of each: the row that each row extends, and the symbol it adds
        # At first all rows of a beam are the same: only the first may be extended.
        scores = np.where(np.arange(len(rows)) % beam == 0, 0.0, -np.inf)
        ended = np.zeros(len(rows), np.bool_)
        first = np.arange(count)[:, None] * beam
        everyone, once = np.arange(len(rows)), np.array([len(rows)])
        for _ in range(limit):
            step = PackedSequence(ids, once, everyone)
            logits, _, states, _ = self.forward(params, step, start, keep=False)
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
            start = start._replace(states=[tuple(part[parents] for part in state) for state in states])
            ended = ended[parents] | (ids == self.end)
            if ended.all():
                break
        return self._best(_followed(steps, len(rows)), scores, ended, count, beam)

    @compiled.weights_at_rest()
    def sample(
        self, params: Params, start: DecoderStart, limit: int, temperature: float, rngs: Sequence[np.random.Generator]
    ) -> list[Generated]:
        """A sequence for each start, of which every symbol is drawn by its probability after those before it.

        Args:
            start: in the caller's order.
            limit: symbols at most.
            temperature: divides the logits; at 0 the most probable symbol always follows.
            rngs: a generator for each start, so that what is drawn for one does not depend on the others.
        """
        count = len(rngs)
        drawn = np.stack([rng.random(limit) for rng in rngs]) if temperature else np.zeros((count, limit))
        ids, symbols = np.full(count, self.end, np.int32), np.full((count, limit), self.end, np.int32)
        scores, ended = np.zeros(count), np.zeros(count, np.bool_)
        rows, once = np.arange(count), np.array([count])
        for place in range(limit):
            logits, _, states, _ = self.forward(params, PackedSequence(ids, once, rows), start, keep=False)
            logs = log_softmax(logits.astype(np.float64))
            allowed = logs.copy()
            allowed[:, self.size - 1] = -np.inf  # the unknown symbol is never generated
            if temperature:
                ids = _drawn(softmax(allowed / temperature), drawn[:, place])
            else:
                ids = allowed.argmax(axis=1).astype(np.int32)
            scores += np.where(ended, 0.0, logs[rows, ids])
            ids[ended] = self.end
            symbols[:, place] = ids
            start = start._replace(states=states)
            ended |= ids == self.end
            if ended.all():
                break
        found = zip(symbols, scores.tolist(), ended.tolist(), strict=True)
        return [Generated(of_row[of_row != self.end], score, end) for of_row, score, end in found]

    def _repeated(self, start: DecoderStart, rows: Array) -> DecoderStart:
        """The starts of these rows, as far as the decoder reads them."""
        states, memory = [tuple(part[rows] for part in state) for state in start.states], start.memory
        if self.attention and memory is not None:
            memory = PackedSequence.pack(rows_of(memory.unpack(), rows))
        return DecoderStart(states, memory, start.beside[rows] if self.beside and start.beside is not None else None)

    def _best(self, ids: Array, scores: Array, ended: Array, count: int, beam: int) -> list[Generated]:
        """The best of each beam's (rows, steps) ids; sequences that ended go before others."""
        lengths = np.where(ended, (ids != self.end).sum(axis=1) + 1, ids.shape[1])
        merit = (scores / np.maximum(lengths, 1)).reshape(count, beam)
        merit = np.where(ended.reshape(count, beam), merit, merit - 1e6)
        chosen = merit.argmax(axis=1) + np.arange(count) * beam
        found = zip(ids[chosen], scores[chosen].tolist(), ended[chosen].tolist(), strict=True)
        return [Generated(of_row[of_row != self.end], score, end) for of_row, score, end in found]


def _drawn(probabilities: Array, uniform: Array) -> Array:
    """(rows,) the number of an entry of each of the (rows, K) distributions, by a number of [0, 1) for each."""
    ends = np.cumsum(probabilities, axis=1)
    return np.asarray((ends <= uniform[:, None] * ends[:, -1:]).sum(axis=1), np.int32)


def _followed(steps: list[tuple[Array, Array]], rows: int) -> Array:
    """(rows, steps) the ids of every row, read from the last step back, so that no step copies those before it."""
    symbols, row = np.zeros((rows, len(steps)), np.int32), np.arange(rows)
    for place, (parents, ids) in zip(reversed(range(len(steps))), reversed(steps), strict=True):
        symbols[:, place], row = ids[row], parents[row]
    return symbols


class GeneratorCache(NamedTuple):
    """What both halves keep for the backward pass."""

    start: Any
    decoder: DecoderCache


class GeneratingNetwork(SequenceNetwork):
    """A network whose second half is a decoder; a right answer is a whole target.

    The examples have ``inputs``, and ``targets``, each (U_n,) ids without an end.
    """

    @property
    @abstractmethod
    def decoder(self) -> Decoder: ...

    @abstractmethod
    def start(
        self, params: Params, inputs: Any, order: Array | slice = slice(None), rng: Rng = None, keep: bool = True
    ) -> DecoderStart:
        """The first half of the network, whose results are put into an order.

        Args:
            inputs: as examples have them.
            order: their rows in the packed order of the targets.
            rng: for dropout; None when predicting.
            keep: whether :meth:`start_backward` will be called.
        """

    @abstractmethod
    def start_backward(
        self, params: Params, cache: Any, d_states: list[State], d_memory: Array | None
    ) -> dict[str, Any]:
        """The gradients of the first half's parameters, from those of what :meth:`start` returned."""

    @property
    def tables(self) -> frozenset[str]:
        return frozenset({"decoder/embedding/weight"})

    def rows_read(self, batch: Any) -> dict[str, Array]:
        read = np.unique(np.concatenate((*batch.targets, [self.decoder.end]))).astype(np.int64)
        return {"decoder/embedding/weight": read}

    def forward_batch(
        self, params: Params, batch: Any, rng: Rng = None, keep: bool = True, carried: Carried = None
    ) -> tuple[Array, PackedSequence, GeneratorCache]:
        given = self.decoder.given(batch.targets)
        start = self.start(params, batch.inputs, given.order, rng, keep)
        logits, _, _, of_decoder = self.decoder.forward(params["decoder"], given, start, rng, keep)
        return logits, given, GeneratorCache(start.cache, of_decoder)

    def backward(self, params: Params, cache: GeneratorCache, d_logits: Array) -> dict[str, Any]:
        d_states, d_memory, of_decoder = self.decoder.backward(params["decoder"], cache.decoder, d_logits)
        return self.start_backward(params, cache.start, d_states, d_memory) | {"decoder": of_decoder}

    def wanted(self, batch: Any) -> Array:
        return self.decoder.wanted(batch.targets)

    def right(self, logits: Array, steps: PackedSequence, wanted: Array) -> Array:
        return self.decoder.exact(logits, steps, wanted)

    def decode(self, params: Params, inputs: Any, limit: int, beam: int = 1) -> list[Generated]:
        """What is generated for each of the inputs, in their order, of at most ``limit`` symbols."""
        found: dict[int, Generated] = {}
        for rows in in_length_order(lengths_of(inputs), max(1, BATCH // beam)):
            start = self.start(params, rows_of(inputs, rows), keep=False)
            found.update(zip(rows.tolist(), self.decoder.decode(params["decoder"], start, limit, beam), strict=True))
        return [found[row] for row in range(len(inputs))]

    def sample(
        self, params: Params, inputs: Any, limit: int, temperature: float, rngs: Sequence[np.random.Generator]
    ) -> list[Generated]:
        """What is drawn for each of the inputs, in their order; see :meth:`Decoder.sample`."""
        found: dict[int, Generated] = {}
        for rows in in_length_order(lengths_of(inputs), BATCH):
            start = self.start(params, rows_of(inputs, rows), keep=False)
            own = [rngs[row] for row in rows.tolist()]
            drawn = self.decoder.sample(params["decoder"], start, limit, temperature, own)
            found.update(zip(rows.tolist(), drawn, strict=True))
        return [found[row] for row in range(len(inputs))]
