"""What synthetic images lift by leak alone: mixtures of real images whose parents judge, and whose parents do not.

    python benchmarks/synthetic_parents.py DATA [--rare missed protist] [--n 40] [--common 900] [--made 160] [--seeds 3]

Of DATA (a folder with manifest.csv) so many images of each rare class and of the others are drawn. The mixtures are
means of two images of a rare class, in unequal parts. Three trainings per seed, all cross-validated in three folds,
groups switched off: on the real images; with mixtures of all real images, which `--parents none` lets pass; and with
mixtures by a generator per fold, whose parents are told. Shown are figures of the rare classes, and the differences to
the first by `compare`. That mixtures of all images are refused where their parents are told is checked too.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

from graticule.errors import FoldError
from graticule.jobs.compare import compare
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions

FOLDS = 3
FIGURES = ("accuracy", "macro_f1", "average_precision_macro")


@dataclass(frozen=True)
class Real:
    """Images of one draw."""

    path: list[Path]
    label: list[str]


def draw(data: Path, rare: list[str], n: int, common: int, seed: int) -> Real:
    """So many images of each rare class, and of all others together."""
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    rng = np.random.default_rng(seed)
    taken = []
    for names, most in [
        *(([name], n) for name in rare),
        ([r["label"] for r in rows if r["label"] not in rare], common),
    ]:
        own = [row for row in rows if row["label"] in set(names)]
        taken += [own[i] for i in sorted(rng.choice(len(own), min(most, len(own)), replace=False))]
    return Real([data / row["path"] for row in taken], [row["label"] for row in taken])


def mixtures(
    real: Real, rows: np.ndarray, rare: list[str], made: int, folder: Path, seed: int
) -> list[tuple[str, str]]:
    """Write mixtures of pairs among some rows; (path, label) of each."""
    rng, found = np.random.default_rng(seed), []
    folder.mkdir(parents=True)
    for name in rare:
        own = [row for row in rows if real.label[row] == name]
        for i in range(made):
            a, b = rng.choice(own, 2, replace=False)
            first = PIL.Image.open(real.path[a]).convert("RGB")
            second = PIL.Image.open(real.path[b]).convert("RGB").resize(first.size, PIL.Image.Resampling.BICUBIC)
            file = folder / f"{name}-{i:04d}.png"
            PIL.Image.blend(first, second, float(rng.uniform(0.3, 0.5))).save(file)
            found.append((str(file), name))
    return found


def one_seed(data: Path, args: argparse.Namespace, seed: int, scratch: Path) -> None:
    """Train the three arms and print their figures."""
    real = draw(data, args.rare, args.n, args.common, seed)
    fold = np.random.default_rng([seed, 1]).integers(0, FOLDS, len(real.path))
    for name in args.rare:  # every fold with as many of each rare class
        own = np.flatnonzero(np.array(real.label) == name)
        fold[own] = np.arange(len(own)) % FOLDS
    everything = np.arange(len(real.path))
    of_all = [(*row, "all") for row in mixtures(real, everything, args.rare, args.made, scratch / "all", seed)]
    crossed = []
    for f in range(FOLDS):
        rows = np.flatnonzero(fold != f)
        crossed += [(*row, str(f)) for row in mixtures(real, rows, args.rare, args.made, scratch / str(f), seed + f)]
    sha = [hashlib.sha256(file.read_bytes()).hexdigest() for file in real.path]
    seen = {"all": everything} | {str(f): np.flatnonzero(fold != f) for f in range(FOLDS)}
    parents = scratch / "parents.csv"
    lines = [f"{name},{sha[row]}" for name, rows in seen.items() for row in rows]
    parents.write_text("generator,sha256\n" + "\n".join(lines) + "\n", encoding="utf-8")

    def table(name: str, made: list[tuple[str, str, str]]) -> Path:
        file = scratch / f"{name}.csv"
        rows = [(str(path), label, "real", "") for path, label in zip(real.path, real.label, strict=True)]
        rows += [(path, label, "synthetic", generator) for path, label, generator in made]
        with file.open("w", newline="", encoding="utf-8") as sink:
            csv.writer(sink).writerows([("path", "label", "origin", "generator"), *rows])
        return file

    arms = {
        "real only": ([], "none"),
        "mixtures of all": (of_all, "none"),
        "a generator per fold": (crossed, str(parents)),
    }
    runs = {}
    for name, (made, told) in arms.items():
        runs[name] = scratch / f"run-{len(runs)}"
        options = TrainOptions(group="none", folds=FOLDS, seed=seed, root=Path("/"), parents=told, allow_unproven=True)
        train(table(name, made), runs[name], options)
    for name, run in runs.items():
        metrics = json.loads((run / "metrics.json").read_text("utf-8"))
        rare = np.mean([metrics["per_class"][c]["average_precision"]["value"] for c in args.rare])
        told = " ".join(f"{metrics[key]['value']:.4f}" for key in FIGURES)
        line = f"seed {seed} | {name} | {told} | rare AP {rare:.4f}"
        if name != "real only":
            found = compare(runs["real only"], run)["difference"]
            line += " | " + " ".join(
                f"{key} {found[key]['value']:+.4f} ({found[key]['low']:+.4f} to {found[key]['high']:+.4f})"
                for key in FIGURES
            )
        print(line, flush=True)
    try:
        options = TrainOptions(
            group="none", folds=FOLDS, seed=seed, root=Path("/"), parents=str(parents), allow_unproven=True
        )
        train(table("told", of_all), scratch / "told", options)
        print("mixtures of all, parents told: NOT refused")
    except FoldError as error:
        print(f"mixtures of all, parents told: refused ({str(error)[:80]}...)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rare", nargs="+", default=["missed", "protist"])
    parser.add_argument("--n", type=int, default=40)
    parser.add_argument("--common", type=int, default=900)
    parser.add_argument("--made", type=int, default=160)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    for seed in range(args.seeds):
        with tempfile.TemporaryDirectory() as scratch:
            one_seed(args.data.resolve(), args, seed, Path(scratch))


if __name__ == "__main__":
    main()
