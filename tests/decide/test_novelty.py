"""Novelty: planted strangers are found, p-values are uniform on usual images, groups count once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from graticule.decide.novelty import HeldOutImages, Novelty, benjamini_hochberg, doubt, fit_novelty, measures
from graticule.decide.novelty_space import fit_space, project
from graticule.features.neighbours import nearest

D = 80
CENTRES = np.random.default_rng(99).normal(0, 1.5, (5, D))


def pictures(kind: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Features of one kind: a centre, and variation in twenty directions that all kinds share."""
    mix = np.random.default_rng(7).normal(size=(20, D)) / 3
    raw = 4 + CENTRES[kind] + rng.normal(size=(n, 20)) @ mix + 0.3 * rng.normal(size=(n, D))
    return (np.sign(raw) * raw**2).astype(np.float32)  # undone by the signed root


def fitted(n: int = 150, seed: int = 0, unit: np.ndarray | None = None) -> tuple[Novelty, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = np.concatenate([pictures(kind, n, rng) for kind in range(4)])
    y = np.repeat(np.arange(4), n)
    fold = rng.permutation(4 * n) % 5
    parts = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(5)]
    return fit_novelty(HeldOutImages(features, None, unit), y, parts), features, y


def scored(novelty: Novelty, features: np.ndarray) -> np.ndarray:
    """Novelty without any doubt of a classifier."""
    return novelty.score(features, np.ones((1, len(features), 1)))


def test_a_kind_that_was_left_out_is_novel() -> None:
    novelty, _, _ = fitted()
    p = novelty.p_value(scored(novelty, pictures(4, 100, np.random.default_rng(1))))
    assert (p <= 0.01).mean() > 0.95


def test_usual_images_are_rejected_as_rarely_as_asked() -> None:
    rates = []
    for seed in range(6):
        novelty, _, _ = fitted(seed=seed)
        rng = np.random.default_rng(100 + seed)
        new = np.concatenate([pictures(kind, 100, rng) for kind in range(4)])
        rates.append((novelty.p_value(scored(novelty, new)) <= 0.05).mean())
    assert 0.02 < np.mean(rates) < 0.07


def test_distances_of_images_that_were_fitted_on_would_be_too_small() -> None:
    _, features, y = fitted(n=40)
    half = np.arange(160) % 2 == 0
    found = measures(fit_space(features[half], y[half]), features, None)[:, 1]
    assert np.median(found[half]) < np.median(found[~half]) - 0.2


def test_a_picture_of_another_sort_is_novel_where_no_component_reaches() -> None:
    rng = np.random.default_rng(2)
    novelty, _, _ = fitted()
    strange = pictures(0, 50, rng) + (5 * rng.normal(size=(50, D))).astype(np.float32) * 4
    assert (novelty.p_value(scored(novelty, strange)) <= 0.01).mean() > 0.95


def test_each_fold_is_compared_with_its_own_member() -> None:
    novelty, features, y = fitted()
    fold = np.arange(600) % 2
    parts = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(2)]
    p = np.random.default_rng(8).uniform(0.6, 0.999, 600)
    novelty = fit_novelty(HeldOutImages(features, doubt(np.stack([p, 1 - p], axis=1)), None), y, parts)
    scores = np.array([[0.4], [1.2]])
    above = (novelty.evidence[novelty.fold == 0] >= 0.4).sum() + (novelty.evidence[novelty.fold == 1] >= 1.2).sum()
    assert novelty.p_value(scores)[0] == pytest.approx((1 + above) / 601)


def test_groups_count_once_each() -> None:
    novelty, _, _ = fitted(unit=np.arange(600) // 20)
    assert novelty.units == 30
    assert novelty.p_value(np.array([[np.inf]]))[0] == pytest.approx(1 / 31)


def test_missing_features_have_no_p_value() -> None:
    novelty, features, _ = fitted()
    broken = features[:2].copy()
    broken[0, 0] = np.nan
    p = novelty.p_value(scored(novelty, broken))
    assert np.isnan(p[0])
    assert 0 < p[1] <= 1


def test_novelty_survives_the_bundle() -> None:
    novelty, features, _ = fitted()
    back = Novelty.unpack(novelty.pack())
    assert back is not None
    assert np.array_equal(scored(back, features[:20]), scored(novelty, features[:20]))
    assert Novelty.unpack({}) is None


def test_false_discoveries_are_controlled_as_scipy_does() -> None:
    rng = np.random.default_rng(3)
    p = np.concatenate([rng.uniform(size=200), rng.uniform(0, 0.002, 30)])
    ours = benjamini_hochberg(p, 0.1)
    assert np.array_equal(ours, false_discovery_control(p) <= 0.1)
    assert not benjamini_hochberg(np.array([np.nan, 0.5]), 0.1).any()


def test_the_nearest_images_are_the_nearest() -> None:
    rng = np.random.default_rng(4)
    _, features, y = fitted()
    space = fit_space(features, y)
    known, new = project(space, features), project(space, pictures(2, 30, rng))
    found = nearest(known, new, 3)
    plain = np.linalg.norm(new[:, None].astype(float) - known[None].astype(float), axis=2)
    assert np.array_equal(found, np.argsort(plain, axis=1, kind="stable")[:, :3])
    assert (y[found] == 2).mean() > 0.9


def test_a_tiny_set_still_has_a_space() -> None:
    rng = np.random.default_rng(5)
    features = np.concatenate([pictures(0, 3, rng), pictures(1, 3, rng)])
    space = fit_space(features, np.repeat([0, 1], 3))
    assert np.isfinite(project(space, features)).all()


def test_doubt_is_the_logarithm_of_the_entropy() -> None:
    found = doubt(np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert found == pytest.approx([np.log(np.log(2)), np.log(1e-6)], abs=1e-5)


@pytest.mark.parametrize("shipped", [False, True])
def test_a_classifier_in_doubt_makes_an_image_novel(shipped: bool) -> None:
    rng = np.random.default_rng(6)
    _, features, y = fitted()
    fold = np.arange(600) % 5
    parts = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(5)]
    sure = rng.uniform(0.97, 0.999, 600)
    members = np.stack([sure, 1 - sure], axis=1)[None]
    seen = HeldOutImages(features, doubt(members[0]), None)
    aside = HeldOutImages(np.concatenate([pictures(k, 150, rng) for k in range(4)]), doubt(members[0]), None)
    novelty = fit_novelty(seen, y, parts, aside if shipped else None)
    new = pictures(1, 50, rng)
    unsure = np.tile([0.5, 0.5], (1, 50, 1))
    assert (novelty.p_value(novelty.score(new, unsure)) <= 0.01).all()
    assert (novelty.p_value(novelty.score(new, members[:, :50])) <= 0.05).mean() < 0.15
