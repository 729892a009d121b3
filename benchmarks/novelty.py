"""Novelty: left-out classes, spoilt images, images of other folders, and usual new images.

    python benchmarks/novelty.py DATA [OTHER ...] [--splits 3]

Each class in turn is left out of training; a fifth of the other images is new as well. The area under the ROC curve
tells how well the measure parts the two, beside the best score of the classifier (mean of 5 logistic heads) and the
distance to the 5 nearest training images. Spoilt images are made from the new ones: out of focus, two objects in one
picture, an empty field, debris on it. OTHER folders hold images of another sort.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from graticule.arrays import class_codes, numbered
from graticule.decide.novelty import HeldOutImages, Novelty, doubt, fit_novelty
from graticule.decide.novelty_space import project
from graticule.features.samples import Samples, embed_samples, sorted_by_path
from graticule.heads.crossval import Search, cross_validate, fold_rows
from graticule.heads.scoring import Head, member_probabilities
from graticule.images.image import read_image
from graticule.networks.catalogue import encoder_of
from graticule.networks.encoder import Encoder
from graticule.progress import Silent
from graticule.sources.sources import list_images, read_manifest
from graticule.split.folds import make_folds

Floats = NDArray[np.float64]


def train(samples: Samples, rows: NDArray[np.int64], seed: int) -> tuple[Novelty, list[Head], NDArray[np.int64]]:
    """Novelty and heads of four fifths of some rows, and the rows that are new."""
    manifest = samples.manifest.take(rows)
    group = manifest.group
    folds = make_folds(manifest.label, k=5, group=group, duplicates=samples.duplicates[rows], test_size=0.2, seed=seed)
    y = numbered(manifest.label.astype(str))
    cv = np.flatnonzero(folds.part == "cv")
    place = np.full(len(rows), -1)
    place[cv] = np.arange(len(cv))
    parts = [(place[t], place[h]) for t, h in fold_rows(folds)]
    found = cross_validate(samples.features[rows], y, folds, Search(int(y.max()) + 1, "logistic", False, seed))
    unit = None if group is None else folds.component[cv]
    novelty = fit_novelty(HeldOutImages(samples.features[rows[cv]], doubt(found.proba[cv]), unit), y[cv], parts)
    return novelty, found.heads, rows[folds.part == "test"]


def neighbours(novelty: Novelty, known: NDArray[np.float32], new: NDArray[np.float32]) -> Floats:
    """Mean distance to the 5 nearest training images in the whitened space."""
    a, b = project(novelty.space, known).astype(float), project(novelty.space, new).astype(float)
    squared = np.maximum((a * a).sum(1)[None] + (b * b).sum(1)[:, None] - 2 * b @ a.T, 0)
    return np.asarray(np.sqrt(np.sort(squared, axis=1)[:, :5]).mean(axis=1), np.float64)


def left_out(samples: Samples, splits: int) -> None:
    """Table of areas under the curve."""
    y, classes = class_codes(samples.manifest.label, samples.manifest.classes), samples.manifest.classes
    print("| class left out | novelty | best score | nearest neighbours | rejected at 0.05 | usual ones rejected |")
    print("|---|---|---|---|---|---|")
    means = []
    for c, name in enumerate(classes):
        found = []
        for seed in range(splits):
            rows = np.flatnonzero(y != c)
            novelty, heads, new = train(samples, rows, seed)
            strange = np.flatnonzero(y == c)
            both = samples.features[np.concatenate([new, strange])]
            truth = np.repeat([0, 1], [len(new), len(strange)])
            members = member_probabilities(heads, both)
            score = novelty.score(both, members)
            sure = -members.mean(axis=0).max(axis=1)
            near = neighbours(novelty, samples.features[np.setdiff1d(rows, new)], both)
            rejected, score = novelty.p_value(score) <= 0.05, score.mean(axis=0)
            found.append(
                [
                    *(roc_auc_score(truth, s) for s in (score, sure, near)),
                    rejected[truth == 1].mean(),
                    rejected[truth == 0].mean(),
                ]
            )
        means.append(np.mean(found, axis=0))
        print(f"| {name} | " + " | ".join(f"{v:.3f}" for v in means[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{v:.3f}" for v in np.mean(means, axis=0)) + " |")


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


def rejected(novelty: Novelty, heads: list[Head], encoder: Encoder, folder: Path) -> str:
    """Share rejected of the images of a folder."""
    samples = embed_samples(list_images(folder), encoder, workers=None, batch_size=8, reporter=Silent())
    members = member_probabilities(heads, samples.features)
    p = novelty.p_value(novelty.score(samples.features, members))
    return f"{len(p)} | {(p <= 0.01).mean():.4f} | {(p <= 0.05).mean():.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("other", type=Path, nargs="*")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--views", type=int, default=4)
    options = parser.parse_args()
    encoder = encoder_of("efficientnet_lite0", views=options.views)
    manifest = sorted_by_path(read_manifest(options.data))
    samples = embed_samples(manifest, encoder, workers=None, batch_size=8, reporter=Silent())
    left_out(samples, options.splits)
    novelty, heads, new = train(samples, np.arange(len(manifest)), 0)
    print("\n| images | n | rejected at 0.01 | at 0.05 |\n|---|---|---|---|")
    members = member_probabilities(heads, samples.features[new])
    p = novelty.p_value(novelty.score(samples.features[new], members))
    print(f"| usual, new | {len(p)} | {(p <= 0.01).mean():.4f} | {(p <= 0.05).mean():.4f} |")
    with tempfile.TemporaryDirectory() as place:
        files = [samples.manifest.files()[i] for i in new[:100]]
        for kind in ("out of focus", "two objects", "empty field", "debris"):
            print(
                f"| {kind} | {rejected(novelty, heads, encoder, spoilt(files, kind, Path(place) / kind))} |", flush=True
            )
    for folder in options.other:
        print(f"| {folder.name} | {rejected(novelty, heads, encoder, folder)} |", flush=True)


if __name__ == "__main__":
    main()
