"""The options on directions: at what scale, by which method, along what."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.options import Options, numbers, one_of, option

TENSOR, LGO, LGO_FIJI = METHODS = ("tensor", "lgo", "lgo-fiji")
# below, directions of fine structure are wrong
LEAST_SIGMA = 1.0


@dataclass(frozen=True)
class DirectionOptions(Options):
    """How directions are measured."""

    method: str = option(
        TENSOR,
        "Whose figures lead: the structure tensor's, or Local Gradient Orientation's, repaired or as Fiji computes it.",
        allowed=one_of(*METHODS),
    )
    sigma: float = option(
        1.5,
        "Scale of the gradient in pixels, about half the width of a wire.",
        metavar="PX",
        allowed=numbers("numbers from 1 to 100", lambda sigma: LEAST_SIGMA <= sigma <= 100),
    )
    direction: float | None = option(
        None,
        "Also measure how much is aligned with this direction, counter-clockwise from the horizontal.",
        metavar="DEG",
        allowed=numbers("degrees from -180 to 180", lambda angle: -180 <= angle <= 180),
    )
