"""Pictures of predicted numbers: every image a mark, names escaped, many images thinned, odd inputs drawn too."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from graticule.report.values.charts import (
    MOST_POINTS,
    Points,
    coverage_figure,
    error_figure,
    fold_panel,
    group_error_figure,
    learning_value_figure,
    methods_figure,
    truth_figure,
)


def points(n: int = 60, n_groups: int = 12, limits: bool = True) -> Points:
    rng = np.random.default_rng(0)
    y = rng.uniform(0, 1, n)
    p = y + 0.1 * rng.normal(size=n)
    half = np.where(limits, 0.2, np.nan)
    return Points(y, p, p - half, p + half, np.arange(n) % n_groups, [f"<image> {i}" for i in range(n)])


def marks(drawing: str) -> int:
    ET.fromstring(drawing)
    return drawing.count('class="mark ')


def test_each_image_is_a_mark_with_its_limits() -> None:
    drawing = str(truth_figure(points(), "x", ", mm"))
    assert marks(drawing) == 60
    assert drawing.count('class="reach ') == 60
    assert "<image>" not in drawing
    assert "true x, mm" in drawing
    without = str(truth_figure(points(limits=False), "x", ""))
    assert (marks(without), without.count('class="reach ')) == (60, 0)


def test_many_images_are_thinned_evenly() -> None:
    many = points(5000)
    assert len(many.drawn) == MOST_POINTS
    assert marks(str(truth_figure(many, "x", ""))) == MOST_POINTS


@pytest.mark.parametrize("by", ["target", "value"])
def test_errors_with_their_running_mean(by: str) -> None:
    drawing = str(error_figure(points(), by, "x", "", (-0.2, 0.2)))
    assert marks(drawing) == 60
    assert drawing.count('class="limit"') == 2
    assert 'class="join strong"' in drawing
    one = Points(*(np.array([1.0]) for _ in range(4)), np.array([0]), ["a"])
    assert marks(str(error_figure(one, by, "x", "", None))) == 1


def test_errors_of_groups() -> None:
    drawing = str(group_error_figure(points(), [f"g&{k}" for k in range(12)], "", "specimens"))
    assert marks(drawing) == 60
    assert drawing.count('class="base"') == 12
    assert "g&amp;3: mean error" in drawing


def test_limits_against_width() -> None:
    drawing = str(coverage_figure([(0.2, 0.88, 0.8, 0.93), (0.3, 0.94, None, None)], 0.9, ""))
    ET.fromstring(drawing)
    assert "narrowest third" in drawing
    assert drawing.count('class="span"') == 1


def test_methods_learning_and_folds() -> None:
    methods = str(methods_figure([("the <model>", 0.1, 0.08, 0.12), ("mean", 0.2, None, None)], ""))
    learning = str(learning_value_figure([(10, 0.3, 0.2, 0.4), (20, 0.2, None, None)], ", mm"))
    edges = np.linspace(0, 1, 13)
    held, none_held = (
        str(fold_panel(np.array([0.1, 0.2]), rows, edges, "x")) for rows in (np.array([0.1]), np.empty(0))
    )
    for drawing in (methods, learning, held, none_held):
        ET.fromstring(drawing)
    assert "the &lt;model&gt;" in methods
    assert ", mm" in learning
    assert held != none_held
