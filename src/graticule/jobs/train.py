"""`graticule train`: a folder of labelled images to a cross-validated model with its report."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
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
from graticule.errors import OptionError
from graticule.evaluate.crossval import CrossValidation, Search, cross_validate, learning_curve, refit
from graticule.evaluate.summary import summarise
from graticule.jobs.card import model_card
from graticule.jobs.samples import (
    Reporter,
    Samples,
    Silent,
    data_hash,
    describe_data,
    describe_embedding,
    embed_samples,
    sorted_by_path,
    write_failures,
)
from graticule.manifest import Manifest, escape_path, object_array
from graticule.models.backbones import DEFAULT_BACKBONE, EMBEDDED, resolve
from graticule.models.encoder import Encoder, embedded_encoder
from graticule.models.head_search import HEADS, Choice
from graticule.models.scoring import Head, pack_heads, probabilities
from graticule.predictions import Predictions
from graticule.report.html import write_report
from graticule.runs import machine, output_folder, package_versions, utc_now, write_json, write_text


@dataclass(frozen=True)
class TrainOptions:
    """Options of `train`, as on the command line.

    Attributes
    ----------
    backbone : str
        An embedded backbone.
    head : "auto", "logistic" or "svm"
    folds : int
        2 or more; 1 with a held-out part.
    test_size : float
        Share of the samples held out, in [0, 0.9).
    group : str
        "auto" (column "group" when present), "none", or a column.
    views : int
        1, 4 or 8.
    refit : bool
        Ship one head fitted on all cross-validated samples instead of the mean of the fold heads.
    seed : int
    root : Path, optional
        What the paths of a manifest are relative to, default its folder.
    workers, batch_size : int
        Neither changes a result.
    """

    backbone: str = DEFAULT_BACKBONE
    head: str = "auto"
    folds: int = 5
    test_size: float = 0.0
    group: str = "auto"
    views: int = 4
    refit: bool = False
    seed: int = 0
    root: Path | None = None
    workers: int | None = None
    batch_size: int = 8

    def check(self) -> None:
        """Raise one OptionError that lists every option out of range."""
        faults = []
        if self.head not in HEADS:
            faults.append(f"--head {self.head}: allowed are {', '.join(HEADS)}")
        if self.folds < 1:
            faults.append(f"--folds {self.folds}: allowed are whole numbers from 1")
        if not 0.0 <= self.test_size < 0.9:
            faults.append(f"--test-size {self.test_size}: allowed are shares from 0 to below 0.9")
        if self.views not in (1, 4, 8):
            faults.append(f"--views {self.views}: allowed are 1, 4, 8")
        if self.batch_size < 1:
            faults.append(f"--batch-size {self.batch_size}: allowed are whole numbers from 1")
        if self.workers is not None and self.workers < 1:
            faults.append(f"--workers {self.workers}: allowed are whole numbers from 1")
        if self.seed < 0:
            faults.append(f"--seed {self.seed}: allowed are whole numbers from 0")
        if faults:
            raise OptionError("; ".join(faults))


@dataclass(frozen=True)
class _Fitted:
    """What the cross-validation step hands to the writing step."""

    folds: Folds
    cv: CrossValidation
    heads: list[Head]
    shipped: str
    predictions: Predictions
    metrics: dict[str, Any]


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
    start = time.perf_counter()
    reporter = reporter or Silent()
    with output_folder(out, "run") as run_folder:
        write_text(run_folder / "STARTED", utc_now() + "\n")
        manifest, notes = _labelled(data, options)
        encoder = embedded_encoder(resolve(options.backbone), views=options.views)
        samples = embed_samples(
            manifest, encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter
        )
        check_trainable(samples.manifest)
        fitted = _fit(samples, options, reporter)
        reporter.step("writing the run")
        bundle_sha256 = _write_model(run_folder / "model", samples, encoder, fitted, options)
        _write_tables(run_folder, samples, fitted)
        run = {
            "verb": "train",
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "wall_time_s": round(time.perf_counter() - start, 2),
            "command": _command(data, out, options),
            "options": _plain(asdict(options)) | {"data": escape_path(str(data)), "out": escape_path(str(out))},
            "seed": options.seed,
            "packages": package_versions(),
            "platform": machine(),
            "data": describe_data(
                data,
                samples,
                n_unlabelled=notes["n_unlabelled"],
                group_column=_group_name(samples.manifest, options.group),
            ),
            "embedding": describe_embedding(encoder, samples, _weights(encoder)),
            "folds": {
                "k": fitted.folds.k,
                "test_size": options.test_size,
                "strategy": fitted.folds.strategy,
                "seed": options.seed,
                "notes": list(fitted.folds.notes),
            },
            "head": _describe_heads(fitted, options),
            "warnings": [*notes["warnings"], *samples.warnings, *_warnings(samples, fitted, options)],
            "test_openings": _openings(fitted, bundle_sha256),
            "bundle_sha256": bundle_sha256,
        }
        write_json(run_folder / "metrics.json", fitted.metrics)
        write_json(run_folder / "run.json", run)
        write_report(run_folder)
        (run_folder / "STARTED").unlink()
    return run | {"metrics": fitted.metrics, "failures": samples.failures}


def _labelled(data: Path, options: TrainOptions) -> tuple[Manifest, dict[str, Any]]:
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
    return labelled, {"n_unlabelled": n_unlabelled, "warnings": warnings}


def _fit(samples: Samples, options: TrainOptions, reporter: Reporter) -> _Fitted:
    """Folds, cross-validation, the shipped heads, and the scores of every part."""
    manifest = samples.manifest
    classes = manifest.classes
    y = np.searchsorted(np.array(classes), manifest.label.astype(str)).astype(np.int64)
    folds = make_folds(
        manifest.label,
        k=options.folds,
        group=manifest.group,
        duplicates=samples.duplicates,
        test_size=options.test_size,
        split=manifest.split,
        seed=options.seed,
        sample_id=manifest.sample_id,
    )
    search = Search(len(classes), options.head, manifest.group is not None, options.seed)
    reporter.begin("cross-validating", folds.k)
    cv = cross_validate(samples.features, y, folds, search, progress=reporter.advance)
    heads, shipped = cv.heads, f"mean of the {folds.k} fold heads" if folds.k > 1 else "the head of the training part"
    if options.refit:
        head, choice = refit(samples.features, y, folds, search)
        heads, shipped = [head], f"one {choice.settings.kind} head refitted on all cross-validated images"
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
    return _Fitted(folds, cv, heads, shipped, predictions, metrics)


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


def _write_model(folder: Path, samples: Samples, encoder: Encoder, fitted: _Fitted, options: TrainOptions) -> str:
    training = fitted.folds.part == "cv"
    hashes = np.array([list(bytes.fromhex(item.pixel_sha256)) for item in samples.info], np.uint8)
    counts = Counter(samples.manifest.label[training].tolist())
    weights = _weights(encoder)
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


def _write_tables(folder: Path, samples: Samples, fitted: _Fitted) -> None:
    samples.manifest.write(folder / "manifest.parquet")
    fitted.predictions.write(folder / "predictions.parquet")
    splits = pa.table(
        {
            "sample_id": pa.array(samples.manifest.sample_id, pa.string()),
            "part": pa.array(fitted.folds.part, pa.string()),
            "fold": pa.array(fitted.folds.fold, pa.int32()),
        }
    )
    pq.write_table(splits, folder / "splits.parquet")
    write_failures(folder / "failures.csv", samples.failures)


def _weights(encoder: Encoder) -> dict[str, Any]:
    spec = EMBEDDED[encoder.backbone]
    return {
        "weights_sha256": spec.sha256,
        "licence": spec.licence,
        "source": f"package {spec.package}",
        "layers": list(spec.layers),
    }


def _describe_heads(fitted: _Fitted, options: TrainOptions) -> dict[str, Any]:
    def described(fold: int, choice: Choice) -> dict[str, Any]:
        return {
            "fold": fold,
            "kind": choice.settings.kind,
            "settings": choice.settings.describe() | {"temperature": round(choice.temperature, 4)},
            "inner_score": choice.inner_score,
            "candidates": choice.candidates,
            "inner_folds": choice.inner_folds,
        }

    return {
        "requested": options.head,
        "shipped": fitted.shipped,
        "default": any(choice.inner_folds == 0 for choice in fitted.cv.choices),
        "folds": [described(i, choice) for i, choice in enumerate(fitted.cv.choices)],
        "seconds": round(fitted.cv.seconds, 2),
    }


def _warnings(samples: Samples, fitted: _Fitted, options: TrainOptions) -> list[str]:
    warnings = list(fitted.folds.notes)
    if samples.failures:
        warnings.append(f"{len(samples.failures)} images could not be read and were left out; see failures.csv")
    if any(choice.inner_folds == 0 for choice in fitted.cv.choices):
        warnings.append(
            "a fixed default head was used in at least one fold: too few groups to choose one by an inner "
            "cross-validation"
        )
    if options.group == "none":
        warnings.append("groups were switched off (--group none): images of one group may be on both sides of a split")
    if options.refit:
        warnings.append("the shipped head was refitted on all cross-validated images: its figures are estimates")
    dark = sum("16 bit" in item.mode for item in samples.info)
    if dark:
        warnings.append(
            f"{dark} images have 16 bits per channel and were scaled from the full range 0 to 65535; images that use "
            "a small part of it (12-bit cameras) come out dark"
        )
    return warnings


def _openings(fitted: _Fitted, bundle_sha256: str) -> list[dict[str, str]]:
    if not (fitted.folds.part == "test").any():
        return []
    return [{"utc": utc_now(), "verb": "train", "model_sha256": bundle_sha256}]


def _group_name(manifest: Manifest, group: str) -> str | None:
    if manifest.group is None:
        return None
    return "group" if group == "auto" else group


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    return {name: escape_path(str(value)) if isinstance(value, Path) else value for name, value in options.items()}


def _command(data: Path, out: Path, options: TrainOptions) -> str:
    """The command line that repeats this run; only options that differ from the defaults."""
    words = ["graticule", "train", escape_path(str(data)), "--out", escape_path(str(out))]
    defaults = asdict(replace(TrainOptions(), workers=options.workers, batch_size=options.batch_size))
    for name, value in asdict(options).items():
        if value != defaults[name]:
            flag = "--" + name.replace("_", "-")
            words += [flag] if value is True else [flag, escape_path(str(value))]
    return shlex.join(words)
