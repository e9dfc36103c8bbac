"""Options, environment and settings files: what they allow, which wins, and how a slip is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap

import pytest
import yaml
from attacks import dangers
from helpers import time_limit

from rnncli.config import SETTING_NAMES, TASKS, Settings
from rnncli.training.loop import AUTO_EPOCHS

MOST = "340,282,366,920,938,463,463,374,607,431,768,211,455"  # 2^128 - 1
REFUSED = [
    ("task", "tga", f"task must be one of auto, {', '.join(TASKS)}, not 'tga'; did you mean 'tag'?"),
    ("lr", "nan", "lr must be above 0 and at most 1e+09, not nan"),
    ("lr", "inf", "lr must be above 0 and at most 1e+09, not inf"),
    ("lr", "-1", "lr must be above 0 and at most 1e+09, not -1.0"),
    ("lr", "0", "lr must be above 0 and at most 1e+09, not 0.0"),
    ("lr", "1e10", "lr must be above 0 and at most 1e+09, not 10000000000.0"),
    ("dropout", "1", "dropout must be at least 0 and below 1, not 1.0"),
    ("dropout", "-0.1", "dropout must be at least 0 and below 1, not -0.1"),
    ("dropout", "nan", "dropout must be at least 0 and below 1, not nan"),
    ("clip", "0", "clip must be above 0 and finite, not 0.0"),
    ("clip", "-1", "clip must be above 0 and finite, not -1.0"),
    ("clip", "inf", "clip must be above 0 and finite, not inf"),
    ("clip", "nan", "clip must be above 0 and finite, not nan"),
    ("clip", "much", "clip must be a number, not 'much'"),
    ("hidden", "0", "hidden must be at least 1 and at most 65,536, not 0"),
    ("hidden", "-3", "hidden must be at least 1 and at most 65,536, not -3"),
    ("hidden", "1000000000000", "hidden must be at least 1 and at most 65,536, not 1000000000000"),
    ("hidden", "1" + "0" * 400, "hidden must be at least 1 and at most 65,536, not 1000000000"),
    ("layers", "0", "layers must be at least 1 and at most 16, not 0"),
    ("layers", "17", "layers must be at least 1 and at most 16, not 17"),
    ("embedding", "0", "embedding must be at least 1 and at most 65,536, not 0"),
    ("embedding-scale", "0", "embedding_scale must be above 0 and at most 100, not 0.0"),
    ("min-count", "0", "min_count must be at least 1 and at most 2,147,483,648, not 0"),
    ("max-vocabulary", "0", "max_vocabulary must be at least 1 and at most 10,000,000, not 0"),
    ("max-length", "0", "max_length must be at least 1 and at most 1,000,000, not 0"),
    ("horizon", "0", "horizon must be at least 1 and at most 10,000, not 0"),
    ("window", "0", "window must be at least 1 and at most 100,000, not 0"),
    ("season", "0", "season must be at least 1 and at most 10,000, not 0"),
    ("validation", "-0.1", "validation must be at least 0 and at most 0.9, not -0.1"),
    ("validation", "0.91", "validation must be at least 0 and at most 0.9, not 0.91"),
    ("warmup", "-1", "warmup must be at least 0 and at most 1,000,000,000, not -1"),
    ("momentum", "1", "momentum must be at least 0 and below 1, not 1.0"),
    ("weight-decay", "1.1", "weight_decay must be at least 0 and at most 1, not 1.1"),
    ("batch", "0", "batch must be at least 1 and at most 1,000,000, not 0"),
    ("epochs", "-1", "epochs must be at least 0 and at most 1,000,000, not -1"),
    ("epochs", "1.5", "epochs must be a whole number, not '1.5'"),
    ("workers", "0", "workers must be at least 1 and at most 64, not 0"),
    ("workers", "65", "workers must be at least 1 and at most 64, not 65"),
    ("patience", "0", "patience must be at least 1 and at most 1,000,000, not 0"),
    ("seed", "-1", f"seed must be at least 0 and at most {MOST}, not -1"),
    ("seed", str(2**128), f"seed must be at least 0 and at most {MOST}, not 340282366920938463463374607431768211456"),
    ("cell", "lsmt", "cell must be one of rnn, lstm, gru, mingru, not 'lsmt'; did you mean 'lstm'?"),
    ("cell", "os.system", "cell must be one of rnn, lstm, gru, mingru, not 'os.system'"),
    ("cell", "[red]\x1b[2J", "cell must be one of rnn, lstm, gru, mingru, not '[red]\\x1b[2J'"),
    ("nonlinearity", "relo", "nonlinearity must be one of tanh, relu, not 'relo'; did you mean 'relu'?"),
    ("readout", "lst", "readout must be one of last, mean, max, not 'lst'; did you mean 'last'?"),
    ("input", "one-hot", "input must be one of embedding, onehot, not 'one-hot'; did you mean 'onehot'?"),
    (
        "initializer",
        "uniforms",
        "initializer must be one of orthogonal, uniform, not 'uniforms'; did you mean 'uniform'?",
    ),
    ("tokens", "words", "tokens must be one of auto, word, char, symbol, not 'words'; did you mean 'word'?"),
    (
        "optimizer",
        "adma",
        "optimizer must be one of sgd, momentum, rmsprop, adam, adamw, not 'adma'; did you mean 'adam'?",
    ),
    ("schedule", "cosin", "schedule must be one of constant, linear, cosine, not 'cosin'; did you mean 'cosine'?"),
    (
        "class-weights",
        "balance",
        "class_weights must be one of none, sqrt, balanced, not 'balance'; did you mean 'balanced'?",
    ),
    ("inject", "evry", "inject must be one of start, every, not 'evry'; did you mean 'every'?"),
    ("vectors", "a\udcff.txt", "vectors must be UTF-8, for a model to keep it, not 'a"),
    ("engine", "c", "engine must be one of auto, numpy, compiled, not 'c'"),
    ("dtype", "float16", "dtype must be one of float32, float64, not 'float16'"),
]


@pytest.mark.parametrize(("option", "value", "says"), REFUSED, ids=[f"{o} {v[:20]!a}" for o, v, _ in REFUSED])
def test_a_value_out_of_range_is_refused_with_the_range(trained, option, value, says):
    """As an option, from the environment and from a settings file, each named."""
    trained.refuses(2, f"rnncli: {says}", "train", "reviews.csv", f"--{option}={value}")
    name = option.replace("-", "_")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"RNNCLI_{name.upper()}", value)
        trained.refuses(2, [f"rnncli: RNNCLI_{name.upper()}: {name} must be", says], "train", "reviews.csv")
    trained.write("s.yaml", f"# mine\n{name}: {json.dumps(value)}\n")
    trained.refuses(2, [f"rnncli: s.yaml:2: {name} must be", says], "train", "reviews.csv", "--config", "s.yaml")


def test_every_setting_with_a_range_is_among_the_refused():
    tried = {option.replace("-", "_") for option, _, _ in REFUSED}
    switches = {name for name in SETTING_NAMES if isinstance(getattr(Settings(), name), bool)}
    assert tried | switches == set(SETTING_NAMES)


def test_a_network_too_large_for_the_machine_is_refused_before_it_is_made(trained):
    with time_limit(60):
        says = ["GiB of memory", "and there is room for", "lower --hidden, --layers, --batch or --max-length"]
        trained.refuses(2, says, "train", "reviews.csv", "--hidden", "65536", "--layers", "16", "--validation", "0.34")


def test_a_misspelt_option_or_command_is_one_sentence_with_the_closest(trained):
    trained.refuses(2, ["No such option: --hiden", "--hidden", "see: rnncli train --help"], "train", "--hiden", "3")
    trained.refuses(2, ["No such command 'trian'", "see: rnncli --help"], "trian")
    trained.refuses(2, ["Missing argument 'TEXT|FILE'", "see: rnncli predict --help"], "predict")
    trained.refuses(2, "'--runs' requires an argument", "predict", "x", "--runs")
    trained.refuses(2, "Invalid value for '--hidden'", "train", "reviews.csv", "--hidden", "many")
    trained.refuses(2, "Invalid value for '--mistakes'", "evaluate", "latest", "reviews.csv", "--mistakes", "-1")
    trained.refuses(2, ["name the data to train on", "rnncli train reviews.csv"], "train")
    for command in ("--no-such-\x1b[2J", "\x1b]0;x\x07", "[red]"):
        result = trained.refuses(2, "rnncli: No such", command)
        assert dangers(result.err) == set()


def test_without_a_command_the_help_is_shown(cli):
    alone, asked = cli(), cli("--help")
    assert alone.out == asked.out
    assert "rnncli train reviews.csv" in alone.out
    assert (alone.code, asked.code, alone.err) == (2, 0, "")
    said = cli.works("--version").out
    assert re.fullmatch(r"rnncli 0\.1\.0; engine: (compiled \(\w+\)|NumPy; the compiled one cannot .+: .+)\n", said)


def test_debug_shows_where_and_only_for_that_call(trained):
    result = trained("predict", "x", "--model", "nope", "--debug")
    assert (result.code, result.out) == (5, "")
    assert "Traceback (most recent call last)" in result.err
    assert result.err.endswith("rnncli: there is no run 'nope'\n")
    trained.refuses(5, "there is no run 'nope'", "predict", "x", "--model", "nope")


def test_a_bug_of_ours_is_said_to_be_one_without_locals(trained, monkeypatch):
    def broken(self, texts, *_):
        secret = "s3cret-local"
        raise RuntimeError(f"planted \x1b[2J [red] {len(secret)}")

    monkeypatch.setattr("rnncli.tasks.classify.model.ClassifierModel.predict_stream", broken)
    result = trained("predict", "-", "--model", "reviews-1", stdin=b"x\n")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "rnncli: this is a bug in rnncli (RuntimeError: planted \\x1b[2J [red] 12)\n"
        "  see where with --debug; please report it\n"
    )
    assert "Traceback" in trained("predict", "-", "--debug", stdin=b"x\n").err


# --- files and environment -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("hiden: 8\n", "s.yaml:1: 'hiden' is not a setting; did you mean 'hidden'?"),
        ("5: 8\n", "s.yaml: 5 is not a setting"),
        ("__class__: x\n", "s.yaml:1: '__class__' is not a setting"),
        ("- hidden\n", "s.yaml: a settings file holds 'name: value' lines"),
        ("hidden\n", "s.yaml: a settings file holds 'name: value' lines"),
        ("hidden: 8\nhidden: 9\n", "s.yaml:2: 'hidden' is given twice"),
        ("hidden: [8]\n", "s.yaml:1: hidden must be a whole number, not '[8]'"),
        ("hidden: true\n", "s.yaml:1: hidden must be a whole number, not 'True'"),
        ("hidden: 8.0\n", "s.yaml:1: hidden must be a whole number, not 8.0"),
        ("hidden: null\n", "s.yaml:1: hidden must be a whole number, not 'None'"),
        (
            "hidden: 0x" + "f" * 5000,
            "s.yaml:1: hidden must be at least 1 and at most 65,536, not a number of thousands",
        ),
        ("bidirectional: 1\n", "s.yaml:1: bidirectional must be true or false, not 1"),
        ("cell: {a: b}\n", "s.yaml:1: cell must be one of rnn, lstm, gru, mingru, not '{'a': 'b'}'"),
        ("cell: lstm\n\tlr: 1\n", "s.yaml:2: "),
        ("cell: 'lstm\n", "s.yaml:2: "),
        ("cell: \x00\n", "s.yaml: this is not YAML"),
        ("cell: " + "x" * 90_000, "s.yaml:1: cell must be one of rnn, lstm, gru, mingru, not 'xxxxxx"),
        ("cell: " + "x" * 100_000, "s.yaml: a settings file has at most 100,000 bytes"),
        ("a: " + "[" * 90_000, "s.yaml: brackets are nested more than 10 deep"),
        ("- " * 45_000, "s.yaml: "),
        ("a: &a [1]\nb: &b [*a, *a]\n", "s.yaml: aliases (*name) are not allowed"),
        ("cell: !!python/object/apply:os.system ['touch owned']\n", "s.yaml:1: could not determine a constructor"),
        ("cell: !!python/name:os.system\n", "s.yaml:1: could not determine a constructor"),
        ("!!python/object/new:os.system ['touch owned']\n", "s.yaml:1: could not determine a constructor"),
    ],
    ids=lambda value: ascii(value[:30]),
)
def test_a_settings_file_with_a_slip_or_a_trap_is_refused_fast(trained, content, says):
    trained.write("s.yaml", content)
    with time_limit(60):
        result = trained.refuses(2, says, "train", "reviews.csv", "--config", "s.yaml")
    assert len(result.err) < 300
    assert not (trained.folder / "owned").exists()


def test_an_alias_bomb_is_refused(trained):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    trained.write("s.yaml", bomb)
    with time_limit(60):
        trained.refuses(2, "aliases (*name) are not allowed", "train", "reviews.csv", "--config", "s.yaml")


def test_a_settings_file_that_cannot_be_read_is_said_so(trained):
    for name, says in (("none.yaml", "No such file"), ("runs", "Is a directory"), ("/dev/zero", "not a regular file")):
        trained.refuses(5, [name, "cannot be read", says], "train", "reviews.csv", "--config", name)


def test_in_a_settings_file_a_text_means_what_it_means_as_an_option(cli, tiny, reviews):
    """YAML reads 1e-3 as a text, and knows neither none nor auto."""
    cli.write("reviews.csv", reviews)
    cli.write("s.yaml", "lr: 1e-3\nclip: none\nepochs: auto\nembedding: '5'\nbias: 'no'\n")
    settings = ["--config", "s.yaml", "--hidden", "2", "--min-count", "1", "--validation", "0", "--json"]
    used = cli.works("train", "reviews.csv", *settings).json["settings"]
    assert {name: used[name] for name in ("lr", "clip", "epochs", "embedding", "bias")} == {
        "lr": 0.001,
        "clip": None,
        "epochs": AUTO_EPOCHS[1],
        "embedding": 5,
        "bias": False,
    }
    cli.write("empty.yaml", "# nothing\n")
    assert (
        cli.works("train", "reviews.csv", "--config", "empty.yaml", *tiny, "--json").json["settings"]["lr"]
        == Settings().lr
    )


def test_an_option_beats_the_environment_beats_the_file_beats_the_default(cli, tiny, reviews, monkeypatch):
    cli.write("reviews.csv", reviews)
    cli.write("s.yaml", "batch: 2\nlayers: 2\nreadout: mean\nbidirectional: false\nclip: null\n")
    monkeypatch.setenv("RNNCLI_BATCH", "3")
    monkeypatch.setenv("RNNCLI_READOUT", "last")
    monkeypatch.setenv("RNNCLI_CLIP", "2")
    used = cli.works("train", "reviews.csv", *tiny, "--config", "s.yaml", "--batch", "4", "--clip", "none", "--json")
    settings = used.json["settings"]
    names = ("batch", "readout", "layers", "bidirectional", "clip", "cell", "seed")
    assert [settings[name] for name in names] == [4, "last", 2, False, None, "lstm", 0]
    assert yaml.safe_load((cli.folder / "runs" / "reviews-1" / "config.yaml").read_text()) == settings
    assert cli.works("inspect", "--json").json["settings"] == settings


@pytest.mark.parametrize(("word", "value"), [("1", True), ("Yes", True), ("false", False), ("0", False), ("no", False)])
def test_a_switch_in_the_environment(cli, tiny, reviews, monkeypatch, word, value):
    cli.write("reviews.csv", reviews)
    monkeypatch.setenv("RNNCLI_BIAS", word)
    assert cli.works("train", "reviews.csv", *tiny, "--json").json["settings"]["bias"] is value
    assert cli.works("train", "reviews.csv", *tiny, "--bias", "--json").json["settings"]["bias"] is True


def test_a_slip_in_the_environment_names_the_variable(trained, monkeypatch):
    monkeypatch.setenv("RNNCLI_BIAS", "maybe")
    trained.refuses(2, "RNNCLI_BIAS: bias must be true or false, not 'maybe'", "train", "reviews.csv")


def test_model_and_runs_are_read_from_the_environment(trained, monkeypatch):
    (trained.folder / "runs").rename(trained.folder / "elsewhere")
    trained.refuses(5, "there is no model in runs/ yet", "predict", "good")
    monkeypatch.setenv("RNNCLI_RUNS", "elsewhere")
    assert trained.works("predict", "good").rows[0][0] == "pos"
    monkeypatch.setenv("RNNCLI_MODEL", "nope")
    trained.refuses(5, "there is no run 'nope'", "predict", "good")
    assert trained.works("predict", "good", "--model", "latest").rows[0][0] == "pos"


def test_the_seed_is_said_and_kept_and_decides(cli, tiny, reviews):
    cli.write("reviews.csv", reviews)
    models = {}
    for name, options in {"a": [], "b": ["--seed", "0"], "c": ["--seed", str(2**64)]}.items():
        result = cli.works("train", "reviews.csv", "--name", name, *tiny, *options)
        assert f"seed {options[-1] if options else 0}\n" in result.err
        models[name] = (cli.folder / "runs" / name / "model.safetensors").read_bytes()
    assert models["a"] == models["b"] != models["c"]
    assert yaml.safe_load((cli.folder / "runs" / "c" / "config.yaml").read_text())["seed"] == 2**64


def test_no_epoch_saves_the_untrained_model_and_says_so(cli, tiny, reviews):
    cli.write("reviews.csv", reviews)
    result = cli.works("train", "reviews.csv", *tiny, "--epochs", "0")
    assert "no epoch was run: the untrained model is saved" in result.err
    assert [row[0] for row in result.rows] == ["model", "bag of words", "commonest label"]
    assert cli.works("predict", "good").rows[0][3] == "good"
    inspected = cli.works("inspect").out
    assert "epoch\tloss" not in inspected
    assert "trained on\t8 rows of reviews.csv, seed 0" in inspected
    document = cli.works("train", "reviews.csv", *tiny, "--epochs", "0", "--json").json
    assert (document["best_epoch"], document["validation_accuracy"], document["epochs"]) == (None, None, [])


def test_a_batch_larger_than_the_data_is_one_batch(cli, tiny, reviews):
    cli.write("reviews.csv", reviews)
    for name, batch in (("a", "8"), ("b", "1000000")):
        cli.works("train", "reviews.csv", *tiny, "--batch", batch, "--name", name)
    losses = [
        [json.loads(line)["loss"] for line in (cli.folder / "runs" / name / "metrics.jsonl").read_text().splitlines()]
        for name in "ab"
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 2


def test_hash_seed_locale_and_time_zone_change_no_byte_of_the_model(cli, process, tiny):
    cli.write("r.csv", "text,label\n" + "caf\u00e9 yes good ok,j\u00e4\nno bad cafe \u00e9t\u00e9,nein\n" * 6)
    worlds = {
        "a": {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        "b": {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"},
    }
    running = {n: process("train", "r.csv", "--name", n, *tiny, env=world) for n, world in worlds.items()}
    for name, training in running.items():
        out, err = training.communicate(timeout=60)
        assert training.returncode == 0, err
        assert out.startswith(b"model\taccuracy\n")
        assert b"Traceback" not in err
        assert (b"j\\xe4" if name == "a" else "jä".encode()) in err
    for file in ("model.safetensors", "config.yaml"):
        a, b = ((cli.folder / "runs" / name / file).read_bytes() for name in worlds)
        assert a == b


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    "world",
    [{"COLUMNS": "1"}, {"COLUMNS": "20"}, {"COLUMNS": "\u00b2"}, {"COLUMNS": "0", "LINES": "0"}, {"COLUMNS": "500"}],
    ids=str,
)
def test_any_width_of_the_terminal_is_readable(trained, tiny, monkeypatch, world):
    for name, value in world.items():
        monkeypatch.setenv(name, value)
    width = {"1": 20, "20": 20, "500": 500}.get(world["COLUMNS"], 80)
    trained.works("train", "reviews.csv", *tiny)
    commands = {
        ("predict", "good film", "zzz"): "pos",
        ("predict", "reviews.csv"): "pos",
        ("inspect", "--model", "reviews-1"): "LSTM",
        ("inspect", "--timesteps", "good film"): "good",
        ("evaluate", "reviews-1", "reviews.csv"): "0.9167",
        ("tokenize", "good film"): "film",
        ("tokenize", "reviews.csv"): "good",
    }
    for command, shown in commands.items():
        result = trained.works(*command)
        assert shown in result.out
        assert "\x1b" not in result.out + result.err
        assert max(map(len, result.out.split("\n"))) <= width


def test_colours_only_where_they_are_wanted(trained, monkeypatch):
    trained.at_terminal(80, "xterm-256color")
    assert "\x1b[1m" in trained.works("predict", "good", "bad").out
    assert "\x1b[1;31m" in trained("predict", "x", "--model", "nope").err
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in trained("predict", "x", "--model", "nope").err
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in trained.works("predict", "good", "bad").out


def test_help_imports_neither_numpy_nor_yaml(tmp_path):
    code = textwrap.dedent(
        """
        import sys
        from rnncli.cli.main import main
        for command in ([], ["tokenize"], ["train"], ["predict"], ["inspect"], ["evaluate"]):
            assert main([*command, "--help"]) == 0
        assert main(["train", "--hiden"]) == 2
        heavy = {"numpy", "yaml", "safetensors"} & set(sys.modules)
        assert not heavy, heavy
        """
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "[64]" in done.stdout
