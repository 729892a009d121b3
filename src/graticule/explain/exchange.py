"""Does the decision rest on the border or on the info bar? An exchange between pictures of different classes.

Two pictures i and j that the model gives to different classes a and b. Let M(x) be log p_a - log p_b for a picture x,
averaged over the heads. The region (border frame, info bar) of j is put into i. The share of the decision that goes
with the region is

    r = [M(i) - M(i with the region of j)] / [M(i) - M(j)]

0: the region does not count; 1: the class goes with the region, whatever the rest shows. A region that shows the
specimen counts by right, so the same exchange is done with strips of equal area and shape inside the picture. The model
is said to be drawn by the region when r exceeds twice the control's share in nearly every pair (sign test), and at
least a tenth of the decision goes with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from graticule.arrays import BoolArray, FloatArray, Pixels

LEVEL = 0.001  # of all tests of one model together
LEAST = 0.10  # median share of the decision below which a region does no harm worth a warning
TIMES = 2.0  # how many times its control a region must carry


@dataclass(frozen=True)
class Exchange:
    """One pair after the exchange.

    Attributes
    ----------
    a, b : int
        Classes of the picture that keeps its inside and of the one whose region is put in.
    region, control : float
        Share of the decision that goes with the region, and with a strip of its area inside the picture.
    """

    a: int
    b: int
    region: float
    control: float


@dataclass(frozen=True)
class Verdict:
    """What the exchanges say of one region, over all pairs or over those of one class.

    Attributes
    ----------
    class_index : int or None
        None: all pairs.
    n : int
        Pairs.
    share, control : float
        Median share of the decision that goes with the region, and with the strip inside.
    p : float
        One-sided sign test that the region carries no more than `TIMES` its control.
    enough : bool
        Whether so many pairs could call for a warning at all, were they all of one mind.
    drawn : bool
        Whether to warn.
    """

    class_index: int | None
    n: int
    share: float
    control: float
    p: float
    enough: bool
    drawn: bool


def partners(predicted: NDArray[np.integer], generator: np.random.Generator) -> list[tuple[int, int]]:
    """Each picture with one of another predicted class, every picture in turn as evenly as can be."""
    pairs = []
    used = np.zeros(len(predicted))
    for i in generator.permutation(len(predicted)):
        others = np.flatnonzero(predicted != predicted[i])
        if len(others):
            least = others[used[others] == used[others].min()]
            j = int(generator.choice(least))
            used[j] += 1
            pairs.append((int(i), j))
    return pairs


def control_band(bar: BoolArray, inside: BoolArray, generator: np.random.Generator) -> BoolArray | None:
    """The bar moved up or down to a random place beside it; None where there is no room, as beside a very tall bar.

    Places that keep the bar's height clear of the upper and lower edge of the picture are preferred.

    Parameters
    ----------
    bar : mask, shape (S, S)
    inside : mask, shape (S, S)
        Where the picture lies, in full rows and columns.
    generator : numpy.random.Generator
    """
    rows, lines = np.flatnonzero(bar.any(axis=1)), np.flatnonzero(inside.any(axis=1))
    height, free = len(rows), inside & ~bar
    if not height:
        return None
    tops = [top for top in range(len(bar) - height + 1) if free[top : top + height][bar[rows]].all()]
    clear = [top for top in tops if lines[0] + height <= top <= lines[-1] + 1 - 2 * height]
    if not tops:
        return None
    top = int(generator.choice(clear or tops))
    band = np.zeros_like(bar)
    band[top : top + height] = bar[rows]
    return band


def control_ring(frame: BoolArray) -> BoolArray:
    """A square ring of the frame's area just inside it, so that its hole is as large as the picture allows.

    Parameters
    ----------
    frame : mask, shape (S, S)
        Of the outermost sixteenth along each edge, or a part of it.
    """
    side = len(frame)
    inside = np.zeros_like(frame)
    width = max(1, round(side / 16))
    outer = side - 2 * width
    hole = round(float(np.sqrt(max(0.0, outer * outer - frame.sum()))))
    start, begin = width, (side - hole) // 2
    inside[start : start + outer, start : start + outer] = True
    inside[begin : begin + hole, begin : begin + hole] = False
    return inside


def exchange(
    evaluate: Callable[[Pixels], FloatArray],
    kept: Pixels,
    given: Pixels,
    classes: tuple[int, int],
    masks: tuple[BoolArray, BoolArray],
) -> Exchange | None:
    """Put the region of one picture into another, and a control strip likewise.

    Parameters
    ----------
    evaluate : function
        The pixels of kept, given and two mixtures, (4, S, S, 3), to log probabilities, up to a constant per picture,
        (4, K).
    kept, given : uint8 arrays, shape (S, S, 3)
    classes : (a, b)
    masks : (region, control)

    Returns
    -------
    Exchange or None
        None when the two pictures do not differ in what is measured.
    """
    mixed = [np.where(mask[:, :, None], given, kept) for mask in masks]
    values = evaluate(np.stack([kept, given, *mixed]))
    margin = values[:, classes[0]] - values[:, classes[1]]
    whole = margin[0] - margin[1]
    if not whole > 0:
        return None
    region, control = (margin[0] - margin[2:]) / whole
    return Exchange(*classes, float(region), float(control))


def exchange_verdicts(exchanges: Sequence[Exchange], n_classes: int, n_regions: int) -> list[Verdict]:
    """Verdicts over all pairs and per class, those that call for a warning first.

    The level `LEVEL` is divided by the number of tests: regions times (classes + 1).
    """
    level = LEVEL / (n_regions * (n_classes + 1))
    groups: list[tuple[int | None, list[Exchange]]] = [(None, list(exchanges))]
    groups += [(k, [e for e in exchanges if k in (e.a, e.b)]) for k in range(n_classes)]
    verdicts = [_verdict(k, some, level) for k, some in groups if some]
    return sorted(verdicts, key=lambda v: (not v.drawn, -v.share if v.drawn else 0.0))


def _verdict(class_index: int | None, exchanges: Sequence[Exchange], level: float) -> Verdict:
    region = np.array([e.region for e in exchanges])
    control = np.array([e.control for e in exchanges])
    ahead = int((region > TIMES * np.maximum(control, 0)).sum())
    p = float(binomtest(ahead, len(region), 0.5, alternative="greater").pvalue)
    share = float(np.median(region))
    enough = 0.5 ** len(region) < level
    drawn = p < level and share >= LEAST
    return Verdict(class_index, len(region), share, float(np.median(control)), p, enough, drawn)
