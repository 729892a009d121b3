"""Evidence comes back from a bundle to the last bit, or is refused; ranks count weights at or above a score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graticule.decide.evidence import SHIPPED, Evidence, rank_evidence
from graticule.errors import BundleError
from graticule.statistics.conformal_quantiles import share_of_unit

PROBA = np.array([[1 / 3, 2 / 3], [0.9, 0.1], [0.5, 0.5]])
EVIDENCE = Evidence(
    PROBA, PROBA[::-1].copy(), np.array([0, 1, 1]), np.array([0, 1, 1]), np.array([4, 4, 2]), True, True
)


def test_evidence_comes_back_as_it_was() -> None:
    again = Evidence.unpack(EVIDENCE.pack(), 2)
    assert again is not None
    for name, value in vars(EVIDENCE).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert again.n_units == 2
    assert again.too_few_groups
    assert not again.by_shipped
    assert Evidence.unpack({}) is None


@pytest.mark.parametrize(
    "faulty",
    [
        replace(EVIDENCE, proba=PROBA * 1.1),
        replace(EVIDENCE, y=np.array([0, 1, 2])),
        replace(EVIDENCE, fold=np.array([SHIPPED, 1, 1])),
    ],
)
def test_what_contradicts_itself_is_refused(faulty: Evidence) -> None:
    with pytest.raises(BundleError, match="evidence in the reference"):
        Evidence.unpack(faulty.pack(), 2)


def test_weights_at_or_above_a_score_are_those_counted_by_hand() -> None:
    rng = np.random.default_rng(0)
    scores, fold = rng.integers(0, 9, 50) / 9, rng.integers(0, 2, 50)
    weight = share_of_unit(rng.integers(0, 12, 50))
    asked = np.linspace(-0.1, 1.1, 25)
    for member, table in rank_evidence(scores, weight, fold).items():
        own = fold == member
        expected = [weight[own & (scores >= score)].sum() for score in asked]
        np.testing.assert_allclose(table.at_least(asked), expected)
