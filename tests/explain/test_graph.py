"""The same network with other weights."""

from __future__ import annotations

import numpy as np

from graticule.explain.graph import load_graph, shuffled_weights, weight_stages
from graticule.explain.model import ExplainableModel
from graticule.networks.encoder import Encoder


def test_weights_are_shuffled_within_their_layer(encoder: Encoder) -> None:
    graph = load_graph(encoder.model)
    stages = weight_stages(graph, [tap.tensor for tap in ExplainableModel.of(encoder, []).taps])
    assert len(stages) == 4
    names = stages[-1][1]
    mixed = shuffled_weights(graph, names, np.random.default_rng(0))
    for before, after in zip(graph.graph.initializer, mixed.graph.initializer, strict=True):
        if before.name not in names:
            assert before == after
    a, b = (
        np.frombuffer(next(t for t in g.graph.initializer if t.name == names[0]).raw_data, np.float32)
        for g in (graph, mixed)
    )
    assert not np.array_equal(a, b)
    assert np.array_equal(np.sort(a), np.sort(b))
