"""Whether a model of the real images takes generated ones for what they are meant to be, and tells them apart."""

from dataclasses import dataclass

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
from graticule.heads.scoring import Head, scores
from graticule.split.folds import inner_folds

_FOLDS = 5
_MODEL = HeadSettings("logistic", C=0.01, shrinkage=0.5, balanced=True)
_COMPONENTS = 64


@dataclass(frozen=True)
class ClassModel:
    """A model of the real images, one head per fold.

    Attributes
    ----------
    named : int array, shape (n,)
        The class that each real image is taken for by the head that did not learn from it.
    heads : list of (int array, Head)
        The classes that a head knows, and the head.
    n_classes : int
    """

    named: IntArray
    heads: list[tuple[IntArray, Head]]
    n_classes: int

    def names(self, features: Float32Array) -> IntArray:
        """The class that images are taken for by all heads together; features of shape (m, d), result (m,)."""
        total: FloatArray = np.zeros((len(features), self.n_classes))
        for present, head in self.heads:
            total[:, present] += scores(head, features)
        return np.asarray(total.argmax(1), np.int64)


def class_model(real: Float32Array, y: IntArray, unit: IntArray, *, seed: int = 0) -> ClassModel | None:
    """Learn the classes of real images, by cross-validation.

    Parameters
    ----------
    real : float32 array, shape (n, d)
    y : int array, shape (n,)
        Classes, 0 to k - 1, two or more.
    unit : int array, shape (n,)
        Images that stay together.
    seed : int

    Returns
    -------
    ClassModel or None
        None where no division keeps every class.
    """
    folds = inner_folds(y, unit, _FOLDS, seed)
    if not folds:
        return None
    named = np.zeros(len(y), np.int64)
    heads = []
    layout = FeatureLayout(real.shape[1])
    with threadpool_limits(1):
        for train, test in folds:
            present, codes = np.unique(y[train], return_inverse=True)
            head = fit_head(Scalings(real, train, layout), codes, len(present), _MODEL, 1.0)
            named[test] = present[scores(head, real[test]).argmax(1)]
            heads.append((present, head))
    return ClassModel(named, heads, int(y.max()) + 1)


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
