"""Run folders: created once, finished by a marker that is written last."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from graticule.errors import RunError
from graticule.files import DOCUMENT_BYTES, is_part, read_regular, write_text

SCHEMA_VERSION = 1
DONE = "DONE"
STARTED = "STARTED"
_STORAGE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG, errno.EIO)
_RECORDED_PACKAGES = ("graticule", "numpy", "scipy", "scikit-learn", "onnxruntime", "pillow", "tifffile", "imagecodecs")


@contextlib.contextmanager
def output_folder(folder: Path, what: str, *, resume: bool = False) -> Iterator[Path]:
    """Create a folder for the outcome of a verb and mark it as finished at the end.

    Nothing is written into a folder that exists already and is not empty. While the body runs, the folder carries a
    marker STARTED. When it fails, what was written stays without the marker DONE, so that it cannot be taken for a
    finished one; a folder that holds nothing is removed again.

    Parameters
    ----------
    folder : Path
        Must be absent or empty.
    what : str
        For messages: "run", "evaluation", ...
    resume : bool
        Go on in the folder of an interrupted run.

    Raises
    ------
    RunError
        When the folder is in use, or it cannot be written to (permission, full disk).
    """
    if not (resume and (folder / STARTED).is_file() and not (folder / DONE).exists()):
        _refuse_used(folder, what)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"--out {folder} cannot be created: {error.strerror}; choose a folder you can write to"
        ) from error
    try:
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(_remove_if_empty, folder)
            write_text(folder / STARTED, utc_now() + "\n")
            yield folder
            on_failure.pop_all()
        # in this order: a process that is killed in between leaves a finished folder, not one without any marker
        write_text(folder / DONE, utc_now() + "\n")
        (folder / STARTED).unlink()
    except OSError as error:
        if error.errno not in _STORAGE_ERRNOS:
            raise
        raise RunError(
            f"the {what} cannot be written to {folder}: {error.strerror}. What was written so far is not marked as "
            "finished. Free space or choose another --out"
        ) from error


def _refuse_used(folder: Path, what: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise RunError(f"--out {folder} is a file; name a folder that does not exist yet")
    # a process that is killed while it writes its first marker leaves a part of that and nothing else
    if not folder.exists() or all(is_part(file.name) for file in folder.iterdir()):
        return
    if (folder / DONE).exists():
        raise RunError(f"--out {folder} holds a finished {what} already; choose another folder, nothing was changed")
    if (folder / STARTED).exists():
        raise RunError(
            f"--out {folder} holds an interrupted {what} (no {DONE} marker); remove the folder or choose another one. "
            "Training goes on from the features cached by then, and --method finetune --resume from its last checkpoint"
        )
    raise RunError(f"--out {folder} exists and is not empty; choose a folder that does not exist yet")


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if all(file.name == STARTED or is_part(file.name) for file in folder.iterdir()):
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()


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
    try:
        content = json.loads(read_regular(file, DOCUMENT_BYTES).decode())
    except OSError as error:
        raise RunError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{file} is damaged: {error}") from error
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        raise RunError(f"{file} is not of schema version {SCHEMA_VERSION}; it was written by another version")
    return content


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
