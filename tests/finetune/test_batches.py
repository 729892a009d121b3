"""What training is fed with: images as prediction sees them or changed, each cached view in its turn."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.finetune.batches import MapSource, PixelSource  # noqa: E402

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
MEAN, STD = (10.0, 20.0, 30.0), (2.0, 4.0, 8.0)


def pixel_source(preset: str, seed: int = 0) -> PixelSource:
    return PixelSource(PIXELS, MEAN, STD, torch.device("cpu"), preset=preset, seed=seed)


def test_clean_images_are_normalised_by_channel() -> None:
    rows = np.array([4, 1])
    x = pixel_source("microscopy").clean(rows)
    expected = ((PIXELS[rows] - np.array(MEAN)) / np.array(STD)).transpose(0, 3, 1, 2)
    assert x.numpy() == pytest.approx(expected, abs=1e-4)
    assert torch.equal(pixel_source("none").training(rows, 3), x)


def test_changes_depend_on_seed_epoch_and_image_alone() -> None:
    source = pixel_source("microscopy")
    together = source.training(np.arange(6), 2)
    alone = torch.cat([source.training(np.array([row]), 2) for row in range(6)])
    assert together.numpy() == pytest.approx(alone.numpy(), abs=1e-4)
    assert not torch.equal(together, source.training(np.arange(6), 3))
    assert not torch.equal(together, pixel_source("microscopy", seed=1).training(np.arange(6), 2))


def test_each_cached_view_comes_once_in_a_lap() -> None:
    maps = np.arange(2 * 4).reshape(2, 4, 1, 1, 1).astype(np.float16)
    source = MapSource(maps, 3, torch.device("cpu"), seed=0)
    laps = [[float(source.training(np.array([1]), 3 * lap + i)) for i in range(3)] for lap in range(6)]
    assert all(sorted(lap) == [5.0, 6.0, 7.0] for lap in laps)
    assert len({tuple(lap) for lap in laps}) > 1
    assert source.clean(np.array([1, 0])).flatten().tolist() == [4.0, 0.0]
    assert MapSource(maps[:, :1], 3, torch.device("cpu"), seed=0).training(np.array([0]), 5).item() == 0.0
