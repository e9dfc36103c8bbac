"""Words and the symbols by which they are spoken: a source is read letter by letter, a target symbol by symbol."""

from __future__ import annotations

import pytest
from data.test_doubts import LEXICON, PAIRS, TEXTS

import rnncli
from rnncli.tasks.model import Model
from rnncli.tasks.symbols import are_rows_of_symbols

SOUNDS = [sounds for _, sounds in LEXICON]


def test_sounds_are_symbols_and_words_are_not():
    assert are_rows_of_symbols(SOUNDS)
    assert are_rows_of_symbols([sounds.lower().replace(" ", "  ") for sounds in SOUNDS])
    assert not are_rows_of_symbols(SOUNDS[:5])
    assert not are_rows_of_symbols(TEXTS)
    assert not are_rows_of_symbols([word for word, _ in LEXICON])
    assert not are_rows_of_symbols([])


@pytest.mark.parametrize(
    ("name", "mark", "header"), [("a.lex", "  ", ""), ("a.tsv", "\t", ""), ("a.csv", ",", "source,target\n")]
)
def test_a_lexicon_is_learned_by_symbols_in_each_of_its_forms(tmp_path, monkeypatch, name, mark, header):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(header + "".join(f"{word}{mark}{sounds}\n" for word, sounds in LEXICON))
    rnncli.train(name, epochs=1, hidden=4, embedding=4, batch=16, workers=1)
    model = Model.load("runs/latest/model.safetensors")
    assert (model.unit, model.generated_unit) == ("char", "symbol")
    assert set(model.target.tokens) <= {symbol for sounds in SOUNDS for symbol in sounds.split()}
    assert set(model.source.tokens) <= set("abdegiklmot")
    (generated,) = model.predict(["bad"])
    assert set((generated.target or "").split()) <= {*model.target.tokens, "<unk>"}
    assert model.symbols("bad") == ["b", "a", "d"]
    assert rnncli.evaluate(name).unit == "symbol"


@pytest.mark.parametrize(("pairs", "tokens"), [(PAIRS, "auto"), (LEXICON, "char"), (LEXICON, "symbol")])
def test_what_the_user_says_and_other_pairs_have_one_unit(tmp_path, monkeypatch, pairs, tokens):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("source,target\n" + "".join(f"{a},{b}\n" for a, b in pairs))
    rnncli.train("a.csv", epochs=1, hidden=4, embedding=4, batch=16, workers=1, tokens=tokens)
    model = Model.load("runs/latest/model.safetensors")
    assert model.target_unit is None
    assert model.generated_unit == model.unit
