"""The text file that an electron microscope leaves beside an image: JEOL and Hitachi (.txt), TESCAN (.hdr)."""

import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from graticule.files import read_regular
from graticule.formats.instrument import makes as makes
from graticule.formats.instrument.metadata import Metadata
from graticule.formats.instrument.text import clean, decode_metadata

MAX_BYTES = 1024 * 1024
_SETTLED_NS = 3_000_000_000  # time stamps of common file systems are good to 2 s or better
_SUFFIXES = (".txt", ".hdr")
_SIGNATURES: tuple[tuple[str, Callable[[str, makes.Shape], Metadata]], ...] = (
    ("[semimagefile]", makes.hitachi),
    ("[temimagefile]", makes.hitachi),
    ("$cm_", makes.jeol),
    ("$sm_micron", makes.jeol),
    ("pixelsizex=", makes.tescan),
)


def sidecar_file(file: Path) -> Path | None:
    """The instrument's text file beside an image, None where there is none.

    For `a.tif` these names are tried in turn: `a.txt`, `a.tif.txt`, `a-tif.txt`, then the same with `.hdr`, the suffix
    in any mixture of cases. Only a regular file of at most `MAX_BYTES` that holds a maker's signature counts: other
    text files (annotations, notes) stay out. A file that is there but cannot be read counts, so that
    `sidecar_metadata` can say so.
    """
    for candidate in _candidates(file):
        if _regular(candidate):
            data = _bytes(candidate)
            if data is None or _reader(decode_metadata(data)) is not None:
                return candidate
    return None


def sidecar_metadata(file: Path, shape: tuple[int, int] | None = None) -> Metadata | None:
    """What the text file beside an image says, None where there is no such file. Never raises on its content.

    Parameters
    ----------
    file : Path
        The image.
    shape : (rows, columns), optional
        Size of the image. It tells how many rows are an info bar and whether the image was resized after it was
        recorded. Without it `image_rows` are the rows as recorded by JEOL and Hitachi: an info bar follows only where
        the image has more.
    """
    sidecar = sidecar_file(file)
    if sidecar is None:
        return None
    data = _bytes(sidecar)
    if data is None:
        return Metadata(warnings=(f"{clean(sidecar.name)} cannot be read",))
    return text_metadata(data, shape)


def text_metadata(data: bytes, shape: tuple[int, int] | None = None) -> Metadata | None:
    """What the bytes of such a text file say, None where no maker's signature stands in them; as `sidecar_metadata`."""
    text = decode_metadata(data)
    read = _reader(text)
    return None if read is None else read(text, shape)


def _candidates(file: Path) -> list[Path]:
    there = _texts_in(file.parent)
    stems = (file.stem, file.name, f"{file.stem}-{file.suffix[1:]}")
    names = [name for suffix in _SUFFIXES for stem in stems for name in there.get(stem + suffix, ())]
    return [file.parent / name for name in names if name != file.name]


def _texts_in(folder: Path) -> Mapping[str, Sequence[str]]:
    """Names of the text files in a folder, by name with the suffix in lower case; empty where it cannot be listed.

    One listing serves all images of a folder. A folder that has just changed is listed again: its time stamp may be
    too coarse to show the next change.
    """
    try:
        changed = folder.stat().st_mtime_ns
        if 0 <= time.time_ns() - changed < _SETTLED_NS:
            return _listed(folder)
        return _listed_once(folder, changed)
    except (OSError, ValueError):
        return {}


@lru_cache(maxsize=16)
def _listed_once(folder: Path, changed: int) -> Mapping[str, Sequence[str]]:
    return _listed(folder)


def _listed(folder: Path) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        if name[-4:].lower() in _SUFFIXES:
            found.setdefault(name[:-4] + name[-4:].lower(), []).append(name)
    return found


def _regular(file: Path) -> bool:
    try:
        status = file.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and 0 < status.st_size <= MAX_BYTES


def _bytes(file: Path) -> bytes | None:
    try:
        return read_regular(file, MAX_BYTES)
    except OSError:
        return None


def _reader(text: str) -> Callable[[str, makes.Shape], Metadata] | None:
    lower = text.lower()
    return next((read for mark, read in _SIGNATURES if mark in lower), None)
