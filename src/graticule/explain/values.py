"""What in a picture makes the predicted number larger or smaller: closed form of the regressions, or occlusion.

A regression on pooled maps is a classifier with one score and no softmax: its gradient by the features, times the maps,
says how much each place adds to the number on the scale that is learnt (`graticule.explain.targets`, target "score").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, Pixels
from graticule.explain.image import Seen, sizes_of
from graticule.explain.model import ExplainableModel, with_total
from graticule.explain.occlusion import occlusion_map
from graticule.explain.pooled import add_layers
from graticule.explain.shifted import COARSE, laid_together, moved
from graticule.heads.scoring import Head, LinearHead, RbfHead
from graticule.networks.encoder import Encoder
from graticule.regress.scoring import KernelValue, ValueHead, ValueMember, member_values

_ONLY = np.zeros((1, 1), np.int64)


@dataclass(frozen=True)
class ExplainableValue:
    """A network with regressions whose number can be traced to places of the picture.

    Attributes
    ----------
    model : ExplainableModel
        Its heads are the regressions, each with one score.
    members : sequence of ValueMember
    """

    model: ExplainableModel
    members: Sequence[ValueMember]

    @classmethod
    def of(cls, encoder: Encoder, members: Sequence[ValueMember], baseline: FloatArray | None) -> "ExplainableValue":
        """Find the pooled layers of the encoder's graph; `baseline` (d,) are the features of an average image."""
        return cls(replace(ExplainableModel.of(encoder, score_heads(members)), baseline=baseline), members)

    def with_members(self, members: Sequence[ValueMember]) -> "ExplainableValue":
        """Other regressions on the same network's features."""
        return ExplainableValue(replace(self.model, heads=score_heads(members), baseline=None), members)

    def learnt(self, pixels: Pixels, sizes: NDArray[np.floating] | None = None) -> FloatArray:
        """What the model says of pictures (N, S, S, 3) on the scale that is learnt, shape (N, 1)."""
        return self._of_features(self.model.features(pixels, sizes))

    def _of_features(self, features: NDArray[np.floating]) -> FloatArray:
        return np.asarray(member_values(self.members, features).mean(axis=0)[:, None], dtype=np.float64)

    def map_of(self, seen: Seen, method: str, total: float | None = None) -> FloatArray:
        """How much each place adds to the number, shape (g, g).

        By "hirescam" cells add up to `total`, by default how far the number lies above that of an average training
        image, where the model keeps one. By "occlusion" a cell holds by how much the number falls when the place is
        covered.
        """
        pixels, sizes = seen.pixels[None], sizes_of(self.model, seen, 1)
        if method == "occlusion":
            return np.asarray(occlusion_map(partial(self._variants, seen), seen.pixels, _ONLY[0])[0])
        if method != "hirescam":
            return self.plain_map(seen, method)
        found = self._layers(pixels, sizes, method)
        if (cells := found.shape[-1]) < COARSE:
            found = laid_together([self._layers(one, sizes, method) for one in moved(pixels, cells)])
        if total is None and self.model.baseline is not None:
            total = float((self.learnt(pixels, sizes) - self._of_features(self.model.baseline[None]))[0, 0])
        return np.asarray((found if total is None else with_total(found, np.array([[total]])))[0, 0])

    def plain_map(self, seen: Seen, method: str) -> FloatArray:
        """The map in closed form as the network has it: on its own grid, measured from nothing; shape (g, g)."""
        total = self._layers(seen.pixels[None], sizes_of(self.model, seen, 1), method)
        return np.asarray((total if method == "hirescam" else np.maximum(total, 0))[0, 0])

    def _layers(self, pixels: Pixels, sizes: NDArray[np.floating] | None, method: str) -> FloatArray:
        return add_layers(self.model.layers(pixels, _ONLY, sizes, method=method, target="score"))

    def _variants(self, seen: Seen, pixels: Pixels) -> FloatArray:
        return self.learnt(pixels, sizes_of(self.model, seen, len(pixels)))


def score_heads(members: Sequence[ValueMember]) -> list[Head]:
    """The regressions as heads with one score, so that the mean over the heads is what the model says."""
    n = sum(len(member) for member in members)
    return [_head(one, n / (len(members) * len(member))) for member in members for one in member]


def _head(value: ValueHead, weight: float) -> Head:
    bias = np.array([weight * value.offset], np.float32)
    if isinstance(value, KernelValue):
        coefficients = (weight * value.coefficients[:, None]).astype(np.float32)
        return RbfHead(value.centre.astype(np.float32), value.projection, value.support.astype(np.float32),
                       coefficients, bias, value.gamma, 1.0, value.rooted)  # fmt: skip
    return LinearHead((weight * value.slope[None]).astype(np.float32), bias, 1.0, value.rooted)
