"""Augmentation: the right symmetries, the same draws whatever the batch, bars left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.finetune.augment import Draws, augment, draw  # noqa: E402


def still(n: int) -> Draws:
    """Draws that change nothing."""
    zero, one = np.zeros(n, np.float32), np.ones(n, np.float32)
    whole = np.zeros(n, np.int64)
    return Draws(whole, one, zero, zero, zero, one, zero, zero, zero, whole)


def picture(n: int = 1, size: int = 16) -> torch.Tensor:
    values = np.random.default_rng(0).integers(60, 190, (n, 3, size, size))
    return torch.from_numpy(values).float()


def test_nothing_drawn_nothing_changed() -> None:
    x = picture(2)
    assert torch.allclose(augment(x.clone(), still(2), "microscopy"), x, atol=1e-3)
    assert torch.allclose(augment(x.clone(), still(2), "ultrasound"), x, atol=1e-3)


def test_the_eight_symmetries_of_the_square_are_all_there() -> None:
    x = picture(1)
    seen = {
        tuple(augment(x.clone(), replace(still(1), symmetry=np.array([code])), "microscopy").round().flatten().tolist())
        for code in range(8)
    }
    wanted = set()
    for turns in range(4):
        turned = torch.rot90(x, turns, (2, 3))
        wanted |= {tuple(turned.flatten().tolist()), tuple(torch.flip(turned, [3]).flatten().tolist())}
    assert seen == wanted
    assert len(seen) == 8


def test_ultrasound_is_mirrored_left_to_right_only() -> None:
    x = picture(1)
    codes = {int(code) for code in draw(range(200), preset="ultrasound", seed=0, epoch=0).symmetry}
    assert codes == {0, 6}
    mirrored = augment(x.clone(), replace(still(1), symmetry=np.array([6])), "ultrasound")
    assert torch.allclose(mirrored, torch.flip(x, [3]), atol=1e-3)


@pytest.mark.parametrize("preset", ["microscopy", "ultrasound"])
def test_a_sample_changes_alike_alone_and_in_company(preset: str) -> None:
    x = picture(6)
    together = augment(x.clone(), draw([5, 9, 2, 7, 11, 3], preset=preset, seed=1, epoch=4), preset)
    alone = augment(x[3:4].clone(), draw([7], preset=preset, seed=1, epoch=4), preset)
    assert torch.allclose(together[3:4], alone, atol=1e-3)
    assert float(together.min()) >= 0
    assert float(together.max()) <= 255


def test_draws_differ_between_epochs_and_stay_in_their_ranges() -> None:
    draws = draw(range(2000), preset="microscopy", seed=0, epoch=0)
    assert 0.9 <= draws.zoom.min() <= draws.zoom.max() <= 1.11
    assert 0.1 < (draws.blur > 0).mean() < 0.3
    assert 0.2 < (draws.noise > 0).mean() < 0.4
    assert np.bincount(draws.symmetry, minlength=8).min() > 150
    assert not np.array_equal(draws.zoom, draw(range(2000), preset="microscopy", seed=0, epoch=1).zoom)


@pytest.mark.parametrize("preset", ["microscopy", "ultrasound"])
def test_a_kept_info_bar_stays_where_and_as_it_is(preset: str) -> None:
    x = picture(8, 32)
    changed = augment(x.clone(), draw(range(8), preset=preset, seed=0, epoch=0), preset, [(0, 26)] * 8)
    assert torch.equal(changed[:, :, 26:], x[:, :, 26:])
    assert all(not torch.equal(changed[i, :, :26], x[i, :, :26]) for i in range(8))


def test_brightness_contrast_noise_and_blur_do_what_they_say() -> None:
    x = picture(1, 64)
    bright = augment(x.clone(), replace(still(1), brightness=np.float32([10])), "microscopy")
    assert float((bright - x).mean()) == pytest.approx(10, abs=0.1)
    strong = augment(x.clone(), replace(still(1), contrast=np.float32([1.2])), "microscopy")
    assert float(strong.std() / x.std()) == pytest.approx(1.2, abs=0.02)
    noisy = augment(x.clone(), replace(still(1), noise=np.float32([5])), "microscopy")
    assert float((noisy - x).std()) == pytest.approx(5, rel=0.1)
    blurred = augment(x.clone(), replace(still(1), blur=np.float32([1.0])), "microscopy")
    assert float(blurred.std()) < 0.5 * float(x.std())
    assert float(blurred.mean()) == pytest.approx(float(x.mean()), abs=1.0)


def test_a_number_that_is_a_size_keeps_its_scale_and_all_else_varies_as_before() -> None:
    sized, plain = (draw(range(200), preset=preset, seed=0, epoch=0) for preset in ("unscaled", "microscopy"))
    assert (sized.zoom == 1).all()
    assert np.ptp(plain.zoom) > 0.1
    for name in set(vars(plain)) - {"zoom"}:
        assert np.array_equal(getattr(sized, name), getattr(plain, name))
