"""How the images of a data set are read: the user's options, settled once by a look at some of the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graticule.data.decode import ImageFile
from graticule.data.images import Image, read_image
from graticule.data.instrument import merged
from graticule.data.instrument_sidecar import sidecar_metadata
from graticule.data.intensity import POLICIES, choose_intensity, parse_window, pixel_range, reason
from graticule.data.preprocess import INFO_BARS, MARKS, Preprocessing
from graticule.data.selection import Selection
from graticule.errors import ImageError, OptionError

SCALES = ("squeeze", "physical")
_PEEKED = 2000
_DECODED = 64
_FITS = 0.95


@dataclass(frozen=True)
class ReadingOptions:
    """Options on reading images that several verbs share, as on the command line.

    Attributes
    ----------
    intensity : str
        "auto", "full", "percentile" (of the data set), "image" (percentiles of each image) or "LOW:HIGH".
    info_bar : "crop" or "keep"
    marks : "keep" or "mask"
        Text, calipers and borders burnt into ultrasound frames.
    scale : "squeeze" or "physical"
        The whole picture into the input, or all images at one pixel size.
    size_features : bool
        Whether width and height of the stored image join the features.
    z : str, optional
        Plane of a stack, a number from 0 or "max".
    channel : str, optional
        Channels, such as "0" or "2,1,0".
    page : int, optional
        Page of a file with several, from 0.
    """

    intensity: str = "auto"
    info_bar: str = "crop"
    marks: str = "keep"
    scale: str = "squeeze"
    size_features: bool = False
    z: str | None = None
    channel: str | None = None
    page: int | None = None

    def faults(self) -> list[str]:
        """What is wrong with the values."""
        faults = []
        try:
            if self.intensity not in POLICIES:
                parse_window(self.intensity)
        except OptionError as error:
            faults.append(str(error))
        for name, value, allowed in (
            ("info-bar", self.info_bar, INFO_BARS),
            ("marks", self.marks, MARKS),
            ("scale", self.scale, SCALES),
        ):
            if value not in allowed:
                faults.append(f"--{name} {value}: allowed are {', '.join(allowed)}")
        try:
            self.selection()
        except OptionError as error:
            faults.append(str(error))
        return faults

    def selection(self) -> Selection:
        """Plane, channels and page as numbers.

        Raises
        ------
        OptionError
        """
        z: int | str | None = self.z
        if self.z is not None and self.z != "max":
            if not self.z.isdecimal():
                raise OptionError(f"--z {self.z}: allowed are whole numbers from 0, or max")
            z = int(self.z)
        channel = None
        if self.channel is not None:
            numbers = [part.strip() for part in self.channel.split(",")]
            if len(numbers) not in (1, 3) or not all(number.isdecimal() for number in numbers):
                raise OptionError(
                    f"--channel {self.channel}: allowed are one or three numbers from 0, such as 0 or 2,1,0"
                )
            channel = tuple(int(number) for number in numbers)
        if self.page is not None and self.page < 0:
            raise OptionError(f"--page {self.page}: allowed are whole numbers from 0")
        return Selection(z=z, channel=channel, page=self.page)


@dataclass(frozen=True)
class Reading:
    """The options settled for one data set.

    Attributes
    ----------
    preprocessing : Preprocessing
    intensity_words : str
        What becomes of the values.
    intensity_why : str
        Who or what decided that: the user, or the values found.
    """

    preprocessing: Preprocessing
    intensity_words: str
    intensity_why: str

    def describe(self) -> dict[str, Any]:
        """For run.json and the report."""
        selection = {name: value for name, value in asdict(self.preprocessing.selection).items() if value is not None}
        return {
            "intensity": self.intensity_words,
            "intensity_why": self.intensity_why,
            "info_bar": self.preprocessing.info_bar,
            "marks": self.preprocessing.marks,
            "scale_nm": self.preprocessing.scale_nm,
            "selection": selection or None,
        }


def settle_reading(files: Sequence[ImageFile], size: int, options: ReadingOptions) -> Reading:
    """Settle intensity policy and scale by a look at up to 64 images, evenly spread; the same files, the same answer.

    JPEG and PNG files of 8 bits are recognised by their first bytes and not decoded.

    Parameters
    ----------
    files : sequence of ImageFile
        The images to train on, in an order that does not depend on the system.
    size : int
        Side of the network's input, pixels.
    options : ReadingOptions

    Raises
    ------
    OptionError
        With a physical scale, when no pixel size is known.
    """
    selection = options.selection()
    looked_at = _spread(files, _PEEKED)
    # 8-bit values are left alone unless their percentiles are asked for
    open_question = options.intensity == "percentile"
    deep = _spread([file for file in looked_at if open_question or not _is_plain(file.path)], _DECODED)
    ranges = [pixel_range(image) for _, image in _read(deep, selection)]
    intensity, words = choose_intensity(options.intensity, ranges)
    scale_nm = None
    if options.scale == "physical":
        scale_nm = _scale(_read(_spread(files, _DECODED), selection), size)
    preprocessing = Preprocessing(
        size=size,
        intensity=intensity,
        info_bar=options.info_bar,
        marks=options.marks,
        scale_nm=scale_nm,
        selection=selection,
    )
    return Reading(preprocessing, words, reason(options.intensity, intensity))


def _spread(files: Sequence[ImageFile], most: int) -> list[ImageFile]:
    if len(files) <= most:
        return list(files)
    return [files[i] for i in np.linspace(0, len(files) - 1, most).astype(int)]


def _is_plain(file: Path) -> bool:
    """Whether the first bytes say 8 bits: JPEG, or PNG of up to 8 bits."""
    try:
        if not file.is_file():  # a pipe would never end
            return True
        with file.open("rb") as stream:
            head = stream.read(25)
    except OSError:
        return True  # told when it is read
    return head.startswith(b"\xff\xd8\xff") or (head.startswith(b"\x89PNG\r\n\x1a\n") and head[24:25] != b"\x10")


def _read(files: Sequence[ImageFile], selection: Selection) -> list[tuple[ImageFile, Image]]:
    found = []
    for file in files:
        try:
            found.append((file, read_image(file.path, selection)))
        except ImageError:
            continue  # told when it is read for good
    return found


def _scale(read: Sequence[tuple[ImageFile, Image]], size: int) -> float:
    """Nanometres per input pixel at which 95 % of the images fit into the input."""
    lengths = []
    for file, image in read:
        beside = sidecar_metadata(file.path, (image.height, image.width))
        known = image.metadata if beside is None else merged(image.metadata, beside)
        pixel_size = file.pixel_size_nm or known.pixel_size_nm
        if pixel_size is not None:
            lengths.append(pixel_size * max(image.width, image.height))
    if not lengths:
        raise OptionError(
            f"--scale physical: none of {len(read)} images looked at has a pixel size. Add a column pixel_size_nm to "
            "the table, or leave the option out"
        )
    return float(np.quantile(lengths, _FITS)) / size
