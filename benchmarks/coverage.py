"""Coverage of the 95 % intervals in simulation, as a Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/coverage.py [--seed 0] [--only proportions|bootstrap]

Proportions: `--runs` simulated evaluations per cell, 300 samples; groups of 30, or of sizes drawn from a geometric
distribution with mean 30, whose accuracies follow a beta distribution with the stated intra-group correlation.
Bootstrap: Gaussian scores with a group shift; the truth comes from 200,000 samples. About two minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.evaluate.bootstrap import point, score
from graticule.evaluate.estimates import metric_limits, replicates_of
from graticule.statistics.groups import Groups
from graticule.statistics.intervals import cluster_t, wilson

ACCURACIES = (0.7, 0.95, 0.99)
BOOTSTRAPPED = ("balanced_accuracy", "macro_f1", "roc_auc_macro", "average_precision_macro", "log_loss", "brier", "ece")
N_TRUTH = 200_000


@dataclass(frozen=True)
class Setting:
    """Gaussian class scores: n samples, share of each class, distance of the class means, groups and their shift."""

    n: int
    shares: tuple[float, ...]
    distance: float
    n_groups: int = 0
    shift: float = 0.0

    @property
    def name(self) -> str:
        """What the table calls it."""
        grouped = f"{self.n_groups} groups" if self.n_groups else "ungrouped"
        return f"{grouped}, n {self.n}, classes {':'.join(f'{s:g}' for s in self.shares)}, distance {self.distance:g}"


SETTINGS = (
    Setting(100, (1, 1), 1.5),
    Setting(100, (1, 1), 3.0),
    Setting(300, (1, 1, 1, 1), 2.0),
    Setting(300, (1, 1, 1, 1), 3.2),
    Setting(300, (10, 5, 2, 1), 2.5),
    Setting(300, (9, 1), 2.0),
    Setting(300, (1, 1, 1), 2.0, 10, 0.7),
    Setting(300, (1, 1, 1), 3.0, 10, 0.7),
    Setting(600, (1, 1, 1), 2.0, 20, 0.7),
    Setting(600, (1, 1, 1), 3.0, 20, 0.7),
)


def simulate(
    setting: Setting, generator: np.random.Generator, n: int, n_groups: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Labels (n,), probabilities (n, K) of the classifier that knows the distribution, group codes (n,)."""
    shares = np.array(setting.shares) / sum(setting.shares)
    y = generator.choice(len(shares), size=n, p=shares)
    x = setting.distance * np.eye(len(shares))[y] + generator.normal(size=(n, len(shares)))
    codes = generator.integers(max(n_groups, 1), size=n)
    if n_groups:
        x += setting.shift * generator.normal(size=(n_groups, len(shares)))[codes]
    logits = x * setting.distance + np.log(shares)
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return y, proba / proba.sum(axis=1, keepdims=True), np.unique(codes, return_inverse=True)[1]


def covered(low: NDArray[np.float64], high: NDArray[np.float64], truth: float) -> str:
    """Share of the intervals that hold the truth, in per cent; marked where outside 93 to 98."""
    share = 100 * float(((low <= truth + 1e-12) & (truth - 1e-12 <= high)).mean())
    return f"{share:.1f}" if 93 <= share <= 98 else f"**{share:.1f}**"


def proportion_rows(runs: int, generator: np.random.Generator) -> list[str]:
    """Coverage of the accuracy's interval."""
    cells = [
        covered(*wilson(generator.binomial(300, p, runs).astype(float), np.full(runs, 300.0)), p) for p in ACCURACIES
    ]
    rows = [f"| ungrouped, 300 samples | - | {' | '.join(cells)} |"]
    for n_groups in (10, 20):
        for sizes in ("equal", "unequal"):
            for correlation in (0.02, 0.05, 0.1, 0.2, 0.3):
                cells = [grouped_cell(runs, n_groups, sizes, correlation, p, generator) for p in ACCURACIES]
                rows.append(f"| {n_groups} groups, {sizes} sizes | {correlation:g} | {' | '.join(cells)} |")
    return rows


def grouped_cell(
    runs: int, n_groups: int, sizes: str, correlation: float, accuracy: float, generator: np.random.Generator
) -> str:
    """Coverage of `cluster_t` for beta-binomial groups of 30, or about 30, samples."""
    shape = (runs, n_groups)
    trials = np.full(shape, 30) if sizes == "equal" else np.maximum(generator.geometric(1 / 30, shape), 2)
    scale = 1 / correlation - 1
    hits = generator.binomial(trials, generator.beta(accuracy * scale, (1 - accuracy) * scale, shape))
    return covered(*cluster_t(hits.astype(float), trials.astype(float)), accuracy)


def bootstrap_row(setting: Setting, runs: int, n_boot: int, generator: np.random.Generator) -> str:
    """Coverage of the bootstrap intervals of one setting."""
    y, proba, _ = simulate(setting, generator, N_TRUTH, N_TRUTH // 10 if setting.n_groups else 0)
    truth = point(score(y, proba, np.zeros(N_TRUTH, dtype=np.int64)))
    limits: dict[str, list[tuple[float, float]]] = {name: [] for name in BOOTSTRAPPED}
    for run in range(runs):
        y, proba, codes = simulate(setting, generator, setting.n, setting.n_groups)
        names = np.array([str(g) for g in range(codes.max() + 1)], dtype=object)
        groups = Groups(codes, names) if setting.n_groups else None
        scored = score(y, proba, np.zeros(setting.n, dtype=np.int64))
        found = metric_limits(scored, point(scored), replicates_of(scored, groups, n_boot, run), groups, 0.95)
        for name, pairs in limits.items():
            pairs.append((float(found[name].low), float(found[name].high)))
    cells = []
    for name, pairs in limits.items():
        low, high = np.array(pairs).T
        cells.append(f"{covered(low, high, float(truth[name]))} ({float(truth[name]):.3f})")
    return f"| {setting.name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5000, help="simulations per cell of the proportions")
    parser.add_argument("--bootstrap-runs", type=int, default=500, help="simulations per bootstrap setting")
    parser.add_argument("--n-boot", type=int, default=500, help="bootstrap replicates per simulation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("proportions", "bootstrap"))
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    lines = []
    if options.only != "bootstrap":
        lines += [f"Accuracy: coverage in %, {options.runs} simulations per cell, outside 93 to 98 bold", ""]
        lines += ["| samples | correlation | accuracy 0.7 | 0.95 | 0.99 |", "|---|---|---|---|---|"]
        lines += [*proportion_rows(options.runs, generator), ""]
    if options.only != "proportions":
        lines += [f"Bootstrap: coverage in % (true value), {options.bootstrap_runs} simulations per row", ""]
        lines += [f"| setting | {' | '.join(BOOTSTRAPPED)} |", "|---" * (1 + len(BOOTSTRAPPED)) + "|"]
        lines += [bootstrap_row(s, options.bootstrap_runs, options.n_boot, generator) for s in SETTINGS]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
