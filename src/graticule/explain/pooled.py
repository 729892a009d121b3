"""Maps of evidence in closed form, for feature vectors that are averages of feature maps.

A feature map A of h x w = n cells enters the features as its mean mu and, for frozen networks, as its population
standard deviation s. With g_mu and g_s the gradient of what is explained by those two features,

    dy/dA = [g_mu + g_s (A - mu) / s] / n

HiResCAM (Draelos and Carin, "Use HiResCAM instead of Grad-CAM", 2020) multiplies gradient and activation element by
element and sums over channels. Its cells add up to g_mu mu + g_s s, so nothing of the pooled evidence is lost;
averaging the gradient over space first (Grad-CAM, Selvaraju et al. 2017) would cancel the deviation. Where the maps
enter by their mean alone, HiResCAM, Grad-CAM and CAM (Zhou et al. 2016) are the same map.

Networks that look around the centre (`graticule.networks.pooling`) pool with weights w_x of the cells x in place of
1/n, and keep covariances, whose closed form is in `second_order`.

The maps of several layers are brought to one grid, their totals kept, and added.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.explain.layout import Tap, even
from graticule.explain.second_order import covariance_evidence
from graticule.explain.targets import CLAMP


def hirescam(
    tap: Tap,
    maps: NDArray[np.floating],
    gradients: NDArray[np.floating],
    weights: NDArray[np.floating] | None = None,
) -> FloatArray:
    """Gradient times activation, summed over the channels of one layer.

    Parameters
    ----------
    tap : Tap
    maps : array, shape (N, C, h, w)
    gradients : array, shape (N, T, d)
        Of T targets with respect to the features.
    weights : array, shape (h w, 1), optional
        Of the cells, where the maps are pooled around the centre.

    Returns
    -------
    float array, shape (N, T, h, w)
        Signed; adds up to the gradient times the pooled features of this layer. Around the centre only what stands out
        from the layer's level lies where its cells are: the level alone would draw a hill in the middle of each map.
    """
    flat = np.asarray(maps, np.float64).reshape(*maps.shape[:2], -1)
    squares = flat * flat
    total = np.zeros((*gradients.shape[:2], flat.shape[2]))
    slopes = [_part(gradients, at, tap.channels) for at in (tap.mean, tap.deviation)]
    total += _moments(flat, squares, even(flat), slopes)
    if tap.around is not None and weights is not None:
        around, bell = tap.around, np.asarray(weights[:, 0], np.float64)
        slopes = [_part(gradients, at, tap.channels) for at in (around.mean, around.deviation)]
        centred = np.zeros_like(total)
        centred += _moments(flat, squares, bell, slopes)
        basis = around.layer.basis
        by_root = _part(gradients, around.covariance, len(basis) * (len(basis) + 1) // 2)
        if by_root is not None:
            centred += covariance_evidence(basis @ maps.reshape(flat.shape), bell, by_root)
        total += _levelled(centred, bell)
    return np.asarray(total.reshape(*total.shape[:2], *maps.shape[2:]))


def _levelled(evidence: FloatArray, weights: FloatArray) -> FloatArray:
    """Evidence (N, T, n) with its level spread evenly: cells that all say the same count the same; totals are kept."""
    return np.asarray(evidence + evidence.sum(axis=2, keepdims=True) * (even(evidence) - weights))


def _moments(
    flat: FloatArray, squares: FloatArray, weights: FloatArray, slopes: Sequence[FloatArray | None]
) -> FloatArray | float:
    """Evidence (N, T, n), or 0, of weighted means and deviations of maps, from the gradients by both (N, T, C).

    A (A - mu) is taken as A A - mu A, so that two products of matrices do all.
    """
    by_mean, by_deviation = slopes
    if by_deviation is None:
        return 0.0 if by_mean is None else (by_mean @ flat) * weights
    mean = flat @ weights
    s = np.sqrt(np.maximum(squares @ weights - mean * mean, 0))
    s = np.maximum(s, CLAMP * s.max(axis=1, keepdims=True, initial=0.0) + np.finfo(np.float64).tiny)
    by_square = by_deviation / s[:, None]
    linear = -by_square * mean[:, None] if by_mean is None else by_mean - by_square * mean[:, None]
    return np.asarray((linear @ flat + by_square @ squares) * weights)


def grad_cam(tap: Tap, maps: NDArray[np.floating], gradients: NDArray[np.floating]) -> FloatArray:
    """Grad-CAM of one layer that enters by its mean, before the rectifier: the same as HiResCAM there, and as CAM.

    Raises
    ------
    ValueError
        When the layer enters by its deviation too, whose gradient averages to zero over space.
    """
    _mean_only(tap)
    return hirescam(tap, maps, gradients)


def grad_cam_plus_plus(tap: Tap, maps: NDArray[np.floating], gradients: NDArray[np.floating]) -> FloatArray:
    """Grad-CAM++ (Chattopadhay et al. 2018, with exp(score) as the output) of one layer that enters by its mean.

    The gradient g / n of the score is the same in every cell, so its second and third derivatives give the weight
    sum over cells of alpha relu(g / n), alpha = (g/n)^2 / (2 (g/n)^2 + (g/n)^3 sum A), that is relu(g) / (2 + g mu).
    The map is rectified.

    Raises
    ------
    ValueError
        As `grad_cam`.
    """
    _mean_only(tap)
    a = np.asarray(maps, np.float64)
    start = tap.mean or 0
    g = np.asarray(gradients[:, :, start : start + tap.channels], np.float64)
    below = 2 + g * a.mean(axis=(2, 3))[:, None]
    weights = np.divide(np.maximum(g, 0), below, out=np.zeros_like(g), where=below != 0)
    return np.asarray(np.maximum(np.einsum("ntc,nchw->nthw", weights, a, optimize=True), 0))


def _mean_only(tap: Tap) -> None:
    if tap.mean is None or tap.deviation is not None or tap.around is not None:
        raise ValueError(f"the maps {tap.tensor} enter the features by more than their mean; use hirescam")


def _part(gradients: NDArray[np.floating], start: int | None, width: int) -> FloatArray | None:
    """The gradients with respect to a part of the features; None where there is no such part or nothing rests on it."""
    part = None if start is None else np.asarray(gradients[:, :, start : start + width], np.float64)
    return None if part is None or not part.any() else part


def add_layers(layers: Sequence[FloatArray], side: int | None = None) -> FloatArray:
    """Sum of the maps of several layers on the grid of the finest one, each total kept.

    Parameters
    ----------
    layers : sequence of arrays, shape (..., h, w)
    side : int, optional
        Cells along each side of the sum; by default those of the finest layer.
    """
    height, width = (side, side) if side else max((layer.shape[-2:] for layer in layers), key=lambda s: s[0] * s[1])
    total = np.zeros((*layers[0].shape[:-2], height, width))
    for layer in layers:
        cells = layer.shape[-2] * layer.shape[-1]
        total += resized(layer, height, width) * (cells / (height * width))
    return total


def resized(maps: NDArray[np.floating], height: int, width: int) -> FloatArray:
    """Bilinear interpolation of the last two axes, cell centres aligned as in torch with align_corners=False."""
    rows, columns = interpolation(maps.shape[-2], height), interpolation(maps.shape[-1], width)
    return np.asarray(rows @ np.asarray(maps, np.float64) @ columns.T)


def interpolation(old: int, new: int) -> FloatArray:
    """Matrix of shape (new, old) that interpolates `old` cells linearly at the centres of `new` ones."""
    at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    low = np.minimum(at.astype(np.int64), max(old - 2, 0))
    matrix = np.zeros((new, old))
    matrix[np.arange(new), low] = 1 - (at - low)
    if old > 1:
        matrix[np.arange(new), low + 1] += at - low
    return matrix
