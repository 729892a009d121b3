"""The pointing game: does the map of evidence peak inside the object that makes the class?

    OMP_NUM_THREADS=1 python benchmarks/pointing.py --work FOLDER [--train 30] [--test 20] [--output features]

Phantoms of 256 px: one particle of one of six morphologies, off-centre, on a textured ground; it covers at most 20 % of
the frame, and the frame's centre lies outside of it. A model is trained on the usual frozen features; then on new
phantoms the peak of the map of the predicted class is compared with the particle's mask (Zhang et al., "Top-down neural
attention by excitation backprop", 2016), beside the peak of the absolute map, the centre pixel and a random pixel.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation

from graticule.api import train
from graticule.bundle import read_bundle
from graticule.explain.model import ExplainableModel
from graticule.explain.overlay import peak
from graticule.heads.predictor import Predictor
from graticule.images.decode import ImageFile, decode_file
from graticule.networks.encoder import embedded_encoder
from graticule.phantoms import powder
from graticule.phantoms.canvas import Finish, empty_canvas
from graticule.phantoms.detector import expose, random_field, secondary_yield, smooth_field, through_column
from graticule.phantoms.particles import DRAW, Request
from graticule.phantoms.shapes import Warp
from graticule.phantoms.specimens import draw_specimen

SIZE, MARGIN, LARGEST = 256, 14, 0.20
TOLERANCE = 0.03  # Zhang et al. allow 15 pixels on pictures of about 500


def phantom(class_index: int, index: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One image and the mask of its particle."""
    rng = np.random.default_rng([seed, class_index, index])
    while True:
        image, mask = _attempt(powder.CLASSES[class_index], rng)
        centre = mask[SIZE // 2 - 8 : SIZE // 2 + 8, SIZE // 2 - 8 : SIZE // 2 + 8]
        if 0.02 <= mask.mean() <= LARGEST and not centre.any():
            return image, mask


def _attempt(kind: str, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    size = SIZE + 2 * MARGIN
    radius = float(rng.uniform(24, 52))
    specimen = replace(draw_specimen(rng, int(rng.integers(6))), radius_px=radius, roughness=0.2)
    relief = random_field(size, rng, float(rng.uniform(4, 30)), 1.3, float(rng.uniform(1, 4)))
    canvas = empty_canvas(float(rng.uniform(0.4, 1.2)) * relief, Finish(gain=specimen.substrate_yield))
    angle, distance = rng.uniform(0, 2 * np.pi), float(rng.uniform(1.2 * radius, SIZE / 2 - 0.4 * radius))
    place = (size / 2 + distance * np.cos(angle), size / 2 + distance * np.sin(angle))
    warp = Warp(*(smooth_field(size, rng, 1.6 * radius) for _ in range(2)))
    finish = Finish((rng.uniform(size, 2 * size), rng.uniform(size, 2 * size)), rng.uniform(0, 2 * np.pi))
    ask = Request(radius, place, float(rng.uniform(0, 0.5)), warp, 0.05 * radius, finish)
    DRAW[kind](canvas, ask, rng)
    texture = random_field(256, rng, max(0.3 * radius, 3.5), 1.3)
    signal = through_column(secondary_yield(canvas, specimen, texture), specimen, rng)
    cut = np.s_[MARGIN : MARGIN + SIZE, MARGIN : MARGIN + SIZE]
    return expose(signal[cut], specimen, rng), canvas.object_mask()[cut] > 0


def draw(folder: Path, n: int, seed: int) -> list[tuple[Path, Path, str]]:
    """Class folders of n images each below `folder`; image, mask and class of each."""
    made = []
    for k, name in enumerate(powder.CLASSES):
        for part in ("images", "masks"):
            (folder / part / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            file = folder / "images" / name / f"{i:04d}.png"
            hidden = folder / "masks" / name / f"{i:04d}.png"
            if not hidden.exists():
                image, mask = phantom(k, i, seed)
                Image.fromarray(image).save(file)
                Image.fromarray(mask.astype(np.uint8) * 255).save(hidden)
            made.append((file, hidden, name))
    return made


def play(model: ExplainableModel, classes: tuple[str, ...], samples: list[tuple[Path, Path, str]]) -> dict[str, float]:
    """Shares of hits, and what else is worth knowing."""
    hits: dict[str, list[float]] = {}
    rng = np.random.default_rng(0)
    *_, (_, destroyed) = model.randomised(0)
    side = model.encoder.preprocessing.size
    for file, hidden, name in samples:
        decoded = decode_file(ImageFile(file), model.encoder.preprocessing)
        assert decoded.pixels is not None
        mask = np.asarray(Image.open(hidden).resize((side, side), Image.Resampling.NEAREST)) > 127
        p = model.proba(decoded.pixels[None])[0]
        values = model.any_maps(decoded.pixels[None], np.array([[p.argmax()]]), None, model.method)[0, 0]
        at, strongest = (_pixel(peak(some, decoded.pixels), side) for some in (values, np.abs(values)))
        # what the picture's edges alone, to which the peak is fitted, would reach
        noise = rng.standard_normal(values.shape)
        without = destroyed.any_maps(decoded.pixels[None], np.array([[p.argmax()]]), None, model.method)[0, 0]
        edges, ruined = (_pixel(peak(some, decoded.pixels), side) for some in (noise, without))
        near = binary_dilation(mask, iterations=round(TOLERANCE * side))
        row = {
            "accuracy": float(classes[int(p.argmax())] == name),
            "peak in object": float(mask[at]),
            "peak within 3 % of the side": float(near[at]),
            "peak of the absolute map": float(mask[strongest]),
            "peak of a map of noise": float(mask[edges]),
            "peak with all weights destroyed": float(mask[ruined]),
            "centre pixel": float(mask[side // 2, side // 2]),
            "centre pixel within 3 %": float(near[side // 2, side // 2]),
            "random pixel (area share)": float(mask.mean()),
            "random pixel within 3 %": float(near.mean()),
        }
        for key, value in row.items():
            hits.setdefault(key, []).append(value)
    return {key: float(np.mean(values)) for key, values in hits.items()}


def _pixel(place: tuple[float, float], side: int) -> tuple[int, int]:
    """Row and column of a place given by its column and row as shares."""
    return int(place[1] * side), int(place[0] * side)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for phantoms and run")
    parser.add_argument("--train", type=int, default=30, help="training phantoms per class")
    parser.add_argument("--test", type=int, default=20, help="test phantoms per class")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--views", type=int, default=4)
    outputs = ("statistics", "features")
    parser.add_argument("--output", choices=outputs, default=outputs[0], help="features: what earlier versions kept")
    parser.add_argument("--run", type=Path, help="a finished run to use, such as a fine-tuned one")
    options = parser.parse_args()
    draw(options.work / "train", options.train, options.seed)
    samples = draw(options.work / "test", options.test, options.seed + 1_000_000)
    run = options.run or options.work / f"run-{options.views}-{options.output}"
    if not run.exists():
        kept = partial(embedded_encoder, output=options.output)
        with mock.patch("graticule.networks.catalogue.embedded_encoder", kept):
            train(options.work / "train" / "images", run, views=options.views)
    predictor = Predictor.of(read_bundle(run / "model"))
    model = ExplainableModel.of(predictor.encoder, predictor.heads)
    with (options.work / "truth.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows((str(file), str(mask), name) for file, mask, name in samples)
    sys.stdout.write(
        f"{len(samples)} test phantoms, {len(model.taps)} pooled layers\n\n| figure | share |\n|---|---|\n"
    )
    for key, value in play(model, predictor.classes, samples).items():
        sys.stdout.write(f"| {key} | {value:.3f} |\n")


if __name__ == "__main__":
    main()
