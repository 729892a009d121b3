"""How often planted shortcuts are found, and how often clean data are accused, as a Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/shortcuts.py --cache FOLDER [--pool 20] [--sets 200]

The pool: the powder phantoms of `--pool` seeds, 6 classes, 6 specimens per class and seed, 4 images each; drawn once
(about 0.2 s per image on an idle core) and kept in `--cache`. A set: 6 specimens per class, all 4 images, 144 images in
36 groups. Specimens are dealt to the sets without replacement until the pool is used up, then shuffled anew: sets of
one round share no image, sets of different rounds share some.

Planted: in one class of a set (they take turns) every image gets an info bar; "found by metadata" measures the cues
with the bar's rows known, "unseen" without. "other make": all classes have bars, that class those of another maker.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import object_array
from graticule.audit.shortcuts import Shortcuts, find_shortcuts
from graticule.audit.standard_cues import ImageFacts, standard_cues
from graticule.images.cues import measure_cues
from graticule.phantoms import powder
from graticule.phantoms.infobar import MAKES, Acquisition, bar_rows, stamp

IMAGES = 4 * powder.SPECIMENS_PER_CLASS  # per class and seed
BAR_CUES = {"info bar", "lower strip"}


@dataclass(frozen=True)
class Pool:
    """All images drawn, uint8 (n, 512, 512), their cues as they are, and class, specimen, pixel size, instrument."""

    images: NDArray[np.uint8]
    cues: NDArray[np.float32]
    code: NDArray[np.int64]
    specimen: NDArray[np.str_]
    pixel_size_nm: NDArray[np.float64]
    instrument: NDArray[np.str_]


def draw_pool(cache: Path, n_seeds: int) -> Pool:
    """Draw what the cache lacks and load the rest."""
    cache.mkdir(parents=True, exist_ok=True)
    images, records = [], []
    for seed in range(n_seeds):
        file = cache / f"s{seed:03d}.npz"
        if not file.exists():
            shots = [(c, powder.render_powder(c, i, seed)) for c in range(len(powder.CLASSES)) for i in range(IMAGES)]
            meta = np.array([(c, m.specimen, m.pixel_size_nm, m.instrument) for c, m in shots], dtype=str)
            np.savez(file, im=np.array([m.image for _, m in shots]), meta=meta)
        with np.load(file) as stored:
            images.append(stored["im"])
            records += [(code, f"{seed}:{name}", size, maker) for code, name, size, maker in stored["meta"].tolist()]
    stack = np.concatenate(images)
    code, specimen, size, maker = (np.array(column) for column in zip(*records, strict=True))
    cues = np.array([measure_cues(image, None) for image in stack])
    return Pool(stack, cues, code.astype(np.int64), specimen, size.astype(float), maker)


def deal(pool: Pool, n_sets: int, generator: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Rows of each set."""
    names = [np.unique(pool.specimen[pool.code == c]) for c in range(len(powder.CLASSES))]
    per_round = len(names[0]) // powder.SPECIMENS_PER_CLASS
    for i in range(n_sets):
        if i % per_round == 0:
            order = [generator.permutation(some) for some in names]
        at = (i % per_round) * powder.SPECIMENS_PER_CLASS
        chosen = np.concatenate([some[at : at + powder.SPECIMENS_PER_CLASS] for some in order])
        yield np.flatnonzero(np.isin(pool.specimen, chosen))


def plant(pool: Pool, rows: NDArray[np.int64], kind: str, i: int) -> NDArray[np.float32]:
    """Cues of a set with a bar in class i modulo 6, in none (clean), or another bar than elsewhere."""
    cues = pool.cues[rows].copy()
    makes = sorted(MAKES)
    own, common = makes[i % len(makes)], makes[(i + 1 + i // len(makes) % (len(makes) - 1)) % len(makes)]
    for j, row in enumerate(rows):
        target = pool.code[row] == i % len(powder.CLASSES)
        make = own if target else common
        if kind == "clean" or (kind != "other make" and not target):
            continue
        image = stamp(pool.images[row], make, Acquisition(float(pool.pixel_size_nm[row]), 10.0, 8.5, j))
        cues[j] = measure_cues(image, None if kind == "unseen" else bar_rows(make, powder.SIZE))
    return cues


def audit(pool: Pool, rows: NDArray[np.int64], cues: NDArray[np.float32], seed: int) -> Shortcuts:
    """What the audit says of one set."""
    n = len(rows)
    nothing = object_array([""] * n)
    full, unknown = np.full(n, float(powder.SIZE)), np.full(n, np.nan)
    facts = ImageFacts(full, full, full, full, nothing, nothing, nothing, unknown, cues.astype(float), unknown)
    label = object_array([powder.CLASSES[c] for c in pool.code[rows]])
    columns = {
        "instrument": object_array(pool.instrument[rows].tolist()),
        "pixel_size_nm": object_array([f"{size:g}" for size in pool.pixel_size_nm[rows]]),
    }
    found, _ = standard_cues(facts, label, columns=columns)
    group = object_array(pool.specimen[rows].tolist())
    return find_shortcuts(found, pool.code[rows], powder.CLASSES, group, seed=seed)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the pool")
    parser.add_argument("--pool", type=int, default=20, help="phantom seeds in the pool")
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--kinds", nargs="+", default=["clean", "found by metadata", "unseen", "other make"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pool = draw_pool(options.cache, options.pool)
    out = sys.stdout
    out.write(f"pool: {len(pool.images)} images of {len(set(pool.specimen.tolist()))} specimens\n\n")
    out.write("| planted | sets | any flag | bar flagged | and its class named | flags by cue | s per set |\n")
    out.write("|---|---|---|---|---|---|---|\n")
    for kind in options.kinds:
        flags: Counter[str] = Counter()
        some = bars = named = 0
        began = time.perf_counter()
        for i, rows in enumerate(deal(pool, options.sets, np.random.default_rng(options.seed))):
            flagged = audit(pool, rows, plant(pool, rows, kind, i), i).flagged
            flags.update(shortcut.cue for shortcut in flagged)
            at_bar = [shortcut.class_ for shortcut in flagged if shortcut.cue in BAR_CUES]
            some += bool(flagged)
            bars += bool(at_bar)
            named += kind != "clean" and powder.CLASSES[i % len(powder.CLASSES)] in at_bar
        share = " | ".join(f"{100 * count / options.sets:.1f} %" for count in (some, bars, named))
        cues = ", ".join(f"{cue} {count}" for cue, count in flags.most_common()) or "none"
        seconds = (time.perf_counter() - began) / options.sets
        out.write(f"| {kind} | {options.sets} | {share} | {cues} | {seconds:.2f} |\n")
        out.flush()


if __name__ == "__main__":
    main()
