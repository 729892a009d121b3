"""From images to specimens: how the images of a specimen divide over the classes, and which class it is judged to be.

Two verdicts: the class most images are called (a tie gives none), and the class with the highest mean score. The
interval of the majority's share and that of the margin treat the images of a specimen as independent draws from it.
How often the verdicts are right is counted over specimens, never over images.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.statistics.intervals import share_limits, t_critical, wilson
from graticule.statistics.ratios import divide

NONE = -1


@dataclass(frozen=True)
class Verdicts:
    """S specimens, K classes.

    Attributes
    ----------
    n, n_readable : int arrays, shape (S,)
        Images, and those with scores.
    share : float array, shape (S, K)
        Share of the readable images called each class; NaN without any.
    review_share : float array, shape (S,)
        Share of all images that a person should look at; NaN where one of them was not decided on.
    majority : int array, shape (S,)
        The class most images are called; -1 for a tie or without readable images.
    majority_low, majority_high, majority_margin : float arrays, shape (S,)
        Wilson limits of the largest share, and its distance to the next.
    mean_score : float array, shape (S, K)
    by_score : int array, shape (S,)
        The class with the highest mean score; -1 for a tie or without readable images.
    score_margin, score_low, score_high : float arrays, shape (S,)
        Distance of the highest mean score to the next, with limits (Student's t over images); NaN limits for one image.
    """

    n: IntArray
    n_readable: IntArray
    share: FloatArray
    review_share: FloatArray
    majority: IntArray
    majority_low: FloatArray
    majority_high: FloatArray
    majority_margin: FloatArray
    mean_score: FloatArray
    by_score: IntArray
    score_margin: FloatArray
    score_low: FloatArray
    score_high: FloatArray


def tally(specimen: IntArray, value: IntArray, n_specimens: int, n_values: int) -> FloatArray:
    """Counts of shape (n_specimens, n_values) of rows with both codes; rows with a negative code count nowhere."""
    known = (specimen >= 0) & (value >= 0)
    cells = np.bincount(specimen[known] * n_values + value[known], minlength=n_specimens * n_values)
    return cells.reshape(n_specimens, n_values).astype(np.float64)


def _sums(code: IntArray, values: FloatArray, n: int) -> FloatArray:
    return np.asarray(np.bincount(code, weights=values, minlength=n), dtype=np.float64)


def judge_specimens(
    specimen: IntArray, called: IntArray, proba: FloatArray, review: FloatArray, n_specimens: int, level: float = 0.95
) -> Verdicts:
    """Judge specimens.

    Parameters
    ----------
    specimen : int array, shape (n,)
        Code below `n_specimens`, -1 for images of none.
    called : int array, shape (n,)
        Class called, -1 for unreadable images.
    proba : float array, shape (n, K)
        Scores; rows of unreadable images are ignored.
    review : float array, shape (n,)
        1 for images to review, 0 for others, NaN where nothing was decided.
    n_specimens : int
    level : float
    """
    k = proba.shape[1]
    counts = tally(specimen, called, n_specimens, k)
    n = tally(specimen, np.zeros_like(specimen), n_specimens, 1)[:, 0]
    n_readable = counts.sum(axis=1)
    decided = np.where(np.isnan(review), NONE, review).astype(np.int64)
    reviewed = tally(specimen, decided, n_specimens, 2)
    readable = called >= 0
    codes = np.where(readable, specimen, NONE)
    inside = codes >= 0
    sums = np.stack([_sums(codes[inside], proba[inside, c], n_specimens) for c in range(k)], axis=1)
    mean = divide(sums, np.broadcast_to(n_readable[:, None], sums.shape))
    majority, by_score = _leader(counts), _leader(np.nan_to_num(mean))
    ordered, ranked = np.sort(counts, axis=1), np.argsort(np.nan_to_num(mean), axis=1)
    low, high = wilson(ordered[:, -1], n_readable, level)
    margin, half = _score_margin(codes, proba, ranked, n_readable, level)
    return Verdicts(
        n=n.astype(np.int64),
        n_readable=n_readable.astype(np.int64),
        share=divide(counts, np.broadcast_to(n_readable[:, None], counts.shape)),
        review_share=np.where(reviewed.sum(axis=1) == n, divide(reviewed[:, 1], n), np.nan),
        majority=majority,
        majority_low=low,
        majority_high=high,
        majority_margin=divide(ordered[:, -1] - ordered[:, -2], n_readable),
        mean_score=mean,
        by_score=by_score,
        score_margin=margin,
        score_low=np.maximum(margin - half, -1.0),
        score_high=np.minimum(margin + half, 1.0),
    )


def _leader(values: FloatArray) -> IntArray:
    """Column of the largest entry of each row; -1 where two share it or all are 0."""
    largest = values.max(axis=1)
    alone = (values == largest[:, None]).sum(axis=1) == 1
    return np.where(alone & (largest > 0), values.argmax(axis=1), NONE).astype(np.int64)


def _score_margin(
    codes: IntArray, proba: FloatArray, ranked: IntArray, n: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Mean over images of the score of the leading class less that of the next, and half the interval's width."""
    rows = np.flatnonzero(codes >= 0)
    of = codes[rows]
    difference = proba[rows, ranked[of, -1]] - proba[rows, ranked[of, -2]]
    mean = divide(_sums(of, difference, len(n)), n)
    square = _sums(of, (difference - mean[of]) ** 2, len(n))
    error = np.sqrt(divide(divide(square, n - 1.0), n))
    return mean, t_critical(level, n - 1.0) * error


def verdict_accuracy(
    verdict: IntArray, truth: IntArray, level: float = 0.95, unit: IntArray | None = None
) -> tuple[float, float, float, int]:
    """Share of specimens judged rightly with limits over specimens, and their number.

    Parameters
    ----------
    verdict, truth : int arrays, shape (S,)
        Class codes; specimens with the truth -1 are left out, a verdict of -1 (none) counts as wrong.
    level : float
    unit : int array, shape (S,), optional
        Groups of specimens (patients with several slides): the limits are then over groups (`cluster_t`), NaN with
        fewer than `MIN_GROUPS`; else Wilson's.
    """
    known = truth >= 0
    n = int(known.sum())
    right = (verdict == truth) & known
    low, high = share_limits(right[known], None if unit is None else unit[known], level)
    return (float(right.sum()) / n if n else float("nan")), low, high, n


def truth_of(specimen: IntArray, label: IntArray, n_specimens: int) -> tuple[IntArray, NDArray[np.bool_]]:
    """The one label of each specimen's images, shape (S,), -1 where none is labelled or labels differ; and where."""
    counts = tally(specimen, label, n_specimens, max(int(label.max(initial=0)) + 1, 1))
    mixed = (counts > 0).sum(axis=1) > 1
    known = (counts.sum(axis=1) > 0) & ~mixed
    return np.where(known, counts.argmax(axis=1), NONE).astype(np.int64), mixed


def specimen_accuracy(
    verdicts: Verdicts, specimen: IntArray, label: IntArray, unit: IntArray | None = None
) -> dict[str, Any]:
    """How often the two verdicts on specimens are right, counted over specimens.

    Parameters
    ----------
    verdicts : Verdicts
        Of S specimens.
    specimen, label : int arrays, shape (n,)
        Specimen and class of each image, -1 for none.
    unit : int array, shape (n,), optional
        Group of each image. Where a group holds several specimens the interval is over groups.

    Returns
    -------
    dict
        "n_specimens" (with one label), "n_mixed_labels", "truth" (class codes, shape (S,), -1 for none), and of
        "majority" and "mean_score" the share right: "value", "low", "high" (None where undefined), "method", "level".
    """
    n = len(verdicts.n)
    truth, mixed = truth_of(specimen, label, n)
    of = None if unit is None else _unit_of(specimen, unit, n)
    method = "wilson" if of is None else "cluster-t"
    found: dict[str, Any] = {
        "n_specimens": int((truth >= 0).sum()),
        "n_mixed_labels": int(mixed.sum()),
        "truth": truth,
    }
    for name, verdict in (("majority", verdicts.majority), ("mean_score", verdicts.by_score)):
        value, low, high, _ = verdict_accuracy(verdict, truth, unit=of)
        known = [None if np.isnan(v) else v for v in (value, low, high)]
        shown = "too_few_groups" if of is not None and known[1] is None else method
        found[name] = dict(zip(("value", "low", "high"), known, strict=True)) | {"method": shown, "level": 0.95}
    return found


def _unit_of(specimen: IntArray, unit: IntArray, n_specimens: int) -> IntArray | None:
    """The group of each specimen, shape (S,); None where each is a group of its own, or one spreads over several."""
    inside = specimen >= 0
    pairs = np.unique(np.stack([specimen[inside], unit[inside]]), axis=1)
    if len(pairs[0]) != n_specimens or len(np.unique(pairs[1])) == n_specimens:
        return None
    return np.asarray(pairs[1], dtype=np.int64)
