"""What is in a folder that is named as data: files of one format, or a folder of them for each label."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from rnncli.data.formats.advice import command
from rnncli.data.formats.registry import FORMATS, PACKED, format_of, known_suffixes
from rnncli.data.formats.unreadable import unreadable
from rnncli.errors import DataError, StorageError, counted, listed, quoted

_SHOWN = 3  # names in a message
_ONE_FOLDER_A_LABEL = (  # copies what is anywhere below a label's folder into one
    'import os,shutil,sys;f,t=sys.argv[1:];[shutil.copy(os.path.join(d,n),os.path.join(o,"-".join([*p[1:],n]))) '
    'for d,_,s in os.walk(f) for n in s for p in [os.path.relpath(d,f).split(os.sep)] if p!=["."] '
    "for o in [os.path.join(t,p[0])] if not os.makedirs(o,exist_ok=True)]"
)


class LabelledFile(NamedTuple):
    """A file, and the name of the folder that it is in; None if that is the folder that was named."""

    path: str
    label: str | None


class Folder(NamedTuple):
    """The files of a folder.

    Attributes:
        files: in the order of their names, those of one label after those of another.
        format: of all of them.
        said: what was left out.
    """

    files: Sequence[LabelledFile]
    format: str
    said: Sequence[str] = ()


def is_folder(path: str) -> bool:
    """Whether a path is that of a folder."""
    try:
        return os.path.isdir(path)
    except ValueError:  # a NUL
        return False


def stem(path: str) -> str:
    """The name of a file without what says its format."""
    name = os.path.basename(path)
    name = name[: -len(PACKED)] if name.lower().endswith(PACKED) else name
    suffix = next((suffix for suffix in known_suffixes() if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def walk(folder: str, format: str | None = None) -> Folder:
    """The files of a folder, or of the folders in it, whose names are labels. Hidden ones are ignored.

    Args:
        format: of the files; by their names if None.

    Raises:
        DataError: there are none, they are of several formats, or there are folders in the folders.
        StorageError: a folder cannot be read.
    """
    files, folders = _entries(folder)
    if not folders:
        return Folder([LabelledFile(path, None) for path in files], _format_of(files, folder, format))
    found: list[LabelledFile] = []
    for path in folders:
        inside, below = _entries(path)
        if below:
            made = f"{folder.rstrip('/')}-2"
            copied = command("python3", "-c", _ONE_FOLDER_A_LABEL, folder, made)
            train = command("rnncli", "train", made)
            raise DataError(
                f"{path}: there are folders in this folder, {_some(below)}, and a folder of folders holds one a label",
                f"Name the folder that holds the data: {command('rnncli', 'train', path)}; "
                f"if all that is in {quoted(os.path.basename(path))} is of one label: {copied} && {train}",
            )
        found += [LabelledFile(one, os.path.basename(path)) for one in inside]
    said = [f"left out: {counted(len(files), 'file')} beside the folders ({_some(files)})"] if files else []
    format = _format_of([one.path for one in found], folder, format)
    return Folder(found, "documents" if FORMATS[format].holds == "texts" else format, said)


def names_in(folder: str) -> list[str]:
    """The names of the files and folders in a folder, in their order, without hidden ones.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise StorageError(f"{folder}: cannot be read ({error.strerror or error})") from None


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """The paths of the files and of the folders in a folder, in order of their names."""
    paths = [os.path.join(folder, name) for name in names_in(folder)]
    return [path for path in paths if not os.path.isdir(path)], [path for path in paths if os.path.isdir(path)]


def _format_of(files: Sequence[str], folder: str, format: str | None) -> str:
    if not files:
        raise DataError(f"{folder}: there are no files in this folder")
    if format is not None:
        return format
    formats = {path: format_of(path) for path in files}
    unknown = [path for path, found in formats.items() if found is None]
    if unknown:
        known = next((found for found in formats.values() if found is not None), None)
        raise unreadable(unknown[0]) or DataError(
            f"{unknown[0]}: the name does not say the format, and all files of a folder are read",
            f"Move it away, or say the format of all with --format {known or ', '.join(FORMATS)}",
        )
    first = {found: path for path, found in reversed(formats.items()) if found is not None}
    if len(first) > 1:
        what = f"{folder}: files of several formats, {listed([quoted(path) for path in sorted(first.values())])}"
        raise DataError(what, "Name those that are the data: rnncli train FILE FILE …")
    return next(iter(first))


def _some(paths: Sequence[str]) -> str:
    names = [os.path.basename(path) for path in paths[:_SHOWN]]
    return ", ".join(names) + (", …" if len(paths) > _SHOWN else "")
