"""The page of a comparison of numbers: what it says follows from the intervals, and too good figures win nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graticule.report.compare.value_page import (
    render_value_comparison,
    value_comparison_content,
    value_comparison_verdict,
)
from graticule.report.values.amounts import Amount


def figure(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "method": "group-bootstrap", "level": 0.95}


def document(ratio: dict[str, Any], flaw: str | None = None) -> dict[str, Any]:
    figures = {key: figure(0.1, 0.08, 0.12) for key in ("mae", "rmse", "r2", "bias", "slope", "spearman")}
    run = {"backbone": "lite0", "method": "features", "wall_time_s": 60.0, "n": 50, "figures": figures}
    row = {"sample_id": "a", "path": "a<b>.png", "target": 0.5, "a": 0.9, "b": 0.5}
    return {
        "graticule_version": "0.1.0", "created_utc": "2026-01-02T03:04:05Z", "target": "fraction", "unit": "",
        "part": "cv", "n": 50, "n_groups": 12, "cautions": [], "notes": ["a note"],
        "runs": [run | {"run": "x/one", "too_good": None}, run | {"run": "x/two", "too_good": flaw}],
        "comparisons": [{"ratio": ratio, "difference": figure(-0.02, -0.03, -0.01),
                         "closer": {"a": 10, "b": 39, "alike": 1}, "examples": {"a": [], "b": [row]}}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ratio", "flaw", "words", "act"),
    [
        (figure(0.8, 0.7, 0.9), None, "B is better", True),
        (figure(1.2, 1.1, 1.3), None, "A is better", True),
        (figure(0.9, 0.7, 1.1), None, "Chance alone", False),
        (figure(0.8), None, "no interval", False),
        (figure(None), None, "no ratio", False),
        (figure(0.8, 0.7, 0.9), "leaks", "figures of B are too good", False),
    ],
)
def test_what_is_said_follows_from_the_interval(ratio: dict[str, Any], flaw: str | None, words: str, act: bool) -> None:
    about = document(ratio, flaw)
    found = value_comparison_verdict(about["comparisons"][0], 1, ["one", "two"], about["runs"], Amount("", 3))
    assert words in found["words"]
    assert found["act"] == act


def test_the_page_is_whole(parse: Callable[[str], Any]) -> None:
    read = lambda _: np.full((8, 8, 3), 9, np.uint8)  # noqa: E731
    about = document(figure(0.8, 0.7, 0.9))
    page = parse(render_value_comparison(about, read, lambda _: Path("a.png")))
    assert page.from_elsewhere() == []
    assert page.targets <= set(page.ids)
    assert "B comes closer to the true value in 39 images" in page.text
    content = value_comparison_content(about, read, lambda _: None)
    assert content["pairs"][0]["pictures"][0][2][0]["uri"] is None
