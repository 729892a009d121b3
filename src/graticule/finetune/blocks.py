"""How the blocks of a pretrained network take part in training: frozen, or the slower the nearer to the input."""

from typing import Any

import torch

from graticule.finetune.logits import Entered
from graticule.finetune.recipe import Recipe
from graticule.training.objective import Trainee


def trainee_of(network: Any, start: int, recipe: Recipe) -> Trainee:
    """A network whose first blocks are frozen as the recipe says, and which is called from block `start` on.

    Parameters
    ----------
    network : Classifier
        Changed.
    start : int
        Where the batches enter it: `BatchSource.start`.
    recipe : Recipe
    """
    for _, block in network.blocks()[: recipe.frozen_blocks]:
        block.requires_grad_(False)

    def begin_epoch() -> None:
        """Frozen blocks, and batch normalisation whose statistics are kept, stay as in prediction."""
        network.train()
        kept = [block for _, block in network.blocks()[: recipe.frozen_blocks]]
        if recipe.statistics == "kept":
            kept += [
                module for module in network.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)
            ]
        for module in kept:
            module.eval()

    return Trainee(network, Entered(network, start), parameter_groups(network, recipe), begin_epoch)


def parameter_groups(network: Any, recipe: Recipe) -> list[dict[str, Any]]:
    """Groups of trained parameters with their share of the learning rate: the nearer to the input, the smaller.

    Scales and offsets (of one dimension) are not decayed.
    """
    blocks = [block for _, block in network.blocks()]
    layers = [(len(blocks) - i, block) for i, block in enumerate(blocks)]
    known = {id(p) for block in blocks for p in block.parameters()}
    rest = torch.nn.ParameterList([p for p in network.parameters() if id(p) not in known])
    groups = []
    for distance, layer in [*layers, (0, rest)]:
        share = recipe.layer_decay**distance
        trained = [p for p in layer.parameters() if p.requires_grad]
        for decayed in (True, False):
            chosen = [p for p in trained if (p.ndim > 1) == decayed]
            if chosen:
                decay = recipe.weight_decay if decayed else 0.0
                groups.append({"params": chosen, "share": share, "weight_decay": decay})
    return groups
