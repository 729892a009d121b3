"""WebP: lossy, lossless, transparent, and the first frame of an animation."""

from __future__ import annotations

import imagecodecs
import numpy as np
import PIL.Image
from tests.formats.pictures import RGB, RNG, SMOOTH, on_white, read, refused, saved


def test_webp() -> None:
    alpha = np.dstack([RGB, RNG.integers(0, 256, (9, 13), dtype=np.uint8)])
    data = saved(alpha, "WEBP", lossless=True, exact=True)
    expected = on_white(PIL.Image.fromarray(alpha))
    assert np.abs(read(data).pixels.astype(int) - expected.astype(int)).max() <= 1
    lossy = saved(SMOOTH, "WEBP", quality=80)
    np.testing.assert_array_equal(read(lossy).pixels, np.asarray(imagecodecs.webp_decode(lossy))[..., :3])
    for share in (0.1, 0.5, 0.95):
        assert refused(lossy[: int(len(lossy) * share)], "cut off")
    frames = [PIL.Image.fromarray(RGB), PIL.Image.fromarray(RGB[::-1].copy())]
    animated = read(saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    np.testing.assert_array_equal(animated.pixels, RGB)
    assert animated.notes == ("first of 2 frames",)
