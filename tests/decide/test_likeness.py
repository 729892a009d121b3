"""Novelty and nearest images of any bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.drawn_values import DrawnValues

from graticule.bundle import read_value_bundle
from graticule.decide.likeness import N_NEAREST, Likeness


def test_a_training_image_is_nearest_to_itself_and_a_strange_one_is_novel(
    valued_run: Path, planted: DrawnValues
) -> None:
    bundle = read_value_bundle(valued_run / "model")
    likeness, own = Likeness(bundle.reference), bundle.reference["paths"].tobytes().decode().split("\n")
    row = int(Path(own[5]).stem)
    features = np.stack([planted.features[row], -40 * np.abs(planted.features[0])])
    near = likeness.nearest(features, [0], 2)
    assert near[1] is None
    assert near[0] is not None
    assert (near[0][0], len(near[0])) == (own[5], N_NEAREST)
    scores = likeness.scores(features)
    assert scores is not None
    assert likeness.p_values(scores)[0] > 0.05
    assert likeness.p_values(scores)[1] < 0.06


def test_without_novelty_nothing_is_told() -> None:
    likeness = Likeness({})
    assert likeness.scores(np.ones((2, 3))) is None
    assert np.isnan(likeness.p_values(np.zeros(2))).all()
    assert likeness.nearest(np.ones((2, 3)), [0, 1], 2) == [None, None]
