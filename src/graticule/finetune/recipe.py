"""Every choice of a fine-tuning run in one frozen object, with defaults that fit the network and the data.

Sources: label smoothing (Szegedy et al., 2016), layer-wise learning rates (Howard and Ruder, 2018).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from graticule.finetune.options import FinetuneOptions
from graticule.options import number_of
from graticule.training.schedule import Schedule

SHOWN = 26_000  # images shown to the network in all, when the user says nothing
MIN_EPOCHS, MAX_EPOCHS = 5, 40
BATCH_SIZE = 32
AT_ONCE = 64
SMALL_INPUT = 160
IMBALANCE = 1.5
ENOUGH_FOR_STATISTICS = 600


@dataclass(frozen=True, kw_only=True)
class Recipe(Schedule):
    """How one network is trained: its `Schedule`, and what is special to networks that classify images.

    Attributes
    ----------
    input_size : int
        Side of the square input, pixels.
    augment : "microscopy", "unscaled", "ultrasound" or "none"
    balance : "loss" or "none"
        Whether the loss weighs classes by the inverse square root of their size.
    frozen_blocks : int
        How many blocks, from the input on, keep their weights.
    statistics : "kept" or "learned"
        Means and variances of batch normalisation: those of the pretrained network, or new ones. New ones fit
        microscopy better than those of photographs, but a few hundred images do not suffice to learn them.
    layer_decay : float
        Factor of the learning rate from one block to the one before it.
    label_smoothing, drop_rate : float
        Of the loss; dropout before the last layer.
    validation : float
        Share of the training part that chooses the epoch and the temperature.
    """

    input_size: int
    augment: str = "microscopy"
    balance: str = "none"
    frozen_blocks: int = 0
    statistics: str = "learned"
    layer_decay: float = 0.97
    label_smoothing: float = 0.05
    drop_rate: float = 0.2
    validation: float = 0.12

    @property
    def at_once(self) -> int:
        """Images scored at once: no more than are trained at once, since for these memory was made to suffice."""
        return min(AT_ONCE, self.batch_size)

    def to_json(self) -> dict[str, Any]:
        """All choices as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Circumstances:
    """What the defaults depend on.

    Attributes
    ----------
    n_train, largest, smallest : int
        Training images, and images of the largest and the smallest class.
    parameters : int
        Of the network.
    normalised : bool
        Whether the network has batch or layer normalisation; without it (VGG) it bears small steps only.
    pretrained : bool
    native_size, min_size : int
        Input the network was trained at, and the smallest that it takes, pixels.
    gpu, bfloat16 : bool
        Whether there is a GPU, and whether it computes in bfloat16 itself.
    ultrasound : bool
    sized : bool
        Whether sizes may be what is learnt, so that training images keep their scale.
    """

    n_train: int
    largest: int
    smallest: int
    parameters: int
    normalised: bool
    pretrained: bool
    native_size: int
    min_size: int
    gpu: bool
    bfloat16: bool = False
    ultrasound: bool = False
    sized: bool = False


def choose_recipe(options: FinetuneOptions, found: Circumstances) -> Recipe:
    """What the user asked for, and a fitting default for everything else.

    About 26,000 images are shown in all, in 5 to 40 epochs. The input is the network's own size on a GPU and 160 px on
    a processor, where its cost would else exceed a laptop's patience.
    """
    epochs = options.epochs or min(MAX_EPOCHS, max(MIN_EPOCHS, round(SHOWN / max(1, found.n_train))))
    batch_size = options.batch_size or min(BATCH_SIZE, max(4, found.n_train // 8))
    size = number_of(options.input_size) or default_size(found.native_size, found.min_size, gpu=found.gpu)
    augment = options.augment
    if augment == "auto":
        augment = "ultrasound" if found.ultrasound else "unscaled" if found.sized else "microscopy"
    balance = options.balance
    if balance == "auto":
        balance = "loss" if found.largest > IMBALANCE * found.smallest else "none"
    return Recipe(
        epochs=epochs,
        batch_size=batch_size,
        input_size=size,
        lr=options.lr or default_rate(found) * math.sqrt(batch_size / BATCH_SIZE),
        augment=augment,
        balance=balance,
        frozen_blocks=options.frozen_blocks,
        statistics="kept" if found.pretrained and found.n_train < ENOUGH_FOR_STATISTICS else "learned",
        layer_decay=0.97 if found.pretrained else 1.0,
        precision="bfloat16" if found.bfloat16 else "float32",
        compile=options.compile,
    )


def default_size(native: int, least: int, *, gpu: bool) -> int:
    """Side of the input, pixels, of a network made for `native` pixels that takes no fewer than `least`."""
    return native if gpu or least == native else max(SMALL_INPUT, least)


def default_rate(found: Circumstances) -> float:
    """Learning rate for a batch of 32."""
    if not found.normalised:
        return 1e-4
    if not found.pretrained:
        return 2e-3
    return 1.5e-3 if found.parameters < 15_000_000 else 5e-4
