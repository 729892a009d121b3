"""Intervals of numbers: they hold on new groups as promised, whatever the model, and say what is promised."""

from __future__ import annotations

import json

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.decide.value_intervals import ValueIntervals, fit_intervals, held_out_limits
from graticule.errors import BundleError, OptionError


def specimens(n_groups: int, rng: np.random.Generator, size: int = 6, hard: float = 0.7) -> tuple[np.ndarray, ...]:
    """True values, predictions, names of groups, and what tells how hard an image is; errors are shared in a group."""
    unit = np.repeat(np.arange(n_groups), rng.integers(2, 2 * size, n_groups))
    value, told = rng.uniform(size=len(unit)), rng.normal(size=len(unit))
    error = 0.06 * (rng.normal(size=n_groups)[unit] + rng.normal(size=len(unit))) * np.exp(hard * told)
    return value + error, value, object_array([f"s{u:03d}" for u in unit]), told[:, None]


def coverage(level: float, n_groups: int, repeats: int, difficulty: bool, split: bool = False) -> float:
    """Share of images of a new group that intervals hold, over new evidence each time; every group counts alike."""
    rng, held = np.random.default_rng(7), []
    for _ in range(repeats):
        y, p, group, hard = specimens(n_groups, rng)
        fitted = fit_intervals(y, p, group, hard if difficulty else None, split=split)
        new_y, new_p, new_group, new_hard = specimens(10, rng)
        low, high = fitted.apply(new_p, new_hard if difficulty else None, level)
        inside = (low <= new_y) & (new_y <= high)
        held += [inside[new_group == name].mean() for name in np.unique(new_group)]
    return float(np.mean(held))


@pytest.mark.parametrize(("level", "n_groups"), [(0.8, 12), (0.9, 12), (0.9, 40), (0.95, 40)])
def test_new_groups_are_held_as_promised(level: float, n_groups: int) -> None:
    found = coverage(level, n_groups, 60, False)
    # 600 new groups: standard error about 0.01; few groups make steps of 1 / (K + 1), always on the safe side
    assert level - 0.02 <= found <= level + 1 / (n_groups + 1) + 0.02


@pytest.mark.parametrize("split", [False, True])
def test_local_widths_hold_too_and_follow_what_is_hard(split: bool) -> None:
    assert coverage(0.9, 80 if split else 40, 25, True, split) == pytest.approx(0.9, abs=0.04)
    rng = np.random.default_rng(0)
    y, p, group, hard = specimens(80, rng)
    fitted = fit_intervals(y, p, group, hard, split=split)
    assert fitted.width is not None
    low, high = fitted.apply(p, hard, 0.9)
    width = high - low
    assert width[hard[:, 0] > 1].mean() > 2 * width[hard[:, 0] < -1].mean()


def test_a_model_that_learns_by_heart_does_not_narrow_them() -> None:
    """Nearest neighbour fits its training images without any error; its intervals must be those of new groups."""
    rng = np.random.default_rng(0)

    def draw(n_groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        unit = np.repeat(np.arange(n_groups), 5)
        x = rng.normal(size=n_groups)[unit] + 0.05 * rng.normal(size=len(unit))
        return x, np.sin(x) + 0.3 * rng.normal(size=len(unit)), unit

    def nearest(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
        return y[np.abs(new[:, None] - x[None]).argmin(axis=1)]

    x, y, unit = draw(40)
    assert (nearest(x, y, x) == y).all()
    out_of_fold = np.empty(len(y))
    for f in range(5):
        rest = unit % 5 != f
        out_of_fold[~rest] = nearest(x[rest], y[rest], x[~rest])
    fitted = fit_intervals(y, out_of_fold, object_array([str(u) for u in unit]), None)
    new_x, new_y, _ = draw(200)
    low, high = fitted.apply(nearest(x, y, new_x), None, 0.9)
    assert ((low <= new_y) & (new_y <= high)).mean() >= 0.87


def test_shared_errors_taken_for_independent_hold_less_often() -> None:
    """The images of few groups are no substitute for groups: what the weights are for."""
    rng, by_group, by_image = np.random.default_rng(0), [], []
    for _ in range(60):
        sizes = np.array([60] + [2] * 11)
        unit = np.repeat(np.arange(12), sizes)
        error = rng.normal(size=12)[unit] * np.where(unit == 0, 0.2, 1.0)
        names, zero = object_array([str(u) for u in unit]), np.zeros(len(unit))
        new = rng.normal(size=200)
        for names_or_none, out in ((names, by_group), (None, by_image)):
            low, high = fit_intervals(error, zero, names_or_none, None).apply(np.zeros(200), None, 0.9)
            out.append(((low <= new) & (new <= high)).mean())
    assert np.mean(by_group) > 0.87
    assert np.mean(by_image) < 0.8


def test_limits_keep_to_the_bounds() -> None:
    y, p, group, _ = specimens(30, np.random.default_rng(0))
    fitted = fit_intervals(y, p, group, None, bounds=(0.0, 1.0))
    low, high = fitted.apply(np.array([0.01, 0.99, 0.5]), None, 0.95)
    assert low.min() >= 0
    assert high.max() <= 1
    assert high[2] > 0.5 > low[2]


def test_few_groups_are_refused_a_promise() -> None:
    rng = np.random.default_rng(0)
    for n_groups, basis in ((8, "estimate"), (9, "groups"), (18, "groups")):
        y, p, group, _ = specimens(n_groups, rng)
        fitted = fit_intervals(y, p, group, None)
        assert fitted.basis(0.9) == basis
        assert fitted.basis(0.95) == ("groups" if n_groups >= 19 else "estimate")
        low, high = fitted.apply(p, None, 0.9)
        assert np.isfinite(high - low).all()
    words = fit_intervals(*specimens(8, rng)[:3], None).promise(0.9)
    assert words["proven"] is None
    assert words["words"].startswith("estimated from images, not groups: 8 groups, at least 9 are needed at 90%")


def test_few_images_have_no_interval() -> None:
    fitted = fit_intervals(np.zeros(5), np.ones(5), None, None)
    low, high = fitted.apply(np.ones(2), None, 0.9)
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert fitted.promise(0.9)["words"] == "no interval: 5 images, at least 9 are needed at 90%"


def test_what_is_promised_in_words() -> None:
    y, p, group, _ = specimens(30, np.random.default_rng(0))
    split, seen, images = (
        fit_intervals(y, p, group, None, split=True),
        fit_intervals(y, p, group, None),
        fit_intervals(y, p, None, None),
    )
    assert [each.promise(0.9)["proven"] for each in (split, seen, images)] == [0.9, None, None]
    assert "independent" in images.promise(0.9)["words"]
    found = split.describe()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [row["level"] for row in found["levels"]] == [0.8, 0.9, 0.95]
    assert found["source"] == "calibration part"


@pytest.mark.parametrize("with_width", [True, False])
def test_arrays_and_back(with_width: bool) -> None:
    y, p, group, hard = specimens(40, np.random.default_rng(0), hard=1.0 if with_width else 0.0)
    fitted = fit_intervals(y, p, group, hard if with_width else None, bounds=(None, 1.0))
    again = ValueIntervals.from_arrays(fitted.to_arrays(), fitted.describe())
    assert (again.width is None) == (fitted.width is None)
    for level in (0.8, 0.9, 0.95, 0.5):
        np.testing.assert_array_equal(again.apply(p, hard, level), fitted.apply(p, hard, level))
    assert again.describe() == fitted.describe()


def test_faulty_arrays_are_refused() -> None:
    y, p, group, _ = specimens(20, np.random.default_rng(0))
    arrays = fit_intervals(y, p, group, None).to_arrays()
    for name, value in (
        ("intervals.score", arrays["intervals.score"][:-1]),
        ("intervals.levels", np.array([1.5])),
        ("intervals.kind", np.array([2, 0, 0, 0, 0, 0], np.uint8)),
    ):
        with pytest.raises(BundleError):
            ValueIntervals.from_arrays(arrays | {name: value}, {})


def test_held_out_limits_hold_their_own_images() -> None:
    rng, held = np.random.default_rng(0), []
    for n_groups in (12, 40, 80):
        y, p, group, hard = specimens(n_groups, rng)
        low, high = held_out_limits(y, p, group, hard, level=0.9)
        inside = (low <= y) & (y <= high)
        held.append(np.mean([inside[group == name].mean() for name in np.unique(group)]))
    assert min(held) > 0.84
    # a wild group widens the limits of others, not its own
    y, p, group, _ = specimens(12, rng)
    wild = np.where(group == "s003", y + 100, y)
    low, high = held_out_limits(wild, p, group, None, level=0.9)
    assert (high - low)[group == "s003"].max() < 10
    assert (high - low)[group != "s003"].max() > 100


def test_levels_are_checked() -> None:
    with pytest.raises(OptionError, match="levels of intervals lie between 0 and 1"):
        fit_intervals(np.zeros(20), np.ones(20), None, None, levels=(0.9, 90))
