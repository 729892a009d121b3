"""An ONNX file as its bytes describe it, read field by field, for checking before a runtime sees it.

The readers that parse a whole file (protobuf's, and the runtime's) build an object for each message: two bytes of a
forged file cost a hundred in memory. This one walks over the bytes, keeps views of them, and stops at the first thing
that is not among the few that a network of ours is made of. Only what checks need is kept.

Format: https://protobuf.dev/programming-guides/encoding and onnx.proto (field numbers below).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

MOST = 50_000
_LONGEST_NAME = 4096
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# bytes of a number by TensorProto.DataType; texts and types of less than a byte are not among them
SIZES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}
FLOAT, UINT8 = 1, 2


class WireError(ValueError):
    """The bytes are no ONNX network of the plain kind; the message says what was found."""


@dataclass(frozen=True)
class Tensor:
    """A constant: its name, type (`SIZES`), shape and raw bytes, little-endian."""

    name: str
    kind: int
    shape: tuple[int, ...]
    raw: memoryview


@dataclass(frozen=True)
class Node:
    """One operation. `values` holds the attributes that are constants themselves."""

    kind: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: tuple[Tensor, ...]


@dataclass(frozen=True)
class WireValue:
    """An input or output: its name, type of the numbers, and lengths; None where one is free."""

    name: str
    kind: int
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Graph:
    """A network: versions of the operator sets by domain, operations in their order, constants, inputs, outputs."""

    opsets: Mapping[str, int]
    nodes: tuple[Node, ...]
    constants: tuple[Tensor, ...]
    inputs: tuple[WireValue, ...]
    outputs: tuple[WireValue, ...]


def read_graph(model: bytes) -> Graph:
    """The graph in an ONNX file.

    Raises
    ------
    WireError
        When the bytes are no ONNX file, or one with functions, graphs inside of nodes, constants in other files,
        sparse or typed constants, texts as constants, or more than 50,000 parts of a kind.
    """
    fields = _Message(memoryview(model), "the file", _MODEL)
    graph = _Message(fields.one(7), "the graph", _GRAPH)
    sets = [_Message(view, "an operator set", {1, 2}) for view in fields.all(8)]
    opsets = {one.text(1): one.number(2) for one in sets}
    if len(opsets) != len(sets):
        raise WireError("it names an operator set twice")
    return Graph(
        opsets,
        tuple(_node(view) for view in graph.all(1)),
        tuple(_tensor(view) for view in graph.all(5)),
        tuple(_value(view) for view in graph.all(11)),
        tuple(_value(view) for view in graph.all(12)),
    )


# fields that may stand in each message; those left out are named in `_REFUSED` where they have a name worth telling
_MODEL = {1, 2, 3, 4, 5, 6, 7, 8, 14}
_GRAPH = {1, 2, 5, 10, 11, 12, 13, 16}
_NODE = {1, 2, 3, 4, 5, 6, 7, 9}
_ATTRIBUTE = {1, 2, 3, 4, 5, 7, 8, 9, 13, 20}
_TENSOR = {1, 2, 8, 9, 12, 14, 16}
_REFUSED = {
    ("the file", 20): "training graphs",
    ("the file", 25): "functions",
    ("the graph", 14): "quantised tensors",
    ("the graph", 15): "sparse constants",
    ("a node", 8): "overloads",
    ("an attribute", 6): "graphs inside of an operation (loops, branches)",
    ("an attribute", 11): "graphs inside of an operation (loops, branches)",
    ("an attribute", 21): "attributes of functions",
    ("an attribute", 22): "sparse constants",
    ("an attribute", 23): "sparse constants",
    ("a constant", 6): "texts as constants",
    ("a constant", 13): "constants in other files (external data)",
}


class _Message:
    """The fields of one message by number. Of those that may stand once the second is refused, not merged."""

    def __init__(self, view: memoryview, what: str, allowed: set[int]) -> None:
        self._what = what
        self._fields: dict[int, list[int | memoryview]] = {}
        for number, value in _fields(view, what):
            if number not in allowed:
                found = _REFUSED.get((what, number), f"a field {number} that is not used here")
                raise WireError(f"{what} holds {found}")
            values = self._fields.setdefault(number, [])
            values.append(value)
            if len(values) > MOST:
                raise WireError(f"{what} holds more than {MOST:,} parts of a kind")

    def all(self, number: int) -> Iterator[memoryview]:
        """Every value of a field of bytes."""
        for value in self._fields.get(number, ()):
            if not isinstance(value, memoryview):
                raise WireError(f"{self._what} is damaged: field {number} is of another type")
            yield value

    def one(self, number: int) -> memoryview:
        """The only value of a field of bytes, empty where it is missing."""
        found = list(self.all(number))
        if len(found) > 1:
            raise WireError(f"{self._what} holds the field {number} twice")
        return found[0] if found else memoryview(b"")

    def text(self, number: int) -> str:
        """A short text, "" where it is missing."""
        return _text(self.one(number))

    def texts(self, number: int) -> tuple[str, ...]:
        """Short texts."""
        return tuple(_text(view) for view in self.all(number))

    def number(self, number: int) -> int:
        """A whole number, 0 where it is missing."""
        found = self._fields.get(number, [0])
        if len(found) > 1 or not isinstance(found[0], int):
            raise WireError(f"{self._what} is damaged: field {number} is no single number")
        return found[0]

    def numbers(self, number: int) -> tuple[int, ...]:
        """Whole numbers, packed or not."""
        found: list[int] = []
        for value in self._fields.get(number, ()):
            if isinstance(value, int):
                found.append(value)
                continue
            position = 0
            while position < len(value) and len(found) <= MOST:
                one, position = _varint(value, position, self._what)
                found.append(one)
        return tuple(found)


def _node(view: memoryview) -> Node:
    fields = _Message(view, "a node", _NODE)
    values = []
    for attribute in fields.all(5):
        inner = _Message(attribute, "an attribute", _ATTRIBUTE)
        values += [_tensor(constant) for constant in inner.all(5)]
    return Node(fields.text(4), fields.text(7), fields.texts(1), fields.texts(2), tuple(values))


def _tensor(view: memoryview) -> Tensor:
    fields = _Message(view, "a constant", _TENSOR)
    name, kind, shape, raw = fields.text(8), fields.number(2), fields.numbers(1), fields.one(9)
    if kind not in SIZES:
        raise WireError(f"a constant {name!a} is of type {kind}, which is not used here")
    if fields.number(14):
        raise WireError("a constant holds constants in other files (external data)")
    if len(shape) > 8 or any(length < 0 for length in shape) or prod(shape) * SIZES[kind] != len(raw):
        raise WireError(f"a constant {name!a} of shape {shape[:8]} has {len(raw):,} bytes, which is not its size")
    return Tensor(name, kind, shape, raw)


def _value(view: memoryview) -> WireValue:
    fields = _Message(view, "an input or output", {1, 2, 3, 4})
    name = fields.text(1)
    kind = _Message(fields.one(2), "a type", {1, 6})
    tensor = _Message(kind.one(1), "a tensor type", {1, 2})
    shape: list[int | None] = []
    for dimension in _Message(tensor.one(2), "a shape", {1}).all(1):
        length = _Message(dimension, "a length", {1, 2, 3})
        shape.append(length.number(1) if length.number(1) > 0 else None)
    return WireValue(name, tensor.number(1), tuple(shape))


def _text(view: memoryview) -> str:
    if len(view) > _LONGEST_NAME:
        raise WireError(f"a name in it has {len(view):,} bytes")
    try:
        return bytes(view).decode()
    except UnicodeDecodeError as error:
        raise WireError("a name in it is no UTF-8") from error


def _fields(view: memoryview, what: str) -> Iterator[tuple[int, int | memoryview]]:
    """Numbers and values of the fields of a message, in their order."""
    position, end = 0, len(view)
    while position < end:
        tag, position = _varint(view, position, what)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, position = _varint(view, position, what)
            yield number, value
            continue
        if wire == _BYTES:
            length, position = _varint(view, position, what)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise WireError(f"{what} is damaged: a field of wire type {wire}")
        if not 0 <= length <= end - position:
            raise WireError(f"{what} is damaged: a field reaches beyond its end")
        yield number, view[position : position + length]
        position += length


def _varint(view: memoryview, position: int, what: str) -> tuple[int, int]:
    """A number of one to ten bytes, as 64 bits with sign, and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(view):
            break
        byte = view[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            value &= 2**64 - 1
            return value - 2**64 if value >> 63 else value, position
    raise WireError(f"{what} is damaged: a number has no end")
