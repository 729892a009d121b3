"""First weights: embedded, from files of many origins, random; what does not fit is refused with a reason."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")
timm = pytest.importorskip("timm", reason="fine-tuning needs timm: pip install 'graticule[torch]'")

from safetensors.torch import save_file  # noqa: E402

from graticule.errors import BackboneError  # noqa: E402
from graticule.finetune.network import build_network  # noqa: E402
from graticule.networks.backbones import EMBEDDED  # noqa: E402
from graticule.networks.encoder import embedded_encoder  # noqa: E402
from graticule.networks.session import Network  # noqa: E402

State = dict[str, Any]


@pytest.fixture(scope="module")
def state() -> State:
    """A whole ResNet-18 with a classifier of 7 classes."""
    torch.manual_seed(3)
    return dict(timm.create_model("resnet18", num_classes=7).state_dict())


def loaded(file: Path, name: str = "resnet18") -> tuple[State, tuple[str, ...]]:
    network, origin = build_network(name, 5, weights=str(file), seed=0)
    assert origin.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert origin.source == f"file {file.name}"
    return dict(network.trunk.state_dict()), origin.notes


@pytest.mark.parametrize("level", [0, 1, 2])
def test_embedded_weights_give_the_features_of_the_frozen_network(level: int) -> None:
    spec = EMBEDDED[f"efficientnet_lite{level}"]
    network, origin = build_network(spec.name, 4, weights=None, seed=0)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        vector = network.eval().features((x - network.spec.mean[0]) / network.spec.std[0]).numpy()
    expected = Network(embedded_encoder(spec, views=1, output="penultimate").model, "penultimate")(pixels)
    assert np.abs(vector - expected).max() < 1e-4
    assert network.maps_pool_to_features
    assert network.sequential
    assert (origin.sha256, origin.licence) == (spec.sha256, "Apache-2.0")
    assert origin.notes == ("the classifier of 1,000 classes was dropped",)


def test_a_safetensors_file_is_read_and_its_head_dropped(tmp_path: Path, state: State) -> None:
    save_file(state, tmp_path / "w.safetensors")
    found, notes = loaded(tmp_path / "w.safetensors")
    assert all(torch.equal(found[key], state[key]) for key in found)
    assert notes == ("the classifier of 7 classes was dropped",)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module.model.", "backbone."])
@pytest.mark.parametrize("nested", [None, "state_dict", "model", "model_state_dict"])
def test_a_torch_file_is_read_as_training_programs_write_it(
    tmp_path: Path, state: State, prefix: str, nested: str | None
) -> None:
    written: State = {f"{prefix}{key}": value for key, value in state.items()}
    torch.save(written if nested is None else {nested: written, "epoch": 3}, tmp_path / "w.pth")
    found, notes = loaded(tmp_path / "w.pth")
    assert all(torch.equal(found[key], state[key]) for key in found)
    assert notes == ("the classifier of 7 classes was dropped",)


def test_old_files_without_counters_and_half_precision_are_read(tmp_path: Path, state: State) -> None:
    old = {key: value.half() for key, value in state.items() if not key.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "w.bin", _use_new_zipfile_serialization=False)
    found, _ = loaded(tmp_path / "w.bin")
    assert found["conv1.weight"].dtype == torch.float32
    torch.testing.assert_close(found["conv1.weight"], state["conv1.weight"], atol=1e-3, rtol=1e-3)
    assert found["bn1.num_batches_tracked"] == 0


def test_the_fully_connected_layers_of_vgg_and_a_second_classifier_are_dropped(tmp_path: Path) -> None:
    whole = dict(build_network("vgg11", 5, weights="none", seed=1)[0].trunk.state_dict())
    torch.save(
        whole | {"pre_logits.fc1.weight": torch.zeros(2, 2), "head.fc.weight": torch.zeros(9, 2)}, tmp_path / "a.pt"
    )
    found, notes = loaded(tmp_path / "a.pt", "vgg11")
    assert torch.equal(found["features.0.weight"], whole["features.0.weight"])
    assert notes == ("the classifier of 9 classes was dropped", "the fully connected layers were dropped")


def test_names_of_an_architectures_authors_are_translated(tmp_path: Path) -> None:
    # Facebook's ConvNeXt files: downsample_layers and stages instead of stem and stages
    torch.manual_seed(0)
    whole = timm.create_model("convnext_atto", num_classes=3).state_dict()
    theirs = {}
    for key, value in whole.items():
        name = key.replace("stem.", "downsample_layers.0.")
        for stage in range(4):
            name = name.replace(f"stages.{stage}.downsample.", f"downsample_layers.{stage}.")
            name = name.replace(f"stages.{stage}.blocks.", f"stages.{stage}.")
        name = name.replace("conv_dw", "dwconv").replace("mlp.fc1", "pwconv1").replace("mlp.fc2", "pwconv2")
        theirs[name.replace("head.fc", "head").replace("head.norm", "norm")] = value
    torch.save({"model": theirs}, tmp_path / "w.pth")
    found, notes = loaded(tmp_path / "w.pth", "convnext_atto")
    assert all(torch.equal(found[key], whole[key]) for key in found)
    assert notes == ("the classifier of 3 classes was dropped",)


def test_weights_of_another_network_are_refused_with_a_count_and_an_example(tmp_path: Path, state: State) -> None:
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(BackboneError, match=r"do not fit resnet50: of its 318 tensors \d+ are missing.*for example"):
        build_network("resnet50", 5, weights=str(tmp_path / "w.safetensors"), seed=0)


def test_a_deeper_network_of_the_same_family_is_refused(tmp_path: Path, state: State) -> None:
    torch.save(state | {"layer4.2.conv1.weight": torch.zeros(512, 512, 3, 3)}, tmp_path / "w.pth")
    with pytest.raises(
        BackboneError, match=r"1 tensors of the file belong to another network.*layer4\.2\.conv1\.weight"
    ):
        build_network("resnet18", 5, weights=str(tmp_path / "w.pth"), seed=0)


def test_tensors_of_another_shape_are_named(tmp_path: Path, state: State) -> None:
    torch.save(state | {"conv1.weight": torch.zeros(64, 1, 7, 7)}, tmp_path / "w.pth")
    with pytest.raises(BackboneError, match=r"conv1\.weight is \(64, 1, 7, 7\) and should be \(64, 3, 7, 7\)"):
        build_network("resnet18", 5, weights=str(tmp_path / "w.pth"), seed=0)


def test_weights_of_a_training_that_failed_are_refused(tmp_path: Path, state: State) -> None:
    spoiled = state | {"layer1.0.conv1.weight": torch.full_like(state["layer1.0.conv1.weight"], float("nan"))}
    torch.save(spoiled, tmp_path / "w.pth")
    with pytest.raises(BackboneError, match=r"not finite in 1 tensors, for example layer1\.0\.conv1\.weight"):
        loaded(tmp_path / "w.pth")


def test_random_weights_say_that_they_are() -> None:
    origin = build_network("resnet18", 3, weights="none", seed=0)[1]
    assert origin.licence == "none: not pretrained"
    assert "--weights none" in origin.source
    assert origin.sha256 != build_network("resnet18", 3, weights="none", seed=1)[1].sha256
