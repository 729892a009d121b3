"""What training for a number hands on, whichever method trained: numbers of every part, the model, baselines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graticule.arrays import Float32Array, FloatArray
from graticule.networks.encoder import Encoder
from graticule.regress.scoring import ValueMember
from graticule.regress.target import Target


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
    mean_features : float array, shape (d,), or None
        Of the training images by `encoder`; None where the features of the samples are those of `encoder`.
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
    mean_features: Float32Array | None = None
