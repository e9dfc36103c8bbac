"""A tag for each word of a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset
from rnncli.data.formats.values import split_words
from rnncli.data.records import TokenLists
from rnncli.data.text.word_features import SIDES
from rnncli.errors import UsageError
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.adapters.adapter import LikelihoodAdapter
from rnncli.inspection.by_hand.answers import EveryAnswer
from rnncli.inspection.by_hand.example import WorkedExample
from rnncli.inspection.by_hand.layers import LABELS, VOCABULARY, Inputs, Size, Stack
from rnncli.inspection.by_hand.tape import Sheet
from rnncli.inspection.flow import Flow, Opened
from rnncli.inspection.integrated_gradients import GradientPath, rows_of, through_loss
from rnncli.inspection.question import UNWRITTEN, InputParts
from rnncli.inspection.states import States
from rnncli.tasks.tag.model import TaggerModel
from rnncli.tasks.tag.network import TagExamples, Tagger
from rnncli.tasks.tag.results import TagPrediction
from rnncli.tasks.tag.sentences import words_of


class TagExample(WorkedExample[TaggerModel]):
    notes = ("A word's views, the rows of six tables side by side, are taken as given; their gradient is in --bptt.",)

    @property
    def sizes(self) -> Sequence[Size]:
        widths = sum(self.model.network.widths)
        features = Size(widths, VOCABULARY, "number", " in a word's views")
        return [features, Size(len(self.model.tags), LABELS, "tag")]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        inputs = Inputs(sheet, found.cells[0].x, "its views, side by side")
        stack = Stack(found, "encoder/", sheet, inputs)
        answers = EveryAnswer(stack, "output", self.model.tags, found.opened.batch.targets[0])
        answers.give(self.model.settings.lr, stack.begin)
        answers.forward()
        return answers


class TagAdapter(LikelihoodAdapter[TaggerModel]):
    labels_per = "timestep"
    worked_example = TagExample
    label_is = "tag"

    @property
    def labels(self) -> tuple[str, ...]:
        return self.model.tags

    def parts(self, text: str) -> InputParts:
        words = tuple(words_of(text))
        # A tag for each word: with a word less there is another answer.
        join = partial(json.dumps, ensure_ascii=False)
        return InputParts(words, words, UNWRITTEN, join, self.model.unit, deletable=False)

    def _words(self, text: str) -> list[str]:
        words = words_of(text)
        if not words:
            raise UsageError(f"the text {'has no words' if text.strip() else 'is empty'}: there is no timestep to show")
        return words

    def _numbered(self, tags: Sequence[str]) -> Array:
        return np.array([self.labels.index(tag) for tag in tags])

    def _trace(self, text: str) -> States:
        return self._states(self._words(text))

    def _states(self, words: Sequence[str]) -> States:
        model = self.model
        (forms,), rows = model.encode([words])
        (probabilities,) = model.probabilities([words])
        return States(
            tokens=tuple(words),
            known=tuple(model.views.knows(word) for word in words),
            hidden=model.network.forward(model.params, PackedSequence.pack([forms]), rows)[1],
            units=self.units,
            labels=self.labels,
            probabilities=probabilities,
            answers_are="the word's tag",
            key="probabilities",
        )

    def _open(self, text: str, answer: str | None) -> Opened:
        words, model = self._words(text), self.double.model
        (forms,), rows = model.encode([words])
        if answer is None:
            (probabilities,) = model.probabilities([words])
            tags = probabilities.argmax(axis=1)
        else:
            named = split_words(answer)
            if len(named) != len(words) or not set(named) <= set(self.labels):
                raise UsageError(f"'{answer}' is not a known tag for each of the {len(words):,} words")
            tags = self._numbered(named)
        said = " ".join(self.labels[k] for k in tags.tolist())
        batch = TagExamples([forms], [tags], rows)
        return Opened(model.network, model.params, batch, {"": tuple(words)}, f"the tags {said}")

    def predicted(self, texts: Sequence[str]) -> list[str]:
        spaced = any(any(map(str.isspace, tag)) for tag in self.labels)
        join = partial(json.dumps, ensure_ascii=False) if spaced else " ".join
        return [join(list(prediction.tags)) for prediction in self.model.predict(texts)]

    def examples(self, texts: Sequence[str], answer: str) -> TagExamples:
        forms, rows = self.model.encode([words_of(text) for text in texts])
        return TagExamples(forms, [self._numbered(split_words(answer))] * len(forms), rows)

    def path(self, parts: InputParts, answer: str) -> tuple[GradientPath, None]:
        network, both = self.model.network, self.examples(parts.whole_and_baseline(), answer)
        words, baseline = (both.views[forms] for forms in both.inputs)
        tags = both.targets[0]

        def copies(n: int) -> tuple[Tagger, TagExamples]:
            rows = n * len(tags)
            views = np.repeat(np.arange(rows)[:, None], len(network.sizes), axis=1)
            wide = replace(network, sizes=(rows,) * len(network.sizes))
            return wide, TagExamples(rows_of(n, len(tags)), [tags] * n, views)

        tables = {f"views/{side}": (words[:, k], baseline[:, k]) for k, side in enumerate(SIDES)}
        return through_loss(self.model.params, tables, copies), None

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """A tag for each word; the units' values at it."""
        for sentence, line, tags in zip(records.inputs, records.lines, records.labels, strict=True):
            words, of_words = words_of(sentence), tags if isinstance(records.labels, TokenLists) else ()
            if words:
                states = self._states(words)
                yield TextActivations(
                    line=line,
                    tokens=words,
                    hidden=states.hidden,
                    labels=of_words,
                    known=self.labels,
                    label_is=self.label_is,
                )

    def answer_of(self, prediction: TagPrediction) -> str:
        return " ".join(prediction.tags)

    def labels_of(self, prediction: TagPrediction) -> Sequence[str]:
        return prediction.tags

    def probability_of(self, prediction: TagPrediction) -> float | None:
        """The mean of its tags."""
        return float(np.mean(prediction.probabilities)) if prediction.probabilities else None

    def change(self, first: TagPrediction, second: TagPrediction) -> float:
        """The share of the tags that are others."""
        pairs = list(zip(first.tags, second.tags, strict=True))
        return sum(a != b for a, b in pairs) / len(pairs) if pairs else 0.0

    def labelled(self, records: Dataset) -> tuple[Dataset, Sequence[Sequence[str]]]:
        return records, records.labels


ADAPTER = TagAdapter
