"""A tag for each word of a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset
from rnncli.data.formats.values import split_words
from rnncli.data.records import TokenLists
from rnncli.data.text.word_features import SIDES
from rnncli.errors import UsageError
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.adapters.adapter import Adapter
from rnncli.inspection.by_hand.example import WorkedExample
from rnncli.inspection.by_hand.limits import LABELS, VOCABULARY, Size
from rnncli.inspection.integrated_gradients import GradientPath, through_loss
from rnncli.inspection.loss import Opened
from rnncli.inspection.question import BASELINE_TOKEN, InputParts
from rnncli.inspection.states import States
from rnncli.tasks.tag.model import TaggerModel, words_of
from rnncli.tasks.tag.network import TagExamples, Tagger
from rnncli.tasks.tag.results import TagPrediction, in_a_row

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import EveryAnswer
    from rnncli.inspection.by_hand.tape import Sheet
    from rnncli.inspection.flow import Flow


class TagExample(WorkedExample[TaggerModel]):
    notes = (
        "A word's features, the rows of six tables side by side, are taken as given; their gradient is in --bptt.",
    )

    @property
    def sizes(self) -> Sequence[Size]:
        widths = sum(self.model.network.widths)
        features = Size(widths, VOCABULARY, "number", " in a word's features")
        return [features, Size(len(self.model.tags), LABELS, "tag")]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        from rnncli.inspection.by_hand.answers import EveryAnswer
        from rnncli.inspection.by_hand.layers import Inputs, Stack

        inputs = Inputs(sheet, found.cells[0].x, "its features, side by side")
        stack = Stack(found, "encoder/", sheet, inputs)
        answers = EveryAnswer(stack, "output", self.model.tags, found.opened.batch.targets[0])
        answers.give(self.model.settings.lr, stack.begin)
        return answers


class TagAdapter(Adapter[TaggerModel]):
    labels_per = "timestep"
    worked_example = TagExample
    label_is = "tag"

    @property
    def labels(self) -> tuple[str, ...]:
        return self.model.tags

    def parts(self, text: str) -> InputParts:
        words = tuple(words_of(text))
        # There is a tag for each word: with a word less, the answer would be another one.
        join = partial(json.dumps, ensure_ascii=False)
        return InputParts(words, words, BASELINE_TOKEN, join, self.model.unit, deletable=False)

    def _steps(self, text: str) -> Sequence[str]:
        return words_of(text)

    def _numbered(self, tags: Sequence[str]) -> Array:
        return np.array([self.labels.index(tag) for tag in tags])

    def _trace(self, text: str, steps: tuple[str, ...]) -> States:
        model = self.model
        (forms,), rows = model.encode([steps])
        return States(
            tokens=steps,
            known=tuple(model.views.knows(word) for word in steps),
            hidden=model.network.forward(model.params, PackedSequence.pack([forms]), rows)[1],
            units=self.units,
            labels=self.labels,
            probabilities=model.probabilities([steps])[0],
            answers_are="the word's tag",
            key="probabilities",
        )

    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened:
        model = self.double.model
        (forms,), rows = model.encode([steps])
        if answer is None:
            tags = model.probabilities([steps])[0].argmax(axis=1)
        else:
            named = split_words(answer)
            if len(named) != len(steps) or not set(named) <= set(self.labels):
                raise UsageError(f"'{answer}' is not a known tag for each of the {len(steps):,} words")
            tags = self._numbered(named)
        said = in_a_row([self.labels[k] for k in tags.tolist()])
        batch = TagExamples([forms], [tags], rows)
        return Opened(model.network, model.params, batch, {"": steps}, f"the tags {said}")

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return [in_a_row(prediction.tags) for prediction in self.model.predict(texts)]

    def examples(self, texts: Sequence[str], answer: str) -> TagExamples:
        forms, rows = self.model.encode([words_of(text) for text in texts])
        return TagExamples(forms, [self._numbered(split_words(answer))] * len(forms), rows)

    def scores(self, texts: Sequence[str], answer: str) -> Array:
        return self.model.network.log_probabilities(self.model.params, self.examples(texts, answer))

    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        network, both = self.model.network, self.examples((text, baseline), answer)
        words, replaced = (both.views[forms] for forms in both.inputs)
        sides, tags = range(len(network.sizes)), both.targets[0]

        def widened(size: int) -> Tagger:
            return replace(network, sizes=(size,) * len(sides))

        def examples(rows: list[Array]) -> TagExamples:
            views = np.repeat(np.arange(len(rows) * len(tags))[:, None], len(sides), axis=1)
            return TagExamples(rows, [tags] * len(rows), views)

        tables = {f"views/{side}": (words[:, k], replaced[:, k]) for k, side in enumerate(SIDES)}
        return through_loss(self.model.params, tables, widened, examples)

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The tag of each word, with the units' values there."""
        tagged = isinstance(records.labels, TokenLists)
        for row, (sentence, tags) in enumerate(zip(records.inputs, records.labels, strict=True)):
            words = tuple(words_of(sentence))
            if words:
                hidden, labels = self._trace(sentence, words).hidden, tags if tagged else ()
                yield TextActivations(
                    line=records.lines[row],
                    file=records.file(row),
                    tokens=words,
                    hidden=hidden,
                    labels=labels,
                    known=self.labels,
                    label_is=self.label_is,
                )

    def answer_of(self, prediction: TagPrediction) -> str:
        return in_a_row(prediction.tags)

    def labels_of(self, prediction: TagPrediction) -> Sequence[str]:
        return prediction.tags

    def probability_of(self, prediction: TagPrediction) -> float | None:
        """The mean of its tags."""
        return float(np.mean(prediction.probabilities)) if prediction.probabilities else None

    def change(self, first: TagPrediction, second: TagPrediction) -> float:
        """The share of the tags that differ."""
        pairs = list(zip(first.tags, second.tags, strict=True))
        return sum(a != b for a, b in pairs) / len(pairs) if pairs else 0.0

    def labelled(self, records: Dataset) -> tuple[Dataset, Sequence[Sequence[str]]]:
        return records, records.labels


ADAPTER = TagAdapter
