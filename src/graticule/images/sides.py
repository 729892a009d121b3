"""How large the images of a data set are, told by a look at some of them."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from graticule.formats.selection import Selection
from graticule.images.decode import ImageFile
from graticule.images.image import read_image
from graticule.workers.pool import in_workers

SAMPLED = 64


def longer_side(file: ImageFile, selection: Selection) -> int:
    """Longer side of an image as stored, pixels; an info bar that is cut off makes it no larger.

    Raises
    ------
    ImageError
    """
    image = read_image(file.path, selection)
    return max(image.width, image.height)


def longer_sides(
    files: Sequence[ImageFile], selection: Selection, *, workers: int | None = None, most: int = SAMPLED
) -> NDArray[np.int64]:
    """Longer sides of at most so many images spread over a list, those that can be read."""
    chosen = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, min(most, len(files))).astype(int))]
    found = in_workers(partial(longer_side, selection=selection), chosen, _unread, workers=workers)
    return np.array([side for side in found if side], np.int64)


def _unread(cause: str) -> int:
    """What stands for a file that cannot be read; that is told when it is read for good."""
    return 0
