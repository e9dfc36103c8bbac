"""Several files as one table: files with the same columns, a folder, a folder a label, or two files side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, zip_longest

from rnncli.data.formats.advice import DataFile
from rnncli.data.formats.folders import LabelledFile, is_folder, stem, walk
from rnncli.data.formats.places import place_in
from rnncli.data.formats.registry import PAIRS
from rnncli.data.formats.table import MOST_KEPT, Ledger, Row, Table
from rnncli.data.formats.unreadable import unreadable
from rnncli.data.tables.column import columns_of
from rnncli.data.tables.names import FILE
from rnncli.data.tables.series_form import constants_of_series
from rnncli.data.tables.source import Source
from rnncli.errors import DataError, UsageError, counted, first_listed, quoted

# Opens one file, of a format that is None where its name says it.
OpenOne = Callable[[str, str | None], Table]

LABEL = "label"  # a name by which the layouts know what it is
SOURCE, TARGET = "source", "target"
_SHOWN = 4  # names in a message
_LOOKED_AT, _FILES_LOOKED_AT = 100, 8  # rows of a table, and tables, by which it is told whether each is a sequence


def open_source(
    source: Source,
    open_one: OpenOne,
    by_name: bool = False,
    tagged: bool = False,
    *,
    by_file: bool | None = False,
) -> Table:
    """The table of a source, which may be several files, a folder, or two files of which the lines go together.

    The files of a folder with a folder for each label have the column ``label`` in addition. A text file is a record; a
    table may be a series, and has the column ``series_id`` with the file's name.

    Args:
        by_name: whether the lines of several text files are texts, and the name of each file is their label.
        by_file: whether each table is a sequence, and has the column ``series_id`` too; None to find that out.
        tagged: whether two files hold words, with white space between them, and a tag for each.

    Raises:
        UsageError, DataError, StorageError: as ``open_one``; or the files do not go together.
    """
    if source.target is not None:
        return _open_pairs(source, open_one, tagged)
    if source.more:
        files = [LabelledFile(path, None) for path in (source.path, *source.more)]
        if any(path == "-" for path, _ in files):
            raise UsageError("standard input (-) is one file, and cannot stand beside others", "save it first")
        return _Several(source, files, source.format, open_one).table(by_name, True if source.id == FILE else by_file)
    if not is_folder(source.path):
        table = open_one(source.path, source.format)
        if source.id != FILE or FILE in table.columns:
            return table
        return _Several(source, [LabelledFile(source.path, None)], source.format, lambda *_: table).table(False, True)
    folder = walk(source.path, source.format)
    several = _Several(source, folder.files, folder.format, open_one, folder.said)
    return several.table(by_name, True if source.id == FILE else by_file)


class _Several:
    """Files with the same columns, in any order, one after the other."""

    def __init__(
        self,
        source: Source,
        files: Sequence[LabelledFile],
        format: str | None,
        open_one: OpenOne,
        said: Sequence[str] = (),
    ) -> None:
        self.source, self.files, self.format, self.open_one, self.said = source, files, format, open_one, said
        self.by_file = False

    def table(self, by_name: bool, by_file: bool | None = False) -> Table:
        first = self.open_one(self.files[0].path, self.format)
        if self.files[0].label is None and FILE not in first.columns and first.ledger.file.format.holds == "records":
            self.by_file = self._are_series(first) if by_file is None else by_file
        own = first.ledger
        if by_name and own.file.format.holds == "texts":
            self.files = [LabelledFile(path, stem(path)) for path, _ in self.files]
        file = replace(_as_typed(own.file, self.source), files=tuple(one.path for one in self.files))
        ledger = Ledger(file, own.skip_bad, own.max_field, own.skip_hint, own.max_bytes, said=[*own.said, *self.said])
        ledger.sheet = own.sheet
        if len(self.files) > 1:
            ledger.said.append(f"{len(self.files):,} files" + (", each of them a sequence" if self.by_file else ""))
        added = self._added(first)
        if self.files[0].label is not None and LABEL not in added:
            ledger.said.append(f"labels are what the files have in {quoted(LABEL)}, not the names of their folders")
        columns = (*first.columns, *added)
        for name in columns:
            if columns.count(name) > 1:
                what = f"{self.files[0].path}: a column is called {quoted(name)}, as that of the files' names would be"
                raise DataError(what, "Rename the column.")
        return replace(first, name=file.name, columns=columns, rows=self._rows(first, ledger), ledger=ledger)

    def _added(self, first: Table) -> tuple[str, ...]:
        """Columns for what the folder of a file says."""
        if self.files[0].label is None:
            return (FILE,) if self.by_file else ()
        if first.ledger.file.format.holds in ("documents", "texts"):
            return (LABEL,)
        return (FILE,) if LABEL in first.columns else (FILE, LABEL)

    def _are_series(self, first: Table) -> bool:
        """Whether each table has the timesteps of one sequence, and its label in all of its rows.

        Of many tables some are looked at. Where all have the same label, it says nothing.
        """
        if len(self.files) < 2:
            return False
        head = list(islice(first.rows, _LOOKED_AT))
        first.rows = chain(head, first.rows)
        found = constants_of_series(columns_of(first.columns, (row.texts for row in head)))
        values = {name: {value} for name, value in found.items()}
        step = max(1, (len(self.files) - 1) // (_FILES_LOOKED_AT - 1))
        for path, _ in [*self.files[step::step], self.files[-1]] if found else ():
            table = self.open_one(path, self.format)
            rows = islice(table.rows, _LOOKED_AT)
            found = constants_of_series(columns_of(table.columns, (row.texts for row in rows)))
            values = {name: seen | {found[name]} for name, seen in values.items() if name in found}
        return any(len(seen) > 1 for seen in values.values())

    def _rows(self, first: Table, ledger: Ledger) -> Iterator[Row]:
        digests = hashlib.sha256()
        for index, (path, label) in enumerate(self.files):
            table = self.open_one(path, self.format) if index else first
            named = {LABEL: label, FILE: path}
            added = [named[name] for name in self._added(first)]
            places = self._places(table, first, path)
            rows = table.rows
            if label is not None and table.ledger.file.format.holds == "texts":
                rows = (row for row in rows if row.texts[0].strip())
            for line, values in rows:
                kept = values if places is None else tuple(values[at] for at in places)
                yield Row(place_in(index, line), (*kept, *(value or "" for value in added)))
            own = table.ledger
            ledger.count += own.count
            ledger.documents += own.documents
            ledger.skipped += own.skipped[: MOST_KEPT - len(ledger.skipped)]
            digests.update(f"{own.digest}\n".encode())
        ledger.digest = digests.hexdigest()

    def _places(self, table: Table, first: Table, path: str) -> list[int] | None:
        """Where a file has the columns of the first one; None where they have the same order."""
        if table.columns == first.columns:
            return None
        missing = [quoted(name) for name in first.columns if name not in table.columns]
        new = [quoted(name) for name in table.columns if name not in first.columns]
        if missing or new:
            lacks = f"has no {first_listed(missing, _SHOWN)}" if missing else ""
            has = f"has {first_listed(new, _SHOWN)} besides" if new else ""
            what = f"{path} {' and '.join(filter(None, (lacks, has)))}, unlike {self.files[0].path}"
            raise DataError(what, "Files that are read together have the same columns; leave some out with --ignore.")
        return [table.columns.index(name) for name in first.columns]


def _as_typed(file: DataFile, source: Source) -> DataFile:
    """A file that stands for all of a source: so it is called, and its commands name no format that was found out."""
    found = source.format is None or source.format_found
    options = tuple(one for one in file.options if not (found and one.startswith("--format ")))
    several = bool(source.more) or source.target is not None
    name, typed = (source.name, source.typed) if several else ("", "")
    return replace(file, path=source.path, called=name, typed=typed, options=options)


def _open_pairs(source: Source, open_one: OpenOne, tagged: bool) -> Table:
    """Line by line what two text files hold; an empty line is an empty text."""
    assert source.target is not None
    if source.path == "-" and source.target == "-":
        raise UsageError("--source and --target are two files, and only one of them can be stdin", "save it first")
    paths = (source.path, source.target)
    foreign = unreadable(*paths) if source.format is None else None
    if foreign is not None:
        raise foreign
    texts, targets = tables = [open_one(path, source.format or "text") for path in paths]
    if any(len(table.columns) > 1 for table in tables):
        raise UsageError("--source and --target name files with a text on each line", "leave --format out")
    own = texts.ledger
    file = replace(_as_typed(own.file, source), format=PAIRS, files=paths)
    ledger = replace(own, file=file, skip_bad=source.skip_bad)

    def rows() -> Iterator[Row]:
        for count, (text, target) in enumerate(zip_longest(texts.rows, targets.rows)):
            if text is None or target is None:
                more = 1 + sum(1 for _ in (texts if target is None else targets).rows)
                counts = (count + more, count) if target is None else (count, count + more)
                has = [f"{path} has {counted(lines, 'line')}" for path, lines in zip(paths, counts, strict=True)]
                raise DataError(f"{' and '.join(has)}, but line by line they are to say the same")
            values = (text.values[0], target.values[0])
            yield Row(text.line, tuple(tuple(str(value).split()) for value in values) if tagged else values)
        both = "".join(f"{table.ledger.digest}\n" for table in tables)
        ledger.digest = hashlib.sha256(both.encode()).hexdigest()

    name = ledger.file.name
    return replace(texts, name=name, columns=(SOURCE, TARGET), format=PAIRS.name, rows=rows(), ledger=ledger)
