"""The judgement from arrays: copies in one class do not touch another, generators are held against what they saw."""

import numpy as np
from tests.synthesis.drawn import blobs, degraded

from graticule.gates import NOT_TESTED, REFUSED
from graticule.synthesis.distance import comparable
from graticule.synthesis.judging import Pictures, RealOrigin, judge_generated

N = 80


def pictures(made: list[np.ndarray]) -> Pictures:
    """Two classes: their features differ by where they lie."""
    y = np.repeat([0, 1], [len(part) for part in made])
    rng = np.random.default_rng(len(y))
    features = rng.normal(size=(len(y), 8)) + 4.0 * y[:, None]
    return Pictures(comparable(np.concatenate(made)), features.astype(np.float32), y)


FIRST, SECOND = blobs(N, 0), 1 - blobs(N, 1)
REAL = pictures([FIRST, SECOND])
UNIT = np.arange(2 * N)
PARENT = np.tile(np.arange(N) < 40, 2)


def origin(n: int) -> RealOrigin:
    return RealOrigin(UNIT, UNIT, np.zeros_like(UNIT), np.zeros(n, np.int64), PARENT[None])


def test_copies_in_one_class_do_not_touch_the_other() -> None:
    made = pictures([blobs(40, 2), degraded(SECOND[:40], 3)])
    (new, rows), (copied, others) = judge_generated(REAL, made, origin(80), ("bright", "dark"))
    assert (new.verdict, copied.verdict) == (NOT_TESTED, REFUSED)
    assert rows.tolist() == list(range(40))
    assert others.tolist() == list(range(40, 80))
    assert (new.n_parents, new.n_held_out, new.n_generated) == (40, 40, 40)
    assert new.agreement > 0.9
    assert copied.each is not None
    assert copied.each.flagged.mean() > 0.9


def test_a_class_without_generated_images_is_not_judged() -> None:
    made = Pictures(comparable(blobs(30, 4)), np.zeros((30, 8), np.float32), np.zeros(30, np.int64))
    found = judge_generated(REAL, made, origin(30), ("bright", "dark"))
    assert [one.label for one, _ in found] == ["bright"]


def test_images_of_another_class_are_refused() -> None:
    made = pictures([blobs(40, 5), blobs(40, 6)])
    wrong = Pictures(made.grey, made.features[::-1].copy(), made.y)
    found = judge_generated(REAL, wrong, origin(80), ("bright", "dark"))
    assert all(one.verdict == REFUSED for one, _ in found)
    assert all(one.agreement < 0.1 for one, _ in found)


def test_the_order_of_generators_is_that_of_the_flags() -> None:
    made = pictures([np.concatenate([degraded(FIRST[:20], 7), blobs(20, 8)]), 1 - blobs(40, 9)])
    # two generators in turn; the first saw the first half, the second the other half of each class
    seen = np.stack([PARENT, ~PARENT])
    which = np.arange(80) % 2
    shown = RealOrigin(UNIT, UNIT, np.zeros_like(UNIT), which, seen)
    found, rows = judge_generated(REAL, made, shown, ("bright", "dark"))[0]
    assert found.each is not None
    flagged = set(rows[found.each.flagged].tolist())
    # what the first generator made of the first twenty is copied; the second had not seen those
    assert set(range(0, 20, 2)) <= flagged
    assert not flagged & set(range(1, 20, 2))


def test_too_few_different_parents_are_refused() -> None:
    made = pictures([blobs(20, 10), 1 - blobs(20, 11)])
    unit = UNIT.copy()
    unit[:40] = 0
    found = judge_generated(
        REAL, made, RealOrigin(unit, unit, np.zeros_like(unit), np.zeros(40, np.int64), PARENT[None]), ("a", "b")
    )
    assert found[0][0].each is None
    assert found[0][0].verdict == REFUSED
