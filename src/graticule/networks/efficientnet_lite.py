"""EfficientNet-Lite as an ONNX graph, built from its weights without torch.

Architecture: Tan and Le, "EfficientNet" (2019), in the Lite variant (no squeeze-and-excitation, ReLU6, stem and head
not scaled). Batch normalisation is folded into the convolutions; padding is TensorFlow's SAME, which depends on the
input size, so `auto_pad` lets one graph serve any size. Input: uint8 pixels (N, H, W, 3); the normalisation is part of
the graph.

Outputs (any of them by name): "statistics" (N, d) every part of `pooling`, "features" (N, 2C) the first of them alone,
mean and population standard deviation over each pooled feature map, which earlier versions were trained on,
"blocks.<stage>" (N, C, h, w) the feature map after a stage, "penultimate" (N, 1280), "logits" (N, 1000).
"""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from graticule.errors import BackboneError
from graticule.networks.backbones import STATISTICS, BackboneSpec
from graticule.networks.graph_pooling import PooledMaps
from graticule.networks.graph_writer import GraphWriter, Weights, check_outputs, finished, folded
from graticule.networks.pooling import projection

_BN_EPSILON = 1e-3
_STRIDES = (1, 2, 2, 2, 1, 2, 1)
# names of the embedded files' layers, and timm's
_OUTER = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_EXPANDED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


class _LiteWriter(GraphWriter):
    """The layers of this family."""

    def conv_bn(self, x: str, conv: str, bn: str, *, stride: int = 1, relu6: bool = True) -> str:
        kernel, bias = folded(self.weights, conv, bn, _BN_EPSILON)
        depthwise = kernel.shape[1] == 1 and kernel.shape[2] > 1
        out = self.node(
            "Conv",
            [x, self.constant(f"{conv}.weight", kernel), self.constant(f"{conv}.bias", bias)],
            conv,
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            group=kernel.shape[0] if depthwise else 1,
            auto_pad="SAME_UPPER",
        )
        return self.node("Clip", [out, "zero", "six"], f"{conv}.relu6") if relu6 else out

    def inverted_residual(self, x: str, block: str, stride: int) -> str:
        out = x
        if f"{block}._expand_conv.weight" in self.weights:
            out = self.conv_bn(out, f"{block}._expand_conv", f"{block}._bn0")
        out = self.conv_bn(out, f"{block}._depthwise_conv", f"{block}._bn1", stride=stride)
        out = self.conv_bn(out, f"{block}._project_conv", f"{block}._bn2", relu6=False)
        first = "_expand_conv" if f"{block}._expand_conv.weight" in self.weights else "_depthwise_conv"
        channels_in = self.weights[f"{block}.{first}.weight"].shape[1 if first == "_expand_conv" else 0]
        channels_out = self.weights[f"{block}._project_conv.weight"].shape[0]
        if stride == 1 and channels_in == channels_out:
            return self.node("Add", [out, x], f"{block}.sum")
        return out

    def reader(self, spec: BackboneSpec, layer: str) -> NDArray[np.float32]:
        """Weights (outputs, channels) of the layer that reads a stage's maps: the next expansion, or the head."""
        after = sum(spec.repeats[: int(layer.rpartition(".")[2]) + 1])
        block = f"_blocks.{after}"
        last = after == sum(spec.repeats)
        conv, bn = ("_conv_head", "_bn1") if last else (f"{block}._expand_conv", f"{block}._bn0")
        return folded(self.weights, conv, bn, _BN_EPSILON)[0][:, :, 0, 0]


def build_graph(spec: BackboneSpec, weights: Weights, outputs: Sequence[str] = ("features",)) -> onnx.ModelProto:
    """The network as an ONNX model with the outputs asked for; what they do not need is left out.

    Raises
    ------
    BackboneError
        When the weights do not fit the architecture, or an output's name is unknown.
    """
    check_outputs(outputs, [f"blocks.{s}" for s in range(len(spec.repeats))])
    try:
        writer = _LiteWriter(weights)
        produced = _layers(writer, spec, classify=bool({"penultimate", "logits"} & set(outputs)))
    except KeyError as error:
        raise BackboneError(f"the weights do not fit {spec.name}: {error} is missing") from error
    return finished(writer, spec, produced, outputs)


def _layers(writer: _LiteWriter, spec: BackboneSpec, *, classify: bool) -> dict[str, str]:
    """Append every layer; returns the inner name behind each output name."""
    writer.constant("zero", np.float32(0.0))
    writer.constant("six", np.float32(6.0))
    x = writer.pixels(spec)
    x = writer.conv_bn(x, "_conv_stem", "_bn0", stride=2)
    produced: dict[str, str] = {}
    block = 0
    for stage, (repeats, stride) in enumerate(zip(spec.repeats, _STRIDES, strict=True)):
        for repeat in range(repeats):
            x = writer.inverted_residual(x, f"_blocks.{block}", stride if repeat == 0 else 1)
            block += 1
        produced[f"blocks.{stage}"] = x
    pooled = [part for layer in spec.layers for part in writer.pool(produced[layer], layer)]
    produced["features"] = writer.node("Concat", pooled, "pooled", axis=1)
    stages = [
        PooledMaps(writer, produced[layer], layer, projection(writer.reader(spec, layer))) for layer in spec.layers
    ]
    around = [part for stage in stages for part in stage.centre()] + [stage.covariance() for stage in stages]
    produced[STATISTICS] = writer.node("Concat", ["pooled", *around], "pooled.statistics", axis=1)
    if classify:
        x = writer.conv_bn(x, "_conv_head", "_bn1")
        produced |= writer.classify(x, "_fc")
    return produced


def timm_layers(spec: BackboneSpec) -> dict[str, str]:
    """timm's name of each layer, by that in the embedded file."""
    layers = dict(_OUTER)
    stages = [stage for stage, repeats in enumerate(spec.repeats) for _ in range(repeats)]
    for block, stage in enumerate(stages):
        repeat = block - stages.index(stage)
        for ours, theirs in (_PLAIN if stage == 0 else _EXPANDED).items():
            layers[f"_blocks.{block}.{ours}"] = f"blocks.{stage}.{repeat}.{theirs}"
    return layers
