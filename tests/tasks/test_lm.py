"""The loop itself: the network, streams of one text, how it goes on, and the task from file to answer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import assert_all_gradients

import rnncli
from rnncli.cli.views.model import model_pairs
from rnncli.config import Settings
from rnncli.core.losses import softmax
from rnncli.core.packed import PackedSequence
from rnncli.data.dataset import Source
from rnncli.data.opening import read_dataset
from rnncli.errors import DataError, UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.tasks import task_for
from rnncli.tasks.language_model.model import LanguageModel, tokens_of
from rnncli.tasks.language_model.network import LanguageModelNetwork, Streams
from rnncli.tasks.model import Model
from rnncli.tasks.token_counts import counting_losses

RHYME = "one two buckle my shoe three four knock at the door\n"


def network(**chosen: Any) -> tuple[LanguageModelNetwork, dict[str, Any], Streams]:
    defaults = {"hidden": 3, "embedding": 4, "dtype": "float64", "bidirectional": False, "batch": 2, "dropout": 0.0}
    made = LanguageModelNetwork(Settings(**(defaults | chosen)), 5)
    text = np.random.default_rng(0).integers(0, 5, 17).astype(np.int32)
    params = made.init(np.random.default_rng(1))
    return made, params, Streams.of(text, 2, 3)


@pytest.mark.parametrize(
    "chosen",
    [
        {"input": "onehot"},
        {"embedding_scale": 1.0, "dropout": 0.4},
        {"cell": "gru", "layers": 2, "dropout": 0.3, "embedding_scale": 1.0},
        {"cell": "rnn", "input": "onehot", "bias": False},
    ],
)
def test_gradients(chosen: dict[str, Any]) -> None:
    """From states that the step before has left; no gradient goes into those."""
    made, params, streams = network(**chosen)
    rng = np.random.default_rng(3)
    left = {name: rng.standard_normal(shape) * 0.5 for name, shape in made.carried_shapes().items()}
    batch = streams.take(np.array([2, 3]))
    assert_all_gradients(made, params, batch, lambda: {name: value.copy() for name, value in left.items()})


def test_streams_cover_the_text_once_in_order() -> None:
    text = np.arange(17)
    streams = Streams.of(text, 2, 3)
    assert (streams.streams, streams.length, streams.size) == (2, 8, 6)
    assert [of.tolist() for of in streams.tokens()] == [
        [0, 1, 2],
        [8, 9, 10],
        [3, 4, 5],
        [11, 12, 13],
        [6, 7],
        [14, 15],
    ]
    assert [of.tolist() for of in streams.tokens(1)][-2:] == [[7, 8], [15, 16]]
    assert streams.lengths.tolist() == [3, 3, 3, 3, 2, 2]
    assert [rows.tolist() for rows in streams.batches(2, 0, 5)] == [[0, 1], [2, 3], [4, 5]]
    assert Streams.of(np.arange(4), 32, 100).streams == 1


def test_steps_go_on_where_the_one_before_ended() -> None:
    """The losses of all windows are those of the two streams read in one piece."""
    made, params, streams = network()
    carried = {name: np.zeros(shape) for name, shape in made.carried_shapes().items()}
    losses = []
    for rows in streams.batches(2, 0, 0):
        batch = streams.take(rows)
        loss, _ = made.loss_and_gradients(params, batch, None, 1.0, carried)
        losses.append(loss * batch.weight)
    whole = []
    for begin in (0, 8):
        ids = streams.text[begin : begin + 9]
        packed = PackedSequence.pack([ids[:-1]])
        chances = softmax(made.forward(params, packed, made.zero_states(1))[0])
        whole += (-np.log(chances[np.arange(8), ids[1:]])).tolist()
    assert sum(losses) == pytest.approx(sum(whole), rel=1e-12)
    sums = made.metric_sums(params, streams)
    assert (sums.losses, sums.counted) == (pytest.approx(sum(whole), rel=1e-12), 16)
    parts = np.sum([made.metric_sums(params, streams, rank, 2) for rank in range(2)], axis=0)
    assert parts == pytest.approx(list(sums), rel=1e-12)
    assert made.metric_sums(params, streams, 2, 3) == (0, 0, 0, 0)


def test_counting_by_hand() -> None:
    train, validation = np.array([0, 1, 0, 1, 1]), np.array([0, 1, 0])
    single = {0: 3 / 7, 1: 4 / 7}
    pairs = [(2 + 10 * single[1]) / (2 + 10), (1 + 10 * single[0]) / (2 + 10)]
    expected = -np.mean(np.log(pairs)), -np.mean(np.log([single[1], single[0]]))
    found = [losses.mean() for losses in counting_losses(train, validation, 2)]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("text", ["It's 5\n\n o'clock, she  said.", "a", " ", "“naïve”\tx"])
@pytest.mark.parametrize("unit", ["char", "word"])
def test_tokens_are_the_text_again(text: str, unit: str) -> None:
    assert "".join(tokens_of(text, unit)) == text


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[LanguageModel, Path]:
    folder = tmp_path_factory.mktemp("lm")
    (folder / "rhyme.txt").write_text(RHYME * 40)
    chosen: dict[str, Any] = {"hidden": 32, "epochs": 40, "max_length": 26, "batch": 4, "dropout": 0.0, "lr": 0.02}
    model = rnncli.train(folder / "rhyme.txt", runs=folder / "runs", **chosen)
    assert isinstance(model, LanguageModel)
    return model, folder


def test_it_goes_on_with_what_it_has_read(trained: tuple[LanguageModel, Path]) -> None:
    model, folder = trained
    assert model.unit == "char"
    (told,) = model.with_options(length=30, temperature=0.0).predict(["one two buckle my "])
    assert told.continuation == "shoe three four knock at the d"
    assert 0.8 < told.probability <= 1
    scores = model.evaluate(read_dataset(Source(str(folder / "rhyme.txt")), labelled=False))
    assert scores.tokens == len(RHYME) * 40 - 1 - (len(RHYME) * 40 - 1) % 32
    assert scores.tokens + scores.not_scored == len(RHYME) * 40
    assert ("not scored", f"the first char and the last {(len(RHYME) * 40 - 1) % 32}") in scores.pairs()
    assert scores.bits == pytest.approx(scores.nats / math.log(2))
    assert scores.perplexity == pytest.approx(math.exp(scores.nats))
    assert scores.accuracy > 0.9
    states = adapter_of(model).trace("one tw")
    assert [states.labels[k] for k in states.probabilities.argmax(axis=1)][-1] == "o"


def test_it_is_described_in_its_own_tokens(trained: tuple[LanguageModel, Path]) -> None:
    model, folder = trained
    card = (folder / "runs" / "latest" / "README.md").read_text()
    whole = len(RHYME) * 40
    aside = whole // 10
    assert f"trained on {whole - aside:,} chars of `{folder}/rhyme.txt`" in card
    assert card.count(f"per token on {aside} validation chars") == 2
    assert "The best epoch was chosen on the validation chars" in card
    assert " row" not in card
    pairs = dict(model_pairs(model, "rhyme"))
    assert pairs["trained on"] == f"{whole - aside:,} chars of rhyme.txt, seed 0"


def test_a_text_is_cut_into_the_tokens_of_the_model(trained: tuple[LanguageModel, Path]) -> None:
    model, _ = trained
    found = rnncli.tokenize("one Zt", model=model)
    assert found.tokens == list("one Zt")
    assert found.ids == model.vocabulary.encode(list("one Zt")).tolist()
    assert found.known == [True, True, True, True, False, True]
    figures = rnncli.tokenize(["one two", "shoe"], model=model)
    assert (figures.unit, figures.tokens, figures.vocabulary) == ("char", 11, len(model.vocabulary.tokens))


def test_chance_is_that_of_the_seed(trained: tuple[LanguageModel, Path]) -> None:
    model, folder = trained
    loaded = Model.load(folder / "runs" / "latest" / "model.safetensors")
    bold = {"length": 40, "temperature": 3.0}
    first = model.with_options(**bold, seed=1).predict(["one", "one"])
    assert loaded.with_options(**bold, seed=1).predict(["one", "one"]) == first
    assert model.with_options(**bold, seed=2).predict(["one"])[0] != first[0]
    assert first[0].continuation != first[1].continuation  # each text has random numbers of its own
    assert "<unk>" not in first[0].continuation
    with pytest.raises(UsageError, match="--beam is not for a model of the task lm"):
        model.with_options(beam=2)


def test_a_training_from_before_documents_had_an_end_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its vocabulary has no end, and nothing in its state says what the records of the table were to it."""
    from rnncli.errors import ModelFileError
    from rnncli.tasks.language_model import task
    from rnncli.training import resuming, starting
    from rnncli.training.continuing import Begin

    (tmp_path / "recipes.csv").write_text("recipe\n" + "".join(f"bread with oil and salt {k % 3}\n" for k in range(40)))
    chosen = {"hidden": 4, "epochs": 1, "task": "lm", "min_count": 1}
    with monkeypatch.context() as before:
        before.setattr(task, "holds_documents", lambda dataset: False)
        for _ in starting.start(Source(str(tmp_path / "recipes.csv")), chosen, tmp_path / "runs", "old").events():
            pass
    with pytest.raises(ModelFileError, match="another version of rnncli") as refused:
        resuming.resume("old", tmp_path / "runs")
    assert refused.value.hint is not None
    assert refused.value.hint.endswith(f"rnncli train DATA --from {tmp_path / 'runs' / 'old'}")
    old = LanguageModel.load(tmp_path / "runs" / "old" / "model.safetensors")
    begin = Begin.of(old, tmp_path / "runs" / "old" / "model.safetensors")
    new = starting.start(Source(str(tmp_path / "recipes.csv")), {"epochs": 1}, tmp_path / "runs", "new", begin=begin)
    assert new.origin is not None
    assert new.origin.added == {"char": 1}  # the end


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopped_training_goes_on_to_the_same_bits(tmp_path: Path, workers: int) -> None:
    """Stopped in the middle of an epoch, where the next step begins with states that the last one has left."""
    from rnncli.errors import TrainingInterrupted
    from rnncli.results import StepDone
    from rnncli.training import resuming, starting

    (tmp_path / "rhyme.txt").write_text(RHYME * 20)
    chosen: dict[str, Any] = {"hidden": 8, "epochs": 2, "max_length": 20, "batch": 4, "workers": workers}
    source = Source(str(tmp_path / "rhyme.txt"))
    for _ in starting.start(source, chosen, tmp_path / "whole", "run").events():
        pass
    stopped = starting.start(source, chosen, tmp_path / "stopped", "run")

    def stop_after_five_steps() -> None:
        for event in stopped.events():
            if isinstance(event, StepDone) and (event.epoch, event.step) == (1, 5):
                stopped.stop_signal = 2

    with pytest.raises(TrainingInterrupted):
        stop_after_five_steps()
    for _ in resuming.resume("run", tmp_path / "stopped").events():
        pass
    whole, again = ((tmp_path / name / "run" / "model.safetensors").read_bytes() for name in ("whole", "stopped"))
    assert whole == again


def test_the_task_is_that_of_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(RHYME)
    assert task_for(read_dataset(Source(str(tmp_path / "a.txt")), labelled=False), "auto").name == "lm"
    with pytest.raises(DataError, match="is too short to learn from"):
        rnncli.train(tmp_path / "a.txt", runs=tmp_path / "runs", validation=0.01)
    with pytest.raises(UsageError, match="--bidirectional is not possible"):
        rnncli.train(tmp_path / "a.txt", runs=tmp_path / "runs", bidirectional=True)
