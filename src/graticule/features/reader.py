"""Settling how the images of a data set are read, as `train`, `audit` and `embed` do it, and what training left out."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from graticule.features.samples import Samples, image_files
from graticule.images.beyond import largest
from graticule.images.intensity import Intensity
from graticule.images.options import ReadingOptions
from graticule.images.reading import Reading, settle_reading
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.progress import Reporter


def settle(
    manifest: Manifest, encoder: Encoder, options: ReadingOptions, *, workers: int | None, reporter: Reporter
) -> tuple[Encoder, Reading]:
    """The encoder with the reading that holds all images of a manifest.

    Parameters
    ----------
    manifest : Manifest
        In the order of its paths.
    encoder : Encoder
    options : ReadingOptions
    workers : int, optional
        Decoding processes.
    reporter : Reporter
        Told of the images that are looked at; nothing where none needs a look.
    """

    def progress(done: int, total: int) -> None:
        if done == 1:
            reporter.begin("looking at pixel values", total)
        reporter.advance(done)

    reading = settle_reading(
        image_files(manifest), encoder.preprocessing.size, options, workers=workers, progress=progress
    )
    return encoder.reading(reading.preprocessing, sizes=options.size_features), reading


def as_trained(samples: Samples, training: NDArray[np.bool_], intensity: Intensity) -> Intensity:
    """The intensity policy with the largest shares of values outside its window among the images trained on.

    Parameters
    ----------
    samples : Samples
        n readable samples.
    training : bool array, shape (n,)
    intensity : Intensity
    """
    if not intensity.windows:
        return intensity
    outside = [item.outside for item, own in zip(samples.info, training, strict=True) if own]
    return replace(intensity, outside=largest(outside))
