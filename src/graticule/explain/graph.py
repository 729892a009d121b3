"""What an ONNX network shows besides its feature vector: its feature maps, and the same network with other weights.

The model is edited in memory: tensors inside the graph become outputs, weights are replaced. Nothing is written.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from graticule.errors import BundleError
from graticule.explain.layout import CentredLayer

MAPS = "maps"
_POOLING = ("ReduceMean", "GlobalAveragePool")
_WEIGHTED = ("Conv", "Gemm", "MatMul")
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def load_graph(model: bytes) -> onnx.ModelProto:
    """Parse an ONNX model.

    Raises
    ------
    BundleError
        When the bytes are none.
    """
    try:
        return onnx.load_model_from_string(model)
    except ValueError as error:  # protobuf's DecodeError is one
        raise BundleError(f"the network of the bundle cannot be read: {error}") from error


def pooled_tensors(model: onnx.ModelProto, output: str) -> list[str]:
    """Tensors that an average is taken of on the way to an output, in the order of the graph, and an output "maps".

    Some of them are no feature maps (the squares behind a variance, an attention block); their place in the feature
    vector tells, see `graticule.explain.layout`.
    """
    ancestors = _ancestors(model, {output})
    found = [
        node.input[0]
        for node in model.graph.node
        if node.op_type in _POOLING and set(node.output) & ancestors and node.input[0] not in _constants(model)
    ]
    shown = [out.name for out in model.graph.output if out.name == MAPS]
    return list(dict.fromkeys(shown + found))


def centred_layers(model: onnx.ModelProto) -> dict[str, CentredLayer]:
    """The layers that are pooled around the centre, by the tensor of their maps, in the order of the graph."""
    made = {name: node for node in model.graph.node for name in node.output}
    found = {}
    for tensor in model.graph.initializer:
        layer, _, kind = tensor.name.rpartition(".")
        flat, weights = made.get(f"{layer}.flat"), f"{layer}.centre.weights"
        if kind == "projection" and flat is not None and weights in made:
            found[flat.input[0]] = CentredLayer(weights, numpy_helper.to_array(tensor))
    return found


def with_outputs(model: onnx.ModelProto, names: Sequence[str]) -> bytes:
    """The model with tensors of its graph as further outputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    present = {out.name for out in copy.graph.output}
    typed = {info.name: info for info in copy.graph.value_info}
    for name in names:
        if name not in present:
            known = typed.get(name)
            kind = known.type.tensor_type.elem_type if known is not None else TensorProto.FLOAT
            copy.graph.output.append(helper.make_tensor_value_info(name, kind, None))
    serialised: bytes = copy.SerializeToString()
    return serialised


def _constants(model: onnx.ModelProto) -> set[str]:
    return {tensor.name for tensor in model.graph.initializer}


def _ancestors(model: onnx.ModelProto, targets: Iterable[str]) -> set[str]:
    """All tensors that the targets depend on, themselves included."""
    wanted = set(targets)
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
    return wanted


def weight_stages(model: onnx.ModelProto, taps: Sequence[str], parts: int = 4) -> list[tuple[str, tuple[str, ...]]]:
    """The layers with weights, in groups from the pixels to the features.

    Parameters
    ----------
    model : onnx.ModelProto
    taps : sequence of str
        Feature maps that are pooled. Several: a group ends at each of them.
    parts : int
        Into how many groups the layers before a single tap are cut.

    Returns
    -------
    list of (name, names of the weight tensors)
        A group without weights is left out.
    """
    constants = {tensor.name for tensor in model.graph.initializer if tensor.data_type in _FLOATS}
    seen: set[str] = set()
    groups = []
    for tap in taps:
        before = _ancestors(model, {tap})
        layers = [
            tuple(name for name in node.input if name in constants)
            for node in model.graph.node
            if node.op_type in _WEIGHTED and set(node.output) & before and not set(node.output) & seen
        ]
        seen |= before
        layers = [names for names in layers if names]
        if len(taps) > 1 and layers:
            groups.append((f"up to {tap}", tuple(name for names in layers for name in names)))
        elif layers:
            for part in np.array_split(np.arange(len(layers)), min(parts, len(layers))):
                title = f"layers {part[0] + 1} to {part[-1] + 1} of {len(layers)}"
                groups.append((title, tuple(name for i in part for name in layers[i])))
    return groups


def shuffled_weights(model: onnx.ModelProto, names: Iterable[str], generator: np.random.Generator) -> onnx.ModelProto:
    """The model with the numbers within each named weight tensor in random order.

    Shuffling destroys what was learnt and keeps the scale of every layer, so that the network's numbers stay finite.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    chosen = set(names)
    for tensor in copy.graph.initializer:
        if tensor.name in chosen:
            values: NDArray[np.floating] = numpy_helper.to_array(tensor)
            mixed = generator.permutation(values.ravel()).reshape(values.shape)
            tensor.CopyFrom(numpy_helper.from_array(mixed, tensor.name))
    return copy
