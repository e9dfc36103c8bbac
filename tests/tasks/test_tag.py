"""Many-to-many, aligned: the network's gradient, what is known of words, scores, and the task from file to answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import assert_all_gradients

import rnncli
from rnncli.config import Settings
from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import PackedSequence
from rnncli.data.dataset import Source
from rnncli.data.formats.values import split_words
from rnncli.data.opening import read_dataset
from rnncli.data.text.word_features import SIDES, WordFeatures, shape, sides
from rnncli.errors import DataError
from rnncli.inspection.adapters import adapter_of
from rnncli.tasks import task_for
from rnncli.tasks.model import Model
from rnncli.tasks.tag.model import TaggerModel, words_of
from rnncli.tasks.tag.network import TagExamples, Tagger
from rnncli.tasks.tag.results import in_a_row
from rnncli.tasks.tag.task import TASK, baselines

SENTENCES = [
    (["The", "cat", "sat", "."], ["DET", "NOUN", "VERB", "PUNCT"]),
    (["A", "dog", "ran", "."], ["DET", "NOUN", "VERB", "PUNCT"]),
    (["She", "sat"], ["PRON", "VERB"]),
    (["The", "old", "dog", "sat", "."], ["DET", "ADJ", "NOUN", "VERB", "PUNCT"]),
]


def lines(sentences: list[tuple[list[str], list[str]]]) -> str:
    return "".join(json.dumps({"tokens": words, "tags": tags}) + "\n" for words, tags in sentences)


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """Forty sentences; whether "can" is a verb or a noun is told by the word before it."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(40):
        subject = str(rng.choice(["she", "he", "they"]))
        noun = str(rng.choice(["can", "cup", "bottle"]))
        verb = str(rng.choice(["can", "will"]))
        made.append(([subject, verb, "open", "the", noun], ["PRON", "AUX", "VERB", "DET", "NOUN"]))
    path = tmp_path / "tagged.jsonl"
    path.write_text(lines(made))
    return path


# The network


def network(**chosen: Any) -> tuple[Tagger, dict[str, Any], TagExamples]:
    words = {word: 1 for of, _ in SENTENCES for word in of}
    views = WordFeatures.of(words, min_count=1, max_size=100)
    forms, rows = TaggerModel(settings=Settings(), views=views, tags=()).encode([of for of, _ in SENTENCES])
    names = sorted({tag for _, tags in SENTENCES for tag in tags})
    targets = [np.array([names.index(tag) for tag in tags]) for _, tags in SENTENCES]
    settings = Settings(**({"hidden": 3, "embedding": 8, "dtype": "float64", "embedding_scale": 1.0} | chosen))
    made = Tagger(settings, views.sizes, len(names))
    return made, made.init(np.random.default_rng(1)), TagExamples(forms, targets, rows)


@pytest.mark.parametrize(
    "chosen",
    [{"dropout": 0.0}, {"dropout": 0.5}, {"dropout": 0.3, "cell": "gru", "layers": 2}, {"bidirectional": False}],
)
def test_gradients(chosen: dict[str, Any]) -> None:
    assert_all_gradients(*network(**{"hidden": 2, "embedding": 4}, **chosen))


def test_the_loss_is_that_of_each_word_by_hand() -> None:
    made, params, batch = network(dropout=0.0)
    loss, _ = made.loss_and_gradients(params, batch)
    by_word = []
    for forms, targets in zip(batch.inputs, batch.targets, strict=True):
        logits = made.forward(params, PackedSequence.pack([forms]), batch.views)[0]
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        by_word += [-np.log(chances[t, target]) for t, target in enumerate(targets.tolist())]
    assert loss == pytest.approx(np.mean(by_word), rel=1e-12)
    right, answers, losses, told = made.metric_sums(params, batch)
    assert (answers, told, losses) == (len(by_word), len(by_word), pytest.approx(np.sum(by_word), rel=1e-12))
    parts = [made.metric_sums(params, batch, rank, 2) for rank in range(2)]
    assert np.sum(parts, axis=0) == pytest.approx([right, answers, losses, told], rel=1e-12)


def test_halves_of_a_batch_add_up_to_it() -> None:
    """Two processes of a group: each counts by its share of the words."""
    made, params, batch = network(dropout=0.0)
    whole, grads = made.loss_and_gradients(params, batch)
    parts = [batch.take(np.array(rows)) for rows in ([0, 2], [1, 3])]
    found = [made.loss_and_gradients(params, part, None, part.weight / batch.weight) for part in parts]
    assert sum(loss for loss, _ in found) == pytest.approx(whole, rel=1e-12)
    name = "encoder/0/forward/weight_hh"
    added = sum(dict(flatten(of))[name] for _, of in found)
    np.testing.assert_allclose(added, dict(flatten(grads))[name], rtol=1e-10, atol=1e-14)


def test_the_rows_read_are_those_with_a_gradient() -> None:
    made, params, batch = network(dropout=0.0)
    part = batch.take(np.array([2]))
    _, grads = made.loss_and_gradients(params, part)
    for side, rows in made.rows_read(part).items():
        np.testing.assert_array_equal(np.sort(dict(flatten(grads))[side].rows), rows)


# Words


def test_sides_of_a_word() -> None:
    assert sides("Running") == ("running", "ng", "ing", "ning", "run", "Xx")
    assert sides("1990s") == ("0000s", "0s", "00s", "000s", "000", "0x")
    assert shape("McGee's") == "XxXx'x"
    assert shape("...") == "."
    assert len(shape("aB" * 1000)) <= 20


def test_an_unknown_word_is_known_by_its_other_sides() -> None:
    words = {"walking": 5, "talking": 3, "taller": 2, "cats": 2, "rare": 1}
    views = WordFeatures.of(words, min_count=2, max_size=2)
    assert views.known[0].tokens == ("walking", "talking")
    assert [views.knows(word) for word in ("walking", "Walking", "cats", "rare")] == [True, True, False, False]
    (unseen,) = views.rows(["balking"])
    (seen,) = views.rows(["talking"])
    known = dict(zip(SIDES, unseen == seen, strict=True))
    assert known == {
        **{"word": False, "ending2": True, "ending3": True, "ending4": True},
        **{"beginning3": False, "shape": True},
    }
    assert unseen[0] == views.known[0].unknown
    again = WordFeatures(tuple(type(views.known[0])(tuple(views.manifest[side])) for side in SIDES))
    np.testing.assert_array_equal(again.rows(["balking"]), [unseen])


def test_words_of_a_text_or_a_list() -> None:
    assert words_of("She wasn't in.") == ["She", "wasn't", "in", "."]
    assert words_of('["She", "was n\'t", "in"]') == ["She", "was n't", "in"]
    assert words_of('["a", 1]') == ["[", '"', "a", '"', ",", "1", "]"]
    assert words_of(" ") == []


def test_the_baseline_by_hand() -> None:
    views = np.zeros((3, len(SIDES)), np.int64)
    train = TagExamples([np.array([0, 0, 1])], [np.array([1, 1, 0])], views)
    validation = TagExamples([np.array([0, 1, 2, 2])], [np.array([1, 1, 1, 0])], views)
    (commonest,) = baselines(train, validation, 2)
    assert commonest.score == 0.5  # right, wrong; the unknown word gets tag 1


def test_tags_and_words_with_spaces_can_be_told_apart_in_a_line() -> None:
    for row in (("B-PER", "O"), ("B-Job title", "O"), ("New York", "is"), ("10\u00a0000", "x"), ()):
        assert split_words(in_a_row(row)) == row
    assert in_a_row(("B-PER", "O")) == "B-PER O"
    assert in_a_row(("B-Job title", "O")) == '["B-Job title", "O"]'


# From file to answer


def test_the_task_is_guessed_from_lists_of_equal_length(tagged: Path, tmp_path: Path) -> None:
    assert task_for(read_dataset(Source(str(tagged))), "auto").name == "tag"
    other = tmp_path / "other.jsonl"
    other.write_text('{"text": "a b", "label": "x"}\n{"text": "b", "label": "y"}\n')
    assert task_for(read_dataset(Source(str(other))), "auto").name == "classify"


def test_what_decides_is_the_neighbour(tagged: Path, tmp_path: Path) -> None:
    model = rnncli.train(tagged, runs=tmp_path / "runs", epochs=30, hidden=16, embedding=16, lr=0.02)
    assert isinstance(model, TaggerModel)
    (answer,) = model.predict(["she can open the can"])
    assert answer.tags == ("PRON", "AUX", "VERB", "DET", "NOUN")
    assert answer.unknown == ()
    assert min(answer.probabilities) > 0.5
    loaded = Model.load(tmp_path / "runs" / "latest" / "model.safetensors")
    assert loaded.predict(["she can open the can"]) == [answer]
    assert loaded.predict([" "])[0].tags == ()
    states = adapter_of(loaded).trace("she can open the can")
    assert states.tokens == answer.tokens
    best = states.probabilities.max(axis=1)
    np.testing.assert_allclose(best, answer.probabilities, rtol=1e-5)
    scores = loaded.evaluate(read_dataset(Source(str(tagged))))
    assert (scores.scores.rows, scores.scores.accuracy, scores.sentences) == (200, 1.0, 40)
    assert scores.mistakes == ()


def test_two_processes_train_to_the_same_bits_each_time(tagged: Path, tmp_path: Path) -> None:
    chosen: dict[str, Any] = {"epochs": 2, "hidden": 8, "embedding": 8, "workers": 2}
    files = []
    for name in ("one", "two"):
        rnncli.train(tagged, runs=tmp_path, name=name, **chosen)
        files.append((tmp_path / name / "model.safetensors").read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"tokens": ["a", "b"], "tags": ["X"]}, "2 words and 1 tag; there is a tag for each word"),
        ({"tokens": [], "tags": []}, "the sentence has no words"),
        ({"tokens": ["a", "b"], "tags": ["X", " "]}, "the tag of word 2 is empty"),
    ],
)
def test_a_bad_sentence_is_refused_with_its_line(record: dict[str, Any], problem: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(lines(SENTENCES * 10) + json.dumps(record) + "\n")
    with pytest.raises(DataError) as caught:
        rnncli.train(path, runs=tmp_path / "runs", task="tag", epochs=1)
    assert caught.value.message == f"{path}:41: {problem}"
    assert not (tmp_path / "runs").exists()
    model = rnncli.train(path, runs=tmp_path / "runs", task="tag", epochs=1, skip_bad=True)
    assert model.record.rows == 36


@pytest.mark.parametrize("task", ["auto", "tag"])
@pytest.mark.parametrize("good", [0, 1, 2])
def test_a_wrong_count_of_tags_in_a_small_file_is_named_as_in_a_large_one(good: int, task: str, tmp_path: Path) -> None:
    path = tmp_path / "small.jsonl"
    path.write_text(lines([*[(["a", "b"], ["X", "Y"])] * good, (["a", "b"], ["X"])]))
    with pytest.raises(DataError) as caught:
        rnncli.train(path, runs=tmp_path / "runs", task=task, epochs=1)
    assert caught.value.message == f"{path}:{good + 1}: 2 words and 1 tag; there is a tag for each word"


def test_one_tag_is_none(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(lines([(["a", "b"], ["X", "X"])] * 9))
    with pytest.raises(DataError, match="a tagger needs at least 2 tags, and every word here has 'X'"):
        rnncli.train(path, runs=tmp_path / "runs")


def test_more_tags_than_anybody_gives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("".join(f"word{n} T{n}\n{chr(10) * (n % 5 == 0)}" for n in range(10_001)))
    with pytest.raises(DataError, match=r"a\.conll: 10,001 different tags, and rnncli learns at most 10,000"):
        TASK.prepare(read_dataset(Source(str(path))), Settings())
