"""Which plane, channels and page of a file that holds several are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from graticule.errors import OptionError


@dataclass(frozen=True)
class Selection:
    """The part of a file that is read; everything counts from 0.

    Attributes
    ----------
    z : int, "max" or None
        Plane of a stack, from 0 to the number of planes less 1, or "max" for the brightest value over all planes
        (maximum intensity projection). Without a page, the pages of a TIFF that say nothing of dimensions count as
        planes. None: the file may hold one plane only.
    channel : tuple of 1 or 3 int, or None
        One channel gives a grey image, three give red, green and blue in the order given. Each from 0 to the number
        of channels less 1. None: the file may hold grey or RGB only.
    page : int or None
        Whatever is left: the page of a TIFF whose pages say nothing of dimensions, the image of a file with several,
        the level of a pyramid (0 is the finest), the time point. From 0. None: the first page of a plain TIFF; a file
        that declares time points, images or levels is refused.

    Raises
    ------
    OptionError
        When a value is out of its range.
    """

    z: int | str | None = None
    channel: tuple[int, ...] | None = None
    page: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.z, str) and self.z != "max":
            raise OptionError(f'--z {self.z} is not known; allowed: a plane from 0, or "max"')
        if isinstance(self.z, int) and self.z < 0:
            raise OptionError(f"--z {self.z} is below 0; planes count from 0")
        if self.page is not None and self.page < 0:
            raise OptionError(f"--page {self.page} is below 0; pages count from 0")
        if self.channel is not None and (len(self.channel) not in (1, 3) or min(self.channel) < 0):
            listed = ",".join(map(str, self.channel))
            raise OptionError(
                f"--channel {listed or '(none)'}: allowed are one channel (grey) or three (red, green, blue)"
            )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The selection in a document; its values must be of the types that a command line gives.

        Raises
        ------
        KeyError, TypeError
            When an entry is missing, unknown or of another type.
        OptionError
        """
        z, channel, page = content["z"], content["channel"], content["page"]
        whole = [value for value in (z, page, *(channel or ())) if value not in (None, "max")]
        if any(type(value) is not int for value in whole) or page == "max" or "max" in (channel or ()):
            raise TypeError(f"planes, channels and pages are whole numbers, found {whole}")
        return cls(**(dict(content) | {"channel": None if channel is None else tuple(channel)}))


EVERYTHING = Selection()


def selection_of(record: Mapping[str, Any]) -> Selection:
    """Which plane, channels and page a run read, as its run.json tells."""
    reading = (record.get("embedding") or {}).get("reading") or {}
    chosen = dict(reading.get("selection") or {})
    if chosen.get("channel") is not None:
        chosen["channel"] = tuple(chosen["channel"])
    return Selection(**chosen)
