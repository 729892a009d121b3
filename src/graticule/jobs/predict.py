"""`graticule predict`: new images to Parquet shards, one row per file, in constant memory."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graticule.answers import Shards, block_of, prediction_schema, shards_to_csv
from graticule.bundle import model_folder, task_in
from graticule.decide.answered import reject_by_fdr, tally_answers
from graticule.decide.judge import Judge
from graticule.decide.open_bundle import open_bundle
from graticule.decide.options import ValueDecisionOptions, check_of_kind
from graticule.heads.predictor import Predictor, ScoredFiles
from graticule.images.decode import ImageFile
from graticule.jobs.options import PredictOptions
from graticule.jobs.record import circumstances, write_failures
from graticule.manifest import Manifest, escape_path
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.runs import output_folder, write_json
from graticule.sources.sources import list_images
from graticule.tasks import REGRESSION


def predict(
    run: Path,
    images: Path,
    out: Path,
    options: PredictOptions | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Score every image of a folder or list by a model of classes or of a number, and decide what to do with it.

    Parameters
    ----------
    run : Path
        A finished run, or a bundle.
    images : Path
        A folder (searched through), one image, or a list of paths (.txt, or .csv with a column path).
    out : Path
        Folder for predictions-*.parquet, summary.json and failures.csv, created.
    options : PredictOptions, optional
    reporter : Reporter, optional

    Returns
    -------
    dict
        summary.json with "failures", a list of (path, error).
    """
    options = options or PredictOptions()
    options.check()
    check_outside(out, images)
    start = time.perf_counter()
    reporter = reporter or Silent()
    folder = model_folder(run)
    if task_in(folder) == REGRESSION:
        from graticule.jobs.predict_values import predict_values  # loads SciPy, which classes do without

        return predict_values(run, images, out, options, reporter)
    check_of_kind(options, ValueDecisionOptions, "classes")
    bundle = open_bundle(folder)
    judge = Judge(bundle, options)
    predictor = Predictor.of(bundle, any_depth=options.any_depth).on(options.device, options.batch_size)
    manifest = list_images(images)
    failures: list[tuple[str, str]] = []
    reporter.begin("predicting", len(manifest))
    with output_folder(out, "prediction"):
        done = 0
        with Shards(out, prediction_schema(predictor.classes)) as shards:
            for paths, scored in _scored(predictor, manifest, options):
                judged = judge.judge(scored)
                sha256 = [item.sha256 for item in scored.info]
                shards.write(
                    block_of(paths, sha256, scored.proba, scored.readable, predictor.classes, judged.columns())
                )
                failures += [(p, item.error) for p, item in zip(paths, scored.info, strict=True) if item.error]
                done += len(paths)
                reporter.advance(done)
        if options.novelty_fdr:
            reject_by_fdr(shards.files, options.novelty_alpha)
        write_failures(out / "failures.csv", failures)
        if options.csv:
            shards_to_csv(shards.files, out / "predictions.csv")
        summary = {
            **circumstances(run, images, start),
            "device": predictor.encoder.device.describe(),
            "n": done,
            "n_unreadable": len(failures),
            "warnings": [*manifest.warnings, *predictor.device_notes],
            **tally_answers(shards.files, predictor.classes, judge.rule),
            **judge.describe(),
        }
        write_json(out / "summary.json", summary)
    return summary | {"failures": failures}


def _scored(
    predictor: Predictor, manifest: Manifest, options: PredictOptions
) -> Iterator[tuple[list[str], ScoredFiles]]:
    """Paths with their scores, a few hundred at a time."""
    position = 0
    root = manifest.root
    files = (ImageFile(root / path) for path in manifest.path)
    for scored in predictor.stream(files, workers=options.workers, batch_size=options.batch_size, with_reference=True):
        n = len(scored.info)
        yield [escape_path(p) for p in manifest.path[position : position + n]], scored
        position += n
