"""The files of a run folder belong together: samples, parts, scores, and the training images in the bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from tests.jobs.drawn import KINDS, Drawn

from graticule.bundle import read_bundle
from graticule.manifest import Manifest
from graticule.predictions import read_predictions


def test_tables_name_the_same_samples(trained: Path) -> None:
    manifest = Manifest.read(trained / "manifest.parquet")
    splits = pq.read_table(trained / "splits.parquet").to_pydict()
    scored = read_predictions(trained / "predictions.parquet")
    assert splits["sample_id"] == manifest.sample_id.tolist()
    part = dict(zip(splits["sample_id"], splits["part"], strict=True))
    fold = dict(zip(splits["sample_id"], splits["fold"], strict=True))
    assert [part[name] for name in scored.sample_id] == scored.part.tolist()
    assert [fold[name] for name in scored.sample_id] == scored.fold.tolist()
    groups = dict(zip(manifest.sample_id.tolist(), manifest.group.tolist(), strict=True))  # type: ignore[union-attr]
    sides = {name: {part[i] for i in part if groups[i] == name} for name in set(groups.values())}
    assert {len(own) for own in sides.values()} == {1}


def test_the_bundle_keeps_the_features_of_the_training_images_alone(trained: Path, drawn: Drawn) -> None:
    bundle = read_bundle(trained / "model")
    paths = bundle.reference["paths"].tobytes().decode().split("\n")
    scored = read_predictions(trained / "predictions.parquet")
    assert sorted(paths) == sorted(scored.of_part("cv").path)
    rows = np.array([int(Path(path).stem) for path in paths])
    np.testing.assert_array_equal(bundle.reference["features"], drawn.features[rows].astype(np.float16))
    assert bundle.reference["class"].tolist() == drawn.y[rows].tolist()
    assert (bundle.info.classes, bundle.info.n_training) == (list(KINDS), len(rows))
    assert bundle.info.preprocessing["intensity"]["kinds"] == ["8 bit"]
