"""The options on how samples are divided."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.options import Options
from graticule.split.kinship import NEAR_DUPLICATES


@dataclass(frozen=True)
class SplitOptions(Options):
    """How samples are divided into folds, a held-out part and a part for calibration.

    Attributes
    ----------
    folds : int
        2 or more; 1 with a held-out part.
    test_size : float
        Share of the samples held out, in [0, 0.9).
    calibration : float
        Share of the samples set aside for the calibration of the shipped model, in [0, 0.9): what it says of accepted
        images and of prediction sets is then guaranteed, not estimated.
    near_duplicates : "auto", "join" or "exact"
        Whether near-duplicates stay on one side of a split, or only exact ones; "auto": they do, unless that leaves
        too few units for the folds. The report asks about near-duplicates that chain into a tenth of a class.
    allow_leaks : bool
        Measure on the split as brought, although something stands on both sides; the report is stamped.
    seed : int
        Of every random draw.
    """

    folds: int = 5
    test_size: float = 0.0
    calibration: float = 0.0
    near_duplicates: str = "auto"
    allow_leaks: bool = False
    seed: int = 0

    def split_faults(self) -> list[str]:
        """What is wrong with the values."""
        faults = []
        if self.folds < 1:
            faults.append(f"--folds {self.folds}: allowed are whole numbers from 1")
        if not 0.0 <= self.test_size < 0.9:
            faults.append(f"--test-size {self.test_size}: allowed are shares from 0 to below 0.9")
        if not 0.0 <= self.calibration < 0.9:
            faults.append(f"--calibration {self.calibration}: allowed are shares from 0 to below 0.9")
        if self.near_duplicates not in NEAR_DUPLICATES:
            faults.append(f"--near-duplicates {self.near_duplicates}: allowed are {', '.join(NEAR_DUPLICATES)}")
        return faults
