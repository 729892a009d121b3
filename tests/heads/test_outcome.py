"""What a method of training hands on: who is scored by what, and the figures of each part."""

from __future__ import annotations

import numpy as np
import pytest
from tests.made_samples import folds_of, samples_of

from graticule.arrays import object_array
from graticule.heads.outcome import part_metrics, scored_once, scored_predictions
from graticule.split.division import Division

PARTS, FOLDS = ["cv", "test", "cv", "calibration", "synthetic", "cv"], [0, -1, 1, -1, -1, 1]


def division() -> Division:
    return Division(folds_of(PARTS, FOLDS), [], [])


def test_what_is_set_aside_is_scored_once() -> None:
    assert scored_once(division().folds).tolist() == [False, True, False, True, False, False]


def test_the_table_holds_out_of_fold_scores_and_those_of_what_is_set_aside() -> None:
    samples = samples_of(["a", "b", "a", "b", "a", "b"])
    proba = np.column_stack([np.arange(6) / 10, 1 - np.arange(6) / 10])
    table = scored_predictions(samples, division(), proba)
    assert table.path.tolist() == ["000.png", "001.png", "002.png", "003.png", "005.png"]
    assert table.part.tolist() == ["cv", "test", "cv", "calibration", "cv"]
    assert table.fold.tolist() == [0, -1, 1, -1, 1]
    assert table.proba[:, 0].tolist() == [0.0, 0.1, 0.2, 0.3, 0.5]
    assert table.classes == ("a", "b")


def test_without_cross_validation_only_what_is_set_aside_is_scored() -> None:
    one = Division(folds_of(["cv", "test", "cv"], [0, -1, 0]), [], [])
    table = scored_predictions(samples_of(["a", "b", "a"]), one, np.full((3, 2), 0.5))
    assert table.part.tolist() == ["test"]


@pytest.mark.parametrize("parts", [("cv", "test"), ("cv",), ("test",)])
def test_each_part_is_measured_apart_and_the_test_part_stands_inside(parts: tuple[str, ...]) -> None:
    n = 12
    labels = ["a", "b"] * n
    samples = samples_of(labels)
    part = ["cv" if i % 3 else "test" for i in range(2 * n)]
    folds = folds_of(part, [i % 2 if i % 3 else -1 for i in range(2 * n)])
    right = np.array([[0.9, 0.1], [0.1, 0.9]] * n)
    wrong_in_test = np.where((np.array(part) == "test")[:, None], right[:, ::-1], right)
    table = scored_predictions(samples, Division(folds, [], []), wrong_in_test)
    metrics = part_metrics(table.take(np.isin(table.part, object_array(list(parts)))), None, 0)
    assert metrics["part"] == parts[0]
    assert metrics["accuracy"]["value"] == (1.0 if parts[0] == "cv" else 0.0)
    if "test" in parts:
        assert metrics["test"]["accuracy"]["value"] == 0.0
    else:
        assert metrics["test"] is None
