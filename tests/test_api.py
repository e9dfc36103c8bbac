"""The Python face: what the commands do, in silence."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from page_examples import MODELS

import rnncli
from rnncli.config import Settings, SettingsDict
from rnncli.data.dataset import Source
from rnncli.data.opening import read_dataset
from rnncli.errors import DataError, RnncliError, StorageError, UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.results import EpochDone, Event, Finished, StepDone
from rnncli.tasks.classify.task import TASK
from rnncli.tasks.model import Model

TINY = {"hidden": 4, "embedding": 3, "batch": 8, "epochs": 2, "validation": 0.25, "min_count": 1}
ROWS = "".join(f"a good film {n},pos\na bad film {n},neg\n" for n in range(12))


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rnncli.core.threads.available_cores", lambda: 1)
    Path("reviews.csv").write_text(f"text,label\n{ROWS}")


def test_train_returns_a_model_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    model = rnncli.train("reviews.csv", cell="gru", **TINY)
    assert isinstance(model, Model)
    assert model.labels == ("neg", "pos")
    assert model.settings.cell == "gru"
    (answer,) = model.predict(["a good film"])
    assert answer.probabilities["neg"] + answer.probabilities["pos"] == pytest.approx(1)
    assert adapter_of(model).trace("a good film").hidden.shape == (3, 8)
    assert capfd.readouterr() == ("", "")


def test_train_and_load_are_the_same_model() -> None:
    model = rnncli.train("reviews.csv", **TINY)
    assert sorted(os.listdir()) == ["reviews.csv", "runs"]
    texts = ["a good film", "what?", ""]
    for path in ("runs/latest", "runs/reviews-1", Path("runs/reviews-1/model.safetensors"), "reviews-1"):
        assert rnncli.load(path).predict(texts) == model.predict(texts)
    assert rnncli.load().record == model.record


def test_equal_calls_are_equal_models() -> None:
    first, second = (rnncli.train("reviews.csv", **TINY, name=name) for name in ("a", "b"))
    assert first.predict(["a good film"]) == second.predict(["a good film"])
    assert Path("runs/a/model.safetensors").read_bytes() == Path("runs/b/model.safetensors").read_bytes()
    other = rnncli.train("reviews.csv", **TINY, seed=1)
    assert other.predict(["a good film"]) != first.predict(["a good film"])


def test_events_are_passed_on() -> None:
    events: list[Event] = []
    rnncli.train("reviews.csv", on_event=events.append, **TINY)
    assert [type(event) for event in events] == [StepDone, StepDone, StepDone, EpochDone] * 2 + [Finished]


def test_how_to_read_the_file(tmp_path: Path) -> None:
    Path("data.txt").write_text(f"id;x\ty\n;\n1\t\n{ROWS.replace(',', chr(9))}", encoding="utf-16")
    model = rnncli.train(
        *("data.txt",),
        text="id;x",
        label="y",
        format="tsv",
        encoding="utf-16",
        skip_bad=True,
        runs="kept",
        **TINY,
    )
    assert model.labels == ("neg", "pos")
    assert model.record.data == "data.txt"
    assert os.listdir("kept/data-1")
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("data", "chosen", "kind", "message"),
    [
        ("reviews.csv", {"hiden": 3}, UsageError, "train has no argument 'hiden'; did you mean 'hidden'?"),
        ("reviews.csv", {"cell": "lstn"}, UsageError, "did you mean 'lstm'?"),
        ("reviews.csv", {"lr": "fast"}, UsageError, "lr must be a number, not 'fast'"),
        ("reviews.csv", {"hidden": 0}, UsageError, "hidden must be at least 1"),
        ("reviews.csv", {"text": "txt"}, DataError, "there is no column 'txt'; did you mean 'text'?"),
        ("reviews.csv", {"name": "../up"}, UsageError, "cannot name a run"),
        ("revews.csv", {}, StorageError, "revews.csv"),
    ],
)
def test_refusals(data: str, chosen: dict[str, Any], kind: type[RnncliError], message: str) -> None:
    with pytest.raises(kind) as caught:
        rnncli.train(data, **(TINY | chosen))
    assert message in caught.value.message
    assert os.listdir() == ["reviews.csv"]


def test_evaluate_takes_a_file_as_well_as_its_records() -> None:
    model = rnncli.train("reviews.csv", **TINY)
    records = read_dataset(Source("reviews.csv"))
    for path in ("reviews.csv", Path("reviews.csv")):
        assert model.evaluate(path) == model.evaluate(records)
    assert model.evaluate("reviews.csv").scores.rows == 24


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda m: m.predict([None]), "input 1 must be a text, not None (NoneType)"),
        (lambda m: m.predict(["a", b"b"]), "input 2 must be a text, not b'b' (bytes)"),
        (lambda m: m.predict(None), "predict takes a list of texts"),
        (lambda m: m.predict("a text"), "predict takes a list of texts"),
        (lambda m: m.predict(7), "predict takes a list of texts"),
        (lambda m: list(m.predict_stream([["a"]])), "input 1 must be a text, not ['a'] (list)"),
        (lambda m: m.evaluate(None), "a path is a text or a pathlib.Path, not None (NoneType)"),
        (lambda m: m.evaluate(["a"]), "a path is a text or a pathlib.Path, not ['a'] (list)"),
        (lambda m: m.evaluate("reviews.csv", worst="x"), "worst is a whole number of at least 0, not 'x' (str)"),
        (lambda m: m.evaluate("reviews.csv", workers=0), "workers is a whole number of at least 1, not 0 (int)"),
        (lambda m: adapter_of(m).trace(7), "an input is a text, not 7 (int)"),
        (lambda m: adapter_of(m).open(b"a"), "an input is a text, not b'a' (bytes)"),
        (lambda m: adapter_of(m).open("a film", 1), "an answer is a text, not 1 (int)"),
        (lambda m: adapter_of(m).question(["a"]), "an input is a text, not ['a'] (list)"),
        (lambda m: adapter_of(m).question("a film", ["pos"]), "an answer is a text, not ['pos'] (list)"),
        (lambda m: m.save(None), "a path is a text or a pathlib.Path, not None (NoneType)"),
        (lambda m: m.save(b"m"), "a path is a text or a pathlib.Path, not b'm' (bytes)"),
        (lambda m: m.load(7), "a path is a text or a pathlib.Path, not 7 (int)"),
        (lambda m: rnncli.load(None), "a path is a text or a pathlib.Path, not None (NoneType)"),
        (lambda m: m.with_options(beam=2), "--beam is not for a model of the task classify"),
    ],
)
def test_arguments_of_another_type_are_named(ask: Callable[[Any], Any], message: str) -> None:
    model = rnncli.train("reviews.csv", **TINY)
    with pytest.raises(UsageError) as caught:
        ask(model)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("data", "chosen", "message"),
    [
        (None, {}, "name the data to train on"),
        (["reviews.csv", 7], {}, "data is a path, or pairs of an input and its label, and number 1 is 'reviews.csv'"),
        ("reviews.csv", {"text": 1}, "text must be a text, not 1 (int)"),
        ("reviews.csv", {"encoding": 7}, "encoding must be a text, not 7 (int)"),
        ("reviews.csv", {"skip_bad": "yes"}, "skip_bad must be true or false, not 'yes' (str)"),
        ("reviews.csv", {"name": 3}, "name must be a text, not 3 (int)"),
        ("reviews.csv", {"runs": None}, "runs must be a text or a path, not None (NoneType)"),
        ("reviews.csv", {"on_event": 3}, "on_event must be a function, not 3 (int)"),
    ],
)
def test_train_names_arguments_of_another_type(data: Any, chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        rnncli.train(data, **(TINY | chosen))
    assert caught.value.message == message
    assert os.listdir() == ["reviews.csv"]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_one_short_line(name: str) -> None:
    said = repr(MODELS[name]())
    assert re.match(rf"<rnncli model, {MODELS[name]().task}: (LSTM|GRU|RNN), [34] units, ", said)
    assert len(said) < 200
    assert said.isprintable()


def test_objects_with_many_rows_are_one_short_line() -> None:
    dataset = read_dataset(Source("reviews.csv"))
    prepared = TASK.prepare(dataset, Settings(min_count=1))
    vocabulary = prepared.untrained.input.vocabulary
    for shown in (dataset, prepared, vocabulary):
        assert len(repr(shown)) < 500
    assert repr(vocabulary) == "Vocabulary(tokens=('a', 'film', ...))"
    assert "inputs=<Texts of 24>, labels=<" in repr(dataset)
    assert "untrained=<ClassifierModel>, train=<Examples of " in repr(prepared)


def test_there_is_nothing_to_load() -> None:
    with pytest.raises(StorageError):
        rnncli.load()
    with pytest.raises(StorageError):
        rnncli.load("reviews.model")


def test_names_of_the_package() -> None:
    assert set(rnncli.__all__) == {
        "compare",
        "describe",
        "evaluate",
        "inspect",
        "list_runs",
        "load",
        "predict",
        "remove_runs",
        "samples",
        "tokenize",
        "train",
    }
    assert rnncli.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        rnncli.trian


# --- the functions behind the commands --------------------------------------------------------------------------------


def test_the_functions_are_seen_and_nothing_is_imported_for_them() -> None:
    assert set(rnncli.__all__) <= set(dir(rnncli))
    for name in rnncli.__all__:
        assert callable(getattr(rnncli, name))


def test_pairs_train_and_score_what_a_file_of_them_does() -> None:
    pairs = [tuple(row.split(",")) for row in ROWS.split("\n")[:-1]]
    of_file = rnncli.train("reviews.csv", **TINY, name="a")
    of_pairs = rnncli.train(pairs, **TINY, name="b")
    assert of_pairs.predict(["a good film"]) == of_file.predict(["a good film"])
    scored = rnncli.evaluate(pairs, of_pairs)
    assert scored.scores == rnncli.evaluate("reviews.csv", "a").scores
    assert repr(scored).startswith(f"<rnncli evaluation: rows {len(pairs)}, accuracy {scored.scores.accuracy:.4f}")
    assert len(repr(scored)) < 200
    tagged = [(["the", f"dog{n % 3}", "ran"], ["D", "N", "V"]) for n in range(24)]
    assert rnncli.train(tagged, **TINY, name="c").task == "tag"
    for wrong in (["reviews.csv", 7], [("a", "b", "c")], [7]):
        with pytest.raises(UsageError, match="data is a path, or pairs of an input and its label, and number 1 is"):
            rnncli.train(wrong, **TINY)
    with pytest.raises(DataError, match="the pairs:2: the label is empty"):
        rnncli.train([("a good film", "pos"), ("bad", " ")], **TINY)


def test_predict_takes_a_text_texts_or_files() -> None:
    model = rnncli.train("reviews.csv", **TINY)
    Path("in.txt").write_text("a good film\nbad\n")
    expected = model.predict(["a good film", "bad"])
    for given in (["a good film", "bad"], Path("in.txt"), "in.txt", [Path("in.txt")]):
        assert rnncli.predict(given, model) == expected
        assert rnncli.predict(given, "reviews-1") == expected
    assert rnncli.predict("bad") == expected[1:]
    assert rnncli.predict(["in.txt"])[0].text == "in.txt"  # in a list they are texts
    seen: list[Any] = []
    assert rnncli.predict(Path("in.txt"), on_prediction=seen.append) == []
    assert seen == expected
    with pytest.raises(UsageError, match="--format says how a file is read"):
        rnncli.predict(["bad"], format="csv")


def test_tokenize_takes_a_text_texts_or_a_file() -> None:
    found = rnncli.tokenize("a good film a")
    assert (found.tokens, found.ids) == (["a", "good", "film", "a"], [0, 1, 2, 0])
    assert repr(found) == "<4 tokens: a good film a>"
    many = rnncli.tokenize(["a good film", "bad"])
    assert (many.rows, many.tokens, many.distinct) == (2, 4, 4)
    assert rnncli.tokenize("reviews.csv") == rnncli.tokenize(Path("reviews.csv"))
    assert repr(many) == "<2 rows, 4 words, 4 distinct>"


def test_inspect_returns_views_by_name() -> None:
    model = rnncli.train("reviews.csv", **TINY)
    found = rnncli.inspect("a good film", gates=True, why=True)
    assert list(found) == ["gates", "why"]
    assert np.shape(found["gates"][0]["values"]["h"]) == (3, 4)
    assert found["why"]["answer_from"] == "the model's own prediction"
    assert repr(found) == "<rnncli inspection of 'a good film': gates, why>"
    assert rnncli.inspect(model=model)["model"]["task"] == "classify"
    assert rnncli.inspect("a good film", model=model).page.text == "a good film"
    diagnosis = rnncli.inspect(doctor="reviews.csv", model=model)["doctor"]
    assert diagnosis["checks"]
    with pytest.raises(UsageError, match=r"inspect has no argument 'gats'; did you mean 'gates'"):
        rnncli.inspect(gats=True)
    with pytest.raises(UsageError, match="--param is for --bptt"):
        rnncli.inspect("a good film", gates=True, param="output/weight")


Q = {"q": 3}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        # An input that the model does not read
        (lambda m: rnncli.inspect(5, why=True, model=m), "sentence must be a text, a path or a list, not 5 (int)"),
        (lambda m: rnncli.inspect(["x"], why=True, model=m), "the input must be a text, not ['x'] (list)"),
        (
            lambda _: rnncli.inspect([[1, 2, 3]], model=MODELS["numbers"]()),
            "the sequence has 3 numbers a timestep, and the model takes 2",
        ),
        (
            lambda _: rnncli.predict([0.0] * 64, MODELS["caption"]()),
            "input 1 must be a text or a list of numbers, not 0.0 (float)",
        ),
        (
            lambda _: rnncli.predict([[math.nan] * 3], MODELS["caption"]()),
            "the input is not a list of numbers: number 1, 'NaN', is not a finite number",
        ),
        (lambda _: rnncli.predict([7], MODELS["tag"]()), "input 1 must be a text or a list of words, not 7 (int)"),
        (
            lambda _: rnncli.predict([["a", b"x"]], MODELS["tag"]()),
            "input 1 must be a text or a list of words, and holds b'x' (bytes)",
        ),
        (
            lambda _: rnncli.inspect([[1, 2], [1, 1j]], model=MODELS["numbers"]()),
            "the input must be a text or a list of numbers, and holds 1j (complex)",
        ),
        # Options of another type, or out of range
        (lambda m: _unit(m, 99), "--activations 99: the units are →0 to ←2"),
        (lambda m: _unit(m, -1), "--activations -1: the units are →0 to ←2"),
        (lambda m: _unit(m, 1.5), "activations must be a text or a whole number, not 1.5 (float)"),
        (lambda m: _unit(m, [0]), "activations must be a text or a whole number, not [0] (list)"),
        (lambda m: _unit(m, True), "activations must be a text or a whole number, not True (bool)"),
        (lambda m: rnncli.inspect(bptt=True, param=5, model=m), "param must be a text, not 5 (int)"),
        (lambda m: rnncli.inspect(why=True, answer=5, model=m), "answer must be a text, not 5 (int)"),
        (lambda m: rnncli.inspect(gates=1, model=m), "gates must be true or false, not 1 (int)"),
        (lambda m: rnncli.inspect(doctor=True, model=m), "doctor must be a text, a path or a list, not True (bool)"),
        (lambda m: rnncli.predict("reviews.csv", m, workers="a"), "workers must be a whole number, not 'a' (str)"),
        (lambda m: rnncli.predict("reviews.csv", m, workers=0), "workers must be at least 1 and at most 64, not 0"),
        (lambda m: rnncli.evaluate("reviews.csv", m, workers=65), "workers must be at least 1 and at most 64, not 65"),
        (lambda m: rnncli.predict(["x"], 5), "model must be a model or the name of one, not 5 (int)"),
        (lambda m: rnncli.predict(["x"], m, on_prediction=5), "on_prediction must be a function, not 5 (int)"),
        (
            lambda _: rnncli.predict(["x"], MODELS["lm"](), temperature=math.nan),
            "temperature must be at least 0 and at most 100, not nan",
        ),
        (lambda _: rnncli.predict(["x"], MODELS["lm"](), seed=-1), "seed must be at least 0, not -1"),
        (lambda m: rnncli.evaluate("reviews.csv", m, mistakes=-1), "mistakes must be at least 0, not -1"),
        (lambda m: rnncli.evaluate("reviews.csv", m, note="x"), "note must be a function, not 'x' (str)"),
        (lambda _: rnncli.train("reviews.csv", config=5), "config must be a text or a path, not 5 (int)"),
        (lambda _: rnncli.train("reviews.csv", **TINY, inject="every"), "--inject decides nothing in a model of"),
        (lambda _: rnncli.train("reviews.csv", **TINY, momentum=0.5), "--momentum is for --optimizer momentum"),
        # Unknown names
        (lambda m: rnncli.predict("reviews.csv", m, **Q), "predict has no argument 'q'"),
        (lambda m: rnncli.predict(["x"], m, **Q), "predict has no argument 'q'"),
        (lambda m: rnncli.evaluate("reviews.csv", m, **Q), "evaluate has no argument 'q'"),
        (lambda _: rnncli.tokenize("reviews.csv", **Q), "tokenize has no argument 'q'"),
        (lambda _: rnncli.tokenize("a text", tokns="char"), "tokenize has no argument 'tokns'; did you mean 'tokens'?"),
        # What is no text, no file and no pair
        (lambda _: rnncli.tokenize(5), "source must be a text, a path or a list, not 5 (int)"),
        (lambda _: rnncli.tokenize(None), "source must be a text, a path or a list, not None (NoneType)"),
        (lambda _: rnncli.tokenize(b"abc"), "source must be a text, a path or a list, not b'abc' (bytes)"),
        (
            lambda _: rnncli.tokenize(["a", None]),
            "source must be a list of texts, or of lists of words, and number 2 is None (NoneType)",
        ),
        (lambda _: rnncli.tokenize([1, 2]), "source must be a list of texts, or of lists of words, and number 1 is 1"),
        (
            lambda _: rnncli.train([(1, "a")]),
            "an input is a text, or a list of words or of numbers, and that of pair 1",
        ),
        (
            lambda m: rnncli.evaluate([("x", "pos"), (None, "a")], m),
            "an input is a text, or a list of words or of numbers, and that of pair 2 is None (NoneType)",
        ),
        (
            lambda _: rnncli.train([(b"a", "x")] * 5),
            "an input is a text, or a list of words or of numbers, and that of pair 1 is b'a' (bytes)",
        ),
        (
            lambda _: rnncli.train([("a", b"x")] * 5),
            "a label is a text, a number or a list of tags, and that of pair 1 is b'x' (bytes)",
        ),
        (lambda _: rnncli.train([([b"a"], "x")] * 5), "pair 1 holds what is neither a text nor a number"),
        (lambda _: rnncli.train([]), "the pairs: no records"),
        (lambda m: rnncli.evaluate([], m), "the pairs: no records"),
        (lambda _: rnncli.train([("a b", None)]), "the pairs:1: the value of 'label' is null"),
        (lambda _: rnncli.train(""), "the name of the file is empty"),
        (lambda m: rnncli.evaluate("", m), "the name of the file is empty"),
    ],
)
def test_what_a_command_refuses_its_function_refuses(ask: Callable[[Any], Any], message: str) -> None:
    model = MODELS["classify"]()
    with pytest.raises(RnncliError) as caught:
        ask(model)
    assert caught.value.message.startswith(message)
    assert os.listdir() == ["reviews.csv"]


def _unit(model: Model, unit: Any) -> Any:
    return rnncli.inspect(activations=unit, data="reviews.csv", model=model)


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("numbers", [[1, 2], [3, 4]], "[[1,2],[3,4]]"),
        ("numbers", np.array([[1, 2], [3, 4.5]]), "[[1,2],[3,4.5]]"),
        ("numbers", ((1, 2), (3, 4)), "[[1,2],[3,4]]"),
        ("numbers", [np.array([1, 2]), np.float32([3, 4])], "[[1,2],[3,4]]"),
        ("tag", ["The", "film"], '["The", "film"]'),
        ("tag", ("The", "film"), '["The", "film"]'),
        ("tag", np.array(["The", "film"]), '["The", "film"]'),
        ("caption", (1, 2, 3), "1, 2, 3"),
    ],
)
def test_inspect_takes_an_input_as_predict_does(name: str, given: Any, text: str) -> None:
    model = MODELS[name]()
    answers = rnncli.predict([given, text], model)
    assert replace(answers[0], text=text) == answers[1]
    of_value, of_text = (rnncli.inspect(one, model=model, timesteps=True) for one in (given, text))
    assert repr(of_value["timesteps"]) == repr(of_text["timesteps"])


def test_a_unit_is_its_number_or_its_name() -> None:
    model = MODELS["classify"]()
    first, *others = (_unit(model, unit)["activations"] for unit in (1, np.int64(1), "1", "→1"))
    assert all(repr(other) == repr(first) for other in others)


def test_auto_is_what_the_help_gives_as_default() -> None:
    of_auto, of_none = (
        rnncli.train("reviews.csv", **(TINY | {"epochs": 1}), patience=given, tokens="auto") for given in ("auto", None)
    )
    assert of_auto.settings == of_none.settings
    with pytest.raises(UsageError, match="hidden must be a whole number, not 'auto'"):
        rnncli.train("reviews.csv", hidden="auto")


def test_the_types_of_settings_are_those_of_the_settings() -> None:
    hints, typed = get_type_hints(Settings), get_type_hints(SettingsDict)
    assert typed == hints | {"task": str}


def test_a_type_checker_refuses_what_is_no_setting(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api")
    program = tmp_path / "program.py"
    program.write_text(
        "import rnncli\n"
        'rnncli.train("a.csv", cell="gru", epochs=3, label="y")\n'
        'rnncli.train([("so good", "pos")], cell="gruu")\n'
        'rnncli.train("a.csv", hiden=8)\n'
        'rnncli.evaluate("a.csv", "latest", skip_bad="yes")\n'
        'rnncli.inspect("so good", gates=True)["gates"]\n'
        'rnncli.inspect("so good", gats=True)\n'
        'rnncli.inspect(activations=[5], data="a.csv")\n'
    )
    said, _, code = api.run(["--no-error-summary", "--cache-dir", os.devnull, str(program)])
    lines = [line.split(": ", 2)[0].rpartition(":")[2] for line in said.splitlines() if ": error: " in line]
    assert (lines, code) == (["3", "4", "5", "7", "8"], 1), said
