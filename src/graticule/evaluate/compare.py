"""Two models on the same samples: paired differences with intervals, and a test of the accuracies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from graticule.errors import RunError
from graticule.evaluate import intervals
from graticule.evaluate.bootstrap import Scored, point, score
from graticule.evaluate.estimates import LARGEST_LOSS, metric_limits, replicates_of
from graticule.evaluate.intervals import MIN_GROUPS
from graticule.evaluate.metrics import FloatArray, IntArray
from graticule.evaluate.sampling import Groups, checked_arrays, checked_groups
from graticule.evaluate.summary import check_options, figure_of, number
from graticule.predictions import Predictions

COMPARED = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "brier", "roc_auc_macro")
MIN_TEST_GROUPS = 6
MAX_EXACT_GROUPS = 16
N_FLIPS = 20_000


def compare_predictions(
    a: Predictions,
    b: Predictions,
    group: NDArray[np.object_] | None = None,
    *,
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int = 0,
) -> dict[str, object]:
    """Compare two sets of predictions on the samples they share.

    Differences are b - a (for log loss and Brier score, lower is better). Their limits come from a bootstrap that
    draws the same samples for both, within classes, or whole groups; each model keeps its own folds for ROC AUC.
    Samples that only one model has are left out and counted.

    Parameters
    ----------
    a, b : Predictions
        One part of each; rows and columns may stand in another order.
    group : object array of str, shape (len(a),), optional
        Group of each row of `a`.
    level, n_boot, seed : as for `summarise`

    Returns
    -------
    dict
        "n", "n_a", "n_b", "n_groups", "classes"; "a", "b" and "difference": the figures of COMPARED;
        "discordant": counts both_right, only_a_right, only_b_right, both_wrong; "test": {"name", "p", ...}; "notes".

    Raises
    ------
    RunError
        When classes or labels differ, a sample occurs twice, or no sample is shared.
    """
    check_options(level, n_boot)
    rows_a, rows_b, columns = align(a, b)
    (y, proba_a), (_, proba_b) = checked_arrays(a.take(rows_a)), checked_arrays(b.take(rows_b))
    groups = None if group is None else checked_groups(_rows_of(group, a, rows_a), len(y))
    models = (score(y, proba_a, a.fold[rows_a]), score(y, proba_b[:, columns], b.fold[rows_b]))
    replicates = tuple(replicates_of(model, groups, n_boot, seed) for model in models)
    right_a, right_b = (model.predicted == y for model in models)
    test = sign_flip(right_a, right_b, groups, seed) if groups is not None else mcnemar(right_a, right_b)
    return {
        "n": len(y),
        "n_a": len(a),
        "n_b": len(b),
        "n_groups": None if groups is None else len(groups),
        "classes": list(a.classes),
        "a": _one_model(models[0], replicates[0], groups, level),
        "b": _one_model(models[1], replicates[1], groups, level),
        "difference": _differences(models, _paired_errors(*replicates), groups, level),
        "discordant": {
            "both_right": int((right_a & right_b).sum()),
            "only_a_right": int((right_a & ~right_b).sum()),
            "only_b_right": int((~right_a & right_b).sum()),
            "both_wrong": int((~right_a & ~right_b).sum()),
        },
        "test": test,
        "notes": _notes(len(y), len(a), len(b), groups),
    }


def align(a: Predictions, b: Predictions) -> tuple[IntArray, IntArray, IntArray]:
    """Rows of `a` and of `b` that hold the same samples, in the order of `a`, and the columns of `b` in that of `a`.

    Raises
    ------
    RunError
        When classes or labels differ, a sample occurs twice in one of them, or no sample is shared.
    """
    if set(a.classes) != set(b.classes):
        only_a, only_b = sorted(set(a.classes) - set(b.classes)), sorted(set(b.classes) - set(a.classes))
        raise RunError(
            "cannot compare: the classes differ; "
            f"only the first has {', '.join(only_a) or 'none'}, only the second has {', '.join(only_b) or 'none'}"
        )
    where_a, where_b = _positions(a, "first"), _positions(b, "second")
    shared = [sample for sample in where_a if sample in where_b]
    if not shared:
        raise RunError(
            f"cannot compare: of {len(a)} and {len(b)} samples none is in both; train both runs on the same data"
        )
    rows_a = np.array([where_a[sample] for sample in shared], dtype=np.int64)
    rows_b = np.array([where_b[sample] for sample in shared], dtype=np.int64)
    differ = int((a.label[rows_a] != b.label[rows_b]).sum())
    if differ:
        raise RunError(
            f"cannot compare: {differ} of {len(shared)} shared samples carry another label in the second run; "
            "train or evaluate both on the same labels"
        )
    columns = np.array([b.classes.index(name) for name in a.classes], dtype=np.int64)
    return rows_a, rows_b, columns


def _positions(predictions: Predictions, which: str) -> dict[str, int]:
    where = {str(sample): row for row, sample in enumerate(predictions.sample_id)}
    if len(where) < len(predictions):
        raise RunError(
            f"cannot compare: {len(predictions) - len(where)} samples occur more than once in the {which} run; "
            "give one part (cv or test) of each"
        )
    return where


def _rows_of(group: NDArray[np.object_], a: Predictions, rows: IntArray) -> NDArray[np.object_]:
    if len(group) != len(a):
        raise RunError(f"cannot compare by group: {len(group)} group names were given for {len(a)} samples")
    return group[rows]


def _one_model(
    scored: Scored, replicates: dict[str, FloatArray] | None, groups: Groups | None, level: float
) -> dict[str, dict[str, object]]:
    value = point(scored)
    limits = metric_limits(scored, value, replicates, groups, level)
    return {name: figure_of(value[name], limits[name], (), level) for name in COMPARED}


def _paired_errors(a: dict[str, FloatArray] | None, b: dict[str, FloatArray] | None) -> dict[str, float] | None:
    """Standard errors of b - a; replicate i of both has the same weights."""
    if a is None or b is None:
        return None
    return {name: float(intervals.standard_error(b[name] - a[name])) for name in COMPARED}


def _differences(
    models: tuple[Scored, Scored], errors: dict[str, float] | None, groups: Groups | None, level: float
) -> dict[str, dict[str, object]]:
    """Figures of b - a: normal (groups: t) limits from the standard error over paired replicates."""
    values = [point(model) for model in models]
    critical, method = intervals.z_critical(level), "bootstrap"
    if groups is not None:
        sizes = np.bincount(groups.codes).astype(np.float64)
        critical = float(intervals.t_critical(level, intervals.effective_number(sizes) - 1.0))
        method = "too_few_groups" if errors is None else "group-bootstrap"
    out: dict[str, dict[str, object]] = {}
    for name in COMPARED:
        value = float(values[1][name] - values[0][name])
        half = critical * errors[name] if errors is not None else np.nan
        bound = np.inf if name in LARGEST_LOSS else 1.0
        low, high, shown = max(value - half, -bound), min(value + half, bound), method
        if name == "accuracy" and groups is None:
            low, high = bonett_price(models[0].predicted == models[0].y, models[1].predicted == models[1].y, level)
            shown = "bonett-price"
        limits = {"low": number(low), "high": number(high)}
        out[name] = {"value": number(value), **limits, "method": shown, "level": level}
    return out


def bonett_price(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_], level: float) -> tuple[float, float]:
    """Limits of the difference b - a of two paired proportions of n samples (Bonett and Price, 2012).

    Wald's interval after one sample is added to each discordant count: wide enough when few samples are discordant.
    """
    n = len(right_a) + 2
    gain = (int((right_b & ~right_a).sum()) + 1) / n
    loss = (int((right_a & ~right_b).sum()) + 1) / n
    half = intervals.z_critical(level) * float(np.sqrt((gain + loss - (gain - loss) ** 2) / n))
    value = float(right_b.mean() - right_a.mean())
    return max(min(gain - loss - half, value), -1.0), min(max(gain - loss + half, value), 1.0)


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> dict[str, object]:
    """McNemar's exact test of equal accuracies (McNemar, 1947): two-sided binomial test of the discordant pairs.

    p is 1 without discordant pairs.
    """
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p = min(1.0, 2.0 * float(binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)))
    return {"name": "mcnemar-exact", "p": p, "only_a_right": only_a, "only_b_right": only_b, "note": None}


def sign_flip(
    right_a: NDArray[np.bool_], right_b: NDArray[np.bool_], groups: Groups, seed: int = 0
) -> dict[str, object]:
    """Sign-flip test of equal accuracies with groups as units (Fisher, 1935; Winkler et al., 2014).

    Under the hypothesis that the models are exchangeable within each group, the sign of a group's net gain of
    correct samples is a coin toss. p is the share of sign patterns whose net gain is at least as far from 0 as the
    one observed: all patterns up to 16 groups with a net gain, else 20,000 random ones (observed one counted in).
    Fewer than 6 groups: p is None, since 2 / 2^5 = 0.06 is the least that could come out.
    """
    gain = np.zeros(len(groups), dtype=np.int64)
    np.add.at(gain, groups.codes, right_b.astype(np.int64) - right_a.astype(np.int64))
    moved = gain[gain != 0]
    result: dict[str, object] = {
        "name": "sign-flip",
        "p": None,
        "n_groups": len(groups),
        "groups_better": int((gain > 0).sum()),
        "groups_worse": int((gain < 0).sum()),
        "note": None,
    }
    if len(groups) < MIN_TEST_GROUPS:
        result["note"] = (
            f"{len(groups)} groups: no p-value, since even the clearest difference could not give a small one "
            f"with fewer than {MIN_TEST_GROUPS} groups"
        )
        return result
    observed = abs(int(moved.sum()))
    if len(moved) <= MAX_EXACT_GROUPS:
        sums = np.zeros(1, dtype=np.int64)
        for step in moved:
            sums = np.concatenate([sums + step, sums - step])
        result["p"] = float((np.abs(sums) >= observed).mean())
        return result
    generator = np.random.default_rng(seed)
    signs = generator.integers(0, 2, size=(N_FLIPS, len(moved)), dtype=np.int8) * 2 - 1
    reached = int((np.abs(signs @ moved) >= observed).sum())
    result["p"] = (1 + reached) / (1 + N_FLIPS)
    return result


def _notes(n: int, n_a: int, n_b: int, groups: Groups | None) -> list[str]:
    notes = [
        "The difference describes these two sets of predictions on these samples; it leaves out the variance of "
        "retraining either model."
    ]
    if n < max(n_a, n_b):
        notes.append(f"Compared on the {n} samples in both; the first has {n_a - n} others, the second {n_b - n}.")
    if groups is not None and len(groups) < MIN_GROUPS:
        notes.append(f"Only {len(groups)} groups: fewer than {MIN_GROUPS} give no trustworthy interval.")
    return notes
