"""Peak memory and time of `graticule embed`, and of `train` and `audit` after it, over the number of images.

    python benchmarks/memory.py FOLDER_OF_IMAGES [--counts 5000 20000] [--views 1]
    python benchmarks/memory.py drawn --verbs train --input-size 48

Makes that many different JPEG files out of the images found (quarter turns, mirror images, small shifts of
brightness), so that nothing is cached or an exact duplicate, and watches the proportional set size of the whole
process tree ten times a second. "drawn": small PNG files of random blots instead, of which no two look alike, for a
measurement of what the number of images alone costs. --input-size: of `train`, what the network sees.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import PIL.Image

N_FEATURES = 7264
DRAWN = Path("drawn")


def make_images(sources: list[Path], count: int, folder: Path) -> None:
    """Write `count` different images of two classes."""
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
    for i in range(count):
        pixels = np.asarray(PIL.Image.open(sources[i % len(sources)]).convert("RGB"))
        version = i // len(sources)
        pixels = np.rot90(pixels, version % 4)
        pixels = pixels[:, ::-1] if (version // 4) % 2 else pixels
        pixels = np.clip(pixels.astype(np.int16) + version, 0, 255).astype(np.uint8)
        PIL.Image.fromarray(pixels).save(folder / "ab"[i % 2] / f"{i:06d}.jpg", quality=90)


def draw_images(count: int, folder: Path) -> None:
    """Write `count` different images of random blots, those of one class redder."""
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
    for i in range(count):
        blots = rng.integers(0, 200, (5, 5, 3), dtype=np.uint8)
        blots[:, :, 0] += np.uint8(20 * (i % 2))
        picture = PIL.Image.fromarray(blots).resize((32, 32), PIL.Image.Resampling.BICUBIC)
        picture.save(folder / "ab"[i % 2] / f"{i:06d}.png", compress_level=1)


def tree_memory(root: int) -> int:
    """Proportional set size of a process and its descendants, bytes."""
    total, todo = 0, [root]
    while todo:
        pid = todo.pop()
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += 1024 * int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
        except (OSError, StopIteration):
            continue
    return total


def peak_of(command: list[str], cache: Path) -> tuple[float, float]:
    """(peak memory in MB, seconds) of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | {"GRATICULE_CACHE": str(cache)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, tree_memory(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return peak / 1e6, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[5000, 20000])
    parser.add_argument("--views", default="1", choices=["1", "4", "8"])
    parser.add_argument("--verbs", nargs="+", choices=["embed", "train", "audit"], default=["embed", "train", "audit"])
    parser.add_argument("--input-size")
    options = parser.parse_args()
    sources = sorted(options.folder.rglob("*.jpg"))
    graticule = [sys.executable, "-m", "graticule"]
    for count in options.counts:
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch)
            if options.folder == DRAWN:
                draw_images(count, place / "data")
            else:
                make_images(sources, count, place / "data")
            for verb in options.verbs:
                out = "f.npz" if verb == "embed" else verb
                command = [*graticule, verb, str(place / "data"), "--out", str(place / out), "--views", options.views]
                if verb == "train" and options.input_size:
                    command += ["--input-size", options.input_size]
                peak, seconds = peak_of(command, place / "cache")
                matrix = count * N_FEATURES * 4 / 1e6
                print(
                    f"{count:6d} images  {verb:5s}  peak {peak:7.0f} MB  matrix {matrix:5.0f} MB  {seconds:6.0f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
