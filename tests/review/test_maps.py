"""Maps that are laid over an image: orange for, blue against, nothing where there is no evidence."""

from __future__ import annotations

import numpy as np

from graticule.explain.overlay import AGAINST, FOR
from graticule.review.maps import transparent


def test_the_sign_is_the_colour_and_the_strength_the_opacity() -> None:
    values = np.zeros((8, 8))
    values[:3, :3], values[5:, 5:] = 1.0, -0.5
    drawn = transparent(values, (32, 48))
    assert (drawn.shape, drawn.dtype) == ((32, 48, 4), np.uint8)
    assert drawn[4, 6, :3].tolist() == list(np.asarray(FOR).astype(np.uint8))
    assert drawn[28, 42, :3].tolist() == list(np.asarray(AGAINST).astype(np.uint8))
    assert drawn[4, 6, 3] > drawn[28, 42, 3] > 0
    assert drawn[4, 42, 3] == 0
    assert drawn[:, :, 3].max() <= round(0.75 * 255)  # the image shines through


def test_the_scale_of_a_map_does_not_matter_and_none_is_seen_through() -> None:
    values = np.random.default_rng(0).normal(size=(7, 7))
    np.testing.assert_array_equal(transparent(values, (20, 20)), transparent(1000 * values, (20, 20)))
    assert not transparent(np.zeros((7, 7)), (20, 20))[:, :, 3].any()
