"""Accuracy by the number of labels: the queue's order against random order, from 10 labelled images per class.

    python benchmarks/review_loop.py FEATURES.npz [--seeds 20] [--budget 600] [--step 40]

FEATURES.npz is what `graticule embed DATA --out FEATURES.npz` writes. One fifth of the images, the same for all, is the
test set. Each seed draws its first labels at random; then, batch after batch, a head is trained on what is labelled
and the next images are taken by the order in question. A person who answers with the data set's label is assumed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from graticule.heads.scoring import signed_sqrt
from graticule.review.class_items import margin_gain

ORDERS = ("random", "gain", "margin")
Floats = NDArray[np.float64]


def order_of(name: str, proba: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of the pool by falling worth."""
    tie = rng.random(len(proba))
    if name == "random":
        return np.argsort(tie)
    worth = 1.0 - proba.max(axis=1) if name == "gain" else margin_gain(proba)
    return np.lexsort((tie, -worth))


def curve(
    name: str, x: Floats, y: NDArray[np.int64], test: NDArray[np.bool_], options: argparse.Namespace, seed: int
) -> list[float]:
    """Accuracy on the test set after each batch."""
    rng = np.random.default_rng(seed)
    pool = rng.permutation(np.flatnonzero(~test))
    first = np.concatenate([pool[y[pool] == k][: options.first] for k in np.unique(y)])
    labelled = list(first)
    found = []
    while True:
        scaler = StandardScaler().fit(x[labelled])
        head = LogisticRegression(C=0.01, max_iter=300).fit(scaler.transform(x[labelled]), y[labelled])
        found.append(float((head.predict(scaler.transform(x[test])) == y[test]).mean()))
        if len(labelled) >= options.budget:
            return found
        rest = np.setdiff1d(pool, labelled)
        proba = head.predict_proba(scaler.transform(x[rest]))
        labelled += rest[order_of(name, proba, rng)[: options.step]].tolist()


def labels_needed(found: list[float], target: float, first: int, step: int) -> float:
    """Labels at which the curve first reaches the target for good, between two batches by a straight line."""
    reached = np.array(found) >= target
    below = np.flatnonzero(~reached)
    if not len(below):
        return float(first)
    place = int(below[-1]) + 1
    if place == len(found):
        return np.inf
    a, b = found[place - 1], found[place]
    return first + step * (place - 1 + (target - a) / (b - a))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=720)
    parser.add_argument("--step", type=int, default=40)
    parser.add_argument("--first", type=int, default=10)
    parser.add_argument("--target", type=float, default=0.9)
    options = parser.parse_args()
    with np.load(options.features, allow_pickle=False) as stored:
        features, label = stored["features"], stored["label"]
    x, y = signed_sqrt(features).astype(np.float64), np.unique(label, return_inverse=True)[1]
    test = np.zeros(len(y), bool)
    test[np.random.default_rng(20260101).permutation(len(y))[: len(y) // 5]] = True
    first = options.first * len(np.unique(y))
    curves = {name: [curve(name, x, y, test, options, seed) for seed in range(options.seeds)] for name in ORDERS}
    sizes = [first + options.step * i for i in range(len(curves["random"][0]))]
    sys.stdout.write(f"accuracy on {test.sum()} test images, mean of {options.seeds} seeds\n")
    sys.stdout.write(f"labels  {'  '.join(ORDERS)}\n")
    for i, size in enumerate(sizes):
        means = "  ".join(f"{np.mean([c[i] for c in curves[name]]):.4f}" for name in ORDERS)
        sys.stdout.write(f"{size:6d}  {means}\n")
    needed = {
        name: np.array([labels_needed(c, options.target, first, options.step) for c in own])
        for name, own in curves.items()
    }
    rng = np.random.default_rng(0)
    for name in ORDERS:
        unreached = int(np.isinf(needed[name]).sum())
        sys.stdout.write(f"{name}: {np.median(needed[name]):.0f} labels to {options.target:g} (median; "
                         f"{needed[name].min():.0f} to {needed[name].max():.0f}; {unreached} never)\n")  # fmt: skip
        if name != "random":
            # a curve that did not get there would need more than the budget: the difference is at least this
            fewer = np.minimum(needed["random"], options.budget) - np.minimum(needed[name], options.budget)
            draws = [np.mean(rng.choice(fewer, len(fewer))) for _ in range(4000)]
            low, high = np.quantile(draws, [0.025, 0.975])
            sys.stdout.write(f"  fewer than random order, paired: {fewer.mean():.0f} ({low:.0f} to {high:.0f})\n")


if __name__ == "__main__":
    main()
