"""Agreement of Grad-CAM in closed form, from the ONNX file, with an independent implementation on the torch model.

    pip install captum
    OMP_NUM_THREADS=1 python benchmarks/explain_agreement.py IMAGES [--backbone resnet18] [--n 100]

A timm network with a pooled last map and a linear layer (random weights unless timm's can be had) is exported with its
maps as an output, as a fine-tuned bundle has them. On each image the map of the likeliest class is compared with
captum's LayerGradCam, rectified, on the torch model: Pearson's correlation over the cells, and the largest difference
relative to the largest value.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from captum.attr import LayerGradCam

from graticule.explain.model import ExplainableModel
from graticule.heads.scoring import LogitHead
from graticule.images.decode import ImageFile, decode_file
from graticule.images.preprocess import Preprocessing
from graticule.networks.encoder import Encoder
from graticule.sources.sources import list_images

CLASSES = 8


class Pooled(torch.nn.Module):
    """uint8 pixels (N, H, W, 3) to the pooled last map, and the map itself."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.tap = torch.nn.Identity()  # captum hooks it
        self.last = torch.nn.Linear(network.num_features, CLASSES)

    def maps(self, pixels: torch.Tensor) -> torch.Tensor:
        """The last feature maps, (N, C, h, w)."""
        return self.tap(self.network.forward_features((pixels.permute(0, 3, 1, 2).float() - 127.5) / 63.75))

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features and maps."""
        maps = self.maps(pixels)
        return maps.mean(dim=(2, 3)), maps

    def scores(self, pixels: torch.Tensor) -> torch.Tensor:
        """Scores of the classes."""
        return self.last(self.maps(pixels).mean(dim=(2, 3)))


def exported(model: Pooled, size: int) -> bytes:
    """The model as one ONNX file with the outputs features and maps."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "model.onnx"
        torch.onnx.export(
            model,
            (torch.zeros((2, size, size, 3), dtype=torch.uint8),),
            file,
            input_names=["pixels"],
            output_names=["features", "maps"],
            dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        return file.read_bytes()


def main() -> None:
    """Print the agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--size", type=int, default=224)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = Pooled(timm.create_model(options.backbone, num_classes=0)).eval()
    files = list_images(options.images).files()
    chosen = [files[i] for i in np.random.default_rng(0).permutation(len(files))[: options.n]]
    head = LogitHead(model.last.weight.detach().numpy(), model.last.bias.detach().numpy(), 1.0)
    n_features = model.network.num_features
    encoder = Encoder(options.backbone, exported(model, options.size), Preprocessing(options.size), 1, n_features)
    own = ExplainableModel.of(encoder, [head])
    model.forward, forward = model.scores, model.forward  # captum explains what forward returns
    other = LayerGradCam(model, model.tap)
    correlations, differences, seconds = [], [], [0.0, 0.0]
    for file in chosen:
        pixels = decode_file(ImageFile(file), encoder.preprocessing).pixels
        assert pixels is not None
        k = int(own.proba(pixels[None])[0].argmax())
        start = time.perf_counter()
        mine = own.maps(pixels[None], np.array([[k]]), method="gradcam")[0, 0]
        middle = time.perf_counter()
        found = other.attribute(torch.from_numpy(pixels[None].copy()), target=k, relu_attributions=True)
        theirs = found[0, 0].detach().numpy()
        seconds = [seconds[0] + middle - start, seconds[1] + time.perf_counter() - middle]
        correlations.append(np.corrcoef(mine.ravel(), theirs.ravel())[0, 1])
        differences.append(np.abs(mine - theirs).max() / np.abs(theirs).max())
    model.forward = forward
    sys.stdout.write(
        f"{options.backbone}, {len(chosen)} images, {len(own.taps)} pooled layer: correlation lowest "
        f"{min(correlations):.6f}, median {np.median(correlations):.6f}; largest relative difference "
        f"{max(differences):.1e}; per image {1000 * seconds[0] / len(chosen):.0f} ms against "
        f"{1000 * seconds[1] / len(chosen):.0f} ms\n"
    )


if __name__ == "__main__":
    main()
