"""What is explained, and its gradient with respect to the features, in closed form.

"margin": T (s_c - mean over k of s_k), mean over the heads, with s the scores before the softmax: how far the log
probability of a class stands above the mean log probability of all. Linear in the scores, so it does not saturate.
"score": the class's score before the softmax, mean over the heads: what Grad-CAM explains in the literature.
"log-odds": log p - log(1 - p) of a class, p the mean probability over the heads: the class against its closest rivals.

Features x of shape (N, d), K classes. Heads as in `graticule.heads.scoring`, temperature T:

    linear: ds/dz = W            rbf: ds_k/dz = P sum_m coef[m, k] exp(-gamma |u - v_m|^2) (-2 gamma) (u - v_m)
    dz/dx = 1 / (2 sqrt|x|)      logit: ds/dx = W

Features behind the first `rooted` of a head enter as they are, dz/dx = 1. The square root has an infinite slope at 0:
|x| is taken as at least `CLAMP` times the largest |x| of those that enter by it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.errors import OptionError
from graticule.heads.scoring import Head, LinearHead, LogitHead, RbfHead

TARGETS = ("margin", "score", "log-odds")
CLAMP = 1e-4
_TINY = 1e-300


def head_scores(head: Head, features: NDArray[np.floating]) -> FloatArray:
    """Scores before temperature and softmax in double precision, shape (N, K)."""
    x = np.asarray(features, np.float64)
    if isinstance(head, LogitHead):
        return np.asarray(x @ head.logit_weights.T.astype(np.float64) + head.bias, np.float64)
    basis, weights = head_basis(head, x)
    return np.asarray(basis @ weights + head.bias)


def head_basis(head: LinearHead | RbfHead, features: NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    """What a head adds up, (N, m), and its weights, (m, K): features as they enter, or kernels with its support."""
    z, _ = _entered(head, np.asarray(features, np.float64))
    if isinstance(head, LinearHead):
        return z, head.weights.T.astype(np.float64)
    return _kernel(head, z)[0], head.coefficients.astype(np.float64)


def score_gradients(head: Head, features: NDArray[np.floating]) -> FloatArray:
    """Derivative of every score of a head by every feature, shape (N, K, d)."""
    x = np.asarray(features, np.float64)
    if isinstance(head, LogitHead):
        return np.repeat(head.logit_weights.astype(np.float64)[None], len(x), axis=0)
    z, slope = _entered(head, x)
    if isinstance(head, LinearHead):
        return np.asarray(head.weights.astype(np.float64)[None] * slope[:, None, :])
    return np.asarray(_rbf_gradients(head, z) * slope[:, None, :])


def _entered(head: LinearHead | RbfHead, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What a head acts on, and its slope by the features, both of shape (N, d)."""
    z, slope = x.copy(), np.ones_like(x)
    by_root = slice(0, head.rooted)
    magnitude = np.abs(x[:, by_root])
    floor = CLAMP * magnitude.max(axis=1, keepdims=True, initial=0.0) + _TINY
    z[:, by_root] = np.sign(x[:, by_root]) * np.sqrt(magnitude)
    slope[:, by_root] = 0.5 / np.sqrt(np.maximum(magnitude, floor))
    return z, slope


def _kernel(head: RbfHead, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Kernel values (N, m), and the projected features (N, d)."""
    u = (z - head.centre) @ head.projection.astype(np.float64)
    support = head.support.astype(np.float64)
    squared = (u * u).sum(1)[:, None] - 2 * u @ support.T + (support * support).sum(1)[None]
    return np.asarray(np.exp(-head.gamma * np.maximum(squared, 0))), u


def _rbf_gradients(head: RbfHead, z: FloatArray) -> FloatArray:
    kernel, u = _kernel(head, z)
    support, projection = head.support.astype(np.float64), head.projection.astype(np.float64)
    gradients = np.empty((len(z), len(head.bias), z.shape[1]))
    for i, (row, at) in enumerate(zip(kernel, u, strict=True)):
        weighted = row[:, None] * head.coefficients
        # sum_m a_mk (u - v_m) = u sum_m a_mk - sum_m a_mk v_m
        towards = weighted.sum(axis=0)[:, None] * at[None] - weighted.T @ support
        gradients[i] = -2 * head.gamma * towards @ projection.T
    return gradients


def log_probabilities(heads: Sequence[Head], features: NDArray[np.floating]) -> FloatArray:
    """Log of every head's probabilities, shape (H, N, K)."""
    scores = np.stack([head.temperature * head_scores(head, features) for head in heads])
    return np.asarray(scores - _log_sum(scores, axis=2)[:, :, None])


def margins(heads: Sequence[Head], features: NDArray[np.floating]) -> FloatArray:
    """Log probability of every class above the mean log probability of all, mean over the heads; shape (N, K)."""
    logs = log_probabilities(heads, features)
    return np.asarray((logs - logs.mean(axis=2, keepdims=True)).mean(axis=0))


def target_gradients(
    heads: Sequence[Head], features: NDArray[np.floating], classes: NDArray[np.integer], target: str = "margin"
) -> FloatArray:
    """Gradient of what is explained with respect to the features.

    Parameters
    ----------
    heads : sequence of Head
    features : array, shape (N, d)
    classes : int array, shape (N, T)
        For each sample the classes to explain.
    target : "margin", "score" or "log-odds"

    Returns
    -------
    float array, shape (N, T, d)

    Raises
    ------
    OptionError
        For another target.
    """
    if target not in TARGETS:
        raise OptionError(f"target {target!r} is not known; allowed: {', '.join(TARGETS)}")
    each_class = np.asarray(classes)[:, :, None]
    if target != "log-odds":
        total = np.zeros(())
        for head in heads:
            slopes = score_gradients(head, features)
            chosen = np.take_along_axis(slopes, each_class, axis=1)
            if target == "margin":
                chosen = head.temperature * (chosen - slopes.mean(axis=1, keepdims=True))
            total = total + chosen
        return np.asarray(total / len(heads))
    logs = log_probabilities(heads, features)
    rest = _log_rest(logs)
    # a head counts by its part in p, and in 1 - p
    share = np.exp(logs - _log_sum(logs, axis=0)[None])
    share_rest = np.exp(rest - _log_sum(rest, axis=0)[None])
    gradients = np.zeros((*np.shape(classes), np.shape(features)[1]))
    for h, head in enumerate(heads):
        slopes = head.temperature * score_gradients(head, features)
        for t, chosen in enumerate(np.asarray(classes).T):
            rows = np.arange(len(chosen))
            own, others = logs[h, rows, chosen], rest[h, rows, chosen]
            # d log p = (1 - p) lead, d log(1 - p) = -p lead: the class's score leads the others' weighted mean
            weights = np.exp(logs[h] - others[:, None])
            weights[rows, chosen] = 0.0
            lead = slopes[rows, chosen] - np.einsum("nk,nkd->nd", weights, slopes)
            gain = share[h, rows, chosen] * np.exp(others) + share_rest[h, rows, chosen] * np.exp(own)
            gradients[:, t] += gain[:, None] * lead
    return gradients


def even_shares(heads: Sequence[Head], gradients: FloatArray) -> FloatArray:
    """Gradients (N, T, d) that, times features, give each feature the same share of what it adds to the scores.

    A root changes half as fast as what it is taken of, so that gradient times feature is half of what the feature adds.
    Beside features that enter by their root, those that enter as they are count by half as well.
    """
    rooted = {head.rooted for head in heads if not isinstance(head, LogitHead)} - {None, 0}
    if len(rooted) == 1:
        gradients = gradients.copy()
        gradients[:, :, rooted.pop() :] *= 0.5
    return gradients


def _log_rest(logs: FloatArray) -> FloatArray:
    """log(1 - p) of every class from the logs of the others, without cancellation; shape as `logs`."""
    classes = logs.shape[-1]
    return np.stack([_log_sum(np.delete(logs, k, axis=-1), axis=-1) for k in range(classes)], axis=-1)


def _log_sum(logs: FloatArray, axis: int) -> FloatArray:
    top = logs.max(axis=axis, keepdims=True)
    return np.asarray(np.log(np.exp(logs - top).sum(axis=axis)) + top.squeeze(axis))
