"""Fine-tuning on one fixed split: this program, with early blocks frozen or not, and a minimal timm script.

python benchmarks/finetuning.py FOLDER [--epochs 5] [--frozen 9 12] [--size 128]

Same images, network, weights, input size and epochs. A fifth of the images is held out. The timm script is what its
users write: DataLoader with worker processes, flips and quarter turns, AdamW, cosine, cross-entropy; it trains on all
the rest, where this program sets an eighth of it aside to choose the epoch. Decoding is counted for both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import timm
import torch
from numpy.typing import NDArray
from torch.nn import functional

from graticule.features.samples import image_files, sorted_by_path
from graticule.finetune.batches import BatchSource, MapSource, PixelSource
from graticule.finetune.blocks import trainee_of
from graticule.finetune.classes import ClassGoal
from graticule.finetune.fold import CACHED_VIEWS
from graticule.finetune.frozen import map_views, write_maps
from graticule.finetune.head import head_first
from graticule.finetune.logits import score_rows
from graticule.finetune.network import build_network
from graticule.finetune.objective import ClassObjective
from graticule.finetune.recipe import Recipe
from graticule.finetune.validation import validation_rows
from graticule.images.preprocess import Preprocessing
from graticule.sources.sources import read_manifest
from graticule.split.folds import make_folds
from graticule.statistics.intervals import wilson
from graticule.training.loop import fit_network
from graticule.training.pixels import decode_pixels, map_pixels
from graticule.training.processes import Processes

BACKBONE = "efficientnet_lite0"
RATE = 1.5e-3


class Files(torch.utils.data.Dataset):  # type: ignore[misc]
    """Images from their files, flipped and turned by quarters when they train."""

    def __init__(self, files: list[Path], y: NDArray[np.int64], size: int, mean: Any, std: Any, train: bool) -> None:
        self.files, self.y, self.size, self.train = files, y, size, train
        self.mean, self.std = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        with PIL.Image.open(self.files[i]) as image:
            pixels = np.asarray(image.convert("RGB").resize((self.size, self.size), PIL.Image.Resampling.BICUBIC))
        x = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float()
        if self.train:
            turns, flip = torch.randint(0, 4, (2,)).tolist()
            x = torch.rot90(x, turns, (1, 2))
            x = torch.flip(x, [2]) if flip % 2 else x
        return (x - self.mean) / self.std, int(self.y[i])


def timm_script(
    files: list[Path], y: NDArray[np.int64], train: NDArray[np.int64], held: NDArray[np.int64], size: int, epochs: int
) -> tuple[float, float]:
    """Accuracy and seconds of a plain script."""
    start = time.perf_counter()
    torch.manual_seed(0)
    reference = build_network(BACKBONE, 2, weights=None, seed=0)[0]
    model = timm.create_model(reference.spec.name, num_classes=int(y.max()) + 1)
    model.load_state_dict(reference.trunk.state_dict(), strict=False)
    sets = [
        Files([files[i] for i in rows], y[rows], size, reference.spec.mean, reference.spec.std, shuffled)
        for rows, shuffled in ((train, True), (held, False))
    ]
    loaders = [
        torch.utils.data.DataLoader(data, 32, shuffle=data.train, num_workers=2, drop_last=data.train) for data in sets
    ]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(loaders[0]))
    for _ in range(epochs):
        model.train()
        for x, target in loaders[0]:
            optimizer.zero_grad()
            functional.cross_entropy(model(x), target).backward()
            optimizer.step()
            schedule.step()
    model.eval()
    right = 0
    with torch.inference_mode():
        for x, target in loaders[1]:
            right += int((model(x).argmax(1) == target).sum())
    return right / len(held), time.perf_counter() - start


def ours(
    pixels: NDArray[np.uint8], parts: dict[str, Any], held: NDArray[np.int64], recipe: Recipe, folder: Path
) -> tuple[float, float]:
    """Accuracy and seconds of the training loop, cached maps included."""
    start = time.perf_counter()
    network = build_network(BACKBONE, parts["n_classes"], weights=None, seed=0, drop_rate=recipe.drop_rate)[0]
    network = network.to(memory_format=torch.channels_last)
    processes = Processes("cpu")
    mean, std = network.spec.mean, network.spec.std
    plain = PixelSource(pixels, mean, std, processes.device, preset="microscopy", seed=0)
    source: BatchSource = plain
    if recipe.frozen_blocks:
        rows, file = np.concatenate([parts["train"], parts["validation"]]), folder / f"maps-{recipe.frozen_blocks}.npy"
        views = min(CACHED_VIEWS, recipe.epochs)
        write_maps(file, plain, network, recipe.frozen_blocks, views, rows, processes, at_once=recipe.at_once)
        source = MapSource(map_views(file), recipe.frozen_blocks, processes.device, seed=0)
    objective = ClassObjective(**parts, seed=0, source=source, recipe=recipe)
    head_first(network, ClassGoal(parts["y"], parts["n_classes"]), objective, processes)
    trained = fit_network(trainee_of(network, source.start, recipe), objective, recipe, processes)
    scores = score_rows(trained.network, plain, held, processes)
    return float((scores.argmax(1) == parts["y"][held]).mean()), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--frozen", type=int, nargs="*", default=[9, 12])
    given = parser.parse_args()
    manifest = sorted_by_path(read_manifest(given.folder))
    y = np.searchsorted(np.array(manifest.classes), manifest.label.astype(str)).astype(np.int64)
    folds = make_folds(manifest.label, k=5, group=manifest.group, seed=0, sample_id=manifest.sample_id)
    held, rest = np.flatnonzero(folds.fold == 0), np.flatnonzero(folds.fold != 0)
    train, validation = validation_rows(y[rest], folds.component[rest], 0.12, 0)
    parts = {
        "y": y,
        "train": rest[train],
        "validation": rest[validation],
        "n_classes": len(manifest.classes),
        "names": manifest.path,
    }
    recipe = Recipe(epochs=given.epochs, batch_size=32, input_size=given.size, lr=RATE)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        decode_pixels(image_files(manifest), Preprocessing(size=given.size), Path(place) / "p.npy", workers=2)
        decoding = time.perf_counter() - start
        pixels = map_pixels(Path(place) / "p.npy")
        for frozen in [0, *given.frozen]:
            accuracy, seconds = ours(pixels, parts, held, replace(recipe, frozen_blocks=frozen), Path(place))
            name = f"this program, {frozen} blocks frozen" if frozen else "this program"
            rows.append((name, accuracy, seconds + decoding))
            print(rows[-1], flush=True)
        accuracy, seconds = timm_script(list(manifest.files()), y, rest, held, given.size, given.epochs)
        rows.append(("timm script", accuracy, seconds))
    print(f"decoding all {len(y)} images once: {decoding:.1f} s, counted below")
    print("| | held-out accuracy | 95 % interval | seconds |\n|---|---|---|---|")
    for name, accuracy, seconds in rows:
        low, high = wilson(np.array([accuracy * len(held)]), np.array([float(len(held))]))
        print(f"| {name} | {accuracy:.4f} | {low[0]:.4f} to {high[0]:.4f} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
