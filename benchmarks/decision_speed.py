"""Time and memory of everything that decides, on drawn scores: 500,000 images of 10 classes by default.

    OMP_NUM_THREADS=1 python benchmarks/decision_speed.py [--images 500000] [--classes 10]

As evidence the images are calibrated and described as `train` does it; as new images they get sets and decisions as
`predict` gives them, in one process.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from graticule.decide.acceptance import find_rule
from graticule.decide.conformal import p_values, prediction_sets, prepare_sets
from graticule.decide.decisions import decide
from graticule.decide.evidence import Evidence
from graticule.decide.reliability import calibration_errors, reliability
from graticule.decide.risk_coverage import coverage_at, risk_coverage
from graticule.heads.calibration_fit import choose_calibration
from graticule.heads.scoring import softmax
from graticule.label_errors.ranking import find_label_errors

BLOCK = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500_000)
    parser.add_argument("--classes", type=int, default=10)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    n, k = options.images, options.classes
    y = rng.integers(0, k, n)
    proba = softmax(rng.normal(size=(n, k)) + 5.0 * np.eye(k)[y])
    whole = time.perf_counter()

    def done(what: str) -> None:
        nonlocal start
        print(f"{what}: {time.perf_counter() - start:.1f} s", flush=True)
        start = time.perf_counter()

    start = whole
    choice = choose_calibration(proba, y, None)
    done(f"calibration ({choice.calibration.method})")
    calibration_errors(y, choice.crossfitted)
    reliability(y, choice.crossfitted)
    done("calibration errors and reliability")
    evidence = Evidence(proba, choice.crossfitted, y, np.arange(n) % 5, np.arange(n), False, True)
    rule = find_rule(evidence)
    right = choice.crossfitted.argmax(axis=1) == y
    risk_coverage(choice.crossfitted.max(axis=1), right)
    coverage_at(choice.crossfitted.max(axis=1), right)
    done("acceptance and risk-coverage curve")
    sets = prepare_sets(evidence)
    for at in range(0, n, BLOCK):
        rows = slice(at, at + BLOCK)
        members = np.repeat(proba[rows][None], 5, axis=0)
        p = p_values(sets, members, proba[rows], 0.95)
        scores = choice.calibration(proba[rows])
        inside = prediction_sets(p, scores.argmax(axis=1), 0.95)
        decide(scores, inside, np.zeros(len(p), bool), rule, [f"class {c}" for c in range(k)])
    done("sets, decisions and reasons")
    find_label_errors(proba, y)
    done("label errors, without features")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"in all {time.perf_counter() - whole:.1f} s, peak {peak:.2f} GB")


if __name__ == "__main__":
    main()
