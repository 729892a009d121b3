"""What the figures would be at a mix of classes that is not that of the images judged, and what is shown of it.

A rare class that is one image in a thousand is judged on far fewer images of the common class than it stands against.
Weighting the images judged gives a value; whether it is shown depends on how many common images were judged: none wrong
of 550 may be 0.7 % wrong, which among 500,000 are 3,300 images.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graticule.arrays import FloatArray, StrArray
from graticule.evaluate.mix_precision import WithEnds, confusion_rates, macro_precision_at, precision_at, rate_limits
from graticule.evaluate.mix_ranking import average_precision_at
from graticule.evaluate.sampling import checked_arrays, checked_groups
from graticule.plain_text import plural
from graticule.predictions import Predictions
from graticule.statistics.groups import Groups

TARGET = 0.95
# more images of the common class than this are not worth naming
_MOST = 100_000_000
_MOST_GROUPS = 200_000


def figures_at(
    predictions: Predictions, amounts: FloatArray, group: StrArray | None = None, *, level: float = 0.95, seed: int = 0
) -> dict[str, Any]:
    """The object "prevalence" of metrics.json.

    Parameters
    ----------
    predictions : Predictions
        Rows of one part, n >= 1.
    amounts : float array, shape (K,)
        How many images of each class, or which share, the mix has.
    group : object array of str, shape (n,), optional
    level : float
    seed : int

    Returns
    -------
    dict
        "mix": amounts by class; "macro_precision", "average_precision_macro" and, under "per_class", "precision" and
        "average_precision" as figures of metrics.json; "more": how many images of the commonest class would show a
        macro precision of 95 %; "words": sentences.
    """
    y, proba = checked_arrays(predictions)
    groups = checked_groups(group, len(y))
    share = amounts / amounts.sum()
    by_group = _by_group(y, proba.argmax(axis=1), groups, len(share))
    grouped = groups is not None
    precision = precision_at(confusion_rates(by_group, level, grouped=grouped), share)
    macro = macro_precision_at(precision, share)
    judged = bool((np.bincount(y, minlength=len(share)) > 0)[share > 0].all())
    ranked = [
        average_precision_at(y, proba[:, k], k, share, groups, level, seed) if judged and share[k] > 0 else None
        for k in range(len(share))
    ]
    known = [own for own in ranked if own is not None]
    mean = WithEnds(*(np.mean([getattr(own, end) for own in known] or [np.nan]) for end in ("value", "low", "high")))
    classes = predictions.classes
    at = int(share.argmax())
    more = _more_needed(by_group, share, at, level, grouped=grouped)
    return {
        "mix": {name: float(amount) for name, amount in zip(classes, amounts, strict=True)},
        "macro_precision": _figure(macro, level, grouped),
        "average_precision_macro": _figure(mean, level, grouped),
        "per_class": {
            name: {
                "precision": _figure(WithEnds(precision.value[k], precision.low[k], precision.high[k]), level, grouped),
                "average_precision": None if (own := ranked[k]) is None else _figure(own, level, grouped),
            }
            for k, name in enumerate(classes)
            if share[k] > 0
        },
        "more": {"class": classes[at], "n_judged": int(by_group[:, at].sum()), "target": TARGET, "n_more": more},
        "words": _words(classes, amounts, by_group, macro, more, level, groups),
    }


def _by_group(y: Any, given: Any, groups: Groups | None, k: int) -> FloatArray:
    """Confusion matrices, shape (G, K, K)."""
    cells = y * k + given
    if groups is None:
        return np.bincount(cells, minlength=k * k).reshape(1, k, k).astype(np.float64)
    return groups.count(cells, k * k).reshape(-1, k, k)


def _figure(ends: WithEnds, level: float, grouped: bool) -> dict[str, Any]:
    value, low, high = (float(end) if np.isfinite(end) else None for end in (ends.value, ends.low, ends.high))
    method = "clopper-pearson" if not grouped else "cluster-t" if low is not None else "too_few_groups"
    return {"value": value, "low": low, "high": high, "method": method, "level": level}


def _more_needed(by_group: FloatArray, share: FloatArray, at: int, level: float, *, grouped: bool) -> int | None:
    """How many more images of a class would show a macro precision of `TARGET`, if they erred as those judged.

    0: it is shown; None: no number of them can show it.
    """
    n = float(by_group[:, at].sum())

    def least(times: float) -> float:
        """The lower end with so many times the images of this class; infinity: its rates are known."""
        rates = confusion_rates(by_group, level, grouped=grouped)
        low, high = rates.low.copy(), rates.high.copy()
        if math.isinf(times):
            low[at] = high[at] = rates.value[at]
        elif grouped:
            tiled = np.tile(by_group[:, at], (math.ceil(times), 1)).T
            low[at], high[at] = rate_limits(tiled, np.broadcast_to(tiled.sum(axis=0), tiled.shape), level, grouped=True)
        else:
            own = times * by_group[0, at][:, None]
            low[at], high[at] = rate_limits(own, np.full_like(own, own.sum()), level, grouped=False)
        return float(macro_precision_at(precision_at(WithEnds(rates.value, low, high), share), share).low)

    if least(1.0) >= TARGET:
        return 0
    if not n or not least(math.inf) >= TARGET:
        return None
    most = _MOST_GROUPS / len(by_group) if grouped else _MOST / n
    times = _smallest(lambda times: least(times) >= TARGET, most)
    return None if times is None else math.ceil((math.ceil(times) if grouped else times) * n - n)


def _smallest(holds: Callable[[float], bool], most: float) -> float | None:
    """About the smallest number above 1 that something holds for, and for all larger ones; None above `most`."""
    high = 2.0
    while not holds(high):
        high *= 2.0
        if high > most:
            return None
    low = high / 2.0
    while high - low > 0.005 * low:
        middle = (low + high) / 2.0
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _words(
    classes: Sequence[str],
    amounts: FloatArray,
    by_group: FloatArray,
    macro: WithEnds,
    more: int | None,
    level: float,
    groups: Groups | None,
) -> list[str]:
    """What the figures mean, in sentences."""
    share = amounts / amounts.sum()
    at = int(share.argmax())
    own = by_group[:, at]
    wrong, n = own.sum(axis=-1) - own[:, at], own.sum()
    unjudged = [name for k, name in enumerate(classes) if share[k] > 0 and not by_group[:, k].sum()]
    if unjudged:
        return [f"Of {', '.join(unjudged)} no image was judged, so that nothing can be said at this mix."]
    were = "was" if n == 1 else "were"
    told = [
        f"{plural(int(n), 'image')} of {classes[at]} {were} judged, {int(wrong.sum()):,} of them given another class"
    ]
    high = float(rate_limits(wrong, own.sum(axis=-1), level, grouped=groups is not None)[1])
    if math.isnan(high):
        return [f"{told[0]}. They come from too few groups for an interval."]
    least = min((amount, k) for k, amount in enumerate(amounts.tolist()) if amount > 0)
    told[0] += f": up to {100 * high:.2g} % may be"
    if amounts[at] >= 1000:
        told[0] += (
            f", which among {amounts[at]:,.0f} are {high * amounts[at]:,.0f} images, beside {least[0]:,.0f} of "
            f"{classes[least[1]]}"
        )
    told[0] += "."
    name = f"A macro precision of {100 * TARGET:.0f} % at this mix"
    like = " in groups like these" if groups is not None else ""
    if more == 0:
        told.append(f"{name} is shown.")
    elif more is not None:
        told.append(
            f"{name} would be shown with {_rounded_up(more):,} more judged images of {classes[at]}{like}, if no larger "
            "share of them is given another class."
        )
    elif not macro.value >= TARGET:
        told.append(f"{name} cannot be shown by judging more images: the value itself lies below it.")
    else:
        told.append(
            f"{name} cannot be shown by judging more images of {classes[at]} alone: those of the other classes are too "
            "few."
        )
    return told


def _rounded_up(n: int) -> int:
    """Two digits, upwards."""
    unit: int = 10 ** max(len(str(n)) - 2, 0)
    return math.ceil(n / unit) * unit
