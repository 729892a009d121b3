"""Fixed runs whose outcomes a rebuilding of the inside must not change.

    python benchmarks/same_results.py DATA OUT                     makes the runs with the program that is imported
    python benchmarks/same_results.py DATA OUT --against EARLIER   and compares them with those of an earlier version

DATA holds the folders blood_cells, red_cells (with its manifest: a group per smear) and malaria_cells. Runs: features
on blood_cells with a calibration and a held-out part; red_cells by smear with a support vector machine; malaria_cells
with one view; a small fine-tuning of 300 images of malaria_cells; and `predict` of the first 100 images of blood_cells.
Compared are the tables of predictions value by value, metrics.json and decisions.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

RUNS = {
    "blood_cells": ("blood_cells", "--test-size", "0.2", "--calibration", "0.2", "--views", "1"),
    "red_cells_by_smear": ("red_cells/manifest.csv", "--head", "svm", "--views", "1", "--seed", "3"),
    "malaria_cells": ("malaria_cells", "--views", "1", "--seed", "1"),
    "finetuned": (
        *("small", "--method", "finetune", "--folds", "2", "--epochs", "2", "--input-size", "64", "--device", "cpu"),
        *("--views", "1", "--seed", "2"),
    ),
}


def graticule(*words: object) -> None:
    """Run a verb in a process of its own; ends the benchmark where it fails."""
    done = subprocess.run([sys.executable, "-m", "graticule", *map(str, words)], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(f"graticule {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}")


def small_set(data: Path, folder: Path) -> None:
    """150 images of each class of malaria_cells, as links."""
    for kind in sorted(path for path in (data / "malaria_cells").iterdir() if path.is_dir()):
        (folder / kind.name).mkdir(parents=True)
        for file in sorted(kind.iterdir())[:150]:
            shutil.copy(file, folder / kind.name / file.name)


def make(data: Path, out: Path) -> None:
    """All runs, into folders of `out`."""
    out.mkdir(parents=True)
    os.environ["GRATICULE_CACHE"] = str(out / "cache")
    small_set(data, out / "small")
    for name, (source, *options) in RUNS.items():
        place = out / source if source == "small" else data / source
        graticule("train", place, "--out", out / name, *options)
        print(f"made {name}", flush=True)
    few = out / "few"
    few.mkdir()
    for file in (
        sorted((data / "blood_cells").rglob("*.jpg"))[:100] or sorted((data / "blood_cells").rglob("*.png"))[:100]
    ):
        shutil.copy(file, few / file.name)
    graticule("predict", out / "blood_cells", few, "--out", out / "answers")


def differences(new: Path, old: Path) -> list[str]:
    """What is not the same in two folders of runs."""
    found = []
    for name in RUNS:
        for file in ("metrics.json", "decisions.json"):
            a, b = (json.loads((folder / name / file).read_text()) for folder in (new, old))
            if a != b:
                keys = [key for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
                found.append(f"{name}/{file}: {', '.join(keys)}")
    tables = [f"{name}/predictions.parquet" for name in RUNS] + ["answers/predictions-00000.parquet"]
    for file in tables:
        a, b = (pq.ParquetFile(folder / file).read() for folder in (new, old))
        if not a.equals(b):
            found.append(f"{file}: {a.schema.names} against {b.schema.names}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path)
    given = parser.parse_args()
    if not given.out.exists():
        make(given.data.resolve(), given.out)
    if given.against is not None:
        faults = differences(given.out, given.against)
        for fault in faults:
            print(fault)
        print("all the same" if not faults else f"{len(faults)} files differ")
        sys.exit(bool(faults))
