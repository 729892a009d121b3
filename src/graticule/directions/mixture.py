"""A share of directions around one or two of their own, over a rest that points anywhere: von Mises and uniform.

Fitted by expectation and maximisation to histograms, many at a time. The peaks' widths are bounded: what lies within a
wider peak has no common direction, and among few wires a wide one would swallow those that point anywhere.
"""

from dataclasses import dataclass

import numpy as np
import scipy.special

from graticule.arrays import FloatArray
from graticule.directions.distribution import BINS, CENTRES, TURNS, smooth_round

WIDEST, NARROWEST = 12.0, 1.0  # standard deviation of a peak, degrees
_BROAD = 0.95
_SMOOTH = 3.0  # degrees; of the histogram in which a peak is looked for
_STEPS = 150
_STILL = 3e-5
_TINY, _MOST = 1e-300, 1 - 1e-9
APART = 20.0  # least degrees between two peaks


def concentration_of(resultant: FloatArray) -> FloatArray:
    """kappa of a von Mises distribution of a mean resultant length, by the approximation of Best and Fisher (1981)."""
    r = np.asarray(resultant, dtype=np.float64)
    low = 2 * r + r**3 + 5 * r**5 / 6
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = -0.4 + 1.39 * r + 0.43 / (1 - r)
        high = 1 / (r**3 - 4 * r**2 + 3 * r)
    return np.asarray(np.where(r < 0.53, low, np.where(r < 0.85, middle, high)))


def _resultant_of(width: float) -> float:
    """Mean resultant length of the doubled angle for a standard deviation in degrees."""
    return float(np.exp(-2 * np.radians(width) ** 2))


_BOUNDS = (float(concentration_of(np.array(_resultant_of(WIDEST)))), 1 / (4 * np.radians(NARROWEST) ** 2))


def width_of(concentration: FloatArray) -> FloatArray:
    """Standard deviation in degrees of a peak of some kappa of the doubled angle."""
    resultant = scipy.special.ive(1, concentration) / scipy.special.ive(0, concentration)
    return np.asarray(np.degrees(np.sqrt(-2 * np.log(resultant)) / 2))


@dataclass(frozen=True)
class Mixture:
    """Peaks over a uniform rest, for each of B histograms.

    Attributes
    ----------
    share : float array, shape (B, K)
        Of all weight in each peak, 0 to 1.
    direction : float array, shape (B, K)
        Degrees, 0 to 180.
    concentration : float array, shape (B, K)
        kappa of the doubled angle.
    goodness : float array, shape (B,)
        Share of the histogram that the mixture explains: 1 less the total variation between the two.
    """

    share: FloatArray
    direction: FloatArray
    concentration: FloatArray
    goodness: FloatArray

    def width(self) -> FloatArray:
        """Standard deviation of each peak, degrees, shape (B, K)."""
        return width_of(self.concentration)


def _peaks(turn: FloatArray, concentration: FloatArray) -> FloatArray:
    """Von Mises densities over the bins, shape (B, K, 180), each with sum 1."""
    high = np.exp(concentration[..., None] * (np.cos(TURNS - turn[..., None]) - 1))
    return np.asarray(high / (scipy.special.ive(0, concentration) * BINS)[..., None])


def is_broad(mixture: Mixture) -> bool:
    """Whether the first histogram's first peak is as wide as peaks may be: its middle then says less than the mean."""
    return bool(mixture.width()[0, 0] >= _BROAD * WIDEST)


def densities(mixture: Mixture) -> FloatArray:
    """What a mixture says of each bin, shape (B, 180), each with sum 1."""
    peaks = _peaks(np.radians(2 * mixture.direction), mixture.concentration)
    rest = 1 - mixture.share.sum(axis=1)
    return np.asarray((mixture.share[..., None] * peaks).sum(axis=1) + rest[:, None] / BINS)


def highest(histogram: FloatArray) -> FloatArray:
    """Centre of the highest bin of smooth_round histograms, degrees, shape (...)."""
    return np.asarray(CENTRES[smooth_round(histogram, _SMOOTH).argmax(axis=-1)])


def fit_mixture(
    histograms: FloatArray, start: FloatArray | None = None, *, steps: int = _STEPS, fixed: bool = False
) -> Mixture:
    """Fit peaks and a uniform rest to histograms by maximum likelihood.

    Parameters
    ----------
    histograms : float array, shape (B, 180)
        Not negative; a histogram without weight gives a share of 0.
    start : float array, shape (B, K), optional
        Where the peaks are looked for, degrees; by default one, at the highest place.
    steps : int
        Most steps of expectation and maximisation.
    fixed : bool
        Whether the peaks stay where they were looked for.

    Returns
    -------
    Mixture
    """
    total = histograms.sum(axis=1, keepdims=True)
    share_of_bin = np.divide(histograms, total, out=np.full_like(histograms, 1 / BINS), where=total > 0)
    direction = highest(share_of_bin)[:, None] if start is None else start
    turn = np.radians(2 * direction)
    kappa = np.full(turn.shape, float(concentration_of(np.array(_resultant_of(6.0)))))
    share = np.full(turn.shape, 0.5 / turn.shape[1])
    for _ in range(steps):
        peaks = share[..., None] * _peaks(turn, kappa)
        whole = peaks.sum(axis=1, keepdims=True) + (1 - share.sum(axis=1))[:, None, None] / BINS
        part = peaks * (share_of_bin[:, None] / np.maximum(whole, _TINY))
        new = np.minimum(part.sum(axis=2), _MOST)
        vector = part @ np.exp(1j * TURNS)
        turn = turn if fixed else np.angle(vector)
        length = np.maximum((vector * np.exp(-1j * turn)).real, 0)
        resultant = np.divide(length, new, out=np.zeros_like(new), where=new > 0)
        kappa = np.clip(concentration_of(np.minimum(resultant, _MOST)), *_BOUNDS)
        moved = float(np.abs(new - share).max(initial=0))
        share = new
        if moved < _STILL:
            break
    share = np.where(total > 0, share, 0.0)
    found = Mixture(share, np.degrees(turn) / 2 % 180, kappa, np.zeros(len(share)))
    goodness = np.where(total[:, 0] > 0, 1 - np.abs(densities(found) - share_of_bin).sum(axis=1) / 2, 0.0)
    return Mixture(found.share, found.direction, found.concentration, goodness)


def second_place(histogram: FloatArray, first: float) -> float:
    """Where a second peak would be, degrees: the highest place at least 20 degrees from the first. Shape (180,)."""
    away = np.abs((CENTRES - first + 90) % 180 - 90)
    return float(CENTRES[np.where(away >= APART, smooth_round(histogram, _SMOOTH), -np.inf).argmax()])
