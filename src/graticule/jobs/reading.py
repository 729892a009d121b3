"""Settling how the images of a data set are read, as `train`, `audit` and `embed` do it."""

from __future__ import annotations

from graticule.data.reading import Reading, ReadingOptions, settle_reading
from graticule.jobs.samples import Reporter, image_files
from graticule.manifest import Manifest
from graticule.models.encoder import Encoder


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
