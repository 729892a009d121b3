"""The body of a regression's metrics.json: complete, plain JSON, and what cannot be computed is refused or said."""

from __future__ import annotations

import json

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.errors import RunError
from graticule.evaluate.values.figures import FIGURES
from graticule.evaluate.values.summary import summarise_values


def made(n_groups: int = 12, size: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.uniform(0, 1, n_groups * size)
    group = object_array([f"s{g:02d}" for g in np.repeat(np.arange(n_groups), size)])
    return y, 0.1 + 0.8 * y + 0.05 * rng.normal(size=len(y)), group


def test_the_document() -> None:
    y, p, group = made()
    found = summarise_values(
        y, p, group, train_mean=0.5, baselines={"mean": np.full(len(y), 0.5)}, tolerance=0.1, bounds=(0.0, 1.0)
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["n"], found["n_groups"]) == (60, 12)
    for figure in FIGURES:
        assert set(found[figure.key]) == {"value", "low", "high", "method", "level"}
    assert found["within"]["share"]["value"] == pytest.approx(np.mean(np.abs(p - y) <= 0.1))
    assert found["baselines"]["mean"]["ratio"]["high"] < 1
    assert len(found["specimens"]["groups"]) == 12
    assert found["notes"] == []


def test_without_groups_images_are_the_units_and_that_is_said() -> None:
    y, p, _ = made()
    found = summarise_values(y, p, None, train_mean=0.5, baselines={})
    assert found["n_groups"] is found["specimens"] is found["worst_group"] is found["within"] is None
    assert found["mae"]["method"] == "bootstrap"
    assert "No groups" in found["notes"][0]


def test_few_groups_are_said() -> None:
    y, p, group = made(4)
    found = summarise_values(y, p, group, train_mean=0.5, baselines={"mean": np.full(len(y), 0.5)})
    assert found["mae"]["method"] == "too_few_groups"
    assert "Only 4 groups" in found["notes"][0]


def test_one_image_and_equal_targets_are_no_crash() -> None:
    one = summarise_values(np.array([1.0]), np.array([2.0]), object_array(["a"]), train_mean=1.0, baselines={})
    assert one["mae"]["value"] == 1.0
    assert one["slope"]["value"] is None
    assert "slope and correlation are undefined" in one["notes"][-1]
    json.dumps(one, allow_nan=False)


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([], [], "there are no images"),
        ([1.0, 2], [1.0], "1 predicted values were given for 2 images"),
        ([1.0, np.nan], [1.0, 1], "1 of 2 true values are no finite numbers"),
        ([1.0, 2], [np.inf, 1], "1 of 2 predicted values are no finite numbers"),
    ],
)
def test_faults_are_refused(y: list[float], p: list[float], message: str) -> None:
    with pytest.raises(RunError, match=message):
        summarise_values(np.array(y), np.array(p), None, train_mean=0.5, baselines={})
