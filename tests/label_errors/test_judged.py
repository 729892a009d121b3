"""Which labels of cross-validated images are probably wrong: planted ones are; what cannot be judged is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.made_samples import folds_of, samples_of

from graticule.errors import OptionError
from graticule.images.preprocess import Preprocessing
from graticule.label_errors.judged import FEWEST_JUDGED, suspect, suspected_labels

N, K = 150, 3
WRONG = (4, 40, 77, 110, 131)
READING = Preprocessing(32)


def planted(n: int = N, **columns: Any) -> tuple[Any, Any, Any]:
    """Samples of three classes with five wrong labels, their folds, and the scores of a good model."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % K
    y = truth.copy()
    wrong = [row for row in WRONG if row < n]
    y[wrong] = (y[wrong] + 1) % K
    features = (np.eye(K, 8)[truth] + 0.12 * rng.normal(size=(n, 8))).astype(np.float32)
    scores = np.exp(6.0 * np.eye(K)[truth] + rng.normal(size=(n, K)))
    samples = samples_of(["abc"[k] for k in y], features=features, **columns)
    folds = folds_of(["cv"] * n, (rng.permutation(n) % 5).tolist())
    return samples, folds, scores / scores.sum(axis=1, keepdims=True)


def judged(samples: Any, folds: Any, proba: Any) -> Any:
    hashes = np.array([list(bytes.fromhex(item.pixel_sha256)) for item in samples.info], np.uint8)
    y = np.array(["abc".index(name) for name in samples.manifest.label])
    return suspect(proba, folds.fold, samples.features, hashes, samples.manifest, y, READING)


def test_planted_labels_are_listed() -> None:
    found = judged(*planted())
    assert set(found.errors.order[: len(WRONG)].tolist()) == set(WRONG)
    assert found.errors.listed[list(WRONG)].all()
    assert len(set(found.copies.tolist())) == N
    assert found.near == []


def test_groups_count_once_and_images_without_one_stand_alone() -> None:
    low = {}
    for n_groups in (0, 30, 6):
        columns = {"group": [f"g{i % n_groups}" for i in range(N)]} if n_groups else {}
        low[n_groups] = judged(*planted(**columns)).errors.noise.low
    assert np.isnan(low[6])
    assert np.isfinite([low[0], low[30]]).all()
    alone = judged(*planted(group=[""] * N)).errors.noise
    own = judged(*planted(group=[f"own {i}" for i in range(N)])).errors.noise
    assert alone.low == pytest.approx(own.low, abs=0.002)


def test_the_count_of_a_run_is_that_of_the_list() -> None:
    samples, folds, proba = planted()
    told = suspected_labels(samples, folds, proba, READING)
    assert told is not None
    half = replace(samples, features=samples.features.astype(np.float16).astype(np.float32))
    found = judged(half, folds, proba).errors
    assert told["n_suspected"] == found.listed.sum()
    assert told["share"] == found.noise.share


def test_too_few_images_or_faulty_scores_are_not_judged() -> None:
    few = planted(FEWEST_JUDGED - 1)
    assert suspected_labels(*few, READING) is None
    samples, folds, proba = planted()
    assert suspected_labels(samples, folds, np.full_like(proba, np.nan), READING) is None
    assert suspected_labels(samples, replace(folds, k=1), proba, READING) is None
    with pytest.raises(OptionError):
        judged(replace(samples, features=np.full_like(samples.features, np.inf)), folds, proba)
