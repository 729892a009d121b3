"""Pictures of nanowires: reproducible, grouped by specimen, and what is drawn agrees with what is said of it."""

from functools import cache

import numpy as np

from graticule.phantoms.nanowires import NanowirePicture, render_nanowires


@cache
def shot(index: int, seed: int = 0) -> NanowirePicture:
    return render_nanowires(index, 6, seed)


def test_pictures_are_grey_with_the_number_of_the_wire_at_every_pixel() -> None:
    for index in range(0, 24, 6):
        made = shot(index)
        assert made.image.dtype == np.uint8
        assert made.image.shape == made.wire.shape
        assert all(256 <= side <= 384 for side in made.image.shape)
        assert made.wire.min() >= 0
        assert made.wire.max() <= made.laid.aligned.size
        assert made.image.std() > 8


def test_wires_are_brighter_than_the_substrate() -> None:
    brighter = [made.image[made.wire > 0].mean() - made.image[made.wire == 0].mean() for made in map(shot, (0, 6, 12))]
    assert min(brighter) > 5


def test_a_picture_depends_on_its_number_and_the_seed_alone() -> None:
    first = shot(7)
    again = render_nanowires(7, 6, 0)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.wire, again.wire)
    for other in (shot(8), shot(7, 1)):
        assert other.image.shape != first.image.shape or (other.image != first.image).mean() > 0.5


def test_pictures_of_a_specimen_share_its_wires_and_instrument() -> None:
    first, second, other = shot(6), shot(7), shot(12)
    assert first.specimen == second.specimen != other.specimen
    assert first.instrument == second.instrument
    assert first.pixel_size_nm == second.pixel_size_nm
    diameters = [np.median(made.laid.diameter) for made in (first, second)]
    assert abs(np.log(diameters[0] / diameters[1])) < 0.3
