"""Writes files beside the target and renames them over it; reads only regular files that are not too large.

A reader of the target sees the old file or the new one, never a part of either, whatever stops the writer: a full
disk, Ctrl-C, SIGKILL, a power cut. Needs POSIX: a rename that replaces, and signal 0 to ask whether a process lives.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator

from rnncli import stopping
from rnncli.errors import StorageError, UsageError

# .<name>.<process id>-<random>.tmp; the process id tells a later save whether the writer may still be at work.
# Older versions made links without the random part.
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>[1-9][0-9]{0,8})(?P<random>-[0-9a-f]{16})?\.tmp", re.DOTALL)
# Characters of the target's name in a temporary's: 56 of them in UTF-8, with the rest, stay below 255 bytes.
_NAME_KEPT = 56
# Some file systems cannot sync a folder, and a folder may be writable but not readable. The file itself is safe then.
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES})
# The temporaries this process is writing now. Another one with our process id was left by an earlier process that
# had the same id, as in a container that is started again.
_writing: set[str] = set()


def write_atomically(path: str | os.PathLike[str], data: bytes | Iterable[bytes | memoryview]) -> None:
    """Replace the file at ``path`` by ``data`` in one step; on any exception the old file stays as it was.

    A symlink stays, and the file it points to is replaced. The mode of an existing file is kept; owner, ACLs and
    other hard links are not (those go on naming the old content). Of two writers at once the last one wins.

    Args:
        path: the target; its folder must exist.
        data: the content, whole or in pieces.

    Raises:
        StorageError: the file cannot be written; the message names path and reason.
    """
    with writing(path):
        target = os.path.realpath(_possible(path))
        mode = _mode_to_keep(target)
        folder, name = os.path.split(target)
        sweep(folder, name)
        _replace(target, mode, [data] if isinstance(data, bytes) else data)
        _sync_folder(folder)


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Inside, a file is written.

    Raises:
        StorageError: in place of an OSError; the message names path and reason.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{one_line(path)} cannot be written: {_reason(error)}") from error


def sweep(folder: str | os.PathLike[str], name: str | None = None, folders: bool = False) -> None:
    """Remove the temporaries that killed processes left in ``folder``; those of living processes stay.

    Args:
        folder: where to look; what cannot be listed or removed is skipped, for sweeping must not stop a save.
        name: only temporaries for a target of this name; None for all of ours.
        folders: whether to remove those that are folders, too.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _TEMPORARY.fullmatch(entry.name)
            if found is None or (name is not None and found["name"] != name[:_NAME_KEPT]):
                continue
            if found["random"] is None and not entry.is_symlink():
                continue
            if (folders or not entry.is_dir(follow_symlinks=False)) and not _in_use(entry.name, int(found["pid"])):
                _remove(entry.path)


def link_atomically(path: str | os.PathLike[str], target: str) -> None:
    """Make ``path`` a symbolic link to ``target`` in one step, in place of another link.

    Raises:
        StorageError: it cannot be made.
    """
    folder, name = os.path.split(os.fspath(path))
    try:
        sweep(folder or ".", name)
        with _temporary(folder, name) as temporary:
            os.symlink(target, temporary)
            os.replace(temporary, path)
    except OSError as error:
        raise StorageError(f"{one_line(path)} cannot be set: {_reason(error)}") from error


def new_folder(path: str | os.PathLike[str], fill: Callable[[str], None]) -> bool:
    """Make a folder with all of its content, or none at all, whatever stops us.

    Args:
        path: the folder; the one it is in must exist.
        fill: takes the path of a folder, and writes the content.

    Returns:
        False, and nothing was made, if something else stands there already.

    Raises:
        OSError: it cannot be made.
        StorageError: the content cannot be written; the message names its final place.
    """
    folder, name = os.path.split(os.fspath(path))
    with _temporary(folder, name) as temporary:
        os.mkdir(temporary)
        try:
            fill(temporary)
        except StorageError as error:
            error.message = error.message.replace(one_line(temporary), one_line(path))
            raise
        try:
            if not os.path.lexists(path):  # an empty folder would be replaced
                os.replace(temporary, path)
                _sync_folder(folder or ".")
                return True
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
        return False


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, with those that it is in; one that exists stays.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        os.makedirs(_possible(path), exist_ok=True)
    except OSError as error:
        raise StorageError(f"{one_line(path)}: the folder cannot be made: {_reason(error)}") from error


def read_beginning(path: str | os.PathLike[str], count: int) -> bytes:
    """Read the first bytes of a regular file, all of one that has fewer than ``count``.

    Raises:
        StorageError: as :func:`read_bytes`, but for its size.
    """
    try:
        name = _possible(path)
        _require_regular(os.stat(name))
        with open(name, "rb", opener=_open_without_waiting) as file:
            _require_regular(os.fstat(file.fileno()))
            return file.read(count)
    except OSError as error:
        raise StorageError(f"{one_line(path)} cannot be read: {_reason(error)}") from error


def read_bytes(path: str | os.PathLike[str], limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes.

    Raises:
        StorageError: missing, unreadable, a folder, pipe or device (without waiting for one), too large, or changed
            while it was read.
    """
    try:
        name = _possible(path)
        # Asked before opening: to open a device can already do something. Asked again after, lest it was exchanged.
        _require_regular(os.stat(name))
        with open(name, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            _require_regular(status)
            if status.st_size > limit:
                raise OSError(errno.EFBIG, f"it has {status.st_size:,} bytes, and the limit is {limit:,}")
            # One byte more than there should be: a file that grows shows itself, and no buffer has to grow.
            data = file.read(status.st_size + 1)
            if len(data) != status.st_size:
                raise OSError(errno.EBUSY, "it changed while it was read")
    except OSError as error:
        raise StorageError(f"{one_line(path)} cannot be read: {_reason(error)}") from error
    return data


def identity(file: str | os.PathLike[str] | int) -> tuple[int, int] | None:
    """The identity of a regular file, whatever its name, or of an open one; None where there is no such file."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def require_apart(outputs: Iterable[str | os.PathLike[str]], inputs: Iterable[str | os.PathLike[str] | int]) -> None:
    """Refuses to write to a file that is read, by the same name, a link, or an open descriptor.

    Raises:
        UsageError: an output is an input.
    """
    read = {identity(given): given for given in inputs}
    read.pop(None, None)
    for output in outputs:
        given = read.get(identity(output))
        if given is not None:
            called = "" if isinstance(given, int) or os.fspath(given) == os.fspath(output) else f" {one_line(given)}"
            raise UsageError(f"{one_line(output)} is also the input{called}", "write to another file")


def require_writable(path: str | os.PathLike[str]) -> None:
    """Refuses, before any work for it, a file that cannot be made where it is to be.

    Raises:
        StorageError: its folder is not there, or cannot be written to.
    """
    with writing(path):
        folder = os.path.dirname(os.path.realpath(_possible(path)))
        status = os.stat(folder)
        if not stat.S_ISDIR(status.st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(folder, os.W_OK | os.X_OK):
            reason = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
            raise OSError(reason, os.strerror(reason))


def one_line(text: str | os.PathLike[str]) -> str:
    """``text`` with everything unprintable escaped as in ``repr``, so that a message stays one line."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in os.fspath(text)
    )


def _replace(target: str, mode: int | None, pieces: Iterable[bytes | memoryview]) -> None:
    """Write ``pieces`` to a temporary beside ``target`` and rename it."""
    folder, name = os.path.split(target)
    with _temporary(folder, name) as temporary:
        _write_new(temporary, mode, pieces)
        os.replace(temporary, target)


@contextlib.contextmanager
def _temporary(folder: str, name: str) -> Iterator[str]:
    """A path beside ``name`` where nothing stands yet; what is there at the end is removed, whatever the end is."""
    temporary = f".{name[:_NAME_KEPT]}.{os.getpid()}-{os.urandom(8).hex()}.tmp"
    path = os.path.join(folder, temporary)
    with stopping.undone_when_stopped(lambda: _remove(path)):
        try:
            _writing.add(temporary)
            yield path
        finally:
            _remove(path)  # after an exception, Ctrl-C and MemoryError too; else it has another name by now
            _writing.discard(temporary)


def _remove(path: str) -> None:
    """Remove a file, a link or a folder with all that is in it, as far as that is possible."""
    try:
        os.unlink(path)
    except IsADirectoryError:
        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # it is not there, or stays
        pass


def _write_new(path: str, mode: int | None, pieces: Iterable[bytes | memoryview]) -> None:
    """Create ``path`` and bring ``pieces`` to the disk; without a mode to keep the umask decides."""
    # Created with the kept mode at once: a private file's new content is never readable to others, not even briefly.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
    try:
        if mode is not None:
            os.fchmod(descriptor, mode)  # what the umask took away
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: str) -> None:
    """Bring the rename to the disk, where the file system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def _mode_to_keep(target: str) -> int | None:
    """The permission bits of an existing target, None where there is none yet."""
    try:
        status = os.stat(target)
    except FileNotFoundError:
        return None
    _require_regular(status)  # a rename would put a plain file in the place of /dev/null
    return stat.S_IMODE(status.st_mode) & 0o777


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe without a writer would block otherwise


def _possible(path: str | os.PathLike[str]) -> str:
    """``path`` as text; raises OSError for one that no file can have, where Python would raise ValueError."""
    text = os.fspath(path)
    try:
        possible = b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise OSError(errno.EINVAL, "no file can have this name")
    return text


def _in_use(temporary: str, pid: int) -> bool:
    """Whether the process that made ``temporary`` may still be writing it."""
    if pid == os.getpid():
        return temporary in _writing
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, under another user
        return True
    return True


def _reason(error: OSError) -> str:
    return one_line(error.strerror or str(error))
