"""A trained model: its answers, and the file it is, however hostile."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CELLS
from page_examples import MODELS

from rnncli import model_file, schema
from rnncli.config import Settings
from rnncli.core.optim.parameters import LARGEST, flatten, nest
from rnncli.data.dataset import Dataset, Source
from rnncli.data.records import Texts
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import DataError, ModelFileError, UsageError
from rnncli.record import Record
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.inputs import TextInput
from rnncli.tasks.model import CHUNK, Model

WORDS = ("the", "film", "was", "not", "good", "bad", "so", "very", ".")
pytestmark = pytest.mark.usefixtures("one_core")


def model(labels: tuple[str, ...] = ("neg", "neutral", "pos"), seed: int = 0, **chosen: Any) -> Model:
    defaults = {"hidden": 5, "embedding": 4, "embedding_scale": 1.0}
    settings = Settings(**(defaults | chosen))
    made = ClassifierModel(
        settings=settings,
        input=TextInput(Tokenizer(), Vocabulary(WORDS)),
        labels=labels,
        example="not so good",
        record=Record(rows=3),
    )
    made.params.update(made.network.init(np.random.default_rng(seed)))
    return made


def texts(count: int, longest: int = 30, seed: int = 1) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, longest + 1))) for _ in range(count)]


def probabilities(made: Model, of: list[str]) -> Any:
    return np.array([list(answer.probabilities.values()) for answer in made.predict(of)])


# Predictions


def test_an_answer_by_hand() -> None:
    made = model()
    (answer,) = made.predict(["The film, xyzzy plugh xyzzy: was good."])
    ids = Vocabulary(WORDS).encode(["the", "film", ",", "xyzzy", "plugh", "xyzzy", ":", "was", "good", "."])
    logits = made.network.logits(made.params, [ids])[0].astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum()
    assert list(answer.probabilities) == ["neg", "neutral", "pos"]
    assert list(answer.probabilities.values()) == pytest.approx(expected, abs=1e-6)
    assert answer.label == ("neg", "neutral", "pos")[int(expected.argmax())]
    assert answer.probability == max(answer.probabilities.values())
    assert answer.tokens == 10
    assert answer.unknown == (",", "xyzzy", "plugh", ":")  # each once, in their order
    assert answer.cut == 0
    assert answer.text == "The film, xyzzy plugh xyzzy: was good."


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
def test_answers_come_in_the_order_of_the_texts(count: int) -> None:
    of = texts(count)
    answers = model().predict(of)
    assert [answer.text for answer in answers] == of
    single = {text: model().predict([text])[0].label for text in set(of[:40])}
    assert [answer.label for answer in answers[:40]] == [single[text] for text in of[:40]]


def test_an_empty_text_has_an_empty_answer() -> None:
    answers = model().predict(["", "good", " \n ", "<br />"])
    for answer in (answers[0], answers[2], answers[3]):
        assert (answer.label, answer.probability, answer.probabilities) == (None, None, {})
        assert (answer.tokens, answer.unknown, answer.cut) == (0, (), 0)
    assert [answers[1]] == model().predict(["good"])  # an empty one takes no other's place
    assert [answer.label for answer in model().predict(["", " "])] == [None, None]


def test_of_a_long_text_the_middle_is_not_read() -> None:
    made = model(max_length=8)
    words = texts(1, 40, seed=3)[0].split()
    long = " ".join([*words, *words])
    tokens = Tokenizer().tokens(long)
    (answer,) = made.predict([long])
    assert answer.tokens == len(tokens) > 20
    assert answer.cut == len(tokens) - 8
    (short,) = made.predict([" ".join([*tokens[:2], *tokens[-6:]])])
    assert answer.probabilities == short.probabilities
    assert made.predict(["good " * 8])[0].cut == 0


def test_one_text_is_not_a_list_of_letters() -> None:
    with pytest.raises(UsageError, match="a list of texts"):
        model().predict("good")


NETWORKS = [
    {"cell": cell, "readout": readout, "bidirectional": both, "layers": layers}
    for (cell, readout), (both, layers) in zip(
        itertools.product(CELLS, ("last", "mean", "max")),
        itertools.cycle([(True, 1), (False, 2), (True, 2), (False, 1)]),
        strict=False,
    )
]


@pytest.mark.parametrize("chosen", NETWORKS, ids=lambda chosen: f"{chosen['cell']}-{chosen['readout']}")
def test_company_does_not_change_an_answer(chosen: dict[str, Any]) -> None:
    """One text alone, in a batch of 64, and beside longer ones: within a millionth, in float32."""
    made = model(hidden=32, embedding=16, **chosen)
    of = texts(64)
    alone = np.concatenate([probabilities(made, [text]) for text in of])
    together = probabilities(made, of)
    beside_longer = probabilities(made, [*texts(64, 200, seed=2), *of])[64:]
    backwards = probabilities(made, of[::-1])[::-1]
    assert alone.shape == (64, 3)
    assert np.ptp(alone[:, 0]) > 0.01
    for others in (together, beside_longer, backwards):
        assert np.abs(others - alone).max() < 1e-6


def test_many_predictions_in_one_process_stay_the_same() -> None:
    made = model()
    first = made.predict(["not so good"])
    assert all(made.predict(["not so good"]) == first for _ in range(100))


def test_texts_are_taken_as_they_are_needed() -> None:
    taken = itertools.count()
    many = (text for text in itertools.cycle(texts(50)) if next(taken) < 10_000)
    stream = model().predict_stream(many)
    assert next(taken) == 0
    next(stream)
    assert next(taken) <= CHUNK + 2
    list(itertools.islice(stream, 999))
    assert next(taken) <= 4 * CHUNK + 3


def test_memory_does_not_grow_with_the_number_of_texts() -> None:
    made = model(cell="rnn", bidirectional=False)
    short = texts(100, 2)

    def peak(count: int) -> int:
        tracemalloc.start()
        answered = sum(1 for _ in made.predict_stream(short[n % 100] for n in range(count)))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert answered == count
        return highest

    peak(2_000)
    assert peak(20_000) < 1.25 * peak(2_000)


# Evaluation


def labelled(texts: Sequence[str], labels: Sequence[str], lines: Sequence[int]) -> Dataset:
    return Dataset(Source("r.csv"), "", Texts(texts), Texts(labels), list(lines), "", 0, ())


def test_scores_and_mistakes_by_hand() -> None:
    made = model()
    of = texts(40)
    answers = made.predict(of)
    truths = [str(answer.label) for answer in answers]
    wrong = [3, 10, 25]
    for row in wrong:
        truths[row] = "neg" if truths[row] != "neg" else "pos"
    lines = list(range(100, 140))
    found = made.evaluate(labelled(of, truths, lines))
    assert found.scores.rows == 40
    assert found.scores.accuracy == 37 / 40
    assert found.unseen == {}
    by_confidence = sorted(wrong, key=lambda row: -float(answers[row].probability or 0))
    assert [mistake.line for mistake in found.mistakes] == [100 + row for row in by_confidence]
    for mistake, row in zip(found.mistakes, by_confidence, strict=True):
        assert (mistake.text, mistake.truth) == (of[row], truths[row])
        assert (mistake.predicted, mistake.probability) == (answers[row].label, answers[row].probability)
    assert [m.line for m in made.evaluate(labelled(of, truths, lines), worst=1).mistakes] == [100 + by_confidence[0]]


def test_processes_share_the_texts_and_come_to_the_same_scores() -> None:
    of = [*texts(41), "", "<br />"]
    truths = [str(answer.label or "neg") for answer in model().predict(of)]
    truths[3], truths[20] = "zebra", "neg" if truths[20] != "neg" else "pos"
    records = replace(labelled(of, truths, range(len(of))), source=Source("r.csv", skip_bad=True))
    alone, together = (model().evaluate(records, workers=count) for count in (1, 3))
    assert together.scores == alone.scores
    assert (together.skipped, together.unseen) == (alone.skipped, alone.unseen) == (2, {"zebra": 1})
    for ours, theirs in zip(together.mistakes, alone.mistakes, strict=True):
        assert replace(ours, probability=0) == replace(theirs, probability=0)
        assert ours.probability == pytest.approx(theirs.probability, abs=1e-6)


def test_labels_that_were_never_trained_are_counted_and_wrong() -> None:
    made = model()
    of = texts(10)
    truths = [str(answer.label) for answer in made.predict(of)]
    truths[0], truths[4], truths[5] = "zebra", "ape", "zebra"
    found = made.evaluate(labelled(of, truths, range(10)))
    assert found.unseen == {"ape": 1, "zebra": 2}
    assert found.scores.accuracy == 0.7
    assert [label.label for label in found.scores.labels] == ["neg", "neutral", "pos", "ape", "zebra"]
    assert [label.recall for label in found.scores.labels[3:]] == [0, 0]
    assert np.array(found.scores.confusion)[:, 3:].sum() == 0
    assert {mistake.truth for mistake in found.mistakes} == {"ape", "zebra"}
    assert all(np.isfinite([found.scores.macro_f1, *found.scores.interval]))


def test_nothing_right_at_all() -> None:
    found = model().evaluate(labelled(["good", "bad"], ["other", "other"], [2, 3]))
    assert (found.scores.accuracy, found.scores.macro_f1) == (0, 0)
    assert found.unseen == {"other": 2}


def test_a_text_without_words_is_no_right_answer() -> None:
    """Its probabilities are all zero, and the first label is not what the model said."""
    records = labelled(["good", "<br />"], ["neg", "neg"], [7, 8])
    with pytest.raises(DataError, match=r"^r\.csv:8: the text has no words$"):
        model().evaluate(records)
    found = model().evaluate(replace(records, source=Source("r.csv", skip_bad=True)))
    assert (found.scores.rows, found.skipped) == (1, 1)
    assert found.skipped_because == ("r.csv:8: the text has no words",)


# The file


@pytest.mark.parametrize("labels", [("no", "yes"), ("a", "b", "c")])
@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"cell": "gru", "input": "onehot", "layers": 2, "bidirectional": False},
        {"cell": "rnn", "bias": False, "dtype": "float64", "readout": "mean"},
    ],
)
def test_a_saved_model_answers_the_same(tmp_path: Path, labels: tuple[str, ...], chosen: dict[str, Any]) -> None:
    made = model(labels, **chosen)
    path = tmp_path / "m.safetensors"
    made.save(path)
    loaded = Model.load(path)
    of = [*texts(20), "", "xyzzy"]
    assert loaded.predict(of) == made.predict(of)
    assert loaded.settings == made.settings
    assert (loaded.input.tokenizer, loaded.input.vocabulary) == (made.input.tokenizer, made.input.vocabulary)
    assert (loaded.labels, loaded.example, loaded.record) == (made.labels, made.example, made.record)
    before = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == before


ATTACKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a cell of another's choice": lambda m: m["settings"].update(cell="os.system"),
    "a class": lambda m: m["settings"].update(__class__="os.system"),
    "a module": lambda m: m["settings"].update(module="os"),
    "an unknown readout": lambda m: m["settings"].update(readout="lambda x: x"),
    "more settings": lambda m: m["settings"].update(hiden=3),
    "hidden out of range": lambda m: m["settings"].update(hidden=2**31),
    "hidden too large for the tensors": lambda m: m["settings"].update(hidden=65_536, layers=16),
    "hidden is a text": lambda m: m["settings"].update(hidden="5"),
    "hidden is a fraction": lambda m: m["settings"].update(hidden=5.0),
    "hidden is a list": lambda m: m["settings"].update(hidden=[5]),
    "hidden is null": lambda m: m["settings"].update(hidden=None),
    "bidirectional is a number": lambda m: m["settings"].update(bidirectional=1),
    "another precision": lambda m: m["settings"].update(dtype="float64"),
    "another cell": lambda m: m["settings"].update(cell="gru"),
    "without embedding": lambda m: m["settings"].update(input="onehot"),
    "one layer more": lambda m: m["settings"].update(layers=2),
    "settings are a list": lambda m: m.update(settings=[1]),
    "no settings": lambda m: m.pop("settings"),
    "a label twice": lambda m: m["labels"].append("neg"),
    "one label": lambda m: m.update(labels=["neg"]),
    "no label": lambda m: m.update(labels=[]),
    "a label less": lambda m: m["labels"].pop(),
    "a label more": lambda m: m["labels"].append("more"),
    "a label is a number": lambda m: m.update(labels=["neg", "neutral", 3]),
    "labels are a text": lambda m: m.update(labels="abc"),
    "a vocabulary too short": lambda m: m["vocabulary"].pop(),
    "a vocabulary too long": lambda m: m["vocabulary"].append("more"),
    "a token twice": lambda m: m["vocabulary"].__setitem__(0, "film"),
    "a token is a number": lambda m: m["vocabulary"].__setitem__(0, 7),
    "a token is null": lambda m: m["vocabulary"].__setitem__(0, None),
    "the vocabulary is a table": lambda m: m.update(vocabulary=dict.fromkeys(m["vocabulary"], 1)),
    "no vocabulary": lambda m: m.pop("vocabulary"),
    "an unknown unit": lambda m: m["tokenizer"].update(unit="(a+)+$"),
    "the unit is a list": lambda m: m["tokenizer"].update(unit=["word"]),
    "a regular expression": lambda m: m["tokenizer"].update(pattern="(a+)+$"),
    "no unit": lambda m: m["tokenizer"].pop("unit"),
    "lowercase is a text": lambda m: m["tokenizer"].update(lowercase="no"),
    "normalize is a number": lambda m: m["tokenizer"].update(normalize=0),
    "the tokenizer is a text": lambda m: m.update(tokenizer="word"),
    "the example is a number": lambda m: m.update(example=3),
    "the record is a list": lambda m: m.update(record=[]),
    "another task": lambda m: m.update(task="os.system"),
    "another kind": lambda m: m.update(kind="training state"),
    "no kind": lambda m: m.pop("kind"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_forged_manifest_is_refused(tmp_path: Path, attack: Callable[[dict[str, Any]], Any]) -> None:
    """With a right SHA-256: only what it says is wrong. Nothing is allocated for what it promises."""
    path = tmp_path / "m.safetensors"
    model().save(path)
    manifest, tensors = model_file.load(path)
    attack(manifest)
    model_file.save(path, manifest, tensors)
    tracemalloc.start()
    with pytest.raises(ModelFileError) as caught:
        Model.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.message.startswith(str(path))
    assert len(caught.value.message) < len(str(path)) + 300
    assert "\n" not in caught.value.message
    assert peak < 10_000_000


TENSORS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "missing": lambda t: t.pop("output/bias"),
    "one more": lambda t: t.update(more=np.zeros(1, np.float32)),
    "transposed": lambda t: t.update({"output/weight": t["output/weight"].T.copy()}),
    "float64 among float32": lambda t: t.update({"output/bias": t["output/bias"].astype(np.float64)}),
    "integers": lambda t: t.update({"output/bias": np.zeros(3, np.int64)}),
    "a row less in the embedding": lambda t: t.update({"embedding/weight": t["embedding/weight"][:-1]}),
}


@pytest.mark.parametrize("change", TENSORS.values(), ids=TENSORS)
def test_other_tensors_are_refused(tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = tmp_path / "m.safetensors"
    model().save(path)
    manifest, tensors = model_file.load(path)
    change(tensors)
    model_file.save(path, manifest, tensors)
    with pytest.raises(ModelFileError) as caught:
        Model.load(path)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ("one",)},
        {"labels": ("a", "a", "b")},
        {"labels": ("a", "b", "c", "d")},
        {"record": Record(baselines={"bag_of_words": 1e300})},
        {"settings": Settings(dtype="float64", hidden=5, embedding=4)},
    ],
)
def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "m.safetensors"
    model(labels=("a", "b", "c")).save(path)
    before = path.read_bytes()
    with pytest.raises(ModelFileError):
        replace(model(labels=("a", "b", "c")), **change).save(path)
    assert path.read_bytes() == before


def test_a_model_with_numbers_that_are_none_is_not_saved(tmp_path: Path) -> None:
    made = model()
    dict(flatten(made.params))["output/bias"][0] = np.nan
    with pytest.raises(ModelFileError, match="output/bias"):
        made.save(tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "record",
    [
        {"epochs": [1]},
        {"epochs": 1},
        {"epochs": [{"epoch": 1}]},
        {"epochs": [{"epoch": 1, "loss": "x", "validation_loss": None, "validation_accuracy": None, "best": True}]},
        {"baselines": [0.5]},
        {"baselines": {"majority": "x", "bag_of_words": 0.5}},
        {"baselines": {"bag_of_words": 10**400}},
        {"epochs": [{"epoch": 1, "loss": -(10**400), "validation_loss": 1, "validation_accuracy": None, "best": True}]},
        {"epochs": [{"epoch": 2, "loss": 1, "validation_loss": 1, "validation_accuracy": None, "best": True}]},
        {"epochs": [{"epoch": 1, "loss": 1e308, "validation_loss": 1, "validation_accuracy": None, "best": True}]},
        {"epochs": [{"epoch": 1, "loss": 1, "validation_loss": 1, "validation_accuracy": 1.5, "best": True}]},
        *({"best_epoch": value} for value in ("x", [1], 1, 0, -1, True, 1.0, int("9" * 60))),
        *({"rows": value} for value in ("x", -1, 1.5, int("9" * 60), [])),
        *({"label_rows": value} for value in ([1], {"a": -1}, {"a": "x"}, None)),
        *({"data": 5}, {"more": 1}, {"baselines": None}, {"validation_rows": "x"}),
    ],
)
def test_a_record_that_could_not_be_shown_is_refused(record: dict[str, object]) -> None:
    """`inspect` would stumble over it."""
    with pytest.raises(schema.Wrong):
        schema.read(Record, record)


@pytest.mark.parametrize("name", MODELS)
def test_parameters_with_which_nothing_can_be_computed_are_neither_saved_nor_loaded(name: str, tmp_path: Path) -> None:
    """Just below the bound each model answers without an overflow; beyond it, there would be NaN or worse."""
    made, path = MODELS[name](), tmp_path / "m.safetensors"
    arrays = dict(flatten(made.params))
    for sign in (1, -1):
        large = {
            tensor: np.resize(np.array([sign, -sign, 0.5]) * 0.99 * LARGEST, array.shape).astype(array.dtype)
            for tensor, array in arrays.items()
        }
        made.with_params(nest(large)).save(path)
        loaded = Model.load(path)
        assert "nan" not in repr(loaded.predict([loaded.example]))
        for tensor, array in large.items():
            beyond = array.copy()
            beyond.flat[-1] = sign * 1.01 * LARGEST
            with pytest.raises(ModelFileError, match=rf"tensor '{tensor}' holds a value beyond 1e\+15"):
                made.with_params(nest({**large, tensor: beyond})).save(path)
