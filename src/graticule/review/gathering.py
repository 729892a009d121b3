"""What a review is about, put together: images with an opinion, their folder, the model; and how files are taken in."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from graticule.bundle import Bundle
from graticule.errors import GraticuleError, RunError
from graticule.files import sha256_file
from graticule.images.preprocess import Preprocessing
from graticule.manifest import Manifest
from graticule.progress import Reporter
from graticule.review.items import Items
from graticule.sources.sources import list_images

# how images are shown where no model tells
WITHOUT_MODEL = Preprocessing(size=224)


@dataclass(frozen=True)
class Subject:
    """Images to review, in no order yet, with what is needed to show them.

    Attributes
    ----------
    items : Items
    root : Path
        Folder that the items' paths are relative to.
    source : str
        For people: "predictions answers", "run run".
    bundle : Bundle or None
        The model; None where it is no longer there.
    preprocessing : Preprocessing
        How the model reads images.
    training : Manifest or None
        The training images, where the run tells them.
    model_hash, run_hash : str or None
    notes : list of str
        What was left out, and why.
    of_training : bool
        Whether the images are training images of the model.
    """

    items: Items
    root: Path
    source: str
    bundle: Bundle | None
    preprocessing: Preprocessing
    training: Manifest | None
    model_hash: str | None
    run_hash: str | None
    notes: list[str]
    of_training: bool = False


def shown_folder(images: Path) -> Path:
    """The folder of the images that were predicted: a folder, or that of one image or of a list."""
    if images.is_dir():
        return images
    try:
        return list_images(images).root
    except GraticuleError as error:
        raise RunError(f"the images that were predicted cannot be found any more: {error}") from error


def hashes_of(files: Sequence[Path], reporter: Reporter) -> list[str]:
    """SHA-256 of each file, "" where it cannot be read."""
    reporter.begin("hashing", len(files))
    found = []
    with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 2)) as threads:
        for done, sha in enumerate(threads.map(_or_nothing(sha256_file), files), start=1):
            found.append(sha)
            if done % 100 == 0 or done == len(files):
                reporter.advance(done)
    return found


def _or_nothing(function: Callable[[Path], str]) -> Callable[[Path], str]:
    def attempt(file: Path) -> str:
        try:
            return function(file)
        except OSError:
            return ""

    return attempt


def first_of_each(sha256: Sequence[str | None], rows: Sequence[int]) -> list[int]:
    """The first row of each different image."""
    first: dict[str, int] = {}
    for i in rows:
        first.setdefault(sha256[i] or "", i)
    return list(first.values())


def left_out_note(n: int, what: str) -> list[str]:
    """A note on n images that are left out, none for none."""
    return [f"{n:,} {what} are left out"] if n else []


def tuples_of(column: pa.ChunkedArray) -> tuple[tuple[str, ...], ...]:
    """The lists of a column, () for nulls."""
    return tuple(tuple(values or ()) for values in column.to_pylist())
