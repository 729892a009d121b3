"""Evidence in closed form for the root of covariances, see `graticule.networks.pooling`.

Maps A of n cells x, projected B = P A, weights w of the cells that add up to 1:

    C = sum_x w_x b_x b_x^T,  b_x = B_x - sum_x w_x B_x;   R = sqrt(t) p(C / t),  t = the trace of C

p is what the steps of Newton and Schulz's iteration make of a matrix: a polynomial, so that it acts on the eigenvalues
alone. With the eigenvectors V of C / t and the divided differences F_ij = (p(x_i) - p(x_j)) / (x_i - x_j) of its
eigenvalues (p' where they meet), the derivative of <G, p(X)> is V (F * V^T G V) V^T (Daleckii and Krein 1965; Higham,
"Functions of matrices", 2008, section 3.2). F follows from the iteration by the product rule, no difference is taken.

With M the derivative of what is explained by C, cell x has the evidence A_x . dy/dA_x = 2 w_x B_x . M b_x. R doubles
when the maps do, so the cells add up to gradient times R.
"""

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.networks.pooling import ROOT_STEPS, TRACE_FLOOR


def covariance_root(maps: NDArray[np.floating], weights: NDArray[np.floating]) -> FloatArray:
    """Upper triangle of the root of covariances, row by row.

    Parameters
    ----------
    maps : array, shape (N, k, n)
        Projected maps laid flat.
    weights : array, shape (n,)
        Of the cells, their sum 1.

    Returns
    -------
    float array, shape (N, k (k + 1) / 2)
    """
    values, vectors, trace, _ = _spectrum(maps, weights)
    rooted, _ = _steps(values)
    root = np.sqrt(trace)[:, None, None] * (vectors * rooted[:, None, :]) @ vectors.mT
    rows, columns = np.triu_indices(maps.shape[1])
    return np.asarray(root[:, rows, columns])


def covariance_evidence(
    maps: NDArray[np.floating], weights: NDArray[np.floating], gradients: NDArray[np.floating]
) -> FloatArray:
    """Gradient times activation in every cell, summed over the maps.

    Parameters
    ----------
    maps, weights
        As for `covariance_root`; what is as large as they are is computed in their precision.
    gradients : array, shape (N, T, k (k + 1) / 2)
        Of T targets with respect to the numbers that `covariance_root` returns.

    Returns
    -------
    float array, shape (N, T, n)
        Adds up to the gradient times those numbers.
    """
    values, vectors, trace, apart = _spectrum(maps, weights)
    rooted, slopes = _steps(values)
    basis = vectors[:, None]
    turned = basis.mT @ _symmetric(gradients, maps.shape[1]) @ basis
    inner = slopes[:, None] * turned
    # the trace scales the root and its argument
    own, own_slope = (np.diagonal(part, axis1=2, axis2=3) for part in (turned, inner))
    by_trace = 0.5 * (own * rooted[:, None]).sum(axis=2) - (own_slope * values[:, None]).sum(axis=2)
    inner = inner + by_trace[:, :, None, None] * np.eye(maps.shape[1])
    by_matrix = basis @ inner @ basis.mT / np.sqrt(trace)[:, None, None, None]
    towards = by_matrix.astype(apart.dtype) @ apart[:, None]
    return np.asarray(2 * weights * np.einsum("nkx,ntkx->ntx", maps, towards))


def _spectrum(
    maps: NDArray[np.floating], weights: NDArray[np.floating]
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.floating]]:
    """Eigenvalues and eigenvectors of C / t, the trace t (N,), and the maps without their mean."""
    weights = np.asarray(weights, maps.dtype)
    apart = maps - (maps @ weights)[:, :, None]
    matrix = np.asarray((apart * weights) @ apart.mT, np.float64)
    trace = np.trace(matrix, axis1=1, axis2=2) + TRACE_FLOOR
    values, vectors = np.linalg.eigh(matrix / trace[:, None, None])
    return values, vectors, trace, apart


def _steps(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What the iteration makes of each number, shape (N, k), and its divided differences, shape (N, k, k)."""
    y, z = x, np.ones_like(x)
    by_y, by_z = np.ones((*x.shape, x.shape[-1])), np.zeros((*x.shape, x.shape[-1]))
    for _ in range(ROOT_STEPS):
        t = 1.5 - 0.5 * z * y
        # the difference of a product f g: that of f times g at the one end, and f at the other times that of g
        by_t = -0.5 * (by_z * y[:, None, :] + z[:, :, None] * by_y)
        by_y = by_y * t[:, None, :] + y[:, :, None] * by_t
        by_z = by_t * z[:, None, :] + t[:, :, None] * by_z
        y, z = y * t, t * z
    return y, by_y


def _symmetric(triangles: NDArray[np.floating], k: int) -> FloatArray:
    """Symmetric matrices whose products with symmetric ones are those of the upper triangles (N, T, k (k + 1) / 2)."""
    rows, columns = np.triu_indices(k)
    half = np.zeros((*triangles.shape[:2], k, k))
    half[:, :, rows, columns] = 0.5 * triangles
    return np.asarray(half + half.mT)
