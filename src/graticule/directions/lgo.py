"""Local Gradient Orientation: repaired, and as the plug-in Directionality of Fiji (2.3.0) computes it.

The method weighs each pixel's direction by its squared gradient and fits a Gaussian to the histogram. As shipped, the
fit and the sum are not periodic, the bins stand on both ends of the half turn (the first and the last are the same
direction) and are filled by their left edges but fitted as if they were centres, the 5 x 5 mask turns fine structure
towards the axes, and nothing is subtracted for a ground without direction. Repaired, all this is mended and the width
is bounded: on noise a free width takes everything for aligned.

The figures of the plug-in are written here from a description of its arithmetic, for comparison with older papers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import scipy.optimize

from graticule.arrays import BoolArray, Float32Array, FloatArray
from graticule.directions.distribution import histograms
from graticule.directions.gradient import gaussian_gradient
from graticule.directions.tensor import inside_of

PLUGIN_BINS = 90
_MASK = np.array(
    [
        [5, 8, 10, 8, 5],
        [4, 10, 20, 10, 4],
        [0, 0, 0, 0, 0],
        [-4, -10, -20, -10, -4],
        [-5, -8, -10, -8, -5],
    ],
    dtype=np.float32,
)
_SPREAD = 2  # standard deviations on either side of the peak that count as aligned
_IN_SPREAD = 0.9545  # share of a Gaussian within them
_WIDEST, _NARROWEST = 15.0, 0.5
_SIGMA = 1.0
_FROM_TOP = 20.0  # degrees that the fitted peak may lie from the highest bin


@dataclass(frozen=True)
class GradientOrientation:
    """Figures of Local Gradient Orientation.

    Attributes
    ----------
    direction : float
        Degrees; 0 to 180, or as the plug-in writes it, about -90 to 90.
    dispersion : float
        Standard deviation of the fitted Gaussian, degrees.
    amount : float
        Share of the histogram within two standard deviations of the peak.
    corrected : float
        The amount less what a ground without direction puts there; NaN as shipped, which has no such figure.
    goodness : float
        R squared of the fit, at most 1.
    """

    direction: float
    dispersion: float
    amount: float
    corrected: float
    goodness: float


NOTHING = GradientOrientation(np.nan, np.nan, np.nan, np.nan, np.nan)


def local_gradient_orientation(
    grey: Float32Array | FloatArray, *, as_shipped: bool = False, mask: BoolArray | None = None
) -> GradientOrientation:
    """Local Gradient Orientation of a picture.

    Parameters
    ----------
    grey : float array, shape (h, w)
    as_shipped : bool
        As the plug-in computes it, with its mask, its bins and its fit.
    mask : bool array, shape (h, w), optional
        True where the picture counts; the plug-in knows none, and as shipped it is not looked at.

    Returns
    -------
    GradientOrientation
        All NaN for a picture without gradients.
    """
    grey = np.asarray(grey, dtype=np.float32)
    if as_shipped:
        return shipped_fit(shipped_histogram(grey))
    return repaired_fit(histograms(*oriented_gradients(grey, mask))[0])


def oriented_gradients(grey: Float32Array, mask: BoolArray | None = None) -> tuple[Float32Array, Float32Array]:
    """Direction of the structure in degrees and squared gradient, 0 where it does not count, each of shape (w, h)."""
    right, down = gaussian_gradient(grey, _SIGMA)
    inside = inside_of(grey.shape, mask, _SIGMA).T
    across = np.degrees(np.arctan2(right, down)) % np.float32(180)
    return across, (right**2 + down**2) * inside


def shipped_histogram(grey: Float32Array, bins: int = PLUGIN_BINS) -> FloatArray:
    """The plug-in's histogram: bins from -90 to 90 degrees inclusive, filled as left edges; shape (bins,)."""
    up = scipy.ndimage.correlate(grey, _MASK, mode="nearest")
    right = scipy.ndimage.correlate(grey, -_MASK.T, mode="nearest")
    some = (up != 0) | (right != 0)
    # the structure lies across the gradient; exactly vertical structure is at +90
    with np.errstate(divide="ignore"):
        direction = np.degrees(np.arctan(-right[some].astype(np.float64) / up[some]))
    direction = np.where(up[some] == 0, 90.0, direction)
    return shipped_counts(direction, (right[some].astype(np.float64) ** 2 + up[some].astype(np.float64) ** 2), bins)


def shipped_counts(direction: FloatArray, weights: FloatArray, bins: int = PLUGIN_BINS) -> FloatArray:
    """Weights by direction in degrees, -90 to 90, as the plug-in sorts them into its bins; shape (bins,)."""
    step = 180 / (bins - 1)
    place = np.minimum(((direction + 90) / step).astype(np.int64), bins - 1)
    return np.asarray(np.bincount(place, weights, bins), dtype=np.float64)


def _gaussian(x: FloatArray, ground: float, top: float, centre: float, width: float) -> FloatArray:
    return np.asarray(ground + (top - ground) * np.exp(-((x - centre) ** 2) / (2 * width**2)))


def _goodness(values: FloatArray, fitted: FloatArray) -> float:
    spread = ((values - values.mean()) ** 2).sum()
    return float(1 - ((values - fitted) ** 2).sum() / spread) if spread > 0 else np.nan


def shipped_fit(counts: FloatArray) -> GradientOrientation:
    """The plug-in's figures of a histogram over -90 to 90 degrees inclusive, shape (bins,).

    A Gaussian on the axis as it lies there, not round the circle: a peak at the seam is seen by half.
    """
    total = counts.sum()
    if not total > 0:
        return NOTHING
    values = counts / counts.max()
    x = np.asarray(np.linspace(-90, 90, len(values)), dtype=np.float64)
    start = (values.min(), values.max(), x[values.argmax()], 2 * (x[1] - x[0]))
    fitted = _best_gaussian(x, values, start, ([-np.inf] * 4, [np.inf] * 4))
    centre, width = float(fitted[2]), abs(float(fitted[3]))
    within = np.abs(x - centre) <= _SPREAD * width
    amount = float(counts[within].sum() / total)
    return GradientOrientation(centre, width, amount, np.nan, _goodness(values, _gaussian(x, *fitted)))


def _best_gaussian(
    x: FloatArray, values: FloatArray, start: Sequence[float], bounds: tuple[Sequence[float], Sequence[float]]
) -> FloatArray:
    """Ground, top, centre and width of the Gaussian with the least squared errors, from a start and within bounds."""
    found = scipy.optimize.least_squares(lambda p: _gaussian(x, *p) - values, start, bounds=bounds, x_scale="jac")
    return np.asarray(found.x)


def repaired_fit(counts: FloatArray) -> GradientOrientation:
    """Figures of a histogram over half a turn, bins from 0, shape (bins,): periodic, centred, width bounded."""
    total = counts.sum()
    if not total > 0:
        return NOTHING
    values = counts / counts.max()
    step = 180 / len(values)
    top = int(scipy.ndimage.gaussian_filter1d(values, 2.0 / step, mode="wrap").argmax())
    # the peak in the middle of the axis, so that the seam lies farthest from it
    x = np.asarray((np.arange(len(values)) - len(values) // 2) * step, dtype=np.float64)
    centred = np.roll(values, len(values) // 2 - top)
    fitted = _best_gaussian(
        x,
        centred,
        (min(float(np.median(centred)), 0.99), 1.0, 0.0, 5.0),
        ([0.0, 0.0, -_FROM_TOP, _NARROWEST], [1.0, np.inf, _FROM_TOP, _WIDEST]),
    )
    centre, width = float(fitted[2]), float(fitted[3])
    reach = _SPREAD * width
    # a bin counts by the part of it that lies within
    part = np.clip((reach - np.abs(x - centre)) / step + 0.5, 0, 1)
    amount = float((centred * part).sum() / centred.sum())
    isotropic = 2 * reach / 180
    corrected = float(np.clip((amount - isotropic) / (_IN_SPREAD - isotropic), 0, 1))
    direction = ((top + 0.5) * step + centre) % 180
    return GradientOrientation(direction, width, amount, corrected, _goodness(centred, _gaussian(x, *fitted)))
