"""Novelty: is an image like those the model was trained on?

Distances are taken in the space of the embedded backbone's features: signed square root, standardised, the leading
principal components.

    near   relative Mahalanobis distance: min_k d_W(x, class k) - d_T(x)     (Ren et al., 2021)
    rest   what the components leave over                                    (Jackson and Mudholkar, 1979)
    doubt  logarithm of the entropy of the classifier's scores               (Hendrycks and Gimpel, 2017, in spirit)
    far    the larger of rest and the Mahalanobis distance min_k d_W(x, class k) (Lee et al., 2018)

A new kind of the same sort of picture lies between the known classes, has details that none of them has, and leaves the
classifier in doubt; a picture of another sort may be far from everything in directions that no training image takes,
and the classifier sure of it. Each is put on the scale of images that it was not fitted on (0 the median, 1 the worst
of a hundred). The novelty is the larger of near + rest + 2 doubt, put on that scale again, and far - 1. The weights
were chosen on left-out blood cells.

The p-value is conformal: the share of such images that are at least as novel. It counts groups where images come in
groups. Distances of the very images a space was fitted on are too small and are never used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.bundle import checked_tensor
from graticule.decide.evidence import rank_evidence
from graticule.decide.novelty_space import Space, components_of, fit_space, spans
from graticule.errors import BundleError
from graticule.heads.scoring import by_row
from graticule.statistics.conformal_quantiles import share_of_unit

# of the relative Mahalanobis distance, the Mahalanobis distance, the rest and the doubt in what tells near images
MIXING = (1.0, 0.0, 1.0, 2.0)
FAR_HANDICAP = 1.0
_PREFIX = "novelty."
_BLOCK = 2048
_TINY = 1e-6


@dataclass(frozen=True)
class Novelty:
    """A space with the evidence that turns distances into p-values.

    Attributes
    ----------
    space : Space
    middle, spread : float arrays, shape (5,)
        Median, and distance from it to the 99th percentile, over the evidence: of the measures of `measures`, and of
        near + rest + 2 doubt.
    mixing : float array, shape (4,)
        Weights of the measures in near + rest + 2 doubt; kept, since the evidence was measured with them.
    told : bool array, shape (2,)
        Whether doubt counts, and whether the shipped model as a whole gave the scores of the evidence.
    evidence, weight : float arrays, shape (m,)
        Novelties of images that the space was not fitted on, and their weights: 1, or 1 / (images of the group).
    fold : int array, shape (m,)
        The fold of each, whose member gave its scores.
    """

    space: Space
    middle: FloatArray
    spread: FloatArray
    mixing: FloatArray
    told: NDArray[np.bool_]
    evidence: FloatArray
    weight: FloatArray
    fold: IntArray

    @property
    def units(self) -> float:
        """Units (images or groups) of evidence."""
        return float(round(self.weight.sum()))

    def score(self, features: NDArray[np.floating], members: FloatArray) -> FloatArray:
        """Novelty of each image by each member, shape (H, n) or (1, n); 0 is usual, above 1 rare.

        NaN features give NaN. One row where doubt does not count, or the evidence was scored by the shipped model.

        Parameters
        ----------
        features : float array, shape (n, d)
        members : float array, shape (H, n, K)
            Scores by the members of the model, not calibrated.
        """
        counts, by_shipped = self.told.tolist()
        found = measures(self.space, features, None)
        if not counts:
            return combined(found, self.middle, self.spread, self.mixing)[None]
        rows = []
        for given in members.mean(axis=0, keepdims=True) if by_shipped else members:
            found[:, 3] = doubt(given)
            rows.append(combined(found, self.middle, self.spread, self.mixing))
        return np.stack(rows)

    def p_value(self, score: FloatArray) -> FloatArray:
        """Share of the evidence at least as novel, the image itself counted in; shape (n,), in (0, 1]; NaN stays.

        Evidence of fold i is compared with the image as member i scores it (as in `graticule.decide.conformal`).
        """
        above = np.zeros(score.shape[1])
        for fold, table in rank_evidence(self.evidence, self.weight, self.fold).items():
            above += table.at_least(score[fold if fold < len(score) else 0])
        return np.where(np.isnan(score).any(axis=0), np.nan, (1.0 + above) / (1.0 + self.units))

    def pack(self) -> dict[str, NDArray[Any]]:
        """Tensors for the bundle's reference file."""
        own = {f"{_PREFIX}{f.name}": getattr(self, f.name) for f in fields(self) if f.name != "space"}
        space = {f"{_PREFIX}space.{f.name}": getattr(self.space, f.name).astype(np.float32) for f in fields(Space)}
        return own | space

    @classmethod
    def unpack(
        cls, tensors: Mapping[str, NDArray[Any]], *, n_features: int | None = None, n_classes: int | None = None
    ) -> Self | None:
        """Inverse of `pack`; None where the bundle holds no novelty.

        Parameters
        ----------
        tensors : mapping
        n_features, n_classes : int, optional
            Length of the features in the reference, and K, when the space is to be held against them.

        Raises
        ------
        BundleError
            When a tensor is missing, of another type or shape, or spans no space to measure in.
        """
        if not any(name.startswith(_PREFIX) for name in tensors):
            return None

        def get(name: str, kind: str, *shape: int | None) -> NDArray[Any]:
            return checked_tensor(tensors, _PREFIX + name, kind, shape, file="reference")

        centre = get("space.centre", "float32", n_features)
        basis = get("space.basis", "float32", len(centre), None)
        q = basis.shape[1]
        space = Space(
            centre,
            get("space.scale", "float32", len(centre)),
            basis,
            get("space.within", "float32", q, q),
            get("space.total", "float32", q, q),
            get("space.means", "float32", None, q),
        )
        middle, spread = get("middle", "float64", 5), get("spread", "float64", 5)
        mixing, told = get("mixing", "float64", 4), get("told", "bool", 2)
        evidence = get("evidence", "float64", None)
        weight, fold = get("weight", "float64", len(evidence)), get("fold", "int64", len(evidence))
        sound = (spread > 0).all() and (weight > 0).all() and (weight <= 1).all() and (fold >= 0).all()
        if not sound or not spans(space) or (n_classes is not None and len(space.means) > n_classes):
            raise BundleError(
                "the novelty in the reference of the bundle is faulty: its space, weights or folds are none that "
                "training makes; train again"
            )
        return cls(space, middle, spread, mixing, told, evidence, weight, fold)


def doubt(proba: FloatArray) -> FloatArray:
    """Logarithm of the entropy of scores (n, K), shape (n,)."""
    entropy = -(proba * np.log(np.maximum(proba, 1e-12))).sum(axis=1)
    return np.asarray(np.log(entropy + _TINY), dtype=np.float64)


def measures(space: Space, features: NDArray[np.floating], doubts: FloatArray | None) -> FloatArray:
    """Relative Mahalanobis distance, logarithms of the Mahalanobis distance and of the rest, doubt; shape (n, 4).

    Without doubts (n,) the last column is 0.
    """
    out = np.zeros((len(features), 4))
    for start in range(0, len(features), _BLOCK):
        rows = slice(start, start + _BLOCK)
        components, left = components_of(space, features[rows])
        white = by_row(components, space.within)
        to_class = ((white[:, None, :] - space.means[None]) ** 2).sum(axis=2).min(axis=1)
        to_all = (by_row(components, space.total) ** 2).sum(axis=1)
        out[rows, :3] = np.stack([to_class - to_all, np.log(to_class + _TINY), np.log(left + _TINY)], axis=1)
    if doubts is not None:
        out[:, 3] = doubts
    return out


def combined(found: FloatArray, middle: FloatArray, spread: FloatArray, mixing: FloatArray) -> FloatArray:
    """Novelty from the measures (n, 4) on the scale of the evidence, shape (n,)."""
    near = (_near(found, middle, spread, mixing) - middle[4]) / spread[4]
    far = ((found[:, 1:3] - middle[1:3]) / spread[1:3]).max(axis=1)
    return np.asarray(np.maximum(near, far - FAR_HANDICAP), dtype=np.float64)


def _near(found: FloatArray, middle: FloatArray, spread: FloatArray, mixing: FloatArray) -> FloatArray:
    # summed in one order whatever the number of rows, so that no score depends on the images beside it
    return np.asarray(((found - middle[:4]) / spread[:4] * mixing).sum(axis=1), dtype=np.float64)


def _scale(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median, and distance from it to the 99th percentile, of each column."""
    middle = np.median(values, axis=0)
    return middle, np.maximum(np.quantile(values, 0.99, axis=0) - middle, _TINY)


@dataclass(frozen=True)
class HeldOutImages:
    """Images of known class, none of them used to fit the model that scored them.

    Attributes
    ----------
    features : float array, shape (n, d)
    doubts : float array, shape (n,), or None
        `doubt` of their scores.
    unit : int array, shape (n,), or None
        Groups, which then count as one each.
    """

    features: NDArray[np.floating]
    doubts: FloatArray | None
    unit: IntArray | None


def fit_novelty(
    training: HeldOutImages, y: IntArray, parts: list[tuple[IntArray, IntArray]], aside: HeldOutImages | None = None
) -> Novelty:
    """The space of all training images, with evidence from images outside the space that measured them.

    Parameters
    ----------
    training : HeldOutImages
        Training images, with out-of-fold doubts.
    y : int array, shape (n,)
        Their class indices.
    parts : list of (training rows, held-out rows)
        Folds: each image is measured in a space of images of other folds.
    aside : HeldOutImages, optional
        Images set aside, which make the evidence instead of the folds, with the doubts of the shipped model.
    """
    space = fit_space(training.features, y)
    if aside is not None:
        found, unit = measures(space, aside.features, aside.doubts), aside.unit
        fold = np.zeros(len(found), np.int64)
    else:
        found, unit, fold = np.full((len(y), 4), np.nan), training.unit, np.zeros(len(y), np.int64)
        for i, (train, held) in enumerate(parts):
            doubts = None if training.doubts is None else training.doubts[held]
            found[held] = measures(fit_space(training.features[train], y[train]), training.features[held], doubts)
            fold[held] = i
        kept = ~np.isnan(found).any(axis=1)
        found, fold, unit = found[kept], fold[kept], None if unit is None else unit[kept]
    middle, spread = _scale(found)
    mixing = np.array(MIXING)
    near_middle, near_spread = _scale(_near(found, middle, spread, mixing)[:, None])
    middle, spread = np.append(middle, near_middle), np.append(spread, near_spread)
    score = combined(found, middle, spread, mixing)
    weight = np.ones(len(score)) if unit is None else share_of_unit(unit)
    judged = training if aside is None else aside
    told = np.array([judged.doubts is not None, aside is not None])
    return Novelty(space, middle, spread, mixing, told, score, weight, fold)


def benjamini_hochberg(p: FloatArray, alpha: float) -> NDArray[np.bool_]:
    """Images to reject so that the expected share of false ones among them is at most alpha (1995); NaN stays out."""
    out = np.zeros(len(p), bool)
    rows = np.flatnonzero(~np.isnan(p))
    order = rows[np.argsort(p[rows], kind="stable")]
    passed = p[order] <= alpha * np.arange(1, len(order) + 1) / max(len(order), 1)
    if passed.any():
        out[order[: int(np.flatnonzero(passed)[-1]) + 1]] = True
    return out
