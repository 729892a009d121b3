"""Whether a bundle's network is of the kind that this program writes: known operations, sound constants, shapes.

A checksum tells that a file is whole, not that it is harmless. A graph may read other files, loop without end, or make
a tensor of any length out of nothing. Refused here, from the bytes alone: everything that `onnx_wire` does not read,
operations outside `OPERATIONS`, lengths that depend on the values of pixels, and constants that are no finite numbers.
What a graph of known operations may still ask for (memory, time) is found out by a trial, see `network_trial`.
"""

import numpy as np

from graticule.errors import BundleError
from graticule.networks.onnx_wire import FLOAT, UINT8, Graph, Tensor, WireError, read_graph

INPUT = "pixels"
# every operation without control flow, chance, texts, sequences, and without lengths that depend on values; those that
# timm's networks are exported to are among them
_NAMES = (
    "Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast CastLike Ceil Celu "
    "Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace Div Einsum Elu Equal Erf Exp "
    "Expand EyeLike Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool "
    "GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Hardmax Identity "
    "InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax "
    "LpNormalization LpPool MatMul Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg Not OneHot Or PRelu "
    "Pad Pow RMSNormalization Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean "
    "ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round ScatterElements ScatterND Selu Shape "
    "Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish "
    "Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Where Xor"
)
OPERATIONS = frozenset(_NAMES.split())
_DOMAINS = ("", "ai.onnx")
_OPSETS = range(9, 27)
# inputs that say how long an operation's outcome is, by position
_LENGTHS = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "OneHot": (1,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Unsqueeze": (1,),
}
_FLOATS = {1: np.float32, 10: np.float16, 11: np.float64}
_BLOCK = 2**24


def check_graph(model: bytes, output: str, size: int) -> None:
    """Refuse, with a BundleError, a network that is not of the kind this program writes.

    Parameters
    ----------
    model : bytes
        An ONNX file.
    output : str
        The output that is the feature vector.
    size : int
        Side of the square input, pixels.
    """
    try:
        graph = read_graph(model)
    except WireError as error:
        raise BundleError(f"its network model.onnx is none that can be used: {error}") from error
    fault = _signature(graph, output, size) or _operations(graph) or _wiring(graph) or _constants(graph)
    if fault:
        raise BundleError(f"its network model.onnx is none that can be used: {fault}")


def _signature(graph: Graph, output: str, size: int) -> str:
    """What is wrong with operator sets, input and output; "" where nothing is."""
    unknown = [name for name, version in graph.opsets.items() if name not in _DOMAINS or version not in _OPSETS]
    if unknown or not graph.opsets:
        known = f"{_OPSETS[0]} to {_OPSETS[-1]}"
        return f"its operator sets are {ascii(dict(graph.opsets))[:200]}; known is ONNX's own, versions {known}"
    shapes = [value.shape for value in graph.inputs if value.name == INPUT and value.kind == UINT8]
    wanted = (None, size, size, 3)
    if len(graph.inputs) != 1 or not shapes or len(shapes[0]) != 4:
        return f"its only input must be {INPUT!r}, whole numbers of 8 bits, of four dimensions"
    if any(length not in (None, other) for length, other in zip(shapes[0], wanted, strict=True)):
        return f"its input is of shape {shapes[0]}, where its preprocessing makes {wanted}"
    if [value.kind for value in graph.outputs if value.name == output] != [FLOAT]:
        return f"it has no output {output[:100]!a} of 32-bit numbers"
    return ""


def _operations(graph: Graph) -> str:
    for node in graph.nodes:
        if node.domain not in _DOMAINS or node.kind not in OPERATIONS:
            name = f"{node.domain}.{node.kind}" if node.domain else node.kind
            return f"the operation {name[:100]!a} is none that networks exported here consist of"
    return ""


def _wiring(graph: Graph) -> str:
    """Every name is made once, before it is used; no length comes from the values of pixels."""
    known, from_pixels = {INPUT, ""}, {INPUT}
    for constant in graph.constants:
        if constant.name in known:
            return f"the name {constant.name[:100]!a} stands for two things"
        known.add(constant.name)
    for node in graph.nodes:
        missing = [name for name in node.inputs if name not in known]
        if missing:
            return f"{missing[0][:100]!a} is used and made nowhere before"
        lengths = _LENGTHS.get(node.kind, ())
        if any(name in from_pixels for place, name in enumerate(node.inputs) if place in lengths):
            return f"an operation {node.kind} makes a tensor whose length depends on the values of pixels"
        for name in node.outputs:
            if name and name in known:
                return f"the name {name[:100]!a} stands for two things"
            known.add(name)
        # a shape is known from the shapes of what it is of
        if node.kind not in ("Shape", "Size") and from_pixels.intersection(node.inputs):
            from_pixels.update(name for name in node.outputs if name)
    lost = [value.name for value in graph.outputs if value.name not in known]
    return f"the output {lost[0][:100]!a} is made nowhere" if lost else ""


def _constants(graph: Graph) -> str:
    for constant in (*graph.constants, *(value for node in graph.nodes for value in node.values)):
        if not _finite(constant):
            return f"the constant {constant.name[:100]!a} holds values that are no finite numbers"
    return ""


def _finite(constant: Tensor) -> bool:
    kind = _FLOATS.get(constant.kind)
    if kind is None:
        return True
    values = np.frombuffer(constant.raw, np.dtype(kind).newbyteorder("<"))
    return all(bool(np.isfinite(values[i : i + _BLOCK]).all()) for i in range(0, len(values), _BLOCK))
