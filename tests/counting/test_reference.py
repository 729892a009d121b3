"""The calibration images of a run as the reference of a count: which part, whose model, in which order of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.counting.answered import CLASSES, answered

from graticule.arrays import object_array
from graticule.counting.reference import read_reference
from graticule.errors import RunError
from graticule.manifest import Manifest, escape_path, sample_id_of
from graticule.predictions import Predictions
from graticule.runs import write_json

Y = np.arange(30) % 3


def finished(folder: Path, parts: tuple[str, ...] = ("cv",), y: np.ndarray = Y, **other: Any) -> Path:
    """A finished run of the model m1 that calls every image rightly, with a score of 0.7."""
    folder.mkdir()
    classes = other.get("classes", CLASSES)
    names = object_array([f"{i}.png" for i in range(len(y))])
    proba = np.array([[0.7 if CLASSES[k] == name else 0.15 for name in classes] for k in y]).reshape(-1, len(classes))
    Predictions(
        object_array([sample_id_of(name) for name in names]),
        names,
        object_array([parts[i % len(parts)] for i in range(len(y))]),
        np.zeros(len(y), dtype=np.int64),
        object_array([CLASSES[k] for k in y]),
        tuple(classes),
        proba,
    ).write(folder / "predictions.parquet")
    write_json(folder / "run.json", {"verb": "evaluate", "bundle_sha256": other.get("model", "m1")})
    (folder / "DONE").touch()
    return folder


def scored_by(folder: Path) -> Any:
    return answered([0, 1], summary={"run": escape_path(str(folder)), "bundle_sha256": "m1"})


def test_the_run_of_the_summary_serves_unless_another_is_named(tmp_path: Path) -> None:
    run, other = finished(tmp_path / "run"), finished(tmp_path / "other")
    known, folder, part = read_reference(None, scored_by(run))
    assert (folder, part, known.unit) == (run, "cv", None)
    np.testing.assert_array_equal(known.y, Y)
    np.testing.assert_array_equal(known.called, Y)
    np.testing.assert_allclose(known.prior, 1 / 3)
    assert read_reference(other, scored_by(run))[1] == other


@pytest.mark.parametrize(
    ("parts", "taken"),
    [(("cv", "test", "calibration"), "calibration"), (("test", "cv"), "cv"), (("test",), "test")],
)
def test_scores_of_the_shipped_model_come_first(parts: tuple[str, ...], taken: str, tmp_path: Path) -> None:
    y = np.repeat(np.arange(3), 12)
    known, _, part = read_reference(finished(tmp_path / "run", parts, y), scored_by(tmp_path))
    assert (part, len(known.y)) == (taken, 36 // len(parts))


def test_classes_are_put_in_the_order_of_the_predictions(tmp_path: Path) -> None:
    known, _, _ = read_reference(finished(tmp_path / "run", classes=sorted(CLASSES, reverse=True)), scored_by(tmp_path))
    np.testing.assert_array_equal(known.called, known.y)


def test_groups_are_the_units_and_an_image_without_one_is_its_own(tmp_path: Path) -> None:
    run = finished(tmp_path / "run")
    groups = object_array(["" if i >= 28 else f"g{i % 4}" for i in range(30)])
    paths = object_array([f"{i}.png" for i in range(30)])
    Manifest(tmp_path, paths, object_array([CLASSES[k] for k in Y]), {"group": groups}).write(run / "manifest.parquet")
    unit = read_reference(run, scored_by(run))[0].unit
    assert unit is not None
    assert len(set(unit.tolist())) == 6
    assert [len(set(unit[i:28:4].tolist())) for i in range(4)] == [1] * 4


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"model": "m2"}, "is of another model than the predictions"),
        ({"model": None}, "is of another model than the predictions"),
        ({"classes": (*CLASSES, "hair")}, "is of other classes than the predictions: fibre, glass, protein, hair"),
        ({"y": Y[:0]}, "holds no calibration images"),
        ({"y": Y[Y != 1]}, "has no calibration image of glass"),
    ],
)
def test_what_cannot_serve_is_refused(made: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=words):
        read_reference(finished(tmp_path / "run", **made), scored_by(tmp_path))


def test_a_run_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run"):
        read_reference(None, scored_by(tmp_path / "gone"))
