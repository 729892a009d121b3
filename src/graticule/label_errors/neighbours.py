"""Labels of the images most like each one, among images that the same model did not hold out with it.

Two images are compared where classes differ rather than where single images do: in a metric that counts a direction
less, the more images of one class vary along it. The metric of a fold is learnt without that fold, and neighbours are
taken from the other folds, so that an image's own label, its copies and its group have no say.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, FloatArray, IntArray, numbered
from graticule.features.neighbours import most_alike
from graticule.heads.scoring import signed_sqrt

K_NEAREST = 20
_AXES = 256
_SAMPLE = 20_000  # rows that axes and metrics are learnt from
_BASE = 30_000  # images that neighbours are looked for among, at most
_BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Neighbours:
    """The images most like each of n.

    Attributes
    ----------
    row : int array, shape (n, k)
        Rows of the neighbours, most alike first; -1 where there are fewer.
    votes : float array, shape (n, K)
        Share of each class among their labels, in (0, 1): each class counts half a neighbour more, so that none has 0.
    """

    row: IntArray
    votes: FloatArray


def find_neighbours(
    features: Float32Array, y: IntArray, fold: IntArray, n_classes: int, k: int = K_NEAREST
) -> Neighbours:
    """The k images of other folds most like each image, by the cosine in a metric learnt without its fold.

    The metric is that of linear discriminant analysis: within-class covariance, shrunk as Ledoit and Wolf (2004) tell,
    turned into the identity. Above 30,000 images neighbours are looked for among as many, drawn at random.

    Parameters
    ----------
    features : float array, shape (n, d)
        Of a network that was not trained on these images.
    y : int array, shape (n,)
        Given classes.
    fold : int array, shape (n,)
        Images of one fold are no neighbours.
    n_classes : int
    k : int
    """
    rows = _main_axes(features)
    n, rng = len(y), np.random.default_rng(0)
    found = np.full((n, k), -1, dtype=np.int64)
    for f in np.unique(fold):
        asked, base = np.flatnonzero(fold == f), np.flatnonzero(fold != f)
        if not len(base):
            continue
        if len(base) > _BASE:
            base = np.sort(rng.choice(base, _BASE, replace=False))
        learnt = base if len(base) <= _SAMPLE else np.sort(rng.choice(base, _SAMPLE, replace=False))
        centre, metric = _metric(rows[learnt], y[learnt])
        placed = _unit((rows[base] - centre) @ metric)
        block = max(1, _BLOCK_BYTES // (4 * len(base)))
        for part in np.split(asked, range(block, len(asked), block)):
            likeness = _unit((rows[part] - centre) @ metric) @ placed.T
            found[part, : min(k, len(base))] = base[most_alike(likeness, min(k, len(base)))]
    return Neighbours(found, _votes(found, y, n_classes))


def _votes(row: IntArray, y: IntArray, n_classes: int) -> FloatArray:
    votes = np.full((len(row), n_classes), 0.5)
    i, rank = np.nonzero(row >= 0)
    np.add.at(votes, (i, y[row[i, rank]]), 1.0)
    return np.asarray(votes / votes.sum(axis=1, keepdims=True), dtype=np.float64)


def _unit(rows: NDArray[np.floating]) -> Float32Array:
    unit: Float32Array = (rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-12)).astype(np.float32)
    return unit


def _main_axes(features: Float32Array) -> Float32Array:
    """Signed roots, standardised, on the axes along which they vary most; shape (n, at most 256)."""
    n, d = features.shape
    sample = np.sort(np.random.default_rng(0).choice(n, min(n, _SAMPLE), replace=False))
    root = signed_sqrt(features[sample]).astype(np.float64)
    mean, deviation = root.mean(axis=0), root.std(axis=0)
    scale = np.divide(1.0, deviation, out=np.zeros(d), where=deviation > 1e-9)
    standard = (root - mean) * scale
    power, axes = np.linalg.eigh(standard.T @ standard / len(sample))
    turn = (scale[:, None] * axes[:, np.argsort(-power, kind="stable")[:_AXES]]).astype(np.float32)
    centre = mean.astype(np.float32)
    block = 8_192
    parts = [(signed_sqrt(features[start : start + block]) - centre) @ turn for start in range(0, n, block)]
    return np.concatenate(parts)


def _metric(rows: Float32Array, y: IntArray) -> tuple[Float32Array, Float32Array]:
    """Centre, shape (m,), and matrix, shape (m, m), that turns the within-class covariance into the identity."""
    code = numbered(y)
    mean = np.stack([rows[code == c].mean(axis=0) for c in range(int(code.max()) + 1)])
    residual = (rows - mean[code]).astype(np.float64)
    n, m = residual.shape
    covariance = residual.T @ residual / n
    level = np.trace(covariance) / m
    if level <= 0.0:
        return rows.mean(axis=0), np.eye(m, dtype=np.float32)
    # Ledoit and Wolf (2004), lemma 3.2 and 3.3: the shrinkage that minimises the expected squared error
    spread = ((covariance - level * np.eye(m)) ** 2).sum()
    error = (((residual**2).sum(axis=1) ** 2).mean() - (covariance**2).sum()) / n
    shrinkage = 1.0 if spread <= 0.0 else min(1.0, max(0.0, error / spread))
    power, axes = np.linalg.eigh((1.0 - shrinkage) * covariance + shrinkage * level * np.eye(m))
    return rows.mean(axis=0), (axes / np.sqrt(power)).astype(np.float32)
