"""How the learning rate and the memory of the average go."""

from __future__ import annotations

import pytest

from graticule.training.schedule import average_at, rate_at


def test_the_rate_rises_then_falls_to_nothing() -> None:
    rates = [rate_at(step, 100, 0.1) for step in range(100)]
    assert rates[9] == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001


def test_the_average_begins_with_a_short_memory() -> None:
    assert average_at(0, 0.99) == pytest.approx(0.1)
    assert average_at(10_000, 0.99) == 0.99
