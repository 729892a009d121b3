"""How often the acceptance rule promises what is not so: simulated calibration sets of known truth.

    python benchmarks/acceptance_null.py [--sets 2000]

Each set is drawn anew; the rule is found on it at 95 % confidence, and the true accuracy of what it accepts is read off
the population it was drawn from. A guaranteed rule whose true accuracy lies below the target is a failure; 5 % are
allowed. Populations: "rising" scores tell right from wrong, with 1.3 times the errors that they say; "flat" scores tell
nothing and the accuracy lies just below the target everywhere, so that each guarantee is a failure (the least
favourable case). Grouped: answers within a group are correlated (Gaussian copula, 0.3), which leaves the accuracy at
each score as it is.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from graticule.decide.acceptance import find_rule
from graticule.decide.evidence import SHIPPED, Evidence
from graticule.decide.rule import GUARANTEED

Floats = NDArray[np.float64]
CONFIDENCE = 0.95
EXCESS = 1.3
CORRELATION = 0.3
BELOW = 1e-4
POPULATION = 400_000


@dataclass(frozen=True)
class Setting:
    """`n` images in all, in groups of `size` (1: no groups), of a kind of population, and the accuracy wanted."""

    n: int
    size: int
    kind: str
    target: float

    def draw(self, n: int, size: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
        """Best scores of n images in groups of a size, and which answers are right."""
        score = 0.5 + 0.5 * rng.beta(4, 0.35, n)
        chance = np.full(n, self.target - BELOW) if self.kind == "flat" else 1 - EXCESS * (1 - score)
        if size == 1:
            return score, rng.random(n) < chance
        shared = np.repeat(rng.normal(size=-(-n // size)), size)[:n]
        own = rng.normal(size=n)
        return score, ndtr(np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own) < chance


def failures(setting: Setting, sets: int, seed: int) -> tuple[int, int, float]:
    """Guarantees given, those that are not so, and the mean share of images accepted."""
    rng = np.random.default_rng(seed)
    score = np.sort(0.5 + 0.5 * rng.beta(4, 0.35, POPULATION))[::-1]
    chance = np.full(POPULATION, setting.target - BELOW) if setting.kind == "flat" else 1 - EXCESS * (1 - score)
    ranked, accuracy = -score, np.cumsum(chance) / np.arange(1, POPULATION + 1)
    given, wrong, share = 0, 0, 0.0
    for _ in range(sets):
        score, right = setting.draw(setting.n, setting.size, rng)
        proba = np.column_stack([score, 1 - score])
        evidence = Evidence(
            proba=proba,
            calibrated=proba,
            y=(~right).astype(np.int64),
            fold=np.full(setting.n, SHIPPED),
            unit=np.arange(setting.n) // setting.size,
            grouped=setting.size > 1,
            members=False,
        )
        rule = find_rule(evidence, setting.target, CONFIDENCE, seed=int(rng.integers(1 << 31)))
        if rule.status != GUARANTEED:
            continue
        above = int(np.searchsorted(ranked, -float(rule.threshold[0]), side="left"))
        given += 1
        share += above / POPULATION
        wrong += above > 0 and accuracy[above - 1] < setting.target
    return given, wrong, share / max(given, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=2000)
    options = parser.parse_args()
    plain = [(480, 1), (2000, 1)]
    print("| images | groups | population | target | guaranteed | guaranteed, but below the target | accepted |")
    print("|---|---|---|---|---|---|---|")
    settings = [Setting(n, size, kind, t) for kind in ("rising", "flat") for n, size in plain for t in (0.95, 0.99)]
    settings += [Setting(*s, kind, t) for kind in ("rising", "flat") for s, t in (((1000, 5), 0.95), ((2400, 4), 0.99))]
    for number, s in enumerate(settings):
        given, wrong, share = failures(s, options.sets, number)
        groups = "-" if s.size == 1 else f"{s.n // s.size} of {s.size}"
        print(
            f"| {s.n} | {groups} | {s.kind} | {s.target} | {given / options.sets:.3f} | {wrong / options.sets:.4f} | "
            f"{share:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
