"""What each network computes on the straight way to an input, for integrated gradients: all in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.core.backward_trace import recording
from rnncli.core.cells.recurrence import Params
from rnncli.core.losses import log_softmax, softmax
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.text.word_features import SIDES
from rnncli.inspection.integrated_gradients import GradientPath, through_tables
from rnncli.tasks.caption.network import Captioner, Described
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.language_model.network import LanguageModelNetwork
from rnncli.tasks.seq2seq.network import EncoderDecoder, Pairs
from rnncli.tasks.tag.network import TagExamples, Tagger


def of_words(network: Classifier, params: Params, label: int, here: Array, blank: Array) -> GradientPath:
    """A label's log odds for a text.

    Args:
        here, blank: (T,) ids.
    """

    def gradients(own: Params, n: int) -> Params:
        wide = replace(network, input_size=n * len(here))
        packed = PackedSequence.pack(_rows_of(n, len(here)))
        logits, _, cache = wide.forward(own, packed)
        return wide.backward(own, cache, wide.log_odds_gradient(logits, label))

    def scores(own: Params, n: int) -> Array:
        return network.log_odds(replace(network, input_size=n * len(here)).logits(own, _rows_of(n, len(here))), label)

    return through_tables(params, dict.fromkeys(sorted(network.tables), (here, blank)), scores, gradients)


def of_numbers(network: Classifier, params: Params, label: int, here: Array, blank: Array) -> GradientPath:
    """A label's log odds for a sequence of numbers.

    Args:
        here, blank: (T, D).
    """

    def gradients(x: Array) -> Array:
        packed = PackedSequence.pack(list(x))
        logits, _, cache = network.forward(params, packed)
        dx, _ = network.to_the_stack(params, cache, network.log_odds_gradient(logits, label))
        assert dx is not None  # the numbers count as learned
        return np.stack(packed.with_data(dx).unpack())

    return GradientPath(here, blank, lambda x: network.log_odds(network.logits(params, list(x)), label), gradients)


def _rows_of(n: int, length: int) -> list[Array]:
    """Numbers of the rows that each of n inputs reads."""
    return list(np.arange(n * length).reshape(n, length))


def of_tags(network: Tagger, params: Params, batch: TagExamples, blank: Array) -> GradientPath:
    """The log probability of the tags of a sentence.

    Args:
        batch: the sentence alone.
        blank: (T, sides) entries in the tables of the views.
    """
    (forms,), (tags,) = batch.inputs, batch.targets
    here = batch.views[forms]

    def copies(n: int) -> tuple[Tagger, TagExamples]:
        rows = n * len(tags)
        views = np.repeat(np.arange(rows)[:, None], len(network.sizes), axis=1)
        wide = replace(network, sizes=(rows,) * len(network.sizes))
        return wide, TagExamples(_rows_of(n, len(tags)), [tags] * n, views)

    tables = {f"views/{side}": (here[:, k], blank[:, k]) for k, side in enumerate(SIDES)}
    return through_tables(params, tables, *_log_probability(copies))


def of_target(network: EncoderDecoder, params: Params, batch: Pairs, blank: Array) -> GradientPath:
    """The log probability of a target, by way of its source.

    Args:
        batch: the pair alone.
        blank: (T,) ids in place of the source's.
    """
    (source,), (target,) = batch

    def copies(n: int) -> tuple[EncoderDecoder, Pairs]:
        wide = replace(network, source_size=n * len(source))
        return wide, Pairs(_rows_of(n, len(source)), [target] * n)

    return through_tables(params, {"embedding/weight": (source, blank)}, *_log_probability(copies))


def of_next_token(
    network: LanguageModelNetwork, params: Params, wanted: int, unknown: int, here: Array, blank: Array
) -> GradientPath:
    """The log probability of the token after a text, the unknown one left out.

    Args:
        wanted, unknown: ids.
        here, blank: (T,) ids.
    """

    def run(own: Params, n: int) -> tuple[LanguageModelNetwork, Array, Any]:
        wide = replace(network, size=n * len(here))  # of the tokens that are read; those that are told stay as they are
        packed = PackedSequence.pack(_rows_of(n, len(here)))
        logits, _, _, cache = wide.forward(own, packed, wide.zero_states(n), told=packed.last_rows)
        logits[:, unknown] = -np.inf
        return wide, logits, cache

    def scores(own: Params, n: int) -> Array:
        _, logits, _ = run(own, n)
        return log_softmax(logits)[:, wanted]

    def gradients(own: Params, n: int) -> Params:
        wide, logits, cache = run(own, n)
        d_logits = -softmax(logits)
        d_logits[:, wanted] += 1
        return wide.backward(own, cache, d_logits)

    return through_tables(params, dict.fromkeys(sorted(network.tables), (here, blank)), scores, gradients)


def of_features(network: Captioner, params: Params, batch: Described, blank: Array) -> GradientPath:
    """The log probability of a text that numbers are described by.

    Args:
        batch: the numbers and the text alone.
        blank: (D,) in place of the numbers. Each of them is a part: a column of numbers, as the network's rows.
    """
    (target,) = batch.targets
    first, decoder = params["bridge"]["first"], network.decoder

    def copies(x: Array) -> Described:
        return Described(x[:, :, 0], [target] * len(x))

    def gradients(x: Array) -> Array:
        with recording() as seen:
            network.loss_and_gradients(params, copies(x), share=-copies(x).weight)
        # What the first states come from; and what every step is given of the numbers, if it is given them.
        found = next(one.dy for one in seen if one.params is first) @ first["weight"].T
        if decoder.beside:
            of_cell = next(one for one in seen if one.params is params["decoder"]["stack"]["0"]["forward"])
            d_input = of_cell.layer.d_input(of_cell.params, of_cell.found["sums"])
            d_beside = d_input[:, network.settings.embedding :]
            found = found + d_beside.reshape(-1, *found.shape).sum(axis=0)  # texts of one length lie step by step
        return np.asarray(found[:, :, None])

    here = batch.features[0][:, None]
    return GradientPath(here, blank[:, None], lambda x: network.log_probabilities(params, copies(x)), gradients)


def _log_probability(
    copies: Callable[[int], tuple[Any, Any]],
) -> tuple[Callable[[Params, int], Array], Callable[[Params, int], Params]]:
    """Scores and gradients for :func:`through_tables`: that of all that an example tells, from training's loss.

    Args:
        copies: n → a network whose tables have a row for each timestep of n inputs, and the inputs with their answers.
    """

    def scores(own: Params, n: int) -> Array:
        network, batch = copies(n)
        return np.asarray(network.log_probabilities(own, batch))

    def gradients(own: Params, n: int) -> Params:
        network, batch = copies(n)
        found: Params = network.loss_and_gradients(own, batch, share=-batch.weight)[1]
        return found

    return scores, gradients
