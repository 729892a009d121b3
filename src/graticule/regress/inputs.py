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
from graticule.networks.pooling import ORIENTATION, WHOLE
from graticule.regress.packing import kept
from graticule.regress.scoring import projected

NETWORK, BOTH = "network", "both"
# of the network the moments over the whole picture alone: what is spread over all of it (a count, a size in a field of
# many objects) is told better without what lies around the centre
NETWORK_WHOLE, BOTH_WHOLE = "network, whole picture", "both, whole picture"
Rows = NDArray[np.int64]


def choices_of(layout: FeatureLayout, asked: str = "auto") -> tuple[str, ...]:
    """What a regression may look at: the choices that a feature vector has, of those that were asked for.

    Parameters
    ----------
    layout : FeatureLayout
    asked : "auto", "network", "orientation" or "both"
    """
    names = [name for name, _ in layout.parts]
    network = [name for name in names if name != ORIENTATION]
    found = [NETWORK] if network or not names else []
    found += [NETWORK_WHOLE] if WHOLE in network and len(network) > 1 else []
    if ORIENTATION in names:
        found += [ORIENTATION, *({NETWORK: BOTH, NETWORK_WHOLE: BOTH_WHOLE}[name] for name in found)]
    wanted = {NETWORK: (NETWORK, NETWORK_WHOLE), ORIENTATION: (ORIENTATION,), BOTH: (BOTH, BOTH_WHOLE)}
    return tuple(name for name in found if asked not in wanted or name in wanted[asked])


def looks_at_orientation(choice: str) -> bool:
    """Whether a choice holds orientation statistics."""
    return choice not in (NETWORK, NETWORK_WHOLE)


def blocks_of(layout: FeatureLayout, choice: str) -> list[tuple[str, ...]]:
    """The blocks of a choice, each by the parts that make it up."""
    network = tuple(name for name, _ in layout.parts if name != ORIENTATION)
    of_network = (WHOLE,) if choice in (NETWORK_WHOLE, BOTH_WHOLE) else network
    return [
        *([] if choice == ORIENTATION else [of_network]),
        *([(ORIENTATION,)] if looks_at_orientation(choice) else []),
    ]


@dataclass(frozen=True)
class ValueInput:
    """A fitted way from feature vectors to a regression's input.

    Attributes
    ----------
    centre : float array, shape (d,)
        Of what enters.
    projection : float32 array, shape (d, q)
        As a bundle keeps it, see `graticule.regress.packing`.
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
        """The input of one of `choices_of`."""
        if choice not in self._fitted:
            scalings = [self._scalings.of(parts) for parts in blocks_of(self.layout, choice)]
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
    return ValueInput(centre, kept(np.concatenate(columns, axis=1)), layout.rooted)
