"""The options on figures: for which mix of classes they are to hold."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.options import Options, option


@dataclass(frozen=True)
class MixOptions(Options):
    """The mix of classes to come."""

    prevalence: str | None = option(
        None,
        "Mix of classes to come, where it is not that of the images judged: 500000:500:500 in the order of the "
        "classes, protein=500000,oil=500,air=500, or a CSV with columns class and share.",
        metavar="MIX",
    )
