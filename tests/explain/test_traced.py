"""A number traced to network and orientation: parts add up, and maps peak where what is aligned lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tests.directions.scenes import wires

from graticule.directions.features import feature_names, features_of_parts
from graticule.explain.image import Seen
from graticule.explain.told import NETWORK
from graticule.explain.traced import (
    POSITIONS,
    Traced,
    TracedValue,
    kept_in_order,
    statistics_of_parts,
    whole_and_rest,
)
from graticule.images.decode import ImageFile
from graticule.images.preprocess import Preprocessing
from graticule.networks.encoder import Encoder, orientation_encoder
from graticule.networks.pooling import ORIENTATION
from graticule.regress.scoring import LinearValue

N = len(feature_names())
SHARE = feature_names().index("s1.5_equal_share")
RED = (250, 20, 20)


def half_aligned() -> np.ndarray:
    """Aligned wires above, wires that point anywhere below."""
    upper = wires(20, share=1.0, side=160, n=60)[:80]
    return np.clip(np.vstack([upper, wires(20, share=0.0, side=160, n=60, seed=3)[:80]]), 0, 255)


def seen_of(pixels: np.ndarray) -> Seen:
    return Seen(pixels, np.array([32.0, 32.0]), (32, 32), None)


def by_share(scale: float = 1.0, first: tuple[float, ...] = ()) -> LinearValue:
    slope = np.zeros(len(first) + N)
    slope[: len(first)] = first
    slope[len(first) + SHARE] = scale
    return LinearValue(slope, 0.1, 0)


@pytest.fixture(scope="module")
def rest() -> np.ndarray:
    return features_of_parts(half_aligned(), whole_and_rest()).astype(np.float32)


@pytest.fixture(scope="module")
def alone(rest: np.ndarray) -> tuple[TracedValue, Traced]:
    """A model that says the share in the peak, without a network."""
    average = np.zeros(N)
    average[SHARE] = 0.25
    value = TracedValue.of(orientation_encoder(N), [(by_share(),)], average)
    return value, value.trace(seen_of(np.zeros((32, 32, 3), np.uint8)), rest, "occlusion")


def test_without_a_network_the_map_shows_what_is_aligned(alone: tuple[TracedValue, Traced], rest: np.ndarray) -> None:
    value, found = alone
    assert value.network is None
    assert list(found.maps) == [ORIENTATION]
    assert found.maps[ORIENTATION].shape == (POSITIONS + 1, POSITIONS + 1)
    assert found.maps[ORIENTATION][:2].min() > 0 > found.maps[ORIENTATION][-2:].max()
    assert found.told == {ORIENTATION: pytest.approx(rest[0, SHARE] - 0.25, abs=1e-6)}
    assert found.by_statistic is not None
    assert np.flatnonzero(found.by_statistic).tolist() == [SHARE]


def test_leaving_out_what_the_map_marks_lowers_the_number_sooner(alone: tuple[TracedValue, Traced]) -> None:
    value, found = alone
    parts = kept_in_order(found.maps[ORIENTATION], np.random.default_rng(0))
    assert len(parts) == 36
    assert parts[0].all()
    assert not parts[8].any()
    assert not parts[9].any()
    assert parts[17].all()
    curves = value.orientation_curves(found.features, features_of_parts(half_aligned(), parts))
    for curve in (curves.deletion, curves.insertion[::-1], curves.random_deletion, curves.random_insertion[::-1]):
        assert curve[0] == pytest.approx(value.say(found.features[None])[0], abs=1e-6)
        assert curve[-1] == pytest.approx(0.1 + 0.25)  # nothing is left: the average picture's
    assert curves.deletion[3] < curves.random_deletion[3] - 0.1
    assert curves.insertion[3] > curves.random_insertion[3] + 0.1


def test_both_parts_are_told_apart(
    colours: Callable[..., Encoder], spot: Callable[..., np.ndarray], rest: np.ndarray
) -> None:
    average = np.concatenate([[0.2, 0.2, 0.2], np.zeros(N)])
    members = [(by_share(0.5, (4.0, 0.0, -2.0)),), (by_share(1.5, (2.0, 0.0, 0.0)),)]
    value = TracedValue.of(colours().with_orientation(N), members, average)
    found = value.trace(seen_of(spot(RED, 20, 6)), rest, "hirescam")
    assert found.told is not None
    assert found.told[ORIENTATION] == pytest.approx(rest[0, SHARE], abs=1e-6)
    ends = value.say(np.stack([found.features, average]))
    assert sum(found.told.values()) == pytest.approx(ends[0] - ends[1], abs=1e-5)
    assert found.maps[NETWORK].sum() == pytest.approx(found.told[NETWORK], rel=1e-4)
    row, column = np.unravel_index(int(found.maps[NETWORK].argmax()), found.maps[NETWORK].shape)
    side = len(found.maps[NETWORK])
    assert (row + 0.5) / side == pytest.approx(23 / 32, abs=0.15)
    assert (column + 0.5) / side == pytest.approx(9 / 32, abs=0.15)


def test_without_an_average_picture_there_are_maps_alone(rest: np.ndarray) -> None:
    value = TracedValue.of(orientation_encoder(N), [(by_share(),)], None)
    found = value.trace(seen_of(np.zeros((32, 32, 3), np.uint8)), rest, "occlusion")
    assert found.told is None
    assert found.by_statistic is None
    assert found.maps[ORIENTATION].any()


def test_statistics_come_from_the_picture_that_the_model_reads(tmp_path: Path, rest: np.ndarray) -> None:
    PIL.Image.fromarray(half_aligned().astype(np.uint8)).save(tmp_path / "a.png")
    found = statistics_of_parts(ImageFile(tmp_path / "a.png"), Preprocessing(size=32), whole_and_rest()[:3])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, rest[:3], atol=0.02)
