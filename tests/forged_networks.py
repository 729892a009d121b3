"""ONNX networks that no bundle should hold: each takes pixels and claims to give features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Nodes = list[onnx.NodeProto]
Constants = dict[str, NDArray[Any]]


def network(
    d: int,
    nodes: Nodes = [],  # noqa: B006 - never changed
    constants: Constants = {},  # noqa: B006
    *,
    size: int | None = None,
    output: str = "features",
    opset: int = 17,
) -> onnx.ModelProto:
    """Means of red, green and blue, spread over d numbers, plus the number "z" that `nodes` make (else 0).

    "x" are the pixels as floats, "m" their means, shape (n, 3).
    """
    rng = np.random.default_rng(0)
    values = {"w": rng.normal(size=(3, d)).astype(np.float32) / 100, "one": np.float32(1.0)} | constants
    if not any("z" in node.output for node in nodes) and "z" not in values:
        values["z"] = np.float32(0.0)
    every = [
        helper.make_node("Cast", ["pixels"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1, 2], keepdims=0),
        *nodes,
        helper.make_node("MatMul", ["m", "w"], ["f"]),
        helper.make_node("Add", ["f", "z"], [output]),
    ]
    graph = helper.make_graph(
        every,
        "forged",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", size or "h", size or "w", 3])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", d])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """A node whose inputs and outputs are names in one text."""
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def lengths(*values: int) -> NDArray[np.int64]:
    """A shape."""
    return np.array(values, np.int64)


def _branch(name: str, value: float) -> onnx.GraphProto:
    made = helper.make_node("Constant", [], [name], value_float=value)
    return helper.make_graph([made], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, [])])


def _conditional(d: int) -> onnx.ModelProto:
    return network(
        d,
        [helper.make_node("If", ["yes"], ["z"], then_branch=_branch("a", 0.0), else_branch=_branch("b", 1.0))],
        {"yes": np.array(True)},
    )


def _loop(d: int) -> onnx.ModelProto:
    body = helper.make_graph(
        [node("Identity", "going", "still"), node("Add", "v v", "sum")],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, []),
        ],
    )
    loop = helper.make_node("Loop", ["often", "yes", "zero"], ["z"], body=body)
    return network(d, [loop], {"often": np.int64(2**62), "yes": np.array(True), "zero": np.float32(0)})


def _function(d: int) -> onnx.ModelProto:
    model = network(d, [helper.make_node("Mine", ["one"], ["z"], domain="mine")])
    model.opset_import.append(helper.make_opsetid("mine", 1))
    body = [node("Sub", "a a", "b")]
    model.functions.append(helper.make_function("mine", "Mine", ["a"], ["b"], body, [helper.make_opsetid("", 17)]))
    return model


def _foreign(kind: str, domain: str, *, inputs: str = "one", **attributes: Any) -> Callable[[int], onnx.ModelProto]:
    def made(d: int) -> onnx.ModelProto:
        model = network(d, [helper.make_node(kind, inputs.split(), ["z"], domain=domain, **attributes)])
        if domain:
            model.opset_import.append(helper.make_opsetid(domain, 1))
        return model

    return made


def _external(location: str) -> Callable[[int], onnx.ModelProto]:
    def made(d: int) -> onnx.ModelProto:
        model = network(d)
        weights = model.graph.initializer[0]
        weights.data_location = TensorProto.EXTERNAL
        weights.external_data.add(key="location", value=location)
        weights.external_data.add(key="length", value=str(len(weights.raw_data)))
        weights.ClearField("raw_data")
        return model

    return made


def _sparse(d: int) -> onnx.ModelProto:
    model = network(d)
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    places = helper.make_tensor("s_places", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [2**40]))
    return model


def _claims(d: int) -> onnx.ModelProto:
    model = network(d)
    model.graph.initializer[0].dims[:] = [2**20, 2**20]
    return model


def _grown(nodes: Nodes, constants: Constants) -> Callable[[int], onnx.ModelProto]:
    """The tensor "big" that the nodes make is summed up, so that it must be made."""
    return lambda d: network(d, [*nodes, node("ReduceSum", "big", "z", keepdims=0)], constants)


def _doubled(times: int) -> Callable[[int], onnx.ModelProto]:
    steps = [node("Concat", f"v{i} v{i}", f"v{i + 1}", axis=0) for i in range(times)]
    return _grown([*steps, node("Identity", f"v{times}", "big")], {"v0": np.ones(2, np.float32)})


def _from_pixels(d: int) -> onnx.ModelProto:
    """Harmless for a grey picture: a white one makes 10^15 numbers."""
    nodes = [
        node("ReduceMax", "x", "top", keepdims=0),
        node("Pow", "top six", "far"),
        node("Cast", "far", "length", to=TensorProto.INT64),
        node("Range", "zero length step", "many"),
        node("Cast", "many", "big", to=TensorProto.FLOAT),
        node("ReduceMin", "big", "z", keepdims=0),
    ]
    return network(d, nodes, {"six": np.float32(6), "zero": np.int64(0), "step": np.int64(1)})


def _slow(d: int) -> onnx.ModelProto:
    """Products of large matrices, one after another: little memory, no end."""
    steps = [node("MatMul", f"p{i} p0", f"p{i + 1}") for i in range(400)]
    make = [
        node("ConstantOfShape", "shape", "zeros"),
        node("Add", "zeros m00", "p0"),
        node("ReduceSum", "p400", "z", keepdims=0),
    ]
    first = [node("ReduceMean", "x", "m00", keepdims=0)]
    return network(d, [*first, *make[:2], *steps, make[2]], {"shape": lengths(2000, 2000)})


def _edited(change: Callable[[onnx.ModelProto], Any]) -> Callable[[int], onnx.ModelProto]:
    def made(d: int) -> onnx.ModelProto:
        model = network(d)
        change(model)
        return model

    return made


def _with_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def _backwards(model: onnx.ModelProto) -> None:
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _nan_weight(model: onnx.ModelProto) -> None:
    values = numpy_helper.to_array(model.graph.initializer[0]).copy()
    values[0, 0] = np.nan
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, "w"))


def _twice_named(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def _typed(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("texts", TensorProto.STRING, [1], [b"a"]))


def _trained(model: onnx.ModelProto) -> None:
    model.training_info.add().algorithm.CopyFrom(model.graph)


def _three_dimensions(d: int) -> onnx.ModelProto:
    model = network(d, output="flat")
    model.graph.node.append(node("Unsqueeze", "flat last", "features"))
    model.graph.initializer.append(numpy_helper.from_array(lengths(2), "last"))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("features", TensorProto.FLOAT, None))
    return model


def _beside(d: int) -> onnx.ModelProto:
    """Each picture's features depend on its place in the batch."""
    nodes = [
        node("ReduceMean", "m", "own", axes=[1], keepdims=1),
        node("CumSum", "own axis", "z"),
    ]
    return network(d, nodes, {"axis": np.int64(0)})


BUILT: dict[str, Callable[[int], onnx.ModelProto]] = {
    "external data beside the user": _external("weights.bin"),
    "external data anywhere": _external("/etc/passwd"),
    "external data above": _external("../../weights.bin"),
    "a condition": _conditional,
    "a loop": _loop,
    "a function": _function,
    "an operation of its own domain": _foreign("Evil", "evil.example"),
    "an operation of the runtime's own domain": _foreign("Gelu", "com.microsoft"),
    "an unknown operation": _foreign("Exec", ""),
    "chance": _foreign("RandomNormalLike", ""),
    "lengths that depend on values": _grown([node("NonZero", "x", "places"), node("Cast", "places", "big", to=1)], {}),
    "lengths from pixels": _from_pixels,
    "a sparse constant": _sparse,
    "a constant that claims terabytes": _claims,
    "texts as constants": _edited(_typed),
    "a training graph": _edited(_trained),
    "numbers out of nothing": _grown([node("ConstantOfShape", "s", "big")], {"s": lengths(2**17, 2**17)}),
    "numbers in small steps": _doubled(40),
    "one number expanded": _grown([node("Expand", "one s", "big")], {"s": lengths(2**34)}),
    "one number tiled": _grown([node("Tile", "v s", "big")], {"v": np.ones(1, np.float32), "s": lengths(2**34)}),
    "a long range": _grown(
        [node("Range", "a b c", "many"), node("Cast", "many", "big", to=1)],
        {"a": np.int64(0), "b": np.int64(2**34), "c": np.int64(1)},
    ),
    "a wide border": _grown([node("Pad", "v s", "big")], {"v": np.ones(1, np.float32), "s": lengths(0, 2**34)}),
    "an enlarged picture": _grown(
        [helper.make_node("Resize", ["x", "", "s"], ["big"])],
        {"s": np.array([1, 1000, 1000, 1], np.float32)},
    ),
    "one-hot without end": _grown(
        [node("OneHot", "i n v", "big")],
        {"i": lengths(*range(1000)), "n": np.int64(2**26), "v": np.array([0, 1], np.float32)},
    ),
    "every pair of pixels": _grown(
        [
            node("Reshape", "x s", "line"),
            node("Transpose", "line", "column", perm=[0, 2, 1]),
            node("MatMul", "column line", "big"),
        ],
        {"s": lengths(0, 1, -1)},
    ),
    "work without end": _slow,
    "an unknown version": lambda d: network(d, opset=999),
    "two inputs": _edited(_with_input),
    "operations out of order": _edited(_backwards),
    "a name twice": _edited(_twice_named),
    "a weight that is no number": _edited(_nan_weight),
    "features that are no numbers": lambda d: network(d, [node("Sub", "one one", "o"), node("Div", "o o", "z")]),
    "another number of features": lambda d: network(d + 1),
    "features in three dimensions": _three_dimensions,
    "features that depend on the batch": _beside,
    "another name of the output": lambda d: network(d, output="other"),
    "another size of the input": lambda d: network(d, size=17),
}


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _nested(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = _field(7, _field(1, _field(5, _field(6, content))))
    return content


def raw_networks(d: int) -> Iterator[tuple[str, bytes]]:
    """Networks whose bytes are forged below what a library would write."""
    plain = network(d).SerializeToString()
    graph = network(d).graph.SerializeToString()
    yield "no network", b"\xff" * 1000
    yield "an empty network", b""
    yield "half a network", plain[: len(plain) // 2]
    yield "zeros", bytes(2**20)
    yield "five million empty operations", plain + _field(7, b"\x0a\x00" * 5_000_000)
    yield "five million empty notes", plain[: -len(_field(7, graph))] + _field(7, graph + b"\x6a\x00" * 5_000_000)
    yield "a graph that is laid over another", plain + _field(7, graph)
    yield "graphs in graphs in graphs", _nested(300)
    yield "a number without end", b"\x08" + b"\xff" * 100
    yield "fields that nobody knows", plain + _field(1000, b"x" * 1000)
