"""The encoder of any backbone by its name."""

import importlib.util

import pytest

from graticule.errors import BackboneError, OptionError
from graticule.networks.backbones import EMBEDDED
from graticule.networks.catalogue import encoder_of
from graticule.networks.encoder import embedded_encoder


def test_embedded_backbones_answer_to_both_names() -> None:
    expected = embedded_encoder(EMBEDDED["efficientnet_lite0"], views=1)
    assert encoder_of("efficientnet_lite0", views=1) == expected
    assert encoder_of("tf_efficientnet_lite0", views=1) == expected


@pytest.mark.parametrize("weights", ["none", "weights.safetensors"])
def test_embedded_backbones_bring_their_weights(weights: str) -> None:
    with pytest.raises(OptionError, match=f"--weights {weights}: .* brings its own"):
        encoder_of("efficientnet_lite0", views=1, weights=weights)


@pytest.mark.skipif(importlib.util.find_spec("timm") is not None, reason="timm is installed and would be asked")
def test_other_names_need_the_extra() -> None:
    with pytest.raises(BackboneError, match=r"efficientnet_lite0, efficientnet_lite1, .*graticule\[torch\]"):
        encoder_of("resnet50", views=1)
