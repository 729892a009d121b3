"""What inputs of the network are judged by where a number is learnt, beside `graticule.heads.input_judge`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from graticule.arrays import FloatArray, IntArray
from graticule.heads.input_size import INNER_FOLDS, InnerFold
from graticule.heads.scaling import FeatureLayout
from graticule.regress.fitting import RidgeFits, Standard
from graticule.regress.inputs import NETWORK, BlockInputs
from graticule.split.value_folds import inner_value_folds

# of the regularisation; each input is judged by the one that suits it
_STRENGTHS = (0.01, 0.1, 1.0, 10.0)


@dataclass(frozen=True)
class ValueInputJudge:
    """Judges by the absolute error of a ridge regression, in which every image counts alike.

    Attributes
    ----------
    values : float array, shape (n,)
        Numbers of all samples, on the scale that is learnt.
    """

    values: FloatArray

    def drawn(self, rows: IntArray, most: int, seed: int) -> IntArray:
        """At most so many of some rows, sorted: by chance."""
        return np.sort(np.random.default_rng(seed).permutation(rows)[:most])

    def inner_folds(
        self, rows: IntArray, group: IntArray | None, copies: IntArray, seed: int
    ) -> tuple[list[InnerFold], IntArray]:
        """Inner folds balanced over the numbers, and the units that they keep whole; groups where there are enough."""
        for unit in (group, copies):
            if unit is not None and (folds := inner_value_folds(self.values[rows], unit, INNER_FOLDS, seed)):
                return folds, unit
        return [], copies

    def losses(self, features: NDArray[np.floating], rows: IntArray, folds: Sequence[InnerFold]) -> FloatArray:
        """Absolute error of each row on the scale that is learnt, by a regression that did not see it; shape (m,)."""
        values = self.values[rows]
        layout = FeatureLayout(features.shape[1])
        held_out = np.zeros((len(_STRENGTHS), len(rows)))
        # one thread: small matrices gain nothing from more, and results do not depend on the number of cores
        with threadpool_limits(1):
            for train, test in folds:
                given = BlockInputs(features, train, layout).of(NETWORK)
                standard = Standard.of(values[train])
                fits = RidgeFits(given.apply(features[train]), (values[train] - standard.mean) / standard.scale)
                seen = given.apply(features[test])
                for i, strength in enumerate(_STRENGTHS):
                    weights = fits.weights(strength)
                    held_out[i, test] = (seen @ weights + fits.offset(weights)) * standard.scale + standard.mean
        errors = np.abs(held_out - values)
        return np.asarray(errors[int(errors.mean(axis=1).argmin())])

    def weights(self, rows: IntArray) -> FloatArray:
        """How much each row counts, of sum 1; shape (m,)."""
        return np.full(len(rows), 1 / max(len(rows), 1))
