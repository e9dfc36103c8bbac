"""What a training shows and leaves: summary, run folder, latest; and taking one up again."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest
import yaml

FILES = ["README.md", "config.yaml", "metrics.jsonl", "model.safetensors", "state.safetensors"]


@pytest.fixture
def ready(cli, reviews):
    """A folder with ``reviews.csv`` alone."""
    cli.write("reviews.csv", reviews)
    return cli


def metrics(cli, run: str) -> list[dict]:
    text = (cli.folder / "runs" / run / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.split("\n")[:-1]]


def learned(cli, run: str) -> list[tuple]:
    return [(line["epoch"], line["loss"], line["validation_loss"], line["best"]) for line in metrics(cli, run)]


def test_the_summary_stands_beside_the_baselines_on_stdout_and_the_rest_on_stderr(ready, tiny):
    result = ready.works("train", "reviews.csv", *tiny)
    assert result.rows[0] == ["model", "accuracy"]
    best = max(metrics(ready, "reviews-1"), key=lambda line: (line["validation_accuracy"], -line["validation_loss"]))
    assert result.rows[1] == [f"LSTM (4 units), epoch {best['epoch']}", f"{best['validation_accuracy']:.4f}"]
    assert [row[0] for row in result.rows[2:]] == ["bag of words", "commonest label"]
    assert result.rows[3][1] == "0.5000"
    for line in (
        "reading reviews.csv …",
        "text: text, label: label; change with --text/--label",
        "       rows  12: 8 to train, 4 to validate",
        "     labels  neg 6 (50%), pos 6 (50%)",
        "    lengths  2 to 4 words, median 2",
        " vocabulary  12 of 12 distinct words are known",
        "    network  LSTM, 4 units, 1 layer, both directions, max read-out, seed 0",
        f"    to beat  bag of words {result.rows[2][1]}, commonest label 0.5000",
        "finished: all 2 epochs are done",
        'saved in runs/reviews-1; ask it: rnncli predict "…", open it: rnncli inspect --timesteps',
    ):
        assert line in result.err.split("\n")
    assert result.err.count("epoch 1/2: loss ") == 1
    assert re.search(r"accuracy on \d+ validation rows (is|equals) .*the best baseline \(.*95% interval", result.err)
    assert "The same rows chose the epoch, so its score is a little too kind." in result.err


def test_the_run_has_its_files_and_latest_is_a_link(ready, tiny):
    ready.works("train", "reviews.csv", *tiny)
    run = ready.folder / "runs" / "reviews-1"
    assert sorted(path.name for path in run.iterdir()) == FILES
    assert os.readlink(ready.folder / "runs" / "latest") == "reviews-1"
    lines = metrics(ready, "reviews-1")
    assert [line["epoch"] for line in lines] == [1, 2]
    assert set(lines[0]) == {
        *("epoch", "loss", "validation_loss", "validation_accuracy", "best", "seconds", "words_per_second")
    }
    card = (run / "README.md").read_text()
    assert "trained on 8 rows of `reviews.csv`" in card
    assert "- Labels: neg (6), pos (6)" in card
    settings = yaml.safe_load((run / "config.yaml").read_text())
    assert (settings["hidden"], settings["tokens"], settings["epochs"]) == (4, "word", 2)


def test_a_second_training_has_its_own_folder_and_becomes_the_latest(ready, tiny):
    ready.works("train", "reviews.csv", *tiny)
    before = {name: (ready.folder / "runs" / "reviews-1" / name).read_bytes() for name in FILES}
    ready.works("train", "reviews.csv", *tiny, "--cell", "gru")
    assert {name: (ready.folder / "runs" / "reviews-1" / name).read_bytes() for name in FILES} == before
    assert os.readlink(ready.folder / "runs" / "latest") == "reviews-2"
    assert ready.works("inspect", "--json").json["settings"]["cell"] == "gru"
    assert ready.works("inspect", "--json", "--model", "reviews-1").json["settings"]["cell"] == "lstm"
    assert ready.works("inspect", "--json", "--model", "runs/reviews-1/model.safetensors").json["labels"] == [
        "neg",
        "pos",
    ]


def test_a_name_is_given_once(ready, tiny):
    ready.works("train", "reviews.csv", *tiny, "--name", "mine")
    ready.refuses(
        2,
        ["runs/mine exists already, and a training never overwrites another", "give another --name"],
        *("train", "reviews.csv", *tiny, "--name", "mine"),
    )


@pytest.mark.parametrize("name", ["", ".", "..", "latest", "a/b", "/tmp", "../x", "a\0b", "a\nb", "\x1b[2J", "\u202ex"])
def test_a_name_that_is_a_path_is_refused_before_anything_is_made(ready, tiny, name):
    ready.refuses(2, "cannot name a run", "train", "reviews.csv", *tiny, "--name", name)
    assert not (ready.folder / "runs").exists()


def test_a_name_that_no_folder_can_have(ready, tiny):
    result = ready("train", "reviews.csv", *tiny, "--name", "w" * 300)
    assert (result.code, result.out) == (5, "")
    assert "runs: the folder for the training cannot be made: File name too long" in result.err
    ready.write("blocked", "")
    ready.refuses(5, "blocked: the folder", "train", "reviews.csv", *tiny, "--runs", "blocked")


def test_the_settings_of_a_run_can_be_given_back(ready, tiny):
    ready.works("train", "reviews.csv", *tiny, "--lr", "0.00001", "--clip", "none", "--seed", "7", "--cell", "gru")
    ready.works("train", "reviews.csv", "--config", "runs/reviews-1/config.yaml")
    first, second = (ready.folder / "runs" / f"reviews-{n}" for n in (1, 2))
    for name in ("config.yaml", "model.safetensors"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert learned(ready, "reviews-1") == learned(ready, "reviews-2")


def test_json_is_one_document_that_agrees_with_the_files(ready, tiny):
    result = ready.works("train", "reviews.csv", *tiny, "--json")
    document = result.json
    assert (document["run"], document["model"]) == ("runs/reviews-1", "runs/reviews-1/model.safetensors")
    assert document["columns"] == {"text": "text", "label": "label"}
    assert document["report"]["labels"] == {"neg": 6, "pos": 6}
    assert (document["report"]["training_rows"], document["report"]["validation_rows"]) == (8, 4)
    assert document["report"]["lengths"] == [2, 2, 4]
    assert document["finished"] == "all 2 epochs are done"
    assert [epoch["loss"] for epoch in document["epochs"]] == [line["loss"] for line in metrics(ready, "reviews-1")]
    assert document["baselines"]["commonest_label"] == 0.5
    assert document["verdict"].startswith(f"{document['best_value']:.4f} accuracy on ")
    assert document["comparison"]["baseline_score"] == max(document["baselines"].values())
    assert document["settings"] == yaml.safe_load((ready.folder / "runs" / "reviews-1" / "config.yaml").read_text())


def test_without_validation_rows_there_is_nothing_to_compare(ready, tiny):
    result = ready.works("train", "reviews.csv", *tiny, "--validation", "0")
    assert result.out == ""
    assert "rows  12: 12 to train, 0 to validate" in result.err
    assert "of the training tokens" in result.err
    assert "bag of words" not in result.err
    document = ready.works("train", "reviews.csv", *tiny, "--validation", "0", "--json").json
    assert [document[name] for name in ("validation_accuracy", "baselines", "verdict")] == [None, {}, None]
    assert document["epochs"][0]["validation_accuracy"] is None
    assert document["report"]["validation_rows"] == 0
    assert ready.works("predict", "good").code == 0


def test_uneven_labels_are_pointed_out_until_they_are_weighed(ready, tiny, reviews):
    ready.write("uneven.csv", reviews + "".join(f"good thing {n},pos\n" for n in range(18)))
    said = "labels are uneven (the commonest has 4 times the rows of the rarest); --class-weights balanced"
    losses = {}
    for kind in ("none", "sqrt", "balanced"):
        result = ready.works("train", "uneven.csv", *tiny, "--class-weights", kind, "--name", kind)
        assert (said in result.err) == (kind == "none")
        losses[kind] = metrics(ready, kind)[0]["loss"]
    assert len(set(losses.values())) == 3


@pytest.mark.parametrize("tokens", ["char", "auto"])
def test_a_timestep_can_be_a_letter(cli, tiny, tokens):
    cli.write("names.csv", "name,language\n" + "anna,it\nbob,en\nlucia,it\njim,en\npaolo,it\ntom,en\n")
    result = cli.works("train", "names.csv", *tiny, "--tokens", tokens)
    assert "text: name, label: language; change with --text/--label" in result.err
    assert "lengths  3 to 5 chars, median " in result.err
    rows = cli.works("inspect", "--timesteps", "Tina").rows
    assert [row[1].removesuffix(" <unk>") for row in rows[1:]] == ["t", "i", "n", "a"]


@pytest.mark.parametrize(
    "options",
    [
        ["--cell", "rnn", "--nonlinearity", "relu"],
        ["--cell", "gru", "--layers", "2"],
        ["--input", "onehot", "--no-bidirectional", "--readout", "last"],
        ["--readout", "mean", "--no-bias", "--dtype", "float64"],
        ["--optimizer", "sgd", "--schedule", "cosine", "--warmup", "2"],
        ["--optimizer", "rmsprop", "--clip", "none", "--no-lowercase"],
    ],
    ids=" ".join,
)
def test_each_kind_of_network_trains_and_answers(ready, tiny, options):
    ready.works("train", "reviews.csv", *tiny, *options)
    answer = ready.works("predict", "good film", "--json").json
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert answer["probability"] == max(answer["probabilities"].values())
    assert len(ready.works("inspect", "--timesteps", "good film").rows) == 3


def test_three_labels_are_a_softmax(cli, tiny):
    cli.write("t.csv", "text,label\n" + "good film,a\nbad film,b\nodd film,c\n" * 4)
    cli.works("train", "t.csv", *tiny)
    answer = cli.works("predict", "good film", "--json").json
    assert list(answer["probabilities"]) == ["a", "b", "c"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_a_training_that_diverges_ends_with_6_and_an_older_model_stays_the_latest(ready, tiny):
    ready.works("train", "reviews.csv", *tiny, "--name", "first")
    wild = ["--cell", "rnn", "--nonlinearity", "relu", "--lr", "1e9", "--optimizer", "sgd", "--clip", "none"]
    result = ready("train", "reviews.csv", *tiny, *wild, "--epochs", "30", "--batch", "2")
    assert (result.code, result.out) == (6, "")
    assert "rnncli: training diverged: " in result.err
    assert "is not a finite number (epoch " in result.err
    assert "try a smaller learning rate than --lr 1e+09" in result.err
    assert ready.works("predict", "good", "--model", "first").code == 0


# --- resuming -------------------------------------------------------------------------------------------------------


def test_a_finished_training_says_that_it_is(trained):
    result = trained.works("train", "--resume", "latest")
    assert "resuming latest …" in result.err
    assert "this training is already finished: all 20 epochs are done" in result.err
    assert "epoch 20/20" not in result.err
    best = max(metrics(trained, "reviews-1"), key=lambda line: (line["validation_accuracy"], -line["validation_loss"]))
    assert result.rows[1] == [f"LSTM (4 units), epoch {best['epoch']}", f"{best['validation_accuracy']:.4f}"]
    assert trained.works("train", "--resume", "runs/reviews-1", "--json").json["finished"] == "all 20 epochs are done"


def test_with_nothing_to_take_up(cli, reviews):
    cli.refuses(5, ["there is no model in runs/ yet", "rnncli train reviews.csv"], "train", "--resume", "latest")
    os.makedirs("runs/empty-1")
    cli.refuses(5, "there is no run 'empty-2'; did you mean 'empty-1'?", "train", "--resume", "empty-2")
    cli.refuses(5, "runs/empty-1 is not a run of rnncli", "train", "--resume", "empty-1")
    cli.refuses(5, "runs/empty-1 is not a run of rnncli", "predict", "x", "--model", "empty-1")
    cli.write("runs/empty-1/config.yaml", "")
    stopped = "runs/empty-1 holds no model yet: its training was stopped before it saved one"
    cli.refuses(5, "runs/empty-1 holds no saved state to resume", "train", "--resume", "empty-1")
    cli.refuses(5, stopped, "predict", "x", "--model", "empty-1")
    cli.write("runs/empty-1/state.safetensors", b"\x80\x04not a state")
    cli.refuses(4, "runs/empty-1/state.safetensors is not an rnncli model", "train", "--resume", "empty-1")


def test_a_finished_training_goes_on_for_more_epochs_and_never_runs_one_twice(ready, tiny):
    options = [*tiny, "--schedule", "constant", "--lr", "0.1", "--patience", "50"]
    ready.works("train", "reviews.csv", *options, "--epochs", "6", "--name", "whole")
    ready.works("train", "reviews.csv", *options, "--epochs", "2", "--name", "parts")
    result = ready.works("train", "--resume", "parts", "--epochs", "6")
    assert "resuming after epoch 2, step 0" in result.err
    assert "epoch 2/6" not in result.err
    assert learned(ready, "parts") == learned(ready, "whole")
    assert sorted(path.name for path in (ready.folder / "runs").iterdir()) == ["latest", "parts", "whole"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--hidden", "5"], "the training to resume has hidden 4, not 5"),
        (["--cell", "gru"], "the training to resume has cell lstm, not gru"),
        (["--seed", "1"], "the training to resume has seed 0, not 1"),
        (["--max-vocabulary", "3"], "the training to resume has max_vocabulary 10000, not 3"),
    ],
)
def test_a_training_goes_on_only_with_its_own_settings(trained, options, says):
    hint = "a resumed training keeps its settings; only --epochs, --patience, --workers and --keep-epochs may change"
    trained.refuses(2, [says, hint], "train", "--resume", "latest", *options)


def test_a_training_goes_on_only_with_its_own_data(trained, reviews):
    trained.write("other.csv", reviews + "more,pos\n")
    says = "is not the data that runs/reviews-1 was trained on: its contents have changed"
    trained.refuses(2, f"other.csv {says}", "train", "other.csv", "--resume", "latest")
    (trained.folder / "reviews.csv").rename(trained.folder / "moved.csv")
    assert trained.works("train", "moved.csv", "--resume", "latest").rows[1][1] == "0.7500"
    trained.write("moved.csv", reviews.replace("fun", "joy"))
    trained.refuses(2, f"moved.csv {says}", "train", "--resume", "latest")


def test_a_training_from_a_pipe_asks_for_its_data_again(cli, tiny, reviews):
    cli.works("train", "-", *tiny, stdin=reviews.encode())
    cli.refuses(2, ["runs/stdin-1 was trained from stdin", "name the data again"], "train", "--resume", "latest")
    cli.write("reviews.csv", reviews)
    assert "already finished" in cli.works("train", "reviews.csv", "--resume", "latest", "--format", "csv").err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--text", "label"], "--text label is not what the training to resume was read with: --text text"),
        (["--label", "text"], "--label text is not what the training to resume was read with: --label label"),
        (["--format", "text"], "--format text is not what the training to resume was read with: --format csv"),
        (
            ["--encoding", "latin-1"],
            "--encoding latin-1 is not what the training to resume was read with: --encoding utf-8",
        ),
        (["--skip-bad"], "--skip-bad is not what the training to resume was read with"),
        (["--encoding", "utf8x"], "'utf8x' is not an encoding that rnncli reads"),
    ],
)
def test_a_training_goes_on_only_with_its_data_read_as_before(trained, options, says):
    trained.refuses(2, [f"rnncli: {says}"], "train", "--resume", "latest", *options)
    trained.refuses(2, [f"rnncli: {says}"], "train", "reviews.csv", "--resume", "latest", *options)


def test_the_way_the_data_were_read_may_be_named_again(cli, tiny, reviews):
    cli.write("r.csv", reviews + "one\n")
    cli.works("train", "r.csv", *tiny, "--skip-bad", "--encoding", "latin-1")
    again = ["--text", "text", "--label", "label", "--format", "csv", "--encoding", "latin1", "--skip-bad"]
    assert "already finished" in cli.works("train", "--resume", "latest", *again).err
    assert "already finished" in cli.works("train", "--resume", "latest").err


def test_data_with_other_columns_are_other_data(trained, reviews):
    trained.write("other.csv", reviews.replace("text,label", "review,stars"))
    says = "other.csv is not the data that runs/reviews-1 was trained on: there is no column 'text'"
    trained.refuses(2, f"rnncli: {says}", "train", "other.csv", "--resume", "latest")
    trained.write("broken.csv", reviews + "one\n")
    says = "broken.csv is not the data that runs/reviews-1 was trained on: broken.csv:14: 1 value, but the header has 2"
    trained.refuses(2, says, "train", "broken.csv", "--resume", "latest")


def test_data_that_have_moved_can_be_named_again(ready, tiny):
    ready.works("train", "reviews.csv", *tiny, "--name", "my first")
    (ready.folder / "reviews.csv").rename(ready.folder / "moved.csv")
    says = ["reviews.csv: there is no such file", "  if it has moved: rnncli train DATA --resume 'runs/my first'"]
    ready.refuses(5, says, "train", "--resume", "latest")
    ready.works("train", "moved.csv", "--resume", "runs/my first")


def test_a_finished_training_says_so_once(trained):
    err = trained.works("train", "--resume", "latest").err
    assert err.count("finished") == 1
    assert err.count("all 20 epochs are done") == 1


def test_a_resumed_training_keeps_the_settings_it_was_run_with(ready, tiny):
    ready.works("train", "reviews.csv", *tiny, "--name", "parts")
    result = ready.works("train", "--resume", "parts", "--epochs", "4", "--patience", "3", "--json").json
    assert (result["settings"]["epochs"], result["settings"]["patience"]) == (4, 3)
    assert yaml.safe_load((ready.folder / "runs" / "parts" / "config.yaml").read_text()) == result["settings"]


def test_a_resumed_training_cannot_become_a_latest_that_is_no_link(trained):
    (trained.folder / "runs" / "latest").unlink()
    (trained.folder / "runs" / "reviews-1").rename(trained.folder / "runs" / "latest")
    says = ["runs/latest is not a link, so it cannot point to the newest training", "move it away, or give other"]
    trained.refuses(2, says, "train", "--resume", "latest")
    trained.refuses(2, says, "train", "reviews.csv")
    assert trained.works("predict", "good").rows[0][0] == "pos"


# --- what is not a run -----------------------------------------------------------------------------------------------


def test_a_dangling_latest_is_said_so(trained):
    shutil.copytree("runs/reviews-1", "runs/old")
    shutil.copytree("runs/reviews-1", "runs/new")
    os.utime("runs/old", (1, 1))
    os.mkdir("runs/else")
    shutil.rmtree("runs/reviews-1")
    says = "rnncli: latest names run reviews-1, which is gone; name another: new, old"
    for command in (["predict", "good"], ["inspect"], ["train", "--resume", "latest"]):
        trained.refuses(5, says, *command)
    trained.refuses(5, "runs/latest names run reviews-1", "predict", "good", "--model", "runs/latest")
    shutil.rmtree("runs/old")
    shutil.rmtree("runs/new")
    says = ["latest names run reviews-1, which is gone", "  train one: rnncli train reviews.csv"]
    trained.refuses(5, says, "predict", "good")


def test_runs_that_name_a_file_are_said_so(trained):
    for command in (["predict", "good"], ["predict", "good", "--model", "r"], ["train", "--resume", "latest"]):
        says = "rnncli: reviews.csv is a file, not a folder of trainings"
        trained.refuses(5, says, *command, "--runs", "reviews.csv")
    assert trained.works("predict", "good", "--model", "runs/reviews-1", "--runs", "reviews.csv").code == 0


def test_symbols_of_a_text_stand_between_white_space(cli):
    cli.write("s.csv", "text,label\n" + "$x$ G-A,a\n$y$ G-B,b\n" * 8)
    cli.write("v.txt", "$x$ 1 0\ng-a 0 1\n")
    tiny = ["--hidden", "4", "--embedding", "3", "--epochs", "2", "--validation", "0", "--min-count", "1"]
    cli.works("train", "s.csv", "--tokens", "symbol", *tiny)
    assert "tokens: symbol" in (cli.folder / "runs/s-1/config.yaml").read_text()
    row = cli.works("predict", "$x$  G-A", "x", "--json").json_lines
    assert [one["unknown"] for one in row] == [[], ["x"]]
    trace = cli.works("inspect", "--timesteps", "$x$ G-A", "--json").json
    assert trace["tokens"] == ["$x$", "g-a"]
    with_vectors = [option for option in tiny if option not in ("--embedding", "3")]
    result = cli.works("train", "s.csv", "--tokens", "symbol", *with_vectors, "--vectors", "v.txt", "--freeze")
    assert "2 of 4" in result.err
    cli.write("t.txt", "a b\n" * 50)
    cli.refuses(2, "predicted by words or chars: --tokens symbol would lose", "train", "t.txt", "--tokens=symbol")


def test_a_text_of_rare_tokens_alone_is_refused(cli):
    cli.write("t.txt", "".join(map(chr, range(200, 400))))
    says = ["t.txt: no char occurs 2 times or more: nothing is left to predict", "lower --min-count"]
    cli.refuses(3, says, "train", "t.txt", "--min-count", "2")
    cli.works("train", "t.txt", "--min-count", "1", "--epochs", "1", "--hidden", "4")


def test_a_text_of_one_token_is_predicted(cli):
    cli.write("a.txt", "a" * 600)
    cli.works("train", "a.txt", "--epochs", "1", "--hidden", "4")
    assert cli.works("evaluate", "latest", "a.txt", "--json").json["accuracy"] > 0.99


def test_an_epoch_is_no_training_to_go_on_with(trained):
    says = ["there is no run 'reviews-1@2'", "the model of a single epoch can be used, but not trained on"]
    trained.refuses(5, says, "train", "--resume", "reviews-1@2")
