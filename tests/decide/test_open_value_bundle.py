"""The door to a model of a number: what does not fit together is refused before anything is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tests.test_bundle import resummed, small

from graticule.bundle import write_bundle
from graticule.decide.open_bundle import open_bundle
from graticule.decide.open_value_bundle import open_value_bundle
from graticule.errors import BundleError, TaskError


@pytest.fixture
def model(valued_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(valued_run / "model", tmp_path / "model"))


def test_what_training_wrote_opens(valued_run: Path) -> None:
    bundle = open_value_bundle(valued_run / "model")
    assert bundle.info.task == "regression"
    assert len(bundle.reference["target"]) == bundle.info.n_training
    assert not list(valued_run.rglob("*.pkl"))
    with pytest.raises(TaskError, match="is of the task 'regression'"):
        open_bundle(valued_run / "model")


def test_a_classifier_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model", small())
    with pytest.raises(TaskError, match=r"is of the task 'classification' \(classes\); what was asked takes"):
        open_value_bundle(tmp_path / "model")


@pytest.mark.parametrize(
    ("file", "name", "value", "said"),
    [
        ("head", "0.0.slope", np.zeros(23), "shape"),
        ("head", "9.0.slope", np.zeros(24), "unexpected|lacks"),
        ("reference", "target", np.zeros(3), "shape"),
        ("reference", "class", np.zeros(3, np.int32), "unexpected tensor 'class'"),
        ("reference", "intervals.score", np.array([np.nan]), "no finite|shape"),
    ],
)
def test_forged_tensors_are_refused(model: Path, file: str, name: str, value: Any, said: str) -> None:
    path = model / f"{file}.safetensors"
    save_file(load_file(path) | {name: value}, path)
    resummed(model)
    with pytest.raises(BundleError, match=said):
        open_value_bundle(model)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trained_on": [0.9, 0.1]}, "lower end of a range"),
        ({"trained_on": [0.4, 0.5]}, "outside the range"),
        ({"n_features": 25}, "features|shape"),
        ({"classes": ["a", "b"]}, "classes"),
        ({"scale": "cubic"}, "scale"),
    ],
)
def test_forged_words_are_refused(model: Path, change: dict[str, Any], said: str) -> None:
    path = model / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    resummed(model)
    with pytest.raises(BundleError, match=said):
        open_value_bundle(model)
