"""A small network of one's own as a bundle: convolution, rectifier, mean, and a last layer that knows two colours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graticule.heads.scoring import LogitHead
from graticule.images.preprocess import Preprocessing
from graticule.networks.encoder import Encoder

MakeEncoder = Callable[..., Encoder]


def colour_network(*, maps: bool, pooled: bool = True, channels: int = 3) -> bytes:
    """pixels / 255, a 3 x 3 box filter per colour, rectifier, mean; `maps` shows the maps as an output.

    Without `pooled` the maps are sampled at one place instead of averaged: no CAM can explain that.
    """
    kernel = np.zeros((channels, 3, 3, 3), np.float32)
    for c in range(channels):
        kernel[c, c % 3] = 1 / 9 * (1 + c // 3)
    nodes = [
        helper.make_node("Transpose", ["pixels"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["nchw"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "full"], ["scaled"]),
        helper.make_node("Conv", ["scaled", "kernel"], ["filtered"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["filtered"], ["maps"]),
    ]
    if pooled:
        nodes.append(helper.make_node("ReduceMean", ["maps"], ["features"], axes=[2, 3], keepdims=0))
    else:
        nodes.append(helper.make_node("ReduceMax", ["maps"], ["features"], axes=[2, 3], keepdims=0))
    shown = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", channels])]
    if maps:
        shown.append(helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["n", channels, "h", "w"]))
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "height", "width", 3])],
        shown,
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(np.float32(255), "full")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture
def colours() -> MakeEncoder:
    """The colour network as an encoder of 32 px input."""

    def make(*, maps: bool = True, pooled: bool = True, views: int = 1, channels: int = 3) -> Encoder:
        model = colour_network(maps=maps, pooled=pooled, channels=channels)
        return Encoder("colours", model, Preprocessing(size=32), views, channels)

    return make


@pytest.fixture
def red_or_blue() -> LogitHead:
    """Class 0 looks for red, class 1 for blue."""
    weights = np.array([[4, 0, -2], [-2, 0, 4]], np.float32)
    return LogitHead(weights, np.zeros(2, np.float32), 1.0)


@pytest.fixture
def spot() -> Callable[..., np.ndarray]:
    """A grey 32 px picture with a coloured square."""

    def draw(colour: tuple[int, int, int], row: int, column: int, side: int = 6) -> np.ndarray:
        pixels = np.full((32, 32, 3), 60, np.uint8)
        pixels[row : row + side, column : column + side] = colour
        return pixels

    return draw
