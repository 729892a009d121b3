"""The directions of one picture as a result in Python, which shows itself in a notebook."""

from dataclasses import dataclass, field

import numpy as np

from graticule.arrays import Pixels
from graticule.directions.lgo import GradientOrientation
from graticule.directions.outcome import Directions
from graticule.directions.row import measured_figures
from graticule.directions.words import sentences
from graticule.jobs.orientation.picture import TILE
from graticule.report.notebook import notebook_rose, notebook_table
from graticule.report.orientation.charts import half_rose
from graticule.report.svg import escape
from graticule.report.thumbnails import data_uri


@dataclass(frozen=True)
class Orientation:
    """How the structures of one picture are aligned. It shows itself in a notebook.

    Degrees count counter-clockwise from the horizontal, from 0 to 180; NaN where a figure cannot be given.

    Attributes
    ----------
    directions : graticule.directions.outcome.Directions
        All figures with their intervals, at several scales.
    lgo, lgo_fiji : GradientOrientation
        Local Gradient Orientation repaired, and with method "lgo-fiji" as the plug-in computes it, else None.
    info_bar_cut : bool
    survey : uint8 array, shape (r, c, 3)
        The picture coloured by direction, its longest side at most 336.
    """

    directions: Directions
    lgo: GradientOrientation
    lgo_fiji: GradientOrientation | None
    info_bar_cut: bool
    survey: Pixels = field(repr=False)

    @property
    def verdict(self) -> str:
        """ "direction", "two directions", "no preferred direction" or "no structure"."""
        return self.directions.verdict

    @property
    def direction(self) -> float:
        """The preferred direction, degrees; NaN where there is none."""
        return self.directions.figures.first.direction.value

    @property
    def share(self) -> float:
        """Share of the visible structure around it, 0 to 1."""
        return self.directions.figures.first.share.value

    @property
    def order(self) -> float:
        """S, 0 to 1: the nematic order in the plane."""
        return self.directions.figures.order.value

    @property
    def words(self) -> list[str]:
        """What can be said, in sentences."""
        return sentences(self.directions)

    def _repr_html_(self) -> str:
        figures = self.directions.figures
        rose = half_rose(figures.distribution, figures.fitted, self.words[0], None)
        said = "".join(f"<p>{escape(text)}</p>" for text in self.words)
        rows = [
            (name, *("–" if np.isnan(x) else f"{x:.3g}" for x in (one.value, one.low, one.high)))
            for name, one in measured_figures(figures).items()
            if np.isfinite(one.value)
        ]
        pictures = f'<img src="{data_uri(self.survey, TILE)}" alt="coloured by direction">{notebook_rose(rose)}'
        return f"{said}{pictures}" + notebook_table(("figure", "value", "95 % from", "to"), rows)
