"""`graticule evaluate` with a model of a number, on other images whose number is known."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from graticule.answers import DECISIONS
from graticule.arrays import object_array
from graticule.bundle import bundle_hash, model_folder
from graticule.decide.decisions import ACCEPT
from graticule.decide.open_value_bundle import open_value_bundle
from graticule.decide.options import DecisionOptions, check_of_kind
from graticule.decide.value_judge import ValueJudge, ValueJudgement
from graticule.decide.value_metrics import value_metrics
from graticule.errors import ManifestError
from graticule.features.samples import (
    Samples,
    beyond_notes,
    embed_samples,
    reasons_beyond,
    reference_features,
    sorted_by_path,
)
from graticule.gates import unproven_words
from graticule.jobs.openings import count_value_opening
from graticule.jobs.options import EvaluateOptions
from graticule.jobs.record import describe_data, describe_model, made_here, seen_in_training, write_failures
from graticule.manifest import Manifest, escape_path
from graticule.progress import Reporter
from graticule.regress.method import sizes_in_nm
from graticule.regress.predictor import ValuedFiles, ValuePredictor
from graticule.regress.scoring import member_values
from graticule.report.values.page import write_value_report
from graticule.runs import output_folder, write_json
from graticule.sources.sources import read_manifest
from graticule.split.parents import refuse_judged_parents
from graticule.split.scored_part import synthetic_notes
from graticule.split.training_only import SYNTHETIC, training_only
from graticule.tasks import REGRESSION
from graticule.values import Values


def evaluate_values(run: Path, data: Path, out: Path, options: EvaluateOptions, reporter: Reporter) -> dict[str, Any]:
    """Predict the number of images whose number is known, and hold both and the limits against each other.

    Parameters and result are those of `graticule.jobs.evaluate.evaluate`; the table must have the model's column.
    """
    start = time.perf_counter()
    check_of_kind(options, DecisionOptions, "a number")
    folder = model_folder(run)
    bundle = open_value_bundle(folder)
    judge = ValueJudge(bundle, options)
    predictor = ValuePredictor.of(bundle, any_depth=options.any_depth).on(options.device, options.batch_size)
    with output_folder(out, "evaluation"):
        column = predictor.target.read_as
        everything = sorted_by_path(read_manifest(data, root=options.root, group=options.group, target=column))
        manifest, n_synthetic = _to_score(everything, column.name, options.synthetic)
        workers, batch_size = options.workers, options.batch_size
        samples = embed_samples(manifest, predictor.encoder, workers=workers, batch_size=batch_size, reporter=reporter)
        refuse_judged_parents(samples.manifest, [item.pixel_sha256 for item in samples.info], bundle.reference)
        reference = reference_features(
            samples, predictor.reference, workers=workers, batch_size=batch_size, reporter=reporter
        )
        reporter.step("figures, limits and decisions")
        members = member_values(predictor.members, samples.features)
        valued = ValuedFiles(samples.info, samples.features, members, reference)
        judged = judge.judge(valued, sizes_in_nm(samples) if predictor.target.per_pixel_size else None)
        values = _table(samples, judged, judge.level, bundle.reference["target"])
        metrics = value_metrics(values, predictor.target, None, options.seed)
        decisions = _decisions(values, judged) | judge.describe()
        samples.manifest.write(out / "manifest.parquet")
        values.write(out / "predictions.parquet")
        write_failures(out / "failures.csv", samples.failures)
        write_json(out / "metrics.json", metrics)
        write_json(out / "decisions.json", decisions)
        told = dict.fromkeys([*everything.warnings, *samples.warnings, *predictor.device_notes])
        notes = [*told, *seen_in_training(samples, bundle.reference)]
        notes += beyond_notes(reasons_beyond(samples.info, judge.intensity))
        notes += synthetic_notes(n_synthetic, options.synthetic)
        notes += [words] if (words := unproven_words(bundle.info.synthetic)) else []
        group = None if samples.manifest.group is None else ("group" if options.group == "auto" else options.group)
        record = {
            "verb": "evaluate",
            "task": REGRESSION,
            "target": predictor.target.to_json(),
            "command": options.command("evaluate", run, data, out=out),
            "n_synthetic_evaluated": n_synthetic * options.synthetic,
            "model_run": escape_path(str(run.absolute())),
            "bundle_sha256": bundle_hash(folder),
            "seed": options.seed,
            "data": describe_data(data, samples, n_unlabelled=len(everything) - len(manifest), group_column=group),
            "embedding": describe_model(bundle.info, samples) | {"device": predictor.encoder.device.describe()},
            "warnings": notes + count_value_opening(run, values, "evaluate"),
            **made_here(start),
        }
        write_json(out / "run.json", record)
        write_value_report(out)
    return record | {"metrics": metrics, "decisions": decisions, "failures": samples.failures}


def _to_score(everything: Manifest, name: str, synthetic: bool) -> tuple[Manifest, int]:
    """Images with a number, and how many synthetic ones there are; none that was picked on purpose."""
    known = everything.take(everything.with_target)
    kind = training_only(known)
    manifest = known.take((kind == "") | ((kind == SYNTHETIC) & synthetic))
    if not len(manifest):
        raise ManifestError(
            f"no image to evaluate on: {len(everything):,} in the table, {len(known):,} of them with a number in the "
            f"column {name!r}; `graticule predict` needs none"
        )
    return manifest, int((kind == SYNTHETIC).sum())


def _table(samples: Samples, judged: ValueJudgement, level: float, trained_on: np.ndarray[Any, Any]) -> Values:
    """The Values table of an evaluation; images without a number of their own (no pixel size) are left out."""
    manifest, n = samples.manifest, len(samples.manifest)
    constants = {"mean": float(np.mean(trained_on)), "median": float(np.median(trained_on))}
    return Values(
        sample_id=manifest.sample_id,
        path=object_array([escape_path(p) for p in manifest.path]),
        part=object_array(["test"] * n),
        fold=np.full(n, -1, np.int64),
        target=manifest.targets,
        value=judged.value,
        low=judged.low,
        high=judged.high,
        level=level,
        group=manifest.group,
        baselines={name: np.full(n, constant) for name, constant in constants.items()},
    ).take(np.isfinite(judged.value))


def _decisions(values: Values, judged: ValueJudgement) -> dict[str, Any]:
    """How often each decision was taken, and the mean absolute error of what was accepted."""
    counts = Counter(judged.decision)
    accepted = np.array([one == ACCEPT for one in judged.decision])[np.isfinite(judged.value)]
    error = np.abs(values.value - values.target)[accepted]
    return {
        "kind": "evaluation",
        "decisions": {name: counts[name] for name in DECISIONS},
        "accepted_mae": float(error.mean()) if len(error) else None,
    }
