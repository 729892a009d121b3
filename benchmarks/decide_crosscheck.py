"""Own calibration, calibration error, prediction sets and confident joint beside other packages, on random cases.

    pip install --target LIBS netcal mapie cleanlab
    PYTHONPATH=LIBS python benchmarks/decide_crosscheck.py [--cases 50]

netcal: temperature scaling and expected calibration error; MAPIE: split conformal sets (LAC and APS), for all classes
together and class by class (MAPIE on the calibration images of each class); cleanlab: the confident joint. A package
that is not there is passed over. Where definitions differ the difference is taken out first, as the lines say.
"""

from __future__ import annotations

import argparse
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.label_errors.joint import confident_joint, confident_thresholds

from given import Given
from graticule.decide.conformal import p_values, prepare_sets
from graticule.decide.evidence import SHIPPED, Evidence
from graticule.evaluate.metrics import ece
from graticule.heads.calibration_fit import fit_calibration
from graticule.heads.scoring import softmax

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def case(seed: int) -> tuple[Floats, Ints, np.random.Generator]:
    """Scores of 2 to 8 classes that are too sure or not sure enough, with labels."""
    rng = np.random.default_rng(seed)
    k, n = int(rng.integers(2, 9)), int(rng.integers(200, 2000))
    z = rng.normal(0, 2, (n, k))
    y = (rng.random((n, 1)) > np.cumsum(softmax(z), axis=1)).sum(axis=1).clip(max=k - 1)
    y[:k] = np.arange(k)
    return softmax(float(rng.uniform(0.5, 2)) * z), y.astype(np.int64), rng


def temperature(cases: int) -> str:
    """Largest difference of a calibrated score; own fits are pulled towards no change by the weight of one image."""
    from netcal.scaling import TemperatureScaling  # type: ignore[import-not-found]

    most, freed, slopes = 0.0, 0.0, []
    for seed in range(cases):
        proba, y, _ = case(seed)
        own = fit_calibration("temperature", proba, y)
        theirs = TemperatureScaling()
        theirs.fit(proba, y)
        found = theirs.transform(proba)
        if proba.shape[1] == 2 and found.ndim == 1:
            found = np.column_stack([1 - found, found])
        most = max(most, float(np.abs(own(proba) - found).max()))
        # with every image 20 times the pull is a twentieth
        loose = fit_calibration("temperature", np.tile(proba, (20, 1)), np.tile(y, 20))
        freed = max(freed, float(np.abs(loose(proba) - found).max()))
        slopes.append(float(own.values["slope"][0]))
    return (
        f"largest difference of a score {most:.1e}; {freed:.1e} with a twentieth of the own pull towards no change; "
        f"slopes {min(slopes):.2f} to {max(slopes):.2f}"
    )


def calibration_error(cases: int) -> str:
    """Largest difference of the expected calibration error."""
    from netcal.metrics import ECE

    most = 0.0
    for seed in range(cases):
        proba, y, _ = case(seed)
        theirs = float(ECE(15).measure(proba, y)) if proba.shape[1] > 2 else _two_classes(proba, y)
        most = max(most, abs(ece(y, proba) - theirs))
    return f"largest difference {most:.1e}"


def _two_classes(proba: Floats, y: Ints) -> float:
    """netcal takes two columns for the confidence of the second class; the top label's is given instead."""
    from netcal.metrics import ECE

    best = proba.argmax(axis=1)
    return float(ECE(15).measure(proba.max(axis=1), (best == y).astype(int)))


class NoDraw(np.random.RandomState):
    """Draws nothing but zeros: MAPIE's APS subtracts a random share of the label's score from calibration scores."""

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Zeros."""
        return np.zeros(size)


def mapie_sets(proba: Floats, y: Ints, new: Floats, level: float, score: str, drawn: bool = True) -> NDArray[np.bool_]:
    """MAPIE's split conformal sets, shape (n, K); not `drawn`: without chance, and without the class that passes it."""
    from mapie.classification import SplitConformalClassifier  # type: ignore[import-not-found]

    machine = SplitConformalClassifier(
        Given(proba.shape[1]),
        confidence_level=level,
        prefit=True,
        conformity_score=score,
        random_state=0 if drawn else NoDraw(),
    )
    machine.conformalize(proba, y)
    options = None if drawn else {"include_last_label": False}
    return np.asarray(machine.predict_set(new, conformity_score_params=options)[1][:, :, 0], dtype=bool)


def sets(cases: int, score: str, *, by_class: bool = False, drawn: bool = True) -> str:
    """How many memberships of classes in sets differ; own LAC sets without the rule that the best is in."""
    differ, total, size, used = 0, 0, [0.0, 0.0], 0
    for seed in range(cases):
        proba, y, rng = case(seed)
        if score == "aps" and proba.shape[1] == 2:
            continue  # MAPIE takes two classes with LAC alone
        level, half, k = float(rng.choice([0.8, 0.9, 0.95])), len(y) // 2, proba.shape[1]
        evidence = Evidence(
            proba[:half], proba[:half], y[:half], np.full(half, SHIPPED), np.arange(half), False, members=False
        )
        prepared = prepare_sets(evidence, score)
        if not by_class:
            prepared = replace(prepared, units=np.zeros(k))
        new = proba[half:]
        own = p_values(prepared, new[None], new, level) > 1 - level + 1e-12
        if by_class:
            theirs = np.column_stack(
                [
                    mapie_sets(proba[:half][y[:half] == c], y[:half][y[:half] == c], new, level, score)[:, c]
                    if prepared.units[c] >= 1 / (1 - level)
                    else own[:, c]
                    for c in range(k)
                ]
            )
        else:
            theirs = mapie_sets(proba[:half], y[:half], new, level, score, drawn)
        if score == "aps":  # never empty there
            own[np.arange(len(new)), new.argmax(axis=1)] = theirs[np.arange(len(new)), new.argmax(axis=1)] = True
        differ += int((own != theirs).sum())
        total += own.size
        size[0] += own.sum() / len(new)
        size[1] += theirs.sum() / len(new)
        used += 1
    return f"{differ} of {total:,} memberships differ; mean size {size[0] / used:.3f}, MAPIE {size[1] / used:.3f}"


def joint(cases: int) -> str:
    """How many images of the confident joint differ, in all and where one class at most reaches its threshold."""
    from cleanlab.count import compute_confident_joint  # type: ignore[import-not-found]

    differ, everything, clear_differ, clear_all = 0, 0, 0, 0
    for seed in range(cases):
        proba, y, rng = case(seed)
        flipped = np.where(rng.random(len(y)) < 0.1, rng.integers(0, proba.shape[1], len(y)), y)
        flipped[: proba.shape[1]] = np.arange(proba.shape[1])
        own = confident_joint(proba, flipped)
        theirs = compute_confident_joint(flipped, proba, calibrate=False)
        differ += int(np.abs(own - theirs).sum())
        everything += len(y)
        # cleanlab takes the likeliest class of an image that reaches several thresholds, even one below its own
        above = (proba >= confident_thresholds(proba, flipped) - 1e-6).sum(axis=1)
        odd = int(((above > 1) & (proba.argmax(axis=1) != _best_above(proba, flipped))).sum())
        clear_differ += max(0, int(np.abs(own - theirs).sum()) - 2 * odd)
        clear_all += odd
    return (
        f"cells differ by {differ} in {everything:,} images; {clear_all} images reach several thresholds and not that "
        f"of their likeliest class, which explains all but {clear_differ}"
    )


def _best_above(proba: Floats, y: Ints) -> Ints:
    reached = proba >= confident_thresholds(proba, y) - 1e-6
    return np.where(reached, proba, -1.0).argmax(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=50)
    cases = parser.parse_args().cases
    # what other packages warn of is not this program's
    warnings.simplefilter("ignore")
    checks: list[tuple[str, str, Callable[[], str]]] = [
        ("temperature", "netcal", lambda: temperature(cases)),
        ("expected calibration error", "netcal", lambda: calibration_error(cases)),
        ("sets, LAC, all classes together", "mapie", lambda: sets(cases, "lac")),
        ("sets, LAC, class by class", "mapie", lambda: sets(cases, "lac", by_class=True)),
        ("sets, APS, all classes together", "mapie", lambda: sets(cases, "aps")),
        (
            "the same, MAPIE without chance and without the class beyond",
            "mapie",
            lambda: sets(cases, "aps", drawn=False),
        ),
        ("confident joint", "cleanlab", lambda: joint(cases)),
    ]
    print("| what | against | measured |\n|---|---|---|")
    for name, package, check in checks:
        found = check() if importlib.util.find_spec(package) else "not installed"
        print(f"| {name} | {package} | {found} |", flush=True)


if __name__ == "__main__":
    main()
