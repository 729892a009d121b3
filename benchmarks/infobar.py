"""Info bars: how often a planted bar is found within two rows, and what is cut from images that have none.

    python benchmarks/infobar.py [DATA ...] [--bars 1000] [--clean 1000] [--scenes 120] [--seed 0]

Micrographs of the powder phantom are drawn once and bear many bars: as made, resized (40 to 200 %, sides apart by up
to a quarter), compressed (JPEG, quality 60 to 95), or both. Images without bar are crops, turns, paddings and
compressions of the same micrographs, and every image under the DATA folders. Two minutes on two cores.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.images.burnt_in.infobar import Bar, find_bar
from graticule.images.image import read_image
from graticule.images.intensity import Intensity, to_uint8
from graticule.phantoms import powder
from graticule.phantoms.infobar import MAKES, Acquisition, bar_rows, stamp

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the bars that tests draw at random
from tests.phantoms.infobar_variants import draw_variant, stamp_variant

Pixels = NDArray[np.uint8]
_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


class Tally:
    """Good and all cases by name, and the time that finding took by image width."""

    def __init__(self) -> None:
        self.good: Counter[str] = Counter()
        self.all: Counter[str] = Counter()
        self.times: dict[str, list[float]] = defaultdict(list)

    def find(self, pixels: Pixels) -> Bar | None:
        """`find_bar`, timed."""
        start = time.process_time()
        bar = find_bar(pixels)
        if pixels.shape[0] >= 64:
            self.times[f"{64 * (pixels.shape[1] // 64)} px wide"].append(1000 * (time.process_time() - start))
        return bar

    def add(self, good: bool, *names: str) -> None:
        """Count a case under each name."""
        for name in names:
            self.all[name] += 1
            self.good[name] += good

    def table(self, title: str) -> str:
        """Markdown."""
        lines = [f"| {title} | good | of | % |", "|---|---|---|---|"]
        for name, n in self.all.items():
            lines.append(f"| {name} | {self.good[name]} | {n} | {100 * self.good[name] / n:.2f} |")
        return "\n".join(lines)


def compressed(image: Pixels, quality: int) -> Pixels:
    """The image after JPEG."""
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(file))


def degraded(image: Pixels, rng: np.random.Generator) -> tuple[Pixels, float, str]:
    """The image as another program may have saved it, the factor on its rows, and what was done."""
    done, factor = "", 1.0
    if rng.random() < 0.4:
        rows = max(160, round(image.shape[0] * rng.uniform(0.4, 2.0)))
        factor = rows / image.shape[0]
        columns = max(256, round(image.shape[1] * factor * rng.uniform(0.8, 1.25)))
        image = np.asarray(PIL.Image.fromarray(image).resize((columns, rows), PIL.Image.Resampling.BICUBIC))
        done = "resized"
    if rng.random() < 0.4:
        image = compressed(image, int(rng.integers(60, 96)))
        done = f"{done} and compressed" if done else "compressed"
    return image, factor, done or "as made"


def within(bar: Bar | None, rows: tuple[float, float]) -> bool:
    """Whether both edges are right to two rows."""
    return bar is not None and abs(bar.top - rows[0]) <= 2 and abs(bar.bottom - rows[1]) <= 2


def plant(scenes: list[Pixels], n: int, seed: int) -> Tally:
    """Makes as they are drawn by default, then `n` variants."""
    tally = Tally()
    for make in sorted(MAKES):
        for i, scene in enumerate(scenes):
            rng = np.random.default_rng((seed, i))
            shot = Acquisition(float(rng.uniform(1, 500)), 5.0, 8.0, i)
            rows = bar_rows(make, scene.shape[0])
            tally.add(rows is not None and within(tally.find(stamp(scene, make, shot)), rows), f"make {make}")
    for i in range(n):
        rng = np.random.default_rng((seed, 1, i))
        rows_kept = int(rng.integers(320, 513))
        scene = scenes[i % len(scenes)][:rows_kept]
        variant = draw_variant(rng, rows_kept, round(float(scene.mean())))
        stamped, rows = stamp_variant(scene, rng, variant)
        image, factor, done = degraded(stamped, rng)
        good = within(tally.find(image), (rows[0] * factor, rows[1] * factor))
        tally.add(good, "variants", f"layout {variant.layout}", f"place {variant.place}", variant.content, done)
    return tally


def clean(scenes: list[Pixels], n: int, seed: int) -> Tally:
    """Images without a bar; good is where nothing is cut."""
    tally = Tally()
    for i in range(n):
        rng = np.random.default_rng((seed, 2, i))
        scene = np.rot90(scenes[i % len(scenes)], int(rng.integers(4)))
        side = rng.integers(64, 513, 2)
        y, x = (int(rng.integers(0, 513 - s)) for s in side)
        image = scene[y : y + side[0], x : x + side[1]]
        kind = ("crop", "crop, padded", "crop, black ground", "crop, faded to the corners")[i % 4]
        if i % 4 == 1:
            image = np.pad(image, int(rng.integers(2, 60)), constant_values=int(rng.choice([0, 255, 128])))
        elif i % 4 == 2:
            black = np.quantile(image, rng.uniform(0.2, 0.8))
            image = np.clip((image - black) * 2.0, 0, 255).astype(np.uint8)
        elif i % 4 == 3:
            v, u = (np.linspace(-1, 1, s) for s in image.shape)
            image = (image * np.clip(1.3 - rng.uniform(0.5, 1.5) * np.hypot(v[:, None], u), 0, 1)).astype(np.uint8)
        if rng.random() < 0.3:
            image = compressed(np.ascontiguousarray(image), int(rng.integers(60, 96)))
        tally.add(tally.find(image) is None, "all", kind)
    return tally


def real(folders: list[Path]) -> Tally:
    """Every image under the folders; good is where nothing is cut."""
    tally = Tally()
    for folder in folders:
        for file in sorted(f for f in folder.rglob("*") if f.suffix.lower() in _SUFFIXES):
            try:
                pixels = to_uint8(read_image(file), Intensity())
            except ImageError as error:
                sys.stderr.write(f"{error}\n")
                continue
            bar = tally.find(pixels)
            tally.add(bar is None, folder.name)
            if bar is not None:
                sys.stderr.write(f"cut: {file} {bar}\n")
    return tally


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--bars", type=int, default=1000)
    parser.add_argument("--clean", type=int, default=1000)
    parser.add_argument("--scenes", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    n = len(powder.CLASSES)
    scenes = [powder.render_powder(i % n, i // n, options.seed + 17).image for i in range(options.scenes)]
    parts = {
        "found within 2 rows": plant(scenes, options.bars, options.seed),
        "nothing cut, phantoms": clean(scenes, options.clean, options.seed),
        "nothing cut, files": real(options.data),
    }
    for title, tally in parts.items():
        if tally.all:
            times = np.concatenate([tally.times["512 px wide"] or [np.nan]])
            print(f"{tally.table(title)}\n\nms at 512 px, median: {np.median(times):.2f}\n")


if __name__ == "__main__":
    main()
