"""Samples without images: features, labels, groups and hashes as a test wants them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import object_array
from graticule.features.samples import Samples
from graticule.images.decode import Decoded
from graticule.manifest import Manifest
from graticule.split.folds import Folds


def samples_of(
    labels: Sequence[str],
    *,
    features: NDArray[np.float32] | None = None,
    pixels: Sequence[str] | None = None,
    **columns: Sequence[str],
) -> Samples:
    """Samples with the labels given; `pixels` are the hashes of their pictures, all different without them."""
    n = len(labels)
    path = object_array([f"{i:03d}.png" for i in range(n)])
    named = {name: object_array(list(values)) for name, values in columns.items()}
    manifest = Manifest(Path("/data"), path, object_array(list(labels)), named)
    hashes = pixels or [f"{i:064x}" for i in range(n)]
    info = [Decoded(f"{i:064x}", own, 8, 8, "grey, 8 bit") for i, own in enumerate(hashes)]
    features = np.zeros((n, 2), np.float32) if features is None else features
    return Samples(manifest, features, slice(None), slice(None), info, [], n, 0, 0.0, [])


def folds_of(part: Sequence[str], fold: Sequence[int]) -> Folds:
    """Folds as they are given, every sample a unit of its own."""
    n = len(part)
    return Folds(object_array(list(part)), np.array(fold), np.arange(n), max(fold) + 1, "given", ())
