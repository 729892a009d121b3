"""What is learnt of an image: measured on its picture, kept in bytes without a loss."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from graticule.formats.instrument.metadata import Metadata
from graticule.images.beyond import outside_window
from graticule.images.burnt_in.infobar import Bar
from graticule.images.cues import N_CUES
from graticule.images.facts import Facts, facts_of
from graticule.images.fingerprint import FINGERPRINT_SIZE
from graticule.images.image import Image
from graticule.images.intensity import Intensity
from graticule.images.preprocess import Preprocessing, picture_of
from graticule.phantoms.infobar import Acquisition, bar_rows, stamp

PIXELS = np.random.default_rng(5).integers(0, 256, (40, 50), dtype=np.uint8)


def measured(image: Image, preprocessing: Preprocessing | None = None) -> Facts:
    reading = preprocessing or Preprocessing(size=16)
    return facts_of(image, picture_of(image, reading), outside_window(image, reading.intensity))


def same(one: Facts, other: Facts) -> bool:
    return all(np.array_equal(getattr(one, item.name), getattr(other, item.name)) for item in fields(Facts))


def test_they_come_back_from_their_bytes_as_they_were() -> None:
    metadata = Metadata(3.5, 500.0, 5.0, "Détecteur", "", "FEI", 40, ("odd",))
    image = replace(Image(PIXELS), metadata=metadata, notes=("first of 3 pages",), file_format="TIFF")
    found = measured(image)
    for facts in (found, replace(found, bar=Bar(0, 10, "metadata")), replace(found, outside=(0.1, 1 / 3))):
        again = Facts.from_bytes(facts.to_bytes())
        assert same(again, facts)
        assert (again.cues.shape, again.cues.dtype) == ((N_CUES,), "float32")
        assert (again.fingerprint.shape, again.fingerprint.dtype) == ((FINGERPRINT_SIZE,), "uint8")
    assert found.metadata == metadata
    assert (found.notes, found.file_format) == (("first of 3 pages",), "TIFF")


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_and_values_are_those_stored(channels: int) -> None:
    pixels = PIXELS.astype(np.uint16) * 16
    found = measured(Image(pixels if channels == 1 else np.stack([pixels, pixels[::-1], pixels], axis=2)))
    assert found.channels == channels
    assert (found.values.low, found.values.high) == (pixels.min(), pixels.max())


def test_the_share_beyond_the_window_that_is_read() -> None:
    pixels = np.full((40, 50), 100, np.uint16)
    pixels[:10] = 9000
    window = Preprocessing(size=16, intensity=Intensity(windows=(("16 bit", 0.0, 4095.0),)))
    assert measured(Image(pixels), window).outside == (0.0, 0.25)
    assert measured(Image(pixels)).outside == (0.0, 0.0)


@pytest.mark.parametrize("info_bar", ["crop", "keep"])
def test_an_info_bar_is_a_fact_whether_it_is_cut_off_or_not(info_bar: str) -> None:
    frame = stamp(np.tile(PIXELS, (20, 21))[:768, :1024].copy(), "thermo", Acquisition(5.0, 5.0, 5.0, 1))
    found = measured(Image(frame), Preprocessing(size=16, info_bar=info_bar)).bar
    assert found is not None
    assert (found.top, found.bottom) == bar_rows("thermo", 768)
