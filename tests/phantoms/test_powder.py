"""The powder family: reproducible, grouped by specimen, with morphology that can be measured in the masks."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from graticule.phantoms.powder import CLASSES, SPECIMENS_PER_CLASS, Micrograph, render_powder
from graticule.phantoms.specimens import INSTRUMENTS


@cache
def shot(name: str, index: int, seed: int = 0) -> Micrograph:
    return render_powder(CLASSES.index(name), index, seed)


def elongations(mask: np.ndarray) -> np.ndarray:
    """Ratio of the principal axes of each particle that is whole: large enough and off the border."""
    ratios = []
    for number in np.unique(mask)[1:]:
        rows, columns = np.nonzero(mask == number)
        inside = min(rows.min(), columns.min()) > 0 and max(rows.max(), columns.max()) < mask.shape[0] - 1
        if rows.size > 150 and inside:
            low, high = np.linalg.eigvalsh(np.cov(np.stack([rows, columns])))
            ratios.append(np.sqrt(high / max(low, 0.1)))
    return np.array(ratios)


def test_six_morphologies_in_alphabetical_order() -> None:
    assert CLASSES == ("agglomerates", "crystals", "fibres", "needles", "plates", "spheres")


@pytest.mark.parametrize("name", CLASSES)
def test_images_are_grey_and_masks_number_the_particles(name: str) -> None:
    made = shot(name, 0)
    assert made.image.shape == made.mask.shape == (512, 512)
    assert made.image.dtype == np.uint8
    assert made.mask.dtype == np.uint16
    assert made.image.std() > 10
    numbers = np.unique(made.mask)
    np.testing.assert_array_equal(numbers, np.arange(numbers.size))
    assert numbers.size > 3
    assert 0.05 < (made.mask > 0).mean() < 0.99


@pytest.mark.parametrize("name", CLASSES)
def test_particles_are_brighter_than_the_ground_just_outside_them(name: str) -> None:
    made = shot(name, 1)
    particles = made.mask > 0
    outside = ndimage.binary_dilation(particles, iterations=6) & ~ndimage.binary_dilation(particles, iterations=2)
    rim = particles & ~ndimage.binary_erosion(particles, iterations=5)
    assert made.image[rim].mean() > made.image[outside].mean() + 10


def test_rendering_depends_on_seed_class_and_number_and_on_nothing_else() -> None:
    first = shot("spheres", 0)
    render_powder(0, 3, 5)
    again = render_powder(CLASSES.index("spheres"), 0, 0)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.mask, again.mask)
    for other in (shot("spheres", 0, 1), shot("spheres", 1), shot("plates", 0)):
        assert (other.image != first.image).mean() > 0.5


def test_images_of_a_specimen_share_its_instrument_and_differ_in_magnification() -> None:
    first, second = shot("needles", 0), shot("needles", SPECIMENS_PER_CLASS)
    assert first.specimen == second.specimen
    assert first.instrument == second.instrument
    assert first.pixel_size_nm != second.pixel_size_nm
    assert shot("needles", 1).specimen != first.specimen
    assert shot("plates", 0).specimen != first.specimen


def test_every_class_is_seen_by_every_instrument() -> None:
    for name in ("needles", "spheres"):
        assert {shot(name, i).instrument for i in range(3)} == set(INSTRUMENTS)


def test_needles_are_longer_than_crystals_and_spheres() -> None:
    middle = {
        name: np.median(np.concatenate([elongations(shot(name, i).mask) for i in range(3)]))
        for name in ("needles", "crystals", "spheres")
    }
    assert middle["needles"] > 2.5
    assert middle["needles"] > 1.6 * middle["crystals"]
    assert middle["spheres"] < 1.7
