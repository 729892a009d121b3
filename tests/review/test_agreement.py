"""Kappa against scikit-learn, the worked example of the literature, and planted agreement."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from graticule.record.events import Event
from graticule.review.agreement import MISSING, blind_ratings, cohen_kappa, fleiss_kappa

# ten subjects, fourteen raters, five categories; the kappa of 0.210 is given with the example
WORKED = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


@pytest.mark.parametrize("seed", range(10))
def test_cohen_against_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, 60)
    b = np.where(rng.random(60) < 0.6, a, rng.integers(0, 4, 60))
    found = cohen_kappa(a, b)
    assert found.value == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)
    assert found.low < found.value < found.high
    holes = np.where(rng.random(60) < 0.2, MISSING, b)
    known = holes != MISSING
    assert cohen_kappa(a, holes).value == pytest.approx(cohen_kappa_score(a[known], b[known]), abs=1e-12)


def test_fleiss_worked_example() -> None:
    """By hand: mean observed agreement 0.378, expected 0.213, kappa 0.210."""
    found = fleiss_kappa(WORKED)
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.observed == pytest.approx(0.378, abs=5e-4)
    assert found.n == 10
    assert found.low < found.value < found.high


def test_fleiss_leaves_out_single_judgements_and_takes_unequal_numbers() -> None:
    single = np.vstack([WORKED, [[1, 0, 0, 0, 0]] * 5])
    assert fleiss_kappa(single).value == fleiss_kappa(WORKED).value
    pairs = np.array([[2, 0], [0, 2], [1, 1], [3, 0]])
    # agreeing pairs: 1, 1, 0, 1; shares of the values: 6/9 and 3/9
    expected = (6 / 9) ** 2 + (3 / 9) ** 2
    assert fleiss_kappa(pairs).value == pytest.approx((0.75 - expected) / (1 - expected))


def test_limits() -> None:
    same = np.arange(20) % 3
    perfect = cohen_kappa(same, same)
    assert perfect.value == perfect.high == 1.0
    assert 0.6 < perfect.low < 0.9
    one = np.zeros(8, dtype=np.int64)
    assert np.isnan(cohen_kappa(one, one).value)
    assert np.isnan(cohen_kappa(one, np.full(8, MISSING)).value)
    assert np.isnan(fleiss_kappa(np.zeros((0, 3), dtype=np.int64)).value)


def test_interval_covers_planted_agreement() -> None:
    """Two persons who agree by design: kappa 0.7 over 3 even classes; 100 samples of 80 images."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        a = rng.integers(0, 3, 80)
        b = np.where(rng.random(80) < 0.7, a, rng.integers(0, 3, 80))
        found = cohen_kappa(a, b)
        hits += found.low <= 0.7 <= found.high
    assert 89 <= hits <= 99


def _event(seq: int, image: str, who: str, value: str | None, **more: object) -> Event:
    fields = dict.fromkeys(Event.__dataclass_fields__, None) | {"action": "label", "blind": True, "bulk": False}
    return Event(**fields | {"seq": seq, "image_sha256": image, "who": who, "new_value": value} | more)  # type: ignore[arg-type]


def test_only_blind_single_labels_count() -> None:
    events = [
        _event(1, "i", "ann", "a"),
        _event(2, "i", "bob", "b"),
        # after a talk, in the open: the first disagreement stays
        _event(3, "i", "bob", "a", action="change", blind=False),
        _event(4, "j", "ann", "a", bulk=True),
        _event(5, "j", "bob", "a"),
        _event(6, "k", "ann", "a"),
        _event(7, "k", "ann", None, action="undo", refers_to=6),
        _event(8, "k", "ann", "c"),
        _event(9, "k", "eve", "c", action="import"),
    ]
    found = blind_ratings(events)
    assert found.people == ("ann", "bob")
    assert found.values == ("a", "b", "c")
    assert dict(zip(found.images, found.said.tolist(), strict=True)) == {
        "i": [0, 1],
        "j": [MISSING, 0],
        "k": [2, MISSING],
    }
    assert found.counts().sum(axis=1).tolist() == [2, 1, 1]
