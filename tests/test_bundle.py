"""A bundle on disk: what is written is read back, and any change of any file is noticed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from graticule.bundle import SUMS, Bundle, bundle_hash, read_bundle, write_bundle
from graticule.bundle_info import BundleInfo
from graticule.errors import BundleError, FileError
from graticule.images.preprocess import Preprocessing

INFO = BundleInfo(
    graticule_version="0.1.0",
    classes=["needle", "sphere é"],
    backbone="efficientnet_lite0",
    weights_sha256="ab" * 32,
    licence="Apache-2.0",
    preprocessing=Preprocessing(224).to_json(),
    output="features",
    n_features=4,
    views=4,
    heads="mean of the 5 fold heads",
    data_sha256="cd" * 32,
    n_training=3,
)


def small() -> Bundle:
    heads = {"0.weights": np.arange(8, dtype=np.float32).reshape(2, 4), "0.bias": np.zeros(2, np.float32)}
    reference = {"features": np.ones((3, 4), np.float16), "pixel_sha256": np.zeros((3, 32), np.uint8)}
    return Bundle(INFO, b"model bytes", heads, reference, "# Card of µ\n")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "model", small())
    return tmp_path / "model"


FILES = ("model.onnx", "head.safetensors", "bundle.json", "reference.safetensors", "MODEL_CARD.md")


def resummed(folder: Path, names: Sequence[str] = FILES) -> None:
    """Make the sums fit what lies there now."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines))


def test_round_trip(written: Path) -> None:
    bundle = read_bundle(written)
    assert (bundle.info, bundle.model, bundle.card) == (INFO, b"model bytes", "# Card of µ\n")
    for found, expected in ((bundle.heads, small().heads), (bundle.reference, small().reference)):
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)
            assert found[name].dtype == values.dtype


def test_the_hash_names_the_model(tmp_path: Path, written: Path) -> None:
    assert write_bundle(tmp_path / "again", small()) == bundle_hash(written) == bundle_hash(tmp_path / "again")
    other = Bundle(INFO, b"another model", small().heads, small().reference, small().card)
    assert write_bundle(tmp_path / "other", other) != bundle_hash(written)


def test_the_sums_are_those_of_sha256sum(written: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum here")
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", SUMS], cwd=written, check=True)
    assert {path.name for path in written.iterdir()} == {SUMS, *(written / SUMS).read_text().split()[1::2]}


def test_any_byte_of_any_file_changed_is_noticed(written: Path) -> None:
    for file in sorted(written.iterdir()):
        whole = file.read_bytes()
        for position in range(0, len(whole), max(1, len(whole) // 40)):
            for change in (0x01, 0x80):
                file.write_bytes(whole[:position] + bytes([whole[position] ^ change]) + whole[position + 1 :])
                with pytest.raises(BundleError, match=file.name):
                    read_bundle(written)
        for other in (b"", whole[:-1], whole + b"\n", whole.replace(b"\n", b"\r\n") + b" "):
            file.write_bytes(other)
            with pytest.raises(BundleError, match=file.name):
                read_bundle(written)
        file.write_bytes(whole)
    assert read_bundle(written).info == INFO


def test_a_missing_file_is_named(written: Path) -> None:
    for file in sorted(written.iterdir()):
        whole = file.read_bytes()
        file.unlink()
        with pytest.raises(BundleError, match=f"lacks {file.name}"):
            read_bundle(written)
        file.write_bytes(whole)
    with pytest.raises(BundleError, match="lacks"):
        read_bundle(written / "absent")


def test_a_bundle_of_another_version(written: Path) -> None:
    document = json.loads((written / "bundle.json").read_text())
    for version in (2, None, "1"):
        (written / "bundle.json").write_text(json.dumps(document | {"schema_version": version, "new_field": 1}))
        resummed(written)
        with pytest.raises(BundleError, match=f"schema version {version!r}, expected 1"):
            read_bundle(written)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bundle.json", b"{"),
        ("bundle.json", b"[]"),
        ("bundle.json", b'{"schema_version": 1}'),
        ("bundle.json", b"\xff"),
        ("head.safetensors", b"\xff" * 20),
        ("reference.safetensors", b""),
        ("MODEL_CARD.md", b"\xff\xfe"),
    ],
)
def test_a_consistent_bundle_with_a_part_that_cannot_be_read(written: Path, name: str, content: bytes) -> None:
    (written / name).write_bytes(content)
    resummed(written)
    with pytest.raises(BundleError):
        read_bundle(written)


def test_unknown_fields_are_refused(written: Path) -> None:
    document = json.loads((written / "bundle.json").read_text())
    (written / "bundle.json").write_text(json.dumps(document | {"surprise": 1}))
    resummed(written)
    with pytest.raises(BundleError, match="surprise"):
        read_bundle(written)


def test_an_existing_folder_is_not_written_into(written: Path) -> None:
    with pytest.raises(FileError, match="exists already"):
        write_bundle(written, small())
