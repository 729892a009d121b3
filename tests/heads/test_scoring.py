"""Applying heads: the formulas of the module against SciPy and scikit-learn, and the way through a file."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load, save
from scipy.spatial.distance import cdist
from scipy.special import softmax as scipy_softmax
from sklearn.metrics.pairwise import rbf_kernel as sklearn_rbf_kernel

from graticule.errors import BundleError
from graticule.heads.scoring import (
    Head,
    LinearHead,
    RbfHead,
    pack_heads,
    probabilities,
    rbf_kernel,
    scores,
    signed_sqrt,
    softmax,
    squared_distances,
    unpack_heads,
)

RNG = np.random.default_rng(21)
D, K, M = 13, 4, 30


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


FEATURES = 5 * normal(300, D)
LINEAR = LinearHead(normal(K, D), normal(K), 0.7)
RBF = RbfHead(normal(D), normal(D, D), normal(M, D), normal(M, K), normal(K), 0.02, 1.3)


def test_signed_sqrt() -> None:
    values = np.array([[-4.0, 0.0, 0.25, -0.0, 1e-30]])
    np.testing.assert_allclose(signed_sqrt(values), [[-2.0, 0.0, 0.5, 0.0, 1e-15]], rtol=1e-6)
    assert signed_sqrt(values).dtype == np.float32
    assert values[0, 0] == -4.0


def test_softmax() -> None:
    values = 10 * RNG.normal(size=(50, 5))
    np.testing.assert_allclose(softmax(values), scipy_softmax(values, axis=1), rtol=1e-12)
    np.testing.assert_array_equal(softmax(np.array([[1e30, -1e30, 0.0]])), [[1.0, 0.0, 0.0]])
    assert softmax(normal(3, 2)).dtype == np.float64


def test_distances_and_kernel() -> None:
    rows, others = normal(40, D), normal(M, D)
    np.testing.assert_allclose(squared_distances(rows, others), cdist(rows, others, "sqeuclidean"), rtol=1e-5)
    np.testing.assert_allclose(rbf_kernel(rows, others, 0.05), sklearn_rbf_kernel(rows, others, gamma=0.05), rtol=1e-5)
    far = rows + np.float32(1000)
    assert squared_distances(far, far).min() >= 0
    np.testing.assert_array_equal(rows, rows.copy())


def test_scores_follow_the_formulas() -> None:
    x = FEATURES.astype(np.float64)
    z = np.sign(x) * np.sqrt(np.abs(x))
    np.testing.assert_allclose(scores(LINEAR, FEATURES), z @ LINEAR.weights.T + LINEAR.bias, rtol=1e-4, atol=1e-4)
    u = (z - RBF.centre) @ RBF.projection
    expected = np.exp(-RBF.gamma * cdist(u, RBF.support, "sqeuclidean")) @ RBF.coefficients + RBF.bias
    np.testing.assert_allclose(scores(RBF, FEATURES), expected, rtol=1e-4, atol=1e-4)


def test_probabilities_are_the_mean_of_the_heads() -> None:
    found = probabilities([LINEAR, RBF], FEATURES)
    each = [softmax(head.temperature * scores(head, FEATURES)) for head in (LINEAR, RBF)]
    np.testing.assert_allclose(found, (each[0] + each[1]) / 2, rtol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)
    assert probabilities([LINEAR, RBF], FEATURES[:0]).shape == (0, K)


@pytest.mark.parametrize("head", [LINEAR, RBF])
def test_a_sample_does_not_depend_on_those_beside_it(head: Head) -> None:
    whole = probabilities([head], np.tile(FEATURES, (10, 1)))
    np.testing.assert_array_equal(whole[:300], whole[2700:])
    order = RNG.permutation(300)
    np.testing.assert_array_equal(probabilities([head], FEATURES[order]), whole[order])
    for size in (1, 7, 100):
        parts = [probabilities([head], FEATURES[start : start + size]) for start in range(0, 300, size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole[:300])


def test_heads_survive_a_file_bit_for_bit() -> None:
    heads: list[Head] = [LinearHead(normal(K, D), normal(K), (i + 1) / 7) for i in range(11)]
    heads.insert(3, RBF)
    again = unpack_heads(load(save(pack_heads(heads))))
    assert [type(head) for head in again] == [type(head) for head in heads]
    for one, other in zip(heads, again, strict=True):
        for name, value in vars(one).items():
            np.testing.assert_array_equal(getattr(other, name), value)
            assert type(getattr(other, name)) is type(value)
    np.testing.assert_array_equal(probabilities(again, FEATURES), probabilities(heads, FEATURES))


@pytest.mark.parametrize("missing", ["0.bias", "0.temperature", "1.support", "1.gamma", "1.centre"])
def test_a_missing_tensor(missing: str) -> None:
    tensors = pack_heads([LINEAR, RBF])
    del tensors[missing]
    with pytest.raises(BundleError, match=missing.replace(".", r"\.")):
        unpack_heads(tensors)


def test_a_foreign_tensor() -> None:
    with pytest.raises(BundleError, match="of another kind"):
        unpack_heads({"weights": normal(3)})
