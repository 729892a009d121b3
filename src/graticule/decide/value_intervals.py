"""Intervals of predicted numbers that hold on new groups: conformal, from errors of images that their model never saw.

Every image gives the score (y - p) / s(x), with s(x) = 1 or the scale of `value_width`. The interval of a new image is
p -/+ q s(x), q the conformal quantile of the absolute scores, in which every group weighs alike and infinity weighs as
much as a group (hierarchical conformal prediction; Lee, Barber and Willett, 2023). Errors of training images are never
used: a model that has learnt its training images by heart would promise nothing but them.

* Errors of a calibration part that no model saw prove 1 - a (split; Papadopoulos et al., 2002).
* Out-of-fold errors around the mean of the fold models: 1 - a is seen, and nothing is proven. Around the prediction
  of each fold's own model 1 - 2a is proven (CV+; Barber et al., 2021); on phantoms that was as wide and held as often.
* Two quantiles, of the scores below and above (Romano, Patterson and Candes, 2019, section 3), take the place of one
  where the bias in a third of the predictions exceeds half the mean absolute error.
* Too few groups make q infinite: the interval is then estimated from images instead, the wider of two, and says so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray, StrArray, numbered
from graticule.bundle import checked_tensor
from graticule.decide.value_assessment import cut_to
from graticule.decide.value_reach import reach_of
from graticule.decide.value_shape import IntervalShape, choose_shape
from graticule.decide.value_width import LocalWidth, unit_blocks
from graticule.errors import BundleError, OptionError
from graticule.evaluate.values.specimens import Bounds
from graticule.statistics.conformal_quantiles import needed

LEVELS = (0.8, 0.9, 0.95)
_PREFIX = "intervals."
# of a calibration part, half shape the width where it has so many times the units that are needed
_SPARE = 4
_BLOCK_CELLS = 4 * 2**20
# groups left out together where there are many
_MOST_BLOCKS = 50


@dataclass(frozen=True)
class ValueIntervals:
    """What an interval needs.

    Attributes
    ----------
    score : float array, shape (n,)
        (y - p) / s(x) of the evidence.
    unit : int array, shape (n,)
        Groups of the evidence, or its images.
    grouped, split : bool
        Whether units are groups; whether the evidence is a calibration part.
    asymmetric : bool
    width : LocalWidth or None
        None: all intervals have one width.
    bounds : (float or None, float or None)
    levels : tuple of float
    why : str
        Of the shape, in words.
    """

    score: FloatArray
    unit: IntArray
    grouped: bool
    split: bool
    asymmetric: bool
    width: LocalWidth | None
    bounds: Bounds
    levels: tuple[float, ...]
    why: str

    @property
    def n_units(self) -> int:
        """Groups, or images."""
        return len(np.unique(self.unit))

    def basis(self, level: float) -> str:
        """What stands behind a level: "groups", "images" (no groups known), "estimate" (too few groups), "none"."""
        if self.n_units >= needed(level):
            return "groups" if self.grouped else "images"
        return "estimate" if self.grouped and len(self.score) >= needed(level) else "none"

    def apply(
        self,
        value: FloatArray,
        difficulty: FloatArray | None,
        level: float = 0.9,
    ) -> tuple[FloatArray, FloatArray]:
        """Limits of new images.

        Parameters
        ----------
        value : float array, shape (n,)
            Shipped predictions.
        difficulty : float array, shape (n, d), or None
            The columns that `fit_intervals` had.
        level : float
            In (0, 1); any, not only those stored.
        Returns
        -------
        low, high : float arrays, shape (n,)
            Within the bounds; NaN where no interval can be given.
        """
        n = len(value)
        columns = np.zeros((n, 0)) if difficulty is None else difficulty
        scale = np.ones(n) if self.width is None else self.width.scale(value, columns)
        below, above = self.reach(level)
        low, high = value - below * scale, value + above * scale
        return cut_to(low, high, self.bounds)

    def reach(self, level: float) -> tuple[float, float]:
        """How far an interval reaches below and above the prediction, in usual widths; infinite where it cannot."""
        return reach_of(self.score, self.unit, self.grouped, self.asymmetric, level)

    def describe(self) -> dict[str, Any]:
        """What is promised, as JSON: "levels" with their words, units, shape and why."""
        return {
            "levels": [self.promise(level) for level in self.levels],
            "source": "calibration part" if self.split else "out-of-fold errors",
            "n": len(self.score),
            "n_units": self.n_units,
            "unit": "groups" if self.grouped else "images",
            "width": "constant" if self.width is None else "local",
            "asymmetric": self.asymmetric,
            "why": self.why,
            "bounds": list(self.bounds),
        }

    def promise(self, level: float) -> dict[str, Any]:
        """{"level", "basis", "proven" (None: nothing), "below", "above" (usual reach), "words"} of a level."""
        basis = self.basis(level)
        below, above = self.reach(level)
        asked, twice = f"{level:.0%}", 1.0 - 2.0 * (1.0 - level)
        unit = "groups" if basis == "groups" else "images"
        proven = None
        if basis == "none":
            words = f"no interval: {len(self.score)} images, at least {needed(level)} are needed at {level:.0%}"
        elif basis == "estimate":
            words = (
                f"estimated from images, not groups: {self.n_units} groups, at least {needed(level)} are needed at "
                f"{level:.0%}; nothing is promised for new groups"
            )
        elif self.split:
            proven = level
            words = f"proven {level:.0%} for new {unit} like those of the calibration part"
        else:
            words = (
                f"{asked} is what is seen for new {unit} like those cross-validated; proven is nothing around the mean "
                f"of the fold models ({twice:.0%} around each of them, CV+)"
            )
        if basis == "images":
            words += "; images are taken as independent, several of one specimen would make it hold less often"
        reach = [each if math.isfinite(each) else None for each in (below, above)]
        return {"level": level, "basis": basis, "proven": proven, "below": reach[0], "above": reach[1], "words": words}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Tensors for the bundle."""
        known = [b is not None for b in self.bounds]
        arrays: dict[str, NDArray[Any]] = {
            f"{_PREFIX}score": self.score,
            f"{_PREFIX}unit": self.unit.astype(np.int32),
            f"{_PREFIX}levels": np.array(self.levels, np.float64),
            f"{_PREFIX}bounds": np.array([0.0 if b is None else b for b in self.bounds], np.float64),
            f"{_PREFIX}kind": np.array(
                [self.grouped, self.split, self.asymmetric, self.width is not None, *known], np.uint8
            ),
        }
        if self.width is not None:
            own = {name: getattr(self.width, name) for name in ("middle", "spread", "weights", "limits")}
            arrays |= {f"{_PREFIX}width.{name}": each for name, each in own.items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> Self:
        """Inverse of `to_arrays`, with the document of `describe`.

        Raises
        ------
        BundleError
            When a tensor is missing, of another type or shape, or holds what no fit gives.
        """

        def get(name: str, kind: str, *shape: int | None) -> NDArray[Any]:
            return checked_tensor(arrays, _PREFIX + name, kind, shape, file="reference")

        score = get("score", "float64", None)
        unit = np.asarray(get("unit", "int32", len(score)), np.int64)
        levels, bounds, kind = get("levels", "float64", None), get("bounds", "float64", 2), get("kind", "uint8", 6)
        width = None
        if kind[3]:
            middle = get("width.middle", "float64", None)
            d = len(middle)
            width = LocalWidth(middle, get("width.spread", "float64", d), get("width.weights", "float64", d + 1),
                               get("width.limits", "float64", 2))  # fmt: skip
        sound = kind.max() <= 1 and (levels > 0).all() and (levels < 1).all() and unit.min() >= 0
        if not sound or (width is not None and (width.limits[0] > width.limits[1] or (width.spread < 0).any())):
            raise BundleError(
                "the intervals in the reference of the bundle are faulty: their levels, units or widths are none that "
                "training makes; train again"
            )
        low, high = (float(b) if known else None for b, known in zip(bounds, kind[4:], strict=True))
        grouped, split, asymmetric = (bool(flag) for flag in kind[:3])
        why = str(document.get("why", ""))
        return cls(score, unit, grouped, split, asymmetric, width, (low, high), tuple(levels.tolist()), why)


def fit_intervals(
    target: FloatArray,
    value: FloatArray,
    group: StrArray | None,
    difficulty: FloatArray | None,
    *,
    levels: Sequence[float] = LEVELS,
    bounds: Bounds = (None, None),
    split: bool = False,
) -> ValueIntervals:
    """Intervals from images that their model never saw.

    Parameters
    ----------
    target, value : float arrays, shape (n,)
        True values, and out-of-fold predictions (or the shipped model's of a calibration part); n >= 1, finite.
    group : object array of str, shape (n,), or None
    difficulty : float array, shape (n, d), or None
        What may tell how hard an image is; the prediction itself is always looked at. Finite.
    levels : sequence of float
    bounds : (float or None, float or None)
        Range of possible values.
    split : bool
        The images are a calibration part: neither the model nor its choice saw them. With four times the groups that
        the highest level needs, half of them shape the width and the other half the quantile, so that the proof
        stays; with fewer the width is constant.
    """
    _check_levels(levels)
    grouped, unit, columns = group is not None, _units(group, len(target)), _difficulty(difficulty, len(target))
    used, spare = np.ones(len(target), bool), len(np.unique(unit)) >= _SPARE * needed(max(levels))
    if not split:
        shape = choose_shape(target, value, unit, columns, bounds)
        scale = shape.scale
    elif spare:
        used = unit_blocks(unit, 2) == 0
        shape = choose_shape(target[~used], value[~used], unit[~used], columns[~used], bounds)
        scale = np.ones(len(target)) if shape.width is None else shape.width.scale(value, columns)
    else:
        scale = np.ones(len(target))
        shape = IntervalShape(
            None, False, scale, "constant: too few groups or images to spare half of them for a shape"
        )
    score = (target - value) / scale
    return ValueIntervals(
        score[used], numbered(unit[used]), grouped, split, shape.asymmetric,
        shape.width, bounds, tuple(levels), shape.why,
    )  # fmt: skip


def held_out_limits(
    target: FloatArray,
    value: FloatArray,
    group: StrArray | None,
    difficulty: FloatArray | None,
    *,
    level: float = 0.9,
    bounds: Bounds = (None, None),
) -> tuple[FloatArray, FloatArray]:
    """Limits of the very images that `fit_intervals` is given, each from the errors of other groups alone.

    Arguments as there. This is what a cross-validation shows of its own intervals, and measures them by: limits (n,),
    NaN where none can be given. Groups are left out one at a time, or where there are many in 50 blocks.
    """
    grouped, unit, columns = group is not None, _units(group, len(target)), _difficulty(difficulty, len(target))
    shape = choose_shape(target, value, unit, columns, bounds)
    score = (target - value) / shape.scale
    blocks = unit_blocks(unit, min(len(np.unique(unit)), _MOST_BLOCKS))
    below, above = np.full(len(target), np.inf), np.full(len(target), np.inf)
    for block in np.unique(blocks):
        held, rest = blocks == block, blocks != block
        if rest.any():
            below[held], above[held] = reach_of(score[rest], unit[rest], grouped, shape.asymmetric, level)
    return cut_to(value - below * shape.scale, value + above * shape.scale, bounds)


def _units(group: StrArray | None, n: int) -> IntArray:
    return np.arange(n, dtype=np.int64) if group is None else numbered(np.array([str(name) for name in group]))


def _difficulty(difficulty: FloatArray | None, n: int) -> FloatArray:
    return np.zeros((n, 0)) if difficulty is None else np.asarray(difficulty, dtype=np.float64)


def _check_levels(levels: Sequence[float]) -> None:
    faulty = [level for level in levels if not 0.0 < level < 1.0]
    if faulty or not levels:
        raise OptionError(f"levels of intervals lie between 0 and 1, such as 0.9; given were {list(levels)}")
