"""The options on generators of images."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from graticule.options import Options, auto_or, one_of, option, whole_numbers

# sides of the canvas, pixels
SIDES = (32, 48, 64, 96, 128)


@dataclass(frozen=True)
class GeneratorOptions(Options):
    """What is generated, of what, and how long a generator learns."""

    classes: str | None = option(
        None, "The rare classes, with commas between; a name with a comma in double quotes.", metavar="LIST"
    )
    n: int | str = option(
        "auto",
        "Images of each class by each generator; auto: four times those of the rarest class.",
        metavar="auto|N",
        allowed=auto_or(whole_numbers(1, 100_000)),
    )
    size: int | str = option(
        "auto",
        "Side of the canvas in pixels; auto: the smallest that holds nine in ten images.",
        metavar="auto|N",
        allowed=auto_or(one_of(*SIDES)),
    )
    steps: int = option(2500, "Steps of learning at most; copying ends it sooner.", allowed=whole_numbers(10))
    folds: int = option(
        3, "Generators that leave out a part of the images each.", metavar="K", allowed=whole_numbers(2)
    )
    turned: str = option(
        "yes",
        "Whether turned and mirrored images are as likely; no, where a direction means something.",
        allowed=one_of("yes", "no"),
    )

    use: str = option(
        "features",
        "What a classifier that is tried with and without the images looks at.",
        allowed=one_of("features", "pixels", "none"),
    )

    def class_names(self) -> list[str]:
        """The rare classes by name; spaces around a name do not count."""
        if not self.classes:
            return []
        return [name.strip() for name in next(csv.reader([self.classes], skipinitialspace=True))]
