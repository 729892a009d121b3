"""What can be asked of the training of a network."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.finetune.options import FinetuneOptions


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"epochs": 0}, "--epochs 0: allowed are whole numbers from 1"),
        ({"input_size": 15}, "--input-size 15: allowed are auto, or whole numbers from 16"),
        ({"frozen_blocks": -1}, "--frozen-blocks -1: allowed are whole numbers from 0"),
        ({"lr": 0.0}, "--lr 0.0: allowed are numbers above 0 and below 1"),
        ({"lr": 1.0}, "--lr 1.0: allowed are numbers above 0 and below 1"),
        ({"augment": "histology"}, "--augment histology: allowed are auto, microscopy, unscaled, ultrasound, none"),
        ({"balance": "yes"}, "--balance yes: allowed are auto, loss, none"),
        ({"batch_size": -1}, "--batch-size -1: allowed are whole numbers from 1"),
        ({"views": 3}, "--views 3: allowed are auto, 1, 4, 8"),
    ],
)
def test_faults(given: dict[str, Any], told: str) -> None:
    assert FinetuneOptions(**given).faults() == [told]


def test_edges() -> None:
    assert FinetuneOptions(epochs=1, input_size=16, frozen_blocks=0, lr=1e-9, batch_size=1, views=8).faults() == []
