"""The options of generated images."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.options import SeedOptions, WorkersOptions, one_of, option, shares, whole_numbers

MAKERS = ("zeiss", "thermo", "jeol", "hitachi", "tescan")
TIGHT, FIELD = "tight", "field"
NO_MARKS, ALL_MARKS = "none", "all"


@dataclass(frozen=True)
class PhantomOptions(WorkersOptions, SeedOptions):
    """How many images are drawn, and what is planted in them."""

    FIRST = ("n_per_class", SeedOptions)

    n_per_class: int | None = option(
        None,
        "Images per class, by default 40; of nanowires in all, by default 360.",
        metavar="N",
        allowed=whole_numbers(1),
    )
    counts: str | None = option(
        None,
        "Images of each class in the order of their names, in place of a number for all, as in 100,20000,100.",
        metavar="N,N,...",
    )
    per_specimen: int | None = option(
        None, "Pictures of each specimen of nanowires, by default 9.", metavar="N", allowed=whole_numbers(1)
    )
    label_noise: float = option(0.0, "Share of labels made wrong on purpose.", metavar="F", allowed=shares(0, 1))
    info_bar: str | None = option(
        None, f"Draw the info bar of: {', '.join(MAKERS)}.", metavar="MAKE", allowed=one_of(*MAKERS)
    )
    masks: bool = option(False, "Also write object masks.")
    marks: str = option(
        NO_MARKS,
        "Which ultrasound frames bear text, ruler and calipers; a class plants a shortcut.",
        metavar="none|all|CLASS",
    )
    crops: str = option(
        TIGHT,
        "Particles cut out tightly, as the instrument does, or in a wider field among others.",
        allowed=one_of(TIGHT, FIELD),
    )
