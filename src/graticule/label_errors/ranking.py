"""Which labels are wrong: one list from out-of-fold scores, the labels of similar images, and copies under two labels.

Opinions that never saw an image's label, its out-of-fold scores p, its neighbours' labels q and, where asked for, the
scores t of heads that did not learn from suspected labels (`second_look`), are pooled into class probabilities r,
proportional to p^a q^b t^d s^c (a logarithmic pool, Genest and Zidek 1986; s: shares of the classes, for heads that
weigh classes alike). What labels are worth is a transition matrix T, the chance that an image of class j
carries label i, measured on the clear images (`label_noise`). Bayes' rule gives

    P(class j | image, label i)  proportional to  T[i, j] r_j,      score = 1 - P(class i | image, label i).

The exponents are those under which the labels, as they stand, are likeliest after T has been applied to r ("forward
correction", Patrini et al. 2017): they need no labels known to be right, and four numbers from thousands of labels
leave nothing to adapt to single images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from graticule.arrays import Float32Array, FloatArray, IntArray, numbered
from graticule.errors import OptionError
from graticule.label_errors.neighbours import Neighbours, find_neighbours
from graticule.label_errors.noise import LabelNoise, estimate_noise
from graticule.label_errors.second_look import second_look

CUT_OFF = 0.5
_LEAST = 1e-6
_ROUNDS = 3
_FITTED_ON = 20_000
_OF_FIRST, _OF_OTHERS, _OF_SHARES = (0.05, 5.0), (0.0, 5.0), (-1.0, 1.0)  # bounds of the exponents


@dataclass(frozen=True)
class LabelErrors:
    """What is known of the labels of n images.

    Attributes
    ----------
    score : float array, shape (n,)
        Probability that the label is wrong, 0 to 1.
    suggested : int array, shape (n,)
        The likeliest class other than the label; of an image in conflict the likeliest class, be it its label.
    conflict : bool array, shape (n,)
        Whether a copy of the image carries another label.
    order : int array, shape (n,)
        Rows, most suspect first: conflicts, copies beside each other, then the others by score.
    listed : bool array, shape (n,)
        In conflict, or more likely wrong than right (score of 0.5 or more).
    noise : LabelNoise
        How many labels are wrong.
    pooled : float array, shape (n, K)
        Probabilities r of the classes before the label is looked at.
    neighbours : Neighbours or None
    exponents : dict
        Of each opinion in the pool: "scores", "neighbours", "second look" and "shares"; without those not asked.
    """

    score: FloatArray
    suggested: IntArray
    conflict: NDArray[np.bool_]
    order: IntArray
    listed: NDArray[np.bool_]
    noise: LabelNoise
    pooled: FloatArray
    neighbours: Neighbours | None
    exponents: dict[str, float]


def find_label_errors(
    proba: FloatArray,
    y: IntArray,
    *,
    features: Float32Array | None = None,
    fold: IntArray | None = None,
    copies: IntArray | None = None,
    unit: IntArray | None = None,
    twice: bool = False,
) -> LabelErrors:
    """Rank labels by how likely they are wrong.

    Parameters
    ----------
    proba : float array, shape (n, K)
        Out-of-fold probabilities in [0, 1].
    y : int array, shape (n,)
        Given classes.
    features : float array, shape (n, d), optional
        Of a network that was not trained on these images.
    fold : int array, shape (n,), optional
        Fold in which each image was held out; goes with `features`.
    copies : int array, shape (n,), optional
        Equal numbers: the same picture, whatever its label.
    unit : int array, shape (n,), optional
        Groups, for the interval of the share of wrong labels.
    twice : bool
        Whether to score all images once more by heads that did not learn from the labels suspected at first; needs
        `features`, and seconds for thousands of images.

    Raises
    ------
    OptionError
        When the labels cannot be judged: scores or features that are no numbers, one class only, the same scores for
        all images, or fewer than two folds.
    """
    _check(proba, y, features, fold)
    k = proba.shape[1]
    opinions = {"scores": np.log(np.clip(proba, _LEAST, 1.0))}
    neighbours = None
    if features is not None and fold is not None:
        neighbours = find_neighbours(features, y, fold, k)
        opinions["neighbours"] = np.log(neighbours.votes)
    pooled, noise, exponents = _pool(opinions, y, unit)
    posterior, conflict, of = _judge(np.log(pooled), y, noise.transition(), copies)
    if twice and features is not None and fold is not None:
        sound = ~conflict & (posterior[np.arange(len(y)), y] > 1.0 - CUT_OFF)
        again = second_look(features, y, fold, sound, k)
        if again is not None:
            opinions["second look"] = np.log(np.clip(again, _LEAST, 1.0))
            pooled, noise, exponents = _pool(opinions, y, unit)
            posterior, conflict, of = _judge(np.log(pooled), y, noise.transition(), copies)
    score = np.clip(1.0 - posterior[np.arange(len(y)), y], 0.0, 1.0)
    others = posterior.copy()
    others[~conflict, y[~conflict]] = -1.0
    return LabelErrors(
        score=score,
        suggested=others.argmax(axis=1).astype(np.int64),
        conflict=conflict,
        order=_order(posterior[np.arange(len(y)), y], conflict, of),
        listed=conflict | (score >= CUT_OFF),
        noise=noise,
        pooled=pooled,
        neighbours=neighbours,
        exponents=exponents,
    )


def _pool(
    opinions: dict[str, FloatArray], y: IntArray, unit: IntArray | None
) -> tuple[FloatArray, LabelNoise, dict[str, float]]:
    """Pooled class probabilities (n, K) of opinions given as logarithms, the noise of the labels, and the exponents."""
    n, k = next(iter(opinions.values())).shape
    share = (np.bincount(y, minlength=k) + 1.0) / (len(y) + k)
    terms = np.stack([*opinions.values(), np.broadcast_to(np.log(share), (n, k))])
    exponents = np.array([1.0 / len(opinions)] * len(opinions) + [0.0])
    for _ in range(_ROUNDS):
        noise = estimate_noise(_softmax(np.tensordot(exponents, terms, axes=1)), y, unit)
        exponents = _fit(terms, y, noise.transition(), exponents)
    pooled = _softmax(np.tensordot(exponents, terms, axes=1))
    named = dict(zip([*opinions, "shares"], exponents.tolist(), strict=True))
    return pooled, estimate_noise(pooled, y, unit), named


def _check(proba: FloatArray, y: IntArray, features: Float32Array | None, fold: IntArray | None) -> None:
    faults = []
    if not np.isfinite(proba).all():
        bad = int((~np.isfinite(proba)).any(axis=1).sum())
        faults.append(f"{bad:,} of {len(proba):,} images have scores that are no numbers")
    elif len(proba) and np.ptp(proba, axis=0).max() == 0.0:
        faults.append("all images have the same scores: the model tells nothing of them")
    if len(np.unique(y)) < 2:
        faults.append("all images carry one label; two classes or more are needed")
    if features is not None and not np.isfinite(features).all():
        bad = int((~np.isfinite(features)).any(axis=1).sum())
        faults.append(f"{bad:,} of {len(features):,} images have features that are no numbers")
    if fold is not None and len(np.unique(fold)) < 2:
        faults.append("all scores come from one fold; two folds or more are needed")
    if faults:
        raise OptionError(f"the labels cannot be judged: {'; '.join(faults)}. Train anew on images and labels that are "
                          "sound, with two folds or more")  # fmt: skip


def _softmax(scores: FloatArray) -> FloatArray:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: FloatArray = np.clip(shifted / shifted.sum(axis=1, keepdims=True), 1e-300, 1.0)
    return shares


def _fit(terms: FloatArray, y: IntArray, transition: FloatArray, start: FloatArray) -> FloatArray:
    """Exponents under which the given labels are likeliest; terms of shape (m, n, K), result of shape (m,)."""
    n = len(y)
    if n > _FITTED_ON:
        rows = np.sort(np.random.default_rng(0).choice(n, _FITTED_ON, replace=False))
        terms, y = terms[:, rows], y[rows]
    worth = transition[y]

    def loss(exponents: FloatArray) -> tuple[float, FloatArray]:
        r = _softmax(np.tensordot(exponents, terms, axes=1))
        joint = r * worth
        likelihood = joint.sum(axis=1, keepdims=True)
        slope = (((joint / likelihood) - r) * terms).sum(axis=2).mean(axis=1)
        return float(-np.log(likelihood).mean()), -slope

    bounds = (_OF_FIRST, *[_OF_OTHERS] * (len(terms) - 2), _OF_SHARES)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype=np.float64)


def _judge(
    log_pooled: FloatArray, y: IntArray, transition: FloatArray, copies: IntArray | None
) -> tuple[FloatArray, NDArray[np.bool_], IntArray]:
    """Class probabilities given the labels, shape (n, K); which images conflict with a copy; the sets of copies.

    Copies show one class, so that all labels of a set speak to it; their scores are averaged, since they are alike.
    """
    n, k = log_pooled.shape
    of = np.arange(n) if copies is None else numbered(copies)
    size = np.bincount(of)
    labels = np.zeros((len(size), k))
    np.add.at(labels, (of, y), 1.0)
    conflict = ((labels > 0).sum(axis=1) > 1)[of]
    evidence = log_pooled + np.log(transition)[y]
    if conflict.any():
        together = np.zeros((len(size), k))
        np.add.at(together, of, log_pooled)
        together = together / size[:, None] + labels @ np.log(transition)
        evidence[conflict] = together[of[conflict]]
    return _softmax(evidence), conflict, of.astype(np.int64)


def _order(own: FloatArray, conflict: NDArray[np.bool_], of: IntArray) -> IntArray:
    """Rows, most suspect first, by the probability of their own label, which tells apart scores that round to 1."""
    worst = np.full(int(of.max()) + 1, np.inf)
    np.minimum.at(worst, of, own)
    rows = np.arange(len(own))
    alone = np.lexsort((rows, own))
    sets = np.lexsort((rows, own, of, worst[of]))
    return np.concatenate([sets[conflict[sets]], alone[~conflict[alone]]]).astype(np.int64)
