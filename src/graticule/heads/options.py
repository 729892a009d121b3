"""The options of the method "features"."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.heads.search import HEADS
from graticule.split.options import SplitOptions


@dataclass(frozen=True)
class HeadOptions(SplitOptions):
    """How a classifier on frozen features is trained.

    Attributes
    ----------
    head : "auto", "logistic" or "svm"
    refit : bool
        Ship one head fitted on all cross-validated samples instead of the mean of the fold heads.
    """

    head: str = "auto"
    refit: bool = False

    def head_faults(self) -> list[str]:
        """What is wrong with the values."""
        return [] if self.head in HEADS else [f"--head {self.head}: allowed are {', '.join(HEADS)}"]
