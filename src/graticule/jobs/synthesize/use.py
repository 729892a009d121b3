"""The step of `graticule synthesize` that tries whether a classifier gains by generated images."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from graticule.arrays import Float32Array, Pixels
from graticule.images.preprocess import fit
from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.synthesize.judge import Judged
from graticule.jobs.synthesize.material import Material, laid_out
from graticule.networks.session import Network
from graticule.split.duplicates.symmetry import SYMMETRIES
from graticule.synthesis.canvas import cut_out
from graticule.synthesis.generator.linear import turned_canvases
from graticule.synthesis.use.arms import UseData
from graticule.synthesis.use.fits import FEATURES, PIXELS
from graticule.synthesis.use.trial import try_use
from graticule.workers.pool import available_cores


def with_use(judged: Judged, material: Material, options: SynthesizeOptions) -> Judged:
    """The judgement with what the use test found of the rare classes; images that are copies take no part.

    Parameters
    ----------
    judged : Judged
    material : Material
    options : SynthesizeOptions
    """
    turned = options.turned == "yes"
    pixels = options.use == "pixels"
    data = _use_data(judged, material, pixels=pixels, turned=turned, workers=options.workers)
    found = try_use(data, PIXELS if pixels else FEATURES, turned=turned, seed=options.seed)
    rare = {material.classes[k] for k in material.rare}
    told = found.describe()
    return replace(
        judged,
        classes=[(replace(one, use=told) if one.label in rare else one, rows) for one, rows in judged.classes],
    )


def _use_data(judged: Judged, material: Material, *, pixels: bool, turned: bool, workers: int | None) -> UseData:
    manifest = judged.made.manifest
    fine = np.ones(len(manifest), bool)
    for one, rows in judged.classes:
        if one.flagged is not None:
            fine[rows[one.flagged]] = False
    generator = manifest.columns["generator"]
    classes = np.array([material.classes.index(label) for label in manifest.label], np.int64)
    if pixels:
        views = turned_canvases(material.canvases) if turned else material.canvases[None]
        views = views.reshape(*views.shape[:2], -1)
        shown, _, _ = laid_out(manifest, material.encoder.preprocessing, material.canvases.shape[1], workers)
        entered = shown.reshape(len(shown), -1)
    else:
        views = turned_features(material) if turned else material.samples.whole_features[None]
        entered = judged.made.whole_features
    made = []
    for fold in range(int(material.fold.max()) + 1):
        own = fine & np.asarray(generator == f"fold-{fold + 1}", bool)
        made.append((entered[own], classes[own]))
    # images of a held-out part neither train nor judge here
    own = material.fold >= 0
    return UseData(views[:, own], material.y[own], material.fold[own], material.apart[own], made, tuple(material.rare))


def turned_features(material: Material) -> Float32Array:
    """Features of the real images, and of their seven other symmetries, shape (8, n, d)."""
    network = Network(material.encoder.model, material.encoder.output, material.encoder.device)
    preprocessing, batch = material.encoder.preprocessing, material.encoder.device.batch
    pixels = np.stack([fit(picture_of_canvas(material, row), preprocessing) for row in range(len(material.y))])

    def one(task: tuple[int, int]) -> Float32Array:
        symmetry, start = task
        part = pixels[start : start + batch]
        mirrored = part[:, :, ::-1] if symmetry >= SYMMETRIES // 2 else part
        return network(np.ascontiguousarray(np.rot90(mirrored, symmetry % 4, axes=(1, 2))))[:, material.samples.whole]

    starts = range(0, len(pixels), batch)
    with ThreadPoolExecutor(available_cores()) as threads:
        found = list(threads.map(one, [(symmetry, start) for symmetry in range(1, SYMMETRIES) for start in starts]))
    others = np.concatenate(found).reshape(SYMMETRIES - 1, len(pixels), -1)
    return np.concatenate([material.samples.whole_features[None], others])


def picture_of_canvas(material: Material, row: int) -> Pixels:
    """A real picture, cut out of its canvas."""
    return cut_out(material.canvases[row], int(material.heights[row]), int(material.widths[row]))
