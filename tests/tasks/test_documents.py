"""A language model of many documents knows where one ends, and a plain text file is one text as before."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.config import Settings
from rnncli.core.packed import PackedSequence
from rnncli.data.dataset import Source
from rnncli.data.opening import read_dataset
from rnncli.inspection.adapters import adapter_of
from rnncli.tasks import task_for
from rnncli.tasks.language_model.model import LanguageModel, all_tokens
from rnncli.tasks.model import Model
from rnncli.tasks.symbols import END

DOCUMENTS = ["one two", "", "buckle\nmy <end>", "three"]


def tokens(path: Path, content: str, **settings: str) -> list[str]:
    path.write_text(content)
    dataset = read_dataset(Source(str(path)), labelled=False, task="lm")
    ended = path.suffix != ".txt"
    return list(all_tokens(dataset, Settings(**{"tokens": "char", "lowercase": False, **settings}), ended))


def test_each_document_ends_in_a_symbol_that_no_text_has(tmp_path: Path) -> None:
    content = "recipe\n" + "".join('"' + text + '"\n' for text in DOCUMENTS)
    filled = [text for text in DOCUMENTS if text]
    found = tokens(tmp_path / "a.csv", content)
    assert found == [token for text in filled for token in (*text, END)]
    words = tokens(tmp_path / "a.csv", content, tokens="word")
    assert words.count(END) == 3
    assert "".join(token for token in words if token != END) == "".join(filled)
    assert tokens(tmp_path / "a.txt", "one\ntwo\n") == list("one\ntwo\n")


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    path = tmp_path_factory.mktemp("recipes") / "recipes.csv"
    texts = np.random.default_rng(0).choice(["abc", "bca", "cab"], 200).tolist()  # in no order that could be learned
    path.write_text("recipe\n" + "\n".join(texts) + "\n")
    options = {"task": "lm", "epochs": 12, "hidden": 16, "batch": 4, "max_length": 8, "dropout": 0.0, "lr": 0.02}
    model = rnncli.train(path, runs=path.parent / "runs", **options)
    assert isinstance(model, LanguageModel)
    return model


def test_a_text_goes_on_up_to_the_end_of_its_document(recipes: LanguageModel) -> None:
    assert recipes.knows_documents
    found = recipes.with_options(temperature=0, length=50).predict(["ab", "b", ""])
    assert [one.continuation for one in found[:2]] == ["c", "ca"]
    assert all(one.ended for one in found)
    assert sorted(found[2].continuation) == list("abc")
    assert recipes.with_options(temperature=0, length=1).predict(["b"])[0].ended is False
    # The probability is the geometric mean, that of the end among them.
    p = found[0].probability
    network, ids = recipes.network, recipes.vocabulary.encode([END, *"abc"])
    logits = network.forward(recipes.params, PackedSequence.pack([ids]), network.zero_states(1))[0].astype(np.float64)
    logits[:, recipes.vocabulary.unknown] = -np.inf
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    c, end = recipes.vocabulary.encode(["c", END])
    assert p == pytest.approx(math.sqrt(probabilities[2, c] * probabilities[3, end]), rel=1e-5)


def test_a_file_of_documents_is_scored_with_their_ends(recipes: LanguageModel, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("recipe\nabc\nbca\ncab\n")
    (tmp_path / "new.txt").write_text("abc\nbca\ncab\n")
    ended, lines = (recipes.evaluate(str(tmp_path / name)) for name in ("new.csv", "new.txt"))
    assert (ended.documents, lines.documents) == (3, 0)
    assert ended.tokens + ended.not_scored == 12
    assert ended.unknown_rate == 0
    assert lines.unknown_rate == pytest.approx(3 / 12)
    assert ended.pairs()[0] == ("chars", f"{ended.tokens}, the ends of 3 documents among them")
    assert ended.nats < lines.nats


def test_it_is_saved_opened_and_continued(recipes: LanguageModel, tmp_path: Path) -> None:
    recipes.save(tmp_path / "a.safetensors")
    loaded = Model.load(tmp_path / "a.safetensors")
    texts = ["a", "ca"]
    assert loaded.predict(texts) == recipes.predict(texts)
    adapter = adapter_of(recipes)
    after = adapter.predicted(["abc", "ab"])
    assert after == [END, "c"]
    states = adapter.trace("abc")
    assert states.labels[int(states.probabilities[-1].argmax())] == END
    greedy = recipes.with_options(temperature=0, length=1).predict(["abc"])
    assert adapter.answer_of(greedy[0]) == END
    vectors = recipes.vectors(["abc", ""])
    assert np.isnan(vectors[1]).all()
    assert vectors[0] == pytest.approx(states.hidden[-1], abs=1e-6)


def test_a_model_of_one_text_has_no_such_symbol(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the sun and the sea\n" * 20)
    dataset = read_dataset(Source(str(tmp_path / "a.txt")), labelled=False, task="lm")
    task = task_for(dataset, "lm")
    settings = Settings(**task.defaults(dataset, Settings()), epochs=1)
    model = task.prepare(dataset, settings).untrained
    assert isinstance(model, LanguageModel)
    assert not model.knows_documents
    assert model.end == "\n"
    assert END not in model.vocabulary
