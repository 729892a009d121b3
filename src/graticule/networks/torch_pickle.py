"""Read the tensors of a legacy torch pickle without torch, and nothing else.

The format (torch.save before version 1.6): four pickles (magic number, protocol, system information, the
state dictionary, whose tensors refer to storages by key), then a pickled list of storage keys, then per storage
its length as int64 and its raw little-endian values. The unpickler resolves three names only, all of them inert,
so a hostile file cannot run code; callers verify the file's sha256 before that.
"""

import io
import math
import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.errors import DAMAGED, BackboneError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
# What the unpickler and the reading after it raise on damaged bytes
_DAMAGED = (*DAMAGED, pickle.UnpicklingError, EOFError, struct.error, ImportError)
_DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _TensorRef:
    """A tensor as the pickle describes it: a strided view into a storage read later."""

    key: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(storage: tuple[Any, ...], offset: int, shape: Any, stride: Any, *_: object) -> _TensorRef:
    return _TensorRef(str(storage[2]), int(offset), tuple(shape), tuple(stride))


class _TensorOnlyUnpickler(pickle.Unpickler):
    """Resolves ordered dictionaries, tensors and storages; refuses every other name.

    `dtypes` collects the type of every storage referred to, by its key.
    """

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.dtypes: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _DTYPES:
            return name
        raise BackboneError(f"the weight file refers to {module}.{name}: only tensors are allowed in it")

    def persistent_load(self, pid: Any) -> tuple[Any, ...]:
        kind, storage_type, key, _device, length, *_ = pid
        if kind != "storage":
            raise BackboneError(f"the weight file refers to a {kind!r}: only tensor storages are allowed in it")
        self.dtypes[str(key)] = _DTYPES[storage_type]
        return (storage_type, int(length), key)


def read_tensors(data: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a legacy torch pickle as NumPy arrays, C-contiguous.

    Strides are honoured: weights converted from TensorFlow keep that framework's memory order, and a plain reshape
    would give an array of the right shape with wrong values.

    Raises
    ------
    BackboneError
        When the bytes are not such a file, are cut off, or name anything but tensors.
    """
    stream = io.BytesIO(data)
    try:
        magic, protocol = _load(stream), _load(stream)
        if magic != _MAGIC or protocol != _PROTOCOL:
            raise BackboneError("the weight file is not a legacy torch pickle")
        system = _load(stream)
        if not system.get("little_endian", False):
            raise BackboneError("the weight file was written on a big-endian machine, which is not supported")
        unpickler = _TensorOnlyUnpickler(stream)
        references = unpickler.load()
        storages = _read_storages(stream, [str(key) for key in _load(stream)], unpickler.dtypes)
        return {str(name): _view(storages[ref.key], ref) for name, ref in references.items()}
    except _DAMAGED as error:
        raise BackboneError(f"the weight file is damaged: {error}") from error


def _load(stream: io.BytesIO) -> Any:
    return _TensorOnlyUnpickler(stream).load()


def _read_storages(stream: io.BytesIO, keys: list[str], types: dict[str, np.dtype[Any]]) -> dict[str, NDArray[Any]]:
    storages = {}
    for key in keys:
        (length,) = struct.unpack("<q", stream.read(8))
        dtype = types[key]
        storages[key] = np.frombuffer(stream.read(length * dtype.itemsize), dtype=dtype, count=length)
    return storages


def _view(storage: NDArray[Any], ref: _TensorRef) -> NDArray[Any]:
    last = ref.offset + sum((n - 1) * step for n, step in zip(ref.shape, ref.stride, strict=True))
    inside = ref.offset >= 0 and last < len(storage) and math.prod(ref.shape) <= len(storage)
    if not inside or any(step < 0 for step in ref.stride):
        raise BackboneError(f"the weight file is damaged: a tensor of shape {ref.shape} lies outside its storage")
    strides = tuple(step * storage.itemsize for step in ref.stride)
    view = np.lib.stride_tricks.as_strided(storage[ref.offset :], ref.shape, strides, writeable=False)
    return np.ascontiguousarray(view)
