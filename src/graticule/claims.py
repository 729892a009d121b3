"""One process at a time in an output: a marker file that only one can make, and a lock that ends with its process.

Who makes the marker (O_EXCL) has the output; nobody else writes there or removes anything. The lock on the marker tells
a process that is at work from one that was killed, since the system takes it back when a process ends, however it ends.
Where a file system knows no locks, the process number in the marker is looked up instead.
"""

import contextlib
import errno
import json
import os
import platform
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from graticule.files import new_file, reopen_own

_PATIENCE = 2.0  # seconds for which a marker may be empty: between its making and the first words in it
_STEP = 0.01
_MOST = 1000  # bytes of a marker
_LOCKED_BYTE = 2**30  # Windows lets nobody read what is locked, so it is far behind the words


@dataclass(frozen=True)
class Owner:
    """Who made a marker: a process on a host at a time; None and "" where the marker does not say."""

    pid: int | None = None
    host: str = ""
    since: str = ""

    def __str__(self) -> str:
        who = "a process that left no name" if self.pid is None else f"process {self.pid} on host {self.host}"
        return f"{who} since {self.since}" if self.since else who

    @classmethod
    def here(cls) -> Self:
        """This process, now."""
        return cls(os.getpid(), platform.node(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Who a marker says made it; what is no marker of ours says nobody."""
        try:
            said = json.loads(raw)
            return cls(int(said["pid"]), _shown(said["host"]), _shown(said["since"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            return cls()

    def to_bytes(self) -> bytes:
        """The marker's content: one line of JSON."""
        return json.dumps({"pid": self.pid, "host": self.host, "since": self.since}).encode() + b"\n"

    def may_live(self) -> bool:
        """Whether its process may be at work, as far as this machine can tell without a lock."""
        if self.pid is None:
            return False
        if self.host != platform.node() or os.name != "posix":
            return True
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except OSError:  # of another user
            return True
        return True


def _shown(text: object) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(text))[:100]


@dataclass(frozen=True)
class Taken:
    """What stands in the way: the owner of the marker, and whether it is at work."""

    owner: Owner
    running: bool


class Claim:
    """A marker that this process has; made by `claim`."""

    def __init__(self, marker: Path, stream: BinaryIO, *, took_over: bool) -> None:
        self.marker, self.took_over = marker, took_over
        self._stream = stream

    def release(self, *, remove: bool) -> None:
        """Give the output back; with `remove` the marker goes, else it stays and says that work was interrupted."""
        with self._stream:
            if remove and os.name == "posix":
                self.marker.unlink(missing_ok=True)  # while the lock is held: nobody can have made another meanwhile
        if remove and os.name != "posix":
            self.marker.unlink(missing_ok=True)  # elsewhere no open file can be removed


def claim(marker: Path, *, take_over: bool = False) -> Claim | Taken:
    """Make a marker, unless another process has.

    Parameters
    ----------
    marker : Path
        In a folder that exists.
    take_over : bool
        Take the marker of a process that is no longer at work.

    Raises
    ------
    FileNotFoundError
        When the folder is not there (any more).
    OSError
        When the marker cannot be written, or something else has its name.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        late = time.monotonic() > deadline
        try:
            found = _begin(marker, new_file(marker), took_over=False)
        except FileExistsError:
            found = _look(marker, take_over=take_over, late=late)
        if found is not None:
            return found
        time.sleep(_STEP)


def _begin(marker: Path, stream: BinaryIO, *, took_over: bool) -> Claim | Taken | None:
    """Lock a marker just made and sign it. One who looks at it at this moment may hold the lock for an instant."""
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(stream.close)
        deadline = time.monotonic() + _PATIENCE
        while _lock(stream) is False:
            if time.monotonic() > deadline:
                return Taken(Owner.read(_content(stream)), running=True)
            time.sleep(_STEP)
        if not _still_there(marker, stream) or _content(stream):
            return None  # taken over before it was locked: look again
        on_failure.callback(_discard, marker)
        _sign(stream)
        on_failure.pop_all()
    return Claim(marker, stream, took_over=took_over)


def _discard(marker: Path) -> None:
    with contextlib.suppress(OSError):
        marker.unlink()


def _look(marker: Path, *, take_over: bool, late: bool) -> Claim | Taken | None:
    """The state of a marker that is there; None when it is changing, so that another look is needed."""
    try:
        stream = reopen_own(marker)
    except FileNotFoundError:
        return None
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(stream.close)
        locked = _lock(stream)
        content = _content(stream)
        owner = Owner.read(content)
        if not late and (not content or not _still_there(marker, stream)):
            return None
        if locked is False or (locked is None and owner.may_live()):
            return Taken(owner, running=True)
        if not take_over:
            return Taken(owner, running=False)
        if not _still_there(marker, stream):
            return None
        _sign(stream)
        at_the_end.pop_all()
    return Claim(marker, stream, took_over=True)


def _content(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(_MOST)


def _sign(stream: BinaryIO) -> None:
    stream.seek(0)
    stream.truncate()
    stream.write(Owner.here().to_bytes())
    stream.flush()
    os.fsync(stream.fileno())


def _still_there(marker: Path, stream: BinaryIO) -> bool:
    """Whether the marker's name still leads to the file that is open."""
    try:
        return os.path.samestat(marker.lstat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _lock(stream: BinaryIO) -> bool | None:
    """Lock without waiting: True; False: another has it; None: this file system knows no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            stream.seek(_LOCKED_BYTE)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            # of the open file, not of the process: two threads exclude each other too
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK) else None
    return True
