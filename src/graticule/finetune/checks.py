"""What fine-tuning can know before it reads the images, and before it trains: told at once, not after hours."""

import functools
from collections.abc import Sequence
from typing import Any

import torch

from graticule.errors import OptionError
from graticule.finetune.export import check_room, export_onnx
from graticule.finetune.goal import FoldRows
from graticule.finetune.network import NetworkSpec, build_network, network_spec, runs_at
from graticule.finetune.options import FinetuneOptions
from graticule.finetune.recipe import Recipe, default_size
from graticule.networks.backbones import find_embedded
from graticule.options import number_of
from graticule.training.order import epoch_batches
from graticule.training.processes import Processes


def check_network(options: FinetuneOptions, *, gpu: bool) -> None:
    """Refuse weights, sizes, blocks and networks that cannot be trained or exported as asked.

    Raises
    ------
    BackboneError
        When the weights cannot be had or do not fit.
    OptionError
        When the network does not take the input size, or cannot be frozen as asked.
    ExportError
        When torch cannot write the network as ONNX, or the file would be too large.
    """
    spec = network_spec(options.backbone)
    size = number_of(options.input_size) or default_size(spec.input_size, spec.min_size, gpu=gpu)
    _check_size(spec, size)
    network, _ = build_network(options.backbone, 2, weights=options.weights, seed=options.seed)
    _check_frozen(spec, network, options.frozen_blocks)
    check_room(network, options.folds if options.ensemble else 1)
    if find_embedded(options.backbone) is None:
        _try_export(options.backbone, size)


def check_batches(recipe: Recipe, network: Any, parts: Sequence[FoldRows], processes: Processes) -> None:
    """Refuse batches that leave a process too few images.

    Parameters
    ----------
    recipe : Recipe
    network : Classifier
        Batch normalisation that learns its statistics needs two images.
    parts : sequence of FoldRows
        One entry per fold.
    processes : Processes

    Raises
    ------
    OptionError
        With the smallest --batch-size that suffices.
    """
    batch_norm = any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in network.modules())
    each = 2 if batch_norm and recipe.statistics == "learned" else 1
    smallest = min(
        len(batch) for rows in parts for batch in epoch_batches(len(rows.train), recipe.batch_size, seed=0, epoch=0)
    )
    if smallest < each * processes.count:
        why = "each process needs an image of every batch" if each == 1 else "batch normalisation needs two images"
        shared = f", shared by {processes.count} processes" if processes.count > 1 else ""
        raise OptionError(
            f"--batch-size {recipe.batch_size} makes batches of {smallest} images{shared}, but {why}"
            f"{' in each process' if each > 1 and processes.count > 1 else ''}; give at least "
            f"--batch-size {2 * each * processes.count}"
        )


def _check_size(spec: NetworkSpec, size: int) -> None:
    if size < spec.min_size or (spec.fixed_size and size != spec.input_size):
        allowed = f"{spec.input_size} only" if spec.fixed_size else f"{spec.min_size} pixels and more"
        raise OptionError(f"--input-size {size}: {spec.name} takes {allowed}")
    if not runs_at(spec.name, size):
        near = [side for side in (size // 32 * 32, (size // 32 + 1) * 32) if side and runs_at(spec.name, side)]
        hint = f"; it takes {' and '.join(map(str, near))}" if near else ""
        raise OptionError(f"--input-size {size}: {spec.name} cannot take so many pixels{hint}")


def _check_frozen(spec: NetworkSpec, network: Any, frozen: int) -> None:
    blocks = network.blocks()
    if frozen > len(blocks) or (frozen and not network.sequential):
        names = ", ".join(name for name, _ in blocks)
        raise OptionError(
            f"--frozen-blocks {frozen}: {spec.name} has {len(blocks)} blocks ({names})"
            + ("" if network.sequential else " that are no plain row, so that none can be frozen")
        )


@functools.cache
def _try_export(name: str, size: int) -> None:
    """Write the untrained network as ONNX: what torch's exporter cannot do shows now, not after the training."""
    export_onnx([build_network(name, 2, weights="none", seed=0)[0]], size)
