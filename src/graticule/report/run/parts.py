"""What the classifiers look at: the whole picture, its centre, which textures occur together; and what each told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.networks.pooling import CENTRE, COVARIANCE, WHOLE
from graticule.plain_text import plural
from graticule.report.quantities import percent

_WORDS = {WHOLE: "the whole picture", CENTRE: "its centre", COVARIANCE: "which textures occur together"}
# points of a percentage that are written
_SHOWN = 0.05
_ALONE = {CENTRE: "the centre of the picture"}


@dataclass(frozen=True)
class PartsTold:
    """What a set of parts told inside the training folds.

    Attributes
    ----------
    words : str
    accuracy, low, high : float
        Balanced accuracy on the inner folds: mean, lowest and highest over the outer folds.
    chosen : int
        In how many outer folds the classifier looks at these parts and no others.
    """

    words: str
    accuracy: float
    low: float
    high: float
    chosen: int


def looked_at(head: dict[str, Any]) -> str:
    """Which parts of the features the classifiers of the folds use, where there was a choice."""
    folds = [set(fold.get("parts") or []) for fold in head.get("folds") or []]
    if not any(folds):
        return ""
    whole, centre, together = (sum(part in fold for fold in folds) for part in (WHOLE, CENTRE, COVARIANCE))
    counted = (
        f" What the classifiers look at, chosen in the same way: the whole picture in {whole} of "
        f"{plural(len(folds), 'fold')}, its centre in {centre}, which textures occur together in {together}."
    )
    if centre > whole:
        return counted + " The centre of the image told more than the whole."
    if whole > centre:
        return counted + " The surroundings told something too: the whole picture counted more often than its centre."
    return counted


def parts_told(head: dict[str, Any]) -> list[PartsTold]:
    """What each set of parts told, with one kind of classifier; empty where there was no choice."""
    folds = head.get("folds") or []
    found: dict[tuple[str, ...], list[float]] = {}
    for fold in folds:
        for row in fold.get("told") or []:
            found.setdefault(tuple(row["parts"]), []).append(float(row["balanced_accuracy"]))
    used = [frozenset(fold.get("parts") or []) for fold in folds]
    return [
        PartsTold(_words(parts), float(np.mean(values)), min(values), max(values), used.count(frozenset(parts)))
        for parts, values in found.items()
    ]


def gain(rows: Sequence[PartsTold]) -> str:
    """In a sentence what looking at more than the whole picture brought; empty where that was not tried."""
    alone = next((row for row in rows if row.words == _words((WHOLE,))), None)
    if alone is None or len(rows) < 2:
        return ""
    everything = rows[0]
    difference = 100 * (everything.accuracy - alone.accuracy)
    shares = f"{percent(everything.accuracy)} against {percent(alone.accuracy)}"
    if abs(difference) < _SHOWN:
        return f"Everything together told as much as the whole picture alone, {percent(alone.accuracy)}."
    more = "more" if difference > 0 else "less"
    taken = f", which {plural(alone.chosen, 'fold')} took" if alone.chosen else ""
    return (
        f"Everything together told {abs(difference):.1f} points {more} than the whole picture alone{taken}: {shares}."
    )


def _words(parts: Sequence[str]) -> str:
    known = _WORDS if WHOLE in parts else _WORDS | _ALONE
    return ", ".join(known.get(part, part) for part in parts)
