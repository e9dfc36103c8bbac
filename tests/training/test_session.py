"""One training and its folder of files: what is there after each event, and who has the best model."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.config import Settings, settings_from_yaml
from rnncli.core.optim.parameters import flatten
from rnncli.data.dataset import Source
from rnncli.errors import DataError, DivergedError, RnncliError, TrainingInterrupted, UsageError
from rnncli.results import EpochDone, Event, Finished, StepDone
from rnncli.tasks.model import Model
from rnncli.training import resuming, starting, state
from rnncli.training.session import Session
from rnncli.training.step import Trainer

TINY = {"hidden": 4, "embedding": 3, "batch": 8, "epochs": 3, "validation": 0.25, "min_count": 1, "lr": 0.01}
pytestmark = pytest.mark.usefixtures("one_core")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 reviews of each kind, of 2 to 7 words."""
    rng = np.random.default_rng(0)
    words = [["good", "fine", "warm"], ["bad", "poor", "cold"]]
    lines = ["text,label"]
    for n in range(60):
        chosen = rng.choice([*words[n % 2], "the", "film", "was"], rng.integers(1, 7))
        lines.append(f"{' '.join([*chosen, words[n % 2][0]])},{'pos' if n % 2 == 0 else 'neg'}")
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def begin(data: Path, runs: Path, **chosen: Any) -> Session:
    return starting.start(Source(str(data)), TINY | chosen, runs)


def finish(training: Session, see: Callable[[Event], None] | None = None) -> Session:
    for event in training.events():
        if see is not None:
            see(event)
    return training


def parameters(source: Session | Path) -> str:
    """A digest of the parameters of a model file, or of the present ones."""
    params = Model.load(source).params if isinstance(source, Path) else source.state.store.params
    digest = hashlib.sha256()
    for name, value in flatten(params):
        digest.update(name.encode() + value.tobytes())
    return digest.hexdigest()


def scripted(monkeypatch: pytest.MonkeyPatch, accuracies: list[float]) -> None:
    script = iter(accuracies)
    monkeypatch.setattr(Trainer, "validate", lambda _: (next(script), 1.0))


def test_the_files_of_a_training(data: Path, tmp_path: Path) -> None:
    training = finish(begin(data, tmp_path))
    folder = training.folder
    assert folder.path == tmp_path / "reviews-1"
    assert sorted(os.listdir(folder.path)) == [
        "README.md",
        "config.yaml",
        "metrics.jsonl",
        "model.safetensors",
        "state.safetensors",
    ]
    assert os.readlink(tmp_path / "latest") == "reviews-1"
    settings = Settings(**settings_from_yaml(folder.config.read_bytes(), "config.yaml"))
    assert settings == training.settings
    assert (settings.tokens, settings.epochs, settings.patience) == ("word", 3, 5)
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    for line, record in zip(lines, training.state.progress.history, strict=True):
        assert line["loss"] == record.loss
        assert line["validation_accuracy"] == record.validation_accuracy
        assert line["seconds"] >= 0
        assert line["words_per_second"] > 0


def test_the_model_and_its_record(data: Path, tmp_path: Path) -> None:
    training = finish(begin(data, tmp_path))
    model = Model.load(training.folder.model)
    assert model.labels == ("neg", "pos")
    assert model.settings == training.settings
    assert model.input.vocabulary == training.prepared.untrained.input.vocabulary
    record, progress = model.record, training.state.progress
    assert (record.data, record.rows, record.validation_rows) == ("reviews.csv", 44, 16)
    assert record.label_rows == {"neg": 30, "pos": 30}
    assert record.best_epoch == progress.best_epoch
    assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
    assert training.baselines is not None
    bag, commonest = training.baselines
    assert (bag.name, commonest.name, commonest.score) == ("bag_of_words", "commonest_label", 0.5)
    assert record.baselines == {"bag_of_words": bag.score, "commonest_label": 0.5}
    assert bag.score >= 0.9
    card = training.folder.card.read_text()
    assert card.startswith("# reviews-1\n")
    assert "neg (30), pos (30)" in card
    assert f"best after epoch {progress.best_epoch}" in card


def test_every_epoch_is_kept_if_asked_for(data: Path, tmp_path: Path) -> None:
    training = begin(data, tmp_path, keep_epochs=True)
    seen = [parameters(training)]
    finish(training, lambda event: seen.append(parameters(training)) if isinstance(event, EpochDone) else None)
    folder, best = training.folder, training.state.progress.best_epoch
    assert sorted(os.listdir(folder.epochs)) == [f"{epoch}.safetensors" for epoch in range(4)]
    assert [parameters(folder.epoch(epoch)) for epoch in range(4)] == seen
    assert len(set(seen)) == 4
    assert best is not None
    assert parameters(folder.model) == seen[best]
    records = [Model.load(folder.epoch(epoch)).record.epochs for epoch in range(4)]
    assert [len(record) for record in records] == [0, 1, 2, 3]
    assert [Model.load(folder.epoch(epoch)).record.best_epoch for epoch in range(4)] == [None, 1, 2, 3]
    assert Model.load(folder.model).record.best_epoch == best
    assert records[3] == Model.load(folder.model).record.epochs


def test_epochs_are_kept_by_a_training_that_is_taken_up(data: Path, tmp_path: Path) -> None:
    """Those that come after; with what was kept before they are those of a training that was not stopped."""
    whole = finish(begin(data, tmp_path / "whole", keep_epochs=True)).folder
    stopped = begin(data, tmp_path / "stopped", keep_epochs=True)

    def stop_in_the_second(event: Event) -> None:
        if isinstance(event, StepDone) and event.epoch == 2:
            stopped.stop_signal = signal.SIGINT

    with pytest.raises(TrainingInterrupted):
        finish(stopped, stop_in_the_second)
    folder = stopped.folder
    assert sorted(os.listdir(folder.epochs)) == ["0.safetensors", "1.safetensors"]
    finish(resuming.resume("reviews-1", tmp_path / "stopped"))
    for epoch in range(4):
        assert folder.epoch(epoch).read_bytes() == whole.epoch(epoch).read_bytes()
    later = begin(data, tmp_path / "later", epochs=1)
    finish(later)
    finish(resuming.resume("reviews-1", tmp_path / "later", given={"epochs": 3, "keep_epochs": True}))
    assert sorted(os.listdir(later.folder.epochs)) == ["1.safetensors", "2.safetensors", "3.safetensors"]
    assert parameters(later.folder.epoch(1)) != parameters(later.folder.epoch(2))
    before = later.folder.epoch(3).read_bytes()
    finish(resuming.resume("reviews-1", tmp_path / "later", given={"epochs": 4}))
    assert later.folder.epoch(3).read_bytes() == before  # with the settings that it had


def test_half_an_epoch_is_not_kept_as_a_whole_one(data: Path, tmp_path: Path) -> None:
    """Of a training that kept none, and was stopped within its second."""
    stopped = begin(data, tmp_path)

    def stop_in_the_second(event: Event) -> None:
        if isinstance(event, StepDone) and event.epoch == 2:
            stopped.stop_signal = signal.SIGINT

    with pytest.raises(TrainingInterrupted):
        finish(stopped, stop_in_the_second)
    finish(resuming.resume("reviews-1", tmp_path, given={"keep_epochs": True}))
    assert sorted(os.listdir(stopped.folder.epochs)) == ["2.safetensors", "3.safetensors"]


@pytest.mark.parametrize(
    ("accuracies", "best"), [([0.5, 0.9, 0.7], 2), ([0.9, 0.7, 0.8], 1), ([0.5, 0.6, 0.7], 3), ([0.5, 0.5, 0.5], 1)]
)
def test_a_worse_epoch_does_not_overwrite_the_best(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accuracies: list[float], best: int
) -> None:
    scripted(monkeypatch, accuracies)
    training = begin(data, tmp_path)
    after: list[str] = []
    for event in training.events():
        if isinstance(event, EpochDone):
            after.append(parameters(training))
            best_so_far = int(np.argmax(accuracies[: len(after)]))
            assert parameters(training.folder.model) == after[best_so_far]
    assert len(set(after)) == 3
    assert parameters(training.folder.model) == after[best - 1]
    record = Model.load(training.folder.model).record
    assert record.best_epoch == best
    assert len(record.epochs) == 3
    assert f"best after epoch {best}" in training.folder.card.read_text()


def test_nothing_more_is_written_before_the_first_epoch_is_done(data: Path, tmp_path: Path) -> None:
    training = begin(data, tmp_path)
    steps = itertools.takewhile(lambda event: event.step < event.steps, training.events())
    begun = training.folder.state.read_bytes()
    assert [sorted(os.listdir(training.folder.path)) for _ in steps] == [["config.yaml", "state.safetensors"]] * 5
    assert training.folder.state.read_bytes() == begun
    assert os.listdir(tmp_path) == ["reviews-1"]


def test_no_epochs_save_the_untrained_model(data: Path, tmp_path: Path) -> None:
    training = begin(data, tmp_path, epochs=0)
    untrained = parameters(training)
    assert [type(event) for event in training.events()] == [Finished]
    assert parameters(training.folder.model) == untrained
    assert training.folder.state.exists()
    assert Model.load(training.folder.model).record.epochs == ()
    assert not training.folder.metrics.exists()


def test_without_validation_there_is_nothing_to_beat(data: Path, tmp_path: Path) -> None:
    training = finish(begin(data, tmp_path, validation=0.0))
    assert training.measure_baselines() == ()
    assert Model.load(training.folder.model).record.baselines == {}
    assert "bag of words" not in training.folder.card.read_text()


def test_auto_becomes_numbers(data: Path, tmp_path: Path) -> None:
    training = begin(data, tmp_path, epochs=None, patience=None)
    assert (training.settings.epochs, training.settings.patience) == (60, 30)


def test_the_way_to_go_on_can_be_pasted_into_a_shell(data: Path, tmp_path: Path) -> None:
    training = begin(data, tmp_path / "my $runs")
    training.stop_signal = signal.SIGINT
    with pytest.raises(TrainingInterrupted) as caught:
        finish(training)
    assert str(caught.value.hint) == f"go on with: rnncli train --resume '{tmp_path}/my $runs/reviews-1'"


def test_the_card_counts_in_english(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("text,label\n" + "good film,pos\nbad film,neg\n" * 4)
    card = finish(begin(path, tmp_path / "runs", epochs=1, hidden=1)).folder.card.read_text()
    assert "- Network: LSTM, 1 unit, 1 layer, both directions, max read-out" in card
    assert "- Training: 1 epoch of at most 1, adamw" in card
    card = finish(begin(path, tmp_path / "runs", epochs=2, layers=2)).folder.card.read_text()
    assert "- Network: LSTM, 4 units, 2 layers, both directions, max read-out" in card
    assert "- Training: 2 epochs of at most 2, adamw" in card


def test_the_card_shows_hostile_labels_harmlessly(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("text,label\n" + "good,\x1b[31mpos\nbad,neg\n" * 4)
    card = finish(begin(path, tmp_path / "runs")).folder.card.read_text()
    assert "\x1b" not in card
    assert "neg (4)" in card


# Signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize(
    ("events", "place", "metrics"),
    [(2, "epoch 1 after step 2", 0), (7, "epoch 2 after step 0", 1), (9, "epoch 2 after step 2", 1)],
)
def test_a_signal_saves_and_says_so(
    data: Path, tmp_path: Path, number: int, code: int, events: int, place: str, metrics: int
) -> None:
    """44 rows in batches of 8 are 6 steps, and the epoch's end is the seventh event."""
    training = begin(data, tmp_path)
    seen: list[Event] = []

    def see(event: Event) -> None:
        seen.append(event)
        training.stop_signal = number if len(seen) == events else None

    with pytest.raises(TrainingInterrupted) as caught:
        finish(training, see)
    assert len(seen) == events
    assert caught.value.exit_code == code
    assert f"stopped by {signal.Signals(number).name} in {place}" in caught.value.message
    assert f"--resume {training.folder.path}" in str(caught.value.hint)
    assert training.folder.state.exists()
    assert len(Model.load(training.folder.model).record.epochs) == metrics
    assert training.folder.metrics.exists() is bool(metrics)
    if not metrics:
        assert parameters(training.folder.model) == parameters(training)


def test_a_signal_at_the_very_end_changes_nothing(data: Path, tmp_path: Path) -> None:
    training = begin(data, tmp_path)
    for event in training.events():
        if isinstance(event, Finished):
            training.stop_signal = signal.SIGINT
    assert training.state.progress.finished == "all 3 epochs are done"


# Failures


@pytest.mark.parametrize(
    ("content", "chosen", "kind"),
    [
        ("text,label\ngood,pos\n", {}, DataError),
        ("text,label\ngood,pos\nbad,pos\n", {}, DataError),
        ("text,label\n", {}, DataError),
        ("text,label\ngood,pos\nbad,neg\n", {"hidden": 60_000, "layers": 16, "validation": 0.0}, UsageError),
    ],
)
def test_what_fails_before_the_training_leaves_no_trace(
    tmp_path: Path, content: str, chosen: dict[str, Any], kind: type[RnncliError]
) -> None:
    path = tmp_path / "d.csv"
    path.write_text(content)
    tracemalloc.start()
    with pytest.raises(kind):
        begin(path, tmp_path / "runs", **chosen)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000
    assert os.listdir(tmp_path) == ["d.csv"]


def test_a_divergence_leaves_the_last_good_files(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = begin(data, tmp_path, epochs=4)
    files: dict[str, bytes] = {}

    def see(event: Event) -> None:
        if isinstance(event, EpochDone):
            files.update({path.name: path.read_bytes() for path in training.folder.path.iterdir()})
        elif isinstance(event, StepDone) and (event.epoch, event.step) == (2, 3):
            training.state.store.dense[0] = np.nan

    with pytest.raises(DivergedError, match="epoch 2, step 4"):
        finish(training, see)
    left = {path.name: path.read_bytes() for path in training.folder.path.iterdir()}
    assert left.keys() == {"config.yaml", "metrics.jsonl", "model.safetensors", "state.safetensors"}
    assert {name for name in left if left[name] != files[name]} == {"state.safetensors"}
    saved = state.load(training.folder.state)
    assert saved.manifest.progress.diverged == "training diverged: the loss is not a finite number (epoch 2, step 4)"
    assert saved.manifest.progress.epoch == 1
    with pytest.raises(DivergedError, match=r"reviews-1 cannot be resumed: .*\(epoch 2, step 4\)"):
        resuming.resume("reviews-1", tmp_path)


def test_a_diverged_validation_is_no_bad_model_file(data: Path, tmp_path: Path) -> None:
    training = begin(
        data, tmp_path, cell="rnn", nonlinearity="relu", lr=1e6, batch=100, dropout=0.0, hidden=8, embedding_scale=1.0
    )
    with pytest.raises(DivergedError):
        finish(training)
    assert sorted(os.listdir(training.folder.path)) == ["config.yaml", "state.safetensors"]
    with pytest.raises(DivergedError, match="and it would diverge again"):
        resuming.resume(training.folder.path.name, tmp_path)


def test_a_file_name_that_is_no_text_trains_and_resumes(tmp_path: Path) -> None:
    """Linux names are bytes; this one is not UTF-8."""
    data = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xff.csv"))
    data.write_text("text,label\n" + "good film,pos\nbad film,neg\n" * 10)
    started = starting.start(Source(str(data)), {"hidden": 2, "embedding": 2, "epochs": 1}, tmp_path / "runs")
    list(started.events())
    assert started.model().record.data == "r\\xff.csv"
    resumed = resuming.resume(str(started.folder.path), tmp_path / "runs")
    assert resumed.dataset.source.path == str(data)
    assert resumed.state.progress.finished == "the epoch is done"
