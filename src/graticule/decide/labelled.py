"""Decisions on labelled images: what a model's scores by members say of sets and novelty, block by block."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, StrArray, numbered
from graticule.decide.assessment import LabelledAnswers
from graticule.decide.conformal import PredictionSets, p_values, prediction_sets
from graticule.decide.novelty import Novelty
from graticule.features.samples import reasons_beyond
from graticule.heads.scoring import Head, member_probabilities
from graticule.images.decode import Decoded
from graticule.images.intensity import Intensity

_BLOCK = 2048


def member_scores(heads: Sequence[Head], features: NDArray[np.floating]) -> FloatArray:
    """Scores by each of H heads, not calibrated, shape (H, n, K); `features` of shape (n, d)."""
    blocks = [member_probabilities(heads, features[at : at + _BLOCK]) for at in range(0, len(features), _BLOCK)]
    return np.concatenate(blocks, axis=1)


def undecided(
    scores: tuple[NDArray[np.int64], FloatArray, FloatArray],
    group: StrArray | None,
    info: Sequence[Decoded],
    window: Intensity,
) -> LabelledAnswers:
    """Labels and scores before and after calibration of n images, without novelty and sets.

    `group` and `info` are of length n; `window` is the intensity policy that the model was trained with.
    """
    y, raw, proba = scores
    unit = None if group is None else numbered(group.astype(str))
    beyond = np.array([bool(why) for why in reasons_beyond(info, window)], bool)
    return LabelledAnswers(y, raw, proba, np.full(len(y), np.nan), {}, unit, beyond)


def decided(
    answers: LabelledAnswers,
    members: FloatArray,
    reference: NDArray[np.floating] | None,
    sets: PredictionSets | None,
    novelty: Novelty | None,
    levels: Sequence[float],
) -> LabelledAnswers:
    """The answers with novelty and with a prediction set of each level.

    Parameters
    ----------
    answers : LabelledAnswers
        n images.
    members : float array, shape (H, n, K)
        Their scores by each member of the model, not calibrated.
    reference : float array, shape (n, d), or None
        Their features in the space that novelty is measured in.
    sets : PredictionSets or None
        None: no sets.
    novelty : Novelty or None
        None: all p-values are NaN.
    levels : sequence of float
    """
    n = len(answers)
    p = np.full(n, np.nan)
    inside = {} if sets is None else {level: np.zeros(answers.proba.shape, bool) for level in levels}
    for at in range(0, n, _BLOCK):
        rows = slice(at, at + _BLOCK)
        if novelty is not None and reference is not None:
            p[rows] = novelty.p_value(novelty.score(reference[rows], members[:, rows]))
        if sets is not None:
            best = answers.proba[rows].argmax(axis=1)
            for level in levels:
                found = p_values(sets, members[:, rows], answers.raw[rows], level)
                inside[level][rows] = prediction_sets(found, best, level)
    return replace(answers, novelty=p, inside=inside)
