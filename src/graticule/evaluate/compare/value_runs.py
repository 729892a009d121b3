"""Models of one number on the same images: figures of each, and their errors as paired ratios and differences."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from graticule.arrays import FloatArray, IntArray, StrArray
from graticule.errors import RunError
from graticule.evaluate.compare.alignment import ordinal, shared_rows
from graticule.evaluate.sampling import checked_groups
from graticule.evaluate.values.baselines import paired_errors
from graticule.evaluate.values.estimates import Sampling, value_figures
from graticule.evaluate.values.figures import ScoredValues, score_values
from graticule.statistics.intervals import MIN_GROUPS
from graticule.values import Values

EXAMPLES = 12


def compare_values(runs: Sequence[Values], group: StrArray | None = None, *, seed: int = 0) -> dict[str, Any]:
    """Compare sets of predicted numbers on the images that all of them share, each with the first.

    Parameters
    ----------
    runs : sequence of two or more Values
        One part of each; rows may stand in another order.
    group : object array of str, shape (len(runs[0]),), optional
        Group of each row of the first: whole groups are drawn.
    seed : int

    Returns
    -------
    dict
        "n", "n_each", "n_groups"; "figures": per run as in metrics.json; "comparisons": per later run "ratio" and
        "difference" of the mean absolute errors (the later one over and less the first), "closer" (images that each
        comes closer to, and ties) and "examples" (up to 12 images each that one comes closer to by most); "notes".

    Raises
    ------
    RunError
        When true values differ, an image occurs twice, or none is shared.
    """
    rows = shared_rows([run.sample_id for run in runs], group)
    shared = [run.take(own) for run, own in zip(runs, rows, strict=True)]
    first, target = shared[0], shared[0].target
    for k, other in enumerate(shared[1:], start=1):
        differ = int((~np.isclose(target, other.target, rtol=1e-9, atol=0.0)).sum())
        if differ:
            raise RunError(
                f"cannot compare: {differ} of {len(target)} shared images carry another true value in the {ordinal(k)} "
                "run; train or evaluate all on the same values"
            )
    groups = checked_groups(None if group is None else group[rows[0]], len(target))
    unit = np.arange(len(target)) if groups is None else groups.codes
    sampling = Sampling(np.bincount(unit).astype(np.float64), groups is not None, seed)
    scored = [score_values(target, run.value, unit, _train_mean(run)) for run in shared]
    return {
        "n": len(target),
        "n_each": [len(run) for run in runs],
        "n_groups": None if groups is None else len(groups),
        "figures": [value_figures(each, sampling) for each in scored],
        "comparisons": [
            paired_errors(scored[k], scored[0], sampling) | _apart(first, shared[k], scored[0], scored[k])
            for k in range(1, len(runs))
        ],
        "notes": _notes(len(target), [len(run) for run in runs], sampling),
    }


def _train_mean(run: Values) -> FloatArray | float:
    """What R2 is held against: the mean of the training images where the table tells it, else that of the images."""
    found = run.baselines.get("mean")
    return float(run.target.mean()) if found is None else found


def _apart(first: Values, other: Values, a: ScoredValues, b: ScoredValues) -> dict[str, Any]:
    """Which of two models comes closer, image by image."""
    gain = np.abs(a.error) - np.abs(b.error)
    order = np.argsort(-gain, kind="stable")

    def examples(some: IntArray) -> list[dict[str, Any]]:
        return [
            {
                "sample_id": str(first.sample_id[i]),
                "path": str(first.path[i]),
                "target": float(first.target[i]),
                "a": float(first.value[i]),
                "b": float(other.value[i]),
            }
            for i in some.tolist()
        ]

    better, worse = order[gain[order] > 0], order[::-1][gain[order[::-1]] < 0]
    return {
        "closer": {"b": len(better), "a": len(worse), "alike": len(gain) - len(better) - len(worse)},
        "examples": {"b": examples(better[:EXAMPLES]), "a": examples(worse[:EXAMPLES])},
    }


def _notes(n: int, n_each: Sequence[int], sampling: Sampling) -> list[str]:
    notes = []
    if any(each != n for each in n_each):
        notes.append(f"Compared on the {n:,} images that all runs have; they have {', '.join(map(str, n_each))}.")
    if not sampling.grouped:
        notes.append("No groups are named: images count as independent. Several of one specimen make intervals narrow.")
    elif not sampling.enough:
        notes.append(f"Only {len(sampling.sizes)} groups: fewer than {MIN_GROUPS} give no trustworthy interval.")
    return notes
