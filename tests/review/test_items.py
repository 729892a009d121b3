"""Why an image is shown, the random control sample, and the order of the queue."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tests.review.made_up import items_of

from graticule.decide.decisions import ACCEPT
from graticule.review.class_items import expected_gain
from graticule.review.items import (
    CONTROL,
    MIN_PER_STRATUM,
    NOVELTY,
    OTHER,
    SUSPECT,
    UNSURE,
    draw_control,
    in_order,
)


def test_kind_is_the_first_reason_that_holds() -> None:
    items = items_of(200)
    suspicion = np.full(200, np.nan)
    suspicion[[9, 10]] = 0.9
    sampled = np.full(200, np.nan)
    sampled[10:60] = 0.3
    kind = replace(items, suspicion=suspicion, sampling_prob=sampled).kind
    accepted = items.decision == ACCEPT
    assert kind[9] == SUSPECT  # though novel
    assert kind[19] == NOVELTY
    assert set(kind[10:60][accepted[10:60]].tolist()) <= {CONTROL, SUSPECT}
    assert set(kind[60:][accepted[60:]].tolist()) == {OTHER}
    assert UNSURE in kind


def test_control_sample_is_stratified_with_the_chance_it_says() -> None:
    items = items_of(3000)
    chance = draw_control(items, 100, seed=4)
    accepted = items.decision == ACCEPT
    drawn = ~np.isnan(chance)
    assert not (drawn & ~accepted).any()
    for name in items.classes:
        own = accepted & (items.suggested == name)
        assert (drawn & own).sum() >= MIN_PER_STRATUM
        assert np.unique(chance[drawn & own]) == pytest.approx([(drawn & own).sum() / own.sum()])


def test_control_sample_is_uniform_over_seeds_and_the_same_in_any_order() -> None:
    items = items_of(120)
    accepted = items.decision == ACCEPT
    seen = sum(~np.isnan(draw_control(items, 30, seed)) for seed in range(400))
    chance = draw_control(items, 30, 0)
    expected = {name: np.nanmax(chance[items.suggested == name]) for name in items.classes}
    share = seen[accepted] / 400
    wanted = np.array([expected[name] for name in items.suggested[accepted]])
    error = np.sqrt(wanted * (1 - wanted) / 400)
    assert (np.abs(share - wanted) <= 4.5 * np.maximum(error, 1e-9)).all()
    turned = items.take(np.arange(120)[::-1].copy())
    assert (np.isnan(draw_control(turned, 30, 0)) == np.isnan(chance)[::-1]).all()


def test_no_control_sample_without_accepted_images_or_wish() -> None:
    items = items_of(50)
    assert np.isnan(draw_control(items, 0)).all()
    assert np.isnan(draw_control(replace(items, decision=np.full(50, "review", object)), 20)).all()


def test_order_is_by_expected_errors_with_the_control_sample_spread_evenly() -> None:
    items = items_of(2000)
    items = replace(items, sampling_prob=draw_control(items, 150, 0))
    ordered = in_order(items)
    kind, gain = ordered.kind, expected_gain(ordered)
    needed = ~np.isin(kind, (CONTROL, OTHER))
    assert (np.diff(gain[needed]) <= 1e-12).all()
    assert np.flatnonzero(kind == OTHER).min() > np.flatnonzero(kind != OTHER).max()
    place = np.flatnonzero(kind == CONTROL)
    front = (kind != OTHER).sum()
    share = len(place) / front
    for part in np.array_split(np.arange(front), 5):
        assert np.isin(part, place).mean() == pytest.approx(share, abs=0.02)
    assert sorted(ordered.sha256.tolist()) == sorted(items.sha256.tolist())


def test_beginning_of_the_control_sample_holds_each_class_in_its_share() -> None:
    items = items_of(3000)
    items = replace(items, sampling_prob=draw_control(items, 200, 0))
    ordered = in_order(items)
    control = ordered.suggested[ordered.kind == CONTROL]
    whole, half = Counter(control.tolist()), Counter(control[: len(control) // 2].tolist())
    for name, n in whole.items():
        assert abs(half[name] - n / 2) <= 1


def test_random_order_does_not_follow_the_score() -> None:
    ordered = in_order(items_of(3000), "random", seed=2)
    own = ordered.score[ordered.kind == UNSURE]
    assert abs(np.corrcoef(own, np.arange(len(own)))[0, 1]) < 0.1
    other = in_order(items_of(3000), "random", seed=3)
    assert ordered.sha256.tolist() != other.sha256.tolist()


def test_items_survive_taking_rows() -> None:
    items = items_of(30)
    some = items.take(items.suggested == "a")
    assert set(some.suggested.tolist()) == {"a"}
    assert len(some.sets) == len(some.nearest) == len(some)
    assert len(in_order(items_of(0))) == 0
