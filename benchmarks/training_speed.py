"""Images per second of the training loop against a bare loop of forward, backward and step on one batch in memory.

    python benchmarks/training_speed.py FOLDER [--backbones NAME ...] [--weights none] [--size 128] [--rounds 5]
        [--device cpu]

The loop reads pixels from the store, varies them, shows them, clips gradients and keeps the moving average of the
weights; the bare loop only computes. Both take turns within one run, so that other work on the machine hits both. Where
nvidia-smi is there, the share of the time in which the GPU was at work during the loop is told too. On a GPU:

    python benchmarks/training_speed.py FOLDER --backbones vgg16 resnet50 inception_v3 --weights none --size 224
        --images 2400
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from graticule.features.samples import image_files, sorted_by_path
from graticule.finetune.batches import PixelSource
from graticule.finetune.blocks import trainee_of
from graticule.finetune.network import build_network
from graticule.finetune.objective import ClassObjective
from graticule.finetune.recipe import Recipe
from graticule.images.preprocess import Preprocessing
from graticule.sources.sources import read_manifest
from graticule.training.loop import fit_network
from graticule.training.pixels import decode_pixels, map_pixels
from graticule.training.processes import Processes

BATCH = 32


@dataclass(frozen=True)
class Data:
    """Classes and pixels of some images, how many classes there are, and the images' names."""

    y: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    n_classes: int
    names: NDArray[np.object_]


def bare(network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, steps: int, precision: str) -> float:
    """Seconds of `steps` plain steps."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    network.train()
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = functional.cross_entropy(network(x).float(), y)
        loss.backward()
        optimizer.step()
    if x.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def busy_during(work: Callable[[], float], device: torch.device) -> tuple[float, float]:
    """What `work` returns, and the share of the time in which the GPU was at work; NaN where nothing tells it."""
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=200"]
    if device.type != "cuda" or shutil.which(query[0]) is None:
        return work(), float("nan")
    watcher = subprocess.Popen([*query, f"--id={device.index or 0}"], stdout=subprocess.PIPE, text=True)
    try:
        result = work()
    finally:
        watcher.terminate()
    shares = [float(line) for line in watcher.communicate()[0].split()]
    return result, float(np.mean(shares)) / 100 if shares else float("nan")


def compared(backbone: str, data: Data, given: argparse.Namespace, processes: Processes) -> str:
    """One line of the table."""
    y, pixels = data.y, data.pixels
    precision = "bfloat16" if processes.bfloat16 else "float32"
    network = build_network(backbone, data.n_classes, weights=given.weights, seed=0, drop_rate=0.2)[0]
    network = network.to(processes.device, memory_format=torch.channels_last)
    recipe = Recipe(epochs=1, batch_size=BATCH, input_size=given.size, lr=1e-4, precision=precision)
    steps = max(1, round(len(y) / BATCH))
    mean, std = network.spec.mean, network.spec.std
    source = PixelSource(pixels, mean, std, processes.device, preset="microscopy", seed=0)
    nothing = np.zeros(0, np.int64)
    objective = ClassObjective(y, np.arange(len(y)), nothing, data.n_classes, 0, data.names, source, recipe)
    x = source.clean(np.arange(min(BATCH, len(y))))
    target = torch.from_numpy(y[: len(x)]).to(x.device)
    bare(network, x, target, 2, precision)
    rates = []
    for turn in range(given.rounds):
        seconds, busy = busy_during(
            lambda: fit_network(trainee_of(network, 0, recipe), objective, recipe, processes).history[0].seconds,
            processes.device,
        )
        plain = bare(network, x, target, steps, precision)
        rates.append((len(y) / seconds, steps * len(x) / plain, busy))
        print(f"{backbone}, round {turn + 1}: loop {rates[-1][0]:.1f}/s, bare {rates[-1][1]:.1f}/s", flush=True)
    loop, alone, busy = np.median(rates, axis=0)
    shares = [ours / theirs for ours, theirs, _ in rates]
    return (
        f"| {backbone} | {given.weights or 'pretrained'} | {given.size} | {loop:.1f} | {alone:.1f} | "
        f"{np.median(shares):.3f} ({min(shares):.3f} to {max(shares):.3f}) | {busy:.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backbones", nargs="+", default=["efficientnet_lite0"])
    parser.add_argument("--weights", help="none: random ones")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    manifest = sorted_by_path(read_manifest(given.folder))
    chosen = np.random.default_rng(0).permutation(len(manifest))[: given.images]
    manifest = manifest.take(np.sort(chosen))
    processes = Processes(given.device)
    classes = np.array(manifest.classes)
    y = np.searchsorted(classes, manifest.label.astype(str)).astype(np.int64)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pixels.npy"
        decode_pixels(image_files(manifest), Preprocessing(size=given.size), file, workers=2)
        data = Data(y, map_pixels(file), len(classes), manifest.path)
        rows = [compared(backbone, data, given, processes) for backbone in given.backbones]
    print("| network | weights | px | loop, images/s | bare, images/s | share | GPU at work |\n" + "|---" * 7 + "|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
