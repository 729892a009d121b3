"""A timm model as a classifier that can be trained in stages: trunk, pooled vector, one linear layer.

The trunk is divided into blocks in the order in which they run, for learning rates that grow from the input to the
output, for freezing, and for keeping the maps of a frozen part. What a model does is found out by running it on random
numbers, so that no list of architectures is needed.

Importing this module without the extra `torch` raises BackboneError with the install command.
"""

import functools
from dataclasses import dataclass
from typing import Any

from graticule.errors import BackboneError
from graticule.networks.backbones import find_embedded
from graticule.networks.timm_hub import checked_timm, timm_config

try:
    import torch
    from timm.layers import convert_sync_batchnorm

    from graticule.finetune.layout import as_nchw, probe
    from graticule.finetune.weights import Origin, bare_trunk, loaded_trunk
except ImportError:
    checked_timm("resnet18")  # raises with the install command
    raise

_MIN_SIZE = 32
_HEAD_DEVIATION = 0.01
_PROBE_SIZE = 128  # leaves several places in the last maps, so that pooling can be told from other layers


@dataclass(frozen=True)
class NetworkSpec:
    """What a backbone's name says, without its weights.

    Attributes
    ----------
    name : str
        timm's name of the model.
    input_size, min_size : int
        Side of the square input it was made for, and the smallest that it accepts, pixels.
    mean, std : tuple of three floats
        Normalisation (x - mean) / std of the channels, x in 0..255.
    fixed_size : bool
        Whether it accepts `input_size` only.
    """

    name: str
    input_size: int
    min_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fixed_size: bool = False


@functools.cache
def network_spec(name: str) -> NetworkSpec:
    """The spec of a timm model or an embedded backbone.

    The smallest input is found by running the architecture without numbers (torch's meta device).

    Raises
    ------
    BackboneError
        When the name is unknown (the nearest names are shown), or torch or timm is missing.
    """
    embedded = find_embedded(name)
    if embedded is not None:
        checked_timm(embedded.timm_name)
        return NetworkSpec(embedded.timm_name, embedded.input_size, _MIN_SIZE, embedded.mean, embedded.std)
    config = timm_config(name)
    size, fixed = int(config["input_size"][-1]), bool(config.get("fixed_input_size"))
    return NetworkSpec(
        name=name,
        input_size=size,
        min_size=size if fixed else _smallest(name, size),
        mean=_three(config["mean"]),
        std=_three(config["std"]),
        fixed_size=fixed,
    )


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    """Statistics of the channels in 0..255 units."""
    red, green, blue = (255.0 * float(v) for v in values)
    return red, green, blue


def _smallest(name: str, size: int) -> int:
    """The smallest input, from 32 pixels, that leaves every layer something to look at."""
    low, high = _MIN_SIZE - 1, size
    if runs_at(name, _MIN_SIZE):
        return _MIN_SIZE
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if runs_at(name, middle) else (middle, high)
    return high


def runs_at(name: str, side: int) -> bool:
    """Whether timm's architecture takes inputs of so many pixels; some take multiples of 32 only."""
    try:
        _outline(name).forward_features(torch.zeros((1, 3, side, side), device="meta"))
    except (RuntimeError, AssertionError, ValueError):
        return False
    return True


@functools.lru_cache(maxsize=1)
def _outline(name: str) -> Any:
    """The architecture without numbers."""
    with torch.device("meta"):
        return bare_trunk(name).eval()


class Classifier(torch.nn.Module):  # type: ignore[misc]
    """A timm trunk with one linear layer.

    Parameters
    ----------
    spec : NetworkSpec
    trunk : torch.nn.Module
        A timm model without classifier.
    n_classes : int
    seed : int
        Of the linear layer's first weights.
    drop_rate : float
        Share of the vector's numbers that training drops before the linear layer.

    Attributes
    ----------
    n_features : int
        Length of the vector before the linear layer.
    n_channels : int or None
        Number of last maps; None when the model has none.
    maps_pool_to_features : bool
        Whether that vector is the mean of the last maps over space. Some models do more after pooling (a norm in
        ConvNeXt, a layer in MobileNetV3), and then keep it.
    sequential : bool
        Whether running the blocks one after the other gives the maps.
    """

    def __init__(
        self, spec: NetworkSpec, trunk: torch.nn.Module, n_classes: int, *, seed: int = 0, drop_rate: float = 0.0
    ) -> None:
        super().__init__()
        layout = probe(trunk, _probe_size(spec))
        self.spec, self.trunk, self.n_classes, self.drop_rate = spec, trunk, n_classes, drop_rate
        self.n_features, self.n_channels = layout.n_features, layout.n_channels
        self.maps_pool_to_features, self.sequential = layout.pools, layout.sequential
        self._kind = layout.kind
        self._blocks = list(layout.blocks)
        self.classifier = torch.nn.Linear(self.n_features, n_classes)
        generator = torch.Generator().manual_seed(seed)
        torch.nn.init.normal_(self.classifier.weight, std=_HEAD_DEVIATION, generator=generator)
        torch.nn.init.zeros_(self.classifier.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, K) of normalised pixels (N, 3, H, W)."""
        return self.classify(self.features(x))

    def classify(self, vector: torch.Tensor) -> torch.Tensor:
        """Logits (N, K) of vectors (N, C)."""
        dropped = torch.nn.functional.dropout(vector, self.drop_rate, self.training)
        logits: torch.Tensor = self.classifier(dropped)
        return logits

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        """The last feature maps (N, C', h, w).

        Raises
        ------
        BackboneError
            When the model has none, or x is not of its size.
        """
        if self.n_channels is None:
            raise BackboneError(f"{self.spec.name} has no feature maps in space")
        return as_nchw(self._last(x), self._kind, self.trunk)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The vector (N, C) before the linear layer."""
        return self._vector(self._last(x))

    def maps_and_features(self, x: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor]:
        """The last maps (None when the model has none) and the vector, from one run of the trunk."""
        last = self._last(x)
        if self.n_channels is None:
            return None, self._vector(last)
        return as_nchw(last, self._kind, self.trunk), self._vector(last)

    def pooled(self, maps: torch.Tensor) -> torch.Tensor:
        """The vector (N, C) of the last maps, as `maps` or the last `stage` gives them.

        Raises
        ------
        BackboneError
            When the model makes its vector of more than its maps.
        """
        if self.maps_pool_to_features:
            return maps.mean(dim=(2, 3))
        if self._kind not in ("nchw", "nhwc"):
            raise BackboneError(f"the vector of {self.spec.name} is not made of its maps alone")
        return self._vector(maps if self._kind == "nchw" else maps.permute(0, 2, 3, 1))

    def synchronise(self) -> None:
        """Let batch normalisation take its statistics over all processes, each of which has a GPU.

        timm joins activations to some norms; its own conversion keeps them. Parameters stay the same objects. Only on
        the processor, before the network moves to its GPU.
        """
        self.trunk = convert_sync_batchnorm(self.trunk)
        self._blocks = list(probe(self.trunk, _probe_size(self.spec)).blocks)

    def blocks(self) -> list[tuple[str, torch.nn.Module]]:
        """The trunk up to its pooling, from the input on: every parameter of it stands in exactly one block."""
        return list(self._blocks)

    def stage(self, x: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Run the blocks start, ..., stop - 1.

        Parameters
        ----------
        x : float tensor
            Normalised pixels (start = 0) or what `stage(..., stop=start)` gave.
        start, stop : int

        Raises
        ------
        BackboneError
            When the model is more than a row of blocks.
        """
        if not self.sequential:
            raise BackboneError(f"{self.spec.name} is not a plain row of blocks and cannot be run in parts")
        for _, block in self._blocks[start:stop]:
            x = block(x)
        return as_nchw(x, self._kind, self.trunk) if start < stop == len(self._blocks) else x

    def _last(self, x: torch.Tensor) -> torch.Tensor:
        if self.spec.fixed_size and tuple(x.shape[2:]) != (self.spec.input_size,) * 2:
            raise BackboneError(
                f"{self.spec.name} accepts {self.spec.input_size} pixels only, not {tuple(x.shape[2:])}. "
                f"Use --input-size {self.spec.input_size}"
            )
        last: torch.Tensor = self.trunk.forward_features(x)
        return last

    def _vector(self, last: torch.Tensor) -> torch.Tensor:
        if self.maps_pool_to_features:
            return as_nchw(last, self._kind, self.trunk).mean(dim=(2, 3))
        vector: torch.Tensor = self.trunk.forward_head(last, pre_logits=True).flatten(1)
        return vector


def _probe_size(spec: NetworkSpec) -> int:
    return max(spec.min_size, min(spec.input_size, _PROBE_SIZE))


def build_network(
    name: str, n_classes: int, *, weights: str | None, seed: int, drop_rate: float = 0.0
) -> tuple[Classifier, Origin]:
    """A classifier with its weights, on the CPU and in training mode.

    Parameters
    ----------
    name : str
        A timm model or an embedded backbone.
    n_classes : int
    weights : str, optional
        A .safetensors or .pth file; "none" for random weights; by default the embedded ones or those of timm's hub.
    seed : int
        Of the random weights: all with "none", else of the linear layer. torch's own generator is left as it was.
    drop_rate : float
        Share of the vector's numbers that training drops.

    Raises
    ------
    BackboneError
        When the name is unknown, or the weights cannot be had or do not fit.
    """
    spec = network_spec(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk, origin = loaded_trunk(spec.name, weights)
        return Classifier(spec, trunk, n_classes, seed=seed, drop_rate=drop_rate), origin
