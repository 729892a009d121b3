"""Is a model warned about that reads the info bar, and a clean one left in peace? A Markdown table.

    OMP_NUM_THREADS=1 python benchmarks/border_shortcut.py --work FOLDER [--seeds 20] [--views 1]

Per seed 144 powder phantoms, 24 of each of 6 classes. Clean: as they are. Planted: one class (they take turns) carries
an info bar, and the model is trained and explained with --info-bar keep. Same bar: every image carries the bar of one
make, which tells nothing. `graticule explain` runs on the training images (64 of them, its default).
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from graticule.explain.options import ExplainOptions
from graticule.jobs.explain.job import explain
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.phantoms.families import write_phantom
from graticule.phantoms.infobar import MAKES, Acquisition, stamp
from graticule.phantoms.options import PhantomOptions
from graticule.phantoms.powder import CLASSES

KINDS = ("clean", "planted", "same bar")


def data_set(work: Path, kind: str, seed: int) -> Path:
    """The folder of one set, made when it is missing."""
    clean = work / f"clean-{seed}"
    if not (clean / "phantom.json").exists():
        shutil.rmtree(clean, ignore_errors=True)
        write_phantom("powder", clean, PhantomOptions(n_per_class=24, seed=seed))
    if kind == "clean":
        return clean
    folder = work / f"{kind.replace(' ', '-')}-{seed}"
    if not (folder / "manifest.csv").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(clean, folder)
        (folder / "manifest.csv").unlink()
        make = sorted(MAKES)[seed % len(MAKES)]
        with (clean / "manifest.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        for number, row in enumerate(rows):
            if kind == "same bar" or row["label"] == CLASSES[seed % len(CLASSES)]:
                image = np.asarray(Image.open(folder / row["path"]))
                shot = Acquisition(float(row["pixel_size_nm"]), 10.0, 8.5, number)
                Image.fromarray(stamp(image, make, shot)).save(folder / row["path"])
        shutil.copyfile(clean / "manifest.csv", folder / "manifest.csv")
    return folder


def check(work: Path, kind: str, seed: int, views: int) -> dict[str, Any]:
    """Train on one set and explain it; the outcome is kept."""
    data = data_set(work, kind, seed)
    run = work / f"run-{data.name}-{views}"
    if not (run / "DONE").exists():
        shutil.rmtree(run, ignore_errors=True)
        train(data, run, TrainOptions(views=views, info_bar="keep", seed=seed))
    out = work / f"explained-{data.name}-{views}"
    shutil.rmtree(out, ignore_errors=True)
    return explain(run, data, out, ExplainOptions(seed=seed))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for sets, runs and explanations")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    options = parser.parse_args()
    out = sys.stdout
    out.write("| set | seed | warned | of the bar | share, all pairs | inside | share, worst class | p | s |\n")
    out.write("|---|---|---|---|---|---|---|---|---|\n")
    totals = {}
    for kind in options.kinds:
        warned = 0
        for seed in range(options.first, options.first + options.seeds):
            began = time.perf_counter()
            found = check(options.work, kind, seed, options.views)
            tested = found["checks"]["exchange"]["regions"]
            region = "info bar" if "info bar" in tested else "border"
            everywhere = next(v for v in tested[region] if v["class"] is None)
            worst = max(tested[region], key=lambda v: v["share"])
            named = any("info bar draws" in text for text in found["warnings"])
            warned += named if kind == "planted" else bool(found["warnings"])
            out.write(
                f"| {kind} | {seed} | {bool(found['warnings'])} | {named} | {everywhere['share']:.2f} | "
                f"{everywhere['control']:.2f} | {worst['share']:.2f} {worst['class']} | {worst['p']:.1g} | "
                f"{time.perf_counter() - began:.0f} |\n"
            )
            out.flush()
        totals[kind] = warned
    out.write("\n" + "; ".join(f"{kind}: {n} of {options.seeds} warned" for kind, n in totals.items()) + "\n")


if __name__ == "__main__":
    main()
