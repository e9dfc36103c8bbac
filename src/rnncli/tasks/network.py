"""What is trained: layers by name, a loss, and its gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.named import cell_named, specification_of
from rnncli.core.cells.recurrence import Params
from rnncli.core.cells.specification import X
from rnncli.core.layers.dropout import dropout, dropout_backward
from rnncli.core.layers.embedding import Embedding, EmbeddingCache
from rnncli.core.layers.named import NamedLayers
from rnncli.core.layers.stack import Stack, recurrent_stack
from rnncli.core.losses import log_softmax, softmax_cross_entropy
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.splits import in_length_order
from rnncli.errors import counted
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.metric_sums import MetricSums

Rng = np.random.Generator | None  # for dropout; None when predicting
Carried = dict[str, Array] | None  # of Network.carried_shapes

# Sequences that are answered together: enough that products are large, few enough that a step stays in the cache.
BATCH = 128


@dataclass(frozen=True)
class Network(ABC):
    """Parameters, a loss, and its gradient.

    Attributes:
        settings: sizes and choices.
        judged_by: which of the two on the validation rows says that an epoch is the best; where equal, the other.
    """

    settings: Settings
    judged_by: ClassVar[Literal["accuracy", "loss"]] = "accuracy"

    @property
    @abstractmethod
    def layers(self) -> NamedLayers:
        """All layers, in the order in which their parameters are made."""

    @property
    @abstractmethod
    def tables(self) -> frozenset[str]:
        """The parameters of which a batch touches some rows only."""

    @abstractmethod
    def rows_read(self, batch: Any) -> dict[str, Array]:
        """For each of :attr:`tables` the rows that a batch reads, each once."""

    def init(self, rng: np.random.Generator) -> Params:
        return self.layers.init(rng, np.dtype(self.settings.dtype))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Flat name → shape of every parameter, worked out without making one."""
        return self.layers.shapes()

    def carried_shapes(self) -> dict[str, tuple[int, ...]]:
        """What one step leaves to the next beside the parameters, such as states of texts that go on: zeros at first.

        Row n of each array is of the n-th example of a batch, and of the n-th of the next.
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
            carried: of :meth:`carried_shapes`; what belongs to the rows of the batch is read and written.

        Returns:
            The logits, (S, K) or (N, K); the timesteps that they are of, packed; and the cache.
        """

    @abstractmethod
    def loss_of(self, logits: Array, steps: PackedSequence, batch: Any) -> tuple[float, Array]:
        """The mean loss of what :meth:`forward_batch` gave, and ∂L/∂logits."""

    @abstractmethod
    def backward(self, params: Params, cache: Any, d_logits: Array) -> dict[str, Any]:
        """The gradient of every parameter, nested like ``params``."""

    def loss_and_gradients(
        self, params: Params, batch: Any, rng: Rng = None, share: float = 1.0, carried: Carried = None
    ) -> tuple[float, dict[str, Any]]:
        """One batch forward and backward.

        Args:
            share: how much of a larger batch it is; scales both results.
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

    @abstractmethod
    def row_scores(self, params: Params, examples: Any) -> RowScores:
        """The score of each example; together they come to the model's metric."""


class SequenceNetwork(Network):
    """A softmax at every timestep: a tag, a symbol or a token each."""

    @abstractmethod
    def wanted(self, batch: Any) -> Array:
        """(S,) what is right at each timestep, in packed order."""

    def right(self, logits: Array, steps: PackedSequence, wanted: Array) -> Array:
        """(answers,) whether each answer is right; may write to ``logits``."""
        return np.asarray(logits.argmax(axis=1) == wanted)

    def loss_of(self, logits: Array, steps: PackedSequence, batch: Any) -> tuple[float, Array]:
        return softmax_cross_entropy(logits, self.wanted(batch))

    def scored_batches(
        self, params: Params, examples: Any, rank: int = 0, count: int = 1
    ) -> Iterator[tuple[Array, Array, PackedSequence, Array]]:
        """Of every ``count``-th batch: the rows of the examples, the logits (S, K), the timesteps, what is wanted."""
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
        """(rows,) what ``figure`` makes of the logits, the timesteps and what is wanted, in the caller's order."""
        found = np.empty(examples.size)
        for rows, logits, steps, wanted in self.scored_batches(params, examples):
            found[rows] = figure(logits, steps, wanted)
        return found

    def log_probabilities(self, params: Params, examples: Any) -> Array:
        """(rows,) of all that is wanted of each example together."""

        def together(logits: Array, steps: PackedSequence, wanted: Array) -> Array:
            return sums_by_sequence(steps, log_softmax(logits)[np.arange(len(wanted)), wanted])

        return self.of_each_row(params, examples, together)

    def row_scores(self, params: Params, examples: Any) -> RowScores:
        """The losses of each example."""
        return RowScores(-self.log_probabilities(params, examples), examples.lengths.astype(np.float64))


def sums_by_sequence(steps: PackedSequence, values: Array) -> Array:
    """(N,) sums of (S,) values of the timesteps of each sequence, in the caller's order."""
    return steps.to_caller_order(np.bincount(steps.sequence_of_row, values))


def stack_of(
    settings: Settings, input_size: int, hidden: int | None = None, bidirectional: bool | None = None
) -> Stack:
    """Recurrent layers over so many numbers; ``hidden`` and ``bidirectional`` where not as in the settings."""
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


def embedded(
    embedding: Embedding | None, params: Params, tokens: PackedSequence, rate: float, rng: np.random.Generator | None
) -> tuple[PackedSequence, tuple[EmbeddingCache, Array | None] | None]:
    """Ids (S,) as rows of an embedding, with dropout at every place of its own; as they are (one-hot) without one.

    Returns:
        What the recurrent layers read, and what :func:`embedded_backward` needs.
    """
    if embedding is None:
        return tokens, None
    dropping = rng is not None and rate > 0
    x, cache = embedding.forward(params["embedding"], tokens, gather=dropping)
    if not dropping:
        return x, (cache, None)
    dropped, mask = dropout(x.data, rate, rng)
    return x.with_data(dropped), (cache, mask)


def embedded_backward(
    embedding: Embedding | None, cache: tuple[EmbeddingCache, Array | None] | None, dx: Array | None
) -> dict[str, Any]:
    """The gradient of the embedding by name; nothing where there is none."""
    if embedding is None or cache is None or dx is None:
        return {}
    of_embedding, mask = cache
    return {"embedding": embedding.backward(of_embedding, dropout_backward(dx, mask))}


def token_tables(embedding: Embedding | None, name: str, stack: Stack) -> frozenset[str]:
    """The parameters whose rows tokens pick: of the embedding, or of the lowest layer of the stack of this name."""
    if embedding:
        return frozenset({"embedding/weight"})
    lowest = stack.layers[0]
    read = {parameter.name for parameter in lowest.cell.parameters if parameter.factor == X}
    return frozenset(f"{name}/0/{inner}" for inner in lowest.shapes() if inner.rpartition("/")[2] in read)
