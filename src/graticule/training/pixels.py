"""Training images, decoded once at the network's input size into one file that stays on disk and is mapped."""

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.files import check_regular
from graticule.images.decode import Decoded, ImageFile
from graticule.images.pool import DecodePool
from graticule.images.preprocess import Preprocessing
from graticule.training.memory import new_array

_CHUNK = 16


def decode_pixels(
    files: Sequence[ImageFile],
    preprocessing: Preprocessing,
    file: Path,
    *,
    workers: int,
    progress: Callable[[int], None] | None = None,
) -> list[str]:
    """Write the network inputs of all files into a new .npy file of shape (n, size, size, 3), uint8.

    The file appears under its name only when it is complete.

    Returns
    -------
    list of n str
        Why a file could not be read; "" where it could. Unreadable ones are black.

    Raises
    ------
    TrainingError
        When there is no room for the file.
    """
    shape = (len(files), preprocessing.size, preprocessing.size, 3)
    part = file.with_name(file.name + ".part")
    pixels = new_array(part, np.uint8, shape, "Choose a smaller --input-size")
    errors: list[str] = []
    pending: deque[Future[list[Decoded]]] = deque()

    def finish() -> None:
        for item in pending.popleft().result():
            if item.pixels is not None:
                pixels[len(errors)] = item.pixels
            errors.append(item.error)
        if progress is not None:
            progress(len(errors))

    with DecodePool(workers, preprocessing, facts=False) as pool:
        remaining = iter(files)
        while chunk := list(itertools.islice(remaining, _CHUNK)):
            pending.append(pool.submit(chunk))
            if len(pending) > 3 * workers:
                finish()
        while pending:
            finish()
    pixels.flush()
    part.replace(file)
    return errors


def map_pixels(file: Path) -> NDArray[np.uint8]:
    """The pixels of a file written by `decode_pixels`, mapped read-only."""
    pixels: NDArray[np.uint8] = np.load(check_regular(file), mmap_mode="r")
    return pixels
