"""Whether generated images show as much as real ones do, or the same few pictures again and again.

Judged by pixels on the canvas, whichever way a picture is turned: features tell generated images from real ones by
their texture, and would call all of them far away.
"""

from dataclasses import dataclass

import numpy as np

from graticule.arrays import Float32Array, IntArray
from graticule.synthesis.distance import orbit_distances
from graticule.synthesis.quality import HALVINGS, NEIGHBOURS, halves

_MOST = 1_000
# distance of the nearest real pairs
_CLOSE = 0.01


@dataclass(frozen=True)
class Variety:
    """How much of a class generated images show.

    Attributes
    ----------
    coverage, reference : float
        Share of real images that have a generated one (another real one: the reference) in their neighbourhood, as
        many of each being looked at; NaN with too few images.
    close : float
        Share of pairs of generated images that are nearer to each other than 99 in 100 pairs of real ones.
    n : int
        Generated images.
    n_different : int
        How many of them are different, pixel by pixel.
    """

    coverage: float
    reference: float
    close: float
    n: int
    n_different: int


def variety_of(made: Float32Array, real: Float32Array, unit: IntArray, *, seed: int = 0) -> Variety:
    """Coverage and close pairs.

    Parameters
    ----------
    made, real : float32 arrays, shapes (n, side, side), (m, side, side)
        Made by `graticule.synthesis.distance.comparable`.
    unit : int array, shape (m,)
        Copies among the real images.
    seed : int
    """
    rng = np.random.default_rng(seed)
    shown = np.sort(rng.permutation(len(made))[:_MOST])
    kept = np.sort(rng.permutation(len(real))[: 2 * _MOST])
    among, units = orbit_distances(real[kept], real[kept]), unit[kept]
    across = orbit_distances(real[kept], made[shown])
    different = len({picture.tobytes() for picture in made})
    reached, reference = [], []
    for _ in range(HALVINGS):
        one, other = halves(units, rng)
        n = min(len(other), len(shown))
        if len(one) <= NEIGHBOURS or not n:
            return Variety(float("nan"), float("nan"), float("nan"), len(made), different)
        radius = np.partition(among[np.ix_(one, one)], NEIGHBOURS, axis=1)[:, NEIGHBOURS]
        reference.append((among[np.ix_(one, other[:n])].min(1) < radius).mean())
        drawn = rng.permutation(len(shown))[:n]
        reached.append((across[np.ix_(one, drawn)].min(1) < radius).mean())
    pairs = among[np.triu_indices(len(kept), 1)]
    own = orbit_distances(made[shown], made[shown])[np.triu_indices(len(shown), 1)]
    close = float((own < np.quantile(pairs, _CLOSE)).mean()) if len(own) else float("nan")
    return Variety(float(np.mean(reached)), float(np.mean(reference)), close, len(made), different)
