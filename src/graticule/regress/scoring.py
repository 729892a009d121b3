"""Apply fitted regressions to features: NumPy only, so that prediction needs neither scikit-learn nor torch.

A regression maps a feature vector x (d numbers) to a number on the scale that is learnt:

    z = sign(x) sqrt(|x|) of the first `rooted` numbers, the others as they are
    linear: z . w + b
    kernel: u = (z - centre) P;  sum_m c_m exp(-gamma |u - support_m|^2) + b      (kernel ridge, support vectors)

Scaling is folded into w, b, or into centre and P. A fold answers with the mean of its regressions, the model with the
mean of its folds. Sums are in double precision, row by row: a number does not depend on the images beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, FloatArray
from graticule.heads.scoring import entered

_BLOCK = 512


@dataclass(frozen=True)
class LinearValue:
    """Weights of shape (d,) on what enters, and a bias."""

    slope: FloatArray
    offset: float
    rooted: int

    @property
    def n_features(self) -> int:
        """Length of the feature vector."""
        return len(self.slope)


@dataclass(frozen=True)
class KernelValue:
    """centre (d,), projection (d, q), support (m, q) already projected, coefficients (m,), offset, gamma > 0."""

    centre: FloatArray
    projection: Float32Array
    support: FloatArray
    coefficients: FloatArray
    offset: float
    gamma: float
    rooted: int

    @property
    def n_features(self) -> int:
        """Length of the feature vector."""
        return len(self.centre)


ValueHead = LinearValue | KernelValue
# what one fold answers with: the mean of one or more
ValueMember = tuple[ValueHead, ...]


def projected(features: NDArray[np.floating], centre: FloatArray, projection: Float32Array, rooted: int) -> FloatArray:
    """Features (n, d) as a regression sees them, shape (n, q), each row by itself."""
    matrix = projection.astype(np.float64)
    blocks = [
        _by_row(entered(features[start : start + _BLOCK], rooted) - centre, matrix)
        for start in range(0, len(features), _BLOCK)
    ]
    return np.concatenate(blocks) if blocks else np.zeros((0, projection.shape[1]))


def _by_row(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    return np.asarray(np.matmul(rows[:, None, :], matrix)[:, 0], dtype=np.float64)


def gaussian(rows: FloatArray, support: FloatArray, gamma: float) -> FloatArray:
    """exp(-gamma |a - b|^2) for every pair of rows (n, q) and support (m, q), shape (n, m), each row by itself."""
    square = -2.0 * _by_row(rows, np.ascontiguousarray(support.T))
    square += (rows * rows).sum(axis=1)[:, None]
    square += (support * support).sum(axis=1)[None, :]
    return np.asarray(np.exp(-gamma * np.maximum(square, 0.0)), dtype=np.float64)


def head_value(head: ValueHead, features: NDArray[np.floating]) -> FloatArray:
    """What one regression says of features (n, d), shape (n,)."""
    if isinstance(head, LinearValue):
        column = head.slope[:, None]
        blocks = [
            _by_row(entered(features[start : start + _BLOCK], head.rooted).astype(np.float64), column)[:, 0]
            for start in range(0, len(features), _BLOCK)
        ]
        return (np.concatenate(blocks) if blocks else np.zeros(0)) + head.offset
    rows = projected(features, head.centre, head.projection, head.rooted)
    kernels = [
        gaussian(rows[start : start + _BLOCK], head.support, head.gamma) for start in range(0, len(rows), _BLOCK)
    ]
    column = head.coefficients[:, None]
    return np.concatenate([_by_row(kernel, column)[:, 0] for kernel in kernels] or [np.zeros(0)]) + head.offset


def member_values(members: Sequence[ValueMember], features: NDArray[np.floating]) -> FloatArray:
    """What each fold's regressions say on average, shape (folds, n); the model's answer is the mean over the folds."""
    return np.stack([np.mean([head_value(head, features) for head in member], axis=0) for member in members])


def without_features(member: ValueMember, unused: slice) -> ValueMember | None:
    """The same regressions on features without a span behind the rooted ones; None where one looks at it."""
    heads: list[ValueHead] = []
    for head in member:
        if isinstance(head, LinearValue):
            if head.slope[unused].any():
                return None
            heads.append(replace(head, slope=np.delete(head.slope, unused)))
        else:
            if head.projection[unused].any():
                return None
            projection = np.delete(head.projection, unused, axis=0)
            heads.append(replace(head, centre=np.delete(head.centre, unused), projection=projection))
    return tuple(heads)


def with_features_given(member: ValueMember, given: slice, values: NDArray[np.floating]) -> ValueMember:
    """The same regressions of the other features, with a span behind the rooted ones held at some values."""
    heads: list[ValueHead] = []
    for head in member:
        if isinstance(head, LinearValue):
            added = float(head.slope[given] @ values)
            heads.append(replace(head, slope=np.delete(head.slope, given), offset=head.offset + added))
        else:
            moved = (values - head.centre[given]) @ head.projection[given].astype(np.float64)
            projection = np.delete(head.projection, given, axis=0)
            centre, support = np.delete(head.centre, given), head.support - moved
            heads.append(replace(head, centre=centre, projection=projection, support=support))
    return tuple(heads)
