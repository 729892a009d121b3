"""How like its training images a picture is to a bundle, whatever its model answers with: novelty, nearest images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.bundle import Tensors
from graticule.decide.novelty import Novelty
from graticule.decide.novelty_space import project
from graticule.features.neighbours import nearest

N_NEAREST = 3


class Likeness:
    """The training images of a bundle, to compare new ones with.

    Parameters
    ----------
    reference : dict of arrays
        The bundle's reference.

    Raises
    ------
    BundleError
        When its novelty is damaged.
    """

    def __init__(self, reference: Tensors) -> None:
        self.novelty = Novelty.unpack(reference)
        self._names: list[str] = []
        if self.novelty is not None:
            self._names = reference["paths"].tobytes().decode().split("\n")
            self._known = project(self.novelty.space, reference["features"].astype(np.float32))

    def nearest(self, features: NDArray[np.floating] | None, rows: Sequence[int], n: int) -> list[list[str] | None]:
        """Paths of the nearest training images of some of n images, None for the others.

        Parameters
        ----------
        features : float array, shape (n, d'), or None
            In the space of the bundle's reference.
        rows : sequence of int
        n : int
        """
        found: list[list[str] | None] = [None] * n
        if self.novelty is not None and features is not None and len(rows):
            near = nearest(self._known, project(self.novelty.space, features[rows]), N_NEAREST)
            for i, row in enumerate(rows):
                found[row] = [self._names[k] for k in near[i]]
        return found

    def scores(self, features: NDArray[np.floating]) -> FloatArray | None:
        """Novelty of pictures by their features alone (n, d'), shape (n,); None where the bundle cannot tell."""
        return None if self.novelty is None else picture_novelty(self.novelty, features)

    def p_values(self, scores: FloatArray) -> FloatArray:
        """p-values of `scores`, shape (n,)."""
        return np.full(len(scores), np.nan) if self.novelty is None else self.novelty.p_value(scores[None])


def picture_novelty(novelty: Novelty, features: NDArray[np.floating]) -> FloatArray:
    """Novelty of pictures (n, d') where no classifier is asked, shape (n,)."""
    return np.asarray(novelty.score(features, np.zeros((1, len(features), 1)))[0], dtype=np.float64)
