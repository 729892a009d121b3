"""Accuracy of the default head against penultimate features with a support vector machine, on the same folds.

    python benchmarks/accuracy.py FOLDER [--views 4]

FOLDER holds data sets, each with manifest.csv (path, label, optionally group). The rival is what most tools do: the
penultimate layer of the same network, one view, and a support vector machine whose kernel and C are chosen by an inner
cross-validation on the same folds. The difference is paired.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from graticule.evaluate.compare.runs import compare_many, flat
from graticule.features.samples import embed_samples, sorted_by_path
from graticule.heads.scoring import softmax
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.manifest import Manifest
from graticule.networks.backbones import EMBEDDED
from graticule.networks.encoder import embedded_encoder
from graticule.predictions import Predictions, read_predictions
from graticule.progress import Silent
from graticule.split.folds import inner_folds

SETS = {"blood_cells": 5, "red_cells": 5, "malaria_cells": 5, "flow_particles": 2}
GRID = {"kernel": ["linear", "rbf"], "C": [0.1, 1.0, 10.0]}


def rival(run: Path, predictions: Predictions) -> Predictions:
    """Out-of-fold predictions of a support vector machine on penultimate features, on the folds of a run."""
    manifest = sorted_by_path(Manifest.read(run / "manifest.parquet"))
    encoder = embedded_encoder(EMBEDDED["efficientnet_lite0"], views=1, output="penultimate")
    samples = embed_samples(manifest, encoder, workers=None, batch_size=8, reporter=Silent())
    row = {sample: i for i, sample in enumerate(manifest.sample_id)}
    features = samples.features[[row[i] for i in predictions.sample_id]]
    group = None if manifest.group is None else manifest.group[[row[i] for i in predictions.sample_id]]
    proba = np.zeros_like(predictions.proba)
    for fold in np.unique(predictions.fold):
        train_rows, test = np.flatnonzero(predictions.fold != fold), np.flatnonzero(predictions.fold == fold)
        y = predictions.y[train_rows]
        inner = inner_folds(y, None if group is None else group[train_rows], 3, 0)
        machine: Any = SVC(kernel="rbf", C=10.0)
        if inner:
            machine = GridSearchCV(SVC(), GRID, cv=inner, n_jobs=1)
        margins = machine.fit(features[train_rows], y).decision_function(features[test])
        margins = np.column_stack([-margins, margins]) if margins.ndim == 1 else margins
        proba[test] = softmax(margins)
    return Predictions(
        predictions.sample_id,
        predictions.path,
        predictions.part,
        predictions.fold,
        predictions.label,
        predictions.classes,
        proba,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    options = parser.parse_args()
    print("| data | accuracy | macro F1 | rival accuracy | rival macro F1 | accuracy difference (95 % interval) |")
    print("|---|---|---|---|---|---|")
    for name in options.sets:
        with tempfile.TemporaryDirectory() as scratch:
            run = Path(scratch) / "run"
            chosen = TrainOptions(folds=SETS[name], views=options.views, backbone=options.backbone)
            train(options.folder / name, run, chosen)
            ours = read_predictions(run / "predictions.parquet").of_part("cv")
            theirs = rival(run, ours)
            table = pq.read_table(run / "manifest.parquet")
            group = None
            if "group" in table.column_names:
                by_id = dict(zip(table["sample_id"].to_pylist(), table["group"].to_pylist(), strict=True))
                group = np.array([by_id[i] for i in ours.sample_id], dtype=object)
            result: dict[str, Any] = flat(compare_many((theirs, ours), group))
        print(row_of(name, result), flush=True)


def row_of(name: str, result: dict[str, Any]) -> str:
    """One line of the table; the rival is A, ours is B."""

    def value(side: str, metric: str) -> str:
        figure = result[side][metric]
        return f"{figure['value'] if isinstance(figure, dict) else figure:.4f}"

    difference = result["difference"]["accuracy"]
    low, high = difference["low"], difference["high"]
    interval = "too few groups" if low is None else f"{low:+.4f} to {high:+.4f}"
    return (
        f"| {name} | {value('b', 'accuracy')} | {value('b', 'macro_f1')} | {value('a', 'accuracy')} | "
        f"{value('a', 'macro_f1')} | {difference['value']:+.4f} ({interval}) |"
    )


if __name__ == "__main__":
    main()
