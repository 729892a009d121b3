"""What is kept of feature maps: parts of the feature vector, each a statistic of every pooled stage.

whole       mean and deviation of each map over the whole picture
centre      the same, weighted by a Gaussian around the centre of the picture: where an object fills the middle of its
            crop, the background counts less
covariance  how the maps of a stage rise and fall together around the centre: which textures occur in the same place

Weights depend on the distance from the centre alone, so that averages over turned views stay without direction.

The maps of a stage are looked at along the directions that the next layer reads most strongly; they come from its
weights, so that no images were needed to find them. The matrix of covariances is replaced by its square root, which
keeps a few strong maps from drowning the others (second-order pooling: Lin et al., "Bilinear CNN models", 2015; Li et
al., "Towards faster training of global covariance pooling networks", 2018, whose iteration is used).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array

WHOLE, CENTRE, COVARIANCE = "whole", "centre", "covariance"
PARTS = (WHOLE, CENTRE, COVARIANCE)
# no statistic of maps: measured on the picture itself, and put behind those (`graticule.directions.features`)
ORIENTATION = "orientation"
# parts whose numbers are skewed, so that they enter comparisons by their signed square root; they lead the vector
ROOTED = (WHOLE, CENTRE)
# standard deviation of the centre's Gaussian, in half widths of the picture
CENTRE_WIDTH = 0.35
# maps of a stage whose covariances are kept, at most
DIRECTIONS = 64
ROOT_STEPS = 5
# added to the trace that covariances are divided by
TRACE_FLOOR = 1e-12
_GRID = 4096


def part_lengths(channels: Sequence[int], parts: Sequence[str] = PARTS) -> dict[str, int]:
    """How many numbers each part holds for stages of so many maps, in the order of the vector."""
    moments = 2 * sum(channels)
    lengths = {WHOLE: moments, CENTRE: moments, COVARIANCE: sum(k * (k + 1) // 2 for k in map(directions, channels))}
    return {part: lengths[part] for part in parts}


def pooling_words(parts: Sequence[str]) -> str:
    """What is kept of feature maps, for people; `parts` empty: what earlier versions and other networks keep."""
    words = {
        WHOLE: "mean and standard deviation over the whole picture",
        CENTRE: "mean and standard deviation around its centre",
        COVARIANCE: "covariances of the maps around its centre",
        ORIENTATION: "orientation statistics of the picture",
    }
    *first, last = [words[part] for part in parts] or ["mean and standard deviation"]
    return f"{', '.join(first)} and {last}" if first else last


def part_span(parts: Sequence[tuple[str, int]], wanted: str, n_features: int) -> slice:
    """Where a part stands among parts (name, length) of a vector; the whole vector where there is no such part."""
    at = 0
    for name, length in parts:
        if name == wanted:
            return slice(at, at + length)
        at += length
    return slice(0, n_features)


def directions(channels: int) -> int:
    """How many directions of a stage of so many maps enter the covariances."""
    return min(channels, DIRECTIONS)


def projection(readers: NDArray[np.floating]) -> Float32Array:
    """Orthonormal directions that a layer reads its input along, the strongest first, shape (directions, channels).

    The right singular vectors of its weights, rounded to a grid that swallows what linear algebra differs by from one
    machine to the next.

    Parameters
    ----------
    readers : array, shape (outputs, channels)
        Weights of the layer that follows, a convolution of one pixel, or of anything that stands for it.
    """
    _, _, rows = np.linalg.svd(np.asarray(readers, np.float64), full_matrices=False)
    rows = rows[: directions(rows.shape[1])]
    # a singular vector is known up to its sign
    strongest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    return np.asarray(np.round(rows * np.sign(strongest) * _GRID) / _GRID, np.float32)


def feature_names(layers: Sequence[str], channels: Sequence[int], parts: Sequence[str]) -> list[str]:
    """A name per feature in the order of the vector.

    Such as "blocks.2.mean.017", "blocks.2.centre.deviation.017" and "blocks.2.covariance.003.017".
    """
    names = []
    for part in parts:
        for layer, n in zip(layers, channels, strict=True):
            if part == COVARIANCE:
                rows, columns = np.triu_indices(directions(n))
                names += [f"{layer}.{part}.{i:03d}.{j:03d}" for i, j in zip(rows, columns, strict=True)]
                continue
            place = layer if part == WHOLE else f"{layer}.{part}"
            names += [f"{place}.{moment}.{i:03d}" for moment in ("mean", "deviation") for i in range(n)]
    return names
