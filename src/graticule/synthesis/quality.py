"""How generated images lie among real ones in the space of features, each figure beside that of real against real.

KID         squared maximum mean discrepancy with a cubic kernel, unbiased at any number of images (Binkowski et al.,
            "Demystifying MMD GANs", 2018); 0: alike
precision   share of generated images that lie where real ones do, recall: of real ones that lie where generated ones do
            (Kynkaanniemi et al., "Improved precision and recall metric", 2019)
density     how many real neighbourhoods a generated image lies in, coverage: share of real ones whose neighbourhood
            holds a generated one (Naeem et al., "Reliable fidelity and diversity metrics", 2020)
FID         Frechet distance of two Gaussians, biased below some ten thousand images, and told above that alone
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import sqrtm

from graticule.arrays import BoolArray, Float32Array, FloatArray, IntArray

NEIGHBOURS = 5
# fewer images make FID a figure of their number
LEAST_FOR_FID = 10_000
# images of each kind that enter, at most; FID takes all
MOST = 2_000
HALVINGS = 10


@dataclass(frozen=True)
class Quality:
    """Figures of generated images against real ones.

    Attributes
    ----------
    kid : float
    precision, recall, density, coverage : float
        NaN with fewer than `NEIGHBOURS` + 1 images of either kind.
    fid : float
        NaN below `LEAST_FOR_FID` images of either kind.
    """

    kid: float
    precision: float
    recall: float
    density: float
    coverage: float
    fid: float = float("nan")


def standardised(features: Float32Array, real: BoolArray) -> Float32Array:
    """Features over the mean and deviation of real images; a constant one is 0."""
    mean, deviation = features[real].mean(0), features[real].std(0)
    return np.asarray((features - mean) / np.where(deviation > 0, deviation, 1), np.float32)


def kernel_distance(real: Float32Array, made: Float32Array) -> float:
    """KID of features, shapes (n, d) and (m, d), each at least 2."""
    width = real.shape[1]

    def kernel(a: Float32Array, b: Float32Array) -> FloatArray:
        return np.asarray((a.astype(float) @ b.T.astype(float) / width + 1) ** 3, float)

    def within(k: FloatArray) -> float:
        n = len(k)
        return float((k.sum() - np.trace(k)) / (n * (n - 1)))

    return within(kernel(real, real)) + within(kernel(made, made)) - 2 * float(kernel(real, made).mean())


def neighbourhoods(
    real_real: FloatArray, made_made: FloatArray, real_made: FloatArray
) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage.

    Parameters
    ----------
    real_real, made_made, real_made : float arrays, shapes (n, n), (m, m), (n, m)
        Distances, of whatever kind.
    """
    if min(real_made.shape) <= NEIGHBOURS:
        return math.nan, math.nan, math.nan, math.nan
    # the image itself is its nearest
    real_radius = np.partition(real_real, NEIGHBOURS, axis=1)[:, NEIGHBOURS]
    made_radius = np.partition(made_made, NEIGHBOURS, axis=1)[:, NEIGHBOURS]
    inside = real_made < real_radius[:, None]
    return (
        float(inside.any(0).mean()),
        float((real_made < made_radius).any(1).mean()),
        float(inside.sum(0).mean() / NEIGHBOURS),
        float((real_made.min(1) < real_radius).mean()),
    )


def frechet_distance(real: Float32Array, made: Float32Array) -> float:
    """FID of features, shapes (n, d) and (m, d)."""
    apart = real.mean(0, dtype=float) - made.mean(0, dtype=float)
    one, other = np.cov(real.T.astype(float)), np.cov(made.T.astype(float))
    root = np.real(sqrtm(one @ other))
    return float(apart @ apart + np.trace(one + other - 2 * root))


def quality_of(real: Float32Array, made: Float32Array, *, seed: int = 0) -> Quality:
    """Figures of generated images against real ones, features standardised, at most `MOST` drawn of each.

    Parameters
    ----------
    real, made : float32 arrays, shapes (n, d), (m, d)
    seed : int
    """
    fid = frechet_distance(real, made) if min(len(real), len(made)) >= LEAST_FOR_FID else float("nan")
    rng = np.random.default_rng(seed)
    a, b = (x[np.sort(rng.permutation(len(x))[:MOST])] for x in (real, made))
    if min(len(a), len(b)) < 2:
        return Quality(*(float("nan"),) * 5, fid)
    lie = neighbourhoods(_distances(a, a), _distances(b, b), _distances(a, b))
    return Quality(kernel_distance(a, b), *lie, fid)


def real_against_real(real: Float32Array, unit: IntArray, n: int, *, seed: int = 0) -> Quality:
    """What real images reach against others of their kind: means over halvings that keep units whole.

    Parameters
    ----------
    real : float32 array, shape (m, d)
    unit : int array, shape (m,)
    n : int
        Generated images that are judged: no more of one half take their place.
    seed : int
    """
    rng = np.random.default_rng(seed)
    found = []
    for draw in range(HALVINGS):
        one, other = halves(unit, rng)
        found.append(quality_of(real[one], real[other[:n]], seed=seed + draw))
    rows = [[q.kid, q.precision, q.recall, q.density, q.coverage] for q in found]
    return Quality(*(float(v) for v in np.mean(rows, 0)))


def halves(unit: IntArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Two halves of images, in random order, between which no unit is shared."""
    units = rng.permutation(np.unique(unit))
    first = np.isin(unit, units[: len(units) // 2])
    return rng.permutation(np.flatnonzero(first)), rng.permutation(np.flatnonzero(~first))


def _distances(a: Float32Array, b: Float32Array) -> FloatArray:
    squares = (a.astype(float) ** 2).sum(1)[:, None] + (b.astype(float) ** 2).sum(1)
    out = np.sqrt(np.maximum(squares - 2 * (a @ b.T), 0))
    if a is b:
        np.fill_diagonal(out, 0)
    return np.asarray(out, float)
