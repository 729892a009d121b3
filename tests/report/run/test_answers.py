"""Answers in words follow the numbers."""

import numpy as np
import pytest

from graticule.predictions import Predictions
from graticule.report.quantities import show
from graticule.report.run.answers import learning_answer, methods_paragraph, reliability_answer
from graticule.report.run.source import ReportSource


def points(before: float, after: float, half: float | None) -> list[dict[str, float | None]]:
    """Last two points of a learning curve."""
    rows = []
    for n, value in ((100, before), (200, after)):
        ends = (None, None) if half is None else (value - half, value + half)
        rows.append({"n_train": n, "balanced_accuracy": value, "low": ends[0], "high": ends[1]})
    return rows


@pytest.mark.parametrize(
    ("before", "after", "half", "answer"),
    [
        (0.80, 0.90, 0.02, "Yes, probably."),
        (0.90, 0.901, 0.005, "Hardly."),
        (0.90, 0.91, 0.02, "Perhaps."),
        (0.95, 0.90, 0.01, "Hardly."),
        (0.80, 0.90, None, "Undecided."),
    ],
)
def test_would_more_images_help(before: float, after: float, half: float | None, answer: str) -> None:
    found = learning_answer(points(before, after, half))
    assert found is not None
    assert found[0] == answer
    assert "From 100 to 200 training images" in found[1]


def test_the_gain_is_written_with_its_interval() -> None:
    found = learning_answer(points(0.9, 0.91, 0.03))
    assert found is not None
    assert "a change of +1.0 points (95\u202f% interval −3.2 to +5.2)" in found[1]


def test_no_answer_from_less_than_two_points() -> None:
    assert learning_answer([]) is None
    assert learning_answer(points(0.8, 0.9, 0.1)[:1]) is None
    assert learning_answer([*points(0.8, 0.9, 0.1)[:1], {"n_train": 50, "balanced_accuracy": None}]) is None


def test_scores_too_sure_or_too_modest() -> None:
    assert "surer than they are right" in reliability_answer(0.95, 0.90, None)
    assert "less sure than they are right" in reliability_answer(0.85, 0.90, None)
    assert "as sure as they are right" in reliability_answer(0.901, 0.90, {"value": 0.02})


def test_how_a_number_is_written() -> None:
    figure = {"value": 0.951, "low": 0.9421, "high": 0.9586, "method": "wilson", "level": 0.95}
    shown = show(figure, "percent")
    assert (shown.value, shown.interval, shown.span) == ("95.1\u202f%", "94.2–95.9", "94.2 to 95.9\u202f%")
    assert shown.hint == "95\u202f% interval; Wilson's score interval for a proportion (Wilson 1927)"
    assert show(figure, "decimal").interval == "0.942–0.959"
    few = show(figure | {"low": None, "high": None, "method": "too_few_groups"}, "percent")
    assert (few.value, few.interval) == ("95.1\u202f%", "")
    assert "fewer than 10 groups" in few.hint
    for nothing in (None, {"value": None}, {"value": float("nan")}, {}):
        assert (show(nothing, "percent").value, show(nothing, "percent").raw) == ("–", None)


@pytest.mark.parametrize(
    ("recorded", "told"),
    [({}, "weights; feature"), ({"device": "cpu"}, "weights; feature"), ({"device": "cuda:0"}, "weights on cuda:0;")],
)
def test_methods_name_what_computed_where_it_was_not_the_processor(recorded: dict[str, str], told: str) -> None:
    metrics = {"n": 2, "classes": ["a", "b"], "accuracy": None}
    predictions = Predictions(*(np.array([]),) * 5, ("a", "b"), np.zeros((0, 2)))  # not looked at
    source = ReportSource({"embedding": recorded}, metrics, predictions, {}, False, [])
    assert f"with fixed pretrained {told}" in methods_paragraph(source)
