"""What tasks have in common whose answers are scored by their log probability: training's own loss, negated."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.adapters.adapter import Adapter, M
from rnncli.inspection.integrated_gradients import GradientPath
from rnncli.inspection.question import InputParts, Question


class LikelihoodAdapter(Adapter[M]):
    """A task whose network says how probable a whole answer is."""

    @abstractmethod
    def examples(self, texts: Sequence[str], answer: str) -> Any:
        """Inputs, all with one answer, as examples of training."""

    @abstractmethod
    def path(self, parts: InputParts, answer: str) -> tuple[GradientPath | None, Array | None]:
        """The ``path`` and ``read`` of :class:`rnncli.inspection.question.Question`."""

    def most_probable(self, text: str) -> tuple[str, bool]:
        """The prediction, and whether it ends by itself, and not because it would be too long."""
        return self.predicted([text])[0], True

    def _question(self, text: str, answer: str | None) -> Question:
        score_is = "log probability"
        if answer is None:
            answer, ended = self.most_probable(text)
            score_is += "" if ended else ", as if it ended there,"
        double = self.double
        double.open(text, answer)  # refuses what cannot be asked
        model: Any = double.model

        def scores(texts: Sequence[str]) -> Array:
            return np.asarray(model.network.log_probabilities(model.params, double.examples(texts, answer)))

        parts = self.parts(text)
        path, read = double.path(parts, answer)
        return Question(
            parts=parts,
            answer=answer,
            score_is=score_is,
            scores=scores,
            predictions=self.predicted,
            path=path,
            read=read,
        )
