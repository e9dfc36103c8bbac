"""Where a unit is most active, and the labels it correlates with, against a loop that keeps everything."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import columns
from inspection.models import model as random_model

from rnncli.config import Settings
from rnncli.data.dataset import Dataset, Source
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import UsageError
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.activations.correlations import Correlations
from rnncli.inspection.activations.units import top_activations, units_of_labels
from rnncli.inspection.adapters import adapter_of
from rnncli.record import Record
from rnncli.render.json_out import dumps
from rnncli.tasks import task_named
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.inputs import NumberInput, TextInput

WORDS = ("the", "film", "was", "not", "good", "bad", "at", "all")
LABELS = ("a", "b", "c")


def model(unit: Any = "word", labels: tuple[str, ...] = LABELS, **chosen: Any) -> ClassifierModel:
    settings = Settings(**({"hidden": 3, "embedding": 4, "embedding_scale": 1.0, "dtype": "float64"} | chosen))
    vocabulary = Vocabulary(WORDS if unit == "word" else tuple("abcdefghijklmnopqrstuvwxyz "))
    made = ClassifierModel(
        settings=settings, input=TextInput(Tokenizer(unit), vocabulary), labels=labels, example="not bad"
    )
    made.params.update(made.network.init(np.random.default_rng(0)))
    return made


def parts(rows: list[tuple[str, str]], size: int = 1000) -> list[Dataset]:
    source = Source("x.csv", "text", "label", "csv")
    found = []
    for k in range(0, len(rows), size):
        some = rows[k : k + size]
        found.append(Dataset(source, "", *columns(some), list(range(k + 2, k + 2 + len(some))), "", 0, ()))
    return found


def some_rows(count: int = 60, longest: int = 12) -> list[tuple[str, str]]:
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, longest))) for _ in range(count)]
    return [(text, str(rng.choice(LABELS))) for text in texts]


def correlation(values: list[float], labels: list[str], label: str) -> float:
    return float(np.corrcoef(values, [one == label for one in labels])[0, 1])


SHAPES = [
    *({"readout": readout, "bidirectional": both} for readout in ("last", "mean", "max") for both in (False, True)),
    {"layers": 2, "cell": "gru"},
    {"cell": "rnn", "nonlinearity": "relu", "input": "onehot"},
    {"max_length": 4},
]


@pytest.mark.parametrize("chosen", SHAPES, ids=str)
@pytest.mark.parametrize("size", [7, 1000])
def test_beside_a_naive_loop(chosen: dict[str, Any], size: int) -> None:
    made, rows = model(**chosen), some_rows()
    names = adapter_of(made).units
    labels = [label for _, label in rows]
    traces = [adapter_of(made).trace(text) for text, _ in rows]
    assert traces[0].units == names
    for unit in range(len(names)):
        found = top_activations(made, parts(rows, size), unit, most=5)
        series = [trace.hidden[:, unit].tolist() for trace in traces]
        for kept, best, sign in ((found.most, max, -1), (found.least, min, 1)):
            wanted = sorted((sign * best(values), line) for line, values in enumerate(series, 2))[:5]
            assert [one.line for one in kept] == [line for _, line in wanted]
            assert [one.value for one in kept] == pytest.approx([sign * value for value, _ in wanted], abs=1e-9)
        flat = [value for values in series for value in values]
        assert (found.texts, found.steps) == (60, len(flat))
        assert (found.mean, found.smallest, found.largest) == pytest.approx((np.mean(flat), min(flat), max(flat)))
        backwards = unit >= made.settings.hidden
        read_out = {
            "last": ("last value", [values[0] if backwards else values[-1] for values in series]),
            "max": ("maximum", [max(values) for values in series]),
            "mean": ("mean", [float(np.mean(values)) for values in series]),
        }[made.settings.readout]
        assert [one.label for one in found.related] == ["a", "b", "c"]
        for one in found.related:
            assert one.unit == names[unit]
            assert one.rows == labels.count(one.label)
            wanted_r = dict([read_out, ("mean", [float(np.mean(values)) for values in series])])
            assert list(one.r) == list(wanted_r)
            for statistic, values in wanted_r.items():
                if np.ptp(values) > 1e-9:
                    assert one.r[statistic] == pytest.approx(correlation(values, labels, one.label), abs=1e-6)


def test_the_units_of_a_label_are_sorted_by_the_read_out() -> None:
    made, rows = model(), some_rows()
    found = units_of_labels(made, parts(rows, 9))
    assert found.statistics == ("maximum", "mean")
    assert found.texts == 60
    labels = [label for _, label in rows]
    traces = [adapter_of(made).trace(text).hidden for text, _ in rows]
    for label, related in found.related.items():
        assert {one.unit for one in related} == set(adapter_of(made).units)
        wanted = {
            name: correlation([float(h[:, k].max()) for h in traces], labels, label)
            for k, name in enumerate(adapter_of(made).units)
        }
        assert [one.unit for one in related] == sorted(wanted, key=lambda name: -abs(wanted[name]))
        assert [one.r["maximum"] for one in related] == pytest.approx([wanted[one.unit] for one in related])
    assert found.view().caption == (
        "r: correlation, from −1 to 1, with having the label; 9 of 18, those with the largest |r|; --full shows all"
    )
    assert len(found.view().rows) == 9
    assert len(found.view(full=True).rows) == 18
    assert len(found.document()["related"]["a"]) == 3


def test_a_context_has_four_neighbours_on_either_side() -> None:
    made = model(bidirectional=False, cell="rnn", input="onehot")
    layer = made.params["encoder"]["0"]["forward"]
    for name in layer:
        layer[name][:] = 0
    layer["weight_ih"][WORDS.index("good")] = 1
    text = "the film was not at all good bad at all the film"
    found = top_activations(made, parts([(text, "a"), ("good", "b")]), 0, most=3)
    assert [one.shown for one in found.most] == ["… was not at all [good] bad at all the …", "[good]"]
    assert [(one.line, one.place, one.label) for one in found.most] == [(2, 7, "a"), (3, 1, "b")]
    assert found.most[0].value == pytest.approx(math.tanh(1))
    assert [one.shown for one in found.least] == ["[the] film was not at …", "[good]"]
    (exactly,) = top_activations(made, parts([("was not at all good bad at all the", "a")]), 0).most
    assert exactly.shown == "was not at all [good] bad at all the"


def test_the_middle_that_is_not_read_is_never_a_top_token_but_is_shown_around() -> None:
    made = model(max_length=4, bidirectional=False)
    text = "the film was not good bad at all"  # read: the, bad, at, all
    for unit in range(3):
        found = top_activations(made, parts([(text, "a"), ("good", "b")]), unit)
        for one in found.most + found.least:
            assert (one.place in (1, 6, 7, 8)) if one.line == 2 else one.place == 1
            assert one.token == (text.split() if one.line == 2 else ["good"])[one.place - 1]
        assert found.steps == 5
    (one,) = top_activations(made, parts([(text, "a")]), 0).most
    assert one.shown.replace("[", "").replace("]", "").strip("… ") in text


def test_letters_are_joined_as_they_stand() -> None:
    made = model("char")
    found = top_activations(made, parts([("a bc", "a"), ("zz top", "b")]), 2)
    for one in found.most:
        text = {2: "a bc", 3: "zz top"}[one.line]
        assert one.before + one.token + one.after == text
        assert one.shown == one.before + f"[{'␣' if one.token == ' ' else one.token}]" + one.after


def test_numbers_have_contexts_too() -> None:
    settings = Settings(hidden=2, max_length=9)
    made = ClassifierModel(settings=settings, input=NumberInput(np.zeros(2), np.ones(2)), labels=("a", "b"))
    made.params.update(made.network.init(np.random.default_rng(0)))
    found = top_activations(made, parts([("[[0, 1], [2, 3]]", "a"), ("[[5, 5]]", "b")]), 0)
    assert {one.shown for one in found.most if one.line == 3} == {"[5 5]"}
    assert {one.shown for one in found.most if one.line == 2} <= {"[0 1] | 2 3", "0 1 | [2 3]"}


def test_without_labels_there_are_contexts_alone() -> None:
    made = model()
    found = top_activations(made, parts([(text, "") for text, _ in some_rows()]), 1)
    assert found.related == ()
    assert len(found.views()) == 2
    assert "label" not in [column.name for column in found.views()[0].columns]
    with pytest.raises(UsageError, match="no label that the model knows"):
        units_of_labels(made, parts([("good", ""), ("bad", "other")]))


def test_texts_without_a_label_are_not_compared_with_labels() -> None:
    made, rows = model(), some_rows()
    mixed = [row for k, row in enumerate(rows) for row in (row, (f"good {k} film bad", ""))]
    assert top_activations(made, parts(mixed), 1).related == top_activations(made, parts(rows), 1).related
    assert top_activations(made, parts(mixed), 1).texts == 120


def test_texts_without_words_are_left_out_and_none_at_all_is_refused() -> None:
    made = model()
    assert top_activations(made, parts([("", "a"), ("good", "b"), ("<br>", "c")]), 0).texts == 1
    for rows in ([("", "a")], []):
        with pytest.raises(UsageError, match="no text of the file has a timestep"):
            top_activations(made, parts(rows), 0)


def test_labels_the_model_never_saw_count_as_none_of_its_own() -> None:
    made, rows = model(), some_rows()
    found = top_activations(made, parts([*rows, ("good film", "else")]), 0)
    assert [one.label for one in found.related] == ["a", "b", "c"]
    values = [float(adapter_of(made).trace(text).hidden[:, 0].max()) for text, _ in [*rows, ("good film", "")]]
    labels = [*(label for _, label in rows), "else"]
    assert found.related[0].r["maximum"] == pytest.approx(correlation(values, labels, "a"))


def test_what_never_changes_has_no_correlation() -> None:
    def read(labels: tuple[str, ...], values: list[list[float]]) -> TextActivations:
        pooled = {"mean": np.array(values)}
        return TextActivations(line=1, tokens=(), hidden=pooled["mean"], labels=labels, known=("a", "b"), pooled=pooled)

    made = Correlations()
    made.add(read(("a", "b", "a"), [[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]]))
    r = made.with_label("mean", "a")
    assert math.isnan(r[0])
    assert r[1] == pytest.approx(np.corrcoef([1, 2, 4], [1, 0, 1])[0, 1])
    one = Correlations()
    one.add(read(("a", "a"), [[1.0], [2.0]]))
    assert math.isnan(one.with_label("mean", "a")[0])  # every row has it
    assert one.rows == {"a": 2}


def test_equal_values_go_by_the_line_whatever_the_parts() -> None:
    made = model()
    rows = [("good film", "a")] * 30
    for size in (1, 7, 1000):
        found = top_activations(made, parts(rows, size), 0, most=4)
        assert [one.line for one in found.most] == [2, 3, 4, 5]
        assert [one.line for one in found.least] == [2, 3, 4, 5]


def other(task: str, rows: list[tuple[str, str]], **chosen: Any) -> tuple[Any, list[Dataset]]:
    (dataset,) = parts(rows)
    kind = task_named(task)
    settings = Settings(**{**kind.defaults(dataset, Settings()), "hidden": 3, "embedding": 4, "min_count": 1, **chosen})
    prepared = kind.prepare(dataset, settings.replace(validation=0.2, max_length=20, task=task))
    return prepared.model(prepared.network.init(np.random.default_rng(0)), Record()), [dataset]


def test_the_tags_of_words() -> None:
    made, data = other("tag", [('["a", "b"]', '["X", "Y"]'), ("b a b", "Y X Y"), ('["c", "a"]', '["X", "X"]')] * 4)
    found = top_activations(made, data, 4, most=3)
    values, tags = [], []
    for text, of_words in zip(data[0].texts, data[0].labels, strict=True):
        words = text if text.startswith("[") else str(text.split()).replace("'", '"')
        values += adapter_of(made).trace(words).hidden[:, 4].tolist()
        tags += of_words
    assert found.steps == len(values) == 28
    assert [one.label for one in found.related] == ["X", "Y"]
    assert found.related[0].r["value"] == pytest.approx(correlation(values, tags, "X"), abs=1e-6)
    assert found.most[0].value == pytest.approx(max(values))
    assert found.most[0].label in ("X", "Y")
    assert set(units_of_labels(made, data).related) == {"X", "Y"}
    assert "NaN" not in dumps(found)


def test_a_model_of_a_text_has_contexts_line_by_line() -> None:
    made, data = other("lm", [("the sea and the bell", ""), ("", ""), ("a bell", "")] * 4)
    found = top_activations(made, data, 1)
    lines = [text for text in data[0].texts if text]
    values = [adapter_of(made).trace(text).hidden[:, 1] for text in lines]
    assert found.texts == 8
    assert found.largest == pytest.approx(max(float(of.max()) for of in values))
    assert found.unit_count == 3
    following = [letter for text in lines for letter in (*text[1:], "<end>")]
    flat = [value for of in values for value in of.tolist()]
    assert found.label_is == "next char"
    assert [one.label for one in found.related] == [token for token in made.vocabulary.tokens if token in following]
    for one in found.related:
        assert one.rows == following.count(one.label)
        assert one.r["value"] == pytest.approx(correlation(flat, following, one.label), abs=1e-6)
    (first, *_) = found.most
    text = lines[0]
    assert (first.before + first.token + first.after).strip("…") in text
    assert first.label == (*text[1:], "\n")[first.place - 1]


@pytest.mark.parametrize("both", [True, False])
def test_the_encoder_of_a_model_of_pairs(both: bool) -> None:
    rows = [("1 2", "one two"), ("2 1 1 2", "two one one two"), ("1", "one")] * 5
    made, _ = other("seq2seq", rows, bidirectional=both)
    data = parts([("", "nothing"), *rows])
    network, units = made.network, 6 if both else 3
    assert len(adapter_of(made).units) == units
    read = [text for text, _ in rows]
    states = [network.start(made.params, adapter_of(made).examples([text], "").inputs).memory.data for text in read]
    symbols = [symbol for text in read for symbol in text.split()]
    for unit in range(units):
        found = top_activations(made, data, unit)
        flat = np.concatenate([of[:, unit] for of in states]).tolist()
        assert (found.texts, found.steps, found.label_is) == (15, len(flat), "symbol")
        assert found.largest == pytest.approx(max(flat), abs=1e-6)
        assert {one.label for one in found.most} == {""}  # the symbol itself is the label
        assert [one.label for one in found.related] == ["1", "2"]
        assert found.related[0].r["value"] == pytest.approx(correlation(flat, symbols, "1"), abs=1e-5)
    assert set(units_of_labels(made, data).related) == {"1", "2"}


def test_the_middle_of_a_source_that_is_not_read_is_never_a_top_token() -> None:
    made, _ = other("seq2seq", [("1 2", "one two"), ("2 1", "two one")] * 5, bidirectional=False)
    source = " ".join("12"[k % 3 == 0] for k in range(30))  # 20 are read: the first 5 and the last 15
    for unit in range(3):
        found = top_activations(made, parts([(source, "x")]), unit)
        assert found.steps == 20
        for one in found.most + found.least:
            assert one.place <= 5 or one.place > 15
            assert one.token == source.split()[one.place - 1]
            state = made.network.start(made.params, adapter_of(made).examples([source], "").inputs).memory.data
            row = one.place - 1 if one.place <= 5 else one.place - 11
            assert one.value == pytest.approx(state[row, unit])


@pytest.mark.parametrize("inject", ["start", "every"])
def test_the_decoder_of_a_model_of_captions(inject: str) -> None:
    made = random_model("caption", inject=inject)
    rows = [("1 2 3", "X Y"), ("0 0 1", "Z"), ("1 2", "X"), ("3 1 2", ""), ("-1 0.5 2", "Y Y W")]
    (data,) = parts(rows)
    network = made.network
    flat, following = [], []
    for text, label in (rows[0], rows[1], rows[4]):
        one = adapter_of(made).examples([text], label)
        given = network.decoder.given(one.targets)
        hidden = network.decoder.forward(made.params["decoder"], given, network.start(made.params, one.inputs))[1]
        flat += hidden[:, 2].tolist()
        following += [*label.split(), "<end>"]
    skipping = replace(data, source=replace(data.source, skip_bad=True))
    found = top_activations(made, [skipping], 2)
    assert (found.texts, found.steps, found.label_is) == (3, 9, "next symbol")
    assert found.largest == pytest.approx(max(flat), abs=1e-6)
    for one in found.related:
        assert one.r["value"] == pytest.approx(correlation(flat, following, one.label), abs=1e-5)
    assert "<end>" in units_of_labels(made, [skipping]).related
    assert found.most[0].before.startswith("<start>") or found.most[0].token == "<start>"


def test_of_many_labels_those_with_the_best_units_are_shown() -> None:
    made, data = other("lm", [("the quick brown fox jumps over a lazy dog", "")] * 4)
    found = units_of_labels(made, data)
    assert len(found.related) == 27  # the line's end among them, and not the t: nothing comes before it
    view = found.view()
    assert len(view.rows) == 12 * 3
    best = sorted(found.related, key=lambda label: -abs(found.related[label][0].r["value"] or 0))[:12]
    assert {row[0] for row in view.rows} == {"␣" if label == " " else label for label in best}
    assert len(found.view(full=True).rows) == 27 * 3
