"""The bundle of a model of a number keeps its training images alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.drawn_values import DrawnValues

from graticule.bundle import read_value_bundle
from graticule.values import read_values


def test_the_training_images_with_their_numbers(valued_run: Path, planted: DrawnValues) -> None:
    bundle = read_value_bundle(valued_run / "model")
    paths = bundle.reference["paths"].tobytes().decode().split("\n")
    assert sorted(paths) == sorted(read_values(valued_run / "predictions.parquet").of_part("cv").path)
    rows = np.array([int(Path(path).stem) for path in paths])
    np.testing.assert_array_equal(bundle.reference["target"], planted.values[rows])
    assert bundle.info.trained_on == [planted.values[rows].min(), planted.values[rows].max()]
    assert bundle.info.intervals is not None
    assert [level["level"] for level in bundle.info.intervals["levels"]] == [0.8, 0.9, 0.95]
