"""The formats of data files, in one table: a name for ``--format``, the endings of file names, and what opens one.

All that depends on a format comes from this table: what is read, what counts as a file on the command line, and the
help. It imports none of the readers, for ``rnncli --help`` names the formats too. Formats read bytes, so that a binary
one never turns its numbers into text. A new format is a file beside this one, and a row here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from rnncli.data.formats.unreadable import SUFFIXES, unreadable
from rnncli.errors import DataError

ARRAY_SUFFIX = ".npy"  # the numbers of a single input, named in a table or on the command line; no table itself
PACKED = ".gz"  # of every format

# Endings of files that rnncli does not read. Nobody ends a text so: the argument is refused as a file, there or not.
UNREADABLE = (*SUFFIXES, ".xml")

_NAME_WITH_ENDING = re.compile(r"\S*[^\s.]\.\w{1,12}")


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: for ``--format``.
        suffixes: endings of the names of such files, in lower case.
        opener: module and function that turn bytes into names of columns and rows; see :func:`open_table
            <rnncli.data.readers.open_table>`.
        holds: records with named values, a text a line, one text in the whole file, or words with their tags.
        delimiter: what separates the values of a line; then the first line names the columns.
        typed: whether values have types, as in JSON, and are not all texts.
        one_value: whether a file is a single value of JSON, and not one a line.
        binary: whether it is not a text file, so that it has no encoding.
        as_json_lines: a line of Python that prints the records of such a file as JSON lines, from standard input, for
            the commands in messages; a binary format without one cannot be changed by a shell command.
    """

    name: str
    suffixes: tuple[str, ...]
    opener: str
    holds: Literal["records", "texts", "documents", "tagged words"] = "records"
    delimiter: str = ""
    typed: bool = False
    one_value: bool = False
    binary: bool = False
    as_json_lines: str = ""


_PRINT = (
    'd=[{k:"" if v is None or v!=v else v for k,v in r.items() if k is not None} for r in t];'
    "[print(json.dumps(r,default=str)) for r in d]"
)
_BYTES = "import io,json,sys;b=sys.stdin.buffer.read()"
_PARQUET = f"{_BYTES};import pyarrow.parquet as p;t=p.read_table(io.BytesIO(b)).to_pylist();{_PRINT}"
_ARROW = (
    f"{_BYTES};import pyarrow.ipc as p;"
    f't=(p.open_file if b[:6]==b"ARROW1" else p.open_stream)(b).read_all().to_pylist();{_PRINT}'
)
_EXCEL = (
    f"{_BYTES};import openpyxl;s=openpyxl.load_workbook(io.BytesIO(b),data_only=True).worksheets;"
    f"n,*t=[r for s in s for r in s.values if any(v is not None for v in r)];t=[dict(zip(n,r)) for r in t];{_PRINT}"
)
_FASTTEXT = (
    'import json,sys;t=[l.split() for l in sys.stdin];g=[[w[9:] for w in l if w[:9]=="__label__"] for l in t];'
    'n=max(map(len,g));[print(json.dumps({"text":" ".join(w for w in l if w[:9]!="__label__"),'
    '"label":b if n>1 else "".join(b)})) for l,b in zip(t,g) if l]'
)
_FASTA = (
    'import json,sys;[print(json.dumps({"id":p[0],"sequence":"".join(s.split()).rstrip("*"),'
    '**{f"part {k}":x for k,x in enumerate(p[1:],2)},**dict(x.split("=",1) for x in w if "=" in x),'
    '**{f"word {k}":x for k,x in enumerate([x for x in w if "=" not in x],2)}})) '
    'for r in ("\\n"+sys.stdin.read()).split("\\n>")[1:] for h,_,s in [r.partition("\\n")] '
    'for i,*w in [h.split()] for p in [i.split("|")]]'
)
_TABLES: dict[str, Any] = {"typed": True, "binary": True}

_HERE = __name__.rpartition(".")[0]
FORMATS = {
    format.name: format
    for format in (
        Format("csv", (".csv",), f"{_HERE}.delimited:open_csv", delimiter=","),
        Format("tsv", (".tsv", ".tab"), f"{_HERE}.delimited:open_tsv", delimiter="\t"),
        Format("jsonl", (".jsonl", ".ndjson", ".json-lines"), f"{_HERE}.json_lines:open_json_lines", typed=True),
        Format("json", (".json",), f"{_HERE}.json_lines:open_json", typed=True, one_value=True),
        Format("parquet", (".parquet",), f"{_HERE}.arrow:open_parquet", as_json_lines=_PARQUET, **_TABLES),
        Format("arrow", (".arrow", ".feather"), f"{_HERE}.arrow:open_arrow", as_json_lines=_ARROW, **_TABLES),
        Format("xlsx", (".xlsx", ".xlsm"), f"{_HERE}.excel:open_excel", as_json_lines=_EXCEL, **_TABLES),
        Format(
            "fasttext", (".ft", ".fasttext"), f"{_HERE}.fasttext:open_fasttext", typed=True, as_json_lines=_FASTTEXT
        ),
        Format("fasta", (".fasta", ".fa", ".fna", ".faa", ".ffn"), f"{_HERE}.fasta:open_fasta", as_json_lines=_FASTA),
        Format("text", (".txt",), f"{_HERE}.plain_text:open_text", holds="texts"),
        Format("documents", (), f"{_HERE}.plain_text:open_document", holds="documents"),
        Format("conll", (".conll", ".bio", ".iob"), f"{_HERE}.conll:open_conll", holds="tagged words"),
        Format("conllu", (".conllu", ".conllup"), f"{_HERE}.conll:open_conll_u", holds="tagged words"),
        Format("lexicon", (".lex", ".dict"), f"{_HERE}.lexicon:open_lexicon"),
        Format("ts", (".ts",), f"{_HERE}.ts:open_ts"),
        Format("arff", (".arff",), f"{_HERE}.arff:open_arff"),
    )
}

# Two files side by side: no file has it.
PAIRS = Format("pairs", (), "")


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
        raise unreadable(path) or DataError(
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
