"""A label that belongs to the group alone: honest folds must find nothing.

    python benchmarks/planted_groups.py [--seeds 200]

Two classes, 20 groups of 20 near-identical feature vectors each, the label of a group drawn at random (10 of each
class). Group-wise accuracy must lie around one half and its interval must contain it; image-wise folds look nearly
perfect.
"""

from __future__ import annotations

import argparse

import numpy as np

from graticule.arrays import object_array
from graticule.evaluate.summary import summarise
from graticule.heads.crossval import Search, cross_validate
from graticule.predictions import Predictions
from graticule.split.folds import make_folds

GROUPS, SIZE, WIDTH = 20, 20, 32


def one_seed(seed: int) -> tuple[float, float, float, float]:
    """(group-wise accuracy, its low, its high, image-wise accuracy)."""
    rng = np.random.default_rng(seed)
    centres = np.abs(rng.normal(1.0, 0.5, (GROUPS, WIDTH)))
    features = np.abs(np.repeat(centres, SIZE, axis=0) + rng.normal(0.0, 0.01, (GROUPS * SIZE, WIDTH)))
    features = features.astype(np.float32)
    y = np.repeat(rng.permutation(GROUPS) % 2, SIZE).astype(np.int64)
    group = object_array([f"g{i:02d}" for i in np.repeat(np.arange(GROUPS), SIZE)])
    ids = object_array([f"{i:04d}" for i in range(len(y))])
    results = []
    for units in (group, None):
        folds = make_folds(y, k=5, group=units, seed=seed, sample_id=ids)
        result = cross_validate(features, y, folds, Search(2, "logistic", units is not None, seed))
        table = Predictions(
            ids, ids, folds.part, folds.fold, object_array([str(k) for k in y]), ("0", "1"), result.proba
        )
        results.append(summarise(table, units, n_boot=100)["accuracy"])
    honest, naive = results
    return honest["value"], honest["low"], honest["high"], naive["value"]  # type: ignore[index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    options = parser.parse_args()
    rows = np.array([one_seed(seed) for seed in range(options.seeds)])
    contains = np.mean((rows[:, 1] <= 0.5) & (rows[:, 2] >= 0.5))
    mean, spread = rows[:, 0].mean(), rows[:, 0].std()
    print(f"{options.seeds} seeds: group-wise accuracy {mean:.3f} (standard deviation {spread:.3f})")
    print(f"intervals that contain 0.5: {100 * contains:.1f} %; image-wise accuracy {rows[:, 3].mean():.3f}")


if __name__ == "__main__":
    main()
