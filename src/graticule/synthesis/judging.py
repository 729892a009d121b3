"""The judgement of generated images, class by class, from pixels on the canvas and features."""

from dataclasses import dataclass, replace

import numpy as np

from graticule.arrays import BoolArray, Float32Array, IntArray
from graticule.synthesis.copies import LEAST_PARENTS, FromGenerator, copied_as_a_set, copied_one_by_one
from graticule.synthesis.likeness import class_model, distinguished
from graticule.synthesis.quality import quality_of, real_against_real, standardised
from graticule.synthesis.variety import variety_of
from graticule.synthesis.verdict import ClassJudgement


@dataclass(frozen=True)
class Pictures:
    """Images of one kind, real or generated, in one order.

    Attributes
    ----------
    grey : float32 array, shape (n, side, side)
        Made by `graticule.synthesis.distance.comparable`.
    features : float32 array, shape (n, d)
        Of a network.
    y : int array, shape (n,)
        Classes.
    """

    grey: Float32Array
    features: Float32Array
    y: IntArray


@dataclass(frozen=True)
class RealOrigin:
    """What is known of the real images and of who made the generated ones.

    Attributes
    ----------
    unit : int array, shape (m,)
        Equal numbers: real images that are copies of each other.
    apart : int array, shape (m,)
        Equal numbers: real images that must not stand on both sides where a model is tried: copies, and groups where
        there are several.
    group : int array, shape (m,)
        What real images belong to; all alike where that is not known.
    generator : int array, shape (n,)
        The generator of each generated image.
    seen : bool array, shape (number of generators, m)
        The real images that each generator saw.
    """

    unit: IntArray
    apart: IntArray
    group: IntArray
    generator: IntArray
    seen: BoolArray


def judge_generated(
    real: Pictures, made: Pictures, origin: RealOrigin, classes: tuple[str, ...], *, seed: int = 0
) -> list[tuple[ClassJudgement, IntArray]]:
    """Judge the generated images of each class that has any.

    Parameters
    ----------
    real, made : Pictures
    origin : RealOrigin
    classes : tuple of str
    seed : int

    Returns
    -------
    list of (judgement, rows)
        The places of the class's images among the generated ones, in the order of `Copies.flagged`.
    """
    named = None
    model = class_model(real.features, real.y, origin.apart, seed=seed) if len(np.unique(real.y)) > 1 else None
    if model is not None:
        named = model.named, model.names(made.features)
    out = []
    for k, label in enumerate(classes):
        rows = np.flatnonzero(made.y == k)
        if len(rows):
            # one generator after the other, as they are judged
            rows = rows[np.argsort(origin.generator[rows], kind="stable")]
            judged = _judged(label, k, rows, real, made, origin, named, seed)
            out.append((replace(judged, of_all_classes=len(np.unique(made.y)) == len(classes)), rows))
    return out


def _judged(
    label: str,
    k: int,
    rows: IntArray,
    real: Pictures,
    made: Pictures,
    origin: RealOrigin,
    named: tuple[IntArray, IntArray] | None,
    seed: int,
) -> ClassJudgement:
    own = np.flatnonzero(real.y == k)
    unit, group = origin.unit[own], origin.group[own]
    shown = [
        FromGenerator(made.grey[rows[origin.generator[rows] == g]], real.grey[own], origin.seen[g, own], unit, group)
        for g in np.unique(origin.generator[rows])
    ]
    different = min(len(np.unique(unit[one.parent])) for one in shown)
    enough = different >= LEAST_PARENTS
    seen = np.any([one.parent for one in shown], axis=0)
    held = np.any([one.held_out for one in shown], axis=0)
    features = np.concatenate([real.features[own], made.features[rows]])
    is_made = np.arange(len(features)) >= len(own)
    scaled = standardised(features, ~is_made)
    units = np.concatenate([unit, unit.max(initial=0) + 1 + np.arange(len(rows))])
    split = seen != held
    return ClassJudgement(
        label=label,
        n_generated=len(rows),
        n_parents=int(seen.sum()),
        n_held_out=int(held.sum()),
        n_different_parents=different,
        as_set=copied_as_a_set(shown, seed=seed) if enough else None,
        each=copied_one_by_one(shown) if enough else None,
        variety=variety_of(made.grey[rows], real.grey[own], unit, seed=seed),
        agreement=float("nan") if named is None else float((named[1][rows] == k).mean()),
        agreement_of_real=float("nan") if named is None else float((named[0][own] == k).mean()),
        distinguished=distinguished(scaled, is_made, units, seed=seed),
        distinguished_real=distinguished(scaled[: len(own)][split], seen[split], unit[split], seed=seed),
        quality=quality_of(scaled[~is_made], scaled[is_made], seed=seed),
        quality_of_real=real_against_real(scaled[~is_made], unit, len(rows), seed=seed),
    )
