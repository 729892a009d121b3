"""`graticule train`: a folder of labelled images to a cross-validated model with its report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graticule import __version__
from graticule.bundle import Bundle, BundleInfo, write_bundle
from graticule.data.folds import Folds, make_folds
from graticule.data.leaks import Leak, refuse_leaks, without_leaks
from graticule.data.preprocess import Preprocessing
from graticule.data.reading import settle_reading
from graticule.data.sources import check_trainable, read_manifest
from graticule.data.synthetic import add_synthetic
from graticule.errors import FoldError, ManifestError
from graticule.evaluate.crossval import Search, cross_validate, learning_curve, refit, training_rows
from graticule.evaluate.summary import summarise
from graticule.jobs.card import model_card
from graticule.jobs.instruments import read_instruments, with_instruments
from graticule.jobs.kinship import kinship_notes, relate, split_leaks
from graticule.jobs.openings import held_out_key, note_in_ledger
from graticule.jobs.samples import (
    Reporter,
    Samples,
    Silent,
    check_outside,
    data_hash,
    embed_samples,
    image_files,
    is_synthetic,
    sorted_by_path,
    write_failures,
)
from graticule.jobs.train_options import TrainOptions
from graticule.jobs.train_record import Embedded, Fitted, Labelled, describe_weights, train_record
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
        _check_split(labelled.manifest, options)
        encoder = encoder_of(options.backbone, views=options.views, weights=options.weights)
        reading = settle_reading(image_files(labelled.manifest), encoder.preprocessing.size, options)
        encoder = encoder.reading(reading.preprocessing, sizes=options.size_features)
        samples = embed_samples(
            labelled.manifest, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter
        )
        check_trainable(samples.manifest.take(~is_synthetic(samples.manifest)))
        fitted = _fit(samples, encoder.preprocessing, options, reporter)
        reporter.step("writing the run")
        bundle_sha256 = _write_model(run_folder / "model", samples, encoder, fitted)
        _write_tables(run_folder, samples, fitted)
        embedded = Embedded(samples, encoder, reading)
        record = train_record(data, out, options, labelled, embedded, fitted, bundle_sha256)
        record["test_openings_elsewhere"] = note_in_ledger(held_out_key(samples, fitted.folds.part), bundle_sha256)
        record["wall_time_s"] = round(time.perf_counter() - start, 2)
        write_json(run_folder / "metrics.json", fitted.metrics)
        write_json(run_folder / "run.json", record)
        write_report(run_folder)
    return record | {"metrics": fitted.metrics, "failures": samples.failures}


def _labelled(data: Path, options: TrainOptions) -> Labelled:
    """Labelled samples in the order of their paths, and what was left out."""
    manifest = sorted_by_path(read_manifest(data, root=options.root, group=options.group))
    warnings = list(manifest.warnings)
    labelled = manifest.take(manifest.labelled)
    n_unlabelled = len(manifest) - len(labelled)
    synthetic = is_synthetic(labelled)
    check_trainable(labelled.take(~synthetic))
    odd = sorted(set(labelled.label[synthetic]) - set(labelled.label[~synthetic]))
    if odd:
        raise ManifestError(f"class {', '.join(map(repr, odd))} has synthetic images only; no real one could test it")
    return Labelled(labelled, n_unlabelled, warnings)


def _check_split(manifest: Manifest, options: TrainOptions) -> None:
    """Raise now what would be wrong with the folds whatever the images show."""
    real = manifest.take(~is_synthetic(manifest))
    leaks = split_leaks(real, None)
    if not options.allow_leaks:
        refuse_leaks(leaks)
    _folds(real, None, leaks, options)


def _folds(real: Manifest, duplicates: NDArray[np.int64] | None, leaks: Sequence[Leak], options: TrainOptions) -> Folds:
    """Folds of the real samples. With leaks allowed the test part stays as the user has it."""
    group = real.group
    if leaks and real.split is not None:
        test = real.split == "test"
        group = None if group is None else np.where(test, "", group).astype(object)
        duplicates = None if duplicates is None else np.where(test, -1, duplicates)
    return make_folds(
        real.label,
        k=options.folds,
        group=group,
        duplicates=duplicates,
        test_size=options.test_size,
        split=real.split,
        seed=options.seed,
        sample_id=real.sample_id,
    )


def _fit(samples: Samples, preprocessing: Preprocessing, options: TrainOptions, reporter: Reporter) -> Fitted:
    """Folds, cross-validation, the shipped heads, and the scores of every part."""
    manifest = samples.manifest
    classes = manifest.classes
    y = np.searchsorted(np.array(classes), manifest.label.astype(str)).astype(np.int64)
    kinship = relate(samples, preprocessing, reporter)
    near = options.near_duplicates != "exact"
    leaks = split_leaks(manifest, kinship, near=near)
    if not options.allow_leaks:
        refuse_leaks(leaks)
    try:
        folds = _all_folds(manifest, kinship.near if near else kinship.exact, leaks, options)
    except FoldError:
        if options.near_duplicates != "auto":
            raise
        # near-duplicates that leave too few units to divide: the report asks about them
        near, folds = False, _all_folds(manifest, kinship.exact, leaks, options)
    notes = kinship_notes(kinship, manifest, joined=near)
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
    scored = test | ((folds.part == "cv") & (folds.k > 1))
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
    if leaks and metrics["test"] is not None:
        metrics["test"]["without_leaks"] = _without_leaks(predictions, manifest, leaks, options.seed)
    return Fitted(folds, cv, heads, shipped, refitted, predictions, metrics, leaks, notes)


def _all_folds(
    manifest: Manifest, duplicates: NDArray[np.int64], leaks: Sequence[Leak], options: TrainOptions
) -> Folds:
    """Folds of the real samples, with the synthetic ones in training folds where there are any."""
    synthetic = is_synthetic(manifest)
    folds = _folds(manifest.take(~synthetic), duplicates[~synthetic], leaks, options)
    return add_synthetic(folds, synthetic, manifest.group, duplicates) if synthetic.any() else folds


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
    group = manifest.group
    named = None if group is None else dict(zip(manifest.sample_id, group, strict=True))
    kept = predictions.take(rows)
    groups = None if named is None else object_array([named[name] for name in kept.sample_id])
    return {"n": len(kept), "accuracy": dict(summarise(kept, groups, seed=seed))["accuracy"]}


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
    training = training_rows(fitted.folds)
    seen = tuple(sorted({item.mode.partition(", ")[2] for item in samples.info}))
    intensity = replace(encoder.preprocessing.intensity, kinds=seen)
    preprocessing = replace(encoder.preprocessing, intensity=intensity)
    hashes = np.array([list(bytes.fromhex(item.pixel_sha256)) for item in samples.info], np.uint8)
    counts = Counter(samples.manifest.label[training].tolist())
    weights = describe_weights(encoder)
    info = BundleInfo(
        graticule_version=__version__,
        classes=list(samples.manifest.classes),
        backbone=encoder.backbone,
        weights_sha256=weights["weights_sha256"],
        licence=weights["licence"],
        preprocessing=preprocessing.to_json(),
        output=encoder.output,
        n_features=encoder.n_features,
        views=encoder.views,
        sizes=encoder.sizes,
        heads=fitted.shipped,
        data_sha256=data_hash(samples),
        n_training=int(training.sum()),
    )
    reference: dict[str, NDArray[Any]] = {
        "features": samples.features[training].astype(np.float16),
        "pixel_sha256": np.ascontiguousarray(hashes[training]),
    }
    card = model_card(info, fitted.metrics, counts, weights)
    return write_bundle(folder, Bundle(info, encoder.model, pack_heads(fitted.heads), reference, card))


def _write_tables(folder: Path, samples: Samples, fitted: Fitted) -> None:
    with_instruments(samples.manifest, read_instruments(samples)).write(folder / "manifest.parquet")
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
