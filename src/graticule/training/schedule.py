"""How long and how fast a network is trained, whatever for.

Sources: warm-up and cosine (Loshchilov and Hutter, 2017), AdamW (2019), moving average of the weights (Polyak and
Juditsky, 1992).
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How the optimiser goes about it.

    Attributes
    ----------
    epochs : int
        Passes over the training images.
    batch_size : int
        Images per step, over all processes: results do not depend on the number of processes.
    lr : float
        Highest learning rate of the last layers, for this batch size.
    weight_decay, warm_up, clip, average : float
        AdamW's decay; share of the steps in which the rate rises; largest norm of the gradient; decay of the moving
        average of the weights per step.
    patience : float
        Share of the epochs without a better validation loss after which training stops.
    precision : "float32" or "bfloat16"
    compile : bool
        Whether torch compiles the network, which takes minutes and pays on a GPU.
    """

    epochs: int
    batch_size: int
    lr: float
    weight_decay: float = 0.02
    warm_up: float = 0.15
    clip: float = 1.0
    average: float = 0.99
    patience: float = 0.4
    precision: str = "float32"
    compile: bool = False


def rate_at(step: int, steps: int, warm_up: float) -> float:
    """Share of the highest learning rate at a step of `steps`: a linear rise, then half a cosine down to 0."""
    rising = max(1, round(warm_up * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1.0 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def average_at(step: int, decay: float) -> float:
    """Decay of the moving average after `step` steps: short memory at first."""
    return min(decay, (1.0 + step) / (10.0 + step))
