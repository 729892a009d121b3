"""The task of manifests, runs and bundles: written, read back, classes where none is named, others refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.test_bundle import resummed, small

from graticule.api import load
from graticule.arrays import object_array
from graticule.bundle import read_bundle, write_bundle
from graticule.decide.open_bundle import open_bundle
from graticule.errors import TaskError
from graticule.jobs.compare import compare
from graticule.jobs.label_errors import label_errors
from graticule.manifest import METADATA_KEY, Manifest
from graticule.report.run.page import write_report
from graticule.runs import DONE, read_run, write_json
from graticule.sources.sources import read_manifest
from graticule.tasks import CLASSIFICATION, task_of

REFUSED = r"is of the task 'regression' \(a number, trained with --target\); what was asked takes 'classification'"


def manifest(folder: Path, **about: Any) -> Path:
    """The manifest of one image; what is said of it beside the columns is changed, or left out where it is None."""
    file = folder / "manifest.parquet"
    Manifest(folder, object_array(["a.png"]), object_array(["a"])).write(file)
    table = pq.read_table(file)
    said = {k: v for k, v in (json.loads(table.schema.metadata[METADATA_KEY]) | about).items() if v is not None}
    pq.write_table(table.replace_schema_metadata({METADATA_KEY: json.dumps(said).encode()}), file)
    return file


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of another task."""
    folder = tmp_path / "run"
    folder.mkdir()
    write_bundle(folder / "model", small())
    document = json.loads((folder / "model" / "bundle.json").read_text())
    assert document["task"] == CLASSIFICATION
    (folder / "model" / "bundle.json").write_text(json.dumps(document | {"task": "regression", "unit": "um"}))
    resummed(folder / "model")
    write_json(folder / "run.json", {"verb": "train", "task": "regression"})
    write_json(folder / "metrics.json", {"task": "regression", "mae": None})
    (folder / "predictions.parquet").touch()
    (folder / DONE).touch()
    return folder


@pytest.mark.parametrize("task", ["segmentation", "Classification", "", None, 3, ["classification"]])
def test_an_unknown_task_is_refused(task: Any) -> None:
    with pytest.raises(TaskError, match=r"here is of the task .* Use the version that wrote it"):
        task_of({"task": task}, "here")


def test_a_document_of_an_earlier_version_is_of_classes(tmp_path: Path) -> None:
    assert task_of({}, "here") == CLASSIFICATION
    assert Manifest.read(manifest(tmp_path, task=None)).task == CLASSIFICATION
    write_json(tmp_path / "run.json", {"verb": "train"})
    assert read_run(tmp_path)["task"] == CLASSIFICATION
    write_bundle(tmp_path / "model", small())
    document = json.loads((tmp_path / "model" / "bundle.json").read_text())
    del document["task"]
    (tmp_path / "model" / "bundle.json").write_text(json.dumps(document))
    resummed(tmp_path / "model")
    assert read_bundle(tmp_path / "model").info.task == CLASSIFICATION


def test_a_manifest_says_its_task_and_one_of_another_is_refused_as_data_too(tmp_path: Path) -> None:
    table = pq.read_table(manifest(tmp_path))
    assert json.loads(table.schema.metadata[METADATA_KEY])["task"] == CLASSIFICATION
    other = manifest(tmp_path, task="regression")
    for read in (Manifest.read, read_manifest):
        with pytest.raises(TaskError, match=REFUSED):
            read(other)


VERBS: dict[str, Callable[[Path], Any]] = {
    "report": write_report,
    "compare": lambda run: compare(run, run.with_name("other"), run.with_name("out")),
    "label-errors": lambda run: label_errors(run, run.with_name("out")),
    "predict, explain, evaluate": lambda run: open_bundle(run / "model"),
    "load": load,
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_run_of_another_task_is_refused_by_every_verb_that_opens_one(verb: str, run: Path) -> None:
    with pytest.raises(TaskError, match=REFUSED):
        VERBS[verb](run)
