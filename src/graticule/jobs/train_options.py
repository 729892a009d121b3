"""The options of `graticule train`, shared by the command line and the Python interface."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from graticule.data.reading import ReadingOptions
from graticule.errors import OptionError
from graticule.jobs.kinship import NEAR_DUPLICATES
from graticule.jobs.samples import option_faults
from graticule.manifest import escape_path
from graticule.models.backbones import DEFAULT_BACKBONE
from graticule.models.head_search import HEADS
from graticule.models.network import VIEWS


@dataclass(frozen=True)
class TrainOptions(ReadingOptions):
    """Options of `train`, as on the command line; those of `ReadingOptions` as well.

    Attributes
    ----------
    backbone : str
        An embedded backbone, or a timm model with the extra `torch`.
    weights : str, optional
        For timm models: a weight file, or "none" for random weights.
    head : "auto", "logistic" or "svm"
    folds : int
        2 or more; 1 with a held-out part.
    test_size : float
        Share of the samples held out, in [0, 0.9).
    group : str
        "auto" (column "group" when present), "none", or a column.
    views : int
        1, 4 or 8.
    refit : bool
        Ship one head fitted on all cross-validated samples instead of the mean of the fold heads.
    near_duplicates : "auto", "join" or "exact"
        Whether near-duplicates stay on one side of a split, or only exact ones; "auto": they do, unless that leaves
        too few units for the folds. The report asks about near-duplicates that chain into a tenth of a class.
    allow_leaks : bool
        Measure on the split as brought, although something stands on both sides; the report is stamped.
    seed : int
    root : Path, optional
        What the paths of a manifest are relative to, default its folder.
    workers, batch_size : int
        Neither changes a result.
    """

    backbone: str = DEFAULT_BACKBONE
    weights: str | None = None
    head: str = "auto"
    folds: int = 5
    test_size: float = 0.0
    group: str = "auto"
    views: int = 4
    refit: bool = False
    near_duplicates: str = "auto"
    allow_leaks: bool = False
    seed: int = 0
    root: Path | None = None
    workers: int | None = None
    batch_size: int = 8

    def check(self) -> None:
        """Raise one OptionError that lists every option out of range."""
        faults = []
        if self.head not in HEADS:
            faults.append(f"--head {self.head}: allowed are {', '.join(HEADS)}")
        if self.folds < 1:
            faults.append(f"--folds {self.folds}: allowed are whole numbers from 1")
        if not 0.0 <= self.test_size < 0.9:
            faults.append(f"--test-size {self.test_size}: allowed are shares from 0 to below 0.9")
        if self.views not in VIEWS:
            faults.append(f"--views {self.views}: allowed are {', '.join(map(str, VIEWS))}")
        if self.near_duplicates not in NEAR_DUPLICATES:
            faults.append(f"--near-duplicates {self.near_duplicates}: allowed are {', '.join(NEAR_DUPLICATES)}")
        faults += self.faults() + option_faults(self.workers, self.batch_size, self.seed)
        if faults:
            raise OptionError("; ".join(faults))

    def to_json(self) -> dict[str, Any]:
        """All options as plain values."""
        return {name: escape_path(str(v)) if isinstance(v, Path) else v for name, v in asdict(self).items()}

    def command(self, data: Path, out: Path) -> str:
        """The command line that repeats this run; only options that differ from the defaults."""
        words = ["graticule", "train", escape_path(str(data)), "--out", escape_path(str(out))]
        # neither of them changes a result
        defaults = asdict(replace(TrainOptions(), workers=self.workers, batch_size=self.batch_size))
        for name, value in asdict(self).items():
            if value != defaults[name]:
                flag = "--" + name.replace("_", "-")
                words += [flag] if value is True else [flag, escape_path(str(value))]
        return shlex.join(words)
