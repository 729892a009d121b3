"""Options on networks: what is allowed, and what a repeated command says."""

from __future__ import annotations

import pytest

from graticule.networks.backbones import EMBEDDED
from graticule.networks.options import DEFAULT_BACKBONE, VIEWS, DeviceOptions, NetworkOptions, ViewsOptions


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


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:12", "openvino", "coreml", "directml"])
def test_devices_that_compute_features(device: str) -> None:
    assert DeviceOptions(device=device).faults() == []


@pytest.mark.parametrize("device", ["", "mps", "gpu", "cuda:", "cuda:x", "cuda:N", "cpu:0", "CUDA", "cuda:0 "])
def test_other_devices_are_refused(device: str) -> None:
    (told,) = DeviceOptions(device=device).faults()
    assert told == f"--device {device}: allowed are auto, cpu, cuda, cuda:N, openvino, coreml, directml"
