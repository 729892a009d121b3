"""Which images are explained and which are examined, and what maps are measured from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from graticule.arrays import object_array
from graticule.explain.choice import CONFUSED, TYPICAL, ScoredImages, choose, draw_examined
from graticule.manifest import Manifest


def scored(sizes: tuple[int, ...], *, unreadable: int = 0, seed: int = 0) -> ScoredImages:
    """Images of which `sizes` are given each class; the last ones cannot be read."""
    predicted = np.repeat(np.arange(len(sizes)), sizes)
    best = np.random.default_rng(seed).uniform(0.6, 1, (len(predicted), 1))
    proba = np.repeat((1 - best) / (len(sizes) - 1), len(sizes), axis=1)
    proba[np.arange(len(predicted)), predicted] = best[:, 0]
    proba[len(proba) - unreadable :] = np.nan
    names = object_array([f"{i}.png" for i in range(len(predicted))])
    manifest = Manifest(Path("/"), names, object_array([""] * len(names)), {}, ())
    failures = [("x.png", "broken")] * unreadable
    return ScoredImages(manifest, proba, np.full(len(names), -1), np.full(2, 7.0), failures)


def test_extremes_are_at_most_a_quarter_of_each_class() -> None:
    # the small class fills less than its turn: 2 of its 8 images, not 4
    chosen = choose(scored((40, 8)), 32, 0)
    roles = Counter((int(row >= 40), role) for row, role in chosen)
    assert roles[1, TYPICAL] == roles[1, CONFUSED] == 2
    assert roles[0, TYPICAL] == roles[0, CONFUSED] == 4
    assert len(chosen) == 32


def test_examined_images_are_drawn_from_all_with_classes_in_turn() -> None:
    images = scored((50, 30, 4), unreadable=2)
    rows = draw_examined(images, 12, 0)
    assert sorted(Counter(images.predicted[rows].tolist()).items()) == [(0, 5), (1, 5), (2, 2)]
    assert len(set(rows)) == 12
    assert rows == draw_examined(images, 12, 0)
    # typical images are no likelier than others: over many seeds every image of a class comes up
    drawn = Counter(row for seed in range(200) for row in draw_examined(images, 12, seed))
    assert set(drawn) == set(range(82))
    expected = 200 * 5 / 50
    assert max(drawn[row] for row in range(50)) < expected + 5 * expected**0.5
