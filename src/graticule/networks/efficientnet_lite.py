"""EfficientNet-Lite as an ONNX graph, built from its weights without torch.

Architecture: Tan and Le, "EfficientNet" (2019), in the Lite variant (no squeeze-and-excitation, ReLU6, stem and head
not scaled). Batch normalisation is folded into the convolutions; padding is TensorFlow's SAME, which depends on the
input size, so `auto_pad` lets one graph serve any size. Input: uint8 pixels (N, H, W, 3); the normalisation is part of
the graph.

Outputs (any of them by name): "features" (N, 2C) mean and population standard deviation over each pooled feature map,
"blocks.<stage>" (N, C, h, w) the feature map after a stage, "penultimate" (N, 1280), "logits" (N, 1000).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from graticule.errors import BackboneError
from graticule.networks.backbones import BackboneSpec

_BN_EPSILON = 1e-3
_STRIDES = (1, 2, 2, 2, 1, 2, 1)
_OPSET = 17
_IR_VERSION = 8

Weights = dict[str, NDArray[Any]]


class _GraphWriter:
    """Collects nodes and initialisers; each method appends one layer and returns the name of its output."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any] | np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def conv_bn(self, x: str, conv: str, bn: str, *, stride: int = 1, relu6: bool = True) -> str:
        kernel, bias = _fold(self.weights, conv, bn)
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

    def pool(self, x: str, name: str) -> list[str]:
        """Mean and population standard deviation over space, each of shape (N, C)."""
        mean = self.node("ReduceMean", [x], f"{name}.mean4", axes=[2, 3], keepdims=1)
        centred = self.node("Sub", [x, mean], f"{name}.centred")
        squared = self.node("Mul", [centred, centred], f"{name}.squared")
        variance = self.node("ReduceMean", [squared], f"{name}.variance", axes=[2, 3], keepdims=0)
        return [
            self.node("Flatten", [mean], f"{name}.mean", axis=1),
            self.node("Sqrt", [variance], f"{name}.deviation"),
        ]


def _fold(weights: Weights, conv: str, bn: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of a convolution with its batch normalisation folded in (in double precision)."""
    kernel = weights[f"{conv}.weight"].astype(np.float64)
    scale = weights[f"{bn}.weight"] / np.sqrt(weights[f"{bn}.running_var"].astype(np.float64) + _BN_EPSILON)
    bias = weights[f"{bn}.bias"] - weights[f"{bn}.running_mean"] * scale
    return (kernel * scale[:, None, None, None]).astype(np.float32), bias.astype(np.float32)


def build_graph(spec: BackboneSpec, weights: Weights, outputs: Sequence[str] = ("features",)) -> onnx.ModelProto:
    """The network as an ONNX model with the outputs asked for; what they do not need is left out.

    Raises
    ------
    BackboneError
        When the weights do not fit the architecture, or an output's name is unknown.
    """
    stages = [f"blocks.{s}" for s in range(len(spec.repeats))]
    unknown = sorted(set(outputs) - {"features", "penultimate", "logits", *stages})
    if unknown or not outputs:
        raise BackboneError(f"unknown output {unknown}; allowed: features, penultimate, logits, {', '.join(stages)}")
    try:
        writer = _GraphWriter(weights)
        produced = _layers(writer, spec, classify=bool({"penultimate", "logits"} & set(outputs)))
    except KeyError as error:
        raise BackboneError(f"the weights do not fit {spec.name}: {error} is missing") from error
    nodes = _needed(writer.nodes, {produced[name] for name in outputs})
    nodes += [helper.make_node("Identity", [produced[name]], [name], name=f"output.{name}") for name in outputs]
    used = {i for node in nodes for i in node.input}
    graph = helper.make_graph(
        nodes,
        spec.name,
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "height", "width", 3])],
        [_value_info(name, spec) for name in outputs],
        [c for c in writer.constants if c.name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="graticule")
    model.ir_version = _IR_VERSION
    onnx.checker.check_model(model)
    return model


def _layers(writer: _GraphWriter, spec: BackboneSpec, *, classify: bool) -> dict[str, str]:
    """Append every layer; returns the inner name behind each output name."""
    writer.constant("zero", np.float32(0.0))
    writer.constant("six", np.float32(6.0))
    x = writer.node("Transpose", ["pixels"], "pixels.nchw", perm=[0, 3, 1, 2])
    x = writer.node("Cast", [x], "pixels.float", to=TensorProto.FLOAT)
    x = writer.node("Sub", [x, writer.constant("mean", np.float32(spec.mean))], "pixels.centred")
    x = writer.node("Div", [x, writer.constant("std", np.float32(spec.std))], "pixels.normalised")
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
    if classify:
        x = writer.conv_bn(x, "_conv_head", "_bn1")
        x = writer.node("ReduceMean", [x], "penultimate.mean", axes=[2, 3], keepdims=0)
        produced["penultimate"] = x
        kernel = writer.constant("_fc.weight", writer.weights["_fc.weight"].astype(np.float32))
        bias = writer.constant("_fc.bias", writer.weights["_fc.bias"].astype(np.float32))
        produced["logits"] = writer.node("Gemm", [x, kernel, bias], "_fc", transB=1)
    return produced


def _needed(nodes: list[onnx.NodeProto], targets: set[str]) -> list[onnx.NodeProto]:
    """The nodes that the targets depend on, in their order."""
    kept = []
    wanted = set(targets)
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    return kept[::-1]


def _value_info(name: str, spec: BackboneSpec) -> onnx.ValueInfoProto:
    widths: dict[str, int] = {"features": spec.n_features, "penultimate": 1280, "logits": 1000}
    shape: list[str | int] = ["n", widths[name]] if name in widths else ["n", "channels", f"{name}.h", f"{name}.w"]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
