"""Classifiers that ways to train are tried with, on frozen features and on pixels; their settings never change.

Each first finds axes from the real training images of a fold alone, which all ways share, and then fits on what a way
trains on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from graticule.arrays import Float32Array, FloatArray, IntArray
from graticule.heads.scaling import Scalings, ShrunkWhitening
from graticule.synthesis.use.arms import WeightedRows

Axes = Callable[[Float32Array], Float32Array]

_SHRINKAGE, _FEATURES_C = 0.5, 0.01
_COMPONENTS, _PIXELS_C = 128, 10.0


@dataclass(frozen=True)
class TrialClassifier:
    """A kind of classifier.

    Attributes
    ----------
    axes : callable
        From real training rows (n, d) and their classes to a function of rows onto axes.
    model : callable
        A fresh scikit-learn classifier.
    """

    axes: Callable[[Float32Array, IntArray], Axes]
    model: Callable[[], Any]

    def scores(self, rows: WeightedRows, asked: Float32Array, n_classes: int) -> FloatArray:
        """Fit on rows along the axes and score others, shape (m, n_classes); a class that was not trained is -inf."""
        with threadpool_limits(1):
            model = self.model().fit(rows.values, rows.y, sample_weight=rows.weight)
            found = np.asarray(model.decision_function(asked), float)
        if found.ndim == 1:
            found = np.stack([-found, found], axis=1)
        out = np.full((len(found), n_classes), -np.inf)
        out[:, model.classes_] = found
        return out


def _whitened(values: Float32Array, y: IntArray) -> Axes:
    """The axes of a shipped head: standardised signed square roots, whitened within classes, shrunk by a half."""
    scalings = Scalings.whole(values)
    scaling = scalings.of(())
    with threadpool_limits(1):
        whitening = ShrunkWhitening(_SHRINKAGE)
        whitening.fit(scaling.apply(values, np.arange(len(values))), y)

    def along(rows: Float32Array) -> Float32Array:
        with threadpool_limits(1):
            return np.asarray(whitening.transform(scaling.apply(rows, np.arange(len(rows)))), np.float32)

    return along


def _main_axes(values: Float32Array, y: IntArray) -> Axes:
    with threadpool_limits(1):
        found = PCA(min(_COMPONENTS, *values.shape), random_state=0).fit(values)

    def along(rows: Float32Array) -> Float32Array:
        with threadpool_limits(1):
            return np.asarray(found.transform(rows), np.float32)

    return along


# a logistic head on features, as `train` has it
FEATURES = TrialClassifier(_whitened, lambda: LogisticRegression(C=_FEATURES_C, max_iter=200, tol=1e-3))
# a support vector machine with a Gaussian kernel on the main axes of the canvas
PIXELS = TrialClassifier(_main_axes, lambda: SVC(C=_PIXELS_C, gamma="scale"))
