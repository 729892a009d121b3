"""Figures of a distribution of directions, with intervals from tiles of the picture drawn with replacement."""

from dataclasses import replace

import numpy as np

from graticule.arrays import FloatArray, IntArray
from graticule.directions.distribution import BINS, deviation_of, direction_of, moment
from graticule.directions.mixture import APART, WIDEST, Mixture, densities, fit_mixture, is_broad, second_place
from graticule.directions.outcome import Along, DirectionFigures, Measured, Peak
from graticule.directions.tiles import resampled

_DRAWS, _STEPS = 200, 30
_LIMITS = (0.025, 0.975)
Moments = np.ndarray[tuple[int, ...], np.dtype[np.complex128]]
_LEAST_SECOND, _SURE_SECOND, _OF_WIDEST = 0.10, 0.05, 0.95
_CLEAR = 1.25  # times the sum of their widths that two peaks are apart at least


def with_limits(value: float, draws: FloatArray) -> Measured:
    """A figure with the limits that 95 % of its draws keep."""
    low, high = np.quantile(draws, _LIMITS)
    return Measured(float(value), float(low), float(high))


def turn_with_limits(value: float, draws: FloatArray) -> Measured:
    """As `with_limits`, for directions in degrees: draws are compared the short way round."""
    low, high = np.quantile((draws - value + 90) % 180 - 90, _LIMITS)
    return Measured(float(value), float((value + low) % 180), float((value + high) % 180))


def _peak(mixture: Mixture, drawn: Mixture, k: int) -> Peak:
    return Peak(
        turn_with_limits(mixture.direction[0, k], drawn.direction[:, k]),
        with_limits(mixture.share[0, k], drawn.share[:, k]),
        with_limits(mixture.width()[0, k], drawn.width()[:, k]),
    )


def _is_second(mixture: Mixture) -> bool:
    """Whether the second of two peaks may be one: narrow, apart, and a tenth of all."""
    apart = np.abs((mixture.direction[0, 1] - mixture.direction[0, 0] + 90) % 180 - 90)
    widths = mixture.width()[0]
    # two halves of one broad peak are no two directions
    clear = apart >= max(APART, _CLEAR * widths.sum()) and widths.max() < _OF_WIDEST * WIDEST
    return bool(mixture.share[0, 1] >= _LEAST_SECOND and clear)


def _about(fourth: Moments, second: Moments) -> FloatArray:
    """<cos 4 (t - director)> from the fourth moment and the second, whose angle is the director's."""
    return np.asarray((fourth * np.exp(-2j * np.angle(second))).real)


def _along(whole: FloatArray, draws: FloatArray, direction: float) -> Along:
    both = np.concatenate([whole[None], draws])
    share = fit_mixture(both, np.full((len(both), 1), direction), steps=_STEPS, fixed=True).share[:, 0]
    order = (moment(both, 2) * np.exp(-2j * np.radians(direction))).real
    return Along(direction, with_limits(share[0], share[1:]), with_limits(order[0], order[1:]))


def no_figures(used: float, along: float | None = None) -> DirectionFigures:
    """Where nothing stands out of the noise: all NaN but the share used."""
    nothing = np.zeros(BINS)
    asked = None if along is None else Along(along, Measured(), Measured())
    return DirectionFigures(*(Measured(),) * 4, Peak(), Peak(), Measured(), Measured(used), asked, nothing, nothing)


def figures_of(tiles: FloatArray, places: IntArray, along: float | None = None) -> DirectionFigures:
    """Figures of a picture's tiles.

    Parameters
    ----------
    tiles : float array, shape (T, 180)
        Histograms of the places that count, with some weight.
    places : int array, shape (T,)
        All places of each tile.
    along : float, optional
        A direction in degrees that was asked for.

    Returns
    -------
    DirectionFigures
    """
    whole, total = tiles.sum(axis=0), tiles.sum()
    drawn = resampled(np.column_stack([tiles, tiles.sum(axis=1), places]), _DRAWS)
    draws, used = drawn[:, :BINS], drawn[:, BINS] / np.maximum(drawn[:, BINS + 1], 1)
    second, fourth = moment(whole, 2), moment(whole, 4)
    seconds, fourths = moment(draws, 2), moment(draws, 4)
    order, orders = float(np.abs(second)), np.abs(seconds)
    mixture = fit_mixture(whole[None])
    first = float(mixture.direction[0, 0])
    two = fit_mixture(whole[None], np.array([[first, second_place(whole, first)]]))
    sure = False
    if _is_second(two):
        spread = fit_mixture(draws, np.repeat(two.direction, _DRAWS, axis=0), steps=_STEPS)
        # not the matter of a few tiles
        surely = np.quantile(spread.share, _LIMITS[0], axis=0)
        sure = bool((surely >= np.maximum(_SURE_SECOND, two.share[0] / 2)).all())
    if sure:
        mixture = two
    else:
        spread = fit_mixture(draws, np.repeat(mixture.direction, _DRAWS, axis=0), steps=_STEPS)
    director = turn_with_limits(direction_of(complex(second)), np.degrees(np.angle(seconds)) / 2)
    peaks = [_peak(mixture, spread, k) for k in range(1 + sure)]
    if not sure and is_broad(mixture):
        peaks[0] = replace(peaks[0], direction=director)
    peaks.sort(key=lambda peak: -peak.share.value)
    return DirectionFigures(
        director=director,
        order=with_limits(order, orders),
        fourth=with_limits(float(_about(fourth, second)), _about(fourths, seconds)),
        deviation=with_limits(deviation_of(order), np.array([deviation_of(one) for one in orders])),
        first=peaks[0],
        second=peaks[1] if sure else Peak(),
        goodness=with_limits(mixture.goodness[0], spread.goodness),
        used=with_limits(total / max(places.sum(), 1), used),
        along=None if along is None else _along(whole, draws, along),
        distribution=whole / total,
        fitted=densities(mixture)[0],
    )
