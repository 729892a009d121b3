"""Agreement on numbers: known figures, planted truth, and which readings count."""

from __future__ import annotations

import numpy as np
import pytest
from tests.review.made_up import SIZE, event_of, numbers_of

from graticule.review.number_agreement import differences_between, limits_of_agreement


def test_a_worked_example() -> None:
    difference = np.array([1.0, 3.0, 2.0, 4.0, 0.0])
    found = limits_of_agreement(difference)
    spread = np.sqrt(2.5)
    reach = 2.7764451052 * spread / np.sqrt(5)  # Student's t with 4 degrees of freedom
    assert found.mean == pytest.approx((2.0, 2.0 - reach, 2.0 + reach))
    assert (found.lower[0], found.upper[0]) == pytest.approx((2.0 - 1.959964 * spread, 2.0 + 1.959964 * spread))
    # wider outwards than inwards, and alike on both sides
    assert 0 < found.upper[0] - found.upper[1] < found.upper[2] - found.upper[0]
    assert [4.0 - end for end in found.lower[1:]] == pytest.approx([found.upper[2], found.upper[1]])


def test_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(1)
    truth = {"mean": 1.5, "lower": 1.5 - 1.959964 * 2, "upper": 1.5 + 1.959964 * 2}
    held = dict.fromkeys(truth, 0)
    for _ in range(600):
        found = limits_of_agreement(rng.normal(1.5, 2.0, 12))
        for name, at in truth.items():
            low, high = getattr(found, name)[1:]
            held[name] += low <= at <= high
    assert all(0.93 <= n / 600 <= 0.97 for n in held.values()), held


def test_too_few_images_have_no_limits() -> None:
    assert np.isnan(limits_of_agreement(np.zeros(0)).mean[0])
    found = limits_of_agreement(np.array([1.0, 2.0]))
    assert (found.n, found.mean[0]) == (2, 1.5)
    assert np.isnan([*found.mean[1:], *found.lower, *found.upper]).all()


def test_blind_readings_of_two_persons_and_of_the_model() -> None:
    items = numbers_of(30)
    rng = np.random.default_rng(0)
    events = []
    for place in range(20):
        for who, offset in (("ann", 2.0), ("bob", 0.0)):
            number = float(items.value[place] + offset + rng.normal(0, 0.5))
            events.append(event_of(len(events) + 1, items.sha256[place], SIZE.text(number), who))
    events.append(event_of(len(events) + 1, items.sha256[25], SIZE.text(1.0), "ann", blind=False))
    events.append(event_of(len(events) + 1, items.sha256[26], "/doubtful", "bob", action="doubtful"))
    place_of = {sha: i for i, sha in enumerate(items.sha256.tolist())}
    found = differences_between(items, events, place_of.get)
    (pair,) = found["pairs"]
    assert (pair["a"], pair["b"], pair["n"], found["ratio"]) == ("ann", "bob", 20, False)
    assert pair["mean"]["value"] == pytest.approx(2.0, abs=0.5)
    assert pair["lower"]["value"] < pair["mean"]["low"]
    assert (found["model"]["n"], found["model"]["mean"]["value"]) == (20, pytest.approx(1.0, abs=0.4))


def test_where_relative_errors_count_figures_are_ratios() -> None:
    items = numbers_of(10, logarithmic=True)
    events = []
    for place in range(10):
        for who, factor in (("ann", 1.1), ("bob", 1.0)):
            said = SIZE.text(float(items.value[place]) * factor)
            events.append(event_of(len(events) + 1, items.sha256[place], said, who))
    found = differences_between(items, events, {}.get)
    assert found["ratio"] is True
    assert found["pairs"][0]["mean"]["value"] == pytest.approx(1.1)
    assert found["model"] is None
