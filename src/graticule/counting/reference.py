"""The calibration images of a run, as the reference of `graticule count`."""

import json
from pathlib import Path

import numpy as np

from graticule.answers import Scored
from graticule.arrays import IntArray, class_codes, numbered
from graticule.bundle import bundle_hash
from graticule.counting.prior_shift import Reference, reference
from graticule.errors import RunError
from graticule.manifest import Manifest, unescape_path
from graticule.predictions import Predictions, read_predictions
from graticule.runs import read_run, require_finished

# scores of the shipped model on images that were set aside come first: they are of the model that predicts
_PARTS = ("calibration", "cv", "test")


def read_reference(run: Path | None, scored: Scored) -> tuple[Reference, Path, str]:
    """Calibration images with scores by the model that made the predictions.

    Parameters
    ----------
    run : Path, optional
        A finished run or evaluation; by default the run named in summary.json. Its predictions.parquet holds scores of
        images that did not train the model that scored them, on the scale of `predict`.
    scored : Scored

    Returns
    -------
    Reference, Path, str
        With the folder and the part they are of.

    Raises
    ------
    RunError
        When there are none, or they are of another model.
    """
    folder = run or Path(unescape_path(str(scored.summary.get("run", ""))))
    require_finished(folder)
    predictions = read_predictions(folder / "predictions.parquet")
    _check_model(folder, predictions, scored)
    part = next((name for name in _PARTS if (predictions.part == name).any()), None)
    if part is None:
        raise RunError(f"{folder} holds no calibration images: it was trained with --folds 1 and nothing set aside")
    rows = np.flatnonzero(predictions.part == part)
    order = [predictions.classes.index(name) for name in scored.classes]
    shown = predictions.take(rows)
    y = class_codes(shown.label, scored.classes)
    proba = shown.proba[:, order]
    if not np.isfinite(proba).all():
        raise RunError(f"{folder / 'predictions.parquet'} holds scores that are NaN; train again")
    absent = [name for name, n in zip(scored.classes, np.bincount(y, minlength=len(order)), strict=True) if not n]
    if absent:
        raise RunError(f"{folder} has no calibration image of {', '.join(absent)}")
    return reference(proba, y, _units(folder, shown)), folder, part


def _check_model(folder: Path, predictions: Predictions, scored: Scored) -> None:
    if set(predictions.classes) != set(scored.classes):
        raise RunError(
            f"{folder} is of other classes than the predictions: {', '.join(predictions.classes)} against "
            f"{', '.join(scored.classes)}"
        )
    record = read_run(folder)
    known = record.get("bundle_sha256")
    if known is None and (folder / "model").is_dir():
        known = bundle_hash(folder / "model")
    if known != scored.summary.get("bundle_sha256"):
        raise RunError(
            f"{folder} is of another model than the predictions: its calibration says nothing of their errors. Name "
            "the run that made them"
        )


def _units(folder: Path, shown: Predictions) -> IntArray | None:
    """Group of each row, as codes; None without groups."""
    file = folder / "manifest.parquet"
    group = Manifest.read(file).group if file.is_file() else None
    if group is None:
        return None
    ids = Manifest.read(file).sample_id.tolist()
    of = dict(zip(ids, group.tolist(), strict=True))
    names = [str(of.get(i) or json.dumps(i)) for i in shown.sample_id]
    return numbered(names)
