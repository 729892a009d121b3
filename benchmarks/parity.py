"""Our ONNX graphs against timm's models with the same weights (needs torch and timm).

python benchmarks/parity.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import timm
import torch

from graticule.networks.backbones import EMBEDDED, BackboneSpec, verified_weights
from graticule.networks.efficientnet_lite import build_graph, timm_layers
from graticule.networks.torch_pickle import read_tensors


def timm_state(spec: BackboneSpec, weights: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights under timm's names."""
    layers = timm_layers(spec)
    state = {}
    for name, value in weights.items():
        layer, _, leaf = name.rpartition(".")
        state[f"{layers[layer]}.{leaf}"] = torch.from_numpy(np.array(value))
    return state


def main() -> None:
    print("| network | logits, largest difference | maps, largest relative difference |")
    print("|---|---|---|")
    for spec in EMBEDDED.values():
        weights = read_tensors(verified_weights(spec))
        stages = [f"blocks.{s}" for s in range(len(spec.repeats))]
        graph = build_graph(spec, weights, ["logits", *stages]).SerializeToString()
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        model = timm.create_model(spec.timm_name).eval()
        model.load_state_dict(timm_state(spec, weights))
        size = spec.input_size
        pixels = np.random.default_rng(0).integers(0, 256, (8, size, size, 3), dtype=np.uint8)
        ours = session.run(["logits", *stages], {"pixels": pixels})
        with torch.inference_mode():
            x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - spec.mean[0]) / spec.std[0]
            logits = model(x).numpy()
            x = model.bn1(model.conv_stem(x))
            maps = []
            for stage in model.blocks:
                x = stage(x)
                maps.append(x.numpy())
        relative = max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(ours[1:], maps, strict=True))
        print(f"| {spec.name} | {np.abs(ours[0] - logits).max():.1e} | {relative:.1e} |")


if __name__ == "__main__":
    main()
