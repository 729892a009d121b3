"""Apply fitted heads to features: NumPy only, so that prediction needs neither scikit-learn nor torch.

A head maps a feature vector x (d numbers) to class probabilities over K classes:

    z = sign(x) sqrt(|x|) of the first `rooted` numbers, the others as they are
    linear: scores = z W^T + b
    logit:  scores = x W^T + b   (the last layer of a fine-tuned network)
    rbf:    u = (z - centre) P;  scores_k = sum_m coef[m, k] exp(-gamma |u - support_m|^2) + b_k
    probabilities = softmax(temperature * scores)

Scaling and whitening are folded into W, b (linear) or into centre and P (rbf). A model is the mean of the
probabilities of its heads.

Rows are multiplied one at a time: BLAS rounds a row of a larger product differently by its place in it, and a sample's
probabilities must not depend on the samples scored beside it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array
from graticule.bundle import checked_tensor
from graticule.errors import BundleError

_BLOCK = 2048
_LARGEST = 1e9
_NAME = re.compile(r"(0|[1-9][0-9]{0,4})\.[a-z_]{1,20}")


@dataclass(frozen=True)
class LinearHead:
    """Weights of shape (K, d), bias (K,), temperature > 0; `rooted` None: all d numbers enter by their root."""

    weights: Float32Array
    bias: Float32Array
    temperature: float
    rooted: int | None = None

    @property
    def n_features(self) -> int:
        """Length of the feature vector."""
        return int(self.weights.shape[1])


@dataclass(frozen=True)
class LogitHead:
    """The last layer of a fine-tuned network: acts on the features as they are.

    logit_weights (K, d), bias (K,), temperature > 0.
    """

    logit_weights: Float32Array
    bias: Float32Array
    temperature: float

    @property
    def n_features(self) -> int:
        """Length of the feature vector."""
        return int(self.logit_weights.shape[1])


@dataclass(frozen=True)
class RbfHead:
    """centre (d,), projection (d, q), support (m, q) already projected, coefficients (m, K), bias (K,)."""

    centre: Float32Array
    projection: Float32Array
    support: Float32Array
    coefficients: Float32Array
    bias: Float32Array
    gamma: float
    temperature: float
    rooted: int | None = None

    @property
    def n_features(self) -> int:
        """Length of the feature vector."""
        return len(self.centre)


Head = LinearHead | LogitHead | RbfHead


def signed_sqrt(features: NDArray[np.floating]) -> Float32Array:
    """sign(x) sqrt(|x|), elementwise: makes the skewed pooled activations roughly symmetric."""
    root: Float32Array = np.sqrt(np.abs(features), dtype=np.float32)
    np.copysign(root, features, out=root)
    return root


def entered(features: NDArray[np.floating], rooted: int | None) -> Float32Array:
    """What a head acts on, a new array (n, d): the first `rooted` numbers by their signed square root, None for all."""
    if rooted is None or rooted >= features.shape[1]:
        return signed_sqrt(features)
    z = np.array(features, np.float32)
    z[:, :rooted] = signed_sqrt(features[:, :rooted])
    return z


def softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over the last axis, in double precision."""
    shifted = scores.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return shifted


def label_losses(scores: NDArray[np.floating], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log loss (nats) of softmax(scores) (n, K) for the labels (n,), at most -ln(1e-12); shape (n,)."""
    return np.asarray(-np.log(np.maximum(softmax(scores)[np.arange(len(y)), y], 1e-12)))


def by_row(rows: Float32Array, matrix: Float32Array) -> Float32Array:
    """rows @ matrix, each row by itself: its result does not depend on the others, bit for bit."""
    product: Float32Array = np.matmul(rows[:, None, :], matrix)[:, 0]
    return product


def rbf_kernel(rows: Float32Array, support: Float32Array, gamma: float) -> Float32Array:
    """exp(-gamma |a - b|^2) for every pair, shape (n, m)."""
    kernel = _squared(by_row(rows, support.T), rows, support)
    kernel *= np.float32(-gamma)
    np.exp(kernel, out=kernel)
    return kernel


def squared_distances(rows: Float32Array, others: Float32Array) -> Float32Array:
    """Squared Euclidean distances, shape (n, m), clipped at 0."""
    return _squared(np.asarray(rows @ others.T, dtype=np.float32), rows, others)


def _squared(cross: Float32Array, rows: Float32Array, others: Float32Array) -> Float32Array:
    """Squared distances from the products `cross` of every pair, which they overwrite."""
    cross *= np.float32(-2.0)
    cross += (rows * rows).sum(1)[:, None]
    cross += (others * others).sum(1)[None, :]
    np.maximum(cross, np.float32(0.0), out=cross)
    return cross


def scores(head: Head, features: NDArray[np.floating]) -> Float32Array:
    """Scores before the softmax, shape (n, K), for features of shape (n, d)."""
    result: Float32Array
    if isinstance(head, LogitHead):
        result = by_row(np.asarray(features, np.float32), head.logit_weights.T) + head.bias
        return result
    z = entered(features, head.rooted)
    if isinstance(head, LinearHead):
        result = by_row(z, head.weights.T) + head.bias
        return result
    projected = by_row(z - head.centre, head.projection)
    result = by_row(rbf_kernel(projected, head.support, head.gamma), head.coefficients) + head.bias
    return result


def probabilities(heads: Sequence[Head], features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean class probabilities of the heads, shape (n, K); rows sum to 1. Works in blocks of rows."""
    blocks = [
        member_probabilities(heads, features[start : start + _BLOCK]).mean(axis=0)
        for start in range(0, len(features), _BLOCK)
    ]
    return np.concatenate(blocks) if blocks else np.zeros((0, len(heads[0].bias)))


def member_probabilities(heads: Sequence[Head], features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Class probabilities by each head, shape (heads, n, K); `probabilities` is their mean."""
    return np.stack([softmax(head.temperature * scores(head, features)) for head in heads])


def pack_heads(heads: Sequence[Head]) -> dict[str, NDArray[Any]]:
    """Heads as named tensors ("0.weights", "0.bias", ...) for a safetensors file."""
    tensors: dict[str, NDArray[Any]] = {}
    for i, head in enumerate(heads):
        for name, value in vars(head).items():
            if value is None:
                continue
            kind = {float: np.float64, int: np.int64}.get(type(value), np.float32)
            tensors[f"{i}.{name}"] = np.array(value, dtype=kind, order="C")
    return tensors


def unpack_heads(
    tensors: Mapping[str, NDArray[Any]], *, n_features: int | None = None, n_classes: int | None = None
) -> list[Head]:
    """Inverse of `pack_heads`, after types and shapes were held against each other.

    Parameters
    ----------
    tensors : mapping
    n_features, n_classes : int, optional
        What the heads must act on and answer with; without them the first head says.

    Raises
    ------
    BundleError
        When a tensor is missing, unexpected, of another type or shape, or holds what is no finite number.
    """
    foreign = [name for name in tensors if not _NAME.fullmatch(name)]
    if foreign:
        raise BundleError(f"the head of the bundle holds a tensor of another kind: {foreign[0][:100]!a}")
    heads: list[Head] = []
    for i in range(len({name.split(".")[0] for name in tensors})):
        heads.append(_unpack(i, tensors, n_features, n_classes))
        n_classes = len(heads[0].bias)
        n_features = heads[0].n_features
    unexpected = sorted(set(tensors) - set(pack_heads(heads)))
    if not heads or unexpected:
        raise BundleError(f"the head of the bundle holds {f'an unexpected {unexpected[0]!a}' if heads else 'nothing'}")
    return heads


def _unpack(i: int, tensors: Mapping[str, NDArray[Any]], d: int | None, k: int | None) -> Head:
    def array(name: str, *shape: int | None) -> Float32Array:
        return checked_tensor(tensors, f"{i}.{name}", "float32", shape, file="head")

    def positive(name: str) -> float:
        value = float(checked_tensor(tensors, f"{i}.{name}", "float64", (), file="head"))
        if not 0 < value <= _LARGEST:
            raise BundleError(f"the head of the bundle has the {name} {value:g}; allowed is above 0 to {_LARGEST:g}")
        return value

    def rooted(n_features: int) -> int | None:
        if f"{i}.rooted" not in tensors:
            return None
        value = int(checked_tensor(tensors, f"{i}.rooted", "int64", (), file="head"))
        if not 0 <= value <= n_features:
            raise BundleError(f"the head of the bundle roots {value:,} of {n_features:,} features")
        return value

    bias, temperature = array("bias", k), positive("temperature")
    k = len(bias)
    if f"{i}.logit_weights" in tensors:
        return LogitHead(array("logit_weights", k, d), bias, temperature)
    if f"{i}.weights" in tensors:
        weights = array("weights", k, d)
        return LinearHead(weights, bias, temperature, rooted(weights.shape[1]))
    centre = array("centre", d)
    projection = array("projection", len(centre), None)
    support = array("support", None, projection.shape[1])
    coefficients = array("coefficients", len(support), k)
    gamma = positive("gamma")
    return RbfHead(centre, projection, support, coefficients, bias, gamma, temperature, rooted(len(centre)))
