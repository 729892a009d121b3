"""How many more images one model lets a user accept than another, on the same images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray, StrArray, numbered
from graticule.decide.risk_coverage import TARGETS, accepted_shares
from graticule.manifest import escape_path
from graticule.predictions import Predictions
from graticule.statistics.intervals import MIN_GROUPS, standard_error, t_critical
from graticule.statistics.resampling import draw_groups, draw_weights

N_BOOT = 300
# groups times bootstrap samples, and the fewest samples: the time grows with both
_DRAWS, _LEAST = 300_000, 100
RankedAnswers = tuple[FloatArray, NDArray[np.bool_], IntArray]


def coverage_differences(
    proba_a: FloatArray, proba_b: FloatArray, y: IntArray, unit: IntArray | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Share of images that can be accepted at each target accuracy by models a and b, and b minus a with limits.

    Thresholds are those of the estimated rule, with groups as the sampling unit where there are groups, and are found
    anew in each of 300 paired bootstrap samples (with more than 1,000 groups fewer, at least 100); limits from the
    standard error over them and Student's t. Where no bootstrap sample differs from another there are no limits: it
    then says nothing of the uncertainty.

    Parameters
    ----------
    proba_a, proba_b : float arrays, shape (n, K)
        Scores of the same images.
    y : int array, shape (n,)
    unit : int array, shape (n,), optional
        Codes of groups.
    seed : int

    Returns
    -------
    list of {"target", "a", "b", "difference"}
        A share is 0 where no threshold reaches the target. The difference is a figure; its limits are None with fewer
        than 10 groups ("too_few_groups") and where the bootstrap shows no variation ("no_variation").
    """
    pairs = [(proba.max(axis=1), proba.argmax(axis=1) == y) for proba in (proba_a, proba_b)]
    values = [accepted_shares(score, right, np.ones(len(y)), unit) for score, right in pairs]
    n_units = len(y) if unit is None else len(np.unique(unit))
    method, half = "bootstrap" if unit is None else "group-bootstrap", np.zeros(len(TARGETS))
    if unit is not None and n_units < MIN_GROUPS:
        method = "too_few_groups"
    elif n_units > 1:
        generator = np.random.default_rng(seed)
        drawn = _by_image(pairs, y, generator) if unit is None else _by_group(pairs, unit, generator)
        half = float(t_critical(0.95, np.array(n_units - 1.0))) * standard_error(drawn)
    return [
        {"target": target, "a": float(a), "b": float(b), "difference": _figure(float(b - a), float(own), method)}
        for target, a, b, own in zip(TARGETS, *values, half, strict=True)
    ]


def _figure(value: float, half: float, method: str) -> dict[str, Any]:
    if half > 0.0:
        low, high = max(-1.0, value - half), min(1.0, value + half)
        return {"value": value, "low": low, "high": high, "method": method, "level": 0.95}
    method = method if method == "too_few_groups" else "no_variation"
    return {"value": value, "low": None, "high": None, "method": method, "level": 0.95}


def _by_image(
    pairs: list[tuple[FloatArray, NDArray[np.bool_]]], y: IntArray, generator: np.random.Generator
) -> FloatArray:
    """Differences at each target in bootstrap samples of images, drawn within classes; shape (N_BOOT, 3)."""
    (score_a, right_a), (score_b, right_b) = pairs
    return np.array(
        [
            accepted_shares(score_b, right_b, weight, None) - accepted_shares(score_a, right_a, weight, None)
            for chunk in draw_weights(np.arange(len(y)), y, N_BOOT, generator)
            for weight in chunk
        ]
    )


def _by_group(
    pairs: list[tuple[FloatArray, NDArray[np.bool_]]], unit: IntArray, generator: np.random.Generator
) -> FloatArray:
    """Differences at each target in bootstrap samples of G - 1 of the G groups."""
    codes = numbered(unit)
    n_groups = int(codes.max()) + 1
    orders = [np.argsort(-score, kind="stable") for score, _ in pairs]
    a, b = ((score[o], right[o], codes[o]) for (score, right), o in zip(pairs, orders, strict=True))
    found = []
    for times in draw_groups(n_groups, max(_LEAST, min(N_BOOT, _DRAWS // n_groups)), generator):
        found.append(_resampled(b, times) - _resampled(a, times))
    return np.array(found)


def _resampled(ranked: RankedAnswers, times: IntArray) -> FloatArray:
    """Shares accepted where group g is drawn times[g] times; each draw counts as a group of its own."""
    score, right, codes = ranked
    copies = times[codes]
    rows = np.repeat(np.arange(len(codes)), copies)
    copy = np.arange(len(rows)) - np.repeat(np.cumsum(copies) - copies, copies)
    unit = (np.cumsum(times) - times)[codes[rows]] + copy
    return accepted_shares(score[rows], right[rows], np.ones(len(rows)), unit)


def add_coverage(many: dict[str, Any], shown: Sequence[Predictions], group: StrArray | None, seed: int) -> None:
    """Put the share of images that can be accepted beside the other differences of each comparison."""
    first = shown[0]
    place = {name: i for i, name in enumerate(first.sample_id.tolist())}
    common = set.intersection(*(set(p.sample_id.tolist()) for p in shown))
    rows = np.array(sorted(place[name] for name in common), dtype=np.int64)
    unit = None if group is None else numbered(group[rows].astype(str))
    for other, found in zip(shown[1:], many["comparisons"], strict=True):
        there = {name: i for i, name in enumerate(other.sample_id.tolist())}
        same = np.array([there[name] for name in first.sample_id[rows]], dtype=np.int64)
        columns = [other.classes.index(name) for name in first.classes]
        proba = other.proba[same][:, columns]
        found["coverage"] = coverage_differences(first.proba[rows], proba, first.y[rows], unit, seed)


def out_of_reach(comparisons: Sequence[dict[str, Any]]) -> list[str]:
    """One note per comparison with targets of accuracy at which neither run lets anything be accepted."""
    notes = []
    for found in comparisons:
        targets = [f"{row['target']:.0%}" for row in found["coverage"] if not row["a"] and not row["b"]]
        if targets:
            runs = " or of ".join(escape_path(found[key]) for key in ("run_a", "run_b"))
            notes.append(
                f"Not reached by either: {', '.join(targets)} accuracy among accepted images. No threshold on the "
                f"scores of {runs} keeps it on these images."
            )
    return notes
