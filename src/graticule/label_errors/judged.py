"""The cross-validated images of a run, and which of their labels are probably wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, IntArray, class_codes, numbered
from graticule.bundle import Bundle
from graticule.decide.open_bundle import open_bundle
from graticule.errors import OptionError, RunError
from graticule.evaluate.summary import number
from graticule.features.samples import Samples
from graticule.files import open_regular
from graticule.images.preprocess import Preprocessing
from graticule.label_errors.copies import copies_of
from graticule.label_errors.ranking import LabelErrors, find_label_errors
from graticule.manifest import Manifest, bundled_path
from graticule.predictions import Predictions, read_predictions
from graticule.runs import read_run, require_finished
from graticule.split.folds import Folds

FEWEST_JUDGED = 20
MOST_JUDGED = 30_000


@dataclass(frozen=True)
class CrossValidated:
    """The cross-validated images of a run: as read, scored, and with their features where the run has them."""

    record: dict[str, Any]
    everything: Manifest
    manifest: Manifest
    predictions: Predictions
    bundle: Bundle
    features: Float32Array
    hashes: NDArray[np.uint8]
    n_held_out: int


@dataclass(frozen=True)
class Found:
    """The verdict on the images, the sets of copies, and the near-duplicates among these."""

    errors: LabelErrors
    copies: IntArray
    near: list[tuple[int, int, float]]


def read_judged(run: Path) -> CrossValidated:
    """The cross-validated images of a finished run.

    Raises
    ------
    RunError
        When it has no out-of-fold scores, or its parts do not belong together.
    """
    require_finished(run)
    record = read_run(run)
    predictions = read_predictions(run / "predictions.parquet")
    scored = predictions.of_part("cv")
    if record.get("verb") != "train" or not len(scored):
        kind = "an evaluation" if record.get("verb") == "evaluate" else "trained with one fold"
        raise RunError(
            f"{run} has no out-of-fold scores ({kind}): label errors are told from scores of models that did not see "
            "the image. Train with --folds 2 or more"
        )
    bundle = open_bundle(run / "model")
    everything = Manifest.read(run / "manifest.parquet")
    row = {sample: i for i, sample in enumerate(everything.sample_id.tolist())}
    place = _reference_rows(run, bundle, everything)
    try:
        rows = np.array([row[sample] for sample in scored.sample_id.tolist()], dtype=np.int64)
        reference = np.array([place[path] for path in everything.path[rows].tolist()], dtype=np.int64)
    except KeyError as error:
        raise RunError(f"{run} is inconsistent: its model or manifest lacks the sample {error}; train again") from error
    return CrossValidated(
        record=record,
        everything=everything,
        manifest=everything.take(rows),
        predictions=scored,
        bundle=bundle,
        features=np.asarray(bundle.reference["features"][reference], dtype=np.float32),
        hashes=bundle.reference["pixel_sha256"][reference],
        n_held_out=len(predictions) - len(scored),
    )


def _reference_rows(run: Path, bundle: Bundle, everything: Manifest) -> dict[str, int]:
    """Row of each training image in the model's reference, by its path."""
    if "paths" in bundle.reference:
        escaped = bundle.reference["paths"].tobytes().decode("utf-8").split("\n")
        known = {bundled_path(path): path for path in everything.path.tolist()}
        return {known.get(text, text): i for i, text in enumerate(escaped)}
    part = dict(_parts(run))
    training = [p for p, i in zip(everything.path.tolist(), everything.sample_id.tolist(), strict=True)
                if part.get(i) in ("cv", "synthetic", "picked")]  # fmt: skip
    if len(training) != len(bundle.reference["features"]):
        raise RunError(f"{run} is inconsistent: its model holds features of other images than its splits; train again")
    return {path: i for i, path in enumerate(training)}


def _parts(run: Path) -> list[tuple[str, str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = run / "splits.parquet"
    try:
        with open_regular(file) as source:
            table = pq.ParquetFile(source).read(columns=["sample_id", "part"])
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"cannot read the splits {file}: {error}") from error
    if set(table.column_names) != {"sample_id", "part"}:
        raise RunError(f"{file} is damaged: it lacks the columns sample_id and part")
    return list(zip(table["sample_id"].to_pylist(), table["part"].to_pylist(), strict=True))


def find_errors(judged: CrossValidated) -> Found:
    """Which of their labels are probably wrong."""
    scored = judged.predictions
    reading = Preprocessing.from_json(judged.bundle.info.preprocessing)
    return suspect(scored.proba, scored.fold, judged.features, judged.hashes, judged.manifest, scored.y, reading)


def suspect(
    proba: NDArray[np.float64],
    fold: IntArray,
    features: Float32Array,
    hashes: NDArray[np.uint8],
    manifest: Manifest,
    y: IntArray,
    preprocessing: Preprocessing,
) -> Found:
    """Which labels of n cross-validated images are probably wrong; `train` counts them, other verbs list them.

    Parameters
    ----------
    proba : float array, shape (n, K)
        Out-of-fold scores, calibrated.
    fold : int array, shape (n,)
    features : float32 array, shape (n, d)
        In half precision, as the bundle keeps them.
    hashes : uint8 array, shape (n, 32)
        Of the pixels.
    manifest : Manifest
        The n images: their files and groups.
    y : int array, shape (n,)
        Given classes.
    preprocessing : Preprocessing
        How images are read.

    Raises
    ------
    OptionError
        When the labels cannot be judged.
    """
    # features that are no numbers are an error with a message of its own, not a fault of the search for copies
    copies: IntArray = np.arange(len(y))
    near: list[tuple[int, int, float]] = []
    if np.isfinite(features).all():
        copies, near = copies_of(preprocessing, features, hashes, y, manifest.files())
    unit = _group_codes(manifest)
    errors = find_label_errors(proba, y, features=features, fold=fold, copies=copies, unit=unit, twice=True)
    return Found(errors, copies, near)


def _group_codes(manifest: Manifest) -> IntArray | None:
    """A number per group; images without one stand alone. None without groups."""
    if manifest.group is None:
        return None
    names = np.array([f"g {g}" if g else f"s {i}" for i, g in enumerate(manifest.group.tolist())])
    return numbered(names)


def suspected_labels(
    samples: Samples, folds: Folds, proba: NDArray[np.float64], preprocessing: Preprocessing
) -> dict[str, Any] | None:
    """How many labels `label-errors` will list; None where they cannot be judged, or are so many that it takes long.

    Parameters
    ----------
    samples : Samples
        n samples.
    folds : Folds
    proba : float array, shape (n, K)
        Scores, out-of-fold ones where a sample is cross-validated.
    preprocessing : Preprocessing
        How images are read.
    """
    cv = np.flatnonzero((folds.part == "cv") & (folds.k > 1))
    if not FEWEST_JUDGED <= len(cv) <= MOST_JUDGED:
        return None
    hashes = np.array([list(bytes.fromhex(samples.info[i].pixel_sha256)) for i in cv], np.uint8)
    # as the bundle keeps them, in half precision: the verb that lists them reads them from there
    features = samples.alike_features[cv].astype(np.float16).astype(np.float32)
    y = class_codes(samples.manifest.label, samples.manifest.classes)[cv]
    try:
        found = suspect(proba[cv], folds.fold[cv], features, hashes, samples.manifest.take(cv), y, preprocessing)
    except OptionError:
        return None
    noise = found.errors.noise
    return {
        "n_suspected": int(found.errors.listed.sum()),
        "share": noise.share,
        "low": number(noise.low),
        "high": number(noise.high),
    }
