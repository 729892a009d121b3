"""Ways to learn classes of very different size, each scored out of fold on the same images by the same classifier.

none              every image counts once
weights           every class counts the same (King and Zeng, Political Analysis 9, 2001)
oversampling      images of smaller classes are repeated until all classes are of one size
symmetries        weights, and images of smaller classes turned and mirrored as further ones
"""

import numpy as np
from threadpoolctl import threadpool_limits

from graticule.arrays import BoolArray, Float32Array, FloatArray, IntArray
from graticule.heads.heads import HeadSettings, fit_head
from graticule.heads.scaling import FeatureLayout, Scalings
from graticule.heads.scoring import probabilities

PLAIN, WEIGHTS, OVERSAMPLING, SYMMETRIES = RARE_ARMS = ("none", "weights", "oversampling", "symmetries")
_C = 0.01


def arm_scores(
    arm: str, features: Float32Array, y: IntArray, fold: IntArray, turned_from: IntArray, n_classes: int
) -> FloatArray:
    """Out-of-fold probabilities of one way, shape (n, K): logistic regression along the main axes of the features.

    Parameters
    ----------
    arm : str
        One of `RARE_ARMS`.
    features : float32 array, shape (n + m, d)
        Of n images and, behind them, of m turned ones.
    y : int array, shape (n,)
        Class indices.
    fold : int array, shape (n,)
        In which each image is held out. Every class stands outside every fold.
    turned_from : int array, shape (m,)
        The image, 0 to n - 1, that each turned one was made from; it trains only where that image trains.
    n_classes : int
    """
    n = len(y)
    all_y = np.concatenate([y, y[turned_from]])
    settings = HeadSettings("logistic", _C, balanced=arm in (WEIGHTS, SYMMETRIES))
    proba = np.full((n, n_classes), np.nan)
    layout = FeatureLayout(features.shape[1])
    for held_out in np.unique(fold):
        rows = training_rows_of(arm, y, fold != held_out, turned_from, n_classes)
        with threadpool_limits(1):
            head = fit_head(Scalings(features, rows, layout), all_y[rows], n_classes, settings, 1.0)
            test = np.flatnonzero(fold == held_out)
            proba[test] = probabilities([head], features[test])
    return proba


def training_rows_of(arm: str, y: IntArray, trains: BoolArray, turned_from: IntArray, n_classes: int) -> IntArray:
    """Rows of the features that train, those that are repeated as often as they count; see `arm_scores`."""
    rows = np.flatnonzero(trains)
    if arm == SYMMETRIES:
        return np.concatenate([rows, len(y) + np.flatnonzero(trains[turned_from])])
    if arm != OVERSAMPLING:
        return rows
    by_class = [rows[y[rows] == k] for k in range(n_classes)]
    most = max(len(own) for own in by_class)
    return np.sort(np.concatenate([np.resize(own, most) for own in by_class]))
