"""The page of explanations: a card per image, means per class, and words of how the maps were made."""

from __future__ import annotations

from typing import Any

import pytest
from tests.report.explain.test_content import document

from graticule.explain.options import ExplainOptions
from graticule.report.explain.page import BASELINES, METHODS, Tile, render_explanations

URI = "data:image/png;base64,AAAA"
ODD = '<b>"x" & {{ 7*7 }}</b>'


def tile(path: str, role: str = "drawn", truth: str | None = None, predicted: str = "disc") -> Tile:
    return Tile(path, truth, predicted, role, URI, [(predicted, 0.9, URI)])


def page(tiles: list[Tile], **more: Any) -> str:
    """The page of a model of three classes, one of which no image was given."""
    curve = [0.9, 0.5, 0.1]
    made = document()
    made["checks"]["fidelity"]["curves"] = dict.fromkeys(
        ("deletion", "random_deletion", "insertion", "random_insertion"), curve
    )
    made |= {
        "graticule_version": "1", "created_utc": "2026-01-02T03:04:05Z", "backbone": "net", "notes": [],
        "classes": ["disc", ODD, "none"], "predicted": {"disc": 2, ODD: 1, "none": 0}, "method": "hirescam",
        "baseline": "training", "rows": [{"predicted": own.predicted} for own in tiles], "n_explained": len(tiles),
        "command": "c", "images": "i", "run": "r", "bundle_sha256": "ab", "views": 1, "layers": ["l"],
        "options": ExplainOptions().to_json(),
        "packages": {"numpy": "2"}, "n_unreadable": 0, "wall_time_s": 1.0,
    }  # fmt: skip
    means = {name: (URI, URI) for name in made["classes"] if any(own.predicted == name for own in tiles)}
    return render_explanations(made | more, tiles, means)


def test_each_image_has_a_card_and_each_class_that_was_given_its_mean() -> None:
    tiles = [tile("a.png", "typical", "disc"), tile("b.png", "confused", "ring"), tile("c.png", predicted=ODD)]
    text = page(tiles)
    assert text.count('alt="map of disc"') == 2
    assert "label: ring" in text
    assert text.count("mean picture of") == 2
    assert "mean picture of none" not in text
    assert ODD not in text
    assert "&lt;b&gt;" in text


@pytest.mark.parametrize("baseline", list(BASELINES))
def test_only_one_method_is_measured_from_an_average(baseline: str | None) -> None:
    tiles = [tile("a.png", "typical")]
    assert BASELINES[baseline] in page(tiles, baseline=baseline)
    for method in set(METHODS) - {"hirescam"}:
        text = page(tiles, method=method, baseline=baseline)
        assert METHODS[method] in text
        assert BASELINES[baseline] not in text


def test_an_image_without_a_label_is_not_wrong() -> None:
    assert [tile("a", truth=truth).wrong for truth in (None, "disc", "ring")] == [False, False, True]
