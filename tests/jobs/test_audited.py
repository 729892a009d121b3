"""What both audits tell of the images is the same for the same images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest import mock

from tests.jobs.drawn import Drawn, unrelated

from graticule.images.reading import Reading
from graticule.jobs.audited import about_images, look_at_images
from graticule.jobs.options import AuditOptions
from graticule.progress import Silent
from graticule.sources.sources import read_manifest


def test_images_are_looked_at_and_told_of(drawn: Drawn, table: Path) -> None:
    options = AuditOptions()
    with drawn.instead_of_pixels() as encoder:
        reading = Reading(encoder.preprocessing, "as stored", "drawn")
        with (
            mock.patch("graticule.jobs.audited.encoder_of", return_value=encoder),
            mock.patch("graticule.jobs.audited.settle", return_value=(encoder, reading)),
            mock.patch("graticule.jobs.audited.relate", unrelated),
        ):
            found = look_at_images(read_manifest(table), options, Silent())
    told = about_images(table, None, options, found, 0.0)
    assert told["n"] == len(found.samples.manifest) == 90
    assert told["command"].startswith("graticule audit ")
    assert told["intensity"].policy == "as stored"
    assert replace(found).instruments.instrument.shape == (90,)
