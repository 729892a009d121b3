"""What is said of the directions of one picture, as plain figures."""

from dataclasses import dataclass

import numpy as np

from graticule.arrays import FloatArray

SCALES_APART, SCALES_TURNED = 0.1, 5.0


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval over tiles of the picture; NaN where there is none."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True)
class AtScale:
    """Figures at one scale, without intervals: direction in degrees, order S, share of the peak, and share used."""

    sigma: float
    direction: float
    order: float
    share: float
    used: float


@dataclass(frozen=True)
class Peak:
    """A peak of the mixture: direction in degrees, share of all that counts (0 to 1), width (sd) in degrees.

    The limits of a direction are a turn from low to high: low is the larger number where it passes 180 degrees.
    """

    direction: Measured = Measured()
    share: Measured = Measured()
    width: Measured = Measured()


@dataclass(frozen=True)
class Along:
    """How much is aligned with a direction that was given.

    Attributes
    ----------
    direction : float
        As given, degrees.
    share : Measured
        Of a peak at that direction.
    order : Measured
        <cos 2 (t - direction)>, from -1 (all across) to 1 (all along).
    """

    direction: float
    share: Measured
    order: Measured


@dataclass(frozen=True)
class DirectionFigures:
    """Figures with intervals, of the distribution of directions at the scale that was asked for.

    Attributes
    ----------
    director : Measured
        Mean direction of all that counts, degrees. A peak's own is not drawn aside by the rest; where the peak is as
        broad as peaks may be, its direction is this one.
    order, fourth, deviation : Measured
        Nematic S and S4, circular standard deviation in degrees.
    first, second : Peak
        Of the mixture over a uniform rest; the second is NaN unless it holds a tenth and surely a twentieth.
    goodness : Measured
        Share of the distribution that the mixture explains.
    used : Measured
        Share of the places that count.
    along : Along or None
    distribution, fitted : float arrays, shape (180,)
        Share of each degree, and what the mixture says of it; each adds up to 1, or to 0 without structure.
    """

    director: Measured
    order: Measured
    fourth: Measured
    deviation: Measured
    first: Peak
    second: Peak
    goodness: Measured
    used: Measured
    along: Along | None
    distribution: FloatArray
    fitted: FloatArray


@dataclass(frozen=True)
class Directions:
    """Directions of one picture. Degrees count counter-clockwise from the horizontal, 0 to 180; shares from 0 to 1.

    Attributes
    ----------
    verdict : str
        What can be said of a direction, see `graticule.directions.verdict`; without one, no direction is given.
    chance : float
        How often tiles that point anywhere give as much order.
    figures : DirectionFigures
    by_energy, by_energy_coherency : tuple of two float
        S and share of the peak where places count by contrast instead of alike.
    coherency, coherency_by_energy : float
        Means. They tell whether places have a direction, not whether it is the same one: no measure of alignment.
    scales : tuple of AtScale
    noise : float
        Standard deviation of the noise, greys.
    """

    verdict: str
    chance: float
    figures: DirectionFigures
    by_energy: tuple[float, float]
    by_energy_coherency: tuple[float, float]
    coherency: float
    coherency_by_energy: float
    scales: tuple[AtScale, ...]
    noise: float

    @property
    def scales_disagree(self) -> bool:
        """Whether S or the share differ by more than 0.1 between scales, or the direction by more than 5 degrees."""
        some = [scale for scale in self.scales if np.isfinite(scale.order)]
        if len(some) < 2:
            return False
        apart = max(np.ptp([scale.order for scale in some]), np.ptp([scale.share for scale in some]))
        turned = [abs((scale.direction - some[0].direction + 90) % 180 - 90) for scale in some]
        named = np.isfinite(self.figures.first.direction.value)
        return bool(apart > SCALES_APART or (named and max(turned) > SCALES_TURNED))
