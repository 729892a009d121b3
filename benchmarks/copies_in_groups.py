"""What copies in other groups do to the accuracy of a training.

    python benchmarks/copies_in_groups.py FOLDER [--images 600] [--pictures 100] [--copies 3] [--seed 0] [--noise 0]

Of the folder (a class per sub-folder) a sample of images is taken, each in a group of its own. Altered copies of some
of them (kinds as in duplicates.py) are added under groups of their own, as if another hand had collected them. Printed
is the cross-validated accuracy of three trainings with one view: without the copies; with them, near-duplicates kept
on one side of every fold; and with them, `--near-duplicates exact`. The first figure of each is over all images, the
second over the images that are no copies. With --noise a share of the pictures gets a random other label, copies the
same one: what a classifier remembers of them shows undiluted.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from duplicates import SUFFIXES, plant_families
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.predictions import read_predictions

Row = tuple[str, str, str]


def write_manifest(file: Path, rows: list[Row]) -> Path:
    """A manifest of (path, label, group)."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("path", "label", "group"), *rows])
    return file


def measured(name: str, data: Path, out: Path, near_duplicates: str, originals: set[str]) -> None:
    """Train and print the accuracies."""
    start = time.perf_counter()
    run = train(data, out, TrainOptions(group="group", views=1, near_duplicates=near_duplicates))
    table = read_predictions(out / "predictions.parquet")
    right = table.proba.argmax(axis=1) == table.y
    kept = np.array([path in originals for path in table.path])
    print(f"{name}: {len(right)} images {right.mean():.4f}, {kept.sum()} originals {right[kept].mean():.4f}", end="")
    print(f" ({time.perf_counter() - start:.0f} s)")
    for note in run["warnings"]:
        print(f"    {note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    files = sorted(f for f in options.folder.resolve().glob("*/*") if f.suffix.lower() in SUFFIXES)
    files = [files[i] for i in rng.permutation(len(files))[: options.images]]
    labels = np.array([file.parent.name for file in files])
    classes = sorted(set(labels.tolist()))
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        (place / "copies").mkdir()
        copies, sources = plant_families(files, options.copies, options.pictures, place / "copies", rng)
        paths = [f"originals/{file.parent.name} {file.name}" for file in files]
        (place / "originals").mkdir()
        for path, file in zip(paths, files, strict=True):
            shutil.copyfile(file, place / path)
        for i in sorted(set(sources)):
            if rng.random() < options.noise:
                labels[i] = rng.choice([name for name in classes if name != labels[i]])
        rows = [(path, str(label), f"g{i}") for i, (path, label) in enumerate(zip(paths, labels, strict=True))]
        more = [
            (f"copies/{file.name}", str(labels[source]), f"c{j}")
            for j, (file, source) in enumerate(zip(copies, sources, strict=True))
        ]
        clean, mixed = (
            write_manifest(place / name, r) for name, r in (("clean.csv", rows), ("mixed.csv", rows + more))
        )
        print(f"{options.folder.name}, seed {options.seed}: {len(files)} images, {len(copies)} copies")
        measured("clean", clean, place / "a", "auto", set(paths))
        measured("copies, near-duplicates joined", mixed, place / "b", "join", set(paths))
        measured("copies, near-duplicates exact", mixed, place / "c", "exact", set(paths))


if __name__ == "__main__":
    main()
