"""What inputs of the network are judged by: inner folds of training images, and what each image loses by an input."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray, class_codes
from graticule.heads.input_size import InnerFold, balanced_weights, choice_folds, drawn, held_out_losses
from graticule.manifest import Manifest


class InputJudge(Protocol):
    """How the images of a data set judge an input; `rows` are places among all samples."""

    def drawn(self, rows: IntArray, most: int, seed: int) -> IntArray:
        """At most so many of some rows, sorted."""

    def inner_folds(
        self, rows: IntArray, group: IntArray | None, copies: IntArray, seed: int
    ) -> tuple[list[InnerFold], IntArray]:
        """Inner folds over the m rows and the units that they keep whole, see `choice_folds`; empty: no division."""

    def losses(self, features: NDArray[np.floating], rows: IntArray, folds: Sequence[InnerFold]) -> FloatArray:
        """What each of m rows with features (m, d) loses by a model that did not see it, shape (m,)."""

    def weights(self, rows: IntArray) -> FloatArray:
        """How much each of m rows counts, of sum 1; shape (m,)."""


@dataclass(frozen=True)
class ClassInputJudge:
    """Judges by the log loss of one fixed classifier, in which every class counts alike."""

    y: IntArray
    n_classes: int

    @classmethod
    def of(cls, manifest: Manifest) -> "ClassInputJudge":
        """Of labelled samples."""
        return cls(class_codes(manifest.label, manifest.classes), len(manifest.classes))

    def drawn(self, rows: IntArray, most: int, seed: int) -> IntArray:
        """See `InputJudge`: the classes give the same number as far as they have it."""
        return drawn(self.y, rows, most, seed)

    def inner_folds(
        self, rows: IntArray, group: IntArray | None, copies: IntArray, seed: int
    ) -> tuple[list[InnerFold], IntArray]:
        """See `InputJudge`."""
        return choice_folds(self.y[rows], group, copies, seed)

    def losses(self, features: NDArray[np.floating], rows: IntArray, folds: Sequence[InnerFold]) -> FloatArray:
        """See `InputJudge`: nats."""
        return held_out_losses(features, self.y[rows], folds, self.n_classes)

    def weights(self, rows: IntArray) -> FloatArray:
        """See `InputJudge`."""
        return balanced_weights(self.y[rows])
