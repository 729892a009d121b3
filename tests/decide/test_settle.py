"""What a run learns for its decisions, on drawn features: nothing is judged by what it was fitted on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.jobs.drawn import KINDS, features_of, small_encoder

from graticule.arrays import class_codes, object_array
from graticule.decide.settle import crossfitted_sets, settle_decisions
from graticule.features.samples import Samples
from graticule.heads.crossval import Search, cross_validate
from graticule.heads.outcome import Outcome, scored_once
from graticule.heads.scoring import probabilities
from graticule.images.decode import Decoded
from graticule.manifest import Manifest
from graticule.split.division import Division
from graticule.split.folds import Folds, make_folds


def drawn(n: int, *, groups: int = 0, seed: int = 0) -> Samples:
    """Features of three kinds that overlap a little."""
    y = np.arange(n) % 3
    manifest = Manifest(
        root=Path("/nowhere"),
        path=object_array([f"{i:05d}.png" for i in range(n)]),
        label=object_array([KINDS[k] for k in y]),
        columns={"group": object_array([f"g{i // 3 % groups}" for i in range(n)])} if groups else {},
    )
    return Samples(
        manifest,
        features_of(y, seed),
        slice(None),
        slice(None),
        [Decoded(pixel_sha256=f"{i:064x}") for i in range(n)],
        [],
        n,
        0,
        0.0,
        [],
    )


def settled(samples: Samples, **division: Any) -> tuple[Any, Folds, Outcome]:
    manifest = samples.manifest
    folds = make_folds(manifest.label, group=manifest.group, seed=0, **({"k": 4} | division))
    y = class_codes(manifest.label, manifest.classes)
    cv = cross_validate(samples.features, y, folds, Search(3, "logistic"))
    proba, once = cv.proba.copy(), scored_once(folds)
    if once.any():
        proba[once] = probabilities(cv.heads, samples.features[once])
    outcome = Outcome(proba, small_encoder(), cv.heads, "mean", {})
    return settle_decisions(samples, Division(folds, [], []), outcome, 0), folds, outcome


def test_without_a_calibration_part_the_evidence_is_out_of_fold() -> None:
    decider, folds, outcome = settled(drawn(900))
    assert decider.evidence is not None
    assert np.array_equal(decider.evidence.fold, folds.fold)
    assert decider.evidence.members
    assert decider.document["acceptance"]["rule"]["status"] == "estimated"
    assert decider.document["sets"][0]["words"].startswith("95% nominal, 90% proven")
    assert np.array_equal(decider.evidence.proba, outcome.proba)


def test_it_is_told_what_novelty_compares_images_by() -> None:
    samples = drawn(300)
    assert settled(samples)[0].document["novelty"]["centre"] is False
    assert settled(replace(samples, alike=slice(1, 4)))[0].document["novelty"]["centre"] is True


def test_a_calibration_part_is_the_evidence_of_the_shipped_model() -> None:
    decider, folds, outcome = settled(drawn(1500), calibration=0.4, test_size=0.2)
    aside = folds.part == "calibration"
    assert decider.evidence is not None
    assert decider.evidence.by_shipped
    assert np.array_equal(decider.evidence.proba, outcome.proba[aside])
    assert decider.document["sets"][0]["proven"] == 0.95
    assert decider.document["test"]["n"] == (folds.part == "test").sum()
    assert decider.novelty is not None
    assert decider.novelty.units == aside.sum()


def test_calibration_sees_no_score_of_the_parts_set_aside() -> None:
    samples = drawn(1500)
    plain, folds, outcome = settled(samples, calibration=0.4)
    aside = np.flatnonzero(folds.part == "calibration")
    spoilt = outcome.proba.copy()
    spoilt[aside] = 1 / 3
    other = settle_decisions(
        samples,
        Division(folds, [], []),
        Outcome(spoilt, outcome.encoder, outcome.heads, "mean", {}),
        0,
    )
    assert other.calibration.to_json() == plain.calibration.to_json()


def test_sets_of_the_evidence_cover_as_often_as_they_say() -> None:
    cover = []
    for seed in range(3):
        decider, _, _ = settled(drawn(900, seed=seed))
        assert decider.evidence is not None
        inside = crossfitted_sets(decider.evidence, 0.9)
        cover.append([inside[decider.evidence.y == k, k].mean() for k in range(3)])
    assert (np.mean(cover, axis=0) > 0.885).all()


def test_groups_are_the_unit_throughout() -> None:
    decider, folds, _ = settled(drawn(900, groups=30))
    assert decider.evidence is not None
    assert decider.evidence.n_units == 30
    assert np.array_equal(decider.evidence.unit, folds.component)
    assert decider.novelty is not None
    assert decider.novelty.units == 30
    few, _, _ = settled(drawn(900, groups=12))
    assert "12 groups" in few.document["acceptance"]["rule"]["words"]
    assert few.document["sets"][0]["proven"] is None


def test_the_held_out_part_tells_of_novelty_and_sets_without_a_calibration_part_too() -> None:
    decider, folds, _ = settled(drawn(1200), test_size=0.3)
    test = decider.document["test"]
    assert test["n"] == (folds.part == "test").sum()
    assert test["novelty"]["n"] == test["n"]
    assert test["novelty"]["share_at"]["0.05"]["value"] < 0.1
    assert [s["level"] for s in test["sets"]] == [0.95, 0.99]
    assert test["sets"][0]["coverage"] > 0.9
    assert test["acceptance"]["accepted"] == test["decisions"]["accept"]["n"]


def test_one_fold_leaves_no_evidence_but_novelty() -> None:
    decider, _, _ = settled(drawn(600), k=1, test_size=0.3)
    assert decider.evidence is None
    assert decider.document["acceptance"] is None
    assert decider.document["test"] == {"n": 180}
    assert decider.novelty is not None
    assert decider.novelty.units == pytest.approx(420, abs=3)
