"""Corrections for another mix of classes, and the test of what they assume."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.counting.label_shift import (
    check_label_shift,
    reference_faults,
)
from graticule.counting.prior_shift import (
    Reference,
    adjusted_prevalence,
    by_adjusted_count,
    by_em,
    em_prevalence,
    reference,
    separation,
)
from graticule.heads.scoring import softmax

Floats = NDArray[np.float64]
CENTRES = np.array([[2.0, 0.0], [-1.0, 1.8], [-1.0, -1.8]])
CLASSES = ("a", "b", "c")


def scores(y: NDArray[np.int64], rng: np.random.Generator, heat: float = 1.0, move: Floats | float = 0.0) -> Floats:
    """Scores of images drawn around the centre of their class; `move` shifts the images themselves."""
    x = CENTRES[y] + rng.normal(size=(len(y), 2)) + move
    return softmax(heat * (x @ CENTRES.T - 0.5 * (CENTRES**2).sum(axis=1)))


def calibration(rng: np.random.Generator, n: int = 900, heat: float = 1.0) -> Reference:
    y = rng.integers(0, 3, n)
    return reference(scores(y, rng, heat), y)


def test_em_finds_the_maximum_of_the_likelihood() -> None:
    rng = np.random.default_rng(0)
    proba, prior = scores(rng.choice(3, 400, p=[0.7, 0.2, 0.1]), rng), np.full(3, 1 / 3)
    found = em_prevalence(proba, prior)

    def likelihood(share: Floats) -> float:
        return float(np.log((proba / prior) @ share).sum())

    steps = [0.02 * (np.eye(3)[i] - np.eye(3)[j]) for i, j in itertools.permutations(range(3), 2)]
    assert all(likelihood(found) > likelihood(found + step) for step in steps)
    assert found.sum() == pytest.approx(1.0)


def test_em_of_unchanged_data_is_the_prior() -> None:
    rng = np.random.default_rng(1)
    known = calibration(rng, 3000)
    np.testing.assert_allclose(em_prevalence(known.proba, known.prior), known.prior, atol=5e-3)


def test_adjusted_prevalence_inverts_the_rates_and_stays_on_the_simplex() -> None:
    rates = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]])
    share = np.array([0.1, 0.6, 0.3])
    np.testing.assert_allclose(adjusted_prevalence(share @ rates, rates), share, atol=1e-6)
    found = adjusted_prevalence(np.array([0.02, 0.0, 0.98]), rates)  # inverted freely, a share would be negative
    assert (np.linalg.solve(rates.T, [0.02, 0.0, 0.98]) < 0).any()
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1.0)
    grid = [np.array([a, b, 1 - a - b]) for a in np.linspace(0, 1, 51) for b in np.linspace(0, 1 - a, 51)]
    least = min(((g @ rates - [0.02, 0.0, 0.98]) ** 2).sum() for g in grid)
    assert ((found @ rates - [0.02, 0.0, 0.98]) ** 2).sum() <= least + 1e-9


@pytest.mark.parametrize("heat", [1.0, 2.5])
def test_both_find_a_planted_mix_from_miscalibrated_scores_too(heat: float) -> None:
    rng = np.random.default_rng(2)
    known = calibration(rng, 1500, heat)
    truth = np.array([0.05, 0.15, 0.8])
    new = scores(rng.choice(3, 3000, p=truth), rng, heat)
    for found in (by_em(new, known), by_adjusted_count(new.argmax(axis=1), known)):
        assert np.abs(found.share - truth).max() < 0.03
        assert (np.abs(found.share - truth) < 3.5 * found.error).all()


def test_intervals_cover_the_truth_under_label_shift() -> None:
    rng = np.random.default_rng(3)
    covered: dict[str, list[NDArray[np.bool_]]] = {"em": [], "adjusted": []}
    for _ in range(80):
        known = calibration(rng, 450)
        truth = rng.dirichlet(np.ones(3))
        y = rng.choice(3, rng.poisson(600), p=truth)
        new = scores(y, rng)
        for name, found in (("em", by_em(new, known)), ("adjusted", by_adjusted_count(new.argmax(axis=1), known))):
            estimate = found.counts()
            covered[name].append((estimate.low <= 600 * truth) & (600 * truth <= estimate.high))
            assert (estimate.low >= 0).all()
    for values in covered.values():
        assert 0.90 <= np.mean(values) <= 0.985


def test_errors_grow_when_images_come_in_units() -> None:
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(30), 30)
    y = rng.integers(0, 3, 900)
    own = scores(y, rng, move=rng.normal(0, 0.7, (30, 2))[unit])
    new = scores(rng.integers(0, 3, 2000), rng)
    alone, joined = (by_em(new, reference(own, y, units)).error for units in (None, unit))
    assert (joined > 1.2 * alone).all()


def test_the_test_respects_units() -> None:
    rng = np.random.default_rng(7)
    unit = np.repeat(np.arange(20), 45)
    y = rng.integers(0, 3, 900)
    known = reference(scores(y, rng, move=rng.normal(0, 0.4, (20, 2))[unit]), y, unit)
    new = scores(rng.integers(0, 3, 400), rng)
    assert check_label_shift(new, known, None, rng).p is not None


def test_references_that_cannot_tell_classes_apart_are_refused() -> None:
    y = np.arange(300) % 3
    constant = reference(np.full((300, 3), 1 / 3), y)
    assert separation(constant) == pytest.approx(0.0, abs=1e-6)
    assert "do not tell all classes apart" in reference_faults(constant, CLASSES)[0]
    rng = np.random.default_rng(10)
    small = np.repeat([0, 1, 2], [100, 100, 5])
    assert "c 5" in reference_faults(reference(scores(small, rng), small), CLASSES)[0]
    assert reference_faults(calibration(rng), CLASSES) == []
