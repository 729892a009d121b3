"""The ONNX files of fine-tuned networks against torch, over all images of a folder (needs the extra `torch`).

    python benchmarks/export_parity.py FOLDER_OF_IMAGES [--images 2400] [--size 0] [--networks resnet18,vgg16]

Lite0 has its embedded ImageNet weights, the others random ones. The last layer of each (8 classes) is drawn at random
and scaled so that its logits over the first images have mean 0 and standard deviation 2 per class: untrained networks
give nearly equal scores otherwise, and nothing could differ. For the same reason random networks get batch
normalisation set from these images, and scales that are 0 at first (residual branches) are drawn from 0.5 to 1.
--size 0 takes each network's own input size. "From double" is the largest difference from torch in double precision:
what torch and the file each lose by rounding. Times are per image on all cores in batches of 8, pixels in memory: torch
eager with its own threads, ONNX Runtime with one thread per batch.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from graticule.finetune.export import SCORES, export_onnx, torch_answers
from graticule.finetune.last_layer import MARGIN
from graticule.finetune.network import Classifier, build_network, network_spec
from graticule.heads.scoring import probabilities, softmax
from graticule.images.decode import ImageFile
from graticule.images.pool import DecodePool
from graticule.images.preprocess import Preprocessing
from graticule.networks.session import Network
from graticule.workers.pool import available_cores

NETWORKS = "efficientnet_lite0,resnet18,vgg16,inception_v3,inception_v4"
SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}
CLASSES = 8
BATCH = 8
FIRST = 64
SPREAD = 2.0
LARGE = 1024


def decoded(files: Sequence[Path], size: int) -> NDArray[np.uint8]:
    """Network inputs of all readable files, shape (n, size, size, 3)."""
    found = []
    with DecodePool(available_cores(), Preprocessing(size)) as pool:
        chunks = [[ImageFile(f) for f in files[i : i + 32]] for i in range(0, len(files), 32)]
        for future in [pool.submit(chunk) for chunk in chunks]:
            found += [d.pixels for d in future.result() if d.pixels is not None]
    return np.stack(found)


def batches(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH)]


def normalised(network: Classifier, pixels: NDArray[np.uint8]) -> torch.Tensor:
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (network.spec.mean, network.spec.std))
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - mean) / std


def prepared(name: str, pixels: NDArray[np.uint8]) -> tuple[Classifier, str]:
    """A network whose scores spread, and where its weights come from."""
    embedded = "lite" in name
    network = build_network(name, CLASSES, weights=None if embedded else "none", seed=0)[0]
    x = normalised(network, pixels[:FIRST])
    torch.manual_seed(0)
    with torch.no_grad():
        if not embedded:
            network.train()
            for key, value in network.trunk.named_parameters():
                if value.ndim == 1 and key.endswith(("weight", "gamma")):
                    torch.nn.init.uniform_(value, 0.5, 1.0)
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.momentum = None  # the plain mean over batches
            for part in x.split(BATCH):
                network(part)
        network.eval()
        logits = torch.cat([network(part) for part in x.split(BATCH)])
        centre, spread = logits.mean(0), logits.std(0)
        network.classifier.weight *= SPREAD / spread[:, None]
        network.classifier.bias.copy_((network.classifier.bias - centre) * SPREAD / spread)
    return network, "embedded" if embedded else "random"


def by_torch(network: Classifier, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
    """Probabilities and milliseconds per image."""
    with torch.inference_mode():
        network(normalised(network, pixels[:BATCH]))
        start = time.perf_counter()
        logits = [network(normalised(network, batch)).numpy() for batch in batches(pixels)]
        spent = time.perf_counter() - start
    return softmax(np.concatenate(logits)), 1000 * spent / len(pixels)


def by_onnx(model: bytes, network: Classifier, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
    """Probabilities of features and head, as prediction takes them, and milliseconds per image."""
    session, heads = Network(model), SCORES.heads([network], [1.0])
    session(pixels[:BATCH])
    with ThreadPoolExecutor(available_cores()) as threads:
        start = time.perf_counter()
        features = list(threads.map(session, batches(pixels)))
        spent = time.perf_counter() - start
    return probabilities(heads, np.concatenate(features)), 1000 * spent / len(pixels)


def half_precision(model: bytes) -> bytes:
    """The file with its large weights stored as float16: half the size, computed in float32 as before.

    Weights beyond float16's range stay as they are. Check the result with `check_parity`.
    """
    proto = onnx.load_from_string(model)
    casts = []
    for weight in proto.graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(weight)
        if values.size < LARGE or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = casts + list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    data: bytes = proto.SerializeToString(deterministic=True)
    return data


def row(name: str, files: Sequence[Path], size: int) -> str:
    """One line of the table."""
    size = size or network_spec(name).input_size
    pixels = decoded(files, size)
    network, weights = prepared(name, pixels)
    expected, torch_time = by_torch(network, pixels)
    model = export_onnx([network], size)
    found, onnx_time = by_onnx(model, network, pixels)
    halved, _ = by_onnx(half_precision(model), network, pixels)
    best = np.sort(expected, axis=1)
    exact = torch_answers([network], pixels, torch.float64)
    other = [SCORES.disagreements(expected, p) for p in (found, halved)]
    cells = (
        name,
        weights,
        size,
        len(pixels),
        f"{np.median(best[:, -1]):.2f}",
        len(set(expected.argmax(1).tolist())),
        f"{np.abs(found - expected).max():.1e}",
        other[0],
        f"{np.abs(expected - exact).max():.1e}",
        f"{np.abs(found - exact).max():.1e}",
        SCORES.disagreements(exact, found),
        f"{torch_time:.1f}",
        f"{onnx_time:.1f}",
        f"{len(model) / 1e6:.0f}",
        f"{np.abs(halved - expected).max():.1e}",
        other[1],
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=2400, help="a fixed random choice of that many")
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--networks", default=NETWORKS)
    options = parser.parse_args()
    files = sorted(f for f in options.folder.rglob("*") if f.suffix.lower() in SUFFIXES)
    files = [files[i] for i in np.random.default_rng(0).permutation(len(files))[: options.images]]
    torch.set_num_threads(available_cores())
    print(
        "| network | weights | px | images | best score, median | classes given | largest score difference | "
        f"other class (margin > {MARGIN}) | torch from double | ONNX from double | other class than double | "
        "torch ms | ONNX ms | MB | float16: difference | float16: other class |"
    )
    print("|" + "---|" * 16)
    for name in options.networks.split(","):
        print(row(name, files, options.size), flush=True)


if __name__ == "__main__":
    main()
