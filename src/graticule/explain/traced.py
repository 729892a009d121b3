"""A predicted number traced to the parts of its features, and each part to places of the picture.

The network's part is explained with the orientation statistics held at those of the picture. Orientation statistics
are of the whole picture and have no gradient by its pixels: a square of the picture is left out, they are measured
again on the rest, and the place is credited with the fall of the number (as in `graticule.explain.occlusion`). Nothing
is drawn over the square: it would have edges, which are directions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, FloatArray
from graticule.directions.features import features_of_parts
from graticule.explain.fidelity import Curves, orders, parts_of_order
from graticule.explain.image import Seen, sizes_of
from graticule.explain.occlusion import credited, squares
from graticule.explain.told import NETWORK, Parts, parts_of, told_by_parts, told_by_statistics
from graticule.explain.values import ExplainableValue, score_heads
from graticule.heads.scoring import Head
from graticule.images.decode import ImageFile, grey_shown
from graticule.images.preprocess import Preprocessing
from graticule.networks.encoder import Encoder
from graticule.networks.pooling import ORIENTATION
from graticule.regress.scoring import ValueMember, member_values, with_features_given

# positions of the square along each side: statistics of what is left cost some hundredths of a second each
POSITIONS = 6


def statistics_of_parts(
    file: ImageFile, preprocessing: Preprocessing, parts: Sequence[BoolArray | None]
) -> NDArray[np.float32]:
    """Orientation statistics of a file's picture and of parts of it, as the model reads it; for workers."""
    return features_of_parts(grey_shown(file, preprocessing), parts).astype(np.float32)


def whole_and_rest() -> list[BoolArray | None]:
    """The whole picture, and what is left of it without each square."""
    return [None, *~squares(POSITIONS)]


@dataclass(frozen=True)
class Traced:
    """One picture whose number was traced.

    Attributes
    ----------
    seen : Seen
    features : float array, shape (d,)
    maps : dict of str to float array, shape (g, g)
        Of the parts "network" and "orientation", as far as the model has them.
    told : dict of str to float, or None
        What each part adds to the number of an average picture, on the scale that is learnt.
    by_statistic, average : float array, or None
        What each orientation statistic adds, and what it is on average.
    rest : float32 array, shape (1 + positions, length of the part), or None
        Orientation statistics of `whole_and_rest`.
    """

    seen: Seen
    features: FloatArray
    maps: dict[str, FloatArray]
    told: dict[str, float] | None
    by_statistic: FloatArray | None = None
    average: FloatArray | None = None
    rest: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class TracedValue:
    """A model of a number, and what it needs to be explained.

    Attributes
    ----------
    members : sequence of ValueMember
    parts : mapping of str to slice
        Of its features, see `graticule.explain.told.parts_of`.
    network : ExplainableValue or None
        With regressions that see the network's features and the size of the image, the orientation statistics being
        held at their average; None where no network is asked.
    average : float array, shape (d,), or None
        Features of an average image.
    """

    members: Sequence[ValueMember]
    parts: Parts
    network: ExplainableValue | None
    average: FloatArray | None

    @classmethod
    def of(cls, encoder: Encoder, members: Sequence[ValueMember], average: FloatArray | None) -> "TracedValue":
        """Find the pooled layers of the encoder's graph, where it has one."""
        own = encoder.without_orientation() if encoder.orientation else encoder
        network = ExplainableValue.of(own, members, None) if encoder.model else None
        return cls(members, parts_of(encoder), network, None).measured_from(average)

    def measured_from(self, average: FloatArray | None) -> "TracedValue":
        """The same model with another average picture, at whose orientation statistics the network's part stands."""
        network = self.network
        if network is not None and average is not None and ORIENTATION in self.parts:
            network = self.network_at(average[self.parts[ORIENTATION]])
        return replace(self, network=network, average=average)

    @property
    def heads(self) -> list[Head]:
        """The regressions as heads with one score, whose mean is the number."""
        return score_heads(self.members)

    @property
    def n_features(self) -> int:
        """Length of the feature vector."""
        return max(int(span.stop) for span in self.parts.values())

    def say(self, features: NDArray[np.floating]) -> FloatArray:
        """Numbers of features (n, d) on the scale that is learnt, shape (n,)."""
        return np.asarray(member_values(self.members, features).mean(axis=0), dtype=np.float64)

    def features(self, seen: Seen, statistics: NDArray[np.floating] | None) -> FloatArray:
        """Features of one picture with its orientation statistics, shape (d,)."""
        row = np.zeros(self.n_features)
        if NETWORK in self.parts and self.network is not None:
            model = self.network.model
            found = model.features(seen.pixels[None], sizes_of(model, seen, 1))[0]
            row[self.parts[NETWORK]] = found[: self.parts[NETWORK].stop]
        if statistics is not None:
            row[self.parts[ORIENTATION]] = statistics
        for name, span in self.parts.items():
            if name not in (NETWORK, ORIENTATION):
                row[span] = np.log2(seen.size).astype(np.float32)
        return row

    def network_at(self, statistics: NDArray[np.floating] | None) -> ExplainableValue:
        """The network's part as a model of its own, with the orientation statistics held at some."""
        if self.network is None:
            raise ValueError("this model asks no network")
        if statistics is None or ORIENTATION not in self.parts:
            return self.network
        span = self.parts[ORIENTATION]
        return self.network.with_members([with_features_given(one, span, statistics) for one in self.members])

    def told(self, features: FloatArray) -> dict[str, float] | None:
        """What each part adds to the number of the average picture; None without one."""
        return None if self.average is None else told_by_parts(self.say, features, self.average, self.parts)

    def told_by_orientation(self, features: FloatArray) -> FloatArray | None:
        """What each orientation statistic adds, shape (length of the part,); None without an average picture."""
        if self.average is None:
            return None
        return told_by_statistics(self.heads, features, self.average, self.parts, ORIENTATION)

    def with_statistics(self, features: FloatArray, statistics: NDArray[np.floating]) -> FloatArray:
        """Numbers of a picture with other orientation statistics (m, length of the part), shape (m,)."""
        rows = np.repeat(features[None], len(statistics), axis=0)
        rows[:, self.parts[ORIENTATION]] = statistics
        return self.say(rows)

    def trace(self, seen: Seen, rest: NDArray[np.float32] | None, method: str) -> Traced:
        """One picture, by the method of the network's part; `rest` where the model has orientation statistics."""
        statistics = None if rest is None else rest[0]
        features = self.features(seen, statistics)
        told = self.told(features)
        maps = {}
        if self.network is not None:
            total = None if told is None else told[NETWORK]
            maps[NETWORK] = self.network_at(statistics).map_of(seen, method, total)
        if rest is None:
            return Traced(seen, features, maps, told)
        maps[ORIENTATION] = self.orientation_map(features, rest)
        average = None if self.average is None else self.average[self.parts[ORIENTATION]]
        return Traced(seen, features, maps, told, self.told_by_orientation(features), average, rest)

    def orientation_map(self, features: FloatArray, rest: NDArray[np.floating]) -> FloatArray:
        """Fall of the number where a place is left out, shape (g, g).

        Parameters
        ----------
        features : float array, shape (d,)
            Of the picture.
        rest : float array, shape (1 + positions, length of the part)
            Of `whole_and_rest`.
        """
        numbers = self.with_statistics(features, rest)
        return np.asarray(credited((numbers[0] - numbers[1:])[None], POSITIONS)[0])

    def orientation_curves(self, features: FloatArray, statistics: NDArray[np.floating]) -> Curves:
        """Deletion and insertion curves of the orientation statistics, see `graticule.explain.fidelity.Curves`.

        Parameters
        ----------
        features : float array, shape (d,)
            Of the picture.
        statistics : float array, shape (m, length of the part)
            Of `kept_in_order`.
        """
        known = np.array(statistics, np.float64)
        if self.average is not None:
            # where nothing is left, the number of a picture with average statistics
            known[~known.any(axis=1)] = self.average[self.parts[ORIENTATION]]
        return Curves(*self.with_statistics(features, known).reshape(4, -1))


def kept_in_order(found: FloatArray, generator: np.random.Generator) -> list[BoolArray]:
    """What is kept of a picture while cells of its map (g, g) are left out or taken in: of the order of the map, then
    of a random one, first deleted, then inserted."""
    return list(_kept(found, generator))


def _kept(found: FloatArray, generator: np.random.Generator) -> Iterator[BoolArray]:
    cells = len(found)
    for order in orders(found, cells, generator):
        for inserted in (False, True):
            for chosen in parts_of_order(order):
                kept = np.full(cells * cells, not inserted)
                kept[chosen] = inserted
                yield kept.reshape(cells, cells)
