"""Fingerprints: size, range, what changes them and what does not."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import PIL.Image
import pytest

from graticule.images.fingerprint import FINGERPRINT_SIZE, SIDE, fingerprint, grey_square, sizes_and_contrast, unpack


def scene(seed: int, height: int = 90, width: int = 120) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 200, (9, 12), dtype=np.uint8)
    return np.asarray(PIL.Image.fromarray(small).resize((width, height), PIL.Image.Resampling.BICUBIC))


def test_layout_is_fixed() -> None:
    code = fingerprint(scene(0))
    thumbnails, sizes, contrast = unpack(code[None])
    assert code.shape == (FINGERPRINT_SIZE,)
    assert code.dtype == np.uint8
    assert FINGERPRINT_SIZE <= 1100
    assert sizes.tolist() == [[90.0, 120.0]]
    assert thumbnails.shape == (1, SIDE, SIDE)
    assert thumbnails.max() == 255.0
    assert 50.0 < float(contrast[0]) < 255.0
    assert all(np.array_equal(a, b) for a, b in zip(sizes_and_contrast(code[None]), (sizes, contrast), strict=True))


def test_brightness_and_contrast_are_taken_out() -> None:
    image = scene(1)
    dimmed = np.rint(image * 0.5 + 20.0).astype(np.uint8)
    one, other = (unpack(fingerprint(p)[None])[0] for p in (image, dimmed))
    assert np.abs(one - other).max() <= 3.0


def test_colour_counts_by_its_luma() -> None:
    image = scene(2)
    assert np.array_equal(fingerprint(image), fingerprint(np.repeat(image[:, :, None], 3, axis=2)))


def test_a_quarter_turn_turns_the_thumbnail() -> None:
    image = scene(3, 96, 96)
    one, other = (unpack(fingerprint(np.ascontiguousarray(p))[None])[0][0] for p in (image, np.rot90(image)))
    assert np.abs(np.rot90(one) - other).max() <= 1.0


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (12, 7), (2000, 3), (5, 5, 3)])
def test_any_size_will_do(shape: tuple[int, ...]) -> None:
    code = fingerprint(np.full(shape, 77, dtype=np.uint8))
    assert float(unpack(code[None])[2][0]) == 0.0


def test_large_images_shrink_like_the_exact_kernel() -> None:
    image = scene(4, 720, 960)
    exact = PIL.Image.fromarray(image).convert("F").resize((SIDE, SIDE), PIL.Image.Resampling.BICUBIC)
    assert np.abs(grey_square(image, SIDE) - np.asarray(exact)).max() < 2.0


def test_a_wrong_table_is_refused() -> None:
    with pytest.raises(ValueError, match="fingerprints have shape"):
        unpack(np.zeros((2, 5), dtype=np.uint8))
    with pytest.raises(ValueError, match="fingerprints have shape"):
        sizes_and_contrast(np.zeros((2, 5), dtype=np.uint8))


def test_a_blood_cell_takes_about_a_millisecond() -> None:
    image = np.random.default_rng(5).integers(0, 256, (360, 360, 3), dtype=np.uint8)
    times = []
    for _ in range(20):
        start = time.process_time()
        fingerprint(image)
        times.append(time.process_time() - start)
    assert min(times) < 0.005  # 0.7 ms measured on a core with little else to do


def test_workers_import_nothing_heavy() -> None:
    code = "import sys, graticule.images.fingerprint as f; print([m for m in ('scipy', 'sklearn') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
