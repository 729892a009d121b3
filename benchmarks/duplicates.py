"""Find planted near-duplicates among real images.

    python benchmarks/duplicates.py FOLDER... [--features] [--confirm] [--others 2000] [--planted 100] [--seed 0]
    python benchmarks/duplicates.py FOLDER... --families 2 3 5 10 20 --confirm [--others 2000] [--seed 0]
    python benchmarks/duplicates.py --timing 2400 20000 200000

Of each folder (a class per sub-folder) up to 2,000 images are taken; per kind of change 100 altered copies are hidden
among them (fewer where there are not enough images). Printed: altered images that ended in one component with their
original, per kind; and pairs of unrelated images per 1,000 images. Those are listed, because data hold duplicates by
nature: look at them before calling them false. With --families N there are N copies of each of 100 pictures, each of
a kind drawn anew, in place of 100 of each kind.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.images.fingerprint import fingerprint
from graticule.images.image import Image, read_image
from graticule.images.intensity import Intensity, to_uint8
from graticule.images.preprocess import Preprocessing, picture_of
from graticule.split.duplicates.find import Pair, duplicate_components, find_duplicates
from graticule.split.kinship import in_full_detail

Pixels = NDArray[np.uint8]
AS_THE_NETWORK = Preprocessing(size=224)
SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff"}


def reencoded(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(60, 91)))
    return np.asarray(PIL.Image.open(buffer))


def resized(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    factor = 2.0 ** rng.uniform(-1.0, 1.0)
    h, w = pixels.shape[:2]
    side = (max(4, round(w * factor)), max(4, round(h * factor)))
    return np.asarray(PIL.Image.fromarray(pixels).resize(side, PIL.Image.Resampling.BICUBIC))


def shifted(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    h, w = pixels.shape[:2]
    dy, dx = (round(rng.uniform(-0.1, 0.1) * side) for side in (h, w))
    dx = dx or 1
    pad = [(abs(dy), abs(dy)), (abs(dx), abs(dx))] + [(0, 0)] * (pixels.ndim - 2)
    wide = np.pad(pixels, pad, mode="edge" if rng.random() < 0.5 else "wrap")
    return wide[abs(dy) + dy : abs(dy) + dy + h, abs(dx) + dx : abs(dx) + dx + w]


def rotated(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return np.rot90(pixels, int(rng.integers(1, 4)))


def flipped(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels[::-1]


def cropped(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    h, w = pixels.shape[:2]
    top, bottom, left, right = (max(1, int(rng.uniform(0.0, 0.05) * side)) for side in (h, h, w, w))
    return pixels[top : h - bottom, left : w - right]


def relit(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    scaled = (pixels / 255.0) ** rng.uniform(0.7, 1.4) * rng.uniform(0.7, 1.2) + rng.uniform(-0.1, 0.1)
    return np.clip(np.rint(scaled * 255.0), 0, 255).astype(np.uint8)


def two(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    first, second = rng.choice(7, 2, replace=False)
    single = list(KINDS.values())[:7]
    return single[second](np.ascontiguousarray(single[first](pixels, rng)), rng)


KINDS = {
    "re-encoded": reencoded,
    "resized": resized,
    "shifted": shifted,
    "rotated": rotated,
    "flipped": flipped,
    "cropped": cropped,
    "brightness": relit,
    "two of them": two,
}


def plant(files: list[Path], n_planted: int, out: Path, rng: np.random.Generator) -> tuple[list[Path], list[int]]:
    """Altered copies, n_planted per kind in the order of `KINDS`, and the row of each one's original."""
    n_planted = min(n_planted, len(files) // 4)
    order = rng.permutation(len(files))
    copies, sources = [], []
    for k, (name, change) in enumerate(KINDS.items()):
        for j in range(n_planted):
            source = int(order[(k * n_planted + j) % len(files)])
            copies.append(out / f"{name.replace(' ', '_')}_{j}.png")
            pixels = np.ascontiguousarray(change(to_uint8(read_image(files[source]), Intensity()), rng))
            PIL.Image.fromarray(pixels).save(copies[-1], compress_level=1)
            sources.append(source)
    return copies, sources


def plant_families(
    files: list[Path], size: int, pictures: int, out: Path, rng: np.random.Generator
) -> tuple[list[Path], list[int]]:
    """`size` altered copies of each of some pictures, of kinds drawn at random, and the row of each one's original."""
    copies, sources = [], []
    for source in rng.choice(len(files), min(pictures, len(files) // 4), replace=False).tolist():
        original = to_uint8(read_image(files[source]), Intensity())
        for j in range(size):
            name = list(KINDS)[int(rng.integers(len(KINDS)))]
            copies.append(out / f"{source}_{j}_{name.replace(' ', '_')}.png")
            PIL.Image.fromarray(np.ascontiguousarray(KINDS[name](original, rng))).save(copies[-1], compress_level=1)
            sources.append(source)
    return copies, sources


def embed(files: list[Path]) -> NDArray[np.float32]:
    from graticule.features.cache import FeatureCache
    from graticule.features.embed import embed_files
    from graticule.networks.backbones import EMBEDDED
    from graticule.networks.encoder import embedded_encoder
    from graticule.runs import cache_folder

    encoder = embedded_encoder(EMBEDDED["efficientnet_lite0"], views=1)
    with FeatureCache(cache_folder(), encoder.space()) as cache:
        return embed_files(files, encoder, cache=cache).features


def one_folder(folder: Path, options: argparse.Namespace, out: Path, family: int = 0) -> None:
    rng = np.random.default_rng(options.seed)
    files = sorted(f for f in folder.glob("*/*") if f.suffix.lower() in SUFFIXES)
    files = [files[i] for i in rng.permutation(len(files))[: options.others]]
    if family:
        copies, sources = plant_families(files, family, options.planted, out, rng)
    else:
        copies, sources = plant(files, options.planted, out, rng)
    n = len(files)
    everything = files + copies
    digests, fingerprints = [], []
    for file in everything:
        image: Image = read_image(file)
        digests.append(image.digest())
        fingerprints.append(fingerprint(picture_of(image, AS_THE_NETWORK).shown))
    features = embed(everything) if options.features else None
    start = time.perf_counter()
    with in_full_detail(everything, AS_THE_NETWORK) if options.confirm else nullcontext() as confirm:
        pairs = find_duplicates(digests, np.stack(fingerprints), features, confirm=confirm)
    seconds = time.perf_counter() - start
    report(folder.name, pairs, sources, everything, n, family)
    print(f"  {seconds:.1f} s for {len(everything):,} images")


def report(name: str, pairs: list[Pair], sources: list[int], files: list[Path], n: int, size: int = 0) -> None:
    component = duplicate_components(len(files), pairs)
    per_kind = len(sources) // len(KINDS)
    family = [*range(n), *sources]
    together = [component[n + k] == component[source] for k, source in enumerate(sources)]
    found = Counter(k // per_kind for k, stays in enumerate(together) if stays)
    if size:
        print(f"{name}, {size} copies each: {sum(together)} of {len(together)} with their original", end="")
        print(f" ({100 * sum(together) / len(together):.1f} %)")
    else:
        print(f"{name}: " + ", ".join(f"{kind} {found[k]}/{per_kind}" for k, kind in enumerate(KINDS)))
    unrelated = [p for p in pairs if family[p.a] != family[p.b]]
    by_origin = {tuple(sorted((family[p.a], family[p.b]))): p for p in unrelated}
    print(f"  unrelated pairs: {len(by_origin)} ({1000 * len(by_origin) / len(files):.2f} per 1,000 images)")
    for (a, b), pair in sorted(by_origin.items()):
        print(f"    {files[a]} {files[b]} {pair.kind} {pair.similarity:.3f} {pair.change}")


def timing(sizes: list[int]) -> None:
    """Noise pictures with a tenth of copies: the cost of the search without reading files."""
    for n in sizes:
        rng = np.random.default_rng(0)
        small = rng.integers(0, 256, (n, 8, 8), dtype=np.uint8)
        small[-(n // 10) :] = small[: n // 10]
        resized = (PIL.Image.fromarray(s).resize((32, 32), PIL.Image.Resampling.BICUBIC) for s in small)
        fingerprints = np.stack([fingerprint(np.asarray(r)) for r in resized])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        pairs = find_duplicates([str(i) for i in range(n)], fingerprints)
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"n = {n:,}: {seconds:.1f} s, {(after - before) / 1024:.0f} MiB more, {len(pairs):,} pairs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--features", action="store_true")
    parser.add_argument("--confirm", action="store_true")
    parser.add_argument("--others", type=int, default=2000)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", nargs="+", type=int, default=[], metavar="N")
    parser.add_argument("--timing", nargs="+", type=int, default=[], metavar="N")
    options = parser.parse_args()
    for folder in options.folders:
        for family in options.families or [0]:
            with tempfile.TemporaryDirectory() as out:
                one_folder(folder, options, Path(out), family)
    timing(options.timing)


if __name__ == "__main__":
    main()
