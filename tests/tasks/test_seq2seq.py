"""Many-to-many with another length: the network, decoding, scores, and the task from file to answer."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import assert_all_gradients

import rnncli
from rnncli.config import Settings
from rnncli.core.losses import softmax
from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import PackedSequence
from rnncli.data.dataset import Source
from rnncli.data.opening import read_dataset
from rnncli.errors import DataError, UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.tasks import task_for
from rnncli.tasks.model import Model
from rnncli.tasks.seq2seq.model import Seq2SeqModel
from rnncli.tasks.seq2seq.network import EncoderDecoder, Pairs
from rnncli.tasks.symbols import edit_distance, joined_symbols, likely_unit, symbols_of
from rnncli.tasks.text_results import compared

SIZES = (5, 4)  # source and target symbols, the unknown one included


def network(**chosen: Any) -> tuple[EncoderDecoder, dict[str, Any], Pairs]:
    """Sources and targets whose longest ones are not the same."""
    defaults = {"hidden": 3, "embedding": 4, "embedding_scale": 1.0, "dtype": "float64", "dropout": 0.0}
    made = EncoderDecoder(Settings(**(defaults | chosen)), *SIZES)
    rng = np.random.default_rng(0)
    sources = [rng.integers(0, SIZES[0], n).astype(np.int32) for n in (3, 1, 5, 2)]
    targets = [rng.integers(0, SIZES[1], n).astype(np.int32) for n in (2, 4, 1, 3)]
    params = made.init(np.random.default_rng(1))
    for _, value in flatten(params):
        value *= 2  # so that attention is not about even, and its gradient not about zero
    return made, params, Pairs(sources, targets)


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"attention": False},
        {"bidirectional": False, "cell": "gru"},
        {"layers": 2, "dropout": 0.3},
        {"layers": 2, "attention": False, "cell": "rnn"},
    ],
)
def test_gradients(chosen: dict[str, Any]) -> None:
    assert_all_gradients(*network(**{"hidden": 2, "embedding": 2}, **chosen))


def test_the_loss_is_that_of_each_pair_alone() -> None:
    made, params, batch = network()
    whole, _ = made.loss_and_gradients(params, batch)
    alone = [batch.take(np.array([row])) for row in range(4)]
    losses = [made.loss_and_gradients(params, one)[0] * one.weight for one in alone]
    assert whole == pytest.approx(sum(losses) / batch.weight, rel=1e-12)
    assert batch.weight == 2 + 4 + 1 + 3 + 4  # the ends too


@pytest.mark.parametrize("attention", [True, False])
def test_a_beam_that_holds_everything_finds_the_best(attention: bool) -> None:
    """Against every sequence there is, each scored with its symbols given."""
    made, params, batch = network(attention=attention)
    limit, end, unknown = 3, made.decoder.end, SIZES[1] - 1
    for source in batch.inputs:
        scored = {}
        for length in range(limit):
            for told in itertools.product(range(unknown), repeat=length):
                pair = Pairs([source], [np.array(told, np.int32)])
                logits = made.forward_batch(params, pair)[0]
                chances = softmax(logits)[np.arange(length + 1), [*told, end]]
                scored[told] = np.log(chances).sum() / (length + 1)
        best = max(scored, key=scored.__getitem__)
        (found,) = made.decode(params, [source], limit, beam=200)
        assert (tuple(found.ids.tolist()), found.ended) == (best, True)
        assert found.log_probability == pytest.approx(scored[best] * (len(best) + 1), rel=1e-9)


def test_a_greedy_step_takes_the_most_probable_symbol() -> None:
    made, params, batch = network()
    told = made.decode(params, batch.inputs, 6)
    for source, one in zip(batch.inputs, told, strict=True):
        given = Pairs([source], [one.ids])
        logits = made.forward_batch(params, given)[0]
        logits[:, SIZES[1] - 1] = -np.inf
        steps = logits.argmax(axis=1)
        np.testing.assert_array_equal(steps[: len(one.ids)], one.ids)
        assert one.ended == (steps[-1] == made.decoder.end) or len(one.ids) == 6
        (alone,) = made.decode(params, [source], 6)
        np.testing.assert_array_equal(alone.ids, one.ids)


def test_exact_matches_are_counted_without_decoding() -> None:
    made, params, batch = network()
    told = made.decode(params, batch.inputs, 20)
    right = Pairs(batch.inputs, [one.ids for one in told])
    ended = [one.ended for one in told]
    assert made.metric_sums(params, right).right == sum(ended)
    wrong = sum(one.ids.tolist() == target.tolist() for one, target in zip(told, batch.targets, strict=True))
    sums = made.metric_sums(params, batch)
    assert (sums.right, sums.answers, sums.counted) == (wrong, 4, batch.weight)
    parts = np.sum([made.metric_sums(params, batch, rank, 2) for rank in range(2)], axis=0)
    assert parts.tolist() == pytest.approx(list(sums), rel=1e-12)


def test_the_last_symbol_of_the_source_moves_what_the_decoder_is_told() -> None:
    made, params, batch = network(attention=False, bidirectional=False)
    before = made.forward_batch(params, batch)[0]
    for row in range(4):
        changed = [source.copy() for source in batch.inputs]
        changed[row][-1] = (changed[row][-1] + 1) % SIZES[0]
        after = made.forward_batch(params, Pairs(changed, batch.targets))[0]
        given = made.decoder.given(batch.targets)
        moved = {int(given.order[n]) for n in given.sequence_of_row[np.abs(after - before).max(axis=1) > 1e-9]}
        assert moved == {row}


# Symbols and scores


def test_symbols() -> None:
    assert symbols_of("a b", "char") == ["a", " ", "b"]
    assert symbols_of(" AH0  B ", "symbol") == ["AH0", "B"]
    assert symbols_of("It is.", "word") == ["It", "is", "."]
    assert joined_symbols(["a", "b"], "char") == "ab"
    assert joined_symbols(["a", "b"], "symbol") == "a b"


@pytest.mark.parametrize(
    ("texts", "unit"),
    [
        (["c a t", "d o g", "a"], "symbol"),
        (["7:45 pm", "noon"], "char"),
        (["a sentence that is rather long, longer than what is told by its characters"] * 3, "word"),
    ],
)
def test_the_likely_unit(texts: list[str], unit: str) -> None:
    assert likely_unit(texts, "auto") == unit
    assert likely_unit(texts, "word") == "word"


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("flaw", "lawn", 2), ("same", "same", 0)],
)
def test_edit_distance(first: str, second: str, edits: int) -> None:
    assert edit_distance(first, second) == edits


def test_scores_take_the_nearest_of_several_targets(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("source,target\na,x y\na,x z z\nb,q\n")
    scores = compared(
        read_dataset(Source(str(path))),
        lambda sources: [(["x", "z"], 0.0) if source == ["a"] else (["q"], 0.0) for source in sources],
        list,
        "symbol",
        9,
    )
    assert (scores.rows, scores.sources, scores.exact) == (3, 2, 0.5)
    assert dict(scores.pairs())["rows"] == "3, 2 sources"
    assert dict(replace(scores, sources=1).pairs())["rows"] == "3, 1 source"
    assert scores.symbol_error_rate == pytest.approx(1 / 3)  # x z for x y: one of two; q for q: none of one
    assert scores.character_error_rate == pytest.approx(1 / 4)
    (mistake,) = scores.mistakes
    assert (mistake.line, mistake.truth, mistake.generated, mistake.distance) == (2, "x y", "x z", 1)


# From file to answer


@pytest.fixture(scope="module")
def reversed_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words of three letters, told back to front."""
    folder = tmp_path_factory.mktemp("seq2seq")
    words = ["".join(letters) for letters in itertools.product("abcd", repeat=3)]
    rows = "".join(f"{word},{word[::-1]}\n" for word in words)
    (folder / "words.csv").write_text("source,target\n" + rows * 4)
    return folder


def test_words_are_told_back_to_front(reversed_words: Path) -> None:
    data = reversed_words / "words.csv"
    assert task_for(read_dataset(Source(str(data))), "auto").name == "seq2seq"
    chosen: dict[str, Any] = {"hidden": 24, "embedding": 12, "epochs": 25, "batch": 16, "lr": 0.01, "dropout": 0.0}
    model = rnncli.train(data, runs=reversed_words / "runs", **chosen)
    assert isinstance(model, Seq2SeqModel)
    assert [answer.target for answer in model.predict(["abc", "dda", " "])][:2] == ["cba", "add"]
    scores = model.evaluate(read_dataset(Source(str(data))))
    assert (scores.rows, scores.sources) == (256, 64)
    assert scores.exact >= 0.95
    loaded = Model.load(reversed_words / "runs" / "latest" / "model.safetensors")
    assert loaded.predict(["bcd"]) == model.predict(["bcd"])
    assert loaded.with_options(beam=3).predict(["bcd"])[0].target == "dcb"
    states = adapter_of(loaded).trace("abd")
    assert states.tokens == ("d", "b", "a", "<end>")
    assert states.source == ("a", "b", "d")
    np.testing.assert_allclose(states.alignment.sum(axis=1), 1, rtol=1e-5)
    view = states.view([0])
    assert [column.name for column in view.columns] == ["t", "symbol", "p", "else", "looks at", "weight", "h0"]
    assert [row[1] for row in view.rows] == ["d", "b", "a", "<end>"]
    assert view.rows[0][4] == f"{states.source[states.alignment[0].argmax()]} ({states.alignment[0].argmax() + 1})"
    (unknown,) = model.predict(["abz"])
    assert unknown.unknown == ("z",)
    (empty,) = model.predict([""])
    assert (empty.target, empty.probability) == (None, None)
    with pytest.raises(UsageError, match="--length is not for a model of the task seq2seq"):
        model.with_options(length=3)


def test_two_processes_train_to_the_same_bits_each_time(reversed_words: Path, tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        chosen: dict[str, Any] = {"epochs": 2, "hidden": 6, "embedding": 6, "workers": 2}
        rnncli.train(reversed_words / "words.csv", runs=tmp_path, name=name, **chosen)
        files.append((tmp_path / name / "model.safetensors").read_bytes())
    assert files[0] == files[1]


def test_an_empty_side_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("source,target\n" + "ab,ba\n" * 30 + "ab, \n")
    with pytest.raises(DataError) as caught:
        rnncli.train(path, runs=tmp_path / "runs")
    assert caught.value.message == f"{path}:32: the label is empty"


def test_a_sequence_alone_is_encoded_as_in_company() -> None:
    made, params, batch = network()
    start = made.start(params, batch.inputs)
    assert start.memory is not None
    rows = start.memory.unpack()
    for row, source in enumerate(batch.inputs):
        own = made.start(params, [source])
        assert isinstance(own.memory, PackedSequence)
        np.testing.assert_allclose(own.memory.data, rows[row], rtol=1e-12)
        np.testing.assert_allclose(own.states[0][0][0], start.states[0][0][row], rtol=1e-12)
