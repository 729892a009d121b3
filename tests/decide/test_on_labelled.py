"""How decisions turn out on labelled images: specimens are held against their labels, by name."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.decide.test_judge import CLASSES, FEATURES, bundle

from graticule.arrays import object_array
from graticule.decide.judge import NO_EVIDENCE, Judge
from graticule.decide.on_labelled import decisions_on, evaluate_specimens
from graticule.decide.options import DecisionOptions
from graticule.features.samples import Samples, reference_features
from graticule.heads.calibration import Calibration
from graticule.heads.scoring import LinearHead, member_probabilities
from graticule.images.decode import Decoded
from graticule.manifest import Manifest
from graticule.predictions import Predictions
from graticule.progress import Silent

N = 60
Y = np.arange(N) % 3
HEAD = LinearHead(4 * np.eye(3, dtype=np.float32), np.zeros(3, np.float32), 1.0)


def predictor() -> Any:
    return SimpleNamespace(
        heads=[HEAD], classes=tuple(CLASSES), calibration=Calibration.from_json({"method": "none"}), reference=None
    )


def labelled(called: np.ndarray = Y, **columns: list[str]) -> tuple[Samples, Predictions]:
    """Images whose features name the class that they are called."""
    names = object_array([f"{i:02d}.png" for i in range(N)])
    label = object_array([CLASSES[k] for k in Y])
    manifest = Manifest(Path("images"), names, label, {key: object_array(own) for key, own in columns.items()})
    features = np.eye(3, dtype=np.float32)[called]
    samples = Samples(manifest, features, slice(None), slice(None), [Decoded()] * N, [], N, 0, 0.0, [])
    proba = member_probabilities([HEAD], features).mean(axis=0)
    part, fold = object_array(["test"] * N), np.full(N, -1)
    return samples, Predictions(manifest.sample_id, names, part, fold, label, tuple(CLASSES), proba)


def test_decisions_are_counted_and_what_is_not_accepted_is_looked_at() -> None:
    called = np.where(np.arange(N) < 3, (Y + 1) % 3, Y)
    document, looked_at = decisions_on(
        *labelled(called), predictor(), Judge(bundle(), DecisionOptions()), FEATURES[:N], 0
    )
    assert (document["kind"], document["n"], document["words"]) == ("evaluation", N, None)
    assert looked_at is not None
    # of the planted rule, protein is never accepted
    np.testing.assert_array_equal(looked_at, called == 2)
    assert document["decisions"]["accept"]["n"] == 40
    assert document["decisions"]["review"]["n"] == 20
    assert document["novelty"]["rejected"] == 0
    assert 0.95 in [found["level"] for found in document["sets"]]


def test_without_evidence_the_words_say_so() -> None:
    judge = Judge(bundle(told=False, novelty=False), DecisionOptions())
    document, looked_at = decisions_on(*labelled(), predictor(), judge, FEATURES[:N], 0)
    assert (document["words"], looked_at, document["sets"], document["novelty"]) == (NO_EVIDENCE, None, [], None)


def test_features_of_the_encoder_serve_where_the_bundle_embeds() -> None:
    samples, _ = labelled()
    found = reference_features(samples, None, workers=1, batch_size=1, reporter=Silent())
    np.testing.assert_array_equal(found, samples.features)


def test_specimens_that_are_judged_wrongly_are_named(tmp_path: Path) -> None:
    # 20 specimens with one label each; the last is called another class, and three images have no specimen
    specimen = [f"s{3 * (i // 9) + i % 3:02d}" for i in range(N)]
    specimen[:3] = [""] * 3
    wrong = np.array([name == "s04" for name in specimen])
    samples, predictions = labelled(np.where(wrong, (Y + 1) % 3, Y), specimen=specimen)
    found = evaluate_specimens(tmp_path, samples, predictions, wrong)
    assert found is not None
    names = sorted(set(specimen) - {""})
    assert (found["n_specimens"], found["n_without"]) == (len(names), 3)
    assert found["majority"]["value"] == pytest.approx(1 - 1 / len(names))
    assert [(row["specimen"], row["n"], row["label"], row["majority"]) for row in found["wrong"]] == [
        ("s04", 3, "glass", "protein")
    ]
    rows = pq.read_table(tmp_path / "specimens.parquet").to_pylist()
    assert [row["specimen"] for row in rows] == names
    assert [row["specimen"] for row in rows if row["review_share"] == 1] == ["s04"]


def test_without_specimens_there_are_no_verdicts(tmp_path: Path) -> None:
    for columns in ({}, {"specimen": [""] * N}):
        assert evaluate_specimens(tmp_path, *labelled(**columns), None) is None
    assert list(tmp_path.iterdir()) == []
