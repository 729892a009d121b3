"""Blocks in training: what is frozen stays, rates grow towards the last layer."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import Small  # noqa: E402

from graticule.finetune.blocks import parameter_groups  # noqa: E402


def test_frozen_blocks_keep_weights_and_statistics(small: Small) -> None:
    before = {k: v.clone() for k, v in small.network().state_dict().items()}
    trained = small.run(frozen_blocks=3)
    inside = {id(t) for _, block in trained.network.blocks()[:3] for t in (*block.parameters(), *block.buffers())}
    named = [*trained.network.named_parameters(), *trained.network.named_buffers()]
    moved = {name for name, value in named if not torch.equal(value, before[name])}
    assert len(inside) > 10
    assert not moved & {name for name, value in named if id(value) in inside}
    assert {"classifier.weight", "classifier.bias"} <= moved


def test_kept_statistics_stay_while_weights_move(small: Small) -> None:
    before = {k: v.clone() for k, v in small.network().state_dict().items()}
    after = small.run(epochs=1, statistics="kept").network.state_dict()
    statistics = {k for k in before if "running_" in k}
    moved = {k for k in before if not torch.equal(before[k], after[k])}
    assert len(statistics) > 10
    assert not statistics & moved
    assert len(moved) > 20


def test_learning_rates_grow_from_the_input_to_the_head(small: Small) -> None:
    recipe = replace(small.recipe, layer_decay=0.5)
    network = small.network()
    groups = parameter_groups(network, recipe)
    shares = [group["share"] for group in groups]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[0] == 0.5 ** len(network.blocks())
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    assert all((group["weight_decay"] > 0) == (group["params"][0].ndim > 1) for group in groups)
