"""Models on the same samples: figures of each, paired differences with intervals, and tests of the accuracies."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.evaluate.bootstrap import point, score
from graticule.evaluate.catalogue import OVERALL
from graticule.evaluate.compare.alignment import align_all, ordinal
from graticule.evaluate.compare.differences import Contenders, class_differences, differences
from graticule.evaluate.estimates import metric_limits, replicates_of
from graticule.evaluate.sampling import checked_arrays, checked_groups
from graticule.evaluate.summary import check_interval_options, figure_of
from graticule.predictions import Predictions
from graticule.statistics.groups import Groups
from graticule.statistics.intervals import MIN_GROUPS
from graticule.statistics.paired_tests import holm, mcnemar, sign_flip

EXAMPLES = 12


def compare_many(
    runs: Sequence[Predictions],
    group: NDArray[np.object_] | None = None,
    *,
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare sets of predictions on the samples that all of them share, each with the first.

    Differences are the later one minus the first (for log loss, Brier score and calibration error, lower is better).
    Their limits come from a bootstrap that draws the same samples for all, within classes, or whole groups; each
    model keeps its own folds for ROC AUC. Samples that only some models have are left out and counted.

    Parameters
    ----------
    runs : sequence of two or more Predictions
        One part of each; rows and columns may stand in another order.
    group : object array of str, shape (len(runs[0]),), optional
        Group of each row of the first.
    level, n_boot, seed : as for `summarise`

    Returns
    -------
    dict
        "n", "n_each", "n_groups", "classes"; "figures": those over all classes per run; "comparisons": per later run
        "difference" (the same figures), "per_class" (n, sensitivity of both and difference), "discordant" (counts
        both_right, only_a_right, only_b_right, both_wrong), "examples" (up to 12 rows of each kind of discordant
        sample), "test" ({"name", "p", "p_holm", ...}); "notes".

    Raises
    ------
    RunError
        When classes or labels differ, a sample occurs twice, or no sample is shared.
    """
    field = line_up(runs, group, level=level, n_boot=n_boot, seed=seed)
    comparisons = [_compare(field, runs, k) for k in range(1, len(runs))]
    tests = [_test(field, k, seed) for k in range(1, len(runs))]
    corrected = holm([test["p"] for test in tests])
    for comparison, test, p in zip(comparisons, tests, corrected, strict=True):
        comparison["test"] = test | {"p_holm": p}
    n, n_each = len(field.y), [len(run) for run in runs]
    return {
        "n": n,
        "n_each": n_each,
        "n_groups": None if field.groups is None else len(field.groups),
        "classes": list(field.classes),
        "figures": [_one_model(field, k) for k in range(len(runs))],
        "comparisons": comparisons,
        "notes": _notes(n, n_each, field.groups),
    }


def flat(many: dict[str, Any]) -> dict[str, Any]:
    """The outcome of `compare_many` for two runs with one key per thing.

    Returns
    -------
    dict
        "n", "n_a", "n_b", "n_groups", "classes"; "a", "b" and "difference" (b - a): the figures over all classes;
        "per_class", "discordant", "examples", "test", "notes" as in `compare_many`.
    """
    n_a, n_b = many["n_each"]
    figures = dict(zip("ab", many["figures"], strict=True))
    counts = {"n": many["n"], "n_a": n_a, "n_b": n_b, "n_groups": many["n_groups"], "classes": many["classes"]}
    return {**counts, **figures, **many["comparisons"][0], "notes": many["notes"]}


def line_up(
    runs: Sequence[Predictions], group: NDArray[np.object_] | None, *, level: float, n_boot: int, seed: int
) -> Contenders:
    """Score every run on the shared samples and draw the same bootstrap weights for all; see `compare_many`."""
    check_interval_options(level, n_boot)
    rows, columns = align_all(runs, group)
    y, _ = checked_arrays(runs[0].take(rows[0]))
    groups = None if group is None else checked_groups(group[rows[0]], len(y))
    scored = []
    for run, own_rows, own_columns in zip(runs, rows, columns, strict=True):
        _, proba = checked_arrays(run.take(own_rows))
        scored.append(score(y, proba[:, own_columns], run.fold[own_rows]))
    values = tuple(point(model) for model in scored)
    replicates = tuple(replicates_of(model, groups, n_boot, seed) for model in scored)
    limits = tuple(metric_limits(*known, groups, level) for known in zip(scored, values, replicates, strict=True))
    return Contenders(runs[0].classes, tuple(rows), tuple(scored), values, replicates, limits, groups, level)


def _compare(field: Contenders, runs: Sequence[Predictions], k: int) -> dict[str, Any]:
    right_a, right_b = field.right(0), field.right(k)
    return {
        "difference": differences(field, 0, k),
        "per_class": class_differences(field, 0, k),
        "discordant": {
            "both_right": int((right_a & right_b).sum()),
            "only_a_right": int((right_a & ~right_b).sum()),
            "only_b_right": int((~right_a & right_b).sum()),
            "both_wrong": int((~right_a & ~right_b).sum()),
        },
        "examples": {
            "only_a_right": _examples(field, runs, k, right_a & ~right_b),
            "only_b_right": _examples(field, runs, k, ~right_a & right_b),
        },
    }


def _examples(
    field: Contenders, runs: Sequence[Predictions], k: int, wanted: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Up to 12 of the wanted samples, the most decided disagreements first: largest sum of the two top scores."""
    rows_a, rows_b = field.rows[0], field.rows[k]
    top_a, top_b = runs[0].proba.max(axis=1)[rows_a], runs[k].proba.max(axis=1)[rows_b]
    at = np.flatnonzero(wanted)
    order = sorted(at.tolist(), key=lambda row: (-(top_a[row] + top_b[row]), str(runs[0].path[rows_a[row]])))
    return [
        {
            "path": str(runs[0].path[rows_a[row]]),
            "sample_id": str(runs[0].sample_id[rows_a[row]]),
            "label": field.classes[field.y[row]],
            "a": {"given": _given(field, 0, row), "score": round(float(top_a[row]), 4)},
            "b": {"given": _given(field, k, row), "score": round(float(top_b[row]), 4)},
        }
        for row in order[:EXAMPLES]
    ]


def _given(field: Contenders, k: int, row: int) -> str:
    return field.classes[int(field.scored[k].predicted[row])]


def _test(field: Contenders, k: int, seed: int) -> dict[str, Any]:
    right_a, right_b = field.right(0), field.right(k)
    if field.groups is None:
        return dict(mcnemar(right_a, right_b))
    return dict(sign_flip(right_a, right_b, field.groups, seed))


def _one_model(field: Contenders, k: int) -> dict[str, dict[str, object]]:
    values, limits = field.values[k], field.limits[k]
    return {metric.key: figure_of(values[metric.key], limits[metric.key], (), field.level) for metric in OVERALL}


def _notes(n: int, n_each: Sequence[int], groups: Groups | None) -> list[str]:
    two = len(n_each) == 2
    notes = [
        f"A difference describes {'these two' if two else 'these'} sets of predictions on these samples; it leaves "
        "out the variance of retraining either model."
    ]
    if n < max(n_each):
        others = ", ".join(f"the {ordinal(k)} {m - n}" for k, m in enumerate(n_each))
        others = others.replace("first", "first has", 1).replace(",", " others,", 1)
        notes.append(f"Compared on the {n} samples in {'both' if two else 'all'}; {others}.")
    if groups is not None and len(groups) < MIN_GROUPS:
        notes.append(f"Only {len(groups)} groups: fewer than {MIN_GROUPS} give no trustworthy interval.")
    return notes
