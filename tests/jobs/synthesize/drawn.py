"""A folder of two kinds of drawn pictures, and sets of generated ones: new, copied."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
from tests.synthesis.drawn import blobs, degraded

SEEN, HELD = 30, 30
KINDS = {"bright": lambda pictures: pictures, "dark": lambda pictures: 1 - pictures}


def write(folder: Path, draw: Callable[[str], np.ndarray]) -> None:
    """A folder per kind, a file per picture; odd sides, so that turned pictures lie half a pixel apart."""
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for i, picture in enumerate(draw(kind)):
            PIL.Image.fromarray((picture[:23] * 255).astype(np.uint8)).save(folder / kind / f"{i:03d}.png")


def real(kind: str) -> np.ndarray:
    return np.asarray(KINDS[kind](blobs(SEEN + HELD, len(kind))))


def new(kind: str) -> np.ndarray:
    return np.asarray(KINDS[kind](blobs(24, 50 + len(kind))))


def copied(kind: str) -> np.ndarray:
    return np.concatenate([degraded(real(kind)[:12], 9), new(kind)[:12]])


def parents(real_images: Path, file: Path, name: str = "g") -> None:
    """The table that names the first images of each kind as what a generator saw."""
    with file.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("generator", "sha256"))
        for image in sorted(real_images.glob("*/*.png")):
            if int(image.stem) < SEEN:
                rows.writerow((name, hashlib.sha256(image.read_bytes()).hexdigest()))


def listed(images: Path, file: Path, name: str = "g") -> None:
    """The table of generated images with their generator."""
    with file.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("path", "label", "generator"))
        for image in sorted(images.glob("*/*.png")):
            rows.writerow((image.relative_to(file.parent).as_posix(), image.parent.name, name))
