"""What a regression sees of a feature vector: blocks of features, each scaled as for a classifier, weighing alike.

A block is what one thing says of the picture: the network's features, or its orientation statistics. Each is taken
through `heads.scaling` (signed root, standardised, main axes) and divided by the root of its total variance, so that
many numbers do not outweigh few.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, FloatArray
from graticule.heads.scaling import FeatureLayout, Scaling, Scalings
from graticule.networks.pooling import ORIENTATION
from graticule.regress.scoring import projected

NETWORK, BOTH = "network", "both"
Rows = NDArray[np.int64]


def blocks_of(layout: FeatureLayout) -> tuple[str, ...]:
    """The blocks that a feature vector has."""
    names = {name for name, _ in layout.parts}
    network = () if names == {ORIENTATION} else (NETWORK,)
    return (*network, ORIENTATION) if ORIENTATION in names else network


def parts_of(layout: FeatureLayout, block: str) -> tuple[str, ...]:
    """The parts that make up a block."""
    return tuple(name for name, _ in layout.parts if (name == ORIENTATION) == (block == ORIENTATION))


@dataclass(frozen=True)
class ValueInput:
    """A fitted way from feature vectors to a regression's input.

    Attributes
    ----------
    centre : float array, shape (d,)
        Of what enters.
    projection : float32 array, shape (d, q)
    rooted : int
    """

    centre: FloatArray
    projection: Float32Array
    rooted: int

    def apply(self, features: NDArray[np.floating]) -> FloatArray:
        """Features (n, d) as input, shape (n, q)."""
        return projected(features, self.centre, self.projection, self.rooted)


class BlockInputs:
    """Inputs of some training rows, each choice of blocks fitted once; they know no targets.

    Parameters
    ----------
    features : float array, shape (n, d)
    rows : int array
        The training rows.
    layout : FeatureLayout
    """

    def __init__(self, features: NDArray[np.floating], rows: Rows, layout: FeatureLayout) -> None:
        self.features, self.rows, self.layout = features, rows, layout
        self._scalings = Scalings(features, rows, layout)
        self._fitted: dict[str, ValueInput] = {}

    def of(self, choice: str) -> ValueInput:
        """The input of "network", "orientation" or "both"."""
        if choice not in self._fitted:
            blocks = blocks_of(self.layout) if choice == BOTH else (choice,)
            scalings = [self._scalings.of(parts_of(self.layout, block)) for block in blocks]
            self._fitted[choice] = _joined(self.layout, scalings, self.features, self.rows)
        return self._fitted[choice]


def _joined(
    layout: FeatureLayout, scalings: Sequence[Scaling], features: NDArray[np.floating], rows: Rows
) -> ValueInput:
    centre, columns = np.zeros(layout.n_features), []
    for scaling in scalings:
        width = len(scaling.centre) if scaling.axes is None else scaling.axes.shape[1]
        total = float(scaling.apply(features, rows).var(axis=0, dtype=np.float64).sum())
        weight = 1.0 / np.sqrt(total) if total > 0 else 1.0
        # what belongs to every choice (the size of the image) stands in each block, with the same centre
        place = scaling.full_centre()
        centre = np.where(place == 0, centre, place)
        columns.append(scaling.folded(np.eye(width)).T * weight)
    return ValueInput(centre, np.concatenate(columns, axis=1).astype(np.float32), layout.rooted)
