"""The options on networks and on the views that their features are averaged over."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graticule.options import AUTO, Allowed, Options, auto_or, one_of, option, whole_numbers

DEFAULT_BACKBONE = "efficientnet_lite0"
VIEWS = (1, 4, 8)
DEFAULT_VIEWS = 4


# what computes a network through ONNX Runtime, and what torch trains one on
DEVICES = ("auto", "cpu", "cuda", "cuda:N", "openvino", "coreml", "directml")
TORCH_DEVICES = ("auto", "cpu", "cuda", "cuda:N", "mps")


def device_option(*names: str) -> str:
    """The option on what computes a network, with the names that a verb or a method takes."""
    return option(
        "auto",
        "What computes the network; auto: the best that is installed and agrees with the processor.",
        metavar="|".join(names),
        allowed=Allowed(", ".join(names), lambda device: is_device(str(device), names)),
    )


def is_device(device: str, names: tuple[str, ...]) -> bool:
    """Whether a device is one of some names, in which N stands for a number."""
    return re.fullmatch("|".join(name.replace("N", r"\d{1,3}") for name in names), device) is not None


@dataclass(frozen=True)
class DeviceOptions(Options):
    """What computes a network whose weights are fixed."""

    device: str = device_option(*DEVICES)


@dataclass(frozen=True)
class NetworkOptions(Options):
    """Which network, an embedded one or a timm model with the extra `torch`."""

    backbone: str = option(DEFAULT_BACKBONE, "Network, see `graticule backbones`.", metavar="NAME")
    weights: str | None = option(None, "Weights of a timm model; none: random numbers.", metavar="FILE|none")


@dataclass(frozen=True)
class InputOptions(Options):
    """How large the network's input is, and how many views are averaged, where `train` may choose."""

    input_size: int | str = option(
        AUTO,
        "Side of the input, px; auto: the smallest that loses nothing on training folds; finetune: 160, on a GPU the "
        "network's own.",
        metavar="auto|N",
        allowed=auto_or(whole_numbers(16)),
    )
    views: int | str = option(
        AUTO,
        "Average over rotations and flips; auto: as many as gain on training folds; finetune: 4, for ultrasound 1.",
        metavar="|".join(map(str, (AUTO, *VIEWS))),
        allowed=one_of(AUTO, *VIEWS),
    )


@dataclass(frozen=True)
class ViewsOptions(Options):
    """How many symmetries of the square features are averaged over."""

    views: int = option(DEFAULT_VIEWS, "Average features over rotations and flips.", allowed=one_of(*VIEWS))
