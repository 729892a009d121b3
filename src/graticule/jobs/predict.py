"""`graticule predict`: new images to Parquet shards, one row per file, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from graticule import __version__
from graticule.answers import Shards, prediction_schema, read_shard, replace_shard, shards_to_csv
from graticule.bundle import bundle_hash, model_folder
from graticule.decide.decisions import ACCEPT, REJECT, REVIEW, expected_errors
from graticule.decide.judge import Judge, Judgement, reject_novel
from graticule.decide.novelty import benjamini_hochberg
from graticule.decide.open_bundle import open_bundle
from graticule.heads.predictor import Predictor, ScoredFiles
from graticule.images.decode import ImageFile
from graticule.jobs.options import PredictOptions
from graticule.jobs.record import write_failures
from graticule.manifest import Manifest, escape_path
from graticule.options import check_outside
from graticule.progress import Reporter, Silent
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.sources.sources import list_images


def predict(
    run: Path,
    images: Path,
    out: Path,
    options: PredictOptions | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Score every image of a folder or list, and decide what to do with it.

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
    bundle = open_bundle(folder)
    judge = Judge(bundle, options)
    predictor = Predictor.of(bundle, any_depth=options.any_depth)
    manifest = list_images(images)
    failures: list[tuple[str, str]] = []
    reporter.begin("predicting", len(manifest))
    with output_folder(out, "prediction"):
        done = 0
        with Shards(out, prediction_schema(predictor.classes)) as shards:
            for paths, scored in _scored(predictor, manifest, options):
                shards.write(_columns(paths, scored, judge.judge(scored), predictor.classes))
                failures += [(p, item.error) for p, item in zip(paths, scored.info, strict=True) if item.error]
                done += len(paths)
                reporter.advance(done)
        if options.novelty_fdr:
            _reject_by_fdr(shards.files, options.novelty_alpha)
        write_failures(out / "failures.csv", failures)
        if options.csv:
            shards_to_csv(shards.files, out / "predictions.csv")
        summary = {
            **_circumstances(run, images, start),
            "n": done,
            "n_unreadable": len(failures),
            "warnings": list(manifest.warnings),
            **_tally(shards.files, predictor.classes, judge),
            **judge.describe(),
        }
        write_json(out / "summary.json", summary)
    return summary | {"failures": failures}


def _circumstances(run: Path, images: Path, start: float) -> dict[str, Any]:
    """What was predicted with which model, version and time; `start` in seconds of `time.perf_counter`."""
    return {
        "verb": "predict",
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "wall_time_s": round(time.perf_counter() - start, 2),
        "images": escape_path(str(images.absolute())),
        "run": escape_path(str(run.absolute())),
        "bundle_sha256": bundle_hash(model_folder(run)),
        "packages": package_versions(),
    }


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


def _columns(
    paths: list[str], scored: ScoredFiles, judgement: Judgement, classes: tuple[str, ...]
) -> dict[str, list[Any]]:
    """One block as columns; unreadable files have nulls."""
    names, readable = np.array(classes, dtype=object), scored.readable.tolist()
    best = np.nan_to_num(scored.proba).argmax(axis=1)
    columns: dict[str, list[Any]] = {
        "path": paths,
        "sha256": [item.sha256 or None for item in scored.info],
        "label": [str(names[k]) if fine else None for k, fine in zip(best, readable, strict=True)],
        "score": _nullable(scored.proba[np.arange(len(best)), best]),
    }
    columns |= {f"p_{name}": _nullable(scored.proba[:, k]) for k, name in enumerate(classes)}
    return columns | {
        "set": judgement.sets,
        "novelty": _nullable(judgement.novelty),
        "decision": judgement.decision,
        "reason": judgement.reason,
        "nearest": judgement.nearest,
    }


def _nullable(values: NDArray[np.float64]) -> list[float | None]:
    return [None if v != v else v for v in values.tolist()]


def _reject_by_fdr(files: Sequence[Path], alpha: float) -> None:
    """Reject novel images by the p-values of the whole run, shard by shard."""
    novelty = [_float_column(file, "novelty") for file in files]
    novel = benjamini_hochberg(np.concatenate(novelty), alpha) if novelty else np.zeros(0, bool)
    start = 0
    for file, p in zip(files, novelty, strict=True):
        table = read_shard(file)
        mine = novel[start : start + len(p)]
        decision, reason = reject_novel(table["decision"].to_pylist(), table["reason"].to_pylist(), mine)
        for name, values in (("decision", decision), ("reason", reason)):
            table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))
        replace_shard(file, table)
        start += len(p)


def _tally(files: Sequence[Path], classes: tuple[str, ...], judge: Judge) -> dict[str, Any]:
    """Counts per class and decision, and the errors to expect among the accepted."""
    per_class, per_decision = dict.fromkeys(classes, 0), dict.fromkeys((ACCEPT, REVIEW, REJECT), 0)
    scores, accepted, n_undecided = [], [], 0
    for file in files:
        table = read_shard(file, ["label", "score", "decision"])
        for name in table["label"].to_pylist():
            if name is not None:
                per_class[name] += 1
        decision = np.array(table["decision"].to_pylist(), dtype=object)
        for name in per_decision:
            per_decision[name] += int((decision == name).sum())
        n_undecided += sum(name is None for name in decision)
        score = _floats(table["score"])
        scores.append(score[~np.isnan(score)])
        accepted.append(score[decision == ACCEPT])
    every = np.concatenate(scores) if scores else np.zeros(0)
    taken = np.concatenate(accepted) if accepted else np.zeros(0)
    return {
        "classes": per_class,
        "decisions": per_decision if judge.rule else per_decision | {ACCEPT: None, REVIEW: None},
        "n_undecided": n_undecided,
        "mean_score": float(every.mean()) if len(every) else None,
        "expected_errors": None if judge.rule is None else expected_errors(judge.rule, taken),
    }


def _float_column(file: Path, name: str) -> NDArray[np.float64]:
    return _floats(read_shard(file, [name])[name])


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A nullable column as numbers, NaN for null."""
    return np.asarray(column.to_numpy(), dtype=np.float64)
