"""Run folders: created once, finished by a marker that is written last."""

import contextlib
import errno
import hashlib
import json
import os
import platform
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import platformdirs

from graticule.claims import Claim, Taken, claim
from graticule.documents import parse_document
from graticule.errors import RunError
from graticule.files import DOCUMENT_BYTES, is_part, read_regular, write_text
from graticule.tasks import CLASSIFICATION, task_of

SCHEMA_VERSION = 1
NOWHERE = Path(os.devnull, "no-home", "graticule")
# how a document with missing entries, or entries of other types, makes itself felt
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
DONE = "DONE"
STARTED = "STARTED"
_TRIES = 1000
_LONGEST_NAME = 255
_STORAGE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG, errno.EIO)
_RECORDED_PACKAGES = ("graticule", "numpy", "scipy", "scikit-learn", "onnxruntime", "pillow", "tifffile", "imagecodecs")


@contextlib.contextmanager
def output_folder(folder: Path, what: str, *, resume: bool = False, advice: str = "") -> Iterator[Path]:
    """Create a folder for the outcome of a verb and mark it as finished at the end.

    Nothing is written into a folder that exists already and is not empty. While the body runs, the folder carries a
    marker STARTED that only one process can have, see `graticule.claims`. When it fails, what was written stays without
    the marker DONE, so that it cannot be taken for a finished one; a folder that this process made and that holds
    nothing is removed again.

    Parameters
    ----------
    folder : Path
        Must be absent or empty.
    what : str
        For messages: "run", "evaluation", ...
    resume : bool
        Go on in the folder of an interrupted run.
    advice : str
        What else than beginning anew there is to do about an interrupted one: a sentence.

    Raises
    ------
    RunError
        When the folder is in use, or it cannot be written to (permission, full disk).
    """
    try:
        held, made = _claimed(folder, what, resume=resume, advice=advice)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(_give_up, folder, held, made=made)
            yield folder
            # in this order: a process that is killed in between leaves a finished folder, not one without any marker
            write_text(folder / DONE, utc_now() + "\n")
            on_failure.pop_all()
        held.release(remove=True)
    except OSError as error:
        if error.errno not in _STORAGE_ERRNOS:
            raise
        raise RunError(
            f"the {what} cannot be written to {folder}: {error.strerror}. What was written so far is not marked as "
            "finished. Free space or choose another --out"
        ) from error


def _claimed(folder: Path, what: str, *, resume: bool, advice: str) -> tuple[Claim, bool]:
    """The marker of the folder, and whether this process made the folder."""
    for _ in range(_TRIES):
        made = _make(folder)
        try:
            if not made:
                _refuse_used(folder, what)
            found = claim(folder / STARTED, take_over=resume)
        except FileNotFoundError:
            continue  # another process, which gave up, has just removed the folder it had made
        except OSError:
            if made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            raise
        if isinstance(found, Taken):
            raise RunError(_occupied(f"--out {folder}", folder / STARTED, found, what, advice))
        if not found.took_over or (folder / DONE).exists():
            _refuse_unless_alone(folder, what, found)
        return found, made
    raise RunError(f"--out {folder} is removed again and again by other processes; choose another folder")


def _make(folder: Path) -> bool:
    """Make the folder; False when it is there. A file of that name is refused."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        try:
            status = folder.stat()
        except FileNotFoundError:
            if folder.is_symlink():
                raise RunError(f"--out {folder} cannot be created: it is a link to nowhere; choose another") from error
            return _make(folder)  # another process, which gave up, has just removed it
        if stat.S_ISDIR(status.st_mode):
            return False
        raise RunError(f"--out {folder} is a file; name a folder that does not exist yet") from error
    except OSError as error:
        raise RunError(
            f"--out {folder} cannot be created: {error.strerror}; choose a folder you can write to"
        ) from error
    return True


def _refuse_used(folder: Path, what: str) -> None:
    """Refuse a folder that holds anything, but for a marker: whose that is, is found out afterwards."""
    if (folder / DONE).exists():
        raise RunError(f"--out {folder} holds a finished {what} already; choose another folder, nothing was changed")
    names = {file.name for file in folder.iterdir()}
    # a process that is killed while it writes leaves a part and perhaps nothing else
    if STARTED not in names and not all(map(is_part, names)):
        raise RunError(f"--out {folder} exists and is not empty; choose a folder that does not exist yet")


def _refuse_unless_alone(folder: Path, what: str, held: Claim) -> None:
    """With the marker in hand, look again: another process may have finished here meanwhile."""
    if all(file.name == STARTED or is_part(file.name) for file in folder.iterdir()):
        return
    held.release(remove=True)
    _refuse_used(folder, what)
    raise RunError(f"--out {folder} is not empty: another process has just written there; choose another folder")


def _occupied(out: str, marker: Path, found: Taken, what: str, advice: str) -> str:
    """Why an output cannot be had, and what to do."""
    if found.running:
        return (
            f"{out} is in use by {found.owner}. Wait until it is done, or choose another --out; nothing was changed. "
            f"If there is no such process any more, remove {marker}"
        )
    return (
        f"{out} holds an interrupted {what} (no {DONE} marker), begun by {found.owner}. Remove it, or choose another "
        f"--out, and start again{'. ' if advice else ''}{advice}"
    )


def _give_up(folder: Path, held: Claim, *, made: bool) -> None:
    """After a failure: what was written stays, under the marker; a folder that holds nothing goes if we made it."""
    with contextlib.suppress(OSError):
        if any(file.name != STARTED and not is_part(file.name) for file in folder.iterdir()):
            held.release(remove=False)
            return
        held.release(remove=True)
        if made:
            folder.rmdir()  # fails, as it should, when another process has begun here


@contextlib.contextmanager
def reserved(out: Path, what: str, check: Callable[[], None]) -> Iterator[None]:
    """Hold a file or data folder that is to appear whole at the end of the body, against other processes.

    Meanwhile a hidden marker stands beside it; one that a killed process left is taken over.

    Parameters
    ----------
    out : Path
        In a folder that exists.
    what : str
        For messages: "phantom", "export", ...
    check : callable
        Raises when there is something of that name already. Asked before, and again when no other process can make it.

    Raises
    ------
    RunError
        When another process is about to make it.
    """
    check()
    name = f".{out.name}.{STARTED}"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f".{hashlib.sha256(os.fsencode(out.name)).hexdigest()[:32]}.{STARTED}"
    marker = out.with_name(name)
    found = claim(marker, take_over=True)
    if isinstance(found, Taken):
        raise RunError(_occupied(f"--out {out}", marker, found, what, ""))
    try:
        check()
        yield
    finally:
        found.release(remove=True)


def require_finished(folder: Path, what: str = "run") -> Path:
    """The folder, when it is there and finished.

    Raises
    ------
    RunError
        When it is missing, or carries no marker because it was interrupted.
    """
    if not folder.is_dir():
        raise RunError(f"there is no {what} at {folder}")
    if not (folder / DONE).is_file():
        raise RunError(f"{folder} is no finished {what}: its marker {DONE} is missing (interrupted, or another folder)")
    return folder


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write a JSON object with its schema version first; NaN is refused."""
    document = {"schema_version": SCHEMA_VERSION, **content}
    write_text(file, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object of this schema version.

    Raises
    ------
    RunError
        When it is missing, damaged or of another version.
    """
    content = read_document(file)
    if content.get("schema_version") != SCHEMA_VERSION:
        raise RunError(f"{file} is not of schema version {SCHEMA_VERSION}; it was written by another version")
    return content


def read_run(folder: Path, takes: Sequence[str] = (CLASSIFICATION,)) -> dict[str, Any]:
    """run.json of a run or an evaluation, with its task, which must be one of some.

    Raises
    ------
    RunError
        As `read_json`.
    TaskError
    """
    file = folder / "run.json"
    record = read_json(file)
    return record | {"task": task_of(record, file, takes=takes)}


def read_document(file: Path) -> dict[str, Any]:
    """Read a JSON object, strictly: see `graticule.documents`.

    Raises
    ------
    RunError
        When it is missing or damaged.
    """
    try:
        return parse_document(read_regular(file, DOCUMENT_BYTES))
    except OSError as error:
        raise RunError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{file} is damaged: {error}") from error


@contextlib.contextmanager
def as_written(*folders: Path) -> Iterator[None]:
    """While the body reads folders that others may have changed, what does not hold is told as their damage.

    Tables and documents are checked when they are read; what stands deep inside of a document is found to be missing or
    of another type only where it is used.

    Raises
    ------
    RunError
    """
    try:
        yield
    except _MISFITS as error:
        words = "".join(c if c.isprintable() else "?" for c in f"{type(error).__name__}: {error}")[:300]
        raise RunError(
            f"{' or '.join(map(str, folders))} does not hold what this version writes ({words}). Restore it from a "
            "copy, or make it again; if nobody changed it, this is a fault of the program worth a report"
        ) from error


def utc_now() -> str:
    """Now, in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def package_versions(*more: str) -> dict[str, str]:
    """Versions of Python and of the packages that results depend on; `more` names others."""
    versions = {"python": platform.python_version()}
    for name in (*_RECORDED_PACKAGES, *more):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def machine() -> str:
    """Operating system, architecture and cores."""
    return f"{platform.system()}-{platform.machine()}, {os.cpu_count()} cores"


def cache_folder() -> Path:
    """The user's cache folder: $GRATICULE_CACHE, or the platform's habit.

    An account without a home has none: then a path at which nothing can be made, so that work goes on without.
    """
    configured = os.environ.get("GRATICULE_CACHE")
    if configured:
        return Path(configured)
    try:
        folder = Path(platformdirs.user_cache_dir("graticule", appauthor=False))
    except RuntimeError:  # what newer releases say of an account without a home; older ones answer "~/.cache"
        return NOWHERE
    return folder if folder.is_absolute() else NOWHERE
