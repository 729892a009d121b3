"""`graticule predict` with a model of a number: new images to Parquet shards, one row per file, in constant memory."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from graticule.answers import DECISIONS, Shards, read_shard, shards_to_csv
from graticule.bundle import model_folder
from graticule.decide.answered import reject_by_fdr
from graticule.decide.open_value_bundle import open_value_bundle
from graticule.decide.options import DecisionOptions, check_of_kind
from graticule.decide.value_judge import ValueJudge
from graticule.features.samples import image_files
from graticule.jobs.options import PredictOptions
from graticule.jobs.record import circumstances, write_failures
from graticule.manifest import Manifest, escape_path
from graticule.progress import Reporter
from graticule.regress.predictor import ValuedFiles, ValuePredictor
from graticule.runs import output_folder, write_json
from graticule.sources.sources import list_images
from graticule.tasks import REGRESSION
from graticule.value_answers import VALUE_SCHEMA, value_block


def predict_values(run: Path, images: Path, out: Path, options: PredictOptions, reporter: Reporter) -> dict[str, Any]:
    """Predict the number of every image; parameters and result are those of `graticule.jobs.predict.predict`."""
    start = time.perf_counter()
    check_of_kind(options, DecisionOptions, "a number")
    bundle = open_value_bundle(model_folder(run))
    judge = ValueJudge(bundle, options)
    predictor = ValuePredictor.of(bundle, any_depth=options.any_depth).on(options.device, options.batch_size)
    manifest = list_images(images)
    failures: list[tuple[str, str]] = []
    reporter.begin("predicting", len(manifest))
    with output_folder(out, "prediction"):
        done = 0
        with Shards(out, VALUE_SCHEMA) as shards:
            for paths, valued in _valued(predictor, manifest, options):
                judged = judge.judge(valued, predictor.pixel_sizes(valued))
                sha256 = [item.sha256 for item in valued.info]
                limits = (judged.low, judged.high)
                shards.write(value_block(paths, sha256, judged.value, limits, judge.level, judged.columns()))
                failures += [(p, item.error) for p, item in zip(paths, valued.info, strict=True) if item.error]
                done += len(paths)
                reporter.advance(done)
        if options.novelty_fdr:
            reject_by_fdr(shards.files, options.novelty_alpha)
        write_failures(out / "failures.csv", failures)
        if options.csv:
            shards_to_csv(shards.files, out / "predictions.csv")
        summary = {
            **circumstances(run, images, start),
            "task": REGRESSION,
            **predictor.target.to_json(),
            "device": predictor.encoder.device.describe(),
            "n": done,
            "n_unreadable": len(failures),
            "warnings": [*manifest.warnings, *predictor.device_notes],
            **_tally(shards.files),
            **judge.describe(),
        }
        write_json(out / "summary.json", summary)
    return summary | {"failures": failures}


def _valued(
    predictor: ValuePredictor, manifest: Manifest, options: PredictOptions
) -> Iterator[tuple[list[str], ValuedFiles]]:
    """Paths with their numbers, a few hundred at a time."""
    position = 0
    files = image_files(manifest)
    for valued in predictor.stream(files, workers=options.workers, batch_size=options.batch_size):
        rows = slice(position, position + len(valued.info))
        yield [escape_path(p) for p in manifest.path[rows]], valued
        position = rows.stop


def _tally(files: list[Path]) -> dict[str, Any]:
    """Counts per decision, and quantiles of the numbers, of all shards."""
    counts: Counter[str] = Counter()
    values = [np.zeros(0)]
    for file in files:
        table = read_shard(file)
        counts.update(table["decision"].to_pylist())
        values.append(table["value"].drop_null().to_numpy())
    every = np.concatenate(values)
    shown = (0.0, 0.25, 0.5, 0.75, 1.0)
    return {
        "decisions": {name: counts[name] for name in DECISIONS},
        "mean": float(every.mean()) if len(every) else None,
        "quantiles": {f"{q:g}": float(np.quantile(every, q)) for q in shown} if len(every) else None,
    }
