"""Does a map mean something? Deletion and insertion curves, and agreement with maps of destroyed weights.

Deletion and insertion (Petsiuk et al., "RISE", 2018): cells of the picture are blurred away, or brought back into a
blurred picture, in the order of the map; the class's probability should fall, or rise, sooner than in random order.

Randomised weights (Adebayo et al., "Sanity checks for saliency maps", 2018): a map that stays the same when the weights
are destroyed shows the picture, not what the network learnt.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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
    blurred = blur(pixels)
    pictures = [
        composite(before, after, cells, chosen)
        for order in orders(class_map, cells, generator)
        for before, after in ((pixels, blurred), (blurred, pixels))
        for chosen in parts_of_order(order)
    ]
    values = evaluate(np.stack(pictures))[:, k].reshape(4, STEPS + 1)
    return Curves(*values)


def orders(
    class_map: FloatArray, cells: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cells of a grid in the order of a map, and in a random one; each of shape (cells^2,)."""
    by_map = np.argsort(-resized_mean(class_map, cells).ravel(), kind="stable")
    return by_map, generator.permutation(cells * cells)


def parts_of_order(order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The first cells of an order: none, an eighth, ... all of them."""
    for step in range(STEPS + 1):
        yield order[: round(step * len(order) / STEPS)]


def curves_found(found: Sequence[Curves], unit: float = 1.0) -> dict[str, Any]:
    """Mean curves of n pictures, the areas under them, and what the map's order gains over a random one.

    `unit` is what gains are counted in.
    """
    gains = {
        "deletion": [(area(c.random_deletion) - area(c.deletion)) / unit for c in found],
        "insertion": [(area(c.insertion) - area(c.random_insertion)) / unit for c in found],
    }
    names = ("deletion", "insertion", "random_deletion", "random_insertion")
    return {
        "n": len(found),
        "curves": {name: np.mean([getattr(c, name) for c in found], axis=0).round(5).tolist() for name in names},
        "areas": {name: float(np.mean([area(getattr(c, name)) for c in found])) for name in names},
        "gain": {name: mean_interval(values) for name, values in gains.items()},
    }


def likeness(destroyed: str, mine: Sequence[FloatArray], others: Sequence[Sequence[FloatArray]]) -> dict[str, Any]:
    """Rank correlation of the maps of n pictures with those of models of which something was destroyed.

    Of each picture the mean over these models.
    """
    paired = list(zip(mine, others, strict=True))
    signed = [_mean([rank_correlation(a, b) for b in some]) for a, some in paired]
    absolute = [_mean([rank_correlation(np.abs(a), np.abs(b)) for b in some]) for a, some in paired]
    return {
        "destroyed": destroyed,
        "signed": mean_interval(signed),
        "absolute": mean_interval(absolute),
    }


def _mean(values: Sequence[float]) -> float:
    """Mean of those that are defined; NaN where none is."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


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
