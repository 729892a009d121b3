"""The one door to files: reading what others gave, writing what is ours.

**Reading.** A path of a user or of a stranger may name a pipe that never answers, a device without end, or a sparse
file of terabytes. `read_regular` and `open_regular` take regular files up to a stated size, and nothing else, before a
read could block.

**Writing.** A folder from elsewhere may hold a link under the name of a file that is to be written. Nothing here
follows one: a file is written under a random name that did not exist (O_EXCL, O_NOFOLLOW), synced, and renamed into
place. Renaming replaces a link, never what it points to, so a file is the old one or the new one, whole.
"""

import contextlib
import errno
import hashlib
import io
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from graticule.errors import FileError

DOCUMENT_BYTES = 2**28
"""Most bytes of a JSON file, a page or another text that is read whole: 256 MiB."""
TABLE_BYTES = 2**29
"""Most bytes of a table of text that is read whole: 512 MiB, about five million rows."""
MODEL_BYTES = 2**31
"""Most bytes of a model's file: 2 GiB, what ONNX can hold in one file."""

_BINARY = getattr(os, "O_BINARY", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY | _NOFOLLOW
_PART = (".graticule-", ".part")
_READ_AT_ONCE = 2**20
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)


def open_regular(file: Path, limit: int | None = None) -> BinaryIO:
    """Open a regular file for reading in binary; a pipe, socket or device is refused before it could block.

    Parameters
    ----------
    file : Path
        A link is followed: where it leads must be a regular file.
    limit : int, optional
        Most bytes it may have.

    Raises
    ------
    FileError
        When it is no regular file, has no length of its own (as files in /proc), or is larger than `limit`.
    OSError
        When it is missing or may not be read.
    """
    try:
        # before it is opened, too: opening alone makes some devices act
        _check_regular(file, file.stat(), limit)
        descriptor = os.open(file, _READ)
    except ValueError as error:
        raise FileError(errno.EINVAL, f"is no name of a file: {error}", str(file)) from error
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(os.close, descriptor)
        status = os.fstat(descriptor)  # it may have been replaced since
        _check_regular(file, status, limit)
        if status.st_size == 0:
            _check_empty(file, descriptor)
        on_failure.pop_all()
    return os.fdopen(descriptor, "rb")


def check_regular(file: Path) -> Path:
    """The path, when it names a regular file: for libraries that open files by name.

    Raises
    ------
    OSError
        As `open_regular`.
    """
    open_regular(file).close()
    return file


def read_regular(file: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes, as long as it was when it was opened.

    Raises
    ------
    FileError
        As `open_regular`, and when memory does not suffice.
    OSError
        When it is missing or may not be read.
    """
    with open_regular(file, limit) as stream:
        try:
            return stream.read(os.fstat(stream.fileno()).st_size)
        except MemoryError as error:
            raise FileError(errno.ENOMEM, "needs more memory than there is", str(file)) from error
        except OSError as error:
            error.filename = error.filename or str(file)
            raise


def sha256_file(file: Path) -> str:
    """sha256 of a regular file's bytes, hex.

    Raises
    ------
    OSError
        As `open_regular`.
    """
    digest = hashlib.sha256()
    with open_regular(file) as stream:
        left = os.fstat(stream.fileno()).st_size  # one that grows for ever has an end, too
        while left > 0 and (block := stream.read(min(left, _READ_AT_ONCE))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def _check_regular(file: Path, status: os.stat_result, limit: int | None) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise FileError(errno.EISDIR, "is a directory, not a file", str(file))
    if stat.S_ISLNK(status.st_mode):
        raise FileError(errno.ELOOP, "is a link, not a file of its own", str(file))
    if not stat.S_ISREG(status.st_mode):
        raise FileError(errno.EINVAL, "is a pipe, socket or device, not a regular file", str(file))
    if limit is not None and status.st_size > limit:
        raise FileError(errno.EINVAL, f"{status.st_size:,} bytes are more than the {limit:,} allowed", str(file))


def _check_empty(file: Path, descriptor: int) -> None:
    """Refuse what claims to hold nothing and has something to tell, perhaps without end: files in /proc."""
    try:
        empty = not os.read(descriptor, 1)
    except BlockingIOError:
        empty = False
    if not empty:
        raise FileError(errno.EINVAL, "is a window into the system, not a regular file", str(file))


@contextlib.contextmanager
def writing(file: Path, *, durable: bool = True, new: bool = False) -> Iterator[BinaryIO]:
    """A stream of bytes that becomes `file` at the end of the body; when the body fails, nothing is left of it.

    Parameters
    ----------
    file : Path
        A link of that name is replaced, not followed.
    durable : bool
        Wait until the disk holds it. False for the many small files that can be made again.
    new : bool
        Refuse to replace anything.

    Yields
    ------
    BinaryIO
        Writable, readable, seekable.

    Raises
    ------
    FileExistsError
        With `new`, when there is something of that name; it is left as it is.
    OSError
        When it cannot be written; its `filename` is `file`.
    """
    part = file.with_name(f"{_PART[0]}{secrets.token_hex(8)}{_PART[1]}")
    try:
        stream = new_file(part)
        with contextlib.ExitStack() as at_the_end:
            at_the_end.callback(part.unlink, missing_ok=True)
            at_the_end.enter_context(stream)  # closed first: some systems remove no file that is open
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
            stream.close()
            _place(part, file, new=new)
        if durable:
            _sync_folder(file.parent)
    except OSError as error:
        # the random name tells nobody anything, and what is said of an open file names none
        if error.filename in (str(part), part, None):
            error.filename, error.filename2 = str(file), None
        raise


@contextlib.contextmanager
def writing_text(
    file: Path, *, encoding: str = "utf-8", newline: str = "", errors: str = "strict", new: bool = False
) -> Iterator[TextIO]:
    """`writing` for text, by default as the module csv wants it: line ends as they are written."""
    with writing(file, new=new) as binary:
        text = io.TextIOWrapper(binary, encoding=encoding, newline=newline, errors=errors)
        yield text
        text.detach()


def write_bytes(file: Path, content: bytes, *, durable: bool = True, new: bool = False) -> None:
    """Write a file so that it appears whole or not at all; see `writing`."""
    with writing(file, durable=durable, new=new) as stream:
        stream.write(content)


def write_text(file: Path, text: str) -> None:
    """Write a text file in UTF-8 so that it appears whole or not at all; see `writing`."""
    write_bytes(file, text.encode())


def new_file(file: Path) -> BinaryIO:
    """Create a file under its final name and open it for writing and reading in binary.

    Raises
    ------
    FileExistsError
        When there is anything of that name, a dangling link too.
    """
    # as any new file: the umask decides who may read it
    return cast(BinaryIO, os.fdopen(os.open(file, _CREATE, 0o666), "w+b"))


def is_part(name: str) -> bool:
    """Whether a name is that of a file not yet in place, which a process that was killed has left."""
    return name.startswith(_PART[0]) and name.endswith(_PART[1])


def reopen_own(file: Path) -> BinaryIO:
    """Open a file of ours for reading and writing in binary, as it is; not through a link, and nothing but a file.

    Raises
    ------
    FileError
        When something else has its name.
    OSError
        When it is missing or may not be written.
    """
    _check_regular(file, file.lstat(), None)
    stream = cast(BinaryIO, os.fdopen(os.open(file, _READ & ~os.O_RDONLY | os.O_RDWR | _NOFOLLOW), "r+b"))
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(stream.close)
        _check_regular(file, os.fstat(stream.fileno()), None)
        on_failure.pop_all()
    return stream


def _place(part: Path, file: Path, *, new: bool) -> None:
    if not new:
        part.replace(file)
        return
    try:
        os.link(part, file, follow_symlinks=False)  # unlike renaming, it replaces nothing
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        new_file(file).close()  # a file system without links: hold the name, then fill it
        part.replace(file)


def _sync_folder(folder: Path) -> None:
    """Make a renaming last, where the system can sync a folder."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def own_folder(folder: Path, *, new: bool = False) -> Path:
    """A folder of ours inside another one: made, or found to be a real folder.

    Parameters
    ----------
    folder : Path
    new : bool
        Refuse one that is there already.

    Raises
    ------
    FileError
        When a link or a file has that name: what is written there would land elsewhere.
    """
    try:
        folder.mkdir()
    except FileExistsError as error:
        if new:
            raise FileError(errno.EEXIST, "exists already; remove it", str(folder)) from error
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise FileError(
                errno.EEXIST, "is a link or file where a folder of our own is wanted; remove it", str(folder)
            ) from error
    return folder


def place_folder(draft: Path, folder: Path) -> None:
    """Rename a folder to where an empty one or none is; what is there otherwise is left as it is.

    Raises
    ------
    OSError
        When there is anything else of that name.
    """
    if os.name == "nt" and folder.is_dir():
        folder.rmdir()  # there, unlike on POSIX, renaming replaces no empty folder
    draft.rename(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours with all it holds, as far as possible; of a link only the link."""
    if folder.is_symlink():
        with contextlib.suppress(OSError):
            folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)
