"""Regressions as named tensors of a bundle, and back: small, and checked before anything is made of them.

A projection is by far the largest: thousands of features by hundreds of axes for each fold. It is kept in half
precision, each row (feature) against a power of two, and without the zeros between blocks, since an axis looks at one
block alone. `kept` rounds a projection before a regression is fitted on it, so that nothing is lost when it is packed:
what was fitted and judged is, bit for bit, what a bundle says.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, Float32Array, IntArray
from graticule.bundle import checked_tensor
from graticule.errors import BundleError
from graticule.regress.scoring import KernelValue, LinearValue, ValueHead, ValueMember

_LARGEST = 1e9
_NAME = re.compile(r"(0|[1-9][0-9]{0,3})\.(0|[1-7])\.[a-z_]{1,20}")
_LINEAR = ("slope", "offset", "rooted")
_KERNEL = (
    "centre", "magnitude", "block_of_row", "block_of_axis", "projection", "support", "coefficients", "offset", "gamma",
    "rooted",
)  # fmt: skip
# exponents of two that a row of a projection may have
_EXPONENTS = 100
_NO_BLOCK = -1
# more than any training makes; a forged one would take memory or time without end
_MOST_CELLS = 2**29


def kept(projection: NDArray[np.floating]) -> Float32Array:
    """A projection (d, q) as a bundle keeps it: 11 bits of each number, against the largest of its row."""
    magnitude = _magnitude(projection)
    return np.asarray((projection / magnitude).astype(np.float16).astype(np.float32) * magnitude, dtype=np.float32)


def _magnitude(projection: NDArray[np.floating]) -> Float32Array:
    """A power of two for each row, at least its largest size, shape (d, 1)."""
    largest = np.abs(projection).max(axis=1, keepdims=True, initial=0.0)
    exponent = np.frexp(np.where(largest > 0, largest, 1.0))[1]
    return np.asarray(np.ldexp(1.0, np.clip(exponent, -_EXPONENTS, _EXPONENTS)), dtype=np.float32)


def _blocks(some: BoolArray) -> tuple[IntArray, IntArray]:
    """Block of each row (d,) and column (q,) of a matrix that is zero where `some` is not; those of zeros: -1."""
    row, column = np.full(some.shape[0], _NO_BLOCK), np.full(some.shape[1], _NO_BLOCK)
    left, block = some.any(axis=0), 0
    while left.any():
        columns = np.zeros(some.shape[1], bool)
        columns[int(np.argmax(left))] = True
        while True:
            rows = some[:, columns].any(axis=1)
            reached = columns | some[rows].any(axis=0)
            if (reached == columns).all():
                break
            columns = reached
        row[rows], column[columns], left = block, block, left & ~columns
        block += 1
    return row, column


def pack_values(members: Sequence[ValueMember]) -> dict[str, NDArray[Any]]:
    """Regressions as named tensors ("0.0.slope", ...: fold, place, what) for a safetensors file."""
    tensors: dict[str, NDArray[Any]] = {}
    for i, member in enumerate(members):
        for j, head in enumerate(member):
            tensors |= {f"{i}.{j}.{name}": np.array(each, order="C") for name, each in _packed(head).items()}
    return tensors


def _packed(head: ValueHead) -> dict[str, Any]:
    scalars = {"offset": np.float64(head.offset), "rooted": np.int64(head.rooted)}
    if isinstance(head, LinearValue):
        return {"slope": head.slope.astype(np.float64), **scalars}
    magnitude = _magnitude(head.projection)
    small = (head.projection / magnitude).astype(np.float16)
    row, axis = _blocks(np.asarray(small != 0))
    parts = [small[np.ix_(row == block, axis == block)].ravel() for block in range(int(axis.max()) + 1)]
    return {
        "centre": head.centre.astype(np.float64),
        "magnitude": magnitude[:, 0],
        "block_of_row": row.astype(np.int32),
        "block_of_axis": axis.astype(np.int32),
        # with one more: a tensor holds one number at least
        "projection": np.concatenate([*parts, np.zeros(1, np.float16)]),
        "support": head.support.astype(np.float32),
        "coefficients": head.coefficients.astype(np.float64),
        "gamma": np.float64(head.gamma),
        **scalars,
    }


def unpack_values(tensors: Mapping[str, NDArray[Any]], n_features: int) -> list[ValueMember]:
    """Inverse of `pack_values`, after types and shapes were held against each other and the length of the features.

    Raises
    ------
    BundleError
        When a tensor is missing, unexpected, of another type or shape, or holds what is no finite number.
    """
    foreign = [name for name in tensors if not _NAME.fullmatch(name)]
    if foreign:
        raise BundleError(f"the head of the bundle holds a tensor of another kind: {foreign[0][:100]!a}")
    places = sorted({(int(i), int(j)) for i, j, _ in (name.split(".") for name in tensors)})
    members: list[ValueMember] = []
    expected: set[str] = set()
    for i in range(len({i for i, _ in places})):
        own = range(max(len([j for fold, j in places if fold == i]), 1))
        members.append(tuple(_unpack(f"{i}.{j}", tensors, n_features) for j in own))
        for j, head in zip(own, members[-1], strict=True):
            names = _LINEAR if isinstance(head, LinearValue) else _KERNEL
            expected |= {f"{i}.{j}.{name}" for name in names}
    unexpected = sorted(set(tensors) - expected)
    if not members or unexpected:
        raise BundleError(
            f"the head of the bundle holds {f'an unexpected {unexpected[0]!a}' if members else 'nothing'}"
        )
    return members


def _unpack(place: str, tensors: Mapping[str, NDArray[Any]], d: int) -> ValueHead:
    def array(name: str, *shape: int | None, kind: str = "float64") -> NDArray[Any]:
        return checked_tensor(tensors, f"{place}.{name}", kind, shape, file="head")

    offset = float(array("offset"))
    rooted = int(array("rooted", kind="int64"))
    if not 0 <= rooted <= d:
        raise BundleError(f"the head of the bundle roots {rooted:,} of {d:,} features")
    if f"{place}.slope" in tensors:
        return LinearValue(array("slope", d), offset, rooted)
    centre, gamma = array("centre", d), float(array("gamma"))
    support = array("support", None, None, kind="float32")
    row, axis = array("block_of_row", d, kind="int32"), array("block_of_axis", support.shape[1], kind="int32")
    flat = array("projection", None, kind="float16")
    projection = array("magnitude", d, kind="float32")[:, None] * _spread_out(flat, row, axis)
    if not 0 < gamma <= _LARGEST:
        raise BundleError(f"the head of the bundle has the gamma {gamma:g}; allowed is above 0 to {_LARGEST:g}")
    coefficients = array("coefficients", len(support))
    return KernelValue(centre, projection, support.astype(np.float64), coefficients, offset, gamma, rooted)


def _spread_out(flat: NDArray[np.float16], row: IntArray, axis: IntArray) -> Float32Array:
    """The blocks of a projection in their places, shape (d, q)."""
    d, q = len(row), len(axis)
    n, fits = max(int(row.max()), int(axis.max())) + 1, d * q <= _MOST_CELLS
    # a block has a row and an axis at least, so that there are no more than the fewer of them
    told = fits and min(row.min(), axis.min()) >= _NO_BLOCK and n <= min(d, q)
    rows, axes = (_places(each, n) if told else [] for each in (row, axis))
    sizes = [len(down) * len(across) for down, across in zip(rows, axes, strict=True)]
    if not told or sum(sizes) + 1 != len(flat):
        raise BundleError("the head of the bundle holds a projection whose blocks do not fit its numbers")
    found, at = np.zeros((d, q), np.float32), 0
    for down, across, size in zip(rows, axes, sizes, strict=True):
        found[np.ix_(down, across)] = flat[at : at + size].reshape(len(down), len(across))
        at += size
    return found


def _places(block: IntArray, n: int) -> list[IntArray]:
    """Where each of n blocks stands, in order."""
    order = np.argsort(block, kind="stable")
    return np.split(order, np.searchsorted(block[order], np.arange(n + 1)))[1:-1]
