"""Which pictures of a number are explained, and what an average one is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from graticule.jobs.explain.value_pictures import Numbers, average_of, evenly

LEARNT = np.array([0.1, np.nan, 0.9, 0.5, 0.3, 0.7])
NUMBERS = Numbers(LEARNT, LEARNT, np.full(4, 2.0), np.ones(4), [("b.png", "damaged")])


def test_pictures_are_taken_evenly_from_the_largest_number_to_the_smallest() -> None:
    assert evenly(NUMBERS, 0).tolist() == [2, 5, 3, 4, 0]
    assert evenly(NUMBERS, 3).tolist() == [2, 3, 0]
    assert evenly(NUMBERS, 9).tolist() == [2, 5, 3, 4, 0]
    assert NUMBERS.spread == pytest.approx(np.std([0.1, 0.9, 0.5, 0.3, 0.7]))


@pytest.mark.parametrize(
    ("kept", "n", "said"), [(4, 5, "training"), (3, 5, "images"), (3, 4, None)], ids=["kept", "too short", "too few"]
)
def test_the_average_is_of_the_training_images_where_the_model_keeps_it(kept: int, n: int, said: str | None) -> None:
    bundle: Any = SimpleNamespace(
        reference={"mean_features": np.zeros(kept, np.float32)}, info=SimpleNamespace(n_features=4)
    )
    numbers = Numbers(LEARNT[: n + 1], LEARNT[: n + 1], NUMBERS.mean, NUMBERS.deviation, [])
    average, of = average_of(bundle, numbers)
    assert of == said
    assert (average is None) == (said is None)
    if average is not None:
        assert average.tolist() == ([0.0] * 4 if said == "training" else [2.0] * 4)
