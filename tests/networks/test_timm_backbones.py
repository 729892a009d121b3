"""timm models as encoders: pooled over space, whatever the order of dimensions. Needs the extra torch."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.networks.graph_check import check_graph
from graticule.networks.timm_backbones import timm_encoder
from graticule.networks.trial import try_network

pytest.importorskip("timm")


@pytest.mark.parametrize("name", ["test_efficientnet", "test_convnext", "test_vit"])
def test_exported_networks_pass_the_checks_of_a_bundle(name: str) -> None:
    encoder = timm_encoder(name, views=1, weights="none")
    size = encoder.preprocessing.size
    check_graph(encoder.model, encoder.output, size)
    assert try_network(encoder.model, encoder.output, size) == encoder.n_features


def test_channels_that_come_last_are_channels() -> None:
    """A network with windows hands on (n, h, w, c): its features are still a mean and a deviation per channel."""
    import timm
    import torch

    from graticule.networks.timm_backbones import _pooled

    maps = timm.create_model(
        "swin_tiny_patch4_window7_224", features_only=True, embed_dim=8, depths=(1, 1), num_heads=(1, 1), img_size=56
    )
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 56, 56, 3), dtype=np.uint8))
    with torch.inference_mode():
        found = _pooled(maps.eval(), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))(pixels).numpy()
        layers = [layer.numpy() for layer in maps(pixels.permute(0, 3, 1, 2).float() / 255.0)]
    expected = [part for a in layers for part in (a.mean(axis=(1, 2)), a.std(axis=(1, 2)))]
    assert found.shape == (2, 2 * sum(maps.feature_info.channels()))
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=1e-3, atol=1e-4)
