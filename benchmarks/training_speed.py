"""Images per second of the training loop against a bare loop of forward, backward and step on one batch in memory.

python benchmarks/training_speed.py FOLDER [--backbone NAME] [--size 128] [--rounds 5] [--device cpu]

The loop reads pixels from the store, varies them, shows them, clips gradients and keeps the moving average of the
weights; the bare loop only computes. Both take turns within one run, so that other work on the machine hits both.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from graticule.data.preprocess import Preprocessing
from graticule.data.sources import read_manifest
from graticule.finetune.loop import Task, fit
from graticule.finetune.network import build_network
from graticule.finetune.pixels import decode_pixels, map_pixels
from graticule.finetune.processes import Processes
from graticule.finetune.recipe import Recipe
from graticule.finetune.sources import PixelSource
from graticule.jobs.samples import image_files, sorted_by_path

BATCH = 32


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--weights")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    manifest = sorted_by_path(read_manifest(given.folder))
    chosen = np.random.default_rng(0).permutation(len(manifest))[: given.images]
    manifest = manifest.take(np.sort(chosen))
    processes = Processes(given.device)
    precision = "bfloat16" if processes.gpu else "float32"
    classes = np.array(manifest.classes)
    y = np.searchsorted(classes, manifest.label.astype(str)).astype(np.int64)
    network = build_network(given.backbone, len(classes), weights=given.weights, seed=0, drop_rate=0.2)[0]
    network = network.to(processes.device, memory_format=torch.channels_last)
    recipe = Recipe(epochs=1, batch_size=BATCH, input_size=given.size, lr=1e-4, precision=precision)
    task = Task(y, np.arange(len(y)), np.zeros(0, np.int64), len(classes), 0, manifest.path)
    steps = max(1, round(len(y) / BATCH))
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pixels.npy"
        decode_pixels(image_files(manifest), Preprocessing(size=given.size), file, workers=2)
        pixels = map_pixels(file)
        mean, std = network.spec.mean, network.spec.std
        source = PixelSource(pixels, mean, std, processes.device, preset="microscopy", seed=0)
        x = source.clean(np.arange(min(BATCH, len(y))))
        target = torch.from_numpy(y[: len(x)]).to(x.device)
        bare(network, x, target, 2, precision)
        for turn in itertools.islice(itertools.count(), given.rounds):
            ours = fit(network, source, task, recipe, processes).history[0].seconds
            plain = bare(network, x, target, steps, precision)
            rates = len(y) / ours, steps * len(x) / plain
            ratios.append(rates[0] / rates[1])
            print(f"round {turn + 1}: loop {rates[0]:.1f}/s, bare {rates[1]:.1f}/s, share {ratios[-1]:.3f}", flush=True)
    print(f"share: median {np.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
