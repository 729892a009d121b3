"""Checks of a number's maps: they tell right maps from wrong ones, for the network and for orientation statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.directions.scenes import wires
from tests.explain.test_traced import RED, N, by_share, seen_of

from graticule.arrays import BoolArray
from graticule.directions.features import features_of_parts
from graticule.explain.told import NETWORK
from graticule.explain.traced import TracedValue, whole_and_rest
from graticule.explain.value_checks import ValueSubject, value_checks
from graticule.images.decode import ImageFile
from graticule.networks.encoder import Encoder
from graticule.networks.pooling import ORIENTATION
from graticule.progress import Silent
from graticule.regress.scoring import LinearValue

SCENES = [
    np.hstack([wires(10 * k, share=1.0, side=80, n=30, seed=k)[:, :40], wires(0, share=0.0, side=80, n=30)[:, :40]])
    for k in range(2)
]


def measured(file: ImageFile, parts: Sequence[BoolArray | None]) -> np.ndarray:
    return features_of_parts(SCENES[int(file.path.name)], parts).astype(np.float32)


@pytest.fixture(scope="module")
def rests() -> list[np.ndarray]:
    return [measured(ImageFile(Path(str(k))), whole_and_rest()) for k in range(len(SCENES))]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def value(colours: Callable[..., Encoder]) -> TracedValue:
    average = np.concatenate([[0.2, 0.2, 0.2], np.zeros(N)])
    return TracedValue.of(colours().with_orientation(N), [(by_share(1.0, (4.0, 0.0, -2.0)),)], average)


@pytest.fixture
def subjects(value: TracedValue, spot: Callable[..., np.ndarray], rests: list[np.ndarray]) -> list[ValueSubject]:
    return [
        ValueSubject(ImageFile(Path(str(k))), value.trace(seen_of(spot(RED, 6 + 4 * k, 18 - 3 * k)), rest, "hirescam"))
        for k, rest in enumerate(rests)
    ]


def test_right_maps_are_confirmed_and_maps_turned_round_are_not(
    value: TracedValue, subjects: list[ValueSubject], threads: ThreadPoolExecutor
) -> None:
    run = partial(value_checks, value, "hirescam", statistics=measured, threads=threads, seed=0, reporter=Silent())
    turned = [
        replace(one, traced=replace(one.traced, maps={name: -each for name, each in one.traced.maps.items()}))
        for one in subjects
    ]
    right, wrong = run(subjects=subjects, spread=1.0), run(subjects=turned, spread=1.0)
    for which in ("deletion", "insertion"):
        found, other = (one[ORIENTATION]["fidelity"]["gain"][which]["value"] for one in (right, wrong))
        assert found > 0.05 > 0 > other
        # blurring leaves the means over the maps nearly as they are
        found, other = (one[NETWORK]["fidelity"]["gain"][which]["value"] for one in (right, wrong))
        assert found > other
    assert abs(right[ORIENTATION]["randomised_weights"][0]["signed"]["value"]) < 0.25
    assert [row["destroyed"] for row in right[ORIENTATION]["randomised_weights"]] == ["head"]
    assert right[NETWORK]["randomised_weights"][0]["destroyed"] == "head"


def test_occlusion_is_not_held_against_destroyed_weights(
    colours: Callable[..., Encoder], spot: Callable[..., np.ndarray], threads: ThreadPoolExecutor
) -> None:
    value = TracedValue.of(colours(), [(LinearValue(np.array([4.0, 0.0, -2.0]), 0.1, 0),)], None)
    one = ValueSubject(ImageFile(Path("0")), value.trace(seen_of(spot(RED, 10, 10)), None, "occlusion"))
    checks = value_checks(value, "occlusion", [one], measured, 1.0, threads, 0, Silent())
    assert list(checks) == [NETWORK]
    assert checks[NETWORK]["randomised_weights"] is None
    assert checks[NETWORK]["fidelity"]["n"] == 1
