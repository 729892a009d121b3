"""Whether the judge of generated images finds copies and blames nobody else.

    python benchmarks/generated_images.py FOLDER... [--repeats 40] [--time]

Each FOLDER holds class folders of real images. Of a class 40 images are taken for parents, 72 for held-out ones and
40 more for new ones, drawn anew in each repeat. Judged in their place: the new images as they are, blurred by 1 and
1.5 px, with noise of 5 grey levels; copies of the parents (turned or mirrored, blurred by 0.5 px, 2 grey levels of
noise, up to 4 levels brighter, JPEG at quality 80); the same with stronger changes; a third of them copies.
Printed: how often the class is refused (as a set, one by one, both), and the share of images flagged.

With --time: seconds and memory of `graticule synthesize --check` on 1,000 and 1,000 drawn images of 64 px.
"""

import argparse
import io
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
from scipy.ndimage import gaussian_filter

from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.synthesize.check import check_generated
from graticule.split.duplicates.symmetry import symmetric
from graticule.synthesis.canvas import canvas_side, centred_canvas
from graticule.synthesis.copies import FromGenerator, copied_as_a_set, copied_one_by_one
from graticule.synthesis.distance import comparable
from graticule.synthesis.verdict import COPIES_BORNE, SET_LEVEL, SINGLE_LEVEL

PARENTS, HELD_OUT, NEW = 40, 72, 40


def classes(folder: Path) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Pictures of each class folder."""
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(file for file in kind.rglob("*") if file.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif"))
        if len(files) >= PARENTS + HELD_OUT + NEW:
            chosen = np.random.default_rng(0).permutation(len(files))[:400]
            yield f"{folder.name}/{kind.name}", [np.asarray(PIL.Image.open(files[i]).convert("RGB")) for i in chosen]


def changed(picture: np.ndarray, rng: np.random.Generator, *, strong: bool) -> np.ndarray:
    """A copy of a picture."""
    turned = np.moveaxis(symmetric(np.moveaxis(picture, 2, 0), int(rng.integers(8))), 0, 2).astype(float)
    blur, noise, grey, quality = (1.0, 5, 10, 50) if strong else (0.5, 2, 4, 80)
    moved = gaussian_filter(turned, (blur, blur, 0)) + rng.uniform(-grey, grey) + rng.normal(0, noise, turned.shape)
    file = io.BytesIO()
    PIL.Image.fromarray(moved.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(file).convert("RGB"))


def sets(
    parents: list[np.ndarray], new: list[np.ndarray], rng: np.random.Generator
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """What is judged, by name."""

    def blurred(sigma: float) -> list[np.ndarray]:
        return [gaussian_filter(picture.astype(float), (sigma, sigma, 0)).astype(np.uint8) for picture in new]

    yield "new", new
    yield "new, blurred 1 px", blurred(1.0)
    yield "new, blurred 1.5 px", blurred(1.5)
    yield "new, noisy", [(p + rng.normal(0, 5, p.shape)).clip(0, 255).astype(np.uint8) for p in new]
    copies = [changed(picture, rng, strong=False) for picture in parents[:NEW]]
    yield "copies", copies
    yield "copies, strongly changed", [changed(picture, rng, strong=True) for picture in parents[:NEW]]
    yield "a third copies", copies[: NEW // 3] + new[NEW // 3 :]


def judged(name: str, pictures: list[np.ndarray], repeats: int) -> None:
    """Print a row per set of a class."""
    side = canvas_side([max(picture.shape[:2]) for picture in pictures])
    rng = np.random.default_rng(1)
    found: dict[str, list[tuple[bool, bool, float]]] = {}

    def seen(some: list[np.ndarray]) -> np.ndarray:
        return comparable(np.stack([centred_canvas(picture, side) for picture in some]))

    for repeat in range(repeats):
        order = rng.permutation(len(pictures))[: PARENTS + HELD_OUT + NEW]
        taken = [pictures[i] for i in order]
        real, unit = seen(taken[: PARENTS + HELD_OUT]), np.arange(PARENTS + HELD_OUT)
        for what, made in sets(taken[:PARENTS], taken[PARENTS + HELD_OUT :], rng):
            one = FromGenerator(seen(made), real, unit < PARENTS, unit, np.zeros_like(unit))
            as_set, each = copied_as_a_set([one], seed=repeat), copied_one_by_one([one])
            single = each.low > COPIES_BORNE and each.p < SINGLE_LEVEL
            found.setdefault(what, []).append((as_set.p < SET_LEVEL, single, each.share))
    for what, rows in found.items():
        as_set, single, share = np.array(rows, float).T
        refused = int(((as_set + single) > 0).sum())
        print(
            f"| {name}, {side} px | {what} | {refused} of {repeats} | {int(as_set.sum())}, {int(single.sum())} | "
            f"{share.mean():.1%} (most {share.max():.0%}) |",
            flush=True,
        )


def timed() -> None:
    """Judge 1,000 drawn images against 1,000 others, of which half are held out."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for what in ("real", "made", "held"):
            for i in range(1000 if what != "held" else 500):
                kind = "round" if i % 2 else "long"
                (place / what / kind).mkdir(parents=True, exist_ok=True)
                field = gaussian_filter(rng.normal(size=(64, 64)), (3, 3 if i % 2 else 6))
                level = 140 + 60 * field / np.abs(field).max()
                PIL.Image.fromarray(level.astype(np.uint8)).save(place / what / kind / f"{i:04d}.png")
        start, spent = time.perf_counter(), time.process_time()
        options = SynthesizeOptions(held_out=place / "held")
        check_generated(place / "made", place / "real", place / "out", options)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"1,000 + 1,000 (+ 500) images of 64 px: {time.perf_counter() - start:.0f} s, processor time "
            f"{time.process_time() - spent + used.ru_utime:.0f} s, peak {peak:.0f} MiB"
        )


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--time", action="store_true")
    given = parser.parse_args()
    for folder in given.folders:
        for name, pictures in classes(folder):
            judged(name, pictures, given.repeats)
    if given.time:
        timed()


if __name__ == "__main__":
    main()
