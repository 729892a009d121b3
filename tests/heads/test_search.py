"""The inner search: training rows only, whole groups, honest choices, defaults where there is too little."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.arrays import object_array
from graticule.heads import search
from graticule.heads.options import HEADS
from graticule.heads.scaling import FeatureLayout, Scalings
from graticule.heads.scoring import Head, LinearHead, RbfHead, probabilities
from graticule.heads.search import HeadChoice
from graticule.heads.search import choose_head as choose_rows
from graticule.heads.search import fit_choice as fit_rows

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def planted(n: int = 150, d: int = 8, n_classes: int = 3, seed: int = 0) -> tuple[Floats, Ints]:
    """Classes apart by about one and a half standard deviations."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    return (1.5 * rng.normal(size=(n_classes, d))[y] + rng.normal(size=(n, d))).astype(np.float32), y


def rings(n: int = 240, seed: int = 0) -> tuple[Floats, Ints]:
    """Two classes that no plane divides: the second lies around the first."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    direction = rng.normal(size=(n, 6))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    z = direction * np.where(y == 0, 0.3, 2.0)[:, None] + 0.1 * rng.normal(size=(n, 6))
    return (np.sign(z) * z**2).astype(np.float32), y


def names(values: NDArray[np.int64]) -> NDArray[np.object_]:
    return object_array([str(v) for v in values])


def choose_head(
    x: Floats,
    y: Ints,
    group: NDArray[np.object_] | None,
    *,
    rows: Ints,
    n_classes: int,
    request: str = "auto",
    seed: int = 0,
) -> HeadChoice:
    """The choice on some rows of features that are one whole."""
    scalings = Scalings(x, rows, FeatureLayout(x.shape[1]))
    return choose_rows(scalings, y[rows], group, n_classes=n_classes, request=request, seed=seed)


def fit_choice(x: Floats, y: Ints, n_classes: int, choice: HeadChoice) -> Head:
    return fit_rows(Scalings.whole(x), y, n_classes, choice)


def choose(
    x: Floats, y: Ints, group: NDArray[np.object_] | None = None, request: str = "auto", seed: int = 0
) -> HeadChoice:
    return choose_head(x, y, group, rows=np.arange(len(y)), n_classes=int(y.max()) + 1, request=request, seed=seed)


def test_only_the_training_rows_are_looked_at() -> None:
    x, y = planted(200)
    rows = np.sort(np.random.default_rng(1).permutation(200)[:140])
    others = np.setdiff1d(np.arange(200), rows)
    spoiled, relabelled = x.copy(), y.copy()
    spoiled[others], relabelled[others] = np.nan, 0
    for group in (None, names(rows % 10)):
        one = choose_head(x, y, group, rows=rows, n_classes=3)
        other = choose_head(spoiled, relabelled, group, rows=rows, n_classes=3)
        assert one == other
        assert one.inner_folds == 3


@pytest.mark.parametrize("request_", HEADS)
def test_requests_are_kept(request_: str) -> None:
    x, y = planted()
    choice = choose(x, y, request=request_)
    kinds = {member.settings.kind for member in choice.members}
    allowed = {"auto": {"logistic", "rbf_svm"}, "logistic": {"logistic"}, "svm": {"rbf_svm", "linear_svm"}}
    assert kinds <= allowed[request_]
    assert choice.inner_score is not None
    assert 0 < choice.inner_score < np.log(3)
    assert choice.candidates >= 5
    assert probabilities([fit_choice(x, y, 3, choice)], x).argmax(axis=1).tolist() != y[::-1].tolist()


def test_curved_classes_get_a_kernel_and_flat_ones_a_plane() -> None:
    x, y = rings()
    choice = choose(x, y)
    head = fit_choice(x, y, 2, choice)
    assert choice.kind == "rbf_svm"
    assert isinstance(head, RbfHead)
    fresh, truth = rings(seed=1)
    assert np.mean(probabilities([head], fresh).argmax(axis=1) == truth) > 0.95
    assert isinstance(fit_choice(*planted(), 3, choose(*planted(), request="logistic")), LinearHead)


def test_the_inner_score_is_honest() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(150, 40)).astype(np.float32)
    score = choose(noise, np.arange(150) % 3).inner_score
    assert score is not None
    assert score > np.log(3) - 0.02
    x, y = planted(600)
    choice = choose(x[:300], y[:300])
    p = probabilities([fit_choice(x[:300], y[:300], 3, choice)], x[300:])
    fresh_loss = -np.log(p[np.arange(300), y[300:]]).mean()
    assert choice.inner_score == pytest.approx(fresh_loss, abs=0.08)


def test_probabilities_are_about_calibrated() -> None:
    x, y = planted(1200, d=30)
    for request in ("logistic", "svm"):
        head = fit_choice(x[:400], y[:400], 3, choose(x[:400], y[:400], request=request))
        p = probabilities([head], x[400:])
        correct = p.argmax(axis=1) == y[400:]
        assert abs(p.max(axis=1).mean() - correct.mean()) < 0.06


@pytest.mark.parametrize("request_", HEADS)
@pytest.mark.parametrize("n_groups", [1, 2])
def test_too_few_groups_give_the_default(request_: str, n_groups: int) -> None:
    x, y = planted()
    choice = choose(x, y, names(np.arange(len(y)) // 3 % n_groups), request_)
    assert (choice.inner_folds, choice.candidates, choice.inner_score) == (0, 0, None)
    assert choice == choose(-x[::-1], y[::-1], names(np.zeros(len(y), np.int64)), request_)
    head = fit_choice(x, y, 3, choice)
    assert np.mean(probabilities([head], x).argmax(axis=1) == y) > 0.8


def test_groups_are_never_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = planted()
    group = names(np.arange(150) // 3 % 10)
    seen = []
    original = search._Search

    class Spy(original):  # type: ignore[misc, valid-type]
        def __init__(
            self, scalings: Scalings, keep: Ints, y: Ints, folds: list[tuple[Ints, Ints]], n: int, *, kernels: bool
        ) -> None:
            seen.extend(folds)
            super().__init__(scalings, keep, y, folds, n, kernels=kernels)

    monkeypatch.setattr(search, "_Search", Spy)
    choose(x, y, group)
    assert len(seen) == 3
    for train, test in seen:
        assert set(group[train]).isdisjoint(group[test])
        assert len(train) + len(test) == 150


def test_a_class_in_one_group_only_gives_the_default() -> None:
    x, y = planted(90)
    group = np.where(y == 2, 0, np.arange(90) % 4)
    assert choose(x, y, names(group)).inner_folds == 0


def test_the_same_seed_gives_the_same_choice() -> None:
    x, y = planted()
    assert choose(x, y, seed=3) == choose(x, y, seed=3)


def test_two_classes_and_a_class_of_few() -> None:
    x, y = planted(60, n_classes=2)
    assert choose(x, y).inner_folds == 3
    few = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:2]]
    choice = choose(x[few], y[few])
    assert choice.inner_folds > 1
    assert choose(x[few[:-1]], y[few[:-1]]).inner_folds == 0
    assert np.isfinite(probabilities([fit_choice(x[few], y[few], 2, choice)], x)).all()


def test_descriptions_for_the_report() -> None:
    x, y = planted()
    one = choose(x, y, names(np.zeros(150, np.int64)), "svm")
    assert one.kind == "rbf_svm"
    assert set(one.describe()) == {"C", "shrinkage", "gamma", "balanced", "parts"}
    several = choose(x, y, names(np.zeros(150, np.int64)), "auto")
    assert several.kind == "mean of 2 logistic heads"
    assert several.describe()["shrinkage"] == "1.0, 0.5"


@pytest.mark.parametrize("request_", ["auto", "svm"])
def test_more_rows_than_the_kernel_limit_never_get_a_kernel_machine(
    request_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graticule.heads.search.KERNEL_LIMIT", 100)
    monkeypatch.setattr("graticule.heads.thinning.SEARCH_LIMIT", 60)
    rng = np.random.default_rng(0)
    y = np.arange(120, dtype=np.int64) % 2
    features = (rng.normal(size=(120, 4)) + y[:, None]).astype(np.float32)
    choice = choose_head(features, y, None, rows=np.arange(120), n_classes=2, request=request_)
    assert all(member.settings.kind != "rbf_svm" for member in choice.members)
    few = np.array([f"g{i % 2}" for i in range(120)], dtype=object)
    default = choose_head(features, y, few, rows=np.arange(120), n_classes=2, request=request_)
    assert all(member.settings.kind != "rbf_svm" for member in default.members)


def parted(n: int = 240, told_by: str = "covariance", seed: int = 0) -> tuple[Floats, Ints, FeatureLayout]:
    """Features of three parts, of which one tells the classes; the others are noise."""
    rng = np.random.default_rng(seed)
    parts = (("whole", 30), ("centre", 30), ("covariance", 60))
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 120)).astype(np.float32)
    at = 0
    for name, length in parts:
        if name == told_by:
            x[:, at : at + 12] += 1.2 * rng.normal(size=(3, 12))[y]
        at += length
    return x, y, FeatureLayout(120, parts)


@pytest.mark.parametrize("told_by", ["centre", "covariance"])
def test_the_part_that_tells_the_classes_is_chosen(told_by: str) -> None:
    x, y, layout = parted(told_by=told_by)
    rows = np.arange(180)
    scalings = Scalings(x, rows, layout)
    choice = choose_rows(scalings, y[rows], None, n_classes=3)
    best = choice.members[0].settings.parts
    assert told_by in best
    assert len(best) < 3
    head = fit_rows(scalings, y[rows], 3, choice)
    assert isinstance(head, LinearHead)
    assert head.rooted == 60
    assert np.mean(probabilities([head], x[180:]).argmax(axis=1) == y[180:]) > 0.75


def test_parts_that_were_not_chosen_weigh_nothing() -> None:
    x, y, layout = parted(told_by="centre")
    choice = choose_rows(Scalings(x, np.arange(240), layout), y, None, n_classes=3, request="logistic")
    seen = {part for member in choice.members for part in member.settings.parts}
    head = fit_rows(Scalings(x, np.arange(240), layout), y, 3, choice)
    assert isinstance(head, LinearHead)
    for name, span in zip(("whole", "centre", "covariance"), (slice(30), slice(30, 60), slice(60, 120)), strict=True):
        assert bool((head.weights[:, span] != 0).any()) == (name in seen)
