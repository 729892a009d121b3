"""Intervals and novelty of a training run: they hold for groups that the model never saw, even a model by heart."""

from __future__ import annotations

import numpy as np
import pytest
from tests.jobs.drawn import small_encoder
from tests.made_samples import samples_of

from graticule.arrays import FloatArray
from graticule.decide.value_settle import LEVEL, ValueDecider, settle_values
from graticule.regress.outcome import ValueOutcome
from graticule.regress.target import Target
from graticule.split.division import Division
from graticule.split.options import SplitOptions
from graticule.split.value_folds import value_folds

N, GROUPS = 400, 50
RNG = np.random.default_rng(0)
UNIT = np.arange(N) % GROUPS
TRUTH = np.round(RNG.uniform(0.2, 0.8, GROUPS)[UNIT] + RNG.normal(0, 0.05, N), 6)
FEATURES = RNG.normal(size=(N, 12)).astype(np.float32) + TRUTH[:, None].astype(np.float32)


def settled(
    learnt: FloatArray, target: Target | None = None, *, calibration: float = 0.0, grouped: bool = True
) -> tuple[ValueDecider, Division]:
    columns = {"target": [repr(float(v)) for v in TRUTH]}
    columns |= {"group": [f"g{u}" for u in UNIT]} if grouped else {}
    samples = samples_of([""] * N, features=FEATURES, **columns)
    folds = value_folds(samples.manifest, None, [], SplitOptions(test_size=0.2, calibration=calibration))
    outcome = ValueOutcome(target or Target("x"), learnt, small_encoder(), [], "", {}, {})
    division = Division(folds, [], [])
    return settle_values(samples, division, outcome, 0), division


@pytest.mark.parametrize("calibration", [0.0, 0.25])
def test_limits_hold_although_the_model_knows_its_training_images_by_heart(calibration: float) -> None:
    """What such a model says of images it did not see is off by a shift of each group and noise of each image."""
    rng = np.random.default_rng(1)
    off = rng.normal(0, 0.05, GROUPS)[UNIT] + rng.normal(0, 0.05, N)
    found, division = settled(TRUTH + off, calibration=calibration)
    for part in ("cv", "test"):
        own = division.folds.part == part
        inside = (found.low <= TRUTH) & (found.high >= TRUTH)
        # ten groups in the test part
        assert inside[own].mean() > LEVEL - (0.02 if part == "cv" else 0.1)
    assert found.document["intervals"]["source"] == ("calibration part" if calibration else "out-of-fold errors")
    assert found.novelty is not None


def test_limits_are_told_on_the_scale_that_is_learnt() -> None:
    target = Target("x", scale="log", most=1.0)
    found, _ = settled(np.log(TRUTH) + RNG.normal(0, 0.1, N), target)
    known = np.isfinite(found.low)
    assert found.document["scale"] == "log"
    ratio = (found.high / found.low)[known & (found.high < 0.99)]
    assert ratio.min() > 1.2
    assert (found.high[known] <= 1.0).all()
    assert (found.low[known] > 0).all()


def test_without_images_that_no_model_saw_there_are_no_limits() -> None:
    samples = samples_of([""] * N, features=FEATURES, target=[repr(float(v)) for v in TRUTH])
    folds = value_folds(samples.manifest, None, [], SplitOptions(folds=1, test_size=0.3))
    learnt = np.where(folds.part == "test", TRUTH, np.nan)
    outcome = ValueOutcome(Target("x"), learnt, small_encoder(), [], "", {}, {})
    found = settle_values(samples, Division(folds, [], []), outcome, 0)
    assert found.intervals is None
    assert found.document["intervals"] is None
    assert np.isnan(found.low).all()
