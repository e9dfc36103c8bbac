"""Text files whose lines are written by machines and for machines: a language model would learn their brackets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rnncli.data.formats.advice import DataFile
from rnncli.data.formats.fasttext import is_fasttext
from rnncli.data.formats.values import is_json
from rnncli.data.tables.facts import is_nested, numbers_in

_FEW = 10  # lines that have the same form by chance
_LOOKED_AT = 20  # lines that are parsed
_CHATS = 0.75  # of the lines of a log begin with a time; others go on with what was said before

Lines = Sequence[str]


class Kind(NamedTuple):
    """One way in which machines write lines.

    Attributes:
        what: what a text is then, up to "so this is not a text".
        fits: whether lines that hold something are so.
        purpose: what the command is for.
        way: the command that reads the file, or makes of it what rnncli reads; empty if there is none.
    """

    what: str
    fits: Callable[[Lines], bool]
    purpose: str
    way: Callable[[DataFile, Lines], str]


def kind_of(lines: Lines, kinds: Sequence[Kind]) -> Kind | None:
    """How machines have written lines; None if a person may have."""
    return next((kind for kind in kinds if lines and kind.fits(lines)), None)


def _each(pattern: str, flags: int = 0) -> Callable[[Lines], bool]:
    """Whether a pattern fits each line, of several."""
    fits = re.compile(pattern, flags).fullmatch
    return lambda lines: len(lines) > 1 and all(map(fits, lines))


def _begins(pattern: str) -> Callable[[Lines], bool]:
    """Whether a text begins so."""
    fits = re.compile(pattern, re.IGNORECASE).match
    return lambda lines: fits("\n".join(lines[:3])) is not None


def _values(bracket: str, fits: Callable[[str], object]) -> Callable[[Lines], bool]:
    """Whether each line begins with a bracket, and can be parsed."""
    return lambda lines: all(line.lstrip()[:1] == bracket and fits(line) for line in lines[:_LOOKED_AT])


def _read_as(format: str) -> Callable[[DataFile, Lines], str]:
    return lambda file, _: file.command(f"--format {format}")


_FILLED = "filter(str.strip,sys.stdin)"  # lines that hold something


def json_lines_of(record: str, rows: str = _FILLED) -> Callable[[DataFile, Lines], str]:
    """What writes JSON lines, each a Python expression of ``r``, of the rows that another one reads."""
    return lambda file, _: file.as_json(record, rows)


def _tabs(line: str) -> Callable[[DataFile, Lines], str]:
    """A table with tabs, of a Python expression of each line ``l``; None leaves a line out."""
    script = f"import re,sys;[print(x) for l in sys.stdin for x in [{line}] if x]"
    return lambda file, _: file.python(script, "tsv")


_NUMBER = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?"
_VALUE = rf"[^\s:|]++:{_NUMBER}"
_LIBSVM = re.compile(rf"{_NUMBER}(?:,{_NUMBER})*+(?: qid:\d++)?(?:\s++\d++:{_NUMBER})*+\s*+(?:#.*)?")
_VOWPAL = re.compile(rf"{_NUMBER}[^|]*+(?:\|\S*+(?:\s++(?:{_VALUE}|[^\s:|]++))*+\s*+)+")
_SPARSE = re.compile(rf"\s{_VALUE}")


def _are_sparse(fits: Callable[[str], object]) -> Callable[[Lines], bool]:
    """Whether each line is a label and numbered, or named, values, of which zeros are left out."""
    return lambda lines: all(map(fits, lines)) and 2 * sum(map(bool, map(_SPARSE.search, lines))) > len(lines)


def _dense(name: str, key: str) -> Callable[[DataFile, Lines], str]:
    """Rows of numbers, with a zero for each value that a line lacks.

    Args:
        name: a pattern of the names of values.
        key: the function that puts them in order.
    """

    def way(file: DataFile, lines: Lines) -> str:
        several = any("," in line.split()[0] for line in lines)
        values = f'dict(re.findall(r"\\s({name}):(\\S+)",l.split("#")[0]))'
        read = f"[(l.split()[0],{values}) for l in sys.stdin if l.strip()]"
        names = f"sorted({{k for _,d in t for k in d}},key={key})"
        rows = f"(lambda t:[(y,[float(d.get(k,0)) for k in {names}]) for y,d in t])"
        label = 'r[0].split(",")' if several else "r[0]"
        return file.as_json(f'{{"sequence":r[1],"label":{label}}}', f"{rows}({read})")

    return way


_DATE = (
    r"(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.](?:\d\d?|[A-Z][a-z]{2})[-/.]\d{2,4}"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} {1,2}\d\d?)"
)
_TIME = re.compile(rf"(?:\S++ \S++ \S++ )?[\[(<]?(?:{_DATE}[T,: ]{{1,2}})?\d\d?:\d\d(?::\d\d)?(?=\D)")
_BEFORE = r"^\W?(?=\d|[A-Z][a-z]{2} ).{0,40}?\d:\d\d[^\s\])]*(\s?[AP]M)?[\])\s,-]*"  # the time, in a line of a log
_PAIR = r"[\w.-]++=(?:\"(?:[^\"\\]|\\.)*+\"|[^\s\"]*+)"
_MARKS = (("+++$+++", r" *\+{3}\$\+{3} *"), ("|||", r" *\|{3} *"), ("::", " *:: *"))


def _mark(lines: Lines) -> str | None:
    """What stands between the values of each line as often as in the others, and is more than a character."""
    for mark, pattern in _MARKS:
        counts = {line.count(mark) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and 0 not in counts:
            return pattern
    return None


def _are_conll_u(lines: Lines) -> bool:
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return len(rows) > 1 and all(len(row) == 10 and row[0][:1].isdigit() for row in rows)


def _are_proteins(lines: Lines) -> bool:
    names = [line[:1] == ">" for line in lines]
    return names[0] and not all(names) and all(map(re.compile(r">\S.*|[A-Za-z*-]+\s*").fullmatch, lines))


_GAP = re.compile(r"\s{2,}")


def _are_in_columns(lines: Lines) -> bool:
    """Whether each line has as many values as the others, with several spaces between them."""
    widths = {len(_GAP.split(line.strip())) for line in lines}
    return len(lines) >= _FEW and len(widths) == 1 and widths != {1}


_XML = "xml.etree.ElementTree.fromstring(sys.stdin.buffer.read())"
_FIELDS = '{**r.attrib,**{c.tag:"".join(c.itertext()).strip() for c in r},**({} if len(r) else {"text":r.text})}'

# The first that fits is said.
MACHINE_LINES = (
    Kind(
        "each line is a JSON object",
        _values("{", is_json),
        *("To read JSON lines", _read_as("jsonl")),
    ),
    Kind(
        "each line is a list as JSON writes it",
        lambda lines: len(lines) > 1 and _values("[", lambda line: is_json(line) and not numbers_in(line))(lines),
        "Where the first value is the text and the second its label",
        json_lines_of('{"text":r[0],"label":r[1]}', f"map(json.loads,{_FILLED})"),
    ),
    Kind("this is JSON", _begins(r'\s*(\[\s*(\{|\[")|\{\s*"[^"\n]*"\s*:)'), "To read it", _read_as("json")),
    Kind(
        "each line is an object as Python writes it",
        _values("{", is_nested),
        *("To write JSON lines", json_lines_of("ast.literal_eval(r)")),
    ),
    Kind(
        "this is HTML",
        _begins(r"\s*<(!doctype html|html)\b"),
        "To keep the text alone",
        lambda file, _: file.python(
            "import html,re,sys;"
            'print(html.unescape(re.sub(r"(?s)<(script|style).*?</\\1>|<[^>]*>"," ",sys.stdin.read())))',
            "txt",
        ),
    ),
    Kind(
        "this is XML",
        lambda lines: _begins(r"\s*<\?xml\b")(lines) or (len(lines) > 2 and _each(r"\s*<[A-Za-z/!?].*>\s*")(lines)),
        *("To write a JSON line of each element below the first", json_lines_of(_FIELDS, _XML)),
    ),
    Kind("this is FASTA", _are_proteins, "To read it", _read_as("fasta")),
    Kind("this is ARFF", _begins(r"(%[^\n]*\n)*@relation\b"), "To read it", _read_as("arff")),
    Kind(
        "this is a .ts file of the UEA archive",
        _begins(r"(#[^\n]*\n)*@(problemname|timestamps|univariate)\b"),
        *("To read it", _read_as("ts")),
    ),
    Kind("this is CoNLL-U", _are_conll_u, "To read it", _read_as("conllu")),
    Kind("each line has a label as fastText writes it", is_fasttext, "To read it", _read_as("fasttext")),
    Kind(
        "each line is a label and numbered values, as libsvm writes them",
        _are_sparse(_LIBSVM.fullmatch),
        *("To write each as a row of numbers, with zeros for those that it lacks", _dense(r"\d+", "int")),
    ),
    Kind(
        "each line is a label and named values, as Vowpal Wabbit writes them",
        _are_sparse(_VOWPAL.fullmatch),
        *("To write each as a row of numbers, with zeros for those that it lacks", _dense(r"[^\s:|]+", "str")),
    ),
    Kind(
        "each line is made of names and values",
        _each(rf"{_PAIR}(?:\s++{_PAIR})*+\s*"),
        "To write JSON lines",
        json_lines_of('dict(w.split("=",1) for w in shlex.split(r))'),
    ),
    Kind(
        "these are subtitles",
        lambda lines: 4 * sum("-->" in line for line in lines) >= len(lines) > 2,
        "To keep the text alone",
        lambda file, _: file.python(
            'import re,sys;print(re.sub(r"(?m)^(\\d+|.*-->.*)\\n","",sys.stdin.read()))', "txt"
        ),
    ),
    Kind(
        "each line begins with a time, as in a log or a chat",
        lambda lines: len(lines) >= _FEW and sum(map(bool, map(_TIME.match, lines))) >= _CHATS * len(lines),
        "To leave out the times",
        lambda file, _: file.python(
            f'import re,sys;[print(re.sub(r"{_BEFORE}","",l.rstrip("\\n"))) for l in sys.stdin]',
            "txt",
        ),
    ),
    Kind(
        "each line is an item or a field of YAML",
        lambda lines: lines[0][:2] == "- " and _each(r"(?:- | +)[\w. -]+:(?:\s.*)?")(lines),
        "To write a JSON line of each item",
        json_lines_of(
            'dict((k.strip(),v.strip().strip("\\"\'")) for k,c,v in (l.partition(":") for l in r.splitlines()) if c)',
            '("\\n"+sys.stdin.read()).split("\\n- ")[1:]',
        ),
    ),
    Kind(
        "these are commands of SQL",
        _begins(r"\s*(insert into|create table|drop table)\b"),
        *("Load them into a database and export the table as CSV", lambda *_: ""),
    ),
    Kind(
        "this is a table of Markdown",
        lambda lines: len(lines) > 2 and "-" in lines[1] and re.fullmatch(r"[\s|:-]+\|[\s|:-]*", lines[1]) is not None,
        "To write it with tabs",
        _tabs(
            'None if re.fullmatch(r"[\\s|:-]+",l) else "\\t".join(c.strip() for c in l.strip().strip("|").split("|"))'
        ),
    ),
    Kind(
        "each line has the same marks between its values",
        lambda lines: _mark(lines) is not None,
        "To write them as a table with tabs",
        lambda file, lines: _tabs(f're.sub(r"{_mark(lines)}","\\t",l.strip())')(file, lines),
    ),
)

# And of what is no other table.
LOOSE_COLUMNS = (
    Kind(
        "each line has values with several spaces between them",
        _are_in_columns,
        *("To write them as a table with tabs", _tabs('re.sub(r"\\s{2,}","\\t",l.strip())')),
    ),
)
