"""The options of the method "finetune"."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.images.options import ReadingOptions
from graticule.networks.options import DEFAULT_VIEWS, TORCH_DEVICES, InputOptions, NetworkOptions, device_option
from graticule.options import Options, RootOptions, WorkersOptions, number_of, numbers, one_of, option, whole_numbers
from graticule.split.options import SplitOptions

AUGMENTATIONS = ("auto", "microscopy", "unscaled", "ultrasound", "none")
BALANCES = ("auto", "loss", "none")


@dataclass(frozen=True)
class RecipeOptions(Options):
    """How the network itself is trained; None and "auto": chosen by network and data, see `Recipe`."""

    epochs: int | None = option(
        None,
        "Passes over the images; default by their number.",
        metavar="N",
        allowed=whole_numbers(1),
        method="finetune",
    )
    lr: float | None = option(
        None,
        "Highest learning rate; default by the network.",
        metavar="X",
        allowed=numbers("numbers above 0 and below 1", lambda rate: 0 < rate < 1),
        method="finetune",
    )
    augment: str = option("auto", "How training images are varied.", allowed=one_of(*AUGMENTATIONS), method="finetune")
    balance: str = option(
        "auto", "Weigh rare classes in the loss; auto: if rare.", allowed=one_of(*BALANCES), method="finetune"
    )
    frozen_blocks: int = option(
        0,
        "The first N blocks keep their weights, which is faster.",
        metavar="N",
        allowed=whole_numbers(0),
        method="finetune",
    )
    compile: bool = option(False, "Let torch compile the network; pays on a GPU.", method="finetune")
    ensemble: bool = option(False, "Ship the networks of all folds instead of one refitted.", method="finetune")
    resume: bool = option(False, "Go on with the interrupted run in --out.", alters=False, method="finetune")


@dataclass(frozen=True)
class StepOptions(Options):
    """How many images are worked on at a time."""

    batch_size: int | None = option(
        None,
        "Images per network call, default 8, on another device 32; finetune: per training step, default 32.",
        metavar="N",
        allowed=whole_numbers(1),
        alters="finetune",
    )


@dataclass(frozen=True)
class FinetuneOptions(
    RecipeOptions, InputOptions, NetworkOptions, ReadingOptions, SplitOptions, RootOptions, WorkersOptions, StepOptions
):
    """All that the training of a network depends on."""

    device: str = device_option(*TORCH_DEVICES)

    @property
    def views_settled(self) -> int:
        """The number of views; by default 4, but 1 for a network trained on pictures that have an up and a down."""
        asked = number_of(self.views)
        if asked is not None:
            return asked
        return 1 if "ultrasound" in (self.augment, {"mask": "ultrasound"}.get(self.marks)) else DEFAULT_VIEWS
