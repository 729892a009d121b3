"""The state of a training run: it begins with equal weights, and its records survive being written."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import Small  # noqa: E402

from graticule.finetune.blocks import trainee_of  # noqa: E402
from graticule.training.state import EpochRecord, begin, update_average  # noqa: E402


def test_a_state_begins_with_an_average_equal_to_the_network(small: Small) -> None:
    state = begin(trainee_of(small.network(), 0, small.recipe), small.recipe)
    pairs = zip(state.network.state_dict().values(), state.average.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not any(p.requires_grad for p in state.average.parameters())


def test_a_record_names_what_was_found_on_validation_rows_and_comes_back() -> None:
    record = EpochRecord(3, 0.25, {"loss": 0.5, "r2": None}, 1e-3, 2.0, 8.0)
    document = record.to_json()
    assert list(document) == [
        *("epoch", "loss", "validation_loss", "validation_r2", "rate", "seconds", "images_per_second")
    ]
    assert EpochRecord.from_json(document) == record


def test_the_average_moves_towards_the_network_and_copies_counters() -> None:
    average, network = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    with torch.no_grad():
        network.weight.fill_(3.0)
        network.running_mean.fill_(1.0)
        network.num_batches_tracked.fill_(7)
    update_average(average, network, 0.75)
    assert average.weight.tolist() == [1.5, 1.5]
    assert average.running_mean.tolist() == [0.25, 0.25]
    assert int(average.num_batches_tracked) == 7
