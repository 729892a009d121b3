"""The options of `graticule train`, shared by the command line and the Python interface."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from graticule.data.reading import ReadingOptions
from graticule.errors import OptionError
from graticule.finetune.recipe import AUGMENTATIONS, BALANCES
from graticule.jobs.kinship import NEAR_DUPLICATES
from graticule.jobs.samples import option_faults
from graticule.manifest import escape_path
from graticule.models.backbones import DEFAULT_BACKBONE
from graticule.models.head_search import HEADS
from graticule.models.network import VIEWS

METHODS = ("features", "finetune")
DEFAULT_VIEWS = 4
FEATURES_ONLY = ("head", "refit", "size_features")
FINETUNE_ONLY = (
    "ensemble",
    "epochs",
    "input_size",
    "lr",
    "augment",
    "balance",
    "frozen_blocks",
    "compile",
    "device",
    "resume",
)


@dataclass(frozen=True)
class TrainOptions(ReadingOptions):
    """Options of `train`, as on the command line; those of `ReadingOptions` as well.

    Attributes
    ----------
    method : "features" or "finetune"
        A classifier on frozen features, or the network itself trained (extra `torch`).
    backbone : str
        An embedded backbone, or a timm model with the extra `torch`.
    weights : str, optional
        For timm models: a weight file, or "none" for random weights.
    head : "auto", "logistic" or "svm"
        Of the method "features".
    folds : int
        2 or more; 1 with a held-out part.
    test_size : float
        Share of the samples held out, in [0, 0.9).
    calibration : float
        Share of the samples set aside for the calibration of the shipped model, in [0, 0.9): what it says of accepted
        images and of prediction sets is then guaranteed, not estimated.
    group : str
        "auto" (column "group" when present), "none", or a column.
    views : 1, 4 or 8, optional
        Symmetries of the square that features are averaged over; default 4, for networks trained on ultrasound 1.
    refit : bool
        Features: ship one head fitted on all cross-validated samples instead of the mean of the fold heads.
    ensemble : bool
        Finetune: ship the networks of all folds instead of one refitted on all cross-validated samples.
    epochs, input_size, lr, augment, balance, frozen_blocks, compile
        Finetune, see `graticule.finetune.recipe.Recipe`; None and "auto": chosen by network and data.
    device : str
        Finetune: "auto", "cpu", "cuda", "cuda:N" or "mps".
    resume : bool
        Finetune: go on with an interrupted run in the same folder.
    near_duplicates : "auto", "join" or "exact"
        Whether near-duplicates stay on one side of a split, or only exact ones; "auto": they do, unless that leaves
        too few units for the folds. The report asks about near-duplicates that chain into a tenth of a class.
    allow_leaks : bool
        Measure on the split as brought, although something stands on both sides; the report is stamped.
    seed : int
    root : Path, optional
        What the paths of a manifest are relative to, default its folder.
    workers : int, optional
        Changes no result.
    batch_size : int, optional
        Features: images per network call, changes no result. Finetune: images per training step.
    """

    method: str = "features"
    backbone: str = DEFAULT_BACKBONE
    weights: str | None = None
    head: str = "auto"
    folds: int = 5
    test_size: float = 0.0
    calibration: float = 0.0
    group: str = "auto"
    views: int | None = None
    refit: bool = False
    ensemble: bool = False
    epochs: int | None = None
    input_size: int | None = None
    lr: float | None = None
    augment: str = "auto"
    balance: str = "auto"
    frozen_blocks: int = 0
    compile: bool = False
    device: str = "auto"
    resume: bool = False
    near_duplicates: str = "auto"
    allow_leaks: bool = False
    seed: int = 0
    root: Path | None = None
    workers: int | None = None
    batch_size: int | None = None

    @property
    def views_settled(self) -> int:
        """The number of views; by default 4, but 1 for a network trained on pictures that have an up and a down."""
        if self.views is not None:
            return self.views
        sided = self.method == "finetune" and "ultrasound" in (self.augment, {"mask": "ultrasound"}.get(self.marks))
        return 1 if sided else DEFAULT_VIEWS

    def check(self) -> None:
        """Raise one OptionError that lists every option out of range."""
        faults = []
        if self.head not in HEADS:
            faults.append(f"--head {self.head}: allowed are {', '.join(HEADS)}")
        if self.folds < 1:
            faults.append(f"--folds {self.folds}: allowed are whole numbers from 1")
        if not 0.0 <= self.test_size < 0.9:
            faults.append(f"--test-size {self.test_size}: allowed are shares from 0 to below 0.9")
        if not 0.0 <= self.calibration < 0.9:
            faults.append(f"--calibration {self.calibration}: allowed are shares from 0 to below 0.9")
        if self.views_settled not in VIEWS:
            faults.append(f"--views {self.views}: allowed are {', '.join(map(str, VIEWS))}")
        if self.near_duplicates not in NEAR_DUPLICATES:
            faults.append(f"--near-duplicates {self.near_duplicates}: allowed are {', '.join(NEAR_DUPLICATES)}")
        if self.method not in METHODS:
            faults.append(f"--method {self.method}: allowed are {', '.join(METHODS)}")
        faults += self._method_faults()
        faults += self.faults() + option_faults(self.workers, self.batch_size or 1, self.seed)
        if faults:
            raise OptionError("; ".join(faults))

    def _method_faults(self) -> list[str]:
        """Options out of range, and options of the other method."""
        other = FINETUNE_ONLY if self.method == "features" else FEATURES_ONLY
        plain = TrainOptions()
        faults = [
            f"--{name.replace('_', '-')} belongs to --method {'finetune' if self.method == 'features' else 'features'}"
            for name in other
            if getattr(self, name) != getattr(plain, name)
        ]
        if self.batch_size is not None and self.batch_size < 1:
            faults.append(f"--batch-size {self.batch_size}: allowed are whole numbers from 1")
        faults += [
            f"--{name.replace('_', '-')} {value}: allowed are whole numbers from {least}"
            for name, least in (("epochs", 1), ("input_size", 16), ("frozen_blocks", 0))
            if (value := getattr(self, name)) is not None and value < least
        ]
        if self.lr is not None and not 0 < self.lr < 1:
            faults.append(f"--lr {self.lr}: allowed are numbers above 0 and below 1")
        if self.augment not in AUGMENTATIONS:
            faults.append(f"--augment {self.augment}: allowed are {', '.join(AUGMENTATIONS)}")
        if self.balance not in BALANCES:
            faults.append(f"--balance {self.balance}: allowed are {', '.join(BALANCES)}")
        return faults

    def to_json(self) -> dict[str, Any]:
        """All options as plain values."""
        return {name: escape_path(str(v)) if isinstance(v, Path) else v for name, v in asdict(self).items()}

    def command(self, data: Path, out: Path) -> str:
        """The command line that repeats this run; only options that differ from the defaults."""
        words = ["graticule", "train", escape_path(str(data)), "--out", escape_path(str(out))]
        # what changes no result is left out
        plain = replace(TrainOptions(), workers=self.workers, resume=self.resume)
        defaults = asdict(plain if self.method == "finetune" else replace(plain, batch_size=self.batch_size))
        for name, value in asdict(self).items():
            if value != defaults[name]:
                flag = "--" + name.replace("_", "-")
                words += [flag] if value is True else [flag, escape_path(str(value))]
        return shlex.join(words)
