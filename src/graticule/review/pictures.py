"""The images of a review as a browser can show them: read as the model reads them, and made anew as JPEG or PNG."""

import contextlib
import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL.Image

from graticule.arrays import Pixels
from graticule.errors import ImageError
from graticule.files import DOCUMENT_BYTES, read_regular, sha256_file, write_bytes
from graticule.images.shown import Shown, shrunk

THUMB_SIDE = 256
_REMEMBERED = 24  # pictures of which the pixels are kept for zooming and for the next side asked for
_KEPT_BYTES = 256 * 2**20  # of all of them
_SMALL = 64  # below this many pixels a side, a JPEG would blur what there is to see
_QUALITY = 88


class ReviewPictures:
    """Files of a review and of the training images, by position. Safe for several threads.

    Parameters
    ----------
    files : sequence of Path
        Of the images, in the order of the queue.
    sha256 : sequence of str
        Hash of the bytes that were scored.
    training : sequence of Path
        Of the training images.
    read : function of a path
        The image as the model reads it; ImageError where it cannot be read.
    cache : Path
        Folder for thumbnails, made when needed; of its own for each way of reading.
    explain : function, optional
        From a file and a class to a map, uint8 RGBA of shape (h, w, 4), over the part that the model sees; None where
        it cannot be explained.
    """

    def __init__(
        self,
        files: Sequence[Path],
        sha256: Sequence[str],
        training: Sequence[Path],
        read: Callable[[Path], Shown],
        cache: Path,
        explain: Callable[[Path, str], Pixels | None] | None = None,
    ) -> None:
        self.files, self.training = files, training
        self._sha256 = sha256
        self._read_anew = read
        self._cache = cache
        self._explain = explain
        self._lock = threading.Lock()
        self._shown: OrderedDict[Path, Shown] = OrderedDict()
        self._refused: dict[Path, tuple[tuple[int, int], ImageError]] = {}
        self._checked: dict[int, tuple[int, int, bool]] = {}
        self._explaining = threading.Semaphore(1)  # one at a time: a map costs as much as many pages

    @property
    def can_explain(self) -> bool:
        """Whether there are maps of evidence."""
        return self._explain is not None

    def is_changed(self, place: int) -> bool:
        """Whether the file holds other bytes than those that were scored, or is gone."""
        try:
            status = self.files[place].stat()
            known = self._checked.get(place)
            if known is None or known[:2] != (status.st_mtime_ns, status.st_size):
                changed = sha256_file(self.files[place]) != self._sha256[place]
                known = self._checked[place] = (status.st_mtime_ns, status.st_size, changed)
        except (OSError, ValueError):
            return True
        return known[2]

    def shown(self, place: int) -> Shown:
        """One image.

        Raises
        ------
        ImageError
            When the file is gone or cannot be read.
        """
        return self._read(self.files[place])

    def _read(self, file: Path) -> Shown:
        try:
            status = file.stat()
        except (OSError, ValueError) as error:
            raise ImageError(str(file), getattr(error, "strerror", None) or str(error)) from error
        state = status.st_mtime_ns, status.st_size
        with self._lock:
            if file in self._shown:
                self._shown.move_to_end(file)
                return self._shown[file]
            refused = self._refused.get(file)
        if refused is not None and refused[0] == state:  # finding that out may have cost a minute
            raise refused[1]
        try:
            found = self._read_anew(file)
        except ImageError as error:
            with self._lock:
                self._refused[file] = state, error
            raise
        with self._lock:
            self._shown[file] = found
            while len(self._shown) > _REMEMBERED or (
                len(self._shown) > 1 and sum(one.pixels.nbytes for one in self._shown.values()) > _KEPT_BYTES
            ):
                self._shown.popitem(last=False)
        return found

    def image(self, place: int, side: int = 0) -> tuple[bytes, str]:
        """The image, its longest side at most `side` pixels (0: as stored); (bytes, media type)."""
        return encoded(self.shown(place).pixels, side)

    def thumbnail(self, place: int) -> bytes:
        """A JPEG of at most `THUMB_SIDE` pixels, kept on disk under the image's hash."""
        return self._kept(self._sha256[place], self.files[place])

    def training_thumbnail(self, number: int) -> bytes:
        """As `thumbnail`, of a training image."""
        file = self.training[number]
        status = file.stat()
        name = f"{file}\0{status.st_mtime_ns}\0{status.st_size}"
        return self._kept(hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest(), file)

    def _kept(self, name: str, file: Path) -> bytes:
        there = self._cache / name[:2] / f"{name}.jpg"
        with contextlib.suppress(OSError):
            return read_regular(there, DOCUMENT_BYTES)
        data = encoded(self._read(file).pixels, THUMB_SIDE, always_jpeg=True)[0]
        with contextlib.suppress(OSError):  # a full disk costs the cache, not the picture
            there.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(there, data, durable=False)
        return data

    def prepare_thumbnails(self, stop: threading.Event) -> None:
        """Make the thumbnails that lack, in the order of the queue, until `stop`; for a thread in the background."""
        for place in range(len(self.files)):
            if stop.is_set():
                return
            with contextlib.suppress(ImageError, OSError):
                self.thumbnail(place)
            stop.wait(0.002)  # pages come first

    def explanation(self, place: int, label: str) -> bytes | None:
        """Evidence for a class as PNG with transparency, over the whole image; None where there is no map."""
        if self._explain is None:
            return None
        with self._explaining:
            seen = self._explain(self.files[place], label)
        return None if seen is None else png(over_whole(seen, self.shown(place)))


def over_whole(seen: Pixels, shown: Shown) -> Pixels:
    """A map (h, w, 4) of the part that the model sees, placed into the proportions of the whole image."""
    if shown.bar is None:
        return seen
    height = shown.pixels.shape[0]
    top, bottom = shown.bar
    rows = height - (bottom - top)
    missing = round(seen.shape[0] * (bottom - top) / max(rows, 1))
    empty = np.zeros((missing, *seen.shape[1:]), np.uint8)
    return np.concatenate([empty, seen] if top == 0 else [seen, empty])


def encoded(pixels: Pixels, side: int = 0, *, always_jpeg: bool = False) -> tuple[bytes, str]:
    """Pixels as JPEG, or as PNG where the image is small; (bytes, media type)."""
    image = PIL.Image.fromarray(pixels)
    longest = max(image.size)
    image = shrunk(image, side)
    if longest <= _SMALL * 4 and not always_jpeg:
        return png(np.asarray(image)), "image/png"
    buffer = io.BytesIO()
    image.save(buffer, format="jpeg", quality=_QUALITY)
    return buffer.getvalue(), "image/jpeg"


def png(pixels: Pixels) -> bytes:
    """Grey, RGB or RGBA pixels as PNG."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="png", compress_level=3)
    return buffer.getvalue()
