"""Does a map mean something? Deletion and insertion curves, and agreement with maps of destroyed weights.

Deletion and insertion (Petsiuk et al., "RISE", 2018): cells of the picture are blurred away, or brought back into a
blurred picture, in the order of the map; the class's probability should fall, or rise, sooner than in random order.

Randomised weights (Adebayo et al., "Sanity checks for saliency maps", 2018): a map that stays the same when the weights
are destroyed shows the picture, not what the network learnt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageFilter
from numpy.typing import NDArray
from scipy.stats import rankdata
from scipy.stats import t as student

from graticule.arrays import FloatArray, Pixels
from graticule.explain.pooled import resized

CELLS = 14
STEPS = 8
_BLUR = 1 / 16  # standard deviation of the blur over the side of the picture
FEWEST = 6  # values below which no interval is given


@dataclass(frozen=True)
class Curves:
    """Probability of the explained class while cells are deleted and inserted, each of shape (STEPS + 1,).

    `random_deletion` and `random_insertion` take the cells in random order.
    """

    deletion: FloatArray
    insertion: FloatArray
    random_deletion: FloatArray
    random_insertion: FloatArray


def curves(
    evaluate: Callable[[Pixels], FloatArray],
    pixels: Pixels,
    class_map: FloatArray,
    k: int,
    generator: np.random.Generator,
) -> Curves:
    """Deletion and insertion curves of one picture.

    Parameters
    ----------
    evaluate : function
        Pixels (N, S, S, 3) to probabilities (N, K).
    pixels : uint8 array, shape (S, S, 3)
    class_map : array, shape (g, g)
        Signed; evidence for class `k` is removed or inserted first.
    k : int
    generator : numpy.random.Generator
        Draws the random order.
    """
    cells = min(CELLS, len(pixels))
    by_map = np.argsort(-resized_mean(class_map, cells).ravel(), kind="stable")
    by_chance = generator.permutation(cells * cells)
    blurred = blur(pixels)
    pictures = [
        composite(before, after, cells, order[: round(step * cells * cells / STEPS)])
        for order in (by_map, by_chance)
        for before, after in ((pixels, blurred), (blurred, pixels))
        for step in range(STEPS + 1)
    ]
    values = evaluate(np.stack(pictures))[:, k].reshape(4, STEPS + 1)
    return Curves(values[0], values[1], values[2], values[3])


def blur(pixels: Pixels) -> Pixels:
    """The picture blurred until only its brightness is left, shape (S, S, 3)."""
    radius = max(1.0, len(pixels) * _BLUR)
    return np.asarray(PIL.Image.fromarray(pixels).filter(PIL.ImageFilter.GaussianBlur(radius)))


def composite(before: Pixels, after: Pixels, cells: int, chosen: NDArray[np.integer]) -> Pixels:
    """`before` with the chosen cells of a grid taken from `after`."""
    grid = np.zeros(cells * cells, bool)
    grid[chosen] = True
    place = np.arange(len(before)) * cells // len(before)
    mask = grid.reshape(cells, cells)[np.ix_(place, place)]
    return np.where(mask[:, :, None], after, before)


def resized_mean(values: FloatArray, cells: int) -> FloatArray:
    """A map brought to a grid of cells: means where it is finer, interpolated where it is coarser."""
    if values.shape[0] <= cells:
        return resized(values, cells, cells)
    fine = resized(values, cells * 4, cells * 4) if values.shape[0] % cells else values
    per = fine.shape[0] // cells
    return np.asarray(fine.reshape(cells, per, cells, per).mean(axis=(1, 3)))


def area(curve: FloatArray) -> float:
    """Area under a curve over the share of the picture, 0 to 1."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def rank_correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Spearman's rank correlation of two maps; NaN where one of them is constant."""
    x, y = rankdata(a.ravel()), rankdata(b.ravel())
    x, y = x - x.mean(), y - y.mean()
    norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / norm if norm > 0 else float("nan")


def mean_interval(values: Sequence[float], level: float = 0.95) -> dict[str, float | int | None]:
    """Mean over pictures with its interval by Student's t, n - 1 degrees of freedom; no interval below 6 values.

    The percentile bootstrap of 6 to 12 values covers 80 to 91 % where it says 95 %.
    """
    x = np.array([value for value in values if np.isfinite(value)])
    if not len(x):
        return {"value": None, "low": None, "high": None, "n": 0}
    mean = float(x.mean())
    if len(x) < FEWEST:
        return {"value": mean, "low": None, "high": None, "n": len(x)}
    half = float(student.ppf((1 + level) / 2, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)))
    return {"value": mean, "low": mean - half, "high": mean + half, "n": len(x)}
