"""Which parts of a network's feature vector are which statistics of which of its feature maps, told from numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, FloatArray
from graticule.explain.second_order import covariance_root

_AGREE = 2e-3


@dataclass(frozen=True)
class CentredLayer:
    """Maps that are pooled around the centre, see `graticule.networks.graph_pooling`.

    Attributes
    ----------
    weights : str
        The tensor of the weights of their cells, shape (h w, 1).
    basis : array, shape (k, C)
        Directions that covariances are taken along.
    """

    weights: str
    basis: Float32Array = field(compare=False)


@dataclass(frozen=True)
class Around:
    """How maps are pooled around the centre, and where that starts in the feature vector.

    Attributes
    ----------
    layer : CentredLayer
    mean, deviation, covariance : int or None
    """

    layer: CentredLayer
    mean: int | None
    deviation: int | None
    covariance: int | None


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
    around : Around or None
        What is pooled around the centre.
    """

    tensor: str
    mean: int | None
    deviation: int | None
    channels: int
    around: Around | None = None

    @property
    def tensors(self) -> tuple[str, ...]:
        """What the closed form needs of the graph: the maps, and the weights of their cells around the centre."""
        return (self.tensor, self.around.layer.weights) if self.around else (self.tensor,)


def find_layout(
    features: NDArray[np.floating],
    maps: dict[str, NDArray[np.floating]],
    centred: Mapping[str, tuple[CentredLayer, NDArray[np.floating]]] | None = None,
) -> list[Tap] | None:
    """Tell from numbers which parts of a feature vector are statistics of which maps.

    Parameters
    ----------
    features : array, shape (N, d)
        Features of one view of a few pictures that differ.
    maps : dict of arrays
        Candidates by name; those of another shape than (N, C, h, w) are passed over, and those of a single cell.
    centred : mapping, optional
        Of those that may be pooled around the centre, how, and the weights of the cells, shape (h w, 1).

    Returns
    -------
    list of Tap, in the order of the vector, or None when a part of it is no such statistic.
    """
    centred = centred or {}
    candidates = [
        (name, kind, values)
        for name, some in maps.items()
        if some.ndim == 4 and len(some) == len(features) and some.shape[2] * some.shape[3] > 1
        for kind, values in _statistics(some, centred.get(name)).items()
    ]
    places: dict[str, dict[str, int]] = {}
    at, d = 0, features.shape[1]
    while at < d:
        for name, kind, values in candidates:
            width = values.shape[1]
            part = features[:, at : at + width].astype(np.float64)
            if kind not in places.get(name, {}) and part.shape == values.shape and _agree(part, values):
                places.setdefault(name, {})[kind] = at
                at += width
                break
        else:
            return None
    taps = []
    for name, starts in places.items():
        around = [starts.get(f"centre {kind}") for kind in ("mean", "deviation", "covariance")]
        centre = Around(centred[name][0], *around) if any(start is not None for start in around) else None
        taps.append(Tap(name, starts.get("mean"), starts.get("deviation"), maps[name].shape[1], centre))
    return taps


def _statistics(
    maps: NDArray[np.floating], centred: tuple[CentredLayer, NDArray[np.floating]] | None
) -> dict[str, FloatArray]:
    """All that may be kept of maps (N, C, h, w), by kind."""
    flat = maps.astype(np.float64).reshape(*maps.shape[:2], -1)
    mean, apart = _around_mean(flat, even(flat))
    found = {"mean": mean, "deviation": np.sqrt(apart * apart @ even(flat))}
    if centred is not None:
        layer, weights = centred[0], centred[1][:, 0].astype(np.float64)
        mean, apart = _around_mean(flat, weights)
        found |= {"centre mean": mean, "centre deviation": np.sqrt(apart * apart @ weights)}
        found["centre covariance"] = covariance_root(layer.basis @ flat, weights)
    return found


def _agree(part: FloatArray, values: FloatArray) -> bool:
    scale = np.abs(values).max()
    return bool(scale > 0 and np.abs(part - values).max() <= _AGREE * scale)


def even(flat: FloatArray) -> FloatArray:
    """Weights of the cells of maps laid flat (N, C, n) that all count alike."""
    return np.full(flat.shape[2], 1 / flat.shape[2])


def _around_mean(flat: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted means (N, C) of maps laid flat, and the maps without them."""
    mean = flat @ weights
    return mean, flat - mean[:, :, None]
