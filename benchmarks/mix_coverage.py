"""Coverage of the intervals at a stated mix of classes, with planted rates, as a Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/mix_coverage.py [--runs 1000] [--seed 0] [--ranking-runs 200]
        [--only precision|ranking]

Mix 500,000 : 500 : 500. Rates of confusion are planted and counts drawn from them, in groups too, whose rates differ;
for average precision, scores are Gaussian and the truth is known. Beside each interval stands what is done without it:
the bootstrap of the weighted figure over the same counts.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from graticule.evaluate.mix_precision import WithEnds, confusion_rates, macro_precision_at, precision_at
from graticule.evaluate.mix_ranking import average_precision_at
from graticule.statistics.groups import Groups

MIX = np.array([500_000.0, 500.0, 500.0]) / 501_000
# common images taken for one of the rare classes, and judged images of the common and of each rare class
SETTINGS = (
    (0.001, 550, 50),
    (0.0001, 550, 50),
    (0.001, 5_000, 50),
    (0.0001, 5_000, 500),
    (0.0001, 60_000, 500),
    (0.00001, 60_000, 500),
)
GROUPS = 40


def rates_of(false: float) -> NDArray[np.float64]:
    """Rates of confusion of the common class and two rare ones."""
    return np.array([[1 - 2 * false, false, false], [0.08, 0.85, 0.07], [0.1, 0.02, 0.88]])


def drawn(rates: NDArray[np.float64], sizes: list[int], rng: np.random.Generator, groups: int) -> NDArray[np.float64]:
    """Confusion matrices of groups, whose rates scatter by a Dirichlet distribution; of one group: independent."""
    if groups == 1:
        return np.stack([rng.multinomial(n, row) for n, row in zip(sizes, rates, strict=True)])[None].astype(float)
    found = np.zeros((groups, 3, 3))
    for g in range(groups):
        for k, (n, row) in enumerate(zip(sizes, rates, strict=True)):
            found[g, k] = rng.multinomial(max(n // groups, 1), rng.dirichlet(10 * row))
    return found


def bootstrapped(counts: NDArray[np.float64], rng: np.random.Generator) -> tuple[float, float]:
    """Percentile limits of the macro precision at the mix from 400 draws of the judged images."""
    cells = counts.sum(axis=0)
    found = []
    for _ in range(400):
        again = np.stack([rng.multinomial(int(row.sum()), row / row.sum()) for row in cells]).astype(float)
        rates = again / again.sum(axis=1, keepdims=True)
        found.append(macro_precision_at(precision_at(WithEnds(rates, rates, rates), MIX), MIX).value)
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def precision_rows(runs: int, seed: int) -> None:
    """Coverage and width for the macro precision and the precision of a rare class."""
    print("| false rate | common, rare judged | groups | macro held | width | rare class held | bootstrap held |")
    print("|---|---|---|---|---|---|---|")
    for false, common, rare in SETTINGS:
        rates = rates_of(false)
        truth = precision_at(WithEnds(rates, rates, rates), MIX)
        macro = macro_precision_at(truth, MIX).value
        for groups in (1, GROUPS):
            rng = np.random.default_rng(seed)
            held = np.zeros(3)
            width, n_boot = 0.0, min(runs, 200)
            for run in range(runs):
                counts = drawn(rates, [common, rare, rare], rng, groups)
                found = precision_at(confusion_rates(counts, 0.95, grouped=groups > 1), MIX)
                whole = macro_precision_at(found, MIX)
                held[0] += whole.low <= macro <= whole.high
                held[1] += found.low[1] <= truth.value[1] <= found.high[1]
                width += float(whole.high - whole.low)
                if run < n_boot:
                    low, high = bootstrapped(counts, rng)
                    held[2] += low <= macro <= high
            told = f"| {false:g} | {common:,}, {rare} | {groups if groups > 1 else 'none'} | {held[0] / runs:.1%} "
            print(f"{told}| {width / runs:.2f} | {held[1] / runs:.1%} | {held[2] / n_boot:.1%} |", flush=True)


def ranking_rows(runs: int, seed: int) -> None:
    """Coverage and width for the average precision of a class that is one in a thousand; groups shift its scores."""
    print("\n| distance | common, rare judged | groups | true AP | held | mean width |")
    print("|---|---|---|---|---|---|")
    mix, names = np.array([0.001, 0.999]), np.array([f"g{g}" for g in range(GROUPS)], object)
    for distance, common, rare in ((3.0, 550, 50), (5.0, 550, 50), (4.0, 5_000, 200), (5.0, 20_000, 200)):
        for shift in (0.0, 0.7):
            spread = np.hypot(1.0, shift)
            at = spread * norm.ppf((np.arange(100_000) + 0.5) / 100_000) + distance
            hit, false = mix[0] * norm.sf((at - distance) / spread), mix[1] * norm.sf(at / spread)
            truth, held, width = float((hit / (hit + false)).mean()), 0, 0.0
            for run in range(runs):
                rng = np.random.default_rng((seed, run))
                y = np.repeat([0, 1], [rare, common])
                codes = rng.integers(GROUPS, size=len(y))
                scores = (
                    np.where(y == 0, distance, 0.0) + rng.normal(size=len(y)) + shift * rng.normal(size=GROUPS)[codes]
                )
                groups = Groups(codes, names) if shift else None
                found = average_precision_at(y, scores, 0, mix, groups, 0.95, run)
                held += bool(found.low <= truth <= found.high)
                width += float(found.high - found.low)
            told = f"| {distance:g} | {common:,}, {rare} | {GROUPS if shift else 'none'} | {truth:.3f} "
            print(f"{told}| {held / runs:.1%} | {width / runs:.2f} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--ranking-runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("precision", "ranking"))
    asked = parser.parse_args()
    if asked.only != "ranking":
        precision_rows(asked.runs, asked.seed)
    if asked.only != "precision":
        ranking_rows(asked.ranking_runs, asked.seed)


if __name__ == "__main__":
    main()
