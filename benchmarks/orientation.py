"""Orientation: gradients, turned pictures and scenes, noise, planted shares, info bars, and speed beside orientationpy.

    python benchmarks/orientation.py gradients scenes noise
    python benchmarks/orientation.py micrographs --micrographs DATA/nanofibres
    python benchmarks/orientation.py shares bars --nanowires SET [SET ...]
    python -P benchmarks/orientation.py speed             (needs orientationpy)

A SET is made by `graticule phantom nanowires --seed S --out SET`. The fits of Local Gradient Orientation on histograms
made by hand, the seam included, are tested in tests/directions/test_lgo.py.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.ndimage
from tests.directions.scenes import apart, stripes, wires

from graticule.directions.distribution import histograms, moment
from graticule.directions.lgo import local_gradient_orientation
from graticule.directions.measure import measure_directions
from graticule.directions.options import LGO_FIJI
from graticule.directions.outcome import Directions
from graticule.directions.tensor import structure_tensor
from graticule.directions.verdict import CROSSED, DIRECTION, EMPTY, NONE
from graticule.images.image import read_image
from graticule.images.luminance import brightness_of
from graticule.jobs.options import PictureOptions
from graticule.jobs.orientation.picture import MeasuredPicture, measure_image
from graticule.workers.pool import in_workers

ANGLES = np.arange(0, 180, 7.5)
N_NOISE = 100
N_SCENES = 6


def gradients() -> None:
    """Direction of sinusoidal stripes at every angle, places weighted by energy."""
    for sigma in (1.0, 1.5):
        worst = {}
        for period in (3, 4, 5, 6, 8, 10, 16):
            errors = []
            for angle in ANGLES:
                field = structure_tensor(stripes(float(angle), period, 128), sigma)
                whole = histograms(field.direction, field.energy * field.inside)[0]
                errors.append(apart(float(np.degrees(np.angle(moment(whole, 2))) / 2 % 180), float(angle)))
            worst[period] = max(errors)
        print(f"sigma {sigma:g}: worst error by period", {period: f"{error:.3f}" for period, error in worst.items()})


def micrographs(folder: Path) -> None:
    """Real pictures turned by known angles in a disc: direction and share of what is in it."""
    errors, ranges, beside = [], [], []
    for file in sorted(folder.glob("*.png")):
        grey = brightness_of(read_image(file)).grey
        side = min(grey.shape)
        top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
        grey = grey[top : top + side, left : left + side]
        row, column = np.mgrid[:side, :side] - (side - 1) / 2
        disc = np.hypot(row, column) < side / 2 - 4
        shares, directors, amounts = [], [], []
        for turn in range(0, 180, 15):
            turned = scipy.ndimage.rotate(grey, turn, reshape=False, order=3, mode="mirror")
            found = measure_directions(turned, mask=disc)
            shares.append(found.figures.first.share.value)
            directors.append((found.scales[1].direction - turn) % 180)
            amounts.append(local_gradient_orientation(turned * disc, as_shipped=True).amount)
        errors += [apart(one, directors[0]) for one in directors[1:]]
        ranges.append(np.ptp(shares))
        beside.append(np.ptp(amounts))
    print(f"direction error: mean {np.mean(errors):.3f}, max {np.max(errors):.3f} degrees")
    print(f"range of the share over 12 turns: mean {np.mean(ranges):.4f}, max {np.max(ranges):.4f}")
    print(f"  Fiji's amount, the outside of the disc black: mean {np.mean(beside):.3f}, max {np.max(beside):.3f}")


def scenes() -> None:
    """The same scene drawn at 24 angles: bias of the direction, spread of the share."""
    table: dict[str, list[list[float]]] = {"tensor": [], "lgo": [], "lgo-fiji": []}
    biases: dict[str, list[float]] = {name: [] for name in table}
    for seed in range(N_SCENES):
        rows: dict[str, list[float]] = {name: [] for name in table}
        for angle in ANGLES:
            picture = wires(float(angle), share=0.6, seed=seed, n=90)
            figures = measure_directions(picture).figures.first
            repaired = local_gradient_orientation(picture)
            shipped = local_gradient_orientation(picture, as_shipped=True)
            found = {
                "tensor": (figures.direction.value, figures.share.value),
                "lgo": (repaired.direction, repaired.amount),
                "lgo-fiji": (shipped.direction, shipped.amount),
            }
            for name, (direction, share) in found.items():
                rows[name].append(share)
                biases[name].append((direction - angle + 90) % 180 - 90)
        for name in table:
            table[name].append(rows[name])
    for name, found_rows in table.items():
        off = np.array(biases[name]).reshape(N_SCENES, -1)
        # the wires that are drawn have a mean of their own
        own = off - np.median(off, axis=1, keepdims=True)
        print(
            f"{name}: direction about its own mean: mean size {np.abs(own).mean():.2f}, max {np.abs(own).max():.2f}; "
            f"mean {off.mean():+.2f} degrees; sd of the share over angles {np.std(found_rows, axis=1).mean():.4f}"
        )
        at_right_angle = np.array(found_rows)[:, list(ANGLES).index(90.0)] - np.mean(found_rows, axis=1)
        print(f"  share at 90 degrees less its mean: {at_right_angle.mean():+.3f}")


def noise() -> None:
    """How often noise is given a direction, and aligned wires are."""
    kinds: dict[str, Callable[[np.random.Generator], np.ndarray]] = {}
    for side in (256, 512):
        for smooth in (0.0, 0.7, 1.5):
            kinds[f"noise {side} px, smoothed by {smooth:g}"] = partial(_noise, side, smooth)
    kinds["wires, 60 % aligned, 256 px"] = lambda g: wires(
        float(g.uniform(0, 180)), share=0.6, noise=float(g.uniform(1, 12)), seed=int(g.integers(2**31))
    )
    for name, make in kinds.items():
        found = [measure_directions(make(np.random.default_rng([7, k]))).verdict for k in range(N_NOISE)]
        print(f"{name}: a direction in {sum(one in (DIRECTION, CROSSED) for one in found)} of {N_NOISE}", end="; ")
        print(f"{found.count(NONE)} none preferred, {found.count(EMPTY)} no structure", flush=True)


def _noise(side: int, smooth: float, generator: np.random.Generator) -> np.ndarray:
    noise = generator.normal(128, 20, (side, side)).astype(np.float32)
    noise = scipy.ndimage.gaussian_filter(noise, smooth) if smooth else noise
    return np.clip(np.rint(noise), 0, 255).astype(np.float32)


def _measured(file: Path) -> MeasuredPicture:
    return measure_image(read_image(file), str(file), PictureOptions(method=LGO_FIJI))


def _rows(folders: list[Path]) -> list[dict[str, Any]]:
    rows = []
    for folder in folders:
        with (folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
            rows += [{**row, "file": folder / row["path"], "set": folder.name} for row in csv.DictReader(stream)]
    return rows


def shares(folders: list[Path]) -> None:
    """Untrained estimates of the aligned share by volume, beside Local Gradient Orientation, by specimens."""
    rows = _rows(folders)
    found = list(in_workers(_measured, [row["file"] for row in rows], _lost))
    truth = np.array([float(row["fraction"]) for row in rows])
    group = np.unique([f"{row['set']}/{row['group']}" for row in rows], return_inverse=True)[1]
    estimates = {
        "tensor, share": [one.directions.figures.first.share.value for one in found],
        "tensor, S": [one.directions.figures.order.value for one in found],
        "lgo, amount": [one.repaired.amount for one in found],
        "lgo, less the ground": [one.repaired.corrected for one in found],
        "lgo-fiji, amount": [one.shipped.amount if one.shipped else np.nan for one in found],
        "mean coherency": [one.directions.coherency for one in found],
        "directions of visible wires known": [float(row["oriented_fraction"]) for row in rows],
    }
    errors = {name: np.abs(np.nan_to_num(values) - truth) for name, values in estimates.items()}
    print(f"{len(rows)} pictures of {group.max() + 1} specimens; mean absolute error of the fraction by volume")
    for name, error in errors.items():
        signed = np.nan_to_num(estimates[name]) - truth
        slope = np.polyfit(truth, np.nan_to_num(estimates[name]), 1)[0]
        line = f"{name:34s} {_interval(error, group)}  bias {signed.mean():+.3f}  slope {slope:.2f}"
        for other in ("lgo-fiji, amount", "lgo, amount"):
            line += f"  to {other.split(',')[0]} {_interval(error, group, errors[other])}"
        print(line)
    for name in sorted({row["set"] for row in rows}):
        own = np.array([row["set"] == name for row in rows])
        ours, theirs = (errors[which][own].mean() for which in ("tensor, share", "lgo-fiji, amount"))
        print(f"  {name}: tensor {ours:.3f}, Fiji {theirs:.3f}")
    sure = [one.directions.verdict == DIRECTION for one in found]
    off = np.array(
        [
            apart(one.directions.scales[1].direction, float(row["direction"] or "nan"))
            for one, row in zip(found, rows, strict=True)
        ]
    )
    for low, high in ((0.1, 0.3), (0.3, 0.6), (0.6, 1.01)):
        some = (truth >= low) & (truth < high)
        named = some & np.array(sure)
        print(
            f"  fraction {low:g} to {high:g}: a direction in {np.mean(np.array(sure)[some]):.0%} of {some.sum()}; "
            f"error median {np.nanmedian(off[named]):.2f}, 90 % below {np.nanquantile(off[named], 0.9):.1f} degrees"
        )


def _lost(cause: str) -> MeasuredPicture:
    raise SystemExit(cause)


def _interval(error: np.ndarray, group: np.ndarray, other: np.ndarray | None = None) -> str:
    """Mean error, or ratio of two, with the limits of a bootstrap over specimens."""
    sums = np.column_stack([np.bincount(group, x) for x in (error, np.ones_like(error) if other is None else other)])
    picks = np.random.default_rng(0).integers(len(sums), size=(4000, len(sums)))
    drawn = sums[picks].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return f"{sums[:, 0].sum() / sums[:, 1].sum():.3f} [{low:.3f}, {high:.3f}]"


def bars(folders: list[Path]) -> None:
    """The share with the info bar found and cut, against the picture without one."""
    gaps, left, found = [], [], 0
    for row in _rows(folders):
        if not row["bar_top"]:
            continue
        image = read_image(row["file"])
        top, bottom = int(row["bar_top"]), int(row["bar_bottom"])
        bare = image.pixels[bottom:] if top == 0 else image.pixels[:top]
        plain = _share(measure_directions(bare.astype(np.float32)))
        measured = measure_image(image, "barred", PictureOptions())
        found += measured.bar
        gaps.append(abs(_share(measured.directions) - plain))
        left.append(abs(_share(measure_directions(image.pixels.astype(np.float32))) - plain))
    near = np.array(gaps) <= 0.01
    print(f"{len(gaps)} pictures with a bar, found in {found}")
    print(f"  share within .01 in {near.mean():.1%}, worst {max(gaps):.3f}")
    print(f"  the bar left in: mean change {np.mean(left):.3f}, worst {np.max(left):.3f}")


def _share(found: Directions) -> float:
    return float(np.nan_to_num(found.figures.first.share.value))


def speed(side: int = 1024, rounds: int = 9) -> None:
    """Seconds for one picture, in alternation; and how far fields of the same definition agree."""
    import orientationpy

    picture = wires(30, share=0.6, side=side, n=300)
    double = picture.astype(np.float64)

    def rival() -> tuple[Any, Any]:
        tensor = orientationpy.computeStructureTensor(orientationpy.computeGradient(double, mode="gaussian"), 2.25)
        return orientationpy.computeOrientation(tensor), orientationpy.computeStructureDirectionality(tensor)

    def ours() -> Any:
        return structure_tensor(picture, 1.0, window=2.25, every_pixel=True)

    works: dict[str, Callable[[], Any]] = {
        "orientationpy: field at every pixel": rival,
        "ours: field at every pixel": ours,
        "ours: all figures, intervals, four scales": lambda: measure_directions(picture),
        "ours: Local Gradient Orientation": lambda: local_gradient_orientation(picture),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    base = np.array(times["orientationpy: field at every pixel"][1:])
    for name, seconds in times.items():
        own = np.array(seconds[1:])
        print(f"{name}: median {np.median(own):.3f} s, {np.median(base / own):.2f} x as fast as orientationpy, paired")
    theirs = np.asarray(rival()[0]["theta"])
    field = ours()
    clear = field.inside & (field.coherency > 0.1)
    clear[:16] = clear[-16:] = clear[:, :16] = clear[:, -16:] = False  # we leave gradients beside the border out
    gap = np.abs((theirs - field.direction + 90) % 180 - 90)[clear]
    print(f"directions: median difference {np.median(gap):.6f}, largest {gap.max():.5f} degrees")


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", nargs="+", choices=["gradients", "micrographs", "scenes", "noise", "shares", "bars", "speed"]
    )
    parser.add_argument("--micrographs", type=Path)
    parser.add_argument("--nanowires", type=Path, nargs="+", default=[])
    chosen = parser.parse_args()
    for name in chosen.what:
        print(f"== {name}")
        if name == "micrographs":
            micrographs(chosen.micrographs)
        elif name in ("shares", "bars"):
            {"shares": shares, "bars": bars}[name](chosen.nanowires)
        else:
            {"gradients": gradients, "scenes": scenes, "noise": noise, "speed": speed}[name]()


if __name__ == "__main__":
    main()
