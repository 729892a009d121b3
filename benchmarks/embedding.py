"""Throughput of embedding from files against the limit that network and decoding set.

    python benchmarks/embedding.py FOLDER_OF_IMAGES [--views 1] [--images 1200] [--rounds 5]

In every round, one after another: N, the time of the network per image on one core; D, the time to read, decode,
resize and hash an image on one core; a bare ONNX Runtime loop on all cores over pixels in memory; embedding end to end
from files with an empty cache. No end-to-end rate can exceed bare * N / (N + D). With torch and timm installed the same
images are also embedded by timm in eager mode on all cores, from files, decoded in the same process as most scripts do.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.features.embed import embed_files
from graticule.images.decode import ImageFile, decode_file
from graticule.images.preprocess import Preprocessing
from graticule.networks.backbones import EMBEDDED
from graticule.networks.encoder import Encoder, embedded_encoder
from graticule.networks.session import Network
from graticule.workers.pool import available_cores

BATCH = 8


def network_time(network: Network, pixels: NDArray[np.uint8], views: int) -> float:
    """Seconds per image on one core."""
    network.averaged(pixels[:BATCH], views)
    start = time.process_time()
    for i in range(0, len(pixels), BATCH):
        network.averaged(pixels[i : i + BATCH], views)
    return (time.process_time() - start) / len(pixels)


def decode_time(files: list[Path], preprocessing: Preprocessing) -> float:
    """Seconds per image on one core."""
    start = time.process_time()
    for file in files:
        decode_file(ImageFile(file), preprocessing)
    return (time.process_time() - start) / len(files)


def bare_rate(network: Network, pixels: NDArray[np.uint8], views: int, repeats: int) -> float:
    """Images per second of the network alone, all cores, pixels in memory."""
    batches = [pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH)] * repeats
    with ThreadPoolExecutor(available_cores()) as threads:
        start = time.perf_counter()
        list(threads.map(lambda batch: network.averaged(batch, views), batches))
        return sum(map(len, batches)) / (time.perf_counter() - start)


def file_rate(files: list[Path], encoder: Encoder) -> float:
    """Images per second end to end from files, no cache."""
    return len(files) / embed_files([ImageFile(file) for file in files], encoder, batch_size=BATCH).seconds


def timm_rate(files: list[Path]) -> float | None:
    """Images per second of timm in eager mode on all cores, penultimate features, one view."""
    try:
        import timm
        import torch
    except ImportError:
        return None
    torch.set_num_threads(available_cores())
    model = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()
    preprocessing = Preprocessing(224)
    start = time.perf_counter()
    with torch.inference_mode():
        for i in range(0, len(files), BATCH):
            decoded = [decode_file(ImageFile(file), preprocessing).pixels for file in files[i : i + BATCH]]
            batch = torch.from_numpy(np.stack([p for p in decoded if p is not None]))
            model((batch.permute(0, 3, 1, 2).float() - 127.0) / 128.0)
    return len(files) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found = sorted(p for p in options.folder.rglob("*") if p.suffix in {".jpg", ".png", ".tif"})
    # fewer files than asked for are taken several times; nothing is cached here
    files = (found[:: max(1, len(found) // options.images)] * (1 + options.images // len(found)))[: options.images]
    encoder = embedded_encoder(EMBEDDED["efficientnet_lite0"], views=options.views)
    network = Network(encoder.model, encoder.output)
    sample = files[:: max(1, len(files) // 64)][:64]
    decoded = [decode_file(ImageFile(file), encoder.preprocessing).pixels for file in sample]
    pixels = np.stack([p for p in decoded if p is not None])
    rows = []
    for _ in range(options.rounds):
        n = network_time(network, pixels, options.views)
        d = decode_time(sample, encoder.preprocessing)
        bare = bare_rate(network, pixels, options.views, max(1, 512 // (len(pixels) * options.views)))
        rate = file_rate(files, encoder)
        eager = timm_rate(files[: len(files) // 4]) if options.views == 1 else None
        rows.append((1e3 * n, 1e3 * d, bare, rate, rate / (bare * n / (n + d)), rate / bare, eager or float("nan")))
        print("  ".join(f"{value:.3f}" for value in rows[-1]), flush=True)
    names = ("N ms", "D ms", "bare images/s", "files images/s", "share of limit", "share of bare", "timm images/s")
    print(f"{len(files)} images, {options.views} views, {available_cores()} cores; median (min to max)")
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        print(f"{name:16s} {statistics.median(values):8.3f} ({min(values):.3f} to {max(values):.3f})")
    ratios = [row[3] / row[6] for row in rows]
    print(f"files / timm     {statistics.median(ratios):8.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
