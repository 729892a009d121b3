"""`graticule train`: a folder of labelled images to a cross-validated model with its report."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graticule import __version__
from graticule.bundle import Bundle, BundleInfo, PreprocessingInfo, write_bundle
from graticule.data.folds import Folds, make_folds
from graticule.data.sources import check_trainable, read_manifest
from graticule.evaluate.crossval import Search, cross_validate, learning_curve, refit
from graticule.evaluate.summary import summarise
from graticule.jobs.card import model_card
from graticule.jobs.samples import (
    Reporter,
    Samples,
    Silent,
    check_outside,
    data_hash,
    embed_samples,
    sorted_by_path,
    write_failures,
)
from graticule.jobs.train_options import TrainOptions
from graticule.jobs.train_record import Fitted, Labelled, describe_weights, train_record
from graticule.manifest import Manifest, escape_path, object_array
from graticule.models.catalogue import encoder_of
from graticule.models.encoder import Encoder
from graticule.models.head_search import Choice
from graticule.models.scoring import pack_heads, probabilities
from graticule.predictions import Predictions
from graticule.report.html import write_report
from graticule.runs import output_folder, write_json


def train(data: Path, out: Path, options: TrainOptions, reporter: Reporter | None = None) -> dict[str, Any]:
    """Train and evaluate a classifier; write the run folder.

    Parameters
    ----------
    data : Path
        Folder of class folders, split folders, or a CSV or Parquet manifest.
    out : Path
        The run folder, created.
    options : TrainOptions
    reporter : Reporter, optional

    Returns
    -------
    dict
        run.json with "metrics" (metrics.json) and "failures" (list of [path, error]).

    Raises
    ------
    GraticuleError
        One message for whatever the user can mend.
    """
    options.check()
    check_outside(out, data)
    start = time.perf_counter()
    reporter = reporter or Silent()
    with output_folder(out, "run") as run_folder:
        labelled = _labelled(data, options)
        # before the images are read, which may take long; duplicates are known only afterwards
        _folds(labelled.manifest, None, options)
        encoder = encoder_of(options.backbone, views=options.views, weights=options.weights)
        samples = embed_samples(
            labelled.manifest, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter
        )
        check_trainable(samples.manifest)
        fitted = _fit(samples, options, reporter)
        reporter.step("writing the run")
        bundle_sha256 = _write_model(run_folder / "model", samples, encoder, fitted)
        _write_tables(run_folder, samples, fitted)
        record = train_record(data, out, options, labelled, samples, encoder, fitted, bundle_sha256)
        record["wall_time_s"] = round(time.perf_counter() - start, 2)
        write_json(run_folder / "metrics.json", fitted.metrics)
        write_json(run_folder / "run.json", record)
        write_report(run_folder)
    return record | {"metrics": fitted.metrics, "failures": samples.failures}


def _labelled(data: Path, options: TrainOptions) -> Labelled:
    """Labelled real samples in the order of their paths, and what was left out."""
    manifest = sorted_by_path(read_manifest(data, root=options.root, group=options.group))
    warnings = list(manifest.warnings)
    labelled = manifest.take(manifest.labelled)
    n_unlabelled = len(manifest) - len(labelled)
    origin = labelled.columns.get("origin")
    if origin is not None and (origin == "synthetic").any():
        n_synthetic = int((origin == "synthetic").sum())
        warnings.append(f"{n_synthetic} synthetic images (column origin) were left out: only real images are evaluated")
        labelled = labelled.take(origin != "synthetic")
    check_trainable(labelled)
    return Labelled(labelled, n_unlabelled, warnings)


def _folds(manifest: Manifest, duplicates: NDArray[np.int64] | None, options: TrainOptions) -> Folds:
    return make_folds(
        manifest.label,
        k=options.folds,
        group=manifest.group,
        duplicates=duplicates,
        test_size=options.test_size,
        split=manifest.split,
        seed=options.seed,
        sample_id=manifest.sample_id,
    )


def _fit(samples: Samples, options: TrainOptions, reporter: Reporter) -> Fitted:
    """Folds, cross-validation, the shipped heads, and the scores of every part."""
    manifest = samples.manifest
    classes = manifest.classes
    y = np.searchsorted(np.array(classes), manifest.label.astype(str)).astype(np.int64)
    folds = _folds(manifest, samples.duplicates, options)
    search = Search(len(classes), options.head, manifest.group is not None, options.seed)
    reporter.begin("cross-validating", folds.k)
    cv = cross_validate(samples.features, y, folds, search, progress=reporter.advance)
    heads, shipped = cv.heads, f"mean of the {folds.k} fold heads" if folds.k > 1 else "the head of the training part"
    refitted: Choice | None = None
    if options.refit:
        head, refitted = refit(samples.features, y, folds, search)
        heads, shipped = [head], f"one head ({refitted.kind}) refitted on all cross-validated images"
    reporter.step("learning curve and intervals")
    proba = cv.proba.copy()
    test = folds.part == "test"
    if test.any():
        proba[test] = probabilities(heads, samples.features[test])
    scored = test | (folds.fold >= 0 if folds.k > 1 else test)
    predictions = Predictions(
        sample_id=manifest.sample_id,
        path=object_array([escape_path(p) for p in manifest.path]),
        part=folds.part,
        fold=folds.fold,
        label=manifest.label,
        classes=classes,
        proba=proba,
    ).take(scored)
    group = None if manifest.group is None else manifest.group[scored]
    metrics = part_metrics(predictions, group, options.seed)
    metrics["learning_curve"] = learning_curve(samples.features, y, folds, cv, search)
    return Fitted(folds, cv, heads, shipped, refitted, predictions, metrics)


def part_metrics(predictions: Predictions, group: NDArray[np.object_] | None, seed: int) -> dict[str, Any]:
    """metrics.json without its schema version: the cross-validated part with the test part inside, or the test part."""
    bodies: dict[str, dict[str, Any]] = {}
    for part in ("cv", "test"):
        rows = predictions.part == part
        if rows.any():
            bodies[part] = dict(summarise(predictions.take(rows), None if group is None else group[rows], seed=seed))
    if "cv" not in bodies:
        return bodies["test"] | {"test": bodies["test"]}
    return bodies["cv"] | {"test": bodies.get("test")}


def _write_model(folder: Path, samples: Samples, encoder: Encoder, fitted: Fitted) -> str:
    training = fitted.folds.part == "cv"
    hashes = np.array([list(bytes.fromhex(item.pixel_sha256)) for item in samples.info], np.uint8)
    counts = Counter(samples.manifest.label[training].tolist())
    weights = describe_weights(encoder)
    info = BundleInfo(
        graticule_version=__version__,
        classes=list(samples.manifest.classes),
        backbone=encoder.backbone,
        weights_sha256=weights["weights_sha256"],
        licence=weights["licence"],
        preprocessing=PreprocessingInfo(**asdict(encoder.preprocessing)),
        output=encoder.output,
        n_features=encoder.n_features,
        views=encoder.views,
        heads=fitted.shipped,
        data_sha256=data_hash(samples),
        n_training=int(training.sum()),
    )
    reference = {
        "features": samples.features[training].astype(np.float16),
        "pixel_sha256": np.ascontiguousarray(hashes[training]),
    }
    card = model_card(info, fitted.metrics, counts, weights)
    return write_bundle(folder, Bundle(info, encoder.model, pack_heads(fitted.heads), reference, card))


def _write_tables(folder: Path, samples: Samples, fitted: Fitted) -> None:
    samples.manifest.write(folder / "manifest.parquet")
    fitted.predictions.write(folder / "predictions.parquet")
    splits = pa.table(
        {
            "sample_id": pa.array(samples.manifest.sample_id, pa.string()),
            "part": pa.array(fitted.folds.part, pa.string()),
            "fold": pa.array(fitted.folds.fold, pa.int32()),
        }
    )
    # an open file, since Arrow takes no path that is not UTF-8
    with (folder / "splits.parquet").open("wb") as sink:
        pq.write_table(splits, sink)
    write_failures(folder / "failures.csv", samples.failures)
