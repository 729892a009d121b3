"""Numbers other than a fraction: particle diameter and count of powder phantoms, area of what is dark in blood cells.

    python benchmarks/second_tasks.py DATA/blood_cells [--seeds 0 1] [--per-class 40] [--features auto]

Per seed a powder set is drawn (36 specimens of 6 kinds, 216 pictures), cross-validated by specimen: `diameter_px` with
`--target-scale log`, `count`, `diameter_nm` from pixels alone and with `--per-pixel-size`. Of the blood cells so many
images of each class are drawn; the number is the area of the darkest part of the picture, by Otsu's threshold applied
twice (once for the cells, once within them), with `--target-scale log`, ungrouped.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from graticule.jobs.phantom import phantom
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.phantoms.options import PhantomOptions
from graticule.values import read_values


def otsu(values: np.ndarray) -> float:
    """The threshold that leaves the least variance within both sides (Otsu 1979)."""
    counts, edges = np.histogram(values, 256)
    middle = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middle)
    with np.errstate(all="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(middle[np.nanargmax(between)])


def dark_area(file: Path) -> int:
    """Pixels of the darkest part: what is stained, and of that what is stained most."""
    grey = np.asarray(PIL.Image.open(file).convert("RGB"), float)[:, :, 1]
    stained = grey[grey < otsu(grey)]
    return int((grey < otsu(stained)).sum())


def blood_table(data: Path, per_class: int, seed: int, file: Path) -> Path:
    """A table of areas of some images of each class."""
    rng = np.random.default_rng(seed)
    rows = []
    for folder in sorted(place for place in data.iterdir() if place.is_dir()):
        files = sorted(folder.iterdir())
        for i in rng.choice(len(files), min(per_class, len(files)), replace=False):
            rows.append((str(files[i]), max(1, dark_area(files[i]))))
    with file.open("w", newline="", encoding="utf-8") as sink:
        csv.writer(sink).writerows([("path", "area"), *rows])
    return file


def r2_of_logarithms(run: Path) -> float:
    """R2 of the logarithms, out of fold: the scale that such numbers are learnt on."""
    values = read_values(run / "predictions.parquet").of_part("cv")
    y, said = np.log(values.target), np.log(values.value)
    return float(1 - ((said - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def told(metrics: dict[str, Any], name: str, of_mean: float, of_logarithms: float | None) -> str:
    """One line of figures."""

    def shown(key: str) -> str:
        found = metrics[key]
        if found is None:
            return "-"
        span = "" if found["low"] is None else f" ({found['low']:.3f} to {found['high']:.3f})"
        return f"{found['value']:.3f}{span}"

    relative = shown("relative")
    log = "-" if of_logarithms is None else f"{of_logarithms:.3f}"
    return f"| {name} | {metrics['n']} | {shown('mae')} | {of_mean:.3f} | {shown('r2')} | {log} | {relative} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--per-class", type=int, default=40)
    parser.add_argument("--features", default="auto")
    args = parser.parse_args()
    print("| task | n | MAE | MAE of the mean | R2 | R2 of logarithms | relative error |\n" + "|---" * 7 + "|")
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch)
            phantom("powder", place / "powder", PhantomOptions(n_per_class=36, seed=seed), lambda *_: None)
            powder, blood = (
                place / "powder",
                blood_table(args.data.resolve(), args.per_class, seed, place / "blood.csv"),
            )
            tasks: list[tuple[str, Path, dict[str, Any]]] = [
                ("powder, diameter in px, log", powder, {"target": "diameter_px", "target_scale": "log"}),
                ("powder, count", powder, {"target": "count", "target_min": 0.0}),
                ("powder, diameter in nm from pixels, log", powder, {"target": "diameter_nm", "target_scale": "log"}),
                ("powder, diameter in nm by pixel size", powder, {"target": "diameter_nm", "per_pixel_size": True}),
                ("blood cells, dark area, log", blood, {"target": "area", "target_scale": "log", "root": Path("/")}),
            ]
            for i, (name, data, options) in enumerate(tasks):
                run = train(data, place / f"run{i}", TrainOptions(seed=seed, features=args.features, **options))
                metrics = run["metrics"]
                logarithms = None if name.endswith("count") else r2_of_logarithms(place / f"run{i}")
                mean = metrics["baselines"]["mean"]["mae"]["value"]
                print(told(metrics, f"{name}, seed {seed}", mean, logarithms), flush=True)


if __name__ == "__main__":
    main()
