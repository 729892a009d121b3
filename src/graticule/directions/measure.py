"""All that is measured of the directions of one picture: figures with intervals, at several scales, and a verdict."""

from dataclasses import replace

import numpy as np

from graticule.arrays import BoolArray, Float32Array
from graticule.directions.distribution import histograms, nematic, weights_of
from graticule.directions.figures import figures_of, no_figures
from graticule.directions.gradient import noise_energy, noise_level
from graticule.directions.mixture import fit_mixture, is_broad
from graticule.directions.options import LEAST_SIGMA
from graticule.directions.outcome import AtScale, DirectionFigures, Directions, Measured
from graticule.directions.tensor import Field, least_side, structure_tensor
from graticule.directions.tiles import tile_numbers, tiles_per_side
from graticule.directions.verdict import CROSSED, EMPTY, LEAST_USED, NONE, is_crossed, verdict

SIGMA = 1.5
_SCALES = (2 / 3, 5 / 3, 8 / 3)  # times the scale that was asked for


def sigmas_of(sigma: float) -> tuple[float, ...]:
    """Scales that are measured beside one that is asked for, and itself, in order."""
    return tuple(sorted([sigma, *(sigma * times for times in _SCALES if sigma * times >= LEAST_SIGMA)]))


def measure_directions(
    grey: Float32Array, *, sigma: float = SIGMA, mask: BoolArray | None = None, along: float | None = None
) -> Directions:
    """Measure the directions of a picture.

    Parameters
    ----------
    grey : float32 array, shape (h, w)
        At least `least_side(sigma)` on each side.
    sigma : float
        Scale of the gradient in pixels, at least 1: about half the width of the structure.
    mask : bool array, shape (h, w), optional
        True where the picture counts.
    along : float, optional
        A direction in degrees: how much is aligned with it is measured too.

    Raises
    ------
    ValueError
        When the picture is too small.
    """
    if min(grey.shape) < least_side(sigma):
        raise ValueError(f"a picture of {grey.shape} is too small for sigma {sigma}")
    noise = noise_level(grey)
    field, level = structure_tensor(grey, sigma, mask=mask), noise_energy(noise, sigma)
    weights = weights_of(field, "equal", level)
    per_side = tiles_per_side(grey.shape, sigma)
    numbers = tile_numbers((field.energy.shape[0], field.energy.shape[1]), per_side)
    tiles = histograms(field.direction, weights, numbers)
    places = np.bincount(numbers[field.inside], minlength=len(tiles))
    used = float(weights.sum()) / max(int(places.sum()), 1)
    found, chance = verdict(tiles, numbers, per_side, used)
    figures = no_figures(used, along) if found == EMPTY else figures_of(tiles, places, along)
    if found == NONE and np.isfinite(figures.second.share.value) and is_crossed(tiles):
        found = CROSSED
    if found == NONE:
        figures = _without_direction(figures)
    energy, both = (_by_contrast(field, name) for name in ("energy", "energy_coherency"))
    here = _scale(field, sigma, level)
    scales = [here if one == sigma else _at_scale(grey, one, noise, mask) for one in sigmas_of(sigma)]
    inside, total = field.inside, float(field.energy[field.inside].sum())
    coherent = float((field.energy[inside] * field.coherency[inside]).sum())
    return Directions(
        verdict=found,
        chance=chance,
        figures=figures,
        by_energy=energy,
        by_energy_coherency=both,
        coherency=float(field.coherency[inside].mean()) if inside.any() else np.nan,
        coherency_by_energy=coherent / total if total > 0 else np.nan,
        scales=tuple(scales),
        noise=noise,
    )


def _without_direction(figures: DirectionFigures) -> DirectionFigures:
    """Figures that name no direction, where none can be told from chance."""
    first, second = (replace(peak, direction=Measured()) for peak in (figures.first, figures.second))
    return replace(figures, director=Measured(), first=first, second=second)


def _by_contrast(field: Field, weighting: str) -> tuple[float, float]:
    """Order S and share of the peak where places do not count alike."""
    whole = histograms(field.direction, weights_of(field, weighting, 0.0))
    if not whole.sum() > 0:
        return np.nan, np.nan
    return nematic(whole[0]).order, float(fit_mixture(whole).share[0, 0])


def _scale(field: Field, sigma: float, level: float) -> AtScale:
    weights = weights_of(field, "equal", level)
    used = float(weights.sum()) / max(int(field.inside.sum()), 1)
    whole = histograms(field.direction, weights)
    if used < LEAST_USED:
        return AtScale(sigma, np.nan, np.nan, np.nan, used)
    mixture = fit_mixture(whole)
    mean = nematic(whole[0])
    direction = mean.direction if is_broad(mixture) else float(mixture.direction[0, 0])
    return AtScale(sigma, direction, mean.order, float(mixture.share[0, 0]), used)


def _at_scale(grey: Float32Array, sigma: float, noise: float, mask: BoolArray | None) -> AtScale:
    if min(grey.shape) < least_side(sigma):
        return AtScale(sigma, np.nan, np.nan, np.nan, np.nan)
    return _scale(structure_tensor(grey, sigma, mask=mask), sigma, noise_energy(noise, sigma))
