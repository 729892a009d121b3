"""Which images a report shows, how they are read, and how small they are made."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from graticule.errors import ImageError
from graticule.formats.selection import EVERYTHING, Selection
from graticule.images.pool import answer_of
from graticule.images.shown import read_rgb, shrunk
from graticule.predictions import Predictions
from graticule.workers.pool import WorkerPool

# a picture as uint8 array of shape (H, W, 3); ImageError or OSError for a file that cannot be read
ReadRgb = Callable[[Path], NDArray[np.uint8]]
# the file of a path or a sample that a document names; None where there is none
FileOf = Callable[[str], Path | None]
SIDE = 112
LIMIT = 60


@dataclass(frozen=True)
class Chosen:
    """Rows of a Predictions table to show.

    Attributes
    ----------
    right : dict
        Per class the rows of its most confident right image, then of its least confident right ones.
    wrong : list of int
        The most confident wrong images of all classes, most confident first.
    """

    right: dict[str, list[int]]
    wrong: list[int]


def choose_examples(predictions: Predictions, limit: int = LIMIT) -> Chosen:
    """Choose the images to show: a function of the scores alone, ties in order of the path.

    Parameters
    ----------
    predictions : Predictions
        n samples over K classes.
    limit : int
        Most images in total; two fifths are kept for the wrong ones.

    Returns
    -------
    Chosen
        With more classes than room, the classes with the lowest sensitivity are shown.
    """
    y, guess = predictions.y, predictions.proba.argmax(axis=1)
    top = predictions.proba.max(axis=1) if len(predictions) else np.empty(0)
    by_path = np.argsort(predictions.path.astype(str), kind="stable")
    falling = by_path[np.argsort(-top[by_path], kind="stable")]
    rising = by_path[np.argsort(top[by_path], kind="stable")]
    right = y == guess
    wrong = [int(row) for row in falling if not right[row]][: limit * 2 // 5]

    room = limit - limit * 2 // 5
    sensitivity = [right[y == k].mean() if (y == k).any() else 0.0 for k in range(len(predictions.classes))]
    shown = sorted(sorted(range(len(sensitivity)), key=lambda k: (sensitivity[k], k))[:room])
    each = min(6, max(1, room // max(1, len(shown))))
    rows: dict[str, list[int]] = {}
    for k in shown:
        mine = right & (y == k)
        best = [int(row) for row in falling if mine[row]][:1]
        rows[predictions.classes[k]] = best + [int(row) for row in rising if mine[row] and row not in best][: each - 1]
    return Chosen(rows, wrong)


@contextmanager
def pictures_of_files(side: int, selection: Selection = EVERYTHING) -> Iterator[ReadRgb]:
    """A reader of pictures for a page, in a worker process that is started with the first one.

    Parameters
    ----------
    side : int
        Most pixels of the longest side that the page shows.
    selection : Selection

    Yields
    ------
    function of a path
        Returns a uint8 array of shape (H, W, 3); raises ImageError for a file that cannot be read.
    """
    with WorkerPool(1) as pool:
        yield partial(answer_of, pool, partial(read_rgb, selection=selection, side=side))


def data_uri(rgb: NDArray[np.uint8], side: int = SIDE) -> str:
    """Shrink an image to at most `side` pixels and write it as a data URI.

    Parameters
    ----------
    rgb : uint8 array, shape (H, W, 3)

    Returns
    -------
    str
        JPEG, or PNG where the image is so small that it would suffer.
    """
    image = shrunk(Image.fromarray(rgb), side)
    small = max(rgb.shape[:2]) <= 40
    kind, options = ("png", {"optimize": True}) if small else ("jpeg", {"quality": 84, "optimize": True})
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def thumbnail(file: Path | None, read: ReadRgb) -> str | None:
    """Data URI of one sample's image, or None when it is no longer there or cannot be read."""
    if file is None:
        return None
    try:
        return data_uri(read(file))
    except (ImageError, OSError):
        return None
