"""Maps as pictures."""

from __future__ import annotations

import numpy as np

from graticule.explain.overlay import full_scale, overlay, peak, picture


def test_overlays_keep_the_proportions_and_say_the_sign() -> None:
    shown = picture(np.full((32, 32, 3), 128, np.uint8), (100, 200))
    assert shown.shape == (168, 336, 3)
    values = np.zeros((16, 16))
    values[:, :8], values[:, 8:] = 1.0, -1.0
    laid = overlay(shown, values, full_scale(values[None]))
    left, right = laid[84, 40].astype(int), laid[84, 300].astype(int)
    assert left[0] > left[2] + 80
    assert right[2] > right[0] + 80
    assert np.array_equal(overlay(shown, 0 * values, 1.0), shown)


def test_the_peak_is_where_evidence_for_the_class_is() -> None:
    values = np.zeros((56, 56))
    values[10:14, 40:44], values[40:48, 10:18] = 1.0, -5.0
    x, y = peak(values, np.full((224, 224, 3), 90, np.uint8))
    assert 40 / 56 < x < 44 / 56
    assert 10 / 56 < y < 14 / 56
