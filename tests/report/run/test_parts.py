"""What the classifiers look at, as run.json has it and as the report says it."""

from typing import Any

import pytest

from graticule.report.run.parts import gain, looked_at, parts_told

ALL = ["whole", "centre", "covariance"]


def fold(chosen: list[str], **values: float) -> dict[str, Any]:
    """A fold of run.json: what it chose, and what all parts, the centre and the whole told."""
    parts = {"all": ALL, "centre": ["centre"], "whole": ["whole"]}
    return {
        "parts": sorted(chosen),
        "told": [{"parts": parts[name], "balanced_accuracy": value} for name, value in values.items()],
    }


HEAD = {
    "folds": [
        fold(ALL, all=0.80, centre=0.70, whole=0.74),
        fold(ALL, all=0.84, centre=0.72, whole=0.76),
        fold(["centre"], all=0.82, centre=0.74, whole=0.72),
    ]
}


def test_each_set_of_parts_is_told_with_its_range_and_how_often_it_was_chosen() -> None:
    rows = parts_told(HEAD)
    assert [row.words for row in rows] == [
        "the whole picture, its centre, which textures occur together",
        "the centre of the picture",
        "the whole picture",
    ]
    assert [row.accuracy for row in rows] == pytest.approx([0.82, 0.72, 0.74])
    assert (rows[0].low, rows[0].high) == (0.80, 0.84)
    assert [row.chosen for row in rows] == [2, 1, 0]


def test_the_gain_over_the_whole_picture_is_said_in_points() -> None:
    assert gain(parts_told(HEAD)).startswith(
        "Everything together told 8.0 points more than the whole picture alone: 82.0"
    )
    worse = {"folds": [fold(["whole"], all=0.70, whole=0.72)]}
    assert "2.0 points less than the whole picture alone, which 1 fold took" in gain(parts_told(worse))
    same = {"folds": [fold(ALL, all=0.7001, whole=0.70)]}
    assert "as much as" in gain(parts_told(same))


@pytest.mark.parametrize("head", [{}, {"folds": []}, {"folds": [{"parts": []}]}, {"folds": [fold(ALL, all=0.8)]}])
def test_nothing_is_said_where_nothing_was_compared(head: dict[str, Any]) -> None:
    assert gain(parts_told(head)) == ""


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            [["centre", "covariance"]] * 2 + [["centre", "covariance", "whole"]],
            "The centre of the image told more than",
        ),
        ([["covariance", "whole"]] * 3, "The surroundings told something too"),
        (
            [["centre", "whole"]] * 3,
            "the whole picture in 3 of 3 folds, its centre in 3, which textures occur together in 0",
        ),
    ],
)
def test_what_the_classifiers_look_at_is_said(parts: list[list[str]], words: str) -> None:
    assert words in looked_at({"folds": [{"parts": fold} for fold in parts]})


def test_features_without_parts_say_nothing_of_them() -> None:
    assert looked_at({"folds": [{"parts": []}, {}]}) == ""
