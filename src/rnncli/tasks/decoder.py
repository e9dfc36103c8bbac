"""What tells a sequence, one symbol after the other, from a state it is given: the second half of seq2seq and caption.

While it learns, every step is given the right symbol before it (teacher forcing, Williams & Zipser 1989); when it
answers, the one it has told itself. One more symbol beside the known ones stands for the end; it is also what the
first step is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple, Protocol

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params, State
from rnncli.core.layers.attention import Attention, AttentionCache
from rnncli.core.layers.dropout import dropout
from rnncli.core.layers.embedding import Embedding, EmbeddingCache
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.stack import Stack, StackCache
from rnncli.core.losses import log_softmax, softmax_cross_entropy
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset
from rnncli.data.splits import in_length_order
from rnncli.schema import Range
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.metric_sums import MetricSums
from rnncli.tasks.recurrent_stack import shapes_of, stack_of
from rnncli.tasks.symbols import symbols_of

# Sequences that are judged or told together.
BATCH = 128
# Partial sequences that are gone on with, where nobody says how many: a few find better ones, more hardly do.
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


class Told(NamedTuple):
    """A decoded sequence.

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

    def init(self, rng: np.random.Generator) -> Params:
        dtype = np.dtype(self.settings.dtype)
        params: Params = {"embedding": self.embedding.init(rng, dtype), "stack": self.stack.init(rng, dtype)}
        if self.attention:
            params["attention"] = self.attention.init(rng, dtype)
        return params | {"output": self.output.init(rng, dtype)}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        s = self.settings
        shapes: dict[str, tuple[int, ...]] = {"embedding/weight": (self.size + 1, s.embedding)}
        shapes |= shapes_of(s, "stack", self.input_size, self.hidden, bidirectional=False)
        if self.attention:
            shapes |= {f"attention/{name}": shape for name, shape in self.attention.shapes().items()}
        shapes["output/weight"] = (self.hidden, self.size + 1)
        if s.bias:
            shapes["output/bias"] = (self.size + 1,)
        return shapes

    def given(self, targets: Sequence[Array]) -> PackedSequence:
        """What each step is given while learning: the end, then the target without its own end."""
        end = np.array([self.end], np.int32)
        return PackedSequence.pack([np.concatenate((end, target)).astype(np.int32) for target in targets])

    def steps(self, told: Told) -> Array:
        """(T,) what each step has told: the symbols, then the end if it was reached."""
        return np.append(told.ids, self.end) if told.ended else told.ids

    def wanted(self, targets: Sequence[Array]) -> Array:
        """(S,) what each step is to tell, in the order of :meth:`given`: the target, then the end."""
        end = np.array([self.end], np.int32)
        return np.asarray(PackedSequence.pack([np.concatenate((target, end)) for target in targets]).data)

    def forward(
        self,
        params: Params,
        given: PackedSequence,
        states: list[State],
        memory: PackedSequence | None = None,
        rng: np.random.Generator | None = None,
        keep: bool = True,
        beside: Array | None = None,
    ) -> tuple[Array, Array, list[State], DecoderCache]:
        """Ids (S,) to logits (S, symbols + 1).

        Args:
            given: the symbol before each step.
            states: of each layer, in the packed order of ``given``.
            memory: what attention looks at, (S', memory), of the same sequences in an order of its own.
            rng: for dropout; None when answering.
            keep: whether :meth:`backward` will be called.
            beside: (N, beside) what every step of each sequence is given, in the packed order of ``given``.

        Returns:
            The logits, the topmost layer's outputs (S, hidden), the states that are left, and the cache.
        """
        x, of_embedding = self.embedding.forward(params["embedding"], given, gather=beside is not None)
        if beside is not None:
            x = x.with_data(np.concatenate((x.data, beside[given.sequence_of_row]), axis=1))
        y, last, of_stack = self.stack.forward(params["stack"], x, states, rng, keep)
        told, of_attention = y, None
        if self.attention:
            assert memory is not None
            told, of_attention = self.attention.forward(params["attention"], x.with_data(y), memory)
        dropped, output_mask = dropout(told, self.settings.dropout, rng)
        logits, of_output = self.output.forward(params["output"], dropped)
        return logits, y, last, DecoderCache(of_embedding, of_stack, of_attention, output_mask, of_output)

    def backward(
        self, params: Params, cache: DecoderCache, d_logits: Array
    ) -> tuple[list[State], Array | None, dict[str, Any]]:
        """From the logits' gradient to those of the first states, of the memory (None without attention), and of
        every parameter."""
        grads: dict[str, Any] = {}
        dy, of_output = self.output.backward(params["output"], cache.output, d_logits)
        if cache.output_mask is not None:
            dy *= cache.output_mask
        d_memory = None
        if self.attention:
            assert cache.attention is not None
            dy, d_memory, grads["attention"] = self.attention.backward(params["attention"], cache.attention, dy)
        dx, d_states, of_stack = self.stack.backward(params["stack"], cache.stack, dy)
        assert dx is not None
        grads["embedding"] = self.embedding.backward(cache.embedding, dx[:, : self.settings.embedding])
        return d_states, d_memory, grads | {"stack": of_stack, "output": of_output}

    def loss(self, logits: Array, targets: Sequence[Array], share: float = 1.0) -> tuple[float, Array]:
        """The mean loss of a symbol, ends included, and its gradient; both times ``share``."""
        loss, d_logits = softmax_cross_entropy(logits, self.wanted(targets))
        if share != 1:
            loss *= share
            d_logits *= share
        return loss, d_logits

    def metric_sums(self, logits: Array, given: PackedSequence, targets: Sequence[Array]) -> MetricSums:
        """Sequences that are right as a whole, all sequences, the sum of the symbols' losses, and all symbols.

        If at every step the right symbol is the most probable one, then decoding with the most probable one tells
        the target; and if at some step it is not, then decoding leaves the target there. So no decoding is needed to
        count exact matches.
        """
        wanted = self.wanted(targets)
        loss, _ = softmax_cross_entropy(logits, wanted)
        exact = self.exact(logits, given, targets)
        return MetricSums(float(exact.sum()), len(targets), loss * len(wanted), len(wanted))

    def exact(self, logits: Array, given: PackedSequence, targets: Sequence[Array]) -> Array:
        """(N,) whether each sequence is right as a whole, in the caller's order."""
        allowed = logits.copy()
        allowed[:, self.size - 1] = -np.inf  # the unknown symbol is never told
        missed = np.bincount(given.sequence_of_row, allowed.argmax(axis=1) != self.wanted(targets))
        return np.asarray(given.to_caller_order(missed) == 0)

    def log_probabilities(self, logits: Array, given: PackedSequence, targets: Sequence[Array]) -> Array:
        """(N,) of each whole target, its end included, in the caller's order."""
        wanted = self.wanted(targets)
        of_symbols = log_softmax(logits)[np.arange(len(wanted)), wanted]
        return given.to_caller_order(np.bincount(given.sequence_of_row, of_symbols))

    def decode(
        self,
        params: Params,
        states: list[State],
        memory: PackedSequence | None,
        limit: int,
        beam: int = 1,
        beside: Array | None = None,
    ) -> list[Told]:
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
        steps: list[tuple[Array, Array]] = []  # of each: the partial sequence that a row goes on with, and its symbol
        # At first all of a beam are the same: only the first may be gone on with.
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
        return self._best(_told(steps, len(rows)), scores, ended, count, beam)

    def _best(self, told: Array, scores: Array, ended: Array, count: int, beam: int) -> list[Told]:
        lengths = np.where(ended, (told != self.end).sum(axis=1) + 1, told.shape[1])
        merit = (scores / np.maximum(lengths, 1)).reshape(count, beam)
        # A sequence that has come to its end is better than any that has not.
        merit = np.where(ended.reshape(count, beam), merit, merit - 1e6)
        chosen = merit.argmax(axis=1) + np.arange(count) * beam
        return [Told(told[row][told[row] != self.end], float(scores[row]), bool(ended[row])) for row in chosen.tolist()]


def _told(steps: list[tuple[Array, Array]], rows: int) -> Array:
    """(rows, steps) the symbols of every row, read from the last step back: no step copies those before it."""
    told, row = np.zeros((rows, len(steps)), np.int32), np.arange(rows)
    for place, (parents, ids) in zip(reversed(range(len(steps))), reversed(steps), strict=True):
        told[:, place], row = ids[row], parents[row]
    return told


class Tells(Protocol):
    """A network whose second half is a decoder."""

    @property
    def decoder(self) -> Decoder: ...

    def forward(self, params: Params, batch: Any, *, keep: bool = True) -> tuple[Array, PackedSequence, Any, Any]: ...


def metric_sums_of(network: Tells, params: Params, examples: Any, rank: int, count: int) -> MetricSums:
    """Scores every ``count``-th batch of the examples, the right symbols given."""
    parts = []
    for rows in in_length_order(examples.lengths, BATCH)[rank::count]:
        batch = examples.take(rows)
        logits, given, _, _ = network.forward(params, batch, keep=False)
        parts.append(network.decoder.metric_sums(logits, given, batch.targets))
    return MetricSums(*np.sum(parts, axis=0).tolist()) if parts else MetricSums(0, 0, 0, 0)


def exact_matches(network: Tells, params: Params, examples: Any) -> RowScores:
    """Whether each target is told without a fault."""
    return RowScores.of_answers(_of_each_target(network, params, examples, network.decoder.exact))


def log_probabilities_of(network: Tells, params: Params, examples: Any) -> Array:
    """(rows,) of the whole target of each example."""
    return _of_each_target(network, params, examples, network.decoder.log_probabilities)


def _of_each_target(network: Tells, params: Params, examples: Any, figure: Callable[..., Array]) -> Array:
    """(rows,) what ``figure`` makes of the logits of each target, the right symbols given."""
    found = np.empty(examples.size)
    for rows in in_length_order(examples.lengths, BATCH):
        batch = examples.take(rows)
        logits, given, _, _ = network.forward(params, batch, keep=False)
        found[rows] = figure(logits, given, batch.targets)
    return found
