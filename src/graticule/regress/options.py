"""The options on numbers as targets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from graticule.options import Options, flag, numbers, one_of, option

SCALES = ("linear", "log")
ORIENTATION = "orientation"
BLOCKS = ("auto", "network", ORIENTATION, "both")
_FINITE = numbers("numbers", math.isfinite)


@dataclass(frozen=True)
class TargetOptions(Options):
    """Which column holds numbers, and what they may be."""

    target: str | None = option(None, "Column of numbers, in place of classes.", metavar="COLUMN")
    target_unit: str = option("", "Unit of the numbers, for tables and axes.", metavar="TEXT")
    target_min: float | None = option(None, "Smallest possible number.", metavar="X", allowed=_FINITE)
    target_max: float | None = option(None, "Largest possible number.", metavar="X", allowed=_FINITE)

    @classmethod
    def of_target(cls) -> list[str]:
        """Names of the options that need a target."""
        return [item.name for item in TargetOptions.listed()]

    def faults(self) -> list[str]:
        """What is wrong with the values, and which options need a target."""
        found = super().faults()
        if self.target is None:
            found += [
                f"{flag(item.name)} belongs to --target COLUMN, which is missing"
                for item in self.listed()
                if item.name in self.of_target() and getattr(self, item.name) != item.default
            ]
        least, most = self.target_min, self.target_max
        if least is not None and most is not None and not least < most:
            found.append(f"--target-min {least:g} and --target-max {most:g}: the first must be the smaller")
        return found


@dataclass(frozen=True)
class ValueOptions(TargetOptions):
    """Which number is learnt in place of classes, and how."""

    FIRST: ClassVar[tuple[str | type[Options], ...]] = (TargetOptions,)

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

    @classmethod
    def of_target(cls) -> list[str]:
        """Names of the options that need a target."""
        return [item.name for item in ValueOptions.listed()]

    def faults(self) -> list[str]:
        """What is wrong with the values, and which options need a target."""
        found = super().faults()
        if self.per_pixel_size and (self.target_min is not None or self.target_max is not None):
            found.append("--target-min and --target-max do not go with --per-pixel-size: lengths are above 0")
        return found
