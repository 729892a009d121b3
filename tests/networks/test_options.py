"""Options on networks: what is allowed, and what a repeated command says."""

from __future__ import annotations

import pytest

from graticule.networks.backbones import EMBEDDED
from graticule.networks.options import DEFAULT_BACKBONE, VIEWS, NetworkOptions, ViewsOptions


def test_the_default_network_is_one_that_is_installed() -> None:
    assert DEFAULT_BACKBONE in EMBEDDED
    assert NetworkOptions().faults() == []
    assert NetworkOptions().command("embed") == ViewsOptions().command("embed") == "graticule embed"


@pytest.mark.parametrize("views", [*range(-1, 10)])
def test_views_are_symmetries_of_the_square(views: int) -> None:
    told = [] if views in VIEWS else [f"--views {views}: allowed are 1, 4, 8"]
    assert ViewsOptions(views=views).faults() == told


def test_a_network_with_weights_is_repeated_with_them() -> None:
    options = NetworkOptions(backbone="resnet18", weights="none")
    assert options.command("train") == "graticule train --backbone resnet18 --weights none"
