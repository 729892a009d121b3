"""Registration of many pairs: in order on all cores, equal pictures as they lie."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from graticule.images.fingerprint import FINGERPRINT_SIZE, fingerprint
from graticule.split.duplicates.matching import match, on_all_cores


def prints(n: int) -> np.ndarray:
    """Fingerprints of n different pictures, the last a copy of the first with a little noise, turned by a quarter."""
    rng = np.random.default_rng(0)
    pictures = [gaussian_filter(rng.normal(128, 150, (64, 64)), 2).clip(0, 255) for _ in range(n - 1)]
    pictures.append(np.rot90(pictures[0] + rng.normal(0, 1, (64, 64))).clip(0, 255))
    colour = [np.repeat(p.astype(np.uint8)[:, :, None], 3, axis=2) for p in pictures]
    return np.stack([np.asarray(fingerprint(np.ascontiguousarray(p))) for p in colour])


def test_work_comes_back_in_order() -> None:
    assert list(on_all_cores(lambda i: i * i, range(50))) == [i * i for i in range(50)]


def test_the_copy_is_like_its_original_and_others_are_not() -> None:
    found = prints(4)
    assert found.shape == (4, FINGERPRINT_SIZE)
    pairs = np.array([[0, 1], [0, 2], [0, 3], [1, 2]])
    told: list[int] = []
    similarity = match(found, pairs, lambda done, total: told.append(done)).similarity
    assert similarity[2] > 0.9
    assert np.delete(similarity, 2).max() < 0.7
