"""Steps of `graticule synthesize` that judge generated images: read alike, on one canvas, held against real ones."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from graticule.arrays import BoolArray, Float32Array, IntArray, class_codes, numbered, object_array
from graticule.errors import ManifestError
from graticule.features.reader import settle
from graticule.features.samples import Samples, embed_samples, image_files, sorted_by_path
from graticule.heads.input_search import sized
from graticule.heads.input_size import candidate_sizes
from graticule.images.decode import ImageFile
from graticule.images.image import read_image
from graticule.images.preprocess import Preprocessing, picture_of
from graticule.images.sides import longer_sides
from graticule.jobs.options import SynthesizeOptions
from graticule.manifest import Manifest, escape_path
from graticule.networks.catalogue import encoder_of
from graticule.networks.device_choice import on_device
from graticule.networks.encoder import Encoder
from graticule.networks.options import DEFAULT_BACKBONE
from graticule.progress import Reporter
from graticule.report.synthesis.content import Sheet
from graticule.sources.sources import read_manifest
from graticule.split.components import components
from graticule.split.kinship import relate
from graticule.split.training_only import is_synthetic
from graticule.synthesis.canvas import canvas_side, centred_canvas
from graticule.synthesis.distance import comparable
from graticule.synthesis.judging import Pictures, RealOrigin, judge_generated
from graticule.synthesis.verdict import ClassJudgement
from graticule.workers.pool import in_workers

# smaller inputs of the network tell shapes apart too coarsely for a judgement
_LEAST_INPUT = 96


@dataclass(frozen=True)
class Judged:
    """What was found, and what the page shows.

    Attributes
    ----------
    classes : list of (ClassJudgement, int array)
        With the places of the class's images in `made`.
    real, made : Samples
        Those that could be read.
    seen : bool array, shape (number of generators, number of real images)
    side : int
        Of the canvas, pixels.
    input_size : int
        Of the network, pixels.
    """

    classes: list[tuple[ClassJudgement, IntArray]]
    real: Samples
    made: Samples
    seen: BoolArray
    side: int
    input_size: int


def real_images(data: Path, held_out: Path | None, options: SynthesizeOptions) -> Manifest:
    """The labelled real images of a data set and, behind them, others that no generator saw (column `seen` empty).

    Raises
    ------
    ManifestError
        When there are none, or a class of the others is none of the data.
    """
    found = [_labelled_real(source, options) for source in (data, held_out) if source is not None]
    if len(found) == 1:
        return replace(found[0], columns=found[0].columns | {"seen": object_array(["yes"] * len(found[0]))})
    known, more = found
    strange = sorted(set(more.classes) - set(known.classes))
    if strange:
        raise ManifestError(
            f"--held-out {held_out} holds classes that {data} has not: {', '.join(map(repr, strange[:10]))}; "
            f"allowed are {', '.join(map(repr, known.classes[:20]))}"
        )
    root = Path(os.path.commonpath([one.root for one in found]))
    names = {"group"} & set(known.columns) & set(more.columns)
    return Manifest(
        root,
        object_array([(one.root / path).relative_to(root).as_posix() for one in found for path in one.path]),
        object_array([label for one in found for label in one.label]),
        {name: object_array([cell for one in found for cell in one.columns[name]]) for name in names}
        | {"seen": object_array(["yes"] * len(known) + [""] * len(more))},
        known.warnings + more.warnings,
    )


def _labelled_real(source: Path, options: SynthesizeOptions) -> Manifest:
    everything = read_manifest(source, root=options.root, group=options.group)
    kept = everything.take(everything.labelled & ~is_synthetic(everything))
    if not len(kept):
        raise ManifestError(
            f"{source} holds no labelled real image; generated images are held against the real ones of their class"
        )
    return kept


def generated_images(images: Path, real: Manifest) -> Manifest:
    """The labelled images to judge; ManifestError where there are none or their class is none of the real ones."""
    made = read_manifest(images, group=None)
    kept = made.take(made.labelled & is_synthetic(made)) if is_synthetic(made).any() else made.take(made.labelled)
    strange = sorted(set(kept.classes) - set(real.classes))
    if strange or not len(kept):
        found = f"of classes without real images: {', '.join(map(repr, strange[:10]))}" if strange else "none labelled"
        raise ManifestError(
            f"--check {images} holds images {found}; allowed are folders named "
            f"{', '.join(map(repr, real.classes[:20]))}, or a table with the columns path and label"
        )
    return replace(kept, columns=kept.columns | {"origin": object_array(["synthetic"] * len(kept))})


def judging_encoder(real: Manifest, options: SynthesizeOptions, reporter: Reporter) -> Encoder:
    """The network that looks at real and generated images, with the reading of the real ones."""
    sides = longer_sides(image_files(real), options.selection(), workers=options.workers)
    encoder = encoder_of(DEFAULT_BACKBONE, views=1)
    size = next(s for s in candidate_sizes(sides, encoder.preprocessing.size) if s >= _LEAST_INPUT)
    encoder = sized(encoder, size, 1)
    encoder, _ = settle(sorted_by_path(real), encoder, options, workers=options.workers, reporter=reporter)
    return on_device(encoder, options.device, options.batch_size)


def judge_images(
    real: Manifest,
    made: Manifest,
    seen: Mapping[str, frozenset[str]] | None,
    options: SynthesizeOptions,
    reporter: Reporter,
) -> Judged:
    """Judge generated images against the real ones of their classes.

    Parameters
    ----------
    real, made : Manifest
        `made` names a generator of `seen` in its column generator, unless `seen` is None.
    seen : mapping of a generator's name to hashes of image files, or None
        The real images that it saw; None: one generator saw all of `real`.
    options : SynthesizeOptions
    reporter : Reporter

    Raises
    ------
    ManifestError
        When no image can be read, or a generator saw none of these real images.
    """
    encoder = judging_encoder(real, options, reporter)
    each = [
        embed_samples(one, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter)
        for one in (real, made)
    ]
    known, generated = each
    copies = relate(known, encoder.preprocessing, reporter).near
    reporter.step("comparing images")
    classes = known.manifest.classes
    side = canvas_side([max(item.width, item.height) for item in known.info])
    names = sorted(seen) if seen else [""]
    shown = _seen(known.manifest, seen, names)
    group = known.manifest.group
    codes = np.zeros(len(known.manifest), np.int64) if group is None else numbered(group.astype(str))
    # read by the same processes, whose start is the larger part of the work
    grey = _grey([one.manifest for one in each], encoder.preprocessing, side, options.workers)
    parts = np.split(grey, [len(known.manifest)])
    pictures = [
        Pictures(part, one.features, class_codes(one.manifest.label, classes))
        for part, one in zip(parts, each, strict=True)
    ]
    several = group is not None and len(np.unique(codes)) > 2
    origin = RealOrigin(
        unit=copies,
        apart=components(len(codes), group if several else None, copies),
        group=codes,
        generator=_generators(generated.manifest, names),
        seen=shown,
    )
    judged = judge_generated(pictures[0], pictures[1], origin, classes, seed=options.seed)
    return Judged(judged, known, generated, shown, side, encoder.preprocessing.size)


def _seen(real: Manifest, seen: Mapping[str, frozenset[str]] | None, names: Sequence[str]) -> BoolArray:
    """The real images that each generator saw, shape (number of generators, m)."""
    usable = real.columns["seen"] == "yes"
    if seen is None:
        return np.asarray(usable, bool)[None]
    hashes = real.columns["sha256"].tolist()
    rows = np.array([[sha in seen[name] for sha in hashes] for name in names], bool).reshape(len(names), len(hashes))
    blind = [name for name, row in zip(names, rows, strict=True) if not row.any()]
    if blind:
        raise ManifestError(
            f"the generator {blind[0]!r} saw none of the real images, by the table of parents; --trained-on takes the "
            "images that it was trained on, as they were then: a file that was written anew is another one"
        )
    return rows


def _generators(made: Manifest, names: Sequence[str]) -> IntArray:
    """The place of each image's generator among the names."""
    if list(names) == [""]:
        return np.zeros(len(made), np.int64)
    return class_codes(made.columns["generator"], names)


def canvas_of_file(file: ImageFile, preprocessing: Preprocessing, side: int) -> Float32Array | str:
    """Brightness of an image on the canvas, as the network reads it, shape (side, side)."""
    image = read_image(file.path, preprocessing.selection)
    return centred_canvas(picture_of(image, preprocessing).shown, side)


def _grey(manifests: Sequence[Manifest], preprocessing: Preprocessing, side: int, workers: int | None) -> Float32Array:
    """What is compared of the images of some manifests, one after the other, shape (n, side, side)."""
    work = partial(canvas_of_file, preprocessing=preprocessing, side=side)
    found: list[Float32Array] = []
    files = [file for manifest in manifests for file in image_files(manifest)]
    for file, canvas in zip(files, in_workers(work, files, _unread, workers=workers), strict=True):
        if isinstance(canvas, str):
            raise ManifestError(
                f"{escape_path(str(file.path))} could be read at first and cannot be read any more: {canvas}"
            )
        found.append(canvas)
    return comparable(np.stack(found))


def _unread(cause: str) -> Float32Array | str:
    return cause


# generated images per class on the page
_SHOWN = 12


def sheets_of(judged: Judged) -> list[Sheet]:
    """What the page shows of each class: the images most like a copy first, then some spread over the rest."""
    real_files, made_files = judged.real.manifest.files(), judged.made.manifest.files()
    seen = np.asarray(judged.seen.any(0), bool)
    out = []
    for found, rows in judged.classes:
        own = np.flatnonzero(judged.real.manifest.label == found.label)
        ratio = np.ones(len(rows)) if found.each is None else found.each.ratio
        order = np.argsort(ratio, kind="stable")
        places = np.concatenate([order[: _SHOWN // 2], _spread(order[_SHOWN // 2 :], _SHOWN // 2)])
        shown = [
            (
                made_files[rows[i]],
                None if found.each is None else real_files[own[found.each.parent[i]]],
                float(ratio[i]),
                found.each is not None and bool(found.each.flagged[i]),
            )
            for i in places
        ]
        out.append(
            Sheet(
                found.label,
                shown,
                [real_files[i] for i in _spread(own[seen[own]])],
                [real_files[i] for i in _spread(own[~seen[own]])],
            )
        )
    return out


def _spread(rows: IntArray, most: int = _SHOWN) -> IntArray:
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int))] if len(rows) else rows
