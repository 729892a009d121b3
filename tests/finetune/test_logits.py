"""Logits of many rows: averaged over views as prediction does, in memory that suffices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import Small  # noqa: E402

from graticule.errors import TrainingError  # noqa: E402
from graticule.finetune.logits import score_rows, score_views  # noqa: E402


def test_views_are_averaged_as_prediction_does(small: Small) -> None:
    network = small.network().eval()
    source = small.source(network)
    rows = np.arange(5)
    mean = np.zeros((5, 3))
    for mirrored in (False, True):
        for turns in range(4):
            turned = np.rot90(small.pixels[rows], turns, axes=(1, 2))
            turned = turned[:, :, ::-1] if mirrored else turned
            x = (torch.from_numpy(np.ascontiguousarray(turned)).permute(0, 3, 1, 2).float()) - torch.tensor(
                network.spec.mean
            ).view(1, 3, 1, 1)
            with torch.inference_mode():
                mean += network(x / torch.tensor(network.spec.std).view(1, 3, 1, 1)).numpy() / 8
    assert score_views(network, source, rows, small.processes, views=8) == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize(
    "text", ["DefaultCPUAllocator: can't allocate memory", "DefaultCPUAllocator: not enough memory"]
)
def test_too_little_memory_while_scoring_proposes_a_batch_size(
    small: Small, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    network = small.network()

    def exhausted(*_: Any) -> Any:
        raise RuntimeError(text)

    monkeypatch.setattr(network, "forward", exhausted)
    with pytest.raises(TrainingError, match="batch of 16 images; try --batch-size 8"):
        score_rows(network, small.source(network), np.arange(5), small.processes, at_once=small.recipe.at_once)


def test_scoring_leaves_the_network_in_its_mode_and_rows_in_their_order(small: Small) -> None:
    network = small.network().train()
    source, rows = small.source(network), np.array([7, 3, 5])
    together = score_rows(network, source, rows, small.processes)
    assert network.training
    alone = [score_rows(network, source, rows[i : i + 1], small.processes, at_once=1)[0] for i in range(3)]
    assert together == pytest.approx(np.stack(alone), abs=1e-5)
    assert score_rows(network, source, rows[:0], small.processes).shape == (0, 3)
