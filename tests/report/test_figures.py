"""Drawings: well-formed, finite, and with names that cannot break out of them."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from graticule.report import charts, figures
from graticule.report.curves import Curve, roc_points
from graticule.report.svg import nice_ticks, short

EVIL = '</svg><script>alert("1")</script>'


def parsed(markup: str) -> ElementTree.Element:
    """The drawing as XML; fails when it is not well-formed or holds a number that is none."""
    assert not re.search(r"\b(nan|inf)\b", markup)
    root = ElementTree.fromstring(markup)
    assert not root.findall(".//script")
    return root


def figure(value: float | None, half: float = 0.02) -> dict[str, float | None]:
    if value is None:
        return {"value": None, "low": None, "high": None, "baseline": None}
    return {"value": value, "low": value - half, "high": min(1.0, value + half), "baseline": 0.1}


def test_interval_bar_places_value_and_baseline() -> None:
    root = parsed(charts.interval_bar(figure(0.5)))
    dot = root.find("circle")
    assert dot is not None
    assert float(dot.attrib["cx"]) == pytest.approx(80.0)
    assert charts.interval_bar(figure(None)) == ""
    assert charts.interval_bar(None) == ""


def test_class_figure_with_evil_and_undefined_classes() -> None:
    rows = {
        EVIL: {"sensitivity": figure(0.8), "precision": figure(None)},
        "b": {"sensitivity": None, "precision": None},
    }
    root = parsed(charts.class_figure(rows))
    assert len(root.findall(".//circle")) == 1
    assert [text.text for text in root.findall("text")][-3:-1] == [short(EVIL), "b"]


def test_fold_figure_draws_one_disc_per_defined_value() -> None:
    root = parsed(charts.fold_figure([("Accuracy", [0.8, None, 0.9], 0.85), ("ROC AUC", [1.0, 1.0, 1.0], None)]))
    assert len(root.findall(".//circle")) == 5


def test_group_figure_merges_groups_that_coincide() -> None:
    root = parsed(charts.group_figure([4, 4, 100], [0.5, 0.5, 0.9], 0.88))
    radii = sorted(float(disc.attrib["r"]) for disc in root.findall(".//circle"))
    assert radii == pytest.approx([4.0, 4.0 * 2**0.5], abs=0.01)
    parsed(charts.group_figure([7], [1.0], 1.0))
    parsed(charts.group_figure([7, 7], [0.0, 0.0], 0.0))


def test_learning_figure_of_flat_and_missing_intervals() -> None:
    root = parsed(charts.learning_figure([(10, 0.9, None, None), (20, 0.9, 0.8, 1.0)]))
    assert len(root.findall(".//circle")) == 2
    parsed(charts.learning_figure([(10, 1.0, None, None), (20, 1.0, None, None)]))


def test_curve_panels_share_one_backdrop() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.5
    curve = roc_points(positive, rng.normal(size=200) + 3 * positive)
    backdrop = figures.curve_backdrop([curve, Curve(np.empty(0), np.empty(0))], False, "all")
    ids = [item.attrib["id"] for item in parsed(backdrop).iter() if "id" in item.attrib]
    assert ids == ["all", "all-0"]
    panel = figures.curve_panel(curve, "all", 0, ("x", "y"), None, (0.02, 0.98))
    uses = {item.attrib["href"] for item in parsed(panel).iter("use")}
    assert uses == {"#all", "#all-0"}
    assert "corner, 10 ×" in panel
    empty = figures.curve_panel(Curve(np.empty(0), np.empty(0)), "all", 1, ("x", "y"), 0.0, None)
    assert "not defined" in empty
    assert "<use" not in empty


@pytest.mark.parametrize(
    ("point", "steps", "side"),
    [((0.01, 0.99), False, 0.1), ((0.99, 0.99), True, 0.1), ((0.1, 0.9), False, 0.2), ((0.5, 0.9), False, None)],
)
def test_lens_only_where_the_corner_is_crowded(point: tuple[float, float], steps: bool, side: float | None) -> None:
    assert figures.zoom_window(point, steps) == side


def test_reliability_figure_draws_a_disc_per_bin_and_the_intervals_that_are_known() -> None:
    bins = {"score": [0.5, 0.9], "accuracy": [0.4, 1.0], "low": [0.2, None], "high": [0.7, None], "n": [10, 40]}
    root = parsed(figures.reliability_figure(bins))
    discs = [(float(disc.attrib["cx"]), float(disc.attrib["cy"])) for disc in root.findall(".//circle")]
    np.testing.assert_allclose(discs, [(46 + 150, 308 - 120), (46 + 270, 8)])
    spans = [item for item in root.iter() if item.attrib.get("class") == "span"]
    assert len(spans) == 1
    ends = sorted(308 - 300 * share for share in (0.2, 0.7))
    assert sorted(float(spans[0].attrib[key]) for key in ("y1", "y2")) == pytest.approx(ends)
    parsed(figures.reliability_figure({key: [] for key in bins}))


def test_ticks_are_round_and_cover_the_range() -> None:
    assert nice_ticks(0.86, 1.0) == [0.85, 0.9, 0.95, 1.0]
    assert nice_ticks(0.0, 1920.0) == [0.0, 500.0, 1000.0, 1500.0, 2000.0]
    for low, high in ((0.3, 0.3), (0.0, 1.0), (0.991, 1.0), (3.0, 7000.0)):
        ticks = nice_ticks(low, high)
        assert ticks[0] <= low
        assert ticks[-1] >= high
        assert len(ticks) >= 2


def test_short_names_keep_both_ends() -> None:
    assert short("abc", 5) == "abc"
    cut = short("abcdefghijklmnopqrstuvwxyz", 10)
    assert (len(cut), cut[0], cut[-1]) == (10, "a", "z")
