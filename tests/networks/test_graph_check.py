"""Networks of bundles: what this program writes passes, everything else is refused from its bytes with a reason."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from tests.forged_networks import network

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
