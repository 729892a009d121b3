"""Whether a model of the real images takes generated ones for what they are meant to be, and tells them apart."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from graticule.arrays import BoolArray, Float32Array, FloatArray, IntArray
from graticule.evaluate.ranking import roc_auc
from graticule.heads.heads import HeadSettings, fit_head
from graticule.heads.scaling import FeatureLayout, Scalings
from graticule.heads.scoring import scores
from graticule.split.folds import inner_folds

_FOLDS = 5
_MODEL = HeadSettings("logistic", C=0.01, shrinkage=0.5, balanced=True)
_COMPONENTS = 64


def class_named(
    real: Float32Array, y: IntArray, unit: IntArray, made: Float32Array, *, seed: int = 0
) -> tuple[IntArray, IntArray] | None:
    """The class that a model of the real images names: of real ones that it did not learn from, and of generated ones.

    Parameters
    ----------
    real : float32 array, shape (n, d)
    y : int array, shape (n,)
        Classes, 0 to k - 1, two or more.
    unit : int array, shape (n,)
        Images that stay together.
    made : float32 array, shape (m, d)
    seed : int

    Returns
    -------
    (int array of shape (n,), int array of shape (m,)) or None
        None where no division keeps every class.
    """
    folds = inner_folds(y, unit, _FOLDS, seed)
    if not folds:
        return None
    n_classes = int(y.max()) + 1
    named = np.zeros(len(y), np.int64)
    total: FloatArray = np.zeros((len(made), n_classes))
    layout = FeatureLayout(real.shape[1])
    with threadpool_limits(1):
        for train, test in folds:
            present, codes = np.unique(y[train], return_inverse=True)
            head = fit_head(Scalings(real, train, layout), codes, len(present), _MODEL, 1.0)
            named[test] = present[scores(head, real[test]).argmax(1)]
            total[:, present] += scores(head, made)
    return named, total.argmax(1)


def distinguished(features: Float32Array, made: BoolArray, unit: IntArray, *, seed: int = 0) -> float:
    """Area under the ROC curve of a model that tells generated images from real ones: 0.5, not at all; 1, always.

    Parameters
    ----------
    features : float32 array, shape (n, d)
    made : bool array, shape (n,)
    unit : int array, shape (n,)
        Copies of each other, which stay together.
    seed : int

    Returns
    -------
    float
        NaN where there are too few of either.
    """
    y = made.astype(np.int64)
    folds = inner_folds(y, unit, _FOLDS, seed) if min(y.sum(), len(y) - y.sum()) >= 2 * _FOLDS else []
    if not folds:
        return float("nan")
    score = np.zeros(len(y))
    with threadpool_limits(1):
        for train, test in folds:
            model = make_pipeline(
                StandardScaler(),
                PCA(min(_COMPONENTS, len(train) - 1, features.shape[1]), random_state=seed, svd_solver="randomized"),
                LogisticRegression(C=0.1, class_weight="balanced", max_iter=500),
            )
            score[test] = model.fit(features[train], y[train]).decision_function(features[test])
    return float(roc_auc(score, made)[0])
