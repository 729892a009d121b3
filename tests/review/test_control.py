"""The error among accepted images: found again from a control sample, and from which decisions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.review.made_up import event_of, items_of

from graticule.arrays import object_array
from graticule.decide.decisions import ACCEPT
from graticule.record.current import ImageState
from graticule.review.class_items import ClassItems
from graticule.review.control import error_among_accepted
from graticule.review.items import CONTROL, draw_control


def _judged(items: ClassItems, truth: np.ndarray) -> dict[str, ImageState]:
    states = {}
    for place in np.flatnonzero(items.kind == CONTROL).tolist():
        states[items.sha256[place]] = ImageState({"ann": [event_of(place + 1, items.sha256[place], truth[place])]})
    return states


def test_error_among_accepted_is_found_again_and_its_interval_holds() -> None:
    items = items_of(6000, seed=3)
    # a rare class errs ten times as often as the others
    suggested = np.array(["c" if i % 40 == 0 else "a" for i in range(6000)], dtype=object)
    items = replace(items, suggested=suggested)
    rng = np.random.default_rng(0)
    held, values, true = 0, [], []
    for seed in range(150):
        wrong = rng.random(6000) < np.where(suggested == "c", 0.3, 0.03)
        truth = object_array(["b" if w else s for w, s in zip(wrong, suggested, strict=True)])
        drawn = replace(items, sampling_prob=draw_control(items, 250, seed))
        found = error_among_accepted(drawn, _judged(drawn, truth))
        share = wrong[items.decision == ACCEPT].mean()
        held += found.low <= share <= found.high
        values.append(found.value)
        true.append(share)
    assert np.mean(values) == pytest.approx(np.mean(true), abs=0.003)
    assert held >= 0.91 * 150


def test_error_counts_blind_decisions_and_adjudications_alone() -> None:
    items = items_of(400)
    items = replace(items, sampling_prob=draw_control(items, 60, 0))
    control = [items.sha256[p] for p in np.flatnonzero(items.kind == CONTROL)]
    model = dict(zip(items.sha256.tolist(), items.suggested.tolist(), strict=True))
    other = {sha: next(c for c in items.classes if c != model[sha]) for sha in control}
    seen = {sha: ImageState({"ann": [event_of(1, sha, other[sha], blind=False)]}) for sha in control}
    assert error_among_accepted(items, seen).n == 0
    doubtful = {sha: ImageState({"ann": [event_of(1, sha, "/doubtful", action="doubtful")]}) for sha in control}
    assert error_among_accepted(items, doubtful).n == 0
    novel = {sha: ImageState({"ann": [event_of(1, sha, "/novel", action="novel")]}) for sha in control}
    assert error_among_accepted(items, novel).value == 1.0
    settled = {sha: ImageState({}, [event_of(2, sha, model[sha], action="adjudicate", blind=False)]) for sha in control}
    assert error_among_accepted(items, settled).value == 0.0
    found = error_among_accepted(items, {control[0]: settled[control[0]]})
    assert len(found.missing) == 2
    assert found.high > 0.5
