"""Numbers judge an input by the error of one regression: the smallest that tells as much, by groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.jobs.drawn import small_encoder
from tests.made_samples import folds_of, samples_of

from graticule.features.samples import Samples
from graticule.heads.input_search import InputSearch, sized
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.progress import Silent
from graticule.regress.input_judge import ValueInputJudge
from graticule.split.division import Division

N = 240
VALUES = np.random.default_rng(1).uniform(size=N)
GROUP = np.arange(N) // 8
SIZES = (48, 96, 224)


def search(told: Callable[[int, int], float]) -> InputSearch:
    """A search over samples whose features tell the number by `told(size, views)`."""
    noise = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)

    def embed(manifest: Manifest, encoder: Encoder) -> Samples:
        assert not encoder.orientation
        rows = np.array([int(path[:-4]) for path in manifest.path])
        features = noise[rows].copy()
        features[:, 0] += told(encoder.preprocessing.size, encoder.views) * 10 * VALUES[rows].astype(np.float32)
        return replace(samples_of(["x"] * len(rows), features=features), manifest=manifest)

    manifest = samples_of(["x"] * N, group=[str(k) for k in GROUP]).manifest
    encoder = sized(small_encoder(), 48, 1)
    folds = replace(folds_of(["cv"] * N, (GROUP % 3).tolist()), component=GROUP)
    first = embed(manifest, encoder)
    return InputSearch(
        first, encoder, Division(folds, [], [], np.arange(N)), embed, ValueInputJudge(VALUES), 0, Silent()
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (lambda size, views: 1.0, 48),
        (lambda size, views: 1.0 if size >= 96 else 0.1, 96),
        (lambda size, views: 1.0 if size == 224 else 0.1, 224),
    ],
)
def test_the_smallest_size_that_tells_as_much(told: Callable[[int, int], float], expected: int) -> None:
    found = search(told).size(SIZES)
    assert found.value == expected
    assert found.n_images == N
    assert "both sides" not in found.why
    assert ("fewer pixels" in found.why) == (expected < 224)


@pytest.mark.parametrize(("gain", "expected"), [(1.0, 1), (4.0, 4)])
def test_more_views_have_to_gain(gain: float, expected: int) -> None:
    found = search(lambda size, views: gain if views >= 4 else 1.0).views(48, (1, 4, 8))
    assert found.value == expected


def test_what_is_measured_beside_the_network_is_left_out_of_the_search() -> None:
    asked = search(lambda size, views: 1.0)
    asked.encoder = asked.encoder.with_orientation(5)
    assert asked._features(np.arange(9), sized(asked.encoder, 96, 1)).shape == (9, 4)


def test_images_count_alike_and_groups_stay_whole() -> None:
    judge, rows = ValueInputJudge(VALUES), np.arange(0, N, 2)
    assert judge.weights(rows) == pytest.approx(np.full(120, 1 / 120))
    drawn = judge.drawn(rows, 50, 0)
    assert len(drawn) == 50
    assert (np.diff(drawn) > 0).all()
    assert set(drawn) <= set(rows)
    folds, units = judge.inner_folds(rows, GROUP[rows], rows, 0)
    assert (units == GROUP[rows]).all()
    assert all(not set(units[train]) & set(units[test]) for train, test in folds)
    two, units = judge.inner_folds(rows, np.arange(120) % 2, rows, 0)
    assert len(two) == 3
    assert units is rows
    assert judge.inner_folds(rows[:2], None, rows[:2], 0)[0] == []
