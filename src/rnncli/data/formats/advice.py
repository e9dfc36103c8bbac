"""Shell commands that make of a file what rnncli reads. Refusals show them, and they work as they are."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from rnncli.data.formats.registry import FORMATS, PACKED, Format
from rnncli.data.formats.sources import display_name
from rnncli.errors import DataError


@dataclass(frozen=True)
class DataFile:
    """A file that is read; ``-`` is standard input, which a command can only call FILE.

    Attributes:
        records_in_json: the Python expression of the records, where the file is one value of JSON.
    """

    path: str
    format: Format
    encoding: str = "utf-8"
    records_in_json: str = "json.load(sys.stdin)"

    @property
    def name(self) -> str:
        """Its name in messages."""
        return display_name(self.path)

    @property
    def quoted(self) -> str:
        """Its name in commands."""
        return "FILE" if self.path == "-" else shlex.quote(self.path)

    def refusal(self, what: str, hint: str, line: int | None = None) -> DataError:
        """The exception for something in this file, at ``line`` if it is there."""
        where = self.name if line is None else f"{self.name}:{line}"
        told = not self.format.binary or self.format.as_json_lines
        return DataError(f"{where}: {what}", hint if told else None)

    def made(self, suffix: str) -> str:
        """The name of a file that is made of this one: ``tickets.csv`` becomes ``tickets-2.jsonl``."""
        stem = "data" if self.path == "-" else os.path.basename(self.path).removesuffix(PACKED).rpartition(".")[0]
        return shlex.quote(f"{stem or 'data'}-2.{suffix}")

    def with_header(self, names: Sequence[str], suffix: str | None = None) -> str:
        """Puts a line of names above the file."""
        suffix = suffix or self.format.name
        header = shlex.quote(FORMATS[suffix].delimiter.join(names).replace("\t", "\\t") + "\\n")
        return f"(printf {header}; {self._text}) > {self.made(suffix)}"

    def as_json(self, record: str, rows: str | None = None, where: str | None = None) -> str:
        """JSON lines, each a Python expression of ``r``.

        Args:
            rows: the expression that ``r`` runs over; None for the records, as dictionaries of texts by column.
            where: an expression of ``r`` that has to hold.
        """
        condition = "" if where is None else f" if {where}"
        made = f"[print(json.dumps({record})) for r in {rows or self.records}{condition}]"
        modules = ",".join(name for name in ("ast", "csv", "json", "re", "sys") if f"{name}." in made)
        return self.python(f"import {modules};{made}", "jsonl")

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

    def filtered(self, condition: str) -> str:
        """The records for which a Python expression of ``r`` holds, in the same format."""
        if self.format.one_value:
            return self.as_json("r", where=condition)
        if self.format.typed:
            script = f"import json,sys;[print(x,end='') for x in sys.stdin for r in [json.loads(x)] if {condition}]"
        else:
            script = (
                f"import csv,sys;d=csv.DictReader(sys.stdin{self._dialect});"
                f"w=csv.DictWriter(sys.stdout,d.fieldnames{self._dialect});w.writeheader();"
                f"w.writerows(r for r in d if {condition})"
            )
        return self.python(script, "jsonl" if self.format.typed else self.format.name)

    def with_commas(self, delimiter: str) -> str:
        """The table with commas between its columns."""
        rows = f'csv.reader(sys.stdin,delimiter="{delimiter}")'
        return self.python(f"import csv,sys;csv.writer(sys.stdout).writerows({rows})", "csv")

    def python(self, script: str, suffix: str) -> str:
        """A line of Python with the file's text on its standard input, and a new file for what it prints."""
        return self.piped(f"python3 -c {shlex.quote(script)}", suffix)

    def piped(self, command: str, suffix: str) -> str:
        """A command with the file's text on its standard input, and a new file for what it prints."""
        if self._text.startswith("cat "):
            return f"{command} < {self.quoted} > {self.made(suffix)}"
        return f"{self._text} | {command} > {self.made(suffix)}"

    def unpacked(self, script: str, suffix: str) -> str:
        """A line of Python with the file's own bytes on its standard input, and a new file for what it prints."""
        packed = self.path.lower().endswith(PACKED)
        python = f"python3 -c {shlex.quote(script)}"
        made = f"> {self.made(suffix)}"
        return f"zcat {self.quoted} | {python} {made}" if packed else f"{python} < {self.quoted} {made}"

    @property
    def records(self) -> str:
        """The expression that gives the records, as dictionaries."""
        if self.format.one_value:
            return self.records_in_json
        return "map(json.loads,sys.stdin)" if self.format.typed else f"csv.DictReader(sys.stdin{self._dialect})"

    @property
    def _dialect(self) -> str:
        return ',delimiter="\\t",quoting=csv.QUOTE_NONE,quotechar=None' if self.format.delimiter == "\t" else ""

    @property
    def _text(self) -> str:
        """A command that prints the file's text as UTF-8, a binary format's as JSON lines."""
        unzip = f"zcat {self.quoted}" if self.path.lower().endswith(PACKED) else ""
        if self.format.as_json_lines:
            script = f"python3 -c {shlex.quote(self.format.as_json_lines)}"
            return f"{unzip} | {script}" if unzip else f"{script} < {self.quoted}"
        if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig", "ascii"):
            return unzip or f"cat {self.quoted}"
        convert = f"iconv -f {shlex.quote(self.encoding)} -t utf-8"
        return f"{unzip} | {convert}" if unzip else f"{convert} {self.quoted}"


def command(*words: str) -> str:
    """A command line of these words, each quoted where a shell needs it."""
    return " ".join(map(shlex.quote, words))
