"""One image of `graticule explain`: decoded, explained, and what the checks need of it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, FloatArray, Pixels
from graticule.explain.model import ExplainableModel
from graticule.explain.overlay import peak
from graticule.explain.pooled import resized
from graticule.explain.regions import bar_mask, border_frame, picture_mask, share_in, shown_size
from graticule.images.decode import ImageFile
from graticule.images.facts import Facts
from graticule.images.pool import Decode
from graticule.images.preprocess import Preprocessing

Task = tuple[ImageFile, FloatArray]  # a file and its probabilities
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Seen:
    """What the network sees of a file.

    Attributes
    ----------
    pixels : uint8 array, shape (S, S, 3)
    size : float array, shape (2,)
        Width and height of the stored image.
    shown : tuple of int
        Height and width of the part that is seen, before it is made square.
    bar : mask, shape (S, S), or None
        The info bar, where the network sees one.
    picture : mask, shape (S, S), or None
        Where the picture lies; None: it fills the input.
    """

    pixels: Pixels
    size: FloatArray
    shown: tuple[int, int]
    bar: BoolArray | None
    picture: BoolArray | None = None

    @property
    def inside(self) -> BoolArray:
        """Where the picture lies, shape (S, S)."""
        return np.ones(self.pixels.shape[:2], bool) if self.picture is None else self.picture

    @property
    def border(self) -> BoolArray:
        """The frame along the border without the bar."""
        frame = border_frame(len(self.pixels))
        return frame if self.bar is None else frame & ~self.bar


@dataclass(frozen=True)
class Explained:
    """Maps of one image.

    Attributes
    ----------
    seen : Seen
    classes : int array, shape (T,)
        The likeliest classes, best first.
    proba : float array, shape (K,)
    maps : float array, shape (T, g, g)
    border_share, bar_share : float or None
        Share of the absolute map of the likeliest class on border and bar.
    peak : tuple of float
        Column and row of its strongest evidence, as shares of width and height of what the network sees.
    """

    seen: Seen
    classes: NDArray[np.int64]
    proba: FloatArray
    maps: FloatArray
    border_share: float | None
    bar_share: float | None
    peak: tuple[float, float]


def look(file: ImageFile, decode: Decode, preprocessing: Preprocessing) -> Seen | str:
    """What the network sees of a file, decoded in a worker; a text that says why it cannot be read."""
    decoded = decode(file)
    if decoded.pixels is None:
        return decoded.error
    facts = Facts.from_bytes(decoded.facts)
    stored = (decoded.height, decoded.width)
    pixel_size = file.pixel_size_nm or facts.metadata.pixel_size_nm
    return Seen(
        pixels=decoded.pixels,
        size=np.array([decoded.width, decoded.height], np.float64),
        shown=shown_size(facts.bar, stored, preprocessing),
        bar=bar_mask(facts.bar, stored, preprocessing, pixel_size),
        picture=picture_mask(stored, preprocessing, pixel_size),
    )


def explain_file(task: Task, decode: Decode, model: ExplainableModel, method: str, top: int) -> Explained | str:
    """Explain one file whose probabilities are known; a text that says why it cannot be read."""
    file, proba = task
    seen = look(file, decode, model.encoder.preprocessing)
    if isinstance(seen, str):
        return seen
    classes = np.argsort(-proba, kind="stable")[:top].astype(np.int64)
    maps = model.any_maps(seen.pixels[None], classes[None], sizes_of(model, seen, 1), method)[0]
    side = len(seen.pixels)
    fine = resized(maps[0], side, side)
    return Explained(
        seen=seen,
        classes=classes,
        proba=proba,
        maps=maps,
        border_share=share_in(fine, seen.border),
        bar_share=share_in(fine, seen.bar),
        peak=peak(maps[0], seen.pixels),
    )


def sizes_of(model: ExplainableModel, seen: Seen, n: int) -> FloatArray | None:
    """The image's size for n variants of it, where the model uses sizes."""
    return np.repeat(seen.size[None], n, axis=0) if model.encoder.sizes else None


def probabilities_of(model: ExplainableModel, seen: Seen) -> Callable[[Pixels], FloatArray]:
    """A function from variants of an image to class probabilities."""
    return partial(_probabilities, model, seen)


def _probabilities(model: ExplainableModel, seen: Seen, pixels: Pixels) -> FloatArray:
    return model.proba(pixels, sizes_of(model, seen, len(pixels)))


def results_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: ThreadPoolExecutor, ahead: int
) -> Iterator[Result]:
    """Results in the order of the items, at most `ahead` of them under way, so that memory stays bounded."""
    waiting: deque[Future[Result]] = deque()
    source = iter(items)
    for item in islice(source, ahead):
        waiting.append(threads.submit(function, item))
    while waiting:
        result = waiting.popleft().result()
        for item in islice(source, 1):
            waiting.append(threads.submit(function, item))
        yield result
