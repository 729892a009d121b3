"""The space that novelty is measured in: signed square root of the features, standardised, the leading components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, FloatArray, IntArray, numbered
from graticule.heads.scoring import by_row, signed_sqrt

COMPONENTS = 64
WITHIN_SHRINKAGE = 0.02
_BLOCK = 2048
_TINY = 1e-6
_ORTHONORMAL = 1e-2


@dataclass(frozen=True)
class Space:
    """Where distances are measured; all float32.

    Attributes
    ----------
    centre, scale : shape (d,)
        Of the transformed features.
    basis : shape (d, q)
        Principal components.
    within : shape (q, q)
        Takes components to a space where the shrunk within-class covariance is the identity.
    total : shape (q, q)
        The same for the covariance of all images.
    means : shape (K, q)
        Class means after `within`.
    """

    centre: Float32Array
    scale: Float32Array
    basis: Float32Array
    within: Float32Array
    total: Float32Array
    means: Float32Array


def spans(space: Space) -> bool:
    """Whether distances can be measured: positive scales, independent directions, whiteners that can be inverted."""
    if not (space.scale > 0).all():
        return False
    directions = space.basis.T.astype(np.float64) @ space.basis
    if np.abs(directions - np.eye(len(directions))).max() > _ORTHONORMAL:
        return False
    for whitener in (space.within, space.total):
        values = np.linalg.svd(whitener.astype(np.float64), compute_uv=False)
        if not values[-1] > _TINY * values[0]:
            return False
    return True


def fit_space(features: NDArray[np.floating], y: IntArray) -> Space:
    """The space of some training images.

    Parameters
    ----------
    features : float array, shape (n, d)
    y : int array, shape (n,)
        Class indices; at least two images in all.
    """
    n, d = features.shape
    total, squares = np.zeros(d), np.zeros((d, d))
    for start in range(0, n, _BLOCK):
        z = signed_sqrt(features[start : start + _BLOCK])
        total += z.sum(axis=0, dtype=np.float64)
        squares += z.T @ z
    centre = total / n
    covariance = squares / n - np.outer(centre, centre)
    scale = np.sqrt(np.maximum(np.diag(covariance), 0.0)) + _TINY
    correlation = covariance / np.outer(scale, scale)
    q = max(1, min(COMPONENTS, d, n // 4))
    values, vectors = np.linalg.eigh(correlation)
    basis = vectors[:, ::-1][:, :q]
    rough = [np.asarray(part, np.float32) for part in (centre, scale, basis)]
    components = components_of(Space(*rough, *[np.zeros((1, 1), np.float32)] * 3), features)[0]
    index = numbered(y)
    means = np.stack([components[index == k].mean(axis=0) for k in range(int(index.max()) + 1)])
    rest = components - means[index]
    within = _whitener(rest.T @ rest / n, WITHIN_SHRINKAGE)
    whole = _whitener(np.diag(np.maximum(values[::-1][:q], 0.0)), WITHIN_SHRINKAGE)
    parts = (centre, scale, basis, within, whole, means @ within)
    return Space(*(np.asarray(part, np.float32) for part in parts))


def _whitener(covariance: FloatArray, shrinkage: float) -> FloatArray:
    """W with W W^T the inverse of the covariance shrunk towards a multiple of the identity."""
    q = len(covariance)
    shrunk = (1 - shrinkage) * covariance + (shrinkage * np.trace(covariance) / q + _TINY) * np.eye(q)
    values, vectors = np.linalg.eigh(shrunk)
    return np.asarray(vectors / np.sqrt(values), dtype=np.float64)


def components_of(space: Space, features: NDArray[np.floating]) -> tuple[Float32Array, Float32Array]:
    """Principal components (n, q), and the root mean square that they leave over (n,)."""
    z = np.asarray((signed_sqrt(features) - space.centre) / space.scale, np.float32)
    components = by_row(z, space.basis)
    left = np.maximum((z * z).sum(axis=1) - (components * components).sum(axis=1), 0.0)
    return components, np.sqrt(left / z.shape[1])


def project(space: Space, features: NDArray[np.floating]) -> Float32Array:
    """Features (n, d) in the whitened space, shape (n, q), where near images have much in common."""
    blocks = [
        by_row(components_of(space, features[start : start + _BLOCK])[0], space.within)
        for start in range(0, len(features), _BLOCK)
    ]
    return np.concatenate(blocks) if blocks else np.zeros((0, space.within.shape[1]), np.float32)
