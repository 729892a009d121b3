"""Where statistics of which maps stand in a feature vector."""

from __future__ import annotations

import numpy as np

from graticule.explain.layout import Around, CentredLayer, Tap, find_layout
from graticule.explain.second_order import covariance_root


def test_the_layout_is_told_from_numbers() -> None:
    generator = np.random.default_rng(10)
    a, b = generator.normal(size=(3, 4, 6, 6)), generator.normal(size=(3, 2, 3, 3))
    features = np.concatenate([a.mean((2, 3)), a.std((2, 3)), b.mean((2, 3))], axis=1)
    layout = find_layout(features, {"b": b, "squares": a * a, "a": a, "scalar": generator.normal(size=(3, 4))})
    assert layout == [Tap("a", 0, 4, 4), Tap("b", 8, None, 2)]
    assert find_layout(features + 0.1, {"a": a, "b": b}) is None


def test_statistics_around_the_centre_are_told_from_numbers() -> None:
    generator = np.random.default_rng(11)
    a, basis = generator.normal(size=(3, 4, 5, 5)), np.eye(4, dtype=np.float32)[:3]
    bell = generator.uniform(size=(25, 1))
    bell /= bell.sum()
    flat = a.reshape(3, 4, 25)
    mean = flat @ bell
    moments = np.concatenate([mean, np.sqrt((flat - mean) ** 2 @ bell)], axis=1)[:, :, 0]
    features = np.concatenate([a.mean((2, 3)), moments, covariance_root(basis @ flat, bell[:, 0])], axis=1)
    layer = CentredLayer("bell", basis)
    assert find_layout(features, {"a": a}, {"a": (layer, bell)}) == [Tap("a", 0, None, 4, Around(layer, 4, 8, 12))]
    assert find_layout(features, {"a": a}) is None
    # weights that are not those of the graph
    assert find_layout(features, {"a": a}, {"a": (layer, bell[::-1])}) is None


def test_maps_of_one_cell_are_no_averages() -> None:
    a = np.random.default_rng(12).normal(size=(3, 4, 1, 1))
    assert find_layout(a[:, :, 0, 0], {"a": a}) is None
