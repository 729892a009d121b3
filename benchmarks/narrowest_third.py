"""Whether the 90 % limits of a number hold where they are narrowest, on new specimens of drawn nanowires.

    OMP_NUM_THREADS=1 python benchmarks/narrowest_third.py FOLDER [--target fraction] [--log] [--splits 12]

FOLDER is made by `graticule phantom nanowires --n-per-class 360 --per-specimen 6`: 60 specimens. In each split 40 train
a ridge regression on orientation statistics, cross-validated, and its limits are judged on the other 20. Beside the
width as it is taken (a power of 0.5 of what is told) stand other powers; 0 is one width for all.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from graticule.arrays import FloatArray, IntArray, numbered, object_array
from graticule.decide import value_shape
from graticule.decide.likeness import picture_novelty
from graticule.decide.novelty import HeldOutImages, fit_novelty
from graticule.decide.value_intervals import fit_intervals
from graticule.directions.features import feature_names
from graticule.features.samples import embed_samples, sorted_by_path
from graticule.heads.scaling import FeatureLayout
from graticule.networks.encoder import orientation_encoder
from graticule.progress import Silent
from graticule.regress.crossval import ValueSearch, cross_validate_values
from graticule.regress.scoring import member_values
from graticule.sources.sources import read_manifest
from graticule.sources.targets import TargetColumn
from graticule.split.folds import Folds
from graticule.split.value_folds import inner_value_folds

POWERS = (1.0, 0.5, 0.25, 0.0)
TRAINING, FOLDS, BINS = 40, 5, 5


@dataclass(frozen=True)
class Case:
    """Out-of-fold evidence of one split, and its new specimens: truth, prediction, novelty."""

    evidence: tuple[FloatArray, FloatArray, IntArray, FloatArray]
    new: tuple[FloatArray, FloatArray, FloatArray]


def cases(x: FloatArray, y: FloatArray, specimen: IntArray, splits: int) -> Iterator[Case]:
    """One case a split."""
    rng = np.random.default_rng(0)
    search = ValueSearch(FeatureLayout(x.shape[1], (("orientation", x.shape[1]),)), "ridge", "orientation")
    for split in range(splits):
        chosen = rng.permutation(int(specimen.max()) + 1)[:TRAINING]
        train = np.isin(specimen, chosen)
        own, unit = x[train], numbered(specimen[train])
        parts = inner_value_folds(y[train], unit, FOLDS, split)
        fold = np.zeros(len(unit), np.int64)
        for k, (_, held) in enumerate(parts):
            fold[held] = k
        folds = Folds(object_array(["cv"] * len(unit)), fold, unit, FOLDS, "given", ())
        cv = cross_validate_values(own, y[train], folds, search)
        ends = np.quantile(y[train], np.arange(1, BINS) / BINS)
        novelty = fit_novelty(
            HeldOutImages(own, None, unit), numbered(np.searchsorted(ends, y[train], side="right")), parts, None
        )
        said = member_values(cv.members, x[~train]).mean(axis=0)
        evidence = (y[train], cv.learnt, unit, np.asarray(novelty.evidence)[:, None])
        yield Case(evidence, (y[~train], said, picture_novelty(novelty, x[~train])[:, None]))


def judged(case: Case, power: float, bounds: tuple[float | None, float | None]) -> tuple[float, float, float, bool]:
    """Coverage, mean width, coverage of the narrowest third, and whether widths differ."""
    y, p, unit, hard = case.evidence
    with mock.patch.object(value_shape, "STRENGTH", power):
        limits = fit_intervals(y, p, object_array([str(u) for u in unit]), hard, bounds=bounds)
    truth, said, new_hard = case.new
    low, high = limits.apply(said, new_hard, 0.9)
    inside, width = (low <= truth) & (truth <= high), high - low
    narrow = width <= np.quantile(width, 1 / 3)
    return float(inside.mean()), float(width.mean()), float(inside[narrow].mean()), limits.width is not None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--target", default="fraction")
    parser.add_argument("--log", action="store_true")
    parser.add_argument("--splits", type=int, default=12)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    manifest = sorted_by_path(read_manifest(options.folder, target=TargetColumn(options.target)))
    encoder = orientation_encoder(len(feature_names()))
    samples = embed_samples(manifest, encoder, workers=options.workers, batch_size=None, reporter=Silent())
    y = np.log(samples.manifest.targets) if options.log else samples.manifest.targets
    bounds = (None, None) if options.log else (0.0, 1.0)
    assert samples.manifest.group is not None
    found = list(cases(samples.features.astype(np.float64), y, numbered(samples.manifest.group), options.splits))
    print("| power of the width | coverage | width | narrowest third | least of a split | below .85 | local |")
    print("|---|---|---|---|---|---|---|")
    for power in POWERS:
        rows = np.array([judged(case, power, bounds) for case in found], dtype=np.float64)
        mean, narrow = rows.mean(axis=0), rows[:, 2]
        cells = [f"{power:g}", *(f"{each:.3f}" for each in mean[:3]), f"{narrow.min():.2f}"]
        print("| " + " | ".join([*cells, f"{(narrow < 0.85).sum()} of {len(rows)}", f"{rows[:, 3].sum():.0f}"]) + " |")


if __name__ == "__main__":
    main()
