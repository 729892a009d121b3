"""The options on how samples are divided."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graticule.options import SeedOptions, one_of, option, shares, whole_numbers

NEAR_DUPLICATES = ("auto", "join", "exact")


@dataclass(frozen=True)
class SplitOptions(SeedOptions):
    """How samples are divided into folds, a held-out part and a part for calibration."""

    folds: int = option(5, "Folds of the cross-validation.", metavar="K", allowed=whole_numbers(1))
    test_size: float = option(0.0, "Share held out and opened once.", metavar="F", allowed=shares(0, 0.9))
    calibration: float = option(0.0, "Share set aside for guaranteed decisions.", metavar="F", allowed=shares(0, 0.9))
    near_duplicates: str = option(
        "auto",
        "Near-duplicates stay on one side of a split (auto: unless too few units for the folds are left), or only "
        "exact ones do.",
        allowed=one_of(*NEAR_DUPLICATES),
    )
    parents: str = option(
        "auto",
        "Which images the generators of synthetic ones saw: a table (auto: parents.parquet beside DATA); none, where "
        "they were made without any of DATA, which stamps the report.",
        metavar="auto|none|FILE",
    )
    synthetic: Path | None = option(
        None, "Synthetic images to train with: a folder of `synthesize`, or a table.", metavar="DIR"
    )
    allow_unproven: bool = option(False, "Train with synthetic images that no gate accepted; stamps report and model.")
    allow_leaks: bool = option(False, "Measure on a leaking split all the same; stamps the report.")
