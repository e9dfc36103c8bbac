"""Numbers are read in one way wherever they stand: every place, every odd number, every command."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.data.dataset import Source
from rnncli.data.formats.numbers import exact_number, finite_number, is_number
from rnncli.data.formats.values import parsed, sequence
from rnncli.data.opening import read_dataset
from rnncli.errors import DataError
from rnncli.tasks.inputs import FURTHEST, NumberInput
from rnncli.tasks.model import Model

LONG, LONGER = "1" + "0" * 400, "1" + "0" * 5000
LARGEST = float(np.finfo(np.float64).max)

READ = {
    "5e-324": 5e-324,
    "1e-310": 1e-310,
    "1e-45": 1e-45,
    "3.5e38": 3.5e38,
    "1e300": 1e300,
    "-1e300": -1e300,
    "1.7e308": 1.7e308,
    " 1 ": 1.0,
    "１２": 12.0,
    ".5": 0.5,
    "2.": 2.0,
    "0" * 1900 + "7": 7.0,
    f"{5e-324:.1074f}": 5e-324,
}
NO_FINITE = ("1e400", "-1e400", LONG, LONGER)
ABSURD = "0" * 5000 + "7"  # a finite number, written as no program writes one
NO_NUMBER = ("nan", "inf", "-Infinity", "1_000", "0x10", "", " ", "1,5", "²", "1 2", "e5", ".", "1e", "--1")


def test_a_number_is_a_number() -> None:
    for text, value in READ.items():
        assert is_number(text)
        assert finite_number(text) == value
    for text in (*NO_FINITE, ABSURD):
        assert is_number(text)
        assert finite_number(text) is None
    for text in NO_NUMBER:
        assert not is_number(text)
        assert finite_number(text) is None


def test_a_whole_number_keeps_its_digits() -> None:
    assert exact_number("9007199254740993") == 2**53 + 1
    assert exact_number("-" + "0" * 1500 + "9007199254740993") == -(2**53) - 1
    assert exact_number("０" * 1500 + "９") == 9
    assert exact_number("1e3") == 1000.0


def test_whole_numbers_of_any_length_are_read_from_json() -> None:
    assert parsed(f"[1, {LONG}, {LONGER}, 2.5]") == [1.0, np.inf, np.inf, 2.5]
    assert sequence([1, int(LONG[:300])]).tolist() == [1.0, 1e299]
    assert parsed("[" * 100_000) is None


@pytest.mark.parametrize("number", [*NO_FINITE, "Infinity"])
def test_a_sequence_says_where_a_number_is_not_finite(number: str) -> None:
    with pytest.raises(ValueError, match=r"^has a number that is not finite, at timestep 2, place 1$"):
        sequence(f"[[1, 2], [{number}, 4]]")
    with pytest.raises(ValueError, match=r"^has a number that is not finite, at timestep 3$"):
        sequence(f"[1, 2, {number}]")


COLUMNS = {
    "ordinary": [1.0, 2.0, 4.0],
    "large": [1e300, -1e300, 5e299],
    "the largest": [LARGEST, -LARGEST, LARGEST],
    "the smallest": [0.0, 5e-324, 5e-324],
    "tiny": [1e-310, 2e-310, 4e-310],
    "one that sticks out": [1.0, 2.0, 1.7e308],
    "constant": [0.1, 0.1, 0.1],
    "constant and large": [1.7e308, 1.7e308, 1.7e308],
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS.keys())
def test_columns_of_any_size_are_standardised(column: list[float]) -> None:
    values = np.array(column)[:, None]
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        made, _ = NumberInput.of(values)
        standardised = made.standardised(values)[:, 0]
    assert np.isfinite([made.mean[0], made.spread[0]]).all()
    assert made.spread[0] > 0
    if len(set(column)) == 1:
        assert standardised.tolist() == [0, 0, 0]
        return
    if max(map(abs, column)) < np.finfo(np.float64).tiny:  # no spread is smaller, so that one can divide by it
        assert np.abs(standardised).max() < 1
        return
    scale = max(map(abs, column))
    scaled = np.array([value / scale for value in column], np.longdouble)
    expected = (scaled - scaled.mean()) / scaled.std()
    np.testing.assert_allclose(standardised, expected.astype(float), rtol=1e-12)


def test_ordinary_columns_have_numpys_own_figures_to_the_bit() -> None:
    values = np.random.default_rng(0).standard_normal((1000, 3)) * [1e-6, 1, 1e6] + [0, 5, -1e7]
    made, _ = NumberInput.of(values)
    assert made.mean.tolist() == values.mean(axis=0).tolist()
    assert made.spread.tolist() == values.std(axis=0).tolist()
    assert made.standardised(values).tolist() == ((values - values.mean(axis=0)) / values.std(axis=0)).tolist()


def test_what_has_nothing_to_do_with_the_training_data_is_refused() -> None:
    made, _ = NumberInput.of(np.array([[0.0, 1.0], [2.0, 3.0]]))
    assert np.isfinite(made.standardised(np.array([[FURTHEST, 1.0]])).astype(np.float32)).all()
    for number in (1e13, -1e300, LARGEST):
        with pytest.raises(ValueError, match=r"^has the number .* at timestep 2, place 2, which has nothing to do"):
            made.standardised(np.array([[0.0, 1.0], [0.0, number]]))


# Where a number may stand: the file's name, and its text with "?" in its place, on the third line of data or later.
def _sequences(number: str) -> str:
    return "".join(
        f'{{"sequence": [[{number if k == 7 else k % 3}, {k}], [1, 1]], "label": "{"ab"[k % 2]}"}}\n' for k in range(40)
    )


def _long_form(number: str) -> str:
    rows = "".join(
        f"{k},{t},{number if (k, t) == (7, 1) else k % 3 + t},{'ab'[k % 2]}\n" for k in range(40) for t in (0, 1)
    )
    return f"id,time,a,label\n{rows}"


def _caption(number: str) -> str:
    return "a,b,text\n" + "".join(f"{number if k == 7 else k % 5},{k},say {k % 4}\n" for k in range(40))


PLACES: dict[str, tuple[str, Callable[[str], str], int]] = {
    "sequence": ("data.jsonl", _sequences, 8),
    "long form": ("data.csv", _long_form, 17),
    "caption": ("data.csv", _caption, 9),
}
TRAINED = ("5e-324", "1e-310", "1e-45", "3.5e38", "1e300", "-1e300", "1.7e308")


@pytest.mark.parametrize("number", TRAINED)
@pytest.mark.parametrize("place", PLACES)
def test_a_finite_number_is_trained_on_and_what_is_saved_is_loaded(tmp_path: Path, place: str, number: str) -> None:
    name, text, _ = PLACES[place]
    (tmp_path / name).write_text(text(number))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = rnncli.train(tmp_path / name, runs=tmp_path / "runs", epochs=1, hidden=4, validation=0)
        loaded = Model.load(tmp_path / "runs" / "latest" / "model.safetensors")
        scores = loaded.evaluate(read_dataset(Source(str(tmp_path / name)), reads=loaded.reads))
    assert loaded.predict([model.example]) == model.predict([model.example])
    assert "nan" not in repr(scores)


@pytest.mark.parametrize("number", NO_FINITE)
@pytest.mark.parametrize("place", PLACES)
def test_any_other_number_is_refused_with_its_line(tmp_path: Path, place: str, number: str) -> None:
    name, text, line = PLACES[place]
    path = tmp_path / name
    path.write_text(text(number))
    with pytest.raises(DataError) as caught:
        rnncli.train(path, runs=tmp_path / "runs", epochs=1, hidden=4)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert len(caught.value.message) < 300
    rnncli.train(path, runs=tmp_path / "runs", epochs=0, hidden=4, skip_bad=True)


def test_a_number_out_of_all_bounds_among_the_validation_rows_is_refused_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    problems = set()
    for seed in range(6):
        path.write_text(_sequences("1e300"))
        try:
            rnncli.train(path, runs=tmp_path / "runs", epochs=0, hidden=4, validation=0.5, seed=seed)
        except DataError as error:
            problems.add(error.message.split(" (mean")[0])
            rnncli.train(path, runs=tmp_path / "runs", epochs=0, hidden=4, validation=0.5, seed=seed, skip_bad=True)
    (problem,) = problems  # in some of the splits, and always the same
    assert problem.startswith(f"{path}:8: the sequence has the number 1e+300 at timestep 1, place 1, which has nothing")


def test_what_is_predicted_is_finite_or_refused(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text(_sequences("1"))
    (tmp_path / "data.csv").write_text(_caption("1"))
    numbers = rnncli.train(tmp_path / "data.jsonl", runs=tmp_path / "a", epochs=1, hidden=4)
    caption = rnncli.train(tmp_path / "data.csv", runs=tmp_path / "b", epochs=1, hidden=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in ("1e11", "5e-324", "-1e11"):
            assert np.isfinite(numbers.predict([f"[[{text}, 0]]"])[0].probability)
            assert np.isfinite(caption.predict([f"{text} 0"])[0].probability)
        for text in ("3.5e38", "1e300", "-1.7e308", *NO_FINITE):
            with pytest.raises(DataError):
                numbers.predict([f"[[{text}, 0]]"])
            with pytest.raises(DataError):
                caption.predict([f"{text} 0"])
        for text in ("nan", "inf", "1_000", "0x10"):
            with pytest.raises(DataError, match="not a list of numbers"):
                caption.predict([f"{text} 0"])


@pytest.mark.parametrize("number", ["nan", "inf", "1_000", "0x10", "1e400", "1e300", LONG, LONGER])
def test_word_vectors_are_finite(tmp_path: Path, number: str) -> None:
    from rnncli.data.text.word_vectors import read_vectors

    (tmp_path / "v.txt").write_text(f"good 1 2\nbad {number} 2\n")
    with pytest.raises(DataError, match=r"v\.txt:2: a vector holds"):
        read_vectors(str(tmp_path / "v.txt"), {"bad"})


def test_arrays_of_every_kind_are_read(tmp_path: Path) -> None:
    from rnncli.data.formats.npy import read_vector

    for kind in ("f2", "f4", "f8", "g", "i1", "i8", "u8", "?"):
        values = np.array([0, 1, 1], kind)
        np.save(tmp_path / "a.npy", values)
        assert read_vector(str(tmp_path / "a.npy")).numbers.astype(float).tolist() == [0, 1, 1]
    np.save(tmp_path / "a.npy", np.array([np.iinfo(np.uint64).max, 0], np.uint64))
    assert read_vector(str(tmp_path / "a.npy")).numbers.astype(float).tolist() == [2.0**64, 0]
