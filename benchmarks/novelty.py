"""Novelty: left-out classes, spoilt images, images of other folders, and usual new images.

    python benchmarks/novelty.py DATA [OTHER ...] [--splits 3]

Each class in turn is left out of training; a fifth of the other images is new as well. The area under the ROC curve
tells how well the measure parts the two, beside the best score of the classifier (mean of 5 logistic heads) and the
distance to the 5 nearest training images. The same with distances in the features of the whole picture instead of those
around its centre, and with the whole picture alone for the heads too, as earlier versions did. Spoilt images are made
from the new ones: out of focus, two objects in one picture, an empty field, debris on it. OTHER folders hold images of
another sort.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from graticule.arrays import class_codes, numbered
from graticule.decide.novelty import HeldOutImages, Novelty, doubt, fit_novelty
from graticule.decide.novelty_space import project
from graticule.features.samples import embed_samples
from graticule.heads.crossval import cross_validate, fold_rows
from graticule.heads.scoring import Head, member_probabilities
from graticule.images.image import read_image
from graticule.progress import Silent
from graticule.sources.sources import list_images
from graticule.split.folds import make_folds
from sides import ALL, WHOLE, Side

Floats = NDArray[np.float64]


def ways(full: Side) -> dict[str, list[Side]]:
    """Sides that share their heads, by what these see; the first of each is what a version of the program does."""
    by_whole = replace(full, samples=replace(full.samples, alike=full.samples.whole))
    return {"all parts": [full, by_whole], "the whole alone": [full.of(WHOLE)]}


def train(sides: list[Side], rows: NDArray[np.int64], seed: int) -> tuple[list[Novelty], list[Head], NDArray[np.int64]]:
    """Novelty by each side and heads of four fifths of some rows, and the rows that are new."""
    samples = sides[0].samples
    manifest = samples.manifest.take(rows)
    group = manifest.group
    folds = make_folds(manifest.label, k=5, group=group, duplicates=samples.duplicates[rows], test_size=0.2, seed=seed)
    y = numbered(manifest.label.astype(str))
    cv = np.flatnonzero(folds.part == "cv")
    place = np.full(len(rows), -1)
    place[cv] = np.arange(len(cv))
    parts = [(place[t], place[h]) for t, h in fold_rows(folds)]
    search = sides[0].search("logistic", int(y.max()) + 1, seed, grouped=False)
    found = cross_validate(samples.features[rows], y, folds, search)
    unit = None if group is None else folds.component[cv]
    known = doubt(found.proba[cv])
    novelty = [
        fit_novelty(HeldOutImages(side.samples.alike_features[rows[cv]], known, unit), y[cv], parts) for side in sides
    ]
    return novelty, found.heads, rows[folds.part == "test"]


def neighbours(novelty: Novelty, known: NDArray[np.float32], new: NDArray[np.float32]) -> Floats:
    """Mean distance to the 5 nearest training images in the whitened space."""
    a, b = project(novelty.space, known).astype(float), project(novelty.space, new).astype(float)
    squared = np.maximum((a * a).sum(1)[None] + (b * b).sum(1)[:, None] - 2 * b @ a.T, 0)
    return np.asarray(np.sqrt(np.sort(squared, axis=1)[:, :5]).mean(axis=1), np.float64)


def judged(sides: list[Side], c: int, seed: int) -> Iterator[list[float]]:
    """The figures of each side with one class left out."""
    samples = sides[0].samples
    y = class_codes(samples.manifest.label, samples.manifest.classes)
    rows, strange = np.flatnonzero(y != c), np.flatnonzero(y == c)
    fitted, heads, new = train(sides, rows, seed)
    both = np.concatenate([new, strange])
    truth = np.repeat([0, 1], [len(new), len(strange)])
    members = member_probabilities(heads, samples.features[both])
    sure = -members.mean(axis=0).max(axis=1)
    for side, novelty in zip(sides, fitted, strict=True):
        compared = side.samples.alike_features
        score = novelty.score(compared[both], members)
        near = neighbours(novelty, compared[np.setdiff1d(rows, new)], compared[both])
        rejected, score = novelty.p_value(score) <= 0.05, score.mean(axis=0)
        areas = [float(roc_auc_score(truth, s)) for s in (score, sure, near)]
        yield [*areas, float(rejected[truth == 1].mean()), float(rejected[truth == 0].mean())]


def left_out(full: Side, splits: int) -> None:
    """Table of areas under the curve."""
    head = "novelty | best score | nearest neighbours | rejected at 0.05 | usual ones rejected"
    print(f"| heads on, distances in | class left out | {head} |\n|---|---|---|---|---|---|---|")
    means: dict[str, list[Floats]] = {}
    for c, name in enumerate(full.samples.manifest.classes):
        for heads, sides in ways(full).items():
            found = np.array([list(judged(sides, c, seed)) for seed in range(splits)]).mean(axis=0)
            for figures, by in zip(found, ("the centre", "the whole") if len(sides) > 1 else ("it",), strict=True):
                means.setdefault(f"{heads}, {by}", []).append(figures)
                values = " | ".join(f"{v:.3f}" for v in figures)
                print(f"| {heads}, {by} | {name} | {values} |", flush=True)
    for way, rows in means.items():
        print(f"| {way} | mean | " + " | ".join(f"{v:.3f}" for v in np.mean(rows, axis=0)) + " |")


def spoilt(files: list[Path], kind: str, folder: Path) -> Path:
    """PNG files made from good images."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i, file in enumerate(files):
        image = PIL.Image.fromarray(read_image(file).pixels).convert("RGB")
        side, corner = min(image.size), min(image.size) // 6
        empty = image.crop((0, 0, corner, corner)).resize(image.size, PIL.Image.Resampling.BICUBIC)
        if kind == "out of focus":
            image = image.filter(PIL.ImageFilter.GaussianBlur(side / 45))
        elif kind == "two objects":
            other = (
                PIL.Image.fromarray(read_image(files[(i + 1) % len(files)]).pixels).convert("RGB").resize(image.size)
            )
            small = (image.width // 2, image.height)
            image.paste(image.resize(small), (0, 0))
            image.paste(other.resize(small), (image.width - small[0], 0))
        elif kind == "empty field":
            image = empty
        else:
            centre, bit = side // 2, side // 10
            piece = image.crop((centre - bit, centre - bit, centre + bit, centre + bit)).rotate(int(rng.integers(360)))
            empty.paste(
                piece.resize((bit, bit)),
                (int(rng.integers(bit, side - 2 * bit)), int(rng.integers(bit, side - 2 * bit))),
            )
            image = empty
        image.save(folder / f"{i}.png")
    return folder


Trained = list[tuple[str, list[Side], list[Novelty], list[Head]]]


def rejected(trained: Trained, name: str, seen: Side) -> None:
    """Print the share of the images that each way rejects."""
    for way, sides, fitted, heads in trained:
        # the same features as the heads', and those that each side compares by
        members = member_probabilities(heads, seen.of(WHOLE if len(sides) == 1 else ALL).samples.features)
        for side, novelty, by in zip(sides, fitted, ("the centre", "the whole"), strict=False):
            compared = seen.samples.features[:, seen.encoder.whole if len(sides) == 1 else side.samples.alike]
            p = novelty.p_value(novelty.score(compared, members))
            told = f"{len(p)} | {(p <= 0.01).mean():.4f} | {(p <= 0.05).mean():.4f}"
            print(f"| {way}, {'it' if len(sides) == 1 else by} | {name} | {told} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("other", type=Path, nargs="*")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--views", type=int, default=4)
    options = parser.parse_args()
    full = Side.embedded(options.data, options.views)
    samples, encoder = full.samples, full.encoder
    left_out(full, options.splits)
    trained: Trained = []
    for way, sides in ways(full).items():
        fitted, heads, new = train(sides, np.arange(len(samples.manifest)), 0)
        trained.append((way, sides, fitted, heads))
    print("\n| heads on, distances in | images | n | rejected at 0.01 | at 0.05 |\n|---|---|---|---|---|")
    usual = replace(samples, manifest=samples.manifest.take(new), features=samples.features[new])
    rejected(trained, "usual, new", Side(usual, encoder))

    def seen(folder: Path) -> Side:
        return Side(embed_samples(list_images(folder), encoder, workers=None, batch_size=8, reporter=Silent()), encoder)

    with tempfile.TemporaryDirectory() as place:
        files = [samples.manifest.files()[i] for i in new[:100]]
        for kind in ("out of focus", "two objects", "empty field", "debris"):
            rejected(trained, kind, seen(spoilt(files, kind, Path(place) / kind)))
    for folder in options.other:
        rejected(trained, folder.name, seen(folder))


if __name__ == "__main__":
    main()
