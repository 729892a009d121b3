"""How the images of a data set are read: the user's options, settled once by a look at the images."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from graticule.errors import OptionError
from graticule.formats.depth import told_depth
from graticule.formats.format import EIGHT_BITS
from graticule.formats.instrument.metadata import merged
from graticule.formats.instrument.sidecar import sidecar_metadata
from graticule.formats.selection import Selection
from graticule.images.decode import ImageFile
from graticule.images.image import read_image
from graticule.images.intensity import (
    EIGHT,
    Intensity,
    PixelRange,
    choose_intensity,
    holds_every_value,
    pixel_range,
    reason,
)
from graticule.images.options import ReadingOptions
from graticule.images.preprocess import Preprocessing
from graticule.manifest import escape_path
from graticule.workers.pool import in_workers

Progress = Callable[[int, int], None]
_SAMPLED = 64
_FITS = 0.95
_FEW_LEVELS = 32  # of 256
_FAR_BRIGHTER = 2.0


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
    notes : tuple of str
        What the range costs, where it costs much.
    """

    preprocessing: Preprocessing
    intensity_words: str
    intensity_why: str
    notes: tuple[str, ...] = ()

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


@dataclass(frozen=True)
class Look:
    """What settling keeps of an image.

    Attributes
    ----------
    values : PixelRange
    length_nm : float or None
        Its longer side on the specimen; None where its pixel size is not known.
    """

    values: PixelRange
    length_nm: float | None


def look_at(file: ImageFile, selection: Selection) -> Look | None:
    """Decode an image and keep a few numbers of it, so that no number of large images fills the memory.

    Raises
    ------
    ImageError
    """
    image = read_image(file.path, selection)
    beside = sidecar_metadata(file.path, (image.height, image.width))
    known = image.metadata if beside is None else merged(image.metadata, beside)
    size = file.pixel_size_nm or known.pixel_size_nm
    return Look(pixel_range(image), None if size is None else size * max(image.width, image.height))


def settle_reading(
    files: Sequence[ImageFile],
    size: int,
    options: ReadingOptions,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Reading:
    """Settle intensity policy and scale by a look at the images; the same files, the same answer.

    Windows hold every image: where a value could lie outside, all images of that kind are looked at. Files whose
    headers say 8 bits are not, unless their percentiles are asked for.

    Parameters
    ----------
    files : sequence of ImageFile
        The images to train on, in an order that does not depend on the system.
    size : int
        Side of the network's input, pixels.
    options : ReadingOptions
    workers : int, optional
        Processes that decode, default one per core.
    progress : callable, optional
        Called with (images looked at, images to look at), anew for a sample and for the rest.

    Raises
    ------
    OptionError
        With a physical scale, when no pixel size is known.
    """
    selection = options.selection()

    def look(some: Sequence[ImageFile]) -> list[Look | None]:
        return _look(some, selection, workers, progress)

    intensity, words, notes = _window(files, options.intensity, look)
    preprocessing = Preprocessing(
        size=size,
        intensity=intensity,
        info_bar=options.info_bar,
        marks=options.marks,
        scale_nm=_scale(look(_spread(files, _SAMPLED)), size) if options.scale == "physical" else None,
        selection=selection,
    )
    return Reading(preprocessing, words, reason(options.intensity, intensity), notes)


def _window(
    files: Sequence[ImageFile], request: str, look: Callable[[Sequence[ImageFile]], list[Look | None]]
) -> tuple[Intensity, str, tuple[str, ...]]:
    """The intensity policy that holds all files, its words, and what it costs.

    Of files with one told depth a sample is looked at first. If it shows that no value of that depth can lie outside
    the window, the others need no look.
    """
    if request not in ("auto", "percentile"):
        return (*choose_intensity(request, []), ())
    alike: dict[str, list[ImageFile]] = {}
    for file in files:
        # 8-bit values are left alone unless their percentiles are asked for
        depth = "" if request == "percentile" else told_depth(file.path)
        if depth != EIGHT_BITS:
            alike.setdefault(depth, []).append(file)
    samples = {depth: _spread(own, _SAMPLED) if depth else [] for depth, own in alike.items()}
    seen = _with_values([file for own in samples.values() for file in own], look)
    sampled = {file for own in samples.values() for file in own}
    intensity, words = choose_intensity(request, [values for _, values in seen])
    kinds = {file: values.kind for file, values in seen}
    rest, unseen = [], 0
    for depth, own in alike.items():
        found = {kinds[file] for file in samples[depth] if file in kinds}
        others = [file for file in own if file not in sampled]
        if not found or not all(holds_every_value(intensity, kind) for kind in found):
            rest += others
        elif found != {EIGHT}:
            unseen += len(others)
    if rest or unseen:
        seen += _with_values(rest, look)
        intensity, words = choose_intensity(request, [values for _, values in seen], unseen)
    return intensity, words, _costs(intensity, seen)


def _with_values(
    files: Sequence[ImageFile], look: Callable[[Sequence[ImageFile]], list[Look | None]]
) -> list[tuple[ImageFile, PixelRange]]:
    return [(file, found.values) for file, found in zip(files, look(files), strict=True) if found is not None]


def _costs(intensity: Intensity, seen: Sequence[tuple[ImageFile, PixelRange]]) -> tuple[str, ...]:
    """A note where a window that holds the brightest images leaves most of them few grey levels."""
    notes = []
    for kind, low, high in intensity.windows:
        own = [(file, values) for file, values in seen if values.kind == kind]
        used = [255 * (values.percentile_high - values.percentile_low) / (high - low) for _, values in own]
        tops = [values.percentile_high - low for _, values in own]
        if not own or np.median(used) >= _FEW_LEVELS or max(tops) < _FAR_BRIGHTER * float(np.median(tops)):
            continue
        limit = _FAR_BRIGHTER * float(np.median(tops))
        far = sorted(file.path for (file, _), top in zip(own, tops, strict=True) if top >= limit)
        example = escape_path("/".join(far[0].parts[-2:]))
        notes.append(
            f"the window of {kind} images, {low:g} to {high:g}, holds {len(far):,} of {len(own):,} that are at least "
            f"{_FAR_BRIGHTER:g} times as bright as most (such as {example}), and leaves half of the images "
            f"{max(1, round(float(np.median(used))))} of 256 grey levels or fewer. Were they taken in another way? "
            "Then take them out, or choose --intensity image or LOW:HIGH"
        )
    return tuple(notes)


def _spread(files: Sequence[ImageFile], most: int) -> list[ImageFile]:
    if len(files) <= most:
        return list(files)
    return [files[i] for i in np.linspace(0, len(files) - 1, most).astype(int)]


def _look(
    files: Sequence[ImageFile], selection: Selection, workers: int | None, progress: Progress | None
) -> list[Look | None]:
    """A look at each file, in a worker; None for one that cannot be read, which is told when it is read for good."""
    found: list[Look | None] = []
    for look in in_workers(partial(look_at, selection=selection), files, _nothing, workers=workers):
        found.append(look)
        if progress is not None:
            progress(len(found), len(files))
    return found


def _nothing(cause: str) -> Look | None:
    """What stands for a file that cannot be looked at."""
    return None


def _scale(looks: Sequence[Look | None], size: int) -> float:
    """Nanometres per input pixel at which 95 % of the images fit into the input."""
    lengths = [look.length_nm for look in looks if look is not None and look.length_nm is not None]
    if not lengths:
        raise OptionError(
            f"--scale physical: none of {len(looks)} images looked at has a pixel size. Add a column pixel_size_nm to "
            "the table, or leave the option out"
        )
    return float(np.quantile(lengths, _FITS)) / size
