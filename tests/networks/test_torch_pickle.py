"""Legacy torch pickles read without torch: strides honoured, hostile and damaged files refused."""

from __future__ import annotations

import io
import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.errors import BackboneError
from graticule.networks.backbones import EMBEDDED, verified_weights
from graticule.networks.torch_pickle import read_tensors

MAGIC = 0x1950A86A20F9469CFC6C


class Named:
    """Pickles as a global of any module and name, called with arguments: what torch and attackers write."""

    def __init__(self, module: str, name: str, *arguments: Any) -> None:
        self.module, self.name, self.arguments = module, name, arguments


class Storage:
    """Pickles as a persistent id."""

    def __init__(self, *pid: Any) -> None:
        self.pid = pid


class LegacyPickler(pickle._Pickler):
    """The pure-Python pickler, which can write names that do not exist here."""

    def persistent_id(self, obj: Any) -> Any:
        return obj.pid if isinstance(obj, Storage) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if not isinstance(obj, Named):
            super().save(obj, save_persistent_id)  # type: ignore[misc]
            return
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())  # type: ignore[attr-defined]
        if obj.arguments:
            self.save(obj.arguments)
            self.write(pickle.REDUCE)  # type: ignore[attr-defined]


def dumped(obj: Any) -> bytes:
    stream = io.BytesIO()
    LegacyPickler(stream, 2).dump(obj)
    return stream.getvalue()


def tensor(
    key: str, length: int, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0, kind: str = "Float"
) -> Named:
    storage = Storage("storage", Named("torch", f"{kind}Storage"), key, "cpu", length, None)
    return Named("torch._utils", "_rebuild_tensor_v2", storage, offset, shape, stride, False, OrderedDict())


def weight_file(state: Any, storages: dict[str, NDArray[Any]], **system: Any) -> bytes:
    """A file as torch.save wrote it before version 1.6."""
    about = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}} | system
    head = b"".join(dumped(part) for part in (MAGIC, 1001, about, state, list(storages)))
    return head + b"".join(struct.pack("<q", len(values)) + values.tobytes() for values in storages.values())


VALUES = np.arange(24, dtype="<f4")
PLAIN = weight_file(
    OrderedDict(
        plain=tensor("7", 24, (2, 3, 4), (12, 4, 1)),
        tensorflow=tensor("7", 24, (2, 3, 4), (1, 2, 6)),
        tail=tensor("7", 24, (4,), (1,), offset=20),
        count=tensor("9", 1, (), (), kind="Long"),
        none=tensor("7", 24, (0, 3), (3, 1)),
    ),
    {"7": VALUES, "9": np.array([41], "<i8")},
)


def test_tensors_and_their_strides() -> None:
    tensors = read_tensors(PLAIN)
    assert list(tensors) == ["plain", "tensorflow", "tail", "count", "none"]
    np.testing.assert_array_equal(tensors["plain"], VALUES.reshape(2, 3, 4))
    np.testing.assert_array_equal(tensors["tensorflow"], VALUES.reshape(4, 3, 2).transpose(2, 1, 0))
    np.testing.assert_array_equal(tensors["tail"], [20, 21, 22, 23])
    assert tensors["count"].reshape(()) == 41
    assert tensors["count"].dtype == np.int64
    assert tensors["none"].shape == (0, 3)
    assert all(values.flags.c_contiguous for values in tensors.values())


def test_the_real_weights_hold_tensors_in_tensorflow_order() -> None:
    data = verified_weights(EMBEDDED["efficientnet_lite0"])
    tensors = read_tensors(data)
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert all(np.isfinite(values).all() for values in tensors.values())
    variances = [values for name, values in tensors.items() if name.endswith("running_var")]
    assert len(variances) == 49
    assert min(values.min() for values in variances) >= 0


class Hostile:
    """Pickles as a call of any function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("position", ["state", "system", "first", "tensor", "keys"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_hostile_pickles_are_refused_and_not_run(tmp_path: Path, position: str, protocol: int) -> None:
    canary = tmp_path / "canary"
    attacks = [
        Hostile(os.system, f"touch {canary}"),
        Hostile(eval, f"open({str(canary)!r}, 'w')"),
        Hostile(Path.touch, canary),
        Hostile(getattr, "", "join"),
        Hostile(__import__, "os"),
    ]
    for attack in attacks:
        data = pickle.dumps(attack, protocol)
        match position:
            case "first":
                file = data
            case "system":
                file = dumped(MAGIC) + dumped(1001) + data
            case "keys":
                file = dumped(MAGIC) + dumped(1001) + dumped({"little_endian": True}) + dumped({}) + data
            case "tensor":
                file = dumped(MAGIC) + dumped(1001) + dumped({"little_endian": True})
                file += pickle.dumps(OrderedDict(weight=attack), protocol)
            case _:
                file = dumped(MAGIC) + dumped(1001) + dumped({"little_endian": True}) + data
        with pytest.raises(BackboneError, match="only tensors are allowed"):
            read_tensors(file)
    assert not canary.exists()


@pytest.mark.parametrize(
    "name",
    [
        ("torch", "HalfStorage"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch.nn.modules.linear", "Linear"),
        ("collections", "Counter"),
        ("builtins", "dict"),
    ],
)
def test_other_names_are_refused_by_name(name: tuple[str, str]) -> None:
    with pytest.raises(BackboneError, match=f"{name[0]}.{name[1]}"):
        read_tensors(weight_file({"weight": Named(*name, 1)}, {}))


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ({"w": tensor("7", 24, (25,), (1,))}, "outside its storage"),
        ({"w": tensor("7", 24, (5, 5), (5, 1))}, "outside its storage"),
        ({"w": tensor("7", 24, (4,), (1,), offset=21)}, "outside its storage"),
        ({"w": tensor("7", 24, (4,), (1,), offset=-1)}, "outside its storage"),
        ({"w": tensor("7", 24, (4,), (-1,), offset=8)}, "outside its storage"),
        ({"w": tensor("8", 24, (4,), (1,))}, "damaged"),
        ({"w": tensor("7", 24, (4, 4), (1,))}, "damaged"),
        ({"w": tensor("7", 24, (-4,), (1,))}, "damaged"),
        ({"w": 3.0}, "damaged"),
        ([1, 2], "damaged"),
        ({"w": Storage("module", "x", "7", "cpu", 24, None)}, "only tensor storages"),
        (
            {
                "w": Storage(
                    "storage",
                )
            },
            "damaged",
        ),
    ],
)
def test_faulty_tensors(state: Any, cause: str) -> None:
    with pytest.raises(BackboneError, match=cause):
        read_tensors(weight_file(state, {"7": VALUES}))


def test_other_files() -> None:
    with pytest.raises(BackboneError, match="not a legacy torch pickle"):
        read_tensors(dumped(1) + dumped(1001))
    with pytest.raises(BackboneError, match="big-endian"):
        read_tensors(weight_file(OrderedDict(), {}, little_endian=False))
    for data in (b"", b"PK\x03\x04 a zip archive", b"\x80", b"\x00" * 64):
        with pytest.raises(BackboneError):
            read_tensors(data)


def test_a_file_cut_short_anywhere_is_refused() -> None:
    assert read_tensors(PLAIN)
    for end in range(len(PLAIN)):
        with pytest.raises(BackboneError):
            read_tensors(PLAIN[:end])


def test_mutated_bytes_raise_backbone_errors_only() -> None:
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(500):
        data = bytearray(PLAIN)
        data[int(rng.integers(len(data) - 100))] = int(rng.integers(256))
        try:
            read_tensors(bytes(data))
        except BackboneError:
            refused += 1
    assert refused > 300
