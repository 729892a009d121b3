"""Rows from the feature cache and into it, whatever engine embeds what is new."""

import hashlib
import re

import numpy as np

from graticule.errors import ImageError
from graticule.features.cache import CachedFeatures, FeatureCache
from graticule.features.rows import FileRow, with_size
from graticule.images.decode import Decoded, ImageFile, content_hash
from graticule.images.facts import Facts
from graticule.images.image import read_file
from graticule.networks.encoder import Encoder

_COMMIT_EVERY = 256
_PIXEL_HASH = re.compile("[0-9a-f]{64}")


class CachedRows:
    """What a cache knows of files at the beginning, and new rows on their way into it.

    Parameters
    ----------
    cache : FeatureCache or None
        Without one nothing is known and nothing kept.
    encoder : Encoder
    """

    def __init__(self, cache: FeatureCache | None, encoder: Encoder) -> None:
        self._cache, self._encoder = cache, encoder
        self._known = None if cache is None or cache.empty else cache
        self._length = encoder.n_features - 2 * encoder.sizes
        self._unsaved: list[tuple[str, CachedFeatures]] = []

    def look_up(self, file: ImageFile) -> FileRow | None:
        """The row of a file by its bytes, or None."""
        if self._known is None:
            return None
        try:
            data = read_file(file.path)
            key = content_hash(data, file, self._encoder.preprocessing)
            entry = self._known.get(key)
        except (ImageError, OSError):
            return None
        facts = None if entry is None or not self._encoder.accepts(entry.mode) else self._plausible(entry)
        if entry is None or facts is None:
            return None
        info = Decoded(
            sha256=hashlib.sha256(data).hexdigest(),
            pixel_sha256=entry.pixel_sha256,
            width=entry.width,
            height=entry.height,
            mode=entry.mode,
            outside=facts.outside,
            facts=entry.facts,
            key=key,
        )
        return FileRow(with_size(entry.features, info, self._encoder), info, cached=True)

    def _plausible(self, entry: CachedFeatures) -> Facts | None:
        """Facts of a row that could be ours, else None: its digest proves only that it is whole, not who wrote it."""
        if entry.features.shape != (self._length,) or not np.isfinite(entry.features).all():
            return None
        if not _PIXEL_HASH.fullmatch(entry.pixel_sha256) or min(entry.width, entry.height) < 1:
            return None
        try:
            return Facts.from_bytes(entry.facts)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def keep(self, row: FileRow) -> None:
        """Remember a new row, and now and then write what was remembered."""
        # what the processor made in the place of a device that gave up is none of the device's
        if self._cache is None or row.features is None or self._encoder.device.lost:
            return
        info = row.info
        features = row.features[: self._length]
        entry = CachedFeatures(features, info.pixel_sha256, info.width, info.height, info.mode, info.facts)
        self._unsaved.append((info.key, entry))
        if len(self._unsaved) >= _COMMIT_EVERY:
            self.write()

    def write(self) -> None:
        """Write what was remembered since."""
        if self._cache is not None:
            self._cache.put(self._unsaved)
            self._unsaved.clear()
