"""What training for a number hands on."""

from __future__ import annotations

import numpy as np
from tests.jobs.drawn import small_encoder

from graticule.regress.outcome import ValueOutcome
from graticule.regress.target import Target


def test_a_method_that_trains_no_network_tells_of_none() -> None:
    found = ValueOutcome(Target("x"), np.zeros(2), small_encoder(), [], "mean of the 5 folds", {}, {})
    assert (found.training, found.learning_curve, found.warnings) == (None, None, [])
