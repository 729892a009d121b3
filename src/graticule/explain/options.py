"""The options of explanations: how many images and classes, and by which method."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.images.options import DepthOptions
from graticule.networks.options import DeviceOptions
from graticule.options import RootOptions, SeedOptions, WorkOptions, option, whole_numbers

METHODS = ("hirescam", "gradcam", "gradcam++", "occlusion")


@dataclass(frozen=True)
class ExplainOptions(RootOptions, SeedOptions, WorkOptions, DeviceOptions, DepthOptions):
    """Options of `explain`."""

    limit: int = option(
        64,
        "Most images, taken evenly over the predicted classes; 0: all.",
        metavar="N",
        allowed=whole_numbers(0, note=" (all)"),
    )
    top: int = option(3, "Classes with a map per image.", metavar="N", allowed=whole_numbers(1))
    method: str = option(
        "auto",
        "auto: hirescam where the features are pooled maps, else occlusion.",
        metavar="|".join(("auto", *METHODS)),
    )
