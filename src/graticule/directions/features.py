"""Orientation statistics of a picture as features for training: they do not change when the picture is turned.

At four scales: order, higher moments about the director, the mixture's share, width and goodness, a second peak, how
far the tiles of the picture agree, and how much weight lies within some degrees of the most frequent direction. Angles
themselves never enter. Local Gradient Orientation's figures stand beside them.
"""

import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from graticule.arrays import BoolArray, Float32Array, FloatArray
from graticule.directions.distribution import (
    BINS,
    WEIGHTINGS,
    histograms,
    moment,
    smooth_round,
    turned,
    weights_of,
)
from graticule.directions.gradient import noise_energy, noise_level
from graticule.directions.lgo import oriented_gradients, repaired_fit
from graticule.directions.mixture import fit_mixture, highest, second_place
from graticule.directions.tensor import Field, least_side, structure_tensor
from graticule.directions.tiles import tile_numbers

# to be raised with every change of what the features are, so that none is read from a cache of before
FEATURES_VERSION = 1
SCALES = (1.0, 1.5, 2.5, 4.0)
_WITHIN = (2, 4, 6, 8, 11, 15, 20, 30, 45, 60, 75)  # degrees on either side of the most frequent direction
_ORDERS = (2, 4, 6, 8)
_TILES = (3, 6)  # per side
_FIELD = ("used", "coherency", "coherency_by_energy", "noise_share", "contrast")
_ALL = ("lgo_amount", "lgo_corrected", "lgo_dispersion", "lgo_goodness", "scales_apart", "scales_mean")
_WIDTHS = 20.0


def _distribution_names() -> list[str]:
    return [
        *(f"moment{order}" for order in _ORDERS),
        *(f"within{degrees}" for degrees in _WITHIN),
        "entropy",
        "highest",
        "share",
        "width",
        "goodness",
        "second",
    ]


def _scale_names() -> list[str]:
    return [
        *_FIELD,
        *(f"{weighting}_{name}" for weighting in WEIGHTINGS for name in _distribution_names()),
        *(f"{name}{tiles}" for tiles in _TILES for name in ("tile_order", "tile_spread", "tile_share")),
    ]


def feature_names() -> list[str]:
    """Name of each feature, in order."""
    return [*(f"s{sigma:g}_{name}" for sigma in SCALES for name in _scale_names()), *_ALL]


def features_key() -> str:
    """What a cache knows these features by: their version and their names."""
    names = hashlib.sha256("\n".join(feature_names()).encode()).hexdigest()[:16]
    return f"orientation statistics {FEATURES_VERSION} {names}"


def _distributions(found: FloatArray) -> FloatArray:
    """Statistics of histograms, shape (B, 180), none of which changes when one is turned; zeros where it is empty."""
    total = found.sum(axis=1)
    some = total > 0
    out = np.zeros((len(found), len(_distribution_names())))
    if not some.any():
        return out
    share_of_bin = found[some] / total[some, None]
    one = fit_mixture(share_of_bin)
    first = one.direction[:, 0]
    second = [int(second_place(own, float(at))) for own, at in zip(share_of_bin, first, strict=True)]
    soft = smooth_round(share_of_bin, 2.0) * BINS / _WIDTHS
    entropy = -np.where(share_of_bin > 0, share_of_bin * np.log(np.maximum(share_of_bin, 1e-300)), 0).sum(axis=1)
    columns = [
        *((moment(share_of_bin, order) * np.exp(-1j * order * np.radians(first))).real for order in _ORDERS),
        *np.transpose([_within(own, float(at)) for own, at in zip(share_of_bin, first, strict=True)]),
        entropy / np.log(BINS),
        soft.max(axis=1),
        one.share[:, 0],
        one.width()[:, 0] / _WIDTHS,
        one.goodness,
        soft[np.arange(len(second)), second],
    ]
    out[some] = np.column_stack(columns)
    return out


def _within(share_of_bin: FloatArray, first: float) -> list[float]:
    """Share of one histogram within some degrees on either side of a direction: its profile, folded."""
    edges = np.concatenate([[0.0], np.cumsum(turned(share_of_bin, first - BINS / 2))])
    reaches = np.array(_WITHIN)
    grid = np.arange(BINS + 1)
    upper, lower = (np.interp(BINS / 2 + side * reaches, grid, edges) for side in (1, -1))
    return [float(x) for x in upper - lower]


def _by_tiles(field: Field, weights: Float32Array, per_side: int) -> list[float]:
    """How far each tile has a direction of its own, how far tiles differ, and their mean share in a peak."""
    tiles = histograms(field.direction, weights, tile_numbers(field.direction.shape, per_side))
    weight = tiles.sum(axis=1)
    kept = tiles[weight > 0.1 * weight.mean()] if weight.sum() > 0 else tiles[:0]
    if len(kept) < 2:
        return [0.0, 0.0, 0.0]
    second = moment(kept, 2)
    near = np.broadcast_to(highest(kept.sum(axis=0)), (len(kept), 1))
    share = fit_mixture(kept, near, steps=30).share[:, 0]
    return [float(np.abs(second).mean()), float(np.std(np.abs(second))), float(share.std())]


@dataclass(frozen=True)
class _AtScale:
    general: list[float]
    histograms: FloatArray
    by_tiles: list[float]


_NOTHING = _AtScale([0.0] * len(_FIELD), np.zeros((len(WEIGHTINGS), BINS)), [0.0] * (3 * len(_TILES)))


@dataclass(frozen=True)
class _Scale:
    sigma: float
    field: Field | None


def _at_scale(scale: _Scale, spread: float, noise: float, kept: BoolArray | None) -> _AtScale:
    if scale.field is None:
        return _NOTHING
    field, sigma = scale.field, scale.sigma
    if kept is not None:
        field = replace(field, inside=field.inside & _spread_over(kept, field.inside.shape))
        if not field.inside.any():
            return _NOTHING
    level = noise_energy(noise, sigma)
    weights = {name: weights_of(field, name, level) for name in WEIGHTINGS}
    inside, total = field.inside, float(weights["energy"].sum())
    general = [
        float(weights["equal"][inside].mean()),
        float(field.coherency[inside].mean()),
        float(weights["energy_coherency"].sum()) / total if total > 0 else 0.0,
        min(1.0, level * float(inside.sum()) / total) if total > 0 else 1.0,
        min(4.0, sigma * np.sqrt(total / inside.sum()) / spread) if spread > 0 else 0.0,
    ]
    found = np.concatenate([histograms(field.direction, weights[name]) for name in WEIGHTINGS])
    by_tiles = [_by_tiles(field, weights["equal"], per_side) for per_side in _TILES]
    return _AtScale(general, found, [*itertools.chain(*by_tiles)])


def _spread_over(kept: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    """Cells of a grid (g, g) over a picture, at each of its places."""
    rows, columns = (np.arange(n) * cells // n for n, cells in zip(shape, kept.shape, strict=True))
    found: BoolArray = kept[np.ix_(rows, columns)]
    return found


def orientation_features(grey: FloatArray | Float32Array) -> FloatArray:
    """Orientation statistics of a picture, shape (d,), finite; see `feature_names`.

    Parameters
    ----------
    grey : float array, shape (h, w)
        Values of any range: none of the features changes when it is stretched.

    Notes
    -----
    A scale that the picture is too small for, and a picture of one colour, give zeros.
    """
    whole: FloatArray = features_of_parts(grey, [None])[0]
    return whole


def features_of_parts(grey: FloatArray | Float32Array, parts: Iterable[BoolArray | None]) -> FloatArray:
    """Orientation statistics of parts of a picture, shape (n, d): what is not kept of it does not count.

    Gradients are those of the whole picture, so that no part has edges that the picture does not have, and so is its
    noise. What counts as strong, and all that follows, is told anew from what is kept.

    Parameters
    ----------
    grey : float array, shape (h, w)
    parts : n bool arrays, shape (g, g), or None
        Cells of a grid over the picture that are kept; None: all.
    """
    grey = np.asarray(grey, dtype=np.float32)
    if np.ptp(grey) == 0:
        return np.zeros((len(list(parts)), len(feature_names())))
    noise, large = noise_level(grey), min(grey.shape)
    scales = [_Scale(sigma, structure_tensor(grey, sigma) if large >= least_side(sigma) else None) for sigma in SCALES]
    gradients = oriented_gradients(grey) if large >= least_side(SCALES[0]) else None
    return np.stack([_features(grey, noise, scales, gradients, kept) for kept in parts])


def _features(
    grey: Float32Array,
    noise: float,
    scales: list[_Scale],
    gradients: tuple[Float32Array, Float32Array] | None,
    kept: BoolArray | None,
) -> FloatArray:
    spread = float((grey if kept is None else grey[_spread_over(kept, grey.shape)]).std()) if _some(kept) else 0.0
    found = [_at_scale(scale, spread, noise, kept) for scale in scales]
    statistics = _distributions(np.concatenate([scale.histograms for scale in found]))
    by_scale = statistics.reshape(len(SCALES), -1)
    shares = by_scale[:, _distribution_names().index("share")]
    rows = [[*scale.general, *own.tolist(), *scale.by_tiles] for scale, own in zip(found, by_scale, strict=True)]
    across = [0.0] * 4
    if gradients is not None:
        direction, weights = gradients
        # pixels lie there column by column
        weights = weights if kept is None else weights * _spread_over(kept.T, weights.shape)
        lgo = repaired_fit(histograms(direction, weights)[0])
        across = [lgo.amount, lgo.corrected, lgo.dispersion / _WIDTHS, lgo.goodness]
    across += [float(np.ptp(shares)), float(np.mean(shares))]
    return np.nan_to_num(np.array([*itertools.chain(*rows), *across], dtype=np.float64), posinf=0.0, neginf=0.0)


def _some(kept: BoolArray | None) -> bool:
    return kept is None or bool(kept.any())
