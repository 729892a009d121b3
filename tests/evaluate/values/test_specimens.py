"""Means of groups with limits of their own, and the share of the error that belongs to groups."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.evaluate.values.estimates import Sampling
from graticule.evaluate.values.figures import ScoredValues, score_values
from graticule.evaluate.values.specimens import between_share, group_means, worst_group
from graticule.statistics.groups import Groups


def errors_of(n_groups: int, share: float, seed: int = 0, size: int = 8) -> tuple[ScoredValues, Groups, Sampling]:
    """Errors of variance 1, of which `share` belongs to the group."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_groups), size)
    y = rng.uniform(0, 10, n_groups)[unit]
    own = rng.normal(size=n_groups)[unit] * np.sqrt(share) + rng.normal(size=len(unit)) * np.sqrt(1 - share)
    groups = Groups(unit, object_array([f"s{g:03d}" for g in range(n_groups)]))
    return score_values(y, y + own, unit, 5.0), groups, Sampling(np.full(n_groups, float(size)), True, 0, 200)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_the_planted_share_is_found(share: float) -> None:
    scored, _, sampling = errors_of(300, share)
    found = between_share(scored, sampling)
    assert found["value"] == pytest.approx(share, abs=0.05)
    assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1


def test_one_image_per_group_has_no_share() -> None:
    scored, _, sampling = errors_of(20, 0.5, size=1)
    assert between_share(scored, sampling)["value"] is None


def test_means_and_their_limits() -> None:
    scored, groups, sampling = errors_of(200, 0.5)
    found = group_means(scored, groups, sampling, (0.0, 10.0))
    rows = found["groups"]
    assert len(rows) == 200
    own = scored.unit == 3
    assert rows[3]["value"] == pytest.approx(scored.value[own].mean())
    assert found["mae"]["value"] == pytest.approx(np.mean([abs(row["value"] - row["target"]) for row in rows]))
    # errors within a group average out, so means are better than images
    assert found["mae"]["value"] < np.abs(scored.error).mean()
    held = [row["low"] <= row["target"] <= row["high"] for row in rows]
    assert np.mean(held) == pytest.approx(0.9, abs=0.05)
    assert min(row["low"] for row in rows) >= 0
    assert max(row["high"] for row in rows) <= 10


def test_means_of_few_groups_have_no_limits() -> None:
    # nine others are needed for 90 %
    for n_groups, none in ((9, True), (10, False)):
        scored, groups, sampling = errors_of(n_groups, 0.5)
        rows = group_means(scored, groups, sampling, (0.0, 10.0))["groups"]
        assert all((row["low"] is None) == none for row in rows)


def test_the_worst_group_is_named() -> None:
    scored, groups, sampling = errors_of(12, 0.0)
    value = scored.value.copy()
    value[scored.unit == 7] += 9
    found = worst_group(score_values(scored.target, value, scored.unit, 5.0), groups, sampling)
    assert (found["group"], found["n"]) == ("s007", 8)
    assert found["mae"]["low"] < 9 < found["mae"]["high"] + 1
