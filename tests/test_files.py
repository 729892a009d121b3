"""The one door to files: what may be read, and that nothing is written through a link or in halves."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import pickle
import socket
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from graticule.errors import FileError, GraticuleError
from graticule.files import (
    check_regular,
    is_part,
    new_file,
    open_regular,
    own_folder,
    read_regular,
    remove_folder,
    sha256_file,
    write_bytes,
    write_text,
    writing,
    writing_text,
)

posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices with names are of POSIX systems")
LIMIT = 1000


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def listening(folder: Path) -> Path:
    file = folder / "s"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server, contextlib.chdir(folder):
        server.bind("s")
    return file


def linked_device(folder: Path) -> Path:
    (folder / "link.csv").symlink_to("/dev/zero")
    return folder / "link.csv"


ODD: dict[str, Callable[[Path], Path]] = {
    "pipe": fifo,
    "socket": listening,
    "null": lambda folder: Path(os.devnull),
    "zero": lambda folder: Path("/dev/zero"),
    "link to a device": linked_device,
}


@posix
@pytest.mark.parametrize("kind", ODD)
def test_what_never_ends_or_answers_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    file = ODD[kind](tmp_path)
    for read in (
        lambda: read_regular(file, LIMIT),
        lambda: sha256_file(file),
        lambda: open_regular(file).close(),
        lambda: check_regular(file),
    ):
        with pytest.raises(FileError, match="is a pipe, socket or device, not a regular file") as caught:
            read()
        assert str(file) in str(caught.value)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux has files without a length in /proc")
@pytest.mark.parametrize("name", ["status", "pagemap", "mem"])
def test_windows_into_the_system_are_refused(name: str) -> None:
    with pytest.raises(OSError):
        read_regular(Path("/proc/self", name), LIMIT)
    with pytest.raises(FileError, match="window into the system"):
        sha256_file(Path("/proc/self/status"))


def test_a_pipe_put_in_place_of_a_file_after_the_first_look_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name != "posix":
        pytest.skip("named pipes are of POSIX systems")
    (tmp_path / "file").write_bytes(b"abc")
    pipe, real = fifo(tmp_path), os.open
    monkeypatch.setattr(os, "open", lambda path, flags, *rest: real(pipe, flags, *rest))
    with pytest.raises(FileError, match="is a pipe"):
        read_regular(tmp_path / "file", LIMIT)


def test_sizes(tmp_path: Path) -> None:
    for size in (0, 1, LIMIT):
        (tmp_path / "file").write_bytes(bytes(size))
        assert read_regular(tmp_path / "file", LIMIT) == bytes(size)
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(FileError, match="1,099,511,627,776 bytes are more than the 1,000 allowed"):
        read_regular(tmp_path / "sparse", LIMIT)
    with pytest.raises(FileError, match="is a directory, not a file"):
        read_regular(tmp_path, LIMIT)
    with pytest.raises(FileError, match="is no name of a file: embedded null"):
        read_regular(tmp_path / "a\0b", LIMIT)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "absent", LIMIT)


def test_a_file_that_grows_for_ever_is_read_to_the_length_it_had(tmp_path: Path) -> None:
    file, stop = tmp_path / "log", threading.Event()
    file.write_bytes(b"x" * 2**20)

    def grow() -> None:
        with file.open("ab") as stream:
            while not stop.is_set():
                stream.write(b"y" * 2**16)
                stream.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert read_regular(file, 2**40)[: 2**20] == b"x" * 2**20
        assert len(sha256_file(file)) == 64
    finally:
        stop.set()
        writer.join()


def test_hash_of_a_file(tmp_path: Path) -> None:
    for size in (0, 3, 2**20, 3 * 2**20 + 7):
        content = os.urandom(size)
        (tmp_path / "file").write_bytes(content)
        assert sha256_file(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_a_refused_file_is_an_error_of_the_user_and_of_the_system(tmp_path: Path) -> None:
    error = FileError(errno.EINVAL, "is a pipe", "/data/x")
    assert isinstance(error, GraticuleError)
    assert isinstance(error, OSError)
    assert (error.errno, error.strerror, error.filename) == (errno.EINVAL, "is a pipe", "/data/x")
    assert str(error) == "/data/x: is a pipe"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (FileError, str(error))


WRITERS: dict[str, Callable[[Path], None]] = {
    "text": lambda file: write_text(file, "new"),
    "bytes": lambda file: write_bytes(file, b"new"),
    "small": lambda file: write_bytes(file, b"new", durable=False),
}


def streamed(file: Path) -> None:
    with writing(file) as stream:
        stream.write(b"n")
        stream.write(b"ew")


def streamed_text(file: Path) -> None:
    with writing_text(file) as stream:
        stream.write("new")


WRITERS |= {"stream": streamed, "text stream": streamed_text}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("dangling", [False, True])
def test_no_write_goes_through_a_link(tmp_path: Path, kind: str, dangling: bool) -> None:
    victim, folder = tmp_path / "thesis.tex", tmp_path / "run"
    folder.mkdir()
    if not dangling:
        victim.write_text("years of work")
    names = ("report.html", "report.html.part", ".report.html.part")
    for name in names:
        (folder / name).symlink_to(victim)
    WRITERS[kind](folder / "report.html")
    assert victim.exists() is not dangling
    if not dangling:
        assert victim.read_text() == "years of work"
    assert (folder / "report.html").read_text() == "new"
    assert not (folder / "report.html").is_symlink()
    assert sorted(file.name for file in folder.iterdir()) == sorted(names)  # and no part is left


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_with_two_names_keeps_the_other(tmp_path: Path, kind: str) -> None:
    (tmp_path / "kept").write_text("old")
    os.link(tmp_path / "kept", tmp_path / "file")
    WRITERS[kind](tmp_path / "file")
    assert (tmp_path / "kept").read_text() == "old"
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("step", ["fsync", "replace", "body"])
def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    file = tmp_path / "note.txt"
    write_text(file, "first\n")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step != "body":
        monkeypatch.setattr(os, step, full) if step == "fsync" else monkeypatch.setattr(Path, step, full)

    def second() -> None:
        with writing(file) as stream:
            stream.write(b"second\n")
            if step == "body":
                full()

    with pytest.raises(OSError, match="No space"):
        second()
    assert [found.name for found in tmp_path.iterdir()] == ["note.txt"]
    assert file.read_text() == "first\n"


def test_errors_of_writing_name_the_file_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_text(tmp_path / "absent" / "note.txt", "")
    assert caught.value.filename == str(tmp_path / "absent" / "note.txt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as refused:
        write_text(tmp_path / "folder", "")
    assert refused.value.filename == str(tmp_path / "folder")
    assert refused.value.filename2 is None
    assert [found.name for found in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

        monkeypatch.setattr(os, "link", refuse)
    write_bytes(tmp_path / "file", b"first", new=True)
    with pytest.raises(FileExistsError) as caught:
        write_bytes(tmp_path / "file", b"second", new=True)
    assert caught.value.filename == str(tmp_path / "file")
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_bytes(tmp_path / "dangling", b"third", new=True)
    with pytest.raises(FileExistsError):
        new_file(tmp_path / "dangling")
    assert {found.name for found in tmp_path.iterdir()} == {"file", "dangling"}
    assert (tmp_path / "file").read_bytes() == b"first"


def test_one_of_many_threads_makes_a_new_file(tmp_path: Path) -> None:
    start, made = threading.Barrier(20), []

    def make(number: int) -> None:
        start.wait()
        with contextlib.suppress(FileExistsError):
            write_bytes(tmp_path / "file", str(number).encode(), new=True)
            made.append(number)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert (tmp_path / "file").read_bytes() == str(made[0]).encode()


@posix
def test_files_are_as_readable_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "file", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_what_a_killed_process_leaves_is_told_from_files(tmp_path: Path) -> None:
    with writing(tmp_path / "file"):
        (part,) = (found.name for found in tmp_path.iterdir())
    assert is_part(part)
    assert not any(map(is_part, ("file", "report.html.part", ".graticule-x.part.html")))


def test_text_is_written_as_given(tmp_path: Path) -> None:
    with writing_text(tmp_path / "a.csv", encoding="utf-8-sig") as stream:
        stream.write("µ\r\nx\n")
    assert (tmp_path / "a.csv").read_bytes() == b"\xef\xbb\xbf" + "µ\r\nx\n".encode()


def test_long_names_and_names_that_are_no_text(tmp_path: Path) -> None:
    names = ["x" * 250] + ([] if sys.platform in ("win32", "darwin") else [os.fsdecode(b"\xff\xfe.csv")])
    for name in names:
        write_bytes(tmp_path / name, b"1")
        assert read_regular(tmp_path / name, LIMIT) == b"1"


def test_folders_of_our_own(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("")
    (tmp_path / "work").symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(FileError, match="is a link or file"):
        own_folder(tmp_path / "work")
    remove_folder(tmp_path / "work")
    assert not (tmp_path / "work").is_symlink()
    assert (elsewhere / "kept").exists()
    (own_folder(tmp_path / "work") / "a").write_text("")
    assert own_folder(tmp_path / "work").is_dir()
    with pytest.raises(FileError, match="exists already"):
        own_folder(tmp_path / "work", new=True)
    remove_folder(tmp_path / "work")
    assert not (tmp_path / "work").exists()
    remove_folder(tmp_path / "work")
