"""What the figures of a picture's directions say, and what they do not say, in sentences."""

from graticule.directions.outcome import Directions, Measured
from graticule.directions.verdict import CROSSED, DIRECTION, EMPTY, LEAST_ORDER, LEAST_USED

CONVENTION = "Directions are in degrees counter-clockwise from the horizontal, from 0 to 180."
COHERENCY = (
    "Mean coherency says that places have a direction, not that it is the same one: it does not measure alignment."
)
MEANINGS = {
    "direction": "Where most of the aligned structure points: the middle of the peak, or, where that is broad, "
    "the mean of all.",
    "share": "Share of the visible structure that lies in the peak, over a rest that points anywhere. Of what is seen, "
    "projected into the picture: a share of volume only after calibration on samples whose share is known.",
    "spread": "Standard deviation of the peak. It includes what bending and noise add to each place.",
    "order": "S, the nematic order in the plane: 0 if no direction is preferred, 1 if all is parallel. Not Hermans' "
    "factor in space, which is (3 <cos²> − 1) / 2.",
    "fourth": "S4, the same for four-fold order: near 1 with a low S where two directions cross at right angles.",
    "deviation": "Circular standard deviation of everything that counts, peak and rest together.",
    "goodness": "Share of the distribution that one or two peaks over a uniform rest explain. Low: another shape.",
    "used": "Share of the places that stand out of the noise and have a direction; the others do not count.",
}


def degrees(value: float) -> str:
    """An angle as it is written."""
    return f"{value:.1f}°"


def _between(figure: Measured, unit: str = "") -> str:
    if unit:
        return f"{figure.value:.1f}{unit} ({figure.low:.1f} to {figure.high:.1f})"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def _why_none(found: Directions) -> str:
    order = found.figures.order.value
    if order < LEAST_ORDER:
        return f"S is {order:.2f}, below {LEAST_ORDER}"
    return f"S is {order:.2f}, which chance gives in {found.chance:.0%} of such pictures"


def sentences(found: Directions) -> list[str]:
    """What can be said of one picture: the verdict first, then the share, then what to beware of."""
    figures = found.figures
    if found.verdict == EMPTY:
        return [f"No structure stands out of the noise (of the places {max(figures.used.value, 0):.1%} do)."]
    if found.verdict == DIRECTION:
        first = f"The preferred direction is {_between(figures.first.direction, '°')}."
    elif found.verdict == CROSSED:
        first = f"Two directions cross, at {degrees(figures.first.direction.value)} and "
        first += f"{degrees(figures.second.direction.value)}; S is low since they cancel."
    else:
        first = f"No preferred direction: {_why_none(found)}."
    said = [first]
    if found.verdict in (DIRECTION, CROSSED):
        said.append(
            f"A share of {_between(figures.first.share)} of the visible structure lies around it, with a standard "
            f"deviation of {degrees(figures.first.width.value)}; S is {_between(figures.order)}."
        )
    if found.verdict == DIRECTION and figures.second.share.value > 0:
        second = figures.second
        said.append(f"A second direction at {degrees(second.direction.value)} holds {_between(second.share)}.")
    if figures.along is not None:
        along = figures.along
        given = degrees(along.direction % 180)
        said.append(f"Along {given}: a share of {_between(along.share)}, order {_between(along.order)}.")
    if found.scales_disagree:
        said.append("The figures depend on the scale: they differ by more than 0.1 between values of sigma.")
    if LEAST_USED <= figures.used.value < 0.05:
        said.append(f"Only {figures.used.value:.1%} of the places have a direction that stands out of the noise.")
    return said
