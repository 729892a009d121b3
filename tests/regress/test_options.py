"""Options on numbers as targets: what needs a target, and what contradicts."""

from __future__ import annotations

import pytest

from graticule.errors import OptionError
from graticule.jobs.train.options import TrainOptions


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"target_unit": "nm"}, "--target-unit belongs to --target COLUMN"),
        ({"features": "both"}, "--features belongs to --target COLUMN"),
        ({"target": "x", "target_min": 2.0, "target_max": 1.0}, "--target-min 2 and --target-max 1"),
        ({"target": "x", "target_scale": "root"}, "--target-scale root: allowed are linear, log"),
        ({"target": "x", "per_pixel_size": True, "target_max": 1.0}, "do not go with --per-pixel-size"),
        ({"target": "x", "tolerance": 0.0}, "--tolerance 0.0: allowed are numbers above 0"),
        ({"target": "x", "head": "logistic"}, "--head logistic: allowed with --target are auto, ridge, kernel, svr"),
        ({"head": "ridge"}, "--head ridge: allowed without --target are auto, logistic, svm"),
        ({"target": "x", "features": "pixels"}, "--features pixels: allowed are auto, network, orientation, both"),
    ],
)
def test_what_contradicts_is_said(given: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        TrainOptions.of(given).check()


def test_a_target_with_its_bounds() -> None:
    TrainOptions.of({"target": "x", "target_min": 0.0, "target_max": 1.0, "head": "svr", "features": "network"}).check()
