"""`graticule predict`: new images to Parquet shards, one row per file, in constant memory."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graticule import __version__
from graticule.bundle import bundle_hash, read_bundle
from graticule.data.decode import ImageFile
from graticule.data.sources import list_images
from graticule.errors import BundleError
from graticule.jobs.samples import Reporter, Silent, check_options, check_outside, write_failures
from graticule.manifest import Manifest, escape_path
from graticule.models.predictor import Predictor, Scored
from graticule.runs import output_folder, package_versions, require_finished, utc_now, write_json

_SHARD_ROWS = 50_000
UNREADABLE = "unreadable"


@dataclass
class _Counts:
    """What summary.json tells, gathered row by row."""

    n: int = 0
    per_class: dict[str, int] = field(default_factory=dict)
    score_sum: float = 0.0


def model_folder(run: Path) -> Path:
    """The bundle of a finished run, or the folder itself when it is a bundle.

    Raises
    ------
    RunError, BundleError
        When there is neither.
    """
    if (run / "bundle.json").is_file():
        return run
    require_finished(run)
    if not (run / "model").is_dir():
        raise BundleError(f"the run {run} holds no model")
    return run / "model"


def prediction_schema(classes: tuple[str, ...]) -> pa.Schema:
    """Columns of a prediction shard."""
    return pa.schema(
        [
            ("path", pa.string()),
            ("sha256", pa.string()),
            ("label", pa.string()),
            ("score", pa.float64()),
            *((f"p_{name}", pa.float64()) for name in classes),
            ("set", pa.list_(pa.string())),
            ("novelty", pa.float64()),
            ("decision", pa.string()),
            ("reason", pa.string()),
        ]
    )


def predict(
    run: Path,
    images: Path,
    out: Path,
    *,
    workers: int | None = None,
    batch_size: int = 8,
    write_csv: bool = False,
    any_depth: bool = False,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Score every image of a folder or list.

    Parameters
    ----------
    run : Path
        A finished run, or a bundle.
    images : Path
        A folder (searched through), one image, or a list of paths (.txt, or .csv with a column path).
    out : Path
        Folder for predictions-*.parquet, summary.json and failures.csv, created.
    workers, batch_size : int
        Neither changes a result.
    write_csv : bool
        Also write predictions.csv for spreadsheets.
    any_depth : bool
        Take images of another bit depth than the training images, from their full range, instead of refusing them.

    Returns
    -------
    dict
        summary.json with "failures", a list of (path, error).
    """
    check_options(workers=workers, batch_size=batch_size)
    check_outside(out, images)
    start = time.perf_counter()
    reporter = reporter or Silent()
    folder = model_folder(run)
    predictor = Predictor.of(read_bundle(folder), any_depth=any_depth)
    manifest = list_images(images)
    counts = _Counts(per_class=dict.fromkeys(predictor.classes, 0))
    failures: list[tuple[str, str]] = []
    reporter.begin("predicting", len(manifest))
    with output_folder(out, "prediction"):
        with ExitStack() as open_files:
            sinks = _Sinks(out, prediction_schema(predictor.classes), write_csv, open_files)
            for paths, scored in _blocks(predictor, manifest, workers, batch_size):
                columns = _columns(paths, scored, predictor.classes, counts, failures)
                sinks.write(columns)
                reporter.advance(counts.n)
        write_failures(out / "failures.csv", failures)
        summary = {
            "verb": "predict",
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "wall_time_s": round(time.perf_counter() - start, 2),
            "images": escape_path(str(images.absolute())),
            "run": escape_path(str(run.absolute())),
            "bundle_sha256": bundle_hash(folder),
            "packages": package_versions(),
            "n": counts.n,
            "n_unreadable": len(failures),
            "classes": counts.per_class,
            "decisions": {"accept": None, "review": None, "reject": len(failures)},
            "mean_score": counts.score_sum / n_scored if (n_scored := counts.n - len(failures)) else None,
            "expected_errors": None,
        }
        write_json(out / "summary.json", summary)
    return summary | {"failures": failures}


def _blocks(
    predictor: Predictor, manifest: Manifest, workers: int | None, batch_size: int
) -> Iterator[tuple[list[str], Scored]]:
    """Paths with their scores, a few hundred at a time."""
    position = 0
    root = manifest.root
    files = (ImageFile(root / path) for path in manifest.path)
    for scored in predictor.stream(files, workers=workers, batch_size=batch_size):
        n = len(scored.info)
        yield [escape_path(p) for p in manifest.path[position : position + n]], scored
        position += n


def _columns(
    paths: list[str],
    scored: Scored,
    classes: tuple[str, ...],
    counts: _Counts,
    failures: list[tuple[str, str]],
) -> dict[str, list[Any]]:
    """One block as columns; counts and failures grow on the way."""
    names = np.array(classes, dtype=object)
    readable = ~np.isnan(scored.proba[:, 0])
    best = np.where(readable, np.nan_to_num(scored.proba).argmax(1), 0)
    score = [float(p[k]) if fine else None for p, k, fine in zip(scored.proba, best, readable, strict=True)]
    label = [str(names[k]) if fine else None for k, fine in zip(best, readable, strict=True)]
    failures += [(p, item.error) for p, item, fine in zip(paths, scored.info, readable, strict=True) if not fine]
    counts.n += len(paths)
    counts.score_sum += sum(value for value in score if value is not None)
    for name in label:
        if name is not None:
            counts.per_class[name] += 1
    nothing = [None] * len(paths)
    columns: dict[str, list[Any]] = {
        "path": paths,
        "sha256": [item.sha256 or None for item in scored.info],
        "label": label,
        "score": score,
    }
    for k, name in enumerate(classes):
        columns[f"p_{name}"] = [
            float(p) if fine else None for p, fine in zip(scored.proba[:, k], readable, strict=True)
        ]
    columns["set"] = nothing
    columns["novelty"] = nothing
    columns["decision"] = [None if fine else "reject" for fine in readable]
    columns["reason"] = [None if fine else UNREADABLE for fine in readable]
    return columns


class _Sinks:
    """Parquet shards of at most 50,000 rows, and a CSV file where asked."""

    def __init__(self, out: Path, schema: pa.Schema, write_csv: bool, open_files: ExitStack) -> None:
        self._out, self._schema, self._open_files = out, schema, open_files
        self._shard, self._rows = 0, 0
        self._writer = self._next_shard()
        self._csv: Any = None
        if write_csv:
            stream: TextIO = open_files.enter_context(
                (out / "predictions.csv").open("w", encoding="utf-8-sig", newline="")
            )
            self._csv = csv.writer(stream)
            self._csv.writerow(schema.names)

    def _next_shard(self) -> pq.ParquetWriter:
        file = self._out / f"predictions-{self._shard:05d}.parquet"
        self._shard += 1
        return self._open_files.enter_context(pq.ParquetWriter(file, self._schema))

    def write(self, columns: dict[str, list[Any]]) -> None:
        """Append a block."""
        table = pa.table(columns, schema=self._schema)
        if self._rows + len(table) > _SHARD_ROWS:
            self._writer.close()
            self._writer, self._rows = self._next_shard(), 0
        self._writer.write_table(table)
        self._rows += len(table)
        if self._csv is not None:
            rows = zip(*(columns[name] for name in self._schema.names), strict=True)
            self._csv.writerows([["" if value is None else value for value in row] for row in rows])
