"""How often the intervals of predicted numbers hold, in simulation, as two Markdown tables.

    OMP_NUM_THREADS=1 python benchmarks/value_coverage.py [--seed 0] [--runs 400]

Figures: `--runs` simulated cross-validations of specimens of unequal size whose images share half the variance of the
error; the truth comes from 60,000 specimens. Limits: as many simulated evidences, each with 20 new specimens; the error
of an image is shared in its specimen and grows with a column that tells how hard it is. Beside the limits proper
stand those of simpler ways: images that weigh alike, and errors of the training images of a model that interpolates.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from graticule.arrays import FloatArray, IntArray, StrArray, object_array
from graticule.decide.value_intervals import fit_intervals
from graticule.evaluate.values.estimates import Sampling, value_figures, value_point
from graticule.evaluate.values.figures import FIGURES, ScoredValues, score_values

GROUPS = (12, 25, 60)
NEW = 20
LEVEL = 0.9


def scored(n_groups: int, rng: np.random.Generator) -> ScoredValues:
    """Slope 0.8, no bias, half of the variance of the error shared in a specimen."""
    unit = np.repeat(np.arange(n_groups), rng.integers(3, 10, n_groups))
    y = rng.normal(size=n_groups)[unit] + 0.3 * rng.normal(size=len(unit))
    p = 0.8 * y + 0.3 * rng.normal(size=n_groups)[unit] + 0.3 * rng.normal(size=len(unit))
    return score_values(y, p, unit, 0.0)


def figures(runs: int, seed: int) -> None:
    """Coverage of the 95 % intervals of the figures."""
    rng = np.random.default_rng(seed)
    truth = value_point(scored(60_000, rng))
    keys = [figure.key for figure in FIGURES if figure.key != "relative"]
    print("| groups | " + " | ".join(keys) + " |\n|---|" + "---|" * len(keys))
    for n_groups in GROUPS:
        held = dict.fromkeys(keys, 0)
        for _ in range(runs):
            one = scored(n_groups, rng)
            found = value_figures(one, Sampling(np.bincount(one.unit).astype(float), True, 0, 200))
            for key in keys:
                held[key] += found[key]["low"] <= truth[key] <= found[key]["high"]
        print(f"| {n_groups} | " + " | ".join(f"{held[key] / runs:.3f}" for key in keys) + " |")


def drawn(n_groups: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, StrArray, FloatArray, IntArray]:
    """True and predicted values of specimens, their names, how hard each image is, and specimen numbers."""
    unit = np.repeat(np.arange(n_groups), rng.integers(2, 12, n_groups))
    value, hard = rng.uniform(size=len(unit)), rng.normal(size=len(unit))
    error = 0.06 * (rng.normal(size=n_groups)[unit] + rng.normal(size=len(unit))) * np.exp(0.7 * hard)
    return value + error, value, object_array([f"s{u:03d}" for u in unit]), hard[:, None], unit


def held_in(low: FloatArray, high: FloatArray, y: FloatArray, unit: IntArray) -> tuple[float, float]:
    """Coverage, every specimen counting alike, and mean width."""
    inside = (low <= y) & (y <= high)
    share = np.bincount(unit, weights=inside) / np.bincount(unit)
    return float(share.mean()), float((high - low).mean())


def limits(runs: int, seed: int) -> None:
    """Coverage of 90 % limits on new specimens, and of their narrowest third, by ways of making them."""
    rng = np.random.default_rng(seed)
    ways = ("groups alike", "groups alike, difficulty known", "images alike", "training errors of an interpolator")
    print("\n| groups | " + " | ".join(f"{way}: coverage, width" for way in ways) + " | local width taken |")
    print("|---|" + "---|" * (len(ways) + 1))
    for n_groups in GROUPS:
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        local = 0
        for _ in range(runs):
            y, p, group, hard, _ = drawn(n_groups, rng)
            new_y, new_p, _, new_hard, unit = drawn(NEW, rng)
            fits = [
                fit_intervals(y, p, group, None),
                fit_intervals(y, p, group, hard),
                fit_intervals(y, p, None, None),
                fit_intervals(y, y, group, None),
            ]
            local += fits[1].width is not None
            for way, fit in zip(ways, fits, strict=True):
                low, high = fit.apply(new_p, new_hard if way.endswith("known") else None, LEVEL)
                found[way].append(held_in(low, high, new_y, unit))
        cells = ["{:.3f}, {:.3f}".format(*np.mean(found[way], axis=0)) for way in ways]
        print(f"| {n_groups} | " + " | ".join(cells) + f" | {local / runs:.2f} |")
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=400)
    options = parser.parse_args()
    figures(options.runs, options.seed)
    limits(options.runs, options.seed)


if __name__ == "__main__":
    main()
