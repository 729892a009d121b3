"""The number that is learnt: its column, unit and bounds, and the scale it is learnt on."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.arrays import FloatArray
from graticule.regress.options import TargetOptions, ValueOptions
from graticule.sources.targets import TargetColumn

LINEAR, LOG = "linear", "log"


@dataclass(frozen=True)
class Target:
    """A target and its scale.

    Attributes
    ----------
    column, unit : str
    scale : "linear" or "log"
        On which it is learnt, and on which errors are alike.
    least, most : float or None
        Bounds of possible numbers; what is predicted is cut to them.
    per_pixel_size : bool
        Whether the number is learnt in pixels: divided by the pixel size, as a logarithm. A physical length cannot be
        read from pixels where the magnification varies; a length in pixels can.
    """

    column: str
    unit: str = ""
    scale: str = LINEAR
    least: float | None = None
    most: float | None = None
    per_pixel_size: bool = False

    @property
    def logarithmic(self) -> bool:
        """Whether a logarithm is learnt."""
        return self.scale == LOG or self.per_pixel_size

    @property
    def read_as(self) -> TargetColumn:
        """What the cells of the column must be."""
        return TargetColumn(self.column, self.least, self.most, self.logarithmic, self.per_pixel_size)

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """The bounds on the scale that is learnt."""
        if self.per_pixel_size:
            return None, None
        if not self.logarithmic:
            return self.least, self.most
        low, high = (None if end is None or end <= 0 else float(np.log(end)) for end in (self.least, self.most))
        return low, high

    def learnt(self, values: FloatArray, pixel_size: FloatArray | None) -> FloatArray:
        """Values (n,) on the scale that is learnt; pixel sizes (n,) in nm, where they count."""
        if self.per_pixel_size and pixel_size is not None:
            values = values / pixel_size
        return np.asarray(np.log(values) if self.logarithmic else values, dtype=np.float64)

    def restored(self, learnt: FloatArray, pixel_size: FloatArray | None) -> FloatArray:
        """Undo `learnt`, within the bounds; NaN where a pixel size counts and is not known."""
        return self.within(self.beyond_bounds(learnt, pixel_size))

    def beyond_bounds(self, learnt: FloatArray, pixel_size: FloatArray | None) -> FloatArray:
        """Undo `learnt`, whatever the bounds: how far outside a model would go."""
        values = np.exp(learnt) if self.logarithmic else learnt
        if self.per_pixel_size and pixel_size is not None:
            values = values * pixel_size
        return np.asarray(values, dtype=np.float64)

    def within(self, values: FloatArray) -> FloatArray:
        """Values cut to the bounds."""
        low, high = (-np.inf if self.least is None else self.least), (np.inf if self.most is None else self.most)
        return np.asarray(np.clip(values, low, high), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """For bundle.json, run.json and metrics.json."""
        return {
            "target": self.column,
            "unit": self.unit,
            "scale": self.scale,
            "bounds": [self.least, self.most],
            "per_pixel_size": self.per_pixel_size,
        }


def target_named(options: TargetOptions) -> Target | None:
    """The column of numbers, unit and bounds that the options name, where nothing is learnt; None without a target."""
    if options.target is None:
        return None
    return Target(options.target, options.target_unit, least=options.target_min, most=options.target_max)


def target_of(options: ValueOptions) -> Target:
    """The target that the options name."""
    if options.target is None:
        raise ValueError("there is no target")
    return Target(
        options.target,
        options.target_unit,
        options.target_scale,
        options.target_min,
        options.target_max,
        options.per_pixel_size,
    )
