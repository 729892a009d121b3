"""Distributions of directions as histograms over half a turn: weights, moments, nematic order.

A histogram has 180 bins of 1 degree, centred on 0.5, 1.5, ... A direction between two centres is shared among them, so
that means are not rounded.
"""

from dataclasses import dataclass

import numpy as np

from graticule.arrays import Float32Array, FloatArray, IntArray
from graticule.directions.tensor import Field

BINS = 180
CENTRES: FloatArray = np.arange(BINS, dtype=np.float64) + 0.5
TURNS: FloatArray = np.asarray(np.radians(2 * CENTRES), dtype=np.float64)

LEAST_COHERENCY = 0.6
_TIMES_NOISE, _OF_BRIGHT, _BRIGHT = 3.0, 0.05, 0.9

WEIGHTINGS = ("equal", "energy", "energy_coherency")


def structured(field: Field, noise: float) -> Float32Array:
    """1 where a place has a direction and stands out of the noise, else 0; shape (r, c).

    Coherency above 0.6 (at lower ones stand the places where structures cross and the ends of them, which have no
    direction of their own), and an energy above three times that of noise and a twentieth of that of the picture's
    strongest tenth. So faint and bright structure count alike, and empty ground does not.
    """
    bright = np.quantile(field.energy[field.inside], _BRIGHT) if field.inside.any() else 0.0
    least = max(_TIMES_NOISE * noise, _OF_BRIGHT * float(bright))
    return (field.inside & (field.coherency > LEAST_COHERENCY) & (field.energy > least)).astype(np.float32)


def weights_of(field: Field, weighting: str, noise: float) -> Float32Array:
    """How much each place counts, shape (r, c).

    Parameters
    ----------
    field : Field
    weighting : str
        "equal": see `structured`; "energy": by squared gradient, where contrast decides; "energy_coherency".
    noise : float
        Energy that noise gives.
    """
    if weighting == "equal":
        return structured(field, noise)
    weights = field.energy * field.inside
    return weights * field.coherency if weighting == "energy_coherency" else weights


def histograms(direction: Float32Array, weights: Float32Array, tile: IntArray | None = None) -> FloatArray:
    """Sums of weights by direction, for each tile of a picture.

    Parameters
    ----------
    direction : array, shape (r, c)
        Degrees, 0 to 180.
    weights : array, shape (r, c)
    tile : int array, shape (r, c), optional
        Number of each place's tile, 0 to T - 1; by default one tile.

    Returns
    -------
    float array, shape (T, 180)
    """
    counted = weights > 0
    at, weight = direction[counted].astype(np.float64) - 0.5, weights[counted].astype(np.float64)
    row = np.zeros(len(at), dtype=np.int64) if tile is None else tile[counted] * BINS
    n_tiles = 1 if tile is None else int(tile.max()) + 1
    low = np.floor(at)
    share = at - low
    first = low.astype(np.int64) % BINS
    total = np.bincount(row + first, weight * (1 - share), n_tiles * BINS)
    total += np.bincount(row + (first + 1) % BINS, weight * share, n_tiles * BINS)
    return np.asarray(total, dtype=np.float64).reshape(n_tiles, BINS)


def moment(histogram: FloatArray, order: int) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    """Mean of exp(i k t) over directions t, for an even order k; 0 where nothing is counted. Shape (...)."""
    total = histogram.sum(axis=-1)
    summed = histogram @ np.exp(0.5j * order * TURNS)
    return np.asarray(np.divide(summed, total, out=np.zeros_like(summed), where=total > 0))


def direction_of(second: complex | np.complex128) -> float:
    """The direction of a second moment, degrees from 0 to below 180."""
    return float(np.degrees(np.angle(second)) / 2 % 180)


def deviation_of(order: float) -> float:
    """Circular standard deviation of directions in degrees from their order S; infinite for 0.

    Of the doubled angle (Mardia), halved: sqrt(-2 ln S) / 2.
    """
    return float(np.degrees(np.sqrt(-2 * np.log(order)) / 2)) if order > 0 else float("inf")


@dataclass(frozen=True)
class Nematic:
    """Moments of a distribution of directions.

    Attributes
    ----------
    direction : float
        Degrees, 0 to 180: the director.
    order : float
        S, from 0 (no direction preferred) to 1 (all alike): 2 <cos^2> - 1 about the director, in the plane.
    fourth : float
        S4 = <cos 4 (t - director)>, from -1 to 1. Two crossed directions have a low S and a high S4 about one of them.
    deviation : float
        Circular standard deviation, degrees.
    """

    direction: float
    order: float
    fourth: float
    deviation: float


def nematic(histogram: FloatArray) -> Nematic:
    """Direction, order S, S4 and deviation of one histogram, shape (180,)."""
    second, fourth = complex(moment(histogram, 2)), complex(moment(histogram, 4))
    turn = np.angle(second)
    order = abs(second)
    return Nematic(direction_of(second), order, float((fourth * np.exp(-2j * turn)).real), deviation_of(order))


def smooth_round(histogram: FloatArray, sigma: float) -> FloatArray:
    """Histograms smooth_round round the circle by a Gaussian of `sigma` degrees, shape (..., 180)."""
    waves = np.arange(BINS // 2 + 1)
    damping = np.exp(-0.5 * (2 * np.pi * waves * sigma / BINS) ** 2)
    return np.asarray(np.fft.irfft(np.fft.rfft(histogram, axis=-1) * damping, BINS, axis=-1))


def turned(histogram: FloatArray, by: float) -> FloatArray:
    """One histogram turned clockwise by `by` degrees, so that what lay at `by` lies at 0 (between bins 179 and 0)."""
    waves = np.arange(BINS // 2 + 1)
    moved = np.fft.irfft(np.fft.rfft(histogram) * np.exp(2j * np.pi * waves * by / BINS), BINS)
    return np.asarray(np.maximum(moved, 0))
