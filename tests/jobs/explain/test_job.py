"""What the maps of a model are measured from."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from tests.explain.test_choice import scored

from graticule.bundle import Bundle
from graticule.explain.model import ExplainableModel
from graticule.jobs.explain.job import _with_baseline


@pytest.mark.parametrize(
    ("reference", "trained", "n", "baseline", "words"),
    [
        ({"mean_features": np.ones(2, np.float32), "features": np.zeros((3, 5))}, True, 1, [1.0, 1.0], "training"),
        ({"features": np.array([[0.0, 2.0], [2.0, 2.0]])}, False, 1, [1.0, 2.0], "training"),
        ({"features": np.zeros((3, 2))}, True, 5, [7.0, 7.0], "images"),
        ({"features": np.zeros((3, 2))}, True, 4, None, None),
    ],
)
def test_what_maps_are_measured_from(
    reference: dict[str, Any], trained: bool, n: int, baseline: list[float] | None, words: str | None
) -> None:
    # a trained network's reference lies in another space, even where it is as long
    bundle = cast(
        Any, SimpleNamespace(reference=reference, info=SimpleNamespace(reference=object() if trained else None))
    )
    bundle.mean_features = partial(Bundle.mean_features, bundle)
    model = ExplainableModel(cast(Any, None), [], None, ())
    found, said = _with_baseline(model, bundle, scored((n, 2), unreadable=2))
    assert said == words
    assert (None if found.baseline is None else found.baseline.tolist()) == baseline
