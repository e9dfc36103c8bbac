"""Rows that the user has chosen for validation and for testing, in every task."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli.core.optim.parameters import flatten
from rnncli.data.splits import fold_numbers
from rnncli.errors import UsageError
from rnncli.tasks.model import Model

SMALL = ("--hidden", "4", "--epochs", "2", "--seed", "3", "--workers", "1")
SERIES = [{"sequence": [[n, -n], [n + 1, 2]], "label": "ab"[n % 2]} for n in range(8)]
TALES = "".join(f"line {n} tells of a bird that sings\n" for n in range(12))

# Task → name, rows to learn from, other rows of the same kind, and what a training on them is told.
KINDS: dict[str, tuple[str, list[str], list[str], list[str]]] = {
    "words": (
        "reviews.csv",
        ["text,label", *(f"a {w} film number {n},{'np'[w == 'good']}" for n in range(6) for w in ("good", "bad"))],
        ["text,label", "a good surprise,p", "a bad dream,n", "good enough,p"],
        ["--embedding", "3", "--min-count", "1"],
    ),
    "characters": (
        "names.tsv",
        ["text\tlabel", *(f"{x * 3}{n}\t{x}" for n in range(5) for x in "xy")],
        ["text\tlabel", "xxz\tx", "yy\ty"],
        ["--embedding", "3", "--min-count", "1", "--tokens", "char"],
    ),
    "numbers": ("series.jsonl", [json.dumps(one) for one in SERIES[:6]], [json.dumps(one) for one in SERIES[6:]], []),
    "tags": (
        "tags.conll",
        [*(f"the\tD\nbird{n}\tN\n" for n in range(8))],
        ["the\tD\nwren\tN\n"],
        ["--embedding", "3", "--min-count", "1"],
    ),
    "pairs": (
        "pairs.csv",
        ["source,target", *(f"a b {x},{x} b a" for x in "cdefgh")],
        ["source,target", "a b c,c b a", "a b z,z b a"],
        ["--embedding", "3"],
    ),
    "captions": (
        "weather.csv",
        ["hot,wet,text", *(f"{n / 2},{n % 3},day {'hot' if n > 3 else 'cold'}" for n in range(8))],
        ["hot,wet,text", "9.5,1,day hot", "0.5,2,day cold"],
        ["--task", "caption", "--label", "text", "--embedding", "3"],
    ),
    "amounts": (
        "prices.csv",
        ["text,price", *(f"a {w} house,{n + 100 * (w == 'large')}" for n in range(7) for w in ("large", "small"))],
        ["text,price", "a large house,104.5", "a small one,3", "a large flat,101"],
        ["--task", "regress", "--embedding", "3", "--min-count", "1"],
    ),
    "series": (
        "load.csv",
        ["day,site,load", *(f"2026-01-{n + 1:02},{s},{n % 5 + 0.5 * n}" for s in "abc" for n in range(20))],
        ["day,site,load", *(f"2026-03-{n + 1:02},d,{n % 5 + 0.25 * n}" for n in range(12))],
        ["--task", "forecast", "--label", "load", "--id", "site", "--window", "4", "--horizon", "2"],
    ),
    "rows in time": (
        "sales.csv",
        [
            "day,shop,rain,sold",
            *(f"2026-01-{n + 1:02},{s},{n * n % 7},{n % 5 + n / 2}" for s in "abc" for n in range(14)),
        ],
        ["day,shop,rain,sold", *(f"2026-03-{n + 1:02},d,{n % 3},{n % 5 + n / 4}" for n in range(12))],
        ["--task", "regress", "--label", "sold", "--id", "shop", "--time", "day", "--window", "4"],
    ),
    "labels": (
        "topics.jsonl",
        [json.dumps({"text": f"{a} and {b} {n}", "labels": [a, b]}) for n in range(4) for a, b in ("xy", "yz", "xz")],
        [json.dumps({"text": "x and new y", "labels": ["x", "y"]}), json.dumps({"text": "only z", "labels": ["z"]})],
        ["--embedding", "3", "--min-count", "1"],
    ),
    "text": ("tales.txt", TALES.splitlines(), ["a bird sings to another quick bird"], []),
}

ONLY_NUMBERS = {KINDS[name][0] for name in ("numbers", "captions", "series", "rows in time")}  # nothing is new to these


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest, cli: Any) -> tuple[str, str, list[str]]:
    return written(cli, request.param)


def written(cli: Any, which: str) -> tuple[str, str, list[str]]:
    """The names of the file to learn from and of the other one, and the options."""
    name, learned, others, options = KINDS[which]
    cli.write(name, "\n".join(learned) + "\n")
    cli.write(f"other-{name}", "\n".join(others) + "\n")
    return name, f"other-{name}", [*SMALL, *options]


def parameters(run: str) -> dict[str, bytes]:
    from rnncli.core.optim.parameters import flatten

    model = Model.load(f"runs/{run}/model.safetensors")
    return {name: value.tobytes() for name, value in flatten(model.params)}


def losses(cli: Any, run: str) -> list[float]:
    lines = (cli.folder / "runs" / run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def evaluated(cli: Any, data: str, run: str) -> float:
    """The score by which the epochs of a training are shown, from ``evaluate``."""
    greedy = ["--beam", "1"] if "beam" in Model.load(f"runs/{run}/model.safetensors").options else []
    found = cli.works("evaluate", data, "-m", run, *greedy, "--json").json
    scores = found | found.get("scores", {})
    return next(
        scores[name] for name in ("nats", "mae", "exact", "micro_f1", "accuracy") if scores.get(name) is not None
    )


def test_a_file_of_validation_rows_leaves_all_of_the_data_to_learn_from(cli, kind):
    data, other, options = kind
    whole = cli.works("train", data, *options, "--validation", "0", "--name", "whole", "--json").json
    own = cli.works("train", data, *options, "--validation", other, "--name", "own", "--json").json
    assert own["report"]["training_rows"] == whole["report"]["rows"]
    assert own["report"]["validation_rows"] > 0
    assert own["best_value"] is not None
    assert losses(cli, "own") == losses(cli, "whole")  # nothing of the other file was learned, and no token is known


def test_the_rows_for_testing_change_nothing_that_is_learned(cli, kind):
    data, other, options = kind
    plain = cli.works("train", data, *options, "--validation", "0.25", "--name", "plain", "--json").json
    tested = cli.works(
        "train", data, *options, "--validation", "0.25", "--test", other, "--name", "tested", "--json"
    ).json
    assert parameters("tested") == parameters("plain")
    score = tested["test"]
    assert (score["data"], plain["test"]) == (other, None)
    assert score["interval"][0] <= score["score"] <= score["interval"][1]
    assert score["baselines"].keys() == plain["baselines"].keys()
    assert Model.load("runs/tested/model.safetensors").record.test.score == score["score"]
    assert score["score"] == pytest.approx(evaluated(cli, other, "tested"), abs=1e-6)


def test_rows_for_validation_are_not_those_for_testing(cli, kind):
    data, other, options = kind
    says = f"--test {other} holds the same as {other}"
    cli.refuses(2, says, "train", data, *options, "--validation", other, "--test", other)


REFUSED = [
    (3, ["--validation val.csv has no column 'label', which reviews.csv has"], "text,sentiment\ngood,pos\nbad,neg\n"),
    (3, ["val.csv:3: no training row has the label 'x'"], "text,label\ngood,pos\nodd,x\n"),
    (2, ["--validation val.csv holds the same as reviews.csv"], None),
    (3, ["val.csv:2: the text is empty"], 'text,label\n"",pos\n'),
    (3, ["val.csv", "no records"], "text,label\n"),
]


@pytest.mark.parametrize(("code", "says", "content"), REFUSED)
def test_validation_files_that_cannot_be_used(trained, code, says, content):
    trained.write("val.csv", (trained.folder / "reviews.csv").read_text() if content is None else content)
    trained.refuses(code, says, "train", "reviews.csv", "--validation", "val.csv")


@pytest.mark.parametrize("option", ["--validation", "--test"])
@pytest.mark.parametrize(
    ("file", "code", "says"), [("absent.csv", 5, "absent.csv"), ("-", 2, "takes a file, not stdin"), (".", 3, "./runs")]
)
def test_files_of_rows_that_are_none(trained, tiny, option, file, code, says):
    trained.refuses(code, says, "train", "reviews.csv", *tiny, option, file)


@pytest.mark.parametrize("option", ["--validation", "--test"])
def test_a_label_of_several_that_no_training_row_has(cli, option):
    data, _, options = written(cli, "labels")
    cli.write("odd.jsonl", '{"text": "x and y", "labels": ["x"]}\n{"text": "odd", "labels": ["z", "odd"]}\n')
    cli.refuses(3, "odd.jsonl:2: no training row has the label 'odd'", "train", data, *options, option, "odd.jsonl")


def test_a_label_that_only_the_test_rows_have_is_counted_wrong(trained, tiny):
    trained.write("test.csv", "text,label\nvery good,pos\nvery good,odd\n")
    found = trained.works("train", "reviews.csv", *tiny, "--test", "test.csv", "--json").json
    assert (found["test"]["rows"], found["test"]["score"]) in [(2, 0.5), (2, 0.0)]
    assert found["report"]["labels"] == {"neg": 6, "pos": 6}
    evaluated = trained.works("evaluate", "test.csv", "--json").json
    assert found["test"]["score"] == evaluated["scores"]["accuracy"]


@pytest.mark.parametrize("by", ["option", "config", "environment"])
def test_the_validation_file_by_option_settings_file_and_environment(trained, by, monkeypatch):
    trained.write("val.csv", "text,label\nvery good,pos\nso bad,neg\n")
    trained.write("s.yaml", "validation: val.csv\n")
    if by == "environment":
        monkeypatch.setenv("RNNCLI_VALIDATION", "val.csv")
    options = {"option": ["--validation", "val.csv"], "config": ["--config", "s.yaml"], "environment": []}[by]
    found = trained.works("train", "reviews.csv", "--hidden", "4", "--epochs", "1", *options, "--json").json
    assert found["report"]["validation_rows"] == 2
    assert found["settings"]["validation"] == "val.csv"


# Columns that say what a row is for, and which rows belong together


def table(parts: list[str], column: str = "part") -> str:
    lines = (f"a {'good' if n % 2 else 'bad'} film {n},{'np'[n % 2]},{part}" for n, part in enumerate(parts))
    return f"text,label,{column}\n" + "\n".join(lines) + "\n"


SPELLINGS = [
    ["0", "1", "2"],
    ["train", "valid", "test"],
    ["Train", "VAL", "Test"],
    ["training", "validation", "testing"],
    ["train", "dev", "test"],
    ["0.0", "1.0", "2.0"],
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda one: one[1])
def test_a_column_says_what_each_row_is_for(cli, spelling):
    train, validation, test = spelling
    cli.write("all.csv", table([train] * 8 + [validation] * 4 + [test] * 4))
    lines = table([""] * 16).splitlines()
    for name, rows in (("train", lines[1:9]), ("val", lines[9:13]), ("test", lines[13:17])):
        cli.write(f"{name}.csv", "\n".join([lines[0], *rows]) + "\n")
    options = [*SMALL, "--embedding", "3", "--min-count", "1", "--json"]
    whole = cli.works("train", "all.csv", "--split", "part", "--name", "whole", *options).json
    files = ["--validation", "val.csv", "--test", "test.csv", "--ignore", "part"]
    files = cli.works("train", "train.csv", *files, "--name", "files", *options).json
    assert [whole["report"][name] for name in ("training_rows", "validation_rows", "test_rows")] == [8, 4, 4]
    assert parameters("whole") == parameters("files")
    assert {**whole["test"], "data": ""} == {**files["test"], "data": ""}


def test_without_rows_for_validation_a_share_of_those_for_training_is(cli):
    cli.write("all.csv", table(["train"] * 12 + ["test"] * 4))
    options = [*SMALL, "--embedding", "3", "--validation", "0.25", "--json"]
    report = cli.works("train", "all.csv", "--split", "part", *options).json["report"]
    assert [report[name] for name in ("training_rows", "validation_rows", "test_rows")] == [8, 4, 4]


SPLITS = [
    (["train", "other", "holdout"], 3, ["all.csv:3: column 'part'", "'other', 'holdout'", "train, valid"], []),
    (["test", "dev", "dev"], 3, ["by column 'part' no row is for training"], []),
    (["train", "train", "test"], 2, ["names the rows for test already"], ["--test", "other.csv"]),
    (["train", "dev", "dev"], 2, ["names the rows for validation already"], ["--validation", "other.csv"]),
]


@pytest.mark.parametrize(("parts", "code", "says", "more"), SPLITS)
def test_columns_that_do_not_say_it(cli, parts, code, says, more):
    cli.write("all.csv", table(parts))
    cli.write("other.csv", table(["train"] * 3))
    cli.refuses(code, says, "train", "all.csv", "--split", "part", *more)


def test_rows_of_one_group_stay_on_one_side(cli):
    cli.write("all.csv", table([f"patient {n % 10}" for n in range(40)], "patient"))
    options = [*SMALL, "--embedding", "3", "--min-count", "1", "--validation", "0.2"]
    found = cli.works("train", "all.csv", "--group", "patient", *options, "--json").json
    assert found["report"]["groups"] == {"column": "patient", "training": 8, "validation": 2}
    assert (found["report"]["training_rows"], found["report"]["validation_rows"]) == (32, 8)
    cli.write("val.csv", table(["patient 3", "patient 77"], "patient"))
    said = cli.works("train", "all.csv", "--group", "patient", *options[:-2], "--validation", "val.csv").err
    assert "1 group of column 'patient' stands both in all.csv and in --validation val.csv: 'patient 3'" in said


def test_groups_that_cannot_be_parted(cli):
    cli.write(
        "all.csv", "text,label,who\n" + "".join(f"some text {n},{'ab'[n % 2]},{'xy'[n % 2]}\n" for n in range(12))
    )
    cli.refuses(3, "no group of column 'who' can be set aside", "train", "all.csv", "--group", "who", *SMALL)
    cli.write("tales.csv", "text,who\n" + "a line of a tale,x\nanother line,y\n" * 9)
    cli.refuses(2, "--group is for records", "train", "tales.csv", "--task", "lm", "--text", "text", "--group", "who")


# Folds


def test_the_score_of_a_fold_is_that_of_a_training_without_it(cli, kind):
    """As of a split in which the rows of the fold are those for testing."""
    data, _, options = kind
    options = [*options, "--validation", "0.25"]
    found = cli.works("train", data, *options, "--folds", "2", "--name", "crossed", "--json").json
    plain = cli.works("train", data, *options, "--name", "plain", "--json").json
    assert parameters("crossed") == parameters("plain")
    crossed = found["folds"]
    scores = [fold["score"] for fold in crossed["folds"]]
    assert crossed["mean"] == pytest.approx(sum(scores) / 2)
    assert crossed["interval"][0] <= crossed["mean"] <= crossed["interval"][1]
    assert plain["folds"] is None
    said = cli.works("train", data, *options, "--folds", "2")
    assert [row[0] for row in said.rows[:4]] == ["fold", "1", "2", "mean"]
    assert "on average over 2 folds (deviation" in said.err


def test_a_fold_is_as_a_column_of_a_split_would_say(cli):
    plain = table([""] * 20).splitlines()
    labels = np.array([n % 2 for n in range(20)])
    fold = fold_numbers(labels, None, 4, 3)
    cli.write("plain.csv", "\n".join(plain) + "\n")
    cli.write("split.csv", table(["test" if one == 1 else "train" for one in fold]))
    options = [*SMALL, "--embedding", "3", "--min-count", "1", "--validation", "0.25", "--json"]
    crossed = cli.works("train", "plain.csv", "--ignore", "part", "--folds", "4", *options).json
    split = cli.works("train", "split.csv", "--split", "part", *options).json
    second = crossed["folds"]["folds"][1]
    assert (second["rows"], second["score"], second["epoch"]) == (5, split["test"]["score"], split["best_epoch"])
    assert second["baselines"] == split["test"]["baselines"]


# Trainings that begin with a model


def test_a_model_knows_what_it_knew_before_a_step_is_done(cli, kind):
    data, other, options = kind
    cli.works("train", data, *options, "--validation", "0", "--name", "old")
    found = cli.works("train", other, *SMALL, "--min-count", "1", "--validation", "0", "--from", "old", "--name", "new",
                      "--epochs", "0", "--json").json  # fmt: skip
    assert found["from"]["model"] == "old"
    assert any(found["from"]["added"].values()) == (data not in ONLY_NUMBERS)
    old, new = (Model.load(f"runs/{run}/model.safetensors") for run in ("old", "new"))
    assert new.record.origin.known == found["from"]["known"]
    weights, fresh = dict(flatten(old.params)), dict(flatten(new.params))
    for name, axis in new.axes.items():
        before = old.axes[name].names
        places = [axis.names.index(one) for one in before]
        assert (fresh[name].take(places, axis.number) == weights[name]).all()
        assert fresh[name].shape[axis.number] == len(axis.names)
    assert all((fresh[name] == value).all() for name, value in weights.items() if name not in new.axes)
    if not any(found["from"]["added"].values()):
        assert evaluated(cli, data, "new") == evaluated(cli, data, "old")


def test_the_score_of_older_rows_before_and_after(cli, kind):
    data, other, options = kind
    cli.works("train", data, *options, "--validation", "0", "--name", "old")
    found = cli.works("train", other, *SMALL, "--validation", "0", "--from", "old", "--keep", data, "--name", "new",
                      "--json").json  # fmt: skip
    kept = found["kept"]
    assert kept["data"] == data
    assert kept["before"] == pytest.approx(evaluated(cli, data, "old"), abs=1e-6)
    assert kept["after"] == pytest.approx(evaluated(cli, data, "new"), abs=1e-6)
    assert Model.load("runs/new/model.safetensors").record.kept.after == kept["after"]


CONTRADICTIONS = [
    (["--hidden", "5"], "--hidden 5: the model reviews-1 has hidden 4"),
    (["--cell", "gru"], "--cell gru: the model reviews-1 has cell lstm"),
    (["--tokens", "char"], "--tokens char: the model reviews-1 has tokens word"),
    (["--task", "seq2seq"], "--task seq2seq: the model reviews-1 has task classify"),
    (["--vectors", "reviews.csv"], "--vectors and --freeze are for a new training"),
    (["--from", "none"], "there is no run 'none'"),
]


@pytest.mark.parametrize(("options", "says"), CONTRADICTIONS)
def test_options_that_contradict_the_model(trained, options, says):
    trained.write("new.csv", "text,label\nwarm fun,pos\nodd noise,odd\n")
    begin = [] if "--from" in options else ["--from", "latest"]
    trained.refuses(5 if "none" in options else 2, says, "train", "new.csv", *begin, *options)


def test_a_resumed_training_does_not_begin_with_a_model(trained, tiny):
    trained.works("train", "reviews.csv", *tiny, "--name", "other")
    says = "a resumed training goes on from its own weights"
    trained.refuses(2, says, "train", "--from", "reviews-1", "--resume", "other")


def test_a_forecast_that_goes_on_keeps_its_scaling_and_its_windows(cli):
    data, other, options = written(cli, "series")
    cli.works("train", data, *options, "--season", "3", "--name", "old")
    later = cli.works("train", other, "--from", "old", "--validation", "0", "--epochs", "1", "--name", "new",
                      "--keep", data)  # fmt: skip
    assert "MAE on 45 windows of load.csv" in later.err
    report = cli.works("train", other, "--from", "old", "--validation", "0", "--epochs", "1", "--json").json["report"]
    assert (report["window"], report["horizon"], report["season"]) == (4, 2, 3)
    assert report["training_rows"] == 12 - 4 - 2 + 1
    old, new = (Model.load(f"runs/{run}/model.safetensors") for run in ("old", "new"))
    for name in ("center", "deviation"):
        assert (getattr(new, name) == getattr(old, name)).all()
    for name in ("mean", "spread"):
        assert (getattr(new.input, name) == getattr(old.input, name)).all()
    assert (new.linear.weights != old.linear.weights).any()  # what it is compared with learns from the same rows
    changed = [name for name, value in parameters("new").items() if value != parameters("old")[name]]
    assert len(changed) == len(parameters("old"))


SHORT = "\n".join(["day,site,load", *(f"2026-03-{n + 1:02},d,{n}" for n in range(5))]) + "\n"
OTHER_FORECASTS = [
    ("short.csv", SHORT, [], "the series has 5 timesteps, and no window of 4 timesteps with 2 values after it"),
    ("other.csv", "day,site,heat\n2026-03-01,d,1\n2026-03-02,d,2\n", [], "load"),
    (None, "", ["--window", "5"], "--window 5: the model old has window 4"),
    (None, "", ["--horizon", "3"], "--horizon 3: the model old has horizon 2"),
]


@pytest.mark.parametrize(("name", "content", "options", "says"), OTHER_FORECASTS)
def test_a_forecast_goes_on_with_series_that_it_can_read(cli, name, content, options, says):
    data, other, first = written(cli, "series")
    cli.works("train", data, *first, "--name", "old")
    if name is not None:
        cli.write(name, content)
    refused = cli("train", name or other, "--from", "old", "--validation", "0", *options)
    assert refused.code in (2, 3)
    assert says in refused.err
    assert "--window" not in refused.err or options  # the model has one, and another is not to be had


def test_older_rows_need_a_model_to_begin_with(trained):
    trained.refuses(2, "name the model too: --from RUN", "train", "reviews.csv", "--keep", "reviews.csv")


def test_two_labels_become_three(trained):
    """One logit becomes three, and the odds of the old two stay what they were."""
    trained.write("new.csv", "text,label\nwarm fun,pos\nodd noise,odd\nodd film,odd\n")
    trained.works("train", "new.csv", "--from", "reviews-1", "--name", "new", "--validation", "0", "--epochs", "0")
    old, new = (Model.load(f"runs/{run}/model.safetensors") for run in ("reviews-1", "new"))
    assert (old.labels, new.labels) == (("neg", "pos"), ("neg", "pos", "odd"))
    assert (new.record.origin.known["label"], new.record.origin.added["label"]) == (2, 1)
    for before, after in zip(old.predict(["very good", "so bad"]), new.predict(["very good", "so bad"]), strict=True):
        odds = [one.probabilities["pos"] / one.probabilities["neg"] for one in (before, after)]
        assert odds[1] == pytest.approx(odds[0], rel=1e-4)


def test_the_columns_of_the_model_are_those_of_the_new_data(trained, tiny):
    rows = "".join(
        f"{n},{text} and so on,{label}\n" for n, (text, label) in enumerate([("good", "u"), ("bad", "v")] * 8)
    )
    trained.write("old.csv", "nr,remark,verdict\n" + rows)
    trained.works("train", "old.csv", *tiny, "--text", "remark", "--label", "verdict", "--name", "old")
    trained.write("new.csv", "verdict,label,text,remark\nu,1,some text,good again\nv,2,some more,bad again\n")
    found = trained.works("train", "new.csv", "--from", "old", "--validation", "0", "--epochs", "1", "--json").json
    assert found["columns"] == {"text": "remark", "label": "verdict"}


def test_in_python_rows_are_files_or_pairs(trained, tmp_path):
    (tmp_path / "val.csv").write_text("text,label\nvery good,pos\nso bad,neg\n")
    pairs = [("very good", "pos"), ("so bad", "neg")]
    small = {"hidden": 4, "embedding": 3, "epochs": 1, "min_count": 1}
    models = [
        rnncli.train("reviews.csv", validation=rows, test=[("a warm film", "pos")], **small)
        for rows in (tmp_path / "val.csv", pairs)
    ]
    assert [model.record.validation_rows for model in models] == [2, 2]
    assert models[0].record.test.rows == 1
    assert models[0].record.epochs == models[1].record.epochs
    later = rnncli.train(pairs * 4, from_=models[0], keep=pairs, epochs=1, validation=0)
    assert (later.record.origin.model, later.record.kept.rows) == ("a model in Python", 2)
    crossed = rnncli.train("reviews.csv", folds=2, validation="0.4", **small)
    assert [fold.rows for fold in crossed.record.folds] == [6, 6]
    with pytest.raises(UsageError, match="folds must be at least 2"):
        rnncli.train("reviews.csv", folds=1)
