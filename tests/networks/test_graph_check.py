"""Networks of bundles: what this program writes passes, everything else is refused from its bytes with a reason."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from tests.forged_networks import BUILT, lengths, network, node

from graticule.errors import BundleError
from graticule.networks.graph_check import OPERATIONS, check_graph


def test_a_network_cut_anywhere_or_with_a_byte_changed_never_ends_otherwise() -> None:
    model = network(3).SerializeToString()
    for length in range(len(model)):
        with pytest.raises(BundleError):
            check_graph(model[:length], "features", 8)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        damaged = bytearray(model)
        damaged[rng.integers(len(model))] ^= int(rng.integers(1, 256))
        try:
            check_graph(bytes(damaged), "features", 8)
        except BundleError:
            continue


def test_the_operations_are_those_of_onnx_without_control_flow_and_chance() -> None:
    known = {schema.name: schema for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
    assert set(known) >= OPERATIONS - {"Swish", "RMSNormalization"}, "a name that ONNX does not have"
    for name in ("If", "Loop", "Scan", "SequenceMap", "RandomNormal", "Bernoulli", "Multinomial", "NonZero", "Unique"):
        assert name not in OPERATIONS
    graphs = onnx.defs.OpSchema.AttrType.GRAPH
    assert not [n for n in OPERATIONS & set(known) if any(a.type == graphs for a in known[n].attributes.values())]


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("a condition", "holds graphs inside of an operation"),
        ("a loop", "holds graphs inside of an operation"),
        ("an operation of its own domain", "operator sets"),
        ("an unknown operation", "'Exec' is none"),
        ("chance", "'RandomNormalLike' is none"),
        ("lengths that depend on values", "'NonZero' is none"),
        ("lengths from pixels", "length depends on the values of pixels"),
        ("an unknown version", "operator sets are {'': 999}"),
        ("two inputs", "only input must be 'pixels'"),
        ("operations out of order", "used and made nowhere before"),
        ("a name twice", "stands for two things"),
        ("a weight that is no number", "no finite numbers"),
        ("another name of the output", "no output 'features'"),
        ("another size of the input", r"where its preprocessing makes \(None, 16, 16, 3\)"),
    ],
)
def test_each_kind_is_refused_for_its_own_reason(kind: str, cause: str) -> None:
    with pytest.raises(BundleError, match=f"its network model.onnx is none that can be used: .*({cause})"):
        check_graph(BUILT[kind](5).SerializeToString(), "features", 16)


def test_what_is_sound_passes() -> None:
    check_graph(network(5).SerializeToString(), "features", 16)
    check_graph(network(5, size=16).SerializeToString(), "features", 16)
    check_graph(network(5, output="other").SerializeToString(), "other", 16)


def test_a_length_may_come_from_the_shape_of_pixels_and_not_from_their_values() -> None:
    flat = [node("Shape", "x", "s"), node("Reshape", "x s", "y"), node("ReduceSum", "y", "z", keepdims=0)]
    check_graph(network(5, flat).SerializeToString(), "features", 16)
    by_value = [node("ReduceMax", "x", "top"), node("Cast", "top", "s", to=7), *flat[1:]]
    with pytest.raises(BundleError, match="an operation Reshape makes a tensor whose length depends"):
        check_graph(network(5, by_value).SerializeToString(), "features", 16)
    plain = [node("Reshape", "x s", "y"), node("ReduceSum", "y", "z", keepdims=0)]
    check_graph(network(5, plain, {"s": lengths(-1)}).SerializeToString(), "features", 16)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_constants_are_finite_whatever_their_depth(value: float, dtype: type) -> None:
    spoiled = np.zeros(100, dtype)
    check_graph(network(5, [], {"unused": spoiled}).SerializeToString(), "features", 16)
    spoiled[99] = value
    with pytest.raises(BundleError, match="'unused' holds values that are no finite numbers"):
        check_graph(network(5, [], {"unused": spoiled}).SerializeToString(), "features", 16)
