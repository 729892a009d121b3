"""What the estimated acceptance rule keeps in new groups: simulated evidence in groups, of known truth.

    python benchmarks/acceptance_groups.py [--sets 100]

Each set of evidence holds groups of different sizes. A group has scores of its own (some groups are harder), and makes
more or fewer errors than its scores say: a factor drawn for each group, and in some settings a share of groups that err
ten times as often. The rule is found on the set and judged on all groups of the population: accuracy of what it
accepts, pooled over the sets, share accepted, and share of sets in which it accepts anything. Beside it stands the rule
that takes images for independent.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.decide.estimated_rule import loosest

Floats = NDArray[np.float64]
POPULATION = 4000  # groups
EXCESS = 1.2
TARGETS = (0.99, 0.98, 0.95)


@dataclass(frozen=True)
class Setting:
    """Number of groups, their mean size, spread of (the logarithms of) sizes and error factors, share of bad groups."""

    groups: int
    size: float
    spread: float
    factor: float
    bad: float

    def draw(self, groups: int, rng: np.random.Generator) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Best scores, chances of being right, and groups of the images, shape (n,) each."""
        sizes = self.size * np.exp(rng.normal(-(self.spread**2) / 2, self.spread, groups))
        code = np.repeat(np.arange(groups), np.maximum(2, sizes.astype(np.int64)))
        factor = EXCESS * np.exp(rng.normal(-(self.factor**2) / 2, self.factor, groups))
        factor = np.where(rng.random(groups) < self.bad, 10.0, factor)
        hard = 0.35 * np.exp(rng.normal(0, 0.4, groups))
        score = 0.5 + 0.5 * rng.beta(4, hard[code])
        return score, np.clip(1 - factor[code] * (1 - score), 0, 1), code


def judged(setting: Setting, sets: int, seed: int) -> list[str]:
    """Rows of the table."""
    rng = np.random.default_rng(seed)
    score, chance, _ = setting.draw(POPULATION, rng)
    order = np.argsort(-score)
    ranked, errors = -score[order], np.append(0.0, np.cumsum(1 - chance[order]))
    tally = {(target, grouped): np.zeros(3) for target in TARGETS for grouped in (False, True)}
    for _ in range(sets):
        score, chance, code = setting.draw(setting.groups, rng)
        right = rng.random(len(score)) < chance
        for (target, grouped), total in tally.items():
            threshold = loosest(score, right, np.ones(len(score)), code if grouped else None, target)
            above = int(np.searchsorted(ranked, -threshold, side="left"))
            total += (above, errors[above], above > 0)
    words = f"{setting.groups} of {setting.size:g}, factor {setting.factor:g}, bad {setting.bad:.0%}"
    rows = []
    for target in TARGETS:
        cells = []
        for grouped in (False, True):
            accepted, wrong, reached = tally[target, grouped]
            accuracy = f"{1 - wrong / accepted:.4f}" if accepted else "-"
            cells.append(f"{accuracy} | {accepted / sets / len(ranked):.2f} | {reached / sets:.2f}")
        rows.append(f"| {words} | {target} | {' | '.join(cells)} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=100)
    options = parser.parse_args()
    print("| groups | target | images independent: accuracy | accepted | reached | by group: accuracy | accepted | "
          "reached |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    settings = [
        Setting(8, 100, 0.5, 0.5, 0.0),
        Setting(16, 120, 0.6, 0.3, 0.0),
        Setting(16, 120, 1.0, 1.0, 0.05),
        Setting(16, 120, 0.6, 0.5, 0.1),
        Setting(30, 40, 0.6, 1.0, 0.05),
        Setting(100, 15, 0.8, 1.0, 0.05),
        Setting(300, 5, 0.5, 1.0, 0.05),
    ]
    for number, setting in enumerate(settings):
        print("\n".join(judged(setting, options.sets, number)), flush=True)


if __name__ == "__main__":
    main()
