"""Drawings of figures: a mark for each value, none for what is not defined, names inert."""

from __future__ import annotations

from graticule.report.charts import class_figure, fold_figure, group_figure, learning_figure


def figure(value: float | None) -> dict[str, float | None]:
    return {"value": value, "low": None if value is None else value - 0.1, "high": None if value is None else 1.0}


def test_a_class_has_two_marks_and_an_undefined_figure_none() -> None:
    both = {"sensitivity": figure(0.8), "precision": figure(0.7)}
    drawn = class_figure({"<b>": both, "other": {"sensitivity": figure(None), "precision": figure(0.9)}})
    assert drawn.count('class="dot"') == 1
    assert drawn.count('class="open"') == 2
    assert "<b>" not in drawn


def test_a_fold_has_a_disc_and_the_headline_a_tick() -> None:
    drawn = fold_figure([("accuracy", [0.8, None, 0.9], 0.85), ("AUC", [0.9], None)])
    assert drawn.count("<circle") == 3
    assert "fold 2" in drawn
    assert drawn.count('class="base"') == 1


def test_groups_and_numbers_of_images_are_drawn() -> None:
    assert group_figure([10, 40, 90], [0.7, 0.9, 0.85], 0.85).count("<circle") == 3
    assert "<svg" in learning_figure([(100, 0.7, 0.6, 0.8), (200, 0.8, None, None)])
