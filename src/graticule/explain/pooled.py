"""Maps of evidence in closed form, for feature vectors that are averages of feature maps.

A feature map A of h x w = n cells enters the features as its mean mu and, for frozen networks, as its population
standard deviation s. With g_mu and g_s the gradient of what is explained by those two features,

    dy/dA = [g_mu + g_s (A - mu) / s] / n

HiResCAM (Draelos and Carin, "Use HiResCAM instead of Grad-CAM", 2020) multiplies gradient and activation element by
element and sums over channels. Its cells add up to g_mu mu + g_s s, so nothing of the pooled evidence is lost;
averaging the gradient over space first (Grad-CAM, Selvaraju et al. 2017) would cancel the deviation. Where the maps
enter by their mean alone, HiResCAM, Grad-CAM and CAM (Zhou et al. 2016) are the same map.

The maps of several layers are brought to one grid, their totals kept, and added.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.explain.targets import CLAMP

_AGREE = 2e-3


@dataclass(frozen=True)
class Tap:
    """A tensor of the network whose maps are pooled into the features.

    Attributes
    ----------
    tensor : str
        Its name in the graph.
    mean, deviation : int or None
        Where its C means and its C deviations start in the feature vector.
    channels : int
    """

    tensor: str
    mean: int | None
    deviation: int | None
    channels: int


def find_layout(features: NDArray[np.floating], maps: dict[str, NDArray[np.floating]]) -> list[Tap] | None:
    """Tell from numbers which parts of a feature vector are means and deviations of which maps.

    Parameters
    ----------
    features : array, shape (N, d)
        Features of one view of a few pictures that differ.
    maps : dict of arrays
        Candidates by name; those of another shape than (N, C, h, w) are passed over.

    Returns
    -------
    list of Tap, in the order of the vector, or None when a part of it is no such average.
    """
    moments: list[tuple[str, str, FloatArray]] = []
    for name, values in maps.items():
        if values.ndim == 4 and len(values) == len(features) and values.shape[2] * values.shape[3] > 1:
            a = values.astype(np.float64)
            moments.append((name, "mean", a.mean(axis=(2, 3))))
            moments.append((name, "deviation", a.std(axis=(2, 3))))
    places: dict[str, dict[str, int]] = {}
    channels: dict[str, int] = {}
    at, d = 0, features.shape[1]
    while at < d:
        for name, moment, values in moments:
            width = values.shape[1]
            part = features[:, at : at + width].astype(np.float64)
            if moment not in places.get(name, {}) and part.shape == values.shape and _agree(part, values):
                places.setdefault(name, {})[moment] = at
                channels[name] = width
                at += width
                break
        else:
            return None
    return [Tap(name, at.get("mean"), at.get("deviation"), channels[name]) for name, at in places.items()]


def _agree(part: FloatArray, values: FloatArray) -> bool:
    scale = np.abs(values).max()
    return bool(scale > 0 and np.abs(part - values).max() <= _AGREE * scale)


def hirescam(tap: Tap, maps: NDArray[np.floating], gradients: NDArray[np.floating]) -> FloatArray:
    """Gradient times activation, summed over the channels of one layer.

    Parameters
    ----------
    tap : Tap
    maps : array, shape (N, C, h, w)
    gradients : array, shape (N, T, d)
        Of T targets with respect to the features.

    Returns
    -------
    float array, shape (N, T, h, w)
        Signed; adds up to the gradient times the pooled features of this layer.
    """
    a = np.asarray(maps, np.float64)
    n = a.shape[2] * a.shape[3]
    total = np.zeros((len(a), gradients.shape[1], *a.shape[2:]))
    if tap.mean is not None:
        total += np.einsum("ntc,nchw->nthw", _part(gradients, tap.mean, tap), a, optimize=True)
    if tap.deviation is not None:
        centred = a - a.mean(axis=(2, 3), keepdims=True)
        s = np.sqrt((centred * centred).mean(axis=(2, 3)))
        s = np.maximum(s, CLAMP * s.max(axis=1, keepdims=True, initial=0.0) + np.finfo(np.float64).tiny)
        weights = _part(gradients, tap.deviation, tap) / s[:, None]
        total += np.einsum("ntc,nchw->nthw", weights, a * centred, optimize=True)
    return np.asarray(total / n)


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
    g = _part(gradients, tap.mean or 0, tap)
    below = 2 + g * a.mean(axis=(2, 3))[:, None]
    weights = np.divide(np.maximum(g, 0), below, out=np.zeros_like(g), where=below != 0)
    return np.asarray(np.maximum(np.einsum("ntc,nchw->nthw", weights, a, optimize=True), 0))


def _mean_only(tap: Tap) -> None:
    if tap.mean is None or tap.deviation is not None:
        raise ValueError(f"the maps {tap.tensor} enter the features by more than their mean; use hirescam")


def _part(gradients: NDArray[np.floating], start: int, tap: Tap) -> FloatArray:
    return np.asarray(gradients[:, :, start : start + tap.channels], np.float64)


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
