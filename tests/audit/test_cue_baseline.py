"""Cues alone as a baseline: a planted cue tells the number, noise tells no more than the mean, groups stay apart."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.audit import cue_baseline as module
from graticule.audit.cue_baseline import cue_baseline
from graticule.audit.shortcuts import Cue
from graticule.split.folds import Folds, make_folds

RNG = np.random.default_rng(0)
GROUP = np.arange(240) // 6
VALUES = RNG.uniform(0, 1, 40)[GROUP] + RNG.normal(0, 0.02, 240)
NAMES = object_array([f"g{g}" for g in GROUP])
FOLDS = make_folds(np.zeros(240, np.int64), k=4, group=NAMES, test_size=0.2)


def numeric(values: np.ndarray) -> Cue:
    return Cue("brightness", "The brightness", "numeric", values, "picture", "picture")


def error(found: np.ndarray | None, folds: Folds = FOLDS) -> float:
    assert found is not None
    assert np.isfinite(found).all()
    return float(np.abs(found - VALUES).mean())


OF_MEAN = float(np.abs(VALUES - VALUES.mean()).mean())


def test_a_cue_that_is_the_number_tells_it_out_of_fold_and_held_out() -> None:
    cue = numeric(VALUES * 50 + RNG.normal(0, 0.5, 240))
    found = cue_baseline([cue], VALUES, FOLDS)
    assert error(found) < 0.15 * OF_MEAN
    assert found is not None
    held = FOLDS.part == "test"
    assert np.abs(found - VALUES)[held].mean() < 0.15 * OF_MEAN


def test_several_cues_tell_together_what_one_leaves_open() -> None:
    share = RNG.normal(0, 1, 240)
    both = [numeric(VALUES + share), numeric(VALUES - share)]
    assert error(cue_baseline(both, VALUES, FOLDS)) < 0.6 * error(cue_baseline(both[:1], VALUES, FOLDS))


@pytest.mark.parametrize(
    "cue",
    [numeric(RNG.normal(0, 1, 240)), Cue("folder", "The folder", "categorical", NAMES, "session")],
    ids=["noise", "the group itself"],
)
def test_what_says_nothing_of_other_groups_is_about_as_good_as_the_mean(cue: Cue) -> None:
    assert 0.9 * OF_MEAN < error(cue_baseline([cue], VALUES, FOLDS)) < 1.3 * OF_MEAN


def test_each_fold_learns_from_so_many_images_and_the_draw_is_that_of_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    cue = numeric(VALUES + RNG.normal(0, 0.3, 240))
    whole = cue_baseline([cue], VALUES, FOLDS)
    monkeypatch.setattr(module, "MOST_IMAGES", 40)
    few, again, other = (cue_baseline([cue], VALUES, FOLDS, seed=seed) for seed in (0, 0, 1))
    assert few is not None
    assert whole is not None
    assert other is not None
    assert np.array_equal(few, again)
    assert not np.array_equal(few, other)
    assert 0.8 * error(whole) < error(few) < 1.5 * error(whole)


def test_constant_cues_are_no_baseline() -> None:
    assert cue_baseline([numeric(np.full(240, 3.0))], VALUES, FOLDS) is None
    assert cue_baseline([], VALUES, FOLDS) is None
