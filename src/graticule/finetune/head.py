"""The last layer before the others: fitted on the features of the pretrained network, so that training starts well.

A random last layer would send noise through the pretrained layers in the first steps (Kumar et al., "Fine-tuning can
distort pretrained features", 2022).
"""

from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from graticule.errors import TrainingError
from graticule.finetune.logits import score_rows
from graticule.finetune.objective import ClassObjective
from graticule.training.processes import Processes

_C = 0.03
_ITERATIONS = 300


def head_first(network: Any, objective: ClassObjective, processes: Processes) -> None:
    """Set the network's last layer to a logistic regression on its features of the training rows.

    Parameters
    ----------
    network : Classifier
        Changed.
    objective : ClassObjective
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
    # one scale for all features: dividing each by its own would blow up those that hardly ever fire
    centre, width = features.mean(axis=0), float(features.std()) + 1e-6
    with threadpool_limits(1):
        model = LogisticRegression(C=_C, max_iter=_ITERATIONS, class_weight="balanced")
        model.fit((features - centre) / width, objective.y[rows])
    weights, bias = model.coef_, model.intercept_
    if objective.n_classes == 2:  # one row there: half of it for and half against
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    weights = weights / width
    bias = bias - weights @ centre
    layer = network.classifier
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights))
        layer.bias.copy_(torch.from_numpy(bias))
