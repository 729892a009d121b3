"""The options on numbers as targets."""

from __future__ import annotations

import math
from dataclasses import dataclass

from graticule.options import Options, flag, numbers, one_of, option

SCALES = ("linear", "log")
ORIENTATION = "orientation"
BLOCKS = ("auto", "network", ORIENTATION, "both")
_FINITE = numbers("numbers", math.isfinite)


@dataclass(frozen=True)
class ValueOptions(Options):
    """Which number is learnt in place of classes, and how."""

    target: str | None = option(None, "Column of numbers to predict, in place of classes.", metavar="COLUMN")
    target_unit: str = option("", "Unit of the numbers, for tables and axes.", metavar="TEXT")
    target_min: float | None = option(None, "Smallest possible number.", metavar="X", allowed=_FINITE)
    target_max: float | None = option(None, "Largest possible number.", metavar="X", allowed=_FINITE)
    target_scale: str = option(
        "linear", "Learn the numbers, or their logarithms, so that relative errors count.", allowed=one_of(*SCALES)
    )
    per_pixel_size: bool = option(
        False, "Learn a length in pixels (its logarithm), and multiply by the column pixel_size_nm."
    )
    tolerance: float | None = option(
        None,
        "Error that is small enough: the share of images within it is reported.",
        metavar="X",
        allowed=numbers("numbers above 0", lambda x: 0 < x < math.inf),
    )
    features: str = option(
        "auto",
        "What a number is predicted from; auto: chosen on training folds.",
        allowed=one_of(*BLOCKS),
        method="features",
    )

    def faults(self) -> list[str]:
        """What is wrong with the values, and which options need a target."""
        own = ValueOptions.listed()
        found = super().faults()
        if self.target is None:
            found += [
                f"{flag(item.name)} belongs to --target COLUMN, which is missing"
                for item in own
                if getattr(self, item.name) != item.default
            ]
        least, most = self.target_min, self.target_max
        if least is not None and most is not None and not least < most:
            found.append(f"--target-min {least:g} and --target-max {most:g}: the first must be the smaller")
        if self.per_pixel_size and (least is not None or most is not None):
            found.append("--target-min and --target-max do not go with --per-pixel-size: lengths are above 0")
        return found
