"""What generators learn from: the real images on one canvas, their classes, folds and copies; faults of the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from graticule.arrays import Float32Array, IntArray, class_codes, numbered
from graticule.errors import FoldError, ManifestError, OptionError
from graticule.features.samples import Samples, embed_samples, image_files
from graticule.images.decode import ImageFile
from graticule.images.image import read_image
from graticule.images.preprocess import Preprocessing, picture_of
from graticule.jobs.options import SynthesizeOptions
from graticule.manifest import Manifest, escape_path
from graticule.networks.encoder import Encoder
from graticule.options import number_of
from graticule.progress import Reporter
from graticule.split.division import divide_samples
from graticule.split.options import SplitOptions
from graticule.synthesis.canvas import canvas_side, to_canvas
from graticule.workers.pool import in_workers

# images of a rare class below which there is nothing to learn from
LEAST = 20
# a canvas may shrink the images of a rare class by this factor; what is lost gives generated images away
_LARGEST = 2.0


@dataclass(frozen=True)
class Material:
    """Readable real images.

    Attributes
    ----------
    samples : Samples
    canvases : float32 array, shape (n, side, side) or (n, side, side, 3)
        Colour where any image has it.
    heights, widths : int arrays, shape (n,)
        Of each picture on the canvas, pixels.
    y, fold, unit, apart : int arrays, shape (n,)
        Class, the fold it is judged in, copies of each other, and what the folds keep together.
    classes : tuple of str
    rare : list of int
        Classes that were asked for.
    by_group : bool
    encoder : Encoder
        Of the features of `samples`.
    """

    samples: Samples
    canvases: Float32Array
    heights: IntArray
    widths: IntArray
    y: IntArray
    fold: IntArray
    unit: IntArray
    apart: IntArray
    classes: tuple[str, ...]
    rare: list[int]
    by_group: bool
    encoder: Encoder


def check_classes(real: Manifest, options: SynthesizeOptions) -> list[str]:
    """The rare classes by name.

    Raises
    ------
    OptionError
        When there is none, or one that the data have not.
    ManifestError
        When a class has too few images.
    """
    wanted = list(dict.fromkeys(options.class_names()))
    unknown = [name for name in wanted if name not in real.classes]
    if not wanted or unknown:
        found = f"{', '.join(map(repr, unknown))} is none of the data" if unknown else "none was given"
        raise OptionError(
            f"--classes: {found}; allowed are {', '.join(map(repr, real.classes))}, with commas between. A name that "
            "holds a comma stands in double quotes"
        )
    counts = {name: int((real.label == name).sum()) for name in wanted}
    few = {name: n for name, n in counts.items() if n < LEAST}
    if few:
        raise ManifestError(
            f"{', '.join(f'{name!r} has {n}' for name, n in few.items())} images; a generator needs {LEAST} of a class "
            "or more, and learns little from fewer than 40. Label more of them: that helps more than any generator"
        )
    return wanted


def gather(real: Manifest, encoder: Encoder, options: SynthesizeOptions, reporter: Reporter) -> Material:
    """Read, embed, divide and lay out the real images.

    Raises
    ------
    GraticuleError
        When images cannot be read, are much larger than the canvas or of another depth than 8 bits, or no folds can
        be made.
    """
    samples = embed_samples(real, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter)
    manifest = samples.manifest
    deep = [item.mode for item in samples.info if "8 bit" not in item.mode]
    if deep:
        raise ManifestError(
            f"{len(deep):,} of {len(manifest):,} images are not of 8 bits ({deep[0]}): generated ones would be, and "
            "their depth alone would give them away. Convert the images to 8 bits first, all in the same way"
        )
    wanted = [manifest.classes.index(name) for name in check_classes(manifest, options)]
    fold, unit, apart, by_group = _divided(samples, encoder, options, reporter)
    y = class_codes(manifest.label, manifest.classes)
    longer = np.array([max(item.width, item.height) for item in samples.info])
    side = number_of(options.size) or canvas_side(longer)
    for k in wanted:
        if np.median(longer[y == k]) > _LARGEST * side:
            raise OptionError(
                f"images of {manifest.classes[k]!r} are {int(np.median(longer[y == k]))} px, more than twice the "
                f"canvas of {side} px: what is lost by shrinking gives every generated image away. Cut single objects "
                "out of the images, or take a larger --size"
            )
    canvases, heights, widths = laid_out(manifest, encoder.preprocessing, side, options.workers)
    return Material(
        samples, canvases, heights, widths, y, fold, unit, apart, manifest.classes, wanted, by_group, encoder
    )


def _divided(
    samples: Samples, encoder: Encoder, options: SynthesizeOptions, reporter: Reporter
) -> tuple[IntArray, IntArray, IntArray, bool]:
    """Fold, copies and units of each image, and whether folds follow groups; fewer folds where groups are fewer."""
    group = samples.manifest.group
    n_groups = 0 if group is None else len(set(group.tolist()))
    if n_groups == 1:
        raise FoldError(
            "all images are of one group, so that no generator could leave a group out. Name groups that differ (runs, "
            "days, specimens) with --group COLUMN, or --group none where images are independent"
        )
    folds = min(options.folds, n_groups) if n_groups else options.folds
    split = SplitOptions(folds=folds, seed=options.seed)
    division = divide_samples(samples, encoder.preprocessing, split, reporter)
    alone = np.arange(len(samples.manifest))
    unit = division.copies if division.copies is not None else alone if group is not None else division.folds.component
    return division.folds.fold, numbered(unit), division.folds.component, group is not None


def picture_on_canvas(file: ImageFile, preprocessing: Preprocessing, side: int) -> tuple[Float32Array, int, int] | str:
    """The canvas of an image, as the network reads it, and the picture's height and width on it."""
    shown = picture_of(read_image(file.path, preprocessing.selection), preprocessing).shown
    factor = min(1.0, side / max(shown.shape[:2]))
    height, width = (max(1, round(edge * factor)) for edge in shown.shape[:2])
    return to_canvas(shown, side), height, width


def _lost(cause: str) -> tuple[Float32Array, int, int] | str:
    return cause


def laid_out(
    manifest: Manifest, preprocessing: Preprocessing, side: int, workers: int | None
) -> tuple[Float32Array, IntArray, IntArray]:
    """Canvases, heights and widths."""
    work = partial(picture_on_canvas, preprocessing=preprocessing, side=side)
    found: list[tuple[Float32Array, int, int]] = []
    for path, one in zip(manifest.path, in_workers(work, image_files(manifest), _lost, workers=workers), strict=True):
        if isinstance(one, str):
            raise ManifestError(f"{escape_path(path)} could be read at first and cannot be read any more: {one}")
        found.append(one)
    colour = any(canvas.ndim == 3 for canvas, _, _ in found)
    canvases = [
        np.repeat(canvas[:, :, None], 3, axis=2) if colour and canvas.ndim == 2 else canvas for canvas, _, _ in found
    ]
    return np.stack(canvases), np.array([h for _, h, _ in found]), np.array([w for _, _, w in found])


def drawn_rows(material: Material, rows: Sequence[int] | IntArray, most: int, seed: int) -> IntArray:
    """At most so many rows to learn from: all of the rare classes, the others drawn."""
    chosen = np.asarray(rows)
    rare = np.isin(material.y[chosen], material.rare)
    common = np.random.default_rng(seed).permutation(chosen[~rare])[: max(0, most - int(rare.sum()))]
    return np.sort(np.concatenate([chosen[rare], common]))
