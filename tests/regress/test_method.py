"""Training for a number on features, as one outcome."""

from __future__ import annotations

import numpy as np
import pytest
from tests.jobs.drawn import small_encoder
from tests.made_samples import samples_of
from tests.regress.planted import planted

from graticule.features.samples import Samples
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.progress import Silent
from graticule.regress.crossval import ValueSearch
from graticule.regress.method import feature_layout, fit_values, sizes_in_nm
from graticule.regress.scoring import member_values
from graticule.regress.target import Target
from graticule.split.division import Division
from graticule.split.folds import Folds
from graticule.split.options import SplitOptions
from graticule.split.value_folds import value_folds

X, Y, UNIT = planted()


def made(**columns: list[str]) -> tuple[Samples, Encoder]:
    samples = samples_of([""] * 150, features=X[:, :50], group=[f"g{u}" for u in UNIT], **columns)
    return samples, small_encoder().__class__(**(vars(small_encoder()) | {"n_features": 50}))


def folds(manifest: Manifest) -> Folds:
    return value_folds(manifest, None, [], SplitOptions(test_size=0.2))


@pytest.mark.parametrize("refit", [False, True])
def test_every_part_gets_a_number(refit: bool) -> None:
    samples, encoder = made(target=[repr(float(y)) for y in Y])
    division = Division(folds(samples.manifest), [], [])
    search = ValueSearch(feature_layout(encoder), "ridge")
    found = fit_values(samples, encoder, division, Target("x"), search, refit=refit, reporter=Silent())
    test = division.folds.part == "test"
    assert len(found.members) == (1 if refit else 5)
    np.testing.assert_allclose(found.learnt[test], member_values(found.members, X[test, :50]).mean(axis=0))
    assert np.abs(found.learnt - Y).mean() < 0.5 * np.abs(found.baselines["mean"] - Y).mean()
    assert found.head["requested"] == "ridge"
    assert bool(found.warnings) == refit


def test_a_length_is_learnt_in_pixels() -> None:
    rng = np.random.default_rng(0)
    size = np.exp(rng.normal(size=150))
    lengths = np.exp(Y) * size
    samples, encoder = made(target=[repr(float(v)) for v in lengths], pixel_size_nm=[repr(float(s)) for s in size])
    division = Division(folds(samples.manifest), [], [])
    search = ValueSearch(feature_layout(encoder), "ridge")
    np.testing.assert_array_equal(sizes_in_nm(samples), size)
    off = {}
    for target in (Target("x", per_pixel_size=True), Target("x", scale="log")):
        found = fit_values(samples, encoder, division, target, search, refit=False, reporter=Silent())
        said = target.restored(found.learnt, sizes_in_nm(samples))
        off[target.per_pixel_size] = np.median(np.abs(np.log(said / lengths)))
    assert off[True] < 0.5 * off[False]
