"""From the feature vector to a classifier's input: chosen parts, standardised, along their main axes, whitened.

    features ── parts ── signed square root ── standardise ── main axes ── (shrunk whitening)

Thousands of numbers of which many tell the same are laid along their principal axes: as many as `MOST_AXES`, found from
at most `AXES_ROWS` training images. A part of few numbers is taken as it is. Standardising and axes know no labels;
whitening does, and is fitted on the training side of every fold, inner ones included.

Whitening divides by the within-class covariance shrunk towards the identity, S = (1 - a) S_w + a I (Friedman,
"Regularized discriminant analysis", 1989): features are strongly correlated, and directions in which the images of one
class vary should count less. A shrinkage of 1 is plain standardisation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular
from scipy.linalg.blas import ssyrk
from sklearn.base import BaseEstimator, TransformerMixin

from graticule.arrays import Float32Array, FloatArray, numbered
from graticule.heads.scoring import entered
from graticule.networks.pooling import CENTRE, COVARIANCE, ROOTED, WHOLE

MOST_AXES = 768
AXES_ROWS = 2000
# more numbers than this are laid along main axes
_MANY = 1024
_BLOCK = 1024
_FLAT = 1e-6
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class FeatureLayout:
    """What the numbers of a feature vector are.

    Attributes
    ----------
    n_features : int
    parts : tuple of (name, length)
        In the order of the vector, see `graticule.networks.pooling`; none: the vector is one whole, all of it rooted.
        Numbers behind the last part belong to every choice.
    """

    n_features: int
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def rooted(self) -> int:
        """How many leading numbers enter by their signed square root."""
        return sum(length for name, length in self.parts if name in ROOTED) if self.parts else self.n_features

    @property
    def choices(self) -> tuple[tuple[str, ...], ...]:
        """The sets of parts that are worth a try, the fullest first."""
        known = {name for name, _ in self.parts}
        if not {WHOLE, CENTRE, COVARIANCE} <= known:
            return (tuple(name for name, _ in self.parts),)
        return (
            (WHOLE, CENTRE, COVARIANCE),
            (CENTRE, COVARIANCE),
            (WHOLE, COVARIANCE),
            (WHOLE, CENTRE),
            (CENTRE,),
            (WHOLE,),
        )

    def spans(self, chosen: Sequence[str]) -> list[slice]:
        """Where the chosen parts, and what belongs to every choice, stand in the vector."""
        found, at = [], 0
        for name, length in self.parts:
            if name in chosen:
                found.append(slice(at, at + length))
            at += length
        return found + ([slice(at, self.n_features)] if at < self.n_features else [])


@dataclass(frozen=True)
class Scaling:
    """A fitted way from feature vectors to a classifier's input.

    Attributes
    ----------
    layout : FeatureLayout
    parts : tuple of str
    centre, scale : float arrays, shape (d,)
        Of the chosen numbers.
    axes : float32 array, shape (d, r), or None
    """

    layout: FeatureLayout
    parts: tuple[str, ...]
    centre: FloatArray
    scale: FloatArray
    axes: Float32Array | None

    def apply(self, features: NDArray[np.floating], rows: Rows) -> Float32Array:
        """Some rows of features (n, n_features) as input, a new array of shape (len(rows), r)."""
        width = len(self.centre) if self.axes is None else self.axes.shape[1]
        out = np.empty((len(rows), width), np.float32)
        centre, scale = self.centre.astype(np.float32), self.scale.astype(np.float32)
        for block, z in _entered(features, rows, self.layout.spans(self.parts), self.layout.rooted):
            z -= centre
            z /= scale
            out[block] = z if self.axes is None else z @ self.axes
        return out

    def folded(self, weights: FloatArray) -> FloatArray:
        """Weights (K, r) on the input as weights (K, n_features) on what enters; parts not chosen weigh nothing."""
        inner = weights if self.axes is None else weights @ self.axes.T.astype(np.float64)
        inner = inner / self.scale
        out, at = np.zeros((len(weights), self.layout.n_features)), 0
        for span in self.layout.spans(self.parts):
            out[:, span] = inner[:, at : at + span.stop - span.start]
            at += span.stop - span.start
        return out

    def full_centre(self) -> FloatArray:
        """The centre at its place in a vector of n_features, zero where a part was not chosen."""
        out, at = np.zeros(self.layout.n_features), 0
        for span in self.layout.spans(self.parts):
            out[span] = self.centre[at : at + span.stop - span.start]
            at += span.stop - span.start
        return out


class Scalings:
    """Scalings of some training rows, each set of parts fitted once.

    Parameters
    ----------
    features : float array, shape (n, n_features)
    rows : int array
        The training rows.
    layout : FeatureLayout
    """

    def __init__(self, features: NDArray[np.floating], rows: Rows, layout: FeatureLayout) -> None:
        self.features, self.rows, self.layout = features, rows, layout
        # by where a part begins: sets of parts share what is known of each
        self._moments: dict[int, tuple[FloatArray, FloatArray]] = {}
        self._products: dict[int, Float32Array] = {}
        self._fitted: dict[tuple[str, ...], Scaling] = {}
        # evenly over the rows, whatever their order means
        step = max(1, -(-len(rows) // AXES_ROWS))
        self._some = rows[::step]

    @classmethod
    def whole(cls, features: NDArray[np.floating]) -> Self:
        """Of all rows of features that are one whole."""
        return cls(features, np.arange(len(features)), FeatureLayout(features.shape[1]))

    def of(self, parts: tuple[str, ...]) -> Scaling:
        """The scaling of a set of parts."""
        if parts not in self._fitted:
            known = [self._moments_of(span) for span in self.layout.spans(parts)]
            centre, scale = (np.concatenate(values) for values in zip(*known, strict=True))
            plain = Scaling(self.layout, parts, centre, scale, None)
            many = len(centre) > _MANY
            self._fitted[parts] = replace(plain, axes=self._axes(plain) if many else None)
        return self._fitted[parts]

    def _moments_of(self, span: slice) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of what enters of a part, over all rows; what never varies has scale 1."""
        if span.start not in self._moments:
            d = span.stop - span.start
            total, squares, shift = np.zeros(d), np.zeros(d), None
            for _, z in _entered(self.features, self.rows, [span], self.layout.rooted):
                shift = z.mean(axis=0, dtype=np.float64) if shift is None else shift
                apart = z - shift
                total += apart.sum(axis=0)
                squares += (apart * apart).sum(axis=0)
            n = len(self.rows)
            mean = total / n
            spread = np.sqrt(np.maximum(squares / n - mean * mean, 0))
            centre = mean + (0.0 if shift is None else shift)
            flat = spread <= _FLAT * np.maximum(np.abs(centre), _FLAT)
            self._moments[span.start] = centre, np.where(flat, 1.0, spread)
        return self._moments[span.start]

    def _axes(self, plain: Scaling) -> Float32Array:
        """Principal axes of the standardised numbers, shape (d, r), strongest first, found in the space of images."""
        z = plain.apply(self.features, self._some)
        n = len(z)
        z -= z.mean(axis=0)
        products, at = np.zeros((n, n), np.float32, order="F"), 0
        for span in self.layout.spans(plain.parts):
            after = at + span.stop - span.start
            if span.start not in self._products:
                # the lower triangle is half the work, and all that is looked at
                self._products[span.start] = ssyrk(1.0, z[:, at:after].T, trans=1, lower=1)
            products += self._products[span.start]
            at = after
        r = max(1, min(MOST_AXES, n - 1))
        # all of them by division take less time than the strongest ones one by one
        values, vectors = eigh(products, lower=True, driver="evd", overwrite_a=True, check_finite=False)
        values, vectors = values[-r:], vectors[:, -r:]
        kept = values > _FLAT * float(values[-1])
        kept[-1] = True
        lengths = np.sqrt(np.maximum(values[kept][::-1], np.finfo(np.float32).tiny))
        return np.asarray(z.T @ (vectors[:, kept][:, ::-1] / lengths), np.float32)


def _entered(
    features: NDArray[np.floating], rows: Rows, spans: Sequence[slice], rooted: int
) -> Iterator[tuple[slice, Float32Array]]:
    """What enters a classifier of some rows, block by block; the leading `rooted` numbers by their root."""
    for start in range(0, len(rows), _BLOCK):
        block = features[rows[start : start + _BLOCK]]
        pieces = [entered(block[:, span], min(max(rooted - span.start, 0), span.stop - span.start)) for span in spans]
        yield slice(start, start + _BLOCK), pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)


class ShrunkWhitening(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Whiten by the shrunk within-class covariance of scaled features, in place.

    Parameters
    ----------
    shrinkage : float
        In (0, 1]; 1 leaves the features as they are.
    """

    def __init__(self, shrinkage: float = 0.3) -> None:
        self.shrinkage = shrinkage

    def fit(self, X: Float32Array, y: NDArray[np.int64]) -> Self:
        """Learn the covariance from X of shape (n, d) and class indices y of shape (n,)."""
        d = X.shape[1]
        self.lower_: NDArray[np.float64] | None = None
        if self.shrinkage < 1.0:
            index = numbered(y)
            means = np.stack([X[index == k].mean(axis=0) for k in range(int(index.max()) + 1)])
            scatter = np.zeros((d, d))
            for start in range(0, len(X), _BLOCK):
                rows = X[start : start + _BLOCK] - means[index[start : start + _BLOCK]]
                scatter += rows.T @ rows
            covariance = (1.0 - self.shrinkage) * scatter / len(X)
            covariance[np.diag_indices(d)] += self.shrinkage
            self.lower_ = cholesky(covariance, lower=True)
        return self

    def transform(self, X: Float32Array) -> Float32Array:
        """X overwritten by its whitened values."""
        if self.lower_ is not None:
            lower = self.lower_.astype(np.float32)
            for start in range(0, len(X), _BLOCK):
                block = slice(start, start + _BLOCK)
                X[block] = solve_triangular(lower, X[block].T, lower=True, check_finite=False).T
        return X

    def matrix(self, d: int) -> NDArray[np.float64]:
        """P of shape (d, d) with transform(X) = X P."""
        identity = np.eye(d)
        return identity if self.lower_ is None else solve_triangular(self.lower_, identity, lower=True).T
