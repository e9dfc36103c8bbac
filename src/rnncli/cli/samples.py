"""``rnncli samples``."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.command import Call, command
from rnncli.cli.arguments.options import AnyPath
from rnncli.errors import StorageError, UsageError, closest, counted

# Each file with what it shows, in the order of the list.
SAMPLES = {
    "reviews.csv": "a label for a text, in which the order of the words decides",
    "reviews_unseen.csv": "60 more such texts, to evaluate on",
    "notes.csv": "the worked example cat mat rat",
    "notes.yaml": "its settings: train notes.csv --config notes.yaml",
    "keys.csv": "a label that the first of fifty words decides: long memory",
    "tickets.csv": "several labels for a text, or none",
    "flats.csv": "a number for a text: train flats.csv --task regress",
    "ferry.csv": "a number a day, to be forecast",
    "tags.jsonl": "a tag for each word",
    "clock.csv": "times of day to words: sequence to sequence",
    "shapes.csv": "8 × 8 pixels to a caption",
    "vibration.jsonl": "series of three numbers a timestep, four labels",
    "walking.csv": "series in long form, a row a timestep",
    "harbour.txt": "a story, for a language model",
}
SampleName = Annotated[str | None, typer.Argument(metavar="NAME", help="One of the files; all, if none is named.")]
Folder = Annotated[
    AnyPath | None, typer.Option("--output", "-o", metavar="FOLDER", help="Write to this folder. [with NAME: here]")
]


class Sample(NamedTuple):
    """One sample file.

    Attributes:
        shows: what it is, in a few words.
        written: where it was written; None where it was only listed.
    """

    name: str
    shows: str
    written: str | None = None


@checked()
def samples(name: SampleName = None, output: Folder = None, *, force: options.Force = False) -> list[Sample]:
    """Lists the sample files; with a name or a folder, writes them.

    Args:
        name: of one file; None for all.
        output: the folder to write to, which is made if need be; None for the present one if ``name`` is given.
        force: whether a file there is overwritten.

    Raises:
        UsageError: there is no such sample, or a file is there already.
        StorageError: a file cannot be written.
    """
    from rnncli import storage

    if name is not None and name not in SAMPLES:
        raise UsageError(f"there is no sample '{name}'{closest(name, SAMPLES)}", f"there are {', '.join(SAMPLES)}")
    chosen = list(SAMPLES) if name is None else [name]
    if name is None and output is None:
        return [Sample(one, SAMPLES[one]) for one in chosen]
    folder = Path(os.curdir if output is None else output)
    present = next((folder / one for one in chosen if os.path.lexists(folder / one)), None)
    if present is not None and not force:
        raise UsageError(f"{present} exists already", "overwrite it with --force")
    storage.make_folder(folder)
    for one in chosen:
        storage.write_atomically(folder / one, _content(one))
    return [Sample(one, SAMPLES[one], str(folder / one)) for one in chosen]


def _content(name: str) -> bytes:
    """A sample's bytes, from the installed package or from a checkout.

    Raises:
        StorageError: neither has it.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "sample_data", package.parents[1] / "sample_data"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    raise StorageError(f"this installation lacks the sample {name}", "install rnncli again")


def samples_command(call: Call, work: Callable[..., list[Sample]], json: options.Json = False) -> None:
    """
    \b
    rnncli samples                  lists them
    rnncli samples reviews.csv      writes one here
    rnncli samples -o sample_data   writes all
    """
    from rnncli.render.json_out import print_json
    from rnncli.render.tables import print_table
    from rnncli.results import Column, TableView

    found = work()
    if json:
        print_json(call.output, found)
    elif found[0].written is None:
        rows = tuple((one.name, one.shows) for one in found)
        print_table(call.output, TableView("", (Column("name"), Column("what it shows")), rows))
        call.output.note("write one here: rnncli samples NAME; all: rnncli samples -o FOLDER", "dim")
    else:
        for one in found:
            call.output.write(f"{one.written}\n")
        call.output.note(f"wrote {counted(len(found), 'file')}", "dim")


COMMAND = partial(command, samples, samples_command)
