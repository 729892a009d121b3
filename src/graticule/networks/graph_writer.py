"""ONNX graphs of embedded networks, written layer by layer without torch: what all families have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from graticule.errors import BackboneError
from graticule.networks.backbones import BackboneSpec

_OPSET = 17
_IR_VERSION = 8
_CLASSES = 1000

Weights = dict[str, NDArray[Any]]


class GraphWriter:
    """Collects nodes and initialisers; each method appends one layer and returns the name of its output."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._shared: set[str] = set()

    def once(self, name: str, value: NDArray[Any] | np.float32) -> str:
        """A constant that several layers share: written the first time its name is asked for."""
        if name not in self._shared:
            self._shared.add(name)
            self.constant(name, value)
        return name

    def constant(self, name: str, value: NDArray[Any] | np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def pixels(self, spec: BackboneSpec) -> str:
        """The input as the network takes it: uint8 (N, H, W, 3) to normalised float32 (N, 3, H, W)."""
        x = self.node("Transpose", ["pixels"], "pixels.nchw", perm=[0, 3, 1, 2])
        x = self.node("Cast", [x], "pixels.float", to=TensorProto.FLOAT)
        x = self.node("Sub", [x, self.constant("mean", _by_channel(spec.mean))], "pixels.centred")
        return self.node("Div", [x, self.constant("std", _by_channel(spec.std))], "pixels.normalised")

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

    def classify(self, x: str, layer: str) -> dict[str, str]:
        """The vector before the classifier, the mean of the last maps, and the logits."""
        x = self.node("ReduceMean", [x], "penultimate.mean", axes=[2, 3], keepdims=0)
        kernel = self.constant(f"{layer}.weight", self.weights[f"{layer}.weight"].astype(np.float32))
        bias = self.constant(f"{layer}.bias", self.weights[f"{layer}.bias"].astype(np.float32))
        return {"penultimate": x, "logits": self.node("Gemm", [x, kernel, bias], layer, transB=1)}


def _by_channel(values: tuple[float, float, float]) -> NDArray[np.float32]:
    """One number where the channels agree, else three that are laid along them."""
    return np.asarray(values[0] if len(set(values)) == 1 else np.reshape(values, (3, 1, 1)), np.float32)


def folded(weights: Weights, conv: str, bn: str, epsilon: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of a convolution with its batch normalisation folded in (in double precision)."""
    kernel = weights[f"{conv}.weight"].astype(np.float64)
    scale = weights[f"{bn}.weight"] / np.sqrt(weights[f"{bn}.running_var"].astype(np.float64) + epsilon)
    bias = weights[f"{bn}.bias"] - weights[f"{bn}.running_mean"] * scale
    return (kernel * scale[:, None, None, None]).astype(np.float32), bias.astype(np.float32)


def check_outputs(outputs: Sequence[str], stages: Sequence[str]) -> None:
    """Refuse, with a BackboneError, names of outputs that no graph has."""
    allowed = ("features", "statistics", "penultimate", "logits", *stages)
    unknown = sorted(set(outputs) - set(allowed))
    if unknown or not outputs:
        raise BackboneError(f"unknown output {unknown}; allowed: {', '.join(allowed)}")


def finished(
    writer: GraphWriter, spec: BackboneSpec, produced: Mapping[str, str], outputs: Sequence[str]
) -> onnx.ModelProto:
    """The model with the outputs asked for; what they do not need is left out.

    Parameters
    ----------
    writer : GraphWriter
    spec : BackboneSpec
    produced : mapping
        The inner name behind each name of an output.
    outputs : sequence of str
    """
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
    widths = {name: spec.width(name) for name in ("features", "statistics", "penultimate")} | {"logits": _CLASSES}
    shape: list[str | int] = ["n", widths[name]] if name in widths else ["n", "channels", f"{name}.h", f"{name}.w"]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
