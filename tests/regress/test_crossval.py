"""Cross-validation: every number is said by regressions that saw neither the image nor its group."""

from __future__ import annotations

import numpy as np
import pytest
from tests.regress.planted import LAYOUT, planted

from graticule.arrays import object_array
from graticule.regress.crossval import (
    ValueSearch,
    cross_validate_values,
    refit_values,
    value_learning_curve,
)
from graticule.regress.scoring import member_values
from graticule.split.folds import Folds

X, Y, UNIT = planted(network=0.4, orientation=0.1)
SEARCH = ValueSearch(LAYOUT, "ridge", "network")


def folds_by(unit: np.ndarray, k: int = 5) -> Folds:
    return Folds(object_array(["cv"] * len(unit)), unit % k, unit, k, "", ())


FOLDS = folds_by(UNIT)


def test_the_planted_number_is_found_and_no_fold_sees_its_own() -> None:
    found = cross_validate_values(X, Y, FOLDS, SEARCH)
    assert np.corrcoef(found.learnt, Y)[0, 1] > 0.85
    other = Y.copy()
    other[FOLDS.fold == 2] = 1e3
    again = cross_validate_values(X, other, FOLDS, SEARCH)
    np.testing.assert_array_equal(found.learnt[FOLDS.fold == 2], again.learnt[FOLDS.fold == 2])
    for f, member in enumerate(found.members):
        rows = FOLDS.fold == f
        np.testing.assert_array_equal(found.learnt[rows], member_values([member], X[rows])[0])


def test_numbers_shuffled_over_groups_teach_nothing() -> None:
    rng = np.random.default_rng(0)
    residual = []
    for seed in range(3):
        x, y, unit = planted(seed=seed, network=0.4, orientation=0.1)
        means = np.array([y[unit == u].mean() for u in range(30)])
        shuffled = rng.permutation(means)[unit] + 0.1 * rng.normal(size=len(y))
        learnt = cross_validate_values(x, shuffled, folds_by(unit), SEARCH).learnt
        residual.append(1 - ((learnt - shuffled) ** 2).sum() / ((shuffled - shuffled.mean()) ** 2).sum())
    assert max(residual) <= 0.05
    assert np.mean(residual) <= 0


def test_what_was_set_aside_is_not_trained_on() -> None:
    part = object_array(["test" if u < 3 else "cv" for u in UNIT])
    folds = Folds(part, np.where(part == "cv", UNIT % 5, -1), UNIT, 5, "", ())
    found = cross_validate_values(X, np.where(part == "test", 1e4, Y), folds, SEARCH)
    assert np.isnan(found.learnt[part == "test"]).all()
    assert np.abs(found.learnt[part == "cv"]).max() < 10
    member, choice = refit_values(X, Y, folds, SEARCH)
    assert choice.settings[0].kind == "ridge"
    assert np.corrcoef(member_values([member], X[part == "test"])[0], Y[part == "test"])[0, 1] > 0.8


def test_the_learning_curve_ends_at_the_cross_validation() -> None:
    found = cross_validate_values(X, Y, FOLDS, SEARCH)
    curve = value_learning_curve(X, Y, FOLDS, found, SEARCH, lambda v, rows: float(np.abs(v - Y[rows]).mean()))
    assert curve is not None
    assert [point["fraction"] for point in curve] == [0.1, 0.25, 0.5, 1.0]
    assert curve[-1]["mae"] == pytest.approx(np.abs(found.learnt - Y).mean())
    assert curve[0]["mae"] > curve[-1]["mae"]  # type: ignore[operator]


def test_blocks_asked_for() -> None:
    every = ("network", "network, whole picture", "orientation", "both", "both, whole picture")
    assert ValueSearch(LAYOUT).blocks == every
    assert ValueSearch(LAYOUT, features="both").blocks == every[3:]
    assert ValueSearch(LAYOUT, features="orientation").blocks == ("orientation",)
