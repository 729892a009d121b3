"""The bundle of a model of a number keeps its training images alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tests.drawn_values import DrawnValues

from graticule.bundle import read_value_bundle
from graticule.jobs.train.value_files import average_features
from graticule.networks.encoder import orientation_encoder
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


def test_the_average_picture_has_the_features_that_the_shipped_model_has() -> None:
    """A model that was offered orientation statistics and does not look at them is shipped without."""
    plain = orientation_encoder(3)
    network: Any = SimpleNamespace(parts=(("whole", 2), ("orientation", 3)), n_features=5, orientation=True)
    features = np.arange(20, dtype=np.float32).reshape(4, 5)
    training = np.array([True, False, True, False])

    def of(shipped: Any, kept: Any = None) -> list[float]:
        samples: Any = SimpleNamespace(features=features)
        outcome: Any = SimpleNamespace(mean_features=kept, encoder=shipped)
        return average_features(samples, network, training, outcome).tolist()

    assert of(network) == [5, 6, 7, 8, 9]
    assert of(SimpleNamespace(orientation=False)) == [5, 6]
    assert of(plain, np.ones(3)) == [1, 1, 1]
