"""The choice of a regression: by held-out units, among blocks that tell the number and blocks that do not."""

from __future__ import annotations

import numpy as np
import pytest
from tests.regress.planted import LAYOUT, planted

from graticule.regress.inputs import BlockInputs
from graticule.regress.search import ValueChoice, choose_value


def choice(network: float, orientation: float, *, n: int = 150, units: int = 30, request: str = "auto") -> ValueChoice:
    x, y, unit = planted(n, network=network, orientation=orientation, units=units)
    inputs = BlockInputs(x, np.arange(n), LAYOUT)
    return choose_value(inputs, y, unit, blocks=("network", "orientation", "both"), request=request)


def test_the_block_that_tells_the_number_is_chosen() -> None:
    for network, orientation, wanted in ((1.0, 0.0, "network"), (0.0, 1.0, "orientation")):
        found = choice(network, orientation, request="ridge")
        assert found.by_blocks[wanted] < 0.6 * found.by_blocks["network" if wanted != "network" else "orientation"]
        assert {one.blocks for one in found.settings} <= {wanted, "both"}


@pytest.mark.parametrize("request_", ["ridge", "kernel", "svr"])
def test_one_kind_asked_for(request_: str) -> None:
    found = choice(0.3, 0.3, request=request_)
    assert {one.kind for one in found.settings} == {request_}
    assert found.inner_folds == 4
    assert found.inner_mae is not None
    assert found.describe()["kind"].endswith(request_)


def test_what_is_chosen_is_the_least_error() -> None:
    found = choice(0.3, 0.3)
    assert found.inner_mae is not None
    assert found.inner_mae <= min(found.by_blocks.values())
    assert found.candidates == 3 * (11 + 9 + 6) + 1


def test_too_few_units_give_fixed_settings() -> None:
    found = choice(1.0, 1.0, n=20, units=2)
    assert (found.inner_folds, found.candidates, found.inner_mae) == (0, 0, None)
    assert found.settings[0].kind == "ridge"


def test_images_that_only_train_judge_no_candidate() -> None:
    x, y, unit = planted()
    wrong = unit >= 20
    y = np.where(wrong, 50.0, y)
    inputs = BlockInputs(x, np.arange(150), LAYOUT)
    found = choose_value(inputs, y, unit, blocks=("network",), request="ridge", trains_only=wrong)
    everything = choose_value(inputs, y, unit, blocks=("network",), request="ridge")
    assert found.inner_mae != everything.inner_mae
