"""A window that holds all images: few brighter ones among many, usual images that come later, and the memory it takes.

    python benchmarks/values_beyond.py [--seeds 3] [--large 64]

Sweep: 300 images of 12 bits in 16, of which k at places that no sample of 64 holds are fifteen times as bright. Later
images: 300 dim ones whose window is chosen by percentiles, then 1,000 of the same kind. Memory: `--large` images of
5000 x 5000 pixels of 16 bits are settled; 0 leaves it out.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import tifffile

from graticule.images.beyond import beyond, largest, outside_window
from graticule.images.decode import ImageFile, decode_file
from graticule.images.facts import Facts
from graticule.images.image import Image
from graticule.images.intensity import Intensity, choose_intensity, pixel_range
from graticule.images.options import ReadingOptions
from graticule.images.reading import settle_reading

N, SIDE = 300, 32


def sweep(k: int, seed: int, folder: Path) -> tuple[Intensity, int, int, int]:
    """The window, images with a value outside it, flat ones among them, and notes, for k brighter ones among N."""
    rng = np.random.default_rng([seed, k])
    hidden = sorted(set(range(N)) - set(np.linspace(0, N - 1, 64).astype(int).tolist()))
    bright = set(rng.choice(hidden, k, replace=False).tolist())
    files = []
    for i in range(N):
        pixels = rng.integers(760, 3800, (SIDE, SIDE)) * (15 if i in bright else 1)
        files.append(ImageFile(folder / f"{seed}-{k}-{i:03d}.tif"))
        tifffile.imwrite(files[-1].path, pixels.astype(np.uint16))
    found = settle_reading(files, SIDE, ReadingOptions())
    decoded = [decode_file(file, found.preprocessing) for file in files]
    outside = sum(bool(item.facts) and max(Facts.from_bytes(item.facts).outside) > 0 for item in decoded)
    return found.preprocessing.intensity, outside, sum(bool(item.error) for item in decoded), len(found.notes)


def dim(rng: np.random.Generator) -> Image:
    """A dim 16-bit image, whose level and spread vary from image to image."""
    level, spread = rng.normal(800, 60), rng.uniform(60, 120)
    return Image(np.clip(rng.normal(level, spread, (64, 64)), 0, 65535).astype(np.uint16))


def later(seed: int) -> tuple[float, float]:
    """Shares of 1,000 usual images that are called brighter or darker, and of as many at 1.5 times the values."""
    rng = np.random.default_rng(seed)
    trained = [dim(rng) for _ in range(N)]
    ranges = [pixel_range(image) for image in trained]
    intensity, _ = choose_intensity("auto", ranges)
    shares = [outside_window(image, own, intensity) for image, own in zip(trained, ranges, strict=True)]
    intensity = replace(intensity, outside=largest(shares))
    called = []
    for factor in (1.0, 1.5):
        new = [dim(rng) for _ in range(1000)]
        images = [Image(np.minimum(image.pixels * factor, 65535).astype(np.uint16)) for image in new]
        called.append([bool(beyond(outside_window(i, pixel_range(i), intensity), intensity)) for i in images])
    return float(np.mean(called[0])), float(np.mean(called[1]))


def memory(n: int, folder: Path) -> None:
    """Settle n large images and print time and peak memory of this process and of its largest worker."""
    first = folder / "large-000.tif"
    ramp = np.arange(5000, dtype=np.uint16)  # little memory: what this process took at its peak also counts for workers
    tifffile.imwrite(first, np.add.outer(ramp, ramp) // np.uint16(3), compression="zlib")
    for i in range(1, n):
        os.link(first, folder / f"large-{i:03d}.tif")
    files = [ImageFile(file) for file in sorted(folder.glob("large-*.tif"))]
    scale = 1024 if sys.platform == "linux" else 1024**2
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale, time.perf_counter()
    found = settle_reading(files, 224, ReadingOptions())
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / scale
    print(
        f"{n} images of 5000 x 5000, 16 bit: {found.intensity_words}; {time.perf_counter() - start:.0f} s; peak of this"
    )
    print(f"process {own:.0f} MB ({before:.0f} MB before), of the largest worker {worker:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--large", type=int, default=64, help="large images whose memory is measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if arguments.large:
            memory(arguments.large, Path(name))
        for k in (1, 8, 50):
            for seed in range(arguments.seeds):
                intensity, outside, flat, notes = sweep(k, seed, Path(name))
                print(
                    f"k {k}, seed {seed}: {intensity.words()}; {outside} of {N} images with a value outside, "
                    f"{flat} flat, {notes} note(s) on what it costs",
                    flush=True,
                )
    found = np.array([later(seed) for seed in range(10)])
    print(
        f"usual images called brighter or darker: {found[:, 0].mean():.2%}, at most {found[:, 0].max():.2%} of 10 sets"
    )
    print(f"images 1.5 times as bright: {found[:, 1].mean():.1%} called brighter")


if __name__ == "__main__":
    main()
