"""The body of a regression's metrics.json: every figure of one part with its interval, baselines and groups."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from graticule.arrays import FloatArray, StrArray
from graticule.errors import RunError
from graticule.evaluate.sampling import checked_groups
from graticule.evaluate.values.baselines import against_baseline
from graticule.evaluate.values.estimates import Sampling, share_figure, value_figures
from graticule.evaluate.values.figures import ScoredValues, score_values
from graticule.evaluate.values.specimens import Bounds, group_means, worst_group
from graticule.statistics.groups import Groups
from graticule.statistics.intervals import MIN_GROUPS


def summarise_values(
    target: FloatArray,
    value: FloatArray,
    group: StrArray | None,
    *,
    train_mean: FloatArray | float,
    baselines: Mapping[str, FloatArray],
    tolerance: float | None = None,
    bounds: Bounds = (None, None),
    seed: int = 0,
) -> dict[str, Any]:
    """All figures of predicted numbers, as the part of metrics.json after "task".

    A figure is {"value", "low", "high", "method", "level"}; what is undefined is None. With groups, whole groups are
    drawn; with fewer than 10 of them no figure has limits.

    Parameters
    ----------
    target, value : float arrays, shape (n,)
        True and predicted, n >= 1, finite.
    group : object array of str, shape (n,), or None
        Group (specimen) of each image; without it images count as independent.
    train_mean : float or float array, shape (n,)
        Mean target of the images that each image's model was trained on: out of fold, that of the other folds.
    baselines : mapping of str to float array, shape (n,)
        What simpler methods say of the same images, on the same folds.
    tolerance : float, optional
        Largest error that is small enough; the share of images within it is counted.
    bounds : (float or None, float or None)
        Range of possible values; the limits of groups' means are cut to it.
    seed : int

    Returns
    -------
    dict
        "n", "n_groups", a figure each under "mae", "rmse", "r2", "bias", "slope", "spearman", "agreement_low",
        "agreement_high" and "relative"; "bias_by_third", "within", "worst_group", "specimens", "baselines", "notes".

    Raises
    ------
    RunError
        Without images, where arrays are not of one length or hold what is no finite number, or a group lacks.
    """
    _check(target, value, train_mean, baselines)
    groups = checked_groups(group, len(target))
    unit = np.arange(len(target)) if groups is None else groups.codes
    sampling = Sampling(np.bincount(unit).astype(np.float64), groups is not None, seed)
    scored = score_values(target, value, unit, train_mean)
    return {
        "n": len(target),
        "n_groups": None if groups is None else len(groups),
        **value_figures(scored, sampling),
        "within": _within(scored, tolerance, sampling),
        "worst_group": None if groups is None else worst_group(scored, groups, sampling),
        "specimens": None if groups is None else group_means(scored, groups, sampling, bounds),
        "baselines": {
            name: against_baseline(scored, score_values(target, each, unit, train_mean), sampling)
            for name, each in baselines.items()
        },
        "notes": _notes(scored, groups),
    }


def _within(scored: ScoredValues, tolerance: float | None, sampling: Sampling) -> dict[str, Any] | None:
    if tolerance is None:
        return None
    hit = np.asarray(np.abs(scored.error) <= tolerance, dtype=bool)
    return {"tolerance": tolerance, "share": share_figure(hit, scored, sampling)}


def _check(
    target: FloatArray, value: FloatArray, train_mean: FloatArray | float, baselines: Mapping[str, FloatArray]
) -> None:
    given = {"true values": target, "predicted values": value} | {f"values of {k!r}": v for k, v in baselines.items()}
    if not len(target):
        raise RunError("cannot compute figures of predicted numbers: there are no images")
    for name, values in given.items():
        if len(values) != len(target):
            raise RunError(f"cannot compute figures: {len(values)} {name} were given for {len(target)} images")
        faulty = int((~np.isfinite(values)).sum())
        if faulty:
            raise RunError(
                f"cannot compute figures: {faulty} of {len(values)} {name} are no finite numbers; leave these out"
            )
    if not np.isfinite(train_mean).all():
        raise RunError("cannot compute figures: the mean of the training targets is no finite number")


def _notes(scored: ScoredValues, groups: Groups | None) -> list[str]:
    """What a reader of the figures must know, in whole sentences."""
    notes = []
    if groups is None:
        notes.append(
            "No groups were given: images count as independent. Where several show one specimen, the intervals are too "
            "narrow and the errors on new specimens larger than stated."
        )
    elif len(groups) < MIN_GROUPS:
        notes.append(
            f"Only {len(groups)} groups: fewer than {MIN_GROUPS} give no trustworthy interval. The values per group "
            "show the spread."
        )
    if len(np.unique(scored.target)) < 2:
        notes.append("All true values are equal: slope and correlation are undefined.")
    return notes
