"""Shell commands that make of a file what rnncli reads. Refusals show them, and they work as they are."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from rnncli.data.formats.dialect import Dialect
from rnncli.data.formats.places import file_and_line
from rnncli.data.formats.registry import PACKED, Format
from rnncli.data.formats.sources import display_name
from rnncli.errors import DataError

_MODULES = ("ast", "csv", "json", "re", "shlex", "sys", "xml.etree.ElementTree")  # that a line of Python may need


@dataclass(frozen=True)
class DataFile:
    """A file that is read; ``-`` is standard input, which a command can only call FILE.

    Attributes:
        files: where several are read as one, all of them.
        called, typed: what they are called in messages, and how they stand in commands, if not by ``path``.
        records_in_json: the Python expression of the records, where the file is one value of JSON.
        reader: the beginning of the command that reads it.
        options: those that the user gave to have it read as it is, each as it is typed.
        dialect: of a table in a text file, once it is known.
    """

    path: str
    format: Format
    encoding: str = "utf-8"
    files: tuple[str, ...] = ()
    called: str = ""
    typed: str = ""
    records_in_json: str = "json.load(sys.stdin)"
    reader: str = "rnncli train"
    options: tuple[str, ...] = field(default=(), compare=False)
    dialect: Dialect | None = None

    @property
    def name(self) -> str:
        """Its name in messages."""
        return self.called or display_name(self.path)

    def place(self, line: int) -> str:
        """``a.csv:3``: the file and the line of a record."""
        file, line = file_and_line(line)
        return f"{self.name if file is None else self.files[file]}:{line}"

    @property
    def quoted(self) -> str:
        """Its name in commands."""
        return self.typed or ("FILE" if self.path == "-" else shlex.quote(self.path))

    @property
    def _first(self) -> str:
        """The file that a command changes, of several the first."""
        return shlex.quote(self.files[0]) if self.files else self.quoted

    def command(self, *options: str) -> str:
        """The command that reads it with these options, in place of those of the same name that were given."""
        names = set(map(_option_name, shlex.split(" ".join(options)))) - {""}
        kept = (option for option in self.options if _option_name(option.partition(" ")[0]) not in names)
        return " ".join([self.reader, self.quoted, *kept, *options])

    def refusal(self, what: str, hint: str, line: int | None = None) -> DataError:
        """The exception for something in this file, at ``line`` if it is there."""
        where = self.name if line is None else self.place(line)
        told = not self.format.binary or self.format.as_json_lines
        return DataError(f"{where}: {what}", hint if told else None)

    def made(self, suffix: str) -> str:
        """The name of a file that is made of this one: ``tickets.csv`` becomes ``tickets-2.jsonl``."""
        first = self.files[0] if self.files else self.path
        stem = "data" if first == "-" else os.path.basename(first).removesuffix(PACKED).rpartition(".")[0]
        return shlex.quote(f"{stem or 'data'}-2.{suffix}")

    def as_json(self, record: str, rows: str | None = None, where: str | None = None) -> str:
        """JSON lines, each a Python expression of ``r``.

        Args:
            rows: the expression that ``r`` runs over; None for the records, as dictionaries of texts by column.
            where: an expression of ``r`` that has to hold.
        """
        condition = "" if where is None else f" if {where}"
        made = f"[print(json.dumps({record})) for r in {rows or self.records}{condition}]"
        modules = ",".join(name for name in _MODULES if f"{name}." in made)
        return self.python(f"import {modules};{made}", "jsonl")

    def flattened(self) -> str:
        """JSON lines without objects in objects: their keys have the names of both, ``data.text``."""
        below = 'x for k in v for x in (f(v[k],p+k+".") if isinstance(v[k],dict) else [(p+k,v[k])])'
        script = f'import json,sys;f=lambda v,p="":[{below}];'
        return self.python(f"{script}[print(json.dumps(dict(f(r)))) for r in {self.records}]", "jsonl")

    def exploded(self, key: str, items: str) -> str:
        """JSON lines with a record for each object of a list, with the other values beside it.

        Args:
            key: the list's, as a Python literal.
            items: the Python expression of the list in ``r``.
        """
        return self.as_json(
            "r", f"({{**{{k:v for k,v in r.items() if k!={key}}},**i}} for r in {self.records} for i in {items} or [])"
        )

    def grouped(self, record: str, key: str) -> str:
        """JSON lines, each a Python expression of ``s``: neighbouring records with the same value of a column.

        A record without a value goes with the one before.

        Args:
            key: the column's name, as a Python literal.
        """
        script = (
            f"import csv,itertools,json,sys;k=[0];g=lambda r:(k.__setitem__(0,r[{key}] or k[0]),k[0])[1];"
            f"[print(json.dumps({record})) for s in (list(v) for _,v in itertools.groupby({self.records},g))]"
        )
        return self.python(script, "jsonl")

    def runs(self, id: str | None, label: str, named: str) -> str:
        """JSON lines: the records, of which each run of neighbours that are alike has an id of its own.

        Args:
            id, label: the columns in which they are alike.
            named: the column of the new ids, where there was none.
        """
        alike = ",".join(f"r[{json.dumps(name, ensure_ascii=False)}]" for name in (id, label) if name is not None)
        own = json.dumps(id or named, ensure_ascii=False)
        number = "k" if id is None else f'"%s-%s"%(r[{own}],k)'
        runs = f"enumerate(itertools.groupby({self.records},lambda r:({alike},)),1)"
        printed = f"print(json.dumps({{**r,{own}:{number}}}))"
        return self.python(f"import csv,itertools,json,sys;[{printed} for k,(_,s) in {runs} for r in s]", "jsonl")

    def filtered(self, condition: str) -> str:
        """The records for which a Python expression of ``r`` holds, in the same format."""
        if self.format.one_value:
            return self.as_json("r", where=condition)
        if self._in_json:
            script = f"import json,sys;[print(x,end='') for x in sys.stdin for r in [json.loads(x)] if {condition}]"
            return self.python(script, "jsonl")
        return self._table(f"r for r in d if {condition}")

    def with_missing(self, values: Sequence[str], names: Sequence[str], inside: bool) -> str:
        """The records without these values, in the same format.

        Args:
            names: of the columns that lose them; if not ``inside``, of those that keep them.
        """
        known, columns = ("{" + ",".join(map(json.dumps, one)) + "}" for one in (values, names))
        there = f"str(v).strip() in {known} and k {'in' if inside else 'not in'} {columns}"
        if self._in_json or self.format.one_value:
            return self.as_json(f"{{k:None if {there} else v for k,v in r.items()}}")
        return self._table(f'{{k:"" if {there} else v for k,v in r.items()}} for r in d')

    def _table(self, rows: str) -> str:
        """A table with the same columns, of a Python expression of the records ``d``."""
        script = (
            f"import csv,sys;d={self.records};"
            f"w=csv.DictWriter(sys.stdout,d.fieldnames{self._dialect});{self._write_header}w.writerows({rows})"
        )
        return self.python(script, self.format.name)

    def python(self, script: str, suffix: str) -> str:
        """A line of Python with the file's text on its standard input, and a new file for what it prints."""
        return self.piped(f"python3 -c {shlex.quote(script)}", suffix)

    def piped(self, command: str, suffix: str) -> str:
        """A command with the file's text on its standard input, and a new file for what it prints."""
        if self._text.startswith("cat "):
            return f"{command} < {self._first} > {self.made(suffix)}"
        return f"{self._text} | {command} > {self.made(suffix)}"

    def unpacked(self, script: str, suffix: str) -> str:
        """A line of Python with the file's own bytes on its standard input, and a new file for what it prints."""
        packed = self.path.lower().endswith(PACKED)
        python = f"python3 -c {shlex.quote(script)}"
        made = f"> {self.made(suffix)}"
        return f"zcat {self._first} | {python} {made}" if packed else f"{python} < {self._first} {made}"

    @property
    def records(self) -> str:
        """The expression that gives the records, as dictionaries; without a header the keys are numbers from 1."""
        if self.format.one_value:
            return self.records_in_json
        if self._in_json:
            return "map(json.loads,sys.stdin)"
        lines, names, dialect = "sys.stdin", "", self.dialect or Dialect()
        above = dialect.above + bool(dialect.names)
        if above:
            lines = f"list(sys.stdin)[{above}:]"
        if dialect.header is False:
            names = f",[*map(str,range(1,{dialect.width + 1}))]"
        elif dialect.names:
            names = f",{json.dumps([*dialect.names, ''])}"
        return f"csv.DictReader({lines}{names}{self._dialect})"

    @property
    def _in_json(self) -> bool:
        """Whether commands get the records as JSON lines."""
        return self.format.typed or self.format.as_json_lines != ""

    @property
    def _dialect(self) -> str:
        """The arguments of the csv module's readers and writers."""
        delimiter = None if self.dialect is None else self.dialect.delimiter
        delimiter = delimiter or self.format.delimiter or ","
        if delimiter == self.format.delimiter == "\t":
            return ',delimiter="\\t",quoting=csv.QUOTE_NONE,quotechar=None'
        spaced = ",skipinitialspace=True" if delimiter == " " else ""
        return "" if delimiter == "," else f",delimiter={json.dumps(delimiter)}{spaced}"

    @property
    def _write_header(self) -> str:
        return "" if self.dialect is not None and self.dialect.header is False else "w.writeheader();"

    @property
    def _text(self) -> str:
        """A command that prints the file's text as UTF-8, or its records as JSON lines where its format has those."""
        stages = [f"zcat {self._first}"] if self.path.lower().endswith(PACKED) else []
        if self.encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig", "ascii"):
            convert = f"iconv -f {shlex.quote(self.encoding)} -t utf-8"
            stages.append(convert if stages else f"{convert} {self._first}")
        if self.format.as_json_lines:
            script = f"python3 -c {shlex.quote(self.format.as_json_lines)}"
            stages.append(script if stages else f"{script} < {self._first}")
        return " | ".join(stages) or f"cat {self._first}"


def _option_name(word: str) -> str:
    """The name of an option, of its opposite too; empty for what is none."""
    return word.removeprefix("--").removeprefix("no-") if word.startswith("--") else ""


def command(*words: str) -> str:
    """A command line of these words, each quoted where a shell needs it."""
    return " ".join(map(shlex.quote, words))
