"""The options on networks and on the views that their features are averaged over."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.options import Options, one_of, option

DEFAULT_BACKBONE = "efficientnet_lite0"
VIEWS = (1, 4, 8)
DEFAULT_VIEWS = 4


@dataclass(frozen=True)
class NetworkOptions(Options):
    """Which network, an embedded one or a timm model with the extra `torch`."""

    backbone: str = option(DEFAULT_BACKBONE, "Network, see `graticule backbones`.", metavar="NAME")
    weights: str | None = option(None, "Weights of a timm model; none: random numbers.", metavar="FILE|none")


@dataclass(frozen=True)
class ViewsOptions(Options):
    """How many symmetries of the square features are averaged over."""

    views: int = option(DEFAULT_VIEWS, "Average features over rotations and flips.", allowed=one_of(*VIEWS))
