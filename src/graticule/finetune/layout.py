"""How a timm trunk is built, found by running it on random numbers: its blocks in order, and what follows its maps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

_TOLERANCE = 1e-4
_NORMS = (torch.nn.modules.batchnorm._NormBase, torch.nn.GroupNorm, torch.nn.LayerNorm)

Blocks = list[tuple[str, torch.nn.Module]]


@dataclass(frozen=True)
class Layout:
    """What one run tells.

    Attributes
    ----------
    n_features : int
        Length of the vector before a classifier.
    n_channels : int or None
        Last feature maps; None when the trunk has none in space.
    kind : str
        What `forward_features` returns: "nchw", "nhwc", "tokens" or "other".
    pools : bool
        Whether the vector is the mean of the maps.
    sequential : bool
        Whether running the blocks one after the other gives what `forward_features` gives.
    blocks : list of (name, module)
    """

    n_features: int
    n_channels: int | None
    kind: str
    pools: bool
    sequential: bool
    blocks: Blocks = field(repr=False)


def probe(trunk: Any, size: int) -> Layout:
    """The layout of a trunk, which is run on two random images of `size` pixels; its mode is left as it was."""
    training = trunk.training
    trunk.eval()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((2, 3, size, size), generator=generator)
    with torch.no_grad():
        last, called = _watched(trunk, x)
        blocks = _merged(_units(trunk, called))
        vector = trunk.forward_head(last, pre_logits=True)
        kind = _kind(last, trunk)
        maps = None if kind == "other" else as_nchw(last, kind, trunk)
        # vectors that stand in space are pooled over it (VGG without its fully connected layers)
        pools = maps is not None and (vector.shape == maps.shape or _equal(vector.flatten(1), maps.mean(dim=(2, 3))))
        sequential = kind in ("nchw", "nhwc") and _composes(blocks, x, last)
    trunk.train(training)
    return Layout(
        n_features=int(maps.shape[1]) if pools and maps is not None else int(vector.flatten(1).shape[1]),
        n_channels=None if maps is None else int(maps.shape[1]),
        kind=kind,
        pools=pools,
        sequential=sequential,
        blocks=_loose(trunk, blocks) + blocks,
    )


def as_nchw(last: torch.Tensor, kind: str, trunk: Any) -> torch.Tensor:
    """A trunk's output as maps (N, C', h, w); tokens form a square."""
    if kind == "nhwc":
        return last.permute(0, 3, 1, 2)
    if kind == "tokens":
        tokens = last[:, getattr(trunk, "num_prefix_tokens", 0) :]
        side = math.isqrt(tokens.shape[1])
        return tokens.transpose(1, 2).unflatten(2, (side, side))
    return last


def _kind(last: Any, trunk: Any) -> str:
    if not isinstance(last, torch.Tensor):
        return "other"
    if last.ndim == 4:
        return "nchw" if last.shape[1] == trunk.num_features else "nhwc"
    places = last.shape[1] - getattr(trunk, "num_prefix_tokens", 0) if last.ndim == 3 else 0
    return "tokens" if places and math.isqrt(places) ** 2 == places else "other"


def _watched(trunk: Any, x: torch.Tensor) -> tuple[Any, dict[torch.nn.Module, int]]:
    """The last features of x, and every module that was run, with its place in the order."""
    called: dict[torch.nn.Module, int] = {}

    def note(module: torch.nn.Module, _: Any) -> None:
        called.setdefault(module, len(called))

    hooks = [module.register_forward_pre_hook(note) for module in trunk.modules() if module is not trunk]
    try:
        return trunk.forward_features(x), called
    finally:
        for hook in hooks:
            hook.remove()


def _units(trunk: Any, called: dict[torch.nn.Module, int]) -> Blocks:
    """The outermost modules that were run, plain sequences taken apart, in the order of the run."""

    def inside(module: torch.nn.Module, name: str) -> Iterator[tuple[str, torch.nn.Module]]:
        row = isinstance(module, torch.nn.Sequential) and all(child in called for child in module)
        if module in called and not row:
            yield name, module
            return
        for child_name, child in module.named_children():
            yield from inside(child, f"{name}.{child_name}" if name else child_name)

    return sorted(inside(trunk, ""), key=lambda unit: called[unit[1]])


def _merged(units: Blocks) -> Blocks:
    """Units joined to blocks: what has no weights, and a norm, belongs to the unit before it."""
    groups: list[Blocks] = []
    for name, module in units:
        follows = isinstance(module, _NORMS) or not any(True for _ in module.parameters())
        if groups and follows:
            groups[-1].append((name, module))
        else:
            groups.append([(name, module)])
    return [(g[0][0], g[0][1] if len(g) == 1 else torch.nn.Sequential(*(m for _, m in g))) for g in groups]


def _loose(trunk: Any, blocks: Blocks) -> Blocks:
    """The parameters that no module run holds but that act on the maps (position embeddings), as a first block."""
    held = {id(p) for _, block in blocks for p in block.parameters()}
    loose = [p for p in trunk.parameters(recurse=False) if id(p) not in held]
    return [("embeddings", torch.nn.ParameterList(loose))] if loose else []


def _composes(blocks: Blocks, x: torch.Tensor, last: torch.Tensor) -> bool:
    try:
        for _, block in blocks:
            x = block(x)
    except (RuntimeError, TypeError, ValueError, AttributeError, AssertionError, IndexError):
        return False  # blocks that take more than one input, or are joined otherwise
    return isinstance(x, torch.Tensor) and x.shape == last.shape and _equal(x, last)


def _equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.shape != b.shape:
        return False
    scale = float(b.abs().max())
    return scale > 0 and float((a - b).abs().max()) <= _TOLERANCE * scale
