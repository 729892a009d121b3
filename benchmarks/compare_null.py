"""How often `compare` finds a difference between models that are equally good, as Markdown tables.

    OMP_NUM_THREADS=1 python benchmarks/compare_null.py [--sets 1000] [--bootstrap-sets 200]

Both models are drawn from the same process: a true class, scores with a signal, and noise that is half shared by the
models. In grouped data each model's signal also shifts from group to group, apart for both models (one stain suits
the one, another stain the other); groups differ in size. Under this null hypothesis a test at 5 % should reject in at
most 5 % of the sets, and 95 % intervals should leave out 0 in about 5 %.

Last table: the models differ, the second is overconfident by a factor of 2 and has less signal; the truth of the
difference is taken from 200,000 samples (2,000 groups of those sizes); how often the interval holds it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import object_array
from graticule.evaluate.bootstrap import point, score
from graticule.evaluate.catalogue import OVERALL
from graticule.evaluate.compare.runs import compare_many, flat
from graticule.predictions import Predictions
from graticule.statistics.groups import Groups
from graticule.statistics.paired_tests import bonett_price, mcnemar, sign_flip

COMPARED = tuple(metric.key for metric in OVERALL)
N_CLASSES = 4
SIGNAL = (2.0, 2.0)
GROUP_SHIFTS = (0.4, 1.0)  # standard deviation between groups, where noise between samples has 1
GROUP_SHIFT = 1.0
Pair = tuple[NDArray[np.int64], list[NDArray[np.float64]], Groups]


def draw(
    rng: np.random.Generator, sizes: Sequence[int], shift: float, signal: tuple[float, float], heat: float
) -> Pair:
    """Labels (n,), probabilities (n, 4) of both models and groups of the sizes given."""
    codes = np.repeat(np.arange(len(sizes)), sizes)
    n = len(codes)
    y = rng.permutation(n) % N_CLASSES
    shared = rng.normal(size=(n, N_CLASSES))
    made = []
    for k in range(2):
        scores = np.sqrt(0.5) * (shared + rng.normal(size=(n, N_CLASSES)))
        scores[np.arange(n), y] += signal[k] + shift * rng.normal(size=len(sizes))[codes]
        scores = scores * signal[k] * (heat if k else 1.0)
        proba = np.exp(scores - scores.max(axis=1, keepdims=True))
        made.append(proba / proba.sum(axis=1, keepdims=True))
    return y, made, Groups(codes, object_array([f"g{i:04d}" for i in range(len(sizes))]))


def sizes_of(rng: np.random.Generator, n_groups: int, mean: int) -> list[int]:
    """Group sizes between a third and five thirds of the mean."""
    return [int(m) for m in rng.integers(max(2, mean // 3), mean * 5 // 3 + 1, size=n_groups)]


def rejections(n_groups: int, mean: int, n_sets: int, shift: float) -> tuple[float, float, float]:
    """Share of null sets with p <= 0.05: McNemar, sign-flip; and where Bonett and Price's interval leaves out 0."""
    rng = np.random.default_rng([n_groups, mean])
    found = np.zeros((n_sets, 3))
    for i in range(n_sets):
        y, (a, b), groups = draw(rng, sizes_of(rng, n_groups, mean), shift, SIGNAL, 1.0)
        right_a, right_b = a.argmax(axis=1) == y, b.argmax(axis=1) == y
        low, high = bonett_price(right_a, right_b, 0.95)
        p = sign_flip(right_a, right_b, groups)["p"]
        found[i] = (mcnemar(right_a, right_b)["p"] <= 0.05, p is not None and p <= 0.05, low > 0 or high < 0)
    mcnemar_share, flip_share, wald_share = found.mean(axis=0)
    return float(mcnemar_share), float(flip_share), float(wald_share)


def table(y: NDArray[np.int64], proba: NDArray[np.float64]) -> Predictions:
    """Scores as a held-out part."""
    n = len(y)
    names = object_array([f"{i:06d}" for i in range(n)])
    classes = tuple("abcd"[:N_CLASSES])
    label = np.array(classes, dtype=object)[y]
    return Predictions(names, names, object_array(["test"] * n), np.full(n, -1), label, classes, proba)


def misses(
    n_groups: int, mean: int, n_sets: int, signal: tuple[float, float], heat: float, truth: dict[str, float]
) -> dict[str, float]:
    """Share of sets whose interval of the difference leaves out the truth, per metric; n_groups 0: no groups."""
    rng = np.random.default_rng([n_groups, mean, 1])
    missed = dict.fromkeys(COMPARED, 0)
    for i in range(n_sets):
        sizes = sizes_of(rng, n_groups, mean) if n_groups else [mean]
        y, (a, b), groups = draw(rng, sizes, GROUP_SHIFT if n_groups else 0.0, signal, heat)
        names = groups.names[groups.codes] if n_groups else None
        result = flat(compare_many((table(y, a), table(y, b)), names, n_boot=400, seed=i))
        for name in COMPARED:
            figure = result["difference"][name]
            missed[name] += not figure["low"] <= truth[name] <= figure["high"]
    return {name: count / n_sets for name, count in missed.items()}


def truth_of(grouped: bool, signal: tuple[float, float], heat: float) -> dict[str, float]:
    """Difference of every metric in a very large set."""
    rng = np.random.default_rng(99)
    sizes = [100] * 2000 if grouped else [200_000]
    y, (a, b), _ = draw(rng, sizes, GROUP_SHIFT if grouped else 0.0, signal, heat)
    first, second = (point(score(y, proba, np.zeros(len(y), np.int64))) for proba in (a, b))
    return {name: float(second[name] - first[name]) for name in COMPARED}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--bootstrap-sets", type=int, default=200)
    options = parser.parse_args()
    start = time.perf_counter()
    print(f"Models equally good, {options.sets} sets a row: share with p <= 0.05, or whose interval leaves out 0\n")
    print("| data | McNemar | sign-flip | Bonett and Price |\n|---|---|---|---|")
    for n in (100, 400, 1600):
        shares = rejections(n, 3, options.sets, 0.0)
        print(
            f"| about {3 * n} samples, shift 0 (sign-flip: in {n} groups) | "
            + " | ".join(f"{s:.3f}" for s in shares)
            + " |"
        )
    for shift in GROUP_SHIFTS:
        for n_groups, mean in ((6, 40), (10, 30), (20, 15), (20, 60), (50, 20), (200, 8)):
            shares = rejections(n_groups, mean, options.sets, shift)
            cells = " | ".join(f"{s:.3f}" for s in shares)
            print(f"| {n_groups} groups of about {mean}, shift {shift:g} | {cells} |", flush=True)

    cases = ((0, 100), (0, 400), (12, 30), (30, 15))
    for title, signal, heat in (
        ("Models equally good", SIGNAL, 1.0),
        ("Second model weaker and overconfident", (2.2, 1.8), 2.0),
    ):
        print(f"\n{title}, {options.bootstrap_sets} sets a column: share of 95 % intervals that miss the truth\n")
        heads = [f"{g} groups of {m}" if g else f"{m} samples" for g, m in cases]
        print(f"| difference | {' | '.join(heads)} |\n|---|{'---|' * len(cases)}")
        columns = []
        for n_groups, mean in cases:
            truth = truth_of(n_groups > 0, signal, heat) if heat != 1.0 else dict.fromkeys(COMPARED, 0.0)
            columns.append(misses(n_groups, mean, options.bootstrap_sets, signal, heat, truth))
        for name in COMPARED:
            print(f"| {name} | " + " | ".join(f"{column[name]:.3f}" for column in columns) + " |", flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
