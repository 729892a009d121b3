"""A second opinion on labels, by heads that did not learn from the suspected ones.

A wrong label that a head was trained on pulls its scores of similar images towards the wrong class. So the images whose
labels look wrong at first are taken out of the training sides, as confident learning prunes before it trains again
(Northcutt et al., "Confident learning", 2021), and every image is scored anew by the heads of the other folds.
"""

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, FloatArray, IntArray

MOST_TRAINED = 20_000
_C, _SHRINKAGE = 0.01, 0.5


def second_look(
    features: Float32Array, y: IntArray, fold: IntArray, keep: NDArray[np.bool_], n_classes: int
) -> FloatArray | None:
    """Out-of-fold probabilities by logistic heads on whitened features, trained on kept images alone.

    Parameters
    ----------
    features : float array, shape (n, d)
    y : int array, shape (n,)
        Given classes.
    fold : int array, shape (n,)
        Fold in which each image was held out.
    keep : bool array, shape (n,)
        Whether an image may be trained on. Of more than 20,000 in a training side so many are drawn.
    n_classes : int

    Returns
    -------
    float array, shape (n, n_classes), or None
        None where a training side would lack a class.
    """
    from graticule.heads.heads import HeadSettings, fit_head
    from graticule.heads.scaling import FeatureLayout, Scalings
    from graticule.heads.scoring import probabilities

    settings = HeadSettings("logistic", C=_C, shrinkage=_SHRINKAGE, balanced=True)
    rng = np.random.default_rng(0)
    proba = np.empty((len(y), n_classes))
    for held_out in np.unique(fold):
        rows = np.flatnonzero(keep & (fold != held_out))
        if len(rows) > MOST_TRAINED:
            rows = np.sort(rng.choice(rows, MOST_TRAINED, replace=False))
        if len(np.unique(y[rows])) < n_classes:
            return None
        scalings = Scalings(features, rows, FeatureLayout(features.shape[1]))
        head = fit_head(scalings, y[rows], n_classes, settings, 1.0)
        scored = np.flatnonzero(fold == held_out)
        for start in range(0, len(scored), MOST_TRAINED):
            some = scored[start : start + MOST_TRAINED]
            proba[some] = probabilities([head], np.asarray(features[some], np.float32))
    return proba
