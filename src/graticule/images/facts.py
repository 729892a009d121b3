"""What is learnt of an image while it is decoded, besides the network's input; kept with its features in the cache."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graticule.formats.instrument.metadata import Metadata, from_json, to_json
from graticule.images.beyond import Shares
from graticule.images.burnt_in.infobar import Bar
from graticule.images.burnt_in.ultrasound import find_marks, is_ultrasound, mark_shares
from graticule.images.cues import CUES_VERSION, N_CUES, measure_cues
from graticule.images.fingerprint import FINGERPRINT_SIZE, FINGERPRINT_VERSION, fingerprint
from graticule.images.image import Image
from graticule.images.intensity import PixelRange, pixel_range
from graticule.images.preprocess import Picture

FACTS_VERSION = f"{CUES_VERSION} {FINGERPRINT_VERSION}"


@dataclass(frozen=True)
class Facts:
    """What an image file is like.

    Attributes
    ----------
    file_format, compression : str
    channels : int
        1 or 3.
    values : PixelRange
        Kind and extremes of the values as stored.
    outside : tuple of two float
        Shares of the values below and above the window that is read, see `graticule.images.beyond.outside_window`.
    metadata : Metadata
        What the instrument wrote into the file.
    bar : Bar or None
        The info bar, cut off or not.
    notes : tuple of str
        What the reader decided, such as "first of 3 pages".
    cues : float32 array, shape (N_CUES,)
        Border, bar, marks and coarse colours, see `graticule.images.cues`.
    fingerprint : uint8 array, shape (FINGERPRINT_SIZE,)
        For near-duplicates, see `graticule.images.fingerprint`.
    """

    file_format: str
    compression: str
    channels: int
    values: PixelRange
    outside: Shares
    metadata: Metadata
    bar: Bar | None
    notes: tuple[str, ...]
    cues: NDArray[np.float32]
    fingerprint: NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """Compact form: the arrays, then JSON."""
        about: dict[str, Any] = {
            "file_format": self.file_format,
            "compression": self.compression,
            "channels": self.channels,
            "values": asdict(self.values),
            "outside": list(self.outside),
            "metadata": to_json(self.metadata),
            "bar": None if self.bar is None else asdict(self.bar),
            "notes": list(self.notes),
        }
        return self.fingerprint.tobytes() + self.cues.astype("<f4").tobytes() + json.dumps(about).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Undo `to_bytes`."""
        middle, end = FINGERPRINT_SIZE, FINGERPRINT_SIZE + 4 * N_CUES
        about = json.loads(raw[end:])
        return cls(
            file_format=about["file_format"],
            compression=about["compression"],
            channels=about["channels"],
            values=PixelRange(**about["values"]),
            outside=(about["outside"][0], about["outside"][1]),
            metadata=from_json(about["metadata"]),
            bar=None if about["bar"] is None else Bar(**about["bar"]),
            notes=tuple(about["notes"]),
            cues=np.frombuffer(raw, "<f4", N_CUES, middle),
            fingerprint=np.frombuffer(raw, np.uint8, FINGERPRINT_SIZE),
        )


def facts_of(image: Image, picture: Picture, outside: Shares) -> Facts:
    """Measure an image of which so much lies outside its window; about a millisecond."""
    bar = picture.bar
    return Facts(
        file_format=image.file_format,
        compression=image.compression,
        channels=1 if image.pixels.ndim == 2 else 3,
        values=pixel_range(image),
        outside=outside,
        metadata=image.metadata,
        bar=bar,
        notes=image.notes,
        cues=measure_cues(picture.whole, None if bar is None else (bar.top, bar.bottom), _marks(picture)),
        fingerprint=fingerprint(picture.shown),
    )


def _marks(picture: Picture) -> tuple[float, float] | None:
    """Shares that burnt-in marks cover; None for pictures in which they are not looked for."""
    if picture.marks is not None:
        return mark_shares(picture.marks)
    return mark_shares(find_marks(picture.whole)) if is_ultrasound(picture.whole) else None
