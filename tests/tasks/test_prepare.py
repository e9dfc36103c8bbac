"""From labelled texts to encoded examples: every number of the report by hand."""

from __future__ import annotations

import os
import re
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.config import Settings
from rnncli.data.dataset import Dataset, Source
from rnncli.data.records import Texts
from rnncli.errors import DataError, UsageError
from rnncli.tasks.classify.task import TASK
from rnncli.tasks.inputs import shorten

SMALL = {"hidden": 4, "embedding": 3}
FOUR = [("a a b", "x"), ("A b c d e", "x"), ("b", "x"), ("a, c", "y")]


def dataset(rows: list[tuple[str, str]], skipped: tuple[str, ...] = ()) -> Dataset:
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    lines = list(range(2, len(rows) + 2))
    return Dataset(Source("r.csv", "text", "label"), "", Texts(texts), Texts(labels), lines, "", len(skipped), skipped)


def settings(**chosen: Any) -> Settings:
    return Settings(**(SMALL | {"validation": 0.0, "tokens": "word"} | chosen))


def balanced(count: int) -> list[tuple[str, str]]:
    """So many different texts, by turns of two labels."""
    return [(f"text number {n} of {count} texts", "ab"[n % 2]) for n in range(count)]


# The report


def test_the_report_by_hand() -> None:
    prepared = TASK.prepare(dataset(FOUR), settings())
    report = prepared.report
    assert (report.rows, report.training_rows, report.validation_rows) == (4, 4, 0)
    assert report.label_rows == {"x": 3, "y": 1}
    assert list(report.label_rows) == ["x", "y"]
    assert report.figures["lengths"] == (1, 3, 5)
    assert report.figures["words"] == 12
    assert report.figures["cut"] == 0
    assert (report.figures["vocabulary"], report.figures["distinct_tokens"]) == (3, 6)
    assert report.figures["unknown_rate"] == 3 / 12  # d, e and the comma stand there once
    assert report.figures["on_both_sides"] == 0
    assert report.figures["tokens"] == "word"
    assert prepared.untrained.input.vocabulary.tokens == ("a", "b", "c")
    assert prepared.untrained.labels == ("x", "y")
    assert [ids.tolist() for ids in prepared.train.inputs] == [[0, 0, 1], [0, 1, 2, 3, 3], [1], [0, 3, 2]]
    assert prepared.train.targets.tolist() == [0, 0, 0, 1]
    assert prepared.train.weights is None
    assert prepared.validation.inputs == []
    assert prepared.network.shapes()["embedding/weight"] == (4, 3)


def test_long_texts_are_cut_and_counted() -> None:
    prepared = TASK.prepare(dataset(FOUR), settings(max_length=4))
    assert prepared.report.figures["cut"] == 1
    assert prepared.report.figures["lengths"] == (1, 3, 5)
    assert prepared.report.figures["unknown_rate"] == 3 / 11
    assert prepared.train.inputs[1].tolist() == [0, 2, 3, 3]  # without the second of five


def test_the_vocabulary_is_that_of_the_training_rows() -> None:
    rows = balanced(40)
    prepared = TASK.prepare(dataset(rows), settings(validation=0.25, min_count=1))
    report = prepared.report
    assert (report.training_rows, report.validation_rows) == (30, 10)
    # "text", "number", "of", "40", "texts" and the numbers of the 30 training texts, one of which is the 40 there is.
    assert report.figures["distinct_tokens"] == report.figures["vocabulary"] == 35
    assert report.figures["unknown_rate"] == 10 / 60
    again = TASK.prepare(dataset(rows), settings(validation=0.25, min_count=1))
    assert again.report == report
    assert (
        TASK.prepare(dataset(rows), settings(validation=0.25, min_count=1, seed=1)).untrained.input.vocabulary
        != prepared.untrained.input.vocabulary
    )


def test_texts_on_both_sides_are_counted_once_each() -> None:
    rows = balanced(20) + [("the same good text", "a"), ("the same bad text", "b")] * 20
    report = TASK.prepare(dataset(rows), settings(validation=0.5, min_count=1)).report
    assert report.figures["on_both_sides"] == 2


def test_texts_that_differ_where_nothing_is_read_are_two_texts() -> None:
    """An unknown word, and the middle of a long text: equal as the network sees them, and still not the same."""
    names = [f"name{n}" for n in range(40)]
    rows = [(f"dear {name} and much more than is read of it", "ab"[n % 2]) for n, name in enumerate(names)]
    prepared = TASK.prepare(dataset(rows), settings(validation=0.5, max_length=4))
    assert {ids.tobytes() for ids in prepared.train.inputs} == {ids.tobytes() for ids in prepared.validation.inputs}
    assert prepared.report.figures["on_both_sides"] == 0


def test_texts_without_words_are_left_out_where_bad_records_are() -> None:
    rows = dataset([*FOUR[:2], ("<br>", "z"), *FOUR[2:]])
    prepared = TASK.prepare(replace(rows, source=Source("r.csv", "text", "label", skip_bad=True)), settings())
    expected = TASK.prepare(dataset(FOUR), settings())
    assert prepared.untrained.labels == ("x", "y")
    assert [ids.tolist() for ids in prepared.train.inputs] == [ids.tolist() for ids in expected.train.inputs]
    assert prepared.train.targets.tolist() == expected.train.targets.tolist()
    assert prepared.report.rows == 4
    assert prepared.report.warnings[-1] == "1 bad record was left out: r.csv:4: the text has no words"


def test_a_vocabulary_has_a_largest_size() -> None:
    prepared = TASK.prepare(dataset(FOUR), settings(min_count=1, max_vocabulary=2))
    assert prepared.untrained.input.vocabulary.tokens == ("a", "b")
    assert [ids.tolist() for ids in prepared.train.inputs] == [[0, 0, 1], [0, 1, 2, 2, 2], [1], [0, 2, 2]]
    # A bag of words, which every word more helps, has them all.
    whole_train, _, whole_size, _ = prepared.baselines.args
    assert [ids.tolist() for ids in whole_train.inputs] == [[0, 0, 1], [0, 1, 2, 4, 5], [1], [0, 3, 2]]
    assert whole_size == 7
    assert prepared.report.figures["distinct_tokens"] == 6
    assert prepared.report.figures["unknown_rate"] == 5 / 12


@pytest.mark.parametrize(
    ("rows", "chosen", "warning"),
    [
        ([("a b", "pos"), ("c d", "pos ")], {}, "labels 'pos' and 'pos ' are counted as two"),
        (FOUR, {}, "the commonest has 3 times the rows of the rarest"),
        (FOUR, {"class_weights": "balanced"}, None),
        (FOUR[1:], {}, None),  # two to one
    ],
)
def test_warnings(rows: list[tuple[str, str]], chosen: dict[str, Any], warning: str | None) -> None:
    found = TASK.prepare(dataset(rows), settings(**chosen)).report.warnings
    assert len(found) == (warning is not None)
    assert all(str(warning) in sentence for sentence in found)


def test_records_left_out_are_told() -> None:
    report = TASK.prepare(dataset(FOUR[1:], skipped=("r.csv:9: the text is empty",) * 2), settings()).report
    assert report.warnings == ("2 bad records were left out, the first: r.csv:9: the text is empty",)


# The example


@pytest.mark.parametrize(
    ("lengths", "chosen"),
    [([4, 13, 12, 5], 2), ([1, 4, 20], 1), ([2, 14, 30], 0), ([7], 0)],
)
def test_the_example_is_a_short_text(lengths: list[int], chosen: int) -> None:
    rows = [("w" + " w" * (length - 1), "ab"[n % 2]) for n, length in enumerate([*lengths, 30])]
    assert TASK.prepare(dataset(rows), settings()).untrained.example == rows[chosen][0]


def test_the_example_is_one_the_training_has_not_seen() -> None:
    rows = balanced(20)
    prepared = TASK.prepare(dataset(rows), settings(validation=0.2, min_count=1))
    assert [prepared.untrained.example] == [text for text, _ in rows if text == prepared.untrained.example]
    ids = prepared.untrained.input.vocabulary.encode(
        prepared.untrained.input.tokenizer.tokens(prepared.untrained.example)
    )
    assert any(np.array_equal(ids, seen) for seen in prepared.validation.inputs)


# Weights


@pytest.mark.parametrize(
    ("class_weights", "weights"),
    [("balanced", [2 / 3, 2 / 3, 2 / 3, 2]), ("sqrt", [0.845299, 0.845299, 0.845299, 1.464102])],
)
def test_class_weights_by_hand(class_weights: str, weights: list[float]) -> None:
    found = TASK.prepare(dataset(FOUR), settings(class_weights=class_weights)).train.weights
    assert found is not None
    assert found.tolist() == pytest.approx(weights, abs=1e-6)


@given(st.lists(st.integers(2, 12), min_size=2, max_size=4), st.sampled_from(["balanced", "sqrt"]))
def test_class_weights_have_mean_1_over_the_training_rows(counts: list[int], class_weights: str) -> None:
    rows = [("a text", f"label {k}") for k, count in enumerate(counts) for _ in range(count)]
    prepared = TASK.prepare(dataset(rows), settings(class_weights=class_weights, validation=0.3))
    train, validation = prepared.train, prepared.validation
    assert train.weights is not None
    assert validation.weights is not None
    assert train.weights.mean() == pytest.approx(1)
    counted = np.bincount(train.targets)
    by_label = np.bincount(train.targets, train.weights) / counted
    expected = counted ** (-1.0 if class_weights == "balanced" else -0.5)
    assert np.allclose(by_label / by_label[0], expected / expected[0])
    of_label = dict(zip(train.targets.tolist(), train.weights.tolist(), strict=True))
    assert [of_label[target] for target in validation.targets.tolist()] == validation.weights.tolist()


# Refusals


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a b", "x")], "r.csv: a classifier needs at least 2 records, and this file has 1"),
        ([("a b", "x")] * 9, "r.csv: a classifier needs at least 2 labels, and every record here is 'x'"),
        ([(f"text {n}", f"label {n}") for n in range(60)], "column 'label' has 60 different labels in 60 records"),
        ([("a b", "x"), ("c d", "y"), ("<br /> ", "x")], "r.csv:4: the text has no words"),
    ],
)
def test_rows_that_cannot_train_a_classifier(rows: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(DataError) as caught:
        TASK.prepare(dataset(rows), settings())
    assert message in caught.value.message


def test_many_labels_may_be_texts_to_be_generated() -> None:
    with pytest.raises(DataError) as caught:
        TASK.prepare(dataset([(f"text {n}", f"label {n}") for n in range(60)]), settings())
    hint = "name the label's column with --label; if it holds texts to be generated, say --task seq2seq"
    assert caught.value.hint == hint


@pytest.mark.parametrize("share", [0.01, 0.05, 0.07, 0.1, 0.2, 0.25, 0.3, 0.45, 0.5, 0.6, 0.9])
def test_the_number_of_rows_that_validation_needs(share: float) -> None:
    """The number in the message is enough, and one row less is not."""

    def rows(count: int) -> Dataset:
        return dataset([("one text", "a")] * count + [("another text", "b")])

    with pytest.raises(DataError, match="too few to set") as caught:
        TASK.prepare(rows(1), settings(validation=share))
    needed = int(re.findall(r"needs at least (\d+)", caught.value.message)[0])
    assert needed == max(2, int(np.ceil(0.5 / share)))
    assert TASK.prepare(rows(needed), settings(validation=share)).report.validation_rows == 1
    with pytest.raises(DataError, match="too few to set"):
        TASK.prepare(rows(needed - 1), settings(validation=share))


@pytest.mark.parametrize(
    "chosen", [{"hidden": 60_000}, {"hidden": 9_000, "layers": 16}, {"batch": 1_000_000, "hidden": 400}]
)
def test_what_cannot_fit_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any]) -> None:
    pages = {"SC_PHYS_PAGES": 2**21, "SC_PAGE_SIZE": 2**12}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    rows = dataset(balanced(20))
    tracemalloc.start()
    with pytest.raises(UsageError) as caught:
        TASK.prepare(rows, settings(**chosen))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
    assert "there is room for 8.0 GiB" in caught.value.message
    assert float(re.findall(r"about ([\d,.]+) GiB", caught.value.message)[0].replace(",", "")) >= 8
    assert "--hidden" in str(caught.value.hint)
    assert TASK.prepare(rows, settings()).report.rows == 20


# Words or characters


@pytest.mark.parametrize(
    ("asked", "texts", "unit"),
    [
        ("auto", ["Anna", "Bert", "Carl"], "char"),
        ("auto", ["a name", "two words", "so many"], "word"),
        ("word", ["Anna", "Bert", "Carl"], "word"),
        ("char", ["a name", "two words", "so many"], "char"),
    ],
)
def test_words_or_characters(asked: str, texts: list[str], unit: str) -> None:
    rows = [(text, "ab"[n % 2]) for n, text in enumerate(texts)]
    prepared = TASK.prepare(dataset(rows), settings(tokens=asked, lowercase=False))
    assert prepared.untrained.input.tokenizer.unit == prepared.settings.tokens == unit
    assert prepared.report.figures["tokens"] == unit
    lengths = [len(text) if unit == "char" else len(text.split()) for text in texts]
    assert prepared.train.lengths.tolist() == lengths
    assert prepared.untrained.input.tokenizer.lowercase is False


# Long texts


@pytest.mark.parametrize(
    ("length", "limit", "kept"),
    [
        (3, 4, [0, 1, 2]),
        (4, 4, [0, 1, 2, 3]),
        (5, 4, [0, 2, 3, 4]),
        (12, 8, [0, 1, 6, 7, 8, 9, 10, 11]),
        (9, 3, [6, 7, 8]),
        (9, 1, [8]),
        (20, 10, [0, 1, 12, 13, 14, 15, 16, 17, 18, 19]),
    ],
)
def test_shorten_keeps_the_first_quarter_and_the_last_three(length: int, limit: int, kept: list[int]) -> None:
    assert shorten(np.arange(length), limit).tolist() == kept


def test_texts_of_characters_get_a_larger_network_unless_somebody_says_otherwise() -> None:
    names = dataset([("smith", "a"), ("ivanov", "b"), ("tanaka", "c")])
    assert TASK.defaults(names, Settings()) == TASK.defaults(names, Settings(tokens="char")) != {}
    assert TASK.defaults(names, Settings(tokens="word")) == {}
    assert TASK.defaults(dataset([("a good film", "a"), ("a bad film", "b")]), Settings()) == {}
