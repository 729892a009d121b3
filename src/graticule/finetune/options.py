"""The options of the method "finetune"."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.finetune.recipe import AUGMENTATIONS, BALANCES, Wishes
from graticule.images.reading import ReadingOptions
from graticule.networks.backbones import DEFAULT_BACKBONE
from graticule.networks.session import VIEWS
from graticule.options import LoadingOptions
from graticule.split.options import SplitOptions

DEFAULT_VIEWS = 4


@dataclass(frozen=True)
class FinetuneOptions(Wishes, SplitOptions, ReadingOptions, LoadingOptions):
    """How the network itself is trained; None and "auto": chosen by network and data.

    Attributes
    ----------
    backbone : str
        An embedded backbone, or a timm model with the extra `torch`.
    weights : str, optional
        For timm models: a weight file, or "none" for random weights.
    views : 1, 4 or 8, optional
        Symmetries of the square that are averaged over; default 4, for networks trained on ultrasound 1.
    ensemble : bool
        Ship the networks of all folds instead of one refitted on all cross-validated samples.
    epochs, input_size, lr, augment, balance, frozen_blocks, compile
        See `graticule.finetune.recipe.Recipe`.
    device : str
        "auto", "cpu", "cuda", "cuda:N" or "mps".
    resume : bool
        Go on with an interrupted run in the same folder.
    """

    backbone: str = DEFAULT_BACKBONE
    weights: str | None = None
    views: int | None = None
    ensemble: bool = False
    device: str = "auto"
    resume: bool = False

    @property
    def views_settled(self) -> int:
        """The number of views; by default 4, but 1 for a network trained on pictures that have an up and a down."""
        if self.views is not None:
            return self.views
        return 1 if "ultrasound" in (self.augment, {"mask": "ultrasound"}.get(self.marks)) else DEFAULT_VIEWS

    def network_faults(self) -> list[str]:
        """What is wrong with the values."""
        faults = []
        if self.views_settled not in VIEWS:
            faults.append(f"--views {self.views}: allowed are {', '.join(map(str, VIEWS))}")
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
