"""The page of a study of particles: its answer says what was shown, and no more."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from graticule.report.study.particles_page import figures_by_class, particle_rows, particles_answer, render_particles


def figure(value: float, half: float = 0.02) -> dict[str, Any]:
    return {"value": value, "low": value - half, "high": value + half}


def arm(name: str, value: float, gain: float | None) -> dict[str, Any]:
    one = {"n": 20, "precision": figure(value), "sensitivity": figure(0.7), "average_precision": figure(value)}
    over = None if gain is None else {key: figure(gain) for key in ("macro_precision", "average_precision_macro")}
    return {
        "name": name, "macro_precision": figure(value), "average_precision_macro": figure(value),
        "per_class": {"<oil>": one}, "over_weights": over,
    }  # fmt: skip


DOCUMENT: dict[str, Any] = {
    "graticule_version": "1", "created_utc": None, "packages": {}, "command": "graticule study particles --out <x>",
    "wall_time_s": 3.0, "phantoms": True, "n": 1000, "n_groups": 12, "n_turned": 140, "classes": ["<oil>"],
    "arms": [arm("none", 0.8, -0.05), arm("weights", 0.85, None), arm("symmetries", 0.9, 0.05)],
    "labels": {
        "n_listed": 7, "n_planted": 10, "planted_listed": 6, "planted_first": 8, "planted_first_three": 9,
        "first": [{"path": "a.png", "label": "<oil>", "suggested": "air", "score": 0.9, "truth": "air"}],
    },
    "left_out": ["No network was trained itself."],
}  # fmt: skip


def test_a_gain_is_one_only_above_its_interval() -> None:
    words = particles_answer(DOCUMENT)
    assert "0.900 [0.880, 0.920], by weights, rare images turned" in words
    assert "Over class weights that is 0.050 [0.030, 0.070]: a gain." in words
    assert "Of 10 labels made wrong on purpose, 8 stand among the first 10 and 9 among the first 30." in words
    unclear = deepcopy(DOCUMENT)
    unclear["arms"][2]["over_weights"]["average_precision_macro"] = figure(0.01)
    assert "no gain is shown" in particles_answer(unclear)
    unclear["arms"][2]["average_precision_macro"] = figure(0.5)
    unclear["labels"]["n_planted"] = None
    assert "No other way comes out above class weights." in particles_answer(unclear)
    assert "on purpose" not in particles_answer(unclear)


def test_differences_have_a_sign_and_weights_have_none() -> None:
    rows = particle_rows(DOCUMENT)
    assert rows[0][3].startswith("−0.050")
    assert rows[1][3:] == ("–", "–")
    assert rows[2][4].startswith("+0.050")
    ((name, n, ways),) = figures_by_class(DOCUMENT)
    assert (name, n, len(ways)) == ("<oil>", 20, 3)


def test_the_page_shows_all_ways_and_is_inert() -> None:
    page = render_particles(DOCUMENT, [Path("a.png")], lambda _: np.full((9, 9, 3), 90, np.uint8))
    assert page.count("weights, rare images turned") >= 3
    assert "&lt;oil&gt;: 20 images" in page
    assert "<oil>" not in page
    assert "made wrong on purpose" in page
    assert "No network was trained itself." in page
    assert "particles are drawn" in page
    assert "particles are drawn" not in render_particles(
        DOCUMENT | {"phantoms": False}, [Path("a.png")], lambda _: np.zeros((9, 9, 3), np.uint8)
    )
