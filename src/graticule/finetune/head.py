"""The last layer before the others: fitted on the features of the pretrained network, so that training starts well.

A random last layer would send noise through the pretrained layers in the first steps (Kumar et al., "Fine-tuning can
distort pretrained features", 2022).
"""

from typing import Any

import numpy as np
import torch

from graticule.errors import TrainingError
from graticule.finetune.goal import Goal, TunedFor
from graticule.finetune.logits import score_rows
from graticule.training.processes import Processes


def head_first(network: Any, goal: Goal, objective: TunedFor, processes: Processes) -> None:
    """Set the network's last layer to what its features of the training rows tell.

    Parameters
    ----------
    network : Classifier
        Changed.
    goal : Goal
    objective : TunedFor
    processes : Processes

    Raises
    ------
    TrainingError
        When the network gives numbers that are not finite, or memory does not suffice.
    """
    rows, at_once = objective.train, objective.recipe.at_once
    found = score_rows(network, objective.source, rows, processes, features=True, at_once=at_once)
    features = found.astype(np.float64)
    if not np.isfinite(features).all():
        raise TrainingError(
            f"the weights of {network.spec.name} give features that are not finite numbers; they come from a training "
            "that failed, or the file is damaged"
        )
    weights, bias = goal.first_layer(features, rows)
    layer = network.classifier
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights))
        layer.bias.copy_(torch.from_numpy(bias))
