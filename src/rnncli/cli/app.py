"""The commands by name. Each is a Typer signature here beside its help, and a plain function in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Annotated, Any

import typer

from rnncli import __version__
from rnncli.cli import options, uses
from rnncli.cli.arguments import files_among, is_file
from rnncli.cli.checked import Check, checked
from rnncli.cli.help import PlainCommand, PlainGroup
from rnncli.cli.options import (
    Beam,
    Debug,
    Encoding,
    Force,
    Format,
    HtmlFile,
    Ignore,
    InputFile,
    Json,
    LabelColumn,
    ModelName,
    OptionalEncoding,
    OptionalSkipBad,
    OtherModel,
    RunAgain,
    Runs,
    SkipBad,
    SvgFile,
    TextColumn,
    TextsOrFiles,
    Workers,
    with_settings,
)
from rnncli.cli.paths import Reads
from rnncli.data.formats.registry import is_array

app = typer.Typer(
    name="rnncli",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=PlainGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def command(function: Callable[..., None], check: Check | None = None) -> Callable[..., None]:
    """Adds a command, with what is checked of its options before it runs."""
    app.command(cls=PlainCommand)(checked(function, check))
    return function


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"rnncli {__version__}")
        raise typer.Exit


@app.callback()
def rnncli(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Train, use and open up small recurrent networks.

    \b
    rnncli train reviews.csv          guesses columns, trains, keeps the best
    rnncli predict "movie was good"   asks the newest model
    rnncli inspect --timesteps        shows its hidden state after every word
    """


def _check_tokenize(values: Mapping[str, Any], given: Collection[str]) -> None:
    uses.check_tokenize(values, given, is_file(values["source"]))


@partial(command, check=_check_tokenize)
def tokenize(
    source: Annotated[str, Reads(), typer.Argument(metavar="TEXT|DATA", help="A text, a data file, or - for stdin.")],
    unit: Annotated[
        str | None, typer.Option("--tokens", metavar="auto|word|char|symbol", help="What a timestep is. [auto]")
    ] = None,
    lowercase: Annotated[bool | None, typer.Option("--lowercase/--no-lowercase", help="Fold case. [on]")] = None,
    min_count: Annotated[int, typer.Option("--min-count", metavar="NUMBER", help="Rarer tokens become <unk>.")] = 1,
    max_vocabulary: Annotated[
        int, typer.Option("--max-vocabulary", metavar="NUMBER", help="Known tokens at most.")
    ] = 10_000,
    model: Annotated[
        OtherModel, typer.Option("--model", "-m", metavar="MODEL", help="Use this model's tokenizer and vocabulary.")
    ] = None,
    text: TextColumn = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    runs: Runs = options.DEFAULT_RUNS,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show how texts become numbers.

    \b
    rnncli tokenize "movie was good"           tokens, ids and one-hot vectors
    rnncli tokenize reviews.csv                vocabulary, coverage, lengths
    rnncli tokenize "so good" --model latest   as the newest model reads it
    """
    from rnncli.cli.tokenize import TokenizeRequest, tokenize_command

    tokenize_command(
        TokenizeRequest(source, unit, lowercase, min_count, max_vocabulary, model, text, format, encoding, runs), json
    )


@with_settings
def train(
    data: Annotated[InputFile, typer.Argument(metavar="DATA", help=f"{options.DATA_FILES}; or - for stdin.")] = None,
    config: Annotated[InputFile, typer.Option("--config", metavar="FILE", help="Settings as YAML.")] = None,
    resume: Annotated[RunAgain, typer.Option("--resume", metavar="RUN", help="Go on with a stopped run.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the run's folder.")] = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    format: Format = None,
    encoding: OptionalEncoding = None,
    skip_bad: OptionalSkipBad = None,
    ignore: Ignore = None,
    runs: Runs = options.DEFAULT_RUNS,
    json: Json = False,
    debug: Debug = False,
    *,
    given: dict[str, object],
) -> None:
    """Train a model on a data file and keep the best one.

    What the file holds decides the task, unless --task says it: texts or sequences of numbers with labels (classify),
    words with tags (tag), pairs of texts (seq2seq), numbers with a text (caption), or one long text (lm).

    \b
    rnncli train reviews.csv               columns guessed, the rest by default
    rnncli train reviews.csv --cell gru --epochs 10
    rnncli train names.csv --tokens char   a timestep is a letter
    rnncli train tags.conll                a tag for every word
    rnncli train plays.txt                 what comes next in a text
    rnncli train --resume latest           after Ctrl-C, to the same bits

    Each setting is also read from the environment (RNNCLI_HIDDEN=128) and from --config FILE.
    """
    from rnncli.cli.train import TrainRequest, train_command

    request = TrainRequest(data, config, resume, name, text, label, format, encoding, skip_bad, ignore, runs, given)
    train_command(request, json)


command(train)


def _check_predict(values: Mapping[str, Any], given: Collection[str]) -> None:
    files = files_among(values["texts"], values["format"])
    uses.check_predict(values, given, any(values["format"] is not None or not is_array(file) for file in files))


@partial(command, check=_check_predict)
def predict(
    texts: Annotated[TextsOrFiles, typer.Argument(metavar="TEXT|FILE", help="Texts, data files, or - for stdin.")],
    model: ModelName = "latest",
    length: Annotated[
        int | None, typer.Option("--length", metavar="N", min=1, help="Continue a text by so many tokens. [200]")
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option("--temperature", metavar="X", min=0.0, max=100.0, help="Of sampling; 0: the most probable. [1]"),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Of sampling. [0]")] = None,
    beam: Beam = None,
    workers: Workers = None,
    text: TextColumn = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    spreadsheet_safe: Annotated[
        bool, typer.Option("--spreadsheet-safe", help="A ' before what a spreadsheet would take for a formula.")
    ] = False,
    runs: Runs = options.DEFAULT_RUNS,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Ask a model for its predictions, in the order of the inputs.

    \b
    rnncli predict "movie was good" "not bad at all"
    rnncli predict new.csv --json      one JSON object a line
    rnncli predict "To be" --length 99 how a model of a text continues it
    cat lines.txt | rnncli predict -   one text a line

    Piped, a classifier's line is: label, probability, unknown words, text; with tabs between.
    """
    from rnncli.cli.predict import PredictRequest, predict_command

    options = {"length": length, "temperature": temperature, "seed": seed, "beam": beam}
    how = {name: value for name, value in options.items() if value is not None}
    predict_command(
        PredictRequest(texts, model, text, format, encoding, runs, how, spreadsheet_safe, workers=workers), json
    )


def _check_inspect(values: Mapping[str, Any], given: Collection[str]) -> None:
    sentence = values["sentence"]
    uses.check_inspect(values, given, sentence is not None and is_file(sentence) and not is_array(sentence))


@partial(command, check=_check_inspect)
def inspect(
    sentence: Annotated[
        InputFile,
        typer.Argument(metavar="TEXT", help="A text, or a file: its first input."),
    ] = None,
    timesteps: Annotated[bool, typer.Option("--timesteps", "-t", help="The hidden state after every token.")] = False,
    units: Annotated[str | None, typer.Option("--units", metavar="LIST", help="Units to show, as 0,3-5.")] = None,
    top: Annotated[int | None, typer.Option("--top", metavar="K", help="Show the K units that change most.")] = None,
    model: ModelName = "latest",
    gates: Annotated[bool, typer.Option("--gates", help="Gates and states of every layer and direction.")] = False,
    bptt: Annotated[bool, typer.Option("--bptt", help="A gradient as a sum, one term for each timestep.")] = False,
    memory: Annotated[bool, typer.Option("--memory", help="How much gradient arrives how far back.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Which words made the answer.")] = False,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="One example worked with every number, forward and backward.")
    ] = False,
    check_gradients: Annotated[
        bool, typer.Option("--check-gradients", help="Backpropagation against differences; exit code 1 if it fails.")
    ] = False,
    answer: Annotated[
        str | None, typer.Option("--answer", metavar="ANSWER", help="What loss and scores are of; else the prediction.")
    ] = None,
    param: Annotated[str | None, typer.Option("--param", metavar="NAME", help="Whose gradient --bptt shows.")] = None,
    compare: Annotated[
        OtherModel, typer.Option("--compare", metavar="MODEL", help="Set another model's --memory beside.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--as", metavar="FORM", help="--by-hand as text, markdown or latex. [text]")
    ] = None,
    map: Annotated[bool, typer.Option("--map", help="Heat maps in place of tables (--gates, --bptt).")] = False,
    full: Annotated[bool, typer.Option("--full", help="Leave nothing out.")] = False,
    svg: Annotated[SvgFile, typer.Option("--svg", metavar="FILE", help="Write the tables as a picture (.svg).")] = None,
    html: Annotated[
        HtmlFile, typer.Option("--html", metavar="FILE", help="Write all of it as one page for a browser (.html).")
    ] = None,
    doctor: Annotated[
        InputFile, typer.Option("--doctor", metavar="DATA", help="Why is it stuck? Looks for what can be wrong.")
    ] = None,
    diff: Annotated[
        OtherModel, typer.Option("--diff", metavar="MODEL", help="Compare with a model, on a text or --data.")
    ] = None,
    fires: Annotated[
        str | None,
        typer.Option("--fires", metavar="UNIT|all", help="Where in --data a unit is active; its labels."),
    ] = None,
    data: Annotated[InputFile, typer.Option("--data", metavar="FILE", help="What --fires and --diff read.")] = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    format: Format = None,
    encoding: OptionalEncoding = None,
    skip_bad: SkipBad = False,
    ignore: Ignore = None,
    force: Force = False,
    runs: Runs = options.DEFAULT_RUNS,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Open a model up: its layers, its training, and what goes on in it along a text.

    \b
    rnncli inspect                        layers, parameters, training record
    rnncli inspect --timesteps "so good"  the state after every word
    rnncli inspect --timesteps --top 8 --svg states.svg
    rnncli inspect --gates --map          every gate of every layer, as a picture
    rnncli inspect --bptt "so good"       ∂L/∂W, one term for each timestep
    rnncli inspect --memory --compare rnn how far back two models remember
    rnncli inspect --why "so good"        which words made the answer
    rnncli inspect "so good" --html so.html  all of it as one page
    rnncli inspect --by-hand --as latex   every number of a small network
    rnncli inspect --doctor reviews.csv   why is it stuck, and what to try
    rnncli inspect --diff gru "so good"   where two models differ
    rnncli inspect --fires 5 --data reviews.csv  the words that a unit is for
    """
    from rnncli.cli.inspect import InspectRequest, inspect_command
    from rnncli.cli.inspect_data import of_data

    wanted = {"gates": gates, "bptt": bptt, "memory": memory, "why": why, "by_hand": by_hand}
    wanted["check_gradients"] = check_gradients
    looks = tuple(name for name, asked in wanted.items() if asked)
    request = InspectRequest(
        *(sentence, timesteps, units, top, model, svg, runs),
        *(looks, answer, param, full, map, compare, form),
        *(html, text, format, encoding),
        of_data=of_data(
            **{"doctor": doctor, "diff": diff, "fires": fires, "data": data, "text": text, "label": label},
            **{"format": format, "encoding": encoding, "skip_bad": skip_bad, "ignore": ignore},
        ),
    )
    inspect_command(request, json)


@command
def evaluate(
    model: Annotated[str, Reads("model"), typer.Argument(metavar="MODEL", help="latest, RUN, RUN@EPOCH or a file.")],
    data: Annotated[str, Reads(), typer.Argument(metavar="DATA", help="Data with the right answers; - for stdin.")],
    mistakes: Annotated[
        int | None, typer.Option("--mistakes", metavar="K", min=0, help="How many mistakes to show. [10]")
    ] = None,
    beam: Beam = None,
    workers: Workers = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    skip_bad: SkipBad = False,
    ignore: Ignore = None,
    runs: Runs = options.DEFAULT_RUNS,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Score a model on data it has not seen.

    \b
    rnncli evaluate latest test.csv
    rnncli evaluate runs/reviews-1 test.csv --json
    """
    from rnncli.cli.evaluate import EvaluateRequest, evaluate_command

    how = {} if beam is None else {"beam": beam}
    request = EvaluateRequest(
        model, data, mistakes, text, label, format, encoding, skip_bad, ignore, runs, how, workers
    )
    evaluate_command(request, json)
