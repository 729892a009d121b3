"""Numbers other than a share: diameter and count of particles on powder phantoms, area of the nucleus of blood cells.

    OMP_NUM_THREADS=1 python benchmarks/second_tasks.py OUT [--blood DATA/blood_cells] [--seed 7] [--features network]

OUT is a new folder. Powder: 216 pictures of 36 specimens, `train --target` as it comes. Blood: 40 pictures of each
class; the target is the area of the dark-stained part in pixels, found by thresholds (`nucleus_area`), learnt as a
logarithm.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from scipy import ndimage

from graticule.jobs.phantom import phantom
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.phantoms.options import PhantomOptions

PER_CLASS = 40
# the dark stain takes red away, which red cells and cytoplasm let through: less than this share of the background's red
_DARK, _BACKGROUND, _SMOOTH, _LEAST = 0.55, 90, 1.0, 30


def nucleus_area(rgb: NDArray[np.uint8]) -> int:
    """Pixels of the dark-stained part that is largest, holes filled; 0 where there is none."""
    red = ndimage.gaussian_filter(rgb[..., 0].astype(np.float64), _SMOOTH)
    parts, n = ndimage.label(red < _DARK * np.percentile(red, _BACKGROUND))
    if not n:
        return 0
    sizes = np.bincount(parts.ravel())[1:]
    return int(ndimage.binary_fill_holes(parts == sizes.argmax() + 1).sum())


def blood_table(folder: Path, out: Path) -> Path:
    """A table of the first pictures of each class with the area of their nucleus; too small ones are left out."""
    rows: list[tuple[str, int]] = []
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        for file in sorted(kind.iterdir())[:PER_CLASS]:
            area = nucleus_area(np.asarray(PIL.Image.open(file).convert("RGB")))
            rows += [(str(file.relative_to(folder)), area)] if area >= _LEAST else []
    with out.open("w", newline="") as sink:
        csv.writer(sink).writerows([("path", "area"), *rows])
    return out


def told(name: str, record: dict[str, Any]) -> None:
    """One row of the table."""
    metrics = record["metrics"]
    cells = []
    for key in ("r2", "relative", "mae", "slope"):
        found = metrics[key]
        some = found["value"] is not None and found["low"] is not None
        cells.append(f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" if some else "not defined")
    limits = metrics["intervals"]
    chosen = sorted({f"{'/'.join(fold['features'])}: {fold['kind']}" for fold in record["head"]["folds"]})
    covered = "none" if limits is None else f"{limits['coverage']['value']:.3f}"
    print(f"| {name} | {metrics['n']} | " + " | ".join(cells) + f" | {covered} | {'; '.join(chosen)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--blood", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--features", default="auto")
    parser.add_argument("--tasks", nargs="*", default=["diameter", "count"])
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir()
    print("| task | images | R2 | relative error | mean absolute error | slope | 90 % limits hold | looked at |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    shared: dict[str, Any] = {"features": options.features, "workers": options.workers}
    if options.tasks:
        powder = options.out / "powder"
        phantom("powder", powder, PhantomOptions(n_per_class=36, seed=options.seed, workers=options.workers))
    if "diameter" in options.tasks:
        asked = TrainOptions(target="diameter_px", target_scale="log", **shared)
        told("powder diameter, log", train(powder, options.out / "diameter", asked))
    if "count" in options.tasks:
        told("powder count", train(powder, options.out / "count", TrainOptions(target="count", target_min=0, **shared)))
    if options.blood:
        table = blood_table(options.blood, options.out / "blood.csv")
        asked = TrainOptions(target="area", target_scale="log", root=options.blood, **shared)
        told("nucleus area, log", train(table, options.out / "area", asked))


if __name__ == "__main__":
    main()
