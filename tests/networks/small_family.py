"""A family of networks that the program does not know: a stem, two residual stages, BN before ReLU, pads of its own."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from graticule.networks.backbones import BackboneSpec
from graticule.networks.graph_writer import GraphWriter, Weights, check_outputs, finished, folded


def _conv(writer: GraphWriter, x: str, name: str, stride: int) -> str:
    kernel, bias = folded(writer.weights, name, f"{name}.bn", 1e-5)
    inputs = [x, writer.constant(f"{name}.weight", kernel), writer.constant(f"{name}.bias", bias)]
    return writer.node("Conv", inputs, name, kernel_shape=[3, 3], strides=[stride, stride], pads=[1, 1, 1, 1])


def build_graph(spec: BackboneSpec, weights: Weights, outputs: Sequence[str] = ("features",)) -> onnx.ModelProto:
    """The graph, as any family makes it."""
    check_outputs(outputs, spec.layers)
    writer = GraphWriter(weights)
    x = writer.node("Relu", [_conv(writer, writer.pixels(spec), "stem", 2)], "stem.relu")
    produced = {}
    for stage, repeats in enumerate(spec.repeats):
        for repeat in range(repeats):
            name = f"layer{stage}.{repeat}"
            inner = writer.node("Relu", [_conv(writer, x, name, 1)], f"{name}.relu")
            x = writer.node("Add", [inner, x], f"{name}.sum")
        produced[f"layer{stage}"] = x
    parts = [part for layer in spec.layers for part in writer.pool(produced[layer], layer)]
    produced["features"] = writer.node("Concat", parts, "pooled", axis=1)
    return finished(writer, spec, produced | writer.classify(x, "fc"), outputs)


def timm_layers(spec: BackboneSpec) -> dict[str, str]:
    """The names are timm's already."""
    return {"stem": "conv1", "stem.bn": "bn1"}
