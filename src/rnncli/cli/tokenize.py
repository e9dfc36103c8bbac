"""``rnncli tokenize``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.command import Call, command
from rnncli.cli.arguments.inputs import is_file, model_of, refuse_reading, require_piped, shown, source_of
from rnncli.cli.arguments.options import DEFAULT_RUNS, AnyPath, Note, flag_of, quiet
from rnncli.cli.arguments.paths import Reads
from rnncli.config import Settings
from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.cli.tokens import Tokens, TokenStatistics

TextOrData = Annotated[
    AnyPath | Iterable[str], Reads(), typer.Argument(metavar="TEXT|DATA", help="A text, a data file, or - for stdin.")
]
TokenUnit = Annotated[
    str | None, typer.Option("--tokens", metavar="auto|word|char|symbol", help="What a timestep is. [auto]")
]
Lowercase = Annotated[bool | None, typer.Option("--lowercase/--no-lowercase", help="Fold case. [on]")]
MinCount = Annotated[int | None, typer.Option("--min-count", metavar="NUMBER", help="Rarer tokens become <unk>. [1]")]
MaxVocabulary = Annotated[
    int | None, typer.Option("--max-vocabulary", metavar="NUMBER", help="Largest size of the vocabulary. [10000]")
]
TokenizerOf = Annotated[
    options.OtherModel,
    typer.Option("--model", "-m", metavar="MODEL", help="Cut as this model does, a classifier or a language model."),
]


@checked()
def tokenize(
    source: TextOrData,
    *,
    tokens: TokenUnit = None,
    lowercase: Lowercase = None,
    min_count: MinCount = None,
    max_vocabulary: MaxVocabulary = None,
    model: TokenizerOf = None,
    runs: options.Runs = DEFAULT_RUNS,
    note: Note = quiet,
    **reading: Unpack[options.InputReading],
) -> Tokens | TokenStatistics:
    """Returns the tokens of a text, or statistics of the tokens of many.

    Args:
        source: a text, the name of a data file, or a list of texts.
        tokens: what a timestep is: auto, word, char or symbol.
        lowercase: whether to fold case; on if None.
        min_count, max_vocabulary: which tokens of many texts are in the vocabulary; 1 and 10,000 if None.
        model: a model whose tokenizer and vocabulary to use, or its name.
        runs: where models are found by name.
        note: takes a sentence on how the file is read, and its style.
        reading: how to read the file; see :class:`rnncli.cli.arguments.options.InputReading`.

    Raises:
        UsageError: an option has no effect here, or a value is not possible.
        DataError: there are no tokens, or the file cannot be used.
        ModelFileError, StorageError: the file or the model cannot be read.
    """
    from rnncli.cli.tokens import statistics_of, tokens_of
    from rnncli.data.doubts.preview import Purpose
    from rnncli.data.formats.sources import display_name
    from rnncli.data.layouts.layout import Request
    from rnncli.data.opening import open_records

    cutting = {"tokens": tokens, "lowercase": lowercase, "min_count": min_count, "max_vocabulary": max_vocabulary}
    given = {name: value for name, value in cutting.items() if value is not None}
    if model is not None:
        for name in given:
            raise UsageError(
                f"{flag_of(name)} says how texts are cut into tokens, and the model has its own tokenizer",
                "leave --model or the option out",
            )
    # Checked by the rules of training, so that what is shown here can also be trained.
    settings = Settings.from_mapping({"min_count": 1} | given)
    asked = None if model is None else model_of(model, runs)
    if isinstance(source, os.PathLike) or (isinstance(source, str) and is_file(source, reading.get("format"))):
        require_piped(source, "the texts")
        file = source_of(source, reading, inputs=True)
        request = Request(file, labelled=False, roles=None if asked is None else asked.roles)
        opened = open_records(request, purpose=Purpose("rnncli tokenize"))
        note(opened.plan.why())
        texts = (record.input for record in opened.records())
        return statistics_of(display_name(file.path), texts, asked, settings, given)
    if not isinstance(source, str):
        refuse_reading("these are texts", reading)
        return statistics_of("the list", _texts(source), asked, settings, given)
    refuse_reading("this is a text", reading)
    for name in ("min_count", "max_vocabulary"):
        if name in given:
            raise UsageError(f"{flag_of(name)} is for the vocabulary of a file, and a text has all its tokens")
    return tokens_of(source, asked, settings)


def _texts(values: Iterable[Any]) -> Iterator[Any]:
    """The values themselves; raises UsageError where one is neither a text nor a list of words or of numbers."""
    from rnncli.data.formats.values import looks_like_numbers, words

    for number, one in enumerate(values, 1):
        if not isinstance(one, str) and words(one) is None and not looks_like_numbers(one):
            raise UsageError(
                f"source must be a list of texts, or of lists of words, and number {number} is {shown(one)}"
            )
        yield one


def tokenize_command(
    call: Call,
    work: Callable[..., Tokens | TokenStatistics],
    json: options.Json = False,
) -> None:
    """
    \b
    rnncli tokenize "movie was good"           tokens, ids and one-hot vectors
    rnncli tokenize reviews.csv                vocabulary, coverage, lengths
    rnncli tokenize "so good" --model latest   as the newest model reads it
    """
    from rnncli.cli.show import show_figures
    from rnncli.cli.tokens import TokenStatistics
    from rnncli.render.json_out import print_json
    from rnncli.render.tables import print_table

    output = call.output
    if "runs" in call.typed and "model" not in call.typed:
        raise UsageError("--runs says where to find --model, and none is given", "add --model NAME")
    found = work(note=output.note)
    if isinstance(found, TokenStatistics):
        show_figures(output, found, json)
    elif json:
        print_json(output, found)
    else:
        table = found.table()
        print_table(output, table)
        if not output.is_terminal:
            output.note(table.caption or "")


COMMAND = partial(command, tokenize, tokenize_command)


PANELS = {"Tokens": "tokens", "Model": "model", "How the data are read": "text", "Output": "json help"}
