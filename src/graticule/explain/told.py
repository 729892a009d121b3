"""What each part of the features told of a number: from that of an average training image to that of a picture.

The features of a picture are exchanged for the average ones part by part (the network's, the orientation statistics,
the size of the image), in every order; a part tells the mean of what its exchange changes (Shapley, "A value for
n-person games", 1953). The amounts of all parts add up to the whole way from the average to the picture.

Within the orientation statistics each tells what the model gains along the straight way from their average to those of
the picture (integrated gradients: Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017). Of a
linear model that is its coefficient times how far the statistic lies from the average; for any model the amounts add up
to what the part tells.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from math import factorial

import numpy as np

from graticule.arrays import FloatArray
from graticule.explain.targets import score_gradients
from graticule.heads.scoring import Head
from graticule.networks.encoder import Encoder
from graticule.networks.pooling import ORIENTATION, part_span

NETWORK, IMAGE_SIZE = "network", "image size"
Parts = Mapping[str, slice]
Say = Callable[[FloatArray], FloatArray]
_STEPS = 24


def parts_of(encoder: Encoder) -> dict[str, slice]:
    """Where each part stands in an encoder's features."""
    behind = encoder.n_features - 2 * encoder.sizes
    at = part_span(encoder.parts, ORIENTATION, behind) if encoder.orientation else slice(behind, behind)
    found = {NETWORK: slice(0, at.start), ORIENTATION: at, IMAGE_SIZE: slice(behind, encoder.n_features)}
    return {name: span for name, span in found.items() if span.stop > span.start}


def told_by_parts(say: Say, own: FloatArray, average: FloatArray, parts: Parts) -> dict[str, float]:
    """How much each part adds to the number of an average picture.

    Parameters
    ----------
    say : function
        Features (n, d) to numbers (n,).
    own, average : float arrays, shape (d,)
    parts : mapping of str to slice
        Which together make up the features.
    """
    names = tuple(parts)
    known = [some for size in range(len(names) + 1) for some in combinations(names, size)]
    rows = np.stack([_mixed(own, average, parts, some) for some in known])
    number = dict(zip(known, say(rows), strict=True))
    amounts = {}
    for name in names:
        gains = [
            weight * (number[tuple(n for n in names if n == name or n in some)] - number[some])
            for some, weight in _others(names, name)
        ]
        amounts[name] = float(sum(gains))
    return amounts


def told_by_statistics(
    heads: Sequence[Head], own: FloatArray, average: FloatArray, parts: Parts, part: str
) -> FloatArray:
    """How much each number of a part adds, shape (length of the part,); together what `told_by_parts` says of it.

    Parameters
    ----------
    heads : sequence of Head
        With one score each, whose mean is the number; what they see of the part enters as it is.
    own, average, parts
        See `told_by_parts`.
    part : str
    """
    span = parts[part]
    nodes, weights = np.polynomial.legendre.leggauss(_STEPS)
    total = np.zeros(span.stop - span.start)
    for some, share in _others(tuple(parts), part):
        rows = np.repeat(_mixed(own, average, parts, some)[None], _STEPS, axis=0)
        rows[:, span] = average[span] + ((nodes + 1) / 2)[:, None] * (own[span] - average[span])
        slope = np.mean([score_gradients(head, rows)[:, 0, span] for head in heads], axis=0)
        total += share * (weights / 2) @ slope
    return np.asarray(total * (own[span] - average[span]))


def _mixed(own: FloatArray, average: FloatArray, parts: Parts, known: Sequence[str]) -> FloatArray:
    """The average features with some parts of the picture's own."""
    row = np.array(average, np.float64)
    for name in known:
        row[parts[name]] = own[parts[name]]
    return row


def _others(names: Sequence[str], name: str) -> Iterator[tuple[tuple[str, ...], float]]:
    """Sets of the other parts that may be known before a part, each with its share of all orders."""
    others, n = [one for one in names if one != name], len(names)
    for size in range(n):
        share = factorial(size) * factorial(n - size - 1) / factorial(n)
        for some in combinations(others, size):
            yield some, share
