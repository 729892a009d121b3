"""`graticule compare`: two runs on the same samples, paired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graticule.evaluate.compare import compare_predictions
from graticule.jobs.samples import check_options
from graticule.manifest import Manifest
from graticule.predictions import Predictions, read_predictions
from graticule.runs import output_folder, read_json, require_finished, write_json


def compare(run_a: Path, run_b: Path, out: Path | None = None, *, seed: int = 0) -> dict[str, Any]:
    """Paired comparison of two finished runs (or evaluations).

    Groups of run A are respected when it was evaluated by group. Where both runs have a cross-validated part it is
    compared, otherwise the held-out part.

    Parameters
    ----------
    run_a, run_b : Path
    out : Path, optional
        Folder for comparison.json, created.
    seed : int

    Returns
    -------
    dict
        See `graticule.evaluate.compare.compare_predictions`; differences are B minus A.
    """
    check_options(workers=None, batch_size=1, seed=seed)
    a, b = _predictions(run_a), _predictions(run_b)
    part = "cv" if (a.part == "cv").any() and (b.part == "cv").any() else "test"
    a, b = a.of_part(part), b.of_part(part)
    manifest = Manifest.read(run_a / "manifest.parquet")
    group = None
    if manifest.group is not None:
        by_id = dict(zip(manifest.sample_id, manifest.group, strict=True))
        group = a.sample_id.copy()
        group[:] = [by_id[i] for i in a.sample_id]
    result: dict[str, Any] = {
        "run_a": str(run_a),
        "run_b": str(run_b),
        "part": part,
        "settings": [_settings(run_a), _settings(run_b)],
        **compare_predictions(a, b, group, seed=seed),
    }
    if out is not None:
        with output_folder(out, "comparison"):
            write_json(out / "comparison.json", result)
    return result


def _predictions(run: Path) -> Predictions:
    return read_predictions(require_finished(run) / "predictions.parquet")


def _settings(run: Path) -> dict[str, Any]:
    record = read_json(run / "run.json")
    embedding = record.get("embedding", {})
    head = record.get("head", {})
    return {"backbone": embedding.get("backbone"), "views": embedding.get("views"), "head": head.get("requested")}
