"""What each part told: amounts add up, and of a linear model they are coefficient times deviation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from graticule.arrays import FloatArray
from graticule.explain.told import IMAGE_SIZE, NETWORK, parts_of, told_by_parts, told_by_statistics
from graticule.explain.values import score_heads
from graticule.networks.encoder import Encoder, orientation_encoder
from graticule.networks.pooling import ORIENTATION
from graticule.regress.scoring import KernelValue, LinearValue, ValueMember, member_values

PARTS = {NETWORK: slice(0, 3), ORIENTATION: slice(3, 7), IMAGE_SIZE: slice(7, 9)}
RNG = np.random.default_rng(5)
OWN, AVERAGE = RNG.uniform(0.2, 1, 9), RNG.uniform(0.2, 1, 9)
LINEAR = LinearValue(RNG.normal(size=9), 0.4, 0)
KERNEL = KernelValue(
    RNG.uniform(size=9), RNG.normal(size=(9, 5)).astype(np.float32), RNG.normal(size=(12, 5)), RNG.normal(size=12), 0.1,
    0.2, 3,
)  # fmt: skip
BOTH: list[ValueMember] = [(LINEAR, KERNEL), (replace(LINEAR, slope=-LINEAR.slope, rooted=3),)]


def say(members: list[ValueMember], features: FloatArray) -> FloatArray:
    return np.asarray(member_values(members, features).mean(axis=0))


def test_what_a_linear_model_is_told_is_coefficient_times_deviation() -> None:
    found = told_by_parts(lambda x: say([(LINEAR,)], x), OWN, AVERAGE, PARTS)
    for name, span in PARTS.items():
        assert found[name] == pytest.approx(LINEAR.slope[span] @ (OWN - AVERAGE)[span], abs=1e-6)
    single = told_by_statistics(score_heads([(LINEAR,)]), OWN, AVERAGE, PARTS, ORIENTATION)
    np.testing.assert_allclose(single, (LINEAR.slope * (OWN - AVERAGE))[3:7], rtol=1e-5)


def test_the_parts_of_any_model_add_up() -> None:
    found = told_by_parts(lambda x: say(BOTH, x), OWN, AVERAGE, PARTS)
    ends = say(BOTH, np.stack([OWN, AVERAGE]))
    assert sum(found.values()) == pytest.approx(ends[0] - ends[1], abs=1e-6)
    single = told_by_statistics(score_heads(BOTH), OWN, AVERAGE, PARTS, ORIENTATION)
    assert single.sum() == pytest.approx(found[ORIENTATION], abs=1e-5)


def test_two_parts_share_what_they_tell_together() -> None:
    """x y: from (0, 0) to (1, 1) neither tells anything alone."""
    parts = {"x": slice(0, 1), "y": slice(1, 2)}
    found = told_by_parts(lambda rows: rows.prod(axis=1), np.ones(2), np.zeros(2), parts)
    assert found == {"x": pytest.approx(0.5), "y": pytest.approx(0.5)}


def test_a_statistic_that_no_regression_looks_at_tells_nothing() -> None:
    deaf = replace(LINEAR, slope=np.where(np.arange(9) == 4, 0.0, LINEAR.slope))
    single = told_by_statistics(score_heads([(deaf,)]), OWN, AVERAGE, PARTS, ORIENTATION)
    assert single[1] == 0
    assert (single[[0, 2, 3]] != 0).all()


def test_where_the_parts_stand(colours: Callable[..., Encoder]) -> None:
    encoder = colours()
    assert parts_of(encoder) == {NETWORK: slice(0, 3)}
    assert parts_of(encoder.with_orientation(4)) == {NETWORK: slice(0, 3), ORIENTATION: slice(3, 7)}
    sized = encoder.with_orientation(4).reading(encoder.preprocessing, sizes=True)
    assert parts_of(sized) == PARTS
    assert parts_of(orientation_encoder(302)) == {ORIENTATION: slice(0, 302)}
