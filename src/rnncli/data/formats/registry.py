"""The formats of data files, in one table: a name for ``--format``, the endings of file names, and what opens one.

All that depends on a format comes from this table: what is read, what counts as a file on the command line, and the
help. It imports none of the readers, for ``rnncli --help`` names the formats too. Formats read bytes, so that a binary
one never turns its numbers into text. A new format is a file beside this one, and a row here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rnncli.errors import DataError

ARRAY_SUFFIX = ".npy"  # the numbers of a single input, named in a table or on the command line; no table itself
PACKED = ".gz"  # of every format

# Endings of files that rnncli does not read. Nobody ends a text so: the argument is refused as a file, there or not.
UNREADABLE = (
    *(".parquet", ".arrow", ".feather", ".xls", ".xlsx", ".ods", ".npz", ".pkl", ".pickle", ".h5", ".hdf5"),
    *(".mat", ".arff", ".xml", ".zip", ".7z", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".db", ".sqlite", ".safetensors"),
)

_NAME_WITH_ENDING = re.compile(r"\S*[^\s.]\.\w{1,12}")


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: for ``--format``.
        suffixes: endings of the names of such files, in lower case.
        opener: module and function that turn bytes into names of columns and rows; see :func:`open_table
            <rnncli.data.readers.open_table>`.
        holds: records with named values, a text a line, or words with their tags.
        delimiter: what separates the values of a line; then the first line names the columns.
        typed: whether values have types, as in JSON, and are not all texts.
        one_value: whether a file is a single value of JSON, and not one a line.
        binary: whether it is not a text file, so that it has no encoding, and no shell command can change it.
    """

    name: str
    suffixes: tuple[str, ...]
    opener: str
    holds: Literal["records", "texts", "tagged words"] = "records"
    delimiter: str = ""
    typed: bool = False
    one_value: bool = False
    binary: bool = False


_HERE = __name__.rpartition(".")[0]
FORMATS = {
    format.name: format
    for format in (
        Format("csv", (".csv",), f"{_HERE}.delimited:open_csv", delimiter=","),
        Format("tsv", (".tsv", ".tab"), f"{_HERE}.delimited:open_tsv", delimiter="\t"),
        Format("jsonl", (".jsonl", ".ndjson", ".json-lines"), f"{_HERE}.json_lines:open_json_lines", typed=True),
        Format("json", (".json",), f"{_HERE}.json_lines:open_json", typed=True, one_value=True),
        Format("text", (".txt",), f"{_HERE}.plain_text:open_text", holds="texts"),
        Format("conll", (".conll", ".bio", ".iob"), f"{_HERE}.conll:open_conll", holds="tagged words"),
        Format("conllu", (".conllu", ".conllup"), f"{_HERE}.conll:open_conll_u", holds="tagged words"),
    )
}


def known_suffixes() -> dict[str, str]:
    """Ending of a file's name → name of its format."""
    return {suffix: format.name for format in FORMATS.values() for suffix in format.suffixes}


def format_of(path: str) -> str | None:
    """The format that a file's name ends in; None if it is none of them."""
    name = path.lower().removesuffix(PACKED)
    return next((format for suffix, format in known_suffixes().items() if name.endswith(suffix)), None)


def required_format_of(path: str) -> str:
    """The format that a file's name ends in.

    Raises:
        DataError: it is none of them.
    """
    format = format_of(path)
    if format is None:
        known = ", ".join(known_suffixes())
        raise DataError(
            f"{path}: the name does not say the format; known are {known}, each also with {PACKED}",
            f"Say it with --format: {', '.join(FORMATS)}.",
        )
    return format


def is_array(path: str) -> bool:
    """Whether a name is that of a file with the numbers of a single input."""
    return path.strip().lower().endswith(ARRAY_SUFFIX)


def ends_like_data(argument: str) -> bool:
    """Whether an argument ends like the name of a data file, of a format that is read or of another one."""
    return argument.lower().endswith((*known_suffixes(), ARRAY_SUFFIX, PACKED, *UNREADABLE))


def looks_like_data(argument: str) -> bool:
    """Whether an argument cannot be a text: one word that ends like the name of a data file."""
    return ends_like_data(argument) and not any(c.isspace() for c in argument)


def has_ending(argument: str) -> bool:
    """Whether an argument is one word that ends like the name of any file: ``notes.md``, ``a/b.x``."""
    return _NAME_WITH_ENDING.fullmatch(argument) is not None
