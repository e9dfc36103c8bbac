"""Saving is whole or not at all, and reading neither hangs nor swallows a device."""

from __future__ import annotations

import errno
import itertools
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from helpers import fail_nth_call, time_limit

from rnncli import storage
from rnncli.errors import StorageError

OLD, NEW = b"old" * 1000, b"new" * 2000
SYSTEM_CALLS = ("os.open", "os.write", "os.fsync", "os.replace", "os.fchmod", "os.scandir", "os.stat")


def temporaries(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".tmp")]


def pieces() -> Iterator[bytes]:
    yield NEW[:1000]
    yield NEW[1000:]


def os_error(number: int) -> Callable[[], OSError]:
    return lambda: OSError(number, os.strerror(number))


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (os_error(errno.ENOSPC), StorageError),
        (os_error(errno.EIO), StorageError),
        (KeyboardInterrupt, KeyboardInterrupt),
        (MemoryError, MemoryError),
    ],
    ids=["ENOSPC", "EIO", "KeyboardInterrupt", "MemoryError"],
)
def test_every_failing_call_leaves_a_whole_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    existing: bool,
    error: Callable[[], BaseException],
    expected: type[BaseException],
) -> None:
    target = tmp_path / "model"
    failed = set()
    for nth in itertools.count(1):
        if existing:
            target.write_bytes(OLD)
        else:
            target.unlink(missing_ok=True)
        raised: BaseException | None = None
        with monkeypatch.context() as patch:
            calls = fail_nth_call(patch, SYSTEM_CALLS, error, nth)
            try:
                storage.write_atomically(target, pieces())
            except (StorageError, KeyboardInterrupt, MemoryError) as caught:
                raised = caught
        content = target.read_bytes() if target.exists() else None
        if len(calls) < nth:
            assert raised is None
            assert content == NEW
            break
        name = calls[nth - 1]
        failed.add(name)
        assert temporaries(tmp_path) == []
        if name == "os.scandir" and isinstance(error(), OSError):  # sweeping must not stop a save
            assert raised is None
            assert content == NEW
            continue
        assert type(raised) is expected
        replaced = "os.replace" in calls[: nth - 1]
        assert content == (NEW if replaced else OLD if existing else None)
        if isinstance(raised, StorageError):
            assert raised.exit_code == 5
            assert raised.message == f"{target} cannot be written: {error().args[1]}"
    assert failed == set(SYSTEM_CALLS) - (set() if existing else {"os.fchmod"})


def test_ctrl_c_on_any_line_leaves_a_whole_file(tmp_path: Path) -> None:
    """Not at system calls only: the interrupt comes between any two lines of storage.py."""
    target = tmp_path / "model"
    for nth in itertools.count(1):
        target.write_bytes(OLD)
        lines = 0

        def interrupt(frame: FrameType, event: str, _: Any, nth: int = nth) -> Any:
            nonlocal lines
            if frame.f_code.co_filename != storage.__file__:
                return None
            if event == "line":
                lines += 1
                if lines == nth:
                    raise KeyboardInterrupt
            return interrupt

        previous = sys.gettrace()
        sys.settrace(interrupt)
        try:
            storage.write_atomically(target, NEW)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(previous)
        assert target.read_bytes() in (OLD, NEW)
        assert temporaries(tmp_path) == []
        if lines < nth:
            break
    assert nth > 40


def test_content_is_on_the_disk_before_the_rename_and_the_rename_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fail_nth_call(monkeypatch, ["os.open", "os.write", "os.fsync", "os.replace"], MemoryError, nth=0)
    storage.write_atomically(tmp_path / "model", NEW)
    assert calls == ["os.open", "os.write", "os.fsync", "os.replace", "os.open", "os.fsync"]


def test_failing_source_of_pieces_leaves_the_old_file(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no second half")

    target = tmp_path / "model"
    target.write_bytes(OLD)
    with pytest.raises(ValueError, match="no second half"):
        storage.write_atomically(target, broken())
    assert target.read_bytes() == OLD
    assert temporaries(tmp_path) == []


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr("os.write", lambda descriptor, data: write(descriptor, data[:7]))
    storage.write_atomically(tmp_path / "model", NEW)
    assert (tmp_path / "model").read_bytes() == NEW


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_folder_that_cannot_be_synced_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    fsync = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", only_files)
    storage.write_atomically(tmp_path / "model", NEW)
    assert (tmp_path / "model").read_bytes() == NEW


SAVE_IN_A_LOOP = """
import sys
from rnncli import storage
path = sys.argv[1]
kinds = [bytes([65 + kind]) * 50_000 for kind in range(4)]
while True:
    for kind in kinds:
        storage.write_atomically(path, [kind] * 4)
        print(end=".", flush=True)
"""

DIE_WHILE_WRITING = """
import os, signal, sys
from rnncli import storage
def pieces():
    yield b"half"
    os.kill(os.getpid(), signal.SIGKILL)
    yield b"never"
storage.write_atomically(sys.argv[1], pieces())
"""


def test_sigkill_at_random_moments(tmp_path: Path) -> None:
    target = tmp_path / "model"
    moments = random.Random(76)
    whole = {bytes([65 + kind]) * 200_000 for kind in range(4)}
    for _ in range(25):
        arguments = [sys.executable, "-c", SAVE_IN_A_LOOP, str(target)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.read(1) == b"."  # it has begun: what is killed is a save, not the start of Python
            time.sleep(moments.uniform(0, 0.02))
            child.kill()
        assert child.returncode == -signal.SIGKILL
        assert target.read_bytes() in whole
        assert len(temporaries(tmp_path)) <= 1  # the next child's first save has swept the last one's
    storage.write_atomically(target, NEW)
    assert os.listdir(tmp_path) == ["model"]


def test_orphan_of_a_killed_process_is_swept_at_the_next_save(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.write_bytes(OLD)
    child = subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, str(target)], check=False)
    assert child.returncode == -signal.SIGKILL
    (orphan,) = temporaries(tmp_path)
    assert (tmp_path / orphan).read_bytes() == b"half"
    assert target.read_bytes() == OLD
    storage.write_atomically(tmp_path / "other", NEW)
    assert temporaries(tmp_path) == [orphan]  # only its own target's
    storage.write_atomically(target, NEW)
    assert temporaries(tmp_path) == []


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_sweep_leaves_living_writers_and_other_peoples_files(tmp_path: Path) -> None:
    dead = dead_process()
    token = "0123456789abcdef"
    gone = [f".model.{dead}-{token}.tmp", f".a\nb.{dead}-{token}.tmp", f".model.{os.getpid()}-{token}.tmp"]
    kept = [
        f".model.{os.getppid()}-{token}.tmp",  # its writer lives
        f".model.1-{token}.tmp",
        f".model.{dead}-{token[1:]}.tmp",
        f"model.{dead}-{token}.tmp",
        ".model.0-0123456789abcdef.tmp",
        ".model.99999999999-0123456789abcdef.tmp",
        "model",
    ]
    for name in gone + kept:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / f".folder.{dead}-{token}.tmp").mkdir()
    storage.sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, f".folder.{dead}-{token}.tmp"])
    storage.sweep(tmp_path / "missing")  # nothing there to sweep


def test_links_that_an_older_version_left_are_swept(tmp_path: Path) -> None:
    dead = dead_process()
    (tmp_path / f".latest.{dead}.tmp").symlink_to("r-1")
    (tmp_path / f".latest.{os.getppid()}.tmp").symlink_to("r-1")  # its writer lives
    (tmp_path / f".notes.{dead}.tmp").write_bytes(b"")  # somebody else's: that version left links only
    storage.sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([f".latest.{os.getppid()}.tmp", f".notes.{dead}.tmp"])


def test_sweep_leaves_a_thread_of_this_process_alone(tmp_path: Path) -> None:
    def pieces_with_a_save_between() -> Iterator[bytes]:
        yield b"first"
        storage.write_atomically(target, b"inner")
        assert target.read_bytes() == b"inner"
        yield b"second"

    target = tmp_path / "model"
    storage.write_atomically(target, pieces_with_a_save_between())
    assert target.read_bytes() == b"firstsecond"
    assert os.listdir(tmp_path) == ["model"]


def test_process_of_another_user_counts_as_living(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f".model.{dead_process()}-0123456789abcdef.tmp"
    (tmp_path / name).write_bytes(b"")

    def refuse(pid: int, number: int) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    monkeypatch.setattr("os.kill", refuse)
    storage.sweep(tmp_path)
    assert os.listdir(tmp_path) == [name]


def test_two_writers_of_one_file_the_last_wins_whole(tmp_path: Path) -> None:
    target = tmp_path / "model"
    contents = [bytes([65 + kind]) * 30_000 for kind in range(3)]
    target.write_bytes(contents[0])
    seen = []

    def save_often(content: bytes) -> None:
        for _ in range(15):
            storage.write_atomically(target, [content[:10_000], content[10_000:]])
            seen.append(target.read_bytes())

    threads = [threading.Thread(target=save_often, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 45
    assert set(seen) <= set(contents)
    assert os.listdir(tmp_path) == ["model"]


def test_symlink_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link, chain = tmp_path / "real" / "model", tmp_path / "latest", tmp_path / "chain"
    target.write_bytes(OLD)
    link.symlink_to(Path("real") / "model")
    chain.symlink_to("latest")
    storage.write_atomically(chain, NEW)
    assert os.readlink(chain) == "latest"
    assert os.readlink(link) == "real/model"
    assert not target.is_symlink()
    assert target.read_bytes() == NEW
    assert sorted(os.listdir(tmp_path)) == ["chain", "latest", "real"]
    target.unlink()
    storage.write_atomically(link, OLD)  # a link to nothing: what it names is made
    assert target.read_bytes() == OLD


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o666])
def test_mode_of_the_old_file_is_kept(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "model"
    target.write_bytes(OLD)
    target.chmod(mode)
    storage.write_atomically(target, NEW)
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_mode_of_a_new_file_is_what_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        storage.write_atomically(tmp_path / "model", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o640


def test_private_file_is_never_open_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "model"
    target.write_bytes(OLD)
    target.chmod(0o600)
    created = []
    real = os.open

    def watched(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            created.append(mode)
        return real(path, flags, mode)

    monkeypatch.setattr("os.open", watched)
    storage.write_atomically(target, NEW)
    assert created == [0o600]


def test_other_hard_link_keeps_the_old_content(tmp_path: Path) -> None:
    target, other = tmp_path / "model", tmp_path / "kept"
    target.write_bytes(OLD)
    other.hardlink_to(target)
    storage.write_atomically(target, NEW)
    assert target.read_bytes() == NEW
    assert other.read_bytes() == OLD


def test_temporary_is_beside_the_target_whatever_tmpdir_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "model"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    renamed = []
    real = os.replace

    def watched(source: str, destination: str) -> None:
        renamed.append((os.path.dirname(source), os.path.basename(source)))
        real(source, destination)

    monkeypatch.setattr("os.replace", watched)
    storage.write_atomically(target, NEW)
    ((folder, name),) = renamed
    assert folder == str(tmp_path.resolve())
    assert name.startswith(f".model.{os.getpid()}-")
    assert os.listdir(elsewhere) == []


@pytest.mark.parametrize("name", ["m" * 255, "ü" * 127, "with\nnewline \x1b[31m", "-leading", "sur\udcffrogate"])
def test_odd_names_are_written_and_read(tmp_path: Path, name: str) -> None:
    storage.write_atomically(tmp_path / name, NEW)
    assert storage.read_bytes(tmp_path / name, 10_000) == NEW
    assert os.listdir(tmp_path) == [name]


def test_relative_path_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    storage.write_atomically("model", NEW)
    assert storage.read_bytes("model", 10_000) == NEW
    assert os.listdir(tmp_path) == ["model"]


def test_message_is_one_line_and_names_path_and_reason(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        storage.write_atomically(tmp_path / "no\nfolder" / "model", NEW)
    assert caught.value.message == f"{tmp_path}/no\\nfolder/model cannot be written: No such file or directory"
    assert caught.value.exit_code == 5


def make_folder(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_nothing(path: Path) -> None:
    pass


NOT_FILES = [
    (make_folder, "Is a directory"),
    (make_fifo, "not a regular file"),
    (make_loop, "Too many levels of symbolic links"),
    (make_link_to_device, "not a regular file"),
]


@pytest.mark.parametrize(("make", "reason"), NOT_FILES)
def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    path = tmp_path / "odd"
    make(path)
    before = os.lstat(path)
    with time_limit(60), pytest.raises(StorageError) as caught:
        storage.write_atomically(path, NEW)
    assert caught.value.message == f"{path} cannot be written: {reason}"
    assert os.listdir(tmp_path) == ["odd"]
    assert os.lstat(path).st_ino == before.st_ino


@pytest.mark.parametrize(("make", "reason"), [*NOT_FILES, (make_nothing, "No such file or directory")])
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    path = tmp_path / "odd"
    make(path)
    with time_limit(60), pytest.raises(StorageError) as caught:
        storage.read_bytes(path, 10_000)
    assert caught.value.message == f"{path} cannot be read: {reason}"
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("path", ["a\0b", "a\ud800b"])
def test_impossible_name(path: str) -> None:
    with pytest.raises(StorageError, match="cannot be read: no file can have this name"):
        storage.read_bytes(path, 10)
    with pytest.raises(StorageError, match="cannot be written: no file can have this name"):
        storage.write_atomically(path, b"")


def test_file_exchanged_for_a_fifo_just_before_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model"
    path.write_bytes(OLD)
    real = os.open

    def exchanging(name: str, flags: int, mode: int = 0o777) -> int:
        path.unlink()
        os.mkfifo(path)
        return real(name, flags, mode)

    monkeypatch.setattr("os.open", exchanging)
    with time_limit(60), pytest.raises(StorageError, match="cannot be read: not a regular file"):
        storage.read_bytes(path, 10_000)


def test_size_limit_is_inclusive(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(OLD)
    assert storage.read_bytes(path, 3000) == OLD
    with pytest.raises(StorageError) as caught:
        storage.read_bytes(path, 2999)
    assert caught.value.message == f"{path} cannot be read: it has 3,000 bytes, and the limit is 2,999"


@pytest.mark.parametrize("size", [0, 2999, 3001])
def test_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    path = tmp_path / "model"
    path.write_bytes(OLD)
    real = os.fstat

    def then_change(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        if status.st_ino == path.stat().st_ino and status.st_size == 3000:
            os.truncate(path, size)
        return status

    monkeypatch.setattr("os.fstat", then_change)
    with pytest.raises(StorageError, match="cannot be read: it changed while it was read"):
        storage.read_bytes(path, 10_000)


def test_reading_leaves_no_descriptor_open(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(OLD)
    before = os.listdir("/dev/fd")
    for _ in range(3):
        storage.read_bytes(path, 10_000)
        with pytest.raises(StorageError):
            storage.read_bytes(path, 10)
        with pytest.raises(StorageError):
            storage.read_bytes(tmp_path, 10)
        storage.write_atomically(path, OLD)
    assert len(os.listdir("/dev/fd")) == len(before)


def test_one_line_escapes_what_cannot_be_printed() -> None:
    assert storage.one_line("a\n\x1b[31m\u202eb\udcff é 語") == "a\\n\\x1b[31m\\u202eb\\udcff é 語"
