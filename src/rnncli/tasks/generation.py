"""Models that generate a text, symbol by symbol: what seq2seq and caption have in common."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import UsageError, counted
from rnncli.parallel.chunks import map_rows
from rnncli.record import Share
from rnncli.results import TableCell
from rnncli.schema import Range
from rnncli.tasks.decoder import BEAM, Beam, GeneratingNetwork, Longest
from rnncli.tasks.model import UNSURE, Axis, Manifest, Model, of_filled, token_axis
from rnncli.tasks.network import BATCH
from rnncli.tasks.symbols import joined_symbols, require_unit, symbols_of
from rnncli.tasks.text_results import PairEvaluation, Transduction, compared

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

_ONE = "leave one of them out"


@dataclass(frozen=True, kw_only=True)
class GeneratingManifest(Manifest):
    """What the file of a model that generates a text adds."""

    target: tuple[str, ...]
    longest: Longest

    def __post_init__(self) -> None:
        require_unit(self.settings)

    def parts(self) -> dict[str, Any]:
        return {"target": Vocabulary(self.target), "longest": self.longest}


@dataclass(frozen=True, kw_only=True, repr=False)
class GeneratingModel(Model):
    """A model that generates a text.

    Attributes:
        unit: what a symbol of an input is: a char, a symbol between white space, or a word.
        target: the known symbols.
        longest: symbols of the longest text in training; twice as many and 10 more are generated at most.
        beam: partial texts that are extended side by side.
        temperature: symbols are drawn, from probabilities by logits that are divided by it; None to search instead.
        seed: of the random numbers that choose symbols.
        min_probability: a text of a lower one is :data:`~rnncli.tasks.model.UNSURE`.
    """

    options = frozenset({"beam", "temperature", "seed", "min_probability"})
    target: Vocabulary
    longest: int
    beam: Beam = BEAM
    temperature: Annotated[float, Range(0, 100)] | None = None
    seed: Annotated[int, Range(0, math.inf)] | None = None
    min_probability: Share | None = None

    def with_options(self, **options: Any) -> Self:
        if "temperature" in options and "beam" in options:
            raise UsageError("--temperature draws symbols, and --beam searches for the most probable text", _ONE)
        if "seed" in options and options.get("temperature", self.temperature) is None:
            raise UsageError("--seed chooses random numbers, and a beam search uses none", "add --temperature 1")
        return super().with_options(**options)

    @property
    def unit(self) -> str:
        return self.settings.tokens

    @property
    def generated_unit(self) -> str:
        """What a symbol of a generated text is."""
        return self.unit

    @property
    def axes(self) -> Mapping[str, Axis]:
        bias = {"decoder/output/bias": token_axis(0, self.target, "", ended=True)} if self.settings.bias else {}
        return {
            "decoder/embedding/weight": token_axis(0, self.target, f"target {self.generated_unit}", ended=True),
            "decoder/output/weight": token_axis(1, self.target, "", ended=True),
            **bias,
        }

    @property
    def limit(self) -> int:
        """How many symbols are generated at most."""
        return 2 * self.longest + 10

    def symbols(self, text: str) -> list[str]:
        """The symbols of a text that is read."""
        return symbols_of(text.lower() if self.settings.lowercase else text, self.unit)

    @property
    @abstractmethod
    def network(self) -> GeneratingNetwork: ...

    def describe(self) -> list[tuple[str, TableCell]]:
        return [("target", counted(len(self.target.tokens), f"known {self.generated_unit}"))]

    def facts(self) -> dict[str, Any]:
        return {"target_size": self.target.size, "longest": self.longest}

    def own_manifest(self) -> dict[str, Any]:
        return {"target": list(self.target.tokens), "longest": self.longest}

    @abstractmethod
    def read(self, text: Any) -> Array:
        """An input as the network reads it."""

    @property
    def vector_size(self) -> int:
        return self.network.decoder.hidden

    def vectors(self, texts: Sequence[Any]) -> Array:
        """(inputs, H) the hidden state in which the topmost layer of the decoder begins."""
        nothing = np.full(self.vector_size, np.nan, self.settings.dtype)
        found = of_filled(self._starts, [self.read(text) for text in texts], nothing)
        return np.array(found).reshape(len(texts), self.vector_size)

    def _starts(self, inputs: list[Array]) -> Array:
        return self.network.start(self.params, inputs, keep=False).states[-1][0]

    def generate(self, inputs: Sequence[Array], first: int = 0) -> list[tuple[list[str], float]]:
        """The symbols that are generated for each input, and their log probability; none for an empty input.

        Args:
            first: the number of the first input, on which random numbers depend.
        """
        numbers = [number for number, one in enumerate(inputs, first) if len(one)]

        def generated(filled: list[Array]) -> list[tuple[list[str], float]]:
            if self.temperature is None:
                found = self.network.decode(self.params, filled, self.limit, self.beam)
            else:
                rngs = [np.random.default_rng([self.seed or 0, number]) for number in numbers]
                found = self.network.sample(self.params, filled, self.limit, self.temperature, rngs)
            return [([self.target.token(k) for k in one.ids.tolist()], one.log_probability) for one in found]

        return of_filled(generated, inputs, ([], 0.0))

    def transduction(
        self, text: str, symbols: list[str], log_probability: float, unknown: tuple[str, ...] = (), cut: int = 0
    ) -> Transduction:
        """The prediction for an input."""
        probability, target = float(np.exp(log_probability)), joined_symbols(symbols, self.generated_unit)
        if self.min_probability is not None and probability < self.min_probability:
            target = UNSURE
        return Transduction(text=text, target=target, probability=probability, unknown=unknown, cut=cut)

    def compared(self, dataset: Dataset, worst: int, workers: int) -> PairEvaluation:
        """What is generated for each record beside its answer."""

        def generate(inputs: Sequence[Array]) -> list[tuple[list[str], float]]:
            sizes, count = list(map(len, inputs)), max(1, BATCH // self.beam)
            return map_rows(lambda rows: self.generate([inputs[row] for row in rows]), sizes, count, workers)

        return compared(dataset, generate, self.read, self.generated_unit, worst)
