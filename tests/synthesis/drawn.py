"""Pictures of random blobs, which turned, blurred and noisy copies are made of."""

import io

import numpy as np
import PIL.Image
from scipy.ndimage import gaussian_filter

from graticule.split.duplicates.symmetry import symmetric

SIDE = 24


def blobs(n: int, seed: int, *, shift: float = 0.0) -> np.ndarray:
    """Dark blobs on a bright ground, float32 (n, SIDE, SIDE) in [0, 1]; `shift` is a day's slope of brightness."""
    rng = np.random.default_rng(seed)
    fields = gaussian_filter(rng.normal(size=(n, SIDE, SIDE)), (0, 2.5, 2.5))
    fields /= fields.std((1, 2), keepdims=True)
    rows = np.linspace(-1, 1, SIDE)
    bell = np.exp(-(rows[:, None] ** 2 + rows**2) * 2)
    ground = 0.7 + shift * rows[:, None]
    return np.clip(ground - 0.25 * bell * (1 + fields) + rng.normal(0, 0.01, fields.shape), 0, 1).astype(np.float32)


def degraded(pictures: np.ndarray, seed: int) -> np.ndarray:
    """Copies that were turned or mirrored, blurred, made noisy, changed in brightness and compressed."""
    rng = np.random.default_rng(seed)
    out = []
    for picture in pictures:
        moved = gaussian_filter(symmetric(picture, int(rng.integers(8))), 0.5) * 255
        moved = moved + rng.uniform(-5, 5) + rng.normal(0, 2, moved.shape)
        file = io.BytesIO()
        PIL.Image.fromarray(moved.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=80)
        out.append(np.asarray(PIL.Image.open(file), np.float32) / 255)
    return np.stack(out)
