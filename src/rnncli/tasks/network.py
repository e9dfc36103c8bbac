"""What is trained: layers by name, a loss, and its gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.named import cell_named, specification_of
from rnncli.core.cells.specification import X
from rnncli.core.layers.dropout import dropout, dropout_backward
from rnncli.core.layers.embedding import Embedding, EmbeddingCache
from rnncli.core.layers.named import Layer, NamedLayers
from rnncli.core.layers.stack import Stack, StackCache, recurrent_stack
from rnncli.core.losses import log_softmax, softmax_cross_entropy
from rnncli.core.packed import Array, Lookup, PackedSequence, Params, State
from rnncli.data.records.ragged import lengths_of, rows_of
from rnncli.data.splits import in_length_order
from rnncli.errors import counted
from rnncli.parallel.chunks import map_chunks
from rnncli.tasks.comparison import RowScores

# For dropout; None when predicting, for which np.random is not even imported.
Rng: TypeAlias = "np.random.Generator | None"
Carried = dict[str, Array] | None  # of Network.carried_shapes

# Sequences that are answered together: enough that products are large, few enough that a step stays in the cache.
BATCH = 128


class MetricSums(NamedTuple):
    """Sums over a part of a data set, to be added up.

    Attributes:
        right, answers: right answers, and all of them; of a network that is judged by its error, the sum of the
            absolute errors of predicted numbers, in the units of the data, and how many numbers there are.
        losses, counted: the sum of losses, and of how many.
    """

    right: float
    answers: float
    losses: float
    counted: float


@dataclass(frozen=True)
class Network(ABC):
    """Parameters, a loss, and its gradient.

    Attributes:
        settings: sizes and choices.
        judged_by: what decides on the validation rows which epoch is the best; between equal ones the other does, or
            after the error of predicted numbers, the loss.
    """

    settings: Settings
    judged_by: ClassVar[Literal["accuracy", "loss", "error"]] = "accuracy"

    @property
    @abstractmethod
    def layers(self) -> NamedLayers:
        """All layers, in the order in which their parameters are made."""

    @property
    @abstractmethod
    def tables(self) -> frozenset[str]:
        """The parameters of which a batch reads only some rows."""

    @abstractmethod
    def rows_read(self, batch: Any) -> dict[str, Array]:
        """For each of :attr:`tables` the rows that a batch reads, each once."""

    def init(self, rng: np.random.Generator) -> Params:
        return self.layers.init(rng, np.dtype(self.settings.dtype))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Flat name → shape of every parameter, worked out without making one."""
        return self.layers.shapes()

    def carried_shapes(self) -> dict[str, tuple[int, ...]]:
        """What one step hands to the next beside the parameters, such as states of texts that go on: zeros at first.

        Row n of each array belongs to the n-th example of every batch.
        """
        return {}

    @abstractmethod
    def forward_batch(
        self, params: Params, batch: Any, rng: Rng = None, keep: bool = True, carried: Carried = None
    ) -> tuple[Array, PackedSequence, Any]:
        """The logits of a batch of examples.

        Args:
            rng: for dropout; None when predicting.
            keep: whether :meth:`backward` will be called.
            carried: arrays of :meth:`carried_shapes`, of which the rows of the batch are read and written.

        Returns:
            The logits, (S, K) or (N, K); their timesteps, packed; and the cache.
        """

    @abstractmethod
    def loss_of(self, logits: Array, steps: PackedSequence, batch: Any) -> tuple[float, Array]:
        """The mean loss of the logits of :meth:`forward_batch`, and ∂L/∂logits."""

    @abstractmethod
    def backward(self, params: Params, cache: Any, d_logits: Array) -> dict[str, Any]:
        """The gradient of every parameter, nested like ``params``."""

    def loss_and_gradients(
        self, params: Params, batch: Any, rng: Rng = None, share: float = 1.0, carried: Carried = None
    ) -> tuple[float, dict[str, Any]]:
        """One batch forward and backward.

        Args:
            share: of a larger batch; scales both results.
            carried: as of :meth:`forward_batch`.
        """
        logits, steps, cache = self.forward_batch(params, batch, rng, carried=carried)
        loss, d_logits = self.loss_of(logits, steps, batch)
        if share != 1:
            loss *= share
            d_logits *= share
        return loss, self.backward(params, cache, d_logits)

    @abstractmethod
    def metric_sums(self, params: Params, examples: Any, rank: int = 0, count: int = 1) -> MetricSums:
        """Scores the ``rank``-th of ``count`` parts of the examples."""

    def metric_sums_of_all(self, params: Params, examples: Any, parts: int, workers: int) -> MetricSums:
        """Scores all examples in so many parts, whose sums are added up in order.

        Args:
            parts: how many; a number that depends on ``workers`` would make the bits of the sums depend on it.

        Raises:
            Exception: as :func:`rnncli.parallel.chunks.map_chunks`.
        """
        sums = map_chunks(
            lambda part: self.metric_sums(params, examples, part, parts), range(parts), min(workers, parts)
        )
        return MetricSums._make(map(sum, zip(*sums, strict=True)))

    @abstractmethod
    def row_scores(self, params: Params, examples: Any) -> RowScores:
        """The scores of the examples, which together give the model's metric."""


class SequenceNetwork(Network):
    """A softmax at every timestep: a tag, a symbol or a token each."""

    @abstractmethod
    def wanted(self, batch: Any) -> Array:
        """(S,) the right answer at each timestep, in packed order."""

    def right(self, logits: Array, steps: PackedSequence, wanted: Array) -> Array:
        """(answers,) whether each answer is right; may write to ``logits``."""
        return np.asarray(logits.argmax(axis=1) == wanted)

    def loss_of(self, logits: Array, steps: PackedSequence, batch: Any) -> tuple[float, Array]:
        return softmax_cross_entropy(logits, self.wanted(batch))

    def scored_batches(
        self, params: Params, examples: Any, rank: int = 0, count: int = 1
    ) -> Iterator[tuple[Array, Array, PackedSequence, Array]]:
        """For every ``count``-th batch its rows, logits (S, K), timesteps, and the right answers."""
        for rows in in_length_order(examples.lengths, BATCH)[rank::count]:
            batch = examples.take(rows)
            logits, steps, _ = self.forward_batch(params, batch, keep=False)
            yield rows, logits, steps, self.wanted(batch)

    def metric_sums(self, params: Params, examples: Any, rank: int = 0, count: int = 1) -> MetricSums:
        sums = np.zeros(4)
        for _, logits, steps, wanted in self.scored_batches(params, examples, rank, count):
            loss, _ = softmax_cross_entropy(logits, wanted)
            right = self.right(logits, steps, wanted)
            sums += right.sum(), len(right), loss * len(wanted), len(wanted)
        return MetricSums(*sums.tolist())

    def of_each_row(
        self, params: Params, examples: Any, figure: Callable[[Array, PackedSequence, Array], Array]
    ) -> Array:
        """(rows,) what ``figure`` gives for logits, timesteps and right answers, in the caller's order."""
        found = np.empty(examples.size)
        for rows, logits, steps, wanted in self.scored_batches(params, examples):
            found[rows] = figure(logits, steps, wanted)
        return found

    def log_probabilities(self, params: Params, examples: Any) -> Array:
        """(rows,) log probabilities of all right answers of each example together."""

        def together(logits: Array, steps: PackedSequence, wanted: Array) -> Array:
            return sums_by_sequence(steps, log_softmax(logits)[np.arange(len(wanted)), wanted])

        return self.of_each_row(params, examples, together)

    def row_scores(self, params: Params, examples: Any) -> RowScores:
        """The losses of each example."""
        return RowScores(-self.log_probabilities(params, examples), examples.lengths.astype(np.float64))


def sums_by_sequence(steps: PackedSequence, values: Array) -> Array:
    """(N,) sums of (S,) values of the timesteps of each sequence, in the caller's order."""
    return steps.to_caller_order(np.bincount(steps.sequence_of_row, values))


def packed_batches(inputs: Sequence[Array], size: int = BATCH) -> Iterator[tuple[Array, PackedSequence]]:
    """Any number of sequences, like lengths together, packed so many at a time; each time their rows and the pack."""
    for rows in in_length_order(lengths_of(inputs), size):
        yield rows, PackedSequence.pack(rows_of(inputs, rows))


def stack_of(
    settings: Settings, input_size: int, hidden: int | None = None, bidirectional: bool | None = None
) -> Stack:
    """Recurrent layers; ``hidden`` and ``bidirectional`` where they are not those of the settings."""
    return recurrent_stack(
        settings.cell,
        input_size=input_size,
        hidden_size=settings.hidden if hidden is None else hidden,
        layers=settings.layers,
        bidirectional=settings.bidirectional if bidirectional is None else bidirectional,
        bias=settings.bias,
        dropout=settings.dropout,
        **{name: getattr(settings, name) for name in cell_named(settings.cell).options()},
    )


def network_in_words(settings: Settings, directions: bool = True) -> str:
    """Cell and sizes, for people: ``LSTM, 64 units, 1 layer, both directions``.

    Args:
        directions: whether the task has the choice of them.
    """
    words = [specification_of(settings.cell).name, counted(settings.hidden, "unit"), counted(settings.layers, "layer")]
    if directions:
        words.append("both directions" if settings.bidirectional else "one direction")
    return ", ".join(words)


class ReaderCache(NamedTuple):
    """What a :class:`Reader` keeps for its backward pass."""

    embedding: EmbeddingCache | None
    mask: Array | None
    stack: StackCache


@dataclass(frozen=True)
class Reader:
    """Rows of an embedding (or ids as one-hot, or numbers, as they are) → dropout → recurrent stack.

    Args:
        settings: sizes and choices.
        size: V, the unknown token included; of numbers D.
        name: the stack's, among the parameters.
        embeds: whether there is an embedding.
        bidirectional: where not as in the settings.
        by_token: whether dropout decides once for all places of a token in the batch, whose row is then still
            multiplied only once, and not for each place.
    """

    settings: Settings
    size: int
    name: str
    embeds: bool = True
    bidirectional: bool | None = None
    by_token: bool = False

    @cached_property
    def embedding(self) -> Embedding | None:
        s = self.settings
        return Embedding(self.size, s.embedding, s.embedding_scale) if self.embeds else None

    @cached_property
    def stack(self) -> Stack:
        size = self.settings.embedding if self.embeds else self.size
        return stack_of(self.settings, size, bidirectional=self.bidirectional)

    @property
    def layers(self) -> dict[str, Layer]:
        below: dict[str, Layer] = {"embedding": self.embedding} if self.embedding else {}
        return below | {self.name: self.stack}

    @cached_property
    def tables(self) -> frozenset[str]:
        """The parameters whose rows tokens pick: of the embedding, or of the lowest layer of the stack."""
        if self.embedding:
            return frozenset({"embedding/weight"})
        lowest = self.stack.layers[0]
        read = {parameter.name for parameter in lowest.cell.parameters if parameter.factor == X}
        return frozenset(f"{self.name}/0/{inner}" for inner in lowest.shapes() if inner.rpartition("/")[2] in read)

    def rows_read(self, ids: Array) -> dict[str, Array]:
        """For each of :attr:`tables` the rows that these ids pick, each once."""
        read = np.zeros(self.size, np.bool_)
        read[ids] = True
        return dict.fromkeys(self.tables, np.flatnonzero(read))

    def forward(
        self, params: Params, x: PackedSequence, states: list[State] | None = None, rng: Rng = None, keep: bool = True
    ) -> tuple[PackedSequence, Array, list[State], ReaderCache]:
        """Ids (S,), or numbers (S, D), to what the recurrent layers read, y (S, H or 2H), the last states, the cache.

        Args:
            states: the first ones of each layer; None for zeros.
            rng: for dropout; None when predicting.
            keep: whether :meth:`backward` will be called.
        """
        of_embedding, mask, rate = None, None, self.settings.dropout
        if self.embedding:
            dropping = rng is not None and rate > 0
            x, of_embedding = self.embedding.forward(params["embedding"], x, gather=dropping and not self.by_token)
            if dropping and self.by_token:
                table, mask = dropout(x.data.table, rate, rng)
                x = x.with_data(Lookup(table, x.data.distinct))
            elif dropping:
                dropped, mask = dropout(x.data, rate, rng)
                x = x.with_data(dropped)
        y, last, of_stack = self.stack.forward(params[self.name], x, states, rng, keep)
        return x, y, last, ReaderCache(of_embedding, mask, of_stack)

    def backward(
        self, params: Params, cache: ReaderCache, dy: Array | None, d_states: list[Any] | None = None
    ) -> tuple[Array | None, dict[str, Any]]:
        """The gradient of numbers that are learned (None for ids and other numbers), and of every parameter by name."""
        dx, _, of_stack = self.stack.backward(params[self.name], cache.stack, dy, d_states)
        grads: dict[str, Any] = {}
        if self.embedding and cache.embedding and dx is not None:
            grads["embedding"] = self.embedding.backward(cache.embedding, dropout_backward(dx, cache.mask))
        return dx, grads | {self.name: of_stack}
