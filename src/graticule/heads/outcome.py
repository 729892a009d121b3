"""What either method of training hands on, and the figures that are measured on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, object_array
from graticule.evaluate.prevalence import figures_at
from graticule.evaluate.summary import summarise
from graticule.features.samples import Samples
from graticule.heads.scoring import Head
from graticule.manifest import Manifest, escape_path
from graticule.networks.encoder import Encoder
from graticule.predictions import Predictions
from graticule.split.division import Division
from graticule.split.folds import Folds
from graticule.split.leaks import Leak, without_leaks


@dataclass(frozen=True)
class Outcome:
    """A trained classifier with the scores of every part.

    Attributes
    ----------
    proba : float array, shape (n, K)
        Out-of-fold for part "cv", of the shipped model for parts "test" and "calibration"; NaN rows elsewhere.
    encoder : Encoder
        Pixels to the features that the heads act on.
    heads : list of Head
    shipped : str
        What the heads are, for people.
    head : dict
        The object "head" of run.json.
    training : dict or None
        The object "training" of run.json; None where the network was not trained.
    learning_curve : list or None
        Of metrics.json.
    warnings : list of str
    mean_features : float array, shape (d,), or None
        Of the training images by `encoder`; None where the features of the samples are those of `encoder`.
    """

    proba: NDArray[np.float64]
    encoder: Encoder
    heads: list[Head]
    shipped: str
    head: dict[str, Any]
    training: dict[str, Any] | None = None
    learning_curve: list[dict[str, Any]] | None = None
    warnings: list[str] = field(default_factory=list)
    mean_features: NDArray[np.float32] | None = None


def scored_once(folds: Folds) -> NDArray[np.bool_]:
    """Mask of the samples that the shipped model scores: those of the test and the calibration part; shape (n,)."""
    return np.asarray((folds.part == "test") | (folds.part == "calibration"), dtype=bool)


def scored_predictions(samples: Samples, division: Division, proba: NDArray[np.float64]) -> Predictions:
    """The Predictions table of a run: out-of-fold for the cross-validated part, once for what was set aside."""
    manifest, folds = samples.manifest, division.folds
    scored = scored_once(folds) | ((folds.part == "cv") & (folds.k > 1))
    return Predictions(
        sample_id=manifest.sample_id,
        path=object_array([escape_path(p) for p in manifest.path]),
        part=folds.part,
        fold=folds.fold,
        label=manifest.label,
        classes=manifest.classes,
        proba=proba,
    ).take(scored)


def measure(
    predictions: Predictions,
    manifest: Manifest,
    division: Division,
    outcome: Outcome,
    seed: int,
    mix: FloatArray | None = None,
) -> dict[str, Any]:
    """metrics.json without its schema version; with a mix of classes also the figures at it."""
    metrics = part_metrics(predictions, group_of_rows(predictions, manifest), seed, mix)
    metrics["learning_curve"] = outcome.learning_curve
    if division.leaks and metrics["test"] is not None:
        metrics["test"]["without_leaks"] = _without_leaks(predictions, manifest, division.leaks, seed)
    return metrics


def part_metrics(
    predictions: Predictions, group: NDArray[np.object_] | None, seed: int, mix: FloatArray | None = None
) -> dict[str, Any]:
    """metrics.json without its schema version: the cross-validated part with the test part inside, or the test part."""
    bodies: dict[str, dict[str, Any]] = {}
    for part in ("cv", "test"):
        rows = predictions.part == part
        if rows.any():
            own, of = predictions.take(rows), None if group is None else group[rows]
            bodies[part] = dict(summarise(own, of, seed=seed))
            if mix is not None:
                bodies[part]["prevalence"] = figures_at(own, mix, of, seed=seed)
    if "cv" not in bodies:
        return bodies["test"] | {"test": bodies["test"]}
    return bodies["cv"] | {"test": bodies.get("test")}


def group_of_rows(predictions: Predictions, manifest: Manifest) -> NDArray[np.object_] | None:
    """Group of each row of the predictions, None where there are no groups."""
    if manifest.group is None:
        return None
    named = dict(zip(manifest.sample_id, manifest.group, strict=True))
    return object_array([named[name] for name in predictions.sample_id])


def _without_leaks(
    predictions: Predictions, manifest: Manifest, leaks: Sequence[Leak], seed: int
) -> dict[str, Any] | None:
    """n and accuracy of the test samples that no leak touches; None where there are none."""
    split = manifest.split
    clean = np.zeros(len(manifest), bool) if split is None else without_leaks(leaks, split)
    known = dict(zip(manifest.sample_id, clean, strict=True))
    rows = (predictions.part == "test") & np.array([known[name] for name in predictions.sample_id], bool)
    if not rows.any():
        return None
    kept = predictions.take(rows)
    return {"n": len(kept), "accuracy": dict(summarise(kept, group_of_rows(kept, manifest), seed=seed))["accuracy"]}
