"""The options of `study`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graticule.options import SeedOptions, WorkersOptions, one_of, option, whole_numbers


@dataclass(frozen=True)
class StudyOptions(WorkersOptions, SeedOptions):
    """How large a study is."""

    FIRST = ("data", "target", "specimens", "new_specimens", "per_specimen", "finetune", SeedOptions)

    data: Path | None = option(
        None, "Folder with manifest.csv (target, group) to use in place of drawn pictures.", metavar="DIR"
    )
    target: str = option("fraction", "Column of the aligned fraction, 0 to 1.", metavar="COLUMN")
    specimens: int = option(80, "Drawn specimens to train on.", metavar="N", allowed=whole_numbers(10))
    new_specimens: int = option(40, "Drawn specimens to score once.", metavar="N", allowed=whole_numbers(10))
    per_specimen: int = option(6, "Pictures of each.", metavar="N", allowed=whole_numbers(1))
    finetune: str = option(
        "auto",
        "Also train the network itself, which takes longest; auto: where torch is installed.",
        allowed=one_of("auto", "none"),
    )
