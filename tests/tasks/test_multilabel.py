"""Any number of labels: the loss and its gradient, thresholds, scores, baselines, a training, and what is opened."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CELLS, assert_all_gradients

import rnncli
from rnncli.config import Settings
from rnncli.core.losses import sigmoid_cross_entropy
from rnncli.core.optim.parameters import flatten
from rnncli.data.dataset import Dataset, Source
from rnncli.data.records import LabelSets, NumberArrays, Texts
from rnncli.errors import DataError, UsageError
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.flow import flow
from rnncli.tasks import task_for
from rnncli.tasks.comparison import RowScores, compare
from rnncli.tasks.many_to_one.bag_of_words import BagOfWords
from rnncli.tasks.many_to_one.network import Examples
from rnncli.tasks.multilabel.labels import rarest
from rnncli.tasks.multilabel.model import MultilabelModel
from rnncli.tasks.multilabel.network import MultilabelClassifier, f1_of_rows
from rnncli.tasks.multilabel.scores import judge, score
from rnncli.tasks.multilabel.task import TASK
from rnncli.tasks.multilabel.thresholds import best_threshold

LOSSES = json.loads((Path(__file__).parents[1] / "golden" / "losses.json").read_text(encoding="utf-8"))["losses"]
pytestmark = pytest.mark.usefixtures("one_core")


# The loss


@pytest.mark.parametrize("stored", LOSSES, ids=lambda one: str(np.array(one["logits"]).shape))
def test_the_loss_is_pytorchs(stored: dict[str, Any]) -> None:
    loss, gradient = sigmoid_cross_entropy(np.array(stored["logits"]), np.array(stored["targets"]))
    assert loss == pytest.approx(stored["loss"], rel=1e-14)
    np.testing.assert_allclose(gradient, stored["gradient"], rtol=1e-11, atol=1e-16)


def naive(z: list[list[float]], y: list[list[int]], weights: list[float]) -> tuple[float, list[list[float]]]:
    """Each probability and each logarithm as the formula has it, one after the other."""
    loss, gradient = 0.0, [[0.0] * len(row) for row in z]
    for n, row in enumerate(z):
        share = weights[n] / sum(weights) / len(row)
        for k, logit in enumerate(row):
            p = 1 / (1 + math.exp(-logit))
            loss -= share * math.log(p if y[n][k] else 1 - p)
            gradient[n][k] = share * (p * (1 - y[n][k]) - (1 - p) * y[n][k])
    return loss, gradient


def test_the_loss_is_that_of_a_naive_version() -> None:
    rng = np.random.default_rng(1)
    z, y, weights = rng.normal(0, 3, (6, 4)), rng.random((6, 4)) < 0.4, rng.random(6)
    loss, gradient = sigmoid_cross_entropy(z, y, weights)
    by_hand, of_hand = naive(z.tolist(), y.tolist(), weights.tolist())
    assert loss == pytest.approx(by_hand, rel=1e-13)
    np.testing.assert_allclose(gradient, of_hand, rtol=1e-11)


def network(labels: int = 3, **chosen: Any) -> tuple[MultilabelClassifier, dict[str, Any], Examples]:
    """A small one in float64 with nothing zero in its parameters, and five texts over four tokens."""
    usual = {"hidden": 2, "embedding": 2, "embedding_scale": 1.0, "dtype": "float64", "dropout": 0.3}
    made = MultilabelClassifier(Settings(**(usual | chosen)), input_size=4, label_count=labels)
    rng = np.random.default_rng(25)
    params = made.init(rng)
    for _, value in flatten(params):
        value[...] = 0.6 * rng.standard_normal(value.shape)
    inputs = [np.array(ids) for ids in ([2, 0, 2], [3], [1, 1, 0, 3, 2], [0, 2], [3, 3, 1])]
    targets = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 1, 1]], np.bool_)[:, :labels]
    return made, params, Examples(inputs, targets)


@pytest.mark.parametrize("readout", ["last", "mean", "max"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_all_parameters(cell: str, readout: str) -> None:
    made, params, batch = network(cell=cell, readout=readout, layers=2)
    assert_all_gradients(made, params, batch, seed=11)


@pytest.mark.parametrize("labels", [1, 2])
def test_gradients_of_few_labels(labels: int) -> None:
    """Two labels have two logits here, not one: they do not exclude each other."""
    made, params, batch = network(labels, cell="gru", input="onehot")
    assert made.logits(params, batch.inputs).shape == (5, labels)
    assert_all_gradients(made, params, batch, seed=11)


def test_the_loss_of_a_batch_is_the_mean_over_rows_and_labels() -> None:
    made, params, batch = network(dropout=0.0)
    p = made.outputs(made.logits(params, batch.inputs))
    each = -np.log(np.where(batch.targets, p, 1 - p))
    assert made.loss_and_gradients(params, batch)[0] == pytest.approx(each.mean(), rel=1e-13)
    mixed = batch.take(np.array([3, 0, 4, 2, 1]))
    assert made.loss_and_gradients(params, mixed)[0] == pytest.approx(each.mean(), rel=1e-13)
    sums = [made.metric_sums(params, batch, rank, 2) for rank in (0, 1)]
    assert sum(one.losses for one in sums) / sum(one.counted for one in sums) == pytest.approx(each.mean(), rel=1e-12)
    predicted = p > 0.5
    whole = 2 * (predicted & batch.targets).sum() / (predicted.sum() + batch.targets.sum())
    assert sum(one.right for one in sums) / sum(one.answers for one in sums) == pytest.approx(whole, rel=1e-15)
    assert made.row_scores(params, batch).score == pytest.approx(whole, rel=1e-15)


# Thresholds


@pytest.mark.parametrize(
    ("probabilities", "right", "threshold"),
    [
        ([0.9, 0.8, 0.3, 0.1], [1, 1, 0, 0], 0.5),  # one half parts them already
        ([0.9, 0.8, 0.7, 0.1], [1, 1, 0, 0], 0.75),
        ([0.4, 0.3, 0.2, 0.1], [1, 1, 0, 0], 0.25),
        ([0.4, 0.3, 0.2, 0.1], [1, 0, 1, 0], 0.15),  # F1 of 2/3 for the first alone, of 0.8 for three
        ([0.4, 0.3, 0.3, 0.1], [1, 1, 0, 0], 0.2),  # equal probabilities are not parted
        ([0.9, 0.2], [1, 1], 0.1),  # all, and halfway down to 0
        ([0.9, 0.8], [0, 0], 0.5),  # nothing to choose by
        ([0.0, 0.0], [1, 0], 0.5),  # no threshold is below 0
        ([0.6, np.nextafter(0.6, 0)], [1, 0], np.nextafter(0.6, 0)),  # no number lies between
        ([0.7, 0.6, 0.2, 0.1], [1, 0, 1, 0], 0.15),
    ],
)
def test_a_threshold_by_hand(probabilities: list[float], right: list[int], threshold: float) -> None:
    found = best_threshold(np.array(probabilities), np.array(right, np.bool_))
    assert found == pytest.approx(threshold, rel=1e-15)


def test_no_threshold_is_better() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        rows = int(rng.integers(1, 12))
        p, right = np.round(rng.random(rows), 1), rng.random(rows) < 0.4

        def f1(threshold: float, p: Any = p, right: Any = right) -> float:
            return f1_of_rows((p > threshold)[:, None], right[:, None]).score

        found = best_threshold(p, right)
        assert f1(found) == max(f1(one) for one in [found, 0.5, *np.arange(0, 1, 0.05)])


# Scores

# 40 rows of 5 labels, and the figures of scikit-learn 1.9.1 for them.
RNG = np.random.default_rng(3)
RIGHT = RNG.random((40, 5)) < [0.5, 0.3, 0.2, 0.1, 0.4]
PREDICTED = RIGHT ^ (RNG.random((40, 5)) < 0.25)
SCIKIT_LEARN = {
    "micro_f1": 0.6388888888888888,
    "micro_precision": 0.5348837209302325,
    "micro_recall": 0.7931034482758621,
    "macro_f1": 0.5727593642916223,
    "exact_match": 0.2,
    "hamming_loss": 0.26,
}
F1 = [0.7619047619047619, 0.6451612903225806, 0.6153846153846154, 0.15384615384615385, 0.6875]


def test_scores_are_those_of_scikit_learn() -> None:
    found = score(RIGHT, PREDICTED, tuple("abcde"))
    assert {name: getattr(found, name) for name in SCIKIT_LEARN} == pytest.approx(SCIKIT_LEARN, rel=1e-14)
    assert [one.f1 for one in found.labels] == pytest.approx(F1, rel=1e-14)
    low, high = found.interval
    assert 0.5 < low < found.micro_f1 < high < 0.75


def test_scores_by_hand() -> None:
    """Rows {a}, {a, b}, {}, {b, x}, answered {a}, {b}, {a}, {b}: x is a label that the model does not have."""
    sets = [("a",), ("a", "b"), (), ("b", "x")]
    p = np.array([[0.9, 0.1], [0.4, 0.8], [0.7, 0.2], [0.3, 0.6]])
    found = judge(sets, p, p > 0.5, ("a", "b"), worst=5)
    s = found.scores
    assert (s.micro_f1, s.micro_precision, s.micro_recall) == (2 * 3 / (4 + 5), 3 / 4, 3 / 5)
    assert [(one.label, one.precision, one.recall, one.support) for one in s.labels] == [
        ("a", 1 / 2, 1 / 2, 2),
        ("b", 1, 1, 2),
        ("x", 0, 0, 1),
    ]
    assert s.macro_f1 == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert (s.exact_match, s.hamming_loss) == (1 / 4, 3 / 12)
    assert found.unseen == {"x": 1}
    assert found.worst == [(2, 0), (1, 0), (3, 2)]  # 0.7 for what is not there, 1 − 0.4 against what is, and x


def test_nothing_right_and_nothing_predicted_is_a_score_of_0() -> None:
    nothing = np.zeros((3, 2), np.bool_)
    assert score(nothing, nothing, ("a", "b")).micro_f1 == 0
    assert score(nothing, nothing, ("a", "b")).exact_match == 1
    assert f1_of_rows(nothing, nothing).score == 0


def test_two_models_are_compared_by_row() -> None:
    """The micro F1 is a ratio of sums over rows; its interval is that of the ratio, as the bootstrap finds it."""
    rng = np.random.default_rng(5)
    right = rng.random((400, 4)) < 0.3
    first, second = (right ^ (rng.random((400, 4)) < share) for share in (0.1, 0.14))
    a, b = f1_of_rows(first, right), f1_of_rows(second, right)
    found = compare(a, b, "bag_of_words", "micro F1", share=True, higher_is_better=True)
    assert found.difference == pytest.approx(a.score - b.score)
    draws = []
    for _ in range(4000):
        rows = rng.integers(0, 400, 400)
        draws.append(np.subtract(*(one.sums[rows].sum() / one.weights[rows].sum() for one in (a, b))))
    assert found.interval == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.004)
    same = RowScores(a.sums, a.weights + 1)  # as many hits, and more that is wrong
    assert not compare(a, same, "x", "micro F1", share=True, higher_is_better=True).same
    assert compare(a, a, "x", "micro F1", share=True, higher_is_better=True).same


# Baselines

V = 60
# OneVsRestClassifier(LogisticRegression(C=1, tol=1e-10)) on TfidfTransformer() of the counts, scikit-learn 1.9.1:
# fitted to the first 200 rows, these are its answers for the last 100, a digit each: 1 for a, 2 for b, 4 for c.
ANSWERS = "3131101100100011210010003111113110001010110001011110311010111011111013211110112110011030110111201131"


def problem() -> Examples:
    rng = np.random.default_rng(2)
    preferred = rng.dirichlet(np.full(V, 0.5), 3)
    targets = rng.random((300, 3)) < [0.5, 0.35, 0.2]
    inputs = []
    for row in targets:
        p = np.full(V, 1 / V) + preferred[row].sum(axis=0) * 0.3
        inputs.append(rng.choice(V, rng.integers(4, 20), p=p / p.sum()).astype(np.int32))
    return Examples(inputs, targets)


def test_a_bag_of_words_answers_as_one_versus_rest() -> None:
    whole = problem()
    train, test = whole.take(np.arange(200)), whole.take(np.arange(200, 300))
    made = MultilabelClassifier(Settings(), V, 3)
    bag = BagOfWords.fit(train, V, made)
    ((_, logits),) = bag.logits(test.inputs)
    answers = np.array([[int(digit) >> k & 1 for k in range(3)] for digit in ANSWERS])
    assert ((logits > 0) == answers).mean() >= 0.99
    scores = {one.name: one.score for one in TASK.baselines_of_texts(train, test, V, made)}
    assert scores["bag_of_words"] == pytest.approx(0.4648648648648649, abs=0.02)


def test_the_constant_answer_has_the_largest_f1_of_all() -> None:
    targets = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 1, 1], [0, 0, 0]], np.bool_)
    examples = Examples([np.array([0])] * 5, targets)
    found = TASK.constant(examples, examples, MultilabelClassifier(Settings(), 1, 3))
    assert found.name == "commonest_labels"
    both = f1_of_rows(np.tile([True, True, False], (5, 1)), targets).score
    assert found.score == both == 2 * 6 / (10 + 7)
    assert both >= f1_of_rows(np.tile([True, False, False], (5, 1)), targets).score


# From records to a training


def dataset(sets: list[tuple[str, ...]], texts: list[str] | None = None, **more: Any) -> Dataset:
    texts = [f"word{n % 5} good film {n % 3}" for n in range(len(sets))] if texts is None else texts
    source = Source("r.csv", "text", "labels")
    return Dataset(source, "", Texts(texts), LabelSets(sets), list(range(2, len(sets) + 2)), "", 0, (), **more)


SETS = [("a",), ("a", "b"), (), ("b",), ("a", "c")] * 8


def test_what_fits() -> None:
    assert task_for(dataset(SETS), "auto") is TASK
    assert TASK.name == "multilabel"


def test_prepared() -> None:
    prepared = TASK.prepare(dataset(SETS), Settings(min_count=1, validation=0.25))
    model = prepared.untrained
    assert isinstance(model, MultilabelModel)
    assert (model.labels, model.thresholds) == (("a", "b", "c"), (0.5, 0.5, 0.5))
    assert (prepared.train.size, prepared.validation.size) == (30, 10)
    assert prepared.report.label_rows == {"a": 24, "b": 16, "c": 8}
    assert dict(prepared.report.lines())["labels"] == "a 24 (60%), b 16 (40%), c 8 (20%)"
    assert prepared.report.warnings == ("8 rows have no label",)
    # A quarter of the rows of each rarest label: of c 2, of b 4, of a alone 2, of none 2.
    assert prepared.validation.targets.sum(axis=0)[1:].tolist() == [4, 2]
    assert (~prepared.validation.targets.any(axis=1)).sum() == 2


def test_series_are_prepared_by_the_same_code() -> None:
    sequences = [[[n % 3, 1], [n % 5, 0.5]] for n in range(len(SETS))]
    found = dataset(SETS)
    found = Dataset(**{**vars(found), "inputs": NumberArrays(sequences)})
    prepared = TASK.prepare(found, Settings(validation=0.25))
    assert prepared.untrained.kind == "multilabel that reads numbers"
    assert [one.name for one in prepared.baselines()] == ["random_convolution_kernels", "commonest_labels"]


def test_the_rarest_label_of_each_row() -> None:
    targets = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 0, 1], [1, 1, 0]], np.bool_)
    assert rarest(targets).tolist() == [1, 0, 3, 2, 1]


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        ([("a",)], "at least 2 records are needed"),
        ([("a", "b")] * 9, "every record here has the labels 'a, b'"),
        ([()] * 9, "every record here has no label"),
        ([(f"label {n}",) for n in range(80)], "column 'labels' has 80 different labels in 80 records"),
    ],
)
def test_labels_that_cannot_be_learned(sets: list[tuple[str, ...]], says: str) -> None:
    with pytest.raises(DataError, match=says):
        TASK.prepare(dataset(sets), Settings())


def test_labels_that_differ_in_their_capitals_are_told() -> None:
    warnings = TASK.warnings(dataset([("Action", "drama"), ("action",)]), Settings())
    assert warnings == ("labels 'Action' and 'action' are counted as two",)


# From a file to an answer

FILMS = {"explosions": "action", "tears": "drama", "jokes": "comedy"}


def films(path: Path, rows: int = 60) -> Path:
    """A word of each label, and words that say nothing; every seventh film has none."""
    words, lines = list(FILMS), []
    for n in range(rows):
        chosen = [words[k] for k in range(3) if n % 7 >> k & 1]
        text = " ".join(["a film", *(f"with {word}" for word in chosen), "so long"[: 2 + n % 5]])
        lines.append(json.dumps({"text": text, "labels": [FILMS[word] for word in chosen]}) + "\n")
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[MultilabelModel, Path]:
    folder = tmp_path_factory.mktemp("films")
    data = films(folder / "films.jsonl")
    chosen = {"hidden": 8, "embedding": 8, "lr": 0.03, "dropout": 0.1, "min_count": 1, "validation": 0.3, "batch": 8}
    model = rnncli.train(data, runs=folder / "runs", epochs=30, patience=30, **chosen)  # type: ignore[arg-type]
    assert isinstance(model, MultilabelModel)
    return model, data


def test_it_learns_and_answers(trained: tuple[MultilabelModel, Path]) -> None:
    model, data = trained
    texts = ["a film with jokes with tears", "explosions", "a film so long", ""]
    found = model.predict(texts)
    assert [one.labels for one in found] == [("comedy", "drama"), ("action",), (), ()]
    assert [one.cells()[0] for one in found] == ["comedy, drama", "action", "(none)", "(empty)"]
    assert [one.fields()[1].count(".") for one in found] == [2, 1, 0, 0]
    for one in found[:3]:
        limits = dict(zip(model.labels, model.thresholds, strict=True))
        assert one.labels == tuple(label for label, p in one.probabilities.items() if p > limits[label])
    assert found[3].probabilities == {}
    scores = model.evaluate(data)
    assert scores.scores.micro_f1 > 0.95
    assert scores.thresholds == dict(zip(model.labels, model.thresholds, strict=True))
    assert dict(scores.pairs())["exact match"].endswith(" of the rows")


def test_thresholds_are_those_of_the_validation_rows_and_kept(
    trained: tuple[MultilabelModel, Path], tmp_path: Path
) -> None:
    model, data = trained
    records = rnncli_dataset(data)
    prepared = TASK.prepare(records, model.settings)
    assert model.calibrated(prepared.validation).thresholds == model.thresholds
    assert model.record.best is not None
    score = prepared.network.row_scores(model.params, prepared.validation).score
    assert score == pytest.approx(model.record.best.validation_accuracy, abs=1e-12)
    model.save(tmp_path / "m.safetensors")
    again = rnncli.load(tmp_path / "m.safetensors")
    assert isinstance(again, MultilabelModel)
    assert again.thresholds == model.thresholds
    assert "thresholds" in dict(model.describe())
    card = (data.parent / "runs" / "latest" / "README.md").read_text()
    assert f"Thresholds: action {model.thresholds[0]:.2f}" in card
    assert "Micro F1 on 18 validation rows: " in card


def rnncli_dataset(path: Path) -> Dataset:
    from rnncli.data.opening import read_dataset

    return read_dataset(Source(str(path)))


def test_without_validation_rows_all_thresholds_are_one_half(tmp_path: Path) -> None:
    data = films(tmp_path / "films.jsonl")
    tiny = {"hidden": 2, "embedding": 2, "epochs": 1, "validation": 0.0}
    model = rnncli.train(data, runs=tmp_path / "runs", **tiny)  # type: ignore[arg-type]
    assert isinstance(model, MultilabelModel)
    assert model.thresholds == (0.5, 0.5, 0.5)


def test_lists_of_labels_from_python(tmp_path: Path) -> None:
    pairs = [(f"a film with {word} {n}", [FILMS[word]] * (n % 2)) for n in range(12) for word in FILMS]
    tiny = {"hidden": 2, "embedding": 2, "epochs": 1}
    model = rnncli.train(pairs, runs=tmp_path / "runs", **tiny)  # type: ignore[arg-type]
    assert model.task == "multilabel"
    assert rnncli.evaluate(pairs, model).scores.rows == 36  # type: ignore[attr-defined]


def test_weights_of_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--class-weights decides nothing in a model of the task multilabel"):
        rnncli.train(films(tmp_path / "films.jsonl"), runs=tmp_path, class_weights="balanced")


# Opened


def test_an_answer_is_a_set_of_labels(trained: tuple[MultilabelModel, Path]) -> None:
    adapter = adapter_of(trained[0])
    said = {answer: adapter.open("a film with jokes", answer).answer for answer in ("drama", "drama|comedy", "(none)")}
    assert said == {"drama": "the label drama", "drama|comedy": "the labels comedy, drama", "(none)": "no label"}
    with pytest.raises(UsageError, match=r"the model knows no label 'dramas'; did you mean 'drama'\?") as caught:
        adapter.open("a film", "dramas")
    assert caught.value.hint is not None
    assert "several stand with commas between them, and none is (none)" in caught.value.hint


def test_the_gradient_that_is_shown_is_that_of_all_labels(trained: tuple[MultilabelModel, Path]) -> None:
    adapter = adapter_of(trained[0])
    opened = adapter.open("a film with jokes", "comedy, action")
    found = flow(opened)
    p = np.array(list(trained[0].in_double().predict(["a film with jokes"])[0].probabilities.values()))
    right = np.array([1, 1, 0])  # of action, comedy, drama
    assert found.loss == pytest.approx(-np.log(np.where(right, p, 1 - p)).mean(), rel=1e-12)
    (row,) = (one for one in found.rows if one.name == "output/bias")
    np.testing.assert_allclose(row.d_output[0], (p - right) / 3, rtol=1e-12)


@pytest.mark.parametrize(
    ("answer", "score_is", "sign"),
    [
        ("comedy", "log odds", [0, 1, 0]),
        ("comedy, drama", "sum of the log odds", [0, 1, 1]),
        ("(none)", "sum of the log odds of each label's absence", [-1, -1, -1]),
    ],
)
def test_what_is_explained(answer: str, score_is: str, sign: list[int], trained: tuple[MultilabelModel, Path]) -> None:
    adapter = adapter_of(trained[0])
    question = adapter.question("a film with jokes", answer)
    assert question.score_is == score_is
    p = np.array(list(trained[0].in_double().predict(["a film with jokes"])[0].probabilities.values()))
    (own,) = question.scores(["a film with jokes"])
    assert own == pytest.approx(float((np.array(sign) * np.log(p / (1 - p))).sum()), rel=1e-9)


def test_a_model_reads_what_other_files_have(tmp_path: Path) -> None:
    """One that learned from a column for each label predicts files without them, and is scored on others."""
    words = {"guns": "action", "jokes": "comedy", "tears": "drama"}
    rows = [(f"a film with {' and '.join(chosen)}", chosen) for n in range(40) if (chosen := _chosen(list(words), n))]
    hot = [",".join([text, *(str(int(word in chosen)) for word in words)]) for text, chosen in rows]
    (tmp_path / "hot.csv").write_text("\n".join([f"plot,{','.join(words.values())}", *hot]) + "\n")
    (tmp_path / "joined.csv").write_text(
        "\n".join(["plot,genres", *(f"{text},{'|'.join(words[word] for word in chosen)}" for text, chosen in rows)])
    )
    (tmp_path / "new.csv").write_text("plot,year\na film with guns,1999\n")
    listed = [json.dumps({"text": text, "labels": [words[word] for word in chosen]}) for text, chosen in rows]
    (tmp_path / "lists.jsonl").write_text("\n".join(listed))
    tiny = {"hidden": 2, "embedding": 2, "epochs": 1}
    model = rnncli.train(tmp_path / "hot.csv", label="action,comedy,drama", runs=tmp_path / "runs", **tiny)  # type: ignore[arg-type]
    assert [one.text for one in rnncli.predict([tmp_path / "new.csv"], model)] == ["a film with guns"]
    assert len(rnncli.predict([tmp_path / "hot.csv"], model)) == len(rows)
    scores = [
        rnncli.evaluate(tmp_path / name, model, **how).scores  # type: ignore[attr-defined, arg-type]
        for name, how in (("hot.csv", {}), ("joined.csv", {"label": "genres"}), ("lists.jsonl", {}))
    ]
    assert scores[0] == scores[1] == scores[2]
    assert scores[0].rows == len(rows)


def _chosen(words: list[str], n: int) -> list[str]:
    return [word for k, word in enumerate(words) if n % 7 >> k & 1]
