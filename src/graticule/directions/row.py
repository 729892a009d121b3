"""The directions of a picture as one row of a table: plain names, plain numbers, NaN where there is nothing to say."""

import numpy as np

from graticule.directions.lgo import GradientOrientation
from graticule.directions.outcome import DirectionFigures, Directions, Measured

LIMITED = (
    "direction",
    "share",
    "spread",
    "order",
    "fourth",
    "deviation",
    "director",
    "goodness",
    "second_direction",
    "second_share",
    "second_spread",
    "used",
)
ALONG = ("along_share", "along_order")
_LGO = ("direction", "dispersion", "amount", "corrected", "goodness")


def measured_figures(figures: DirectionFigures) -> dict[str, Measured]:
    """Every figure that has limits, by its name in the table."""
    along = figures.along
    return {
        "direction": figures.first.direction,
        "share": figures.first.share,
        "spread": figures.first.width,
        "order": figures.order,
        "fourth": figures.fourth,
        "deviation": figures.deviation,
        "director": figures.director,
        "goodness": figures.goodness,
        "second_direction": figures.second.direction,
        "second_share": figures.second.share,
        "second_spread": figures.second.width,
        "used": figures.used,
        "along_share": Measured() if along is None else along.share,
        "along_order": Measured() if along is None else along.order,
    }


def columns_of(sigmas: tuple[float, ...], *, along: bool, shipped: bool) -> list[str]:
    """Names of the numbers in a row, in order.

    Parameters
    ----------
    sigmas : tuple of float
        Scales that are measured.
    along : bool
        Whether a direction was given.
    shipped : bool
        Whether the plug-in's figures are in it.
    """
    limited = [*LIMITED, *(ALONG if along else ())]
    return [
        "chance",
        *(f"{name}{end}" for name in limited for end in ("", "_low", "_high")),
        *(f"{name}_{weighting}" for weighting in ("by_energy", "by_energy_coherency") for name in ("order", "share")),
        *(f"{name}_sigma{sigma:.3g}" for sigma in sigmas for name in ("direction", "order", "share", "used")),
        "coherency",
        "coherency_by_energy",
        "noise",
        *(f"lgo_{name}" for name in _LGO),
        *(f"lgo_fiji_{name}" for name in _LGO if shipped and name != "corrected"),
    ]


def numbers_of(found: Directions, repaired: GradientOrientation, shipped: GradientOrientation | None) -> list[float]:
    """The numbers of a row, in the order of `columns_of`."""
    figures = measured_figures(found.figures)
    limited = [*LIMITED, *(ALONG if found.figures.along is not None else ())]
    named = np.isfinite(found.figures.first.direction.value)
    return [
        found.chance,
        *(x for name in limited for x in (figures[name].value, figures[name].low, figures[name].high)),
        *found.by_energy,
        *found.by_energy_coherency,
        *(x for one in found.scales for x in (one.direction if named else np.nan, one.order, one.share, one.used)),
        found.coherency,
        found.coherency_by_energy,
        found.noise,
        repaired.direction if named else np.nan,
        repaired.dispersion,
        repaired.amount,
        repaired.corrected,
        repaired.goodness,
        *([] if shipped is None else [shipped.direction, shipped.dispersion, shipped.amount, shipped.goodness]),
    ]
