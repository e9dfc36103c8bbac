"""The same series in every writing that people have: the same model, to the bit, and every command reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from series_files import OF_ONE_NUMBER, OF_SEVERAL, nested_json, waves

import rnncli
from rnncli.errors import DataError
from rnncli.tasks.model import Model

SETTINGS: dict[str, Any] = {"epochs": 2, "hidden": 4, "lr": 0.02, "seed": 3}
ONE = waves(27, (6, 12), 1, 3, seed=1)
SEVERAL = waves(24, (8, 10), 2, 2, seed=2)


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnncli.core.threads.available_cores", lambda: 1)


def trained(path: Path) -> Model:
    return rnncli.train(path, runs=path.parent / "runs", **SETTINGS)


def same_numbers(one: Any, other: Any) -> bool:
    """Whether parameters are equal to the bit."""
    if isinstance(one, np.ndarray):
        return one.tobytes() == other.tobytes()
    return one.keys() == other.keys() and all(same_numbers(value, other[name]) for name, value in one.items())


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Model, list[Any]]]:
    """The models that JSON lines train, and what each predicts of its own file."""
    folder = tmp_path_factory.mktemp("json")
    found = {}
    for name, series in (("one", ONE), ("several", SEVERAL)):
        path = folder / f"{name}.jsonl"
        path.write_text(nested_json(series))
        model = trained(path)
        found[name] = model, list(rnncli.predict(path, model))
    return found


CASES = [("one", name) for name in OF_ONE_NUMBER] + [("several", name) for name in OF_SEVERAL]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_writing_trains_the_same_model_and_is_read_by_it(
    kind: str, name: str, references: dict[str, tuple[Model, list[Any]]], tmp_path: Path
) -> None:
    reference, answers = references[kind]
    writers, series = (OF_ONE_NUMBER, ONE) if kind == "one" else (OF_SEVERAL, SEVERAL)
    path = tmp_path / name
    path.write_text(writers[name](series))
    model = trained(path)
    assert same_numbers(model.params, reference.params)
    saved = Model.load(model.save(tmp_path / "model.safetensors") or tmp_path / "model.safetensors")
    predicted = rnncli.predict(path, saved)
    assert [answer.probabilities for answer in predicted] == [answer.probabilities for answer in answers]
    right = sum(answer.label == one.label for answer, one in zip(answers, series, strict=True))
    assert rnncli.evaluate(path, saved).scores.accuracy == right / len(series)


def test_a_folder_for_each_label_and_a_file_for_each_series(
    references: dict[str, tuple[Model, list[Any]]], tmp_path: Path
) -> None:
    by_label = sorted(SEVERAL, key=lambda one: one.label)
    for at, one in enumerate(by_label):
        folder = tmp_path / "data" / one.label
        folder.mkdir(parents=True, exist_ok=True)
        rows = "".join(f"{step},{x},{y}\n" for step, (x, y) in reversed(list(enumerate(one.numbers.tolist()))))
        (folder / f"s{at:02}.csv").write_text(f"time,x,y\n{rows}")
    path = tmp_path / "by-label.jsonl"
    path.write_text(nested_json(by_label))
    model, reference = trained(tmp_path / "data"), trained(path)
    assert same_numbers(model.params, reference.params)
    (alone,) = rnncli.predict(tmp_path / "data" / "1" / "s03.csv", model)  # a file without ids is one series
    assert alone.probabilities == rnncli.predict(path, reference)[3].probabilities
    first, *_ = [one for one in (tmp_path / "data" / "1").iterdir() if one.name == "s00.csv"]
    first.write_text(first.read_text() + "0,1,1\n")
    with pytest.raises(DataError) as caught:
        trained(tmp_path / "data")
    lines = first.read_text().count("\n")
    assert f"s00.csv:{lines}: the sequence" in caught.value.message
    assert f"has the time 0 here and on line {lines - 1}" in caught.value.message
    with pytest.raises(DataError) as caught:
        rnncli.train(list((tmp_path / "data" / "2").iterdir()), runs=tmp_path / "runs")
    assert "without a label teaches nothing: put the files of each label into a folder" in str(caught.value.hint)
    table = tmp_path / "long.csv"
    table.write_text("id,time,x\n" + "".join(f"{k // 9},{k % 9},{k}.5\n" for k in range(36)))
    with pytest.raises(DataError) as caught:
        rnncli.train(table, runs=tmp_path / "runs")
    assert caught.value.hint == (
        f"To predict the next values of one: rnncli train {table} --task forecast --id id --label x. "
        "To learn a label of each series, add a column that holds it"
    )


def test_a_file_of_fewer_timesteps_or_without_labels_and_ids_is_read(tmp_path: Path) -> None:
    for name, write in (("ids.csv", OF_ONE_NUMBER["ids.csv"]), ("ucr.tsv", OF_ONE_NUMBER["ucr.tsv"])):
        path, mark = tmp_path / name, "\t" if name.endswith("tsv") else ","
        path.write_text(write(ONE))
        model = trained(path)
        expected = [answer.probabilities for answer in rnncli.predict(path, model)]
        lines = [line.split(mark) for line in path.read_text().splitlines()]
        bare = [line[1:-1] if name == "ids.csv" else line[1:] for line in lines]
        path.write_text("".join(mark.join(line) + "\n" for line in bare))
        assert [answer.probabilities for answer in rnncli.predict(path, model)] == expected
        path.write_text("".join(mark.join(line[:9]) + "\n" for line in bare))
        cut = [answer.tokens for answer in rnncli.predict(path, model)]
        assert cut == [min(9, len(one.numbers)) for one in ONE]


def test_a_model_fills_gaps_as_it_was_trained_to(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    lines = OF_ONE_NUMBER["wide.csv"](ONE).splitlines()
    first = lines[1].split(",")
    path.write_text("\n".join([lines[0], ",".join([*first[:3], "?", *first[4:]]), *lines[2:]]) + "\n")
    with pytest.raises(DataError, match="is missing, at timestep 3"):
        trained(path)
    model = rnncli.train(path, runs=tmp_path / "runs", missing="interpolate", **SETTINGS)
    saved = tmp_path / "filling.safetensors"
    model.save(saved)
    kept = Model.load(saved)
    whole = ONE[0].numbers[:, 0].tolist()
    filled = [*whole[:2], (whole[1] + whole[3]) / 2, *whole[3:]]
    found = rnncli.predict(path, kept)[0].probabilities
    assert found == rnncli.predict([str(filled)], kept)[0].probabilities
    gap = str([*whole[:2], None, *whole[3:]]).replace("None", "NaN")
    assert rnncli.predict([gap], kept)[0].probabilities == found


def test_the_files_of_an_archive_are_written_alike_each_time() -> None:
    again = waves(27, (6, 12), 1, 3, seed=1)
    assert [one.label for one in again] == [one.label for one in ONE]
    assert all(np.array_equal(one.numbers, other.numbers) for one, other in zip(again, ONE, strict=True))
