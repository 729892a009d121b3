"""How well a class is told from one cue alone, on samples of other groups, and whether that can be chance.

The small models are votes: of the samples with the same level (categorical cue) or of the nearest samples (numeric
cue), in either case only samples of other groups. Who votes for whom does not depend on the labels, so the model is
refitted under hundreds of permuted labels at the cost of one sparse product each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from graticule.arrays import FloatArray, IntArray, numbered
from graticule.statistics.association import Categorical, CueValues

N_PERMUTATIONS = 499
_CHUNK_VALUES = 200_000  # samples times permutations times classes that are looked at together
_JITTER = 1e-3  # of a standard deviation: equal values are otherwise neighbours in the order of the rows

Votes = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Prediction:
    """What a cue alone tells of K classes, cross-validated over groups.

    Attributes
    ----------
    accuracy : float
        Balanced accuracy over K classes, 0 to 1; chance is 1 / K.
    one_vs_rest : float array, shape (K,)
        Balanced accuracy of each class against all others; chance is 1 / 2.
    p_value : float
        That `accuracy` is chance, corrected for all cues and classes tested together.
    class_p_value : float array, shape (K,)
        The same for `one_vs_rest`.
    """

    accuracy: float
    one_vs_rest: FloatArray
    p_value: float
    class_p_value: FloatArray


def predict_from_cues(
    cues: Sequence[CueValues], y: IntArray, units: IntArray, *, seed: int, n_permutations: int = N_PERMUTATIONS
) -> list[Prediction]:
    """Predict the class from each cue alone, and test all cues together.

    Parameters
    ----------
    cues : sequence of Categorical or float arrays, shape (n, m)
        No NaN; numeric ones standardised.
    y : int array, shape (n,)
        Class codes 0 to K - 1, each present.
    units : int array, shape (n,)
        Group codes 0 to U - 1, one per sample where there are no groups.
    seed, n_permutations : int

    Notes
    -----
    A sample's votes for a class are divided by the votes that the class has outside the sample's group, so class sizes
    do not count; what differs by less than half a vote is a tie, and ties are shared. Labels are permuted by group
    (`permuted_labels`). Leaving out groups biases the accuracy of few groups either way, so accuracies are rescaled
    linearly: their mean over permuted labels becomes chance, 1 stays 1 (as in the adjusted Rand index of L. Hubert and
    P. Arabie, J. Classif. 2 (1985) 193-218). P-values are those of the step-down maxT procedure (P. H. Westfall and
    S. S. Young, Resampling-based multiple testing, 1993, algorithm 4.1), Holm's method with the dependence between
    tests kept; the statistics are standardised over the permutations.
    """
    generator = np.random.default_rng(seed)
    n_classes = int(y.max()) + 1
    labels = np.concatenate([y[None], permuted_labels(y, units, n_permutations, generator)])
    scores = np.empty((len(labels), len(cues), 1 + n_classes))
    voters = [_voter(cue, units, generator) for cue in cues]
    group = csr_array((np.ones(len(y)), (np.arange(len(y)), units)))
    step = max(4, _CHUNK_VALUES // (len(y) * n_classes))
    for at in range(0, len(labels), step):
        some = labels[at : at + step]
        one_hot = (some[:, :, None] == np.arange(n_classes)).astype(np.float64)
        flat = np.ascontiguousarray(one_hot.transpose(1, 0, 2)).reshape(len(y), -1)
        outside = (flat.sum(axis=0) - group @ (group.T @ flat)).reshape(len(y), -1, n_classes)
        hits = flat.reshape(len(y), -1, n_classes)
        for i, votes in enumerate(voters):
            scores[at : at + step, i] = _scores(votes(flat).reshape(hits.shape), outside, hits)
    p = step_down(scores.reshape(len(labels), -1)).reshape(len(cues), -1)
    chance = np.append(1 / n_classes, np.full(n_classes, 0.5))
    null = np.minimum(scores[1:].mean(axis=0), 0.99)
    adjusted = np.clip(chance + (scores[0] - null) * (1 - chance) / (1 - null), 0.0, 1.0)
    return [Prediction(float(s[0]), s[1:], float(q[0]), q[1:]) for s, q in zip(adjusted, p, strict=True)]


def permuted_labels(y: IntArray, units: IntArray, n_permutations: int, generator: np.random.Generator) -> IntArray:
    """Labels under the null hypothesis that cues do not depend on them, shape (n_permutations, n).

    Each group takes over the labels of a random other group, drawn anew in random order and repeated where it is
    larger: labels stay as alike within groups as they are, which is what makes grouped samples deceive. Without
    groups this is the plain permutation; it is exact for groups of one size, approximate for others.
    """
    n, n_units = len(y), int(units.max()) + 1
    order = np.argsort(units, kind="stable")
    size = np.bincount(units, minlength=n_units)
    start = np.cumsum(size) - size
    place = np.arange(n) - start[units[order]]
    drawn = np.empty((n_permutations, n), dtype=np.int64)
    for b in range(n_permutations):
        shuffled = order[np.lexsort((generator.random(n), units[order]))]
        donor = generator.permutation(n_units)[units[order]]
        drawn[b, order] = y[shuffled[start[donor] + place % size[donor]]]
    return drawn


def _voter(cue: CueValues, units: IntArray, generator: np.random.Generator) -> Votes:
    """A linear map from one-hot labels (n, c) to votes (n, c) by other groups."""
    n = len(units)
    if isinstance(cue, Categorical):
        level = csr_array((np.ones(n), (np.arange(n), cue.codes)), (n, cue.n_levels))
        cell = numbered(cue.codes * (int(units.max()) + 1) + units)
        own = csr_array((np.ones(n), (np.arange(n), cell)))
        return lambda labels: np.asarray(level @ (level.T @ labels) - own @ (own.T @ labels))
    neighbours = _neighbours(cue, units, generator)
    k = neighbours.shape[1]
    known = (neighbours >= 0).reshape(-1)
    at = (np.repeat(np.arange(n), k)[known], neighbours.reshape(-1)[known])
    matrix = csr_array((np.ones(len(at[0])), at), (n, n))
    return lambda labels: np.asarray(matrix @ labels)


def _neighbours(values: FloatArray, units: IntArray, generator: np.random.Generator) -> IntArray:
    """The k nearest samples of other groups, shape (n, k), k about the root of n, 5 to 31; -1 where there are fewer."""
    n = len(values)
    k = int(min(np.clip(round(n**0.5), 5, 31), n - 1))
    x = values + _JITTER * generator.standard_normal(values.shape)
    x -= x.mean(axis=0)
    square = (x**2).sum(axis=1)
    found = np.empty((n, k), dtype=np.int64)
    for at in range(0, n, 512):
        rows = slice(at, at + 512)
        distance = square[None] - 2 * (x[rows] @ x.T)
        distance[units[rows, None] == units[None]] = np.inf
        nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
        beyond = np.isinf(np.take_along_axis(distance, nearest, axis=1))
        found[rows] = np.where(beyond, -1, nearest)
    return found


def _scores(votes: FloatArray, outside: FloatArray, hits: FloatArray) -> FloatArray:
    """Balanced accuracies from votes, votes that exist outside the group, and one-hot labels, each (n, B, K).

    Returns shape (B, 1 + K): over K classes, then each class against the rest.
    """
    share = np.divide(votes, outside, out=np.zeros_like(votes), where=outside > 0)
    slack = np.divide(0.5, outside.max(axis=2, keepdims=True))
    best = share >= share.max(axis=2, keepdims=True) - slack
    credit = best / best.sum(axis=2, keepdims=True)
    size = hits.sum(axis=0)
    n = len(votes)
    present = size > 0
    recall = np.divide((credit * hits).sum(axis=0), size, out=np.zeros_like(size), where=present)
    rest_votes = votes.sum(axis=2, keepdims=True) - votes
    rest = outside.sum(axis=2, keepdims=True) - outside
    other = np.divide(rest_votes, rest, out=np.zeros_like(votes), where=rest > 0)
    called = np.where(np.abs(share - other) <= slack, 0.5, share > other)
    sensitivity = np.divide((called * hits).sum(axis=0), size, out=np.full_like(size, 0.5), where=present)
    negatives = n - size
    false = np.divide((called * (1 - hits)).sum(axis=0), negatives, out=np.full_like(size, 0.5), where=negatives > 0)
    accuracy = recall.sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return np.column_stack([accuracy, np.where(present & (negatives > 0), (sensitivity + 1 - false) / 2, 0.5)])


def step_down(scores: FloatArray) -> FloatArray:
    """Adjusted p-values of tests (m,) from scores (1 + B, m), the first row observed."""
    spread = scores.std(axis=0)
    standard = np.divide(scores - scores.mean(axis=0), spread, out=np.zeros_like(scores), where=spread > 1e-9)
    order = np.argsort(-standard[0], kind="stable")
    sorted_scores = standard[:, order]
    highest = np.maximum.accumulate(sorted_scores[:, ::-1], axis=1)[:, ::-1]
    p = np.maximum.accumulate((highest >= sorted_scores[0] - 1e-12).mean(axis=0))
    adjusted = np.empty_like(p)
    adjusted[order] = p
    return adjusted
