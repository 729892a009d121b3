"""What was sampled: checked labels and scores, groups of related samples, and the bootstrap that fits them."""

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.errors import RunError
from graticule.predictions import Predictions
from graticule.statistics.groups import Groups

PROBABILITY_SLACK = 1e-6


def checked_arrays(predictions: Predictions) -> tuple[IntArray, FloatArray]:
    """Class indices (n,) and probabilities (n, K).

    Raises
    ------
    RunError
        Without rows, with labels outside the classes, or with probabilities that are not in [0, 1].
    """
    if len(predictions) == 0:
        raise RunError("cannot compute metrics: the predictions have no rows")
    unknown = sorted({str(name) for name in predictions.label} - set(predictions.classes))
    if unknown:
        raise RunError(
            f"cannot compute metrics: the labels {', '.join(unknown[:5])} are not among the model's classes "
            f"({', '.join(predictions.classes)}); rename these labels or leave the samples out"
        )
    proba = np.asarray(predictions.proba, dtype=np.float64)
    bad = np.flatnonzero(~((proba >= 0.0) & (proba <= 1.0 + PROBABILITY_SLACK)).all(axis=1))
    if len(bad):
        raise RunError(
            f"cannot compute metrics: {len(bad)} of {len(proba)} rows have probabilities outside [0, 1], "
            f"the first is {predictions.path[bad[0]]}"
        )
    return predictions.y, np.minimum(proba, 1.0)


def checked_groups(group: NDArray[np.object_] | None, n: int) -> Groups | None:
    """Groups from one name per sample, None where there are none.

    Raises
    ------
    RunError
        When there are not `n` names, or one is missing.
    """
    if group is None:
        return None
    empty = sum(name is None or str(name) in ("", "nan") for name in group)
    if len(group) != n or empty:
        raise RunError(
            f"cannot evaluate {n} samples by group: {len(group)} group names were given, {empty} of them empty; "
            "give every sample a group or switch groups off with --group none"
        )
    names, codes = np.unique(np.array([str(name) for name in group], dtype=object), return_inverse=True)
    return Groups(codes.astype(np.int64), names)
