"""Statistics of feature maps in the graph against NumPy."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from graticule.networks.graph_pooling import PooledMaps
from graticule.networks.graph_writer import GraphWriter
from graticule.networks.pooling import CENTRE_WIDTH, projection

Floats = NDArray[np.float64]


def session(channels: int) -> tuple[onnxruntime.InferenceSession, Floats]:
    """Maps to mean, deviation and covariances, as a network of their own; and the directions."""
    basis = projection(np.random.default_rng(0).normal(size=(3 * channels, channels)))
    writer = GraphWriter({})
    pooled = PooledMaps(writer, "maps", "stage", basis)
    outputs = [*pooled.centre(), pooled.covariance()]
    graph = helper.make_graph(
        writer.nodes,
        "pooling",
        [helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["n", channels, "h", "w"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "d"]) for name in outputs],
        writer.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return onnxruntime.InferenceSession(model.SerializeToString()), basis.astype(np.float64)


def bell(height: int, width: int) -> Floats:
    """The centre's weights, cell by cell, written another way."""
    rows = [(2 * i + 1) / height - 1 for i in range(height)]
    columns = [(2 * j + 1) / width - 1 for j in range(width)]
    cells = np.array([[np.exp(-(y * y + x * x) / (2 * CENTRE_WIDTH**2)) for x in columns] for y in rows])
    return cells / cells.sum()


def root(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


@pytest.mark.parametrize(("height", "width"), [(7, 7), (9, 14), (2, 2)])
def test_agrees_with_numpy(height: int, width: int) -> None:
    run, basis = session(6)
    maps = np.random.default_rng(1).normal(size=(3, 6, height, width)).astype(np.float32)
    mean, deviation, covariance = run.run(None, {"maps": maps})
    w = bell(height, width)
    expected = (maps * w).sum(axis=(2, 3))
    np.testing.assert_allclose(mean, expected, atol=1e-5)
    apart = maps - expected[:, :, None, None]
    np.testing.assert_allclose(deviation, np.sqrt((apart**2 * w).sum(axis=(2, 3))), atol=1e-5)
    turned = np.einsum("kc,nchw->nkhw", basis, apart)
    matrices = np.einsum("nkhw,nlhw,hw->nkl", turned, turned, w)
    upper = np.triu_indices(6)
    found = np.stack([root(matrix)[upper] for matrix in matrices])
    # five steps of the iteration: exact but for directions that hardly vary
    assert np.abs(covariance - found).max() < 0.08 * np.abs(found).max()
    full = np.zeros((3, 6, 6))
    full[:, upper[0], upper[1]] = covariance
    full[:, upper[1], upper[0]] = covariance
    assert np.linalg.norm(full @ full - matrices) < 0.08 * np.linalg.norm(matrices)


def test_turned_maps_give_the_same_statistics() -> None:
    run, _ = session(5)
    maps = np.random.default_rng(2).normal(size=(2, 5, 8, 8)).astype(np.float32)
    straight = run.run(None, {"maps": maps})
    for turned in (np.rot90(maps, 1, axes=(2, 3)), maps[..., ::-1]):
        for one, other in zip(straight, run.run(None, {"maps": np.ascontiguousarray(turned)}), strict=True):
            np.testing.assert_allclose(one, other, atol=2e-5)


def test_flat_maps_and_a_single_cell_have_no_spread() -> None:
    run, _ = session(4)
    for shape in ((1, 4, 5, 5), (1, 4, 1, 1)):
        mean, deviation, covariance = run.run(None, {"maps": np.full(shape, 3.0, np.float32)})
        np.testing.assert_allclose(mean, 3.0, rtol=1e-6)
        np.testing.assert_allclose(deviation, 0.0, atol=1e-5)
        np.testing.assert_allclose(covariance, 0.0, atol=1e-4)


def test_the_middle_counts_more_than_the_border() -> None:
    run, _ = session(2)
    middle, border = np.zeros((1, 2, 9, 9), np.float32), np.zeros((1, 2, 9, 9), np.float32)
    middle[:, :, 4, 4] = 1.0
    border[:, :, 0, 0] = 1.0
    assert run.run(None, {"maps": middle})[0].min() > 10 * run.run(None, {"maps": border})[0].max()
