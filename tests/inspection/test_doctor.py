"""What a doctor finds: each fault, made on purpose, is found with its number and by itself; good health has none."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import CELLS, columns
from inspection.models import model as random_model

from rnncli.config import Settings
from rnncli.core.optim.parameters import nest
from rnncli.data.dataset import Dataset, Source
from rnncli.data.records import FeatureRows, LabelSets
from rnncli.data.tables.described import NumericColumns
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import DataError
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.doctor import diagnosis as doctor
from rnncli.inspection.doctor.data import Examined, unknown_words
from rnncli.inspection.doctor.diagnosis import Diagnosis, examine
from rnncli.inspection.doctor.findings import Commands, Patient
from rnncli.inspection.doctor.record import nothing_learned
from rnncli.parallel.communicator import Alone
from rnncli.record import EpochRecord, Record
from rnncli.render.json_out import dumps
from rnncli.tasks import task_named
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.classify.task import TASK
from rnncli.tasks.inputs import TextInput
from rnncli.tasks.tag.results import TagPrediction
from rnncli.training import loop

ENDS = (("good", "pos"), ("bad", "neg"))
# Every beginning of one to three words that say nothing, and a last word that is the answer: 28 different rows.
ROWS = [
    (" ".join((*begin, word)), label)
    for length in (1, 2, 3)
    for begin in itertools.product(("film", "was"), repeat=length)
    for word, label in ENDS
]
LEARNING = [(0.70, 0.69), (0.50, 0.55), (0.40, 0.450), (0.35, 0.449)]


def data(rows: list[tuple[str, str]] = ROWS, name: str = "rows.csv") -> Dataset:
    source = Source(name, "text", "label", "csv")
    return Dataset(source, "", *columns(rows), list(range(2, len(rows) + 2)), "", 0, ())


def record(losses: list[tuple[float, float | None]] = LEARNING, **changes: Any) -> Record:
    """As a training on the 28 rows writes it, of which each label gives one to validation."""
    epochs = []
    for k, (loss, validation) in enumerate(losses):
        best = validation is not None and validation == min(one for _, one in losses[: k + 1] if one is not None)
        accuracy = None if validation is None else 0.5
        epochs.append(EpochRecord(k + 1, loss, validation, accuracy, best))
    written = Record(
        data="rows.csv",
        rows=26,
        validation_rows=2,
        label_rows={"neg": 14, "pos": 14},
        best_epoch=max((epoch.epoch for epoch in epochs if epoch.best), default=None),
        epochs=tuple(epochs),
        baselines={"bag_of_words": 0.5, "commonest_label": 0.5},
    )
    return replace(written, **changes)


def model(weights: dict[str, list[float]] | None = None, bias: float = 0.0, **chosen: Any) -> ClassifierModel:
    """Two units of a plain RNN: the first goes with good and bad, the second with film and was."""
    known = {"good": [0.8, 0.2], "bad": [-0.8, -0.2], "film": [0.1, 0.3], "was": [-0.1, -0.3]} | (weights or {})
    defaults = {"cell": "rnn", "hidden": 2, "bidirectional": False, "readout": "last", "input": "onehot"}
    settings = Settings(**(defaults | {"min_count": 1, "epochs": 9, "task": "classify", "tokens": "word"} | chosen))
    made = ClassifierModel(
        settings=settings, input=TextInput(Tokenizer(), Vocabulary(tuple(known))), labels=("neg", "pos")
    )
    made.params.update(made.network.init(np.random.default_rng(0)))
    layer = made.params["encoder"]["0"]["forward"]
    layer["weight_ih"][:] = [*known.values(), [0.05, 0.05]]
    layer["weight_hh"][:] = [[0.2, 0.0], [0.0, 0.2]]
    made.params["output"]["weight"][:] = [[4.0], [0.0]]
    made.params["output"]["bias"][:] = bias
    return replace(made, record=record())


def only(found: Diagnosis, name: str) -> Any:
    """The only finding, which is of this name; its number is that of its check."""
    assert [finding.name for finding in found.findings] == [name]
    (finding,) = found.findings
    assert [check.number for check in found.checks if check.name == name] == [finding.number]
    assert finding.command.startswith("rnncli ")
    return finding


def test_good_health_has_no_finding_and_says_what_was_looked_at() -> None:
    found = examine(model(), data())
    assert found.findings == ()
    numbers = {check.name: check.number for check in found.checks}
    assert list(numbers) == [
        *("loss at the label entropy", "behind its baseline", "learning rate too high", "too few epochs"),
        *("overfitting", "constant predictions", "unknown labels", "unknown words", "lengths cut off"),
        *("label noise", "duplicates", "dead units", "saturated units"),
    ]
    assert numbers["loss at the label entropy"] == pytest.approx(0.35 / math.log(2))
    assert numbers["too few epochs"] == pytest.approx(1 - 0.449 / 0.450)
    assert numbers["constant predictions"] == 0.5
    nothing = ("behind its baseline", "unknown labels", "unknown words", "label noise", "duplicates", "dead units")
    assert all(numbers[name] == 0 for name in nothing)
    assert dict(found.pairs())["found"] == "Nothing wrong found"
    (view,) = found.views()
    assert [row[0] for row in view.rows] == list(numbers)
    assert {row[2] for row in view.rows} == {"fine"}


def test_a_model_that_is_trained_here_is_in_good_health() -> None:
    """By training itself: no finding comes from a record or weights that only a test would write."""
    settings = Settings(hidden=6, embedding=6, epochs=60, patience=60, min_count=1, dropout=0.0, lr=0.02, workers=1)
    prepared = TASK.prepare(data(), settings.replace(validation=0.25))
    state = loop.new_state(prepared.network, prepared.settings, Alone())
    for _ in loop.run(prepared.network, state, prepared.train, prepared.validation, prepared.settings, Alone()):
        pass
    report = prepared.report
    written = Record(
        data="rows.csv",
        rows=report.training_rows,
        validation_rows=report.validation_rows,
        label_rows=dict(report.label_rows),
        epochs=tuple(state.progress.history),
        baselines={one.name: one.score for one in prepared.baselines()},
    )
    found = examine(prepared.model(nest(dict(state.store.flat)), written), data())
    assert [finding.sentence for finding in found.findings] == []


def test_constant_predictions() -> None:
    found = only(examine(model(bias=9.0), data()), "constant predictions")
    assert found.number == 1.0
    assert found.sentence == "28 of 28 predictions are 'pos', and 50% of the labels are."
    assert found.command.endswith("--cell lstm")


def test_constant_predictions_of_uneven_labels_are_told_to_weigh_them() -> None:
    rows = [row for k, row in enumerate(ROWS) if row[1] == "pos" or k % 4 == 1]
    found = only(examine(model(bias=9.0), data(rows)), "constant predictions")
    assert found.command.endswith("--cell lstm")  # 14 of one label, 7 of the other
    rows = [row for k, row in enumerate(ROWS) if row[1] == "pos" or k % 8 == 1]
    assert examine(model(bias=9.0), data(rows)).findings[0].command.endswith("--class-weights balanced")


def test_labels_that_are_all_the_same_make_constant_predictions_right() -> None:
    assert examine(model(bias=9.0), data([row for row in ROWS if row[1] == "pos"])).findings == ()


def test_labels_of_another_problem_say_nothing_of_constant_predictions() -> None:
    found = examine(model(bias=9.0), data([(text, "sun" if label == "pos" else "rain") for text, label in ROWS]))
    only(found, "unknown labels")


def test_loss_at_the_label_entropy() -> None:
    stuck = replace(model(), record=record([(0.70, 0.695), (0.694, 0.694), (0.692, 0.6935)]))
    found = only(examine(stuck, data()), "loss at the label entropy")
    assert found.number == pytest.approx(0.692 / math.log(2))
    assert found.sentence == (
        "The loss never came below 0.6920, and the entropy of the labels is 0.6931: "
        "the model has learned nothing but how common each label is."
    )
    assert found.command.endswith("--cell lstm")
    odd = replace(stuck, settings=stuck.settings.replace(lr=1e-6))
    assert only(examine(odd, data()), "loss at the label entropy").command.endswith("--lr 0.005")
    worse = replace(stuck, record=record([(0.7, 0.695), (0.7, 0.694), (0.9, 0.6935)]))
    assert only(examine(worse, data()), "loss at the label entropy").command.endswith("--lr 0.001")
    plain = replace(worse, settings=worse.settings.replace(lr=1.0, optimizer="sgd"))
    assert only(examine(plain, data()), "loss at the label entropy").command.endswith("--lr 0.2")
    uneven = replace(stuck, record=record([(0.52, 0.51)], label_rows={"neg": 7, "pos": 21}))
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert {c.name: c.number for c in examine(uneven, data()).checks}["loss at the label entropy"] == pytest.approx(
        0.51 / entropy
    )


def test_a_loss_above_that_of_counting_has_not_even_learned_it() -> None:
    """Each task by its own word for what it counts."""

    def said(task: str, **written: Any) -> str:
        made = replace(random_model(task), record=record([(4.0, 4.0), (3.9976, 3.9976)], **written))
        return nothing_learned(Patient(adapter_of(made), Commands("x"))).sentence

    begin = "The loss never came below 3.9976, and the"
    counting: dict[str, Any] = {"label_rows": {}, "baselines": {"pairs_of_chars": 2.0, "single_chars": 3.0278}}
    for task in ("lm", "caption", "seq2seq"):
        assert said(task, **counting) == (
            f"{begin} loss of counting chars is 3.0278: the model has not even learned how common each char is."
        )
    assert said("lm", label_rows={}, baselines={"single_words": 4.0}) == (
        f"{begin} loss of counting words is 4.0000: the model has learned nothing but how common each word is."
    )
    assert said("tag") == (
        f"{begin} entropy of the tags is 0.6931: the model has not even learned how common each tag is."
    )


def test_behind_its_baseline() -> None:
    """An accuracy of 0.5; the error of two such scores is the square root of 2 · p · (1 − p) / rows."""
    scores = {"bag_of_words": 0.9, "commonest_label": 0.6}
    behind = replace(model(), record=record(rows=1800, validation_rows=200, baselines=scores))
    found = only(examine(behind, data()), "behind its baseline")
    error = math.sqrt(2 * 0.7 * 0.3 / 200)
    assert found.number == pytest.approx(0.4)
    assert "has 0.5000 accuracy, and the bag of words, which it has to beat, 0.9000" in found.sentence
    assert found.sentence.endswith(f"chance accounts for about {error:.4f}.")
    assert found.command.endswith("--cell lstm")
    by_heart = record([(0.7, 0.6), (0.2, 0.55)])
    heart = replace(behind, record=replace(behind.record, epochs=by_heart.epochs, best_epoch=by_heart.best_epoch))
    assert only(examine(heart, data()), "behind its baseline").command.endswith("--hidden 1")


def test_level_with_the_baseline_is_good_health() -> None:
    for rows, best, behind in ((200, 0.58, False), (200, 0.62, True), (20, 0.62, False), (2, 1.0, False)):
        made = replace(model(), record=record(rows=9 * rows, validation_rows=rows, baselines={"bag_of_words": best}))
        assert [one.name for one in examine(made, data()).findings] == ["behind its baseline"] * behind


def test_the_best_epoch_is_what_is_set_beside_the_baseline() -> None:
    written = record(validation_rows=2000, rows=100, baselines={"bag_of_words": 0.8})
    accuracies = (0.1, 0.82, 0.2, 0.3)
    epochs = [
        replace(epoch, validation_accuracy=accuracy, best=accuracy in (0.1, 0.82))
        for epoch, accuracy in zip(written.epochs, accuracies, strict=True)
    ]
    written = replace(written, epochs=tuple(epochs), best_epoch=2)
    found = examine(replace(model(), record=written), data())
    assert found.findings == ()
    assert {c.name: c.number for c in found.checks}["behind its baseline"] == pytest.approx(-0.02)
    third = examine(replace(model(), record=replace(written, best_epoch=3)), data())  # the model of another epoch
    assert {c.name: c.number for c in third.checks}["behind its baseline"] == pytest.approx(0.6)


def test_a_loss_is_behind_a_smaller_one() -> None:
    """The text's 500 tokens: a loss of 2.5 and one of 2 are 0.5 apart, and chance makes √(2/500) · 2.25 = 0.1423."""
    made = random_model("lm", task="lm")
    counting = {"pairs_of_chars": 2.0, "single_chars": 3.0}
    written = record([(2.9, 2.8), (2.6, 2.5)], rows=4500, validation_rows=500, label_rows={}, baselines=counting)
    found = examine(replace(made, record=written), data([("ab c", ""), ("cab", "")]))
    (behind,) = [one for one in found.findings if one.name == "behind its baseline"]
    assert behind.number == pytest.approx(0.5)
    assert "has 2.5000 nats per token, and the pairs of chars, which it has to beat, 2.0000" in behind.sentence
    assert behind.sentence.endswith("chance accounts for about 0.1423.")
    level = replace(written, baselines=counting | {"pairs_of_chars": 2.25})
    found = examine(replace(made, record=level), data([("ab c", ""), ("cab", "")]))
    assert "behind its baseline" not in [one.name for one in found.findings]


def test_the_score_of_a_tagger_is_of_its_words() -> None:
    """Ten of 100 sentences with five words each are 50 answers."""
    made = random_model("tag", task="tag")
    counts = {"A": 200, "N": 200, "V": 100}
    scores = {"commonest_tag_of_each_word": 0.8}
    written = record(rows=90, validation_rows=10, label_rows=counts, baselines=scores)
    found = examine(replace(made, record=written), data([('["the", "movie"]', '["A", "N"]')] * 2, "other.jsonl"))
    (behind,) = [one for one in found.findings if one.name == "behind its baseline"]
    assert behind.sentence.endswith(f"chance accounts for about {math.sqrt(2 * 0.65 * 0.35 / 50):.4f}.")


def test_dead_units_of_a_relu() -> None:
    made = model({"good": [0.8, -1.0], "film": [0.0, -1.0], "was": [0.0, -1.0]}, bias=-1.5, nonlinearity="relu")
    made.params["encoder"]["0"]["forward"]["weight_ih"][-1] = [0.0, -1.0]
    found = only(examine(made, data()), "dead units")
    assert found.number == 0.5
    assert found.sentence.startswith("1 of 2 units of encoder/0/forward are 0 at every step of every text")
    assert found.command.endswith("--nonlinearity tanh")


def test_dead_units_of_a_tanh() -> None:
    made = model()
    made.params["encoder"]["0"]["forward"]["weight_ih"][:, 1] *= 0.02  # |h| stays below 0.3 · 0.02 / 0.8
    found = only(examine(made, data()), "dead units")
    assert found.number == 0.5
    assert "never move by 0.02" in found.sentence
    assert found.command.endswith("--hidden 1")


def test_saturated_units() -> None:
    words = {"good": [3.0, 3.0], "bad": [-3.0, -3.0], "film": [3.0, 3.0], "was": [-3.0, -3.0]}
    found = only(examine(model(words), data()), "saturated units")
    assert found.number == 1.0
    assert found.sentence.startswith("2 of 2 units of encoder/0/forward are at their ends")
    assert found.command.endswith("--lr 0.001")


def test_labels_of_another_data_set_are_unknown() -> None:
    rows = [(text, "sun" if label == "pos" else label) for text, label in ROWS]
    diagnosis = examine(model(), data(rows))
    found = only(diagnosis, "unknown labels")
    assert found.number == 0.5
    assert found.sentence.startswith("The model does not know 14 of 28 labels, most often 'sun' (14).")
    assert found.command == Commands.of(model(), data(rows)).train()
    assert diagnosis.evidence == ()
    assert "--label" not in found.sentence
    whole = only(examine(model(), data([(text, 99 * label) for text, label in ROWS])), "unknown labels")
    assert f"most often '{(99 * 'pos')[:40]}…' (14). A" in whole.sentence
    assert whole.sentence.endswith("--label names another column.")


def test_mistyped_labels_are_unknown_and_shown_beside_the_right_one() -> None:
    rows = [(text, "Pos" if k in (4, 20) else label) for k, (text, label) in enumerate(ROWS)]
    diagnosis = examine(model(), data(rows))
    found = only(diagnosis, "unknown labels")
    assert found.number == 2 / 28
    assert found.sentence == "The model does not know 2 of 28 labels, most often 'Pos' (2); did you mean 'pos'?"
    assert found.command.endswith("--doctor rows.csv --full")
    assert [(one.line, one.other, one.label) for one in diagnosis.evidence] == [(6, None, "Pos"), (22, None, "Pos")]
    assert ("unknown labels", 6, None, "Pos", rows[4][0]) in diagnosis.views(full=True)[-1].rows


def test_one_that_differs_in_its_capitals_alone_is_mistyped() -> None:
    rows = [(text, "POS" if k in (4, 20) else label) for k, (text, label) in enumerate(ROWS)]
    found = only(examine(model(), data(rows)), "unknown labels")
    assert found.sentence.endswith("most often 'POS' (2); did you mean 'pos'?")
    assert found.command.endswith("--full")


def test_where_most_are_unknown_they_are_not_mistyped() -> None:
    """Above one half; at one half it is still said which one may be meant."""
    rows = [(text, f"{label}0") for text, label in ROWS]
    found = only(examine(model(), data(rows)), "unknown labels")
    assert "did you mean" not in found.sentence
    assert found.sentence.endswith("A training on this data learns them; --label names another column.")
    half = [(text, "pos0" if label == "pos" else label) for text, label in ROWS]
    found = only(examine(model(), data(half)), "unknown labels")
    assert found.number == 0.5
    assert found.sentence.endswith("did you mean 'pos'?")
    more = [*half, ("good film", "pos0")]
    assert only(examine(model(), data(more)), "unknown labels").sentence.endswith("names another column.")


def test_one_label_in_a_hundred_may_be_unknown() -> None:
    rows = [(f"{'film ' * (k // 2 + 1)}{word}", label) for k in range(100) for word, label in [ENDS[k % 2]]]
    for count, names in ((1, []), (2, ["unknown labels"])):
        mistyped = [(text, "posi" if k < 2 * count and k % 2 == 0 else label) for k, (text, label) in enumerate(rows)]
        assert [one.name for one in examine(model(), data(mistyped)).findings] == names


def test_tags_that_a_tagger_was_never_told() -> None:
    rows, chosen = OTHERS["tag"]
    settings = Settings(**{**chosen, "cell": "gru", "hidden": 3, "task": "tag", "min_count": 1, "epochs": 1})
    prepared = task_named("tag").prepare(data(rows), settings)
    made = prepared.model(prepared.network.init(np.random.default_rng(1)), Record())
    told = [(text, tags.replace('"Y"]', '"Q"]')) for text, tags in rows[:2]] + rows[2:]
    diagnosis = examine(made, data(told))
    (found,) = [one for one in diagnosis.findings if one.name == "unknown labels"]
    assert found.number == 2 / 25
    said = "The model does not know 2 of 25 tags, most often 'Q' (2). A training on this data learns them."
    assert found.sentence == said
    assert "--doctor rows.csv --full" not in found.command


@pytest.mark.parametrize(
    ("wrong", "sentences", "found"), [(0, 10, False), (1, 10, True), (1, 100, False), (2, 100, True)]
)
def test_unknown_words_of_a_tagger_matter_where_they_cost_it_something(wrong: int, sentences: int, found: bool) -> None:
    """Every second word is unknown; of the known ones all are right."""
    rows = [('["a", "zyx"]', '["X", "Y"]')] * sentences
    told = [
        TagPrediction(
            text=rows[0][0],
            tokens=("a", "zyx"),
            tags=("X", "YX"[k < wrong]),
            probabilities=(1.0, 1.0),
            unknown=("zyx",),
        )
        for k in range(sentences)
    ]
    dataset, made = data(rows, "rows.jsonl"), random_model("tag", task="tag")
    tokens, right = [one.tokens for one in told], [("X", "Y")] * sentences
    examined = Examined(dataset, right, np.arange(sentences), dataset, told, tokens, right)
    check = unknown_words(Patient(adapter_of(made), Commands.of(made, dataset)), examined)
    assert check.number == 0.5
    assert bool(check.sentence) is found
    if found:
        said = f"{sentences} of {2 * sentences} words of the data are unknown to the model, and lower its accuracy by "
        assert check.sentence.startswith(f"{said}{wrong / sentences / 2:.1%}")


def test_unknown_words() -> None:
    rows = [(f"zyx {text}" if k % 2 else text, label) for k, (text, label) in enumerate(ROWS)]
    whole = sum(len(text.split()) for text, _ in rows)
    found = only(examine(model(), data(rows)), "unknown words")
    assert found.number == pytest.approx(14 / whole)
    assert f"14 of {whole} words" in found.sentence
    assert found.command == Commands.of(model(), data(rows)).train()
    rarer = model(min_count=3)
    assert only(examine(rarer, data(rows)), "unknown words").command.endswith("--min-count 1")
    full = model(max_vocabulary=4)
    assert only(examine(full, data(rows)), "unknown words").command.endswith("--max-vocabulary 16")


def test_lengths_cut_off() -> None:
    found = only(examine(model(max_length=2), data()), "lengths cut off")
    assert found.number == 24 / 28
    assert "24 of 28 texts have more than the 2 words" in found.sentence
    words = sum(len(text.split()) for text, _ in ROWS)
    assert f"40 of {words} words ({40 / words:.1%}) are not read" in found.sentence
    assert found.command.endswith("--max-length 4")


def test_label_noise_of_the_same_text_with_two_labels() -> None:
    rows = [*ROWS, (ROWS[0][0].upper(), "neg")]  # the same to the model, which folds case
    diagnosis = examine(model(), data(rows))
    found = only(diagnosis, "label noise")
    assert found.number == 2 / 29
    assert found.sentence.startswith("2 of 29 rows have the text of another row with another label")
    assert [(one.line, one.other) for one in diagnosis.evidence] == [(2, 30), (30, 2)]
    assert "--doctor rows.csv --full" in found.command


def test_label_noise_that_the_model_is_sure_of() -> None:
    made = model()
    made.params["output"]["weight"][:] *= 5
    rows = [(ROWS[0][0], "neg"), *ROWS[1:]]
    found = only(examine(made, data(rows)), "label noise")
    assert found.number == 1 / 28
    assert "1 of 28 a label that the model is more than 99% sure is wrong" in found.sentence
    assert found.command == "rnncli evaluate latest rows.csv --mistakes 1"
    assert examine(model(), data(rows)).findings == ()  # p is 0.93 there: not sure


def test_a_label_that_was_never_trained_is_no_noise() -> None:
    made = model()
    made.params["output"]["weight"][:] *= 5
    checks = {check.name: check for check in examine(made, data([(ROWS[0][0], "else"), *ROWS[1:]])).checks}
    assert checks["label noise"].number == 0


def test_a_model_that_is_mostly_wrong_contradicts_nobody() -> None:
    made = model()
    made.params["output"]["weight"][:] *= -5
    checks = {check.name: check for check in examine(made, data()).checks}
    assert checks["label noise"].number == 0


def test_duplicates_across_the_split() -> None:
    rows = [row for row in ROWS[:14] for _ in range(2)]
    made = model(validation=0.1)
    shared = TASK.prepare(data(rows), made.settings).report.figures["on_both_sides"]
    diagnosis = examine(made, data(rows))
    found = only(diagnosis, "duplicates")
    assert shared == 2
    assert found.number == 1.0
    assert found.sentence.startswith("2 of 2 validation texts are in training too")
    assert len(diagnosis.evidence) == 2
    for one in diagnosis.evidence:
        assert rows[one.line - 2] == rows[one.other - 2]
        assert one.line != one.other


def test_duplicates_in_other_data() -> None:
    rows = [row for row in ROWS[:14] for _ in range(2)]
    found = only(examine(model(), data(rows, "other.csv")), "duplicates")
    assert found.number == 0.5
    assert found.sentence == "14 of 28 texts repeat an earlier one: they count twice."


def test_duplicates_are_looked_for_in_the_split_of_this_seed() -> None:
    """One text appears twice; it is on both sides for some seeds and not for others."""
    rows = [*ROWS[:27], ROWS[0]]
    seen = set()
    for seed in range(30):
        made = replace(model(seed=seed), record=record(label_rows={"neg": 13, "pos": 15}, rows=25, validation_rows=3))
        wanted = TASK.prepare(data(rows), made.settings).report.figures["on_both_sides"]
        numbers = {check.name: check.number for check in examine(made, data(rows)).checks}
        assert numbers["duplicates"] == wanted / 3
        seen.add(wanted)
    assert seen == {0, 1}


def test_learning_rate_too_high() -> None:
    losses = [(0.7, 0.69), (0.5, 0.6), (1.1, 0.61), (0.9, 0.605)]
    wild = replace(model(lr=0.1), record=record(losses, rows=2000, validation_rows=200))
    found = only(examine(wild, data()), "learning rate too high")
    assert found.number == pytest.approx((1.1 - 0.5) / 0.7)
    assert "from 0.5000 to 1.1000 in epoch 3" in found.sentence
    assert found.command.endswith("--lr 0.005")
    few = replace(wild, record=record(losses))  # 26 rows: that may be chance
    assert examine(few, data()).findings == ()


def test_learning_rate_too_high_from_the_first_epoch_on() -> None:
    losses = [(0.70, 0.66), (0.72, 0.665), (0.74, 0.67), (0.76, 0.67)]
    climbing = replace(model(), record=record(losses, rows=20_000, validation_rows=2000))
    found = only(examine(climbing, data()), "learning rate too high")
    assert found.number == pytest.approx(0.06 / 0.7)
    assert found.sentence.startswith("The first epoch was the best")


def test_too_few_epochs() -> None:
    short = replace(model(epochs=3), record=record([(0.7, 0.69), (0.5, 0.5), (0.4, 0.4)]))
    found = only(examine(short, data()), "too few epochs")
    assert found.number == pytest.approx(0.2)
    assert "from 0.5000 down to 0.4000" in found.sentence
    assert found.command.endswith("--epochs 6")
    assert examine(replace(short, settings=short.settings.replace(epochs=9)), data()).findings == ()


def test_overfitting() -> None:
    learned = replace(model(), record=record([(0.7, 0.6), (0.3, 0.4), (0.1, 0.6)]))
    found = only(examine(learned, data()), "overfitting")
    assert found.number == pytest.approx(0.5)
    assert "from 0.4000 in epoch 2 to 0.6000, with a training loss of 0.1000" in found.sentence
    assert found.command.endswith("--hidden 1")
    for last, found_one in ((0.51, True), (0.49, False)):  # from a quarter above the smallest one on
        made = replace(model(), record=record([(0.7, 0.6), (0.3, 0.4), (0.1, last)]))
        assert bool(examine(made, data()).findings) is found_one
    first, second, third = record([(0.7, 0.6), (0.3, 0.4), (0.1, 0.6)]).epochs
    perfect = replace(record(), best_epoch=2, epochs=(first, replace(second, validation_accuracy=1.0), third))
    assert examine(replace(model(), record=perfect), data()).findings == ()
    bold = replace(learned, settings=learned.settings.replace(dropout=0.1))
    command = only(examine(bold, data()), "overfitting").command
    assert command.endswith("--dropout 0.5")
    assert command.count("--dropout") == 1


def test_without_validation_or_record_what_is_not_known_is_said_so() -> None:
    for written in (Record(), record([(0.7, None), (0.6, None)], validation_rows=0)):
        found = examine(replace(model(), record=written), data())
        assert found.findings == ()
        assert [row[2] for row in found.views()[0].rows if row[0] in ("too few epochs", "overfitting")] == [
            "not known"
        ] * 2


def test_large_data_is_sampled_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROWS", 10)
    monkeypatch.setattr(doctor, "OPENED", 4)
    found = examine(model(), data())
    assert (found.rows, found.answered, found.opened) == (28, 10, 4)
    assert "drawn at random" in str(dict(found.pairs())["looked at"])
    drawn = doctor._drawn(1000, 10).tolist()
    assert drawn == sorted(set(drawn)) != list(range(10))
    assert len(drawn) == 10
    assert dumps(found.document(True)) == dumps(examine(model(), data()).document(True))


def test_a_text_without_words_is_bad_data() -> None:
    with pytest.raises(DataError, match=r"rows.csv:30: the text has no words"):
        examine(model(), data([*ROWS, ("<br>", "pos")]))


NUMBERS = "[[0, 1], [1, 0.5], [2, 0]]"
OTHERS = {
    "tag": ([('["a", "b"]', '["X", "Y"]'), ('["b", "a", "b"]', '["Y", "X", "Y"]')] * 5, {"embedding": 4}),
    "lm": ([("the sea and the bell", ""), ("", ""), ("x", ""), ("the bell and the sea", "")] * 5, {}),
    "seq2seq": ([("1 2", "one two"), ("2 1", "two one"), ("2", "two")] * 5, {"embedding": 4}),
    "caption": ([("[0, 1]", "a line"), ("[1, 0]", "a dot")] * 5, {"embedding": 4}),
    "classify": ([(NUMBERS, "up"), ("[[2, 0], [0, 1]]", "down")] * 8, {}),
    "multilabel": ([("a film with jokes", "a"), ("a film with tears", "b"), ("a film", "")] * 6, {"embedding": 4}),
}


@pytest.mark.parametrize("task", OTHERS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_task_is_looked_at_without_a_fall(task: str, cell: str) -> None:
    rows, chosen = OTHERS[task]
    dataset, kind = data(rows), task_named(task)
    if task == "multilabel":
        dataset = replace(dataset, labels=LabelSets(dataset.labels))
    if task == "caption":
        dataset = replace(dataset, reads=NumericColumns(("p", "q")), inputs=FeatureRows(dataset.texts))
    settings = Settings(**{**kind.defaults(dataset, Settings()), **chosen, "cell": cell, "hidden": 3, "task": task})
    settings = settings.replace(min_count=1, validation=0.2, max_length=20, epochs=1)
    prepared = kind.prepare(dataset, settings)
    made = prepared.model(prepared.network.init(np.random.default_rng(1)), Record())
    found = examine(made, dataset)
    assert found.opened > 0
    names = [check.name for check in found.checks]
    assert {"dead units", "saturated units", "too few epochs"} <= set(names)
    assert ("unknown words" in names) is (task in ("tag", "lm", "seq2seq", "multilabel"))
    assert all(check.number is None or math.isfinite(check.number) for check in found.checks)
    assert "NaN" not in dumps(found.document(True))
