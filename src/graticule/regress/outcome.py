"""What training for a number hands on, whichever method trained: numbers of every part, the model, baselines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graticule.arrays import FloatArray
from graticule.heads.crossval import fold_rows, training_rows
from graticule.heads.outcome import scored_once
from graticule.networks.encoder import Encoder
from graticule.regress.scoring import ValueMember
from graticule.regress.target import Target
from graticule.split.folds import Folds


@dataclass(frozen=True)
class ValueOutcome:
    """A trained regression with the numbers of every part.

    Attributes
    ----------
    target : Target
    learnt : float array, shape (n,)
        On the scale that is learnt: out of fold for part "cv", of the shipped model for "test" and "calibration"; NaN
        elsewhere.
    encoder : Encoder
        Pixels to the features that the members act on.
    members : list of ValueMember
    shipped : str
        What the members are, for people.
    head : dict
        The object "head" of run.json.
    baselines : dict of str to float array, shape (n,)
        What simpler methods say, learnt on the same folds.
    training : dict or None
        The object "training" of run.json; None where the network was not trained.
    learning_curve : list or None
    warnings : list of str
    """

    target: Target
    learnt: FloatArray
    encoder: Encoder
    members: list[ValueMember]
    shipped: str
    head: dict[str, Any]
    baselines: Mapping[str, FloatArray]
    training: dict[str, Any] | None = None
    learning_curve: list[dict[str, Any]] | None = None
    warnings: list[str] = field(default_factory=list)


def constant_baselines(values: FloatArray, folds: Folds) -> dict[str, FloatArray]:
    """Mean and median of the training targets, for each image those of the folds that it is not in; shape (n,) each."""
    found = {name: np.full(len(values), np.nan) for name in ("mean", "median")}
    everything, aside = values[training_rows(folds)], scored_once(folds)
    for name, function in (("mean", np.mean), ("median", np.median)):
        for train, test in fold_rows(folds):
            found[name][test] = function(values[train])
        found[name][aside] = function(everything)
    return found
