"""`graticule evaluate`: a finished model on other labelled images."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from graticule.arrays import object_array
from graticule.bundle import bundle_hash, model_folder, task_in
from graticule.decide.judge import Judge
from graticule.decide.on_labelled import decisions_on, evaluate_specimens
from graticule.decide.open_bundle import open_bundle
from graticule.decide.options import ValueDecisionOptions, check_of_kind
from graticule.features.samples import (
    Samples,
    beyond_notes,
    embed_samples,
    reasons_beyond,
    reference_features,
    sorted_by_path,
)
from graticule.gates import unproven_words
from graticule.heads.outcome import part_metrics
from graticule.heads.predictor import Predictor
from graticule.jobs.evaluate_values import evaluate_values
from graticule.jobs.openings import count_opening
from graticule.jobs.options import EvaluateOptions
from graticule.jobs.record import (
    describe_data,
    describe_model,
    made_here,
    seen_in_training,
    write_failures,
)
from graticule.manifest import escape_path
from graticule.options import check_outside
from graticule.predictions import Predictions
from graticule.progress import Reporter, Silent
from graticule.report.run.page import write_evaluation_report
from graticule.runs import output_folder, write_json
from graticule.sources.mix import read_mix
from graticule.sources.sources import read_manifest
from graticule.split.parents import refuse_judged_parents
from graticule.split.scored_part import synthetic_notes, to_score
from graticule.tasks import REGRESSION


def evaluate(
    run: Path, data: Path, out: Path, options: EvaluateOptions, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Score labelled images with a finished model of classes or of a number, compute every figure, judge its decisions.

    Parameters
    ----------
    run : Path
        A finished run, or a bundle.
    data : Path
        As for `train`; its labels must be among the model's classes.
    out : Path
        Folder for metrics.json, decisions.json, predictions.parquet and the report, created; and for specimens.parquet
        where the data have a column `specimen`.
    options : EvaluateOptions
    reporter : Reporter, optional

    Returns
    -------
    dict
        run.json of the evaluation with "metrics", "decisions" (decisions.json) and "failures".

    Raises
    ------
    ManifestError
        When a label is none of the model's classes, or nothing is labelled.
    """
    options.check()
    check_outside(out, data)
    kind = evaluate_values if task_in(model_folder(run)) == REGRESSION else _evaluate_classes
    return kind(run, data, out, options, reporter or Silent())


def _evaluate_classes(run: Path, data: Path, out: Path, options: EvaluateOptions, reporter: Reporter) -> dict[str, Any]:
    start, folder = time.perf_counter(), model_folder(run)
    check_of_kind(options, ValueDecisionOptions, "classes")
    bundle = open_bundle(folder)
    judge = Judge(bundle, options)
    predictor = Predictor.of(bundle, any_depth=options.any_depth).on(options.device, options.batch_size)
    with output_folder(out, "evaluation"):
        everything = sorted_by_path(read_manifest(data, root=options.root, group=options.group))
        manifest, n_synthetic, n_picked = to_score(everything, predictor.classes, options.synthetic)
        samples = embed_samples(
            manifest, predictor.encoder, workers=options.workers, batch_size=options.batch_size, reporter=reporter
        )
        refuse_judged_parents(samples.manifest, [item.pixel_sha256 for item in samples.info], bundle.reference)
        reference = reference_features(
            samples, predictor.reference, workers=options.workers, batch_size=options.batch_size, reporter=reporter
        )
        reporter.step("metrics, decisions and report")
        predictions = _score(samples, predictor)
        mix = None if options.prevalence is None else read_mix(options.prevalence, predictor.classes)
        metrics = part_metrics(predictions, samples.manifest.group, options.seed, mix)
        decisions, looked_at = decisions_on(samples, predictions, predictor, judge, reference, options.seed)
        decisions["specimens"] = evaluate_specimens(out, samples, predictions, looked_at)
        _write_tables(out, samples, predictions, {"metrics.json": metrics, "decisions.json": decisions})
        told = dict.fromkeys([*everything.warnings, *samples.warnings, *predictor.device_notes])
        notes = [
            *told,
            *seen_in_training(samples, bundle.reference),
            *beyond_notes(reasons_beyond(samples.info, judge.intensity)),
        ]
        notes += synthetic_notes(n_synthetic, options.synthetic)
        notes += [words] if (words := unproven_words(bundle.info.synthetic)) else []
        notes += [f"{n_picked:,} images that a review queue picked on purpose were left out"] * bool(n_picked)
        record = {
            "verb": "evaluate",
            "task": samples.manifest.task,
            "command": options.command("evaluate", run, data, out=out),
            "n_synthetic_evaluated": n_synthetic * options.synthetic,
            "model_run": escape_path(str(run.absolute())),
            "bundle_sha256": bundle_hash(folder),
            "seed": options.seed,
            "data": _describe_data(data, samples, len(everything) - len(manifest), options.group),
            "embedding": describe_model(bundle.info, samples) | {"device": predictor.encoder.device.describe()},
            "warnings": notes + count_opening(run, predictions, "evaluate"),
            **made_here(start),
        }
        write_json(out / "run.json", record)
        write_evaluation_report(out)
    return record | {"metrics": metrics, "decisions": decisions, "failures": samples.failures}


def _write_tables(out: Path, samples: Samples, predictions: Predictions, documents: dict[str, dict[str, Any]]) -> None:
    samples.manifest.write(out / "manifest.parquet")
    predictions.write(out / "predictions.parquet")
    write_failures(out / "failures.csv", samples.failures)
    for name, document in documents.items():
        write_json(out / name, document)


def _score(samples: Samples, predictor: Predictor) -> Predictions:
    n = len(samples.manifest)
    return Predictions(
        sample_id=samples.manifest.sample_id,
        path=object_array([escape_path(p) for p in samples.manifest.path]),
        part=object_array(["test"] * n),
        fold=np.full(n, -1, np.int64),
        label=samples.manifest.label,
        classes=predictor.classes,
        proba=predictor.probabilities(samples.features),
    )


def _describe_data(data: Path, samples: Samples, n_unlabelled: int, group: str) -> dict[str, Any]:
    column = None if samples.manifest.group is None else ("group" if group == "auto" else group)
    return describe_data(data, samples, n_unlabelled=n_unlabelled, group_column=column)
