"""The reader of ONNX bytes against the onnx package: the same parts, whatever the network; damage is always told."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from tests.forged_networks import network

from graticule.networks.encoder import Encoder
from graticule.networks.onnx_wire import WireError, read_graph


def test_it_reads_what_the_onnx_package_reads(lite0: Encoder) -> None:
    for model in (lite0.model, network(5).SerializeToString()):
        found, expected = read_graph(model), onnx.load_model_from_string(model)
        assert dict(found.opsets) == {entry.domain: entry.version for entry in expected.opset_import}
        assert [(n.kind, n.domain, n.inputs, n.outputs) for n in found.nodes] == [
            (n.op_type, n.domain, tuple(n.input), tuple(n.output)) for n in expected.graph.node
        ]
        assert [v.name for v in (*found.inputs, *found.outputs)] == [
            v.name for v in (*expected.graph.input, *expected.graph.output)
        ]
        for one, other in zip(found.constants, expected.graph.initializer, strict=True):
            values = numpy_helper.to_array(other)
            assert (one.name, one.shape) == (other.name, values.shape)
            np.testing.assert_array_equal(np.frombuffer(one.raw, values.dtype), values.ravel())


def test_shapes_of_inputs_and_outputs() -> None:
    found = read_graph(network(7, size=32).SerializeToString())
    assert [(v.name, v.kind, v.shape) for v in found.inputs] == [("pixels", 2, (None, 32, 32, 3))]
    assert [(v.name, v.kind, v.shape) for v in found.outputs] == [("features", 1, (None, 7))]


def test_random_bytes() -> None:
    rng = np.random.default_rng(1)
    for length in rng.integers(1, 300, 2000).tolist():
        with pytest.raises(WireError):
            read_graph(b"\xff" + rng.bytes(length))
