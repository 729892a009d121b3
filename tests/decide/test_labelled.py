"""Decisions on labelled images: sets and novelty block by block are those of all images at once."""

from __future__ import annotations

import numpy as np
import pytest
from tests.decide.test_novelty import fitted

from graticule.arrays import object_array
from graticule.decide import labelled
from graticule.decide.conformal import p_values, prediction_sets, prepare_sets
from graticule.decide.evidence import SHIPPED, Evidence
from graticule.heads.scoring import softmax
from graticule.images.decode import Decoded
from graticule.images.intensity import Intensity

K = 3


def scores(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and scores by two members of the model."""
    rng = np.random.default_rng(seed)
    y = rng.integers(K, size=n)
    return y, softmax(rng.normal(size=(2, n, K)) + 2 * np.eye(K)[y])


def evidence(n: int = 300) -> Evidence:
    y, members = scores(n, 1)
    proba = members.mean(axis=0)
    return Evidence(proba, proba, y, np.full(n, SHIPPED), np.arange(n), False, False)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    novelty, features, _ = fitted(n=20)
    y, members = scores(len(features), 2)
    raw, sets = members.mean(axis=0), prepare_sets(evidence())
    info = [Decoded()] * len(y)
    plain = labelled.undecided((y, raw, raw), None, info, Intensity())
    assert np.isnan(plain.novelty).all()
    assert plain.inside == {}
    monkeypatch.setattr(labelled, "_BLOCK", 7)
    found = labelled.decided(plain, members, features, sets, novelty, (0.9, 0.95))
    for level in (0.9, 0.95):
        whole = prediction_sets(p_values(sets, members, raw, level), raw.argmax(axis=1), level)
        np.testing.assert_array_equal(found.inside[level], whole)
    np.testing.assert_array_equal(found.novelty, novelty.p_value(novelty.score(features, members)))


def test_without_evidence_and_novelty_nothing_is_said() -> None:
    y, members = scores(12, 3)
    group = object_array(["b", "a"] * 6)
    plain = labelled.undecided((y, members[0], members[0]), group, [Decoded()] * 12, Intensity())
    found = labelled.decided(plain, members, None, None, None, (0.9,))
    assert found.inside == {}
    assert np.isnan(found.novelty).all()
    assert found.unit is not None
    assert found.unit.tolist() == [1, 0] * 6
