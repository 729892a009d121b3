"""The options of the method "features"."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.options import one_of, option
from graticule.split.options import SplitOptions

HEADS = ("auto", "logistic", "svm")
# of a number: see `graticule.regress`
VALUE_HEADS = ("auto", "ridge", "kernel", "svr")


@dataclass(frozen=True)
class HeadOptions(SplitOptions):
    """How a classifier on frozen features is trained."""

    head: str = option(
        "auto",
        "The classifier; of a number the regression.",
        allowed=one_of(*HEADS, *VALUE_HEADS[1:]),
        method="features",
    )
    refit: bool = option(
        False, "Ship one head refitted on all images instead of the mean of the fold heads.", method="features"
    )
