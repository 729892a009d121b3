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
from graticule.networks.efficientnet_lite import build_graph
from graticule.networks.torch_pickle import read_tensors

OUTER = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
EXPANDED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def timm_state(spec: BackboneSpec, weights: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights under timm's names."""
    layers = dict(OUTER)
    block = 0
    for stage, repeats in enumerate(spec.repeats):
        for repeat in range(repeats):
            names = PLAIN if stage == 0 else EXPANDED
            layers |= {f"_blocks.{block}.{ours}": f"blocks.{stage}.{repeat}.{theirs}" for ours, theirs in names.items()}
            block += 1
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
            x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - spec.mean) / spec.std
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
