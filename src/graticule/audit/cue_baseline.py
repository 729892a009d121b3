"""What all cues together tell of a number, without the structure of the picture: a baseline beside a model.

The small model is that of `value_cues`, kernel ridge regression around the mean, on the mean of the cues' kernels.
"""

from collections.abc import Callable, Sequence

import numpy as np

from graticule.arrays import FloatArray, IntArray
from graticule.audit.shortcuts import Cue, as_model_sees, of_rows
from graticule.audit.value_cues import MOST_IMAGES, RIDGE, kernel_between
from graticule.regress.baselines import over_folds
from graticule.split.folds import Folds
from graticule.statistics.association import CueValues


def cue_baseline(cues: Sequence[Cue], learnt: FloatArray, folds: Folds, *, seed: int = 0) -> FloatArray | None:
    """What the cues say of each image, learnt on the same folds as the model.

    Parameters
    ----------
    cues : sequence of Cue
        Of n images; constant ones are left out.
    learnt : float array, shape (n,)
        Numbers on the scale that is learnt.
    folds : Folds
    seed : int
        Of the draw of at most 1,000 images that each fold learns from.

    Returns
    -------
    float array, shape (n,), or None
        Out of fold, and of all training images for what was set aside; NaN elsewhere. None without a cue.
    """
    seen = [values for cue in cues if (values := as_model_sees(cue)) is not None]
    if not seen:
        return None

    def kernel(a: IntArray, b: IntArray) -> FloatArray:
        total = np.zeros((len(a), len(b)))
        for values in seen:
            total += kernel_between(_part(values, a), _part(values, b))
        return total / len(seen)

    def fit(train: IntArray) -> Callable[[IntArray], FloatArray]:
        if len(train) > MOST_IMAGES:
            train = np.sort(np.random.default_rng([seed, 5]).choice(train, MOST_IMAGES, replace=False))
        middle = float(learnt[train].mean())
        inner = kernel(train, train) + RIDGE * np.eye(len(train))
        weights = np.linalg.solve(inner, learnt[train] - middle)
        return lambda rows: kernel(rows, train) @ weights + middle

    return over_folds(fit, folds)


def _part(values: CueValues, rows: IntArray) -> CueValues:
    return of_rows(values, rows)
