"""No option is ignored: over all views and all options, one that is given changes something or is refused (12)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from page_examples import MODELS, classifier

import rnncli
from rnncli.cli import app, uses
from rnncli.cli.views.table import VIEWS as ROWS
from rnncli.cli.views.view import READING
from rnncli.core.optim.parameters import flatten, nest
from rnncli.tasks.caption.model import CaptionModel

VIEWS = [[view.flag] for view in ROWS if not view.alone]
# Parameters that every view uses: which model, where it is, how much is said.
ALWAYS = {"context", "model", "runs", "json", "debug", "quiet", "html", *(view.name for view in ROWS)}
OPTIONS = {
    "units": ["--units", "1"],
    "top": ["--top", "1"],
    "answer": ["--answer"],
    "param": ["--param", "encoder/0/backward/weight_ih"],
    "compare": ["--compare", "other.safetensors"],
    "form": ["--as", "latex"],
    "full": ["--full"],
    "map": ["--map"],
    "svg": ["--svg", "x.svg"],
    "force": ["--force"],
    "data": ["--data", "films.csv"],
    "text": ["--text", "text"],
    "label": ["--label", "label"],
    "format": ["--format", "csv"],
    "sheet": ["--sheet", "1"],
    "encoding": ["--encoding", "utf-8"],
    "skip_bad": ["--skip-bad"],
    "ignore": ["--ignore", "id"],
    "time": ["--time", "id"],
    "id": ["--id", "id"],
    "features": ["--features", "id"],
    "split": ["--split", "id"],
    "group": ["--group", "id"],
    "label_separator": ["--label-separator", "|"],
    "delimiter": ["--delimiter", ","],
    "header": ["--no-header"],
    "decimal": ["--decimal", ","],
    "missing": ["--missing", "interpolate"],
}
OF_A_FILE = ("data", *READING)
LONG = "not the film was so good at all " * 8


def test_the_table_knows_every_parameter_of_inspect():
    import inspect

    known = {*uses.OPTIONS, *READING}
    assert inspect.signature(app.function_of("inspect")).parameters.keys() == ALWAYS | known
    assert OPTIONS.keys() | {"sentence"} == known
    for view in ROWS:
        assert view.options <= known, view.name


@pytest.fixture
def films(cli):
    model = classifier(hidden=6)
    model.save("m.safetensors")
    classifier().save("small.safetensors")
    model.with_params(nest({name: 1.5 * value for name, value in flatten(model.params)})).save("other.safetensors")
    cli.write("films.csv", "text,label,id\nthe film was good,pos,1\nnot good at all,neg,2\n")
    return cli


def outcome(cli, arguments):
    """Exit code, what was printed and what was written."""
    for written in cli.folder.glob("x.*"):
        written.unlink()
    result = cli("inspect", *arguments)
    assert result.code in (0, 2), result
    assert result.code == 2 or result.out or "written to" in result.err, arguments
    written = {path.name: path.read_bytes() for path in cli.folder.glob("x.*")}
    assert not (result.code and (written or result.out)), arguments
    return result.code, result.out, written


@pytest.mark.parametrize("json", [[], ["--json"]], ids=["tables", "json"])
@pytest.mark.parametrize("view", [[], *VIEWS, ["--html", "x.html"]], ids=" ".join)
def test_an_option_changes_something_or_is_refused(films, view, json):
    # By hand only a small one is worked, and a check runs it for every entry of a gradient.
    small = view in (["--by-hand"], ["--check-gradients"])
    name, text = ("small.safetensors", "not good") if small else ("m.safetensors", LONG)
    shown = ["-m", name, *([text] if view else []), *view, *json]
    plain = outcome(films, shown)
    (told,) = rnncli.load(name).predict([text])
    for name, option in OPTIONS.items():
        if name == "answer":
            option = ["--answer", "neg" if told.label == "pos" else "pos"]
        found = outcome(films, [*shown, *option])
        if name == "force" and view == ["--html", "x.html"]:
            assert found == plain  # and where the file is there already, it decides
            continue
        assert found[0] == 2 or found != plain, (view, option)
        if name in OF_A_FILE or (not view and name != "svg"):
            assert found[0] == 2, (view, option)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--by-hand", "--html", "x.html"], "no place for --by-hand"),
        (["--memory", "--compare", "other.safetensors", "--html", "x.html"], "no place for --compare"),
        (["--check-gradients", "--html", "x.html"], "no place for --check-gradients"),
        (["--gates", "--map", "--html", "x.html"], "no place for --map"),
        (["--by-hand", "--timesteps", "--svg", "x.svg"], "--svg draws tables, and --by-hand has none"),
        (["--svg", "learn.png"], "ends in .svg, and learn.png does not"),
        (["--html", "learn.svg"], "ends in .html or .htm, and learn.svg does not"),
        (["--why", "--json", "--full"], "--full chooses what a table shows, and --json has everything"),
        (["--timesteps", "--json", "--units", "0"], "--units chooses what a table shows"),
        (["--gates", "--full", "--units", "0"], "--full shows all units"),
        (["--gates", "--answer", "neg"], "--answer changes no state"),
        (["--force"], "--force is for --svg and --html"),
        (["--by-hand", "--full"], "--full is for --gates"),
        (["--memory", "--map"], "--map is for --gates and --bptt"),
    ],
)
def test_what_cannot_be_honoured_is_said(films, arguments, says):
    films.refuses(2, says, "inspect", "-m", "m.safetensors", *arguments)


def test_a_map_that_would_be_none_is_refused(cli):
    MODELS["classify, rnn"]().save("m.safetensors")
    says = "--map draws where a gradient comes from, and here it all comes from one timestep"
    cli.refuses(2, says, "inspect", "-m", "m.safetensors", "--bptt", "--map")
    cli.works("inspect", "-m", "m.safetensors", "--bptt", "--map", "--gates")


def test_a_map_of_too_many_timesteps_is_refused_for_that(cli):
    MODELS["tag"]().save("m.safetensors")
    long = "a b " * 21
    says = ["--map draws at most 40 timesteps, and ", " goes through 42 here", "add --full to draw them all"]
    cli.refuses(2, says, "inspect", "-m", "m.safetensors", "--bptt", "--map", long)
    shown = cli.works("inspect", "-m", "m.safetensors", "--bptt", "--map", "--full", long)
    assert sum(line.startswith("b\t") for line in shown.out.splitlines()) == 21


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["predict", "good", "--text", "text"], "--text says how a file is read, and none is given"),
        (["predict", "good", "bad", "--encoding", "latin-1"], "--encoding says how a file is read"),
        (["predict", "good", "--format", "csv"], "--format says how a file is read"),
        (["predict", "good", "--temperature", "0", "--seed", "1"], "--temperature 0 uses none"),
        (["predict", "good", "--spreadsheet-safe", "--json"], "--spreadsheet-safe is for lines of a table"),
        (["tokenize", "good", "--format", "csv"], "--format says how a file is read"),
        (["tokenize", "good", "--min-count", "2"], "--min-count is for the vocabulary of a file"),
        (["tokenize", "good", "--runs", "runs"], "--runs says where to find --model"),
        (["tokenize", "good", "-m", "m.safetensors", "--tokens", "char"], "--tokens says how texts are cut"),
        (["tokenize", "films.csv", "-m", "m.safetensors", "--no-lowercase"], "--lowercase says how texts are cut"),
    ],
)
def test_of_the_other_commands_too(films, arguments, says):
    films.refuses(2, says, *arguments)


def test_an_array_has_neither_columns_nor_an_encoding(cli):
    model = MODELS["caption"]()
    assert isinstance(model, CaptionModel)
    model.save("m.safetensors")
    np.save(cli.folder / "a.npy", np.ones(3))
    for option in (["--text", "image"], ["--encoding", "utf-8"]):
        cli.refuses(2, "says how a file is read", "predict", "a.npy", "-m", "m.safetensors", *option)


def test_a_model_of_a_text_has_no_labels_to_name_or_to_mistake(cli):
    MODELS["lm"]().save("m.safetensors")
    cli.write("a.txt", "a bad cab\n")
    cli.refuses(
        2, "--mistakes is not for a model of the task lm", "evaluate", "m.safetensors", "a.txt", "--mistakes", "1"
    )
    cli.refuses(2, "--label names the right answers", "evaluate", "m.safetensors", "a.txt", "--label", "x")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--nonlinearity", "relu"], "--nonlinearity is for --cell rnn, and this is lstm"),
        (["--momentum", "0.5"], "--momentum is for --optimizer momentum, and this is adamw"),
        (["--optimizer", "sgd", "--weight-decay", "0.1"], "--weight-decay is for --optimizer adamw, and this is sgd"),
        (["--attention"], "--attention decides nothing in a model of the task classify"),
        (["--inject", "every"], "--inject decides nothing in a model of the task classify"),
        (["--validation", "0", "--patience", "3"], "--patience counts epochs without a better validation score"),
    ],
)
def test_a_setting_that_decides_nothing_is_refused(trained, tiny, options, says):
    trained.refuses(2, says, "train", "reviews.csv", *(o for o in tiny if o not in ("--validation", "0.34")), *options)


def test_settings_of_a_file_need_not_all_count(trained, tiny, monkeypatch):
    monkeypatch.setenv("RNNCLI_MOMENTUM", "0.5")
    trained.works("train", "reviews.csv", "--config", "runs/reviews-1/config.yaml", "--epochs", "1", "--name", "again")
    said = trained.works("train", "reviews.csv", *tiny, "--input", "onehot", "--name", "onehot").err
    assert "--embedding is not used by this model" in said


@pytest.mark.parametrize(("variable", "near"), [("RNNCLI_HIDEN", "RNNCLI_HIDDEN"), ("RNNCLI_MODLE", "RNNCLI_MODEL")])
def test_a_misspelt_variable_is_an_error_of_every_command(trained, monkeypatch, variable, near):
    monkeypatch.setenv(variable, "3")
    for command in (["train", "reviews.csv"], ["predict", "good"], ["inspect"], ["tokenize", "good"]):
        trained.refuses(2, f"{variable} in the environment is not a setting; did you mean '{near}'?", *command)
    monkeypatch.delenv(variable)
    monkeypatch.setenv("RNNCLI_FOO", "3")
    trained.refuses(2, "RNNCLI_FOO in the environment is not a setting\n", "inspect")
    assert trained.works("--version").out.startswith("rnncli")


@pytest.mark.parametrize("name", MODELS)
def test_every_view_of_every_task_is_one_document(cli, name):
    model = MODELS[name]()
    model.save("m.safetensors")
    model.with_params(nest({key: 1.5 * value for key, value in flatten(model.params)})).save("o.safetensors")
    for view in itertools.chain(
        [[]],
        (view for view in VIEWS if view != ["--by-hand"]),
        (
            ["--memory", "--compare", "o.safetensors"],
            ["--diff", "o.safetensors"],
            ["--diff", "o.safetensors", model.example],
        ),
        ([model.example, "--html", "x.html"], ["--timesteps", "--why", "--gates"]),
    ):
        document = cli.works("inspect", "-m", "m.safetensors", *view, "--json").json
        assert document, view
    assert (cli.folder / "x.html").stat().st_size > 30_000
