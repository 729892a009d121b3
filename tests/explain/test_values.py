"""What makes a predicted number large: maps add up to the number, and peak where the number comes from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from graticule.explain.image import Seen
from graticule.explain.targets import head_scores
from graticule.explain.values import ExplainableValue, score_heads
from graticule.heads.scoring import LinearHead, RbfHead
from graticule.networks.encoder import Encoder
from graticule.regress.scoring import KernelValue, LinearValue, ValueMember, member_values

RED = (250, 20, 20)


def linear(slope: tuple[float, ...], offset: float = 0.3, rooted: int = 0) -> LinearValue:
    return LinearValue(np.array(slope), offset, rooted)


def kernel(seed: int = 0) -> KernelValue:
    rng = np.random.default_rng(seed)
    return KernelValue(
        np.zeros(3), np.eye(3, dtype=np.float32), rng.uniform(size=(5, 3)), rng.normal(size=5), 0.1, 0.7, 0
    )


def seen_of(pixels: np.ndarray) -> Seen:
    return Seen(pixels, np.array([32.0, 32.0]), (32, 32), None)


@pytest.mark.parametrize(
    "members", [[(linear((3.0, 0.0, -1.0)),)], [(linear((3.0, 0.0, -1.0)), kernel()), (linear((2.0, 1.0, 0.0)),)]]
)
def test_heads_say_what_the_regressions_say(members: list[ValueMember]) -> None:
    features = np.random.default_rng(1).uniform(size=(6, 3)).astype(np.float32)
    heads = score_heads(members)
    found = np.mean([head_scores(head, features)[:, 0] for head in heads], axis=0)
    np.testing.assert_allclose(found, member_values(members, features).mean(axis=0), rtol=1e-5)
    assert all(isinstance(head, LinearHead | RbfHead) for head in heads)


def test_cells_add_up_to_the_lead_over_an_average_image(
    colours: Callable[..., Encoder], spot: Callable[..., np.ndarray]
) -> None:
    baseline = np.array([0.2, 0.2, 0.2])
    value = ExplainableValue.of(colours(), [(linear((4.0, 0.0, -2.0)),)], baseline)
    pixels = spot(RED, 20, 6)
    found = value.map_of(seen_of(pixels), "hirescam")
    lead = value.learnt(pixels[None])[0, 0] - member_values(value.members, baseline[None]).mean()
    assert found.sum() == pytest.approx(lead, rel=1e-4)


@pytest.mark.parametrize("method", ["hirescam", "occlusion"])
def test_the_place_that_makes_the_number_large_stands_out(
    colours: Callable[..., Encoder], spot: Callable[..., np.ndarray], method: str
) -> None:
    value = ExplainableValue.of(colours(), [(linear((4.0, 0.0, -2.0)),)], None)
    found = value.map_of(seen_of(spot(RED, 22, 4)), method)
    side = len(found)
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    assert (row + 0.5) / side == pytest.approx(25 / 32, abs=0.12)
    assert (column + 0.5) / side == pytest.approx(7 / 32, abs=0.12)
