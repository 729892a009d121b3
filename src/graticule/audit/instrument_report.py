"""Pixel sizes and instruments over a data set: what is odd, and whether they give classes away."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray

MIXED = 0.05
_LISTED = 5


@dataclass(frozen=True)
class ClassSizes:
    """Pixel sizes of one class, nanometres; `low`, `median` and `high` are None where `n_known` is 0."""

    label: str
    n: int
    n_known: int
    low: float | None
    median: float | None
    high: float | None


@dataclass(frozen=True)
class PixelSizes:
    """Pixel sizes of a data set: one row per class in the order of their names, and what is odd about them."""

    n: int
    n_known: int
    classes: tuple[ClassSizes, ...]
    warnings: tuple[str, ...]


def pixel_size_report(pixel_size_nm: FloatArray, labels: Sequence[str], *, mixed: float = MIXED) -> PixelSizes:
    """Pixel sizes per class, and warnings about scale.

    Parameters
    ----------
    pixel_size_nm : float array, shape (n,)
        Nanometres, nan where not known. Values that are not finite or not above 0 count as not known.
    labels : sequence of str, length n
        Class of each image; "" is an image without a label, which has a row but stands in no comparison of classes.
    mixed : float
        Sizes further apart than this share of the smaller one count as different.

    Returns
    -------
    PixelSizes
        Warnings: no size known at all; known for some only (and whether that differs by class: every class known or
        not known as a whole is a shortcut); sizes mixed within the data set; medians that differ between classes, so
        that a classifier can tell the classes by scale.

    Raises
    ------
    ValueError
        When the two inputs differ in length.
    """
    sizes = np.asarray(pixel_size_nm, dtype=np.float64)
    if sizes.shape != (len(labels),):
        raise ValueError(f"pixel sizes of shape {sizes.shape} for {len(labels)} labels; allowed: one per label")
    known = np.isfinite(sizes) & (sizes > 0)
    names = np.asarray(labels, dtype=np.str_)
    rows = tuple(_class_sizes(name, sizes[names == name], known[names == name]) for name in sorted(set(labels)))
    warnings = [*_coverage_warnings(rows), *_size_warnings(sizes[known], rows, mixed)]
    return PixelSizes(len(labels), int(known.sum()), rows, tuple(warnings))


def _class_sizes(label: str, sizes: FloatArray, known: NDArray[np.bool_]) -> ClassSizes:
    there = sizes[known]
    if not there.size:
        return ClassSizes(label, int(known.size), 0, None, None, None)
    low, high = float(there.min()), float(there.max())
    return ClassSizes(label, int(known.size), int(there.size), low, float(np.median(there)), high)


def _coverage_warnings(rows: Sequence[ClassSizes]) -> list[str]:
    n, n_known = sum(row.n for row in rows), sum(row.n_known for row in rows)
    if n_known == n:
        return []
    if n_known == 0:
        return ["no image has a pixel size: sizes in the results are in pixels only"]
    warnings = [f"{n_known} of {n} images have a pixel size, {n - n_known} have none"]
    full = [row.label for row in rows if row.label and row.n_known == row.n]
    none = [row.label for row in rows if row.label and row.n_known == 0]
    if full and none:
        warnings.append(
            f"a pixel size is known for every image of {_listed(full)} and for none of {_listed(none)}: "
            "the classes come from different sources, which may give them away"
        )
    return warnings


def _size_warnings(known: FloatArray, rows: Sequence[ClassSizes], mixed: float) -> list[str]:
    if not known.size or known.max() <= known.min() * (1 + mixed):
        return []
    warnings = [f"pixel sizes are mixed: {known.min():.4g} to {known.max():.4g} nm"]
    medians = sorted((row.median, row.label) for row in rows if row.label and row.median is not None)
    if not medians:
        return warnings
    (low, smallest), (high, largest) = medians[0], medians[-1]
    if high > low * (1 + mixed):
        warnings.append(
            f"pixel sizes differ between classes (median {low:.4g} nm in {smallest}, {high:.4g} nm in {largest}): "
            "a classifier can tell them by scale instead of by content"
        )
    return warnings


def instruments_per_class(instruments: Sequence[str], labels: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many images of each class come from each instrument; "" stands for not known.

    Parameters
    ----------
    instruments, labels : sequences of str, length n

    Returns
    -------
    dict
        By class name, in order; within a class by count, the largest first, then by name.

    Raises
    ------
    ValueError
        When the two inputs differ in length.
    """
    if len(instruments) != len(labels):
        raise ValueError(f"{len(instruments)} instruments for {len(labels)} labels; allowed: one per label")
    counts: dict[str, Counter[str]] = {label: Counter() for label in sorted(set(labels))}
    for instrument, label in zip(instruments, labels, strict=True):
        counts[label][instrument] += 1
    return {label: dict(sorted(c.items(), key=lambda item: (-item[1], item[0]))) for label, c in counts.items()}


def instrument_warnings(instruments: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    """Warnings where a class stands alone with its instruments: no other class has them, so they give it away.

    `instruments` and `labels` as in `instruments_per_class`. Images without a label ("") do not count; fewer than two
    classes give no warning.
    """
    counts = {label: own for label, own in instruments_per_class(instruments, labels).items() if label}
    warnings = []
    for label, own in counts.items():
        others = {name for other, c in counts.items() if other != label for name in c}
        if len(counts) < 2 or set(own) & others:
            continue
        if set(own) == {""}:
            warnings.append(f"no image of {label} names its instrument, every image of the other classes does")
        else:
            names = _listed([name or "not known" for name in own])
            warnings.append(f"every image of {label} comes from instruments no other class has ({names})")
    return tuple(warnings)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
