"""Images of which a number is asked: why and in which order they are shown, and what may be said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.review.made_up import SIZE, numbers_of

from graticule.errors import LabelStoreError, OptionError
from graticule.record.events import DOUBTFUL, NOVEL
from graticule.review.items import CONTROL, NOVELTY, OTHER, SUSPECT, UNSURE, draw_control, in_order


def test_the_queue_begins_with_the_largest_errors_that_a_look_may_mend() -> None:
    items = numbers_of(200)
    suspicion, given = np.full(200, np.nan), items.value.copy()
    suspicion[3], given[3] = 0.95, items.value[3] - 60.0
    outside = items.value.copy()
    outside[8] = 130.0  # 40 above what was trained on
    ordered = in_order(replace(items, suspicion=suspicion, given=given, value=outside))
    assert ordered.path[:2].tolist() == ["img/00003.png", "img/00008.png"]
    kind = ordered.kind[:40].tolist()
    assert kind == [SUSPECT, UNSURE, *[NOVELTY] * 20, *[UNSURE] * 19][:40]
    assert set(ordered.kind[41:].tolist()) == {OTHER}
    width = (ordered.high - ordered.low)[41:]
    assert (np.diff(width) <= 0).all()


def test_margin_asks_for_the_widest_limits() -> None:
    items = numbers_of(50)
    gain = items.gain("margin")
    known = ~np.isnan(items.low)
    assert gain[known] == pytest.approx((items.high - items.low)[known] / 80.0)
    assert (gain[~known] > gain[known].max()).all()


def test_on_a_logarithmic_scale_relative_widths_count() -> None:
    value = np.array([10.0, 80.0])
    items = numbers_of(2, value=value, low=value * 0.5, high=value * 2.0, logarithmic=True)
    assert np.ptp(items.gain("gain")) == pytest.approx(0.0, abs=1e-12)
    assert items.reach == (10.0, 100.0)  # a bound of 0 is none
    assert items.asked()["number"]["logarithmic"] is True


def test_without_a_model_images_without_a_number_come_first() -> None:
    unknown = np.full(4, np.nan)
    items = numbers_of(4, value=unknown, low=unknown, high=unknown, given=np.array([1.0, np.nan, 2.0, np.nan]),
                       decision=np.full(4, "", object), reason=np.full(4, "", object))  # fmt: skip
    assert items.kind.tolist() == [UNSURE] * 4
    assert items.gain("gain").tolist() == [0, 1, 0, 1]
    shown = items.opinion(0, blind=False)
    assert (shown["given"], shown["suggested"], shown["why"]) == ("1 nm", None, "said to be 1 nm")
    assert items.opinion(1, blind=False)["why"] == "without a number"
    assert items.promised_error is None


def test_the_control_sample_is_drawn_in_each_third() -> None:
    items = numbers_of(900)
    chance = draw_control(items, 90)
    drawn = replace(items, sampling_prob=chance)
    for name in items.stratum_names:
        own = items.accepted & (items.strata == name)
        assert own.sum() == pytest.approx(items.accepted.sum() / 3, abs=1)
        assert (drawn.kind[own] == CONTROL).sum() == 30
        assert np.unique(chance[own & ~np.isnan(chance)]) == pytest.approx([30 / own.sum()])


def test_a_number_outside_its_limits_contradicts_the_model() -> None:
    items = numbers_of(10)
    place = 0
    assert not items.contradicts(place, SIZE.text(items.low[place]))
    assert items.contradicts(place, SIZE.text(items.high[place] + 0.001))
    assert items.contradicts(place, NOVEL)
    assert not items.contradicts(9, SIZE.text(1.0))  # no limits were given


def test_what_is_typed_becomes_a_value_of_the_record() -> None:
    items = numbers_of(3)
    assert items.said("12.5 nm") == SIZE.text(12.5)
    assert items.settled(DOUBTFUL) == DOUBTFUL
    for bad in ("", "many", "nan", "-1", "101", "5 mm", DOUBTFUL):
        with pytest.raises(LabelStoreError, match="size is a number in nm from 0 to 100"):
            items.said(bad)


def test_the_opinion_is_the_prediction_and_a_blind_one_is_empty() -> None:
    items = numbers_of(3, given=np.array([np.nan, 40.0, np.nan]), suspicion=np.array([np.nan, 0.9, np.nan]))
    seen = items.opinion(1, blind=False)
    assert seen["number"] == {"value": items.value[1], "low": items.low[1], "high": items.high[1], "given": 40.0}
    assert seen["why"] == f"said to be 40 nm, looks like {seen['suggested']}"
    assert float(seen["suggested"].split()[0]) == pytest.approx(items.value[1], rel=1e-3)
    blind = items.opinion(1, blind=True)
    assert {blind[name] for name in ("why", "given", "suggested", "score", "number")} == {None}
    assert items.suggestion(100.04) == 100.0


def test_filters_are_by_number() -> None:
    items = numbers_of(60)
    assert items.passing("", 20.0, 50.0).tolist() == ((items.value >= 20) & (items.value <= 50)).tolist()
    assert items.passing("", None, None).all()
    for label, low, high in (("a", None, None), ("", 5.0, 1.0), ("", float("nan"), None)):
        with pytest.raises(OptionError):
            items.passing(label, low, high)


def test_the_slider_reaches_over_bounds_or_what_was_seen() -> None:
    items = numbers_of(30)
    assert items.reach == (0.0, 100.0)
    wider = np.where(np.arange(30) == 0, 95.0, items.value)
    assert replace(items, bounds=(None, None), value=wider).reach == (10.0, 95.0)
    nothing = np.full(30, np.nan)
    assert replace(items, bounds=(0.0, None), seen=None, value=nothing).reach is None
