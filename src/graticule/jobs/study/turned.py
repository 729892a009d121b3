"""Images turned by quarters and mirrored, written as further ones of their class."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from graticule.arrays import IntArray, object_array
from graticule.errors import ImageError, RunError
from graticule.images.image import read_image
from graticule.images.preprocess import Preprocessing, picture_of
from graticule.manifest import Manifest
from graticule.phantoms.writing import write_png
from graticule.progress import Reporter
from graticule.workers.pool import in_workers

# symmetries of a square; those from the fifth on are mirrored
_ORIENTATIONS, _MIRRORED = 8, 4


def write_turned(
    manifest: Manifest,
    rows: IntArray,
    folder: Path,
    preprocessing: Preprocessing,
    workers: int | None,
    reporter: Reporter,
) -> tuple[Manifest, IntArray]:
    """Write some images of a manifest in their seven other orientations into a new folder, as PNG of what is seen.

    Returns
    -------
    Manifest
        Of the m images written, in the order of their paths.
    int array, shape (m,)
        Of which row each was made.

    Raises
    ------
    RunError
        When an image cannot be read.
    """
    folder.mkdir()
    reporter.begin("turning images of rare classes", len(rows))
    tasks = [(row, manifest.root / manifest.path[row]) for row in rows.tolist()]
    work: Any = partial(_write_turned, folder, preprocessing)
    paths: list[str] = []
    of: list[int] = []
    results: Iterator[list[str] | str] = in_workers(work, tasks, str, workers=workers)
    for k, ((row, file), names) in enumerate(zip(tasks, results, strict=True)):
        if isinstance(names, str):
            raise RunError(f"{file} cannot be turned: {names}")
        paths += names
        of += [row] * len(names)
        reporter.advance(k + 1)
    made = Manifest(folder.absolute(), object_array(paths), manifest.label[of])
    order = np.argsort(made.path.astype(str), kind="stable")
    return made.take(order), np.array(of, dtype=np.int64)[order]


def _write_turned(folder: Path, preprocessing: Preprocessing, task: tuple[int, Path]) -> list[str] | str:
    row, file = task
    try:
        shown = picture_of(read_image(file), preprocessing).shown
    except ImageError as error:
        return str(error)
    names = []
    for k in range(1, _ORIENTATIONS):
        name = f"{row:07d}_{k}.png"
        moved = np.rot90(shown[:, ::-1] if k >= _MIRRORED else shown, k % 4)
        write_png(folder / name, np.ascontiguousarray(moved))
        names.append(name)
    return names
